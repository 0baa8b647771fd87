/* Scaled dot-product attention and rotary position embedding: ONNX Attention-23, -24 (with the
 * windows of the next version) and RotaryEmbedding-23, reference form. Products are summed as
 * gemm.h says; softmax in double with one rounding, or with vmath.h when `fast`.
 */
#ifndef KERNELS_FLOAT_ATTENTION_H
#define KERNELS_FLOAT_ATTENTION_H
#include <stdbool.h>
#include <stdint.h>

/* Tensors: q [batch, q_heads, q_len, head], k [batch, kv_heads, kv_len, head], v [batch, kv_heads,
 * kv_len, v_head], y [batch, q_heads, q_len, v_head]; packed: [batch, len, heads * head] instead
 * (3-D inputs). The past and present caches are never packed: [batch, kv_heads, past_len, head] and
 * [batch, kv_heads, total, head], total = past_len + kv_len. q_heads is a multiple of kv_heads. */
struct attention_params {
    int64_t batch, q_heads, kv_heads, q_len, kv_len, past_len, head, v_head;
    bool packed;
    float scale;   /* of q * k'; attention_scale(head) is the default */
    float softcap; /* 0: none; else softcap * tanh(score / softcap) */
    bool causal;   /* query i sees keys up to i + offset; see attention_offset */
    int64_t left_window,
        right_window; /* < 0: unbounded; else keys from p - left to p + right, p = i + offset */
    int output_mode;  /* what args->qk gets: 0 scaled product, 1 after softcap, 2 after the mask, 3
                         after softmax */
    bool fast;
};

struct attention_args {
    const float *q, *k, *v;
    const float *past_key, *past_value; /* NULL when past_len is 0 */
    /* Mask, broadcast by steps [batch, head, query] (0: the same for all); keys are neighbours
     * unless mask_key_step is 0 (one for all). Either added (bias) or chosen (allowed, true: takes
     * part); both NULL: none. Keys from mask_len on take no part. */
    const float *bias;
    const bool *allowed;
    int64_t mask_step[3], mask_key_step, mask_len;
    const int64_t *nonpad; /* [batch] valid keys (nonpad_kv_seqlen), or NULL */
    const float *
        sink; /* [q_heads]: one more score per row that takes its share of the softmax and has no value; NULL: none */
    float *y, *present_key, *present_value; /* presents: NULL when not wanted */
    float *qk; /* [batch, q_heads, q_len, total], NULL when not wanted */
};

float attention_scale(int64_t head); /* 1 / sqrt(head) */
/* The position of query 0 among the keys: past_len; or, with nonpad and without a past,
 * nonpad[batch] - q_len. */
int64_t attention_offset(const struct attention_params *p, const struct attention_args *a,
                         int64_t batch);

/* Floats of working memory; -1: too large. */
int64_t attention_scratch(const struct attention_params *p);
void attention_f32(const struct attention_params *p, const struct attention_args *a,
                   float *scratch);

/* The middle of it, for engines with products of their own: scores [q_len, total] of one batch
 * element and head, already scaled, become probabilities. A query that may see no key gets zeros.
 * qk [q_len, total] or NULL as output_mode says (modes 1 to 3). */
void attention_weigh_f32(const struct attention_params *p, const struct attention_args *a,
                         int64_t batch, int64_t head, float *scores, float *qk);

/* x, y [batch, len, heads, head], or [batch, heads, len, head] with heads_first. The first rotary
 * elements of each head are turned in pairs by the angle of its position: halves (i, i + rotary /
 * 2), or neighbours (2 i, 2 i + 1) when interleaved; the rest is copied. cos, sin [positions,
 * rotary / 2] by position [batch, len]; position NULL: [batch, len, rotary / 2]. rotary is even, <=
 * head. KERNEL_INDEX: a position is outside. */
struct rotary_params {
    int64_t batch, len, heads, head, rotary, positions;
    bool interleaved, heads_first;
};
int rotary_f32(const struct rotary_params *p, const float *x, const float *cos, const float *sin,
               const int64_t *position, float *y);
#endif
