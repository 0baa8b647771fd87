/* Operators that make elements: Range, EyeLike, OneHot, NonZero. */
#ifndef KERNELS_FLOAT_FILL_H
#define KERNELS_FLOAT_FILL_H
#include "kernels/kernel.h"

/* n copies of one element of size bytes. */
void kernel_fill(size_t size, const void *value, void *y, int64_t n);

/* Range-27: how many elements, ceil((limit - start) / delta), at least 0. KERNEL_ZERO when delta is
 * 0, KERNEL_VALUE when it is not finite or does not fit int64. start, limit, delta: one element
 * each of float, double, halves or int16, int32, int64. */
int kernel_range_count(enum dtype t, const void *start, const void *limit, const void *delta,
                       int64_t *n);
/* y[i] = start + i delta: floats in double, rounded once; integers modulo 2^bits. */
int kernel_range(enum dtype t, const void *start, const void *delta, void *y, int64_t n);

/* EyeLike-22: y [rows, cols] of a numeric type (8 bits or more) or bool: 1 where col - row = k,
 * else 0. */
int kernel_eye(enum dtype t, int64_t rows, int64_t cols, int64_t k, void *y);

/* OneHot-11: indices [outer, inner] of any numeric type (floats truncate), y [outer, depth, inner]
 * of elements of size bytes: values[1] where the index (negative: plus depth) is the place, else
 * values[0]; an index outside gives none. */
int kernel_one_hot(size_t size, enum dtype index_type, int64_t outer, int64_t depth, int64_t inner,
                   const void *indices, const void *values, void *y);

/* NonZero-13: how many elements of x differ from zero (a NaN does), and their indices as columns of
 * y [rank, count]. */
int64_t kernel_nonzero_count(enum dtype t, const void *x, int64_t n);
int kernel_nonzero(enum dtype t, const void *x, int rank, const int64_t *dims, int64_t count,
                   int64_t *y);
#endif
