/* Format npy: one array in a file, for models with one input. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "data/data.h"
#include "data/npy_header.h"

struct npy_state {
    struct npy_header header;
    struct array_cut cut;
    uint32_t input;
};

static bool npy_probe(const char *path, struct span head, bool folder)
{
    return !folder && (path_has_suffix(path, ".npy") ||
                       (head.size >= 6 && memcmp(head.data, "\x93NUMPY", 6) == 0));
}

static int npy_open_header(struct mapped_file *f, const char *path, struct npy_header *h,
                           struct ctx *ctx)
{
    struct where at = {.file = path};
    int code = file_map(f, path, ctx->diag);
    if (code)
        return code;
    code = npy_parse(f->data, f->size, &at, h, ctx->diag);
    if (!code && f->size - h->offset != h->bytes)
        code = diag_report(ctx->diag, E_NPY_SIZE, &at,
                           "%zu bytes of data follow the header, its shape needs %zu",
                           f->size - h->offset, h->bytes);
    if (code)
        file_unmap(f);
    return code;
}

static int npy_open(struct data_item *item, const struct data_model *m)
{
    struct mapped_file f;
    struct npy_state *s = arena_alloc(m->arena, sizeof *s);
    const struct sample_input *in = data_only_input(m, item->path, &s->input);
    if (!in)
        return -E_SAMPLE_INPUT;
    int code = npy_open_header(&f, item->path, &s->header, m->ctx);
    if (code)
        return code;
    file_unmap(&f);
    struct where at = {.file = item->path};
    code = array_cut(in, s->header.rank, s->header.dims, &at, m->arena, &s->cut, m->ctx->diag);
    item->state = s;
    item->count = s->cut.count;
    return code;
}

/* By pread where there is a descriptor: the pages of a mapping would count as ours. */
static int read_bytes(const struct mapped_file *f, uint64_t offset, void *to, size_t size,
                      struct ctx *ctx)
{
    if (f->fd < 0) {
        memcpy(to, f->data + offset, size);
        return 0;
    }
    char *at = to;
    while (size > 0) {
        ssize_t n = pread(f->fd, at, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return diag_report(ctx->diag, E_READ_FAILED, &(struct where){.file = f->path},
                               "reading at byte %llu failed: %s", (unsigned long long)offset,
                               n < 0 ? strerror(errno) : "the file ends");
        at += n, offset += (uint64_t)n, size -= (size_t)n;
    }
    return 0;
}

/* Sample `index` of a Fortran-order array: its elements lie `count` apart. */
static void gather_fortran(unsigned char *to, const unsigned char *from, const struct npy_state *s,
                           size_t size, size_t index)
{
    for (int64_t i = 0; i < s->cut.elements; i++)
        memcpy(to + (size_t)i * size, from + ((size_t)i * s->cut.count + index) * size, size);
}

static int read_sample(const struct mapped_file *f, const struct npy_state *s, size_t index,
                       const struct where *at, struct arena *a, void **data, struct ctx *ctx)
{
    size_t size = (size_t)dtype_bits(s->header.dtype) / 8;
    size_t bytes = (size_t)s->cut.elements * size;
    bool gather = s->header.fortran && !s->cut.whole;
    size_t want = gather ? s->header.bytes : bytes;
    uint64_t offset = s->header.offset + (gather ? 0 : (uint64_t)index * bytes);
    *data = data_alloc(want, at, a, ctx);
    int code = *data ? read_bytes(f, offset, *data, want, ctx) : -E_LIMIT_MEMORY;
    if (code || !gather)
        return code;
    void *sample = data_alloc(bytes, at, a, ctx);
    if (!sample)
        return -E_LIMIT_MEMORY;
    gather_fortran(sample, *data, s, size, index);
    *data = sample;
    return 0;
}

static int npy_get(const struct data_item *item, const struct data_model *m, size_t index,
                   struct arena *a, const struct tensor **out)
{
    const struct npy_state *s = item->state;
    const struct sample_input *in = &m->inputs[s->input];
    struct where at = {.file = item->path, .tensor = in->name};
    struct mapped_file f;
    struct npy_header now;
    void *data;
    int code = npy_open_header(&f, item->path, &now, m->ctx);
    if (code)
        return code;
    if (now.bytes != s->header.bytes || now.offset != s->header.offset)
        code = diag_report(m->ctx->diag, E_CHANGED, &at, "the array changed while it was read");
    if (!code)
        code = read_sample(&f, s, index, &at, a, &data, m->ctx);
    file_unmap(&f);
    if (code)
        return code;
    struct array_raw raw = {data, s->header.dtype, s->header.swap, s->header.fortran};
    return array_tensor(in, &raw, &s->cut, &at, a, &out[s->input], m->ctx);
}

const struct data_format data_npy = {
    .name = "npy",
    .summary = "NumPy array, for models with one input; a folder of them",
    .probe = npy_probe,
    .per_file = true,
    .open = npy_open,
    .get = npy_get,
};
