/* Adapters of Attention, RotaryEmbedding and SwiGLU with kernels/float/{attention,unary}.h. */
#include "kernels/float/attention.h"

#include <string.h>

#include "kernels/float/unary.h"
#include "ops/adapt.h"

static void read_sizes(const struct eval *e, struct attention_params *p)
{
    const struct tensor *q = e->in[0], *k = e->in[1], *v = e->in[2];
    p->batch = q->dims[0];
    p->packed = q->rank == 3;
    p->q_heads = p->packed ? node_int(e->node, "q_num_heads", 1) : q->dims[1];
    p->kv_heads = k->rank == 3 ? node_int(e->node, "kv_num_heads", 1) : k->dims[1];
    p->q_len = q->dims[q->rank - 2];
    p->kv_len = k->dims[k->rank - 2];
    p->head = p->packed ? q->dims[2] / p->q_heads : q->dims[3];
    p->v_head = v->rank == 3 ? v->dims[2] / p->kv_heads : v->dims[3];
    p->past_len = has_in(e, 4) && e->in[4]->rank == 4 ? e->in[4]->dims[2] : 0;
}

/* The mask broadcasts to [batch, heads, queries, total]; its last axis may be shorter than total.
 */
static int read_mask(struct eval *e, const struct attention_params *p, struct attention_args *a)
{
    int64_t want[4] = {p->batch, p->q_heads, p->q_len, p->past_len + p->kv_len},
            dims[4] = {1, 1, 1, 1}, step = 1;
    if (!has_in(e, 3))
        return 0;
    const struct tensor *m = e->in[3];
    if (m->rank > 4)
        return eval_fail(e, E_SHAPE, "Attention: the mask has rank %d", m->rank);
    for (int i = 0; i < m->rank; i++)
        dims[4 - m->rank + i] = m->dims[i];
    a->mask_len = dims[3] == 1 ? want[3] : dims[3];
    a->mask_key_step = dims[3] > 1 || want[3] == 1;
    step = dims[3];
    for (int i = 2; i >= 0; i--) {
        if (dims[i] != 1 && dims[i] != want[i])
            return eval_fail(e, E_SHAPE, "Attention: the mask does not broadcast to the scores");
        a->mask_step[i] = dims[i] > 1 ? step : 0;
        step *= dims[i];
    }
    if (a->mask_len > want[3])
        return eval_fail(e, E_SHAPE, "Attention: the mask is longer than the keys");
    if (m->dtype == DT_BOOL)
        a->allowed = m->data;
    else if (!(a->bias = stage_in(e, 3)))
        return eval_memory(e);
    return 0;
}

static int check_shapes(struct eval *e, const struct attention_params *p)
{
    const struct tensor *q = e->in[0], *k = e->in[1], *v = e->in[2];
    bool fits = k->rank == q->rank && v->rank == q->rank && k->dims[0] == p->batch &&
                v->dims[0] == p->batch && has_in(e, 4) == has_in(e, 5) && p->q_heads >= 1 &&
                p->kv_heads >= 1 && p->q_heads % p->kv_heads == 0 &&
                v->dims[v->rank - 2] == p->kv_len &&
                k->dims[k->rank - 1] == (p->packed ? p->kv_heads : 1) * p->head &&
                (!p->packed ||
                 (q->dims[2] == p->q_heads * p->head && v->dims[2] == p->kv_heads * p->v_head));
    if (fits && !p->packed)
        fits = v->dims[1] == p->kv_heads;
    if (fits && has_out(e, 1))
        fits = e->out[1]->count == p->batch * p->kv_heads * (p->past_len + p->kv_len) * p->head;
    if (fits && has_out(e, 2))
        fits = e->out[2]->count == p->batch * p->kv_heads * (p->past_len + p->kv_len) * p->v_head;
    if (fits && has_in(e, 4))
        fits = e->in[4]->rank == 4 && e->in[5]->rank == 4 &&
               e->in[4]->count == p->batch * p->kv_heads * p->past_len * p->head &&
               e->in[5]->count == p->batch * p->kv_heads * p->past_len * p->v_head;
    if (fits && has_in(e, 6))
        fits = e->in[6]->count == p->batch && e->in[6]->dtype == DT_INT64;
    return fits ? 0 : eval_fail(e, E_SHAPE, "Attention: the inputs do not fit together");
}

