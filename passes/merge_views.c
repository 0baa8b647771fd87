/* Reshape, Squeeze, Unsqueeze and Flatten in a row become one.
 *
 * Before:  a = Reshape(x, s)   y = Unsqueeze(a, axes)       a has no other reader
 * After:   y = Reshape(x, t), or nothing when y has the dims of x
 * When:    the dims of y are known but for one, or y's own shape input still means the same (no 0
 *          that copies a dim of a).
 * Numerics: EXACT: the bytes are only passed on.
 */
#include <string.h>

#include "rewrite/rewrite.h"

enum { MAX_RANK = 32 };

static bool is_view(const struct node *n)
{
    return n && node_is_onnx(n) && n->op->traits & OP_VIEW && !node_is(n, "Identity");
}

/* The dims of v with -1 for the one that is not constant; false: several, or a 0 beside it. */
static bool dims_with_one_open(const struct value *v, int64_t *dims, int *rank)
{
    int open = 0;
    bool zero = false;
    *rank = value_rank(v);
    if (*rank < 0 || *rank > MAX_RANK)
        return false;
    for (int i = 0; i < *rank; i++) {
        if (!dim_is_const(v->type.dims[i], &dims[i])) {
            dims[i] = -1;
            open++;
        }
        zero |= dims[i] == 0;
    }
    return open <= 1 && !zero;
}

/* A constant shape without 0: it does not look at the dims of its input. */
static bool own_shape(const struct node *n, int64_t *dims, int *rank)
{
    int64_t count;
    if (!node_is(n, "Reshape") || !constant_ints(node_input(n, 1), dims, MAX_RANK, &count))
        return false;
    for (int64_t i = 0; i < count; i++)
        if (dims[i] == 0)
            return false;
    *rank = (int)count;
    return true;
}

static void reshape(struct pass_run *r, struct node *n, struct value *x, const int64_t *dims,
                    int rank)
{
    struct node *y = rewrite_node(n, "Reshape", 2, 1);
    node_set_source(y, n->inputs[0].value->producer);
    node_set_input(y, 0, x);
    node_set_input(y, 1, constant_new_ints(y, dims, rank));
    node_move_output(n, 0, y, 0);
    pass_rewrote(r, n, "merged with %s before it", n->inputs[0].value->producer->op_type);
    rewrite_drop(n);
}

PASS_OPS(merge_views, "Reshape", "Squeeze", "Unsqueeze", "Flatten");
int visit_merge_views(struct pass_run *r, struct node *n)
{
    int64_t dims[MAX_RANK];
    int rank;
    struct value *between = node_input(n, 0), *out = node_output(n, 0);
    if (!is_view(n) || !between || !out || !is_view(between->producer))
        return 0;
    struct value *x = node_input(between->producer, 0);
    if (!x)
        return 0;
    if (same_type(x, out) && !bypass_problem(out, x)) {
        pass_rewrote(r, n, "undoes %s before it", between->producer->op_type);
        rewrite_bypass(out, x);
        rewrite_drop(n);
        return 0;
    }
    if (between->n_uses != 1)
        return 0;
    if (dims_with_one_open(out, dims, &rank) || own_shape(n, dims, &rank))
        reshape(r, n, x, dims, rank);
    else
        pass_refused(r, n, "more than one dim of its result is not known");
    return 0;
}
