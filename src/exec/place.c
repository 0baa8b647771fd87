/* The activation planner: when each value lives, who takes over whose bytes, and where in the one
 * block each stands.
 *
 * Time is the step number. A place is used from the step that writes it to the last step that reads
 * it or a view of it; n_steps for what the caller gets. An elementwise step writes over an input
 * that nobody reads later. Places are then put at offsets, largest first, each into the smallest
 * gap left by those that live at the same time (greedy by size: Pisarchyk and Lee, "Efficient
 * Memory Management for Deep Neural Net Inference", 2020). Above GREEDY_MAX places they are taken
 * in order of time instead, which needs to look at the living ones only.
 *
 * Invariant: two places that live at the same time do not overlap. A slot's storage is the slot
 * that owns the place; owners own themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "exec/plan.h"

enum { GREEDY_MAX = 4096, PLACE_ALIGN = 64 };

struct place {
    int slot, first, last;
    size_t bytes, offset;
};

static size_t rounded(size_t bytes)
{
    return (bytes + PLACE_ALIGN - 1) & ~(size_t)(PLACE_ALIGN - 1);
}

static int root_of(const struct plan *p, int slot)
{
    return p->slots.data[slot].kind == SLOT_VIEW ? p->slots.data[slot].outer : slot;
}

/* ---- lifetimes ---- */

static void touch(struct plan *p, int slot, int step)
{
    if (slot < 0)
        return;
    struct slot *s = &p->slots.data[slot];
    s->uses++;
    if (s->last < step)
        s->last = step;
    struct slot *root = &p->slots.data[root_of(p, slot)];
    if (root->last < step)
        root->last = step;
}

static void touch_captures(struct plan *p, const struct plan *inner, int step)
{
    for (size_t i = 0; i < inner->slots.count; i++)
        if (inner->slots.data[i].kind == SLOT_CAPTURE)
            touch(p, inner->slots.data[i].outer, step);
}

static void find_lifetimes(struct plan *p)
{
    int n = (int)p->steps.count;
    for (size_t i = 0; i < p->slots.count; i++) {
        p->slots.data[i].last = p->slots.data[i].producer;
        p->slots.data[i].uses = 0;
    }
    for (int i = 0; i < n; i++) {
        const struct step *s = &p->steps.data[i];
        for (int k = 0; k < s->n_in; k++)
            touch(p, s->in[k], i);
        for (int k = 0; k < s->n_graphs; k++)
            touch_captures(p, s->plans[k], i);
    }
    for (size_t i = 0; i < p->outputs.count; i++)
        touch(p, p->outputs.data[i], n);
}

static void find_dying(struct plan *p)
{
    int n = (int)p->steps.count;
    int *count = mem_alloc(((size_t)n + 1) * sizeof *count);
    for (size_t i = 0; i < p->slots.count; i++)
        if (p->slots.data[i].kind == SLOT_DYNAMIC && p->slots.data[i].last < n)
            count[p->slots.data[i].last]++;
    for (int i = 0; i < n; i++)
        p->steps.data[i].dying = arena_array(p->arena, (size_t)count[i], sizeof(int));
    for (size_t i = 0; i < p->slots.count; i++) {
        if (p->slots.data[i].kind != SLOT_DYNAMIC || p->slots.data[i].last >= n)
            continue;
        struct step *s = &p->steps.data[p->slots.data[i].last];
        s->dying[s->n_dying++] = (int)i;
    }
    mem_free(count);
}

/* ---- in place ---- */

static bool same_extent(const struct type *a, const struct type *b)
{
    if (dtype_bits(a->dtype) != dtype_bits(b->dtype) || a->dtype == DT_STRING ||
        b->dtype == DT_STRING)
        return false;
    int lead = b->rank - a->rank;
    for (int i = 0; i < lead; i++)
        if (!dim_equals(b->dims[i], 1))
            return false;
    for (int i = 0; i < a->rank && lead >= 0; i++)
        if (a->dims[i] != b->dims[i + lead])
            return false;
    return lead >= 0;
}

/* May step i write its output over input k? Every other input with the same bytes must be read in
 * the same order, element by element. */
static bool overwrites(const struct plan *p, const struct step *s, int i, int k)
{
    if (s->in[k] < 0)
        return false;
    const struct slot *out = &p->slots.data[s->out[0]];
    int root = root_of(p, s->in[k]);
    const struct slot *in = &p->slots.data[root];
    if (in->kind != SLOT_STATIC || p->slots.data[in->storage].last != i || in->last != i)
        return false;
    if (!same_extent(&p->slots.data[s->in[k]].type, &out->type))
        return false;
    for (int j = 0; j < s->n_in; j++)
        if (s->in[j] >= 0 && root_of(p, s->in[j]) == root &&
            !same_extent(&p->slots.data[s->in[j]].type, &out->type))
            return false;
    return true;
}

