/* Random cases: operators that move, pick, join and repeat elements. */
#ifndef TESTS_OP_CASE_MOVES_H
#define TESTS_OP_CASE_MOVES_H
#include "op_case.h"

static void case_transpose(struct op_case *c)
{
    int64_t dims[CASE_RANK], perm[CASE_RANK];
    int rank = case_dims(c, 0, 6, dims);
    for (int i = 0; i < rank; i++)
        perm[i] = i;
    for (int i = rank - 1; i > 0; i--) {
        int k = (int)case_below(c, i + 1);
        int64_t kept = perm[i];
        perm[i] = perm[k];
        perm[k] = kept;
    }
    case_node(c, "", "Transpose", 1);
    if (case_chance(c, 85))
        node_set_ints(c->n, "perm", perm, (uint32_t)rank);
    case_x(c, case_dtype(c, "", "Transpose"), rank, dims);
}

static void case_reshape(struct op_case *c)
{
    int64_t dims[CASE_RANK], shape[CASE_RANK + 1];
    int rank = case_dims(c, 1, 5, dims), out = 0;
    bool empty = false;
    for (int i = 0; i < rank; i++) { /* neighbours joined, a one put in */
        empty = empty || !dims[i];
        if (out && case_chance(c, 40))
            shape[out - 1] *= dims[i];
        else
            shape[out++] = dims[i];
    }
    if (!empty && case_chance(c, 50))
        shape[case_below(c, out)] = -1;
    else if (shape[0] == dims[0] && case_chance(c, 30))
        shape[0] = 0;
    case_node(c, "", "Reshape", 1);
    case_x(c, case_dtype(c, "", "Reshape"), rank, dims);
    case_list(c, shape, out);
}

static void case_squeeze(struct op_case *c)
{
    bool back = case_chance(c, 50);
    int64_t dims[CASE_RANK], axis;
    int rank = case_dims(c, 1, 5, dims);
    axis = case_below(c, rank);
    dims[axis] = 1;
    case_node(c, "", back ? "Unsqueeze" : "Squeeze", 1);
    case_x(c, case_dtype(c, "", "Squeeze"), rank, dims);
    case_list(c, &axis, 1);
}

static void case_slice(struct op_case *c)
{
    int64_t dims[CASE_RANK], begin[CASE_RANK], end[CASE_RANK], axes[CASE_RANK], steps[CASE_RANK],
        n = 0;
    int rank = case_dims(c, 1, 4, dims);
    for (int i = 0; i < rank; i++) {
        if (n && case_chance(c, 40))
            continue;
        axes[n] = case_chance(c, 30) ? i - rank : i;
        steps[n] = case_chance(c, 60)   ? 1
                   : case_chance(c, 50) ? case_range(c, 2, 3)
                                        : case_range(c, -3, -1);
        begin[n] = case_range(c, -dims[i] - 2, dims[i] + 2);
        end[n] = case_chance(c, 20)   ? INT64_MAX
                 : case_chance(c, 10) ? INT64_MIN + 1
                                      : case_range(c, -dims[i] - 2, dims[i] + 2);
        n++;
    }
    case_node(c, "", "Slice", 1);
    case_x(c, case_dtype(c, "", "Slice"), rank, dims);
    case_list(c, begin, n);
    case_list(c, end, n);
    case_list(c, axes, n);
    if (case_chance(c, 80))
        case_list(c, steps, n);
}

static void case_concat(struct op_case *c)
{
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, 1, 4, dims), axis = (int)case_below(c, rank),
        n = (int)case_range(c, 1, 5);
    enum dtype t = case_dtype(c, "", "Concat");
    case_node(c, "", "Concat", 1);
    node_set_int(c->n, "axis", axis - (case_chance(c, 30) ? rank : 0));
    for (int k = 0; k < n; k++) {
        dims[axis] = case_range(c, case_chance(c, 10) ? 0 : 1, 6);
        case_add(c, case_tensor(c, t, rank, dims, -3, 3), 15);
    }
}

