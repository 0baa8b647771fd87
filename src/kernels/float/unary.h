/* Operators with one input, element by element. Parameters are named as the ONNX attributes; the
 * source is the operator's newest version up to opset 28 (Abs-13 ... Swish-24, Celu-28).
 *
 * float: simple operators in float arithmetic in the order the formula is written; the others in
 * double by math.h, rounded once, or with `fast` by vmath.h. double: the same in double. float16,
 * bfloat16: computed as float, rounded once. NaN gives NaN, but for ThresholdedRelu and Shrink,
 * whose formulas compare, and where it gives 0. */
#ifndef KERNELS_FLOAT_UNARY_H
#define KERNELS_FLOAT_UNARY_H
#include "kernels/kernel.h"

enum unary_op {
    /* all floats, and integers where marked */
    UNARY_ABS,  /* also integers; the smallest signed value stays itself */
    UNARY_NEG,  /* also integers, wrapping */
    UNARY_SIGN, /* also integers; -1, 0, 1 */
    UNARY_RELU, /* also signed integers; x < 0 ? 0 : x */
    UNARY_CEIL,
    UNARY_FLOOR,
    UNARY_ROUND, /* half to even */
    UNARY_SQRT,
    UNARY_RECIPROCAL,
    UNARY_EXP,
    UNARY_LOG,
    UNARY_SIN,
    UNARY_COS,
    UNARY_TAN,
    UNARY_ASIN,
    UNARY_ACOS,
    UNARY_ATAN,
    UNARY_SINH,
    UNARY_COSH,
    UNARY_TANH,
    UNARY_ASINH,
    UNARY_ACOSH,
    UNARY_ATANH,
    UNARY_ERF,
    UNARY_SIGMOID,
    UNARY_SOFTPLUS,         /* log(1 + e^x) */
    UNARY_SOFTSIGN,         /* x / (1 + |x|) */
    UNARY_MISH,             /* x tanh(softplus(x)) */
    UNARY_GELU,             /* x/2 (1 + erf(x / sqrt 2)); approximate = none */
    UNARY_GELU_TANH,        /* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))); approximate = tanh */
    UNARY_SWISH,            /* x sigmoid(alpha x); default alpha 1 */
    UNARY_ELU,              /* x < 0 ? alpha (e^x - 1) : x; default 1 */
    UNARY_SELU,             /* gamma (x > 0 ? x : alpha (e^x - 1)) */
    UNARY_CELU,             /* max(0, x) + min(0, alpha (e^(x / alpha) - 1)); default 1 */
    UNARY_LEAKY_RELU,       /* x < 0 ? alpha x : x; default 0.01 */
    UNARY_THRESHOLDED_RELU, /* x > alpha ? x : 0; default 1 */
    UNARY_HARD_SIGMOID,     /* max(0, min(1, alpha x + beta)); default 0.2, 0.5 */
    UNARY_HARD_SWISH,       /* x max(0, min(1, alpha x + beta)) with alpha 1/6, beta 0.5 set by the
                               operator */
    UNARY_SHRINK,    /* x < -lambda ? x + bias : x > lambda ? x - bias : 0; alpha = lambda, beta =
                        bias; default 0.5, 0 */
    UNARY_FLOAT_OPS, /* the ones above have float forms */
    UNARY_NOT = UNARY_FLOAT_OPS, /* bool */
    UNARY_BITWISE_NOT,           /* integers */
    UNARY_IS_NAN,                /* any float type; result bool */
    UNARY_IS_INF, /* any float type; result bool; alpha != 0: detect_positive, beta != 0:
                     detect_negative */
    UNARY_COUNT
};

struct unary_args {
    enum unary_op op;
    enum dtype dtype; /* of x; y has the same but for IS_NAN and IS_INF */
    float alpha, beta;
    float gamma; /* Selu only */
    bool fast;   /* vmath.h may be used */
};

/* ONNX operator name to op, and the attribute defaults of its newest version; Gelu gives
 * UNARY_GELU. false when not one of these. */
bool unary_find(const char *name, struct unary_args *a);

/* y[i] = op(x[i]) for begin <= i < end of whole buffers; y may be x when the types are the same.
 * KERNEL_TYPE. */
int kernel_unary(const struct unary_args *a, const void *x, void *y, int64_t begin, int64_t end);

/* Clip-13: y = min(max(x, low), high), floats and integers of 8 to 64 bits; low, high: one element
 * of the type, or NULL. When low is above high the result is high. NaN stays. */
int kernel_clip(enum dtype t, const void *x, void *y, const void *low, const void *high,
                int64_t begin, int64_t end);
#endif
