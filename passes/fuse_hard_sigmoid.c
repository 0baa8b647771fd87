/* Shift, clip and scale become a HardSigmoid.
 *
 * Before:  y = Div(Clip(Add(x, 3), 0, 6), 6)     or Clip(x * a + b, 0, 1)
 * After:   y = HardSigmoid<alpha=1/6, beta=1/2>(x)     max(0, min(1, alpha * x + beta))
 * When:    every number is a constant; the lower bound is 0 and the upper one becomes 1.
 * Numerics: REASSOC.
 */
#include <math.h>

#include "rewrite/match_fuse.h"

static const char *const SPELLINGS[] = {
    "Div(clip=Clip(Add(x, #shift), ..), #over)", "Mul(clip=Clip(Add(x, #shift), ..), #scale)",
    "clip=Clip(Add(Mul(x, #alpha), #beta), ..)", "clip=Clip(Add(Div(x, #over), #beta), ..)", NULL};

static double scalar_or(const struct match *m, const char *name, double otherwise)
{
    double x = NAN;
    if (!match_value(m, name))
        return otherwise;
    return match_scalar(m, name, &x) ? x : NAN;
}

/* NaN where a number is not known. */
static void parameters(const struct match *m, double *alpha, double *beta)
{
    double scale = scalar_or(m, "scale", 1) / scalar_or(m, "over", 1);
    *alpha = scale * scalar_or(m, "alpha", 1);
    *beta = match_value(m, "beta") ? scalar_or(m, "beta", 0) : scale * scalar_or(m, "shift", 0);
}

static const char *problem(const struct match *m)
{
    double alpha, beta, low = NAN, high = NAN;
    const struct node *clip = match_node(m, "clip");
    bool scaled_after = clip != m->root;
    parameters(m, &alpha, &beta);
    if (node_version(clip) < 11) {
        low = (double)node_float(clip, "min", NAN);
        high = (double)node_float(clip, "max", NAN);
    } else if (node_input(clip, 1) && node_input(clip, 2)) {
        constant_scalar(clip->inputs[1].value, &low);
        constant_scalar(clip->inputs[2].value, &high);
    }
    if (scaled_after && !(alpha > 0))
        return FUSE_NONE;
    if (low != 0 || !match_near(high * (scaled_after ? alpha : 1), 1, DT_FLOAT)) /* 0: exactly */
        return FUSE_NONE;
    if (!isfinite(alpha) || !isfinite(beta))
        return "its numbers differ by element";
    return match_shape_problem(m, match_value(m, "x"));
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    double alpha, beta;
    (void)r;
    parameters(m, &alpha, &beta);
    node_set_input(fused, 0, match_value(m, "x"));
    node_set_float(fused, "alpha", (float)alpha);
    node_set_float(fused, "beta", (float)beta);
}

static const struct fusion HARD_SIGMOID = {"HardSigmoid", 6,     FUSE_FLOATS, SPELLINGS,
                                           problem,       build, NULL};

int visit_fuse_hard_sigmoid(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &HARD_SIGMOID);
}
