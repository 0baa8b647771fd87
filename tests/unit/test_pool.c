/* Every index once, the smallest failure, nesting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <cmocka.h>

#include "base/pool.h"

enum { COUNT = 2000 };
static atomic_int seen[COUNT];

static int mark(void *user, size_t index, int worker)
{
    const struct pool *p = user;
    if (worker < 0 || worker >= pool_threads(p))
        return -1;
    atomic_fetch_add(&seen[index], 1);
    return 0;
}

static void every_index_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads++) {
        struct pool *p = pool_new(threads);
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < COUNT; i++)
                atomic_store(&seen[i], 0);
            assert_int_equal(pool_run(p, COUNT, mark, p), 0);
            for (int i = 0; i < COUNT; i++)
                assert_int_equal(atomic_load(&seen[i]), 1);
        }
        pool_free(p);
    }
}

static int fail_at(void *user, size_t index, int worker)
{
    (void)user, (void)worker;
    return index == 700 || index == 701 || index > 1500 ? -(int)index : 0;
}

static void smallest_failure(void **state)
{
    (void)state;
    assert_int_equal(pool_run(NULL, COUNT, fail_at, NULL), -700);
    struct pool *p = pool_new(4);
    for (int round = 0; round < 200; round++)
        assert_int_equal(pool_run(p, COUNT, fail_at, NULL), -700);
    assert_int_equal(pool_run(p, 0, fail_at, NULL), 0);
    pool_free(p);
}

struct nested {
    struct pool *pool;
    atomic_int pieces;
};

static int inner(void *user, size_t index, int worker)
{
    struct nested *n = user;
    (void)index;
    atomic_fetch_add(&n->pieces, 1);
    return worker < pool_threads(n->pool) ? 0 : -1;
}

static int outer(void *user, size_t index, int worker)
{
    struct nested *n = user;
    (void)index, (void)worker;
    return pool_run(n->pool, 10, inner, n);
}

static void nesting_runs_inline(void **state)
{
    (void)state;
    struct nested n = {.pool = pool_new(3)};
    assert_int_equal(pool_run(n.pool, 50, outer, &n), 0);
    assert_int_equal(atomic_load(&n.pieces), 500);
    pool_free(n.pool);
}

static void allowed(void **state)
{
    (void)state;
    assert_true(pool_allowed_threads() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_once),
        cmocka_unit_test(smallest_failure),
        cmocka_unit_test(nesting_runs_inline),
        cmocka_unit_test(allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
