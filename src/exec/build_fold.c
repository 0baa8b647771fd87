/* Evaluating nodes while the plan is built: what depends on nothing that comes with a sample.
 *
 * Folded are nodes whose inputs are all known and nodes that look at shapes only (OP_SHAPE). Not
 * folded: random operators, subgraphs, and nodes whose results would take much more memory than
 * their inputs (an Expand of a scalar to megabytes is cheaper made anew than kept): see max_bytes.
 * The reference engine computes, so folded bits are the same for both engines.
 *
 * Large results get an arena of their own, so that a weight which an operator has repacked can go.
 */
#include <string.h>

#include "exec/plan.h"

enum { SMALL_BYTES = 4096 }; /* results up to this stay in the session's arena */

static size_t total_bytes(const struct plan *p, const int *in, uint32_t n)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        if (in[i] >= 0 && p->slots.data[in[i]].constant)
            sum += p->slots.data[in[i]].constant->bytes;
    return sum;
}

static size_t max_bytes(size_t in_bytes)
{
    size_t most = in_bytes > FOLD_MAX_BYTES / FOLD_GROWTH ? FOLD_MAX_BYTES : in_bytes * FOLD_GROWTH;
    if (most < FOLD_FREE_BYTES)
        most = FOLD_FREE_BYTES;
    return most > in_bytes ? most : in_bytes; /* a permuted or cast large weight still folds */
}

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

static void bind_folded(struct builder *b, struct scope *s, const struct node *n,
                        struct tensor **out, struct arena *own)
{
    int first = -1;
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        if (!n->outputs[i] || !out[i])
            continue;
        int slot = plan_const(s->plan, n->outputs[i], out[i]);
        if (first < 0)
            first = slot;
        scope_bind(s, n->outputs[i], slot);
    }
    if (own && first >= 0)
        s->plan->slots.data[first].owner = own;
    else
        arena_free(own);
    (void)b;
}

int build_fold(struct builder *b, struct scope *s, const struct node *n, const int *in)
{
    struct arena *a = b->session->arena;
    if (n->op->traits & (OP_RANDOM | OP_CONTROL))
        return 0;
    const struct tensor **data = arena_array(a, n->n_inputs + 1u, sizeof *data);
    if (!gather_known(b, s->plan, n, in, data))
        return 0;
    size_t bytes = total_bytes(s->plan, in, n->n_inputs);
    bool large = bytes > SMALL_BYTES;
    struct arena *own = large ? arena_new() : NULL;
    struct tensor **out = arena_array(a, n->n_outputs + 1u, sizeof *out);
    int code = op_fold(n, data, out, own ? own : a, max_bytes(bytes), b->ctx);
    if (code) {
        arena_free(own);
        return code < 0 ? code : 0;
    }
    bind_folded(b, s, n, out, own);
    return 1;
}
