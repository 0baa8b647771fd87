/* The fused steps (ops/fused.h) on a finished result: for products that have no place for them inside. */
#ifndef OPS_FUSED_APPLY_H
#define OPS_FUSED_APPLY_H
#include "ops/fused.h"
#include "ops/op.h"

struct fused_shape {
    int64_t outer, channels, inner; /* of y: the channel axis stands in the middle */
};
/* Steps from `first` on, in place; other operands come from e->in. */
void fused_apply(const struct fused *f, int first, const struct fused_shape *shape, struct eval *e,
                 float *y);
#endif
