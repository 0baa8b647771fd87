/* One row times a matrix that stays where it is: y[j] = sum over k of x[k] * w(k, j), for weights that are
 * read once per call, where memory alone sets the pace. Sums of a row of w run in 16 lanes of k that are
 * added pairwise at the end, sums of a column of w in the order of k: the same bits for any vector width and
 * any split of the columns. y does not overlap the others. */
#ifndef KERNELS_FLOAT_GEMV_H
#define KERNELS_FLOAT_GEMV_H
#include <stdint.h>

/* w(k, j) = w[j * step + k]: each output has its row. */
void gemv_rows(const float *x, const float *w, int64_t step, int64_t k, int64_t n, float *y);
/* w(k, j) = w[k * step + j]. */
void gemv_columns(const float *x, const float *w, int64_t step, int64_t k, int64_t n, float *y);
#endif
