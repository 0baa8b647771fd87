/* Random cases: element-wise operators, reductions, softmax, normalizations, comparisons. */
#ifndef TESTS_OP_CASE_ELEMENTS_H
#define TESTS_OP_CASE_ELEMENTS_H
#include "op_case.h"

static void case_unary(struct op_case *c)
{
    static const char *const OPS[] = {"Abs",        "Acos",
                                      "Acosh",      "Asin",
                                      "Asinh",      "Atan",
                                      "Atanh",      "Ceil",
                                      "Cos",        "Cosh",
                                      "Elu",        "Erf",
                                      "Exp",        "Floor",
                                      "Gelu",       "HardSigmoid",
                                      "HardSwish",  "IsInf",
                                      "IsNaN",      "LeakyRelu",
                                      "Log",        "Mish",
                                      "Neg",        "Not",
                                      "Reciprocal", "Relu",
                                      "Round",      "Selu",
                                      "Sigmoid",    "Sign",
                                      "Sin",        "Sinh",
                                      "Softplus",   "Softsign",
                                      "Sqrt",       "Tan",
                                      "Tanh",       "ThresholdedRelu",
                                      "Identity",   "Celu",
                                      "Shrink",     "BitwiseNot"};
    const char *op = CASE_PICK(c, OPS);
    int64_t dims[CASE_RANK];
    enum dtype t = case_dtype(c, "", op);
    int rank = case_dims(c, 0, 4, dims);
    case_node(c, "", op, 1);
    if (!strcmp(op, "Gelu") && case_chance(c, 50))
        node_set_string(c->n, "approximate", "tanh");
    if ((!strcmp(op, "Elu") || !strcmp(op, "LeakyRelu") || !strcmp(op, "HardSigmoid")) &&
        case_chance(c, 60))
        node_set_float(c->n, "alpha", (float)case_real(c, 0.05, 1.5));
    double reach = case_chance(c, 20) ? 60 : 4;
    case_data(c, case_tensor(c, t, rank, dims, -reach, reach));
}

/* Operands that broadcast against each other. */
static void case_operands(struct op_case *c, int n, enum dtype t, double low, double high)
{
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, 0, 5, dims), keep = (int)case_below(c, n);
    for (int k = 0; k < n; k++) {
        int64_t own[CASE_RANK];
        int skip = k == keep || !rank || case_chance(c, 50) ? 0 : (int)case_below(c, rank + 1);
        for (int i = skip; i < rank; i++)
            own[i - skip] = k != keep && case_chance(c, 25) ? 1 : dims[i];
        struct tensor *x = case_tensor(c, t, rank - skip, own, low, high);
        if (k == keep)
            case_data(c, x);
        else
            case_add(c, x, 40);
    }
}

static void case_binary(struct op_case *c)
{
    static const char *const OPS[] = {"Add", "Sub",  "Mul",        "Div",       "Max",
                                      "Min", "Pow",  "PRelu",      "Mod",       "Add",
                                      "Mul", "Mean", "BitwiseAnd", "BitwiseOr", "Sum"};
    const char *op = CASE_PICK(c, OPS);
    enum dtype t = case_dtype(c, "", op);
    bool positive = !strcmp(op, "Div") || !strcmp(op, "Mod") || !strcmp(op, "Pow");
    bool variadic =
        !strcmp(op, "Max") || !strcmp(op, "Min") || !strcmp(op, "Mean") || !strcmp(op, "Sum");
    case_node(c, "", op, 1);
    if (!strcmp(op, "Mod") && (dtype_is_float(t) || case_chance(c, 40)))
        node_set_int(c->n, "fmod", 1);
    if (!strcmp(op, "PRelu")) { /* the slope broadcasts to x, not both ways */
        int64_t dims[CASE_RANK];
        int rank = case_dims(c, 2, 4, dims);
        case_x(c, t, rank, dims);
        for (int i = 0; i < rank; i++)
            dims[i] = i == 1 ? dims[i] : 1;
        case_weight(c, case_tensor(c, t, rank - 1, dims + 1, -1, 1));
        return;
    }
    case_operands(c, variadic ? (int)case_range(c, 1, 4) : 2, t, positive ? 1 : -4, 4);
}

