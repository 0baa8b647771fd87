/* The hard swish of MobileNetV3 becomes a HardSwish, or before opset 14 a HardSigmoid and a Mul.
 *
 * Before:  y = Div(Mul(x, Clip(Add(x, 3), 0, 6)), 6)     factors in any order, or 1/6 as a factor
 * After:   y = HardSwish(x)     x * max(0, min(1, x / 6 + 1/2))
 *          before opset 14: h = HardSigmoid<alpha=1/6, beta=1/2>(x)   y = Mul(x, h)
 * Before:  y = Mul(x, HardSigmoid<alpha=1/6, beta=1/2>(x))
 * After:   y = HardSwish(x)     from opset 14 on
 * Numerics: REASSOC.
 */
#include <math.h>

#include "rewrite/match_fuse.h"

static const double SIXTH = 1.0 / 6;

static const char *const SPELLINGS[] = {"Mul*(x, clip=Clip(Add(x, 3), ..), 0.16666666666666667)",
                                        "Mul(x, sigmoid=HardSigmoid(x))", NULL};

static bool clips_at_six(const struct node *clip)
{
    if (node_version(clip) < 11)
        return node_float(clip, "min", NAN) == 0 && node_float(clip, "max", NAN) == 6; /* exact */
    return constant_equals(node_input(clip, 1), 0) && constant_equals(node_input(clip, 2), 6);
}

static const char *problem(const struct match *m)
{
    const struct node *clip = match_node(m, "clip"), *sigmoid = match_node(m, "sigmoid");
    if (clip && !clips_at_six(clip))
        return "it clips at other numbers than 0 and 6";
    if (sigmoid && (!match_near((double)node_float(sigmoid, "alpha", 0.2f), SIXTH, DT_FLOAT) ||
                    !match_near((double)node_float(sigmoid, "beta", 0.5f), 0.5, DT_FLOAT)))
        return "its HardSigmoid is not x / 6 + 1/2";
    return match_shape_problem(m, match_value(m, "x"));
}

/* An operator that every opset has, for the form with two nodes. */
static const char *problem_of_two(const struct match *m)
{
    return match_node(m, "sigmoid") ? FUSE_NONE : problem(m);
}

static void build_two(struct pass_run *r, const struct match *m, struct node *fused)
{
    struct value *x = match_value(m, "x");
    struct value *sigmoid = rewrite_emit(r, fused, "HardSigmoid", 1, &x);
    node_set_float(sigmoid->producer, "alpha", (float)SIXTH);
    node_set_float(sigmoid->producer, "beta", 0.5f);
    node_set_source(sigmoid->producer, fused);
    node_set_input(fused, 0, x);
    node_set_input(fused, 1, sigmoid);
}

static const struct fusion HARD_SWISH = {"HardSwish", 14,   FUSE_FLOATS, SPELLINGS,
                                         problem,     NULL, NULL};
static const struct fusion TWO_NODES = {"Mul",          7,         FUSE_FLOATS,  SPELLINGS,
                                        problem_of_two, build_two, "HardSigmoid"};

int visit_fuse_hard_swish(struct pass_run *r, struct node *n)
{
    bool one = graph_opset(n->graph, "") >= HARD_SWISH.since;
    return fuse_visit(r, n, one ? &HARD_SWISH : &TWO_NODES);
}
