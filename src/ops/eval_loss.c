/* Adapters of NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss with kernels/float/{loss,softmax}.h. */
#include "kernels/float/loss.h"

#include "kernels/float/softmax.h"
#include "ops/adapt.h"

static const int64_t *read_targets(struct eval *e)
{
    int64_t *targets = eval_scratch(e, e->in[1]->count, sizeof *targets);
    for (int64_t i = 0; targets && i < e->in[1]->count; i++)
        targets[i] = tensor_get_int(e->in[1], i);
    return targets;
}

static int read_reduction(struct eval *e, enum loss_reduction *how)
{
    struct span s = node_string(e->node, "reduction", "mean");
    int found = loss_reduction_find(arena_printf(
        e->scratch, "%.*s", (int)num_clamp((int64_t)s.size, 0, 16), (const char *)s.data));
    if (found < 0)
        return eval_fail(e, E_OP_ATTR, "reduction is none of none, sum, mean");
    *how = (enum loss_reduction)found;
    return 0;
}

static int run_loss(struct eval *e, const float *logs)
{
    struct axis_split s = split_axis(e->in[0], 1);
    struct loss_params p = {
        .batch = s.outer, .classes = s.n, .size = s.inner, .weight = stage_in(e, 2)};
    const struct attr *ignore = node_attr(e->node, "ignore_index");
    int rc = read_reduction(e, &p.reduction);
    p.has_ignore = ignore != NULL;
    p.ignore = ignore ? ignore->i : 0;
    const int64_t *targets = rc ? NULL : read_targets(e);
    float *y = rc ? NULL : stage_out(e, 0);
    if (rc || !targets || !y || (has_in(e, 2) && !p.weight))
        return rc ? rc : eval_memory(e);
    rc = eval_status(e, loss_nll_f32(&p, logs, targets, y));
    if (!rc)
        stage_store(e, 0, y);
    return rc;
}

static int no_double(struct eval *e)
{
    return e->in[0]->dtype == DT_DOUBLE ? eval_form(e, "float64") : 0;
}

int eval_nll_loss(struct eval *e)
{
    int rc = no_double(e);
    const float *logs = rc ? NULL : stage_in(e, 0);
    return rc ? rc : logs ? run_loss(e, logs) : eval_memory(e);
}

int eval_sce_loss(struct eval *e)
{
    struct axis_split s = split_axis(e->in[0], 1);
    struct softmax_args softmax = {
        .kind = SOFTMAX_LOG, .dtype = DT_FLOAT, .outer = s.outer, .axis = s.n, .inner = s.inner};
    int rc = no_double(e);
    const float *scores = rc ? NULL : stage_in(e, 0);
    float *logs = rc ? NULL : eval_scratch(e, e->in[0]->count, sizeof *logs);
    if (rc || !scores || !logs)
        return rc ? rc : eval_memory(e);
    rc = e->in[0]->count
             ? eval_status(e, kernel_softmax(&softmax, scores, logs, 0, s.outer * s.inner))
             : 0;
    if (rc)
        return rc;
    if (has_out(e, 1))
        convert_from_f32(e->out[1]->dtype, logs, e->out[1]->count, out_data(e, 1));
    return has_out(e, 0) ? run_loss(e, logs) : 0;
}
