/* The text form: what is printed parses back to the same text, hand-written spellings are
 * understood, and mistakes are refused with the line. Verify and sort are tested on parsed graphs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/num.h"
#include "ir/edit.h"
#include "ir/graph_text.h"

static struct ctx ctx;

static int setup(void **state)
{
    (void)state;
    ctx.diag = diag_new(NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    diag_free(ctx.diag);
    return 0;
}

/* Canonical: the printer must give exactly this. */
static const char CANONICAL[] =
    "ir 9\n"
    "opset 17\n"
    "opset com.microsoft 1\n"
    "opset local 1\n"
    "producer \"pytorch\" \"2.1\"\n"
    "metadata \"key\" \"a \\\"quoted\\\" value\"\n"
    "graph main(x: float[1,3,h,'odd dim'], \"in put\": int64[], o: float[2] = [1, 2]) -> "
    "(y: float[1,8,?,floor((h + 1)/2)], flag, x: float[1,3,h,'odd dim']) {\n"
    "    w: float[8,3,3,3] = fill(seed 1)\n"
    "    zeros: float[9] = fill(0)\n"
    "    s: int64[] = -5\n"
    "    b: bool[2] = [1, 0]\n"
    "    u: uint64[2] = [18446744073709551615, 0]\n"
    "    h16: float16[3] = [0.5, inf, -0]\n"
    "    four: int4[3] = [-8, 7, 0]\n"
    "    text: string[2] = [\"a\\x00b\", \"\\\"\"]\n"
    "    nans: float[2] = hex(0100c07f0000807f)\n"
    "    none: float[0,4] = []\n"
    "    weird::name.1/x: double[1] = [0.1]\n"
    "    [\"conv 1\"] y: float[1,8,?,floor((h + 1)/2)] = Conv<strides=[2, 2], pads=[1, 1, 1, 1], "
    "alpha=1.0, mode=\"SAME\", e=floats[], i=ints[], f=[0.5, 1e+20, nan], s=[\"a\", \"b\"]>(x, w)\n"
    "    flag, _, 123 = Split<value=float[2] [1, 2], scalar=int32[] 7>(o, _, s)\n"
    "    z q{uint8 scale=[0.5] zp=[128] min=[-64.0] max=[63.5] symmetric=0 source=calibrated "
    "method=\"minmax\"} = com.microsoft::Gelu(y)\n"
    "    r = If<then_branch=graph then() -> (a) {\n"
    "        c: float[2] = [1, 2]\n"
    "        a = Add(c, z)\n"
    "    }, else_branch=graph else() -> (z) {\n"
    "    }>(flag)\n"
    "    t = local::f<beta=2.0>(r)\n"
    "    () = Sink(t)\n"
    "}\n"
    "function local::f<alpha, beta=1.0>(x) -> (y) opset 17 {\n"
    "    y = Elu<alpha=@float:beta>(x)\n"
    "}\n";

static char *reprint(struct arena *a, const char *text)
{
    struct model *m = model_parse(&ctx, text);
    if (!m)
        fail_msg("%s", diag_at(ctx.diag, diag_count(ctx.diag) - 1)->message);
    assert_int_equal(model_verify(m), 0);
    char *out = model_print(m, a);
    model_free(m);
    return out;
}

static void test_canonical(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    assert_string_equal(reprint(a, CANONICAL), CANONICAL);
    arena_free(a);
}

