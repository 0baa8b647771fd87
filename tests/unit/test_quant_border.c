/* The quantizer on small graphs: inputs, outputs and captures, older opsets, refusals, profiles. */
#include "quant_test.h"

/* ---- the border of the graph ---- */

static const char INNER_OUTPUT[] =
    "ir 8\nopset 17\ngraph g(x: float[4]) -> (mid: float[4], out: float[4]) {\n"
    "    mid = Exp(x)\n    out = Sin(mid)\n}\n";

static void outputs_keep_their_names(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL, INNER_OUTPUT);
    choose(&f);
    write_qdq(&f, false);
    assert_string_equal(f.m->graph->outputs.data[0]->value->name, "mid");
    assert_int_equal(f.m->graph->outputs.data[0]->value->type.dtype, DT_FLOAT);
    assert_true(node_is(value_of(&f, "mid")->producer, "DequantizeLinear"));
    assert_int_equal(count_ops(&f, "QuantizeLinear"), 3);
    close_fixture(&f);
}

static void integer_border(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL, INNER_OUTPUT);
    choose(&f);
    write_qdq(&f, true);
    assert_int_equal(value_of(&f, "x")->type.dtype, DT_INT8);
    for (size_t i = 0; i < 2; i++) {
        const struct value *v = f.m->graph->outputs.data[i]->value;
        assert_true(node_is(v->producer, "QuantizeLinear"));
        assert_int_equal(v->type.dtype, DT_INT8);
    }
    assert_string_equal(f.m->graph->outputs.data[0]->value->name, "mid");
    assert_int_equal(count_ops(&f, "DequantizeLinear"), 2); /* of x and mid */
    close_fixture(&f);
}

static void captures_read_the_dequantized_value(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\ngraph g(x: float[4], c: bool[]) -> (out: float[4]) {\n"
              "    mid = Exp(x)\n"
              "    out = If<then_branch=graph t() -> (a) {\n        a = Sin(mid)\n    }, "
              "else_branch=graph e() -> (b) {\n        b = Cos(mid)\n    }>(c)\n}\n");
    choose(&f);
    assert_non_null(q_of(&f, "mid"));
    assert_null(q_of(&f, "out"));
    assert_int_equal(f.plan->floats.count, 3); /* If, Sin, Cos */
    write_qdq(&f, false);
    assert_int_equal(value_of(&f, "mid")->n_uses, 1);
    close_fixture(&f);
}

/* ---- refusals ---- */

static void expect_plan(const char *text, int code)
{
    struct fixture f;
    open_text(&f, NULL, text);
    assert_int_equal(plan(&f), code);
    close_fixture(&f);
}

static void refused_models(void **state)
{
    (void)state;
    expect_plan("ir 8\nopset 17\ngraph g(x: float[4]) -> (y: uint8[4]) {\n    s: float[] = 1\n"
                "    y = QuantizeLinear(x, s)\n}\n",
                -E_QUANT_TWICE);
    struct fixture f;
    open_text(&f, NULL, CONV_RELU);
    f.keep_float = (const char *const[]){"po*"}, f.n_keep_float = 1;
    assert_int_equal(plan(&f), 0); /* the Relu is named after its output */
    assert_false(f.plan->quantized.data[value_of(&f, "pos")->producer->id]);
    close_fixture(&f);
    open_text(&f, NULL, CONV_RELU);
    f.keep_float = (const char *const[]){"mud"}, f.n_keep_float = 1;
    assert_int_equal(plan(&f), -E_QUANT_KEEP_FLOAT);
    close_fixture(&f);
    open_text(&f, NULL,
              "ir 8\nopset 17\ngraph g(x: float[1]) -> (y: float[1]) {\n"
              "    c: float[1] = [inf]\n    y = Mul(x, c)\n}\n");
    choose(&f);
    assert_int_equal(f.plan->n_quantized, 0); /* infinities cannot be integers */
    close_fixture(&f);
}

static bool no_range(void *user, const struct value *v, double *low, double *high)
{
    (void)user, (void)v, (void)low, (void)high;
    return false;
}

