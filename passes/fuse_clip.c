/* A minimum and a maximum by constants become a Clip, a maximum with zero a Relu.
 *
 * Before:  y = Min(Max(x, lo), hi)     also the other order, Relu as the maximum, Relu beside Clip
 * After:   y = Clip(x, lo, hi)         ReLU6 is Clip(x, 0, 6)
 * Before:  y = Max(x, 0)
 * After:   y = Relu(x)
 * When:    bounds are constants with one element. Clip takes the minimum last, so where the maximum
 *          stood last lo <= hi is needed.
 * Numerics: REASSOC: what becomes of a NaN and of the sign of a zero may differ.
 */
#include <float.h>
#include <math.h>

#include "rewrite/match_fuse.h"

static const char *const SPELLINGS[] = {
    "Min(Max(x, #lo), #hi)",  "Max(Min(x, #hi), #lo)",  "Min(Relu(x), #hi)", "Relu(Min(x, #hi))",
    "clip=Clip(Relu(x), ..)", "Relu(clip=Clip(x, ..))", "Max(x, 0)",         NULL};

/* The bounds of a Clip from attributes or inputs; infinite where there is none. */
static bool clip_bounds(const struct node *n, double *low, double *high)
{
    const struct value *min = node_input(n, 1), *max = node_input(n, 2);
    if (node_version(n) < 11) {
        *low = (double)node_float(n, "min", -INFINITY);
        *high = (double)node_float(n, "max", INFINITY);
        return true;
    }
    return (!min || (constant_is_single(min) && constant_scalar(min, low))) &&
           (!max || (constant_is_single(max) && constant_scalar(max, high)));
}

/* Of the whole; a Relu in it is the lower bound 0. */
static bool bounds_of(const struct match *m, double *low, double *high)
{
    const struct node *clip = match_node(m, "clip");
    *low = -INFINITY;
    *high = INFINITY;
    if (clip && !clip_bounds(clip, low, high))
        return false;
    if (match_value(m, "lo") && !match_scalar(m, "lo", low))
        return false;
    if (match_value(m, "hi") && !match_scalar(m, "hi", high))
        return false;
    if (!match_value(m, "lo"))
        *low = fmax(*low, 0);
    return !isnan(*low) && !isnan(*high);
}

static const char *problem(const struct match *m)
{
    double low, high;
    bool maximum_last = node_is(m->root, "Max") || node_is(m->root, "Relu");
    if (!bounds_of(m, &low, &high))
        return "its bounds are not constant numbers";
    if (maximum_last && low > high)
        return "its lower bound lies above the upper one";
    return match_shape_problem(m, match_value(m, "x"));
}

/* The bound that stands in the model already, where Clip takes it: a scalar. */
static struct value *bound(const struct match *m, const char *name, double x)
{
    struct value *v = match_value(m, name);
    double own;
    if (v && value_rank(v) == 0 && match_scalar(m, name, &own) && own == x) /* exactly */
        return v;
    return constant_new_scalar(m->root, value_dtype(match_value(m, "x")), x);
}

static void set_bounds(const struct match *m, struct node *clip, double low, double high)
{
    if (clip->n_inputs == 1) { /* before opset 11: finite attributes */
        node_set_float(clip, "min", (float)fmax(low, -(double)FLT_MAX));
        node_set_float(clip, "max", (float)fmin(high, (double)FLT_MAX));
        return;
    }
    if (low != -INFINITY)
        node_set_input(clip, 1, bound(m, "lo", low));
    if (high != INFINITY)
        node_set_input(clip, 2, bound(m, "hi", high));
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    double low = 0, high = 0;
    (void)r;
    bounds_of(m, &low, &high);
    node_set_input(fused, 0, match_value(m, "x"));
    if (low == 0 && isinf(high) && high > 0) { /* exact on purpose */
        node_set_op(fused, "Relu", "");
        return;
    }
    set_bounds(m, fused, low, high);
}

static const struct fusion CLIP = {"Clip", 6, FUSE_FLOATS, SPELLINGS, problem, build, NULL};

int visit_fuse_clip(struct pass_run *r, struct node *n) { return fuse_visit(r, n, &CLIP); }
