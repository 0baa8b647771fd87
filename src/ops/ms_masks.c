/* The masks of com.microsoft Attention, MultiHeadAttention and QAttention as one tensor added to the scores: see ms_heads.h
 * (onnxruntime docs/ContribOperators.md; which value wins where two masks meet is that of its CPU kernels).
 */
#include <float.h>

#include "ops/ms_heads.h"

struct plane {
    int64_t batch, queries, total, past;
    float filter;
};

/* Keys [low, high) of a batch element are valid: masks of rank 1. */
static void fill_by_length(const struct plane *p, const struct tensor *mask, int64_t b, float *row)
{
    int64_t n = p->batch, high = tensor_get_int(mask, b), low = 0;
    if (mask->count == 2 * n)
        low = num_clamp(tensor_get_int(mask, n + b), 0, p->total);
    high = num_clamp(high, 0, p->total);
    for (int64_t k = 0; k < p->total; k++)
        row[k] = k < low || k >= high ? p->filter : 0;
}

/* mask NULL: every key is valid. */
static void fill_by_value(const struct plane *p, const struct tensor *mask, int64_t first,
                          float *row)
{
    for (int64_t k = 0; k < p->total; k++)
        row[k] = !mask || tensor_get_int(mask, first + k) > 0 ? 0 : p->filter;
}

/* [batch, queries, total]. */
static void fill_plane(const struct plane *p, const struct tensor *mask, bool causal, float *to)
{
    for (int64_t i = 0; i < p->batch * p->queries; i++) {
        float *row = to + i * p->total;
        int64_t b = i / p->queries, seen = p->past + i % p->queries + 1;
        if (!mask)
            fill_by_value(p, NULL, 0, row);
        else if (mask->rank == 1)
            fill_by_length(p, mask, b, row);
        else
            fill_by_value(p, mask, (mask->rank == 2 ? b : i) * p->total, row);
        for (int64_t k = seen; causal && k < p->total; k++)
            row[k] = -FLT_MAX;
    }
}

/* Whether the padding mask has one of the forms; *none: it says nothing. */
static bool known_form(const struct plane *p, const struct tensor *mask, bool *none)
{
    int64_t n = p->batch;
    *none = mask->rank == 2 && mask->dims[1] == 1 && p->total != 1 &&
            (mask->dims[0] == n || mask->dims[0] == 1);
    if (*none)
        return true;
    if (mask->rank == 1)
        return mask->count == n || mask->count == 2 * n || mask->count == 3 * n + 2;
    if (mask->rank == 2)
        return mask->dims[0] == n && mask->dims[1] == p->total;
    return mask->rank == 3 && mask->dims[0] == n && mask->dims[1] == p->queries &&
           mask->dims[2] == p->total;
}

static int read_bias(struct eval *e, const struct attention_params *p, int slot,
                     struct attention_args *args)
{
    const struct tensor *t = e->in[slot];
    int64_t total = p->past_len + p->kv_len;
    if (t->rank != 4 || t->dims[2] != p->q_len || t->dims[3] != total ||
        (t->dims[0] != 1 && t->dims[0] != p->batch) ||
        (t->dims[1] != 1 && t->dims[1] != p->q_heads))
        return eval_fail(e, E_SHAPE, "%s: the bias does not fit the scores", e->node->op_type);
    args->bias = stage_in(e, (uint32_t)slot);
    args->mask_step[0] = t->dims[0] > 1 ? t->dims[1] * p->q_len * total : 0;
    args->mask_step[1] = t->dims[1] > 1 ? p->q_len * total : 0;
    return args->bias ? 0 : eval_memory(e);
}

/* plane + bias, for every batch element and head. */
static int join(struct eval *e, const struct attention_params *p, const float *plane,
                struct attention_args *args)
{
    int64_t size = p->q_len * (p->past_len + p->kv_len), planes = p->batch * p->q_heads;
    float *sum = eval_scratch(e, planes * size, sizeof *sum);
    if (!sum)
        return eval_memory(e);
    for (int64_t i = 0; i < planes; i++) {
        const float *bias =
            args->bias + i / p->q_heads * args->mask_step[0] + i % p->q_heads * args->mask_step[1];
        for (int64_t k = 0; k < size; k++)
            sum[i * size + k] = bias[k] + plane[i / p->q_heads * size + k];
    }
    args->bias = sum;
    args->mask_step[0] = p->q_heads * size;
    args->mask_step[1] = size;
    return 0;
}

int ms_mask(struct eval *e, const struct attention_params *p, const struct ms_masks *m,
            struct attention_args *args)
{
    struct plane plane = {p->batch, p->q_len, p->past_len + p->kv_len, p->past_len,
                          node_float(e->node, "mask_filter_value", -10000.0f)};
    const struct tensor *mask =
        m->padding >= 0 && has_in(e, (uint32_t)m->padding) ? e->in[m->padding] : NULL;
    bool none = true, causal = m->causal && p->q_len > 1;
    int64_t size;
    if (mask && mask->rank == 4)
        return eval_form(e, "a mask of rank 4");
    if (mask && !known_form(&plane, mask, &none))
        return eval_fail(e, E_SHAPE, "%s: the mask does not fit %lld keys", e->node->op_type,
                         (long long)plane.total);
    args->mask_step[2] = args->mask_len = plane.total;
    args->mask_key_step = 1;
    int rc = m->bias >= 0 && has_in(e, (uint32_t)m->bias) ? read_bias(e, p, m->bias, args) : 0;
    if (rc || (none && !causal))
        return rc;
    if (__builtin_mul_overflow(p->batch * p->q_len, plane.total, &size))
        return eval_fail(e, E_LIMIT_MEMORY, "%s: the mask is too large", e->node->op_type);
    float *to = eval_scratch(e, size, sizeof *to);
    if (!to)
        return eval_memory(e);
    fill_plane(&plane, none ? NULL : mask, causal, to);
    if (args->bias)
        return join(e, p, to, args);
    args->bias = to;
    args->mask_step[0] = p->q_len * plane.total;
    return 0;
}
