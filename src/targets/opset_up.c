/* What raising an opset of ai.onnx asks of a node: attributes that became inputs, meanings that
 * changed. Facts: docs/Changelog.md of ONNX. The rows of an operator stand in rising order; a node
 * goes through all that lie between its opset and the new one. A node that comes in (Flatten, Shape,
 * Reshape, Resize) is written as opset 14 and later take it.
 */
#include <string.h>

#include "base/num.h"
#include "targets/opset_change.h"

/* ---- attributes that became inputs ---- */

static void ints_to_input(struct node *n, const char *attr, uint32_t i)
{
    const int64_t *values;
    uint32_t count;
    if (!node_ints(n, attr, &values, &count))
        return;
    opset_put_input(n, i, tensor_ints(n->graph->model->arena, values, count), attr);
    node_drop_attr(n, attr);
}

/* A scalar of the type of input 0. */
static void float_to_input(struct node *n, const char *attr, uint32_t i)
{
    if (!node_attr(n, attr))
        return;
    double value = (double)node_float(n, attr, 0);
    opset_put_input(
        n, i, tensor_scalar(n->graph->model->arena, node_input(n, 0)->type.dtype, value), attr);
    node_drop_attr(n, attr);
}

static const char *type_unknown(const struct node *n, int64_t to)
{
    const struct value *x = node_input(n, 0);
    (void)to;
    return x && dtype_is_float(x->type.dtype) ? NULL : "the type of its input is not known";
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
    opset_put_input(n, 1, tensor_ints(n->graph->model->arena, &k, 1), "k");
    node_drop_attr(n, "k");
}

/* Without training the ratio has no meaning. */
static void drop_ratio(struct node *n) { node_drop_attr(n, "ratio"); }
static void drop_spatial(struct node *n) { node_drop_attr(n, "spatial"); }

static const char *not_spatial(const struct node *n, int64_t to)
{
    (void)to;
    return node_int(n, "spatial", 1) == 1 ? NULL
                                          : "it normalizes per element, which went with opset 9";
}

static const char *trains(const struct node *n, int64_t to)
{
    (void)to;
    return node_output(n, 1) ? "it is in training mode: it has outputs besides the first" : NULL;
}

static void nothing(struct node *n) { (void)n; }

/* Before opset 10 the mask was of the input's type. */
static const char *numeric_mask(const struct node *n, int64_t to)
{
    const struct value *mask = node_output(n, 1);
    (void)to;
    return mask && mask->n_uses ? "its mask is bool from opset 10 on" : NULL;
}

static void drop_mask(struct node *n)
{
    if (node_output(n, 1))
        node_drop_output(n, 1);
}

/* Equal parts: opset 18 wants to be told how many. */
static void split_parts(struct node *n)
{
    if (!node_input(n, 1) && !node_attr(n, "num_outputs"))
        node_set_int(n, "num_outputs", n->n_outputs);
}

/* What was the only way before opset 16; later the default is half_pixel. */
static void old_roi_align(struct node *n)
{
    node_set_string(n, "coordinate_transformation_mode", "output_half_pixel");
}

static const char *scan_batches(const struct node *n, int64_t to)
{
    (void)n, (void)to;
    return "the Scan of opset 8 has a batch axis";
}

static void grid_modes(struct node *n)
{
    if (node_string_is(n, "mode", "bilinear", "bilinear"))
        node_set_string(n, "mode", "linear");
    else if (node_string_is(n, "mode", "bilinear", "bicubic"))
        node_set_string(n, "mode", "cubic");
}

static void dft_axis(struct node *n)
{
    int64_t axis = node_int(n, "axis", 1);
    opset_put_input(n, 2, tensor_new(n->graph->model->arena, DT_INT64, 0, NULL), "axis");
    num_set(tensor_writable(n->inputs[2].value->constant), DT_INT64, 0, (double)axis);
    node_drop_attr(n, "axis");
}

/* Scale and bias were one number per group, and are one per channel. */
static const struct tensor *per_group(const struct node *n, uint32_t i)
{
    const struct value *v = node_input(n, i);
    const struct tensor *t = v && value_is_constant(v) ? v->constant : NULL;
    return t && t->rank == 1 && (t->data || t->recipe) ? t : NULL;
}

static const char *group_norm_scales(const struct node *n, int64_t to)
{
    int64_t channels, groups = node_int(n, "num_groups", 0);
    const struct tensor *scale = per_group(n, 1), *bias = per_group(n, 2);
    (void)to;
    if (!scale || !bias || scale->count != groups || bias->count != groups)
        return "its scale and bias per group are not constant";
    if (groups < 1 || !node_input(n, 0) || !value_dim(node_input(n, 0), 1, &channels) ||
        channels % groups)
        return "the number of its channels is not known";
    return NULL;
}

