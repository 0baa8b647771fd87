/* RNN, GRU, LSTM, versions 7 to 22: shapes, multiply-accumulates, and the adapter with
 * kernels/float/rnn.h. */
#include "ops/ops_rnn.h"

#include "base/pool.h"
#include "kernels/float/gemv.h"
#include "kernels/float/rearrange.h"
#include "kernels/onednn/dnn.h"

/* ---- shapes: X [steps, batch, input], W [directions, gates * hidden, input]; layout 1 has the
 * batch first ---- */

static int gates_of(const struct node *n)
{
    return node_is(n, "LSTM") ? 4 : node_is(n, "GRU") ? 3 : 1;
}

static dim_t hidden_of(struct infer *c)
{
    const struct attr *a = node_attr(c->node, "hidden_size");
    return a ? infer_int(c, a->i) : infer_dim(c, 2, 2);
}

int infer_rnn(struct infer *c)
{
    bool batch_first = node_int(c->node, "layout", 0) != 0;
    bool both = node_string_is(c->node, "direction", "forward", "bidirectional");
    dim_t hidden = hidden_of(c), directions = infer_int(c, both ? 2 : 1);
    for (uint32_t i = 0; i < 3; i++)
        if (infer_rank(c, i) >= 0 && infer_rank(c, i) != 3)
            return infer_fail(c, "input %u has rank %d, expected 3", i, infer_rank(c, i));
    dim_t steps = infer_dim(c, 0, batch_first ? 1 : 0),
          batch = infer_dim(c, 0, batch_first ? 0 : 1);
    dim_t rows = dim_mul(c->dims, hidden, infer_int(c, gates_of(c->node)));
    int rc = infer_expect(c, infer_dim(c, 1, 1), rows, "the number of rows of W");
    rc = rc ? rc
            : infer_expect(c, infer_dim(c, 1, 2), infer_dim(c, 0, 2), "the number of columns of W");
    rc = rc ? rc : infer_expect(c, infer_dim(c, 1, 0), directions, "the number of directions of W");
    rc = rc ? rc : infer_expect(c, infer_dim(c, 2, 1), rows, "the number of rows of R");
    rc = rc ? rc : infer_expect(c, infer_dim(c, 2, 2), hidden, "the number of columns of R");
    dim_t y[4] = {steps, directions, batch, hidden},
          y_batch[4] = {batch, steps, directions, hidden};
    dim_t h[3] = {directions, batch, hidden}, h_batch[3] = {batch, directions, hidden};
    infer_out(c, 0, infer_dtype(c, 0), 4, batch_first ? y_batch : y);
    infer_out(c, 1, infer_dtype(c, 0), 3, batch_first ? h_batch : h);
    infer_out(c, 2, infer_dtype(c, 0), 3, batch_first ? h_batch : h);
    return rc;
}

/* steps * batch * (elements of W and R). */
int macs_rnn(const struct node *n, int64_t *macs)
{
    const struct value *x = node_input(n, 0), *w = node_input(n, 1), *r = node_input(n, 2);
    int64_t a, b, rows, in, hidden, directions;
    if (!x || !w || !r || !value_dim(x, 0, &a) || !value_dim(x, 1, &b) ||
        !value_dim(w, 0, &directions) || !value_dim(w, 1, &rows) || !value_dim(w, 2, &in) ||
        !value_dim(r, 2, &hidden))
        return -1;
    bool over = __builtin_add_overflow(in, hidden, &in) || __builtin_mul_overflow(in, rows, &in) ||
                __builtin_mul_overflow(in, directions, &in) || __builtin_mul_overflow(a, b, &a) ||
                __builtin_mul_overflow(a, in, macs);
    return over ? -1 : 0;
}

/* ---- evaluation ---- */

static const char *text_at(struct eval *e, const struct span *list, uint32_t i)
{
    return arena_printf(e->scratch, "%.*s", (int)num_clamp((int64_t)list[i].size, 0, 64),
                        (const char *)list[i].data);
}

/* Names for all slots of all directions in order; alphas and betas go, in order, to the functions
 * that have them. */
