/* Random cases: convolutions, pools, products, recurrent layers, quantized forms, resizing. */
#ifndef TESTS_OP_CASE_LAYERS_H
#define TESTS_OP_CASE_LAYERS_H
#include "op_case.h"

/* A window over `n` spatial axes: attributes on c->n, extents of x that it fits. */
struct case_window {
    int n;
    int64_t kernel[3], size[3];
};

static void case_window(struct op_case *c, struct case_window *w, bool named, bool transposed)
{
    int64_t strides[3], dilations[3], pads[6];
    bool padded = case_chance(c, 60), same = !transposed && case_chance(c, 12);
    w->n = case_chance(c, 75) ? 2 : case_chance(c, 60) ? 1 : 3;
    for (int i = 0; i < w->n; i++) {
        w->kernel[i] = case_chance(c, 30) ? 1 : case_range(c, 2, w->n == 3 ? 3 : 5);
        strides[i] = case_chance(c, 55) ? 1 : case_range(c, 2, 3);
        dilations[i] = case_chance(c, 80) || same ? 1 : case_range(c, 2, 3);
        int64_t reach = (w->kernel[i] - 1) * dilations[i] + 1, most = w->kernel[i] - 1;
        pads[i] = padded ? case_below(c, most + 1) : 0;
        pads[w->n + i] = padded ? case_below(c, most + 1) : 0;
        w->size[i] = transposed ? case_range(c, 1, 7) : reach + case_below(c, w->n == 3 ? 4 : 12);
    }
    if (named)
        node_set_ints(c->n, "kernel_shape", w->kernel, (uint32_t)w->n);
    node_set_ints(c->n, "strides", strides, (uint32_t)w->n);
    if (!node_is(c->n, "LpPool") || case_opset(c) >= 18)
        if (!node_is(c->n, "AveragePool") || case_opset(c) >= 19)
            node_set_ints(c->n, "dilations", dilations, (uint32_t)w->n);
    if (same)
        node_set_string(c->n, "auto_pad", case_chance(c, 50) ? "SAME_UPPER" : "SAME_LOWER");
    else if (padded)
        node_set_ints(c->n, "pads", pads, 2 * (uint32_t)w->n);
}

static void case_conv_dims(struct op_case *c, const struct case_window *w, int64_t group,
                           bool transposed, int64_t *x, int64_t *f)
{
    int64_t in = case_chance(c, 20) ? case_range(c, 8, 20) : case_range(c, 1, 4),
            out = case_chance(c, 20) ? case_range(c, 8, 20) : case_range(c, 1, 4);
    if (group > 4) /* depthwise */
        in = out = 1;
    x[0] = case_chance(c, 3) ? 0 : case_range(c, 1, 3);
    x[1] = group * in;
    f[0] = transposed ? group * in : group * out;
    f[1] = transposed ? out : in;
    memcpy(x + 2, w->size, sizeof w->size[0] * (size_t)w->n);
    memcpy(f + 2, w->kernel, sizeof w->kernel[0] * (size_t)w->n);
}

static void case_conv(struct op_case *c)
{
    bool transposed = case_chance(c, 25);
    int64_t group = case_chance(c, 60)   ? 1
                    : case_chance(c, 50) ? case_range(c, 2, 4)
                                         : case_range(c, 5, 20);
    int64_t x[5], f[5], bias;
    struct case_window w;
    enum dtype t = case_chance(c, 92) ? DT_FLOAT : case_chance(c, 50) ? DT_FLOAT16 : DT_DOUBLE;
    case_node(c, "", transposed ? "ConvTranspose" : "Conv", 1);
    case_window(c, &w, case_chance(c, 60), transposed);
    case_conv_dims(c, &w, group, transposed, x, f);
    node_set_int(c->n, "group", group);
    case_x(c, t, w.n + 2, x);
    c->special = false; /* what an infinite weight makes of padding is not said */
    case_weight(c, case_tensor(c, t, w.n + 2, f, -1, 1));
    bias = transposed ? f[1] * group : f[0];
    if (case_chance(c, 60))
        case_weight(c, case_tensor(c, t, 1, &bias, -1, 1));
}

