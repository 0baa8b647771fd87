/* Recurrences over tokens that keep a state: ONNX LinearAttention-27 and CausalConvWithState-27. Sums run in index order, in float.
 */
#ifndef KERNELS_FLOAT_RECURRENCE_H
#define KERNELS_FLOAT_RECURRENCE_H
#include <stdbool.h>
#include <stdint.h>

/* Per batch element and key head, with the state S [key_size, value_size] and one token's k, v, q, decay g, step b:
 *   LINEAR S += k v';  GATED S = e^g S + k v';  DELTA S += b k (v - S'k)';  GATED_DELTA S = e^g S, then as DELTA;
 * output scale * S'q, with q of each of the q_heads / kv_heads query heads that share S. */
enum linear_rule { LINEAR_PLAIN, LINEAR_GATED, LINEAR_DELTA, LINEAR_GATED_DELTA };

/* q [batch, length, q_heads * key_size], k [.., kv_heads * key_size], v [.., kv_heads * value_size], y [.., q_heads * value_size]; decay
 * [.., kv_heads * key_size] or [.., kv_heads] (one_decay), beta [.., kv_heads] or [.., 1] (one_beta); state [batch, kv_heads, key_size,
 * value_size], read and written. row: value_size floats of working memory. */
struct linear_attention {
    enum linear_rule rule;
    int64_t batch, length, q_heads, kv_heads, key_size, value_size;
    bool one_decay, one_beta;
    float scale;
};
struct linear_tensors {
    const float *q, *k, *v, *decay, *beta;
    float *state, *y, *row;
};
void linear_attention_f32(const struct linear_attention *p, const struct linear_tensors *t);

/* x, y [rows, length], past and present [rows, kernel - 1] (past NULL: zeros), weight [channels, kernel], bias [channels] or NULL; row r is
 * channel r % channels. y = bias + sum of weight[i] * (past, x)[t + i], then silu when asked; present is the end of (past, x). */
struct causal_conv {
    int64_t rows, length, kernel, channels;
    bool silu;
};
void causal_conv_f32(const struct causal_conv *p, const float *x, const float *weight,
                     const float *bias, const float *past, float *y, float *present);
#endif
