/* Copying between two strided views: what transpose, slice, expand, tile, concat and the block
 * operators come down to. Steps count elements; those of the source may be negative or 0. The two
 * views must not overlap. */
#ifndef KERNELS_FLOAT_STRIDE_H
#define KERNELS_FLOAT_STRIDE_H
#include "kernels/kernel.h"

enum { STRIDE_MAX_RANK = 2 * KERNEL_MAX_RANK };

struct strided {
    int rank;
    int64_t dims[STRIDE_MAX_RANK];
    int64_t from[STRIDE_MAX_RANK], to[STRIDE_MAX_RANK];
};

void strided_axis(struct strided *s, int64_t dim, int64_t from,
                  int64_t to); /* appends an axis (the new innermost one) */

/* to[sum index to_step] = from[sum index from_step] for every index. size: bytes of an element,
 * any. from, to: the elements of index 0. Axes of extent 1 go, neighbours that continue each other
 * become one; then rows that are contiguous on both sides are copied whole, and a source that is
 * contiguous along another axis is read in tiles. */
void strided_copy(size_t size, struct strided s, const void *from, void *to);
#endif
