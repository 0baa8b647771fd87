/* The quantizer on small graphs: constants that are split, weights, biases, their correction. */
#include "quant_test.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weight_with_two_axes),
        cmocka_unit_test(weight_of_a_float_operator_too),
        cmocka_unit_test(bias_of_two_layers),
        cmocka_unit_test(bias_forms),
        cmocka_unit_test(grouped_transposed_convolution),
        cmocka_unit_test(tiny_weights_are_raised_for_their_bias),
        cmocka_unit_test(biases_take_the_shift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
