/* What lowering an opset of ai.onnx asks of a node: inputs that were attributes before, meanings
 * that changed, attributes whose values are newer than they are. Facts: docs/Changelog.md of ONNX.
 * The rows of an operator stand in falling order, down to what opset 11 lacks. A node that comes in
 * (Slice, Transpose, Cast) is written as opset 11 and later take it.
 */
#include <string.h>

#include "base/num.h"
#include "targets/opset_change.h"

enum { MAX_LIST = 64 };

static void nothing(struct node *n) { (void)n; }

/* ---- Softmax: along an axis, and before over all from that axis on ---- */

static const char *softmax_problem(const struct node *n, int64_t to)
{
    const struct value *x = node_input(n, 0);
    (void)to;
    return x && x->type.kind == TYPE_TENSOR && x->type.rank > 0
               ? NULL
               : "the rank of its input is not known";
}

static void turn_around(struct node *n, int64_t axis, int rank)
{
    int64_t perm[MAX_LIST]; /* swaps axis and the last one, and so undoes itself */
    struct node *before = opset_node_before(n, "Transpose", 1);
    struct node *after = node_new(n->graph, "Transpose", "", 1, 1);
    after->op = before->op;
    for (int i = 0; i < rank; i++)
        perm[i] = i == axis ? rank - 1 : i == rank - 1 ? axis : i;
    node_set_ints(before, "perm", perm, (uint32_t)rank);
    node_set_ints(after, "perm", perm, (uint32_t)rank);
    node_set_input(before, 0, node_input(n, 0));
    node_set_input(n, 0, node_add_output(before, 0, "turned"));
    node_insert_after(after, n);
    node_set_source(after, n);
    node_move_output(n, 0, after, 0);
    node_set_input(after, 0, node_add_output(n, 0, "soft"));
}

static void softmax_flat(struct node *n)
{
    const struct type *t = &node_input(n, 0)->type;
    int64_t axis = node_int(n, "axis", -1);
    int rank = t->rank;
    bool last = true;
    axis = axis < 0 ? axis + rank : axis;
    for (int64_t i = axis + 1; i < rank; i++)
        last &= dim_equals(t->dims[i], 1);
    node_set_int(n, "axis", last ? axis : rank - 1);
    if (!last && rank <= MAX_LIST)
        turn_around(n, axis, rank);
}

/* ---- Resize: all axes, all inputs ---- */

static int rank_of(const struct value *v)
{
    return v && v->type.kind == TYPE_TENSOR ? v->type.rank : -1;
}

static const char *resize_problem(const struct node *n, int64_t to)
{
    if (to < 19 &&
        node_string_is(n, "coordinate_transformation_mode", "half_pixel", "half_pixel_symmetric"))
        return "its coordinates are 'half_pixel_symmetric', which came with opset 19";
    if (to < 18 && node_attr(n, "axes"))
        return "it names its axes, as from opset 18 on";
    return NULL;
}

static void resize_needs_all(struct node *n)
{
    struct arena *a = n->graph->model->arena;
    int64_t none = 0;
    for (uint32_t i = 1; i < 3; i++)
        if (!node_input(n, i))
            opset_put_input(n, i, tensor_new(a, DT_FLOAT, 1, &none), i == 1 ? "roi" : "scales");
}

/* ---- values that an older version does not have ---- */

static const char *reduction_problem(const struct node *n, int64_t to)
{
    bool newer = node_string_is(n, "reduction", "none", "max") ||
                 node_string_is(n, "reduction", "none", "min");
    return to < 18 && newer ? "its reduction came with opset 18" : NULL;
}

static const char *roi_problem(const struct node *n, int64_t to)
{
    (void)to;
    return node_string_is(n, "coordinate_transformation_mode", "half_pixel", "output_half_pixel")
               ? NULL
               : "its coordinates are 'half_pixel', which came with opset 16";
}

static void drop_coordinates(struct node *n)
{
    node_drop_attr(n, "coordinate_transformation_mode");
}

static const char *dilation_problem(const struct node *n, int64_t to)
{
    const int64_t *d;
    uint32_t count;
    (void)to;
    bool given = node_ints(n, "dilations", &d, &count);
    for (uint32_t i = 0; given && i < count; i++)
        if (d[i] != 1)
            return "it has dilations, which came later";
    return NULL;
}

static const char *grid_problem(const struct node *n, int64_t to)
{
    (void)to;
    return rank_of(node_input(n, 0)) == 4 ? NULL : "before opset 20 it takes four dimensions";
}

static void grid_modes(struct node *n)
{
    if (node_string_is(n, "mode", "linear", "linear"))
        node_set_string(n, "mode", "bilinear");
    else if (node_string_is(n, "mode", "linear", "cubic"))
        node_set_string(n, "mode", "bicubic");
}

