/* com.microsoft operators on 8-bit tensors: QLinearAdd, QLinearMul, QLinearSigmoid, QLinearLeakyRelu, QLinearConcat, QLinearWhere,
 * QLinearSoftmax, QLinearAveragePool, QLinearGlobalAveragePool (onnxruntime docs/ContribOperators.md). Kernels: qelement.h, pool.h.
 */
#include <string.h>

#include "kernels/float/pool.h"
#include "kernels/float/qelement.h"
#include "kernels/float/rearrange.h"
#include "kernels/float/where.h"
#include "ops/ops_window.h"

/* Scale in slot i, zero point in slot i + 1 (0 when left out), for codes of that type. */
static int read_side(struct eval *e, uint32_t i, enum dtype dtype, struct q_side *s)
{
    if (e->in[i]->count != 1 || (has_in(e, i + 1) && e->in[i + 1]->count != 1))
        return eval_form(e, "a scale or zero point in input %u that is not one number", i);
    *s = (struct q_side){(float)in_number(e, i, 1), (int32_t)in_int(e, i + 1, 0), dtype == DT_INT8};
    return 0;
}

/* ---- two operands ---- */

int eval_qlinear_binary(struct eval *e)
{
    enum dtype t = e->in[0]->dtype;
    struct q_binary p = {.multiply = !strcmp(e->node->op_type, "QLinearMul")};
    struct broadcast plan;
    struct kernel_shape shapes[2] = {shape_of(e->in[0]), shape_of(e->in[3])};
    int rc = read_side(e, 1, t, &p.a);
    rc = rc ? rc : read_side(e, 4, t, &p.b);
    rc = rc ? rc : read_side(e, 6, t, &p.y);
    rc = rc ? rc : eval_status(e, broadcast_plan(&plan, shapes, 2));
    if (!rc && e->out[0]->count)
        q_binary(&p, &plan, in_data(e, 0), in_data(e, 3), out_data(e, 0));
    return rc;
}

/* ---- functions of one element ---- */

static void look_up(const uint8_t table[256], const uint8_t *x, int64_t n, uint8_t *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = table[x[i]];
}

/* X, X_scale, X_zero, Y_scale, Y_zero. */
int eval_qlinear_unary(struct eval *e)
{
    enum dtype t = e->in[0]->dtype;
    bool sigmoid = !strcmp(e->node->op_type, "QLinearSigmoid");
    struct q_side x, y;
    uint8_t table[256];
    int rc = read_side(e, 1, t, &x);
    rc = rc ? rc : read_side(e, 3, t, &y);
    if (rc || !e->out[0]->count)
        return rc;
    q_table(&x, &y, sigmoid ? q_sigmoid : q_leaky_relu, node_float(e->node, "alpha", 0.01f), table);
    look_up(table, in_data(e, 0), e->in[0]->count, out_data(e, 0));
    return 0;
}

int infer_qlinear_softmax(struct infer *c)
{
    int rank = infer_rank(c, 0), axis, otherwise = node_int(c->node, "opset", 13) < 13 ? 1 : -1;
    infer_out_like(c, 0, 0);
    return rank < 0 ? 0 : infer_axis(c, node_int(c->node, "axis", otherwise), rank, &axis);
}

/* Before opset 13 softmax runs over all axes from `axis` on. */
int eval_qlinear_softmax(struct eval *e)
{
    const struct tensor *x = e->in[0];
    bool flat = node_int(e->node, "opset", 13) < 13;
    struct axis_split s = split_axis(x, (int)eval_axis(e, "axis", flat ? 1 : -1, x->rank));
    struct q_softmax p = {.outer = s.outer, .n = flat ? s.n * s.inner : s.n, .inner = s.inner};
    int rc = read_side(e, 1, x->dtype, &p.x);
    rc = rc ? rc : read_side(e, 3, x->dtype, &p.y);
    if (rc || !x->count)
        return rc;
    p.inner = flat ? 1 : s.inner;
    q_softmax(&p, in_data(e, 0), out_data(e, 0));
    return 0;
}

/* ---- movement between scales ---- */

/* Codes of one scale as codes of another; the same parameters leave them as they are. */
static void translation(const struct q_side *from, const struct q_side *to, uint8_t table[256])
{
    q_table(from, to, NULL, 0, table);
    /* exactly equal parameters: no rounding at all */
    for (int i = 0; from->scale == to->scale && from->zero == to->zero && i < 256; i++)
        table[i] = (uint8_t)i;
}

