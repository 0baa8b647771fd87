/* Elementary functions of the reference engine, in double, from +, -, *, / and sqrt alone: the same
 * bits on every machine and compiler (IEEE double evaluation, -ffp-contract=off, round to nearest).
 * A float result is (float)math_x((double)x), which is the nearest float but for about one argument
 * in 2^28.
 *
 * Bounds in units of the last place of double, measured against 64-bit-mantissa long double on
 * random arguments of every exponent and on edges, 15 million per function (tests/unit/test_math.c
 * holds them as limits on fewer): exp log log1p asin acos atan 0.9   sin cos 0.8   pow 1.0 erf 1.3
 * expm1 1.5   cosh softplus 1.6 asinh atanh 1.9   acosh 2.1   sinh 2.2   tan 2.4   tanh sigmoid 2.5
 * erfc 4.0 Special values follow C11 annex F. Results in the subnormal range carry up to 1 ulp
 * more. */
#ifndef KERNELS_FLOAT_MATH_H
#define KERNELS_FLOAT_MATH_H

double math_exp(double x);
double math_expm1(double x); /* e^x - 1 */
double math_log(double x);
double math_log1p(double x); /* log(1 + x) */
double math_pow(double x, double y);

double math_sin(double x); /* radians, any size: the reduction is exact */
double math_cos(double x);
double math_tan(double x);
double math_asin(double x);
double math_acos(double x);
double math_atan(double x);

double math_sinh(double x);
double math_cosh(double x);
double math_tanh(double x);
double math_asinh(double x);
double math_acosh(double x);
double math_atanh(double x);

double math_erf(double x);
double math_erfc(double x);     /* 1 - erf(x), accurate in the tail */
double math_sigmoid(double x);  /* 1 / (1 + e^-x) */
double math_softplus(double x); /* log(1 + e^x) */

double math_sqrt(double x); /* IEEE, correctly rounded */
float math_sqrtf(float x);
#endif