static void case_compare(struct op_case *c)
{
    static const char *const OPS[] = {"Less",           "Greater", "Equal", "LessOrEqual",
                                      "GreaterOrEqual", "And",     "Or",    "Xor"};
    const char *op = CASE_PICK(c, OPS);
    enum dtype t = case_dtype(c, "", op);
    case_node(c, "", op, 1);
    case_operands(c, 2, t, -2, 2);
}

static void case_where(struct op_case *c)
{
    enum dtype t = case_chance(c, 70) ? DT_FLOAT : DT_INT64;
    int64_t dims[CASE_RANK], own[CASE_RANK];
    int rank = case_dims(c, 0, 4, dims);
    case_node(c, "", "Where", 1);
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < rank; i++)
            own[i] = k && case_chance(c, 25) ? 1 : dims[i];
        case_x(c, k ? t : DT_BOOL, rank, own);
    }
}

static void case_clip(struct op_case *c)
{
    enum dtype t = case_dtype(c, "", "Clip");
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, 0, 4, dims);
    bool kept = c->special;
    case_node(c, "", "Clip", 1);
    case_x(c, t, rank, dims);
    c->special = false;
    case_weight(c, case_chance(c, 80) ? case_tensor(c, t, 0, NULL, -2, 0) : NULL);
    if (case_chance(c, 80))
        case_weight(c, case_tensor(c, t, 0, NULL, 0, 2));
    c->special = kept;
}

static void case_cast(struct op_case *c)
{
    static const enum dtype TO[] = {DT_FLOAT, DT_FLOAT16, DT_BFLOAT16, DT_DOUBLE, DT_INT8,
                                    DT_UINT8, DT_INT32,   DT_INT64,    DT_BOOL,   DT_UINT16};
    int64_t dims[CASE_RANK];
    enum dtype to = CASE_PICK(c, TO);
    int rank = case_dims(c, 0, 4, dims);
    c->special = c->special && dtype_is_float(to); /* NaN as an integer is anything */
    case_node(c, "", "Cast", 1);
    node_set_int(c->n, "to", to);
    bool whole = !dtype_is_signed(to) && dtype_is_int(to); /* nor is a negative one unsigned */
    case_data(c, case_tensor(c, CASE_PICK(c, TO), rank, dims, whole ? 0 : -100, 100));
}

/* Axes as an attribute or an input, by the version; also negative, also left out. */
static void case_axes(struct op_case *c, int rank, int64_t input_since)
{
    int64_t axes[CASE_RANK];
    uint32_t n = 0;
    for (int i = 0; i < rank; i++)
        if (case_chance(c, 50))
            axes[n++] = case_chance(c, 30) ? i - rank : i;
    if (!n)
        return;
    if (case_opset(c) >= input_since)
        case_list(c, axes, n);
    else
        node_set_ints(c->n, "axes", axes, n);
}

static void case_reduce(struct op_case *c)
{
    static const char *const OPS[] = {
        "ReduceSum", "ReduceMean", "ReduceMax",       "ReduceMin",    "ReduceProd",
        "ReduceL1",  "ReduceL2",   "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"};
    const char *op = CASE_PICK(c, OPS);
    int64_t dims[CASE_RANK];
    enum dtype t = case_dtype(c, "", op);
    int rank = case_dims(c, 0, 5, dims);
    bool log = strstr(op, "Log") != NULL;
    case_node(c, "", op, 1);
    case_data(c, case_tensor(c, t, rank, dims, log ? 0.1 : -2, 2));
    case_axes(c, rank, strcmp(op, "ReduceSum") ? 18 : 13);
    node_set_int(c->n, "keepdims", case_below(c, 2));
}

