/* com.microsoft MultiHeadAttention: attention on projected inputs (onnxruntime docs/ContribOperators.md).
 *
 * Inputs: query, key, value, bias, key_padding_mask, attention_bias, past_key, past_value, past_sequence_length, cache_indirection.
 * Forms: query [B, S, hidden], key and value [B, L, hidden] and [B, L, v_hidden], or [B, heads, L, head] (of another attention, no bias), or key
 * [B, L, heads, 2, head] with both; query [B, S, heads, 3, head] with all three. Outputs: y [B, S, v_hidden], present_key, present_value
 * [B, heads, past + L, head], qk [B, heads, S, past + L] (the scores with all masks added, before the softmax).
 */
#include <string.h>

#include "ops/ms_heads.h"

enum { QUERY, KEY, VALUE, BIAS, PADDING, SCORE_BIAS, PAST_KEY, PAST_VALUE, PAST_LENGTH, BEAMS };

/* ---- shapes ---- */

static int check_ranks(struct infer *c)
{
    int q = infer_rank(c, QUERY), k = infer_rank(c, KEY), v = infer_rank(c, VALUE);
    bool key = infer_has(c, KEY), value = infer_has(c, VALUE);
    if (q >= 0 && q != 3 && q != 5)
        return infer_fail(c, "the query has rank %d, expected 3 or 5", q);
    if (q == 5 && (key || value))
        return infer_fail(c, "a packed query comes without key and value");
    if (q == 3 && !key)
        return infer_fail(c, "a query of rank 3 needs a key");
    if (key && k >= 0 && k != 3 && k != 4 && k != 5)
        return infer_fail(c, "the key has rank %d, expected 3, 4 or 5", k);
    if (key && k >= 0 && (k == 5) == value)
        return infer_fail(c, "a key of rank %d comes %s value", k, k == 5 ? "without" : "with");
    if (value && k >= 0 && v >= 0 && k != v)
        return infer_fail(c, "key and value have ranks %d and %d", k, v);
    return 0;
}

int infer_ms_mha(struct infer *c)
{
    int64_t heads = node_int(c->node, "num_heads", 0), width;
    int q = infer_rank(c, QUERY), k = infer_rank(c, KEY), rc = check_ranks(c);
    if (!rc && (heads < 1 || heads > INT32_MAX))
        rc = infer_fail(c, "num_heads is %lld", (long long)heads);
    if (!rc && dim_is_const(infer_dim(c, QUERY, 2), &width) && q == 3 && width % heads)
        rc = infer_fail(c, "%lld columns do not divide into %lld heads", (long long)width,
                        (long long)heads);
    if (rc)
        return rc;
    dim_t n = infer_int(c, heads), batch = infer_dim(c, QUERY, 0), length = infer_dim(c, QUERY, 1),
          hidden = q == 3 ? infer_dim(c, QUERY, 2) : NULL, v_hidden = hidden, keys = NULL;
    if (q == 5) {
        hidden = v_hidden = dim_mul(c->dims, n, infer_dim(c, QUERY, 4));
        keys = length;
    } else if (k == 4) {
        keys = infer_dim(c, KEY, 2);
        v_hidden = dim_mul(c->dims, n, infer_dim(c, VALUE, 3));
    } else if (k >= 0) {
        keys = infer_dim(c, KEY, 1);
        v_hidden = k == 3 ? infer_dim(c, VALUE, 2) : hidden;
    }
    dim_t past = infer_has(c, PAST_KEY) ? infer_dim(c, PAST_KEY, 2) : infer_int(c, 0),
          total = dim_add(c->dims, past, keys);
    dim_t y[3] = {batch, length, v_hidden}, qk[4] = {batch, n, length, total};
    dim_t key[4] = {batch, n, total, dim_floordiv(c->dims, hidden, n)},
          value[4] = {batch, n, total, dim_floordiv(c->dims, v_hidden, n)};
    infer_out(c, 0, infer_dtype(c, QUERY), 3, y);
    infer_out(c, 1, infer_dtype(c, QUERY), 4, key);
    infer_out(c, 2, infer_dtype(c, QUERY), 4, value);
    infer_out(c, 3, infer_dtype(c, QUERY), 4, qk);
    return 0;
}

