/* See npz_write.h. A member is "<name>.npy": the header of npy_header.h and the bytes of the array.
 */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "data/npy_header.h"
#include "data/npz_write.h"
#include "data/zip_write.h"

struct npz_writer {
    struct outfile *out;
    struct zip_writer *zip;
    struct diag *diag;
    int code; /* first error */
};

int npz_create(struct npz_writer **out, const char *path, bool force, struct diag *diag)
{
    struct outfile *file;
    int code = outfile_open(&file, path, force, diag);
    if (code)
        return code;
    struct npz_writer *w = mem_alloc(sizeof *w);
    w->out = file;
    w->zip = zip_writer_new(file);
    w->diag = diag;
    *out = w;
    return 0;
}

/* The NumPy type that holds every value of t. */
static enum dtype widened(enum dtype t)
{
    if (npy_descr(t))
        return t;
    if (dtype_is_float(t))
        return DT_FLOAT;
    return dtype_is_signed(t) ? DT_INT8 : DT_UINT8;
}

static void add_member(struct npz_writer *w, const struct npz_array *array, enum dtype stored,
                       const struct span *pieces, size_t n)
{
    char header[NPY_TEXT_MAX];
    size_t length = strlen(array->name);
    char *name = mem_alloc(length + 5);
    memcpy(name, array->name, length);
    memcpy(name + length, ".npy", 5);
    struct span *all = mem_alloc((n + 1) * sizeof *all);
    all[0] = (struct span){(unsigned char *)header,
                           npy_write_header(header, stored, array->rank, array->dims)};
    for (size_t i = 0; i < n; i++)
        all[i + 1] = pieces[i];
    w->code = zip_writer_add(w->zip, name, all, n + 1);
    mem_free(all);
    mem_free(name);
}

/* One buffer with every element widened. Pieces of packed types hold whole bytes, so each is walked
 * by itself; count bounds the last one. */
static void add_widened(struct npz_writer *w, const struct npz_array *array, int64_t count)
{
    enum dtype to = widened(array->dtype);
    size_t bytes = 0;
    unsigned char *buffer = dtype_bytes(to, count, &bytes) ? mem_try_alloc(bytes) : NULL;
    if (!buffer) {
        w->code = diag_report(w->diag, E_LIMIT_MEMORY, &(struct where){.tensor = array->name},
                              "no memory to widen %lld elements", (long long)count);
        return;
    }
    int64_t done = 0;
    for (size_t p = 0; p < array->n_pieces; p++) {
        int64_t here = (int64_t)(array->pieces[p].size * 8 / (size_t)dtype_bits(array->dtype));
        for (int64_t i = 0; i < here && done < count; i++, done++)
            num_set(buffer, to, done, num_get(array->pieces[p].data, array->dtype, i));
    }
    add_member(w, array, to, &(struct span){buffer, bytes}, 1);
    mem_free(buffer);
}

int npz_add(struct npz_writer *w, const struct npz_array *array)
{
    int64_t count = 0;
    if (w->code)
        return w->code;
    struct where at = {.tensor = array->name};
    if (dtype_bits(array->dtype) == 0 || array->dtype == DT_COMPLEX64 ||
        array->dtype == DT_COMPLEX128)
        return w->code = diag_report(w->diag, E_NPZ_STRING, &at,
                                     "elements are %s, which .npz output does not hold",
                                     dtype_name(array->dtype));
    if (array->rank > NPY_RANK_MAX || !num_product(array->dims, array->rank, &count))
        return w->code = diag_report(w->diag, E_NPY_SHAPE, &at, "rank %d, at most %d can be saved",
                                     array->rank, NPY_RANK_MAX);
    if (widened(array->dtype) == array->dtype)
        add_member(w, array, array->dtype, array->pieces, array->n_pieces);
    else
        add_widened(w, array, count);
    return w->code;
}

int npz_add_tensor(struct npz_writer *w, const char *name, const struct tensor *t)
{
    struct arena *scratch = arena_new();
    const void *data = t->dtype == DT_STRING ? NULL : tensor_bytes_of(t, scratch);
    struct span bytes = {data, data ? t->bytes : 0};
    int code = npz_add(w, &(struct npz_array){name, t->dtype, t->rank, t->dims, &bytes, 1});
    arena_free(scratch);
    return code;
}

int npz_commit(struct npz_writer *w)
{
    int code = w->code;
    if (code) {
        npz_abort(w);
        return code;
    }
    code = zip_writer_end(w->zip);
    if (code)
        outfile_abort(w->out);
    else
        code = outfile_commit(w->out);
    mem_free(w);
    return code;
}

void npz_abort(struct npz_writer *w)
{
    if (!w)
        return;
    zip_writer_abort(w->zip);
    outfile_abort(w->out);
    mem_free(w);
}
