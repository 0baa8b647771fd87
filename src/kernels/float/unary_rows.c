/* One row per operator: the loop in the type's own arithmetic, or the function of one double.
 * Formulas: unary.h. */
#include "kernels/float/unary_rows.h"

#include "kernels/float/math.h"
#include "kernels/float/vmath.h"

typedef void row_f32(const struct unary_args *a, const float *x, float *y, int64_t n);
typedef void row_f64(const struct unary_args *a, const double *x, double *y, int64_t n);

/* ---- loops in the type's own arithmetic; X is the element, alpha and beta the parameters ---- */

#define ROW(name, type, suffix, expression)                                                       \
    KERNEL_CLONES static void name##_##suffix(const struct unary_args *a, const type *x, type *y, \
                                              int64_t n)                                          \
    {                                                                                             \
        const type alpha = (type)a->alpha, beta = (type)a->beta;                                  \
        (void)alpha, (void)beta;                                                                  \
        KERNEL_INDEPENDENT for (int64_t i = 0; i < n; i++)                                        \
        {                                                                                         \
            const type X = x[i];                                                                  \
            y[i] = (expression);                                                                  \
        }                                                                                         \
    }

#define SATURATED(v) ((v) < 0 ? 0 : (v) > 1 ? 1 : (v)) /* a NaN passes */

