/* Steps whose outputs are sized while they run, and the executor behind struct eval: memory for
 * such outputs, sequences, subgraphs.
 */
#include <string.h>

#include "base/mem.h"
#include "exec/plan.h"

static int refuse(struct frame *f, const struct node *n, const char *what)
{
    return diag_report(f->worker->exec->ctx->diag, E_LIMIT_MEMORY,
                       &(struct where){.node = node_label(n)}, "no memory for %s of '%s'", what,
                       n->op_type);
}

static int slot_of(const struct frame *f, const struct eval *e, uint32_t i)
{
    return f->plan->steps.data[e - f->evals].out[i];
}

static void put_box(struct frame *f, int slot, struct box *b)
{
    box_drop(f->boxes[slot]);
    f->boxes[slot] = b;
    f->tensors[slot] = b->t;
}

/* ---- eval_out ---- */

static bool same_dims(const struct tensor *t, enum dtype dtype, int rank, const int64_t *dims)
{
    return t->dtype == dtype && t->rank == rank &&
           (!rank || memcmp(t->dims, dims, (size_t)rank * sizeof *dims) == 0);
}

static struct tensor *host_out(struct eval *e, uint32_t i, enum dtype dtype, int rank,
                               const int64_t *dims)
{
    struct frame *f = e->exec;
    int slot = slot_of(f, e, i);
    if (slot < 0)
        return NULL;
    struct tensor *t = &f->tensors[slot];
    if (f->plan->slots.data[slot].kind == SLOT_STATIC) {
        if (same_dims(t, dtype, rank, dims))
            return t;
        eval_fail(e, E_RUN_SHAPE, "output %u of '%s' has another shape than its inputs say", i,
                  e->node->op_type);
        return NULL;
    }
    struct box *b = box_tensor(dtype, rank, dims);
    if (!b) {
        refuse(f, e->node, "an output");
        return NULL;
    }
    put_box(f, slot, b);
    return t;
}

/* ---- values that may be shared ---- */

static struct box *box_in_frame(struct frame *f, const struct tensor *t)
{
    for (; f; f = f->outer)
        if (t >= f->tensors && t < f->tensors + f->plan->slots.count)
            return f->boxes[t - f->tensors];
    return NULL;
}

static struct box *box_in_nested(struct frame *f, int step, const struct tensor *t)
{
    for (int g = 0; f->nested[step] && g < f->plan->steps.data[step].n_graphs; g++) {
        struct frame *inner = f->nested[step][g];
        if (!inner)
            continue;
        if (t >= inner->tensors && t < inner->tensors + inner->plan->slots.count)
            return inner->boxes[t - inner->tensors];
        for (size_t k = 0; k < 2 * inner->plan->outputs.count; k++) {
            struct box *b = inner->past[k & 1][k / 2];
            if (b && &b->t == t)
                return b;
        }
    }
    return NULL;
}

/* Item t of an input sequence, looked for around the position it has in the new one. */
static struct box *box_in_sequences(const struct eval *e, const struct tensor *t, int64_t at)
{
    for (uint32_t i = 0; i < e->n_in; i++) {
        const struct sequence *s = eval_sequence(e, i);
        for (int64_t k = 0; s && k < s->count; k++) {
            int64_t j = (at - 1 + k + s->count) % s->count;
            if (s->items[j] == t)
                return box_of(t);
        }
    }
    return NULL;
}

static struct box *box_for(struct eval *e, const struct tensor *t, int64_t at)
{
    struct frame *f = e->exec;
    struct box *b = box_in_sequences(e, t, at);
    if (!b)
        b = box_in_frame(f, t);
    if (!b)
        b = box_in_nested(f, (int)(e - f->evals), t);
    return b ? box_keep(b) : box_copy(t);
}

static int copy_to_static(struct eval *e, struct tensor *to, const struct tensor *from)
{
    if (!same_dims(to, from->dtype, from->rank, from->dims))
        return eval_fail(e, E_RUN_SHAPE, "an output of '%s' has another shape than inferred",
                         e->node->op_type);
    if (from->dtype == DT_STRING && from->count) {
        union {
            const struct span *in;
            struct span *out;
        } cast = {to->strings};
        memcpy(cast.out, from->strings, (size_t)from->count * sizeof *from->strings);
    }
    const void *bytes = from->bytes ? tensor_bytes_of(from, e->scratch) : NULL;
    if (bytes)
        memcpy(tensor_writable(to), bytes, from->bytes);
    return from->bytes && !bytes ? eval_fail(e, E_LIMIT_MEMORY, "no memory for a constant") : 0;
}

static int host_value(struct eval *e, uint32_t i, const struct tensor *value)
{
    struct frame *f = e->exec;
    int slot = slot_of(f, e, i);
    if (slot < 0)
        return 0;
    if (f->plan->slots.data[slot].kind == SLOT_STATIC)
        return copy_to_static(e, &f->tensors[slot], value);
    struct box *b = box_for(e, value, 0);
    if (!b)
        return refuse(f, e->node, "an output");
    put_box(f, slot, b);
    return 0;
}

