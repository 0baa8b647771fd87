/* Deadline and interrupt: reported with their own codes, and only when they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "base/ctx.h"

static void test_deadline(void **state)
{
    (void)state;
    struct ctx ctx = {.diag = diag_new(NULL, NULL), .threads = 1};
    assert_int_equal(ctx_check(&ctx), 0);
    ctx.deadline = ctx_now() + 1000;
    assert_int_equal(ctx_check(&ctx), 0);
    ctx.deadline = ctx_now() - 1;
    assert_int_equal(ctx_check(&ctx), -E_LIMIT_TIME);
    assert_int_equal(diag_exit(ctx.diag), EXIT_LIMIT);
    diag_free(ctx.diag);
}

static void on_signal(int number)
{
    (void)number;
    ctx_interrupt();
}

static void test_interrupt(void **state)
{
    (void)state;
    struct ctx ctx = {.diag = diag_new(NULL, NULL), .threads = 1};
    signal(SIGUSR1, on_signal);
    assert_false(ctx_interrupted());
    raise(SIGUSR1);
    assert_true(ctx_interrupted());
    assert_int_equal(ctx_check(&ctx), -E_INTERRUPTED);
    ctx_interrupt_clear();
    assert_int_equal(ctx_check(&ctx), 0);
    assert_int_equal(diag_count(ctx.diag), 1);
    diag_free(ctx.diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_deadline),
                                       cmocka_unit_test(test_interrupt)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
