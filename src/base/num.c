/* Number formats. One decoder and one encoder serve every IEEE-like small float; a row of FORMATS
 * is all that differs.
 *
 * A format with m mantissa bits and exponent bias b holds, for code magnitude c = (field << m) +
 * man: field > 0:  (2^m + man) * 2^(field - b - m)        field = 0:  man * 2^(1 - b - m) Codes of
 * one sign are ordered as the values are, so a rounding carry may run from the mantissa into the
 * exponent, and "out of range" is simply a code above the largest finite one. Sources: IEEE
 * 754-2008; bfloat16 as the high half of binary32; arXiv 2209.05433 (E4M3FN, E5M2); arXiv
 * 2206.02915 (FNUZ); OCP Microscaling Formats v1.0 (E2M1, E8M0); ONNX Cast-24 for what saturate
 * does and for E8M0 rounding. */
#include "base/num.h"

#include <string.h>

struct format {
    int man, bias;
    uint16_t max;  /* code of the largest finite value */
    uint16_t inf;  /* code an infinity or an overflow takes without saturation */
    uint16_t nan;  /* code of a NaN */
    uint16_t sign; /* the sign bit */
    bool fnuz;     /* no -0 and one NaN, which is the code of -0 */
};

static const struct format F16 = {10, 15, 0x7BFF, 0x7C00, 0x7E00, 0x8000, false};
static const struct format BF16 = {7, 127, 0x7F7F, 0x7F80, 0x7FC0, 0x8000, false};
static const struct format E4M3FN = {3, 7, 0x7E, 0x7F, 0x7F, 0x80, false};
static const struct format E4M3FNUZ = {3, 8, 0x7F, 0x80, 0x80, 0x80, true};
static const struct format E5M2 = {2, 15, 0x7B, 0x7C, 0x7E, 0x80, false};
static const struct format E5M2FNUZ = {2, 16, 0x7F, 0x80, 0x80, 0x80, true};
static const struct format E2M1 = {1, 1, 0x7, 0x7, 0x7, 0x8, false};

static const struct format *f8_format(enum dtype t)
{
    return t == DT_FLOAT8E4M3FN     ? &E4M3FN
           : t == DT_FLOAT8E4M3FNUZ ? &E4M3FNUZ
           : t == DT_FLOAT8E5M2     ? &E5M2
                                    : &E5M2FNUZ;
}

/* ---- bits ---- */

static uint32_t f32_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static float f32_of(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static uint64_t f64_bits(double d)
{
    uint64_t u;
    memcpy(&u, &d, sizeof u);
    return u;
}

static double f64_of(uint64_t u)
{
    double d;
    memcpy(&d, &u, sizeof d);
    return d;
}

static double power_of_two(int e)
{
    return f64_of((uint64_t)(e + 1023) << 52);
} /* -1022 <= e <= 1023 */

/* n / 2^shift to the nearest, ties to even. n < 2^53. */
static uint64_t shift_even(uint64_t n, int shift)
{
    if (shift <= 0)
        return n;
    if (shift > 54)
        return 0;
    uint64_t kept = n >> shift, rest = n & (((uint64_t)1 << shift) - 1),
             half = (uint64_t)1 << (shift - 1);
    return kept + (rest > half || (rest == half && (kept & 1)));
}

/* ---- small floats ---- */

/* The code of |d| rounded to nearest even, unbounded above; d is finite. Every format's smallest
 * value is far above the doubles' own subnormals, which therefore round to 0. */
static uint32_t magnitude(const struct format *f, double d)
{
    uint64_t bits = f64_bits(d) & INT64_MAX;
    if (bits >> 52 == 0)
        return 0;
    int e = (int)(bits >> 52) - 1023, floor_e = 1 - f->bias;
    uint64_t sig = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
    int lift = e > floor_e ? e - floor_e : 0; /* field - 1 */
    int shift = 52 - f->man + (floor_e - e + lift);
    return ((uint32_t)lift << f->man) + (uint32_t)shift_even(sig, shift);
}

static uint16_t narrow(const struct format *f, double d, bool saturate)
{
    uint64_t bits = f64_bits(d), size = bits & INT64_MAX;
    uint32_t sign = bits >> 63 ? f->sign : 0;
    const uint64_t inf = (uint64_t)0x7FF << 52;
    if (size > inf)
        return (uint16_t)(f->nan | sign);
    if (size == inf)
        return (uint16_t)((saturate ? f->max : f->inf) | sign);
    uint32_t code = magnitude(f, d);
    if (code == 0)
        return (uint16_t)(f->fnuz ? 0 : sign);
    if (code > f->max)
        code = saturate ? f->max : f->inf;
    return (uint16_t)(code | sign);
}

/* The finite value of a code without its sign. */
static double widen(const struct format *f, unsigned code)
{
    unsigned field = code >> f->man, man = code & ((1u << f->man) - 1);
    if (field == 0)
        return (double)man * power_of_two(1 - f->bias - f->man);
    return (double)(man + (1u << f->man)) * power_of_two((int)field - f->bias - f->man);
}

float num_from_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = h & 0x7FFFu;
    if (rest >= 0x7C00) /* infinity or NaN with its payload */
        return f32_of(sign | 0x7F800000u | (rest & 0x3FF) << 13);
    if (rest >= 0x0400) /* normal: the bias grows from 15 to 127 */
        return f32_of(sign | ((rest << 13) + (112u << 23)));
    float f = (float)rest * 0x1p-24f;
    return sign ? -f : f;
}

