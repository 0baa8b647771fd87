/* Adapters of LinearAttention, CausalConvWithState (kernels/float/recurrence.h) and FlexAttention. */
#include <math.h>
#include <string.h>

#include "kernels/float/attention.h"
#include "kernels/float/math.h"
#include "kernels/float/matmul.h"
#include "kernels/float/recurrence.h"
#include "ops/adapt.h"

/* ---- LinearAttention-27: query, key, value, past_state, decay, beta ---- */

static int read_rule(struct eval *e, enum linear_rule *rule)
{
    static const char *const NAMES[] = {"linear", "gated", "delta", "gated_delta"};
    for (int i = 0; i < 4; i++)
        if (node_string_is(e->node, "update_rule", "gated_delta", NAMES[i])) {
            *rule = (enum linear_rule)i;
            return 0;
        }
    return eval_fail(e, E_OP_ATTR, "update_rule must be linear, gated, delta or gated_delta");
}

static int read_linear(struct eval *e, struct linear_attention *p)
{
    const struct tensor *q = e->in[0], *k = e->in[1], *v = e->in[2];
    *p = (struct linear_attention){.batch = q->dims[0],
                                   .length = q->dims[1],
                                   .q_heads = node_int(e->node, "q_num_heads", 0),
                                   .kv_heads = node_int(e->node, "kv_num_heads", 0)};
    int rc = read_rule(e, &p->rule);
    bool gated = p->rule == LINEAR_GATED || p->rule == LINEAR_GATED_DELTA,
         delta = p->rule == LINEAR_DELTA || p->rule == LINEAR_GATED_DELTA;
    if (rc)
        return rc;
    bool fits = q->rank == 3 && k->rank == 3 && v->rank == 3 && p->q_heads > 0 && p->kv_heads > 0 &&
                p->q_heads % p->kv_heads == 0;
    if (fits) {
        p->key_size = q->dims[2] / p->q_heads;
        p->value_size = v->dims[2] / p->kv_heads;
        int64_t tokens = p->key_size > 0 ? p->batch * p->length : 0;
        p->one_decay = has_in(e, 4) && e->in[4]->count == tokens * p->kv_heads && p->key_size != 1;
        p->one_beta = has_in(e, 5) && e->in[5]->count == tokens && p->kv_heads != 1;
        fits = p->key_size > 0 && p->value_size > 0 && q->dims[2] == p->q_heads * p->key_size &&
               k->dims[2] == p->kv_heads * p->key_size &&
               v->dims[2] == p->kv_heads * p->value_size && k->dims[0] == p->batch &&
               k->dims[1] == p->length && v->dims[0] == p->batch && v->dims[1] == p->length;
    }
    int64_t heads = fits ? p->batch * p->length * p->kv_heads : 0;
    if (fits && gated)
        fits = has_in(e, 4) && e->in[4]->count == (p->one_decay ? heads : k->count);
    if (fits && delta)
        fits = has_in(e, 5) && e->in[5]->count == (p->one_beta ? p->batch * p->length : heads);
    if (fits && has_in(e, 3))
        fits = e->in[3]->count == p->batch * p->kv_heads * p->key_size * p->value_size;
    p->scale = node_float(e->node, "scale", 0);
    p->scale = p->scale == 0 ? attention_scale(p->key_size) : p->scale; /* 0 is "not given" */
    return fits ? 0 : eval_fail(e, E_SHAPE, "LinearAttention: the inputs do not fit together");
}

