/* One-input operators: hand-computed values, NaN, every type, in place, parts, and the fast forms
 * beside the exact ones. */
#include "kernel_test.h"

#include "base/num.h"
#include "kernels/float/math.h"
#include "kernels/float/unary.h"

static struct unary_args named(const char *name, enum dtype t)
{
    struct unary_args a = {.dtype = t};
    assert_true(unary_find(name, &a));
    return a;
}

static float one(struct unary_args a, float x)
{
    float y = 99;
    assert_int_equal(kernel_unary(&a, &x, &y, 0, 1), KERNEL_OK);
    return y;
}

static void test_float_values(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        float x, y;
    } rows[] = {
        {"Abs", -2.5f, 2.5f},
        {"Neg", 3, -3},
        {"Sign", -7, -1},
        {"Sign", 0, 0},
        {"Sign", 2, 1},
        {"Relu", -1, 0},
        {"Relu", 4, 4},
        {"Ceil", -1.5f, -1},
        {"Floor", -1.5f, -2},
        {"Round", 0.5f, 0},
        {"Round", 1.5f, 2},
        {"Round", 2.5f, 2},
        {"Round", -2.5f, -2},
        {"Round", -3.7f, -4},
        {"Sqrt", 9, 3},
        {"Reciprocal", 4, 0.25f},
        {"Exp", 0, 1},
        {"Log", 1, 0},
        {"Softsign", -1, -0.5f},
        {"LeakyRelu", -100, -1},
        {"LeakyRelu", 3, 3},
        {"ThresholdedRelu", 1, 0},
        {"ThresholdedRelu", 1.5f, 1.5f},
        {"HardSigmoid", 10, 1},
        {"HardSigmoid", -10, 0},
        {"HardSigmoid", 0, 0.5f},
        {"HardSwish", 3, 3},
        {"HardSwish", -3, 0},
        {"HardSwish", 0, 0},
        {"Shrink", 0.4f, 0},
        {"Shrink", 2, 2},
        {"Sigmoid", 0, 0.5f},
        {"Elu", 5, 5},
        {"Celu", 5, 5},
        {"Swish", 0, 0},
        {"Gelu", 0, 0},
        {"Tanh", 0, 0},
        {"Erf", 0, 0},
        {"Mish", 0, 0},
        {"Softplus", -200, 0},
        {"Softplus", 200, 200},
    };
    for (int64_t i = 0; i < COUNT(rows); i++) {
        float y = one(named(rows[i].name, DT_FLOAT), rows[i].x);
        if (y != rows[i].y)
            fail_msg("%s(%g) = %g, want %g", rows[i].name, (double)rows[i].x, (double)y,
                     (double)rows[i].y);
    }
}

/* The operators' formulas, written once more in double with the C library. */
static double formula(const char *name, double x, const struct unary_args *a)
{
    double alpha = (double)a->alpha, gamma = (double)a->gamma;
    static const struct {
        const char *name;
        double (*f)(double);
    } plain[] = {{"Exp", exp},     {"Log", log},     {"Sin", sin},   {"Cos", cos},
                 {"Tan", tan},     {"Asin", asin},   {"Acos", acos}, {"Atan", atan},
                 {"Sinh", sinh},   {"Cosh", cosh},   {"Tanh", tanh}, {"Asinh", asinh},
                 {"Acosh", acosh}, {"Atanh", atanh}, {"Erf", erf}};
    for (int64_t i = 0; i < COUNT(plain); i++)
        if (!strcmp(plain[i].name, name))
            return plain[i].f(x);
    if (!strcmp(name, "Sigmoid"))
        return 1 / (1 + exp(-x));
    if (!strcmp(name, "Softplus"))
        return log1p(exp(x));
    if (!strcmp(name, "Mish"))
        return x * tanh(log1p(exp(x)));
    if (!strcmp(name, "Gelu"))
        return 0.5 * x * erfc(-x / sqrt(2));
    if (!strcmp(name, "Swish"))
        return x / (1 + exp(-alpha * x));
    if (!strcmp(name, "Elu"))
        return x < 0 ? alpha * expm1(x) : x;
    if (!strcmp(name, "Selu"))
        return x > 0 ? gamma * x : gamma * alpha * expm1(x);
    return fmax(0, x) + fmin(0, alpha * expm1(x / alpha)); /* Celu */
}

