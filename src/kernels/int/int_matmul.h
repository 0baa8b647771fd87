/* Matrix product on integers, widened to int32, accumulated in int64.
 *   acc[i,j] = sum over k of (a[i,k] - a_zero[i]) * (b[k,j] - b_zero[j]) + bias[j]
 * Strides are in elements, so transposed operands need no copy. Requantization is per column
 * (channel j). */
#ifndef KERNELS_INT_INT_MATMUL_H
#define KERNELS_INT_INT_MATMUL_H
#include <stdint.h>

#include "kernels/int/int_output.h"

struct int_matmul {
    int64_t rows, inner, columns;
    int64_t a_row, a_inner, b_inner, b_column; /* strides */
    const int32_t *a_zero, *b_zero;            /* NULL: 0 */
    int64_t n_a_zero, n_b_zero;                /* 1, or rows; 1, or columns */
    const int64_t *bias;                       /* columns, or NULL */
};

/* y [rows, columns] contiguous. */
void int_matmul(const struct int_matmul *p, const int32_t *a, const int32_t *b,
                const struct int_output *o, int32_t *y);
int64_t int_matmul_at(const struct int_matmul *p, const int32_t *a, const int32_t *b, int64_t i,
                      int64_t j);

/* Weights in blocks of `block` along k, each with its own integer scale (LPBQ, or mantissas of a
 * shared exponent): acc = sum over blocks of scale[block, j] * sum over k in the block of (a -
 * a_zero) * (b - b_zero[block, j]). */
struct int_block_scales {
    int64_t block;         /* elements along k; the last block may be short */
    const int32_t *scale;  /* [blocks, columns] */
    const int32_t *b_zero; /* [blocks, columns], or NULL */
};
void int_matmul_blocks(const struct int_matmul *p, const struct int_block_scales *s,
                       const int32_t *a, const int32_t *b, const struct int_output *o, int32_t *y);
#endif
