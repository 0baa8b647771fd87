/* Arrays of files as samples of an input: which part is a sample, and its conversion to the input's
 * element type. A value is taken only when the input's type can hold it exactly, so that reading
 * never changes data silently; integers may become floats, floats never become integers. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "data/data.h"

enum { DIMS_TEXT = 256 };

static const char *dims_text(struct arena *a, int rank, const int64_t *dims)
{
    char *text = arena_string(a, "[");
    for (int i = 0; i < rank && strlen(text) < DIMS_TEXT; i++)
        text = dims[i] < 0 ? arena_printf(a, "%s%s?", text, i ? "," : "")
                           : arena_printf(a, "%s%s%lld", text, i ? "," : "", (long long)dims[i]);
    return arena_printf(a, "%s]", text);
}

static bool dims_fit(const struct sample_input *in, int rank, const int64_t *dims)
{
    if (rank != in->rank)
        return false;
    for (int i = 0; i < rank; i++)
        if (in->dims[i] >= 0 && in->dims[i] != dims[i])
            return false;
    return true;
}

/* One sample whose first dimension of 1 came from cutting. */
static int64_t *dims_with_one(struct arena *a, int rank, const int64_t *dims)
{
    int64_t *d = arena_array(a, (size_t)rank, sizeof *d);
    memcpy(d, dims, (size_t)rank * sizeof *d);
    d[0] = 1;
    return d;
}

int array_cut(const struct sample_input *in, int rank, const int64_t *dims, const struct where *at,
              struct arena *a, struct array_cut *cut, struct diag *diag)
{
    bool by_batch = rank == in->rank && rank > 0 && in->dims[0] == 1 && dims[0] != 1;
    bool by_axis = in->rank >= 0 && rank == in->rank + 1;
    int skip = by_axis ? 1 : 0;
    *cut = (struct array_cut){.count = 1, .whole = !by_batch && !by_axis, .rank = rank - skip};
    if (by_batch || by_axis)
        cut->count = (size_t)dims[0];
    cut->dims = by_batch ? dims_with_one(a, rank, dims)
                         : arena_copy(a, dims + skip, (size_t)cut->rank * sizeof *dims);
    if (in->rank >= 0 && !dims_fit(in, cut->rank, cut->dims))
        return diag_report(diag, E_SAMPLE_SHAPE, at, "shape %s, input '%s' takes %s",
                           dims_text(a, rank, dims), in->name, dims_text(a, in->rank, in->dims));
    if (!num_product(cut->dims, cut->rank, &cut->elements))
        return diag_report(diag, E_SAMPLE_SHAPE, at, "the sizes overflow");
    return 0;
}

void *data_alloc(size_t bytes, const struct where *at, struct arena *a, struct ctx *ctx)
{
    size_t limit = mem_limit(), used = mem_in_use();
    if (limit && (bytes > limit || used > limit - bytes)) {
        diag_report(ctx->diag, E_LIMIT_MEMORY, at, "a sample needs %zu bytes", bytes);
        return NULL;
    }
    return arena_alloc(a, bytes);
}

static void swap_elements(unsigned char *data, int64_t count, size_t size)
{
    for (int64_t i = 0; i < count; i++, data += size)
        for (size_t b = 0; b < size / 2; b++) {
            unsigned char c = data[b];
            data[b] = data[size - 1 - b];
            data[size - 1 - b] = c;
        }
}

/* Fortran to C order: walks the C order and steps the Fortran offset along. */
static void transpose(unsigned char *to, const unsigned char *from, const struct array_cut *cut,
                      size_t size, struct arena *a)
{
    int64_t *index = arena_array(a, (size_t)cut->rank + 1, sizeof *index);
    int64_t *stride = arena_array(a, (size_t)cut->rank + 1, sizeof *stride);
    stride[0] = 1;
    for (int d = 1; d < cut->rank; d++)
        stride[d] = stride[d - 1] * cut->dims[d - 1];
    int64_t at = 0;
    for (int64_t i = 0; i < cut->elements; i++, to += size) {
        memcpy(to, from + (size_t)at * size, size);
        for (int d = cut->rank - 1; d >= 0; d--) {
            at += stride[d];
            if (++index[d] < cut->dims[d])
                break;
            at -= stride[d] * cut->dims[d];
            index[d] = 0;
        }
    }
}

static bool is_wide_int(enum dtype t) { return t == DT_INT64 || t == DT_UINT64; }

/* Whether values of the type may be converted at all; each value is then checked. */
static bool may_convert(enum dtype from, enum dtype to)
{
    if (dtype_is_float(to))
        return dtype_is_float(from) || dtype_is_int(from) || from == DT_BOOL;
    return dtype_is_int(to) && (dtype_is_int(from) || from == DT_BOOL);
}

static bool convert_int(const void *from, enum dtype t, void *to, enum dtype u, int64_t i)
{
    int64_t v = num_get_int(from, t, i);
    if (t == DT_UINT64 && v < 0) /* above INT64_MAX: only uint64 holds it */
        return false;
    if (v < dtype_min(u) || v > dtype_max(u))
        return false;
    num_set_int(to, u, i, v);
    return true;
}