static void case_split(struct op_case *c)
{
    int64_t dims[CASE_RANK], parts[4], sum = 0;
    int rank = case_dims(c, 1, 4, dims), axis = (int)case_below(c, rank),
        n = (int)case_range(c, 1, 4);
    for (int k = 0; k < n; k++)
        sum += parts[k] = case_range(c, case_chance(c, 10) ? 0 : 1, 5);
    dims[axis] = sum;
    case_node(c, "", "Split", (uint32_t)n);
    node_set_int(c->n, "axis", axis);
    case_x(c, case_dtype(c, "", "Split"), rank, dims);
    case_list(c, parts, n);
}

static void case_pad(struct op_case *c)
{
    static const char *const MODES[] = {"constant", "reflect", "edge", "constant"};
    int64_t dims[CASE_RANK], pads[2 * CASE_RANK];
    int rank = case_dims(c, 1, 5, dims);
    const char *mode = CASE_PICK(c, MODES);
    enum dtype t = case_dtype(c, "", "Pad");
    for (int i = 0; i < 2 * rank; i++) {
        int64_t size = dims[i % rank];
        pads[i] = case_chance(c, 50) ? 0 : case_range(c, 0, 3);
        if (strcmp(mode, "constant"))
            pads[i] = pads[i] < size ? pads[i] : size > 0 ? size - 1 : 0;
        else if (case_chance(c, 15) && size > 2)
            pads[i] = -1;
    }
    case_node(c, "", "Pad", 1);
    node_set_string(c->n, "mode", mode);
    case_x(c, t, rank, dims);
    case_list(c, pads, 2 * rank);
    if (!strcmp(mode, "constant") && case_chance(c, 60))
        case_weight(c, case_tensor(c, t, 0, NULL, -2, 2));
}

static struct tensor *case_indices(struct op_case *c, int rank, const int64_t *dims, int64_t size)
{
    enum dtype t = case_chance(c, 70) ? DT_INT64 : DT_INT32;
    struct tensor *x = tensor_new(c->a, t, rank, dims);
    for (int64_t i = 0; i < x->count; i++)
        num_set_int(tensor_writable(x), t, i, size ? case_range(c, -size, size - 1) : 0);
    return x;
}

static void case_gather(struct op_case *c)
{
    int64_t dims[CASE_RANK], at[CASE_RANK];
    int rank = case_dims(c, 1, 4, dims), axis = (int)case_below(c, rank),
        n = case_dims(c, 0, 2, at);
    dims[axis] += !dims[axis];
    case_node(c, "", "Gather", 1);
    node_set_int(c->n, "axis", axis - (case_chance(c, 30) ? rank : 0));
    case_add(c, case_tensor(c, case_dtype(c, "", "Gather"), rank, dims, -3, 3), 30);
    case_add(c, case_indices(c, n, at, dims[axis]), 30);
}

static void case_gather_elements(struct op_case *c)
{
    bool scatter = case_chance(c, 40);
    int64_t dims[CASE_RANK], at[CASE_RANK];
    int rank = case_dims(c, 1, 3, dims), axis = (int)case_below(c, rank);
    enum dtype t = case_chance(c, 80) ? DT_FLOAT : DT_INT64;
    dims[axis] += !dims[axis];
    for (int i = 0; i < rank; i++)
        at[i] = i == axis && !scatter ? case_range(c, 1, 9) : dims[i];
    case_node(c, "", scatter ? "ScatterElements" : "GatherElements", 1);
    node_set_int(c->n, "axis", axis);
    case_x(c, t, rank, dims);
    case_add(c, case_indices(c, rank, at, dims[axis]), 30);
    if (!scatter)
        return;
    case_x(c, t, rank, at);
    if (case_opset(c) >= 16) /* else which of two writers to a place is last is not said */
        node_set_string(c->n, "reduction", "add");
}

