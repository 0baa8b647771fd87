/* Changing the weights and biases of the layers that take over an affine; see linear.h. */
#include "base/num.h"
#include "rewrite/linear.h"

/* ---- the weight ---- */

static struct tensor *scaled_by_pair(struct model *m, const struct tensor *w,
                                     const struct channels *c, const struct affine *f)
{
    struct tensor *y = tensor_new(m->arena, w->dtype, w->rank, w->dims);
    int64_t run = y->count ? y->count / (w->dims[0] * w->dims[1]) : 0;
    for (int64_t i = 0; i < y->count; i++) {
        int64_t pair = i / run, i0 = pair / w->dims[1], i1 = pair % w->dims[1];
        double s = affine_scale(f, i0 / c->outer * c->inner + i1);
        num_set(tensor_writable(y), y->dtype, i, tensor_get(w, i) * s);
    }
    return y;
}

static struct tensor *scaled(struct fold *p, struct model *m, const struct tensor *w,
                             const struct channels *c, const struct affine *f)
{
    if (f->n == 1)
        return recipe_affine(m, w, 0, 1, f->scale, NULL);
    if (c->axis >= 0)
        return recipe_affine(m, w, c->axis, f->n, f->scale, NULL);
    if (c->inner != 1)
        return scaled_by_pair(m, w, c, f);
    double *scale = arena_array(p->scratch, (size_t)w->dims[0] + 1, sizeof *scale);
    for (int64_t i = 0; i < w->dims[0]; i++)
        scale[i] = f->scale[i / c->outer];
    return recipe_affine(m, w, 0, w->dims[0], scale, NULL);
}

/* ---- the bias ---- */

static int64_t channel_of(const struct channels *c, const struct tensor *w, int64_t element)
{
    int64_t rest = 1;
    if (c->axis < 0) {
        for (int i = 2; i < w->rank; i++)
            rest *= w->dims[i];
        int64_t pair = element / rest;
        return pair / w->dims[1] / c->outer * c->inner + pair % w->dims[1];
    }
    for (int i = c->axis + 1; i < w->rank; i++)
        rest *= w->dims[i];
    return element / rest % w->dims[c->axis];
}

/* What the shift of the input adds to each output: the sum of w * shift[in]. */
static double *shifted_through(struct fold *p, const struct linear *l, const struct affine *f)
{
    const struct tensor *w = constant_of(l->layer->inputs[1].value);
    double alpha = node_is(l->layer, "Gemm") ? (double)node_float(l->layer, "alpha", 1) : 1;
    double *sum = arena_array(p->scratch, (size_t)l->out.count + 1, sizeof *sum);
    for (int64_t i = 0; i < w->count; i++) {
        double shift = affine_shift(f, channel_of(&l->in, w, i));
        sum[channel_of(&l->out, w, i)] += alpha * tensor_get(w, i) * shift;
    }
    return sum;
}

static struct tensor *repeated(struct model *m, const struct tensor *t, enum dtype dtype, int64_t n)
{
    struct tensor *y = tensor_new(m->arena, dtype, 1, &n);
    for (int64_t i = 0; t && i < n; i++)
        num_set(tensor_writable(y), dtype, i, tensor_get(t, 0));
    return y;
}

/* old * beta * scale + shift along its last axis; n: 1 or the channels. */
static struct tensor *new_bias(struct fold *p, const struct linear *l, int64_t n,
                               const double *scale, const double *shift)
{
    struct model *m = l->layer->graph->model;
    const struct tensor *old = l->bias ? l->bias->constant : NULL;
    const struct tensor *w = constant_of(l->layer->inputs[1].value);
    bool single = !old || (old->count == 1 && l->out.count != 1);
    const struct tensor *base = old;
    if (single && (!old || n > 1))
        base = repeated(m, old, old ? old->dtype : w->dtype, l->out.count);
    double *factor = arena_array(p->scratch, (size_t)n + 1, sizeof *factor);
    for (int64_t i = 0; i < n; i++)
        factor[i] = l->beta * (scale ? scale[i] : 1);
    return recipe_affine(m, base, base->rank - 1, n, factor, shift);
}

static uint32_t slot_of(const struct node *n, const struct value *v)
{
    return n->inputs[0].value == v ? 0 : 1;
}

/* The bias keeps the name of the old one; without an old one it takes the hint's. */
static void add_bias(struct fold *p, struct node *layer, struct tensor *t)
{
    struct value *name = (struct value *)p->hint;
    node_resize_inputs(layer, layer->n_inputs < 3 ? 3 : layer->n_inputs);
    if (name && name->n_uses == 1 && !name->is_input && name->graph == layer->graph)
        value_set_constant(name, t);
    else
        name = constant_new(layer, t, name);
    node_set_input(layer, 2, name);
    if (node_is(layer, "MatMul"))
        node_set_op(layer, "Gemm", "");
}

static void set_bias(struct fold *p, const struct linear *l, struct tensor *t)
{
    if (l->add)
        constant_replace(l->add, slot_of(l->add, l->bias), t);
    else if (l->bias)
        constant_replace(l->layer, 2, t);
    else
        add_bias(p, l->layer, t);
    if (l->beta != 1)
        node_drop_attr(l->layer, "beta");
}

/* ---- parts ---- */

static void apply_backward(struct fold *p, const struct linear *l, const struct affine *f)
{
    struct model *m = l->layer->graph->model;
    if (f->shifts || l->bias)
        set_bias(p, l, new_bias(p, l, f->n, f->scale, f->shift));
    if (f->scales)
        constant_replace(l->layer, 1,
                         scaled(p, m, constant_of(l->layer->inputs[1].value), &l->out, f));
}

static void apply_forward(struct fold *p, const struct linear *l, const struct affine *f)
{
    struct model *m = l->layer->graph->model;
    if (f->shifts)
        set_bias(p, l, new_bias(p, l, l->out.count, NULL, shifted_through(p, l, f)));
    if (f->scales)
        constant_replace(l->layer, 1,
                         scaled(p, m, constant_of(l->layer->inputs[1].value), &l->in, f));
}

void fold_apply(struct fold *p)
{
    for (size_t i = 0; i < p->parts.count; i++) {
        struct fold_part *part = &p->parts.data[i];
        if (part->forward)
            apply_forward(p, &part->l, &part->f);
        else
            apply_backward(p, &part->l, &part->f);
    }
    for (size_t i = 0; i < p->between.count; i++)
        value_rename(p->between.data[i]);
}
