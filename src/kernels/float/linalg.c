/* Determinant and inverse by Gaussian elimination: the pivot of a column is its largest element
 * (the first of equals), so the sequence of operations is fixed by the matrix alone. */
#include "kernels/float/linalg.h"

#include <math.h>
#include <stddef.h>

#include "kernels/kernel.h"

int64_t linalg_scratch(int64_t n)
{
    int64_t cells;
    if (n < 0 || __builtin_mul_overflow(n, n, &cells) || cells > PTRDIFF_MAX / 32)
        return -1;
    return 2 * cells;
}

static int64_t pivot_row(const double *a, int64_t n, int64_t column)
{
    int64_t best = column;
    for (int64_t r = column + 1; r < n; r++)
        if (fabs(a[r * n + column]) > fabs(a[best * n + column]))
            best = r;
    return best;
}

static void swap_rows(double *a, int64_t n, int64_t r, int64_t s)
{
    for (int64_t c = 0; r != s && c < n; c++) {
        const double t = a[r * n + c];
        a[r * n + c] = a[s * n + c];
        a[s * n + c] = t;
    }
}

/* row r -= factor * row s */
static void subtract(double *a, int64_t n, int64_t r, int64_t s, double factor)
{
    for (int64_t c = 0; c < n; c++)
        a[r * n + c] -= factor * a[s * n + c];
}

static double determinant(double *a, int64_t n)
{
    double det = 1;
    for (int64_t c = 0; c < n; c++) {
        const int64_t p = pivot_row(a, n, c);
        const double pivot = a[p * n + c];
        det *= p == c ? pivot : -pivot;
        if (!(fabs(pivot) > 0))
            return det; /* 0, or NaN */
        swap_rows(a, n, p, c);
        for (int64_t r = c + 1; r < n; r++)
            subtract(a, n, r, c, a[r * n + c] / pivot);
    }
    return det;
}

void linalg_det_f32(int64_t batch, int64_t n, const float *x, float *y, double *scratch)
{
    for (int64_t i = 0; i < batch; i++, x += n * n) {
        for (int64_t k = 0; k < n * n; k++)
            scratch[k] = (double)x[k];
        y[i] = (float)determinant(scratch, n);
    }
}

void linalg_det_f64(int64_t batch, int64_t n, const double *x, double *y, double *scratch)
{
    for (int64_t i = 0; i < batch; i++, x += n * n) {
        for (int64_t k = 0; k < n * n; k++)
            scratch[k] = x[k];
        y[i] = determinant(scratch, n);
    }
}

/* a becomes the identity, b (the identity before) the inverse. */
static int invert(double *a, double *b, int64_t n)
{
    for (int64_t c = 0; c < n; c++) {
        const int64_t p = pivot_row(a, n, c);
        if (!(fabs(a[p * n + c]) > 0))
            return KERNEL_VALUE;
        swap_rows(a, n, p, c);
        swap_rows(b, n, p, c);
        const double pivot = a[c * n + c];
        for (int64_t k = 0; k < n; k++) {
            a[c * n + k] /= pivot;
            b[c * n + k] /= pivot;
        }
        for (int64_t r = 0; r < n; r++) {
            const double factor = a[r * n + c];
            if (r != c) {
                subtract(a, n, r, c, factor);
                subtract(b, n, r, c, factor);
            }
        }
    }
    return KERNEL_OK;
}

int linalg_inverse_f32(int64_t batch, int64_t n, const float *x, float *y, double *scratch)
{
    double *inverse = scratch + n * n;
    for (int64_t i = 0; i < batch; i++, x += n * n, y += n * n) {
        for (int64_t k = 0; k < n * n; k++) {
            scratch[k] = (double)x[k];
            inverse[k] = k / n == k % n ? 1 : 0;
        }
        if (invert(scratch, inverse, n) != KERNEL_OK)
            return KERNEL_VALUE;
        for (int64_t k = 0; k < n * n; k++)
            y[k] = (float)inverse[k];
    }
    return KERNEL_OK;
}
