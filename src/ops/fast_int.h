/* Products of 8-bit integers in adapters: as prepared, where the fast engine has prepared them. */
#ifndef OPS_FAST_INT_H
#define OPS_FAST_INT_H
#include "kernels/float/matmul.h"
#include "ops/op.h"

/* matmul_int by the node's prepared product `index` (an LSTM has one per matrix and direction: W's,
 * then R's), or as it is. 0 or a reported code. */
int eval_matmul_int(struct eval *e, int index, const struct matmul_params *p,
                    const struct matmul_int_args *args, int32_t *y);
#endif
