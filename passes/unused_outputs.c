/* Optional outputs that nobody reads are left out.
 *
 * Before:  y, indices = MaxPool(x)       nobody reads indices
 * After:   y = MaxPool(x)
 * When:    the operator's version in force lets the output be missing, and its being there means
 *          nothing else (for BatchNormalization it means training).
 * Numerics: EXACT.
 */
#include "rewrite/rewrite.h"

int visit_unused_outputs(struct pass_run *r, struct node *n)
{
    if (!node_is_onnx(n) || n->op->traits & OP_CONTROL || node_is(n, "BatchNormalization"))
        return 0;
    const struct op_version *v = op_version_at(n->op, node_opset(n));
    if (!v || v->max_out < 0)
        return 0;
    for (uint32_t i = n->n_outputs; i-- > (uint32_t)v->min_out;) {
        if (i >= n->n_outputs || !n->outputs[i] || n->outputs[i]->n_uses || i == 0)
            continue;
        pass_rewrote(r, n, "nobody reads output %u", i);
        node_drop_output(n, i);
    }
    return 0;
}
