/* Elementary functions over float arrays for the fast engine: float polynomials without branches,
 * which the compiler turns into vector code. The same bits for any vector width and any split of
 * the array. y may be x.
 *
 * Greatest error over all 2^32 floats against math.h, in units of the last place of float:
 *   exp 0.87   log 0.84   tanh 1.31   sigmoid 1.37   erf 1.34   softplus 1.97
 * mish: 8 units for |x| <= 100. swish: 3 units and those of the rounding of alpha x. The gelus:
 * absolutely, |x| 2^-23. Special values as in math.h. */
#ifndef KERNELS_FLOAT_VMATH_H
#define KERNELS_FLOAT_VMATH_H
#include <stdint.h>

void vmath_exp(const float *x, float *y, int64_t n);
void vmath_log(const float *x, float *y, int64_t n);
void vmath_tanh(const float *x, float *y, int64_t n);
void vmath_sigmoid(const float *x, float *y, int64_t n);
void vmath_erf(const float *x, float *y, int64_t n);

void vmath_exp_minus(const float *x, float *y, int64_t n,
                     float shift); /* e^(x - shift), as softmax wants it */
void vmath_swish(const float *x, float *y, int64_t n, float alpha); /* x sigmoid(alpha x) */
void vmath_gelu(const float *x, float *y, int64_t n);               /* x/2 (1 + erf(x / sqrt 2)) */
void vmath_gelu_tanh(const float *x, float *y,
                     int64_t n); /* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
void vmath_softplus(const float *x, float *y, int64_t n); /* log(1 + e^x) */
void vmath_mish(const float *x, float *y, int64_t n);     /* x tanh(softplus(x)) */
#endif
