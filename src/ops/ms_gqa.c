/* com.microsoft GroupQueryAttention: evaluation; its shapes are in ms_gqa_shape.c (onnxruntime ContribOperators.md, CPU form).
 *
 * Inputs: query or packed QKV, key, value, past_key, past_value [B, kv_heads, cache, head], seqlens_k [B] (total - 1), total_sequence_length,
 * cos, sin, position_ids, attention_bias, head_sink, k_scale, v_scale, q_norm, k_norm. Outputs: y [B, S, heads * head], present_key,
 * present_value, qk. The past of batch element b holds total(b) - S tokens, none in a first prompt (S == total_sequence_length); a cache that is
 * longer (past and present share a buffer) keeps its length, what lies behind the new tokens is zero.
 */
#include <math.h>
#include <string.h>

#include "kernels/float/norm.h"
#include "ops/ms_gqa.h"
#include "ops/ms_heads.h"

static bool quantized_cache(const struct node *n)
{
    return !node_string_is(n, "k_quant_type", "NONE", "NONE") ||
           !node_string_is(n, "v_quant_type", "NONE", "NONE");
}

/* ---- evaluation ---- */

struct gqa {
    int64_t batch, length, heads, kv_heads, head; /* length: new tokens */
    int64_t cache, present;                       /* tokens that past and present have room for */
    float *q, *k, *v;                             /* heads first */
    const float *past_key, *past_value;
    float *present_key, *present_value; /* NULL: not wanted */
};

static int refuse(struct eval *e)
{
    if (quantized_cache(e->node) ||
        (has_in(e, PAST_KEY) && !dtype_is_float(e->in[PAST_KEY]->dtype)))
        return eval_form(e, "a quantized cache");
    return node_int(e->node, "sliding_window_cache", 0) ? eval_form(e, "a sliding-window cache")
                                                        : 0;
}

/* Splits query, key and value, packed or not, into heads. */
static int split_heads(struct eval *e, struct gqa *g)
{
    bool packed = !has_in(e, KEY);
    const float *q = stage_in(e, QUERY), *k = packed ? q : stage_in(e, KEY),
                *v = packed ? q : stage_in(e, VALUE);
    int64_t width = e->in[QUERY]->dims[2], kv_width = g->kv_heads * g->head;
    if (!q || !k || !v)
        return eval_memory(e);
    struct ms_packed pq = {q, width, g->head}, pk = {k, kv_width, g->head},
                     pv = {v, kv_width, g->head};
    if (packed) {
        pk = (struct ms_packed){q + g->heads * g->head, width, g->head};
        pv = (struct ms_packed){pk.data + kv_width, width, g->head};
    }
    int64_t q_dims[4] = {g->batch, g->heads, g->length, g->head},
            k_dims[4] = {g->batch, g->kv_heads, g->length, g->head};
    g->q = ms_heads_first(e, &pq, q_dims, NULL);
    g->k = ms_heads_first(e, &pk, k_dims, NULL);
    g->v = ms_heads_first(e, &pv, k_dims, NULL);
    return g->q && g->k && g->v ? 0 : eval_memory(e);
}

/* q_norm and k_norm: each head's queries and keys divided by their root mean square, times a weight, before they are turned. */
static int normalise(struct eval *e, const struct gqa *g)
{
    struct norm_rows p = {.size = g->head,
                          .epsilon = (double)node_float(e->node, "qk_norm_epsilon", 1e-6f),
                          .scale_count = g->head};
    if (!has_in(e, Q_NORM) && !has_in(e, K_NORM))
        return 0;
    if (!has_in(e, Q_NORM) || !has_in(e, K_NORM) || e->in[Q_NORM]->count != g->head ||
        e->in[K_NORM]->count != g->head)
        return eval_fail(e, E_SHAPE, "GroupQueryAttention: the norms' weights do not fit a head");
    const float *q = stage_in(e, Q_NORM), *k = stage_in(e, K_NORM);
    if (!q || !k)
        return eval_memory(e);
    p.rows = g->batch * g->heads * g->length;
    p.scale = q;
    norm_rms_f32(&p, g->q, g->q, NULL);
    p.rows = g->batch * g->kv_heads * g->length;
    p.scale = k;
    norm_rms_f32(&p, g->k, g->k, NULL);
    return 0;
}