int eval_linear_attention(struct eval *e)
{
    struct linear_attention p;
    struct linear_tensors t = {0};
    int rc = read_linear(e, &p);
    if (rc)
        return rc;
    int64_t size = p.batch * p.kv_heads * p.key_size * p.value_size;
    const float *past = stage_in(e, 3);
    t.q = stage_in(e, 0);
    t.k = stage_in(e, 1);
    t.v = stage_in(e, 2);
    t.decay = stage_in(e, 4);
    t.beta = stage_in(e, 5);
    t.state = has_out(e, 1) ? stage_out(e, 1) : eval_scratch(e, size, sizeof *t.state);
    t.y = has_out(e, 0)
              ? stage_out(e, 0)
              : eval_scratch(e, p.batch * p.length * p.q_heads * p.value_size, sizeof *t.y);
    t.row = eval_scratch(e, p.value_size, sizeof *t.row);
    if (!t.q || !t.k || !t.v || !t.state || !t.y || !t.row || (has_in(e, 3) && !past) ||
        (has_in(e, 4) && !t.decay) || (has_in(e, 5) && !t.beta))
        return eval_memory(e);
    for (int64_t i = 0; i < size; i++)
        t.state[i] = past ? past[i] : 0;
    linear_attention_f32(&p, &t);
    stage_store(e, 0, t.y);
    stage_store(e, 1, t.state);
    return 0;
}

/* ---- CausalConvWithState-27: input [B, C, L], weight [C, 1, k], bias, past_state ---- */

int eval_causal_conv(struct eval *e)
{
    const struct tensor *x = e->in[0], *w = e->in[1];
    bool plain = node_string_is(e->node, "activation", "none", "none");
    struct causal_conv p = {.silu = node_string_is(e->node, "activation", "none", "silu") ||
                                    node_string_is(e->node, "activation", "none", "swish")};
    if (!plain && !p.silu)
        return eval_fail(e, E_OP_ATTR, "activation must be none, silu or swish");
    if (x->rank != 3 || w->rank != 3 || w->dims[0] != x->dims[1] || w->dims[1] != 1 ||
        w->dims[2] < 1)
        return eval_fail(e, E_SHAPE, "CausalConvWithState: the weight does not fit the input");
    p.channels = x->dims[1];
    if (__builtin_mul_overflow(x->dims[0], p.channels, &p.rows))
        return eval_fail(e, E_SHAPE, "CausalConvWithState: too many rows");
    p.length = x->dims[2];
    p.kernel = w->dims[2];
    if ((has_in(e, 2) && e->in[2]->count != p.channels) ||
        (has_in(e, 3) && e->in[3]->count != p.rows * (p.kernel - 1)))
        return eval_fail(e, E_SHAPE, "CausalConvWithState: the bias or the state does not fit");
    const float *data = stage_in(e, 0), *weight = stage_in(e, 1), *bias = stage_in(e, 2),
                *past = stage_in(e, 3);
    float *present = stage_out(e, 1);
    float *y = has_out(e, 0) ? stage_out(e, 0) : eval_scratch(e, x->count, sizeof *y);
    if (!data || !weight || !y || (has_in(e, 2) && !bias) || (has_in(e, 3) && !past))
        return eval_memory(e);
    causal_conv_f32(&p, data, weight, bias, past, y, present);
    stage_store(e, 0, y);
    stage_store(e, 1, present);
    return 0;
}

/* ---- FlexAttention-1 (ai.onnx.preview): y = prob_mod(softmax(score_mod(scale q k'))) v, all computed in double ---- */

struct flex {
    int64_t batch, heads, kv_heads, queries, keys, size, v_size;
    double *scores; /* [batch, heads, queries, keys] */
};

static int read_flex(struct eval *e, struct flex *f)
{
    const struct tensor *q = e->in[0], *k = e->in[1], *v = e->in[2];
    if (q->rank != 4 || k->rank != 4 || v->rank != 4)
        return eval_fail(e, E_SHAPE, "FlexAttention: the inputs must have rank 4");
    *f = (struct flex){q->dims[0], q->dims[1], k->dims[1], q->dims[2],
                       k->dims[2], q->dims[3], v->dims[3], NULL};
    bool fits = k->dims[0] == f->batch && v->dims[0] == f->batch && f->kv_heads > 0 &&
                f->heads % f->kv_heads == 0 && v->dims[1] == f->kv_heads && k->dims[3] == f->size &&
                v->dims[2] == f->keys;
    return fits ? 0 : eval_fail(e, E_SHAPE, "FlexAttention: the inputs do not fit together");
}