static void case_conv_integer(struct op_case *c)
{
    int64_t group = case_chance(c, 70) ? 1 : case_range(c, 2, 8), x[5], f[5];
    struct case_window w;
    enum dtype t = case_chance(c, 60) ? DT_UINT8 : DT_INT8,
               ft = case_chance(c, 50) ? DT_UINT8 : DT_INT8;
    case_node(c, "", "ConvInteger", 1);
    case_window(c, &w, true, false);
    case_conv_dims(c, &w, group, false, x, f);
    node_set_int(c->n, "group", group);
    case_data(c, case_tensor(c, t, w.n + 2, x, t == DT_INT8 ? -128 : 0, t == DT_INT8 ? 127 : 255));
    case_weight(
        c, case_tensor(c, ft, w.n + 2, f, ft == DT_INT8 ? -128 : 0, ft == DT_INT8 ? 127 : 255));
    if (case_chance(c, 60))
        case_weight(c, case_tensor(c, t, 0, NULL, 0, 100));
}

static void case_pool(struct op_case *c)
{
    static const char *const OPS[] = {"MaxPool", "AveragePool", "MaxPool", "AveragePool", "LpPool"};
    const char *op = CASE_PICK(c, OPS);
    struct case_window w;
    int64_t x[5] = {case_range(c, 0, 2), case_extent(c)};
    bool max = !strcmp(op, "MaxPool"), two = max && case_chance(c, 25);
    c->special = c->special && !max; /* the largest among NaN is not said */
    case_node(c, "", op, two ? 2 : 1);
    case_window(c, &w, true, false);
    memcpy(x + 2, w.size, sizeof w.size[0] * (size_t)w.n);
    if (!strcmp(op, "AveragePool"))
        node_set_int(c->n, "count_include_pad", case_below(c, 2));
    if (strcmp(op, "LpPool") || case_opset(c) >= 18)
        node_set_int(c->n, "ceil_mode", case_chance(c, 25));
    enum dtype t = case_chance(c, 90) ? DT_FLOAT : max ? DT_UINT8 : DT_FLOAT16;
    case_x(c, t, w.n + 2, x);
}