#define SIMPLE_ROWS(type, suffix, f)                                 \
    ROW(row_abs, type, suffix, __builtin_fabs##f(X))                 \
    ROW(row_neg, type, suffix, -X)                                   \
    ROW(row_sign, type, suffix, X > 0 ? 1 : X < 0 ? -1 : X)          \
    ROW(row_relu, type, suffix, X < 0 ? 0 : X)                       \
    ROW(row_ceil, type, suffix, __builtin_ceil##f(X))                \
    ROW(row_floor, type, suffix, __builtin_floor##f(X))              \
    ROW(row_round, type, suffix, __builtin_rint##f(X))               \
    ROW(row_sqrt, type, suffix, __builtin_sqrt##f(X))                \
    ROW(row_reciprocal, type, suffix, 1 / X)                         \
    ROW(row_softsign, type, suffix, X / (1 + __builtin_fabs##f(X)))  \
    ROW(row_leaky_relu, type, suffix, X < 0 ? alpha * X : X)         \
    ROW(row_thresholded_relu, type, suffix, X > alpha ? X : 0)       \
    ROW(row_hard_sigmoid, type, suffix, SATURATED(alpha *X + beta))  \
    ROW(row_hard_swish, type, suffix, X *SATURATED(alpha *X + beta)) \
    ROW(row_shrink, type, suffix, X<-alpha ? X + beta : X> alpha ? X - beta : 0)

SIMPLE_ROWS(float, f32, f)
SIMPLE_ROWS(double, f64, )

/* ---- functions of one double; alpha etc. as doubles of the float attributes ---- */

static double mish(double x) { return x * math_tanh(math_softplus(x)); }
static double gelu(double x)
{
    return 0.5 * x * math_erfc(-x * 0x1.6a09e667f3bcdp-1);
} /* 1 + erf(t) = erfc(-t) */

static double gelu_tanh(double x)
{
    double inner = 0x1.9884533d43651p-1 * (x + 0.044715 * x * x * x); /* sqrt(2 / pi) */
    return 0.5 * x * (1 + math_tanh(inner));
}

typedef double plain(double x);
static plain *const PLAIN[UNARY_FLOAT_OPS] = {
    [UNARY_EXP] = math_exp,
    [UNARY_LOG] = math_log,
    [UNARY_SIN] = math_sin,
    [UNARY_COS] = math_cos,
    [UNARY_TAN] = math_tan,
    [UNARY_ASIN] = math_asin,
    [UNARY_ACOS] = math_acos,
    [UNARY_ATAN] = math_atan,
    [UNARY_SINH] = math_sinh,
    [UNARY_COSH] = math_cosh,
    [UNARY_TANH] = math_tanh,
    [UNARY_ASINH] = math_asinh,
    [UNARY_ACOSH] = math_acosh,
    [UNARY_ATANH] = math_atanh,
    [UNARY_ERF] = math_erf,
    [UNARY_SIGMOID] = math_sigmoid,
    [UNARY_SOFTPLUS] = math_softplus,
    [UNARY_MISH] = mish,
    [UNARY_GELU] = gelu,
    [UNARY_GELU_TANH] = gelu_tanh,
};

static double swish(const struct unary_args *a, double x)
{
    return x * math_sigmoid((double)a->alpha * x);
}
static double elu(const struct unary_args *a, double x)
{
    return x < 0 ? (double)a->alpha * math_expm1(x) : x;
}
static double selu(const struct unary_args *a, double x)
{
    return (double)a->gamma * (x > 0 ? x : (double)a->alpha * math_expm1(x));
}
static double celu(const struct unary_args *a, double x)
{
    return x > 0 ? x : (double)a->alpha * math_expm1(x / (double)a->alpha);
}

typedef double shaped(const struct unary_args *a, double x);
static shaped *const SHAPED[UNARY_FLOAT_OPS] = {
    [UNARY_SWISH] = swish, [UNARY_ELU] = elu, [UNARY_SELU] = selu, [UNARY_CELU] = celu};

/* ---- functions of float arrays, for the fast engine ---- */

typedef void array(const float *x, float *y, int64_t n);
static array *const ARRAY[UNARY_FLOAT_OPS] = {
    [UNARY_EXP] = vmath_exp,   [UNARY_LOG] = vmath_log,         [UNARY_TANH] = vmath_tanh,
    [UNARY_ERF] = vmath_erf,   [UNARY_SIGMOID] = vmath_sigmoid, [UNARY_SOFTPLUS] = vmath_softplus,
    [UNARY_MISH] = vmath_mish, [UNARY_GELU] = vmath_gelu,       [UNARY_GELU_TANH] = vmath_gelu_tanh,
};

#define SIMPLE_TABLE(suffix)                                                                    \
    {                                                                                           \
        [UNARY_ABS] = row_abs_##suffix, [UNARY_NEG] = row_neg_##suffix,                         \
        [UNARY_SIGN] = row_sign_##suffix, [UNARY_RELU] = row_relu_##suffix,                     \
        [UNARY_CEIL] = row_ceil_##suffix, [UNARY_FLOOR] = row_floor_##suffix,                   \
        [UNARY_ROUND] = row_round_##suffix, [UNARY_SQRT] = row_sqrt_##suffix,                   \
        [UNARY_RECIPROCAL] = row_reciprocal_##suffix, [UNARY_SOFTSIGN] = row_softsign_##suffix, \
        [UNARY_LEAKY_RELU] = row_leaky_relu_##suffix,                                           \
        [UNARY_THRESHOLDED_RELU] = row_thresholded_relu_##suffix,                               \
        [UNARY_HARD_SIGMOID] = row_hard_sigmoid_##suffix,                                       \
        [UNARY_HARD_SWISH] = row_hard_swish_##suffix, [UNARY_SHRINK] = row_shrink_##suffix      \
    }

static row_f32 *const SIMPLE_F32[UNARY_FLOAT_OPS] = SIMPLE_TABLE(f32);
static row_f64 *const SIMPLE_F64[UNARY_FLOAT_OPS] = SIMPLE_TABLE(f64);

void unary_f32(const struct unary_args *a, const float *x, float *y, int64_t n)
{
    if (SIMPLE_F32[a->op])
        SIMPLE_F32[a->op](a, x, y, n);
    else if (a->fast && a->op == UNARY_SWISH)
        vmath_swish(x, y, n, a->alpha);
    else if (a->fast && ARRAY[a->op])
        ARRAY[a->op](x, y, n);
    else if (PLAIN[a->op])
        for (int64_t i = 0; i < n; i++)
            y[i] = (float)PLAIN[a->op]((double)x[i]);
    else
        for (int64_t i = 0; i < n; i++)
            y[i] = (float)SHAPED[a->op](a, (double)x[i]);
}

void unary_f64(const struct unary_args *a, const double *x, double *y, int64_t n)
{
    if (SIMPLE_F64[a->op])
        SIMPLE_F64[a->op](a, x, y, n);
    else if (PLAIN[a->op])
        for (int64_t i = 0; i < n; i++)
            y[i] = PLAIN[a->op](x[i]);
    else
        for (int64_t i = 0; i < n; i++)
            y[i] = SHAPED[a->op](a, x[i]);
}
