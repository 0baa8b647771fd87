/* Elementary functions against the C library's long double ones (64-bit mantissa or more): random
 * arguments of every exponent and of the interesting range, special values, identities. The limits
 * are those that math.h states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/float/math.h"

static uint64_t random_state = 0x2545F4914F6CDD1Du;
static uint64_t random_bits(void) /* xorshift64*, Vigna 2016 */
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

static double uniform(double low, double high)
{
    return low + (high - low) * (double)(random_bits() >> 11) * 0x1p-53;
}

static double any_double(void)
{
    uint64_t u = random_bits();
    double d;
    memcpy(&d, &u, sizeof d);
    return d;
}

static long double sigmoidl(long double x) { return 1 / (1 + expl(-x)); }
static long double softplusl(long double x)
{
    return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}

struct function {
    const char *name;
    double (*ours)(double);
    long double (*exact)(long double);
    double low, high; /* the range to be dense in */
    double limit;     /* ulp */
};

static const struct function FUNCTIONS[] = {
    {"exp", math_exp, expl, -745, 710, 0.9},
    {"expm1", math_expm1, expm1l, -3, 3, 1.5},
    {"log", math_log, logl, 0, 4, 0.9},
    {"log1p", math_log1p, log1pl, -1, 3, 0.9},
    {"sin", math_sin, sinl, -20, 20, 0.8},
    {"cos", math_cos, cosl, -20, 20, 0.8},
    {"tan", math_tan, tanl, -20, 20, 2.4},
    {"asin", math_asin, asinl, -1, 1, 0.9},
    {"acos", math_acos, acosl, -1, 1, 0.9},
    {"atan", math_atan, atanl, -8, 8, 0.9},
    {"sinh", math_sinh, sinhl, -25, 25, 2.2},
    {"cosh", math_cosh, coshl, -25, 25, 1.6},
    {"tanh", math_tanh, tanhl, -3, 3, 2.5},
    {"asinh", math_asinh, asinhl, -5, 5, 1.9},
    {"acosh", math_acosh, acoshl, 1, 10, 2.1},
    {"atanh", math_atanh, atanhl, -1, 1, 1.9},
    {"erf", math_erf, erfl, -6, 6, 1.3},
    {"erfc", math_erfc, erfcl, -3, 26, 4},
    {"sigmoid", math_sigmoid, sigmoidl, -40, 40, 2.5},
    {"softplus", math_softplus, softplusl, -40, 40, 1.6},
};
enum { N_FUNCTIONS = sizeof FUNCTIONS / sizeof FUNCTIONS[0] };

/* Distance in units of the last place of the double nearest the exact value. */
static double ulps(double got, long double exact)
{
    double near = (double)exact;
    if (isnan(near) || isinf(near))
        return (isnan(near) && isnan(got)) || got == near ? 0 : INFINITY;
    int e;
    frexp(near, &e);
    long double unit = ldexpl(1, (e < -1021 ? -1021 : e) - 53);
    double distance = (double)(fabsl((long double)got - exact) / unit);
    return fabs(near) < 0x1p-1022 && distance > 1 ? distance - 1
                                                  : distance; /* math.h: 1 ulp more there */
}

static void check(const struct function *f, double x, double *worst, double *at)
{
    double u = ulps(f->ours(x), f->exact((long double)x));
    if (!(u <= *worst)) {
        *worst = u;
        *at = x;
    }
}

static void test_accuracy(void **state)
{
    (void)state;
    static const double edges[] = {0.0,
                                   0x1p-1074,
                                   0x1p-1022,
                                   0x1p-30,
                                   0.25,
                                   0.34,
                                   0.4375,
                                   0.5,
                                   0.6875,
                                   0.7853981633974483,
                                   1,
                                   1.1875,
                                   1.5707963267948966,
                                   2.4375,
                                   3,
                                   22,
                                   40,
                                   0x1p28,
                                   700,
                                   709.78,
                                   745.13,
                                   1e22,
                                   1e300,
                                   6381956970095103.0 *
                                       0x1p797 /* the double nearest a multiple of pi/2 */,
                                   INFINITY};
    bool failed = false;
    for (const struct function *f = FUNCTIONS; f < FUNCTIONS + N_FUNCTIONS; f++) {
        double worst = 0, at = 0;
        for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
            for (int side = -1; side <= 1; side++) {
                double x = side ? nextafter(edges[i], side < 0 ? -INFINITY : INFINITY) : edges[i];
                check(f, x, &worst, &at);
                check(f, -x, &worst, &at);
            }
        for (int i = 0; i < 100000; i++) {
            check(f, uniform(f->low, f->high), &worst, &at);
            check(f, any_double(), &worst, &at);
            check(f, ldexp(uniform(-1, 1), (int)(random_bits() % 64) - 54), &worst, &at);
        }
        if (getenv("MATH_ERRORS"))
            print_message("%-9s %.3f ulp at %.17g\n", f->name, worst, at);
        failed |= !(worst <= f->limit);
        if (!(worst <= f->limit))
            print_error("%s: %.3f ulp at %.17g (%a), stated %.3f\n", f->name, worst, at, at,
                        f->limit);
    }
    assert_false(failed);
}

