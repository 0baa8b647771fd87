/* Requantization: an accumulator times a real multiplier, rounded to an integer, in the exact way a
 * named implementation does it. The mode is run-time data of the model: rounding is a property of
 * the target.
 *
 *   TFL_DOUBLE  div_pot(srdhm(acc * 2^left, m), right); ties up, then away; TFLite, gemmlowp,
 * CMSIS-NN TFL_SINGLE  (acc*m + 2^(t-1)) >> t, t = 31 - shift; ties up; TFLite single rounding, ruy
 *   TFL_S64     (acc64*m16 + 2^(t-1)) >> t, t = 15 - shift, m16 = m reduced to 16 bits; TFLite
 * int16 activations RNDNU       (acc*m24 + 2^(t-1)) >> t, t = right shift, m24 = the float scale's
 * mantissa; ties up; XNNPACK Q31         div_pot(srdhm(acc, m), right), m = m24 << 7; QNNPACK
 *   HVX_Q15     sat((acc*m16 + 2^14) >> 15), then (x + 2^(k-1)) >> k; ties up; Hexagon HVX
 *   POW2        acc / 2^shift by the named rounding, negative shift: saturating left shift;
 * shift-only NPUs
 *
 * Products are formed in 128 bits where 64 could overflow, so no intermediate wraps. Sources: the
 * functions named, as their projects describe them; tests/unit/test_requant.c checks each against
 * separate 128-bit arithmetic.
 */
#ifndef KERNELS_INT_REQUANT_H
#define KERNELS_INT_REQUANT_H
#include <stdint.h>

enum requant_mode {
    REQUANT_TFL_DOUBLE,
    REQUANT_TFL_SINGLE,
    REQUANT_TFL_S64,
    REQUANT_RNDNU,
    REQUANT_Q31,
    REQUANT_HVX_Q15,
    REQUANT_POW2,
    REQUANT_MODES
};

enum rounding {
    ROUNDING_HALF_EVEN,
    ROUNDING_HALF_UP,
    ROUNDING_HALF_DOWN,
    ROUNDING_HALF_AWAY,
    ROUNDING_FLOOR,
    ROUNDING_TRUNC,
    ROUNDINGS
};

struct requant {
    enum requant_mode mode;
    enum rounding rounding; /* POW2 only */
    int32_t multiplier;     /* 0 <= m < 2^31; unused by POW2 */
    int32_t shift; /* TFL*: exponent as frexp gives it (positive: left); others: right shift */
};

/* acc: 32 bits for the 32-bit modes (saturated beyond), within 2^47 for TFL_S64, any for POW2. The
 * result is saturated to int32 but for TFL_S64 and POW2. */
int64_t requant_apply(const struct requant *r, int64_t acc);

/* x / 2^n with that rounding for n >= 0; x * 2^-n saturated to int64 for n < 0. |n| <= 62. */
int64_t requant_shift(int64_t x, int n, enum rounding rounding);

const char *requant_mode_name(enum requant_mode mode); /* "tfl_double", ... */
int requant_mode_find(const char *name);               /* -1 when unknown */
const char *rounding_name(enum rounding rounding);     /* "half_even", ... */
int rounding_find(const char *name);
#endif
