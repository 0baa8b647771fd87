/* A value divided by its 2-norm becomes an LpNormalization.
 *
 * Before:  y = Div(x, ReduceL2<axes=[axis]>(x))     or Sqrt(ReduceSum(x * x)), the norm bounded from
 *          below by Clip or Max with a small number (PyTorch's normalize), expanded or not
 * After:   y = LpNormalization<axis, p=2>(x)
 * When:    one constant axis, which the norm keeps; the bound is at most 1e-12, PyTorch's default.
 * Numerics: LOSSY: where the norm is zero the operator gives zero, without a bound it was NaN; where
 *          it lies between zero and the bound the result was smaller.
 */
#include <math.h>

#include "rewrite/match_fuse.h"

#define NORM                                                                    \
    "; norm = ReduceL2(x, ..)|Sqrt(sum); sum = ReduceSum(Pow(x, 2)|Mul(x, x), " \
    "..)|ReduceSumSquare(x, ..)"
static const char *const SPELLINGS[] = {"Div(x, Expand?(norm, ..))" NORM,
                                        "Div(x, Expand?(clip=Clip(norm, ..), ..))" NORM,
                                        "Div(x, Expand?(Max(norm, #bound), ..))" NORM, NULL};

/* PyTorch's torch.nn.functional.normalize: eps=1e-12; a larger bound is meant to be reached. */
static const double BOUND = 1e-12;

static const char *bound_problem(const struct match *m)
{
    double bound = 0;
    const struct node *clip = match_node(m, "clip");
    if (match_value(m, "bound") && !match_scalar(m, "bound", &bound))
        bound = NAN;
    if (clip && (node_version(clip) < 11 || node_input(clip, 2) || !node_input(clip, 1) ||
                 !constant_scalar(clip->inputs[1].value, &bound)))
        bound = NAN;
    /* a rounding of 1e-12 to float32 is allowed */
    return bound >= 0 && bound <= BOUND * (1 + 0x1p-20) ? NULL : "its norm is bounded from below";
}

static const char *problem(const struct match *m)
{
    int axes[FUSE_RANK], count = 0;
    const struct node *sum = match_node(m, "sum"), *norm = match_node(m, "norm");
    const struct node *reduction = sum ? sum : norm;
    const struct value *x = match_value(m, "x");
    if (value_rank(x) < 1 || !reduction_axes(reduction, value_rank(x), axes, &count) ||
        count != 1 || !reduction_keeps(reduction))
        return "its norm does not run over one constant axis that it keeps";
    const char *bound = bound_problem(m);
    if (bound)
        return bound;
    return same_type(x, m->root->outputs[0]) ? NULL : "its result may be wider than its input";
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    int axes[FUSE_RANK] = {0}, count = 0;
    const struct node *sum = match_node(m, "sum"), *norm = match_node(m, "norm");
    int rank = value_rank(match_value(m, "x"));
    (void)r;
    reduction_axes(sum ? sum : norm, rank, axes, &count);
    node_set_input(fused, 0, match_value(m, "x"));
    node_set_int(fused, "axis", axes[0] - rank);
    node_set_int(fused, "p", 2);
}

static const struct fusion LP_NORM = {"LpNormalization", 1,     FUSE_FLOATS, SPELLINGS,
                                      problem,           build, NULL};

int visit_fuse_lp_norm(struct pass_run *r, struct node *n) { return fuse_visit(r, n, &LP_NORM); }
