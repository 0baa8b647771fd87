/* See gather.h. */
#include "kernels/float/gather.h"

#include <string.h>

#include "base/num.h"
#include "kernels/float/index.h"

int kernel_gather(const struct gather_args *a, const void *x, const void *indices, void *y)
{
    const size_t bytes = (size_t)a->inner * a->size;
    char *out = y;
    if (!index_type_valid(a->index_type))
        return KERNEL_TYPE;
    for (int64_t o = 0; o < a->outer; o++)
        for (int64_t i = 0; i < a->count; i++, out += bytes) {
            int64_t at;
            if (!index_read(indices, a->index_type, i, a->axis, &at))
                return KERNEL_INDEX;
            memcpy(out, (const char *)x + (size_t)(o * a->axis + at) * bytes, bytes);
        }
    return KERNEL_OK;
}

int kernel_gather_elements(size_t size, enum dtype index_type, int rank, const int64_t *dims,
                           int axis, const int64_t *index_dims, const void *x, const void *indices,
                           void *y)
{
    struct element_walk w;
    int status = element_walk_start(&w, index_type, rank, dims, axis, index_dims);
    for (int64_t i = 0; !status && i < w.count; i++) {
        int64_t at;
        if (!element_walk_next(&w, indices, i, &at))
            return KERNEL_INDEX;
        memcpy((char *)y + (size_t)i * size, (const char *)x + (size_t)at * size, size);
    }
    return status;
}

int kernel_gather_nd(const struct nd_args *a, const void *x, const void *indices, void *y)
{
    const size_t bytes = (size_t)a->slice * a->size;
    int64_t per_batch;
    if (!index_type_valid(a->index_type))
        return KERNEL_TYPE;
    if (a->depth > KERNEL_MAX_RANK || !num_product(a->dims, a->depth, &per_batch))
        return KERNEL_SHAPE;
    for (int64_t i = 0; i < a->batches * a->count; i++) {
        int64_t at;
        if (!index_read_tuple(a, indices, i, &at))
            return KERNEL_INDEX;
        memcpy((char *)y + (size_t)i * bytes,
               (const char *)x + (size_t)(i / a->count * per_batch + at) * bytes, bytes);
    }
    return KERNEL_OK;
}
