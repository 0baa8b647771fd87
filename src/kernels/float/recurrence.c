/* See recurrence.h. */
#include "kernels/float/recurrence.h"

#include <stddef.h>

#include "kernels/float/math.h"

/* One token into the state of one head. */
static void update(const struct linear_attention *p, const float *k, const float *v,
                   const float *decay, float beta, float *state, float *row)
{
    const int64_t rows = p->key_size, columns = p->value_size;
    const bool gated = p->rule == LINEAR_GATED || p->rule == LINEAR_GATED_DELTA;
    const bool delta = p->rule == LINEAR_DELTA || p->rule == LINEAR_GATED_DELTA;
    for (int64_t j = 0; j < columns; j++)
        row[j] = 0;
    for (int64_t i = 0; i < rows; i++) {
        const float keep = gated ? (float)math_exp((double)decay[p->one_decay ? 0 : i]) : 1;
        for (int64_t j = 0; j < columns; j++) {
            state[i * columns + j] *= keep;
            row[j] += k[i] * state[i * columns + j];
        }
    }
    for (int64_t j = 0; j < columns; j++)
        row[j] = delta ? beta * (v[j] - row[j]) : v[j];
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            state[i * columns + j] += k[i] * row[j];
}

static void read_out(const struct linear_attention *p, const float *q, const float *state, float *y)
{
    for (int64_t j = 0; j < p->value_size; j++)
        y[j] = 0;
    for (int64_t i = 0; i < p->key_size; i++)
        for (int64_t j = 0; j < p->value_size; j++)
            y[j] += q[i] * state[i * p->value_size + j];
    for (int64_t j = 0; j < p->value_size; j++)
        y[j] *= p->scale;
}

static void one_token(const struct linear_attention *p, const struct linear_tensors *t,
                      int64_t token, int64_t head, float *state)
{
    const int64_t at = token * p->kv_heads + head, group = p->q_heads / p->kv_heads;
    const float *decay = t->decay ? t->decay + at * (p->one_decay ? 1 : p->key_size) : NULL;
    const float beta = t->beta ? t->beta[p->one_beta ? token : at] : 1;
    update(p, t->k + at * p->key_size, t->v + at * p->value_size, decay, beta, state, t->row);
    for (int64_t g = 0; g < group; g++) {
        const int64_t q = token * p->q_heads + head * group + g;
        read_out(p, t->q + q * p->key_size, state, t->y + q * p->value_size);
    }
}

void linear_attention_f32(const struct linear_attention *p, const struct linear_tensors *t)
{
    for (int64_t i = 0; i < p->batch * p->kv_heads; i++)
        for (int64_t step = 0; step < p->length; step++)
            one_token(p, t, i / p->kv_heads * p->length + step, i % p->kv_heads,
                      t->state + i * p->key_size * p->value_size);
}

/* ---- causal convolution ---- */

void causal_conv_f32(const struct causal_conv *p, const float *x, const float *weight,
                     const float *bias, const float *past, float *y, float *present)
{
    const int64_t held = p->kernel - 1;
    for (int64_t r = 0; r < p->rows; r++) {
        const float *w = weight + r % p->channels * p->kernel, *row = x + r * p->length;
        const float *old = past ? past + r * held : NULL;
        for (int64_t t = 0; t < p->length; t++) {
            float sum = bias ? bias[r % p->channels] : 0;
            for (int64_t i = 0; i < p->kernel; i++) {
                const int64_t at = t + i - held;
                sum += w[i] * (at >= 0 ? row[at] : old ? old[at + held] : 0);
            }
            y[r * p->length + t] =
                p->silu ? (float)((double)sum / (1 + math_exp(-(double)sum))) : sum;
        }
        for (int64_t i = 0; present && i < held; i++) {
            const int64_t at = p->length + i - held;
            present[r * held + i] = at >= 0 ? row[at] : old ? old[at + held] : 0;
        }
    }
}
