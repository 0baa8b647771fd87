/* Matrix products: MatMul with broadcasting batch axes, Gemm, MatMulInteger. Order of summation:
 * gemm.h.
 *
 * matmul_plan turns the operands' dims into a struct matmul_params by the rules of numpy.matmul
 * (ONNX MatMul-1..13); shape inference uses it as well. The products then only follow steps, so
 * transposed or broadcast operands cost nothing.
 */
#ifndef KERNELS_FLOAT_MATMUL_H
#define KERNELS_FLOAT_MATMUL_H
#include <stdbool.h>
#include <stdint.h>

enum { MATMUL_MAX_BATCH_RANK = 14 };

/* y[batch..., i, j] = sum over p of a[batch..., i, p] * b[batch..., p, j]; y is dense. Steps count
 * elements, a step of 0 broadcasts. */
struct matmul_params {
    int64_t m, n, k;
    int batch_rank;
    int64_t batch[MATMUL_MAX_BATCH_RANK];
    int64_t a_batch_step[MATMUL_MAX_BATCH_RANK], b_batch_step[MATMUL_MAX_BATCH_RANK];
    int64_t a_row_step, a_col_step, b_row_step, b_col_step;
};

/* Dense operands a and b. y_dims gets *y_rank dims (room for MATMUL_MAX_BATCH_RANK + 2). false: the
 * dims do not go together, a rank is 0 or too large, or a product of dims overflows. */
bool matmul_plan(const int64_t *a_dims, int a_rank, const int64_t *b_dims, int b_rank,
                 struct matmul_params *p, int64_t *y_dims, int *y_rank);
int64_t matmul_batches(const struct matmul_params *p);
/* Offsets of batch element i, 0 <= i < matmul_batches. */
void matmul_offsets(const struct matmul_params *p, int64_t i, int64_t *a, int64_t *b);

void matmul_f32(const struct matmul_params *p, const float *a, const float *b, float *y);
void matmul_f64(const struct matmul_params *p, const double *a, const double *b, double *y);
void matmul_u32(const struct matmul_params *p, const uint32_t *a, const uint32_t *b,
                uint32_t *y); /* int32 too: wraps */
void matmul_u64(const struct matmul_params *p, const uint64_t *a, const uint64_t *b,
                uint64_t *y); /* int64 too */

/* ONNX MatMulInteger-10, and the accumulator of QLinearMatMul: (a - a_zero) * (b - b_zero) modulo
 * 2^32. Zero points: NULL is 0, step 0 one for all, step 1 one per row of a or column of b, then
 * batch_step apart between batch elements. */
struct matmul_zero {
    const int32_t *zero;
    int64_t step, batch_step;
};
struct matmul_int_args {
    const void *a, *b;
    bool a_signed, b_signed;
    struct matmul_zero a_zero, b_zero;
};
void matmul_int(const struct matmul_params *p, const struct matmul_int_args *args, int32_t *y);

/* ONNX Gemm-1..13: y [m, n] = alpha * a' * b' + beta * c, a' [m, k] = a or its transpose, b' [k,
 * n]. c is broadcast by its steps (0 along an axis of extent 1); NULL: none. The product is
 * rounded, then alpha * product + (beta * c), each step rounded. */
struct gemm_args {
    int64_t m, n, k;
    bool trans_a, trans_b;
    double alpha, beta; /* floats in the attribute */
    int64_t c_row_step, c_col_step;
};
void gemm_full_f32(const struct gemm_args *g, const float *a, const float *b, const float *c,
                   float *y);
void gemm_full_f64(const struct gemm_args *g, const double *a, const double *b, const double *c,
                   double *y);
/* Integer Gemm (int32/uint32, int64/uint64): alpha and beta truncated to integers, everything
 * wraps. */
void gemm_full_u32(const struct gemm_args *g, const uint32_t *a, const uint32_t *b,
                   const uint32_t *c, uint32_t *y);
void gemm_full_u64(const struct gemm_args *g, const uint64_t *a, const uint64_t *b,
                   const uint64_t *c, uint64_t *y);
#endif
