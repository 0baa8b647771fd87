/* Shared by the shape functions and the adapters of Resize and Upsample. */
#ifndef OPS_RESIZE_H
#define OPS_RESIZE_H
#include "ops/op_impl.h"

/* The scales of a node: attribute or this tensor. false: not known. The list is borrowed from the
 * node or lies in the arena. */
bool resize_scales(const struct node *n, const struct tensor *scales, struct arena *a,
                   const float **list, int64_t *count);
#endif
