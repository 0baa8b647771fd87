/* Two integer tensors, element by element. Operands are widened to int32 and already broadcast to
 * one length by the caller's index functions (strides below: 0 repeats). Sources: TFLite reference
 * integer_ops add/mul (three roundings), XNNPACK qs8-vadd (one rounding), arXiv 1712.05877.
 */
#ifndef KERNELS_INT_INT_BINARY_H
#define KERNELS_INT_INT_BINARY_H
#include <stdint.h>

#include "kernels/int/int_output.h"

/* Add or subtract. ADD_THREE: each operand (q - zero) * 2^left_shift is requantized to a common
 * scale, the sum is requantized to the output. ADD_ONE: acc = (a - a_zero) * a_factor + (b -
 * b_zero) * b_factor, one final shift by the output's POW2 requantization. */
enum int_add_form { INT_ADD_THREE, INT_ADD_ONE };

struct int_add {
    enum int_add_form form;
    int32_t a_zero, b_zero;
    int left_shift;             /* THREE: 20 for 8-bit, 15 for 16-bit operands */
    struct requant a, b;        /* THREE */
    int64_t a_factor, b_factor; /* ONE: b_factor < 0 subtracts */
    int subtract;               /* THREE: a - b */
};
int64_t int_add_acc(const struct int_add *p, int32_t a, int32_t b);

/* (a - a_zero) * (b - b_zero). */
static inline int64_t int_mul_acc(int32_t a, int32_t a_zero, int32_t b, int32_t b_zero)
{
    return ((int64_t)a - a_zero) * ((int64_t)b - b_zero);
}

/* Row-major iteration over an output of up to 16 dims with element strides per operand (0:
 * broadcast). */
struct int_broadcast {
    int rank;
    int64_t dims[16], a_stride[16], b_stride[16];
};

void int_add(const struct int_add *p, const struct int_broadcast *shape, const int32_t *a,
             const int32_t *b, const struct int_output *o, int32_t *y);
void int_mul(int32_t a_zero, int32_t b_zero, const struct int_broadcast *shape, const int32_t *a,
             const int32_t *b, const struct int_output *o, int32_t *y);
/* Equal parameters on both sides and the output: the stored integers compare as the reals do. */
void int_minimum(const struct int_broadcast *shape, const int32_t *a, const int32_t *b, int32_t *y);
void int_maximum(const struct int_broadcast *shape, const int32_t *a, const int32_t *b, int32_t *y);
/* Quotient of reals as requant((a - a_zero) * 2^up / (b - b_zero)), ties of the division away from
 * zero; b - b_zero = 0 saturates to the end that the sign of a gives (0/0 to the zero point). up
 * <= 30. */
void int_div(int32_t a_zero, int32_t b_zero, int up, const struct int_broadcast *shape,
             const int32_t *a, const int32_t *b, const struct int_output *o, int32_t *y);
#endif
