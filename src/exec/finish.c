/* The last steps of compiling: subgraphs first, then this plan is optimised, prepared, settled,
 * placed.
 *
 * Settling turns what a step may still read of the model's constants into plain aligned bytes
 * (weights that an operator has repacked are left alone, and so never copied), and attaches the
 * observed slots to the steps after which they are shown.
 */
#include <string.h>

#include "base/mem.h"
#include "exec/plan.h"

/* ---- removed steps ---- */

static void compact(struct plan *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->steps.count; i++)
        if (!p->steps.data[i].removed)
            p->steps.data[kept++] = p->steps.data[i];
    p->steps.count = kept;
    for (size_t i = 0; i < p->slots.count; i++)
        p->slots.data[i].producer = -1;
    for (size_t i = 0; i < kept; i++)
        for (int k = 0; k < p->steps.data[i].n_out; k++)
            if (p->steps.data[i].out[k] >= 0)
                p->slots.data[p->steps.data[i].out[k]].producer = (int)i;
}

/* ---- constants ---- */

static bool settled(const struct tensor *t)
{
    size_t align = t->dtype == DT_STRING ? 1 : (size_t)(dtype_bits(t->dtype) + 7) / 8;
    if (align > 8)
        align = 8;
    return !t->recipe && (!align || (uintptr_t)t->data % align == 0);
}

static int settle_constant(struct builder *b, struct plan *p, int slot)
{
    const struct tensor *t = const_keep(b, p, slot);
    struct slot *s = &p->slots.data[slot];
    if (!t)
        return -E_LIMIT_MEMORY;
    if (settled(t))
        return 0;
    struct tensor *plain = arena_copy(b->session->arena, t, sizeof *t);
    plain->data = tensor_aligned(t, b->session->arena);
    plain->recipe = NULL;
    s->constant = plain;
    if (plain->data || !t->bytes)
        return 0;
    return diag_report(b->ctx->diag, E_LIMIT_MEMORY, NULL, "%zu bytes for a constant", t->bytes);
}

static int settle_step(struct builder *b, struct plan *p, const struct step *s)
{
    for (int i = 0; i < s->n_in; i++) {
        if (s->in[i] < 0 || p->slots.data[s->in[i]].kind != SLOT_CONST)
            continue;
        int code = settle_constant(b, p, s->in[i]);
        if (code)
            return code;
    }
    return 0;
}

/* Constants that steps without a prepared form read are made first: making one may take twice its
 * size, which then is not on top of what others have repacked. */
static int settle_unprepared(struct builder *b, struct plan *p)
{
    int code = 0;
    for (size_t i = 0; !code && i < p->steps.count; i++)
        if (!p->steps.data[i].op || !p->steps.data[i].op->fast)
            code = settle_step(b, p, &p->steps.data[i]);
    return code;
}

static void mark_read(const struct plan *p, struct bitset *read)
{
    for (size_t i = 0; i < p->steps.count; i++)
        for (int k = 0; k < p->steps.data[i].n_in; k++)
            if (p->steps.data[i].in[k] >= 0)
                bitset_add(read, (size_t)p->steps.data[i].in[k]);
    for (size_t i = 0; i < p->slots.count; i++)
        if (p->slots.data[i].pinned || p->slots.data[i].tapped)
            bitset_add(read, i);
    for (size_t i = p->slots.count;
         i-- > 0;) { /* what is still to be computed reads earlier slots */
        const struct lazy *l = p->slots.data[i].constant ? NULL : p->slots.data[i].lazy;
        for (uint32_t k = 0; l && bitset_has(read, i) && k < l->node->n_inputs; k++)
            if (l->in[k] >= 0)
                bitset_add(read, (size_t)l->in[k]);
    }
}

/* Large folded constants that nothing reads any more: an operator has repacked them. */
static void drop_unread(struct plan *p)
{
    struct bitset read = bitset_new(p->slots.count);
    mark_read(p, &read);
    for (size_t i = 0; i < p->slots.count; i++) {
        struct slot *s = &p->slots.data[i];
        if (s->kind != SLOT_CONST || !s->owner || bitset_has(&read, i))
            continue;
        arena_free(s->owner);
        s->owner = NULL;
        s->constant = NULL;
    }
    bitset_release(&read);
}

/* ---- taps ---- */

static int source_step(const struct plan *p, int slot)
{
    const struct slot *s = &p->slots.data[slot];
    return s->kind == SLOT_VIEW ? p->slots.data[s->outer].producer : s->producer;
}

static void attach_taps(struct plan *p)
{
    for (size_t i = 0; i < p->slots.count; i++) {
        const struct slot *slot = &p->slots.data[i];
        if (!slot->tapped || (slot->kind == SLOT_CAPTURE))
            continue;
        int at = source_step(p, (int)i);
        bool writes = p->session->exec->options.tap_writes; /* not into constants and inputs */
        if (at < 0 && !writes && slot->kind != SLOT_STATIC && slot->kind != SLOT_DYNAMIC)
            vec_push(&p->const_taps, (int)i);
        if (at < 0)
            continue;
        struct step *s = &p->steps.data[at];
        int *taps = arena_array(p->arena, (size_t)s->n_taps + 1, sizeof *taps);
        if (s->n_taps)
            memcpy(taps, s->taps, (size_t)s->n_taps * sizeof *taps);
        taps[s->n_taps++] = (int)i;
        s->taps = taps;
    }
}

static void find_late_views(struct plan *p)
{
    for (size_t i = 0; i < p->slots.count; i++) {
        const struct slot *s = &p->slots.data[i];
        if (s->kind == SLOT_VIEW && p->slots.data[s->outer].kind != SLOT_STATIC)
            vec_push(&p->late_views, (int)i);
    }
}

int plan_settle(struct builder *b, struct plan *p)
{
    for (size_t i = 0; i < p->steps.count; i++) {
        int code = settle_step(b, p, &p->steps.data[i]);
        if (code)
            return code;
    }
    for (size_t i = 0; i < p->slots.count; i++) {
        const struct slot *s = &p->slots.data[i];
        bool seen = s->kind == SLOT_CONST && (s->pinned || s->tapped);
        int code = seen ? settle_constant(b, p, (int)i) : 0;
        if (code)
            return code;
    }
    attach_taps(p);
    find_late_views(p);
    return 0;
}

/* ---- all of it ---- */

int plan_finish(struct builder *b, struct plan *p)
{
    int code = 0;
    for (size_t i = 0; !code && i < p->steps.count; i++)
        for (int g = 0; !code && g < p->steps.data[i].n_graphs; g++)
            code = plan_finish(b, p->steps.data[i].plans[g]);
    const struct exec_options *o = &b->session->exec->options;
    bool fast = o->engine == ENGINE_ONEDNN;
    if (!code && fast && !o->no_fusion)
        code = plan_fuse(b, p);
    compact(p);
    if (!code && fast)
        code = settle_unprepared(b, p);
    if (!code && fast)
        code = plan_lower(b, p);
    drop_unread(p);
    if (!code)
        code = plan_settle(b, p);
    return code ? code : plan_place(p, b->ctx);
}
