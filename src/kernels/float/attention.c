/* Attention: per batch element and query head
 *   s = scale * q k';  s = softcap * tanh(s / softcap);  s += mask;  p = softmax(s);  y = p v
 * The causal limit, the windows, the padding and the mask only ever exclude keys; a query left
 * without keys gives zeros (the operator's errata of ONNX 1.23), not NaN.
 */
#include "kernels/float/attention.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "kernels/float/gemm.h"
#include "kernels/float/math.h"
#include "kernels/float/vmath.h"
#include "kernels/kernel.h"

float attention_scale(int64_t head) { return (float)(1 / sqrt((double)head)); }

static int64_t total_of(const struct attention_params *p) { return p->past_len + p->kv_len; }

int64_t attention_offset(const struct attention_params *p, const struct attention_args *a,
                         int64_t batch)
{
    return a->nonpad && !a->past_key ? a->nonpad[batch] - p->q_len : p->past_len;
}

/* Scores, and the keys and values of one head when a past precedes them. */
int64_t attention_scratch(const struct attention_params *p)
{
    int64_t total, scores, rows, floats;
    if (__builtin_add_overflow(p->past_len, p->kv_len, &total) ||
        __builtin_mul_overflow(p->q_len, total, &scores) ||
        __builtin_add_overflow(p->head, p->v_head, &rows) ||
        __builtin_mul_overflow(rows, total, &rows) ||
        __builtin_add_overflow(scores, rows, &floats) || floats > PTRDIFF_MAX / 8)
        return -1;
    return floats;
}

/* ---- scores to probabilities ---- */

/* Keys [*low, *high) that query i of this batch element may see by position. */
static void visible(const struct attention_params *p, const struct attention_args *a, int64_t batch,
                    int64_t i, int64_t *low, int64_t *high)
{
    const int64_t total = total_of(p), at = attention_offset(p, a, batch) + i;
    *low = 0;
    *high = total;
    if (p->causal && at + 1 < *high)
        *high = at + 1;
    if (p->right_window >= 0 && p->right_window < total && at + p->right_window + 1 < *high)
        *high = at + p->right_window + 1;
    if (p->left_window >= 0 && p->left_window < total + p->q_len && at - p->left_window > *low)
        *low = at - p->left_window;
    if (a->nonpad && a->nonpad[batch] < *high)
        *high = a->nonpad[batch];
    if ((a->bias || a->allowed) && a->mask_key_step && a->mask_len < *high)
        *high = a->mask_len;
}

static bool is_minus_infinity(float v) { return isinf(v) && v < 0; }

/* Adds the mask to one row; returns whether any key is left. */
static bool mask_row(const struct attention_params *p, const struct attention_args *a,
                     const int64_t *at, float *s)
{
    const int64_t total = total_of(p), base = at[0] * a->mask_step[0] + at[1] * a->mask_step[1] +
                                              at[2] * a->mask_step[2];
    int64_t low, high;
    bool any = false;
    visible(p, a, at[0], at[2], &low, &high);
    for (int64_t k = 0; k < total; k++) {
        const int64_t m = base + k * a->mask_key_step;
        if (k < low || k >= high || (a->allowed && !a->allowed[m])) {
            s[k] = -INFINITY;
            continue;
        }
        s[k] += a->bias ? a->bias[m] : 0;
        any = any || !(a->bias && is_minus_infinity(a->bias[m]));
    }
    return any;
}

static double exponentials(const struct attention_params *p, float *s, int64_t n, float top)
{
    double sum = 0;
    if (p->fast)
        vmath_exp_minus(s, s, n, top);
    for (int64_t k = 0; k < n; k++) {
        const double e = p->fast ? (double)s[k] : math_exp((double)s[k] - (double)top);
        s[k] = (float)e;
        sum += e;
    }
    return sum;
}

static double exponential(float x, float top) { return math_exp((double)x - (double)top); }

/* sink: NULL, or a score beside the n that are given back. */
static void softmax_row(const struct attention_params *p, float *s, int64_t n, bool any,
                        const float *sink)
{
    float top = sink ? *sink : -INFINITY;
    for (int64_t k = 0; k < n; k++)
        top = s[k] > top ? s[k] : top;
    if (!any || is_minus_infinity(top)) {
        memset(s, 0, (size_t)n * sizeof *s);
        return;
    }
    const double sum = exponentials(p, s, n, top) + (sink ? exponential(*sink, top) : 0);
    for (int64_t k = 0; k < n; k++)
        s[k] = (float)((double)s[k] / sum);
}

static void keep(float *qk, const float *s, int64_t row, int64_t n)
{
    if (qk)
        memcpy(qk + row * n, s, (size_t)n * sizeof *s);
}

void attention_weigh_f32(const struct attention_params *p, const struct attention_args *a,
                         int64_t batch, int64_t head, float *scores, float *qk)
{
    const int64_t n = total_of(p);
    for (int64_t i = 0; i < p->q_len; i++) {
        float *s = scores + i * n;
        for (int64_t k = 0; p->softcap > 0 && k < n; k++)
            s[k] = p->softcap * (float)math_tanh((double)(s[k] / p->softcap));
        keep(p->output_mode == 1 ? qk : NULL, s, i, n);
        const bool any = mask_row(p, a, (const int64_t[]){batch, head, i}, s);
        keep(p->output_mode == 2 ? qk : NULL, s, i, n);
        softmax_row(p, s, n, any, a->sink ? a->sink + head : NULL);
        keep(p->output_mode == 3 ? qk : NULL, s, i, n);
    }
}

