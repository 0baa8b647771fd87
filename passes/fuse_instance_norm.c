/* The decomposed instance normalization becomes an InstanceNormalization.
 *
 * Before:  d = x - mean(x)   y = d / sqrt(mean(d * d) + epsilon)     over all axes but the first two
 * After:   y = InstanceNormalization<epsilon>(x, ones, zeros)
 * When:    rank 4 or more (with rank 3 it is a layer normalization), a constant number of channels;
 *          spellings and the rest as in fuse-layer-norm. Scale and bias: fuse-norm-affine.
 * Numerics: REASSOC.
 */
#include "rewrite/match_norm.h"

static const char *const SPELLINGS[] = {
    "Div(" NORM_DEVIATION ", root)|Mul(" NORM_DEVIATION ", " NORM_INVERSE ")" NORM_CENTRED, NULL};

/* The axis of the channels, which scale and bias run over. */
static const char *channels(const struct match *m, struct norm_axes *a)
{
    a->first = a->last = 1;
    return norm_lengths(match_value(m, "x"), a) ? "its number of channels is not known" : NULL;
}

static const char *problem(const struct match *m)
{
    struct norm_axes a;
    double epsilon;
    if (norm_axes_of(m, &a) || !norm_is_spatial(&a))
        return FUSE_NONE;
    const char *why = norm_epsilon(m, &epsilon);
    return why ? why : channels(m, &a);
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    struct norm_axes a;
    double epsilon = 0;
    struct model *model = m->root->graph->model;
    struct value *x = match_value(m, "x");
    (void)r;
    norm_axes_of(m, &a);
    channels(m, &a);
    norm_epsilon(m, &epsilon);
    struct tensor *ones = norm_parameter(model, &a, value_dtype(x), NULL, 1, NULL, NULL);
    struct tensor *zeros = norm_parameter(model, &a, value_dtype(x), NULL, 0, NULL, NULL);
    node_set_input(fused, 0, x);
    node_set_input(fused, 1, constant_new(m->root, ones, NULL));
    node_set_input(fused, 2, constant_new(m->root, zeros, NULL));
    node_set_float(fused, "epsilon", (float)epsilon);
}

static const struct fusion INSTANCE_NORM = {
    "InstanceNormalization", 6, FUSE_FLOATS, SPELLINGS, problem, build, NULL};

int visit_fuse_instance_norm(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &INSTANCE_NORM);
}
