/* Recurrent layers against plain loops over the equations, with every option. */
#include "nn_test.h"

#include "kernels/float/rnn.h"

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static double bounded(double x, double clip) { return clip > 0 ? fmax(-clip, fmin(clip, x)) : x; }

static struct rnn_params params_of(enum rnn_kind kind, int64_t steps, int64_t batch, int64_t input,
                                   int64_t hidden, int directions)
{
    struct rnn_params p = {.kind = kind,
                           .steps = steps,
                           .batch = batch,
                           .input = input,
                           .hidden = hidden,
                           .directions = directions};
    for (int d = 0; d < directions; d++)
        for (int i = 0; i < rnn_activations(kind); i++)
            p.activations[d][i] = rnn_activation_default(kind, i);
    return p;
}

/* One gate before its activation: x W' + h R' + both biases. */
static double before(const struct rnn_params *p, const struct rnn_args *a, int d, int64_t row,
                     int64_t x_row, const double *h)
{
    const int64_t width = rnn_gates(p->kind) * p->hidden, w = d * width + row;
    double sum =
        a->b ? (double)a->b[d * 2 * width + row] + (double)a->b[d * 2 * width + width + row] : 0;
    for (int64_t k = 0; k < p->input; k++)
        sum += (double)a->x[x_row * p->input + k] * (double)a->w[w * p->input + k];
    for (int64_t k = 0; h && k < p->hidden; k++)
        sum += h[k] * (double)a->r[w * p->hidden + k];
    return sum;
}

static double of_state(const struct rnn_params *p, const struct rnn_args *a, int d, int64_t row,
                       const double *h, bool bias)
{
    const int64_t width = rnn_gates(p->kind) * p->hidden;
    double sum = bias && a->b ? (double)a->b[d * 2 * width + width + row] : 0;
    for (int64_t k = 0; k < p->hidden; k++)
        sum += h[k] * (double)a->r[(d * width + row) * p->hidden + k];
    return sum;
}

static void slow_step(const struct rnn_params *p, const struct rnn_args *a, int d, int64_t x,
                      double *h, double *c)
{
    const int64_t n = p->hidden, width = rnn_gates(p->kind) * n;
    double next[8], reset[8], update[8], gated[8];
    for (int64_t k = 0; k < n; k++)
        if (p->kind == RNN_SIMPLE) {
            next[k] = tanh(bounded(before(p, a, d, k, x, h), (double)p->clip));
        } else if (p->kind == RNN_GRU) {
            update[k] = sigmoid(bounded(before(p, a, d, k, x, h), (double)p->clip));
            reset[k] = sigmoid(bounded(before(p, a, d, n + k, x, h), (double)p->clip));
            gated[k] = reset[k] * h[k];
        } else {
            const float *peep = a->peepholes ? a->peepholes + d * 3 * n : NULL;
            const double i = sigmoid(bounded(
                before(p, a, d, k, x, h) + (peep ? (double)peep[k] * c[k] : 0), (double)p->clip));
            const double f = sigmoid(bounded(before(p, a, d, 2 * n + k, x, h) +
                                                 (peep ? (double)peep[2 * n + k] * c[k] : 0),
                                             (double)p->clip));
            c[k] = (p->input_forget ? 1 - i : f) * c[k] +
                   i * tanh(bounded(before(p, a, d, 3 * n + k, x, h), (double)p->clip));
            const double o = sigmoid(
                bounded(before(p, a, d, n + k, x, h) + (peep ? (double)peep[n + k] * c[k] : 0),
                        (double)p->clip));
            next[k] = o * tanh(c[k]);
        }
    for (int64_t k = 0; p->kind == RNN_GRU && k < n; k++) {
        double g = before(p, a, d, 2 * n + k, x, NULL);
        if (p->linear_before_reset) /* the recurrent bias is inside r * (...) */
            g += reset[k] * of_state(p, a, d, 2 * n + k, h, true) -
                 (a->b ? (double)a->b[d * 2 * width + width + 2 * n + k] : 0);
        else
            g += of_state(p, a, d, 2 * n + k, gated, false);
        next[k] = (1 - update[k]) * tanh(bounded(g, (double)p->clip)) + update[k] * h[k];
    }
    memcpy(h, next, (size_t)n * sizeof *h);
}

static void slow_rnn(const struct rnn_params *p, const struct rnn_args *a, float *y, float *y_h,
                     float *y_c)
{
    const int64_t n = p->hidden, D = p->directions;
    for (int d = 0; d < D; d++)
        for (int64_t b = 0; b < p->batch; b++) {
            const int64_t at = (p->batch_first ? b * D + d : d * p->batch + b) * n,
                          length = a->lengths ? a->lengths[b] : p->steps;
            double h[8], c[8];
            for (int64_t k = 0; k < n; k++) {
                h[k] = a->initial_h ? (double)a->initial_h[at + k] : 0;
                c[k] = a->initial_c ? (double)a->initial_c[at + k] : 0;
            }
            for (int64_t s = 0; s < length; s++) {
                const int64_t t = d == 1 || p->reverse ? length - 1 - s : s;
                slow_step(p, a, d, p->batch_first ? b * p->steps + t : t * p->batch + b, h, c);
                for (int64_t k = 0; k < n; k++)
                    y[(p->batch_first ? (b * p->steps + t) * D + d : (t * D + d) * p->batch + b) *
                          n +
                      k] = (float)h[k];
            }
            for (int64_t k = 0; k < n; k++)
                y_h[at + k] = (float)h[k], y_c[at + k] = (float)c[k];
        }
}

