/* Opening external data. The kernel resolves the location beneath a folder descriptor; what comes
 * back is judged by fstat, so nothing depends on a path that may change between a test and its use.
 *
 * Where a location may lie, in this order:
 *   1. beneath the folder the model was named in;
 *   2. hub: where links from there lead, if that is beneath the folder of the model's real path,
 * and beside that real path (ONNX Runtime 1.24 and later: PR 27374);
 *   3. the same for each granted root.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/map.h"
#include "onnx/extdata.h"

/* Tied weights make ranges overlap; beyond this multiple of the file it is an attack on whoever
 * hashes or copies them. */
enum { MAX_OVERLAP = 16, SHA1_CHUNK = 1 << 20, LOCATION_ROOM = EXTDATA_MAX_LOCATION + 1 };

struct folder {
    int fd;     /* O_PATH */
    char *real; /* its real path; owned, NULL: none */
};

struct extfile {
    struct mapped_file *map;
    uint64_t declared;                   /* bytes that tensors claim in it */
    char sha1[2 * SHA1_DIGEST_SIZE + 1]; /* "" until asked for */
};

struct extfiles {
    struct ctx *ctx;
    char *logical; /* path of the folder the model was named in */
    struct folder model, real;
    VEC(struct folder) roots;
    VEC(struct extfile) files;
    struct map by_location; /* -> 1 + index in files: thousands of tensors share a few */
    struct arena *text;     /* its keys */
};

/* ---- folders ---- */

/* Returns owned, NULL when there is no such path. */
static char *real_path(const char *path)
{
    char room[PATH_MAX];
    if (!realpath(path, room))
        return NULL;
    size_t size = strlen(room) + 1;
    return memcpy(mem_alloc(size), room, size);
}

static struct folder folder_open(const char *path)
{
    return (struct folder){open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), real_path(path)};
}

static void folder_close(struct folder *f)
{
    if (f->fd >= 0)
        close(f->fd);
    mem_free(f->real);
    *f = (struct folder){-1, NULL};
}

static struct folder real_folder(const char *model_path)
{
    char *real = real_path(model_path);
    if (!real)
        return (struct folder){-1, NULL};
    char *folder = path_folder(real);
    struct folder f = folder_open(folder);
    mem_free(folder);
    mem_free(real);
    return f;
}

struct extfiles *extfiles_new(struct ctx *ctx, const char *model_path)
{
    struct extfiles *x = mem_alloc(sizeof *x);
    x->ctx = ctx;
    x->text = arena_new();
    x->model = x->real = (struct folder){-1, NULL};
    if (!model_path)
        return x;
    x->logical = path_folder(model_path);
    x->model = folder_open(x->logical);
    if (ctx->external == EXTERNAL_HUB)
        x->real = real_folder(model_path);
    for (const char *const *root = ctx->external_roots; root && *root; root++)
        vec_push(&x->roots, folder_open(*root));
    return x;
}

void extfiles_free(struct extfiles *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->files.count; i++)
        if (x->files.data[i].map) {
            file_unmap(x->files.data[i].map);
            mem_free(x->files.data[i].map);
        }
    for (size_t i = 0; i < x->roots.count; i++)
        folder_close(&x->roots.data[i]);
    folder_close(&x->model);
    folder_close(&x->real);
    mem_free(x->logical);
    map_release(&x->by_location);
    arena_free(x->text);
    vec_free(&x->roots);
    vec_free(&x->files);
    mem_free(x);
}

struct mapped_file *extfiles_take(struct extfiles *x, size_t index)
{
    if (index >= x->files.count)
        return NULL;
    struct mapped_file *map = x->files.data[index].map;
    x->files.data[index].map = NULL;
    return map;
}

/* ---- opening beneath a folder ---- */

enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/* For kernels and sandboxes without openat2: component by component, no link followed. */
static int walk_open(int dir, const char *location)
{
    char part[LOCATION_ROOM];
    int at = dup(dir);
    while (at >= 0) {
        size_t size = strcspn(location, "/");
        snprintf(part, sizeof part, "%.*s", (int)size, location);
        bool last = location[size] == '\0';
        int next =
            openat(at, part, (last ? OPEN_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC) | O_NOFOLLOW);
        int error = errno;
        close(at);
        errno = error;
        if (last)
            return next;
        at = next;
        location += size + 1;
    }
    return -1;
}

