/* Raising a model's ai.onnx opset, as Q/DQ per channel needs 13. */
#ifndef QUANT_OPSET_RAISE_H
#define QUANT_OPSET_RAISE_H
#include "ir/ir.h"

/* Nothing when the opset is at least `to`. Else checks every node first: one whose meaning would
 * change and that cannot be rewritten is E_QUANT_OPSET, and the model is untouched. Attributes that
 * became inputs turn into initializers; Upsample becomes Resize, Scatter ScatterElements. */
int opset_raise(struct model *m, int64_t to);
#endif
