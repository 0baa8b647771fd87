/* Fusion at execution time: what follows a product is applied before the product is stored.
 *
 * Before:  t = Conv(x, w, b); y = Relu(t)             t read by nobody else
 * After:   y = Conv(x, w, b) with fused {RELU}        in the place of the Relu
 * When:    the product has a prepared form and is float32 of known shape; every value that vanishes
 * is private: read only inside the pattern, no output, no tap, not captured by a subgraph. Why it
 * is safe: the product moves down to the place of the pattern's last step; its inputs exist there,
 * and any other operand was made before the product itself. Numerics: as the unfused operators up
 * to one rounding per step that is saved.
 */
#include "exec/fuse.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

bool fuse_private(const struct fuser *f, int slot)
{
    const struct slot *s = &f->p->slots.data[slot];
    return s->kind == SLOT_STATIC && !s->pinned && !s->tapped && (size_t)slot < f->n_slots;
}

int fuse_only_reader(const struct fuser *f, int slot)
{
    if (!fuse_private(f, slot) || f->readers[slot].count != 1)
        return -1;
    int step = f->readers[slot].step[0];
    return f->p->steps.data[step].removed ? -1 : step;
}

bool fuse_is(const struct step *s, const char *op_type)
{
    return !s->removed && !s->dynamic && !s->fused && s->node && node_is(s->node, op_type);
}

bool fuse_scalar(const struct fuser *f, int slot, float *value)
{
    if (slot < 0)
        return false;
    const struct tensor *t = f->p->slots.data[slot].constant;
    if (!t || t->count != 1 || t->dtype != DT_FLOAT)
        return false;
    *value = (float)tensor_get(t, 0);
    return true;
}

bool fuse_same_dims(const struct fuser *f, int a, int b)
{
    return type_same(&f->p->slots.data[a].type, &f->p->slots.data[b].type);
}

static void add_reader(struct fuser *f, int slot, int step)
{
    struct readers *r = &f->readers[slot];
    if (r->count < FUSE_READERS)
        r->step[r->count] = step;
    r->count++;
}

/* A view of a value reads it at an unknown place: such values are not private. */
static void find_readers(struct fuser *f)
{
    struct plan *p = f->p;
    f->n_slots = p->slots.count;
    f->readers = mem_alloc((f->n_slots + 1) * sizeof *f->readers);
    for (int i = 0; i < (int)p->steps.count; i++)
        for (int k = 0; k < p->steps.data[i].n_in; k++)
            if (p->steps.data[i].in[k] >= 0)
                add_reader(f, p->steps.data[i].in[k], i);
    for (size_t i = 0; i < f->n_slots; i++)
        if (p->slots.data[i].kind == SLOT_VIEW)
            f->readers[p->slots.data[i].outer].count += FUSE_READERS + 1;
}

static bool is_product(const struct step *s)
{
    return s->op && s->op->fast && !s->dynamic && !s->removed && s->n_out >= 1 && s->out[0] >= 0 &&
           (fuse_is(s, "Conv") || fuse_is(s, "ConvTranspose") || fuse_is(s, "MatMul") ||
            fuse_is(s, "Gemm"));
}

static void relabel(struct plan *p, struct step *s, const struct match *m)
{
    char text[96];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", s->label);
    for (int i = 0; i < m->n_steps && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "+%s",
                                 p->steps.data[m->steps[i]].node->op_type);
    s->label = arena_string(p->arena, text);
}

/* The operand takes the next input slot after all the operator itself could have. */
static uint32_t add_operand(struct plan *p, struct step *s, int slot)
{
    int first = op_version_at(s->op, s->version)->max_in;
    int at = s->n_in > first ? s->n_in : first;
    int *in = arena_array(p->arena, (size_t)at + 1, sizeof *in);
    for (int i = 0; i < at; i++)
        in[i] = i < s->n_in ? s->in[i] : -1;
    in[at] = slot;
    s->in = in;
    s->n_in = at + 1;
    return (uint32_t)at;
}

/* Scales and shifts at the front go into the constants; of what follows, no kind may come twice
 * with other numbers: oneDNN 2.6 computes it wrongly (kernels/onednn/dnn_core.c). */
