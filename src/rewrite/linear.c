/* Finding linear layers with constant weights; see linear.h. */
#include "rewrite/linear.h"

#include <string.h>

const char LINEAR_NONE_BEFORE[] = "no linear layer stands before it";
const char LINEAR_NONE_BEHIND[] = "not every reader is a linear layer";

static const struct tensor *weight_of(const struct linear *l)
{
    return constant_of(node_input(l->layer, 1));
}

static const char *weight_problem(const struct linear *l)
{
    const struct tensor *w = weight_of(l);
    if (!w)
        return "the weight of the layer is not constant";
    if (!dtype_is_float(w->dtype) || w->rank < 2 || w->rank > 64)
        return "the weight of the layer is no float tensor of rank 2 or more";
    if (l->bias && !constant_of(l->bias))
        return "the bias of the layer is not constant";
    return NULL;
}

static struct channels along(const struct tensor *w, int axis)
{
    return (struct channels){.axis = axis, .count = w->dims[axis], .inner = 1, .outer = 1};
}

/* dims[0] in `group` groups, dims[1] channels in each. */
static struct channels paired(const struct tensor *w, int64_t group)
{
    int axis = group == 1 ? 1 : -1;
    return (struct channels){axis, w->dims[1] * group, w->dims[1], w->dims[0] / group};
}

/* ---- convolutions ---- */

static bool has_padding(const struct node *n)
{
    const int64_t *pads;
    uint32_t count;
    if (node_string_is(n, "auto_pad", "NOTSET", "VALID"))
        return false;
    if (!node_string_is(n, "auto_pad", "NOTSET", "NOTSET"))
        return true;
    if (!node_ints(n, "pads", &pads, &count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (pads[i])
            return true;
    return false;
}

static const char *conv_problem(struct linear *l)
{
    bool transposed = node_is(l->layer, "ConvTranspose");
    int64_t group = node_int(l->layer, "group", 1);
    l->bias = node_input(l->layer, 2);
    const char *problem = weight_problem(l);
    if (problem)
        return problem;
    const struct tensor *w = weight_of(l);
    int64_t others;
    if (group < 1 || w->dims[0] % group || __builtin_mul_overflow(w->dims[1], group, &others))
        return "its group does not divide the weight";
    l->out = transposed ? paired(w, group) : along(w, 0);
    l->in = transposed ? along(w, 0) : paired(w, group);
    l->out_axis = l->in_axis = 1;
    l->padded = transposed || has_padding(l->layer);
    if (l->bias && l->bias->constant->count != l->out.count)
        return "its bias has another length than its channels";
    return NULL;
}

/* ---- products ---- */

/* One number for each column, or one for all. */
static bool bias_by_column(const struct linear *l)
{
    const struct tensor *t = constant_of(l->bias);
    return t->count == 1 || (t->rank > 0 && t->dims[t->rank - 1] == l->out.count);
}

static const char *gemm_problem(struct linear *l)
{
    l->bias = node_input(l->layer, 2);
    l->beta = (double)node_float(l->layer, "beta", 1);
    const char *problem = weight_problem(l);
    if (problem)
        return problem;
    const struct tensor *w = weight_of(l);
    int columns = node_int(l->layer, "transB", 0) ? 0 : 1;
    if (w->rank != 2)
        return "the weight of the layer is no matrix";
    l->out = along(w, columns);
    l->in = along(w, 1 - columns);
    l->out_axis = 1;
    l->in_axis = node_int(l->layer, "transA", 0) ? 0 : 1;
    return l->bias && !bias_by_column(l) ? "the bias of the layer differs by row" : NULL;
}

static const char *matmul_problem(struct linear *l)
{
    const char *problem = weight_problem(l);
    int rank = value_rank(l->layer->inputs[0].value);
    if (problem)
        return problem;
    const struct tensor *w = weight_of(l);
    if (rank < 1)
        return "the rank of the layer's input is not known";
    l->out = along(w, w->rank - 1);
    l->in = along(w, w->rank - 2);
    l->out_axis = (rank > w->rank ? rank : w->rank) - (rank == 1 ? 2 : 1);
    l->in_axis = rank - 1;
    return l->bias && !bias_by_column(l) ? "the bias of the layer differs by row" : NULL;
}

/* MatMul(x, W) + b, the constant on either side. */
static const char *add_problem(struct linear *l)
{
    l->add = l->layer;
    for (uint32_t i = 0; i < 2; i++) {
        struct node *matmul = lone_producer(node_input(l->add, i), "MatMul");
        if (!matmul || matmul->graph != l->add->graph || !matmul->inputs[0].value ||
            constant_of(node_input(l->add, i)))
            continue;
        l->layer = matmul;
        l->bias = node_input(l->add, 1 - i);
        const char *problem = matmul_problem(l);
        if (problem)
            return problem;
        return value_rank(l->bias) > value_rank(l->add->inputs[i].value)
                   ? "the bias of the layer raises the rank"
                   : NULL;
    }
    return LINEAR_NONE_BEFORE;
}

static const struct {
    const char *op;
    const char *(*problem)(struct linear *l);
} LAYERS[] = {
    {"Conv", conv_problem}, {"ConvTranspose", conv_problem},
    {"Gemm", gemm_problem}, {"MatMul", matmul_problem},
    {"Add", add_problem},
};

bool linear_is_layer(const struct node *n)
{
    for (size_t i = 0; n->op && i < sizeof LAYERS / sizeof LAYERS[0]; i++)
        if (node_is(n, LAYERS[i].op))
            return true;
    return false;
}

const char *linear_producing(struct linear *l, const struct value *v)
{
    *l = (struct linear){.layer = v->producer, .beta = 1};
    for (size_t i = 0; l->layer && l->layer->op && i < sizeof LAYERS / sizeof LAYERS[0]; i++)
        if (node_is(l->layer, LAYERS[i].op) && node_input(l->layer, 0))
            return LAYERS[i].problem(l);
    return LINEAR_NONE_BEFORE;
}

/* The Add behind a MatMul, when its other operand is constant. */
static void find_add(struct linear *l)
{
    const struct value *v = node_output(l->layer, 0);
    struct node *add = v ? value_only_user(v) : NULL;
    if (!add || !node_is(add, "Add") || add->graph != l->layer->graph)
        return;
    struct linear with = {.layer = add, .beta = 1};
    if (!add_problem(&with) && with.layer == l->layer)
        *l = with;
}

const char *linear_reading(struct linear *l, const struct use *u)
{
    *l = (struct linear){.layer = u->node, .beta = 1};
    if (!u->node)
        return LINEAR_NONE_BEHIND;
    for (size_t i = 0; i + 1 < sizeof LAYERS / sizeof LAYERS[0]; i++) {
        if (!node_is(u->node, LAYERS[i].op) || !u->node->op || u->index != 0)
            continue;
        const char *problem = LAYERS[i].problem(l);
        if (!problem && node_is(u->node, "MatMul"))
            find_add(l);
        return problem;
    }
    return LINEAR_NONE_BEHIND;
}