static void per_channel(struct node *n, uint32_t i, int64_t each)
{
    const struct tensor *t = per_group(n, i);
    int64_t channels = t->count * each;
    struct tensor *wide = tensor_new(n->graph->model->arena, t->dtype, 1, &channels);
    for (int64_t c = 0; c < channels; c++)
        num_set(tensor_writable(wide), t->dtype, c, tensor_get(t, c / each));
    node_set_input(n, i, value_constant(n->graph, n->inputs[i].value->name, wide));
}

static void widen_group_norm(struct node *n)
{
    int64_t channels = 0, groups = node_int(n, "num_groups", 1);
    value_dim(node_input(n, 0), 1, &channels);
    per_channel(n, 1, channels / groups);
    per_channel(n, 2, channels / groups);
}

/* ---- Resize and Upsample ---- */

/* Until opset 12 roi and scales had to be given, if only as empty tensors. */
static void leave_out_empty(struct node *n)
{
    for (uint32_t i = 1; i < 3 && i < n->n_inputs; i++) {
        const struct tensor *t = opset_data(n->inputs[i].value);
        if (t && t->count == 0)
            opset_drop_input(n, i);
    }
}

static const char *old_pixel_rule(const struct node *n, int64_t to)
{
    (void)to;
    return node_string_is(n, "coordinate_transformation_mode", "half_pixel", "tf_half_pixel_for_nn")
               ? "its coordinates are 'tf_half_pixel_for_nn', which went with opset 13"
               : NULL;
}

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
        opset_put_input(n, 1, tensor_new(a, DT_FLOAT, 1, &none), "roi");
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
        opset_put_input(n, 1, t, "scales");
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

static const char *rank_unknown(const struct node *n, int64_t to)
{
    const struct value *x = node_input(n, 0);
    (void)to;
    bool known = x && x->type.kind == TYPE_TENSOR && x->type.rank > 0 && old_axis(n) >= 0 &&
                 old_axis(n) < x->type.rank;
    return known ? NULL : "the rank of its input is not known";
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

const struct opset_change OPSET_RAISES[] = {
    {"Scan", 9, NULL, scan_batches, nothing},
    {"BatchNormalization", 9, " spatial", not_spatial, drop_spatial},
    {"Dropout", 10, NULL, numeric_mask, drop_mask},
    {"Slice", 10, " starts ends axes", NULL, slice_inputs},
    {"TopK", 10, " k", NULL, topk_input},
    {"Upsample", 10, NULL, NULL, upsample_to_resize},
    {"Clip", 11, " min max", type_unknown, clip_bounds},
    {"Pad", 11, " pads value", type_unknown, pad_inputs},
    {"Resize", 11, NULL, NULL, resize_roi},
    {"Scatter", 11, NULL, NULL, scatter_elements},
    {"Dropout", 12, " ratio", NULL, drop_ratio},
    {"Squeeze", 13, " axes", NULL, axes_to_input},
    {"Unsqueeze", 13, " axes", NULL, axes_to_input},
    {"ReduceSum", 13, " axes", NULL, axes_to_input},
    {"Split", 13, " split", NULL, split_to_input},
    {"Softmax", 13, NULL, rank_unknown, softmax_axis},
    {"LogSoftmax", 13, NULL, rank_unknown, softmax_axis},
    {"Hardmax", 13, NULL, rank_unknown, softmax_axis},
    {"Resize", 13, NULL, old_pixel_rule, leave_out_empty},
    {"BatchNormalization", 14, NULL, trains, nothing},
    {"RoiAlign", 16, NULL, NULL, old_roi_align},
    {"ReduceL1", 18, " axes", NULL, axes_to_input},
    {"ReduceL2", 18, " axes", NULL, axes_to_input},
    {"ReduceLogSum", 18, " axes", NULL, axes_to_input},
    {"ReduceLogSumExp", 18, " axes", NULL, axes_to_input},
    {"ReduceMax", 18, " axes", NULL, axes_to_input},
    {"ReduceMean", 18, " axes", NULL, axes_to_input},
    {"ReduceMin", 18, " axes", NULL, axes_to_input},
    {"ReduceProd", 18, " axes", NULL, axes_to_input},
    {"ReduceSumSquare", 18, " axes", NULL, axes_to_input},
    {"Split", 18, NULL, NULL, split_parts},
    {"DFT", 20, " axis", NULL, dft_axis},
    {"GridSample", 20, NULL, NULL, grid_modes},
    {"GroupNormalization", 21, NULL, group_norm_scales, widen_group_norm},
    {0}};
