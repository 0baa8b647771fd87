/* A folder output: filled under a hidden name beside its place, then renamed or exchanged.
 *
 * Order at commit: sync the new folder, exchange, sync the parent, remove the old one. A SIGKILL
 * leaves the old folder or the new one under the name; at worst a hidden sibling stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <dirent.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/vec.h"

enum { NAME_TRIES = 64, TREE_FDS = 16, MARK_BYTES = 256 };

struct outdir {
    struct diag *diag;
    char *path, *temp;
    const char *index;
    int slot;
    VEC(int) files; /* clean-up slots of the files inside */
    bool exists;
};

const char *outdir_path(const struct outdir *d) { return d->temp; }

char *outdir_join(struct outdir *d, const char *name)
{
    char *path = path_join(d->temp, name);
    vec_push(&d->files, cleanup_add(path));
    return path;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

/* Links are removed, not followed; another file system below is not entered. */
static int remove_tree(const char *path)
{
    return nftw(path, remove_entry, TREE_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static int fail(struct outdir *d, enum err id, const char *what, int why)
{
    return diag_report(d->diag, id, &(struct where){.file = d->path}, "cannot %s the folder: %s",
                       what, strerror(why));
}

/* Path without trailing slashes. */
static char *trimmed(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    char *copy = mem_alloc(n + 1);
    memcpy(copy, path, n);
    return copy;
}

static bool folder_is_empty(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    bool empty = true;
    for (const struct dirent *e; empty && (e = readdir(dir));)
        empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
    closedir(dir);
    return empty;
}

/* The index file begins with one of our schema names. */
static bool folder_is_ours(const char *path, const char *index)
{
    char text[MARK_BYTES + 1];
    char *file = path_join(path, index);
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    mem_free(file);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, MARK_BYTES);
    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return strstr(text, "\"npuprep.") != NULL;
}

static int look_at_target(struct outdir *d, bool force)
{
    struct stat st;
    if (lstat(d->path, &st) != 0)
        return errno == ENOENT ? 0 : fail(d, E_CREATE, "create", errno);
    d->exists = true;
    if (!S_ISDIR(st.st_mode))
        return fail(d, E_CREATE, "create", ENOTDIR);
    if (folder_is_empty(d->path))
        return 0;
    if (!force)
        return fail(d, E_EXISTS, "overwrite", EEXIST);
    if (!folder_is_ours(d->path, d->index))
        return diag_report(d->diag, E_OUTDIR_FOREIGN, &(struct where){.file = d->path},
                           "the folder has no '%s' of npuprep, so it is not replaced", d->index);
    return 0;
}

/* A hidden sibling name nobody can guess, as for a single file. */
static char *sibling(const char *path)
{
    uint64_t number;
    char name[256];
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return NULL;
    snprintf(name, sizeof name, ".%.200s.%016llx.tmp", path_base(path), (unsigned long long)number);
    char *folder = path_folder(path), *full = path_join(folder, name);
    mem_free(folder);
    return full;
}

static int create_sibling(struct outdir *d)
{
    for (int i = 0; i < NAME_TRIES; i++) {
        d->temp = sibling(d->path);
        if (!d->temp)
            return errno;
        d->slot = cleanup_add(d->temp);
        if (mkdir(d->temp, 0777) == 0)
            return 0;
        int why = errno;
        cleanup_drop(d->slot);
        d->slot = -1;
        mem_free(d->temp);
        d->temp = NULL;
        if (why != EEXIST)
            return why;
    }
    return EEXIST;
}

static void release(struct outdir *d)
{
    for (size_t i = 0; i < d->files.count; i++)
        cleanup_drop(d->files.data[i]);
    vec_free(&d->files);
    cleanup_drop(d->slot);
    mem_free(d->temp);
    mem_free(d->path);
    mem_free(d);
}

int outdir_open(struct outdir **out, const char *path, const char *index, bool force,
                struct diag *diag)
{
    struct outdir *d = mem_alloc(sizeof *d);
    *d = (struct outdir){.diag = diag, .path = trimmed(path), .index = index, .slot = -1};
    int code = look_at_target(d, force);
    int why = code ? 0 : create_sibling(d);
    if (why)
        code = fail(d, E_CREATE, "create", why);
    *out = code ? NULL : d;
    if (code)
        release(d);
    return code;
}

void outdir_abort(struct outdir *d)
{
    if (!d)
        return;
    if (d->temp)
        remove_tree(d->temp);
    release(d);
}

static void sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return; /* not readable: renaming works without */
    (void)fsync(fd);
    close(fd);
}

/* Old kernels and file systems without exchange: aside, in, and back again when the second step
 * fails. */
static int swap_in_two_steps(const struct outdir *d)
{
    char *aside = sibling(d->path);
    if (!aside)
        return errno;
    int why = rename(d->path, aside) ? errno : 0;
    if (!why && rename(d->temp, d->path) != 0) {
        why = errno;
        (void)rename(aside, d->path);
    }
    if (!why)
        why = rename(aside, d->temp) ? errno : 0;
    mem_free(aside);
    return why;
}

static int exchange(const struct outdir *d)
{
    unsigned flags = d->exists ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    if (renameat2(AT_FDCWD, d->temp, AT_FDCWD, d->path, flags) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    if (d->exists)
        return swap_in_two_steps(d);
    return rename(d->temp, d->path) ? errno
                                    : 0; /* rename(2) itself refuses a folder that is not empty */
}

int outdir_commit(struct outdir *d)
{
    int code = file_check_torn(d->diag);
    if (code) {
        outdir_abort(d);
        return code;
    }
    sync_folder(d->temp);
    int why = exchange(d);
    if (why)
        code = fail(d, why == EEXIST ? E_EXISTS : E_CREATE, "create", why);
    char *parent = path_folder(d->path);
    sync_folder(parent);
    mem_free(parent);
    if (code || d->exists)
        remove_tree(d->temp); /* what stands there now is the unwanted one of the two */
    release(d);
    return code;
}