static void test_contents(void **state)
{
    (void)state;
    struct model *m = model_parse(&ctx, CANONICAL);
    assert_non_null(m);
    assert_int_equal(m->ir_version, 9);
    assert_int_equal(graph_opset(m->graph, "com.microsoft"), 1);
    struct node *conv = m->graph->first;
    const int64_t *strides;
    uint32_t n;
    assert_true(node_ints(conv, "strides", &strides, &n) && n == 2 && strides[1] == 2);
    assert_int_equal(node_attr(conv, "alpha")->type, ATTR_FLOAT);
    assert_int_equal(node_attr(conv, "e")->type, ATTR_FLOATS);
    assert_string_equal(conv->name, "conv 1");
    assert_true(value_is_constant(node_input(conv, 1)));
    struct value *o = m->graph->inputs.data[2];
    assert_true(o->constant && !value_is_constant(o));
    struct node *split = conv->next;
    assert_null(node_output(split, 1));
    assert_null(node_input(split, 1));
    assert_int_equal(split->n_inputs, 3);
    const struct quant *q = node_output(split->next, 0)->q;
    assert_true(q && q->n == 1 && q->zero_point[0] == 128 && q->dtype == DT_UINT8 && q->axis == -1);
    struct node *branch = split->next->next;
    struct graph *then = node_graph(branch, "then_branch");
    assert_ptr_equal(then->parent, branch);
    assert_ptr_equal(node_input(then->first, 1)->graph, m->graph); /* a capture */
    assert_ptr_equal(branch->next->function, m->functions.data[0]);
    assert_string_equal(m->functions.data[0]->body->first->attrs[0]->ref, "beta");
    model_free(m);
}

static void test_spellings(void **state)
{
    (void)state;
    static const char *const PAIRS[][2] = {
        {"graph g(x)->(y){y=Relu(x)}", "graph g(x) -> (y) {\n    y = Relu(x)\n}\n"},
        {"graph g ( ) -> ( y ) { # comment\n y: float [ 2 ] = [ 1 ,\n2 ] }",
         "graph g() -> (y: float[2]) {\n    y: float[2] = [1, 2]\n}\n"},
        {"graph g(x: ?) -> (y) { y = A(x) x2: f32[20] = fill(seed 3) }",
         "graph g(x) -> (y) {\n    x2: float[20] = fill(seed 3)\n    y = A(x)\n}\n"},
        {"graph g(x: seq(float[n]), m: map(int64, float), o: optional(seq(int8[?,2])), s: "
         "sparse(float[3]), p: opaque) -> () {}",
         "graph g(x: seq(float[n]), m: map(int64, float), o: optional(seq(int8[?,2])), s: "
         "sparse(float[3]), p: opaque) -> () {\n}\n"},
        {"graph g() -> (sparse, q, fill) { sparse = \"hex\"(x) sparse x: float[3] = [] q = B() "
         "fill "
         "= \"a b\"::\"c\"(\"_\") \"_\": float[] = 1 }",
         "graph g() -> (sparse, q, fill) {\n    sparse x: float[3] = []\n    \"_\": float[] = 1\n"
         "    sparse = \"hex\"(x)\n    q = B()\n    fill = \"a b\"::c(\"_\")\n}\n"},
        {"graph g() -> (y) { y = A<a=tensors[float[1] [2], int8[] 3], b=graphs[graph h() -> () "
         "{}], "
         "c=raw(sparse_tensor 0aff)>() }",
         "graph g() -> (y) {\n    y = A<a=tensors[float[1] [2], int8[] 3], b=graphs[graph h() -> "
         "() "
         "{\n    }], c=raw(sparse_tensor 0aff)>()\n}\n"},
        {"graph g(x) -> (y) { y = A!v2(x) } function A!v2(x) -> (y) { y = Id(x) }",
         "graph g(x) -> (y) {\n    y = A!v2(x)\n}\nfunction A!v2(x) -> (y) {\n    y = Id(x)\n}\n"},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
        assert_string_equal(reprint(a, PAIRS[i][0]), PAIRS[i][1]);
        assert_string_equal(reprint(a, PAIRS[i][1]), PAIRS[i][1]);
    }
    arena_free(a);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const char *const BAD[][2] = {
        {"graph g(x) -> (y) {", "line 1: expected a name"},
        {"graph g(x) -> (y) { y = Relu(x }", "expected ')'"},
        {"graph g(x) -> (y) {\n\n y = Relu(z) }", "'z' is used in graph 'g' but not defined"},
        {"graph g(x) -> (y) { y = A(x) y = B(x) }", "'y' is defined twice"},
        {"graph g(x) -> (y, y2) { y, y = A(x) }", "'y' is defined twice"},
        {"graph g(x, x) -> () {}", "input 'x' appears twice"},
        {"graph g() -> () { w: float = [1] }", "needs a tensor type with a rank"},
        {"graph g() -> () { w: float[n] = [1] }", "needs constant dimensions"},
        {"graph g() -> () { w: float[2] = [1] }", "expected ','"},
        {"graph g() -> () { w: float[2] = hash(12) }", "left out when this was printed"},
        {"graph g() -> () { w: flat[2] = [1] }", "'flat' is no type"},
        {"graph g() -> () { w: float[-5] = [] }", "size is not valid"},
        {"graph g() -> () { w: float[9999999999,9999999999] = [] }", "size is not valid"},
        {"graph g() -> (y) { y = A<a=1, a=2>() }", "appears twice"},
        {"graph g() -> (y) { y = A<a=what>() }", "'what' is no number"},
        {"graph g(x: float[1,)]) -> () {}", "is no dimension"},
        {"graph g(x q{int9}) -> () {}", "is no element type"},
        {"opset 1.5", "is no integer"},
        {"nonsense", "expected 'graph'"},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        size_t before = diag_count(ctx.diag);
        assert_null(model_parse(&ctx, BAD[i][0]));
        assert_int_equal(diag_count(ctx.diag), before + 1);
        const char *message = diag_at(ctx.diag, before)->message;
        if (!strstr(message, BAD[i][1]))
            fail_msg("%s gave: %s", BAD[i][0], message);
    }
}

