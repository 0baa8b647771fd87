/* Evaluating nodes while the plan is built: what depends on nothing that comes with a sample.
 *
 * Folded are nodes whose inputs are all known and nodes that look at shapes only (OP_SHAPE). Not
 * folded: random operators, subgraphs, and nodes whose results go beyond the limits of plan.h.
 * The reference engine computes, so folded bits are the same for both engines.
 *
 * Results of LAZY_BYTES and more are not computed here but when an operator asks for the data, which is
 * mostly to repack it once: so never more than one such weight is held twice. What is in between has an
 * arena of its own and goes when nothing reads it any more.
 */
#include <string.h>

#include "base/file.h"
#include "exec/plan.h"

enum {
    SMALL_BYTES = 4096,    /* results up to this stay in the session's arena */
    LAZY_BYTES = 64 << 10, /* and those from this on are put off */
};

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

static bool all_known(const struct plan *p, const struct node *n, const int *in)
{
    bool shape_only = (n->op->traits & OP_SHAPE) && n->n_inputs == 1;
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (in[i] >= 0 && p->slots.data[in[i]].kind != SLOT_CONST &&
            !(shape_only && type_static(&p->slots.data[in[i]].type, NULL)))
            return false;
    return true;
}

static int gather(struct builder *b, const struct plan *p, const struct node *n, const int *in,
                  const struct tensor **data, struct arena *temporary)
{
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        if (in[i] < 0)
            continue;
        const struct slot *s = &p->slots.data[in[i]];
        bool look = s->kind == SLOT_CONST && !(n->op->traits & OP_SHAPE);
        data[i] = look ? const_data(b, p, in[i], temporary) : hollow(temporary, &s->type);
        if (!data[i])
            return -E_LIMIT_MEMORY;
    }
    return 0;
}

/* ---- later ---- */

/* The file's pages of large inputs: whoever needs them again reads them again. */
static void forget_inputs(const struct plan *p, const struct lazy *l)
{
    for (uint32_t i = 0; i < l->node->n_inputs; i++) {
        const struct tensor *t = l->in[i] >= 0 ? p->slots.data[l->in[i]].constant : NULL;
        if (t && t->data && t->bytes >= LAZY_BYTES)
            file_forget(t->data, t->bytes);
    }
}

static const struct tensor *compute(struct builder *b, const struct plan *p, const struct lazy *l,
                                    struct arena *a)
{
    const struct tensor **in = arena_array(a, l->node->n_inputs + 1u, sizeof *in);
    struct tensor **out = arena_array(a, l->node->n_outputs + 1u, sizeof *out);
    struct arena *temporary = arena_new();
    int code = gather(b, p, l->node, l->in, in, temporary);
    if (!code)
        code = op_fold(l->node, in, out, a, FOLD_NODE_BYTES, b->ctx);
    arena_free(temporary);
    forget_inputs(p, l);
    if (code > 0)
        diag_report(b->ctx->diag, E_LIMIT_MEMORY, &(struct where){.node = node_label(l->node)},
                    "no memory for a constant result of '%s'", l->node->op_type);
    return code ? NULL : out[l->out];
}

const struct tensor *const_data(struct builder *b, const struct plan *p, int slot, struct arena *a)
{
    const struct slot *s = &p->slots.data[slot];
    return s->constant || !s->lazy ? s->constant : compute(b, p, s->lazy, a);
}

const struct tensor *const_keep(struct builder *b, struct plan *p, int slot)
{
    struct slot *s = &p->slots.data[slot];
    if (s->constant || !s->lazy)
        return s->constant;
    struct arena *own = arena_new();
    const struct tensor *t = compute(b, p, s->lazy, own);
    if (!t) {
        arena_free(own);
        return NULL;
    }
    s->constant = t;
    s->owner = own;
    return t;
}

/* The one wanted output, when it is large enough to be put off. */
static int large_output(struct builder *b, const struct node *n, const struct type *out)
{
    int found = -1;
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        size_t bytes;
        if (!n->outputs[i] || !bitset_has(&b->wanted, n->outputs[i]->id))
            continue;
        if (found >= 0 || !type_static(&out[i], &bytes) || bytes < LAZY_BYTES ||
            bytes > FOLD_NODE_BYTES || bytes > FOLD_SESSION_BYTES - b->folded)
            return -1;
        found = (int)i;
        b->folded += bytes;
    }
    return found;
}

/* 1: done, 0: no, < 0: reported. */
static int put_off(struct builder *b, struct scope *s, const struct node *n, const int *in)
{
    struct arena *a = b->session->arena;
    struct type *types = arena_array(a, n->n_outputs + 1u, sizeof *types);
    int code = build_infer(b, s, n, in, types);
    int out = code ? -1 : large_output(b, n, types);
    if (out < 0)
        return code;
    struct lazy *l = arena_alloc(a, sizeof *l);
    *l = (struct lazy){n, arena_copy(a, in, n->n_inputs * sizeof *in), (uint32_t)out};
    int slot = plan_slot(s->plan, SLOT_CONST, n->outputs[out], &types[out]);
    s->plan->slots.data[slot].lazy = l;
    scope_bind(s, n->outputs[out], slot);
    return 1;
}

/* A Constant's tensor stands where it was read, like an initializer. */
static bool is_constant(struct scope *s, const struct node *n)
{
    const struct tensor *t = node_is(n, "Constant") ? node_tensor(n, "value") : NULL;
    if (!t || !n->n_outputs || !n->outputs[0])
        return false;
    scope_bind(s, n->outputs[0], plan_const(s->plan, n->outputs[0], t));
    return true;
}

/* ---- now ---- */

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

/* float16 constants as they stand in the model (build_half.c). */
static const int *narrow_inputs(struct builder *b, const struct plan *p, const struct node *n,
                                const int *in)
{
    bool any = false;
    for (uint32_t i = 0; i < n->n_inputs; i++)
        any = any || (in[i] >= 0 && p->slots.data[in[i]].narrow);
    if (!any)
        return in;
    int *narrow = arena_copy(b->session->arena, in, n->n_inputs * sizeof *in);
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (in[i] >= 0 && p->slots.data[in[i]].narrow)
            narrow[i] = p->slots.data[in[i]].narrow - 1;
    return narrow;
}

int build_fold(struct builder *b, struct scope *s, const struct node *n, const int *in)
{
    struct arena *a = b->session->arena, *own = NULL;
    in = narrow_inputs(b, s->plan, n, in);
    if ((n->op->traits & (OP_RANDOM | OP_CONTROL)) || !all_known(s->plan, n, in))
        return 0;
    if (is_constant(s, n))
        return 1;
    int code = put_off(b, s, n, in);
    if (code)
        return code;
    struct arena *temporary = arena_new();
    const struct tensor **data = arena_array(a, n->n_inputs + 1u, sizeof *data);
    struct tensor **out = arena_array(a, n->n_outputs + 1u, sizeof *out);
    size_t room = FOLD_SESSION_BYTES - b->folded;
    code = gather(b, s->plan, n, in, data, temporary);
    if (!code)
        code = op_fold(n, data, out, a, SMALL_BYTES, b->ctx);
    if (code > 0) {
        own = arena_new();
        code = op_fold(n, data, out, own, room < FOLD_NODE_BYTES ? room : FOLD_NODE_BYTES, b->ctx);
    }
    arena_free(temporary);
    if (code) {
        arena_free(own);
        return code < 0 ? code : 0;
    }
    size_t bytes = bind_folded(s, n, out, own);
    b->folded += bytes < room ? bytes : room;
    return 1;
}
