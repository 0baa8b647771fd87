/* RNN, GRU and LSTM. Equations: ONNX operator texts RNN-22, GRU-22, LSTM-22.
 *
 * The products of the inputs of all steps are taken at once; a step then adds the product of the
 * states and walks the batch. A sequence shorter than the batch's takes no part in the later steps:
 * its state stands still. In the reverse direction each sequence starts at its own end.
 *
 *   RNN   H = f(x W' + H R' + b)
 *   GRU   z, r = f(x W' + H R' + b);  h = g(x W' + (r * H) R' + b) or, linear_before_reset, g(x W'
 * + r * (H R' + rb) + wb); H = (1 - z) * h + z * H LSTM  i, f = f(x W' + H R' + p * C + b);  c =
 * g(x W' + H R' + b);  C = f * C + i * c;  o = f(... + p * C);  H = o * h(C)
 */
#include "kernels/float/rnn.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "kernels/float/gemm.h"
#include "kernels/float/math.h"
#include "kernels/float/unary.h"

static const struct {
    const char *name;
    enum unary_op op; /* UNARY_COUNT: computed here */
    float alpha, beta;
    bool has_alpha, has_beta;
} FUNCTIONS[] = {
    [RNN_RELU] = {"Relu", UNARY_RELU, 0, 0, false, false},
    [RNN_TANH] = {"Tanh", UNARY_TANH, 0, 0, false, false},
    [RNN_SIGMOID] = {"Sigmoid", UNARY_SIGMOID, 0, 0, false, false},
    [RNN_AFFINE] = {"Affine", UNARY_COUNT, 1, 0, true, true},
    [RNN_LEAKY_RELU] = {"LeakyRelu", UNARY_LEAKY_RELU, 0.01f, 0, true, false},
    [RNN_THRESHOLDED_RELU] = {"ThresholdedRelu", UNARY_THRESHOLDED_RELU, 1, 0, true, false},
    [RNN_SCALED_TANH] = {"ScaledTanh", UNARY_COUNT, 1, 1, true, true},
    [RNN_HARD_SIGMOID] = {"HardSigmoid", UNARY_HARD_SIGMOID, 0.2f, 0.5f, true, true},
    [RNN_ELU] = {"Elu", UNARY_ELU, 1, 0, true, false},
    [RNN_SOFTSIGN] = {"Softsign", UNARY_SOFTSIGN, 0, 0, false, false},
    [RNN_SOFTPLUS] = {"Softplus", UNARY_SOFTPLUS, 0, 0, false, false},
};

bool rnn_activation_has_alpha(enum rnn_function f) { return FUNCTIONS[f].has_alpha; }
bool rnn_activation_has_beta(enum rnn_function f) { return FUNCTIONS[f].has_beta; }

bool rnn_activation_find(const char *name, struct rnn_activation *a)
{
    for (int i = RNN_RELU; i <= RNN_SOFTPLUS; i++)
        if (!strcasecmp(name, FUNCTIONS[i].name)) {
            *a = (struct rnn_activation){(enum rnn_function)i, FUNCTIONS[i].alpha,
                                         FUNCTIONS[i].beta};
            return true;
        }
    return false;
}

struct rnn_activation rnn_activation_default(enum rnn_kind kind, int slot)
{
    return (struct rnn_activation){kind != RNN_SIMPLE && slot == 0 ? RNN_SIGMOID : RNN_TANH, 0, 0};
}

int rnn_activations(enum rnn_kind kind) { return kind == RNN_LSTM ? 3 : kind == RNN_GRU ? 2 : 1; }
int rnn_gates(enum rnn_kind kind) { return kind == RNN_LSTM ? 4 : kind == RNN_GRU ? 3 : 1; }

static void activate(const struct rnn_params *p, const struct rnn_activation *a, float *x)
{
    const enum unary_op op = FUNCTIONS[a->function].op;
    const struct unary_args args = {
        .op = op, .dtype = DT_FLOAT, .alpha = a->alpha, .beta = a->beta, .fast = p->fast};
    if (op != UNARY_COUNT) {
        kernel_unary(&args, x, x, 0, p->hidden);
        return;
    }
    for (int64_t i = 0; i < p->hidden; i++)
        x[i] = a->function == RNN_AFFINE
                   ? a->alpha * x[i] + a->beta
                   : (float)((double)a->alpha * math_tanh((double)a->beta * (double)x[i]));
}

static void gate(const struct rnn_params *p, const struct rnn_activation *a, float *x)
{
    for (int64_t i = 0; p->clip > 0 && i < p->hidden; i++)
        x[i] = x[i] < -p->clip ? -p->clip : x[i] > p->clip ? p->clip : x[i];
    activate(p, a, x);
}

/* Working memory and pointers of one direction. */
struct state {
    const struct rnn_params *p;
    const struct rnn_activation *act;
    const float *r, *wb, *rb, *peepholes; /* of the direction; rb: bias of r */
    float *xw;                            /* [rows of x, gates * hidden] */
    float *hr;                            /* [batch, gates * hidden] */
    float *h, *c;                         /* [batch, hidden] */
    float *gated;                         /* GRU: [batch, hidden] r * H, then its product */
    float *product;                       /* GRU: [batch, hidden] */
};

