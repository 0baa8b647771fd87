/* Dims against plain integer arithmetic: random expressions are built twice, as a dim and as a tree
 * that is evaluated under random bindings. Plus the identities that shape inference relies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "ir/dim.h"

static uint64_t state = 0x2545F4914F6CDD1Du;
static uint64_t random_bits(void) /* xorshift64*, Vigna 2016 */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 2685821657736338717u;
}
static int random_below(int n) { return (int)((random_bits() >> 33) % (uint64_t)n); }

/* ---- the slow path: trees ---- */

enum { SYMBOLS = 3, NODES = 64 };
static const char *const NAMES[SYMBOLS] = {"n", "m", "batch size"};
static const char OPS[] = "+-*/^%<>"; /* ^ is ceildiv, < min, > max */

struct tree {
    char op; /* 'c' constant, 's' symbol, else of OPS */
    int64_t value;
    int a, b;
};
static struct tree nodes[NODES];
static int n_nodes;

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

/* false: divides by zero */
static bool evaluate(int at, const int64_t *symbols, int64_t *out)
{
    const struct tree *t = &nodes[at];
    int64_t a, b;
    if (t->op == 'c' || t->op == 's') {
        *out = t->op == 'c' ? t->value : symbols[t->value];
        return true;
    }
    if (!evaluate(t->a, symbols, &a) || !evaluate(t->b, symbols, &b))
        return false;
    if (strchr("/^%", t->op) && b == 0)
        return false;
    switch (t->op) {
    case '+':
        *out = a + b;
        break;
    case '-':
        *out = a - b;
        break;
    case '*':
        *out = a * b;
        break;
    case '/':
        *out = floor_div(a, b);
        break;
    case '^':
        *out = -floor_div(-a, b);
        break;
    case '%':
        *out = a - b * floor_div(a, b);
        break;
    case '<':
        *out = a < b ? a : b;
        break;
    default:
        *out = a > b ? a : b;
        break;
    }
    return true;
}

static dim_t apply(struct dim_table *t, char op, dim_t a, dim_t b)
{
    switch (op) {
    case '+':
        return dim_add(t, a, b);
    case '-':
        return dim_sub(t, a, b);
    case '*':
        return dim_mul(t, a, b);
    case '/':
        return dim_floordiv(t, a, b);
    case '^':
        return dim_ceildiv(t, a, b);
    case '%':
        return dim_mod(t, a, b);
    case '<':
        return dim_min(t, a, b);
    default:
        return dim_max(t, a, b);
    }
}

static dim_t build(struct dim_table *t, int depth, int *index)
{
    struct tree node = {0};
    dim_t result;
    if (depth == 0 || random_below(4) == 0) {
        node.op = random_below(2) ? 's' : 'c';
        node.value = node.op == 's' ? random_below(SYMBOLS) : random_below(13) - 4;
        result = node.op == 's' ? dim_symbol(t, NAMES[node.value]) : dim_const(t, node.value);
    } else {
        node.op = OPS[random_below((int)sizeof OPS - 1)];
        dim_t a = build(t, depth - 1, &node.a), b = build(t, depth - 1, &node.b);
        result = apply(t, node.op, a, b);
    }
    *index = n_nodes;
    nodes[n_nodes++] = node;
    return result;
}

static void check_values(struct dim_table *t, dim_t d, int root)
{
    for (int round = 0; round < 12; round++) {
        int64_t values[SYMBOLS], expected, got;
        struct dim_binding bindings[SYMBOLS];
        for (int i = 0; i < SYMBOLS; i++) {
            values[i] = random_below(round < 6 ? 8 : 1000);
            bindings[i] = (struct dim_binding){NAMES[i], values[i]};
        }
        if (!evaluate(root, values, &expected))
            continue;
        dim_t bound = dim_bind(t, d, bindings, SYMBOLS);
        /* A divisor that is zero inside a cancelled part gives NULL or a number: no claim then. */
        if (!dim_is_const(bound, &got))
            continue;
        assert_int_equal(got, expected);
        for (int64_t limit = -3; limit <= 3; limit++) {
            if (dim_at_least(d, limit))
                assert_true(expected >= limit);
            if (dim_at_most(d, limit))
                assert_true(expected <= limit);
        }
    }
}

