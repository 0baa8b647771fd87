/* The quantizer on small graphs: which values take part and how they are tied, constants that are
 * split, Relu and Clip, biases, the form of the Q/DQ graph, refusals. */
#include <math.h>

#include "base/num.h"
#include "data_test.h"
#include "ops/op.h"
#include "quant/quant.h"

struct fixture {
    struct bench b;
    struct model *m;
    struct target *target;
    struct quant_plan *plan;
    const char *const *keep_float;
    size_t n_keep_float;
};

static void open_text(struct fixture *f, const char *profile, const char *text)
{
    *f = (struct fixture){0};
    bench_open(&f->b);
    const char *name = profile ? bench_file(&f->b, "t.json", profile, strlen(profile)) : "int8";
    assert_int_equal(target_load(&f->target, name, &f->b.ctx), 0);
    f->m = model_parse(&f->b.ctx, text);
    if (!f->m)
        fail_msg("%s", diag_at(f->b.ctx.diag, diag_count(f->b.ctx.diag) - 1)->message);
    ops_resolve(f->m);
    assert_int_equal(model_infer(f->m, NULL, NULL), 0);
}

static int plan(struct fixture *f)
{
    struct quant_settings s = {.target = f->target,
                               .weight_bits = 8,
                               .activation_bits = 8,
                               .keep_float = f->keep_float,
                               .n_keep_float = f->n_keep_float};
    return quant_plan_new(&f->plan, f->m, &s);
}

/* Every range is [-1, 3], but "pos..." [0, 2] and "big..." [-8, 8]. */
static bool fixed_range(void *user, const struct value *v, double *low, double *high)
{
    (void)user;
    *low = -1, *high = 3;
    if (strncmp(v->name, "pos", 3) == 0)
        *low = 0, *high = 2;
    if (strncmp(v->name, "big", 3) == 0)
        *low = -8, *high = 8;
    return true;
}

static void choose(struct fixture *f)
{
    assert_int_equal(plan(f), 0);
    assert_int_equal(quant_choose(f->plan, fixed_range, NULL, "minmax"), 0);
}

static void close_fixture(struct fixture *f)
{
    quant_plan_free(f->plan);
    target_free(f->target);
    model_free(f->m);
    bench_close(&f->b);
}

static struct value *value_of(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->m->values.count; i++) {
        struct value *v = f->m->values.data[i];
        if (!v->removed && strcmp(v->name, name) == 0)
            return v;
    }
    fail_msg("there is no value '%s'", name);
    return NULL;
}

static const struct quant *q_of(const struct fixture *f, const char *name)
{
    return value_of(f, name)->q;
}

static void expect_q(const struct fixture *f, const char *name, double scale, int zero_point)
{
    const struct quant *q = q_of(f, name);
    if (!q)
        fail_msg("'%s' is float", name);
    if (fabs((double)q->scale[0] - scale) > 1e-6 * scale || q->zero_point[0] != zero_point)
        fail_msg("'%s': %.9g %d, expected %.9g %d", name, (double)q->scale[0], q->zero_point[0],
                 scale, zero_point);
}

static bool same_q(const struct fixture *f, const char *a, const char *b)
{
    const struct quant *p = q_of(f, a), *q = q_of(f, b);
    return p && q && p->scale[0] == q->scale[0] && p->zero_point[0] == q->zero_point[0];
}

static int count_ops(const struct fixture *f, const char *op_type)
{
    int n = 0;
    graph_each_node(node, f->m->graph) n += strcmp(node->op_type, op_type) == 0;
    return n;
}

/* ---- an independent look at a Q/DQ graph ---- */

static void check_dequantize(const struct node *n)
{
    const struct value *x = node_input(n, 0);
    assert_true(x->producer ? node_is(x->producer, "QuantizeLinear")
                            : x->constant != NULL || x->is_input);
    if (!x->producer)
        return;
    assert_ptr_equal(node_input(n, 1), node_input(x->producer, 1));
    assert_ptr_equal(node_input(n, 2), node_input(x->producer, 2));
}

/* Q only behind something that computes, DQ only behind Q or integers, integers only into DQ. */
static void check_form(const struct fixture *f)
{
    assert_int_equal(model_verify(f->m), 0);
    graph_each_node(n, f->m->graph)
    {
        if (node_is(n, "DequantizeLinear"))
            check_dequantize(n);
        if (node_is(n, "QuantizeLinear")) {
            const struct value *x = node_input(n, 0);
            assert_true(!x->producer || !node_is(x->producer, "DequantizeLinear"));
            value_each_use(u, n->outputs[0])
                assert_true(!u->node || node_is(u->node, "DequantizeLinear"));
        }
    }
}

static void write_qdq(struct fixture *f, bool io_quantized)
{
    assert_int_equal(qdq_write(f->plan, &(struct qdq_options){.io_quantized = io_quantized}), 0);
    check_form(f);
}

/* ---- activations ---- */