static int64_t row_width(const struct rnn_params *p) { return rnn_gates(p->kind) * p->hidden; }

int64_t rnn_scratch(const struct rnn_params *p)
{
    int64_t rows, floats;
    if (__builtin_mul_overflow(p->hidden, rnn_gates(p->kind), &floats) ||
        __builtin_add_overflow(p->steps, 2, &rows) ||
        __builtin_mul_overflow(rows, p->batch, &rows) ||
        __builtin_mul_overflow(floats, rows, &floats) ||
        __builtin_mul_overflow(p->hidden, 4, &rows) ||
        __builtin_mul_overflow(rows, p->batch, &rows) ||
        __builtin_add_overflow(floats, rows, &floats) || floats > PTRDIFF_MAX / 8)
        return -1;
    return floats;
}

/* y [rows, n] = x [rows, k] * w' with w [n, k] */
static void times_transposed(int64_t rows, int64_t n, int64_t k, const float *x, const float *w,
                             float *y)
{
    const struct gemm_side left = {gemm_pack_f32, x, k, 1, NULL},
                           right = {gemm_pack_f32, w, k, 1, NULL};
    gemm_f32(rows, n, k, &left, &right, y, n, 1);
}

static void add(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; x && i < n; i++)
        y[i] += x[i];
}

static void add_product(float *y, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; a && i < n; i++)
        y[i] += a[i] * b[i];
}

static void lstm_row(const struct state *s, float *x, float *h, float *c)
{
    const int64_t n = s->p->hidden;
    float *i = x, *o = x + n, *f = x + 2 * n, *g = x + 3 * n;
    const float *peep = s->peepholes;
    add_product(i, peep, c, n);
    add_product(f, peep ? peep + 2 * n : NULL, c, n);
    gate(s->p, &s->act[0], i);
    gate(s->p, &s->act[0], f);
    gate(s->p, &s->act[1], g);
    for (int64_t k = 0; k < n; k++)
        c[k] = (s->p->input_forget ? 1 - i[k] : f[k]) * c[k] + i[k] * g[k];
    add_product(o, peep ? peep + n : NULL, c, n);
    gate(s->p, &s->act[0], o);
    memcpy(h, c, (size_t)n * sizeof *h);
    activate(s->p, &s->act[2], h);
    for (int64_t k = 0; k < n; k++)
        h[k] *= o[k];
}

/* The first half of a GRU step: z and r; leaves r * H in gated. */
static void gru_reset(const struct state *s, float *x, const float *h, float *gated)
{
    const int64_t n = s->p->hidden;
    gate(s->p, &s->act[0], x);
    gate(s->p, &s->act[0], x + n);
    for (int64_t k = 0; k < n; k++)
        gated[k] = x[n + k] * h[k];
}

/* The second half: product is (r * H) R' or r * (H R' + rb). */
static void gru_update(const struct state *s, float *x, const float *product, float *h)
{
    const int64_t n = s->p->hidden;
    float *z = x, *g = x + 2 * n;
    add(g, product, n);
    gate(s->p, &s->act[1], g);
    for (int64_t k = 0; k < n; k++)
        h[k] = (1 - z[k]) * g[k] + z[k] * h[k];
}

static int64_t length_of(const struct rnn_args *a, const struct rnn_params *p, int64_t b)
{
    return a->lengths ? a->lengths[b] : p->steps;
}

/* The row of x (and of xw) that batch element b reads at `step` of its direction; -1: its sequence
 * is over. */
static int64_t time_of(const struct rnn_params *p, const struct rnn_args *a, bool reverse,
                       int64_t step, int64_t b)
{
    const int64_t length = length_of(a, p, b);
    return step >= length ? -1 : reverse ? length - 1 - step : step;
}

static float *x_row(const struct state *s, int64_t t, int64_t b)
{
    const struct rnn_params *p = s->p;
    return s->xw + (p->batch_first ? b * p->steps + t : t * p->batch + b) * row_width(p);
}

static float *y_row(const struct rnn_params *p, float *y, int d, int64_t t, int64_t b)
{
    const int64_t at = p->batch_first ? (b * p->steps + t) * p->directions + d
                                      : (t * p->directions + d) * p->batch + b;
    return y + at * p->hidden;
}

static int64_t state_at(const struct rnn_params *p, int d, int64_t b)
{
    return (p->batch_first ? b * p->directions + d : d * p->batch + b) * p->hidden;
}