static void every_option_matches_plain_loops(void **state)
{
    (void)state;
    uint64_t r = 31;
    for (int round = 0; round < 120; round++) {
        const enum rnn_kind kind = (enum rnn_kind)(round % 3);
        struct rnn_params p =
            params_of(kind, test_int(&r, 1, 5), test_int(&r, 1, 3), test_int(&r, 1, 6),
                      test_int(&r, 1, 8), (int)test_int(&r, 1, 2));
        p.reverse = p.directions == 1 && test_int(&r, 0, 1);
        p.batch_first = test_int(&r, 0, 1), p.linear_before_reset = test_int(&r, 0, 1),
        p.input_forget = test_int(&r, 0, 1);
        p.clip = test_int(&r, 0, 2) ? 0 : 0.3f;
        const int64_t width = rnn_gates(kind) * p.hidden, D = p.directions,
                      n_y = p.steps * D * p.batch * p.hidden;
        const int64_t n_s = D * p.batch * p.hidden;
        int32_t lengths[3];
        for (int i = 0; i < 3; i++)
            lengths[i] = (int32_t)test_int(&r, 0, p.steps);
        float *x = test_floats(&r, p.steps * p.batch * p.input),
              *w = test_floats(&r, D * width * p.input);
        float *rec = test_floats(&r, D * width * p.hidden), *b = test_floats(&r, D * 2 * width),
              *h = test_floats(&r, n_s);
        float *c = test_floats(&r, n_s), *peep = test_floats(&r, D * 3 * p.hidden),
              *y = test_zeros(n_y), *y_h = test_zeros(n_s);
        float *y_c = test_zeros(n_s), *want = test_zeros(n_y), *want_h = test_zeros(n_s),
              *want_c = test_zeros(n_s);
        float *scratch = test_zeros(rnn_scratch(&p));
        const struct rnn_args a = {.x = x,
                                   .w = w,
                                   .r = rec,
                                   .b = round % 4 ? b : NULL,
                                   .lengths = round % 5 ? lengths : NULL,
                                   .initial_h = round % 2 ? h : NULL,
                                   .initial_c = kind == RNN_LSTM && round % 4 ? c : NULL,
                                   .peepholes = kind == RNN_LSTM && round % 7 ? peep : NULL,
                                   .y = y,
                                   .y_h = y_h,
                                   .y_c = y_c};
        rnn_run(&p, &a, scratch);
        slow_rnn(&p, &a, want, want_h, want_c);
        test_close(y, want, n_y, 2e-6);
        test_close(y_h, want_h, n_s, 2e-6);
        if (kind == RNN_LSTM)
            test_close(y_c, want_c, n_s, 2e-6);
        mem_free(x), mem_free(w), mem_free(rec), mem_free(b), mem_free(h), mem_free(c),
            mem_free(peep), mem_free(y), mem_free(y_h);
        mem_free(y_c), mem_free(want), mem_free(want_h), mem_free(want_c), mem_free(scratch);
    }
}

static void activations_by_name(void **state)
{
    (void)state;
    struct rnn_activation a;
    assert_true(rnn_activation_find("LeakyRelu", &a) && a.function == RNN_LEAKY_RELU &&
                a.alpha == 0.01f);
    assert_true(rnn_activation_find("hardsigmoid", &a) && a.alpha == 0.2f && a.beta == 0.5f);
    assert_false(rnn_activation_find("Gelu", &a));
    assert_true(rnn_activation_has_alpha(RNN_ELU) && !rnn_activation_has_beta(RNN_ELU) &&
                !rnn_activation_has_alpha(RNN_TANH));
}

/* hidden 1, weight 1, no recurrence: y is the activation of x. */
static void activations_by_hand(void **state)
{
    (void)state;
    const float x[] = {-2, 0.5f}, w[] = {1}, zero[] = {0};
    static const struct {
        struct rnn_activation a;
        float want[2];
    } CASES[] = {
        {{RNN_RELU, 0, 0}, {0, 0.5f}},
        {{RNN_AFFINE, 2, 1}, {-3, 2}},
        {{RNN_LEAKY_RELU, 0.5f, 0}, {-1, 0.5f}},
        {{RNN_THRESHOLDED_RELU, 0.25f, 0}, {0, 0.5f}},
        {{RNN_SCALED_TANH, 2, 2}, {-1.9986583f, 1.5231884f}},
        {{RNN_HARD_SIGMOID, 0.5f, 0.25f}, {0, 0.5f}},
        {{RNN_ELU, 2, 0}, {-1.7293295f, 0.5f}},
        {{RNN_SOFTSIGN, 0, 0}, {-0.6666667f, 0.33333334f}},
        {{RNN_SOFTPLUS, 0, 0}, {0.12692805f, 0.97407699f}},
    };
    for (int i = 0; i < COUNT(CASES); i++) {
        struct rnn_params p = params_of(RNN_SIMPLE, 2, 1, 1, 1, 1);
        p.activations[0][0] = CASES[i].a;
        float y[2], scratch[64];
        assert_true(rnn_scratch(&p) <= 64);
        rnn_run(&p, &(struct rnn_args){.x = x, .w = w, .r = zero, .y = y}, scratch);
        test_close(y, CASES[i].want, 2, 1e-6);
    }
}

static void hostile_sizes_are_refused(void **state)
{
    (void)state;
    struct rnn_params p =
        params_of(RNN_LSTM, (int64_t)1 << 40, (int64_t)1 << 40, 1, (int64_t)1 << 40, 1);
    assert_int_equal(rnn_scratch(&p), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_matches_plain_loops),
        cmocka_unit_test(activations_by_name),
        cmocka_unit_test(activations_by_hand),
        cmocka_unit_test(hostile_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
