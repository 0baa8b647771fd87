/* The way of an affine from where it stands to the layers that take it over; see linear.h.
 *
 * On the way back from v only what has no other reader is changed, on the way forward every reader
 * of v is. A channel keeps its place through a view when the dims before it are the same, ones left
 * aside.
 */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "rewrite/linear.h"

enum { MAX_DEPTH = 32, PRODUCT_DEPTH = 12, MAX_PARTS = 64 };

/* ---- will the numbers still fit ---- */

/* Beyond these factors the largest and smallest numbers of the weight are looked at. */
static const double EASY_SCALE = 0x1p32;

static bool is_half(enum dtype t) { return t == DT_FLOAT16 || t == DT_BFLOAT16; }

static bool easy(const struct linear *l, const struct affine *f)
{
    if (is_half(l->layer->inputs[1].value->constant->dtype))
        return false;
    for (int64_t i = 0; i < f->n; i++) {
        double s = fabs(f->scale[i]), t = fabs(f->shift[i]);
        if (s > EASY_SCALE || (s > 0 && s < 1 / EASY_SCALE) || t > EASY_SCALE)
            return false;
    }
    return true;
}

static double largest_abs(const struct tensor *t)
{
    double most = 0;
    for (int64_t i = 0; i < t->count; i++)
        most = fmax(most, fabs(tensor_get(t, i)));
    return most;
}

/* Coarse on purpose: the largest weight against the largest factor. The smallest factor must leave
 * most bits of the largest weight (16 steps above where the type loses them). */
static bool fits(const struct linear *l, const struct affine *f)
{
    if (easy(l, f))
        return true;
    const struct tensor *w = l->layer->inputs[1].value->constant;
    double most = 0, least = INFINITY, shift = 0, x = largest_abs(w);
    for (int64_t i = 0; i < f->n; i++) {
        most = fmax(most, fabs(f->scale[i]));
        shift = fmax(shift, fabs(f->shift[i]));
        if (f->scale[i] != 0) /* exact on purpose */
            least = fmin(least, fabs(f->scale[i]));
    }
    double bias = l->bias ? largest_abs(l->bias->constant) * fabs(l->beta) : 0;
    double highest = w->dtype == DT_FLOAT16 ? 65504 : w->dtype == DT_DOUBLE ? 0x1p1023 : 0x1p127;
    double lowest = w->dtype == DT_FLOAT16 ? 0x1p-10 : w->dtype == DT_DOUBLE ? 0x1p-1018 : 0x1p-122;
    return x * most <= highest && bias * most + shift <= highest &&
           (x == 0 || isinf(least) || x * least >= lowest); /* exact on purpose */
}

static const char *add_part(struct fold *p, const struct linear *l, const struct affine *f,
                            bool forward)
{
    if (p->parts.count >= MAX_PARTS)
        return "it would change too many layers at once";
    if (!fits(l, f))
        return "the weight would leave the range of its type";
    vec_push(&p->parts, ((struct fold_part){*l, *f, forward}));
    return NULL;
}

/* ---- channels through views ---- */

static bool is_one(dim_t d)
{
    int64_t size;
    return dim_is_const(d, &size) && size == 1;
}

/* The axis of b that continues where `axis` of a begins: the dims before are the same. -1: none. */
static int axis_across(const struct value *a, const struct value *b, int axis)
{
    int k = 0, rank = value_rank(b);
    if (value_rank(a) < 0 || rank < 0)
        return -1;
    for (int i = 0; i < axis; i++) {
        if (is_one(a->type.dims[i]))
            continue;
        while (k < rank && is_one(b->type.dims[k]))
            k++;
        if (k >= rank || !a->type.dims[i] || a->type.dims[i] != b->type.dims[k])
            return -1;
        k++;
    }
    while (k < rank && is_one(b->type.dims[k]))
        k++;
    return k < rank ? k : -1;
}

static bool is_view(const struct node *n)
{
    return node_is_onnx(n) && n->op->traits & OP_VIEW && node_input(n, 0) && node_output(n, 0);
}

