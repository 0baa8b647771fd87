/* The step loop: one run of a frame. */
#include <string.h>

#include "base/mem.h"
#include "exec/plan.h"

enum { CHECK_EVERY = 16 }; /* steps between looks at the deadline */

/* ---- inputs ---- */

/* The items of sequences are boxes wherever they go: those of the caller are copied into some. */
static int box_input(struct frame *f, int slot, const struct tensor *given)
{
    struct box *b = box_copy(given);
    if (!b)
        return diag_report(f->worker->exec->ctx->diag, E_LIMIT_MEMORY,
                           &(struct where){.tensor = f->plan->slots.data[slot].value->name},
                           "no memory for a sequence");
    box_drop(f->boxes[slot]);
    f->boxes[slot] = b;
    f->tensors[slot] = b->t;
    return 0;
}

static int set_input(struct frame *f, int slot, const struct tensor *given)
{
    struct tensor *t = &f->tensors[slot];
    const struct slot *s = &f->plan->slots.data[slot];
    if (!given)
        return 0;
    if (given->dtype == DT_UNDEFINED && !f->outer)
        return box_input(f, slot, given);
    if (!type_static(&s->type, NULL)) {
        *t = *given;
        return 0;
    }
    if (t->dtype != given->dtype || t->count != given->count) /* other ranks of one element pass */
        return diag_report(f->worker->exec->ctx->diag, E_RUN_SHAPE,
                           &(struct where){.tensor = s->value->name},
                           "'%s' gets %lld elements of %s, expected %lld of %s", s->value->name,
                           (long long)given->count, dtype_name(given->dtype), (long long)t->count,
                           dtype_name(t->dtype));
    t->data = given->data;
    t->strings = given->strings;
    return 0;
}

static int set_inputs(struct frame *f, const struct tensor *const *in)
{
    const struct plan *p = f->plan;
    for (size_t i = 0; i < p->inputs.count; i++) {
        int code = p->inputs.data[i] >= 0 ? set_input(f, p->inputs.data[i], in[i]) : 0;
        if (code)
            return code;
    }
    for (size_t i = 0; i < p->late_views.count; i++) {
        int slot = p->late_views.data[i];
        const struct tensor *from = f->refs[p->slots.data[slot].outer];
        f->tensors[slot].data = from->data;
        f->tensors[slot].strings = from->strings;
    }
    return 0;
}

/* ---- outputs that must survive the next run ---- */

static struct box *output_box(struct frame *f, int slot)
{
    return f->boxes[slot] ? box_keep(f->boxes[slot]) : box_copy(f->refs[slot]);
}

static int give_outputs(struct frame *f, const struct tensor **out)
{
    const struct plan *p = f->plan;
    struct box **kept = f->past[f->parity];
    f->parity ^= p->boxed_outputs;
    for (size_t i = 0; i < p->outputs.count; i++) {
        int slot = p->outputs.data[i];
        out[i] = f->refs[slot];
        if (!p->boxed_outputs)
            continue;
        struct box *b = output_box(f, slot);
        if (!b)
            return diag_report(f->worker->exec->ctx->diag, E_LIMIT_MEMORY,
                               &(struct where){.tensor = p->slots.data[slot].value->name},
                               "%zu bytes for an output of a loop body", f->refs[slot]->bytes);
        box_drop(kept[i]);
        kept[i] = b;
        out[i] = &b->t;
    }
    return 0;
}

/* ---- steps ---- */

static int run_step(struct frame *f, int i)
{
    const struct step *s = &f->plan->steps.data[i];
    struct eval *e = &f->evals[i];
    e->pool = f->worker->pool;
    if (s->dynamic)
        return frame_run_dynamic(f, i);
    return s->run ? s->run(s->state, e) : s->op->eval(e);
}

static int run_timed(struct frame *f, int i)
{
    struct worker *w = f->worker;
    double before = w->nested_seconds, start = ctx_now();
    w->nested_seconds = 0;
    int code = run_step(f, i);
    double spent = ctx_now() - start;
    double own = spent - w->nested_seconds;
    f->times[i].seconds += own;
    if (!f->times[i].calls || own < f->times[i].fastest)
        f->times[i].fastest = own;
    f->times[i].calls++;
    w->nested_seconds = before + spent;
    return code;
}

/* What few runs ask for, after each step. */
static int after_step(struct frame *f, int i)
{
    const struct step *s = &f->plan->steps.data[i];
    int code = f->worker->exec->options.check_nonfinite ? frame_check(f, i) : 0;
    for (int k = 0; !code && k < s->n_taps; k++)
        code = frame_show(f, s->taps[k]);
    for (int k = 0; k < s->n_dying; k++) {
        box_drop(f->boxes[s->dying[k]]);
        f->boxes[s->dying[k]] = NULL;
    }
    return code;
}

static int deadline(const struct ctx *ctx)
{
    return ctx->deadline > 0 && ctx_now() > ctx->deadline ? ctx_check(ctx) : 0;
}

int frame_run(struct frame *f, const struct tensor *const *in, const struct tensor **out)
{
    const struct plan *p = f->plan;
    const struct exec *x = f->worker->exec;
    int code = set_inputs(f, in);
    for (size_t i = 0; !code && i < p->const_taps.count; i++)
        code = frame_show(f, p->const_taps.data[i]);
    for (int i = 0; !code && i < (int)p->steps.count; i++) {
        const struct step *s = &p->steps.data[i];
        code = f->times ? run_timed(f, i) : run_step(f, i);
        arena_reset(f->scratch);
        if (!code && (s->n_taps || s->n_dying || x->options.check_nonfinite))
            code = after_step(f, i);
        if (!code && i % CHECK_EVERY == CHECK_EVERY - 1)
            code = deadline(x->ctx);
    }
    return code ? code : give_outputs(f, out);
}