static void test_functions(void **state)
{
    (void)state;
    static const char *const names[] = {"Exp",   "Log",   "Sin",  "Cos",     "Tan",      "Asin",
                                        "Acos",  "Atan",  "Sinh", "Cosh",    "Tanh",     "Asinh",
                                        "Acosh", "Atanh", "Erf",  "Sigmoid", "Softplus", "Mish",
                                        "Gelu",  "Swish", "Elu",  "Selu",    "Celu"};
    for (int64_t k = 0; k < COUNT(names); k++)
        for (int fast = 0; fast < 2; fast++)
            for (int i = 0; i < 2000; i++) {
                struct unary_args a = named(names[k], DT_FLOAT);
                a.fast = fast;
                float x = (float)random_between(-4, 4), y = one(a, x);
                double want = formula(names[k], (double)x, &a),
                       allowed = (fast ? 0x1p-21 : 0x1.02p-24) * fabs(want);
                if (isnan(want) ? !isnan(y)
                                : !(fabs((double)y - want) <= allowed + (fast ? 0x1p-22 : 0)))
                    fail_msg("%s(%g) = %g, want %g", names[k], (double)x, (double)y, want);
                double dx = (double)x, dy;
                a.dtype = DT_DOUBLE;
                assert_int_equal(kernel_unary(&a, &dx, &dy, 0, 1), KERNEL_OK);
                assert_true(isnan(want) ? isnan(dy)
                                        : fabs(dy - want) <= 64 * 0x1p-53 * fabs(want) + 0x1p-60);
            }
}

static void test_gelu_tanh(void **state)
{
    (void)state;
    struct unary_args a = {.op = UNARY_GELU_TANH, .dtype = DT_FLOAT};
    for (double x = -5; x <= 5; x += 0.125) {
        double want = 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
        a.fast = false;
        assert_true(fabs((double)one(a, (float)x) - want) <= 0x1p-23 * fabs(want));
        a.fast = true;
        assert_true(fabs((double)one(a, (float)x) - want) <= 0x1p-22 * fabs(x));
    }
}

static void test_nan(void **state)
{
    (void)state;
    for (int op = 0; op < UNARY_FLOAT_OPS; op++)
        for (int fast = 0; fast < 2; fast++) {
            struct unary_args a = {.op = (enum unary_op)op,
                                   .dtype = DT_FLOAT,
                                   .alpha = 0.5f,
                                   .beta = 0.25f,
                                   .gamma = 1,
                                   .fast = fast};
            float y = one(a, NAN);
            assert_true(op == UNARY_THRESHOLDED_RELU || op == UNARY_SHRINK ? y == 0 : isnan(y));
        }
}

/* Halves: the float result rounded once. All 65536 values of both types. */
static void test_half(void **state)
{
    (void)state;
    static uint16_t x[65536], y[65536];
    for (int i = 0; i < 65536; i++)
        x[i] = (uint16_t)i;
    static const char *const names[] = {"Relu", "Sqrt", "Tanh", "Round", "Exp"};
    for (int64_t k = 0; k < COUNT(names); k++) {
        struct unary_args a = named(names[k], DT_FLOAT16);
        assert_int_equal(kernel_unary(&a, x, y, 0, 65536), KERNEL_OK);
        for (int i = 0; i < 65536; i++)
            assert_int_equal(y[i], num_to_f16(one(named(names[k], DT_FLOAT), num_from_f16(x[i]))));
        a.dtype = DT_BFLOAT16;
        assert_int_equal(kernel_unary(&a, x, y, 0, 65536), KERNEL_OK);
        for (int i = 0; i < 65536; i++)
            assert_int_equal(y[i],
                             num_to_bf16(one(named(names[k], DT_FLOAT), num_from_bf16(x[i]))));
    }
}

static void test_integers(void **state)
{
    (void)state;
    int8_t x[] = {-128, -5, 0, 7}, y[4];
    struct unary_args a = named("Abs", DT_INT8);
    assert_int_equal(kernel_unary(&a, x, y, 0, 4), KERNEL_OK);
    assert_memory_equal(y, ((int8_t[]){-128, 5, 0, 7}), 4);
    a = named("Neg", DT_INT8);
    assert_int_equal(kernel_unary(&a, x, y, 1, 4), KERNEL_OK);
    assert_memory_equal(y, ((int8_t[]){-128, 5, 0, -7}), 4); /* element 0 is outside the range */
    a = named("BitwiseNot", DT_INT8);
    assert_int_equal(kernel_unary(&a, x, x, 0, 4), KERNEL_OK);
    assert_memory_equal(x, ((int8_t[]){127, 4, -1, -8}), 4);
    uint64_t big[] = {UINT64_MAX, 0}, out[2];
    a = named("Sign", DT_UINT64);
    assert_int_equal(kernel_unary(&a, big, out, 0, 2), KERNEL_OK);
    assert_true(out[0] == 1 && out[1] == 0);
    a = named("Abs", DT_UINT64);
    assert_int_equal(kernel_unary(&a, big, out, 0, 2), KERNEL_OK);
    assert_true(out[0] == UINT64_MAX);
    a = named("Relu", DT_INT32);
    int32_t r[] = {-3, 3};
    assert_int_equal(kernel_unary(&a, r, r, 0, 2), KERNEL_OK);
    assert_true(r[0] == 0 && r[1] == 3);
    a = named("Exp", DT_INT32);
    assert_int_equal(kernel_unary(&a, r, r, 0, 2), KERNEL_TYPE);
    a = named("Abs", DT_BOOL);
    assert_int_equal(kernel_unary(&a, r, r, 0, 2), KERNEL_TYPE);
}

