/* LSTM and GRU are unrolled.
 *
 * Before:  y, y_h, y_c = LSTM<hidden_size>(x, w, r, b, _, h0, c0)            x: [steps, batch, input]
 * After:   xw = MatMul(x, w') + b for all steps; then for each step
 *          i, o, f, g = slices of xw[t] + MatMul(h, r');  c = f * c + i * g;  h = o * Tanh(c)
 * GRU: z, r, h gates; h = (1 - z) * n + z * h, n with the reset gate before or behind its product.
 * When:    the result may not hold the operator; at most MAX_STEPS steps, batch and hidden size are
 * known; the default activations, no clip, no peepholes, no lengths, no coupled gates, batch second
 * (layout 0). Numerics: REASSOC. Gate order: docs/Operators.md of ONNX.
 */
#include "rewrite/emit.h"

PASS_OPS(decompose_recurrent, "LSTM", "GRU");

enum { MAX_STEPS = 64 };

struct cell {
    bool lstm, late_reset; /* late_reset: linear_before_reset */
    int64_t steps, batch, hidden, directions;
    bool backward; /* of the only direction */
};

static const char *shape_problem(const struct node *n, struct cell *c)
{
    struct value *x = node_input(n, 0), *r = node_input(n, 2);
    if (value_rank(x) != 3 || !value_dim(x, 0, &c->steps) || !value_dim(x, 1, &c->batch) ||
        value_rank(r) != 3 || !value_dim(r, 0, &c->directions) || !value_dim(r, 2, &c->hidden) ||
        c->steps < 1)
        return "its sizes are not known";
    return c->steps > MAX_STEPS ? "it has more than 64 steps" : NULL;
}

static const char *read_cell(const struct node *n, struct cell *c)
{
    *c = (struct cell){.lstm = node_is(n, "LSTM")};
    c->late_reset = node_int(n, "linear_before_reset", 0) != 0;
    c->backward = node_string_is(n, "direction", "forward", "reverse");
    if (node_attr(n, "activations") || node_attr(n, "clip") || node_input(n, 7) ||
        node_int(n, "input_forget", 0))
        return "it has activations of its own, a clip, peepholes or coupled gates";
    if (node_input(n, 4) || node_int(n, "layout", 0))
        return "it has lengths or the batch first";
    return shape_problem(n, c);
}

/* ---- one direction ---- */

/* name as [rows, columns] of direction d, turned. */
static void emit_matrix(struct emit *e, const char *to, const char *from, long long d)
{
    emit(e,
         "m = Slice(%s, [%lld], [%lld], [0]); q = Squeeze(m){axes=[0]}; "
         "%s = Transpose(q){perm=[1, 0]}",
         from, d, d + 1, to);
}

static void emit_state(struct emit *e, const struct node *n, const struct cell *c, uint32_t input,
                       const char *name, long long d)
{
    if (node_input(n, input)) {
        emit_bind(e, "state", node_input(n, input));
        emit(e, "m = Slice(state, [%lld], [%lld], [0]); %s = Squeeze(m){axes=[0]}", d, d + 1, name);
        return;
    }
    struct tensor *zero =
        tensor_new(n->graph->model->arena, e->dtype, 2, (const int64_t[]){c->batch, c->hidden});
    emit_bind(e, name, constant_new(e->at, zero, NULL));
}

/* xw: the product of all steps, with the biases of the input; rb: those of the state, GRU only. */
static void emit_inputs(struct emit *e, const struct node *n, const struct cell *c, long long d)
{
    long long rows = (c->lstm ? 4 : 3) * c->hidden;
    emit_matrix(e, "wt", "w", d);
    emit_matrix(e, "rt", "r", d);
    emit(e, "xw = MatMul(x, wt)");
    if (!node_input(n, 3))
        return;
    emit(e,
         "m = Slice(b, [%lld], [%lld], [0]); q = Squeeze(m){axes=[0]}; "
         "wb = Slice(q, [0], [%lld]); rb = Slice(q, [%lld], [%lld]); xw = Add(xw, wb)",
         d, d + 1, rows, rows, 2 * rows);
    if (c->lstm)
        emit(e, "xw = Add(xw, rb)");
}

static void emit_gate(struct emit *e, const char *to, const char *from, const struct cell *c, int k)
{
    emit(e, "%s = Slice(%s, [%lld], [%lld], [1])", to, from, (long long)(k * c->hidden),
         (long long)((k + 1) * c->hidden));
}

static void emit_lstm(struct emit *e, const struct cell *c)
{
    emit(e, "hr = MatMul(h, rt); s = Add(xt, hr)");
    emit_gate(e, "i", "s", c, 0);
    emit_gate(e, "o", "s", c, 1);
    emit_gate(e, "f", "s", c, 2);
    emit_gate(e, "g", "s", c, 3);
    emit(e, "i = Sigmoid(i); o = Sigmoid(o); f = Sigmoid(f); g = Tanh(g); fc = Mul(f, c); "
            "ig = Mul(i, g); c = Add(fc, ig); th = Tanh(c); h = Mul(o, th)");
}

