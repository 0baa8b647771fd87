/* Patterns: what the text means, what matches, what the match says of its surroundings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rewrite/match.h"

static struct ctx ctx;

/* ---- text ---- */

static bool parses(const char *text)
{
    struct match_pattern p;
    const char *where;
    return match_parse(text, &p, &where);
}

static void test_text(void **state)
{
    (void)state;
    assert_true(parses("Relu(x)"));
    assert_true(parses("Mul*(x, 0.5, Add(Erf(Div(x, 1.5)), 1))"));
    assert_true(parses(" a=Cast( Cast?(x) ) | Clip(x, ..) "));
    assert_true(parses("Div(d, r); d = Sub(x, #mean); r = Sqrt(v)|Pow(v, -0.5)"));
}

static void test_text_is_refused(void **state)
{
    static const char *const BAD[] = {"",
                                      "Relu",
                                      "Relu(",
                                      "Relu()",
                                      "Relu(x",
                                      "Relu(x))",
                                      "Mul(x y)",
                                      "Mul(x, )",
                                      "Relu(x)|",
                                      "Mul*(x)",
                                      "Cast?(x,y)",
                                      "Clip(.., x)",
                                      "Mul*(x, ..)",
                                      "Relu(x); d",
                                      "Relu(x); d =",
                                      "Relu(1.5.5)",
                                      "Relu(#)",
                                      "Relu(a=b)",
                                      "Relu(x) Relu(x)",
                                      "Relu(aVeryLongNameThatHasNoRoomInTheWord)",
                                      "Max(a, b, c, d, e, f)",
                                      "x",
                                      "Cast?(x)",
                                      "Relu(x)|x",
                                      "Relux(x)",
                                      "Sub*(x, y)"};
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        if (parses(BAD[i]))
            fail_msg("'%s' was taken for a pattern", BAD[i]);
}

/* ---- matching ---- */

static struct model *model;
static struct match found;
static struct match_pattern pattern;

static struct value *value_called(const char *name)
{
    for (size_t i = 0; i < model->values.count; i++)
        if (!strcmp(model->values.data[i]->name, name))
            return model->values.data[i];
    return NULL;
}

/* The pattern against the node that computes y. The last model is freed by the next call. */
static bool matches(const char *text, const char *body)
{
    char graph[2000];
    const char *where;
    model_free(model);
    snprintf(graph, sizeof graph,
             "opset 17\ngraph main(x: float[2,3], u: float[2,3]) -> (y) {\n"
             "one: float[] = 1\nhalf: float[1] = [0.5]\ntwo: float[] = 2\nthree: float[] = 3\n"
             "row: float[3] = [1, 2, 3]\n%s\n}\n",
             body);
    model = model_parse(&ctx, graph);
    assert_non_null(model);
    ops_resolve(model);
    assert_int_equal(model_infer(model, NULL, NULL), 0);
    if (!match_parse(text, &pattern, &where))
        fail_msg("no pattern from '%s' on", where);
    return match_at(&pattern, value_called("y")->producer, &found);
}

static void test_structure(void **state)
{
    (void)state;
    assert_true(matches("Relu(x)", "y = Relu(x)"));
    assert_ptr_equal(match_value(&found, "x"), value_called("x"));
    assert_null(match_value(&found, "z"));
    assert_false(matches("Relu(x)", "y = Abs(x)"));
    assert_false(matches("Relu(Abs(x))", "y = Relu(x)"));
    assert_true(matches("Relu(a=Abs(x))", "t = Abs(x)\ny = Relu(t)"));
    assert_ptr_equal(match_node(&found, "a"), value_called("t")->producer);
    assert_int_equal(found.n_nodes, 2);
}

static void test_commuting(void **state)
{
    (void)state;
    assert_true(matches("Mul(x, Relu(x))", "t = Relu(x)\ny = Mul(t, x)"));
    assert_true(matches("Mul(x, Relu(x))", "t = Relu(x)\ny = Mul(x, t)"));
    assert_false(matches("Sub(x, Relu(x))", "t = Relu(x)\ny = Sub(t, x)"));
    assert_false(matches("Mul(x, Relu(x))", "t = Relu(u)\ny = Mul(x, t)"));
}

