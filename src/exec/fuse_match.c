/* The patterns. Each looks at what reads one slot and says what it amounts to; names of values
 * never matter. Requirements on a new pattern: it proves that everything between `from` and `out`
 * is private, lists its steps in plan order, and equals the operators for every input, NaN
 * included, up to rounding.
 */
#include <math.h>
#include <string.h>

#include "exec/fuse.h"

static const struct step *step_at(const struct fuser *f, int i) { return &f->p->steps.data[i]; }

static void put(struct match *m, struct fused_step step, int extra)
{
    m->extra[m->n_fused] = extra;
    m->fused[m->n_fused++] = step;
}

static bool finish(struct match *m, const struct fuser *f, int step)
{
    m->steps[m->n_steps++] = step;
    m->out = step_at(f, step)->out[0];
    return f->p->slots.data[m->out].kind == SLOT_STATIC &&
           f->p->slots.data[m->out].type.dtype == DT_FLOAT;
}

/* ---- one input, no parameters but attributes ---- */

static bool clip_bounds(const struct fuser *f, const struct step *s, float *low, float *high)
{
    *low = -INFINITY;
    *high = INFINITY;
    if (s->version < 11) {
        *low = node_float(s->node, "min", -3.402823466e+38f); /* Clip-6: the float range */
        *high = node_float(s->node, "max", 3.402823466e+38f);
        return true;
    }
    bool ok = s->n_in < 2 || s->in[1] < 0 || fuse_scalar(f, s->in[1], low);
    return ok && (s->n_in < 3 || s->in[2] < 0 || fuse_scalar(f, s->in[2], high));
}

static bool is_hard_swish(float alpha, float beta)
{
    return fabsf(alpha - 1.0f / 6.0f) <= 1e-6f && beta == 0.5f; /* exporters write 0.1667 as well,
                                                                   which is another function */
}

static bool match_unary(struct fuser *f, const struct step *s, struct match *m)
{
    struct fused_step x = {0};
    if (fuse_is(s, "Relu")) {
        x.kind = FUSED_RELU;
    } else if (fuse_is(s, "Clip")) {
        x.kind = FUSED_CLIP;
        if (!clip_bounds(f, s, &x.a, &x.b) || !(x.a <= x.b))
            return false;
    } else if (fuse_is(s, "LeakyRelu")) {
        x.kind = FUSED_LEAKY;
        x.a = node_float(s->node, "alpha", 0.01f);
    } else if (fuse_is(s, "Sigmoid")) {
        x.kind = FUSED_SIGMOID;
    } else if (fuse_is(s, "Tanh")) {
        x.kind = FUSED_TANH;
    } else if (fuse_is(s, "HardSigmoid")) {
        x.kind = FUSED_HARD_SIGMOID;
        x.a = node_float(s->node, "alpha", 0.2f);
        x.b = node_float(s->node, "beta", 0.5f);
    } else if (fuse_is(s, "HardSwish")) {
        x.kind = FUSED_HARD_SWISH;
    } else if (fuse_is(s, "Gelu")) {
        x.kind =
            node_string_is(s->node, "approximate", "none", "tanh") ? FUSED_GELU_TANH : FUSED_GELU;
    } else {
        return false;
    }
    put(m, x, -1);
    return true;
}

/* ---- two inputs ---- */

/* Index of the other input of a two-input step that reads `from` once; -1. */
static int other_input(const struct step *s, int from)
{
    if (s->n_in != 2 || s->in[0] == s->in[1] || s->in[0] < 0 || s->in[1] < 0)
        return -1;
    return s->in[0] == from ? s->in[1] : s->in[0];
}

/* A constant with one number per channel of `out`: dims 1 but along the channel axis, which is 1
 * for convolutions and the last for matrix products. */
static bool per_channel(const struct fuser *f, int slot, int out, bool last_axis)
{
    const struct slot *s = &f->p->slots.data[slot];
    const struct type *t = &f->p->slots.data[out].type;
    if (s->kind != SLOT_CONST || s->type.dtype != DT_FLOAT || s->type.rank > t->rank)
        return false;
    int axis = last_axis ? t->rank - 1 : 1, lead = t->rank - s->type.rank;
    for (int i = 0; i < s->type.rank; i++)
        if (i + lead == axis ? s->type.dims[i] != t->dims[axis] : !dim_equals(s->type.dims[i], 1))
            return false;
    return axis >= lead;
}