int eval_attention(struct eval *e)
{
    struct attention_params p = {.fast = e->fast};
    struct attention_args a = {0};
    if (e->in[0]->dtype == DT_DOUBLE)
        return eval_form(e, "float64");
    read_sizes(e, &p);
    p.scale = node_float(e->node, "scale", attention_scale(p.head));
    p.softcap = node_float(e->node, "softcap", 0);
    p.causal = node_int(e->node, "is_causal", 0) != 0;
    p.left_window = node_int(e->node, "left_window_size", -1);
    p.right_window = node_int(e->node, "right_window_size", -1);
    p.output_mode = (int)num_clamp(node_int(e->node, "qk_matmul_output_mode", 0), 0, 3);
    int rc = check_shapes(e, &p);
    rc = rc ? rc : read_mask(e, &p, &a);
    if (rc || !e->out[0]->count)
        return rc;
    int64_t floats = attention_scratch(&p);
    float *scratch = floats < 0 ? NULL : eval_scratch(e, floats, sizeof *scratch);
    a.q = stage_in(e, 0);
    a.k = stage_in(e, 1);
    a.v = stage_in(e, 2);
    a.past_key = stage_in(e, 4);
    a.past_value = stage_in(e, 5);
    a.nonpad = has_in(e, 6) ? in_data(e, 6) : NULL;
    a.y = stage_out(e, 0);
    a.present_key = stage_out(e, 1);
    a.present_value = stage_out(e, 2);
    a.qk = stage_out(e, 3);
    if (!scratch || !a.q || !a.k || !a.v || !a.y)
        return eval_memory(e);
    attention_f32(&p, &a, scratch);
    stage_store(e, 0, a.y);
    stage_store(e, 1, a.present_key);
    stage_store(e, 2, a.present_value);
    stage_store(e, 3, a.qk);
    return 0;
}

/* RotaryEmbedding-23: X [B, heads, S, size] or [B, S, heads * size], cos, sin caches, position_ids.
 */
int eval_rotary_embedding(struct eval *e)
{
    const struct tensor *x = e->in[0], *cache = e->in[1];
    struct rotary_params p = {.batch = x->dims[0],
                              .heads_first = x->rank == 4,
                              .interleaved = node_int(e->node, "interleaved", 0) != 0};
    p.heads = p.heads_first ? x->dims[1] : node_int(e->node, "num_heads", 0);
    p.len = x->dims[x->rank - 2];
    if (x->rank < 3 || x->rank > 4 || p.heads < 1 ||
        x->dims[x->rank - 1] % (p.heads_first ? 1 : p.heads))
        return eval_fail(e, E_SHAPE, "RotaryEmbedding: rank %d with %lld heads", x->rank,
                         (long long)p.heads);
    p.head = p.heads_first ? x->dims[3] : x->dims[2] / p.heads;
    p.rotary = node_int(e->node, "rotary_embedding_dim", 0);
    p.rotary = p.rotary ? p.rotary : p.head;
    p.positions = cache->rank == 2 ? cache->dims[0] : 0;
    bool positioned = has_in(e, 3);
    int64_t rows = positioned ? p.positions : p.batch * p.len;
    if (p.rotary < 2 || p.rotary % 2 || p.rotary > p.head ||
        cache->count != rows * (p.rotary / 2) || e->in[2]->count != cache->count ||
        (positioned && e->in[3]->count != p.batch * p.len))
        return eval_fail(e, E_SHAPE, "RotaryEmbedding: the caches do not fit %lld rotary elements",
                         (long long)p.rotary);
    const float *data = stage_in(e, 0), *cosine = stage_in(e, 1), *sine = stage_in(e, 2);
    float *y = stage_out(e, 0);
    if (!data || !cosine || !sine || !y)
        return eval_memory(e);
    int rc =
        eval_status(e, rotary_f32(&p, data, cosine, sine, positioned ? in_data(e, 3) : NULL, y));
    if (!rc)
        stage_store(e, 0, y);
    return rc;
}

int eval_swiglu(struct eval *e)
{
    struct unary_args swish = {.op = UNARY_SWISH,
                               .dtype = DT_FLOAT,
                               .alpha = node_float(e->node, "alpha", 1),
                               .fast = e->fast};
    int64_t n = e->out[0]->count;
    if (e->in[0]->dtype == DT_DOUBLE)
        return eval_form(e, "float64");
    if (e->in[1]->count != n)
        return eval_fail(e, E_SHAPE, "SwiGLU: the inputs differ in shape");
    const float *gate = stage_in(e, 0), *value = stage_in(e, 1);
    float *y = stage_out(e, 0), *gated = eval_scratch(e, n, sizeof *gated);
    if (!gate || !value || !y || !gated)
        return eval_memory(e);
    int rc = eval_status(e, kernel_unary(&swish, gate, gated, 0, n));
    for (int64_t i = 0; !rc && i < n; i++)
        y[i] = gated[i] * value[i];
    stage_store(e, 0, y);
    return rc;
}
