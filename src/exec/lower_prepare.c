/* Prepared forms: asking an operator for one, and running a fused product that has none. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "exec/lower.h"
#include "ops/fused_apply.h"

/* ---- asking ---- */

static bool activation(const struct step *s, int i)
{
    if (i == 0)
        return true;
    for (int k = 0; s->fused && k < s->fused->n; k++)
        if (s->fused->steps[k].input == (uint32_t)i && !s->fused->steps[k].per_channel)
            return true;
    return false;
}

static const struct type *type_at(struct lower *l, const struct step *s, int slot, bool flips)
{
    const struct slot *at = &l->p->slots.data[slot];
    if (!s->channels_last || !flips || at->channels_last || at->type.rank < 3)
        return &at->type;
    struct type *t = arena_alloc(l->p->arena, sizeof *t);
    *t = lower_type(l, &at->type);
    return t;
}

static int describe(struct lower *l, const struct step *s, struct prepare *p)
{
    struct arena *a = l->p->arena;
    const struct type **in = arena_array(a, (size_t)s->n_in + 1, sizeof *in);
    const struct type **out = arena_array(a, (size_t)s->n_out + 1, sizeof *out);
    const struct tensor **data = arena_array(a, (size_t)s->n_in + 1, sizeof *data);
    for (int i = 0; i < s->n_in; i++) {
        if (s->in[i] < 0)
            continue;
        in[i] = type_at(l, s, s->in[i], activation(s, i));
        if (l->p->slots.data[s->in[i]].kind != SLOT_CONST)
            continue;
        data[i] = const_data(l->b, l->p, s->in[i], l->scratch);
        if (!data[i])
            return -E_LIMIT_MEMORY;
    }
    for (int i = 0; i < s->n_out; i++)
        if (s->out[i] >= 0)
            out[i] = type_at(l, s, s->out[i], true);
    *p = (struct prepare){.node = s->node, .version = s->version, .in_types = in};
    p->out_types = out;
    p->constants = data;
    p->fused = s->fused;
    p->channels_last = s->channels_last;
    p->ctx = l->b->ctx;
    p->arena = a;
    p->scratch = l->scratch;
    p->threads = pool_threads(l->b->ctx->pool);
    return 0;
}

int lower_prepare(struct lower *l, struct step *s)
{
    struct prepare p;
    if (!s->op || !s->op->fast || !s->op->fast->prepare || !s->op->fast->run)
        return 0;
    int code = describe(l, s, &p);
    if (!code)
        code = s->op->fast->prepare(&p);
    arena_reset(l->scratch);
    if (code)
        return code < 0 ? code : 0;
    s->fast = s->op->fast;
    s->run = s->op->fast->run;
    s->state = p.state;
    s->workspace_bytes = p.workspace;
    l->p->session->prepared_bytes += p.held;
    for (int i = 0; i < s->n_in && i < 32; i++) {
        if (!(p.consumed >> i & 1) || s->in[i] < 0)
            continue;
        const struct tensor *t = l->p->slots.data[s->in[i]].constant;
        if (t && t->data)
            file_forget(t->data, t->bytes);
        s->in[i] = -1;
    }
    return 1;
}

/* ---- running without ---- */

struct unfused {
    struct fused fused;
    struct fused_shape shape;
};

static int run_unfused(const void *state, struct eval *e)
{
    const struct unfused *u = state;
    uint32_t all = e->n_in;
    e->n_in = e->node->n_inputs; /* the operator's own inputs */
    int code = e->node->op->eval(e);
    e->n_in = all;
    if (!code)
        fused_apply(&u->fused, 0, &u->shape, e, tensor_writable(e->out[0]));
    return code;
}

int lower_unfused(struct lower *l, struct step *s)
{
    const struct type *t = &l->p->slots.data[s->out[0]].type;
    struct unfused *u = arena_alloc(l->p->arena, sizeof *u);
    bool conv = node_is(s->node, "Conv") || node_is(s->node, "ConvTranspose");
    int axis = conv ? 1 : t->rank - 1;
    u->fused = *s->fused;
    struct fused_shape *f = &u->shape;
    f->outer = f->channels = f->inner = 1;
    for (int i = 0; i < t->rank; i++) {
        int64_t size = 0;
        dim_is_const(t->dims[i], &size);
        *(i < axis ? &f->outer : i == axis ? &f->channels : &f->inner) *= size;
    }
    s->run = run_unfused;
    s->state = u;
    return 0;
}
