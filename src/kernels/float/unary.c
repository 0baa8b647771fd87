/* Dispatch of the one-input operators, and their integer forms. The float forms are rows in
 * unary_rows.c. */
#include "kernels/float/unary.h"

#include <string.h>

#include "base/num.h"
#include "kernels/float/block.h"
#include "kernels/float/unary_rows.h"

/* Names and the attribute defaults of the newest operator versions. */
static const struct {
    const char *name;
    enum unary_op op;
    float alpha, beta, gamma;
} NAMES[] = {
    {"Abs", UNARY_ABS, 0, 0, 0},
    {"Acos", UNARY_ACOS, 0, 0, 0},
    {"Acosh", UNARY_ACOSH, 0, 0, 0},
    {"Asin", UNARY_ASIN, 0, 0, 0},
    {"Asinh", UNARY_ASINH, 0, 0, 0},
    {"Atan", UNARY_ATAN, 0, 0, 0},
    {"Atanh", UNARY_ATANH, 0, 0, 0},
    {"BitwiseNot", UNARY_BITWISE_NOT, 0, 0, 0},
    {"Ceil", UNARY_CEIL, 0, 0, 0},
    {"Celu", UNARY_CELU, 1, 0, 0},
    {"Cos", UNARY_COS, 0, 0, 0},
    {"Cosh", UNARY_COSH, 0, 0, 0},
    {"Elu", UNARY_ELU, 1, 0, 0},
    {"Erf", UNARY_ERF, 0, 0, 0},
    {"Exp", UNARY_EXP, 0, 0, 0},
    {"Floor", UNARY_FLOOR, 0, 0, 0},
    {"Gelu", UNARY_GELU, 0, 0, 0},
    {"HardSigmoid", UNARY_HARD_SIGMOID, 0.2f, 0.5f, 0},
    {"HardSwish", UNARY_HARD_SWISH, 1.0f / 6, 0.5f, 0},
    {"IsInf", UNARY_IS_INF, 1, 1, 0},
    {"IsNaN", UNARY_IS_NAN, 0, 0, 0},
    {"LeakyRelu", UNARY_LEAKY_RELU, 0.01f, 0, 0},
    {"Log", UNARY_LOG, 0, 0, 0},
    {"Mish", UNARY_MISH, 0, 0, 0},
    {"Neg", UNARY_NEG, 0, 0, 0},
    {"Not", UNARY_NOT, 0, 0, 0},
    {"Reciprocal", UNARY_RECIPROCAL, 0, 0, 0},
    {"Relu", UNARY_RELU, 0, 0, 0},
    {"Round", UNARY_ROUND, 0, 0, 0},
    /* the constants of Klambauer et al. 2017 as Selu-6 gives them */
    {"Selu", UNARY_SELU, 1.67326319217681884765625f, 0, 1.05070102214813232421875f},
    {"Shrink", UNARY_SHRINK, 0.5f, 0, 0},
    {"Sigmoid", UNARY_SIGMOID, 0, 0, 0},
    {"Sign", UNARY_SIGN, 0, 0, 0},
    {"Sin", UNARY_SIN, 0, 0, 0},
    {"Sinh", UNARY_SINH, 0, 0, 0},
    {"Softplus", UNARY_SOFTPLUS, 0, 0, 0},
    {"Softsign", UNARY_SOFTSIGN, 0, 0, 0},
    {"Sqrt", UNARY_SQRT, 0, 0, 0},
    {"Swish", UNARY_SWISH, 1, 0, 0},
    {"Tan", UNARY_TAN, 0, 0, 0},
    {"Tanh", UNARY_TANH, 0, 0, 0},
    {"ThresholdedRelu", UNARY_THRESHOLDED_RELU, 1, 0, 0},
};

bool unary_find(const char *name, struct unary_args *a)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (!strcmp(NAMES[i].name, name)) {
            a->op = NAMES[i].op;
            a->alpha = NAMES[i].alpha;
            a->beta = NAMES[i].beta;
            a->gamma = NAMES[i].gamma;
            return true;
        }
    return false;
}

/* float16 and bfloat16: a block at a time through float. */
static void run_half(const struct unary_args *a, const void *x, void *y, int64_t begin, int64_t end)
{
    float buffer[BLOCK];
    for (int64_t at = begin; at < end; at += BLOCK) {
        int64_t n = end - at < BLOCK ? end - at : BLOCK;
        block_load_f32(a->dtype, x, at, 1, buffer, n);
        unary_f32(a, buffer, buffer, n);
        block_store_f32(a->dtype, y, at, buffer, n);
    }
}

static int64_t int_result(enum unary_op op, int64_t v, bool wide_unsigned)
{
    switch ((int)op) {
    case UNARY_ABS:
        return v < 0 && !wide_unsigned ? (int64_t)(0 - (uint64_t)v) : v;
    case UNARY_NEG:
        return (int64_t)(0 - (uint64_t)v);
    case UNARY_SIGN:
        return wide_unsigned ? v != 0 : (v > 0) - (v < 0);
    case UNARY_RELU:
        return v < 0 && !wide_unsigned ? 0 : v;
    default:
        return ~v; /* BitwiseNot */
    }
}

