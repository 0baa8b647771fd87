/* One output file: a temporary that gets its name in one rename. outfile_write.c fills it. */
#include "base/outfile_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { NAME_TRIES = 64, RANDOM_HEX = 16 };

static char *copy_string(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = mem_alloc(size);
    memcpy(copy, text, size);
    return copy;
}

/* ---- creating ---- */

/* A hidden sibling that cannot be foreseen: .BASE.<16 hex>.tmp, BASE cut so that the name stays
 * within NAME_MAX. */
static char *temporary_name(const char *path)
{
    unsigned char bytes[RANDOM_HEX / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return NULL;
    char name[256], hex[RANDOM_HEX + 1];
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    snprintf(name, sizeof name, ".%.200s.%s.tmp", path_base(path), hex);
    char *folder = path_folder(path), *full = path_join(folder, name);
    mem_free(folder);
    return full;
}

static int create_named(struct outfile *o)
{
    for (int i = 0; i < NAME_TRIES; i++) {
        o->temp = temporary_name(o->path);
        if (!o->temp)
            return errno;
        o->slot = cleanup_add(o->temp);
        int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
        o->fd = openat(o->folder, path_base(o->temp), flags, 0600);
        if (o->fd >= 0)
            return 0;
        int why = errno;
        cleanup_drop(o->slot);
        o->slot = -1;
        mem_free(o->temp);
        o->temp = NULL;
        if (why != EEXIST)
            return why;
    }
    return EEXIST;
}

/* Naming an unnamed file goes through /proc, which a bare chroot may lack. */
static bool can_link_unnamed(void) { return access("/proc/self/fd", X_OK) == 0; }

static int create_temporary(struct outfile *o)
{
    o->kind = UNNAMED;
    o->fd = can_link_unnamed() ? openat(o->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
    if (o->fd >= 0)
        return 0;
    o->kind = NAMED;
    return create_named(o);
}

/* umask can only be read by setting it; another thread creating a file meanwhile would see 077, the
 * strict side. */
static mode_t default_mode(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    mode_t mask = umask(077);
    umask(mask);
    pthread_mutex_unlock(&lock);
    return 0666 & ~mask;
}

static int open_folder(struct outfile *o)
{
    char *folder = path_folder(o->path);
    o->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (o->folder < 0 && errno == EACCES) /* write and search permission suffice */
        o->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int why = o->folder < 0 ? errno : 0;
    mem_free(folder);
    return why;
}

static int open_direct(struct outfile *o, int fd)
{
    o->kind = DIRECT;
    o->fd = fd;
    return fd < 0 ? outfile_fail(o, E_CREATE, "open", errno) : 0;
}

/* What stands at the path now decides: nothing, a file (only with force), a stream, or something in
 * the way. */
static int look_at_target(struct outfile *o)
{
    struct stat st, target;
    o->mode = default_mode();
    if (lstat(o->path, &st) != 0)
        return errno == ENOENT ? 0 : outfile_fail(o, E_CREATE, "create", errno);
    if (stat(o->path, &target) == 0 && !S_ISREG(target.st_mode) && !S_ISDIR(target.st_mode))
        return open_direct(o, open(o->path, O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (S_ISDIR(st.st_mode))
        return outfile_fail(o, E_CREATE, "write", EISDIR);
    if (!o->force)
        return outfile_fail(o, E_EXISTS, "overwrite", EEXIST);
    if (S_ISREG(st.st_mode))
        o->mode = st.st_mode & 0777;
    return 0;
}

static int open_at(struct outfile *o)
{
    if (!strcmp(o->path, "-"))
        return open_direct(o, fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (o->path[0] == '\0')
        return outfile_fail(o, E_CREATE, "create", ENOENT);
    if (path_has_suffix(o->path, "/"))
        return outfile_fail(o, E_CREATE, "write", EISDIR);
    int code = look_at_target(o);
    if (code || o->kind == DIRECT)
        return code;
    int why = open_folder(o);
    if (!why)
        why = create_temporary(o);
    if (!why && fchmod(o->fd, o->mode) != 0)
        why = errno;
    return why ? outfile_fail(o, E_CREATE, "create", why) : 0;
}

static void release(struct outfile *o)
{
    if (o->fd >= 0)
        close(o->fd);
    if (o->folder >= 0)
        close(o->folder);
    cleanup_drop(o->slot);
    mem_free(o->temp);
    mem_free(o->path);
    mem_free(o);
}

int outfile_open(struct outfile **out, const char *path, bool force, struct diag *diag)
{
    struct outfile *o = mem_alloc(sizeof *o);
    o->diag = diag;
    o->path = copy_string(path);
    o->fd = o->folder = o->slot = -1;
    o->force = force;
    o->kind = UNNAMED;
    int code = open_at(o);
    *out = code ? NULL : o;
    if (code)
        outfile_abort(o);
    return code;
}

void outfile_abort(struct outfile *o)
{
    if (!o)
        return;
    if (o->temp)
        unlinkat(o->folder, path_base(o->temp), 0);
    release(o);
}

/* ---- publishing ---- */

int outfile_rename(struct outfile *o, const char *base_name, bool same_content)
{
    if (o->kind != DIRECT) {
        char *folder = path_folder(o->path), *path = path_join(folder, base_name);
        mem_free(folder);
        mem_free(o->path);
        o->path = path;
        o->force = o->force || same_content;
    }
    return o->error;
}

int outfile_finish(struct outfile *o)
{
    if (o->finished || o->error || outfile_flush(o))
        return o->error;
    if (o->kind != DIRECT && fsync(o->fd) != 0)
        return outfile_fail(o, E_WRITE, "write", errno);
    o->finished = true;
    return file_check_torn(o->diag) ? o->error = -(int)E_CHANGED : 0;
}

/* Gives an unnamed temporary a hidden name, so that a rename can replace an existing file. */
static int name_unnamed(struct outfile *o)
{
    char proc[64];
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", o->fd);
    if (!o->force)
        return linkat(AT_FDCWD, proc, o->folder, path_base(o->path), AT_SYMLINK_FOLLOW) ? errno : 0;
    for (int i = 0; i < NAME_TRIES; i++) {
        o->temp = temporary_name(o->path);
        if (!o->temp)
            return errno;
        o->slot = cleanup_add(o->temp);
        if (linkat(AT_FDCWD, proc, o->folder, path_base(o->temp), AT_SYMLINK_FOLLOW) == 0)
            return 0;
        int why = errno;
        cleanup_drop(o->slot);
        o->slot = -1;
        mem_free(o->temp);
        o->temp = NULL;
        if (why != EEXIST)
            return why;
    }
    return EEXIST;
}

/* Without force the name must be free; file systems without RENAME_NOREPLACE get a hard link
 * instead. */
static int rename_temporary(struct outfile *o)
{
    const char *from = path_base(o->temp), *to = path_base(o->path);
    if (o->force)
        return renameat(o->folder, from, o->folder, to) ? errno : 0;
    if (renameat2(o->folder, from, o->folder, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    if (linkat(o->folder, from, o->folder, to, 0) != 0)
        return errno;
    return unlinkat(o->folder, from, 0) ? errno : 0;
}

static int give_name(struct outfile *o)
{
    int why = o->kind == UNNAMED ? name_unnamed(o) : 0;
    if (!why && o->temp)
        why = rename_temporary(o);
    if (why)
        return outfile_fail(o, why == EEXIST ? E_EXISTS : E_CREATE, "create", why);
    mem_free(o->temp); /* its name is gone */
    o->temp = NULL;
    /* A folder opened by O_PATH, and some network file systems, cannot be synced: the rename itself
     * is then all there is. */
    if (fsync(o->folder) != 0 && errno != EBADF && errno != EINVAL)
        return outfile_fail(o, E_WRITE, "write the folder of", errno);
    return 0;
}

int outfile_publish(struct outfile *o)
{
    int code = outfile_finish(o);
    if (!code && o->kind != DIRECT)
        code = give_name(o);
    outfile_abort(o);
    return code;
}

int outfile_commit(struct outfile *o) { return outfile_publish(o); }

int outfile_save(const char *path, const void *data, size_t size, bool force, struct diag *diag)
{
    struct outfile *o;
    int code = outfile_open(&o, path, force, diag);
    if (code)
        return code;
    outfile_write(o, data, size);
    return outfile_commit(o);
}
