/* Square matrices, reference form: ONNX Det-11, -22 and com.microsoft Inverse. Elimination with row
 * exchange in double. */
#ifndef KERNELS_FLOAT_LINALG_H
#define KERNELS_FLOAT_LINALG_H
#include <stdint.h>

/* Doubles of working memory for matrices of order n; -1: too large. */
int64_t linalg_scratch(int64_t n);
/* x [batch, n, n] -> y [batch] */
void linalg_det_f32(int64_t batch, int64_t n, const float *x, float *y, double *scratch);
void linalg_det_f64(int64_t batch, int64_t n, const double *x, double *y, double *scratch);
/* x, y [batch, n, n]. KERNEL_VALUE: a matrix is singular. */
int linalg_inverse_f32(int64_t batch, int64_t n, const float *x, float *y, double *scratch);
#endif