static void test_chain(void **state)
{
    static const char PRODUCT[] = "Mul*(x, 0.5, Relu(x))";
    (void)state;
    assert_true(matches(PRODUCT, "t = Relu(x)\na = Mul(x, t)\ny = Mul(a, half)"));
    assert_true(matches(PRODUCT, "t = Relu(x)\na = Mul(half, x)\ny = Mul(a, t)"));
    assert_true(matches(PRODUCT, "t = Relu(x)\na = Mul(t, half)\ny = Mul(x, a)"));
    assert_true(matches(PRODUCT, "t = Relu(x)\na = Mul(x, t)\ny = Div(a, two)"));
    assert_true(matches(PRODUCT, "t = Relu(x)\na = Div(x, two)\ny = Mul(a, t)"));
    assert_false(matches(PRODUCT, "t = Relu(x)\na = Div(two, x)\ny = Mul(a, t)"));
    assert_false(matches(PRODUCT, "t = Relu(x)\na = Mul(x, t)\ny = Div(a, three)"));
    assert_false(matches(PRODUCT, "t = Relu(x)\ny = Mul(x, t)"));
    assert_true(matches("Add*(x, -2, Relu(x))", "t = Relu(x)\na = Sub(x, two)\ny = Add(a, t)"));
    assert_true(matches("Mul*(x, x, x)", "a = Mul(x, x)\ny = Mul(x, a)"));
    assert_false(matches("Mul*(x, x, x)", "a = Mul(x, u)\ny = Mul(x, a)"));
}

/* A wrong choice for x early on has to be taken back. */
static void test_backtracking(void **state)
{
    (void)state;
    assert_true(
        matches("Add(Mul(a, b), Sub(b, a))", "s = Sub(x, u)\nm = Mul(x, u)\ny = Add(s, m)"));
    assert_ptr_equal(match_value(&found, "a"), value_called("u"));
    assert_true(
        matches("Add(Mul(a, b), Sub(b, a))", "s = Sub(u, x)\nm = Mul(x, u)\ny = Add(s, m)"));
    assert_ptr_equal(match_value(&found, "a"), value_called("x"));
    assert_int_equal(found.n_nodes, 3);
}

static void test_choices(void **state)
{
    static const char SQUARE[] = "Relu(Pow(x, 2)|Mul(x, x))";
    (void)state;
    assert_true(matches(SQUARE, "t = Pow(x, two)\ny = Relu(t)"));
    assert_true(matches(SQUARE, "t = Mul(x, x)\ny = Relu(t)"));
    assert_false(matches(SQUARE, "t = Mul(x, u)\ny = Relu(t)"));
    assert_true(matches("Relu(x)|Abs(x)", "y = Abs(x)"));
}

static void test_optional(void **state)
{
    static const char OPTIONAL[] = "Relu(Neg?(Abs(x)))";
    (void)state;
    assert_true(matches(OPTIONAL, "t = Abs(x)\ny = Relu(t)"));
    assert_true(matches(OPTIONAL, "t = Abs(x)\nn = Neg(t)\ny = Relu(n)"));
    assert_false(matches(OPTIONAL, "t = Abs(x)\nn = Neg(t)\nk = Neg(n)\ny = Relu(k)"));
}

static void test_inputs(void **state)
{
    (void)state;
    assert_true(matches("Clip(x, ..)", "y = Clip(x, one, two)"));
    assert_true(matches("Clip(x, ..)", "y = Clip(x)"));
    assert_true(matches("Clip(x, a, b)", "y = Clip(x, one, two)"));
    assert_false(matches("Clip(x, a, b)", "y = Clip(x, one)"));
    assert_false(matches("Clip(x, a, b)", "y = Clip(x, _, one)"));
    assert_false(matches("Clip(x, a)", "y = Clip(x, one, two)"));
    assert_true(matches("Clip(x)", "y = Clip(x)"));
}

static void test_constants(void **state)
{
    (void)state;
    assert_true(matches("Mul(x, #w)", "y = Mul(row, x)"));
    assert_ptr_equal(match_value(&found, "w"), value_called("row"));
    assert_true(found.wide_constant);
    assert_false(matches("Mul(x, #w)", "y = Mul(x, u)"));
    assert_true(matches("Mul(x, 0.5)", "y = Mul(half, x)"));
    assert_int_equal(found.constant_rank, 1);
    assert_false(found.wide_constant);
    assert_false(matches("Mul(x, 0.5)", "y = Mul(one, x)"));
    assert_false(matches("Mul(x, 2)", "y = Mul(row, x)"));
    assert_true(matches("Mul(x, 3)", "all: float[2] = fill(3)\nc = Concat<axis=0>(x, u)\n"
                                     "a: float[4,1] = fill(3)\ny = Mul(a, c)"));
    assert_true(found.wide_constant);
}

