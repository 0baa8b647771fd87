/* A Concat of Concats along the same axis is one Concat.
 *
 * Before:  a = Concat<axis=k>(x, y)   z = Concat<axis=k>(a, w)     a has no other reader
 * After:   z = Concat<axis=k>(x, y, w)
 * When:    the axes are the same (negative ones by the rank).
 * Numerics: EXACT.
 */
#include "base/mem.h"
#include "rewrite/rewrite.h"

enum { MAX_OPERANDS = 4096 }; /* merging is quadratic in the operands of one Concat */

static int axis_of(const struct node *n)
{
    int64_t axis = node_int(n, "axis", 0);
    int rank = value_rank(node_output(n, 0));
    return axis >= 0 ? (int)axis : axis_within(axis, rank);
}

static void replace_input(struct node *n, uint32_t at, const struct node *inner)
{
    uint32_t old = n->n_inputs, more = inner->n_inputs - 1;
    struct value **list = mem_alloc((old + more) * sizeof *list);
    uint32_t count = 0;
    for (uint32_t i = 0; i < old; i++) {
        if (i != at) {
            list[count++] = n->inputs[i].value;
            continue;
        }
        for (uint32_t k = 0; k < inner->n_inputs; k++)
            list[count++] = inner->inputs[k].value;
    }
    node_resize_inputs(n, count);
    for (uint32_t i = 0; i < count; i++)
        node_set_input(n, i, list[i]);
    mem_free(list);
}

PASS_OPS(merge_concats, "Concat");
int visit_merge_concats(struct pass_run *r, struct node *n)
{
    if (!node_is(n, "Concat") || !n->op || !node_output(n, 0) || axis_of(n) < 0)
        return 0;
    for (uint32_t i = 0; i < n->n_inputs && n->n_inputs < MAX_OPERANDS; i++) {
        struct node *inner = lone_producer(node_input(n, i), "Concat");
        if (!inner || inner->graph != n->graph || axis_of(inner) != axis_of(n))
            continue;
        pass_rewrote(r, n, "merged with the Concat before it");
        if (!n->source)
            node_set_source(n, n);
        node_set_source(n, inner);
        replace_input(n, i, inner);
        rewrite_drop(inner);
        return 0;
    }
    return 0;
}
