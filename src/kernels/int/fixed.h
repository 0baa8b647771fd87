/* Fixed-point primitives of the integer datapath: the exact functions that fixed-point NPUs,
 * gemmlowp and TFLite compute.
 *
 * No float here: this folder is compiled without floating-point registers. Right shifts of negative
 * numbers are written as floor divisions, so nothing depends on the compiler. Sources: gemmlowp
 * fixedpoint.h and doc/quantization.md, TFLite kernels/internal/common.h, arXiv 1712.05877; the
 * tests compare each with plain 128-bit arithmetic.
 */
#ifndef KERNELS_INT_FIXED_H
#define KERNELS_INT_FIXED_H
#include <stdbool.h>
#include <stdint.h>

/* floor(x / 2^n), 0 <= n <= 63. */
static inline int64_t fixed_shift_floor(int64_t x, int n)
{
    return x >= 0 ? (int64_t)((uint64_t)x >> n) : (int64_t) ~(~(uint64_t)x >> n);
}

static inline int64_t fixed_clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

static inline int32_t fixed_saturate32(int64_t x)
{
    return (int32_t)fixed_clamp(x, INT32_MIN, INT32_MAX);
}

/* Saturating rounding doubling high multiplication: floor((a*b + 2^30) / 2^31), ties up; only a = b
 * = -2^31 saturates. */
static inline int32_t fixed_srdhm32(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN)
        return INT32_MAX;
    return (int32_t)fixed_shift_floor((int64_t)a * b + (INT64_C(1) << 30), 31);
}

/* The same on 16 bits: floor((a*b + 2^14) / 2^15). */
static inline int16_t fixed_srdhm16(int16_t a, int16_t b)
{
    if (a == INT16_MIN && b == INT16_MIN)
        return INT16_MAX;
    return (int16_t)fixed_shift_floor((int64_t)a * b + (1 << 14), 15);
}

/* Rounding division by 2^n, ties away from zero; 0 <= n <= 62. */
static inline int64_t fixed_div_pot(int64_t x, int n)
{
    if (n == 0)
        return x;
    uint64_t magnitude = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    uint64_t rounded = (magnitude + (UINT64_C(1) << (n - 1))) >> n;
    return x < 0 ? (int64_t)(0 - rounded) : (int64_t)rounded;
}

/* x * 2^n saturated to 32 bits, 0 <= n <= 31. */
static inline int32_t fixed_shift_left_sat(int32_t x, int n)
{
    return fixed_saturate32((int64_t)x * (INT64_C(1) << n));
}

/* Number of leading zero bits of a 32-bit word; 32 for 0. */
static inline int fixed_clz32(uint32_t x) { return x ? __builtin_clz(x) : 32; }

/* exp(a / 2^(31-integer_bits)) as Q0.31 for a <= 0; integer_bits 0..26. Absolute error at
 * integer_bits = 4: 2.1e-7. */
int32_t fixed_exp_negative(int32_t a, int integer_bits);

/* 1 / (1 + v) for v in [0, 1) as Q0.31: three Newton steps from 48/17 - 32/17 x. */
int32_t fixed_one_over_one_plus(int32_t v);

/* (1 - v) / (1 + v) for v in [0, 1) as Q0.31. */
int32_t fixed_one_minus_over_one_plus(int32_t v);

/* 1 / sqrt(v) = multiplier / 2^31 * 2^shift for v >= 1, shift <= 0; relative error 1.2e-6. v <= 1
 * gives 2^31-1 and 0. */
void fixed_inv_sqrt(int32_t v, int32_t *multiplier, int *shift);

/* floor(sqrt(v)), exact. */
uint64_t fixed_isqrt64(uint64_t v);
#endif