static void test_near(void **state)
{
    (void)state;
    assert_true(match_near(0.70710678, 0.7071067811865476, DT_FLOAT));
    assert_true(match_near(0.70710678, 0.7071067811865476, DT_DOUBLE));
    assert_false(match_near(0.7071, 0.7071067811865476, DT_FLOAT));
    assert_true(match_near(0.70703125, 0.7071067811865476, DT_FLOAT16));
    assert_false(match_near(0.700, 0.7071067811865476, DT_FLOAT16));
    assert_true(match_near(0.70703125, 0.7071067811865476, DT_BFLOAT16));
    assert_false(match_near(-0.5, 0.5, DT_FLOAT));
    assert_true(match_near(0, 0, DT_FLOAT));
    assert_false(match_near(1e-40, 0, DT_FLOAT));
    assert_false(match_near((double)NAN, 1, DT_FLOAT));
}

static void test_equations(void **state)
{
    static const char CENTRED[] = "Mul(d, e); e = Relu(d)|Abs(d); d = Sub(x, m); m = Neg(x)";
    (void)state;
    assert_true(matches(CENTRED, "m = Neg(x)\nd = Sub(x, m)\ne = Abs(d)\ny = Mul(e, d)"));
    assert_int_equal(found.n_nodes, 4);
    assert_false(matches(CENTRED, "m = Neg(u)\nd = Sub(x, m)\ne = Abs(d)\ny = Mul(e, d)"));
    assert_false(matches(CENTRED, "m = Neg(x)\nd = Sub(x, m)\ne = Abs(m)\ny = Mul(e, d)"));
    /* the second choice has no d: its equation holds by itself */
    assert_true(matches("Relu(d)|Abs(x); d = Neg(x)", "y = Abs(x)"));
    assert_null(match_value(&found, "d"));
}

/* ---- surroundings ---- */

static void test_readers(void **state)
{
    (void)state;
    assert_true(matches("Relu(Abs(x))", "t = Abs(x)\ny = Relu(t)"));
    assert_null(match_problem(&found));
    assert_true(matches("Relu(Abs(x))", "t = Abs(x)\ny = Relu(t)\nk = Neg(t)"));
    assert_non_null(match_problem(&found));
    assert_true(matches("Mul(a=Abs(x), Relu(a))", "t = Abs(x)\nr = Relu(t)\ny = Mul(t, r)"));
    assert_null(match_problem(&found));
}

static void test_shape(void **state)
{
    (void)state;
    assert_true(matches("Mul(x, 0.5)", "y = Mul(x, half)"));
    assert_null(match_shape_problem(&found, match_value(&found, "x")));
    assert_true(matches("Mul(x, 0.5)", "wide: float[1,1,1] = [0.5]\ny = Mul(x, wide)"));
    assert_non_null(match_shape_problem(&found, match_value(&found, "x")));
    assert_true(matches("Mul(x, 0.5)", "wide: float[3] = fill(0.5)\ny = Mul(x, wide)"));
    assert_null(match_shape_problem(&found, match_value(&found, "x")));
}

/* Chains of the pattern's own operators, 2,000 deep, cost no more than the pattern allows. */
static void test_cost(void **state)
{
    struct model *m = model_new(&ctx);
    struct value *v = value_input(m->graph, "x");
    const char *where;
    (void)state;
    model_set_opset(m, "", 17);
    for (int i = 0; i < 2000; i++) {
        struct node *n = node_new(m->graph, "Mul", "", 2, 1);
        node_set_input(n, 0, v);
        node_set_input(n, 1, v);
        node_append(n);
        v = node_add_output(n, 0, "v");
    }
    graph_add_output(m->graph, v);
    ops_resolve(m);
    assert_true(match_parse("Mul*(a, b, c, d, Relu(e))", &pattern, &where));
    graph_each_node(n, m->graph) assert_false(match_at(&pattern, n, &found));
    model_free(m);
}

static int setup(void **state)
{
    (void)state;
    ctx.diag = diag_new(NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    model_free(model);
    diag_free(ctx.diag);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),      cmocka_unit_test(test_text_is_refused),
        cmocka_unit_test(test_structure), cmocka_unit_test(test_commuting),
        cmocka_unit_test(test_chain),     cmocka_unit_test(test_backtracking),
        cmocka_unit_test(test_choices),   cmocka_unit_test(test_optional),
        cmocka_unit_test(test_inputs),    cmocka_unit_test(test_constants),
        cmocka_unit_test(test_near),      cmocka_unit_test(test_equations),
        cmocka_unit_test(test_readers),   cmocka_unit_test(test_shape),
        cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
