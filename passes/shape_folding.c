/* Shape arithmetic that symbolic inference has solved becomes constants.
 *
 * Before:  s = Shape(x)  n = Gather(s, 0) ...      x: float[1,3,224,224]
 * After:   n: int64 initializer, the rest has no readers
 * When:    inference proves every element of an integer output (rank <= 1) to be one number.
 * Numerics: EXACT: integers.
 */
#include "base/num.h"
#include "rewrite/rewrite.h"

/* The proven constant of v, or NULL. */
static struct tensor *proven(const struct value *v)
{
    struct model *m = v->graph->model;
    const dim_t *values;
    int64_t count, x;
    enum dtype t = value_dtype(v);
    int rank = value_rank(v);
    if ((t != DT_INT64 && t != DT_INT32) || rank < 0 || rank > 1 ||
        !model_values(m, v, &values, &count) || (rank == 0 && count != 1))
        return NULL;
    for (int64_t i = 0; i < count; i++)
        if (!dim_is_const(values[i], &x))
            return NULL;
    struct tensor *out = tensor_new(m->arena, t, rank, &count);
    for (int64_t i = 0; i < count; i++)
        if (dim_is_const(values[i], &x))
            num_set_int(tensor_writable(out), t, i, x);
    return out;
}

/* Some outputs stay: the known ones are only read from elsewhere. */
static void read_elsewhere(struct pass_run *r, struct node *n, struct tensor **known)
{
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        struct value *v = n->outputs[i];
        if (!known[i] || value_is_output(v))
            continue;
        pass_rewrote(r, n, "'%s' is known", v->name);
        value_replace(v, constant_new(n, known[i], v));
    }
}

static void apply(struct pass_run *r, struct node *n, struct tensor **known)
{
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        struct value *v = n->outputs[i];
        if (!known[i])
            continue;
        pass_rewrote(r, n, "'%s' is known", v->name);
        value_become_constant(v, known[i]);
    }
    rewrite_drop(n);
}

int visit_shape_folding(struct pass_run *r, struct node *n)
{
    enum { MAX_OUTPUTS = 64 };
    struct tensor *known[MAX_OUTPUTS];
    bool any = false, all = true;
    if (!n->op || n->n_inputs == 0 || n->n_outputs > MAX_OUTPUTS)
        return 0;
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        const struct value *v = n->outputs[i];
        known[i] = v && v->n_uses ? proven(v) : NULL;
        any |= known[i] != NULL;
        all &= known[i] || !v || !v->n_uses;
    }
    if (any && all)
        apply(r, n, known);
    else if (any)
        read_elsewhere(r, n, known);
    return 0;
}
