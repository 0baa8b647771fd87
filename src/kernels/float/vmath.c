/* See vmath.h. Each function is one expression per element; a condition is a choice between two
 * values that are both computed. Integers come from the bits of x + 1.5 * 2^23, so nothing is
 * converted that could be out of range. Polynomials: Chebyshev interpolants computed with 60 digits
 * and rounded to float; errors are given in 2^-24. */
#include "kernels/float/vmath.h"

#include <string.h>

#include "kernels/kernel.h"

#define INF __builtin_inff()

KERNEL_INLINE uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

KERNEL_INLINE float float_of(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

KERNEL_INLINE float abs_of(float x) { return float_of(bits_of(x) & 0x7FFFFFFF); }
KERNEL_INLINE float with_sign(float size, float of)
{
    return float_of(bits_of(size) | (bits_of(of) & 0x80000000));
}

static const float LN2_HI = 0x1.62e4p-1f,
                   LN2_LO = 0x1.7f7d1cp-20f; /* 15 bits, so that times an exponent it is exact */

/* e^x = 2^k (1 + r + r^2 q(r)), |r| <= ln2/2. The power is applied in two halves: either may be
 * subnormal or huge. lost: what the last addition rounded away. */
KERNEL_INLINE float exp_parts(float x, float *lost)
{
    const float whole = 0x1.8p23f;
    x = x > 89 ? 89 : x; /* infinity, and 0 below: the ends of float lie at 88.72 and -103.97; a NaN
                            passes both */
    x = x < -104 ? -104 : x;
    float t = x * 0x1.715476p0f + whole, k = t - whole;
    float high = x - k * LN2_HI, low = k * LN2_LO, r = high - low, c = (high - r) - low;
    float q = 0x1.a124eep-13f; /* adds 0.008 */
    q = q * r + 0x1.6d4320p-10f;
    q = q * r + 0x1.1110e0p-7f;
    q = q * r + 0x1.5554eap-5f;
    q = q * r + 0x1.555556p-3f;
    q = q * r + 0.5f;
    uint32_t power = bits_of(t) - bits_of(whole), half = (power + 256) >> 1; /* half: 128 + k/2 */
    float first = float_of((half - 1) << 23), second = float_of((power + 128 - half + 127) << 23);
    float small = r + (r * r * q + c), sum = 1 + small;
    *lost = (small - (sum - 1)) * first * second;
    return sum * first * second;
}

KERNEL_INLINE float exp_one(float x)
{
    float lost;
    return exp_parts(x, &lost);
}

/* log x = k ln2 + f - h + s (h + R(s^2)), as in math.c. */
KERNEL_INLINE float log_one(float x)
{
    float small = x < 0x1p-126f ? -23.0f : 0.0f;
    uint32_t bits = bits_of(x < 0x1p-126f ? x * 0x1p23f : x);
    uint32_t above = bits - 0x3F3504F3; /* the bits of sqrt(1/2) */
    float f = float_of(bits - (above & 0xFF800000)) - 1;
    float k = (float)((int32_t)((above + 0x40000000) >> 23) - 128) + small;
    float s = f / (2 + f), z = s * s, h = 0.5f * f * f;
    float r = 0x1.ddced8p-3f; /* adds 0.005 */
    r = r * z + 0x1.245c44p-2f;
    r = r * z + 0x1.9999ecp-2f;
    r = r * z + 0x1.555556p-1f;
    float y = k * LN2_HI - ((h - (s * (h + z * r) + k * LN2_LO)) - f);
    y = x < INF ? y : x;
    y = x < 0 ? float_of(0x7FC00000) : y;
    return abs_of(x) > 0 ? y : x + (x < INF ? -INF : x); /* zeros; a NaN stays one */
}

/* x + x^3 P(x^2) near zero, 1 - 2 / (e^2x + 1) beyond. */
KERNEL_INLINE float tanh_one(float x)
{
    float a = abs_of(x), z = a * a;
    float p = 0x1.2c83c0p-9f; /* adds 0.06 */
    p = p * z - 0x1.116a16p-7f;
    p = p * z + 0x1.64a976p-6f;
    p = p * z - 0x1.ba08c4p-5f;
    p = p * z + 0x1.1110eap-3f;
    p = p * z - 0x1.555556p-2f;
    float near = a + a * (z * p);
    float far = 1 - 2 / (exp_one(2 * a) + 1);
    return with_sign(a < 0.625f ? near : far, x);
}

/* n / (1 + e) with e = e^-|x| and n = 1, or e for a negative x; then what e and 1 + e lost is put
 * right to first order, with 1 / (1 + e) taken from the quotient itself. */
KERNEL_INLINE float sigmoid_one(float x)
{
    float lost, e = exp_parts(-abs_of(x), &lost), d = 1 + e;
    float y = (x < 0 ? e : 1) / d;
    float short_of = (x < 0 ? lost : 0) - y * (lost + (e - (d - 1)));
    return y + short_of * (x < 0 ? 1 - y : y);
}

/* x + x E(x^2) up to 1; beyond 1 - e^L(x), L = log(erfc), which stops mattering at 4. */
KERNEL_INLINE float erf_one(float x)
{
    float a = abs_of(x), z = a * a;
    float p = 0x1.4a5690p-14f; /* adds 0.09 */
    p = p * z - 0x1.a45088p-11f;
    p = p * z + 0x1.541270p-8f;
    p = p * z - 0x1.b7faba0p-6f;
    p = p * z + 0x1.ce2d10p-4f;
    p = p * z - 0x1.81273ep-2f;
    p = p * z + 0x1.06eba8p-3f;
    float t = a > 4 ? 4 : a;
    float q = 0x1.b77830p-20f; /* adds 0.1 */
    q = q * t - 0x1.825ce4p-15f;
    q = q * t + 0x1.38e5e6p-11f;
    q = q * t - 0x1.37ecc6p-8f;
    q = q * t + 0x1.b0e246p-6f;
    q = q * t - 0x1.c2e356p-4f;
    q = q * t - 0x1.437eb4p-1f;
    q = q * t - 0x1.2156fap0f;
    q = q * t + 0x1.4fb068p-12f;
    return with_sign(a < 1 ? a + a * p : 1 - exp_one(q), x);
}

KERNEL_INLINE float gelu_one(float x) { return 0.5f * x * (1 + erf_one(x * 0x1.6a09e6p-1f)); }

KERNEL_INLINE float gelu_tanh_one(float x)
{
    float inner = 0x1.988454p-1f * (x + 0.044715f * (x * x * x)); /* sqrt(2/pi); ONNX Gelu-20 */
    return 0.5f * x * (1 + tanh_one(inner));
}

/* max(x, 0) + log(1 + e), e = e^-|x| <= 1; log(1 + e) = log(u) + (e - (u - 1)) / u with u = 1 + e
 * rounded. */
KERNEL_INLINE float softplus_one(float x)
{
    float e = exp_one(-abs_of(x)), u = 1 + e;
    float rest = log_one(u) + (e - (u - 1)) / u;
    return (x > 0 ? x : 0) + rest;
}

/* tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2), e = e^x; from 20 up it is 1. */
KERNEL_INLINE float mish_one(float x)
{
    float e = exp_one(x > 20 ? 20 : x), n = e * (e + 2);
    return x * (n / (n + 2));
}

#define EACH(name, expression)                                                \
    KERNEL_CLONES void name(const float *x, float *y, int64_t n)              \
    {                                                                         \
        KERNEL_INDEPENDENT for (int64_t i = 0; i < n; i++) y[i] = expression; \
    }

EACH(vmath_exp, exp_one(x[i]))
EACH(vmath_log, log_one(x[i]))
EACH(vmath_tanh, tanh_one(x[i]))
EACH(vmath_sigmoid, sigmoid_one(x[i]))
EACH(vmath_erf, erf_one(x[i]))
EACH(vmath_gelu, gelu_one(x[i]))
EACH(vmath_gelu_tanh, gelu_tanh_one(x[i]))
EACH(vmath_softplus, softplus_one(x[i]))
EACH(vmath_mish, mish_one(x[i]))

KERNEL_CLONES void vmath_exp_minus(const float *x, float *y, int64_t n, float shift)
{
    KERNEL_INDEPENDENT for (int64_t i = 0; i < n; i++) y[i] = exp_one(x[i] - shift);
}

KERNEL_CLONES void vmath_swish(const float *x, float *y, int64_t n, float alpha)
{
    KERNEL_INDEPENDENT for (int64_t i = 0; i < n; i++) y[i] = x[i] * sigmoid_one(alpha * x[i]);
}
