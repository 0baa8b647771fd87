/* Lowering for the fast engine: the order of axes of every activation, and the prepared operators.
 *
 * oneDNN's convolutions are at their best with channels last, and then everything between them is
 * done in that order too: elementwise work does not care, axes are renamed where an operator has
 * any (a rewritten copy of its node runs), pools have prepared forms. Data goes back to the model's
 * order where an operator, a subgraph or the caller needs it: one reorder per value and direction
 * at most.
 *
 * The list of steps is written anew, front to back; a reorder comes before the first step that
 * needs it. Invariant: at each step every input slot has data.
 */
#include "exec/lower.h"

#include <string.h>

#include "base/mem.h"
#include "ops/fused.h"

static size_t slot_bytes(const struct lower *l, int slot)
{
    size_t bytes = 0;
    type_static(&l->p->slots.data[slot].type, &bytes);
    return bytes;
}

/* ---- steps in the model's order ---- */

static void emit(struct lower *l, const struct step *s)
{
    for (int i = 0; i < s->n_out; i++)
        if (s->out[i] >= 0)
            lower_set_made(l, s->out[i]);
    vec_push(&l->steps, *s);
}

static int lower_in_order(struct lower *l, struct step *s)
{
    for (int i = 0; i < s->n_in; i++)
        lower_plain(l, s->in[i]);
    for (int g = 0; g < s->n_graphs; g++)
        for (size_t i = 0; i < s->plans[g]->slots.count; i++)
            if (s->plans[g]->slots.data[i].kind == SLOT_CAPTURE)
                lower_plain(l, s->plans[g]->slots.data[i].outer);
    int code = s->dynamic || s->n_graphs ? 0 : lower_prepare(l, s);
    if (code == 0 && s->fused)
        code = lower_unfused(l, s);
    emit(l, s);
    return code < 0 ? code : 0;
}

/* ---- convolutions and pools ---- */

static bool takes_last(const struct step *s, int i)
{
    if (i == 0)
        return true;
    for (int k = 0; s->fused && k < s->fused->n; k++) {
        const struct fused_step *f = &s->fused->steps[k];
        if ((f->kind == FUSED_ADD || f->kind == FUSED_MUL) && !f->per_channel &&
            f->input == (uint32_t)i)
            return true;
    }
    return false;
}

/* The step with its types in channels-last order, to ask whether a prepared form takes them. The
 * reorders it would need are made only once it does. */
static int lower_window(struct lower *l, struct step *s)
{
    struct plan *p = l->p;
    struct step t = *s;
    t.channels_last = true;
    t.in = arena_copy(p->arena, s->in, (size_t)s->n_in * sizeof *s->in);
    t.out = arena_copy(p->arena, s->out, (size_t)s->n_out * sizeof *s->out);
    int code = lower_prepare(l, &t);
    if (code <= 0)
        return code < 0 ? code : lower_in_order(l, s);
    for (int i = 0; i < s->n_in; i++) {
        if (s->in[i] < 0)
            continue;
        if (takes_last(s, i))
            t.in[i] = lower_last(l, s->in[i]);
        else
            lower_plain(l, s->in[i]);
    }
    t.out[0] = lower_output(l, s->out[0]);
    emit(l, &t);
    return 0;
}

/* ---- steps that follow their operands ---- */

/* Bytes to reorder for each choice; last wins when it is cheaper, or when neither costs anything
 * and an operand stands that way. */
static bool prefers_last(const struct lower *l, const struct step *s)
{
    size_t plain = 0, last = 0;
    bool any = false;
    for (int i = 0; i < s->n_in; i++) {
        if (s->in[i] < 0 || l->p->slots.data[s->in[i]].kind == SLOT_CONST)
            continue;
        const struct type *t = &l->p->slots.data[s->in[i]].type;
        if (t->rank < 3 || lower_trivial(t))
            continue;
        bool has = lower_twin(l, s->in[i]) >= 0;
        any |= has;
        last += has ? 0 : slot_bytes(l, s->in[i]);
        plain += lower_made(l, s->in[i]) ? 0 : slot_bytes(l, s->in[i]);
    }
    return any && last <= plain;
}

