/* Inputs that become attributes again when an opset is lowered: axes, sizes, amounts of padding;
 * Constant's newer forms. Rows of opset_down.c name these functions.
 */
#include "base/num.h"
#include "targets/opset_change.h"

enum { MAX_LIST = 64 };

/* ---- inputs that become attributes ---- */

static const char *list_problem(const struct node *n, uint32_t i)
{
    int64_t list[MAX_LIST];
    uint32_t count;
    return !node_input(n, i) || opset_ints(n->inputs[i].value, list, MAX_LIST, &count)
               ? NULL
               : "an input that was an attribute before is not constant";
}

static void input_to_ints(struct node *n, uint32_t i, const char *attr)
{
    int64_t list[MAX_LIST];
    uint32_t count;
    if (!node_input(n, i) || !opset_ints(n->inputs[i].value, list, MAX_LIST, &count))
        return;
    node_set_ints(n, attr, list, count);
    opset_drop_input(n, i);
}

const char *opset_axes_problem(const struct node *n, int64_t to)
{
    (void)to;
    return list_problem(n, 1);
}

void opset_axes_to_attr(struct node *n) { input_to_ints(n, 1, "axes"); }

/* No axes mean all of them, or none with noop_with_empty_axes: then the sum is the input. The other
 * operators of the family still compute (a square, a logarithm), and are refused. */
static bool reduces_nothing(const struct node *n)
{
    const struct tensor *axes = opset_data(node_input(n, 1));
    return node_int(n, "noop_with_empty_axes", 0) && (!node_input(n, 1) || (axes && !axes->count));
}

const char *opset_reduce_problem(const struct node *n, int64_t to)
{
    static const char *const PLAIN[] = {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin",
                                        "ReduceProd"};
    bool plain = false;
    for (size_t i = 0; i < sizeof PLAIN / sizeof PLAIN[0]; i++)
        plain |= node_is(n, PLAIN[i]);
    return !plain && reduces_nothing(n) ? "it reduces no axis" : opset_axes_problem(n, to);
}

void opset_reduce_axes(struct node *n)
{
    const struct tensor *axes = opset_data(node_input(n, 1));
    bool nothing_to_do = reduces_nothing(n);
    if (nothing_to_do || (axes && !axes->count))
        opset_drop_input(n, 1);
    else
        opset_axes_to_attr(n);
    node_drop_attr(n, "noop_with_empty_axes");
    if (!nothing_to_do)
        return;
    node_drop_attr(n, "keepdims");
    node_set_op(n, "Identity", "");
    n->op = op_find("", "Identity");
}

void opset_split_to_attr(struct node *n) { input_to_ints(n, 1, "split"); }

/* ---- Split: num_outputs ---- */

static bool split_extent(const struct node *n, int64_t *extent)
{
    const struct value *x = node_input(n, 0);
    int64_t axis = node_int(n, "axis", 0);
    int rank = x && x->type.kind == TYPE_TENSOR ? x->type.rank : -1;
    axis = axis < 0 ? axis + rank : axis;
    return rank > 0 && axis >= 0 && axis < rank && value_dim(x, (int)axis, extent);
}

const char *opset_parts_problem(const struct node *n, int64_t to)
{
    int64_t extent;
    (void)to;
    return node_input(n, 1) || split_extent(n, &extent) || node_int(n, "num_outputs", 0) == 1
               ? NULL
               : "the extent that it splits is not known";
}

/* The last part is smaller where they do not come out even; without sizes they have to. */
void opset_split_sizes(struct node *n)
{
    int64_t extent = 0, parts = node_int(n, "num_outputs", n->n_outputs);
    node_drop_attr(n, "num_outputs");
    if (node_input(n, 1) || parts < 1 || !split_extent(n, &extent) || extent % parts == 0)
        return;
    struct tensor *sizes = tensor_new(n->graph->model->arena, DT_INT64, 1, &parts);
    int64_t each = (extent + parts - 1) / parts;
    for (int64_t i = 0; i < parts; i++) {
        int64_t left = extent - i * each;
        num_set_int(tensor_writable(sizes), DT_INT64, i, left < 0 ? 0 : left < each ? left : each);
    }
    opset_put_input(n, 1, sizes, "split");
}

/* ---- Pad: only some axes ---- */

static int rank_of(const struct value *v)
{
    return v && v->type.kind == TYPE_TENSOR ? v->type.rank : -1;
}

const char *opset_pad_problem(const struct node *n, int64_t to)
{
    int64_t list[MAX_LIST];
    uint32_t count;
    if (to < 19 && node_string_is(n, "mode", "constant", "wrap"))
        return "its mode 'wrap' came with opset 19";
    if (to >= 18 || !node_input(n, 3))
        return NULL;
    int rank = rank_of(node_input(n, 0));
    if (rank < 0 || rank > MAX_LIST / 2)
        return "the rank of its input is not known";
    for (uint32_t i = 1; i < 4; i += 2)
        if (!opset_ints(node_input(n, i), list, MAX_LIST, &count))
            return "it pads some axes by amounts that are not constant";
    return NULL;
}

void opset_pad_all_axes(struct node *n)
{
    int64_t pads[MAX_LIST], axes[MAX_LIST], all[MAX_LIST] = {0};
    uint32_t n_pads, n_axes;
    int rank = rank_of(node_input(n, 0));
    if (!node_input(n, 3)) {
        opset_drop_input(n, 3);
        return;
    }
    if (!opset_ints(node_input(n, 1), pads, MAX_LIST, &n_pads) ||
        !opset_ints(node_input(n, 3), axes, MAX_LIST, &n_axes) || n_pads != 2 * n_axes)
        return;
    for (uint32_t i = 0; i < n_axes; i++) {
        int64_t at = axes[i] < 0 ? axes[i] + rank : axes[i];
        if (at < 0 || at >= rank)
            continue;
        all[at] = pads[i];
        all[at + rank] = pads[i + n_axes];
    }
    opset_drop_input(n, 3);
    opset_put_input(n, 1, tensor_ints(n->graph->model->arena, all, 2 * rank), "pads");
}

/* ---- Constant: forms that came with opset 12 ---- */

const char *opset_constant_problem(const struct node *n, int64_t to)
{
    bool strings = node_attr(n, "value_string") || node_attr(n, "value_strings");
    (void)to;
    return strings ? "its text stands in an attribute of its own, as from opset 12 on" : NULL;
}

void opset_constant_tensor(struct node *n)
{
    struct arena *a = n->graph->model->arena;
    const struct attr *x = n->n_attrs == 1 ? n->attrs[0] : NULL;
    struct tensor *t = NULL;
    int64_t count = x ? x->n : 0;
    if (x && x->type == ATTR_FLOAT)
        t = tensor_scalar(a, DT_FLOAT, (double)x->f);
    else if (x && x->type == ATTR_INT)
        t = tensor_view(a, DT_INT64, 0, NULL, &x->i);
    else if (x && x->type == ATTR_INTS)
        t = tensor_ints(a, x->ints, count);
    else if (x && x->type == ATTR_FLOATS)
        t = tensor_view(a, DT_FLOAT, 1, &count, x->floats);
    if (!t)
        return;
    node_drop_attr(n, x->name);
    node_set_tensor(n, "value", t);
}
