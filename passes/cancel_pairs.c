/* Operators that, applied twice, are themselves or nothing.
 *
 * Before:  a = Relu(x)   y = Relu(a)            a = Neg(x)   y = Neg(a)
 * After:   y = Relu(x)                          x
 * When:    see PAIRS.
 * Numerics: EXACT: Relu, Abs, the roundings and Sign give what they would give again; Neg turns
 * only the sign bit, Not and BitwiseNot every bit.
 */
#include <string.h>

#include "rewrite/rewrite.h"

static const struct {
    const char *op;
    bool undoes; /* twice is nothing; else twice is once */
} PAIRS[] = {
    {"Relu", false}, {"Abs", false}, {"Floor", false}, {"Ceil", false},      {"Round", false},
    {"Sign", false}, {"Neg", true},  {"Not", true},    {"BitwiseNot", true},
};

PASS_OPS(cancel_pairs, "Relu", "Abs", "Floor", "Ceil", "Round", "Sign", "Neg", "Not", "BitwiseNot");
int visit_cancel_pairs(struct pass_run *r, struct node *n)
{
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
        if (!node_is(n, PAIRS[i].op))
            continue;
        struct node *before = producer_of(node_input(n, 0), PAIRS[i].op);
        if (!before || !node_input(before, 0) || !node_output(n, 0))
            return 0;
        struct value *by = PAIRS[i].undoes ? before->inputs[0].value : before->outputs[0];
        const char *problem = bypass_problem(n->outputs[0], by);
        if (problem) {
            pass_refused(r, n, "%s", problem);
            return 0;
        }
        pass_rewrote(r, n, "%s after %s", n->op_type, n->op_type);
        rewrite_bypass(n->outputs[0], by);
        rewrite_drop(n);
        return 0;
    }
    return 0;
}
