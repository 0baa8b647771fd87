/* Bytes into an output file: buffered, by the kernel from another file, or patched in place. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/outfile_impl.h"

enum { COPY_MIN = 1 << 20, COPY_STEP = 1 << 30 };

uint64_t outfile_offset(const struct outfile *o) { return o->offset; }
const char *outfile_path(const struct outfile *o) { return o->path; }
int outfile_error(const struct outfile *o) { return o->error; }

int outfile_fail(struct outfile *o, enum err id, const char *what, int why)
{
    if (!o->error)
        o->error = diag_report(o->diag, id, &(struct where){.file = o->path},
                               "cannot %s the file: %s", what, strerror(why));
    return o->error;
}

static int write_through(struct outfile *o, const unsigned char *data, size_t size)
{
    while (size && !o->error) {
        ssize_t n = write(o->fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return outfile_fail(o, E_WRITE, "write", n ? errno : EIO);
        data += n;
        size -= (size_t)n;
    }
    return o->error;
}

int outfile_flush(struct outfile *o)
{
    size_t used = o->used;
    o->used = 0;
    return write_through(o, o->buffer, used);
}

static int write_buffered(struct outfile *o, const unsigned char *data, size_t size)
{
    o->offset += size;
    if (size > OUTFILE_BUFFER - o->used && outfile_flush(o))
        return o->error;
    if (size >= OUTFILE_BUFFER)
        return write_through(o, data, size);
    memcpy(o->buffer + o->used, data, size);
    o->used += size;
    return o->error;
}

int outfile_write(struct outfile *o, const void *data, size_t size)
{
    int fd;
    uint64_t at;
    if (o->error || size == 0)
        return o->error;
    if (size >= COPY_MIN && file_behind(data, size, &fd, &at))
        return outfile_copy(o, fd, at, size);
    return write_buffered(o, data, size);
}

int outfile_span(struct outfile *o, struct span bytes)
{
    return outfile_write(o, bytes.data, bytes.size);
}

int outfile_zeros(struct outfile *o, uint64_t count)
{
    static const unsigned char ZEROS[4096];
    while (count && !o->error) {
        size_t n = count < sizeof ZEROS ? (size_t)count : sizeof ZEROS;
        write_buffered(o, ZEROS, n);
        count -= n;
    }
    return o->error;
}

/* The portable way, through the buffer. */
static int copy_by_reading(struct outfile *o, int fd, uint64_t offset, uint64_t size)
{
    while (size && !o->error) {
        size_t want = size < OUTFILE_BUFFER ? (size_t)size : OUTFILE_BUFFER;
        ssize_t n = pread(fd, o->buffer, want, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return outfile_fail(o, E_READ_FAILED, "read the source of", errno);
        if (n == 0)
            return o->error =
                       diag_report(o->diag, E_CHANGED, &(struct where){.file = o->path},
                                   "the source ends %llu bytes early", (unsigned long long)size);
        write_through(o, o->buffer, (size_t)n);
        offset += (uint64_t)n;
        size -= (uint64_t)n;
    }
    return o->error;
}

int outfile_copy(struct outfile *o, int fd, uint64_t offset, uint64_t size)
{
    if (o->error || outfile_flush(o))
        return o->error;
    o->offset += size;
    while (size && o->kind != DIRECT) {
        off_t from = (off_t)offset;
        ssize_t n =
            copy_file_range(fd, &from, o->fd, NULL, size < COPY_STEP ? (size_t)size : COPY_STEP, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) /* other file systems, old kernels, the source's end: the slow way decides which
                       error it is */
            break;
        offset += (uint64_t)n;
        size -= (uint64_t)n;
    }
    return copy_by_reading(o, fd, offset, size);
}

int outfile_patch(struct outfile *o, uint64_t at, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    if (o->error || outfile_flush(o))
        return o->error;
    if (o->kind == DIRECT)
        return outfile_fail(o, E_WRITE, "go back in", ESPIPE);
    while (size) {
        ssize_t n = pwrite(o->fd, bytes, size, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return outfile_fail(o, E_WRITE, "write", n ? errno : EIO);
        bytes += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}
