/* The quantizer on small graphs: which activations take part and how they are tied, Relu and Clip. */
#include "quant_test.h"

static void relu_vanishes(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL, CONV_RELU);
    choose(&f);
    expect_q(&f, "big_x", 16.0 / 255, 0); /* rint(-128 + 127.5) */
    expect_q(&f, "pos", 2.0 / 255, -128);
    assert_true(same_q(&f, "mid", "pos")); /* not the range [-1, 3] of mid itself */
    assert_int_equal(q_of(&f, "w")->n, 2);
    assert_true(q_of(&f, "w")->scale[0] == (float)(2.0 / 127));
    assert_true(q_of(&f, "b")->scale[1] == q_of(&f, "big_x")->scale[0] * (float)(0.5 / 127));
    assert_int_equal(q_of(&f, "b")->dtype, DT_INT32);
    write_qdq(&f, false);
    assert_int_equal(count_ops(&f, "Relu"), 0);
    assert_int_equal(count_ops(&f, "QuantizeLinear"), 3);
    assert_int_equal(count_ops(&f, "DequantizeLinear"), 5);
    assert_true(node_is(value_of(&f, "pos")->producer, "Conv"));
    assert_true(node_is(value_of(&f, "out")->producer, "DequantizeLinear"));
    assert_non_null(value_of(&f, "out_QuantizeLinear_Input"));
    assert_non_null(value_of(&f, "w_scale"));
    assert_int_equal(value_of(&f, "w_zero_point")->constant->dtype, DT_INT8);
    close_fixture(&f);
}

static void weights_are_rounded_exactly(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL, CONV_RELU);
    choose(&f);
    write_qdq(&f, false);
    const struct tensor *w = value_of(&f, "w_quantized")->constant;
    const struct tensor *b = value_of(&f, "b_quantized")->constant;
    static const int8_t W[4] = {64, -127, 127, 64}; /* 63.5 goes to the even 64 */
    assert_memory_equal(tensor_bytes_of(w, f.b.arena), W, 4);
    const float *scale = value_of(&f, "b_quantized_scale")->constant->data;
    for (int i = 0; i < 2; i++)
        assert_int_equal(tensor_get_int(b, i), num_round_even((i ? -1.0 : 1.0) / (double)scale[i]));
    close_fixture(&f);
}

static const char SYMMETRIC[] =
    "{\"schema\": \"npuprep.target/1\", \"name\": \"t\", \"activation\": {\"symmetric\": true}}";

static void relu_stays_on_a_symmetric_grid(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, SYMMETRIC, CONV_RELU);
    choose(&f);
    expect_q(&f, "pos", 2.0 / 127, 0);
    assert_true(same_q(&f, "mid", "pos"));
    write_qdq(&f, false);
    assert_int_equal(count_ops(&f, "Relu"), 1);
    close_fixture(&f);
}

static void clip_by_its_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *low, *high;
        int clips;
    } CASES[] = {{"0", "6", 0}, {"0", "2", 0}, {"0", "1.5", 1}, {"0.5", "6", 1}, {"-1", "6", 0}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        char text[512];
        snprintf(text, sizeof text,
                 "ir 8\nopset 17\ngraph g(big_x: float[4]) -> (out: float[4]) {\n"
                 "    low: float[] = %s\n    high: float[] = %s\n"
                 "    mid = Sqrt(big_x)\n    pos = Clip(mid, low, high)\n    out = Exp(pos)\n}\n",
                 CASES[i].low, CASES[i].high);
        open_text(&f, NULL, text);
        choose(&f);
        write_qdq(&f, false);
        if (count_ops(&f, "Clip") != CASES[i].clips)
            fail_msg("case %zu", i);
        close_fixture(&f);
    }
}

/* A Relu that would vanish needs no integers of its own. */
static void relu_between_float_layers_stays_float(void **state)
{
    (void)state;
    static const char *const KEPT[] = {"c?"};
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\n"
              "graph g(x: float[1,2,4,4]) -> (y: float[1,2,4,4]) {\n"
              "    w: float[2,2,1,1] = [1, -2, 0.5, 0.25]\n"
              "    [c1] a = Conv(x, w)\n"
              "    b = Relu(a)\n"
              "    [c2] y = Conv(b, w)\n"
              "}\n");
    f.keep_float = KEPT, f.n_keep_float = 1;
    assert_int_equal(plan(&f), 0);
    assert_int_equal(f.plan->n_quantized, 0);
    assert_int_equal(f.plan->observed.count, 0);
    close_fixture(&f);
}

static void relu_with_two_readers_before_it(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\ngraph g(x: float[4]) -> (a: float[4], b: float[4]) {\n"
              "    mid = Exp(x)\n    pos = Relu(mid)\n    a = Sin(pos)\n    b = Cos(mid)\n}\n");
    choose(&f);
    assert_false(same_q(&f, "mid", "pos"));
    write_qdq(&f, false);
    assert_int_equal(count_ops(&f, "Relu"), 1);
    close_fixture(&f);
}