/* f behind the view, said of what is before it. */
static bool before_view(const struct node *n, const struct affine *f, struct affine *out)
{
    const struct value *x = n->inputs[0].value, *y = n->outputs[0];
    int64_t size;
    *out = *f;
    if (f->n == 1)
        return true;
    out->axis = axis_across(y, x, f->axis);
    return out->axis >= 0 && value_dim(x, out->axis, &size) && size == f->n;
}

/* f before the view, said of what is behind it: its axis may hold the axes after it as well. */
static bool behind_view(struct fold *p, const struct node *n, const struct affine *f,
                        struct affine *out)
{
    const struct value *x = n->inputs[0].value, *y = n->outputs[0];
    int64_t size, inner, times = 1;
    *out = *f;
    if (f->n == 1)
        return true;
    int axis = axis_across(x, y, f->axis);
    if (axis < 0 || !value_dim(y, axis, &size))
        return false;
    for (int i = f->axis + 1; i < value_rank(x) && times < size / f->n; i++)
        if (!value_dim(x, i, &inner) || inner < 1 || __builtin_mul_overflow(times, inner, &times))
            return false;
    if (size != times * f->n)
        return false;
    *out = affine_repeated(f, times, p->scratch);
    out->axis = axis;
    return true;
}

/* ---- backwards ---- */

static const char *walk_back(struct fold *p, struct value *v, const struct affine *f, int depth);

static void changes(struct fold *p, struct value *v, int depth)
{
    if (depth) /* what stands before the affine itself goes with it */
        vec_push(&p->between, v);
}

static const char *step_back(struct fold *p, struct value *v, struct value *x,
                             const struct affine *f, int depth)
{
    changes(p, v, depth);
    return walk_back(p, x, f, depth + 1);
}

static const char *through_concat(struct fold *p, struct value *v, const struct affine *f,
                                  int depth)
{
    const struct node *n = v->producer;
    int axis = axis_within(node_int(n, "axis", 0), value_rank(v));
    int64_t first = 0, size;
    changes(p, v, depth);
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        struct value *x = n->inputs[i].value;
        struct affine part = *f;
        if (f->n > 1 && axis == f->axis) {
            if (!value_dim(x, axis, &size) || size > f->n - first)
                return "the channels of an operand of Concat are not known";
            part = affine_part(f, first, size);
            first += size;
        }
        const char *problem = walk_back(p, x, &part, depth + 1);
        if (problem)
            return problem;
    }
    return NULL;
}

static const char *through_transpose(struct fold *p, struct value *v, const struct affine *f,
                                     int depth)
{
    const struct node *n = v->producer;
    struct affine before = *f;
    const int64_t *perm;
    uint32_t count;
    if (f->n > 1) {
        if (!node_ints(n, "perm", &perm, &count) || (int64_t)f->axis >= count)
            return LINEAR_NONE_BEFORE;
        before.axis = (int)perm[f->axis];
    }
    return step_back(p, v, n->inputs[0].value, &before, depth);
}

/* (a b) s = (a s) b: a single factor goes into what computes a, or else b. */
static const char *through_product(struct fold *p, struct value *v, const struct affine *f,
                                   int depth)
{
    const struct node *n = v->producer;
    if (f->n > 1 || f->shifts)
        return "the weight of the layer is not constant";
    changes(p, v, depth);
    size_t parts = p->parts.count, between = p->between.count;
    for (uint32_t i = 0; i < 2; i++) {
        if (!walk_back(p, n->inputs[i].value, f, depth + PRODUCT_DEPTH))
            return NULL;
        p->parts.count = parts;
        p->between.count = between;
    }
    return "the weight of the layer is not constant";
}

static const char *into_layer(struct fold *p, struct value *v, const struct affine *f, int depth)
{
    struct linear l;
    const char *problem = linear_producing(&l, v);
    if (problem)
        return problem;
    if (f->n > 1 && f->axis != l.out_axis)
        return "its channels run along another axis than the layer's";
    if (f->n > 1 && f->n != l.out.count)
        return "its channels differ from the layer's";
    if (f->shifts && !l.bias && node_is(l.layer, "MatMul") &&
        (value_rank(v) != 2 || value_rank(l.layer->inputs[0].value) != 2 ||
         value_rank(l.layer->inputs[1].value) != 2))
        return "the MatMul has no bias, and is no product of two matrices";
    changes(p, v, depth);
    if (l.add)
        vec_push(&p->between, l.layer->outputs[0]);
    return add_part(p, &l, f, false);
}

