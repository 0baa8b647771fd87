/* Evaluating nodes while the plan is built: what depends on nothing that comes with a sample.
 *
 * Folded are nodes whose inputs are all known and nodes that look at shapes only (OP_SHAPE). Not
 * folded: random operators, subgraphs, and nodes whose results go beyond the limits of plan.h.
 * The reference engine computes, so folded bits are the same for both engines.
 *
 * Large results get an arena of their own, so that a weight which an operator has repacked can go.
 */
#include <string.h>

#include "exec/plan.h"

enum { SMALL_BYTES = 4096 }; /* results up to this stay in the session's arena */

/* A tensor that has dims but no bytes: all that Shape and Size read. */
static const struct tensor *hollow(struct arena *a, const struct type *t)
{
    size_t bytes;
    if (!type_static(t, &bytes))
        return NULL;
    struct tensor *h = arena_alloc(a, sizeof *h);
    int64_t *dims = arena_array(a, (size_t)t->rank, sizeof *dims);
    type_tensor_dims(t, dims);
    h->dtype = t->dtype;
    h->rank = t->rank;
    h->dims = dims;
    h->count = 1;
    for (int i = 0; i < t->rank; i++)
        h->count *= dims[i];
    return h;
}

static bool gather_known(struct builder *b, const struct plan *p, const struct node *n,
                         const int *in, const struct tensor **data)
{
    bool shape_only = (n->op->traits & OP_SHAPE) && n->n_inputs == 1;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        if (in[i] < 0)
            continue;
        const struct slot *s = &p->slots.data[in[i]];
        data[i] = s->constant;
        if (!data[i] && shape_only)
            data[i] = hollow(b->session->arena, &s->type);
        if (!data[i])
            return false;
    }
    return true;
}

static size_t bind_folded(struct scope *s, const struct node *n, struct tensor **out,
                          struct arena *own)
{
    int owner = -1;
    size_t bytes = 0, bound = 0;
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        if (!n->outputs[i] || !out[i])
            continue;
        owner = plan_const(s->plan, n->outputs[i], out[i]);
        scope_bind(s, n->outputs[i], owner);
        bytes += out[i]->bytes;
        bound++;
    }
    if (bound > 1) /* freed with the plan, not with one of them */
        owner = plan_slot(s->plan, SLOT_TEMP, NULL, NULL);
    if (owner >= 0)
        s->plan->slots.data[owner].owner = own;
    else
        arena_free(own);
    return bytes;
}

int build_fold(struct builder *b, struct scope *s, const struct node *n, const int *in)
{
    struct arena *a = b->session->arena, *own = NULL;
    if (n->op->traits & (OP_RANDOM | OP_CONTROL))
        return 0;
    const struct tensor **data = arena_array(a, n->n_inputs + 1u, sizeof *data);
    if (!gather_known(b, s->plan, n, in, data))
        return 0;
    size_t room = FOLD_SESSION_BYTES - b->folded;
    struct tensor **out = arena_array(a, n->n_outputs + 1u, sizeof *out);
    int code = op_fold(n, data, out, a, SMALL_BYTES, b->ctx);
    if (code > 0) {
        own = arena_new();
        code = op_fold(n, data, out, own, room < FOLD_NODE_BYTES ? room : FOLD_NODE_BYTES, b->ctx);
    }
    if (code) {
        arena_free(own);
        return code < 0 ? code : 0;
    }
    size_t bytes = bind_folded(s, n, out, own);
    b->folded += bytes < room ? bytes : room;
    return 1;
}
