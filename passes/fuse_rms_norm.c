/* The decomposed root-mean-square normalization becomes an RMSNormalization.
 *
 * Before:  y = x / sqrt(mean(x * x) + epsilon)     over the last axes, spelled as layer normalization is
 * After:   y = RMSNormalization<axis, epsilon>(x, ones)
 * When:    opset 23; the axes are the last ones, of constant length, and kept; epsilon is one constant.
 *          A scale that follows, and casts around it, are taken up by fuse-norm-affine.
 * Before:  y = SimplifiedLayerNormalization(x, scale)     ONNX Runtime's operator of the same meaning,
 *          which it puts into ai.onnx
 * After:   y = RMSNormalization(x, scale)     when its second output is not read
 * Spellings: transformers through torch (legacy: Div(1, root), dynamo: Reciprocal), JAX; the genai builder (the last).
 * Numerics: REASSOC.
 */
#include "rewrite/match_norm.h"

#define SQUARES                                                                               \
    NORM_EQUATIONS "; variance = ReduceMean(square, ..)|GlobalAveragePool(square); square = " \
                   "Pow(x, 2)|Mul(x, x)"
static const char *const SPELLINGS[] = {
    "Mul*(x, " NORM_INVERSE ", #scale)" SQUARES,
    "Div(x, root=Sqrt(shifted))|Div(x, root=Pow(shifted, 0.5))|Mul(x, " NORM_INVERSE ")" SQUARES,
    "given=SimplifiedLayerNormalization(x, scale)", NULL};

static const char *axes_problem(const struct match *m, struct norm_axes *a)
{
    const char *problem = norm_axes_of(m, a);
    if (problem)
        return problem;
    return a->last == a->rank - 1 ? norm_lengths(match_value(m, "x"), a)
                                  : "it does not run over the last axes";
}

static const char *given_problem(const struct match *m)
{
    const struct value *statistics = node_output(m->root, 1);
    return statistics && statistics->n_uses ? "its second output is read" : NULL;
}

static const char *problem(const struct match *m)
{
    if (match_value(m, "given"))
        return given_problem(m);
    struct norm_axes a;
    double epsilon;
    const struct value *scale = match_value(m, "scale");
    const char *why = axes_problem(m, &a);
    why = why ? why : norm_epsilon(m, &epsilon);
    if (!why && scale && !norm_fits(constant_of(scale), &a))
        why = FUSE_NONE; /* the next spelling leaves the scale where it is */
    return why;
}

static void build_given(const struct match *m, struct node *fused)
{
    node_set_input(fused, 0, match_value(m, "x"));
    node_set_input(fused, 1, match_value(m, "scale"));
    for (uint32_t i = 0; i < m->root->n_attrs; i++)
        node_copy_attr(fused, m->root->attrs[i]);
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    if (match_value(m, "given")) {
        build_given(m, fused);
        return;
    }
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