static void moves_share_over_the_whole_graph(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\ngraph g(x: float[1,2,4,4]) -> (out: float[4,2,2,1]) {\n"
              "    shape: int64[4] = [4, 2, 2, 2]\n"
              "    big = Transpose<perm=[0, 2, 3, 1]>(x)\n"
              "    r = Reshape(big, shape)\n"
              "    p = MaxPool<kernel_shape=[1, 2]>(r)\n"
              "    out = Exp(p)\n}\n");
    choose(&f);
    expect_q(&f, "x", 16.0 / 255, 0); /* the union of all members */
    assert_true(same_q(&f, "x", "big") && same_q(&f, "x", "r") && same_q(&f, "x", "p"));
    write_qdq(&f, false);
    int scales = 0;
    for (size_t i = 0; i < f.m->values.count; i++)
        scales += f.m->values.data[i]->constant && !f.m->values.data[i]->removed &&
                  strstr(f.m->values.data[i]->name, "_scale") != NULL;
    assert_int_equal(scales, 2); /* of the group, and of out */
    close_fixture(&f);
}

static void moves_between_float_operators_stay_float(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\nopset my 1\ngraph g(x: float[2,2]) -> (out: float[2,2]) {\n"
              "    a: float[2,2] = my::Op(x)\n    t = Transpose(a)\n    out: float[2,2] = "
              "my::Op(t)\n}\n");
    choose(&f);
    assert_null(q_of(&f, "t"));
    assert_int_equal(f.plan->n_quantized, 0);
    assert_int_equal(f.plan->floats.count, 3);
    close_fixture(&f);
}

static void padding(void **state)
{
    (void)state;
    static const struct {
        const char *call;
        bool tied;
    } CASES[] = {{"Pad(x, pads)", true},
                 {"Pad(x, pads, zero)", true},
                 {"Pad(x, pads, four)", false},
                 {"Pad<mode=\"edge\">(x, pads)", true}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        char text[512];
        snprintf(text, sizeof text,
                 "ir 8\nopset 17\ngraph g(x: float[4]) -> (out: float[6]) {\n"
                 "    pads: int64[2] = [1, 1]\n    zero: float[] = 0\n    four: float[] = 4\n"
                 "    big = %s\n    out = Exp(big)\n}\n",
                 CASES[i].call);
        open_text(&f, NULL, text);
        choose(&f);
        if (same_q(&f, "x", "big") != CASES[i].tied)
            fail_msg("case %zu", i);
        if (i == 2)
            expect_q(&f, "four", 4.0 / 255, -128);
        write_qdq(&f, false);
        close_fixture(&f);
    }
}

static const char CONCAT[] = "ir 8\nopset 17\ngraph g(x: float[2], big_y: float[2]) -> "
                             "(out: float[4]) {\n    out = Concat<axis=0>(x, big_y)\n}\n";

static void concat_ties_where_the_target_says(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL, CONCAT);
    choose(&f);
    assert_false(same_q(&f, "x", "big_y"));
    expect_q(&f, "out", 4.0 / 255, -64);
    close_fixture(&f);
    open_text(&f,
              "{\"schema\": \"npuprep.target/1\", \"name\": \"t\", "
              "\"ops\": {\"Concat\": {\"tie\": true}}}",
              CONCAT);
    choose(&f);
    assert_true(same_q(&f, "x", "big_y") && same_q(&f, "x", "out"));
    expect_q(&f, "out", 16.0 / 255, 0);
    close_fixture(&f);
}

static void softmax_range_is_fixed(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\ngraph g(x: float[2,4]) -> (out: float[2,4]) {\n"
              "    out = Softmax(x)\n}\n");
    choose(&f);
    expect_q(&f, "out", 1.0 / 255, -128);
    assert_int_equal(q_of(&f, "out")->source, QUANT_FIXED);
    assert_int_equal(f.plan->observed.count, 1); /* x; nobody needs to look at out */
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relu_vanishes),
        cmocka_unit_test(weights_are_rounded_exactly),
        cmocka_unit_test(relu_stays_on_a_symmetric_grid),
        cmocka_unit_test(clip_by_its_bounds),
        cmocka_unit_test(relu_between_float_layers_stays_float),
        cmocka_unit_test(relu_with_two_readers_before_it),
        cmocka_unit_test(moves_share_over_the_whole_graph),
        cmocka_unit_test(moves_between_float_operators_stay_float),
        cmocka_unit_test(padding),
        cmocka_unit_test(concat_ties_where_the_target_says),
        cmocka_unit_test(softmax_range_is_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