static void check_text(struct dim_table *t, dim_t d)
{
    char text[4096], again[4096], small[8];
    size_t n = dim_text(d, text, sizeof text);
    assert_true(n < sizeof text);
    dim_t back = dim_parse(t, text);
    if (back != d) {
        dim_text(back, again, sizeof again);
        fail_msg("'%s' came back as '%s'", text, again);
    }
    assert_int_equal(dim_text(d, small, sizeof small), n);
    assert_int_equal(strncmp(small, text, n < 7 ? n : 7), 0);
}

static void test_random_expressions(void **unused)
{
    (void)unused;
    struct dim_table *t = dim_table_new();
    int known = 0;
    for (int round = 0; round < 6000; round++) {
        int root;
        n_nodes = 0;
        dim_t d = build(t, 1 + random_below(4), &root);
        if (!d)
            continue;
        known++;
        check_values(t, d, root);
        check_text(t, d);
    }
    assert_true(known > 4500);
    dim_table_free(t);
}

/* ---- identities ---- */

static void test_equalities(void **unused)
{
    (void)unused;
    static const char *const SAME[][2] = {
        {"floordiv(2*n, 2)", "n"},
        {"(n*4)//4", "n"},
        {"n - n", "0"},
        {"max(n, 0)", "n"},
        {"min(n, 0)", "0"},
        {"n*m", "m*n"},
        {"(n + m)*(n - m)", "n*n - m*m"},
        {"floor((n + 4)/2)", "floor(n/2) + 2"},
        {"floor((n - 1)/2) + 1", "floor((n + 1)/2)"},
        {"ceil(n/2)", "floor((n + 1)/2)"},
        {"-((-n)//2)", "ceil(n/2)"},
        {"-((-n)//m)", "ceil(n/m)"},
        {"floor(n/-2)", "-ceil(n/2)"},
        {"floor(6*n/4)", "n + floor(n/2)"},
        {"floor((2*n + 1)/4)", "floor(n/2)"},
        {"((n + 1)//2 + 1)//2", "floor((n + 3)/4)"},
        {"(n % 4)//4", "0"},
        {"n - n % 4", "4*(n//4)"},
        {"(n*m)//m", "n"},
        {"(n*m*k)//(m*k)", "n"},
        {"((n + 1)*m)//(n + 1)", "m"},
        {"(n*n - m*m)//(n + m)", "n - m"},
        {"(n*m + k)//m", "n + k//m"},
        {"(2*n)//(2*m)", "n//m"},
        {"(n*k)//(m*k)", "n//m"},
        {"min(n, min(m, 4))", "min(4, min(m, n))"},
        {"min(n + 1, 5)", "min(n, 4) + 1"},
        {"max(n + 2, n)", "n + 2"},
        {"min(n, m) - min(m, n)", "0"},
        {"min(n // 2, n)", "n // 2"},
        {"max(n - 3, n - 5)", "n - 3"},
        {"Max(1, Mod(n, 3))", "max(n % 3, 1)"},
        {"FloorDiv(n, 2)*2 + n % 2", "n"},
        {"'odd name' + 1", "1 + 'odd name'"},
        {"-9223372036854775808", "-9223372036854775807 - 1"},
    };
    struct dim_table *t = dim_table_new();
    for (size_t i = 0; i < sizeof SAME / sizeof SAME[0]; i++) {
        dim_t a = dim_parse(t, SAME[i][0]), b = dim_parse(t, SAME[i][1]);
        char text[256];
        dim_text(a, text, sizeof text);
        if (!a || a != b)
            fail_msg("%s gives %s, not %s", SAME[i][0], text, SAME[i][1]);
    }
    assert_ptr_not_equal(dim_parse(t, "n//2"), dim_parse(t, "(n + 1)//2"));
    assert_ptr_not_equal(dim_parse(t, "min(n, m)"), dim_parse(t, "n"));
    dim_table_free(t);
}

