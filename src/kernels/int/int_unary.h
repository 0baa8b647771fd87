/* One integer tensor in, one out: look-up tables, requantization, slopes, fixed-point sigmoid and
 * tanh. Tables are built offline and stored with the model, so that every machine reproduces them.
 */
#ifndef KERNELS_INT_INT_UNARY_H
#define KERNELS_INT_INT_UNARY_H
#include <stdint.h>

#include "kernels/int/int_output.h"

/* y[i] = table[x[i] - low]: any function of an 8-bit value; 256 entries for low .. low + 255. */
void int_lut8(const int32_t *x, int64_t count, int32_t low, const int32_t *table, int32_t *y);

/* Function of an int16 by 513 knots and linear interpolation (TFLite LUT16): index 256 + (v >> 7),
 * fraction v & 127. */
int16_t int_lut16_at(const int16_t table[513], int16_t v);
void int_lut16(const int32_t *x, int64_t count, const int16_t table[513], int32_t *y);

/* y = finish(x - x_zero): from one pair of parameters to another. */
void int_requantize(const int32_t *x, int64_t count, int32_t x_zero, const struct int_output *o,
                    int32_t *y);

/* Leaky slope: x >= x_zero goes through `o`, x < x_zero through `negative` (which has its own
 * multiplier). A negative slope is a negative sign outside the requantization: negative_sign = -1.
 * slopes per channel for PRelu. */
struct int_slope {
    int32_t x_zero;
    const struct int_output *positive, *negative;
    const int8_t *negative_sign; /* n_channels entries of 1 or -1, or NULL */
    int64_t n_channels, inner;   /* channel of i: i / inner % n_channels */
};
void int_slope(const struct int_slope *p, const int32_t *x, int64_t count, int32_t *y);

/* TFLite int8 logistic and tanh: input requantized to Q4.27 (multiplier of scale * 2^27), outputs
 * with scale 1/256 zero -128 and scale 1/128 zero 0. radius: |x| >= radius saturates; floor(15 *
 * 2^27 / 2^left). Within 0.5 step of the real functions. */
struct int_sigmoid8 {
    int32_t x_zero, radius;
    struct requant input; /* TFL_DOUBLE */
};
int32_t int_logistic8(const struct int_sigmoid8 *p, int32_t x);
int32_t int_tanh8(const struct int_sigmoid8 *p, int32_t x);

/* int16, zero 0, output scale 2^-15; input * multiplier >> shift (rounded) lands on Q3.12 times 3.
 * Within 3.1 steps. */
struct int_sigmoid16 {
    int32_t multiplier;
    int shift;
};
int16_t int_logistic16(const struct int_sigmoid16 *p, int16_t x);
int16_t int_tanh16(const struct int_sigmoid16 *p, int16_t x);

/* TFLite int8 HardSwish; multipliers reduced to 16 bits, exponents as frexp gives them (output
 * exponent <= 0). */
struct int_hard_swish {
    int32_t x_zero, y_zero, low, high;
    int16_t output_multiplier, reluish_multiplier;
    int output_exponent, reluish_exponent;
};
int32_t int_hard_swish(const struct int_hard_swish *p, int32_t x);
#endif