static void test_elision(void **state)
{
    (void)state;
    struct model *m = model_parse(&ctx, "graph g() -> () { w: float[70] = fill(seed 1, 0, 5) "
                                        "v: float[70] = fill(seed 1) }");
    assert_non_null(m);
    struct arena *a = arena_new();
    char *text = model_print_with(m, a, 0);
    assert_non_null(strstr(text, "w: float[70] = hash("));
    assert_non_null(strstr(text, "v: float[70] = fill(seed 1)"));
    assert_null(strstr(model_print(m, a), "hash"));
    const struct tensor *w = m->graph->initializers.data[0]->constant;
    for (int64_t i = 0; i < w->count; i++)
        assert_true(tensor_get(w, i) >= 0 && tensor_get(w, i) < 5);
    arena_free(a);
    model_free(m);
}

/* ---- sort ---- */

static void expect_order(struct model *m, const char *expected)
{
    char names[64] = "";
    size_t n = 0;
    graph_each_node(node, m->graph) names[n++] = node->op_type[0];
    names[n] = '\0';
    assert_string_equal(names, expected);
}

static void test_sort(void **state)
{
    (void)state;
    static const struct {
        const char *text, *order;
        int moved;
    } CASES[] = {
        {"graph g(x) -> (y) { a = A(x) b = B(a) y = C(b) }", "ABC", 0},
        {"graph g(x) -> (y) { y = C(b) b = B(a) a = A(x) }", "ABC", 2},
        {"graph g(x) -> (y) { p = P(x) y = C(b, p) q = Q(x) b = B(x) }", "PBCQ", 2},
        {"graph g(x) -> (y) { y = I<b=graph h() -> (c) { c = D(late) }>(x) late = L(x) }", "LI", 1},
        {"graph g(x) -> (y) { y = I<b=graph h() -> (late) { }>(x) late = L(x) }", "LI", 1},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct model *m = model_parse(&ctx, CASES[i].text);
        assert_non_null(m);
        if (CASES[i].moved) {
            assert_int_not_equal(model_verify(m), 0);
            assert_int_not_equal(model_sort(m), 0);
        }
        assert_int_equal(model_sort(m), 0);
        assert_int_equal(model_verify(m), 0);
        expect_order(m, CASES[i].order);
        model_free(m);
    }
    struct model *m = model_parse(&ctx, "graph g(x) -> (y) { y = C(b) b = B(a) a = A(b) }");
    assert_int_equal(model_sort(m), -E_CYCLE);
    expect_order(m, "CBA");
    model_free(m);
}

