/* Reading whole archives: see npz_read.h. What the directory says about sizes is not believed: an
 * array's bytes follow from its own header and must be possible for the member (deflate gives at
 * most 1032 : 1, RFC 1951). */
#include "data/npz_read.h"

#include <string.h>
#include <zip.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/npy_header.h"

enum { MEMBERS_MAX = 65536, DEFLATE_RATIO = 1032 };

struct reader {
    zip_t *zip;
    const char *path;
    struct arena *arena;
    struct ctx *ctx;
};

static int bad_archive(const struct reader *r, const char *name, const char *what)
{
    const struct where where = {.file = r->path, .tensor = name};
    return diag_report(r->ctx->diag, E_NPZ_ARCHIVE, &where, "%s", what);
}

static int read_exact(const struct reader *r, zip_file_t *f, const char *name, void *to,
                      size_t size)
{
    for (char *p = to; size > 0;) {
        zip_int64_t n = zip_fread(f, p, size < (1u << 30) ? size : (1u << 30));
        if (n <= 0)
            return bad_archive(r, name, "the member ends before its array does, or is damaged");
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

static int read_header(const struct reader *r, zip_file_t *f, const char *name,
                       struct npy_header *h)
{
    unsigned char text[NPY_PREFIX_MAX + NPY_HEADER_MAX];
    const struct where where = {.file = r->path, .tensor = name};
    size_t need = 0;
    int code = read_exact(r, f, name, text, NPY_PREFIX_MAX);
    if (!code)
        code = npy_header_size(text, NPY_PREFIX_MAX, &where, &need, r->ctx->diag);
    if (!code && (need < NPY_PREFIX_MAX || need > sizeof text))
        code = bad_archive(r, name, "the npy header has an impossible length");
    if (!code)
        code = read_exact(r, f, name, text + NPY_PREFIX_MAX, need - NPY_PREFIX_MAX);
    if (!code)
        code = npy_parse(text, need, &where, h, r->ctx->diag);
    if (!code && (h->swap || (h->fortran && h->rank > 1)))
        code = bad_archive(r, name, "arrays in Fortran order or foreign byte order are not read");
    return code;
}

static int read_array(const struct reader *r, zip_file_t *f, const char *name, size_t packed,
                      const struct tensor **out)
{
    struct npy_header h;
    int code = read_header(r, f, name, &h);
    if (code)
        return code;
    if (h.bytes / DEFLATE_RATIO > packed)
        return bad_archive(r, name, "the array is larger than the member can hold");
    if (mem_limit() && h.bytes > mem_limit() / 2)
        return diag_report(r->ctx->diag, E_LIMIT_MEMORY, &(struct where){.file = r->path},
                           "array '%s' has %zu bytes", name, h.bytes);
    struct tensor *t = tensor_new(r->arena, h.dtype, h.rank, h.dims);
    if (!t)
        return bad_archive(r, name, "the array's size overflows");
    *out = t;
    return t->bytes ? read_exact(r, f, name, tensor_writable(t), t->bytes) : 0;
}

static int read_member(const struct reader *r, zip_uint64_t index, struct npz_named *to)
{
    zip_stat_t st;
    const char *name = zip_get_name(r->zip, index, ZIP_FL_ENC_RAW);
    size_t length = name ? strlen(name) : 0;
    if (length < 4 || strcmp(name + length - 4, ".npy") != 0)
        return 0;
    char *plain = arena_copy(r->arena, name, length - 3);
    plain[length - 4] = '\0';
    if (zip_stat_index(r->zip, index, 0, &st) != 0 || !(st.valid & ZIP_STAT_COMP_SIZE))
        return bad_archive(r, plain, "the entry cannot be read");
    zip_file_t *f = zip_fopen_index(r->zip, index, 0);
    if (!f)
        return bad_archive(r, plain, "the member cannot be opened");
    to->name = plain;
    int code = read_array(r, f, plain, st.comp_size, &to->t);
    zip_fclose(f);
    return code;
}

int npz_read(const char *path, struct arena *a, struct npz_named **arrays, size_t *count,
             struct ctx *ctx)
{
    struct mapped_file probe; /* says what is wrong with the path itself */
    struct reader r = {.path = path, .arena = a, .ctx = ctx};
    int why = 0, code = file_map(&probe, path, ctx->diag);
    if (code)
        return code;
    file_unmap(&probe);
    r.zip = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &why);
    if (!r.zip)
        return bad_archive(&r, NULL, "this is no consistent zip archive");
    zip_int64_t n = zip_get_num_entries(r.zip, 0);
    if (n > MEMBERS_MAX)
        code = bad_archive(&r, NULL, "there are too many members");
    *arrays = arena_array(a, code ? 0 : (size_t)n, sizeof **arrays);
    *count = 0;
    for (zip_int64_t i = 0; !code && i < n; i++) {
        code = read_member(&r, (zip_uint64_t)i, &(*arrays)[*count]);
        *count += (*arrays)[*count].name != NULL;
    }
    zip_discard(r.zip);
    return code;
}