static void case_global_pool(struct op_case *c)
{
    static const char *const OPS[] = {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"};
    int64_t dims[CASE_RANK];
    const char *op = CASE_PICK(c, OPS);
    int rank = case_dims(c, 3, 5, dims);
    for (int i = 2; i < rank; i++)
        dims[i] += !dims[i];
    c->special = c->special && !strcmp(op, "GlobalAveragePool");
    case_node(c, "", op, 1);
    case_x(c, DT_FLOAT, rank, dims);
}

/* The dims of the two factors of a MatMul: vectors, matrices, batches that broadcast. */
static void case_factors(struct op_case *c, int64_t *a, int *ra, int64_t *b, int *rb)
{
    int64_t m = case_chance(c, 30) ? case_range(c, 8, 40) : case_extent(c), k = case_extent(c),
            n = case_chance(c, 30) ? case_range(c, 8, 40) : case_extent(c), batch[2];
    int lead = case_chance(c, 50) ? 0 : (int)case_range(c, 1, 2);
    for (int i = 0; i < lead; i++)
        batch[i] = case_range(c, 1, 4);
    *ra = *rb = 0;
    for (int i = 0; i < lead; i++) {
        a[(*ra)++] = case_chance(c, 20) ? 1 : batch[i];
        if (i || case_chance(c, 60))
            b[(*rb)++] = case_chance(c, 20) ? 1 : batch[i];
    }
    if (lead && case_chance(c, 50))
        *rb = 0;
    if (*ra || case_chance(c, 85))
        a[(*ra)++] = m;
    a[(*ra)++] = k;
    b[(*rb)++] = k;
    if (*rb > 1 || case_chance(c, 85))
        b[(*rb)++] = n;
}

static void case_matmul(struct op_case *c)
{
    int64_t a[4], b[4];
    int ra, rb;
    enum dtype t = case_dtype(c, "", "MatMul");
    case_factors(c, a, &ra, b, &rb);
    case_node(c, "", "MatMul", 1);
    case_x(c, t, ra, a);
    case_add(c, case_tensor(c, t, rb, b, -2, 2), 60);
}

static void case_matmul_integer(struct op_case *c)
{
    int64_t a[4], b[4];
    int ra, rb;
    enum dtype t = case_chance(c, 60) ? DT_UINT8 : DT_INT8,
               u = case_chance(c, 50) ? DT_UINT8 : DT_INT8;
    case_factors(c, a, &ra, b, &rb);
    case_node(c, "", "MatMulInteger", 1);
    case_data(c, case_tensor(c, t, ra, a, t == DT_INT8 ? -128 : 0, t == DT_INT8 ? 127 : 255));
    case_weight(c, case_tensor(c, u, rb, b, u == DT_INT8 ? -128 : 0, u == DT_INT8 ? 127 : 255));
    if (case_chance(c, 70))
        case_weight(c, case_tensor(c, t, 0, NULL, 0, 100));
    if (c->n_slots == 3 && case_chance(c, 70))
        case_weight(c, case_tensor(c, u, 0, NULL, 0, 100));
}

static void case_gemm(struct op_case *c)
{
    int64_t m = case_extent(c), k = case_extent(c), n = case_extent(c), a[2], b[2], bias[2];
    bool ta = case_chance(c, 30), tb = case_chance(c, 50);
    enum dtype t = case_chance(c, 90) ? DT_FLOAT : case_dtype(c, "", "Gemm");
    a[0] = ta ? k : m;
    a[1] = ta ? m : k;
    b[0] = tb ? n : k;
    b[1] = tb ? k : n;
    case_node(c, "", "Gemm", 1);
    node_set_int(c->n, "transA", ta);
    node_set_int(c->n, "transB", tb);
    if (case_chance(c, 30) && dtype_is_float(t))
        node_set_float(c->n, "alpha", 0.5f);
    if (case_chance(c, 30) && dtype_is_float(t))
        node_set_float(c->n, "beta", case_chance(c, 30) ? 0.0f : 1.5f);
    case_x(c, t, 2, a);
    case_weight(c, case_tensor(c, t, 2, b, -2, 2));
    int rank = (int)case_below(c, 4);
    bias[0] = rank == 2 ? (case_chance(c, 50) ? m : 1) : n;
    bias[1] = case_chance(c, 70) ? n : 1;
    if (rank < 3)
        case_weight(c, case_tensor(c, t, rank, bias, -2, 2));
}

static void case_recurrent(struct op_case *c)
{
    static const struct {
        const char *op;
        int gates;
    } OPS[] = {{"LSTM", 4}, {"GRU", 3}, {"RNN", 1}};
    static const char *const DIRECTIONS[] = {"forward", "reverse", "bidirectional"};
    int kind = (int)case_below(c, 3), direction = (int)case_below(c, 3);
    int64_t way = direction == 2 ? 2 : 1, gates = OPS[kind].gates, hidden = case_range(c, 1, 9),
            x[3] = {case_range(c, 1, 5), case_range(c, 1, 3), case_range(c, 1, 9)};
    int64_t w[3] = {way, gates * hidden, x[2]}, r[3] = {way, gates * hidden, hidden},
            b[2] = {way, 2 * gates * hidden}, h[3] = {way, x[1], hidden};
    case_node(c, "", OPS[kind].op, kind ? 2 : 3);
    node_set_string(c->n, "direction", DIRECTIONS[direction]);
    node_set_int(c->n, "hidden_size", hidden);
    if (kind == 1 && case_chance(c, 50))
        node_set_int(c->n, "linear_before_reset", 1);
    case_x(c, DT_FLOAT, 3, x);
    case_weight(c, case_tensor(c, DT_FLOAT, 3, w, -1, 1));
    case_weight(c, case_tensor(c, DT_FLOAT, 3, r, -1, 1));
    case_weight(c, case_chance(c, 70) ? case_tensor(c, DT_FLOAT, 2, b, -1, 1) : NULL);
    if (case_chance(c, 40)) {
        struct tensor *lengths = tensor_new(c->a, DT_INT32, 1, x + 1);
        for (int64_t i = 0; i < x[1]; i++)
            num_set_int(tensor_writable(lengths), DT_INT32, i, case_range(c, 1, x[0]));
        case_data(c, lengths);
    } else {
        case_add(c, NULL, 0);
    }
    if (case_chance(c, 50))
        case_data(c, case_tensor(c, DT_FLOAT, 3, h, -1, 1));
    if (kind == 0 && c->n_slots == 6 && case_chance(c, 70))
        case_data(c, case_tensor(c, DT_FLOAT, 3, h, -1, 1));
}

static void case_quantize(struct op_case *c)
{
    bool back = case_chance(c, 50);
    enum dtype t = case_chance(c, 50) ? DT_UINT8 : DT_INT8;
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, 1, 4, dims), axis = (int)case_below(c, rank);
    bool each = case_chance(c, 50);
    c->special = c->special && back;
    case_node(c, "", back ? "DequantizeLinear" : "QuantizeLinear", 1);
    if (each)
        node_set_int(c->n, "axis", axis - (case_chance(c, 40) ? rank : 0));
    case_data(c, back ? case_tensor(c, t, rank, dims, t == DT_INT8 ? -128 : 0, 127)
                      : case_tensor(c, DT_FLOAT, rank, dims, -40, 40));
    c->special = false;
    case_weight(c, case_tensor(c, DT_FLOAT, each, dims + axis, 0.05, 0.5));
    case_weight(c, case_tensor(c, t, each, dims + axis, 0, 30));
}

