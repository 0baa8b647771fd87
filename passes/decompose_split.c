/* Split becomes one Slice per output.
 *
 * Before:  a, b = Split<axis=1>(x, [2, 4])
 * After:   a = Slice(x, [0], [2], [1]), b = Slice(x, [2], [6], [1])
 * When:    the result may not hold Split, and the sizes are known: constant, or equal parts of a
 * known extent. Outputs that nobody reads are left out. Numerics: EXACT.
 */
#include "rewrite/emit.h"

PASS_OPS(decompose_split, "Split");

enum { MAX_PARTS = 64 };

/* The sizes of the parts; false: not known. */
static bool part_sizes(const struct node *n, int64_t sizes[MAX_PARTS])
{
    const int64_t *list;
    uint32_t listed;
    int64_t count, extent, parts = n->n_outputs;
    if (node_ints(n, "split", &list, &listed)) {
        for (uint32_t i = 0; i < listed && i < MAX_PARTS; i++)
            sizes[i] = list[i];
        return listed == n->n_outputs;
    }
    if (node_input(n, 1))
        return constant_ints(n->inputs[1].value, sizes, MAX_PARTS, &count) && count == parts;
    int axis = axis_within(node_int(n, "axis", 0), value_rank(n->inputs[0].value));
    if (axis < 0 || !value_dim(n->inputs[0].value, axis, &extent))
        return false;
    int64_t each = (extent + parts - 1) / parts, left = extent;
    for (int64_t i = 0; i < parts; i++, left -= sizes[i - 1])
        sizes[i] = left < each ? left : each;
    return true;
}

int visit_decompose_split(struct pass_run *r, struct node *n)
{
    struct emit e;
    int64_t sizes[MAX_PARTS], at = 0;
    if (!decompose_due(r, n, "", "Split") || !node_input(n, 0) || !n->n_outputs)
        return 0;
    if (n->n_outputs > MAX_PARTS || !part_sizes(n, sizes)) {
        pass_refused(r, n, "the sizes of its parts are not known");
        return 0;
    }
    pass_rewrote(r, n, "Split became %u slices", n->n_outputs);
    emit_begin(&e, r, n);
    emit_bind(&e, "x", node_input(n, 0));
    for (uint32_t i = 0; i < n->n_outputs; at += sizes[i++]) {
        if (!node_output(n, i))
            continue;
        emit(&e, "y = Slice(x, [%lld], [%lld], [%lld])", (long long)at, (long long)(at + sizes[i]),
             (long long)node_int(n, "axis", 0));
        emit_result(&e, i, "y");
    }
    emit_end(&e);
    return 0;
}
