/* The shape input of Reshape becomes constant although some dims are symbols.
 *
 * Before:  y = Reshape(x, Concat(n, 4, 16))       x: float[n, 64]
 * After:   y = Reshape(x, [0, 4, 16])
 * When:    each dim of the shape is a number, the dim of x at the same place (written 0), or the
 * one that is left (-1). A dim that may be zero must not stand beside -1: an empty tensor does not
 * say what -1 is. Numerics: EXACT.
 */
#include "rewrite/rewrite.h"

enum { MAX_RANK = 32 };

/* What stands for a dim in the constant. */
struct choice {
    int64_t dims[MAX_RANK];
    int open;        /* how many are -1 */
    bool maybe_zero; /* a copied dim may be 0 */
};

/* What inference knows about the result needs no -1. */
static void complete(const struct node *n, int64_t count, struct choice *c)
{
    const struct value *y = node_output(n, 0);
    int64_t size;
    for (int64_t i = 0; i < count && y && value_rank(y) == count; i++) {
        if (c->dims[i] == -1 && value_dim(y, (int)i, &size) && size > 0) {
            c->dims[i] = size;
            c->open--;
        }
    }
}

static const char *choose(const struct node *n, const dim_t *values, int64_t count,
                          struct choice *c)
{
    const struct value *x = node_input(n, 0);
    int rank = value_rank(x);
    *c = (struct choice){.open = 0};
    for (int64_t i = 0; i < count; i++) {
        int64_t size;
        if (!values[i]) {
            c->dims[i] = -1;
            c->open++;
        } else if (dim_is_const(values[i], &size)) {
            if (size == 0)
                return "a dim of the shape is 0";
            c->dims[i] = size;
            c->open += size == -1;
        } else if (i < rank && x->type.dims[i] == values[i]) {
            c->maybe_zero |= !dim_at_least(values[i], 1);
        } else {
            c->dims[i] = -1;
            c->open++;
        }
    }
    complete(n, count, c);
    if (c->open > 1)
        return "more than one dim of the shape is not known";
    return c->open && c->maybe_zero ? "a dim beside -1 may be zero" : NULL;
}

PASS_OPS(constant_shapes, "Reshape");
int visit_constant_shapes(struct pass_run *r, struct node *n)
{
    struct choice c;
    const dim_t *values;
    int64_t count;
    struct value *shape = node_input(n, 1);
    if (!node_is(n, "Reshape") || !shape || value_is_constant(shape) || !shape->producer ||
        !node_input(n, 0) || node_int(n, "allowzero", 0))
        return 0;
    if (!model_values(n->graph->model, shape, &values, &count) || count > MAX_RANK)
        return 0;
    const char *problem = choose(n, values, count, &c);
    if (problem) {
        pass_refused(r, n, "%s", problem);
        return 0;
    }
    pass_rewrote(r, n, "its shape is known up to what it copies");
    node_set_input(n, 1, constant_new_ints(n, c.dims, count));
    if (shape->producer)
        rewrite_drop(shape->producer);
    return 0;
}
