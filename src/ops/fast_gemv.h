/* One row times a constant matrix, read where it lies: part of the prepared matrix products. */
#ifndef OPS_FAST_GEMV_H
#define OPS_FAST_GEMV_H
#include "kernels/float/matmul.h"
#include "ops/op.h"

struct gemv;

/* NULL: not one row, or the constant's columns and rows are both strided. bias: n numbers or NULL, copied.
 * Freed by mem_free. */
struct gemv *gemv_new(const struct prepare *p, const struct matmul_params *params, float alpha,
                      const float *bias);
int gemv_run(const struct gemv *g, struct eval *e);
#endif
