/* Constants: reading them, making new ones, recipes that rescale weights without copying them. */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "rewrite/rewrite.h"

const struct tensor *constant_of(const struct value *v)
{
    if (!value_is_constant(v))
        return NULL;
    const struct tensor *t = v->constant;
    bool numbers = t->dtype != DT_STRING && t->dtype != DT_COMPLEX64 && t->dtype != DT_COMPLEX128;
    return numbers && (t->data || t->recipe || t->count == 0) ? t : NULL;
}

bool constant_scalar(const struct value *v, double *x)
{
    const struct tensor *t = constant_of(v);
    if (!t || t->count == 0)
        return false;
    *x = tensor_get(t, 0);
    return t->count == 1 || tensor_all_equal(t, *x);
}

bool constant_equals(const struct value *v, double x)
{
    const struct tensor *t = constant_of(v);
    return t && t->count > 0 && tensor_all_equal(t, x);
}

bool constant_ints(const struct value *v, int64_t *out, int64_t room, int64_t *count)
{
    const struct tensor *t = constant_of(v);
    if (!t || !tensor_is_int_list(t) || t->count > room)
        return false;
    for (int64_t i = 0; i < t->count; i++)
        out[i] = tensor_get_int(t, i);
    *count = t->count;
    return true;
}

bool constant_is_single(const struct value *v)
{
    const struct tensor *t = constant_of(v);
    return t && t->count == 1;
}

struct value *constant_new(struct node *at, struct tensor *t, const struct value *like)
{
    struct value *v = value_constant(at->graph, like ? like->name : "constant", t);
    if (like)
        v->source = like->source ? like->source : like;
    return v;
}

struct value *constant_new_ints(struct node *at, const int64_t *x, int64_t count)
{
    return constant_new(at, tensor_ints(at->graph->model->arena, x, count), NULL);
}

struct value *constant_new_scalar(struct node *at, enum dtype dtype, double x)
{
    return constant_new(at, tensor_scalar(at->graph->model->arena, dtype, x), NULL);
}

void constant_replace(struct node *n, uint32_t slot, struct tensor *t)
{
    struct value *v = n->inputs[slot].value;
    if (v->n_uses == 1 && !v->is_input && v->graph == n->graph) {
        value_set_constant(v, t);
        node_touch(n);
        return;
    }
    node_set_input(n, slot, constant_new(n, t, v));
}

/* ---- recipes ---- */

static const double *copied(struct arena *a, const double *x, int64_t n)
{
    return x ? arena_copy(a, x, (size_t)n * sizeof *x) : NULL;
}

static double at(const double *x, int64_t n, int64_t i, double otherwise)
{
    return x ? x[n == 1 ? 0 : i] : otherwise;
}

/* (x * s + a) * scale + addend = x * (s * scale) + (a * scale + addend), per channel. */
static const struct recipe *merged(struct arena *a, const struct recipe *in, const struct recipe *r)
{
    struct recipe *m = arena_copy(a, in, sizeof *in);
    m->n = in->n > r->n ? in->n : r->n;
    m->axis = in->n > 1 ? in->axis : r->axis;
    double *scale = arena_array(a, (size_t)m->n, sizeof *scale);
    double *addend = arena_array(a, (size_t)m->n, sizeof *addend);
    for (int64_t i = 0; i < m->n; i++) {
        double outer = at(r->scale, r->n, i, 1);
        scale[i] = at(in->scale, in->n, i, 1) * outer;
        addend[i] = at(in->addend, in->n, i, 0) * outer + at(r->addend, r->n, i, 0);
    }
    m->scale = scale;
    m->addend = in->addend || r->addend ? addend : NULL;
    return m;
}

static struct tensor *shaped_like(struct arena *a, const struct tensor *t)
{
    struct tensor *y = tensor_view(a, t->dtype, t->rank, t->dims, NULL);
    y->data = NULL;
    return y;
}

struct tensor *recipe_affine(struct model *m, const struct tensor *t, int axis, int64_t n,
                             const double *scale, const double *addend)
{
    struct arena *a = m->arena;
    struct tensor *y = shaped_like(a, t);
    struct recipe r = {.source = t, .axis = n > 1 ? axis : 0, .n = n};
    r.scale = copied(a, scale, n);
    r.addend = copied(a, addend, n);
    const struct recipe *in = t->recipe;
    bool merge = in && !in->quantizes && in->source->dtype == t->dtype &&
                 (in->n <= 1 || n <= 1 || in->axis == axis);
    y->recipe = merge ? merged(a, in, &r) : arena_copy(a, &r, sizeof r);
    return y;
}

struct tensor *recipe_transpose(struct model *m, const struct tensor *t, const int64_t *perm)
{
    struct arena *a = m->arena;
    int64_t dims[64];
    int32_t *order = arena_array(a, (size_t)t->rank, sizeof *order);
    for (int i = 0; i < t->rank; i++) {
        dims[i] = t->dims[perm[i]];
        order[i] = (int32_t)perm[i];
    }
    struct tensor *y = tensor_view(a, t->dtype, t->rank, dims, NULL);
    y->recipe =
        arena_copy(a, &(struct recipe){.source = t, .n = 1, .perm = order}, sizeof(struct recipe));
    return y;
}

struct tensor *tensor_reshaped(struct model *m, const struct tensor *t, int rank,
                               const int64_t *dims)
{
    struct tensor *y = tensor_view(m->arena, t->dtype, rank, dims, t->data);
    y->strings = t->strings;
    y->extent = t->extent;
    return y;
}