static int read_sizes(struct eval *e, struct gqa *g)
{
    const struct tensor *q = e->in[QUERY];
    bool packed = !has_in(e, KEY);
    g->batch = q->dims[0];
    g->length = q->dims[1];
    g->heads = node_int(e->node, "num_heads", 1);
    g->kv_heads = node_int(e->node, "kv_num_heads", 1);
    g->head = q->dims[2] / (packed ? g->heads + 2 * g->kv_heads : g->heads);
    g->cache = has_in(e, PAST_KEY) ? e->in[PAST_KEY]->dims[2] : 0;
    int64_t total = in_int(e, TOTAL, 0), cached = g->batch * g->kv_heads * g->cache * g->head;
    g->present = total > g->cache ? total : g->cache;
    bool fits = g->head > 0 && total >= 0 && e->in[SEQLENS]->count == g->batch &&
                (packed || (has_in(e, VALUE) &&
                            e->in[KEY]->count == g->batch * g->length * g->kv_heads * g->head &&
                            e->in[VALUE]->count == e->in[KEY]->count)) &&
                has_in(e, PAST_KEY) == has_in(e, PAST_VALUE) &&
                (!has_in(e, PAST_KEY) ||
                 (e->in[PAST_KEY]->count == cached && e->in[PAST_VALUE]->count == cached));
    return fits ? 0 : eval_fail(e, E_SHAPE, "GroupQueryAttention: the inputs do not fit together");
}

/* Tokens that batch element b has in the cache. */
static int past_of(struct eval *e, const struct gqa *g, int64_t b, int64_t *past)
{
    int64_t total = tensor_get_int(e->in[SEQLENS], b) + 1;
    *past = g->length == in_int(e, TOTAL, 0) ? 0 : total - g->length;
    if (*past < 0 || *past > g->cache || *past + g->length > g->present)
        return eval_fail(e, E_OP_VALUE,
                         "GroupQueryAttention: %lld of %lld tokens are new, the cache holds %lld",
                         (long long)g->length, (long long)total, (long long)g->cache);
    return 0;
}

static int rotate(struct eval *e, const struct gqa *g, int64_t b, int64_t past)
{
    if (!node_int(e->node, "do_rotary", 0))
        return 0;
    if (!has_in(e, COS) || !has_in(e, SIN) || e->in[COS]->rank != 2 ||
        e->in[SIN]->count != e->in[COS]->count)
        return eval_fail(e, E_OP_ARITY,
                         "GroupQueryAttention: do_rotary needs the caches of cosine and sine");
    const float *cosine = stage_in(e, COS), *sine = stage_in(e, SIN);
    int64_t *position = arena_array(e->scratch, (size_t)g->length + 1, sizeof *position);
    if (!cosine || !sine)
        return eval_memory(e);
    for (int64_t t = 0; t < g->length; t++)
        position[t] = past + t;
    for (int64_t t = 0;
         has_in(e, POSITIONS) && e->in[POSITIONS]->count == g->batch * g->length && t < g->length;
         t++)
        position[t] = tensor_get_int(e->in[POSITIONS], b * g->length + t);
    struct rotary_params p = {1,
                              g->length,
                              g->heads,
                              g->head,
                              2 * e->in[COS]->dims[1],
                              e->in[COS]->dims[0],
                              node_int(e->node, "rotary_interleaved", 0) != 0,
                              true};
    if (p.rotary > p.head || p.rotary < 2)
        return eval_fail(e, E_SHAPE, "GroupQueryAttention: %lld rotary elements of %lld",
                         (long long)p.rotary, (long long)p.head);
    float *q = g->q + b * g->heads * g->length * g->head,
          *k = g->k + b * g->kv_heads * g->length * g->head;
    int status = rotary_f32(&p, q, cosine, sine, position, q);
    p.heads = g->kv_heads;
    return eval_status(e, status ? status : rotary_f32(&p, k, cosine, sine, position, k));
}