/* Y_scale, Y_zero, then tensor, scale, zero point of each part. */
int eval_qlinear_concat(struct eval *e)
{
    struct q_side y, x;
    uint8_t table[256], *out = out_data(e, 0);
    int64_t axis = eval_axis(e, "axis", 0, e->out[0]->rank), at = 0;
    struct axis_split whole = split_axis(e->out[0], (int)axis);
    int rc = read_side(e, 0, e->out[0]->dtype, &y);
    for (uint32_t i = 2; !rc && i < e->n_in; i += 3) {
        if (e->in[i]->dtype != e->out[0]->dtype)
            return eval_form(e, "parts of different types");
        struct axis_split part = split_axis(e->in[i], (int)axis);
        const uint8_t *data = in_data(e, i);
        rc = read_side(e, i + 1, e->in[i]->dtype, &x);
        translation(&x, &y, table);
        for (int64_t o = 0; !rc && o < part.outer; o++)
            look_up(table, data + o * part.n * part.inner, part.n * part.inner,
                    out + (o * whole.n + at) * whole.inner);
        at += part.n;
    }
    return rc;
}

static uint8_t *translated(struct eval *e, uint32_t i, const struct q_side *from,
                           const struct q_side *to)
{
    uint8_t table[256], *y = eval_scratch(e, e->in[i]->count, 1);
    translation(from, to, table);
    if (y)
        look_up(table, in_data(e, i), e->in[i]->count, y);
    return y;
}

/* condition, X, x_scale, x_zero, Y, y_scale, y_zero, z_scale, z_zero. */
int eval_qlinear_where(struct eval *e)
{
    struct q_side x, y, z;
    enum dtype t = e->in[1]->dtype;
    struct broadcast plan;
    struct kernel_shape shapes[3] = {shape_of(e->in[0]), shape_of(e->in[1]), shape_of(e->in[4])};
    int rc = read_side(e, 2, t, &x);
    rc = rc ? rc : read_side(e, 5, t, &y);
    rc = rc ? rc : read_side(e, 7, t, &z);
    rc = rc ? rc : eval_status(e, broadcast_plan(&plan, shapes, 3));
    if (rc || !e->out[0]->count)
        return rc;
    uint8_t *a = translated(e, 1, &x, &z), *b = translated(e, 4, &y, &z);
    if (!a || !b)
        return eval_memory(e);
    return eval_status(
        e, kernel_where(1, &plan, in_data(e, 0), a, b, out_data(e, 0), 0, e->out[0]->count));
}

/* ---- pools ---- */

static bool last(const struct node *n) { return node_int(n, "channels_last", 0) != 0; }

int infer_qlinear_pool(struct infer *c)
{
    int rank = infer_rank(c, 0), first = last(c->node) ? 1 : 2, rc = 0;
    struct window_attrs w;
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (rank < 3)
        return infer_fail(c, "the input has rank %d, expected at least 3", rank);
    const char *fault = window_read(c->node, rank - 2, c->arena, &w);
    if (fault || !w.kernel)
        return infer_fail(c, "%s", fault ? fault : "kernel_shape is missing");
    dim_t *dims = infer_dims_copy(c, 0);
    for (int i = 0; !rc && i < rank - 2; i++) {
        int64_t size;
        dim_t in = dims[i + first];
        dims[i + first] = window_dim(c, &w, i, in, infer_int(c, w.kernel[i]));
        if (dim_is_const(dims[i + first], &size) && size < 1 && !dim_equals(in, 0))
            rc = infer_fail(c, "the window does not fit spatial axis %d", i);
    }
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return rc;
}

int infer_qlinear_global_pool(struct infer *c)
{
    int rank = infer_rank(c, 0), first = last(c->node) ? 1 : 2;
    if (rank >= 0 && rank < 3)
        return infer_fail(c, "the input has rank %d, expected at least 3", rank);
    dim_t *dims = rank < 0 ? NULL : infer_dims_copy(c, 0);
    for (int i = 0; i < rank - 2; i++)
        dims[i + first] = infer_int(c, 1);
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return 0;
}

/* Dims with the channels in front; perm takes a tensor of `t`'s layout there. */
static void front_dims(const struct tensor *t, bool channels_last, int64_t *dims, int *perm)
{
    for (int i = 0; i < t->rank; i++) {
        perm[i] = !channels_last || i == 0 ? i : i == 1 ? t->rank - 1 : i - 1;
        dims[i] = t->dims[perm[i]];
    }
}