/* A reversed chain and a value with many readers: iterative and linear, so this is quick. */
static void test_sort_large(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct model *m = model_new(&ctx);
    struct value *x = value_input(m->graph, "x"), *v = x;
    for (int i = 0; i < N; i++) {
        struct node *n = node_new(m->graph, "R", "", 2, 1);
        node_set_input(n, 0, v);
        node_set_input(n, 1, x);
        v = node_add_output(n, 0, "v");
        if (m->graph->first)
            node_insert_before(n, m->graph->first);
        else
            node_append(n);
    }
    graph_add_output(m->graph, v);
    assert_int_equal(model_sort(m), N - 1);
    assert_int_equal(model_verify(m), 0);
    model_free(m);
}

/* ---- verify ---- */

static void break_use_count(struct model *m) { m->graph->inputs.data[0]->n_uses++; }
static void break_slot(struct model *m) { m->graph->first->outputs[0]->slot = 3; }
static void break_list(struct model *m) { m->graph->last->prev = NULL; }
static void break_count(struct model *m) { m->graph->n_nodes++; }
static void break_id(struct model *m) { m->values.data[0]->id = 7; }
static void break_removed(struct model *m) { m->graph->inputs.data[0]->removed = true; }
static void break_order(struct model *m)
{
    struct node *n = m->graph->first;
    struct graph *g = m->graph;
    g->first = n->next;
    g->first->prev = NULL;
    n->prev = g->last;
    n->next = NULL;
    g->last->next = n;
    g->last = n;
}
static void break_scope(struct model *m)
{
    struct graph *h = node_graph(m->graph->last, "b");
    node_set_input(m->graph->last, 0, h->first->outputs[0]);
}
static void break_name(struct model *m)
{
    m->graph->first->outputs[0]->name = m->graph->inputs.data[0]->name;
}
static void break_parent(struct model *m)
{
    node_graph(m->graph->last, "b")->parent = m->graph->first;
}
static void break_undefined(struct model *m) { m->graph->first->outputs[0]->producer = NULL; }
static void break_index(struct model *m) { m->graph->outputs.data[0]->index = 4; }
static void break_input(struct model *m) { m->graph->inputs.data[0]->is_input = false; }
static void break_data(struct model *m) { m->graph->initializers.data[0]->constant->bytes = 3; }

static void test_verify(void **state)
{
    (void)state;
    void (*const BREAKERS[])(struct model *) = {
        break_use_count, break_slot,  break_list,  break_count, break_id,
        break_removed,   break_order, break_scope, break_name,  break_parent,
        break_undefined, break_index, break_input, break_data,
    };
    for (size_t i = 0; i < sizeof BREAKERS / sizeof BREAKERS[0]; i++) {
        struct model *m = model_parse(&ctx, "graph g(x) -> (y) { w: float[2] = [1, 2] a = A(x, w) "
                                            "y = I<b=graph h() -> (c) { c = D(a) }>(a) }");
        assert_int_equal(model_verify(m), 0);
        BREAKERS[i](m);
        if (model_verify(m) != -E_GRAPH_BROKEN)
            fail_msg("breakage %zu was not found", i);
        model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical),  cmocka_unit_test(test_contents),
        cmocka_unit_test(test_spellings),  cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_elision),    cmocka_unit_test(test_sort),
        cmocka_unit_test(test_sort_large), cmocka_unit_test(test_verify),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
