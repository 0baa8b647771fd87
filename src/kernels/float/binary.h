/* Operators with two inputs, element by element with broadcasting (broadcast.h). Source: the
 * operators' newest versions up to opset 28 (Add-14, Mod-13, Pow-15, BitShift-11, BitwiseAnd-18,
 * Equal-19, ...).
 *
 * float, double: the type's own arithmetic. float16, bfloat16: computed as float, rounded once.
 * Integers: modulo 2^bits, without undefined behaviour; / truncates toward zero and a division or
 * remainder by zero is KERNEL_ZERO (the other elements are computed, that one is 0). Min and Max
 * give NaN when either is NaN. */
#ifndef KERNELS_FLOAT_BINARY_H
#define KERNELS_FLOAT_BINARY_H
#include "kernels/float/broadcast.h"

enum binary_op {
    BINARY_ADD, /* arithmetic: float, double, halves, integers of 8 to 64 bits */
    BINARY_SUB,
    BINARY_MUL,
    BINARY_DIV,
    BINARY_MIN,
    BINARY_MAX,
    BINARY_PRELU,  /* a < 0 ? b a : a; b is the slope */
    BINARY_MOD,    /* integers only: the remainder has the divisor's sign (ONNX fmod = 0) */
    BINARY_FMOD,   /* the remainder has the dividend's sign, as C's fmod (ONNX fmod = 1) */
    BINARY_BITAND, /* bits: integers */
    BINARY_BITOR,
    BINARY_BITXOR,
    BINARY_SHIFT_LEFT, /* unsigned integers; shifts of the width or more give 0 */
    BINARY_SHIFT_RIGHT,
    BINARY_AND, /* bool */
    BINARY_OR,
    BINARY_XOR,
    BINARY_EQUAL, /* comparisons: result bool; Equal also of bool */
    BINARY_LESS,
    BINARY_LESS_EQUAL,
    BINARY_GREATER,
    BINARY_GREATER_EQUAL,
    BINARY_COUNT
};

/* ONNX name to op; Mod gives BINARY_MOD, BitShift gives BINARY_SHIFT_LEFT. false when not one of
 * these; Pow is kernel_power. */
bool binary_find(const char *name, enum binary_op *op);
bool binary_compares(enum binary_op op); /* the result is bool */

/* y[i] = op(a, b) for begin <= i < end of the flat result. plan: of a's and b's shapes, in this
 * order. t: type of a and b. y may be a or b when that one is not repeated and the types are the
 * same. KERNEL_TYPE, KERNEL_ZERO. */
int kernel_binary(enum binary_op op, enum dtype t, const struct broadcast *plan, const void *a,
                  const void *b, void *y, int64_t begin, int64_t end);

/* Pow-15: the result has the base's type. Float bases: in double by math_pow, one rounding. Integer
 * base and exponent: exact modulo 2^bits; with a negative exponent 1 / base^|exponent| truncated (0
 * to a negative power: the largest value). Integer base and float exponent: in double, truncated,
 * saturating. Base and exponent: float, double, halves, integers of 8 to 64 bits. */
int kernel_power(enum dtype base, enum dtype exponent, const struct broadcast *plan, const void *a,
                 const void *b, void *y, int64_t begin, int64_t end);

/* Sum-13, Mean-13, Min-13, Max-13 of n >= 1 inputs, all of type t, each broadcast to the result's
 * shape `out`. Floats: from the first input to the last, halves in float with one rounding at the
 * end; Mean divides the sum once. Integers (Min, Max only): as BINARY_*. */
enum variadic_op { VARIADIC_SUM, VARIADIC_MEAN, VARIADIC_MIN, VARIADIC_MAX };
int kernel_variadic(enum variadic_op op, enum dtype t, const struct kernel_shape *out,
                    const struct kernel_shape *shapes, const void *const *in, int n, void *y,
                    int64_t begin, int64_t end);
#endif
