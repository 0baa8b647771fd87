/* Transposed convolutions whose windows do not overlap, as matrix products. */
#ifndef OPS_FAST_CONV_SHUFFLE_H
#define OPS_FAST_CONV_SHUFFLE_H
#include "kernels/float/conv.h"
#include "ops/op.h"

struct conv_shuffle;

/* weights [ic, oc, kernel...] and bias with the first `folded` fused steps in; the rest becomes
 * post-operations. Adds to p->held. Returns owned, NULL: another form must serve. */
struct conv_shuffle *conv_shuffle_new(struct prepare *p, const struct conv_params *params,
                                      const float *weights, const float *bias, int folded);
void conv_shuffle_free(struct conv_shuffle *c);
size_t conv_shuffle_workspace(const struct conv_shuffle *c); /* per worker */
int conv_shuffle_run(const struct conv_shuffle *c, struct eval *e);
#endif