static bool is_conv(const struct fuser *f, int from)
{
    const struct step *s = step_at(f, f->p->slots.data[from].producer);
    return node_is(s->node, "Conv") || node_is(s->node, "ConvTranspose");
}

static bool match_binary(struct fuser *f, int from, int before, const struct step *s,
                         struct match *m)
{
    bool add = fuse_is(s, "Add") || fuse_is(s, "Sum"), mul = fuse_is(s, "Mul");
    int other = add || mul ? other_input(s, from) : -1;
    float c;
    if (other < 0 || !fuse_same_dims(f, from, s->out[0]))
        return false;
    if (fuse_scalar(f, other, &c)) {
        put(m, (struct fused_step){FUSED_LINEAR, add ? 1 : c, add ? c : 0, 0, false}, -1);
        return true;
    }
    struct fused_step x = {.kind = add ? FUSED_ADD : FUSED_MUL};
    if (per_channel(f, other, from, !is_conv(f, from))) {
        x.per_channel = true;
        put(m, x, other);
        return true;
    }
    const struct slot *o = &f->p->slots.data[other];
    if (!add || o->kind == SLOT_CONST || !fuse_same_dims(f, other, from) || o->producer >= before)
        return false;
    put(m, x, other);
    return true;
}

/* Division and subtraction by a known number. */
static bool match_scalar(struct fuser *f, int from, const struct step *s, struct match *m)
{
    float c;
    if (s->n_in != 2 || s->in[0] != from || !fuse_same_dims(f, from, s->out[0]))
        return false;
    if (fuse_is(s, "Sub") && fuse_scalar(f, s->in[1], &c))
        put(m, (struct fused_step){FUSED_LINEAR, 1, -c, 0, false}, -1);
    else if (fuse_is(s, "Div") && fuse_scalar(f, s->in[1], &c) && c != 0)
        put(m, (struct fused_step){FUSED_LINEAR, 1 / c, 0, 0, false}, -1);
    else
        return false;
    return true;
}

/* ---- normalization with known statistics ---- */

/* BatchNormalization at inference: y = x * s + (bias - mean * s), s = scale / sqrt(var + epsilon).
 */
static bool match_batch_norm(struct fuser *f, int from, const struct step *s, struct match *m)
{
    if (!fuse_is(s, "BatchNormalization") || s->n_in < 5 || s->in[0] != from ||
        node_int(s->node, "training_mode", 0) || !is_conv(f, from))
        return false;
    const struct tensor *t[5] = {0};
    for (int i = 1; i < 5; i++) {
        t[i] = s->in[i] >= 0 ? f->p->slots.data[s->in[i]].constant : NULL;
        if (!t[i] || t[i]->dtype != DT_FLOAT || t[i]->rank != 1 || t[i]->count != t[1]->count)
            return false;
    }
    struct tensor *mul = tensor_new(f->p->arena, DT_FLOAT, 1, t[1]->dims);
    struct tensor *add = tensor_new(f->p->arena, DT_FLOAT, 1, t[1]->dims);
    double epsilon = node_float(s->node, "epsilon", 1e-5f);
    float *scale = tensor_writable(mul), *shift = tensor_writable(add);
    for (int64_t c = 0; c < t[1]->count; c++) {
        double k = tensor_get(t[1], c) / sqrt(tensor_get(t[4], c) + epsilon);
        scale[c] = (float)k;
        shift[c] = (float)(tensor_get(t[2], c) - tensor_get(t[3], c) * k);
    }
    put(m, (struct fused_step){.kind = FUSED_MUL, .per_channel = true},
        plan_const(f->p, NULL, mul));
    put(m, (struct fused_step){.kind = FUSED_ADD, .per_channel = true},
        plan_const(f->p, NULL, add));
    return true;
}

/* ---- x * g(x) ---- */

/* from is read by a chain that ends in Mul(from, chain): returns the Mul, -1. The chain's steps so
 * far are in m; `slot` is what the chain gives. */