static void case_dynamic_quantize(struct op_case *c)
{
    int64_t dims[CASE_RANK];
    int rank = case_dims(c, 1, 3, dims);
    for (int i = 0; i < rank; i++)
        dims[i] += !dims[i];
    c->special = false;
    case_node(c, "", "DynamicQuantizeLinear", 3);
    case_x(c, DT_FLOAT, rank, dims);
}

static void case_resize(struct op_case *c)
{
    static const char *const MODES[] = {"nearest", "linear", "cubic"};
    static const char *const PLACES[] = {"half_pixel", "asymmetric", "align_corners",
                                         "pytorch_half_pixel"};
    static const char *const ROUNDS[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                         "ceil"};
    int64_t x[4] = {case_range(c, 1, 2), case_range(c, 1, 4), case_range(c, 1, 9),
                    case_range(c, 1, 9)},
            to[4], four = 4;
    int mode = (int)case_below(c, 3);
    case_node(c, "", "Resize", 1);
    node_set_string(c->n, "mode", MODES[mode]);
    node_set_string(c->n, "coordinate_transformation_mode", CASE_PICK(c, PLACES));
    if (mode == 0)
        node_set_string(c->n, "nearest_mode", CASE_PICK(c, ROUNDS));
    case_x(c, DT_FLOAT, 4, x);
    case_add(c, NULL, 0);
    c->special = false;
    if (case_chance(c, 50)) {
        struct tensor *scales = case_tensor(c, DT_FLOAT, 1, &four, 0.5, 3);
        ((float *)tensor_writable(scales))[0] = ((float *)tensor_writable(scales))[1] = 1;
        case_weight(c, scales);
        return;
    }
    case_add(c, NULL, 0);
    for (int i = 0; i < 4; i++)
        to[i] = i < 2 ? x[i] : case_range(c, 1, 14);
    case_list(c, to, 4);
}

static void case_einsum(struct op_case *c)
{
    static const struct {
        const char *text;
        int ra, rb;
        int a[4], b[4]; /* letters as numbers */
    } FORMS[] = {
        {"ij,jk->ik", 2, 2, {0, 1}, {1, 2}},
        {"bij,bjk->bik", 3, 3, {3, 0, 1}, {3, 1, 2}},
        {"bhid,bhjd->bhij", 4, 4, {3, 2, 0, 1}, {3, 2, 4, 1}},
        {"ij,ij->", 2, 2, {0, 1}, {0, 1}},
        {"i,j->ji", 1, 1, {0}, {1}},
        {"bij,kj->bik", 3, 2, {3, 0, 1}, {2, 1}},
    };
    int64_t size[5], a[4], b[4];
    int f = (int)case_below(c, (int64_t)(sizeof FORMS / sizeof FORMS[0]));
    for (int i = 0; i < 5; i++)
        size[i] = case_chance(c, 97) ? case_range(c, 1, 9) : 0;
    for (int i = 0; i < 4; i++) {
        a[i] = size[FORMS[f].a[i]];
        b[i] = size[FORMS[f].b[i]];
    }
    case_node(c, "", "Einsum", 1);
    node_set_string(c->n, "equation", FORMS[f].text);
    case_x(c, DT_FLOAT, FORMS[f].ra, a);
    case_x(c, DT_FLOAT, FORMS[f].rb, b);
}
#endif