/* Queries * keys * (head size of the keys + of the values), for all heads. */
int macs_ms_mha(const struct node *n, int64_t *macs)
{
    const struct value *q = node_input(n, QUERY), *k = node_input(n, KEY), *y = node_output(n, 0),
                       *past = node_input(n, PAST_KEY);
    int64_t batch, rows, width, v_width, keys, before = 0, head = 0;
    if (!q || !y || !value_dim(q, 0, &batch) || !value_dim(q, 1, &rows) ||
        !value_dim(y, 2, &v_width) || (past && !value_dim(past, 2, &before)))
        return -1;
    bool packed = q->type.rank == 5;
    keys = rows;
    if (!packed && (!k || !value_dim(k, k->type.rank == 4 ? 2 : 1, &keys)))
        return -1;
    if (!value_dim(q, packed ? 4 : 2, &head))
        return -1;
    bool over = packed ? __builtin_mul_overflow(head, node_int(n, "num_heads", 1), &width)
                       : __builtin_mul_overflow(head, 1, &width);
    over = over || __builtin_add_overflow(width, v_width, &width) ||
           __builtin_add_overflow(keys, before, &keys) ||
           __builtin_mul_overflow(width, keys, &width) ||
           __builtin_mul_overflow(width, rows, &width) ||
           __builtin_mul_overflow(width, batch, macs);
    return over ? -1 : 0;
}

/* ---- evaluation ---- */

static int64_t dim_of(const struct eval *e, uint32_t i, int axis) { return e->in[i]->dims[axis]; }

/* The shape function has checked ranks; sizes are checked in fits(). */
static void read_params(struct eval *e, struct attention_params *p)
{
    bool packed = e->in[QUERY]->rank == 5, heads_first = has_in(e, KEY) && e->in[KEY]->rank == 4;
    int64_t heads = node_int(e->node, "num_heads", 1);
    *p = (struct attention_params){.batch = dim_of(e, QUERY, 0),
                                   .q_heads = heads,
                                   .kv_heads = heads,
                                   .q_len = dim_of(e, QUERY, 1),
                                   .left_window = -1,
                                   .right_window = -1,
                                   .output_mode = 2,
                                   .fast = e->fast};
    p->head = packed ? dim_of(e, QUERY, 4) : dim_of(e, QUERY, 2) / heads;
    p->kv_len = packed ? p->q_len : dim_of(e, KEY, heads_first ? 2 : 1);
    p->v_head = !has_in(e, VALUE) ? p->head
                : heads_first     ? dim_of(e, VALUE, 3)
                                  : dim_of(e, VALUE, 2) / heads;
    p->past_len = has_in(e, PAST_KEY) && e->in[PAST_KEY]->rank == 4 ? dim_of(e, PAST_KEY, 2) : 0;
    p->scale = node_float(e->node, "scale", 0);
    p->scale = p->scale == 0 ? attention_scale(p->head) : p->scale; /* exactly "not given" */
}

/* Elements of batch * heads * length * size; -1: too many. */
static int64_t elements(const struct attention_params *p, int64_t length, int64_t size)
{
    int64_t n;
    return __builtin_mul_overflow(p->batch, p->q_heads, &n) ||
                   __builtin_mul_overflow(n, length, &n) || __builtin_mul_overflow(n, size, &n)
               ? -1
               : n;
}

static bool caches_fit(const struct eval *e, const struct attention_params *p)
{
    if (has_in(e, PAST_KEY) != has_in(e, PAST_VALUE))
        return false;
    return !has_in(e, PAST_KEY) ||
           (e->in[PAST_KEY]->rank == 4 &&
            e->in[PAST_KEY]->count == elements(p, p->past_len, p->head) &&
            e->in[PAST_VALUE]->count == elements(p, p->past_len, p->v_head));
}

static int check(struct eval *e, const struct attention_params *p)
{
    int64_t q = elements(p, p->q_len, p->head), k = elements(p, p->kv_len, p->head),
            v = elements(p, p->kv_len, p->v_head), bias = p->q_heads * (2 * p->head + p->v_head);
    bool fits = p->head > 0 && p->v_head > 0 && q >= 0 && k >= 0 && v >= 0 && caches_fit(e, p);
    if (fits && e->in[QUERY]->rank == 5)
        fits = dim_of(e, QUERY, 2) == p->q_heads && e->in[QUERY]->count % 3 == 0 &&
               e->in[QUERY]->count / 3 == q;
    else if (fits)
        fits = e->in[QUERY]->count == q;
    if (fits && has_in(e, KEY))
        fits =
            dim_of(e, KEY, 0) == p->batch &&
            (e->in[KEY]->rank == 5 ? e->in[KEY]->count % 2 == 0 && e->in[KEY]->count / 2 == k
                                   : e->in[KEY]->count == k) &&
            (e->in[KEY]->rank < 4 || e->in[KEY]->dims[e->in[KEY]->rank == 4 ? 1 : 2] == p->q_heads);
    if (fits && has_in(e, VALUE))
        fits = e->in[VALUE]->count == v && dim_of(e, VALUE, 0) == p->batch;
    if (fits && has_in(e, BIAS))
        fits = e->in[BIAS]->count == bias;
    return fits ? 0 : eval_fail(e, E_SHAPE, "MultiHeadAttention: the inputs do not fit together");
}

