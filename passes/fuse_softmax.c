/* Exponentials divided by their sum become a Softmax.
 *
 * Before:  e = Exp(x - max(x))   y = e / sum(e)     along one axis, the maximum left out or not
 * After:   y = Softmax<axis>(x)
 *          ReduceMax and ReduceSum keep the axis, or a Reshape or Unsqueeze puts it back; a maximum
 *          with -infinity does nothing.
 * When:    one constant axis; before opset 13 the last one, for there the operator runs over all axes
 *          from the given one on.
 * Spellings: JAX, TensorFlow.
 * Numerics: REASSOC: without the maximum the exponentials could overflow, Softmax does not.
 */
#include <math.h>

#include "rewrite/match_fuse.h"

static const char *const SPELLINGS[] = {
    "Div(e, below)|Mul(e, Reciprocal(below))"
    "; below = Reshape(sum, ..)|Unsqueeze(sum, ..)|sum; sum = ReduceSum(e, ..)"
    "; e = Exp(Sub(x, above))|Exp(x)"
    "; above = Reshape(most, ..)|Unsqueeze(most, ..)|most"
    "; most = Max(maximum, #least)|maximum; maximum = ReduceMax(x, ..)",
    NULL};

/* v is x with this axis of length 1. */
static bool is_reduced(const struct value *v, const struct value *x, int axis)
{
    bool fits = value_rank(v) == value_rank(x);
    for (int i = 0; fits && i < value_rank(x); i++) {
        dim_t d = v->type.dims[i];
        fits = i == axis ? dim_equals(d, 1) : d && d == x->type.dims[i];
    }
    return fits;
}

/* The axis that the reduction named so runs over; -1: none, or several. */
static int axis_of(const struct match *m, const char *name)
{
    int axes[FUSE_RANK], count = 0;
    const struct node *n = match_node(m, name);
    int rank = value_rank(match_value(m, "x"));
    return n && reduction_axes(n, rank, axes, &count) && count == 1 ? axes[0] : -1;
}

static const char *problem(const struct match *m)
{
    double least = -INFINITY;
    const struct value *x = match_value(m, "x"), *above = match_value(m, "above");
    int axis = axis_of(m, "sum");
    if (value_rank(x) < 1 || axis < 0)
        return "its sum does not run over one constant axis";
    if (above && axis_of(m, "maximum") != axis)
        return "its maximum runs over other axes than its sum";
    if (!is_reduced(match_value(m, "below"), x, axis) || (above && !is_reduced(above, x, axis)))
        return "its sum or maximum is not known to stand along its axis";
    if (match_value(m, "least") && (!match_scalar(m, "least", &least) || least != -INFINITY))
        return "its maximum is bounded from below";
    bool last = axis == value_rank(x) - 1;
    return last || graph_opset(m->root->graph, "") >= 13
               ? NULL
               : "before opset 13 a Softmax runs over all axes from one on";
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    (void)r;
    node_set_input(fused, 0, match_value(m, "x"));
    node_set_int(fused, "axis", axis_of(m, "sum"));
}

static const struct fusion SOFTMAX = {"Softmax", 1, FUSE_DOUBLE, SPELLINGS, problem, build, NULL};

int visit_fuse_softmax(struct pass_run *r, struct node *n) { return fuse_visit(r, n, &SOFTMAX); }
