/* What a node multiplies and adds to each channel; see affine.h. All arithmetic is float64. */
#include "rewrite/affine.h"

#include <math.h>

double affine_scale(const struct affine *f, int64_t channel)
{
    return f->scale[f->n == 1 ? 0 : channel];
}

double affine_shift(const struct affine *f, int64_t channel)
{
    return f->shift[f->n == 1 ? 0 : channel];
}

static void make_room(struct affine *f, int64_t n, struct arena *a)
{
    f->n = n;
    f->scale = arena_array(a, (size_t)n + 1, sizeof(double));
    f->shift = arena_array(a, (size_t)n + 1, sizeof(double));
}

/* false: a number is not finite. */
static bool settle(struct affine *f)
{
    f->scales = f->shifts = false;
    for (int64_t i = 0; i < f->n; i++) {
        if (!isfinite(f->scale[i]) || !isfinite(f->shift[i]))
            return false;
        f->scales |= f->scale[i] != 1; /* exact on purpose, like the next line */
        f->shifts |= f->shift[i] != 0;
    }
    return true;
}

struct affine affine_part(const struct affine *f, int64_t first, int64_t n)
{
    struct affine part = *f;
    if (f->n == 1)
        return part;
    part.n = n;
    part.scale += first;
    part.shift += first;
    if (n == 1) /* a single channel: the same for every element */
        part.axis = 0;
    return part;
}

struct affine affine_repeated(const struct affine *f, int64_t times, struct arena *a)
{
    struct affine more = *f;
    if (f->n == 1 || times == 1)
        return more;
    make_room(&more, f->n * times, a);
    for (int64_t i = 0; i < more.n; i++) {
        more.scale[i] = f->scale[i / times];
        more.shift[i] = f->shift[i / times];
    }
    return more;
}

/* ---- BatchNormalization ---- */

static const char *batchnorm_problem(const struct node *bn)
{
    if (node_int(bn, "training_mode", 0))
        return "it is in training mode";
    for (uint32_t i = 1; i < bn->n_outputs; i++)
        if (bn->outputs[i] && bn->outputs[i]->n_uses)
            return "its statistics are outputs: it is in training mode";
    if (node_int(bn, "spatial", 1) == 0)
        return "it normalizes each position by itself";
    for (uint32_t i = 1; i <= 4; i++)
        if (!constant_of(node_input(bn, i)))
            return "its parameters are not constant";
    for (uint32_t i = 2; i <= 4; i++)
        if (bn->inputs[i].value->constant->count != bn->inputs[1].value->constant->count)
            return "its parameters differ in length";
    return NULL;
}

const char *affine_of_batchnorm(const struct node *bn, struct arena *a, struct affine *f)
{
    const char *problem = batchnorm_problem(bn);
    if (problem)
        return problem;
    const struct tensor *p[5];
    for (uint32_t i = 1; i <= 4; i++)
        p[i] = bn->inputs[i].value->constant;
    double epsilon = (double)node_float(bn, "epsilon", 1e-5f);
    make_room(f, p[1]->count, a);
    f->axis = 1;
    for (int64_t i = 0; i < f->n; i++) {
        f->scale[i] = tensor_get(p[1], i) / sqrt(tensor_get(p[4], i) + epsilon);
        f->shift[i] = tensor_get(p[2], i) - tensor_get(p[3], i) * f->scale[i];
    }
    return settle(f) ? NULL : "a variance is not positive, or a parameter is not finite";
}

/* ---- arithmetic ---- */

/* The axis of x along which c differs; -1: nowhere; -2: along several. */
static int axis_of(const struct tensor *c, int rank)
{
    int axis = -1;
    for (int i = 0; i < c->rank; i++) {
        if (c->dims[i] == 1)
            continue;
        if (axis >= 0 || c->rank > rank)
            return -2;
        axis = i + rank - c->rank;
    }
    return axis;
}

static void fill(const struct node *n, const struct tensor *c, uint32_t slot, struct affine *f)
{
    bool divides = node_is(n, "Div"), subtracts = node_is(n, "Sub");
    bool multiplies = node_is(n, "Mul") || divides;
    for (int64_t i = 0; i < f->n; i++) {
        double x = tensor_get(c, i);
        f->scale[i] = divides ? 1 / x : multiplies ? x : subtracts && slot == 1 ? -1 : 1;
        f->shift[i] = multiplies ? 0 : subtracts && slot == 0 ? -x : x;
    }
}

bool affine_of_arithmetic(const struct node *n, struct arena *a, struct affine *f, uint32_t *slot)
{
    bool div = node_is(n, "Div");
    if (!n->op || n->n_inputs != 2 || !node_output(n, 0) ||
        !(div || node_is(n, "Mul") || node_is(n, "Add") || node_is(n, "Sub")) ||
        node_version(n) < 7) /* before, broadcasting had an attribute */
        return false;
    const struct value *x = NULL;
    const struct tensor *c = NULL;
    for (uint32_t i = 0; i < 2 && !c; i++) {
        c = constant_of(node_input(n, 1 - i));
        x = node_input(n, i);
        *slot = i;
    }
    if (!c || !x || c->count < 1 || (div && *slot == 1) || !dtype_is_float(c->dtype))
        return false;
    int rank = value_rank(x), axis = rank < 0 || c->rank > TENSOR_MAX_RANK ? -2 : axis_of(c, rank);
    int64_t size;
    if (axis == -2 || (c->rank > rank && !same_type(x, n->outputs[0])) ||
        (axis >= 0 && (!value_dim(x, axis, &size) || size != c->count)))
        return false;
    make_room(f, c->count, a);
    f->axis = axis < 0 ? 0 : axis;
    fill(n, c, *slot, f);
    return settle(f);
}