/* present = what the past holds, the new tokens, zeros. */
static void write_present(const struct gqa *g, int64_t b, int64_t past, const float *from,
                          const float *fresh, float *to)
{
    for (int64_t h = 0; to && h < g->kv_heads; h++) {
        int64_t row = b * g->kv_heads + h;
        float *y = to + row * g->present * g->head;
        int64_t held = past + g->length;
        if (from && past)
            memcpy(y, from + row * g->cache * g->head, (size_t)(past * g->head) * sizeof *y);
        for (int64_t i = held * g->head; i < g->present * g->head; i++)
            y[i] = 0;
        memcpy(y + past * g->head, fresh + row * g->length * g->head,
               (size_t)(g->length * g->head) * sizeof *y);
    }
}

/* The first `past` tokens of the cache of batch element b, [kv_heads, past, head]. */
static const float *cut_past(struct eval *e, const struct gqa *g, int64_t b, int64_t past,
                             const float *from)
{
    if (past == g->cache)
        return from + b * g->kv_heads * g->cache * g->head;
    float *to = eval_scratch(e, g->kv_heads * past * g->head, sizeof *to);
    for (int64_t h = 0; to && h < g->kv_heads; h++)
        memcpy(to + h * past * g->head, from + (b * g->kv_heads + h) * g->cache * g->head,
               (size_t)(past * g->head) * sizeof *to);
    return to;
}

/* Prompts of unequal length: the keys behind an element's own tokens take no part. */
static int end_keys(struct eval *e, int64_t total, struct attention_args *a)
{
    float *zeros = eval_scratch(e, total, sizeof *zeros);
    for (int64_t i = 0; zeros && i < total; i++)
        zeros[i] = 0;
    a->bias = zeros;
    a->mask_key_step = 1;
    return zeros ? 0 : eval_memory(e);
}

static int read_bias(struct eval *e, const struct gqa *g, int64_t b, int64_t past,
                     struct attention_args *a)
{
    a->mask_len = num_clamp(tensor_get_int(e->in[SEQLENS], b) + 1, 0, past + g->length);
    if (!has_in(e, BIAS))
        return a->mask_len < past + g->length ? end_keys(e, past + g->length, a) : 0;
    const struct tensor *t = e->in[BIAS];
    const float *bias = stage_in(e, BIAS);
    if (t->rank != 4 || t->dims[2] != g->length || t->dims[3] < past + g->length ||
        (t->dims[0] != 1 && t->dims[0] != g->batch) || (t->dims[1] != 1 && t->dims[1] != g->heads))
        return eval_fail(e, E_SHAPE, "GroupQueryAttention: the bias does not fit the scores");
    int64_t plane = t->dims[2] * t->dims[3];
    a->bias = bias ? bias + (t->dims[0] > 1 ? b * t->dims[1] * plane : 0) : NULL;
    a->mask_step[1] = t->dims[1] > 1 ? plane : 0;
    a->mask_step[2] = t->dims[3];
    a->mask_key_step = 1;
    return bias ? 0 : eval_memory(e);
}

/* The scores that the fourth output wants (qk_output 1: before the softmax, 2: after), one batch element; 0 for keys that a query
 * does not see. */
