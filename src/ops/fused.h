/* What a prepared operator applies to its result before it is stored: the executor's fusion, handed
 * to op_fast.prepare.
 *
 * acc = the operator's own result; then for each step in order:
 *   FUSED_RELU          max(acc, 0)
 *   FUSED_CLIP          min(max(acc, a), b)
 *   FUSED_LEAKY         acc < 0 ? a * acc : acc
 *   FUSED_SIGMOID       1 / (1 + exp(-acc))
 *   FUSED_TANH          tanh(acc)
 *   FUSED_HARD_SIGMOID  min(max(a * acc + b, 0), 1)
 *   FUSED_HARD_SWISH    acc * min(max(acc / 6 + 1/2, 0), 1)
 *   FUSED_SWISH         acc / (1 + exp(-a * acc))
 *   FUSED_GELU          acc / 2 * (1 + erf(acc / sqrt(2)))
 *   FUSED_GELU_TANH     acc / 2 * (1 + tanh(sqrt(2/pi) * (acc + 0.044715 acc^3)))
 *   FUSED_LINEAR        a * acc + b
 *   FUSED_ADD           acc + t
 *   FUSED_MUL           acc * t
 * t is one more input of the call (eval.in[input]): same dims as the output, or `per_channel`: one
 * number per output channel (constant: already known to prepare as constants[input]).
 */
#ifndef OPS_FUSED_H
#define OPS_FUSED_H
#include <stdbool.h>
#include <stdint.h>

enum fused_kind {
    FUSED_RELU,
    FUSED_CLIP,
    FUSED_LEAKY,
    FUSED_SIGMOID,
    FUSED_TANH,
    FUSED_HARD_SIGMOID,
    FUSED_HARD_SWISH,
    FUSED_SWISH,
    FUSED_GELU,
    FUSED_GELU_TANH,
    FUSED_LINEAR,
    FUSED_ADD,
    FUSED_MUL
};

enum { FUSED_MAX = 8 };

struct fused_step {
    enum fused_kind kind;
    float a, b;
    uint32_t input; /* FUSED_ADD, FUSED_MUL: index into eval.in; at least the node's own n_inputs */
    bool per_channel;
};

struct fused {
    int n;
    struct fused_step steps[FUSED_MAX];
};
#endif
