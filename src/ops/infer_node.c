/* One call of a shape function: the signature before it, the sanity of its outputs after it; and
 * infer_node, which does that for a node outside any model-wide run.
 *
 * Invariants of what a shape function gave: extents are not negative, ranks at most
 * TENSOR_MAX_RANK, and where every extent is a constant the number of elements and of bytes fits
 * int64, so that nobody downstream multiplies unchecked.
 */
#include "base/num.h"
#include "ops/infer.h"

static int check_signature(struct infer *c, const struct op_version *v)
{
    const struct engine *g = engine_of(c);
    const struct type **types = arena_array(c->arena, (size_t)g->n_in + 1, sizeof *types);
    for (uint32_t i = 0; i < g->n_in; i++)
        types[i] = g->in[i].given ? &g->in[i].type : NULL;
    const char *text;
    enum err fault = signature_check(c->node, v, types, c->arena, &text);
    return fault ? infer_fault(c, fault, text) : 0;
}

static int check_size(struct infer *c, uint32_t i, const struct type *t)
{
    int64_t *sizes = arena_array(c->arena, (size_t)t->rank + 1, sizeof *sizes), count;
    bool constant = true;
    for (int k = 0; k < t->rank; k++) {
        bool known = dim_is_const(t->dims[k], &sizes[k]);
        constant = constant && known;
        if (known && sizes[k] < 0)
            return infer_fail(c, "output %u gets the extent %lld", i, (long long)sizes[k]);
    }
    size_t bytes;
    if (constant && (!num_product(sizes, t->rank, &count) || !dtype_bytes(t->dtype, count, &bytes)))
        return infer_fail(c, "output %u has more elements than can be counted", i);
    return 0;
}

static int check_outputs(struct infer *c)
{
    const struct engine *g = engine_of(c);
    for (uint32_t i = 0; i < g->n_out; i++) {
        const struct type *t = &g->out[i].type;
        if (t->kind != TYPE_TENSOR || t->rank < 0)
            continue;
        if (t->rank > TENSOR_MAX_RANK)
            return infer_fail(c, "output %u gets %d dimensions, at most %d are handled", i, t->rank,
                              TENSOR_MAX_RANK);
        int rc = check_size(c, i, t);
        if (rc)
            return rc;
    }
    return 0;
}

static void forget_outputs(struct engine *g)
{
    for (uint32_t i = 0; i < g->n_out; i++)
        g->out[i] = (struct infer_slot){.given = g->out[i].given, .type = {.rank = -1}};
}

int infer_call(struct infer *c)
{
    struct engine *g = engine_of(c);
    const struct op_version *v = node_signature(c->node);
    forget_outputs(g);
    if (!v)
        return 0;
    c->version = v->since;
    int rc = check_signature(c, v);
    if (!rc && c->node->op->infer)
        rc = c->node->op->infer(c);
    if (!rc)
        rc = check_outputs(c);
    if (rc)
        forget_outputs(g);
    return rc;
}

int infer_node(const struct node *n, const struct infer_io *io, struct dim_table *dims,
               struct arena *a, struct ctx *ctx)
{
    struct engine g = {.n_in = n->n_inputs, .n_out = n->n_outputs};
    g.in = arena_array(a, (size_t)g.n_in + 1, sizeof *g.in);
    g.out = arena_array(a, (size_t)g.n_out + 1, sizeof *g.out);
    for (uint32_t i = 0; i < g.n_in; i++)
        if (io->in_types[i])
            g.in[i] = (struct infer_slot){
                .given = true, .type = *io->in_types[i], .data = io->in_data[i]};
    for (uint32_t i = 0; i < g.n_out; i++)
        g.out[i].given = n->outputs[i] != NULL;
    struct infer c = {.node = n, .dims = dims, .arena = a, .ctx = ctx, .engine = &g};
    int rc = infer_call(&c);
    for (uint32_t i = 0; i < g.n_out; i++)
        io->out[i] = g.out[i].type;
    return rc;
}
