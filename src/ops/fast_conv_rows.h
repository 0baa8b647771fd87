/* Convolutions along one axis with few input channels, as matrix products. */
#ifndef OPS_FAST_CONV_ROWS_H
#define OPS_FAST_CONV_ROWS_H
#include "kernels/float/conv.h"
#include "ops/fast_band.h"

struct conv_rows;

/* work: as bands_cut takes it. weights [oc, ic, kernel] and bias with the first `folded` fused steps in; the rest becomes
 * post-operations. Adds to p->held. Returns owned, NULL: another form serves better, or memory is
 * refused. */
struct conv_rows *conv_rows_new(struct prepare *p, const struct conv_params *params, double work,
                                const float *weights, const float *bias, int folded);
void conv_rows_free(struct conv_rows *c);
size_t conv_rows_workspace(const struct conv_rows *c); /* per worker */
int conv_rows_run(const struct conv_rows *c, struct eval *e);
#endif
