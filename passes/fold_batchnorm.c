/* BatchNormalization goes into the linear layer before it.
 *
 * Before:  t = Conv(x, W, b)   y = BatchNormalization(t, gamma, beta, mean, var)
 * After:   y = Conv(x, W', b')       s = gamma / sqrt(var + epsilon)
 *          W'[oc, ..] = W[oc, ..] * s[oc]      b'[oc] = (b[oc] - mean[oc]) * s[oc] + beta[oc]
 * Layers:  Conv (any groups), ConvTranspose (any groups), Gemm (either transposition), MatMul and
 *          MatMul + Add of rank 2, which become a Gemm.
 * When:    every parameter is constant, the layer's output has no other reader, inference mode.
 * Numerics: REASSOC; float64 with one rounding. Weights are recipes: nothing is copied, except for
 *          grouped ConvTranspose, where the channel runs along two axes.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "rewrite/rewrite.h"

struct affine { /* y[c] = x[c] * scale[c] + shift[c] */
    int64_t n;
    double *scale, *shift;
};

/* What the fold is about to do; filled by the checks, so that applying cannot fail. */
struct plan {
    struct node *bn, *layer;
    struct node *add;   /* the Add of MatMul + Add, or NULL */
    uint32_t bias_slot; /* of layer, or of add */
    struct value *bias; /* NULL: none yet */
    struct affine f;
    int axis;             /* of the weight along which the output channel runs */
    int64_t inner, outer; /* channel = i / outer * inner + j for weight[i, j] */
    double beta;          /* factor of the bias */
};

/* ---- the normalization ---- */

static const char *bn_problem(const struct node *bn)
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

static const char *affine_problem(const struct node *bn, struct arena *a, struct affine *f)
{
    const struct tensor *p[5];
    for (uint32_t i = 1; i <= 4; i++)
        p[i] = bn->inputs[i].value->constant;
    double epsilon = (double)node_float(bn, "epsilon", 1e-5f);
    f->n = p[1]->count;
    f->scale = arena_array(a, (size_t)f->n, sizeof(double));
    f->shift = arena_array(a, (size_t)f->n, sizeof(double));
    for (int64_t i = 0; i < f->n; i++) {
        f->scale[i] = tensor_get(p[1], i) / sqrt(tensor_get(p[4], i) + epsilon);
        f->shift[i] = tensor_get(p[2], i) - tensor_get(p[3], i) * f->scale[i];
        if (!isfinite(f->scale[i]) || !isfinite(f->shift[i]))
            return "a variance is not positive, or a parameter is not finite";
    }
    return NULL;
}

/* ---- the layer ---- */

static const struct tensor *weight_of(const struct plan *p)
{
    return constant_of(node_input(p->layer, 1));
}

static const char *weight_problem(const struct plan *p)
{
    const struct tensor *w = weight_of(p);
    if (!w)
        return "the weight of the layer is not constant";
    if (!dtype_is_float(w->dtype) || w->rank < 2)
        return "the weight of the layer is no float tensor of rank 2 or more";
    if (p->bias && !constant_of(p->bias))
        return "the bias of the layer is not constant";
    return NULL;
}

/* The weight's axis is as long as the channels are many; the bias is one number each. */
static const char *channels_problem(const struct plan *p, int64_t channels)
{
    bool same = channels == p->f.n && (!p->bias || p->bias->constant->count == p->f.n);
    return same ? NULL : "its channels differ from the layer's";
}

static const char *conv_problem(struct plan *p)
{
    p->bias = node_input(p->layer, 2);
    const char *problem = weight_problem(p);
    p->axis = 0;
    return problem ? problem : channels_problem(p, weight_of(p)->dims[0]);
}

/* W[in, out / group, ..]: output channel = in / (ins / group) * (out / group) + j. */
static const char *conv_transpose_problem(struct plan *p)
{
    int64_t group = node_int(p->layer, "group", 1);
    p->bias = node_input(p->layer, 2);
    const char *problem = weight_problem(p);
    if (problem)
        return problem;
    const int64_t *dims = weight_of(p)->dims;
    if (group < 1 || dims[0] % group || dims[1] > p->f.n)
        return "its group does not divide the weight";
    p->axis = group == 1 ? 1 : dims[1] == 1 ? 0 : -1;
    p->inner = dims[1];
    p->outer = dims[0] / group;
    return channels_problem(p, dims[1] * group);
}

/* One number for each column, or one for all. */
static bool bias_by_column(const struct value *bias, int64_t n)
{
    const struct tensor *t = constant_of(bias);
    return t && (t->count == 1 || (t->count == n && t->dims[t->rank - 1] == n));
}

static const char *columns_problem(struct plan *p, bool transposed)
{
    const struct tensor *w = weight_of(p);
    p->axis = transposed ? 0 : 1;
    if (w->rank != 2 || w->dims[p->axis] != p->f.n)
        return "its channels differ from the layer's";
    if (p->bias && !bias_by_column(p->bias, p->f.n))
        return "the bias of the layer differs by row";
    return NULL;
}

static const char *gemm_problem(struct plan *p)
{
    p->bias = node_input(p->layer, 2);
    p->beta = (double)node_float(p->layer, "beta", 1);
    const char *problem = weight_problem(p);
    return problem ? problem : columns_problem(p, node_int(p->layer, "transB", 0) != 0);
}