static bool convert_float(const void *from, enum dtype t, void *to, enum dtype u, int64_t i)
{
    double v = num_get(from, t, i);
    if (is_wide_int(t) && fabs(v) > 0x1p53) /* num_get is exact up to here */
        return false;
    num_set(to, u, i, v);
    double back = num_get(to, u, i);
    return back == v || (isnan(back) && isnan(v)); /* exact: the value itself must survive */
}

static int convert(const struct sample_input *in, const struct array_raw *raw, int64_t count,
                   const struct where *at, void *to, struct ctx *ctx)
{
    if (!may_convert(raw->dtype, in->dtype))
        return diag_report(ctx->diag, E_SAMPLE_DTYPE, at, "elements are %s, input '%s' takes %s",
                           dtype_name(raw->dtype), in->name, dtype_name(in->dtype));
    bool to_float = dtype_is_float(in->dtype);
    for (int64_t i = 0; i < count; i++)
        if (!(to_float ? convert_float(raw->data, raw->dtype, to, in->dtype, i)
                       : convert_int(raw->data, raw->dtype, to, in->dtype, i)))
            return diag_report(ctx->diag, E_SAMPLE_DTYPE, at,
                               "element %lld is %.17g as %s, which %s of input '%s' cannot hold "
                               "exactly",
                               (long long)i, num_get(raw->data, raw->dtype, i),
                               dtype_name(raw->dtype), dtype_name(in->dtype), in->name);
    return 0;
}

/* A float32 value is finite unless its exponent is all ones (IEEE 754). */
static int64_t first_nonfinite(const struct tensor *t)
{
    const uint32_t exponent = 0x7f800000;
    if (t->dtype == DT_FLOAT) {
        const unsigned char *p = t->data;
        for (int64_t i = 0; i < t->count; i++) {
            uint32_t bits;
            memcpy(&bits, p + i * 4, sizeof bits);
            if ((bits & exponent) == exponent)
                return i;
        }
        return -1;
    }
    for (int64_t i = 0; dtype_is_float(t->dtype) && i < t->count; i++)
        if (!isfinite(num_get(t->data, t->dtype, i)))
            return i;
    return -1;
}

int data_check_finite(const struct tensor *t, const struct where *at, struct ctx *ctx)
{
    int64_t bad = first_nonfinite(t);
    if (bad < 0)
        return 0;
    double value = num_get(t->data, t->dtype, bad);
    if (!ctx->allow_nonfinite)
        return diag_report(ctx->diag, E_SAMPLE_NONFINITE, at, "element %lld is %g", (long long)bad,
                           value);
    diag_report(ctx->diag, E_SAMPLE_NONFINITE_WARN, at, "element %lld is %g", (long long)bad,
                value);
    return 0;
}

int array_tensor(const struct sample_input *in, const struct array_raw *raw,
                 const struct array_cut *cut, const struct where *at, struct arena *a,
                 const struct tensor **out, struct ctx *ctx)
{
    size_t size = (size_t)dtype_bits(raw->dtype) / 8, bytes = 0;
    const unsigned char *data = raw->data;
    unsigned char *own = NULL;
    if (!dtype_bytes(in->dtype, cut->elements, &bytes))
        return diag_report(ctx->diag, E_SAMPLE_SHAPE, at, "the sizes overflow");
    if (raw->fortran && cut->rank > 1) {
        own = data_alloc((size_t)cut->elements * size, at, a, ctx);
        if (!own)
            return -E_LIMIT_MEMORY;
        transpose(own, data, cut, size, a);
    } else if (raw->swap) {
        own = arena_copy(a, data, (size_t)cut->elements * size);
    }
    if (raw->swap)
        swap_elements(own, cut->elements, size);
    data = own ? own : data;
    if (raw->dtype != in->dtype) {
        own = data_alloc(bytes, at, a, ctx);
        struct array_raw plain = {data, raw->dtype, false, false};
        int code = own ? convert(in, &plain, cut->elements, at, own, ctx) : -E_LIMIT_MEMORY;
        if (code)
            return code;
        data = own;
    }
    *out = tensor_view(a, in->dtype, cut->rank, cut->dims, data);
    return data_check_finite(*out, at, ctx);
}

const struct sample_input *data_only_input(const struct data_model *m, const char *path,
                                           uint32_t *index)
{
    const struct sample_input *found = NULL;
    uint32_t needed = 0;
    for (uint32_t i = 0; i < m->n_inputs; i++)
        if (!m->inputs[i].optional) {
            found = &m->inputs[i], *index = i;
            needed++;
        }
    if (needed == 1)
        return found;
    diag_report(m->ctx->diag, E_SAMPLE_INPUT, &(struct where){.file = path},
                "the model takes %u inputs, a file without names can only give one", needed);
    return NULL;
}