static void case_arg(struct op_case *c)
{
    const char *op = case_chance(c, 50) ? "ArgMax" : "ArgMin";
    int64_t dims[CASE_RANK];
    enum dtype t = case_dtype(c, "", op);
    int rank = case_dims(c, 1, 4, dims);
    c->special = false; /* which of several NaN is not said */
    case_node(c, "", op, 1);
    case_x(c, t, rank, dims);
    node_set_int(c->n, "axis", case_range(c, -rank, rank - 1));
    node_set_int(c->n, "keepdims", case_below(c, 2));
    node_set_int(c->n, "select_last_index", case_below(c, 2));
}

static void case_softmax(struct op_case *c)
{
    static const char *const OPS[] = {"Softmax", "LogSoftmax", "Hardmax", "LpNormalization",
                                      "Softmax"};
    const char *op = CASE_PICK(c, OPS);
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, 1, 4, dims);
    case_node(c, "", op, 1);
    case_data(c, case_tensor(c, case_dtype(c, "", op), rank, dims, -6, 6));
    node_set_int(c->n, "axis", case_range(c, -rank, rank - 1));
}

static void case_cumulate(struct op_case *c)
{
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, 1, 4, dims);
    int64_t axis = case_range(c, -rank, rank - 1);
    case_node(c, "", "CumSum", 1);
    case_x(c, case_dtype(c, "", "CumSum"), rank, dims);
    case_add(c, tensor_scalar(c->a, DT_INT64, (double)axis), 80);
    node_set_int(c->n, "exclusive", case_below(c, 2));
    node_set_int(c->n, "reverse", case_below(c, 2));
}

static void case_channel_norm(struct op_case *c)
{
    bool batch = case_chance(c, 60);
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, batch ? 2 : 3, 5, dims);
    enum dtype t = case_chance(c, 90) ? DT_FLOAT : DT_FLOAT16;
    case_node(c, "", batch ? "BatchNormalization" : "InstanceNormalization", 1);
    case_x(c, t, rank, dims);
    for (int k = 0; k < (batch ? 4 : 2); k++)
        case_weight(c, case_tensor(c, t, 1, dims + 1, k == 3 ? 0.2 : -2, 2));
    if (case_chance(c, 50))
        node_set_float(c->n, "epsilon", 1e-3f);
}

static void case_row_norm(struct op_case *c)
{
    bool rms = case_opset(c) >= 23 && case_chance(c, 50);
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, 1, 4, dims), axis = (int)case_below(c, rank);
    enum dtype t = case_chance(c, 90) ? DT_FLOAT : DT_FLOAT16;
    case_node(c, "", rms ? "RMSNormalization" : "LayerNormalization", 1);
    case_x(c, t, rank, dims);
    node_set_int(c->n, "axis", axis - (case_chance(c, 30) ? rank : 0));
    case_weight(c, case_tensor(c, t, rank - axis, dims + axis, -2, 2));
    if (!rms && case_chance(c, 70))
        case_weight(c, case_tensor(c, t, rank - axis, dims + axis, -2, 2));
}

static void case_group_norm(struct op_case *c)
{
    int64_t dims[CASE_RANK], groups = case_range(c, 1, 4), n;
    int rank = case_dims(c, 3, 4, dims);
    dims[1] = groups * case_range(c, 1, 4);
    case_node(c, "", "GroupNormalization", 1);
    node_set_int(c->n, "num_groups", groups);
    n = case_opset(c) >= 21 ? dims[1] : groups;
    case_x(c, DT_FLOAT, rank, dims);
    case_weight(c, case_tensor(c, DT_FLOAT, 1, &n, -2, 2));
    case_weight(c, case_tensor(c, DT_FLOAT, 1, &n, -2, 2));
}

static void case_lrn(struct op_case *c)
{
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, 3, 4, dims);
    case_node(c, "", "LRN", 1);
    node_set_int(c->n, "size", case_range(c, 1, 6));
    case_x(c, DT_FLOAT, rank, dims);
}
#endif
