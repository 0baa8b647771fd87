/* Scattering; see gather.h. Indices are all checked before anything is written, so a failure leaves
 * y as it was. */
#include <string.h>

#include "base/num.h"
#include "kernels/float/gather.h"
#include "kernels/float/index.h"

static double reduce_float(enum scatter_reduction how, double a, double b)
{
    switch (how) {
    case SCATTER_ADD:
        return a + b;
    case SCATTER_MUL:
        return a * b;
    case SCATTER_MIN:
        return a < b || a != a ? a : b; /* a NaN on either side stays */
    default:
        return a > b || a != a ? a : b;
    }
}

static int64_t reduce_int(enum scatter_reduction how, int64_t a, int64_t b, bool wide_unsigned)
{
    bool less = wide_unsigned ? (uint64_t)a < (uint64_t)b : a < b;
    switch (how) {
    case SCATTER_ADD:
        return (int64_t)((uint64_t)a + (uint64_t)b);
    case SCATTER_MUL:
        return (int64_t)((uint64_t)a * (uint64_t)b);
    case SCATTER_MIN:
        return less ? a : b;
    default:
        return less ? b : a;
    }
}

static int check_type(enum scatter_reduction how, enum dtype t)
{
    if (dtype_bits(t) < 8 || (how != SCATTER_NONE && !dtype_is_float(t) && !dtype_is_int(t)))
        return KERNEL_TYPE;
    return KERNEL_OK;
}

/* y[to .. to + n) op= updates[from .. from + n). */
static void put(enum scatter_reduction how, enum dtype t, void *y, int64_t to, const void *updates,
                int64_t from, int64_t n)
{
    const size_t size = (size_t)dtype_bits(t) / 8;
    if (how == SCATTER_NONE)
        memcpy((char *)y + (size_t)to * size, (const char *)updates + (size_t)from * size,
               (size_t)n * size);
    else if (dtype_is_float(t))
        for (int64_t i = 0; i < n; i++)
            num_set(y, t, to + i,
                    reduce_float(how, num_get(y, t, to + i), num_get(updates, t, from + i)));
    else
        for (int64_t i = 0; i < n; i++)
            num_set_int(y, t, to + i,
                        reduce_int(how, num_get_int(y, t, to + i),
                                   num_get_int(updates, t, from + i), t == DT_UINT64));
}

/* ---- scatter elements: a line of the last axis at a time ---- */

/* The places of n <= LINE neighbours in y: base, the index along the axis times its step, and the
 * place along the last axis unless that is the axis. Indices are valid. */
enum { LINE = 256 };

static void line_places(const struct element_walk *w, const void *indices, int64_t first, int64_t n,
                        int64_t base, int64_t *place)
{
    const int64_t axis_step = w->step[w->axis], along = w->axis == w->rank - 1 ? 0 : 1;
    for (int64_t i = 0; i < n; i++) {
        int64_t v;
        (void)index_read(indices, w->type, first + i, w->axis_dim, &v);
        place[i] = base + i * along + v * axis_step;
    }
}

static void put_line(enum scatter_reduction how, enum dtype t, void *y, const int64_t *place,
                     const void *updates, int64_t from, int64_t n)
{
    if (how == SCATTER_ADD && t == DT_FLOAT) {
        const float *u = (const float *)updates + from;
        for (int64_t i = 0; i < n; i++)
            ((float *)y)[place[i]] += u[i];
        return;
    }
    for (int64_t i = 0; i < n; i++)
        put(how, t, y, place[i], updates, from + i, 1);
}

/* Start of the next line in y, without the axis. */
static void next_line(struct element_walk *w)
{
    for (int k = w->rank - 2; k >= 0; k--) {
        w->base += k == w->axis ? 0 : w->step[k];
        if (++w->index[k] < w->dims[k])
            break;
        w->base -= k == w->axis ? 0 : w->step[k] * w->dims[k];
        w->index[k] = 0;
    }
}

int kernel_scatter_elements(enum scatter_reduction how, enum dtype t, enum dtype index_type,
                            int rank, const int64_t *dims, int axis, const int64_t *index_dims,
                            const void *indices, const void *updates, void *y)
{
    struct element_walk w;
    int status = check_type(how, t);
    status = status ? status : element_walk_start(&w, index_type, rank, dims, axis, index_dims);
    if (status)
        return status;
    int64_t place[LINE];
    for (int64_t i = 0; i < w.count; i++)
        if (!index_read(indices, index_type, i, w.axis_dim, &place[0]))
            return KERNEL_INDEX;
    const int64_t length = w.dims[rank - 1], along = axis == rank - 1 ? 0 : 1;
    for (int64_t line = 0; line < w.count; line += length, next_line(&w))
        for (int64_t i = 0; i < length; i += LINE) {
            const int64_t n = length - i < LINE ? length - i : LINE;
            line_places(&w, indices, line + i, n, w.base + i * along, place);
            put_line(how, t, y, place, updates, line + i, n);
        }
    return KERNEL_OK;
}

int kernel_scatter_nd(enum scatter_reduction how, enum dtype t, const struct nd_args *a,
                      const void *indices, const void *updates, void *y)
{
    int64_t at;
    int status = check_type(how, t);
    if (status || !index_type_valid(a->index_type))
        return KERNEL_TYPE;
    if (a->depth > KERNEL_MAX_RANK || a->batches != 1)
        return KERNEL_SHAPE;
    for (int64_t i = 0; i < a->count; i++)
        if (!index_read_tuple(a, indices, i, &at))
            return KERNEL_INDEX;
    for (int64_t i = 0; i < a->count; i++) {
        index_read_tuple(a, indices, i, &at);
        put(how, t, y, at * a->slice, updates, i * a->slice, a->slice);
    }
    return KERNEL_OK;
}