/* ---- tensors ---- */

/* One head of a tensor: rows `step` apart. */
struct rows {
    const float *data;
    int64_t step;
};

static struct rows head_of(const struct attention_params *p, const float *x, int64_t batch,
                           int64_t head, int64_t heads, int64_t len, int64_t size)
{
    if (p->packed)
        return (struct rows){x + batch * len * heads * size + head * size, heads * size};
    return (struct rows){x + (batch * heads + head) * len * size, size};
}

/* Past rows, then the new ones, into `to`. */
static void join(const float *past, int64_t past_len, const struct rows *fresh, int64_t fresh_len,
                 int64_t size, float *to)
{
    if (past_len)
        memcpy(to, past, (size_t)(past_len * size) * sizeof *to);
    for (int64_t i = 0; i < fresh_len; i++)
        memcpy(to + (past_len + i) * size, fresh->data + i * fresh->step,
               (size_t)size * sizeof *to);
}

/* All keys (or values) of a head: as they lie, or joined with the past in the present's place or in
 * scratch. */
static struct rows all_rows(const struct attention_params *p, const float *x, const float *past,
                            float *present, int64_t batch, int64_t head, int64_t size,
                            float *scratch)
{
    const struct rows fresh = head_of(p, x, batch, head, p->kv_heads, p->kv_len, size);
    const int64_t index = batch * p->kv_heads + head;
    if (!p->past_len && !present)
        return fresh;
    float *to = present ? present + index * total_of(p) * size : scratch;
    join(p->past_len ? past + index * p->past_len * size : NULL, p->past_len, &fresh, p->kv_len,
         size, to);
    return (struct rows){to, size};
}

static void one_head(const struct attention_params *p, const struct attention_args *a,
                     int64_t batch, int64_t head, const struct rows *k, const struct rows *v,
                     float *scores)
{
    const int64_t total = total_of(p), size = p->q_len * total;
    const struct rows q = head_of(p, a->q, batch, head, p->q_heads, p->q_len, p->head);
    const struct rows y = head_of(p, a->y, batch, head, p->q_heads, p->q_len, p->v_head);
    const struct gemm_side queries = {gemm_pack_f32, q.data, q.step, 1, NULL},
                           keys = {gemm_pack_f32, k->data, k->step, 1, NULL};
    gemm_f32(p->q_len, total, p->head, &queries, &keys, scores, total, 1);
    for (int64_t i = 0; i < size; i++)
        scores[i] *= p->scale;
    float *qk = a->qk ? a->qk + (batch * p->q_heads + head) * size : NULL;
    if (qk && p->output_mode == 0)
        memcpy(qk, scores, (size_t)size * sizeof *qk);
    attention_weigh_f32(p, a, batch, head, scores, qk);
    const struct gemm_side weights = {gemm_pack_f32, scores, total, 1, NULL},
                           values = {gemm_pack_f32, v->data, 1, v->step, NULL};
    gemm_f32(p->q_len, p->v_head, total, &weights, &values, a->y + (y.data - a->y), y.step, 1);
}

void attention_f32(const struct attention_params *p, const struct attention_args *a, float *scratch)
{
    const int64_t total = total_of(p), group = p->q_heads / p->kv_heads;
    float *keys = scratch + p->q_len * total, *values = keys + total * p->head;
    for (int64_t i = 0; i < p->batch * p->kv_heads; i++) {
        const int64_t batch = i / p->kv_heads, head = i % p->kv_heads;
        const struct rows k =
            all_rows(p, a->k, a->past_key, a->present_key, batch, head, p->head, keys);
        const struct rows v =
            all_rows(p, a->v, a->past_value, a->present_value, batch, head, p->v_head, values);
        for (int64_t j = 0; j < group; j++)
            one_head(p, a, batch, head * group + j, &k, &v, scratch);
    }
}

/* ---- rotary embedding ---- */

static void rotate(const struct rotary_params *p, const float *x, const float *cos,
                   const float *sin, float *y)
{
    const int64_t half = p->rotary / 2;
    for (int64_t i = 0; i < half; i++) {
        const int64_t r = p->interleaved ? 2 * i : i, m = p->interleaved ? 2 * i + 1 : i + half;
        const float real = x[r], imaginary = x[m];
        y[r] = cos[i] * real - sin[i] * imaginary;
        y[m] = sin[i] * real + cos[i] * imaginary;
    }
    for (int64_t i = p->rotary; i < p->head; i++)
        y[i] = x[i];
}

int rotary_f32(const struct rotary_params *p, const float *x, const float *cos, const float *sin,
               const int64_t *position, float *y)
{
    const int64_t half = p->rotary / 2;
    for (int64_t i = 0; i < p->batch * p->len; i++) {
        const int64_t batch = i / p->len, at = position ? position[i] : i;
        if (position && (at < 0 || at >= p->positions))
            return KERNEL_INDEX;
        for (int64_t h = 0; h < p->heads; h++) {
            const int64_t row =
                p->heads_first ? (batch * p->heads + h) * p->len + i % p->len : i * p->heads + h;
            rotate(p, x + row * p->head, cos + at * half, sin + at * half, y + row * p->head);
        }
    }
    return KERNEL_OK;
}