static int open_beneath(const struct folder *f, const char *location, bool links)
{
    struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    if (!links)
        how.resolve |= RESOLVE_NO_SYMLINKS;
    if (f->fd < 0) {
        errno = ENOENT;
        return -1;
    }
    int fd = (int)syscall(SYS_openat2, f->fd, location, &how, sizeof how);
    return fd < 0 && (errno == ENOSYS || errno == EPERM) ? walk_open(f->fd, location) : fd;
}

/* Where the logical location leads, if that is beneath f: opened from f without any further link.
 */
static int open_target(const struct extfiles *x, const struct folder *f, const char *location)
{
    char *named = path_join(x->logical, location), *real = real_path(named);
    size_t size = f->real ? strlen(f->real) : 0;
    int fd = -1;
    if (real && size && !strncmp(real, f->real, size) &&
        (real[size] == '/' || f->real[size - 1] == '/'))
        fd = open_beneath(f, real + size + (real[size] == '/'), false);
    mem_free(named);
    mem_free(real);
    return fd;
}

static int open_granted(const struct extfiles *x, const struct folder *f, const char *location)
{
    int fd = open_target(x, f, location);
    return fd >= 0 ? fd : open_beneath(f, location, false);
}

/* One file per tensor is a common way to store a model, and the usual soft limit is 1024 descriptors. */
static bool raise_open_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= limit.rlim_max)
        return false;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static int open_anywhere(const struct extfiles *x, const char *location)
{
    bool hub = x->ctx->external == EXTERNAL_HUB;
    int fd = open_beneath(&x->model, location, hub), error = errno;
    if (fd < 0 && hub)
        fd = open_granted(x, &x->real, location);
    for (size_t i = 0; fd < 0 && i < x->roots.count; i++)
        fd = open_granted(x, &x->roots.data[i], location);
    errno = error; /* the first answer says most */
    return fd;
}

/* ---- judging what was opened ---- */

static int fail(const struct extfiles *x, enum err id, const char *tensor, const char *location,
                const char *what)
{
    struct where where = {.file = location, .tensor = tensor};
    return diag_report(x->ctx->diag, id, &where, "external data '%.200s' %s", location, what);
}

static int open_failed(const struct extfiles *x, const char *tensor, const char *location)
{
    if (errno == EXDEV)
        return fail(x, E_EXT_ESCAPES, tensor, location, "leads out of the model's folder");
    if (errno == ELOOP)
        return fail(x, E_EXT_LINK, tensor, location, "is or passes through a symbolic link");
    if (errno == EMFILE)
        return diag_report_hint(x->ctx->diag, E_EXT_OPEN,
                                &(struct where){.file = location, .tensor = tensor},
                                "raise the limit of open files: ulimit -n",
                                "external data '%.200s': %s", location, strerror(errno));
    return fail(x, E_EXT_OPEN, tensor, location, strerror(errno));
}

static int judge(const struct extfiles *x, const struct stat *st, const char *tensor,
                 const char *location)
{
    if (!S_ISREG(st->st_mode))
        return fail(x, E_EXT_NOT_REGULAR, tensor, location, "is not a regular file");
    if (st->st_nlink > 1 && x->ctx->external == EXTERNAL_STRICT)
        return fail(x, E_EXT_HARD_LINK, tensor, location, "has a second hard link");
    return 0;
}

static struct extfile *find(struct extfiles *x, const struct stat *st)
{
    for (size_t i = 0; i < x->files.count; i++)
        if (x->files.data[i].map->dev == st->st_dev && x->files.data[i].map->ino == st->st_ino)
            return &x->files.data[i];
    return NULL;
}