static int run_int(const struct unary_args *a, const void *x, void *y, int64_t begin, int64_t end)
{
    int64_t buffer[BLOCK];
    if (a->op > UNARY_RELU && a->op != UNARY_BITWISE_NOT)
        return KERNEL_TYPE;
    for (int64_t at = begin; at < end; at += BLOCK) {
        int64_t n = end - at < BLOCK ? end - at : BLOCK;
        block_load_int(a->dtype, x, at, buffer, n);
        for (int64_t i = 0; i < n; i++)
            buffer[i] = int_result(a->op, buffer[i], a->dtype == DT_UINT64);
        block_store_int(a->dtype, y, at, buffer, n, false);
    }
    return KERNEL_OK;
}

static int run_not(const uint8_t *x, uint8_t *y, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        y[i] = !x[i];
    return KERNEL_OK;
}

/* IsNaN, IsInf. A float8e4m3fn or FNUZ value is never infinite. */
static int run_test(const struct unary_args *a, const void *x, uint8_t *y, int64_t begin,
                    int64_t end)
{
    double buffer[BLOCK];
    const double inf = (double)__builtin_inf();
    for (int64_t at = begin; at < end; at += BLOCK) {
        int64_t n = end - at < BLOCK ? end - at : BLOCK;
        block_load_f64(a->dtype, x, at, buffer, n);
        for (int64_t i = 0; i < n; i++)
            y[at + i] =
                a->op == UNARY_IS_NAN
                    ? buffer[i] != buffer[i] /* exact: only a NaN differs from itself */
                    : (a->alpha != 0 && buffer[i] == inf) || (a->beta != 0 && buffer[i] == -inf);
    }
    return KERNEL_OK;
}

int kernel_unary(const struct unary_args *a, const void *x, void *y, int64_t begin, int64_t end)
{
    if (a->op == UNARY_NOT)
        return a->dtype == DT_BOOL ? run_not(x, y, begin, end) : KERNEL_TYPE;
    if (a->op == UNARY_IS_NAN || a->op == UNARY_IS_INF)
        return dtype_is_float(a->dtype) ? run_test(a, x, y, begin, end) : KERNEL_TYPE;
    if (dtype_is_int(a->dtype))
        return run_int(a, x, y, begin, end);
    if (a->op >= UNARY_FLOAT_OPS)
        return KERNEL_TYPE;
    if (a->dtype == DT_FLOAT)
        unary_f32(a, (const float *)x + begin, (float *)y + begin, end - begin);
    else if (a->dtype == DT_DOUBLE)
        unary_f64(a, (const double *)x + begin, (double *)y + begin, end - begin);
    else if (block_half(a->dtype))
        run_half(a, x, y, begin, end);
    else
        return KERNEL_TYPE;
    return KERNEL_OK;
}

#define CLIP(type)                                                  \
    do {                                                            \
        const type *from_ = (const type *)x;                        \
        type *to_ = (type *)y, low_ = low ? *(const type *)low : 0, \
             high_ = high ? *(const type *)high : 0;                \
        KERNEL_INDEPENDENT for (int64_t i = begin; i < end; i++)    \
        {                                                           \
            type v_ = from_[i];                                     \
            v_ = low && v_ < low_ ? low_ : v_;                      \
            to_[i] = high && v_ > high_ ? high_ : v_;               \
        }                                                           \
        return KERNEL_OK;                                           \
    } while (0)

static int clip_half(enum dtype t, const void *x, void *y, const void *low, const void *high,
                     int64_t begin, int64_t end)
{
    float buffer[BLOCK], bounds[2] = {0};
    if (low)
        block_load_f32(t, low, 0, 1, &bounds[0], 1);
    if (high)
        block_load_f32(t, high, 0, 1, &bounds[1], 1);
    for (int64_t at = begin; at < end; at += BLOCK) {
        int64_t n = end - at < BLOCK ? end - at : BLOCK;
        block_load_f32(t, x, at, 1, buffer, n);
        kernel_clip(DT_FLOAT, buffer, buffer, low ? &bounds[0] : NULL, high ? &bounds[1] : NULL, 0,
                    n);
        block_store_f32(t, y, at, buffer, n);
    }
    return KERNEL_OK;
}

int kernel_clip(enum dtype t, const void *x, void *y, const void *low, const void *high,
                int64_t begin, int64_t end)
{
    switch ((int)t) {
    case DT_FLOAT:
        CLIP(float);
    case DT_DOUBLE:
        CLIP(double);
    case DT_INT8:
        CLIP(int8_t);
    case DT_UINT8:
        CLIP(uint8_t);
    case DT_INT16:
        CLIP(int16_t);
    case DT_UINT16:
        CLIP(uint16_t);
    case DT_INT32:
        CLIP(int32_t);
    case DT_UINT32:
        CLIP(uint32_t);
    case DT_INT64:
        CLIP(int64_t);
    case DT_UINT64:
        CLIP(uint64_t);
    case DT_FLOAT16:
    case DT_BFLOAT16:
        return clip_half(t, x, y, low, high, begin, end);
    default:
        return KERNEL_TYPE;
    }
}