static const char CONV_RELU[] = "ir 8\nopset 17\n"
                                "graph g(big_x: float[1,2,4,4]) -> (out: float[1,2,4,4]) {\n"
                                "    w: float[2,2,1,1] = [1, -2, 0.5, 0.25]\n"
                                "    b: float[2] = [1, -1]\n"
                                "    mid = Conv(big_x, w, b)\n"
                                "    pos = Relu(mid)\n"
                                "    out = Sigmoid(pos)\n"
                                "}\n";

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

/* ---- constants ---- */

static void weight_with_two_axes(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\ngraph g(x: float[3,2], big: float[2,3]) -> (a: float[3,3], "
              "b: float[2,2], c: float[2,3]) {\n"
              "    w: float[2,3] = [1, 2, 4, -8, 16, 32]\n"
              "    a = Gemm(x, w)\n"
              "    b = Gemm<transB=1>(big, w)\n"
              "    c = Add(w, big)\n}\n");
    choose(&f);
    const struct node *n = f.m->graph->first;
    const struct quant *first = node_input(n, 1)->q, *second = node_input(n->next, 1)->q,
                       *third = node_input(n->next->next, 0)->q;
    assert_true(first->n == 3 && first->axis == 1 && second->n == 2 && second->axis == 0);
    assert_true(first->scale[2] == 32.0f / 127 && second->scale[0] == 4.0f / 127);
    assert_true(third->axis == -1 && third->scale[0] == (float)(40.0 / 255)); /* an activation */
    assert_string_equal(node_input(n, 1)->name, "w");
    write_qdq(&f, false);
    close_fixture(&f);
}

static void weight_of_a_float_operator_too(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\nopset my 1\ngraph g(x: float[2,2]) -> (a: float[2,2], "
              "b: float[2,2]) {\n    w: float[2,2] = [1, 2, 3, 4]\n"
              "    a = MatMul(x, w)\n    b: float[2,2] = my::Op(w)\n}\n");
    choose(&f);
    assert_null(q_of(&f, "w")); /* it keeps its floats for my::Op */
    assert_non_null(node_input(f.m->graph->first, 1)->q);
    write_qdq(&f, false);
    close_fixture(&f);
}

static void bias_of_two_layers(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\ngraph g(x: float[1,1,2,2], big: float[1,1,2,2]) -> "
              "(a: float[1,2,2,2], b: float[1,2,2,2]) {\n"
              "    w: float[2,1,1,1] = [1, 2]\n    bias: float[2] = [0.5, 0.25]\n"
              "    a = Conv(x, w, bias)\n    b = Conv(big, w, bias)\n}\n");
    choose(&f);
    const struct value *p = node_input(f.m->graph->first, 2);
    const struct value *q = node_input(f.m->graph->first->next, 2);
    assert_ptr_not_equal(p, q);
    assert_string_equal(p->name, "bias");
    assert_true(p->q->scale[0] == q_of(&f, "x")->scale[0] * q_of(&f, "w")->scale[0]);
    assert_true(q->q->scale[0] == q_of(&f, "big")->scale[0] * q_of(&f, "w")->scale[0]);
    assert_ptr_equal(node_input(f.m->graph->first, 1), node_input(f.m->graph->first->next, 1));
    write_qdq(&f, false);
    close_fixture(&f);
}

static void bias_forms(void **state)
{
    (void)state;
    static const struct {
        const char *bias;
        bool quantized;
    } CASES[] = {{"float[3] = [1, 2, 3]", true},
                 {"float[1,3] = [1, 2, 3]", true},
                 {"float[1] = [1]", false}, /* one number for three scales: stays float */
                 {"float[2,3] = [1, 2, 3, 4, 5, 6]", false}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        char text[512];
        snprintf(text, sizeof text,
                 "ir 8\nopset 17\ngraph g(x: float[2,2]) -> (out: float[2,3]) {\n"
                 "    w: float[2,3] = [1, 2, 3, 4, 5, 6]\n    bias: %s\n"
                 "    out = Gemm<beta=0.5>(x, w, bias)\n}\n",
                 CASES[i].bias);
        open_text(&f, NULL, text);
        choose(&f);
        if ((q_of(&f, "bias") != NULL) != CASES[i].quantized)
            fail_msg("case %zu", i);
        write_qdq(&f, false);
        close_fixture(&f);
    }
}

static void grouped_transposed_convolution(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\ngraph g(x: float[1,2,2,2]) -> (out: float[1,4,2,2]) {\n"
              "    w: float[2,2,1,1] = [1, 2, 3, 8]\n    bias: float[4] = [1, 2, 3, 4]\n"
              "    out = ConvTranspose<group=2>(x, w, bias)\n}\n");
    choose(&f);
    const struct quant *w = q_of(&f, "w"), *b = q_of(&f, "bias");
    assert_true(w->n == 2 && w->axis == 1 && w->scale[0] == 3.0f / 127 &&
                w->scale[1] == 8.0f / 127);
    assert_true(b->n == 4 && b->axis == 0);
    assert_true(b->scale[0] == b->scale[2] && b->scale[1] == b->scale[3]);
    write_qdq(&f, false);
    close_fixture(&f);
}

