/* Mapped input files and the SIGBUS guard. Invariant: a slot of the table is live exactly while its
 * mapping exists; the handler reads slots without a lock, so size is published last and withdrawn
 * first. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { GUARDS = 1024, READ_STEP = 1 << 20 };

struct guard {
    atomic_bool taken;
    _Atomic(uintptr_t) start;
    atomic_size_t size; /* 0: not live */
    atomic_int fd;
};

static struct guard guards[GUARDS];
static atomic_bool torn;
static struct sigaction previous;
static uintptr_t page_size;

static const struct guard *guard_at(uintptr_t address)
{
    for (int i = 0; i < GUARDS; i++) {
        size_t size = atomic_load(&guards[i].size);
        uintptr_t start = atomic_load(&guards[i].start);
        if (size && address >= start && address - start < size)
            return &guards[i];
    }
    return NULL;
}

/* Only atomics and system calls in here. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    uintptr_t page = (uintptr_t)info->si_addr & ~(page_size - 1);
    if (info->si_code == BUS_ADRERR && guard_at((uintptr_t)info->si_addr)) {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
        if (mmap((void *)page, page_size, PROT_READ, flags, -1, 0) != MAP_FAILED) { // NOLINT
            atomic_store(&torn, true);
            return;
        }
    }
    sigaction(SIGBUS, &previous, NULL); /* not ours: the access repeats under the old rule */
}

/* On top of whatever handler stands now; looked at again at each mapping, as the program around may
 * set its own. */
static void install(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct sigaction now,
        action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    pthread_mutex_lock(&lock);
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGBUS, NULL, &now) == 0 && now.sa_sigaction != on_bus_error) {
        previous = now;
        sigaction(SIGBUS, &action, NULL);
    }
    pthread_mutex_unlock(&lock);
}

static int guard_add(const void *data, size_t size, int fd)
{
    install();
    for (int i = 0; i < GUARDS; i++) {
        bool was = false;
        if (!atomic_compare_exchange_strong(&guards[i].taken, &was, true))
            continue;
        atomic_store(&guards[i].start, (uintptr_t)data);
        atomic_store(&guards[i].fd, fd);
        atomic_store(&guards[i].size, size);
        return i;
    }
    return -1;
}

static void guard_drop(int slot)
{
    atomic_store(&guards[slot].size, 0);
    atomic_store(&guards[slot].taken, false);
}

bool file_behind(const void *data, size_t size, int *fd, uint64_t *offset)
{
    uintptr_t at = (uintptr_t)data;
    const struct guard *g = guard_at(at);
    if (!g)
        return false;
    *fd = atomic_load(&g->fd);
    *offset = at - atomic_load(&g->start);
    return size <= atomic_load(&g->size) - *offset;
}

void file_forget(const void *data, size_t size)
{
    int fd;
    uint64_t offset;
    if (!file_behind(data, size, &fd, &offset))
        return;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)data + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)data + size) / page * page;
    union {
        uintptr_t address;
        void *pointer;
    } start = {from};
    if (to > from)
        madvise(start.pointer, to - from, MADV_DONTNEED);
}

int file_check_torn(struct diag *diag)
{
    if (!atomic_load(&torn))
        return 0;
    return diag_report(diag, E_CHANGED, NULL, "an input file became shorter while it was in use");
}

static char *copy_string(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = mem_alloc(size);
    memcpy(copy, text, size);
    return copy;
}

/* Reads fd to its end into a growing buffer of the budgeted heap. */
static int read_all(struct mapped_file *f, int fd, const char *name, struct diag *diag)
{
    const struct where where = {.file = name};
    size_t room = READ_STEP, size = 0;
    unsigned char *buffer = mem_try_alloc_raw(room);
    for (;;) {
        if (buffer && size == room) {
            unsigned char *grown = mem_try_alloc_raw(room * 2);
            if (grown)
                memcpy(grown, buffer, size);
            mem_free(buffer);
            buffer = grown;
            room *= 2;
        }
        if (!buffer)
            return diag_report(diag, E_LIMIT_MEMORY, &where, "more than %zu bytes were read", size);
        ssize_t got = read(fd, buffer + size, room - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int why = errno;
            mem_free(buffer);
            return diag_report(diag, E_READ_FAILED, &where, "reading stops after %zu bytes: %s",
                               size, strerror(why));
        }
        if (got == 0)
            break;
        size += (size_t)got;
    }
    f->data = buffer;
    f->size = size;
    return 0;
}

/* False when the file system cannot map or no guard is free: the caller reads instead. */
static bool map(struct mapped_file *f, int fd, size_t size)
{
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) // NOLINT
        return false;
    int slot = guard_add(data, size, fd);
    if (slot < 0) {
        munmap(data, size);
        return false;
    }
    f->data = data;
    f->size = size;
    f->fd = fd;
    f->slot = slot;
    return true;
}

static int map_regular(struct mapped_file *f, int fd, const char *name, const struct stat *st,
                       struct diag *diag)
{
    f->dev = st->st_dev;
    f->ino = st->st_ino;
    if (st->st_size > 0 && map(f, fd, (size_t)st->st_size))
        return 0;
    int code = read_all(f, fd, name, diag);
    close(fd);
    return code;
}

static const char *kind_name(mode_t mode)
{
    return S_ISDIR(mode)    ? "a folder"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

static int map_fd(struct mapped_file *f, int fd, const char *name, struct diag *diag)
{
    const struct where where = {.file = name};
    struct stat st;
    if (fstat(fd, &st) != 0) {
        int why = errno;
        close(fd);
        return diag_report(diag, E_NO_INPUT, &where, "cannot look at the file: %s", strerror(why));
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return diag_report(diag, E_NOT_REGULAR, &where, "it is %s, expected a regular file",
                           kind_name(st.st_mode));
    }
    return map_regular(f, fd, name, &st, diag);
}

static int finish_map(struct mapped_file *f, int code, const char *name)
{
    if (code) {
        *f = (struct mapped_file){.fd = -1, .slot = -1};
        return code;
    }
    f->path = copy_string(name);
    return 0;
}

int file_map_fd(struct mapped_file *f, int fd, const char *name, struct diag *diag)
{
    *f = (struct mapped_file){.fd = -1, .slot = -1};
    return finish_map(f, map_fd(f, fd, name, diag), name);
}

static int map_stdin(struct mapped_file *f, struct diag *diag)
{
    *f = (struct mapped_file){.fd = -1, .slot = -1};
    return finish_map(f, read_all(f, STDIN_FILENO, "<stdin>", diag), "<stdin>");
}

int file_map(struct mapped_file *f, const char *path, struct diag *diag)
{
    if (!strcmp(path, "-"))
        return map_stdin(f, diag);
    *f = (struct mapped_file){.fd = -1, .slot = -1};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return diag_report(diag, E_NO_INPUT, &(struct where){.file = path},
                           "cannot open the file: %s", strerror(errno));
    return file_map_fd(f, fd, path, diag);
}

void file_unmap(struct mapped_file *f)
{
    if (f->slot >= 0) {
        guard_drop(f->slot);
        munmap((void *)f->data, f->size); // NOLINT
        close(f->fd);
    } else {
        mem_free((void *)f->data); // NOLINT
    }
    mem_free(f->path);
    *f = (struct mapped_file){.fd = -1, .slot = -1};
}