uint16_t num_to_f16(float f)
{
    uint32_t u = f32_bits(f), rest = u & 0x7FFFFFFF;
    if (rest - 0x38800000u >=
        0x477FE000u - 0x38800000u) /* not between 2^-14 and 65504: the general way */
        return num_double_to_f16((double)f);
    rest -= 112u << 23;
    rest += 0xFFF + (rest >> 13 & 1);
    return (uint16_t)(u >> 16 & 0x8000) | (uint16_t)(rest >> 13);
}

uint16_t num_double_to_f16(double d) { return narrow(&F16, d, false); }
uint16_t num_double_to_bf16(double d) { return narrow(&BF16, d, false); }
float num_from_bf16(uint16_t h) { return f32_of((uint32_t)h << 16); }

uint16_t num_to_bf16(float f)
{
    uint32_t u = f32_bits(f);
    if ((u & 0x7FFFFFFF) > 0x7F800000)
        return (uint16_t)(u >> 16 & 0x8000) | BF16.nan;
    return (uint16_t)((u + 0x7FFF + (u >> 16 & 1)) >> 16);
}

float num_from_f8(enum dtype t, uint8_t bits)
{
    if (t == DT_FLOAT8E8M0)
        return bits == 0xFF ? f32_of(0x7FC00000) : (float)power_of_two((int)bits - 127);
    const struct format *f = f8_format(t);
    unsigned code = bits & 0x7F;
    uint32_t sign = bits & 0x80 ? 0x80000000u : 0;
    if (f->fnuz && bits == 0x80)
        return f32_of(0x7FC00000);
    if (code > f->max)
        return f32_of(sign | (t == DT_FLOAT8E5M2 && code == f->inf ? 0x7F800000 : 0x7FC00000));
    float value = (float)widen(f, code);
    return sign ? -value : value;
}

uint8_t num_double_to_e8m0(double d, enum e8m0_mode mode, bool saturate)
{
    uint64_t bits = f64_bits(d) & INT64_MAX, man = bits & (((uint64_t)1 << 52) - 1),
             half = (uint64_t)1 << 51;
    int code = (int)(bits >> 52) - 1023 + 127;
    if (bits > (uint64_t)0x7FF << 52)
        return 0xFF;
    if (code < 0) /* zero and everything below 2^-127 */
        return saturate ? 0 : 0xFF;
    code += mode == E8M0_UP ? man != 0 : mode == E8M0_NEAREST ? man >= half : 0;
    return (uint8_t)(code <= 0xFE ? code : saturate ? 0xFE : 0xFF);
}

uint8_t num_double_to_f8(enum dtype t, double d, bool saturate)
{
    if (t == DT_FLOAT8E8M0)
        return num_double_to_e8m0(d, E8M0_UP, saturate);
    return (uint8_t)narrow(f8_format(t), d, saturate);
}

uint8_t num_to_f8(enum dtype t, float f, bool saturate)
{
    return num_double_to_f8(t, (double)f, saturate);
}

float num_from_f4(uint8_t nibble)
{
    float value = (float)widen(&E2M1, nibble & 7u);
    return nibble & 8 ? -value : value;
}

uint8_t num_double_to_f4(double d)
{
    return d != d ? 8 : (uint8_t)narrow(&E2M1, d, true); /* no code for a NaN */
}

uint8_t num_to_f4(float f) { return num_double_to_f4((double)f); }

/* ---- rounding ---- */

int64_t num_trunc(double x)
{
    if (x != x)
        return 0;
    if (x >= 0x1p63)
        return INT64_MAX;
    return x <= -0x1p63 ? INT64_MIN : (int64_t)x;
}

/* x - trunc(x): exact; 0 wherever a double has no fraction, and for NaN and infinities. */
static double fraction(double x, int64_t whole)
{
    return x > -0x1p52 && x < 0x1p52 ? x - (double)whole : 0;
}

int64_t num_round_even(double x)
{
    int64_t whole = num_trunc(x);
    double rest = fraction(x, whole), size = rest < 0 ? -rest : rest;
    int64_t step = rest < 0 ? -1 : 1;
    return size > 0.5 || (size >= 0.5 && (whole & 1)) ? whole + step : whole;
}

int64_t num_round_away(double x)
{
    int64_t whole = num_trunc(x);
    double rest = fraction(x, whole);
    return whole + (rest >= 0.5) - (rest <= -0.5);
}

int64_t num_round_up(double x)
{
    int64_t whole = num_trunc(x);
    double rest = fraction(x, whole);
    return whole + (rest >= 0.5) - (rest < -0.5);
}

int64_t num_floor(double x)
{
    int64_t whole = num_trunc(x);
    return whole - (fraction(x, whole) < 0);
}

int64_t num_clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

bool num_product(const int64_t *dims, int rank, int64_t *product)
{
    int64_t p = 1;
    bool fits = true, zero = false;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0)
            return false;
        zero |= dims[i] == 0;
        fits = !__builtin_mul_overflow(p, dims[i], &p) && fits;
    }
    *product = zero ? 0 : p;
    return fits || zero;
}