static void case_expand(struct op_case *c)
{
    bool tile = case_chance(c, 50);
    int64_t dims[CASE_RANK], to[CASE_RANK];
    int rank = case_dims(c, 1, 4, dims);
    for (int i = 0; i < rank; i++)
        to[i] = case_chance(c, 60) ? 1 : tile || dims[i] == 1 ? case_range(c, 0, 4) : dims[i];
    case_node(c, "", tile ? "Tile" : "Expand", 1);
    case_x(c, case_dtype(c, "", tile ? "Tile" : "Expand"), rank, dims);
    case_list(c, to, rank);
}

static void case_depth(struct op_case *c)
{
    bool space = case_chance(c, 40);
    int64_t block = case_range(c, 1, 3), d[4] = {case_range(c, 0, 2), case_range(c, 1, 4),
                                                 case_range(c, 1, 5), case_range(c, 1, 5)};
    for (int i = space ? 2 : 1; i < (space ? 4 : 2); i++)
        d[i] *= space ? block : block * block;
    case_node(c, "", space ? "SpaceToDepth" : "DepthToSpace", 1);
    node_set_int(c->n, "blocksize", block);
    if (!space && case_chance(c, 50))
        node_set_string(c->n, "mode", "CRD");
    case_x(c, DT_FLOAT, 4, d);
}

static void case_topk(struct op_case *c)
{
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, 1, 3, dims), axis = (int)case_below(c, rank);
    int64_t k = case_range(c, 0, dims[axis]);
    c->special = false;
    case_node(c, "", "TopK", 2);
    node_set_int(c->n, "axis", axis);
    node_set_int(c->n, "largest", case_below(c, 2));
    case_x(c, case_chance(c, 70) ? DT_FLOAT : DT_INT64, rank, dims);
    case_list(c, &k, 1);
}

static void case_choose(struct op_case *c) /* outputs whose size the data decides */
{
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, 1, 3, dims);
    if (case_chance(c, 50)) {
        case_node(c, "", "NonZero", 1);
        case_x(c, DT_BOOL, rank, dims);
        return;
    }
    int64_t n = dims[0];
    case_node(c, "", "Compress", 1);
    node_set_int(c->n, "axis", 0);
    case_x(c, DT_FLOAT, rank, dims);
    case_add(c, case_tensor(c, DT_BOOL, 1, &n, 0, 1), 30);
}

static void case_triangle(struct op_case *c)
{
    int64_t dims[CASE_RANK], k = case_range(c, -3, 3);
    int rank = case_dims(c, 2, 4, dims);
    if (case_opset(c) < 14)
        model_set_opset(c->m, "", 14);
    case_node(c, "", "Trilu", 1);
    node_set_int(c->n, "upper", case_below(c, 2));
    case_x(c, DT_FLOAT, rank, dims);
    if (case_chance(c, 60))
        case_add(c, tensor_scalar(c->a, DT_INT64, (double)k), 70);
}

static void case_one_hot(struct op_case *c)
{
    int64_t dims[CASE_RANK], two = 2;
    int rank = case_dims(c, 0, 3, dims);
    case_node(c, "", "OneHot", 1);
    node_set_int(c->n, "axis", case_range(c, -rank - 1, rank));
    case_data(c, case_indices(c, rank, dims, 6));
    case_add(c, tensor_scalar(c->a, DT_INT64, 5), 80);
    case_weight(c, case_tensor(c, DT_FLOAT, 1, &two, -1, 1));
}

static void case_range_op(struct op_case *c)
{
    enum dtype t = case_chance(c, 50) ? DT_INT64 : DT_FLOAT;
    bool real = t == DT_FLOAT;
    double low = (double)case_range(c, -5, 5);
    case_node(c, "", "Range", 1);
    case_add(c, tensor_scalar(c->a, t, low), 50);
    case_add(c, tensor_scalar(c->a, t, low + (double)case_range(c, -2, 40)), 50);
    case_add(c, tensor_scalar(c->a, t, real ? 0.75 : (double)case_range(c, 1, 3)), 50);
}
#endif