static enum fused_kind kind_of(const struct fused_step *s)
{
    if (s->kind == FUSED_HARD_SIGMOID)
        return FUSED_LINEAR; /* and CLIP, which is asked for apart */
    return s->kind == FUSED_LEAKY ? FUSED_RELU : s->kind;
}

static bool clash(const struct fused_step *x, const struct fused_step *y)
{
    if (x->kind == FUSED_ADD || x->kind == FUSED_MUL)
        return false;
    bool clips = (x->kind == FUSED_HARD_SIGMOID && y->kind == FUSED_CLIP) ||
                 (x->kind == FUSED_CLIP && y->kind == FUSED_HARD_SIGMOID);
    bool equal = memcmp(&x->a, &y->a, sizeof x->a) == 0 && memcmp(&x->b, &y->b, sizeof x->b) == 0;
    return clips || (kind_of(x) == kind_of(y) && (x->kind != y->kind || !equal));
}

static bool folds(const struct fused_step *s) { return s->kind == FUSED_LINEAR || s->per_channel; }

static bool may_follow(const struct fused *f, const struct match *m)
{
    int first = 0;
    while (f && first < f->n && folds(&f->steps[first]))
        first++;
    bool front = !f || first == f->n;
    for (int i = 0; i < m->n_fused; i++) {
        const struct fused_step *s = &m->fused[i];
        front &= folds(s);
        if (front)
            continue;
        if (s->per_channel)
            return false;
        if (f && f->n && i == 0 && s->kind == FUSED_LINEAR &&
            f->steps[f->n - 1].kind == FUSED_LINEAR)
            continue; /* becomes one with it */
        for (int k = first; f && k < f->n; k++)
            if (clash(&f->steps[k], s))
                return false;
    }
    return true;
}

static void append(struct fused *f, const struct fused_step *s)
{
    struct fused_step *last = f->n ? &f->steps[f->n - 1] : NULL;
    if (!last || last->kind != FUSED_LINEAR || s->kind != FUSED_LINEAR) {
        f->steps[f->n++] = *s;
        return;
    }
    last->b = last->b * s->a + s->b;
    last->a *= s->a;
}

/* Step `from` absorbs the match and moves to its last step's place, which is returned. */
static int absorb(struct fuser *f, int from, const struct match *m)
{
    struct plan *p = f->p;
    struct step s = p->steps.data[from];
    int last = m->steps[m->n_steps - 1];
    if (!s.fused)
        s.fused = arena_alloc(p->arena, sizeof *s.fused);
    relabel(p, &s, m);
    for (int i = 0; i < m->n_fused; i++) {
        struct fused_step step = m->fused[i];
        if (m->extra[i] >= 0)
            step.input = add_operand(p, &s, m->extra[i]);
        append(s.fused, &step);
    }
    p->steps.data[from].removed = true;
    for (int i = 0; i < m->n_steps; i++)
        p->steps.data[m->steps[i]].removed = true;
    s.out[0] = m->out;
    p->slots.data[m->out].producer = last;
    p->steps.data[last] = s;
    return last;
}

static bool float_output(const struct plan *p, const struct step *s)
{
    const struct slot *out = &p->slots.data[s->out[0]];
    return out->kind == SLOT_STATIC && out->type.dtype == DT_FLOAT;
}

int plan_fuse(struct builder *b, struct plan *p)
{
    struct fuser f = {.b = b, .p = p};
    find_readers(&f);
    for (int i = 0; i < (int)p->steps.count; i++)
        fuse_pad(&f, i);
    for (int i = 0; i < (int)p->steps.count; i++) {
        int at = i, first = i;
        if (!is_product(&p->steps.data[i]) || !float_output(p, &p->steps.data[i]))
            continue;
        for (;;) {
            struct match m;
            const struct step *s = &p->steps.data[at];
            int room = FUSED_MAX - (s->fused ? s->fused->n : 0);
            if (!fuse_match(&f, s->out[0], first, &m) || m.n_fused > room ||
                !may_follow(s->fused, &m))
                break;
            at = absorb(&f, at, &m);
        }
    }
    mem_free(f.readers);
    return 0;
}
