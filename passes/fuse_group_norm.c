/* An instance normalization of groups of channels becomes a GroupNormalization.
 *
 * Before:  g = Reshape(x, [0, G, -1])   n = InstanceNormalization(g, s, b)   y = Reshape(n, shape of x)
 * After:   y = GroupNormalization<num_groups=G>(x, s', b')     s and b spread over each group's channels
 * When:    opset 21 (before, scale and bias were per group and the operator is deprecated); y has x's
 *          shape; the channels are a constant multiple of G. Scale and bias that follow, one for
 *          each channel: fuse-norm-affine.
 * Spellings: torch.
 * Numerics: REASSOC.
 */
#include "rewrite/match_norm.h"

#include "base/num.h"

static const char *const SPELLINGS[] = {
    "Reshape(norm=InstanceNormalization(groups=Reshape(x, ..), #scale, #bias), ..)", NULL};

static const char *problem(const struct match *m)
{
    const struct value *x = match_value(m, "x"), *groups = match_value(m, "groups");
    int64_t n_groups = 0, channels = 0;
    if (value_rank(x) < 3 || value_rank(groups) < 3)
        return "its rank is not known, or less than 3";
    if (!same_type(x, m->root->outputs[0]))
        return "its output is not known to have its input's shape";
    if (!value_dim(groups, 1, &n_groups) || !value_dim(x, 1, &channels))
        return "its groups or channels are not constant";
    if (!x->type.dims[0] || x->type.dims[0] != groups->type.dims[0])
        return "its groups reach across samples";
    bool whole = n_groups > 0 && channels % n_groups == 0 &&
                 constant_of(match_value(m, "scale"))->count == n_groups &&
                 constant_of(match_value(m, "bias"))->count == n_groups;
    return whole ? NULL : "its groups do not divide the channels";
}

/* One number for each channel from one for each group. */
static struct value *spread(const struct match *m, const char *name, int64_t channels)
{
    struct value *v = match_value(m, name);
    const struct tensor *t = constant_of(v);
    struct tensor *y = tensor_new(m->root->graph->model->arena, t->dtype, 1, &channels);
    for (int64_t i = 0; i < channels; i++)
        num_set(tensor_writable(y), y->dtype, i, tensor_get(t, i / (channels / t->count)));
    return constant_new(m->root, y, v);
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    struct value *x = match_value(m, "x");
    int64_t channels = 0;
    (void)r;
    value_dim(x, 1, &channels);
    node_set_input(fused, 0, x);
    node_set_input(fused, 1, spread(m, "scale", channels));
    node_set_input(fused, 2, spread(m, "bias", channels));
    node_set_float(fused, "epsilon", node_float(match_node(m, "norm"), "epsilon", 1e-5f));
    node_set_int(fused, "num_groups", constant_of(match_value(m, "scale"))->count);
}

static const struct fusion GROUP_NORM = {
    "GroupNormalization", 21, FUSE_FLOATS, SPELLINGS, problem, build, NULL};

int visit_fuse_group_norm(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &GROUP_NORM);
}
