/* The float forms of the one-input operators on plain arrays; between unary.c and unary_rows.c. op
 * < UNARY_FLOAT_OPS; y may be x. */
#ifndef KERNELS_FLOAT_UNARY_ROWS_H
#define KERNELS_FLOAT_UNARY_ROWS_H
#include "kernels/float/unary.h"

void unary_f32(const struct unary_args *a, const float *x, float *y, int64_t n);
void unary_f64(const struct unary_args *a, const double *x, double *y, int64_t n);
#endif