/* The reset gate behind the product: all gates of the state at once. */
static void emit_gru_late(struct emit *e, const struct cell *c, bool biased)
{
    emit(e, "hr = MatMul(h, rt)");
    if (biased)
        emit(e, "hr = Add(hr, rb)");
    emit_gate(e, "xz", "xt", c, 0);
    emit_gate(e, "xr", "xt", c, 1);
    emit_gate(e, "xn", "xt", c, 2);
    emit_gate(e, "hz", "hr", c, 0);
    emit_gate(e, "hs", "hr", c, 1);
    emit_gate(e, "hn", "hr", c, 2);
    emit(e, "az = Add(xz, hz); z = Sigmoid(az); ar = Add(xr, hs); rs = Sigmoid(ar); "
            "rn = Mul(rs, hn); an = Add(xn, rn); nn = Tanh(an)");
}

static void emit_gru_early(struct emit *e, const struct cell *c, bool biased)
{
    long long h = c->hidden;
    emit(e,
         "rzr = Slice(rt, [0], [%lld], [1]); rn = Slice(rt, [%lld], [%lld], [1]); "
         "hr = MatMul(h, rzr); xzr = Slice(xt, [0], [%lld], [1]); s = Add(xzr, hr)",
         2 * h, 2 * h, 3 * h, 2 * h);
    if (biased)
        emit(e, "bzr = Slice(rb, [0], [%lld]); bn = Slice(rb, [%lld], [%lld]); s = Add(s, bzr)",
             2 * h, 2 * h, 3 * h);
    emit_gate(e, "z", "s", c, 0);
    emit_gate(e, "rs", "s", c, 1);
    emit_gate(e, "xn", "xt", c, 2);
    emit(e, "z = Sigmoid(z); rs = Sigmoid(rs); rh = Mul(rs, h); hn = MatMul(rh, rn); "
            "an = Add(xn, hn)");
    if (biased)
        emit(e, "an = Add(an, bn)");
    emit(e, "nn = Tanh(an)");
}

static void emit_step(struct emit *e, const struct node *n, const struct cell *c, long long t)
{
    bool biased = node_input(n, 3) != NULL;
    emit(e, "xt = Gather(xw, i:%lld){axis=0}", t);
    if (c->lstm) {
        emit_lstm(e, c);
    } else {
        if (c->late_reset)
            emit_gru_late(e, c, biased);
        else
            emit_gru_early(e, c, biased);
        emit(e, "zh = Mul(z, h); zi = Sub(1.0, z); zn = Mul(zi, nn); h = Add(zn, zh)");
    }
    emit(e, "y%lld = Unsqueeze(h){axes=[0, 1]}", t);
}

static void emit_direction(struct emit *e, const struct node *n, const struct cell *c, long long d)
{
    bool backward = c->backward || d == 1;
    char *all = arena_string(e->scratch, "");
    emit_inputs(e, n, c, d);
    emit_state(e, n, c, 5, "h", d);
    if (c->lstm)
        emit_state(e, n, c, 6, "c", d);
    for (int64_t i = 0; i < c->steps; i++)
        emit_step(e, n, c, backward ? c->steps - 1 - i : i);
    for (int64_t t = 0; t < c->steps; t++)
        all = arena_printf(e->scratch, "%s y%lld,", all, (long long)t);
    emit(e, "ys%lld = Concat(%s){axis=0}; hs%lld = Unsqueeze(h){axes=[0]}", d, all, d);
    if (c->lstm)
        emit(e, "cs%lld = Unsqueeze(c){axes=[0]}", d);
}

static void give(struct emit *e, const struct cell *c, uint32_t output, const char *name, int axis)
{
    if (!node_output(e->at, output))
        return;
    if (c->directions == 2)
        emit(e, "out = Concat(%s0, %s1){axis=%d}", name, name, axis);
    else
        emit(e, "out = Identity(%s0)", name);
    emit_result(e, output, "out");
}

int visit_decompose_recurrent(struct pass_run *r, struct node *n)
{
    struct emit e;
    struct cell c;
    if ((!decompose_due(r, n, "", "LSTM") && !decompose_due(r, n, "", "GRU")) ||
        !node_input(n, 0) || !node_input(n, 2))
        return 0;
    const char *why = read_cell(n, &c);
    if (why) {
        pass_refused(r, n, "%s", why);
        return 0;
    }
    pass_rewrote(r, n, "%lld steps were unrolled", (long long)c.steps);
    emit_begin(&e, r, n);
    emit_bind(&e, "x", node_input(n, 0));
    emit_bind(&e, "w", node_input(n, 1));
    emit_bind(&e, "r", node_input(n, 2));
    emit_bind(&e, "b", node_input(n, 3));
    for (int64_t d = 0; d < c.directions && d < 2; d++)
        emit_direction(&e, n, &c, d);
    give(&e, &c, 0, "ys", 1);
    give(&e, &c, 1, "hs", 0);
    if (c.lstm)
        give(&e, &c, 2, "cs", 0);
    emit_end(&e);
    return 0;
}
