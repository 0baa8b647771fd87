/* The adapter of the recurrent layers, for the quantized one too. */
#ifndef OPS_RNN_H
#define OPS_RNN_H
#include "kernels/float/rnn.h"
#include "ops/adapt.h"

/* Reads the node and runs the layer. products: stands in for W and R, whose shapes are then the caller's business; NULL: they are floats. */
int rnn_eval(struct eval *e, enum rnn_kind kind, int64_t hidden,
             const struct rnn_products *products);
#endif
