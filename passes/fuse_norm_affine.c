/* Scale, bias and casts around a normalization go into it.
 *
 * Before:  n = LayerNormalization(x, s, b)   y = n * t      or y = n + c
 * After:   y = LayerNormalization(x, s * t, b * t)          or (x, s, b + c)
 *          The same for RMSNormalization (which has no bias), InstanceNormalization and
 *          GroupNormalization.
 * Before:  f = Cast<float>(x)   n = LayerNormalization(f, s)   y = Cast<float16>(n)     x: float16
 * After:   y = LayerNormalization(x, s)     which computes in float32 anyhow (stash_type 1)
 * When:    s, b, t, c are constants; t and c have one number, or one for each element of the axes
 *          that s and b run over, and do not widen the result; nothing else reads n.
 * Numerics: REASSOC; float64 with one rounding.
 */
#include "rewrite/match_norm.h"

#include "base/num.h"

#define BOTH(norm) "Mul(" norm ", #by)", "Add(" norm ", #plus)"

static const char *const SPELLINGS[] = {BOTH("norm=LayerNormalization(x, #scale)"),
                                        BOTH("norm=LayerNormalization(x, #scale, #bias)"),
                                        BOTH("norm=InstanceNormalization(x, #scale, #bias)"),
                                        BOTH("norm=GroupNormalization(x, #scale, #bias)"),
                                        "Mul(norm=RMSNormalization(x, #scale), #by)",
                                        "Cast(norm=LayerNormalization(Cast(x), #scale))",
                                        "Cast(norm=RMSNormalization(Cast(x), #scale))",
                                        NULL};

static const struct tensor *named(const struct match *m, const char *name)
{
    const struct value *v = match_value(m, name);
    return v ? constant_of(v) : NULL;
}

/* The axes of the parameters: from `axis` on, or the channels. */
static bool parameter_axes(const struct match *m, struct norm_axes *a)
{
    const struct node *norm = match_node(m, "norm");
    const struct value *x = match_value(m, "x");
    bool rows = node_is(norm, "LayerNormalization") || node_is(norm, "RMSNormalization");
    a->rank = value_rank(x);
    if (a->rank < 1 || a->rank > FUSE_RANK || (!rows && a->rank < 2))
        return false;
    a->first = rows ? axis_within(node_int(norm, "axis", -1), a->rank) : 1;
    a->last = rows ? a->rank - 1 : 1;
    return a->first >= 0 && !norm_lengths(x, a);
}

/* Parameters as their operator broadcasts them: from the last of these axes on. */
static bool own_fits(const struct tensor *t, const struct norm_axes *a)
{
    struct norm_axes own = *a;
    own.rank = a->last + 1;
    return !t || norm_fits(t, &own);
}

static bool is_half_exactly(const struct tensor *t)
{
    bool exact = true;
    for (int64_t i = 0; i < t->count; i++) {
        double x = tensor_get(t, i);
        exact = exact && x == (double)num_from_f16(num_double_to_f16(x));
    }
    return exact;
}

static const char *cast_problem(const struct match *m)
{
    bool half = value_dtype(match_value(m, "x")) == DT_FLOAT16 &&
                value_dtype(m->root->outputs[0]) == DT_FLOAT16 &&
                value_dtype(match_value(m, "norm")) == DT_FLOAT;
    if (!half || node_int(match_node(m, "norm"), "stash_type", 1) != 1)
        return FUSE_NONE;
    return is_half_exactly(named(m, "scale")) ? NULL : "its scale is no float16 number";
}

static const char *problem(const struct match *m)
{
    struct norm_axes a;
    const struct tensor *by = named(m, "by"), *plus = named(m, "plus");
    if (!by && !plus)
        return cast_problem(m);
    if (node_is(match_node(m, "norm"), "GroupNormalization") &&
        node_version(match_node(m, "norm")) < 21)
        return FUSE_NONE; /* its parameters are per group */
    if (!parameter_axes(m, &a))
        return "the axes of its parameters are not known";
    if (!own_fits(named(m, "scale"), &a) || !own_fits(named(m, "bias"), &a))
        return "its parameters run over fewer axes";
    return norm_fits(by ? by : plus, &a) ? NULL : FUSE_NONE;
}

static void copy_attributes(const struct node *from, struct node *to)
{
    for (uint32_t i = 0; i < from->n_attrs; i++)
        node_copy_attr(to, from->attrs[i]);
}

static void build_cast(const struct match *m, struct node *fused)
{
    const struct tensor *scale = named(m, "scale");
    struct norm_axes own = {.rank = scale->rank, .last = scale->rank - 1};
    for (int i = 0; i < scale->rank; i++)
        own.dims[i] = scale->dims[i];
    struct tensor *half =
        norm_parameter(m->root->graph->model, &own, DT_FLOAT16, scale, 1, NULL, NULL);
    node_set_input(fused, 1, constant_new(m->root, half, match_value(m, "scale")));
}

/* s * by and b * by, or b + plus. */
static void build_parameters(const struct match *m, struct node *fused, const struct norm_axes *a)
{
    struct model *model = m->root->graph->model;
    const struct tensor *by = named(m, "by"), *plus = named(m, "plus");
    const struct tensor *scale = named(m, "scale"), *bias = named(m, "bias");
    struct value *s = match_value(m, "scale"), *b = match_value(m, "bias");
    if (by)
        s = norm_value(m, norm_parameter(model, a, scale->dtype, scale, 1, by, NULL),
                       match_value(m, "by"));
    if (plus)
        b = match_value(m, "plus");
    if (b)
        b = norm_value(m, norm_parameter(model, a, scale->dtype, bias, 0, by, plus), b);
    node_set_input(fused, 1, s);
    if (b)
        node_set_input(fused, 2, b);
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    struct norm_axes a;
    (void)r;
    copy_attributes(match_node(m, "norm"), fused);
    node_set_input(fused, 0, match_value(m, "x"));
    if (!match_value(m, "by") && !match_value(m, "plus")) {
        build_cast(m, fused);
        return;
    }
    parameter_axes(m, &a);
    build_parameters(m, fused, &a);
}

static const struct fusion NORM_AFFINE = {NULL, 6, FUSE_FLOATS, SPELLINGS, problem, build, NULL};

int visit_fuse_norm_affine(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &NORM_AFFINE);
}
