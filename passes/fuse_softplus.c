/* The logarithm of one plus the exponential becomes a Softplus.
 *
 * Before:  y = Log(Add(Exp(x), 1))
 *          y = Where(Greater(x, 20), x, Log(Add(Exp(x), 1)))        PyTorch, with its threshold
 *          y = Add(Relu(x), Log(Add(Exp(Neg(Abs(x))), 1)))          the form that cannot overflow
 * After:   y = Softplus(x)
 * When:    the threshold is 20 or more: there the logarithm is x up to 2e-9.
 * Numerics: REASSOC: where exp(x) overflows, Softplus is x; the first form gave infinity.
 */
#include "rewrite/match_fuse.h"

/* The logarithm is the last node of the first spelling, so it is a Softplus in the others. */
static const char *const SPELLINGS[] = {"Log(Add(Exp(x), 1))",
                                        "Where(Greater(x, #threshold), x, Softplus(x))",
                                        "Where(Less(#threshold, x), x, Softplus(x))",
                                        "Add(Relu(x)|Max(x, 0), Softplus(Neg(Abs(x))))", NULL};

static const char *problem(const struct match *m)
{
    double threshold;
    if (match_value(m, "threshold") &&
        (!match_scalar(m, "threshold", &threshold) || !(threshold >= 20)))
        return "its threshold is less than 20";
    return match_shape_problem(m, match_value(m, "x"));
}

static const struct fusion SOFTPLUS = {"Softplus", 1, FUSE_FLOATS, SPELLINGS, problem, NULL, NULL};

int visit_fuse_softplus(struct pass_run *r, struct node *n) { return fuse_visit(r, n, &SOFTPLUS); }
