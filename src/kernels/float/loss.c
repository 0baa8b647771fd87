/* Negative log-likelihood. Formula: ONNX NegativeLogLikelihoodLoss-22. */
#include "kernels/float/loss.h"

#include <string.h>

#include "kernels/kernel.h"

int loss_reduction_find(const char *text)
{
    static const char *const NAMES[] = {"none", "sum", "mean"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(text, NAMES[i]))
            return i;
    return -1;
}

int loss_nll_f32(const struct loss_params *p, const float *x, const int64_t *target, float *y)
{
    double sum = 0, weights = 0;
    for (int64_t i = 0; i < p->batch * p->size; i++) {
        const int64_t c = target[i];
        const bool ignored = p->has_ignore && c == p->ignore;
        if (!ignored && (c < 0 || c >= p->classes))
            return KERNEL_INDEX;
        const float weight = ignored ? 0.0f : p->weight ? p->weight[c] : 1.0f;
        const float loss =
            ignored ? 0.0f : -x[(i / p->size * p->classes + c) * p->size + i % p->size] * weight;
        if (p->reduction == LOSS_NONE)
            y[i] = loss;
        sum += (double)loss;
        weights += (double)weight;
    }
    if (p->reduction != LOSS_NONE)
        *y = (float)(p->reduction == LOSS_SUM ? sum : sum / weights);
    return KERNEL_OK;
}