/* c [m, n] = a [m, k] times b, [n, k] when turned, else [k, n]. */
static void product(int64_t m, int64_t n, int64_t k, bool turned, const double *a, const double *b,
                    double *c)
{
    struct gemm_args g = {m, n, k, false, turned, 1, 0, 0, 0};
    gemm_full_f64(&g, a, b, NULL, c);
}

/* The scores or probabilities through a subgraph, in the inputs' element type. */
static int modify(struct eval *e, const char *attr, struct flex *f)
{
    const struct graph *g = node_graph(e->node, attr);
    int64_t dims[4] = {f->batch, f->heads, f->queries, f->keys};
    const struct tensor *out[1] = {0};
    if (!g)
        return 0;
    if (g->inputs.count != 1 || g->outputs.count != 1)
        return eval_fail(e, E_OP_ATTR, "%s must have one input and one output", attr);
    struct tensor *t = tensor_new(e->scratch, e->in[0]->dtype, 4, dims);
    const struct tensor *in[1] = {t};
    for (int64_t i = 0; i < t->count; i++)
        num_set(tensor_writable(t), t->dtype, i, f->scores[i]);
    int rc = eval_graph(e, g, in, 1, out, 1);
    if (rc)
        return rc;
    if (out[0]->count != t->count || !dtype_is_float(out[0]->dtype))
        return eval_fail(e, E_SHAPE, "%s changes the shape or the kind of the scores", attr);
    for (int64_t i = 0; i < t->count; i++)
        f->scores[i] = tensor_get(out[0], i);
    return 0;
}

static void softmax_rows(const struct flex *f)
{
    struct axis_split rows = {f->batch * f->heads * f->queries, f->keys, 1};
    for (int64_t r = 0; r < rows.outer; r++) {
        double *s = f->scores + r * rows.n, top = -INFINITY, sum = 0;
        for (int64_t k = 0; k < rows.n; k++)
            top = s[k] > top ? s[k] : top;
        for (int64_t k = 0; k < rows.n; k++)
            sum += s[k] = math_exp(s[k] - top);
        for (int64_t k = 0; k < rows.n; k++)
            s[k] /= sum;
    }
}

int eval_flex_attention(struct eval *e)
{
    struct flex f;
    int rc = read_flex(e, &f);
    if (rc || !e->out[0])
        return rc;
    if (!e->in[0]->count || !e->in[1]->count || !e->in[2]->count)
        return eval_form(e, "empty inputs");
    int64_t dims[4] = {f.batch, f.heads, f.queries, f.v_size}, planes = f.batch * f.heads,
            plane = f.queries * f.keys;
    if (!e->out[0]->data && !eval_out(e, 0, e->in[0]->dtype, 4, dims))
        return eval_memory(e);
    const double *q = stage_in_f64(e, 0), *k = stage_in_f64(e, 1), *v = stage_in_f64(e, 2);
    double *y = stage_out_f64(e, 0);
    double scale = (double)node_float(e->node, "scale", 0);
    scale = scale == 0 ? 1 / sqrt((double)f.size) : scale; /* 0 is "not given" */
    f.scores = eval_scratch(e, planes * plane, sizeof *f.scores);
    if (!q || !k || !v || !y || !f.scores)
        return eval_memory(e);
    for (int64_t i = 0; i < planes; i++) {
        int64_t kv = i / f.heads * f.kv_heads + i % f.heads / (f.heads / f.kv_heads);
        product(f.queries, f.keys, f.size, true, q + i * f.queries * f.size,
                k + kv * f.keys * f.size, f.scores + i * plane);
    }
    for (int64_t i = 0; i < planes * plane; i++)
        f.scores[i] *= scale;
    rc = modify(e, "score_mod", &f);
    if (!rc)
        softmax_rows(&f);
    rc = rc ? rc : modify(e, "prob_mod", &f);
    for (int64_t i = 0; !rc && i < planes; i++) {
        int64_t kv = i / f.heads * f.kv_heads + i % f.heads / (f.heads / f.kv_heads);
        product(f.queries, f.v_size, f.keys, false, f.scores + i * plane,
                v + kv * f.keys * f.v_size, y + i * f.queries * f.v_size);
    }
    if (!rc)
        stage_store_f64(e, 0, y);
    return rc;
}