static void test_tests(void **state)
{
    (void)state;
    float x[] = {NAN, INFINITY, -INFINITY, 1};
    uint8_t y[4], f8[] = {0x7C, 0x7F, 0xFC, 0};
    struct unary_args a = named("IsNaN", DT_FLOAT);
    assert_int_equal(kernel_unary(&a, x, y, 0, 4), KERNEL_OK);
    assert_memory_equal(y, ((uint8_t[]){1, 0, 0, 0}), 4);
    a = named("IsInf", DT_FLOAT);
    assert_int_equal(kernel_unary(&a, x, y, 0, 4), KERNEL_OK);
    assert_memory_equal(y, ((uint8_t[]){0, 1, 1, 0}), 4);
    a.beta = 0;
    assert_int_equal(kernel_unary(&a, x, y, 0, 4), KERNEL_OK);
    assert_memory_equal(y, ((uint8_t[]){0, 1, 0, 0}), 4);
    a = named("IsInf", DT_FLOAT8E5M2);
    assert_int_equal(kernel_unary(&a, f8, y, 0, 4), KERNEL_OK);
    assert_memory_equal(y, ((uint8_t[]){1, 0, 1, 0}), 4);
    a = named("Not", DT_BOOL);
    assert_int_equal(kernel_unary(&a, y, y, 0, 4), KERNEL_OK);
    assert_memory_equal(y, ((uint8_t[]){0, 1, 0, 1}), 4);
}

static void test_parts(void **state)
{
    (void)state;
    enum { N = 3000 };
    static float x[N], whole[N], parts[N];
    for (int i = 0; i < N; i++)
        x[i] = (float)random_between(-6, 6);
    for (int op = 0; op < UNARY_FLOAT_OPS; op++)
        for (int fast = 0; fast < 2; fast++) {
            struct unary_args a = {.op = (enum unary_op)op,
                                   .dtype = DT_FLOAT,
                                   .alpha = 0.5f,
                                   .gamma = 1,
                                   .fast = fast};
            kernel_unary(&a, x, whole, 0, N);
            memcpy(parts, x, sizeof x);
            for (int64_t at = 0, n = 1; at < N; at += n, n = n * 3 % 101 + 1)
                kernel_unary(&a, parts, parts, at, at + n < N ? at + n : N);
            for (int i = 0; i < N; i++)
                assert_true(same_float(whole[i], parts[i]));
        }
}

static void test_clip(void **state)
{
    (void)state;
    float x[] = {-3, NAN, 0.5f, 9}, y[4], low = -1, high = 2;
    assert_int_equal(kernel_clip(DT_FLOAT, x, y, &low, &high, 0, 4), KERNEL_OK);
    assert_true(y[0] == -1 && isnan(y[1]) && y[2] == 0.5f && y[3] == 2);
    assert_int_equal(kernel_clip(DT_FLOAT, x, y, NULL, &low, 0, 4), KERNEL_OK);
    assert_true(y[0] == -3 && y[3] == -1);
    assert_int_equal(kernel_clip(DT_FLOAT, x, y, &high, &low, 0, 4),
                     KERNEL_OK); /* crossed: the high one wins */
    assert_true(y[0] == -1 && y[3] == -1);
    uint8_t u[] = {0, 100, 255}, ul = 10, uh = 200;
    assert_int_equal(kernel_clip(DT_UINT8, u, u, &ul, &uh, 0, 3), KERNEL_OK);
    assert_memory_equal(u, ((uint8_t[]){10, 100, 200}), 3);
    uint16_t h[] = {num_to_f16(-3), num_to_f16(3)}, hl = num_to_f16(-1);
    assert_int_equal(kernel_clip(DT_FLOAT16, h, h, &hl, NULL, 0, 2), KERNEL_OK);
    assert_true(num_from_f16(h[0]) == -1 && num_from_f16(h[1]) == 3);
    assert_int_equal(kernel_clip(DT_BOOL, u, u, &ul, &uh, 0, 3), KERNEL_TYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_float_values), cmocka_unit_test(test_functions),
        cmocka_unit_test(test_gelu_tanh),    cmocka_unit_test(test_nan),
        cmocka_unit_test(test_half),         cmocka_unit_test(test_integers),
        cmocka_unit_test(test_tests),        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_clip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