static int host_sequence(struct eval *e, uint32_t i, const struct sequence *s)
{
    struct frame *f = e->exec;
    int slot = slot_of(f, e, i);
    if (slot < 0)
        return 0;
    if (f->plan->slots.data[slot].kind != SLOT_DYNAMIC)
        return eval_fail(e, E_RUN_SHAPE, "output %u is a sequence, expected a tensor", i);
    struct box **items = mem_try_alloc(((size_t)s->count + 1) * sizeof *items);
    int64_t made = 0;
    while (items && made < s->count && (items[made] = box_for(e, s->items[made], made)))
        made++;
    if (!items || made < s->count) {
        while (made > 0)
            box_drop(items[--made]);
        mem_free(items);
        return refuse(f, e->node, "a sequence");
    }
    put_box(f, slot, box_sequence(s->kind, s->dtype, s->count, items));
    mem_free(items);
    return 0;
}

/* ---- subgraphs ---- */

static struct frame *nested_frame(struct frame *f, int step, int g)
{
    const struct step *s = &f->plan->steps.data[step];
    if (!f->nested[step])
        f->nested[step] = arena_array(f->arena, (size_t)s->n_graphs, sizeof **f->nested);
    if (!f->nested[step][g]) {
        f->nested[step][g] = frame_new(s->plans[g], f, f->worker);
        frame_bind(f->nested[step][g], f->evals[step].workspace);
    }
    return f->nested[step][g];
}

static int host_graph(struct eval *e, const struct graph *g, const struct tensor *const *in,
                      uint32_t n_in, const struct tensor **out, uint32_t n_out)
{
    struct frame *f = e->exec;
    int step = (int)(e - f->evals), at = 0;
    const struct step *s = &f->plan->steps.data[step];
    while (at < s->n_graphs && s->graphs[at] != g)
        at++;
    if (at == s->n_graphs || n_in != g->inputs.count || n_out > g->outputs.count)
        return eval_fail(e, E_RUN_SHAPE, "the subgraph of '%s' takes %zu inputs and gives %zu",
                         e->node->op_type, g->inputs.count, g->outputs.count);
    int code = ctx_check(e->ctx);
    if (code)
        return code;
    const struct tensor **all = arena_array(e->scratch, g->outputs.count + 1, sizeof *all);
    code = frame_run(nested_frame(f, step, at), in, all);
    memcpy(out, all, n_out * sizeof *out);
    return code;
}

const struct eval_host exec_host = {host_out, host_value, host_sequence, host_graph};

/* ---- sizing ---- */

static int infer_step(struct frame *f, int step, struct type *out)
{
    const struct step *s = &f->plan->steps.data[step];
    struct worker *w = f->worker;
    struct eval *e = &f->evals[step];
    struct type *types = arena_array(w->shapes, (size_t)s->n_in + 1, sizeof *types);
    const struct type **in = arena_array(w->shapes, (size_t)s->n_in + 1, sizeof *in);
    for (int i = 0; i < s->n_in; i++) {
        if (!e->in[i])
            continue;
        types[i] = type_from_tensor(w->shapes, w->dims, e->in[i]);
        in[i] = &types[i];
    }
    struct infer_io io = {.in_types = in, .in_data = e->in, .out = out};
    return infer_node(s->node, &io, w->dims, w->shapes, w->exec->ctx);
}

static int size_output(struct frame *f, int step, int i, const struct type *t)
{
    const struct step *s = &f->plan->steps.data[step];
    struct eval *e = &f->evals[step];
    int slot = s->out[i];
    int64_t *dims =
        arena_array(f->worker->shapes, (size_t)(t->rank > 0 ? t->rank : 0) + 1, sizeof *dims);
    bool known = type_static(t, NULL) && type_tensor_dims(t, dims);
    if (known)
        return eval_out(e, (uint32_t)i, t->dtype, t->rank, dims) ? 0 : -E_LIMIT_MEMORY;
    if (!(s->op->traits & (OP_SIZES | OP_CONTROL)))
        return eval_fail(e, E_SHAPE, "%s: the shape of output %d does not follow from these inputs",
                         s->node->op_type, i);
    if (f->plan->slots.data[slot].kind == SLOT_DYNAMIC)
        f->tensors[slot] = (struct tensor){.dtype = t->dtype};
    return 0;
}

int frame_run_dynamic(struct frame *f, int step)
{
    const struct step *s = &f->plan->steps.data[step];
    struct worker *w = f->worker;
    struct type *out = arena_array(w->shapes, (size_t)s->n_out + 1, sizeof *out);
    w->dynamic_runs++;
    int code = s->n_graphs ? 0 : infer_step(f, step, out);
    for (int i = 0; !code && i < s->n_out; i++)
        if (s->out[i] >= 0)
            code = size_output(f, step, i, &out[i]);
    arena_reset(w->shapes);
    return code ? code : s->op->eval(&f->evals[step]);
}