static int closing_mul(struct fuser *f, int from, int slot)
{
    int mul = fuse_only_reader(f, slot);
    if (mul < 0 || !fuse_is(step_at(f, mul), "Mul"))
        return -1;
    int other = other_input(step_at(f, mul), from);
    return other == slot ? mul : -1;
}

static bool match_gate(struct fuser *f, int from, int gate, struct match *m)
{
    const struct step *g = step_at(f, gate);
    int mul = g->n_in >= 1 && g->in[0] == from ? closing_mul(f, from, g->out[0]) : -1;
    struct fused_step x = {0};
    if (mul < 0)
        return false;
    if (fuse_is(g, "Sigmoid")) {
        x.kind = FUSED_SWISH;
        x.a = 1;
    } else if (fuse_is(g, "HardSigmoid") && is_hard_swish(node_float(g->node, "alpha", 0.2f),
                                                          node_float(g->node, "beta", 0.5f))) {
        x.kind = FUSED_HARD_SWISH;
    } else {
        return false;
    }
    put(m, x, -1);
    m->steps[m->n_steps++] = gate;
    return finish(m, f, mul);
}

/* x * Clip(x + 3, 0, 6) / 6, the division before or after the product. */
static bool match_relu6_gate(struct fuser *f, int from, int add, struct match *m)
{
    float three, low, high, six;
    const struct step *s = step_at(f, add);
    int other = fuse_is(s, "Add") ? other_input(s, from) : -1;
    if (other < 0 || !fuse_scalar(f, other, &three) || three != 3)
        return false;
    int clip = fuse_only_reader(f, s->out[0]);
    if (clip < 0 || !fuse_is(step_at(f, clip), "Clip") ||
        !clip_bounds(f, step_at(f, clip), &low, &high) || low != 0 || high != 6)
        return false;
    int slot = step_at(f, clip)->out[0];
    int next = fuse_only_reader(f, slot), mul = closing_mul(f, from, slot), div = -1;
    if (mul >= 0) {
        div = fuse_only_reader(f, step_at(f, mul)->out[0]);
    } else {
        div = next;
        mul = div >= 0 ? closing_mul(f, from, step_at(f, div)->out[0]) : -1;
    }
    if (mul < 0 || div < 0)
        return false;
    const struct step *d = step_at(f, div);
    bool divides = fuse_is(d, "Div") && d->n_in == 2 && fuse_scalar(f, d->in[1], &six) && six == 6;
    if (!divides && fuse_is(d, "Mul") && d->n_in == 2)
        divides = (fuse_scalar(f, d->in[1], &six) || fuse_scalar(f, d->in[0], &six)) &&
                  fabsf(six - 1.0f / 6.0f) < 1e-7f;
    if (!divides)
        return false;
    put(m, (struct fused_step){.kind = FUSED_HARD_SWISH}, -1);
    m->steps[m->n_steps++] = add;
    m->steps[m->n_steps++] = clip;
    m->steps[m->n_steps++] = div < mul ? div : mul;
    return finish(m, f, div < mul ? mul : div);
}

static bool match_two_readers(struct fuser *f, int from, struct match *m)
{
    const struct readers *r = &f->readers[from];
    if (!fuse_private(f, from) || r->count != 2)
        return false;
    for (int i = 0; i < 2; i++)
        if (match_gate(f, from, r->step[i], m) || match_relu6_gate(f, from, r->step[i], m))
            return true;
    return false;
}

bool fuse_match(struct fuser *f, int from, int before, struct match *m)
{
    *m = (struct match){.out = -1};
    int reader = fuse_only_reader(f, from);
    if (reader < 0)
        return match_two_readers(f, from, m);
    const struct step *s = step_at(f, reader);
    if (s->n_out < 1 || s->out[0] < 0 || s->n_in < 1)
        return false;
    bool found = s->in[0] == from && match_unary(f, s, m);
    if (!found)
        found = match_binary(f, from, before, s, m) || match_scalar(f, from, s, m) ||
                match_batch_norm(f, from, s, m);
    return found && finish(m, f, reader);
}