static const char *matmul_problem(struct plan *p)
{
    const char *problem = weight_problem(p);
    if (problem)
        return problem;
    if (value_rank(p->layer->inputs[0].value) != 2)
        return "the input of the MatMul is not known to be a matrix";
    return columns_problem(p, false);
}

/* MatMul(x, W) + b, the constant on either side. */
static const char *add_problem(struct plan *p)
{
    p->add = p->layer;
    for (uint32_t i = 0; i < 2; i++) {
        struct node *matmul = lone_producer(node_input(p->add, i), "MatMul");
        if (!matmul || matmul->graph != p->add->graph)
            continue;
        p->layer = matmul;
        p->bias = node_input(p->add, 1 - i);
        return matmul_problem(p);
    }
    return "no linear layer stands before it";
}

static const struct {
    const char *op;
    const char *(*problem)(struct plan *p);
} LAYERS[] = {
    {"Conv", conv_problem}, {"ConvTranspose", conv_transpose_problem},
    {"Gemm", gemm_problem}, {"MatMul", matmul_problem},
    {"Add", add_problem},
};

static const char *layer_problem(struct plan *p)
{
    const struct value *x = node_input(p->bn, 0);
    p->layer = x->producer;
    for (size_t i = 0; p->layer && i < sizeof LAYERS / sizeof LAYERS[0]; i++) {
        if (!node_is(p->layer, LAYERS[i].op))
            continue;
        if (p->layer->graph != p->bn->graph)
            return "its input comes from an outer graph";
        if (value_is_output(x))
            return "its input is a graph output";
        if (x->n_uses != 1)
            return "its input has other readers";
        return LAYERS[i].problem(p);
    }
    return "no linear layer stands before it";
}

/* ---- applying ---- */

static struct tensor *scaled_by_pair(const struct plan *p, struct model *m)
{
    const struct tensor *w = weight_of(p);
    struct tensor *y = tensor_new(m->arena, w->dtype, w->rank, w->dims);
    int64_t run = y->count ? y->count / (w->dims[0] * w->dims[1]) : 0;
    for (int64_t i = 0; i < y->count; i++) {
        int64_t pair = i / run, in = pair / w->dims[1], out = pair % w->dims[1];
        double s = p->f.scale[in / p->outer * p->inner + out];
        num_set(tensor_writable(y), y->dtype, i, tensor_get(w, i) * s);
    }
    return y;
}

static struct tensor *scaled_weight(const struct plan *p, struct model *m, struct arena *scratch)
{
    const struct tensor *w = weight_of(p);
    if (p->axis < 0)
        return scaled_by_pair(p, m);
    int64_t n = w->dims[p->axis];
    double *scale = arena_array(scratch, (size_t)n, sizeof *scale);
    for (int64_t i = 0; i < n; i++)
        scale[i] = p->f.scale[n == p->f.n ? i : i / p->outer];
    return recipe_affine(m, w, p->axis, n, scale, NULL);
}

static struct tensor *new_bias(const struct plan *p, struct model *m, enum dtype dtype)
{
    const struct tensor *b = p->bias ? p->bias->constant : NULL;
    struct tensor *y = tensor_new(m->arena, dtype, 1, &p->f.n);
    for (int64_t i = 0; i < p->f.n; i++) {
        double old = b ? tensor_get(b, b->count == 1 ? 0 : i) * p->beta : 0;
        num_set(tensor_writable(y), dtype, i, old * p->f.scale[i] + p->f.shift[i]);
    }
    return y;
}

/* The bias keeps the name of the old one; without an old one it takes beta's. */
static void set_bias(struct plan *p, struct tensor *t)
{
    struct node *layer = p->layer;
    struct value *name = p->bias ? p->bias : node_input(p->bn, 2);
    node_resize_inputs(layer, layer->n_inputs < 3 ? 3 : layer->n_inputs);
    if (name->n_uses == 1 && !name->is_input && name->graph == layer->graph)
        value_set_constant(name, t);
    else
        name = constant_new(layer, t, name);
    node_set_input(layer, 2, name);
}

static void apply(struct pass_run *r, struct plan *p, struct arena *scratch)
{
    struct model *m = p->bn->graph->model;
    struct tensor *bias = new_bias(p, m, weight_of(p)->dtype);
    pass_rewrote(r, p->bn, "folded into %s '%s'", p->layer->op_type, node_label(p->layer));
    constant_replace(p->layer, 1, scaled_weight(p, m, scratch));
    set_bias(p, bias);
    if (node_is(p->layer, "MatMul"))
        node_set_op(p->layer, "Gemm", "");
    else if (p->beta != 1)
        node_drop_attr(p->layer, "beta");
    if (p->add)
        rewrite_absorb(p->layer, p->add);
    rewrite_absorb(p->layer, p->bn);
}

int visit_fold_batchnorm(struct pass_run *r, struct node *n)
{
    struct arena *scratch;
    if (!node_is(n, "BatchNormalization") || !n->op || n->n_inputs < 5 || !n->inputs[0].value ||
        !node_output(n, 0))
        return 0;
    scratch = arena_new();
    struct plan p = {.bn = n, .inner = 1, .outer = 1, .beta = 1};
    const char *problem = bn_problem(n);
    problem = problem ? problem : affine_problem(n, scratch, &p.f);
    problem = problem ? problem : layer_problem(&p);
    if (problem)
        pass_refused(r, n, "%s", problem);
    else
        apply(r, &p, scratch);
    arena_free(scratch);
    return 0;
}