static void unknown_range(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL, CONV_RELU);
    assert_int_equal(plan(&f), 0);
    assert_int_equal(quant_choose(f.plan, no_range, NULL, "minmax"), -E_QUANT_RANGE);
    close_fixture(&f);
}

static void older_opsets(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int code;
    } CASES[] = {
        {"    y = Exp(x)\n", 0},
        {"    y = Softmax<axis=-1>(x)\n", 0},
        {"    y = Softmax<axis=1>(x)\n", 0},
        {"    y = Softmax<axis=0>(x)\n", 0},
        {"    s = ReduceSum<axes=[1], keepdims=1>(x)\n    y = Mul(x, s)\n", 0},
        {"    y: float[2,3] = NotAnOperator(x)\n", -E_QUANT_OPSET},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        char text[512];
        snprintf(text, sizeof text,
                 "ir 6\nopset 11\ngraph g(x: float[2,3]) -> (y: float[2,3]) {\n%s}\n",
                 CASES[i].body);
        open_text(&f, NULL, text);
        choose(&f);
        int code = qdq_write(f.plan, &(struct qdq_options){0});
        if (code != CASES[i].code)
            fail_msg("case %zu: %d", i, code);
        assert_int_equal(graph_opset(f.m->graph, ""), code ? 11 : 13);
        close_fixture(&f);
    }
}

static void profiles_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err expect;
    } CASES[] = {
        {"{\"schema\": \"npuprep.target/1\", \"name\": \"t\"}", E_NONE},
        {"{\"schema\": \"npuprep.target/2\", \"name\": \"t\"}", E_TARGET_PROFILE},
        {"{\"schema\": \"npuprep.target/1\"}", E_TARGET_PROFILE},
        {"{\"schema\": \"npuprep.target/1\", \"name\": \"t\", \"wieght\": {}}", E_TARGET_PROFILE},
        {"{\"schema\": \"npuprep.target/1\", \"name\": \"t\", \"weight\": {\"dtypes\": "
         "[\"float\"]}}",
         E_TARGET_PROFILE},
        {"{\"schema\": \"npuprep.target/1\", \"name\": \"t\", \"weight\": {\"dtypes\": "
         "[\"int8\", \"uint8\"]}}",
         E_TARGET_PROFILE},
        {"{\"schema\": \"npuprep.target/1\", \"name\": \"t\", \"bias\": {\"dtype\": \"int8\"}}",
         E_TARGET_PROFILE},
        {"{\"schema\": \"npuprep.target/1\", \"name\": \"t\", \"ops\": {\"Add\": {\"tied\": "
         "true}}}",
         E_TARGET_PROFILE},
        {"{\"schema\": \"npuprep.target/1\", \"name\": \"t\", \"ops\": {\"Add\": "
         "{\"output_range\": [1, 0]}}}",
         E_TARGET_PROFILE},
        {"[]", E_TARGET_PROFILE},
        {"{", E_TARGET_PROFILE},
    };
    struct bench b;
    bench_open(&b);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct target *t = NULL;
        const char *path = bench_file(&b, "t.json", CASES[i].text, strlen(CASES[i].text));
        int code = target_load(&t, path, &b.ctx);
        if (code != -(int)CASES[i].expect)
            fail_msg("case %zu: %d", i, code);
        if (!code)
            target_free(t);
    }
    struct target *t;
    assert_int_equal(target_load(&t, "int", &b.ctx), -E_TARGET_UNKNOWN);
    for (size_t i = 0; i < target_total(); i++) {
        assert_int_equal(target_load(&t, target_name(i), &b.ctx), 0);
        assert_string_equal(t->name, target_name(i));
        target_free(t);
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_keep_their_names),
        cmocka_unit_test(integer_border),
        cmocka_unit_test(captures_read_the_dequantized_value),
        cmocka_unit_test(refused_models),
        cmocka_unit_test(unknown_range),
        cmocka_unit_test(older_opsets),
        cmocka_unit_test(profiles_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
