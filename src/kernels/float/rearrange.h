/* Operators that only move elements. size: bytes of an element (packed types: unpack first,
 * pack.h). x and y must not overlap. Ranks up to KERNEL_MAX_RANK, else KERNEL_SHAPE. Dims may be 0.
 */
#ifndef KERNELS_FLOAT_REARRANGE_H
#define KERNELS_FLOAT_REARRANGE_H
#include "kernels/kernel.h"

/* Transpose-25: y has dims[perm[i]] at axis i. KERNEL_VALUE when perm is not a permutation. */
int kernel_transpose(size_t size, int rank, const int64_t *dims, const int *perm, const void *x,
                     void *y);

/* Slice-13, resolved: y[i] = x[start + i step] along every axis; out_dims elements. KERNEL_INDEX
 * when a first or last element is outside. */
int kernel_slice(size_t size, int rank, const int64_t *dims, const int64_t *start,
                 const int64_t *step, const int64_t *out_dims, const void *x, void *y);

/* Expand-13: x of shape dims to out_dims (out_rank >= rank), where an extent of 1 repeats. */
int kernel_expand(size_t size, int rank, const int64_t *dims, int out_rank, const int64_t *out_dims,
                  const void *x, void *y);

/* Tile-13: y has dims[i] * repeats[i] at axis i. */
int kernel_tile(size_t size, int rank, const int64_t *dims, const int64_t *repeats, const void *x,
                void *y);

/* Concat-13: n inputs [outer, axis_dims[k], inner] to y [outer, sum, inner]. */
int kernel_concat(size_t size, int64_t outer, int64_t inner, int n, const int64_t *axis_dims,
                  const void *const *x, void *y);
/* Split-18: the reverse. A NULL output is skipped. */
int kernel_split(size_t size, int64_t outer, int64_t inner, int n, const int64_t *axis_dims,
                 const void *x, void *const *y);

/* DepthToSpace-13: x [N, C, H, W] with C = block^2 * c to y [N, c, H block, W block]. crd: the mode
 * CRD, else DCR. */
int kernel_depth_to_space(size_t size, const int64_t dims[4], int64_t block, bool crd,
                          const void *x, void *y);
/* SpaceToDepth-13: x [N, C, H, W] to y [N, C block^2, H / block, W / block]. */
int kernel_space_to_depth(size_t size, const int64_t dims[4], int64_t block, const void *x,
                          void *y);

/* ReverseSequence-10: x [time, batch, inner], or [batch, time, inner] unless time_first. Of
 * sequence b the first lengths[b] steps are reversed. KERNEL_VALUE when a length is not in 0..time.
 */
int kernel_reverse_sequence(size_t size, int64_t batch, int64_t time, int64_t inner,
                            bool time_first, const int64_t *lengths, const void *x, void *y);

/* Trilu-14: of each [rows, cols] of x [batch, rows, cols] the upper (col - row >= k) or lower (col
 * - row <= k) triangle; the rest is 0. */
int kernel_trilu(size_t size, int64_t batch, int64_t rows, int64_t cols, int64_t k, bool upper,
                 const void *x, void *y);

/* Compress-11: the slices k of x [outer, axis, inner] with condition[k] (k < length; length may be
 * below axis). y [outer, chosen, inner]. */
int64_t kernel_compress_count(const uint8_t *condition, int64_t length, int64_t axis); /* chosen */
void kernel_compress(size_t size, int64_t outer, int64_t axis, int64_t inner,
                     const uint8_t *condition, int64_t length, const void *x, void *y);
#endif