static void check_pow(double x, double y, double *worst)
{
    double u = ulps(math_pow(x, y), powl((long double)x, (long double)y));
    if (!(u <= 1.0))
        fail_msg("pow(%.17g, %.17g) = %.17g: %.3f ulp", x, y, math_pow(x, y), u);
    *worst = u > *worst ? u : *worst;
}

static void test_pow(void **state)
{
    (void)state;
    double worst = 0;
    for (int i = 0; i < 200000; i++) {
        double x = fabs(any_double());
        if (x > 0 && isfinite(x) && x != 1) {
            check_pow(x, uniform(-745, 709) / log(x), &worst);
            check_pow(x, any_double(), &worst);
        }
        check_pow(uniform(0, 4), uniform(-300, 300), &worst);
        check_pow(uniform(0.9, 1.1), uniform(-5000, 5000), &worst);
        check_pow(-uniform(0, 9), (double)(int)(random_bits() % 40) - 20, &worst);
    }
    if (getenv("MATH_ERRORS"))
        print_message("pow       %.3f ulp\n", worst);
    for (int b = 2; b <= 12; b++) /* exact results come out exact */
        for (int n = 0; pow(b, n) < 0x1p53; n++)
            assert_true(math_pow(b, n) == pow(b, n));
}

static void test_pow_special(void **state)
{
    (void)state;
    static const double v[] = {0.0,    -0.0,      0.5,      -0.5,      1,      -1,     2,
                               -2,     3,         -3,       1e300,     -1e300, 0x1p53, 0x1p53 - 1,
                               1e-300, 0x1p-1074, INFINITY, -INFINITY, NAN,    7,      -7.5};
    size_t n = sizeof v / sizeof v[0];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double got = math_pow(v[i], v[j]), want = pow(v[i], v[j]);
            if (isnan(want))
                assert_true(isnan(got));
            else if (want == 0 || isinf(want))
                assert_true(got == want && signbit(got) == signbit(want));
            else
                assert_true(ulps(got, (long double)want) <= 1.0);
        }
}

static void test_special(void **state)
{
    (void)state;
    for (const struct function *f = FUNCTIONS; f < FUNCTIONS + N_FUNCTIONS; f++) {
        assert_true(isnan(f->ours(NAN)));
        const double v[] = {0.0, -0.0, INFINITY, -INFINITY, 1, -1, 2, -2};
        for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
            double got = f->ours(v[i]), want = (double)f->exact((long double)v[i]);
            if (isnan(want))
                assert_true(isnan(got));
            else
                assert_true(signbit(got) == signbit(want) &&
                            (isinf(want) ? got == want : isfinite(got)));
        }
    }
    assert_true(math_sqrt(2) == sqrt(2) && math_sqrtf(3) == sqrtf(3));
}

/* Bits that must never change, on any machine: recorded from this code, checked against nothing but
 * themselves. */
static void test_same_bits(void **state)
{
    (void)state;
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    random_state = 42;
    for (const struct function *f = FUNCTIONS; f < FUNCTIONS + N_FUNCTIONS; f++)
        for (int i = 0; i < 2000; i++) {
            double y = f->ours(i % 2 ? any_double() : uniform(f->low, f->high));
            uint64_t u = 0;
            if (!isnan(y))
                memcpy(&u, &y, sizeof u);
            hash = (hash ^ u) * 1099511628211u;
        }
    assert_int_equal(hash, 0x9b544e7a69290147u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accuracy),    cmocka_unit_test(test_pow),
        cmocka_unit_test(test_pow_special), cmocka_unit_test(test_special),
        cmocka_unit_test(test_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
