/* Losses, reference form: ONNX NegativeLogLikelihoodLoss-12..22. SoftmaxCrossEntropyLoss-12, -13 is
 * kernel_softmax with SOFTMAX_LOG along axis 1 (its second output) and then this. Sums in double,
 * in order, rounded once. */
#ifndef KERNELS_FLOAT_LOSS_H
#define KERNELS_FLOAT_LOSS_H
#include <stdbool.h>
#include <stdint.h>

enum loss_reduction { LOSS_NONE, LOSS_SUM, LOSS_MEAN };
int loss_reduction_find(const char *text); /* -1: unknown */

/* x [batch, classes, size] log-probabilities, target [batch, size] class numbers, weight [classes]
 * or NULL (1). Loss of an element: -weight[target] * x[target]; 0 where target == ignore
 * (has_ignore). y: [batch, size] for NONE, else one value; MEAN divides by the sum of the weights
 * that count. KERNEL_INDEX: a target that counts is no class. */
struct loss_params {
    int64_t batch, classes, size;
    const float *weight;
    bool has_ignore;
    int64_t ignore;
    enum loss_reduction reduction;
};
int loss_nll_f32(const struct loss_params *p, const float *x, const int64_t *target, float *y);
#endif