static int read_activations(struct eval *e, struct rnn_params *p)
{
    const struct attr *names = node_attr(e->node, "activations");
    const float *alpha, *beta;
    uint32_t n_alpha, n_beta, a = 0, b = 0;
    int slots = rnn_activations(p->kind);
    node_floats(e->node, "activation_alpha", &alpha, &n_alpha);
    node_floats(e->node, "activation_beta", &beta, &n_beta);
    if (names && names->n < (uint32_t)(slots * p->directions))
        return eval_fail(e, E_OP_ATTR, "%u activations are named for %d slots", names->n,
                         slots * p->directions);
    for (int d = 0; d < p->directions; d++)
        for (int s = 0; s < slots; s++) {
            struct rnn_activation *f = &p->activations[d][s];
            *f = rnn_activation_default(p->kind, s);
            if (names &&
                !rnn_activation_find(text_at(e, names->strings, (uint32_t)(d * slots + s)), f))
                return eval_fail(e, E_OP_FORM, "there is no activation '%s'",
                                 text_at(e, names->strings, (uint32_t)(d * slots + s)));
            if (rnn_activation_has_alpha(f->function) && a < n_alpha)
                f->alpha = alpha[a++];
            if (rnn_activation_has_beta(f->function) && b < n_beta)
                f->beta = beta[b++];
        }
    return 0;
}

static int read_direction(struct eval *e, struct rnn_params *p)
{
    static const char *const names[] = {"forward", "reverse", "bidirectional"};
    for (int i = 0; i < 3; i++)
        if (node_string_is(e->node, "direction", "forward", names[i])) {
            p->directions = i == 2 ? 2 : 1;
            p->reverse = i == 1;
            return 0;
        }
    return eval_fail(e, E_OP_ATTR, "direction is none of forward, reverse, bidirectional");
}

static int read_params(struct eval *e, struct rnn_params *p)
{
    const struct tensor *x = e->in[0];
    p->batch_first = node_int(e->node, "layout", 0) != 0;
    p->steps = x->dims[p->batch_first ? 1 : 0];
    p->batch = x->dims[p->batch_first ? 0 : 1];
    p->input = x->dims[2];
    p->linear_before_reset = node_int(e->node, "linear_before_reset", 0) != 0;
    p->input_forget = node_int(e->node, "input_forget", 0) != 0;
    p->clip = node_float(e->node, "clip", 0);
    p->fast = e->fast;
    int rc = read_direction(e, p);
    return rc ? rc : read_activations(e, p);
}

/* Optional inputs have the sizes that follow from the others. */
static int check_input(struct eval *e, uint32_t i, int64_t want)
{
    if (!has_in(e, i) || e->in[i]->count == want)
        return 0;
    return eval_fail(e, E_SHAPE, "%s: input %u has %lld elements, expected %lld", e->node->op_type,
                     i, (long long)e->in[i]->count, (long long)want);
}

static int check_inputs(struct eval *e, const struct rnn_params *p, bool weights)
{
    int64_t rows = p->directions * p->hidden, gates = rnn_gates(p->kind);
    int rc = weights ? check_input(e, 1, rows * gates * p->input) : 0;
    rc = rc || !weights ? rc : check_input(e, 2, rows * gates * p->hidden);
    rc = rc ? rc : check_input(e, 3, 2 * rows * gates);
    rc = rc ? rc : check_input(e, 4, p->batch);
    rc = rc ? rc : check_input(e, 5, rows * p->batch);
    rc = rc ? rc : check_input(e, 6, rows * p->batch);
    rc = rc ? rc : check_input(e, 7, 3 * rows);
    for (int64_t b = 0; !rc && has_in(e, 4) && b < p->batch; b++) {
        int64_t length = tensor_get_int(e->in[4], b);
        if (length < 0 || length > p->steps)
            rc = eval_fail(e, E_OP_VALUE, "%s: sequence length %lld of %lld steps",
                           e->node->op_type, (long long)length, (long long)p->steps);
    }
    return rc;
}

/* ---- the products of the fast engine ---- */

enum {
    FEW_ROWS = 4,   /* that many read the matrix once each as fast as a product would */
    MANY_STEPS = 8, /* from so many on r is transposed first: its columns are summed faster */
};

struct dense {
    const struct rnn_params *p;
    const float *w, *r;
    const float *columns; /* r [directions, hidden, gates * hidden]; NULL: not made */
};

