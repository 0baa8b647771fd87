/* Initial states that are zero are left out of LSTM, GRU and RNN.
 *
 * Before:  z = ConstantOfShape(..)   y = LSTM(x, W, R, B, , z, z)
 * After:   y = LSTM(x, W, R, B)
 * When:    initial_h and initial_c come, over nodes that only move elements, from zeros. What made
 *          them, shape arithmetic mostly, has no readers then.
 * Numerics: EXACT: zero is what an absent state means (ONNX, LSTM, initial_h and initial_c).
 */
#include "rewrite/rewrite.h"

enum { MAX_DEPTH = 16, MAX_OPERANDS = 16 };

static bool is_zero(const struct value *v, int depth);

static bool all_zero(const struct node *n, int depth)
{
    uint32_t count = node_is(n, "Concat") ? n->n_inputs : 1;
    for (uint32_t i = 0; i < count; i++)
        if (count > MAX_OPERANDS || !n->inputs[i].value || !is_zero(n->inputs[i].value, depth + 8))
            return false;
    return true;
}

static bool is_zero(const struct value *v, int depth)
{
    static const char *const MOVES[] = {"Slice",   "Expand",    "Reshape", "Squeeze", "Unsqueeze",
                                        "Flatten", "Transpose", "Concat",  "Tile",    "Identity"};
    if (constant_equals(v, 0))
        return true;
    const struct node *n = v->producer;
    if (!n || !node_is_onnx(n) || depth > MAX_DEPTH)
        return false;
    if (node_is(n, "ConstantOfShape")) {
        const struct tensor *t = node_tensor(n, "value");
        return !t || (t->count == 1 && tensor_all_equal(t, 0));
    }
    for (size_t i = 0; i < sizeof MOVES / sizeof MOVES[0]; i++)
        if (node_is(n, MOVES[i]))
            return node_is(n, "Concat")
                       ? all_zero(n, depth)
                       : node_input(n, 0) && is_zero(n->inputs[0].value, depth + 1);
    return false;
}

PASS_OPS(zero_states, "LSTM", "GRU", "RNN");
int visit_zero_states(struct pass_run *r, struct node *n)
{
    if (!node_is_onnx(n) || !(node_is(n, "LSTM") || node_is(n, "GRU") || node_is(n, "RNN")))
        return 0;
    for (uint32_t i = 5; i < n->n_inputs && i < 7; i++) { /* initial_h, initial_c */
        struct value *v = n->inputs[i].value;
        if (!v || !is_zero(v, 0))
            continue;
        pass_rewrote(r, n, "its initial state '%s' is zero", v->name);
        node_set_input(n, i, NULL);
        if (v->producer)
            rewrite_drop(v->producer);
        else
            rewrite_drop_value(v);
    }
    uint32_t count = n->n_inputs;
    while (count > 3 && !n->inputs[count - 1].value)
        count--;
    if (count < n->n_inputs)
        node_resize_inputs(n, count);
    return 0;
}
