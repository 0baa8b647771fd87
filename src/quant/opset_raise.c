/* See opset_raise.h.
 *
 * A node may stay as it is when its attributes and inputs are legal in the newer signature and mean
 * the same there. Where the form changed, a row of CHANGES says from which version on, whether this
 * node can follow and how (docs/Changelog.md of ONNX). Everything is checked before anything changes.
 */
#include <string.h>

#include "ir/edit.h"
#include "ops/op.h"
#include "quant/opset_raise.h"

struct change {
    const char *op;
    int64_t since;
    bool (*can)(const struct node *n); /* NULL: always */
    void (*apply)(struct node *n);
};

/* ---- attributes that became inputs ---- */

static void put_input(struct node *n, uint32_t i, struct tensor *t, const char *hint)
{
    if (n->n_inputs <= i)
        node_resize_inputs(n, i + 1);
    node_set_input(n, i, value_constant(n->graph, hint, t));
}

static void ints_to_input(struct node *n, const char *attr, uint32_t i)
{
    const int64_t *values;
    uint32_t count;
    if (!node_ints(n, attr, &values, &count))
        return;
    put_input(n, i, tensor_ints(n->graph->model->arena, values, count), attr);
    node_drop_attr(n, attr);
}

/* A scalar of the type of input 0. */
static void float_to_input(struct node *n, const char *attr, uint32_t i)
{
    if (!node_attr(n, attr))
        return;
    double value = (double)node_float(n, attr, 0);
    put_input(n, i, tensor_scalar(n->graph->model->arena, node_input(n, 0)->type.dtype, value),
              attr);
    node_drop_attr(n, attr);
}

static bool type_known(const struct node *n)
{
    const struct value *x = node_input(n, 0);
    return x && dtype_is_float(x->type.dtype);
}

static void axes_to_input(struct node *n) { ints_to_input(n, "axes", 1); }
static void split_to_input(struct node *n) { ints_to_input(n, "split", 1); }

static void clip_bounds(struct node *n)
{
    float_to_input(n, "min", 1);
    float_to_input(n, "max", 2);
}

static void pad_inputs(struct node *n)
{
    ints_to_input(n, "pads", 1);
    float_to_input(n, "value", 2);
}

static void slice_inputs(struct node *n)
{
    ints_to_input(n, "starts", 1);
    ints_to_input(n, "ends", 2);
    ints_to_input(n, "axes", 3);
}

static void topk_input(struct node *n)
{
    int64_t k = node_int(n, "k", 0);
    if (!node_attr(n, "k"))
        return;
    put_input(n, 1, tensor_ints(n->graph->model->arena, &k, 1), "k");
    node_drop_attr(n, "k");
}

/* Without training the ratio has no meaning. */
static void drop_ratio(struct node *n) { node_drop_attr(n, "ratio"); }
static void drop_spatial(struct node *n) { node_drop_attr(n, "spatial"); }
static bool is_spatial(const struct node *n) { return node_int(n, "spatial", 1) == 1; }

/* ---- Resize and Upsample ---- */

static void old_resize_rules(struct node *n)
{
    node_set_string(n, "coordinate_transformation_mode", "asymmetric");
    if (node_string_is(n, "mode", "nearest", "nearest"))
        node_set_string(n, "nearest_mode", "floor");
}

/* (X, scales) becomes (X, roi, scales). */
static void resize_roi(struct node *n)
{
    struct value *scales = node_input(n, 1);
    node_resize_inputs(n, 3);
    node_set_input(n, 2, scales);
    node_set_input(n, 1, NULL);
    if (graph_opset(n->graph, "") < 13) { /* roi is required until then */
        int64_t none = 0;
        struct arena *a = n->graph->model->arena;
        put_input(n, 1, tensor_new(a, DT_FLOAT, 1, &none), "roi");
    }
    old_resize_rules(n);
}

static void upsample_to_resize(struct node *n)
{
    const float *scales;
    uint32_t count;
    struct arena *a = n->graph->model->arena;
    if (node_floats(n, "scales", &scales, &count)) { /* version 7 */
        int64_t size = count;
        struct tensor *t = tensor_new(a, DT_FLOAT, 1, &size);
        memcpy(tensor_writable(t), scales, t->bytes);
        put_input(n, 1, t, "scales");
        node_drop_attr(n, "scales");
    }
    if (node_string_is(n, "mode", "nearest", "bilinear"))
        node_set_string(n, "mode", "linear");
    node_set_op(n, "Resize", "");
    n->op = op_find("", "Resize");
    resize_roi(n);
}

static void scatter_elements(struct node *n)
{
    node_set_op(n, "ScatterElements", "");
    n->op = op_find("", "ScatterElements");
}

/* ---- Softmax: "flatten from axis on" became "along axis" ---- */

static int64_t old_axis(const struct node *n)
{
    int64_t axis = node_int(n, "axis", 1), rank = node_input(n, 0)->type.rank;
    return axis < 0 ? axis + rank : axis;
}

static bool rank_known(const struct node *n)
{
    const struct value *x = node_input(n, 0);
    return x && x->type.kind == TYPE_TENSOR && x->type.rank > 0 && old_axis(n) >= 0 &&
           old_axis(n) < x->type.rank;
}

/* Whether at most one dimension from axis on is not 1; *at is that one. */
static bool one_axis(const struct node *n, int64_t *at)
{
    const struct type *t = &node_input(n, 0)->type;
    int64_t wide = 0;
    *at = old_axis(n);
    for (int64_t i = old_axis(n); i < t->rank; i++)
        if (!dim_equals(t->dims[i], 1)) {
            *at = i;
            wide++;
        }
    return wide <= 1;
}

