/* Reading and checking indices; shared by gather.c and scatter.c. */
#ifndef KERNELS_FLOAT_INDEX_H
#define KERNELS_FLOAT_INDEX_H
#include "kernels/float/gather.h"

bool index_type_valid(enum dtype t); /* int32 or int64 */

/* Index i of a list, made non-negative; false when outside 0..axis-1 (-axis..-1). */
bool index_read(const void *indices, enum dtype t, int64_t i, int64_t axis, int64_t *out);

/* Tuple i of depth indices as a flat place in dims. */
bool index_read_tuple(const struct nd_args *a, const void *indices, int64_t i, int64_t *out);

/* The places that GatherElements and ScatterElements touch, in the order of the index tensor. */
struct element_walk {
    enum dtype type;
    int rank, axis;
    int64_t axis_dim, count;
    int64_t dims[KERNEL_MAX_RANK], step[KERNEL_MAX_RANK], index[KERNEL_MAX_RANK];
    int64_t base; /* without the axis */
};
int element_walk_start(struct element_walk *w, enum dtype type, int rank, const int64_t *dims,
                       int axis, const int64_t *index_dims);
bool element_walk_next(struct element_walk *w, const void *indices, int64_t i, int64_t *out);
#endif
