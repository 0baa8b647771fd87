/* Pieces that the math_*.c files share: bit patterns, exact products and sums of doubles,
 * polynomials. */
#ifndef KERNELS_FLOAT_MATH_CORE_H
#define KERNELS_FLOAT_MATH_CORE_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t core_bits(double d)
{
    uint64_t u;
    memcpy(&u, &d, sizeof u);
    return u;
}

static inline double core_double(uint64_t u)
{
    double d;
    memcpy(&d, &u, sizeof d);
    return d;
}

static inline double core_abs(double x) { return core_double(core_bits(x) & INT64_MAX); }
static inline double core_sign(double size, double of) /* |size| with the sign of `of` */
{
    return core_double((core_bits(size) & INT64_MAX) | (core_bits(of) & ~(uint64_t)INT64_MAX));
}

/* 2^e for -1022 <= e <= 1023. */
static inline double core_power2(int e) { return core_double((uint64_t)(e + 1023) << 52); }

/* x * 2^e for |e| <= 2000, by steps that stay in range. */
static inline double core_scale(double x, int e)
{
    if (e > 1023)
        return x * core_power2(1023) * core_power2(e - 1023);
    if (e < -1022) /* the first step is kept small so that only the last one can round */
        return x * core_power2(e + 969) * core_power2(-969);
    return x * core_power2(e);
}

/* The nearest whole number, for |x| < 2^51: adding 1.5 * 2^52 leaves no room for a fraction. */
static inline double core_round(double x) { return (x + 0x1.8p52) - 0x1.8p52; }

/* c[0] + c[1] z + ... + c[n-1] z^(n-1), by Horner. */
static inline double core_poly(const double *c, int n, double z)
{
    double sum = c[n - 1];
    for (int i = n - 2; i >= 0; i--)
        sum = sum * z + c[i];
    return sum;
}

/* A sum of two doubles that do not overlap; hi is the sum rounded. */
struct pair {
    double hi, lo;
};

/* Exact a + b (Knuth, TAOCP 2, 4.2.2 theorem B). */
static inline struct pair core_two_sum(double a, double b)
{
    double s = a + b, t = s - a;
    return (struct pair){s, (a - (s - t)) + (b - t)};
}

/* Exact a * b without a fused multiply (Dekker 1971, Veltkamp's splitting); |a|, |b| < 2^996. */
static inline struct pair core_two_product(double a, double b)
{
    double p = a * b, ta = a * 0x1.000002p27, tb = b * 0x1.000002p27;
    double ah = ta - (ta - a), al = a - ah, bh = tb - (tb - b), bl = b - bh;
    return (struct pair){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

/* Splits x > 0, finite: x = m * 2^k with sqrt(1/2) <= m < sqrt(2). */
static inline double core_split(double x, int *k)
{
    int extra = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        extra = -54;
    }
    /* 0x3FE6A09E667F3BCD: the bits of sqrt(1/2); what lies above it counts as the next power of two
     */
    int64_t above = (int64_t)(core_bits(x) - 0x3FE6A09E667F3BCDu);
    int64_t power = (above - (above & (((int64_t)1 << 52) - 1))) / ((int64_t)1 << 52);
    *k = (int)power + extra;
    return core_double(core_bits(x) - ((uint64_t)power << 52));
}

/* ln 2 in a part of 42 bits, so that times an exponent it is exact, and the rest. */
static const double CORE_LN2_HI = 0x1.62e42fefa3800p-1, CORE_LN2_LO = 0x1.ef35793c76730p-45;

/* e^(x + lo), |lo| tiny against x: in math.c, for pow and erfc. */
double core_exp(double x, double lo);
/* log(m * 2^k * (1 + c)) where f = m - 1 and c is a small correction: in math.c. */
double core_log(double f, int k, double c);
#endif
