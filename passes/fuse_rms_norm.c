/* The decomposed root-mean-square normalization becomes an RMSNormalization.
 *
 * Before:  y = x / sqrt(mean(x * x) + epsilon)     over the last axes, spelled as layer normalization is
 * After:   y = RMSNormalization<axis, epsilon>(x, ones)
 * When:    opset 23; the axes are the last ones, of constant length, and kept; epsilon is one constant.
 *          A scale that follows, and casts around it, are taken up by fuse-norm-affine.
 * Spellings: transformers through torch (legacy: Div(1, root), dynamo: Reciprocal), JAX.
 * Numerics: REASSOC.
 */
#include "rewrite/match_norm.h"

#define SQUARES                                                                               \
    NORM_EQUATIONS "; variance = ReduceMean(square, ..)|GlobalAveragePool(square); square = " \
                   "Pow(x, 2)|Mul(x, x)"
static const char *const SPELLINGS[] = {
    "Mul*(x, " NORM_INVERSE ", #scale)" SQUARES,
    "Div(x, root=Sqrt(shifted))|Div(x, root=Pow(shifted, 0.5))|Mul(x, " NORM_INVERSE ")" SQUARES,
    NULL};

static const char *axes_problem(const struct match *m, struct norm_axes *a)
{
    const char *problem = norm_axes_of(m, a);
    if (problem)
        return problem;
    return a->last == a->rank - 1 ? norm_lengths(match_value(m, "x"), a)
                                  : "it does not run over the last axes";
}

static const char *problem(const struct match *m)
{
    struct norm_axes a;
    double epsilon;
    const struct value *scale = match_value(m, "scale");
    const char *why = axes_problem(m, &a);
    why = why ? why : norm_epsilon(m, &epsilon);
    if (!why && scale && !norm_fits(constant_of(scale), &a))
        why = FUSE_NONE; /* the next spelling leaves the scale where it is */
    return why;
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    struct norm_axes a;
    double epsilon = 0;
    struct value *x = match_value(m, "x"), *scale = match_value(m, "scale");
    (void)r;
    axes_problem(m, &a);
    norm_epsilon(m, &epsilon);
    struct tensor *t = norm_parameter(m->root->graph->model, &a, value_dtype(x),
                                      scale ? constant_of(scale) : NULL, 1, NULL, NULL);
    node_set_input(fused, 0, x);
    node_set_input(fused, 1, norm_value(m, t, scale));
    node_set_int(fused, "axis", a.first - a.rank);
    node_set_float(fused, "epsilon", (float)epsilon);
}

static const struct fusion RMS_NORM = {
    "RMSNormalization", 23, FUSE_FLOATS, SPELLINGS, problem, build, NULL};

int visit_fuse_rms_norm(struct pass_run *r, struct node *n) { return fuse_visit(r, n, &RMS_NORM); }