/* Flatten -> Softmax along the last axis -> Reshape to the shape it had. */
static void softmax_flattened(struct node *n, int64_t axis)
{
    struct graph *g = n->graph;
    struct value *x = node_input(n, 0), *y = n->outputs[0];
    struct node *flat = node_new(g, "Flatten", "", 1, 1), *shape = node_new(g, "Shape", "", 1, 1);
    struct node *back = node_new(g, "Reshape", "", 2, 1);
    node_set_int(flat, "axis", axis);
    node_set_input(flat, 0, x);
    node_set_input(shape, 0, x);
    node_insert_before(flat, n);
    node_insert_before(shape, n);
    node_set_input(n, 0, node_add_output(flat, 0, "flat"));
    node_insert_after(back, n);
    node_move_output(n, 0, back, 0);
    node_set_input(back, 0, node_add_output(n, 0, "soft"));
    node_set_input(back, 1, node_add_output(shape, 0, "shape"));
    n->outputs[0]->type = flat->outputs[0]->type =
        (struct type){TYPE_TENSOR, y->type.dtype, -1, NULL, NULL};
    flat->op = op_find("", "Flatten"), shape->op = op_find("", "Shape");
    back->op = op_find("", "Reshape");
    node_set_int(n, "axis", -1);
}

static void softmax_axis(struct node *n)
{
    int64_t at;
    if (one_axis(n, &at))
        node_set_int(n, "axis", at);
    else
        softmax_flattened(n, old_axis(n));
}

/* ---- the table ---- */

/* In rising order of `since`: a node goes through all that lie between its opset and the new one. */
static const struct change CHANGES[] = {
    {"Slice", 10, NULL, slice_inputs},
    {"TopK", 10, NULL, topk_input},
    {"Upsample", 10, NULL, upsample_to_resize},
    {"Clip", 11, type_known, clip_bounds},
    {"Pad", 11, type_known, pad_inputs},
    {"Resize", 11, NULL, resize_roi},
    {"Scatter", 11, NULL, scatter_elements},
    {"Dropout", 12, NULL, drop_ratio},
    {"Squeeze", 13, NULL, axes_to_input},
    {"Unsqueeze", 13, NULL, axes_to_input},
    {"ReduceSum", 13, NULL, axes_to_input},
    {"Split", 13, NULL, split_to_input},
    {"Softmax", 13, rank_known, softmax_axis},
    {"LogSoftmax", 13, rank_known, softmax_axis},
    {"Hardmax", 13, rank_known, softmax_axis},
    {"BatchNormalization", 9, is_spatial, drop_spatial},
    {"ReduceL1", 18, NULL, axes_to_input},
    {"ReduceL2", 18, NULL, axes_to_input},
    {"ReduceLogSum", 18, NULL, axes_to_input},
    {"ReduceLogSumExp", 18, NULL, axes_to_input},
    {"ReduceMax", 18, NULL, axes_to_input},
    {"ReduceMean", 18, NULL, axes_to_input},
    {"ReduceMin", 18, NULL, axes_to_input},
    {"ReduceProd", 18, NULL, axes_to_input},
    {"ReduceSumSquare", 18, NULL, axes_to_input},
};
enum { N_CHANGES = sizeof CHANGES / sizeof CHANGES[0] };

/* An Upsample becomes a Resize of the right form by itself: later rows pass it by. */
static const struct change *change_of(const struct node *n, int64_t from, int64_t to)
{
    for (int i = 0; i < N_CHANGES; i++)
        if (from < CHANGES[i].since && CHANGES[i].since <= to && node_is(n, CHANGES[i].op))
            return &CHANGES[i];
    return NULL;
}

static bool attributes_fit(const struct node *n, const struct op_version *v)
{
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        bool known = false;
        for (int k = 0; k < v->n_attrs && !known; k++)
            known = strcmp(v->attrs[k].name, n->attrs[i]->name) == 0;
        if (!known)
            return false;
    }
    for (int k = 0; k < v->n_attrs; k++)
        if (v->attrs[k].required && !node_attr(n, v->attrs[k].name))
            return false;
    return true;
}

static bool inputs_fit(const struct node *n, const struct op_version *v)
{
    return (int64_t)n->n_inputs >= v->min_in &&
           (v->max_in < 0 || (int64_t)n->n_inputs <= v->max_in);
}

static bool may_raise(const struct node *n, int64_t from, int64_t to)
{
    if (n->domain[0] || !n->op)
        return n->domain[0] != '\0';
    const struct op_version *was = op_version_at(n->op, from), *will = op_version_at(n->op, to);
    const struct change *c = change_of(n, from, to);
    if (c)
        return !c->can || c->can(n);
    if (was == will)
        return true;
    return will && !will->deprecated && attributes_fit(n, will) && inputs_fit(n, will);
}

static int check(const struct model *m, int64_t from, int64_t to)
{
    for (size_t i = 0; i < m->nodes.count; i++) {
        const struct node *n = m->nodes.data[i];
        if (!n->removed && !n->graph->function && !may_raise(n, from, to))
            return diag_report(m->ctx->diag, E_QUANT_OPSET, &(struct where){.node = node_label(n)},
                               "%s cannot go from opset %lld to %lld as it is", n->op_type,
                               (long long)from, (long long)to);
    }
    return 0;
}

int opset_raise(struct model *m, int64_t to)
{
    int64_t from = graph_opset(m->graph, "");
    size_t n = m->nodes.count; /* nodes that come in are of the new form */
    if (from >= to)
        return 0;
    int code = check(m, from, to);
    if (code)
        return code;
    model_set_opset(m, "", to);
    for (size_t i = 0; i < n; i++) {
        struct node *node = m->nodes.data[i];
        const struct change *c =
            node->removed || node->graph->function ? NULL : change_of(node, from, to);
        if (c)
            c->apply(node);
    }
    return 0;
}
