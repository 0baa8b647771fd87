/* Constant nodes become initializers.
 *
 * Before:  w = Constant<value=..>()
 * After:   w: initializer
 * When:    the value is dense and stands in the node itself. A graph output may be an initializer.
 * Numerics: EXACT, the same bytes.
 */
#include "rewrite/rewrite.h"

static struct tensor *of_floats(struct arena *a, const struct attr *x)
{
    int64_t n = x->n;
    return tensor_view(a, DT_FLOAT, 1, &n, x->floats);
}

static struct tensor *of_strings(struct arena *a, const struct span *s, uint32_t count, int rank)
{
    int64_t n = count;
    struct tensor *t = tensor_new(a, DT_STRING, rank, &n);
    t->strings = s;
    return t;
}

/* The tensor an attribute of Constant stands for; NULL: none of these. */
static struct tensor *tensor_of(struct arena *a, const struct attr *x)
{
    switch (x->type) {
    case ATTR_TENSOR:
        return x->tensor;
    case ATTR_FLOAT:
        return tensor_scalar(a, DT_FLOAT, (double)x->f);
    case ATTR_INT:
        return tensor_view(a, DT_INT64, 0, NULL, &x->i);
    case ATTR_STRING:
        return of_strings(a, &x->s, 1, 0);
    case ATTR_FLOATS:
        return of_floats(a, x);
    case ATTR_INTS:
        return tensor_ints(a, x->ints, x->n);
    case ATTR_STRINGS:
        return of_strings(a, x->strings, x->n, 1);
    default:
        return NULL;
    }
}

PASS_OPS(constant_nodes, "Constant");
int visit_constant_nodes(struct pass_run *r, struct node *n)
{
    struct value *v = node_output(n, 0);
    if (!node_is(n, "Constant") || n->n_attrs != 1 || !v)
        return 0;
    struct tensor *t = tensor_of(n->graph->model->arena, n->attrs[0]);
    if (!t) {
        pass_refused(r, n, "its value is sparse");
        return 0;
    }
    pass_rewrote(r, n, "'%s' became an initializer", v->name);
    value_become_constant(v, t);
    node_remove(n);
    return 0;
}
