/* The one matrix product under MatMul, Gemm and the convolutions:  c[i][j] = sum over p of a[i][p]
 * * b[p][j].
 *
 * Order of summation, the same for every shape and machine: runs of GEMM_RUN consecutive p are
 * summed one by one from zero, the sums of the runs are added up one by one. Each product and each
 * sum is rounded to the element type (no fused multiply-add, see -ffp-contract=off in the
 * Makefile), so the bits depend on nothing else. Integers wrap modulo 2^32 or 2^64.
 *
 * The operands are not arrays but sides: a side copies a piece of itself into a packed panel. So a
 * convolution hands over its input windows without ever writing them out (no im2col matrix), and an
 * integer product subtracts its zero points on the way.
 */
#ifndef KERNELS_FLOAT_GEMM_H
#define KERNELS_FLOAT_GEMM_H
#include <stdint.h>

enum { GEMM_RUN = 256 };

/* The piece p0 .. p0+np-1 of the vectors j0 .. j0+nj-1 of a side, nj <= width. np <= GEMM_RUN. */
struct gemm_cut {
    int64_t p0, j0;
    int np, nj, width;
};

/* The left side's vectors are its rows i, the right side's its columns j; both are indexed by p
 * along the sum. pack writes panel[(p - p0) * width + (j - j0)] in the product's element type, and
 * zeros from nj up to width. */
struct gemm_side {
    void (*pack)(const struct gemm_side *side, const struct gemm_cut *cut, void *panel);
    const void *data;       /* borrowed */
    int64_t step_j, step_p; /* elements between neighbours, for the strided packers */
    const void *more;       /* the packer's own: convolution geometry, zero points */
};

/* c is at c[i * row_step + j * col_step]; its old contents do not matter. m, n, k >= 0; k = 0 gives
 * zeros. Uses about 160 KiB of stack, no heap. */
void gemm_f32(int64_t m, int64_t n, int64_t k, const struct gemm_side *a, const struct gemm_side *b,
              float *c, int64_t row_step, int64_t col_step);
void gemm_f64(int64_t m, int64_t n, int64_t k, const struct gemm_side *a, const struct gemm_side *b,
              double *c, int64_t row_step, int64_t col_step);
void gemm_u32(int64_t m, int64_t n, int64_t k, const struct gemm_side *a, const struct gemm_side *b,
              uint32_t *c, int64_t row_step, int64_t col_step);
void gemm_u64(int64_t m, int64_t n, int64_t k, const struct gemm_side *a, const struct gemm_side *b,
              uint64_t *c, int64_t row_step, int64_t col_step);

/* Packers of an array of the product's type: element j,p is data[j * step_j + p * step_p]. */
void gemm_pack_f32(const struct gemm_side *side, const struct gemm_cut *cut, void *panel);
void gemm_pack_f64(const struct gemm_side *side, const struct gemm_cut *cut, void *panel);
void gemm_pack_u32(const struct gemm_side *side, const struct gemm_cut *cut, void *panel);
void gemm_pack_u64(const struct gemm_side *side, const struct gemm_cut *cut, void *panel);

/* Packers of 8-bit integers into uint32_t: data[...] - zero[j]. `more` is a struct gemm_zero. */
struct gemm_zero {
    const int32_t *zero; /* zero point of vector j at zero[j * step]; NULL: 0 */
    int64_t step;        /* 0: one for all, 1: one per vector */
};
void gemm_pack_s8(const struct gemm_side *side, const struct gemm_cut *cut, void *panel);
void gemm_pack_u8(const struct gemm_side *side, const struct gemm_cut *cut, void *panel);
#endif
