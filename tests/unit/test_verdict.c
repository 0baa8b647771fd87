/* When an output counts as the same: bits, the bound of reassociating passes, other forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/num.h"
#include "report/verdict.h"

static struct arena *arena;

static struct tensor *numbers(enum dtype dtype, double a, double b)
{
    int64_t two = 2;
    struct tensor *t = tensor_new(arena, dtype, 1, &two);
    num_set(tensor_writable(t), dtype, 0, a);
    num_set(tensor_writable(t), dtype, 1, b);
    return t;
}

static struct verified_output judged(enum pass_class class, const struct tensor *a,
                                     const struct tensor *b, const struct tensor *truth)
{
    struct verified_output o;
    verdict_begin(&o, "y");
    verdict_add(&o, class, a, b, truth);
    return o;
}

static void test_exact(void **state)
{
    (void)state;
    struct tensor *a = numbers(DT_FLOAT, 1, 0), *zero = numbers(DT_FLOAT, 1, -0.0);
    assert_true(judged(PASS_EXACT, a, a, NULL).passed);
    struct verified_output o = judged(PASS_EXACT, a, zero, NULL);
    assert_false(o.passed); /* the sign of zero is a bit too */
    assert_false(o.same);
    assert_true(judged(PASS_REASSOC, a, zero, NULL).passed);
    a = numbers(DT_FLOAT, NAN, INFINITY);
    assert_true(judged(PASS_EXACT, a, a, NULL).passed);
}

static void test_reassoc(void **state)
{
    (void)state;
    struct tensor *a = numbers(DT_FLOAT, 100, 1), *near = numbers(DT_FLOAT, 100, 1.0009);
    struct tensor *far = numbers(DT_FLOAT, 100, 1.0011);
    assert_true(judged(PASS_REASSOC, a, near, NULL).passed); /* 1e-5 of 100 */
    assert_false(judged(PASS_REASSOC, a, far, NULL).passed);
    assert_true(judged(PASS_LOSSY, a, far, NULL).passed);
    /* The truth says that the original was as far off itself. */
    struct tensor *truth = numbers(DT_DOUBLE, 100, 1.0022);
    struct verified_output o = judged(PASS_REASSOC, a, far, truth);
    assert_true(o.passed);
    assert_true(fabs(o.own - 0.0022) < 1e-6 && fabs(o.allowed - 0.0044) < 1e-6);
    truth = numbers(DT_DOUBLE, 100, 1.00001);
    assert_false(judged(PASS_REASSOC, a, far, truth).passed);
    truth = numbers(DT_DOUBLE, 100, INFINITY); /* what infinity becomes depends on the order */
    assert_true(judged(PASS_REASSOC, a, far, truth).passed);
    assert_false(judged(PASS_REASSOC, a, numbers(DT_FLOAT, 100, NAN), NULL).passed);
}

static void test_form(void **state)
{
    (void)state;
    int64_t dims[2] = {1, 2};
    struct tensor *a = numbers(DT_FLOAT, 1, 2), *wide = numbers(DT_DOUBLE, 1, 2);
    struct tensor *other = tensor_view(arena, DT_FLOAT, 2, dims, a->data);
    assert_false(judged(PASS_LOSSY, a, other, NULL).passed);
    assert_false(judged(PASS_LOSSY, a, wide, NULL).passed);
    struct tensor *text = tensor_new(arena, DT_STRING, 0, NULL);
    struct verified_output o = judged(PASS_EXACT, text, text, NULL);
    assert_true(o.passed);
    assert_false(o.compared);
}

/* The figures are those of the sample that comes nearest to failing. */
static void test_worst_sample(void **state)
{
    (void)state;
    struct verified_output o;
    struct tensor *a = numbers(DT_FLOAT, 1000, 0), *b = numbers(DT_FLOAT, 1000, 0.001);
    struct tensor *c = numbers(DT_FLOAT, 1, 0), *d = numbers(DT_FLOAT, 1, 0.0005);
    verdict_begin(&o, "y");
    verdict_add(&o, PASS_REASSOC, a, b, NULL);
    assert_true(o.passed);
    verdict_add(&o, PASS_REASSOC, c, d, NULL);
    assert_false(o.passed);
    assert_true(fabs(o.error - 0.0005) < 1e-9 && fabs(o.allowed - 1e-5) < 1e-9);
    assert_true(fabs(o.max_abs - 0.001) < 1e-9);
}

int main(void)
{
    arena = arena_new();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exact), cmocka_unit_test(test_reassoc),
                                       cmocka_unit_test(test_form),
                                       cmocka_unit_test(test_worst_sample)};
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return status;
}