/* GRU with the reset gate before the product: r * H for the whole batch, then its product. */
static void gru_products(const struct state *s, const struct rnn_args *a, bool reverse,
                         int64_t step)
{
    const struct rnn_params *p = s->p;
    const int64_t n = p->hidden;
    for (int64_t b = 0; b < p->batch; b++) {
        const int64_t t = time_of(p, a, reverse, step, b);
        float *gated = s->gated + b * n;
        if (t < 0) {
            memset(gated, 0, (size_t)n * sizeof *gated);
            continue;
        }
        float *x = x_row(s, t, b), *hr = s->hr + b * row_width(p);
        add(x, hr, 2 * n);
        gru_reset(s, x, s->h + b * n, gated);
        if (p->linear_before_reset) {
            add(hr + 2 * n, s->rb ? s->rb + 2 * n : NULL, n);
            for (int64_t k = 0; k < n; k++)
                s->product[b * n + k] = x[n + k] * hr[2 * n + k];
        }
    }
    if (!p->linear_before_reset)
        times_transposed(p->batch, n, n, s->gated, s->r + 2 * n * n, s->product);
}

static void one_step(const struct state *s, const struct rnn_args *a, int d, bool reverse,
                     int64_t step)
{
    const struct rnn_params *p = s->p;
    const int64_t n = p->hidden, width = row_width(p);
    if (a->products)
        a->products->multiply(a->products->user, d, true, p->batch, s->h, s->hr);
    else
        times_transposed(p->batch, width, n, s->h, s->r, s->hr);
    if (p->kind == RNN_GRU)
        gru_products(s, a, reverse, step);
    for (int64_t b = 0; b < p->batch; b++) {
        const int64_t t = time_of(p, a, reverse, step, b);
        float *x = t < 0 ? NULL : x_row(s, t, b), *h = s->h + b * n;
        if (!x)
            continue;
        if (p->kind == RNN_GRU) {
            gru_update(s, x, s->product + b * n, h);
        } else {
            add(x, s->hr + b * width, width);
            if (p->kind == RNN_LSTM) {
                lstm_row(s, x, h, s->c + b * n);
            } else {
                gate(p, &s->act[0], x);
                memcpy(h, x, (size_t)n * sizeof *h);
            }
        }
        if (a->y)
            memcpy(y_row(p, a->y, d, t, b), h, (size_t)n * sizeof *h);
    }
}

/* Biases join the input products, except the one that linear_before_reset multiplies. */
static void add_biases(const struct state *s, int64_t rows)
{
    const struct rnn_params *p = s->p;
    const int64_t width = row_width(p),
                  of_r = p->kind == RNN_GRU && p->linear_before_reset ? 2 * p->hidden : width;
    for (int64_t row = 0; row < rows; row++) {
        add(s->xw + row * width, s->wb, width);
        add(s->xw + row * width, s->rb, of_r);
    }
}

static void load_state(const struct rnn_params *p, const float *from, int d, float *to)
{
    for (int64_t b = 0; b < p->batch; b++)
        for (int64_t k = 0; k < p->hidden; k++)
            to[b * p->hidden + k] = from ? from[state_at(p, d, b) + k] : 0.0f;
}

static void save_state(const struct rnn_params *p, const float *from, int d, float *to)
{
    for (int64_t b = 0; to && b < p->batch; b++)
        memcpy(to + state_at(p, d, b), from + b * p->hidden, (size_t)p->hidden * sizeof *to);
}

/* Steps beyond a sequence's length are not visited. */
static void clear_outputs(const struct rnn_params *p, const struct rnn_args *a, int d)
{
    for (int64_t t = 0; a->y && a->lengths && t < p->steps; t++)
        for (int64_t b = 0; b < p->batch; b++)
            memset(y_row(p, a->y, d, t, b), 0, (size_t)p->hidden * sizeof *a->y);
}

void rnn_run_direction(const struct rnn_params *p, const struct rnn_args *a, int d, float *scratch)
{
    const int64_t width = row_width(p), rows = p->steps * p->batch, states = p->batch * p->hidden;
    const bool reverse = d == 1 || p->reverse;
    const float *bias = a->b ? a->b + d * 2 * width : NULL;
    struct state s = {.p = p,
                      .act = p->activations[d],
                      .r = a->r ? a->r + d * width * p->hidden : NULL,
                      .wb = bias,
                      .rb = bias ? bias + width : NULL,
                      .peepholes = a->peepholes ? a->peepholes + d * 3 * p->hidden : NULL};
    s.xw = scratch;
    s.hr = s.xw + rows * width;
    s.h = s.hr + p->batch * width;
    s.c = s.h + states;
    s.gated = s.c + states;
    s.product = s.gated + states;
    if (a->products)
        a->products->multiply(a->products->user, d, false, rows, a->x, s.xw);
    else
        times_transposed(rows, width, p->input, a->x, a->w + d * width * p->input, s.xw);
    add_biases(&s, rows);
    clear_outputs(p, a, d);
    load_state(p, a->initial_h, d, s.h);
    load_state(p, a->initial_c, d, s.c);
    for (int64_t step = 0; step < p->steps; step++)
        one_step(&s, a, d, reverse, step);
    save_state(p, s.h, d, a->y_h);
    save_state(p, s.c, d, a->y_c);
}

void rnn_run(const struct rnn_params *p, const struct rnn_args *a, float *scratch)
{
    for (int d = 0; d < p->directions; d++)
        rnn_run_direction(p, a, d, scratch);
}