static void tiny_weights_are_raised_for_their_bias(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\ngraph g(x: float[1,1,2,2]) -> (out: float[1,2,2,2]) {\n"
              "    w: float[2,1,1,1] = [1e-12, 1]\n    bias: float[2] = [5, 5]\n"
              "    out = Conv(x, w, bias)\n}\n");
    choose(&f);
    const struct quant *b = q_of(&f, "bias"), *w = q_of(&f, "w");
    assert_true(5 / (double)b->scale[0] < 2147483648.0 && 5 / (double)b->scale[0] > 2.1e9);
    assert_true(w->scale[1] == (float)(1.0 / 127));
    write_qdq(&f, false);
    close_fixture(&f);
}

/* ---- bias correction ---- */

/* Means 1, 2, 3, ... of the channels. */
static bool rising_means(void *user, const struct value *v, int64_t n, double *mean)
{
    (void)user, (void)v;
    for (int64_t c = 0; c < n; c++)
        mean[c] = (double)(c + 1);
    return true;
}

/* What the rounded weights add for inputs that are those means everywhere. */
static double shift_of(const struct quant *q, const float *w, const double *mean, int n,
                       int channel)
{
    double sum = 0, scale = (double)q->scale[channel];
    for (int i = 0; i < n; i++)
        sum += ((double)num_round_even((double)w[i] / scale) * scale - (double)w[i]) * mean[i];
    return sum;
}

static void check_bias(const struct fixture *f, const char *name, int i, double shift)
{
    const struct value *b = value_of(f, name);
    double scale = (double)b->q->scale[i];
    double want = (double)num_round_even((tensor_get(b->constant, i) - shift) / scale);
    assert_true((double)tensor_get_int(b->q->payload, i) == want);
    assert_true(fabs(shift) > scale); /* or nothing was tested */
}

static void biases_take_the_shift(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, NULL,
              "ir 8\nopset 17\ngraph g(x: float[1,4,2,2], big: float[1,3]) -> "
              "(out: float[1,2,2,2], y: float[1,2]) {\n"
              "    w: float[2,2,1,1] = [1, 0.3, 0.7, -0.2]\n    bias: float[2] = [0.5, 0]\n"
              "    v: float[3,2] = [1, 0.3, 0.31, -1, 0.11, 0.77]\n"
              "    out = Conv<group=2>(x, w, bias)\n    y = Gemm<alpha=2.0>(big, v)\n}\n");
    struct quant_settings s = {
        .target = f.target, .weight_bits = 8, .activation_bits = 8, .make_biases = true};
    assert_int_equal(quant_plan_new(&f.plan, f.m, &s), 0);
    assert_int_equal(quant_choose(f.plan, fixed_range, NULL, "minmax"), 0);
    assert_int_equal(quant_correct_biases(f.plan, rising_means, NULL), 2);
    const struct quant *w = q_of(&f, "w");
    check_bias(&f, "bias", 0, shift_of(w, (float[]){1, 0.3f}, (double[]){1, 2}, 2, 0));
    check_bias(&f, "bias", 1, shift_of(w, (float[]){0.7f, -0.2f}, (double[]){3, 4}, 2, 1));
    const struct quant *v = q_of(&f, "v"); /* alpha 2 and a bias of zeros made for it */
    const double mean[3] = {1, 2, 3};
    check_bias(&f, "y_bias", 0, 2 * shift_of(v, (float[]){1, 0.31f, 0.11f}, mean, 3, 0));
    check_bias(&f, "y_bias", 1, 2 * shift_of(v, (float[]){0.3f, -1, 0.77f}, mean, 3, 1));
    assert_int_equal(quant_mean_axis(value_of(&f, "x")), 1);
    assert_int_equal(quant_mean_axis(value_of(&f, "big")), 1);
    assert_int_equal(quant_mean_axis(value_of(&f, "out")), -1);
    write_qdq(&f, false);
    assert_int_equal(value_of(&f, "bias_quantized")->constant->dtype, DT_INT32);
    close_fixture(&f);
}

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
        cmocka_unit_test(relu_vanishes),
        cmocka_unit_test(weights_are_rounded_exactly),
        cmocka_unit_test(relu_stays_on_a_symmetric_grid),
        cmocka_unit_test(clip_by_its_bounds),
        cmocka_unit_test(relu_with_two_readers_before_it),
        cmocka_unit_test(moves_share_over_the_whole_graph),
        cmocka_unit_test(moves_between_float_operators_stay_float),
        cmocka_unit_test(padding),
        cmocka_unit_test(concat_ties_where_the_target_says),
        cmocka_unit_test(softmax_range_is_fixed),
        cmocka_unit_test(weight_with_two_axes),
        cmocka_unit_test(weight_of_a_float_operator_too),
        cmocka_unit_test(bias_of_two_layers),
        cmocka_unit_test(bias_forms),
        cmocka_unit_test(grouped_transposed_convolution),
        cmocka_unit_test(tiny_weights_are_raised_for_their_bias),
        cmocka_unit_test(biases_take_the_shift),
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