static void test_texts(void **unused)
{
    (void)unused;
    static const char *const TEXT[][2] = {
        {"floor((n + 3)/4)", "floor((n + 3)/4)"},
        {"3*n*m - 1", "3*m*n - 1"},
        {"-n", "-n"},
        {"-5", "-5"},
        {"ceil(n/m)", "ceil(n/m)"},
        {"floor(n/(2*m))", "floor(n/(2*m))"},
        {"min(4, n)", "min(n, 4)"},
        {"n % 4", "n - 4*floor(n/4)"},
        {"'a\\'b'", "'a\\'b'"},
        {"s0.x#3", "s0.x#3"},
    };
    struct dim_table *t = dim_table_new();
    for (size_t i = 0; i < sizeof TEXT / sizeof TEXT[0]; i++) {
        char text[256];
        dim_text(dim_parse(t, TEXT[i][0]), text, sizeof text);
        assert_string_equal(text, TEXT[i][1]);
    }
    char text[4];
    assert_int_equal(dim_text(NULL, text, sizeof text), 1);
    assert_string_equal(text, "?");
    static const char *const BAD[] = {"",
                                      "n +",
                                      "(n",
                                      "n)",
                                      "n/2",
                                      "floor(n)",
                                      "1..2",
                                      "'n",
                                      "2 n",
                                      "foo(n)",
                                      "floor(n/0)",
                                      "n // 0",
                                      "9223372036854775808",
                                      "n % (m - m)",
                                      "min(n,)"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        if (dim_parse(t, BAD[i]))
            fail_msg("'%s' was accepted", BAD[i]);
    dim_table_free(t);
}

static void test_constants(void **unused)
{
    (void)unused;
    static const int64_t VALUES[] = {0,         1,         -1,       1LL << 40, (1LL << 40) + 1,
                                     INT64_MAX, INT64_MIN, -12345678};
    struct dim_table *t = dim_table_new();
    for (size_t i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        int64_t got;
        dim_t d = dim_const(t, VALUES[i]);
        assert_true(dim_is_const(d, &got) && got == VALUES[i] && dim_equals(d, VALUES[i]));
        assert_ptr_equal(d, dim_const(t, VALUES[i]));
        assert_true(dim_at_least(d, VALUES[i]) && dim_at_most(d, VALUES[i]));
        assert_null(dim_symbol_name(d));
    }
    assert_ptr_equal(dim_const(t, 5), dim_const(NULL, 5)); /* small ones need no table */
    assert_false(dim_is_const(NULL, NULL));
    dim_t top = dim_const(t, INT64_MAX), bottom = dim_const(t, INT64_MIN), one = dim_const(t, 1);
    assert_null(dim_add(t, top, one));
    assert_null(dim_sub(t, bottom, one));
    assert_null(dim_mul(t, top, dim_const(t, 2)));
    assert_null(dim_neg(t, bottom));
    assert_null(dim_floordiv(t, bottom, dim_const(t, -1)));
    assert_null(dim_floordiv(t, one, dim_const(t, 0)));
    assert_null(dim_ceildiv(t, one, dim_const(t, 0)));
    assert_null(dim_mod(t, one, dim_const(t, 0)));
    assert_null(dim_truncdiv(t, one, dim_const(t, 0)));
    assert_null(dim_add(t, NULL, one));
    assert_null(dim_min(t, one, NULL));
    assert_null(dim_bind(t, NULL, NULL, 0));
    assert_true(dim_equals(dim_truncdiv(t, dim_const(t, -7), dim_const(t, 2)), -3));
    assert_true(dim_equals(dim_truncdiv(t, dim_const(t, 7), dim_const(t, -2)), -3));
    assert_true(dim_equals(dim_floordiv(t, dim_const(t, -7), dim_const(t, 2)), -4));
    assert_true(dim_equals(dim_mod(t, dim_const(t, -7), dim_const(t, 4)), 1));
    assert_true(dim_equals(dim_mod(t, dim_const(t, 7), dim_const(t, -4)), -1));
    dim_table_free(t);
}

static void test_bounds(void **unused)
{
    (void)unused;
    struct dim_table *t = dim_table_new();
    assert_true(dim_at_least(dim_parse(t, "n % 4"), 0));
    assert_true(dim_at_most(dim_parse(t, "n % 4"), 3));
    assert_false(dim_at_most(dim_parse(t, "n % 4"), 2));
    assert_true(dim_at_least(dim_parse(t, "n - n//2"), 0));
    assert_true(dim_at_least(dim_parse(t, "max(n - 5, 1)"), 1));
    assert_true(dim_at_least(dim_parse(t, "n - min(n, 7)"), 0));
    assert_true(dim_at_most(dim_parse(t, "min(n, 7)"), 7));
    assert_false(dim_at_least(dim_parse(t, "n - m"), 0));
    assert_false(dim_at_least(dim_parse(t, "n"), 1));
    assert_false(dim_at_least(NULL, 0));
    assert_null(dim_truncdiv(t, dim_parse(t, "n - m"), dim_const(t, 2)));
    assert_ptr_equal(dim_truncdiv(t, dim_parse(t, "-n"), dim_const(t, 2)), dim_parse(t, "-(n//2)"));
    dim_table_free(t);
}

/* Hostile: nothing may take long or overflow when expressions try to explode. */
static void test_growth_is_bounded(void **unused)
{
    (void)unused;
    struct dim_table *t = dim_table_new();
    dim_t d = dim_parse(t, "n + m + k + 1");
    for (int i = 0; i < 50 && d; i++)
        d = dim_mul(t, d, d);
    assert_null(d);
    d = dim_symbol(t, "n");
    for (int i = 0; i < 100 && d; i++)
        d = dim_add(t, dim_floordiv(t, dim_mul(t, d, d), dim_symbol(t, "m")), d);
    assert_null(d);
    d = dim_symbol(t, "n");
    for (int i = 0; i < 5000; i++)
        d = dim_add(t, d, dim_const(t, 1));
    assert_ptr_equal(d, dim_parse(t, "n + 5000"));
    char deep[5000];
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_null(dim_parse(t, deep));
    memset(deep, '-', sizeof deep - 1);
    assert_null(dim_parse(t, deep));
    dim_table_free(t);
}

static void test_symbols(void **unused)
{
    (void)unused;
    struct dim_table *t = dim_table_new();
    dim_symbol(t, "k#1");
    dim_t a = dim_fresh(t, "k"), b = dim_fresh(t, "k");
    assert_ptr_not_equal(a, b);
    assert_string_not_equal(dim_symbol_name(a), "k#1");
    assert_ptr_equal(dim_symbol(t, dim_symbol_name(a)), a);
    assert_string_equal(dim_symbol_name(dim_symbol(t, "a b")), "a b");
    assert_null(dim_symbol_name(dim_parse(t, "2*n")));
    assert_null(dim_symbol_name(dim_parse(t, "n//2")));
    dim_t d = dim_parse(t, "n*m + n");
    assert_ptr_equal(dim_bind(t, d, &(struct dim_binding){"n", 3}, 1), dim_parse(t, "3*m + 3"));
    dim_table_free(t);
}

enum { THREADS = 4, SHARED = 300 };
static struct dim_table *shared;
static dim_t results[THREADS][SHARED];

static void *work(void *arg)
{
    dim_t *out = arg;
    for (int i = 0; i < SHARED; i++) {
        char text[64];
        snprintf(text, sizeof text, "min(n*%d + m, k%d)//3 + %d", i, i % 7, i);
        out[i] = dim_parse(shared, text);
    }
    return NULL;
}

static void test_threads(void **unused)
{
    (void)unused;
    pthread_t threads[THREADS];
    shared = dim_table_new();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, results[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < THREADS; i++)
        assert_memory_equal(results[i], results[0], sizeof results[0]);
    dim_table_free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_expressions),
        cmocka_unit_test(test_equalities),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_growth_is_bounded),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