static const char *dft_problem(const struct node *n, int64_t to)
{
    int64_t axis;
    uint32_t count;
    (void)to;
    if (node_input(n, 2))
        return opset_ints(node_input(n, 2), &axis, 1, &count) && count == 1
                   ? NULL
                   : "its axis is not constant";
    return rank_of(node_input(n, 0)) > 0 ? NULL : "the rank of its input is not known";
}

/* The version of opset 17 counts its axis from the front. */
static void dft_axis(struct node *n)
{
    int64_t axis = -2;
    uint32_t count;
    if (node_input(n, 2))
        opset_ints(node_input(n, 2), &axis, 1, &count);
    opset_drop_input(n, 2);
    node_set_int(n, "axis", axis < 0 ? axis + rank_of(node_input(n, 0)) : axis);
}

/* ---- quantization ---- */

static const char *per_axis_problem(const struct node *n, int64_t to)
{
    const struct value *scale = node_input(n, 1);
    int64_t size;
    (void)to;
    int rank = rank_of(scale);
    return rank == 0 || (rank == 1 && value_dim(scale, 0, &size) && size == 1)
               ? NULL
               : "it has a scale per channel, which came with opset 13";
}

static void drop_axis(struct node *n) { node_drop_attr(n, "axis"); }

/* The type of the output was that of the zero point, uint8 without one. */
static const char *output_type_problem(const struct node *n, int64_t to)
{
    const struct value *y = node_output(n, 0);
    int64_t wanted = node_int(n, "output_dtype", 0);
    (void)to;
    if (!wanted || node_input(n, 2) || wanted == DT_UINT8)
        return NULL;
    return !y || rank_of(node_input(n, 1)) != 0 ? "its element type stands in an attribute" : NULL;
}

static void output_type_to_zero(struct node *n)
{
    int64_t wanted = node_int(n, "output_dtype", 0);
    node_drop_attr(n, "output_dtype");
    if (wanted && wanted != DT_UINT8 && !node_input(n, 2) && dtype_valid((int)wanted))
        opset_put_input(n, 2, tensor_new(n->graph->model->arena, (enum dtype)wanted, 0, NULL),
                        "zero_point");
}

static const char *scale_type_problem(const struct node *n, int64_t to)
{
    const struct value *scale = node_input(n, 1);
    int64_t wanted = node_int(n, "output_dtype", 0) + node_int(n, "precision", 0);
    (void)to;
    return !wanted || (scale && wanted == (int64_t)scale->type.dtype)
               ? NULL
               : "it computes in another type than its scale's";
}

static void drop_precision(struct node *n)
{
    node_drop_attr(n, "precision");
    if (node_is(n, "DequantizeLinear"))
        node_drop_attr(n, "output_dtype");
}

static const char *precision_problem(const struct node *n, int64_t to)
{
    if (node_is(n, "DequantizeLinear"))
        return scale_type_problem(n, to);
    return node_int(n, "precision", 0) ? "it computes in a type of its own" : NULL;
}

/* ---- smaller ones ---- */

/* Before opset 15 the whole shape; the part is cut out of it. */
static void shape_part(struct node *n)
{
    const struct attr *end = node_attr(n, "end");
    int64_t from = node_int(n, "start", 0), to = end ? end->i : INT64_MAX;
    struct arena *a = n->graph->model->arena;
    if (from == 0 && !end) {
        node_drop_attr(n, "start");
        return;
    }
    struct node *cut = node_new(n->graph, "Slice", "", 3, 1);
    cut->op = op_find("", "Slice");
    node_insert_after(cut, n);
    node_set_source(cut, n);
    node_move_output(n, 0, cut, 0);
    node_set_input(cut, 0, node_add_output(n, 0, "shape"));
    opset_put_input(cut, 1, tensor_ints(a, &from, 1), "start");
    opset_put_input(cut, 2, tensor_ints(a, &to, 1), "end");
    node_drop_attr(n, "start");
    node_drop_attr(n, "end");
}

/* Zero copies the input's size at its place: harmless where that is the same size. */
static bool size_is_safe(const struct value *x, int i, dim_t d)
{
    int64_t size;
    bool copies = d && i < rank_of(x) && d == x->type.dims[i];
    return copies || (d && dim_is_const(d, &size) ? size != 0 : d && dim_at_least(d, 1));
}

static const char *allowzero_problem(const struct node *n, int64_t to)
{
    static const char NEWER[] = "it allows zeros in its shape, which came with opset 14";
    const struct value *x = node_input(n, 0), *shape = node_input(n, 1);
    int64_t list[MAX_LIST], count;
    uint32_t n_list;
    const dim_t *sizes;
    (void)to;
    if (!node_int(n, "allowzero", 0))
        return NULL;
    if (opset_ints(shape, list, MAX_LIST, &n_list)) {
        for (uint32_t i = 0; i < n_list; i++)
            if (list[i] == 0)
                return NEWER;
        return NULL;
    }
    if (!shape || !model_values(n->graph->model, shape, &sizes, &count))
        return "it allows zeros in a shape that is not known";
    for (int64_t i = 0; i < count; i++)
        if (!size_is_safe(x, (int)i, sizes[i]))
            return NEWER;
    return NULL;
}

