/* The vector functions against the exact ones on floats of every exponent (one in 1021 of all of
 * them), within the limits that vmath.h states for all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/float/math.h"
#include "kernels/float/vmath.h"

enum { BLOCK = 4096, STEP = 1021 };

struct function {
    const char *name;
    void (*ours)(const float *, float *, int64_t);
    double (*exact)(double);
    double limit; /* ulp */
};

static const struct function FUNCTIONS[] = {
    {"exp", vmath_exp, math_exp, 0.9},    {"log", vmath_log, math_log, 0.9},
    {"tanh", vmath_tanh, math_tanh, 1.4}, {"sigmoid", vmath_sigmoid, math_sigmoid, 1.4},
    {"erf", vmath_erf, math_erf, 1.4},    {"softplus", vmath_softplus, math_softplus, 2.0},
};
enum { N_FUNCTIONS = sizeof FUNCTIONS / sizeof FUNCTIONS[0] };

/* The next floats of the sweep over all bit patterns; 0 at its end. */
static int64_t sweep(float *x, uint64_t *next)
{
    int64_t n = 0;
    for (; n < BLOCK && *next < (uint64_t)1 << 32; *next += STEP) {
        uint32_t bits = (uint32_t)*next;
        memcpy(x + n++, &bits, sizeof bits);
    }
    return n;
}

/* In units of the last place of the float nearest the exact value. */
static double ulps(float got, double exact)
{
    float near = (float)exact;
    if (isnan(exact))
        return isnan(got) ? 0 : INFINITY;
    if (isinf(near))
        return got == near || fabsf(got) >= 3.4028234e38f ? 0 : INFINITY;
    int e = -200;
    if (near != 0)
        frexp((double)near, &e);
    return fabs((double)got - exact) / ldexp(1, (e < -125 ? -125 : e) - 24);
}

static void test_accuracy(void **state)
{
    (void)state;
    static float x[BLOCK], y[BLOCK];
    for (const struct function *f = FUNCTIONS; f < FUNCTIONS + N_FUNCTIONS; f++) {
        uint64_t next = 0;
        for (int64_t n; (n = sweep(x, &next)) > 0;) {
            f->ours(x, y, n);
            for (int64_t i = 0; i < n; i++)
                if (!(ulps(y[i], f->exact((double)x[i])) <= f->limit))
                    fail_msg("%s(%a) = %a, off by %.3f ulp", f->name, (double)x[i], (double)y[i],
                             ulps(y[i], f->exact((double)x[i])));
        }
    }
}

static void test_special(void **state)
{
    (void)state;
    static const float in[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1, -1, 1e-45f, -1e-45f};
    enum { N = sizeof in / sizeof in[0] };
    float y[N];
    for (const struct function *f = FUNCTIONS; f < FUNCTIONS + N_FUNCTIONS; f++) {
        f->ours(in, y, N);
        for (int i = 0; i < N; i++) {
            float want = (float)f->exact((double)in[i]);
            if (isnan(want))
                assert_true(isnan(y[i]));
            else if (want == 0 || isinf(want))
                assert_true(y[i] == want && signbit(y[i]) == signbit(want));
        }
    }
}

static double exact_gelu(double x) { return 0.5 * x * math_erfc(-x * 0.70710678118654752); }
static double exact_gelu_tanh(double x)
{
    return 0.5 * x * (1 + math_tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
}
static double exact_mish(double x) { return x * math_tanh(math_softplus(x)); }
static double exact_swish(double x) { return x * math_sigmoid(1.5 * x); }
static void swish(const float *x, float *y, int64_t n) { vmath_swish(x, y, n, 1.5f); }
static double exact_minus(double x) { return math_exp((double)((float)x - 3)); }
static void exp_minus(const float *x, float *y, int64_t n) { vmath_exp_minus(x, y, n, 3); }

/* Composed functions: |error| <= absolute * |x| + relative * |y|, for |x| <= 100. */
static void test_composed(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*ours)(const float *, float *, int64_t);
        double (*exact)(double);
        double absolute, relative;
    } rows[] = {
        {"gelu", vmath_gelu, exact_gelu, 0x1p-24, 3 * 0x1p-24},
        {"gelu_tanh", vmath_gelu_tanh, exact_gelu_tanh, 0x1p-23, 4 * 0x1p-24},
        {"mish", vmath_mish, exact_mish, 0, 8 * 0x1p-24},
        {"swish", swish, exact_swish, 0,
         140 * 0x1p-24}, /* 1.5 x is rounded: up to 150 / 2 units of relative error */
        {"exp_minus", exp_minus, exact_minus, 0, 2 * 0x1p-24},
    };
    static float x[BLOCK], y[BLOCK];
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        uint64_t next = 0;
        for (int64_t n; (n = sweep(x, &next)) > 0;) {
            rows[k].ours(x, y, n);
            for (int64_t i = 0; i < n; i++) {
                double want = rows[k].exact((double)x[i]);
                if (!(fabsf(x[i]) <= 100) || fabs(want) < 0x1p-110 || fabs(want) > 3e38)
                    continue;
                double allowed =
                    rows[k].absolute * fabs((double)x[i]) + rows[k].relative * fabs(want);
                if (!(fabs((double)y[i] - want) <= allowed))
                    fail_msg("%s(%a) = %a, want %a", rows[k].name, (double)x[i], (double)y[i],
                             want);
            }
        }
    }
}

/* The same bits whatever the place in the array, and in place. */
static void test_split(void **state)
{
    (void)state;
    static float x[BLOCK], whole[BLOCK], parts[BLOCK];
    uint64_t next = (uint64_t)0x3E000000;
    assert_int_equal(sweep(x, &next), BLOCK);
    for (const struct function *f = FUNCTIONS; f < FUNCTIONS + N_FUNCTIONS; f++) {
        f->ours(x, whole, BLOCK);
        memcpy(parts, x, sizeof x);
        for (int64_t at = 0, n = 1; at < BLOCK; at += n, n = n % 37 + 1)
            f->ours(parts + at, parts + at, at + n < BLOCK ? n : BLOCK - at);
        assert_memory_equal(whole, parts, sizeof whole);
    }
}

/* Recorded: the bits must not depend on compiler, optimisation or vector width. */
static void test_same_bits(void **state)
{
    (void)state;
    static float x[BLOCK], y[BLOCK];
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const struct function *f = FUNCTIONS; f < FUNCTIONS + N_FUNCTIONS; f++) {
        uint64_t next = 0;
        for (int64_t n; (n = sweep(x, &next)) > 0;) {
            f->ours(x, y, n);
            for (int64_t i = 0; i < n; i++) {
                uint32_t bits = 0;
                if (!isnan(y[i]))
                    memcpy(&bits, y + i, sizeof bits);
                hash = (hash ^ bits) * 1099511628211u;
            }
        }
    }
    assert_int_equal(hash, 0x709df804d71b196eu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accuracy),  cmocka_unit_test(test_special),
        cmocka_unit_test(test_composed),  cmocka_unit_test(test_split),
        cmocka_unit_test(test_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
