/* BatchNormalization goes into the linear layer before it, or into those behind it.
 *
 * Before:  t = Conv(x, W, b)   y = BatchNormalization(t, gamma, beta, mean, var)
 * After:   y = Conv(x, W', b')       s = gamma / sqrt(var + epsilon)
 *          W'[oc, ..] = W[oc, ..] * s[oc]      b'[oc] = (b[oc] - mean[oc]) * s[oc] + beta[oc]
 *          and where the layer stands behind   W'[.., ic] = W[.., ic] * s[ic]
 *          b'[oc] = b[oc] + sum of W[oc, ic, ..] * (beta[ic] - mean[ic] * s[ic])
 * Layers:  Conv and ConvTranspose (any groups), Gemm (either transposition), MatMul and MatMul +
 *          Add of rank 2; across Reshape, Flatten, Squeeze, Unsqueeze, Transpose and Concat.
 * When:    every parameter is constant, inference mode, nobody else reads what changes. Forwards
 *          only where no reader pads with zeros, which would have to be shifted as well, and where
 *          the means are not far off: x - mean loses no bits, W x - W mean does.
 * Numerics: REASSOC; float64 with one rounding.
 */
#include <math.h>

#include "rewrite/linear.h"

/* |mean| / deviation up to which the sum may be split: it costs as many times the rounding error of
 * a float32 sum, 6e-8, and a result may be off by 1e-5. */
static const double MAX_OFFSET = 64;

static bool is_far_off(const struct node *bn)
{
    const struct tensor *mean = constant_of(bn->inputs[3].value);
    const struct tensor *var = constant_of(bn->inputs[4].value);
    double epsilon = (double)node_float(bn, "epsilon", 1e-5f);
    for (int64_t i = 0; i < mean->count; i++)
        if (fabs(tensor_get(mean, i)) > MAX_OFFSET * sqrt(tensor_get(var, i) + epsilon))
            return true;
    return false;
}

static const char *forward_problem(struct fold *p, const struct node *bn, const struct affine *f)
{
    const char *problem = fold_forward(p, bn->outputs[0], f);
    if (problem)
        return problem;
    return is_far_off(bn) ? "its means are too far off for the layer behind it" : NULL;
}

static void backward(struct pass_run *r, struct node *n, struct fold *p)
{
    struct node *by = n->inputs[0].value->producer;
    pass_rewrote(r, n, "folded into %s '%s'", by->op_type, node_label(by));
    fold_apply(p);
    rewrite_absorb(by, n);
}

static void forward(struct pass_run *r, struct node *n, struct fold *p)
{
    struct node *layer = p->parts.data[0].l.layer;
    pass_rewrote(r, n, "folded into %s '%s' behind it", layer->op_type, node_label(layer));
    fold_apply(p);
    rewrite_bypass(n->outputs[0], n->inputs[0].value);
    rewrite_drop(n);
}

/* What is told is why the layers that are there cannot take it. */
static void refuse(struct pass_run *r, const struct node *n, const char *back, const char *ahead)
{
    if (ahead == LINEAR_NONE_BEHIND)
        pass_refused(r, n, "%s", back);
    else if (back == LINEAR_NONE_BEFORE)
        pass_refused(r, n, "%s", ahead);
    else
        pass_refused(r, n, "%s; %s", back, ahead);
}

static void visit_batchnorm(struct pass_run *r, struct node *n)
{
    struct affine f;
    struct fold p = {.scratch = arena_new(), .graph = n->graph, .hint = node_input(n, 2)};
    const char *ahead = NULL, *back = affine_of_batchnorm(n, p.scratch, &f);
    if (back) {
        pass_refused(r, n, "%s", back);
    } else if (!(back = fold_backward(&p, n->inputs[0].value, &f))) {
        backward(r, n, &p);
    } else if (!(ahead = forward_problem(&p, n, &f))) {
        forward(r, n, &p);
    } else {
        refuse(r, n, back, ahead);
    }
    fold_release(&p);
    arena_free(p.scratch);
}

PASS_OPS(fold_batchnorm, "BatchNormalization", "Conv", "ConvTranspose", "Gemm", "MatMul", "Add",
         "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity");
int visit_fold_batchnorm(struct pass_run *r, struct node *n)
{
    n = node_is(n, "BatchNormalization") ? n : fold_candidate(n);
    if (n && node_is(n, "BatchNormalization") && n->op && n->n_inputs >= 5 && n->inputs[0].value &&
        node_output(n, 0))
        visit_batchnorm(r, n);
    return 0;
}