/* r's transposes; NULL: not worth it, or no memory. */
static const float *state_columns(struct eval *e, const struct rnn_params *p, const float *r)
{
    int64_t n = rnn_gates(p->kind) * p->hidden, dims[] = {p->directions, n, p->hidden};
    const int order[] = {0, 2, 1};
    if (p->steps < MANY_STEPS || p->batch > FEW_ROWS)
        return NULL;
    float *columns = eval_scratch(e, p->directions * n * p->hidden, sizeof *columns);
    if (columns)
        kernel_transpose(sizeof *r, 3, dims, order, r, columns);
    return columns;
}

static void dense_product(void *user, int direction, bool recurrent, int64_t rows, const float *x,
                          float *y)
{
    const struct dense *d = user;
    const int64_t k = recurrent ? d->p->hidden : d->p->input,
                  n = rnn_gates(d->p->kind) * d->p->hidden;
    const float *w = (recurrent ? d->r : d->w) + direction * n * k;
    const struct dnn_gemm_args g = {rows, n, k, true, k, n};
    if (rows > FEW_ROWS && k > 0 && n > 0 && dnn_gemm(&g, x, w, y))
        return;
    for (int64_t i = 0; i < rows; i++)
        if (recurrent && d->columns)
            gemv_columns(x + i * k, d->columns + direction * n * k, n, k, n, y + i * n);
        else
            gemv_rows(x + i * k, w, k, k, n, y + i * n);
}

/* ---- directions, on as many threads ---- */

struct directions {
    const struct rnn_params *p;
    const struct rnn_args *a;
    float *scratch;
    int64_t floats;
};

static int run_direction(void *user, size_t d, int worker)
{
    const struct directions *c = user;
    (void)worker;
    rnn_run_direction(c->p, c->a, (int)d, c->scratch + (int64_t)d * c->floats);
    return 0;
}

int rnn_eval(struct eval *e, enum rnn_kind kind, int64_t hidden,
             const struct rnn_products *products)
{
    struct rnn_params p = {.kind = kind, .hidden = hidden};
    if (e->in[0]->dtype == DT_DOUBLE)
        return eval_form(e, "float64");
    int rc = read_params(e, &p);
    rc = rc ? rc : check_inputs(e, &p, !products);
    int64_t floats = rc ? -1 : rnn_scratch(&p);
    float *scratch = floats < 0 ? NULL : eval_scratch(e, floats * p.directions, sizeof *scratch);
    if (rc || !scratch)
        return rc ? rc : eval_memory(e);
    struct rnn_args a = {.products = products, .x = stage_in(e, 0), .b = stage_in(e, 3)};
    if (!products) {
        a.w = stage_in(e, 1);
        a.r = stage_in(e, 2);
    }
    a.lengths = has_in(e, 4) ? in_data(e, 4) : NULL;
    a.initial_h = stage_in(e, 5);
    a.initial_c = stage_in(e, 6);
    a.peepholes = stage_in(e, 7);
    a.y = stage_out(e, 0);
    a.y_h = stage_out(e, 1);
    a.y_c = stage_out(e, 2);
    if ((!a.x && e->in[0]->count) || (!products && (!a.w || !a.r)))
        return eval_memory(e);
    struct dense dense = {&p, a.w, a.r, NULL};
    if (!products && e->fast)
        dense.columns = state_columns(e, &p, a.r);
    struct rnn_products fast = {dense_product, &dense};
    a.products = !products && e->fast ? &fast : products;
    struct directions both = {&p, &a, scratch, floats};
    pool_run(products ? NULL : e->pool, (size_t)p.directions, run_direction, &both);
    stage_store(e, 0, a.y);
    stage_store(e, 1, a.y_h);
    stage_store(e, 2, a.y_c);
    return 0;
}

static int run(struct eval *e, enum rnn_kind kind)
{
    return rnn_eval(e, kind, e->in[2]->dims[2], NULL);
}

int eval_rnn(struct eval *e) { return run(e, RNN_SIMPLE); }
int eval_gru(struct eval *e) { return run(e, RNN_GRU); }
int eval_lstm(struct eval *e) { return run(e, RNN_LSTM); }
