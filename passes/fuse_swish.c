/* x times the sigmoid of a multiple of x becomes a Swish.
 *
 * Before:  y = Mul(x, Sigmoid(x))     or x * sigmoid(1.702 * x), or x / (1 + exp(-x))
 * After:   y = Swish<alpha=1>(x)      x * sigmoid(alpha * x); alpha = 1 is SiLU
 * When:    opset 24; the multiple is one constant number.
 * Numerics: REASSOC.
 */
#include "rewrite/match_fuse.h"

static const char *const SPELLINGS[] = {"Mul(x, Sigmoid(x))", "Mul(x, Sigmoid(Mul(x, #alpha)))",
                                        "Div(x, Add(1, Exp(Neg(x))))", NULL};

static const char *problem(const struct match *m)
{
    double alpha;
    if (match_value(m, "alpha") && !match_scalar(m, "alpha", &alpha))
        return "its factor differs by element";
    return match_shape_problem(m, match_value(m, "x"));
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    double alpha = 1;
    (void)r;
    node_set_input(fused, 0, match_value(m, "x"));
    if (match_value(m, "alpha") && match_scalar(m, "alpha", &alpha))
        node_set_float(fused, "alpha", (float)alpha);
}

static const struct fusion SWISH = {"Swish", 24, FUSE_DOUBLE, SPELLINGS, problem, build, NULL};

int visit_fuse_swish(struct pass_run *r, struct node *n) { return fuse_visit(r, n, &SWISH); }