static int pool_geometry(struct eval *e, const int64_t *dims, struct pool_params *p)
{
    struct window_attrs attrs;
    int rank = e->in[0]->rank - 2;
    if (rank < 1 || rank > WINDOW_MAX_RANK)
        return eval_form(e, "%d spatial axes, at most %d", rank, WINDOW_MAX_RANK);
    const char *fault = window_read(e->node, rank, e->scratch, &attrs);
    if (fault || !attrs.kernel)
        return eval_fail(e, E_OP_ATTR, "%s", fault ? fault : "kernel_shape is missing");
    *p = (struct pool_params){.batch = dims[0], .channels = dims[1]};
    if (!window_fill(&attrs, dims + 2, attrs.kernel, &p->window) || !pool_valid(p) ||
        !window_gives(&p->window, p->batch * p->channels, e->out[0]))
        return eval_fail(e, E_SHAPE, "%s: the window does not fit the input", e->node->op_type);
    return 0;
}

/* The codes' values, channels first. */
static float *pool_values(struct eval *e, const struct q_side *s, const int *perm)
{
    const struct tensor *t = e->in[0];
    const uint8_t *x = in_data(e, 0);
    float values[256], *flat = eval_scratch(e, t->count, sizeof *flat);
    q_values(s, values);
    for (int64_t i = 0; flat && i < t->count; i++)
        flat[i] = values[x[i]];
    float *y = flat && last(e->node) ? eval_scratch(e, t->count, sizeof *y) : flat;
    if (y && y != flat)
        kernel_transpose(sizeof *y, t->rank, t->dims, perm, flat, y);
    return y;
}

/* ONNX Runtime adds the zero point before it rounds here: with an odd one halves go the other way. */
static int pool_store(struct eval *e, const struct q_side *s, const float *pooled)
{
    const struct tensor *t = e->out[0];
    int64_t dims[KERNEL_MAX_RANK];
    int perm[KERNEL_MAX_RANK], back[KERNEL_MAX_RANK];
    const struct q_side whole = {1, 0, s->is_signed};
    uint8_t *codes = last(e->node) ? eval_scratch(e, t->count, 1) : out_data(e, 0);
    if (!codes)
        return eval_memory(e);
    for (int64_t i = 0; i < t->count; i++)
        codes[i] = q_round(&whole, pooled[i] / s->scale + (float)s->zero);
    front_dims(t, last(e->node), dims, perm);
    for (int i = 0; i < t->rank; i++)
        back[perm[i]] = i;
    return last(e->node)
               ? eval_status(e, kernel_transpose(1, t->rank, dims, back, codes, out_data(e, 0)))
               : 0;
}

/* X, x_scale, x_zero, y_scale, y_zero. */
int eval_qlinear_pool(struct eval *e)
{
    const struct tensor *x = e->in[0];
    struct q_side from, to;
    struct pool_params p;
    int64_t dims[KERNEL_MAX_RANK];
    int perm[KERNEL_MAX_RANK];
    if (x->rank > WINDOW_MAX_RANK + 2)
        return eval_form(e, "rank %d", x->rank);
    front_dims(x, last(e->node), dims, perm);
    int rc = pool_geometry(e, dims, &p);
    rc = rc ? rc : read_side(e, 1, x->dtype, &from);
    rc = rc ? rc : read_side(e, 3, x->dtype, &to);
    if (rc || !e->out[0]->count)
        return rc;
    float *values = pool_values(e, &from, perm),
          *pooled = eval_scratch(e, e->out[0]->count, sizeof *pooled);
    if (!values || !pooled)
        return eval_memory(e);
    pool_average_narrow(&p, values, pooled, node_int(e->node, "count_include_pad", 0) != 0);
    return pool_store(e, &to, pooled);
}

int eval_qlinear_global_pool(struct eval *e)
{
    const struct tensor *x = e->in[0];
    struct q_mean p = {.rows = e->out[0]->count, .channels_last = last(e->node)};
    int rc = read_side(e, 1, x->dtype, &p.x);
    rc = rc ? rc : read_side(e, 3, x->dtype, &p.y);
    if (rc || !e->out[0]->count)
        return rc;
    if (!x->count)
        return eval_fail(e, E_SHAPE, "%s: the input is empty", e->node->op_type);
    p.size = x->count / p.rows;
    p.outer = x->dims[0];
    q_mean(&p, in_data(e, 0), out_data(e, 0));
    return 0;
}