static void write_scores(struct eval *e, const struct gqa *g, int64_t b, int64_t keys,
                         const float *from)
{
    const struct tensor *t = e->out[3];
    int64_t total = t->dims[3], rows = g->heads * g->length;
    float *row = arena_array(e->scratch, (size_t)total + 1, sizeof *row);
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t k = 0; k < total; k++)
            row[k] = k < keys && !isinf(from[i * keys + k]) ? from[i * keys + k] : 0;
        int64_t at = (b * rows + i) * total;
        for (int64_t k = 0; k < total; k++)
            num_set(out_data(e, 3), t->dtype, at + k, (double)row[k]);
    }
}

/* What head_sink or smooth_softmax (a score of 0) add to each row. */
static int read_sink(struct eval *e, const struct gqa *g, struct attention_args *a)
{
    float *zeros = NULL;
    if (has_in(e, SINK) && e->in[SINK]->count != g->heads)
        return eval_fail(e, E_SHAPE, "GroupQueryAttention: %lld sinks for %lld heads",
                         (long long)e->in[SINK]->count, (long long)g->heads);
    if (has_in(e, SINK))
        return (a->sink = stage_in(e, SINK)) ? 0 : eval_memory(e);
    if (node_int(e->node, "smooth_softmax", 0) < 1)
        return 0;
    a->sink = zeros = eval_scratch(e, g->heads, sizeof *zeros);
    for (int64_t i = 0; zeros && i < g->heads; i++)
        zeros[i] = 0;
    return zeros ? 0 : eval_memory(e);
}

static int attend(struct eval *e, const struct gqa *g, int64_t b, int64_t past, float *y)
{
    struct attention_params p = {1,       g->heads, g->kv_heads, g->length, g->length, past,
                                 g->head, g->head,  false,       0,         0,         false,
                                 -1,      -1,       0,           e->fast};
    int64_t window = node_int(e->node, "local_window_size", -1);
    p.scale = node_float(e->node, "scale", 0);
    p.scale =
        p.scale == 0 ? attention_scale(g->head) : p.scale; /* exactly the attribute's "not given" */
    p.softcap = node_float(e->node, "softcap", 0);
    p.causal = node_int(e->node, "causal", 1) != 0;
    p.left_window = window > 0 ? window - 1 : -1; /* the window counts the token itself */
    struct attention_args a = {.q = g->q + b * g->heads * g->length * g->head,
                               .k = g->k + b * g->kv_heads * g->length * g->head,
                               .v = g->v + b * g->kv_heads * g->length * g->head};
    if (past) {
        a.past_key = cut_past(e, g, b, past, g->past_key);
        a.past_value = cut_past(e, g, b, past, g->past_value);
    }
    int rc = read_bias(e, g, b, past, &a);
    rc = rc ? rc : read_sink(e, g, &a);
    p.output_mode = node_int(e->node, "qk_output", 0) == 2 ? 3 : 2;
    a.qk = has_out(e, 3) ? eval_scratch(e, g->heads * g->length * (past + g->length), sizeof *a.qk)
                         : NULL;
    int64_t floats = attention_scratch(&p), dims[4] = {1, g->heads, g->length, g->head};
    float *scratch = floats < 0 ? NULL : eval_scratch(e, floats, sizeof *scratch);
    a.y = eval_scratch(e, g->heads * g->length * g->head, sizeof *a.y);
    if (rc || !scratch || !a.y || (has_out(e, 3) && !a.qk) ||
        (past && (!a.past_key || !a.past_value)))
        return rc ? rc : eval_memory(e);
    attention_f32(&p, &a, scratch);
    if (a.qk)
        write_scores(e, g, b, past + g->length, a.qk);
    ms_tokens_first(a.y, dims, y + b * g->length * g->heads * g->head);
    return 0;
}