static int refuse(struct eval *e)
{
    if (has_in(e, BEAMS) || has_in(e, PAST_LENGTH))
        return eval_form(e, "a buffer that past and present share");
    if (has_in(e, BIAS) && has_in(e, KEY) && e->in[KEY]->rank != 3)
        return eval_form(e, "a bias with a key of rank %d", e->in[KEY]->rank);
    return 0;
}

/* Where queries, keys and values stand: parts of the query, of the key, or on their own. */
static int find_parts(struct eval *e, const struct attention_params *p, struct ms_packed part[3])
{
    int64_t head = p->head, heads = p->q_heads;
    const float *q = stage_in(e, QUERY), *k = stage_in(e, KEY), *v = stage_in(e, VALUE);
    if (!q || (has_in(e, KEY) && !k) || (has_in(e, VALUE) && !v))
        return eval_memory(e);
    part[0] = (struct ms_packed){q, heads * head, head};
    part[1] = (struct ms_packed){k, heads * head, head};
    part[2] = (struct ms_packed){v, heads * p->v_head, p->v_head};
    if (e->in[QUERY]->rank == 5)
        for (int i = 0; i < 3; i++)
            part[i] = (struct ms_packed){q + i * head, 3 * heads * head, 3 * head};
    else if (e->in[KEY]->rank == 5)
        for (int i = 1; i < 3; i++)
            part[i] = (struct ms_packed){k + (i - 1) * head, 2 * heads * head, 2 * head};
    return 0;
}

static int split(struct eval *e, const struct attention_params *p, struct attention_args *a)
{
    struct ms_packed part[3];
    int64_t q[4] = {p->batch, p->q_heads, p->q_len, p->head},
            k[4] = {p->batch, p->q_heads, p->kv_len, p->head},
            v[4] = {p->batch, p->q_heads, p->kv_len, p->v_head}, width = p->q_heads * p->head;
    bool heads_first = has_in(e, KEY) && e->in[KEY]->rank == 4;
    const float *bias = stage_in(e, BIAS);
    if (has_in(e, BIAS) && !bias)
        return eval_memory(e);
    int rc = find_parts(e, p, part);
    if (rc)
        return rc;
    a->q = ms_heads_first(e, &part[0], q, bias);
    a->k = heads_first ? part[1].data : ms_heads_first(e, &part[1], k, bias ? bias + width : NULL);
    a->v =
        heads_first ? part[2].data : ms_heads_first(e, &part[2], v, bias ? bias + 2 * width : NULL);
    return a->q && a->k && a->v ? 0 : eval_memory(e);
}

int eval_ms_mha(struct eval *e)
{
    struct attention_params p;
    struct attention_args a = {0};
    struct ms_masks masks = {PADDING, SCORE_BIAS, node_int(e->node, "unidirectional", 0) != 0};
    int rc = refuse(e);
    if (rc)
        return rc;
    read_params(e, &p);
    rc = check(e, &p);
    rc = rc ? rc : ms_mask(e, &p, &masks, &a);
    if (rc || !p.batch || !p.q_len)
        return rc;
    rc = split(e, &p, &a);
    if (p.past_len) {
        a.past_key = stage_in(e, PAST_KEY);
        a.past_value = stage_in(e, PAST_VALUE);
    }
    a.present_key = stage_out(e, 1);
    a.present_value = stage_out(e, 2);
    a.qk = stage_out(e, 3);
    rc = rc ? rc : ms_attend(e, &p, &a);
    if (rc)
        return rc;
    stage_store(e, 1, a.present_key);
    stage_store(e, 2, a.present_value);
    stage_store(e, 3, a.qk);
    return 0;
}
