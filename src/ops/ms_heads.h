/* Shared by the com.microsoft attention operators: their activations stand as [batch, length, heads * size], the kernel wants
 * [batch, heads, length, size]; their masks come in many forms, the kernel wants one added to the scores.
 */
#ifndef OPS_MS_HEADS_H
#define OPS_MS_HEADS_H
#include "kernels/float/attention.h"
#include "ops/adapt.h"

/* Where the elements of one projection stand: token t, head h, element i at data[t * token_step + h * head_step + i]. Tokens run over batch
 * and length. */
struct ms_packed {
    const float *data;
    int64_t token_step, head_step;
};

/* [batch, heads, length, size] in scratch, bias [heads * size] added (NULL: none). NULL: memory refused (reported). */
float *ms_heads_first(struct eval *e, const struct ms_packed *from, const int64_t dims[4],
                      const float *bias);
/* Back to [batch, length, heads * size]. dims as above. */
void ms_tokens_first(const float *from, const int64_t dims[4], float *to);

/* The mask inputs of Attention, MultiHeadAttention and QAttention, -1: not there. */
struct ms_masks {
    int padding; /* int32: [batch] valid keys; [2 batch] ends, then starts; [3 batch + 2] lengths first; [batch, total];
                    [batch, queries, total]; [1 or batch, 1]: none */
    int bias;    /* [1 or batch, 1 or heads, queries, total], added */
    bool
        causal; /* keys after the query get the lowest float, as in ONNX Runtime: a row is never without keys */
};
/* Sets args->bias and its steps. What the padding masks out gets the attribute mask_filter_value (default -10000). */
int ms_mask(struct eval *e, const struct attention_params *p, const struct ms_masks *m,
            struct attention_args *args);

/* Runs the kernel on heads-first operands and stores output 0 as [batch, length, heads * v_head]. args->y is set here. */
int ms_attend(struct eval *e, const struct attention_params *p, struct attention_args *a);
#endif