static void share_places(struct plan *p)
{
    for (int i = 0; i < (int)p->steps.count; i++) {
        const struct step *s = &p->steps.data[i];
        if (s->dynamic || !s->op || !(s->op->traits & OP_ELEMENTWISE) || s->n_out != 1 ||
            s->out[0] < 0 || s->n_graphs || p->slots.data[s->out[0]].kind != SLOT_STATIC)
            continue;
        /* variadic operators take their inputs one after the other */
        int most = op_version_at(s->op, s->version)->max_in < 0 ? 1 : s->n_in;
        for (int k = 0; k < most && k < s->n_in; k++) {
            if (!overwrites(p, s, i, k))
                continue;
            struct slot *out = &p->slots.data[s->out[0]];
            out->storage = p->slots.data[root_of(p, s->in[k])].storage;
            p->slots.data[out->storage].last = out->last;
            break;
        }
    }
}

/* ---- offsets ---- */

static int by_size(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->slot - y->slot;
}

static int by_time(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->first != y->first ? x->first - y->first : x->slot - y->slot;
}

/* The smallest gap that takes `want`, among the placed ones (sorted by offset) that live meanwhile.
 */
static size_t find_gap(const struct place *placed, size_t n, const struct place *want)
{
    size_t end = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const struct place *q = &placed[i];
        if (q->last < want->first || q->first > want->last)
            continue;
        if (q->offset >= end && q->offset - end >= want->bytes && q->offset - end < best_gap) {
            best = end;
            best_gap = q->offset - end;
        }
        if (q->offset + q->bytes > end)
            end = q->offset + q->bytes;
    }
    return best == SIZE_MAX ? end : best;
}

static size_t insert_place(struct place *placed, size_t n, struct place item)
{
    size_t at = n;
    while (at > 0 && placed[at - 1].offset > item.offset) {
        placed[at] = placed[at - 1];
        at--;
    }
    placed[at] = item;
    return n + 1;
}

static size_t forget_dead(struct place *placed, size_t n, int now)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (placed[i].last >= now)
            placed[kept++] = placed[i];
    return kept;
}

static void assign_offsets(struct plan *p, struct place *places, size_t n)
{
    bool timed = n > GREEDY_MAX;
    qsort(places, n, sizeof *places, timed ? by_time : by_size);
    struct place *placed = mem_alloc((n + 1) * sizeof *placed);
    size_t n_placed = 0;
    for (size_t i = 0; i < n; i++) {
        if (timed)
            n_placed = forget_dead(placed, n_placed, places[i].first);
        places[i].offset = find_gap(placed, n_placed, &places[i]);
        n_placed = insert_place(placed, n_placed, places[i]);
        p->slots.data[places[i].slot].offset = places[i].offset;
        if (places[i].offset + places[i].bytes > p->block_bytes)
            p->block_bytes = places[i].offset + places[i].bytes;
    }
    mem_free(placed);
}

static void add_workspaces(struct plan *p, int threads)
{
    for (int i = 0; i < (int)p->steps.count; i++) {
        struct step *s = &p->steps.data[i];
        size_t bytes = s->workspace_bytes * (size_t)threads;
        for (int k = 0; k < s->n_graphs; k++)
            if (s->plans[k]->block_bytes > bytes)
                bytes = s->plans[k]->block_bytes;
        if (!bytes)
            continue;
        s->workspace = plan_slot(p, SLOT_TEMP, NULL, NULL);
        struct slot *w = &p->slots.data[s->workspace];
        w->bytes = bytes;
        w->producer = w->last = i;
    }
}

int plan_place(struct plan *p, struct ctx *ctx)
{
    find_lifetimes(p);
    find_dying(p);
    share_places(p);
    add_workspaces(p, ctx->pool ? pool_threads(ctx->pool) : 1);
    struct place *places = mem_alloc((p->slots.count + 1) * sizeof *places);
    size_t n = 0;
    for (size_t i = 0; i < p->slots.count; i++) {
        const struct slot *s = &p->slots.data[i];
        if ((s->kind == SLOT_STATIC || s->kind == SLOT_TEMP) && s->storage == (int)i && s->bytes &&
            s->producer >= 0)
            places[n++] = (struct place){(int)i, s->producer, s->last, rounded(s->bytes), 0};
    }
    assign_offsets(p, places, n);
    for (size_t i = 0; i < p->slots.count; i++)
        p->slots.data[i].offset = p->slots.data[p->slots.data[i].storage].offset;
    mem_free(places);
    return 0;
}