static struct extfile *add(struct extfiles *x, int fd, const struct stat *st, const char *location)
{
    struct mapped_file *map = mem_alloc(sizeof *map);
    if (file_map_fd(map, fd, location, x->ctx->diag)) {
        mem_free(map);
        return NULL;
    }
    if (st->st_nlink > 1)
        fail(x, E_EXT_HARD_LINK_WARNING, NULL, location,
             "has a second hard link, through which others may change it");
    vec_push(&x->files, ((struct extfile){.map = map}));
    return &vec_last(&x->files);
}

static struct extfile *open_file(struct extfiles *x, const char *location, const char *tensor)
{
    struct stat st;
    if (!x->logical) {
        fail(x, E_EXT_NO_FOLDER, tensor, location,
             "cannot be found: the bytes came without a folder");
        return NULL;
    }
    int fd = open_anywhere(x, location);
    if (fd < 0 && errno == EMFILE && raise_open_limit())
        fd = open_anywhere(x, location);
    if (fd < 0) {
        open_failed(x, tensor, location);
        return NULL;
    }
    if (fstat(fd, &st) || judge(x, &st, tensor, location)) {
        close(fd);
        return NULL;
    }
    struct extfile *known = find(x, &st);
    if (!known)
        return add(x, fd, &st, location);
    close(fd);
    return known;
}

/* ---- ranges and checksums ---- */

static int check_range(const struct extfiles *x, struct extfile *f, const struct extdata *e,
                       const char *tensor)
{
    const char *location = f->map->path;
    uint64_t size = f->map->size, cap;
    if (e->offset > size || e->length > size - e->offset)
        return fail(x, E_EXT_RANGE, tensor, location, "ends before the tensor's offset and length");
    if (!e->has_length && e->length != size - e->offset)
        return fail(x, E_EXT_LENGTH, tensor, location,
                    "has another size than the tensor, whose length is not given");
    bool capped = !__builtin_mul_overflow(size, (uint64_t)MAX_OVERLAP, &cap);
    f->declared += e->length;
    if (capped && f->declared > cap)
        return fail(x, E_EXT_OVERLAP, tensor, location,
                    "is claimed many times over by overlapping tensors");
    return 0;
}

static int sha1_of(struct ctx *ctx, const struct mapped_file *map,
                   char text[2 * SHA1_DIGEST_SIZE + 1])
{
    struct sha1_ctx sha;
    uint8_t digest[SHA1_DIGEST_SIZE];
    sha1_init(&sha);
    for (size_t at = 0; at < map->size; at += SHA1_CHUNK) {
        size_t left = map->size - at;
        sha1_update(&sha, left < SHA1_CHUNK ? left : SHA1_CHUNK, map->data + at);
        int code = ctx_check(ctx);
        if (code)
            return code;
    }
    sha1_digest(&sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

static int check_sum(const struct extfiles *x, struct extfile *f, const struct extdata *e,
                     const char *tensor)
{
    if (e->checksum.size == 0)
        return 0;
    int code = f->sha1[0] ? 0 : sha1_of(x->ctx, f->map, f->sha1);
    if (!code && strncasecmp(f->sha1, (const char *)e->checksum.data, 2 * SHA1_DIGEST_SIZE))
        code = fail(x, E_EXT_CHECKSUM, tensor, f->map->path,
                    "does not have the checksum that the model names");
    return code;
}

static struct extfile *known_or_open(struct extfiles *x, const char *location, const char *tensor)
{
    size_t index = (size_t)(uintptr_t)map_get_str(&x->by_location, location);
    if (index)
        return &x->files.data[index - 1];
    struct extfile *f = open_file(x, location, tensor);
    if (f)
        *map_slot_str(&x->by_location, arena_string(x->text, location)) =
            (void *)(uintptr_t)(f - x->files.data + 1);
    return f;
}

const struct mapped_file *extfiles_open(struct extfiles *x, const struct extdata *e,
                                        const char *tensor)
{
    char location[LOCATION_ROOM];
    snprintf(location, sizeof location, "%.*s", (int)e->location.size,
             (const char *)e->location.data);
    struct extfile *f = known_or_open(x, location, tensor);
    if (!f || check_range(x, f, e, tensor) || check_sum(x, f, e, tensor))
        return NULL;
    return f->map;
}