static void drop_allowzero(struct node *n) { node_drop_attr(n, "allowzero"); }

static const char *trains(const struct node *n, int64_t to)
{
    (void)to;
    return node_int(n, "training_mode", 0) || node_output(n, 1) ? "it is in training mode" : NULL;
}

/* One element type for both operands before opset 12. */
static const char *power_problem(const struct node *n, int64_t to)
{
    const struct value *x = node_input(n, 0), *y = node_input(n, 1);
    (void)to;
    bool known = x && y && rank_of(x) >= 0 && rank_of(y) >= 0;
    return known && dtype_is_float(x->type.dtype) ? NULL
                                                  : "the version of opset 7 computes floats only";
}

static void power_types(struct node *n)
{
    struct value *x = node_input(n, 0), *y = node_input(n, 1);
    if (x->type.dtype == y->type.dtype)
        return;
    struct node *cast = opset_node_before(n, "Cast", 1);
    node_set_int(cast, "to", x->type.dtype);
    node_set_input(cast, 0, y);
    node_set_input(n, 1, node_add_output(cast, 0, y->name));
    struct type t = y->type;
    t.dtype = x->type.dtype;
    value_set_type(n->inputs[1].value, &t);
}

static const char *dropout_problem(const struct node *n, int64_t to)
{
    const struct tensor *trains_now = opset_data(node_input(n, 2));
    (void)to;
    if (node_input(n, 2) &&
        (!trains_now || trains_now->count != 1 || tensor_get(trains_now, 0) > 0))
        return "it may be in training mode";
    return NULL;
}

static void dropout_ratio(struct node *n)
{
    opset_drop_input(n, 2);
    opset_drop_input(n, 1);
    node_drop_attr(n, "seed");
}

#define REDUCE_18(name)                                                            \
    {                                                                              \
        name, 18, " noop_with_empty_axes", opset_reduce_problem, opset_reduce_axes \
    }

const struct opset_change OPSET_LOWERS[] = {
    {"QuantizeLinear", 23, " precision", precision_problem, drop_precision},
    {"DequantizeLinear", 23, " output_dtype", precision_problem, drop_precision},
    {"QuantizeLinear", 21, " output_dtype", output_type_problem, output_type_to_zero},
    {"DFT", 20, NULL, dft_problem, dft_axis},
    {"GridSample", 20, NULL, grid_problem, grid_modes},
    {"AveragePool", 19, " dilations", dilation_problem, nothing},
    {"Pad", 19, NULL, opset_pad_problem, nothing},
    {"Resize", 19, NULL, resize_problem, nothing},
    {"Pad", 18, NULL, opset_pad_problem, opset_pad_all_axes},
    {"Resize", 18, NULL, resize_problem, nothing},
    {"ScatterElements", 18, NULL, reduction_problem, nothing},
    {"ScatterND", 18, NULL, reduction_problem, nothing},
    {"LpPool", 18, " dilations", dilation_problem, nothing},
    {"Split", 18, " num_outputs", opset_parts_problem, opset_split_sizes},
    REDUCE_18("ReduceL1"),
    REDUCE_18("ReduceL2"),
    REDUCE_18("ReduceLogSum"),
    REDUCE_18("ReduceLogSumExp"),
    REDUCE_18("ReduceMax"),
    REDUCE_18("ReduceMean"),
    REDUCE_18("ReduceMin"),
    REDUCE_18("ReduceProd"),
    REDUCE_18("ReduceSumSquare"),
    {"RoiAlign", 16, " coordinate_transformation_mode", roi_problem, drop_coordinates},
    {"Shape", 15, " start end", NULL, shape_part},
    {"BatchNormalization", 14, " training_mode", trains, nothing},
    {"Reshape", 14, " allowzero", allowzero_problem, drop_allowzero},
    {"QuantizeLinear", 13, " axis", per_axis_problem, drop_axis},
    {"DequantizeLinear", 13, " axis", per_axis_problem, drop_axis},
    {"Resize", 13, NULL, NULL, resize_needs_all},
    {"Softmax", 13, NULL, softmax_problem, softmax_flat},
    {"LogSoftmax", 13, NULL, softmax_problem, softmax_flat},
    {"Hardmax", 13, NULL, softmax_problem, softmax_flat},
    {"Squeeze", 13, NULL, opset_axes_problem, opset_axes_to_attr},
    {"Unsqueeze", 13, NULL, opset_axes_problem, opset_axes_to_attr},
    {"Split", 13, NULL, opset_axes_problem, opset_split_to_attr},
    {"ReduceSum", 13, " noop_with_empty_axes", opset_reduce_problem, opset_reduce_axes},
    {"Pow", 12, NULL, power_problem, power_types},
    {"Dropout", 12, " seed", dropout_problem, dropout_ratio},
    {"Constant", 12, " value_float value_floats value_int value_ints", opset_constant_problem,
     opset_constant_tensor},
    {0}};
