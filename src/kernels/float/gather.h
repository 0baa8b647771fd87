/* Gathering by index. Indices are int32 or int64; negative ones count from the end; one outside
 * gives KERNEL_INDEX and y is then unspecified. size: bytes of an element (packed types: unpack
 * first, pack.h). x and y must not overlap. */
#ifndef KERNELS_FLOAT_GATHER_H
#define KERNELS_FLOAT_GATHER_H
#include "kernels/kernel.h"

struct gather_args {
    size_t size;
    enum dtype index_type;
    int64_t outer, axis, inner; /* x [outer, axis, inner] */
    int64_t count;              /* indices; y [outer, count, inner] */
};
/* Gather-13. */
int kernel_gather(const struct gather_args *a, const void *x, const void *indices, void *y);

/* GatherElements-13: y has the shape of indices; y[i] = x[i with i[axis] replaced by indices[i]].
 * index_dims[k] <= dims[k] but at axis. */
int kernel_gather_elements(size_t size, enum dtype index_type, int rank, const int64_t *dims,
                           int axis, const int64_t *index_dims, const void *x, const void *indices,
                           void *y);

/* One shape for GatherND-13 and ScatterND-18: x [batches, dims[0..depth), slice]; indices [batches,
 * count, depth]; y [batches, count, slice]. ScatterND has batches = 1. */
struct nd_args {
    size_t size;
    enum dtype index_type;
    int64_t batches, count, slice;
    int depth;           /* 0..KERNEL_MAX_RANK */
    const int64_t *dims; /* depth entries */
};
int kernel_gather_nd(const struct nd_args *a, const void *x, const void *indices, void *y);

/* ---- scattering: y holds a copy of the data before the call ---- */

enum scatter_reduction { SCATTER_NONE, SCATTER_ADD, SCATTER_MUL, SCATTER_MIN, SCATTER_MAX };

/* ScatterElements-18: y[i with i[axis] replaced by indices[i]] = or op= updates[i], in the order of
 * i (so the last one wins). t: type of y and updates; the reductions need a float type or integers
 * of 8 to 64 bits, and bool for none only (else KERNEL_TYPE). Sums and products of floats are
 * formed in double and rounded at every step; integers wrap; MIN and MAX keep a NaN. */
int kernel_scatter_elements(enum scatter_reduction how, enum dtype t, enum dtype index_type,
                            int rank, const int64_t *dims, int axis, const int64_t *index_dims,
                            const void *indices, const void *updates, void *y);

/* ScatterND-18: updates [count, slice]. a->size is ignored. */
int kernel_scatter_nd(enum scatter_reduction how, enum dtype t, const struct nd_args *a,
                      const void *indices, const void *updates, void *y);
#endif