static int lower_following(struct lower *l, struct step *s)
{
    struct step t = *s;
    t.in = arena_copy(l->p->arena, s->in, (size_t)s->n_in * sizeof *s->in);
    t.out = arena_copy(l->p->arena, s->out, (size_t)s->n_out * sizeof *s->out);
    if (!prefers_last(l, s) || !lower_follow(l, &t))
        return lower_in_order(l, s);
    t.channels_last = true;
    for (int i = 0; i < t.n_out; i++)
        if (t.out[i] >= 0 && l->p->slots.data[t.out[i]].type.rank >= 3)
            t.out[i] = lower_output(l, t.out[i]);
    int code = lower_prepare(l, &t);
    emit(l, &t);
    return code < 0 ? code : 0;
}

/* ---- Transpose ---- */

/* +1: to channels last, -1: to channels first, 0: neither. */
static int direction(const struct step *s, int rank)
{
    const int64_t *perm;
    uint32_t n;
    if (rank < 3 || !node_ints(s->node, "perm", &perm, &n) || n != (uint32_t)rank || perm[0] != 0)
        return 0;
    bool last = perm[rank - 1] == 1, first = perm[1] == rank - 1;
    for (int i = 1; i < rank; i++) {
        last &= i == rank - 1 || perm[i] == i + 1;
        first &= i == 1 || perm[i] == i - 1;
    }
    return last ? 1 : first ? -1 : 0;
}

static int lower_transpose(struct lower *l, struct step *s)
{
    struct plan *p = l->p;
    int in = s->in[0], out = s->out[0];
    int way = direction(s, p->slots.data[in].type.rank);
    if (p->slots.data[in].kind == SLOT_CONST || !way)
        return lower_in_order(l, s);
    int from = way > 0 ? lower_last(l, in) : in; /* the bytes that out's name stands for */
    if (way < 0)
        lower_plain(l, in);
    while (p->slots.data[from].kind == SLOT_VIEW)
        from = p->slots.data[from].outer;
    if (way > 0) {
        p->slots.data[out].kind = SLOT_VIEW;
        p->slots.data[out].outer = from;
        return 0;
    }
    struct type type = lower_type(l, &p->slots.data[out].type);
    int twin = plan_slot(p, SLOT_VIEW, NULL, &type);
    p->slots.data[twin].outer = from;
    p->slots.data[twin].channels_last = true;
    lower_set_twin(l, out, twin);
    return 0;
}

/* ---- the walk ---- */

static int lower_step(struct lower *l, struct step *s)
{
    switch (lower_rule(l, s)) {
    case RULE_WINDOW:
        return lower_window(l, s);
    case RULE_FOLLOW:
        return lower_following(l, s);
    case RULE_TRANSPOSE:
        return lower_transpose(l, s);
    case RULE_PLAIN:
        break;
    }
    return lower_in_order(l, s);
}

/* Views of what became a view itself. */
static void flatten_views(struct plan *p)
{
    for (size_t i = 0; i < p->slots.count; i++) {
        struct slot *s = &p->slots.data[i];
        while (s->kind == SLOT_VIEW && p->slots.data[s->outer].kind == SLOT_VIEW)
            s->outer = p->slots.data[s->outer].outer;
    }
}

static void set_producers(struct plan *p)
{
    for (size_t i = 0; i < p->slots.count; i++)
        p->slots.data[i].producer = -1;
    for (size_t i = 0; i < p->steps.count; i++)
        for (int k = 0; k < p->steps.data[i].n_out; k++)
            if (p->steps.data[i].out[k] >= 0)
                p->slots.data[p->steps.data[i].out[k]].producer = (int)i;
}

/* A tap on a view sees the model's order: the bytes behind it must exist. */
static void make_visible(struct lower *l)
{
    for (size_t i = 0; i < l->p->outputs.count; i++)
        lower_plain(l, l->p->outputs.data[i]);
    for (size_t i = 0; i < l->p->slots.count; i++)
        if (l->p->slots.data[i].tapped && !l->p->slots.data[i].channels_last)
            lower_plain(l, (int)i);
}

int plan_lower(struct builder *b, struct plan *p)
{
    struct lower l = {.b = b, .p = p, .scratch = arena_new()};
    int code = 0;
    for (size_t i = 0; i < p->steps.count; i++)
        if (!code)
            code = lower_step(&l, &p->steps.data[i]);
        else
            vec_push(&l.steps, p->steps.data[i]); /* freed with the plan */
    make_visible(&l);
    vec_free(&p->steps);
    memcpy(&p->steps, &l.steps, sizeof l.steps);
    vec_free(&l.twin);
    vec_free(&l.made);
    arena_free(l.scratch);
    flatten_views(p);
    set_producers(p);
    return code;
}
