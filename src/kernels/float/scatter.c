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

int kernel_scatter_elements(enum scatter_reduction how, enum dtype t, enum dtype index_type,
                            int rank, const int64_t *dims, int axis, const int64_t *index_dims,
                            const void *indices, const void *updates, void *y)
{
    struct element_walk check, w;
    int status = check_type(how, t);
    status = status ? status : element_walk_start(&check, index_type, rank, dims, axis, index_dims);
    if (status)
        return status;
    w = check;
    int64_t at;
    for (int64_t i = 0; i < check.count; i++)
        if (!element_walk_next(&check, indices, i, &at))
            return KERNEL_INDEX;
    for (int64_t i = 0; i < w.count; i++) {
        element_walk_next(&w, indices, i, &at);
        put(how, t, y, at, updates, i, 1);
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