int eval_ms_gqa(struct eval *e)
{
    struct gqa g = {0};
    int rc = refuse(e);
    rc = rc ? rc : read_sizes(e, &g);
    rc = rc ? rc : split_heads(e, &g);
    rc = rc ? rc : normalise(e, &g);
    if (rc)
        return rc;
    int64_t dims[4] = {g.batch, g.kv_heads, g.present, g.head},
            qk[4] = {g.batch, g.heads, g.length, in_int(e, TOTAL, 0)};
    if (has_out(e, 3) && !e->out[3]->data && !eval_out(e, 3, e->in[QUERY]->dtype, 4, qk))
        return eval_memory(e);
    for (uint32_t i = 1; i < 3; i++)
        if (has_out(e, i) && !e->out[i]->data &&
            !eval_out(e, i, e->in[has_in(e, PAST_KEY) ? PAST_KEY : QUERY]->dtype, 4, dims))
            return eval_memory(e);
    g.past_key = stage_in(e, PAST_KEY);
    g.past_value = stage_in(e, PAST_VALUE);
    g.present_key = stage_out(e, 1);
    g.present_value = stage_out(e, 2);
    float *y = stage_out(e, 0);
    for (int64_t b = 0; !rc && b < g.batch && g.length; b++) {
        int64_t past = 0;
        rc = past_of(e, &g, b, &past);
        rc = rc ? rc : rotate(e, &g, b, past);
        rc = rc ? rc : y ? attend(e, &g, b, past, y) : eval_memory(e);
        if (rc)
            break;
        write_present(&g, b, past, g.past_key, g.k, g.present_key);
        write_present(&g, b, past, g.past_value, g.v, g.present_value);
    }
    stage_store(e, 0, y);
    stage_store(e, 1, g.present_key);
    stage_store(e, 2, g.present_value);
    return rc;
}

/* com.microsoft RotaryEmbedding: x, position_ids [1] (the first position) or [B, S], cos, sin. */
int eval_ms_rotary(struct eval *e)
{
    const struct tensor *x = e->in[0], *ids = e->in[1], *cache = e->in[2];
    bool heads_first = x->rank == 4;
    int64_t rotary = node_int(e->node, "rotary_embedding_dim", 0),
            heads = node_int(e->node, "num_heads", 0);
    rotary = rotary ? rotary : cache->rank == 2 ? 2 * cache->dims[1] : 0;
    if (x->rank < 3 || x->rank > 4 || cache->rank != 2 || e->in[3]->count != cache->count ||
        rotary < 2)
        return eval_fail(e, E_SHAPE, "RotaryEmbedding: the caches do not fit");
    if (node_int(e->node, "is_packed_batching", 0))
        return eval_form(e, "packed batching");
    struct rotary_params p = {.batch = x->dims[0],
                              .len = x->dims[x->rank - 2],
                              .positions = cache->dims[0],
                              .rotary = rotary};
    p.heads_first = heads_first;
    p.interleaved = node_int(e->node, "interleaved", 0) != 0;
    p.heads = heads_first ? x->dims[1] : heads ? heads : x->dims[2] / rotary;
    p.head = heads_first ? x->dims[3] : p.heads ? x->dims[2] / p.heads : 0;
    bool from_first = ids->count == 1;
    if (p.heads < 1 || p.rotary > p.head || cache->dims[1] != p.rotary / 2 ||
        (!from_first && ids->count != p.batch * p.len) ||
        (!heads_first && p.heads * p.head != x->dims[2]))
        return eval_fail(e, E_SHAPE, "RotaryEmbedding: %lld heads of %lld elements",
                         (long long)p.heads, (long long)p.head);
    int64_t *position = eval_scratch(e, p.batch * p.len, sizeof *position);
    for (int64_t i = 0; position && i < p.batch * p.len; i++)
        position[i] = from_first ? tensor_get_int(ids, 0) + i % p.len : tensor_get_int(ids, i);
    const float *data = stage_in(e, 0), *cosine = stage_in(e, 2), *sine = stage_in(e, 3);
    float *y = stage_out(e, 0);
    if (!position || !data || !cosine || !sine || !y)
        return eval_memory(e);
    int rc = eval_status(e, rotary_f32(&p, data, cosine, sine, position, y));
    if (!rc)
        stage_store(e, 0, y);
    return rc;
}