static const char *walk_back(struct fold *p, struct value *v, const struct affine *f, int depth)
{
    struct node *n = v ? v->producer : NULL;
    if (!n || depth > MAX_DEPTH)
        return LINEAR_NONE_BEFORE;
    if (n->graph != p->graph)
        return "its input comes from an outer graph";
    bool view = is_view(n), concat = node_is(n, "Concat"), turn = node_is(n, "Transpose");
    if (!view && !concat && !turn && !linear_is_layer(n))
        return LINEAR_NONE_BEFORE;
    if (value_is_output(v))
        return "its input is a graph output";
    if (v->n_uses != 1)
        return "its input has other readers";
    struct affine before;
    if (view)
        return before_view(n, f, &before) ? step_back(p, v, n->inputs[0].value, &before, depth)
                                          : "a view before it mixes its channels";
    if (concat)
        return through_concat(p, v, f, depth);
    if (turn && node_input(n, 0))
        return through_transpose(p, v, f, depth);
    if (node_is(n, "MatMul") && !constant_of(node_input(n, 1)) && !constant_of(node_input(n, 0)))
        return through_product(p, v, f, depth);
    return into_layer(p, v, f, depth);
}

const char *fold_backward(struct fold *p, struct value *v, const struct affine *f)
{
    p->parts.count = p->between.count = 0;
    return walk_back(p, v, f, 0);
}

/* ---- forwards ---- */

static const char *walk_forward(struct fold *p, struct value *v, const struct affine *f, int depth);

static const char *into_reader(struct fold *p, const struct use *u, const struct affine *f)
{
    struct linear l;
    const char *problem = linear_reading(&l, u);
    if (problem)
        return problem;
    if (f->n > 1 && (f->n != l.in.count || f->axis != l.in_axis))
        return "its channels differ from those of the layer behind it";
    if (f->shifts && l.padded)
        return "the layer behind it pads with zeros, which it would have to shift as well";
    if (f->shifts && !l.bias && node_is(l.layer, "MatMul") &&
        value_rank(l.layer->inputs[0].value) != 2)
        return "the layer behind it has no bias";
    if (f->shifts && node_is(l.layer, "MatMul") && value_rank(l.layer->inputs[1].value) != 2)
        return "the weight of the layer is no matrix";
    if (l.add)
        vec_push(&p->between, l.layer->outputs[0]);
    return add_part(p, &l, f, true);
}

static const char *step_forward(struct fold *p, const struct use *u, const struct affine *f,
                                int depth)
{
    struct node *n = u->node;
    struct affine behind;
    if (n && n->graph != p->graph)
        return "a reader stands in another graph";
    if (!n || !is_view(n) || u->index != 0)
        return into_reader(p, u, f);
    if (!behind_view(p, n, f, &behind))
        return "a view behind it mixes its channels";
    vec_push(&p->between, n->outputs[0]);
    return walk_forward(p, n->outputs[0], &behind, depth + 1);
}

static const char *walk_forward(struct fold *p, struct value *v, const struct affine *f, int depth)
{
    if (value_is_output(v))
        return LINEAR_NONE_BEHIND;
    if (!v->n_uses || depth > MAX_DEPTH)
        return LINEAR_NONE_BEHIND;
    if (v->n_uses > MAX_PARTS) /* each of them may ask, so looking at all would be quadratic */
        return "it would change too many layers";
    value_each_use(u, v)
    {
        const char *problem = step_forward(p, u, f, depth);
        if (problem)
            return problem;
    }
    return NULL;
}

const char *fold_forward(struct fold *p, struct value *v, const struct affine *f)
{
    p->parts.count = p->between.count = 0;
    return walk_forward(p, v, f, 0);
}

struct node *fold_candidate(struct node *n)
{
    bool layer = linear_is_layer(n);
    for (int i = 0; i < MAX_DEPTH && n && (is_view(n) || layer); i++, layer = false)
        n = n->n_inputs && n->inputs[0].value ? n->inputs[0].value->producer : NULL;
    return n;
}

void fold_release(struct fold *p)
{
    vec_free(&p->parts);
    vec_free(&p->between);
}
