/* x times the hyperbolic tangent of its softplus becomes a Mish.
 *
 * Before:  y = Mul(x, Tanh(Softplus(x)))     fuse-softplus makes the Softplus
 * After:   y = Mish(x)
 * When:    opset 18.
 * Numerics: REASSOC.
 */
#include "rewrite/match_fuse.h"

static const char *const SPELLINGS[] = {"Mul(x, Tanh(Softplus(x)))", NULL};
static const struct fusion MISH = {"Mish", 18, FUSE_DOUBLE, SPELLINGS, NULL, NULL, NULL};

int visit_fuse_mish(struct pass_run *r, struct node *n) { return fuse_visit(r, n, &MISH); }
