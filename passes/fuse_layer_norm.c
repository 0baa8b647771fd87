/* The decomposed layer normalization becomes a LayerNormalization.
 *
 * Before:  d = x - mean(x)   y = d / sqrt(mean(d * d) + epsilon)     over the last axes
 *          with Pow or Mul as the square, Pow(.., 0.5) or Sqrt as the root; divided by it, or
 *          multiplied by Reciprocal, 1 / root or Pow(.., -0.5), with a scale in that factor or not
 *          or with the variance as mean(x * x) - mean(x) * mean(x), cut off at zero or not
 *          y = x * k + (bias - mean(x) * k),  k = scale / sqrt(mean(d * d) + epsilon)
 * After:   y = LayerNormalization<axis, epsilon>(x, scale, bias)     scale: ones where there is none
 * When:    opset 17; both means run over the same last axes, which are of constant length, and keep
 *          them; epsilon is one constant. Scale and bias that follow are taken up by
 *          fuse-norm-affine. All axes but the first two of four or more: fuse-instance-norm.
 * Spellings: torch (Div, Sqrt), JAX (rsqrt times scale, both variances), Keras and TensorFlow (k), PaddlePaddle.
 * Numerics: REASSOC.
 */
#include "rewrite/match_norm.h"

/* The variance as the mean of squares less the square of the mean, cut off at zero; the axis dropped
 * and put back. */
#define MOMENTS                                                                           \
    "; root = Sqrt(shifted)|Pow(shifted, 0.5)"                                            \
    "; shifted = Add(variance_there, #epsilon)"                                           \
    "; variance_there = Expand?(Reshape(spread, ..)|Unsqueeze(spread, ..)|spread, ..)"    \
    "; spread = Relu?(Sub(variance, Mul(mean, mean)|Pow(mean, 2)))|Max(0, Sub(variance, " \
    "Mul(mean, mean)))"                                                                   \
    "; variance = ReduceMean(Pow(x, 2)|Mul(x, x), ..)"                                    \
    "; mean_there = Expand?(Reshape(mean, ..)|Unsqueeze(mean, ..)|mean, ..)"              \
    "; mean = ReduceMean(x, ..)"

static const char *const SPELLINGS[] = {
    "Mul*(" NORM_DEVIATION ", " NORM_INVERSE ", #scale)" NORM_CENTRED,
    "Div(" NORM_DEVIATION ", root)|Mul(" NORM_DEVIATION ", " NORM_INVERSE ")" NORM_CENTRED,
    "Add(Mul(x, k), Sub(#bias, Mul(mean, k))); k = Mul(" NORM_INVERSE
    ", #scale)|Div(#scale, root)" NORM_CENTRED,
    "Mul*(Sub(x, mean_there), " NORM_INVERSE ", #scale)" MOMENTS,
    "Mul(Sub(x, mean_there), " NORM_INVERSE ")|Div(Sub(x, mean_there), root)" MOMENTS,
    NULL};

static const char *parameter_problem(const struct match *m, const char *name,
                                     const struct norm_axes *a)
{
    const struct value *v = match_value(m, name);
    return !v || norm_fits(constant_of(v), a) ? NULL : "its scale or bias runs over other axes";
}

/* A moment stands where it broadcasts along the axes: they have length 1, or x's. */
static bool stands_along(const struct value *v, const struct value *x, const struct norm_axes *a)
{
    bool fits = !v || value_rank(v) == value_rank(x);
    for (int i = 0; v && fits && i < a->rank; i++) {
        dim_t d = v->type.dims[i], size = x->type.dims[i];
        fits = (d && d == size) || (i >= a->first && i <= a->last && dim_equals(d, 1));
    }
    return fits;
}

static const char *axes_problem(const struct match *m, struct norm_axes *a)
{
    const char *problem = norm_axes_of(m, a);
    if (problem)
        return problem;
    if (norm_is_spatial(a))
        return FUSE_NONE;
    if (!stands_along(match_value(m, "mean_there"), match_value(m, "x"), a) ||
        !stands_along(match_value(m, "variance_there"), match_value(m, "x"), a))
        return "its mean or variance is not known to stand along its axes";
    return a->last == a->rank - 1 ? norm_lengths(match_value(m, "x"), a)
                                  : "it does not run over the last axes";
}

static const char *problem(const struct match *m)
{
    struct norm_axes a;
    double epsilon;
    const char *why = axes_problem(m, &a);
    why = why ? why : norm_epsilon(m, &epsilon);
    why = why ? why : parameter_problem(m, "scale", &a);
    return why ? why : parameter_problem(m, "bias", &a);
}

static struct value *parameter(const struct match *m, const struct norm_axes *a, const char *name,
                               double fill)
{
    struct value *v = match_value(m, name), *x = match_value(m, "x");
    struct tensor *t = norm_parameter(m->root->graph->model, a, value_dtype(x),
                                      v ? constant_of(v) : NULL, fill, NULL, NULL);
    return norm_value(m, t, v);
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    struct norm_axes a;
    double epsilon = 0;
    (void)r;
    axes_problem(m, &a);
    norm_epsilon(m, &epsilon);
    node_set_input(fused, 0, match_value(m, "x"));
    node_set_input(fused, 1, parameter(m, &a, "scale", 1));
    if (match_value(m, "bias"))
        node_set_input(fused, 2, parameter(m, &a, "bias", 0));
    node_set_int(fused, "axis", a.first - a.rank);
    node_set_float(fused, "epsilon", (float)epsilon);
}

static const struct fusion LAYER_NORM = {
    "LayerNormalization", 17, FUSE_FLOATS, SPELLINGS, problem, build, NULL};

int visit_fuse_layer_norm(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &LAYER_NORM);
}
