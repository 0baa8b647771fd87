/* Frames: one thread's tensor headers for a plan, and the calls of its steps prepared once.
 *
 * Everything a step needs stands in its struct eval from the start: pointers to headers that never
 * move. Running then touches no map and allocates nothing; only the headers of the plan's inputs,
 * of their views and of dynamic values change from run to run.
 */
#include <string.h>

#include "base/mem.h"
#include "exec/plan.h"

static void init_header(struct frame *f, int slot)
{
    const struct slot *s = &f->plan->slots.data[slot];
    struct tensor *t = &f->tensors[slot];
    size_t bytes;
    f->refs[slot] = t;
    if (s->kind == SLOT_CONST)
        f->refs[slot] = s->constant;
    else if (s->kind == SLOT_CAPTURE)
        f->refs[slot] = f->outer->refs[s->outer];
    if (s->kind == SLOT_TEMP || !type_static(&s->type, &bytes))
        return;
    int64_t *dims = arena_array(f->arena, (size_t)s->type.rank, sizeof *dims);
    type_tensor_dims(&s->type, dims);
    t->dtype = s->type.dtype;
    t->rank = s->type.rank;
    t->dims = dims;
    t->count = 1;
    for (int i = 0; i < t->rank; i++)
        t->count *= dims[i];
    t->bytes = t->dtype == DT_STRING ? 0 : bytes;
}

static void init_eval(struct frame *f, int at)
{
    const struct step *s = &f->plan->steps.data[at];
    struct eval *e = &f->evals[at];
    const struct tensor **in = arena_array(f->arena, (size_t)s->n_in, sizeof *in);
    struct tensor **out = arena_array(f->arena, (size_t)s->n_out, sizeof *out);
    for (int i = 0; i < s->n_in; i++)
        in[i] = s->in[i] >= 0 ? f->refs[s->in[i]] : NULL;
    for (int i = 0; i < s->n_out; i++)
        out[i] = s->out[i] >= 0 ? &f->tensors[s->out[i]] : NULL;
    struct exec *x = f->worker->exec;
    *e = (struct eval){.node = s->node, .version = s->version, .in = in, .out = out};
    e->n_in = (uint32_t)s->n_in;
    e->n_out = (uint32_t)s->n_out;
    e->scratch = f->scratch;
    e->keep = f->worker->keep;
    e->ctx = x->ctx;
    e->fast = x->options.engine == ENGINE_ONEDNN;
    e->host = &exec_host;
    e->exec = f;
    e->local = &f->locals[at];
}

struct frame *frame_new(struct plan *p, struct frame *outer, struct worker *w)
{
    struct arena *a = arena_new();
    struct frame *f = arena_alloc(a, sizeof *f);
    size_t slots = p->slots.count, steps = p->steps.count;
    f->plan = p;
    f->outer = outer;
    f->worker = w;
    f->arena = a;
    f->scratch = arena_new();
    f->tensors = arena_array(a, slots + 1, sizeof *f->tensors);
    f->refs = arena_array(a, slots + 1, sizeof *f->refs);
    f->boxes = arena_array(a, slots + 1, sizeof *f->boxes);
    f->evals = arena_array(a, steps + 1, sizeof *f->evals);
    f->locals = arena_array(a, steps + 1, sizeof *f->locals);
    f->nested = arena_array(a, steps + 1, sizeof *f->nested);
    for (int k = 0; k < 2; k++)
        f->past[k] = arena_array(a, p->outputs.count + 1, sizeof *f->past[k]);
    if (w->exec->options.profile)
        f->times = arena_array(a, steps + 1, sizeof *f->times);
    for (size_t i = 0; i < slots; i++)
        init_header(f, (int)i);
    for (size_t i = 0; i < steps; i++)
        init_eval(f, (int)i);
    return f;
}

static void set_data(struct tensor *t, const void *data)
{
    if (t->dtype == DT_STRING)
        t->strings = data;
    else
        t->data = data;
}

void frame_bind(struct frame *f, char *block)
{
    const struct plan *p = f->plan;
    f->block = block;
    for (size_t i = 0; i < p->slots.count; i++) {
        const struct slot *s = &p->slots.data[i];
        if (s->kind == SLOT_STATIC)
            set_data(&f->tensors[i], block + s->offset);
        else if (s->kind == SLOT_VIEW && p->slots.data[s->outer].kind == SLOT_STATIC)
            set_data(&f->tensors[i], block + p->slots.data[s->outer].offset);
    }
    for (size_t i = 0; i < p->steps.count; i++) {
        const struct step *s = &p->steps.data[i];
        if (s->workspace < 0)
            continue;
        char *work = block + p->slots.data[s->workspace].offset;
        f->evals[i].workspace = work;
        for (int g = 0; f->nested[i] && g < s->n_graphs; g++)
            if (f->nested[i][g])
                frame_bind(f->nested[i][g], work);
    }
}

void frame_clear(struct frame *f)
{
    for (size_t i = 0; i < f->plan->slots.count; i++) {
        box_drop(f->boxes[i]);
        f->boxes[i] = NULL;
    }
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < f->plan->outputs.count; i++) {
            box_drop(f->past[k][i]);
            f->past[k][i] = NULL;
        }
}

void frame_free(struct frame *f)
{
    if (!f)
        return;
    frame_clear(f);
    for (size_t i = 0; i < f->plan->steps.count; i++) {
        const struct step *s = &f->plan->steps.data[i];
        for (int g = 0; f->nested[i] && g < s->n_graphs; g++)
            frame_free(f->nested[i][g]);
        if (f->locals[i] && s->fast && s->fast->drop_local)
            s->fast->drop_local(f->locals[i]);
    }
    arena_free(f->scratch);
    arena_free(f->arena);
}
