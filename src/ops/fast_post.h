/* From the executor's fused steps (ops/fused.h) to oneDNN's post-operations; shared by the prepared
 * products. */
#ifndef OPS_FAST_POST_H
#define OPS_FAST_POST_H
#include "kernels/onednn/dnn.h"
#include "ops/fused.h"
#include "ops/op.h"

/* Steps at the front that only scale and shift each output channel: they go into weights and bias.
 * scale and shift: `channels` doubles each, in the arena. */
struct post_fold {
    int steps; /* how many were taken; 0: scale and shift are NULL */
    double *scale, *shift;
};
bool post_fold(const struct prepare *p, int64_t channels, struct post_fold *f);

/* The steps from `first` on. inputs: for each ADD its index into eval.in. false: a step has no
 * counterpart. Layouts are not filled in: full: the output's, for tensors; channel: for one per
 * channel. */
struct post_list {
    struct dnn_post posts[DNN_MAX_POSTS];
    int n;
    int inputs[DNN_MAX_POSTS], n_inputs;
};
bool post_list(const struct prepare *p, int first, const struct dnn_layout *full,
               struct post_list *list);
#endif
