/* Adapters of QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear, QLinearConv and
 * QLinearMatMul with kernels/float/qdq.h. */
#include "kernels/float/qdq.h"

#include <string.h>

#include "kernels/float/rearrange.h"
#include "ops/ops_window.h"

/* Scales and zero points of inputs 1 and 2; the quantized side has the type `quantized`. */
static int read_qdq(struct eval *e, enum dtype quantized, struct qdq_params *p)
{
    const struct tensor *x = e->in[0], *scale = e->in[1];
    int64_t axis = node_int(e->node, "axis", 1);
    *p = (struct qdq_params){
        .type = quantized, .saturate = node_int(e->node, "saturate", 1) != 0, .division = DT_FLOAT};
    if (x->rank == 1 && axis == 1)
        axis = 0; /* the default axis of a vector is its only one */
    if (!qdq_plan(x->dims, x->rank, scale->dims, scale->rank, axis,
                  node_int(e->node, "block_size", 0), p))
        return eval_fail(e, E_SHAPE, "%s: the scales do not fit the data", e->node->op_type);
    if (!(p->scale = stage_in(e, 1)))
        return eval_memory(e);
    if (has_in(e, 2) && dtype_is_int(e->in[2]->dtype)) {
        if (e->in[2]->count != scale->count)
            return eval_fail(e, E_SHAPE, "%s: %lld zero points for %lld scales", e->node->op_type,
                             (long long)e->in[2]->count, (long long)scale->count);
        p->zero = eval_zero_points(e, 2);
    }
    return 0;
}

/* QuantizeLinear-23: the division is rounded to `precision`, by default to the scale's type.
 * Before, the input's type decided. */
static enum dtype division_type(const struct eval *e)
{
    int64_t precision = node_int(e->node, "precision", 0);
    if (precision)
        return (enum dtype)precision;
    enum dtype t = e->version >= 23 ? e->in[1]->dtype : e->in[0]->dtype;
    return t == DT_FLOAT16 || t == DT_BFLOAT16 ? t : DT_FLOAT;
}

int eval_quantize_linear(struct eval *e)
{
    struct qdq_params p;
    int rc = read_qdq(e, e->out[0]->dtype, &p);
    if (rc || !e->out[0]->count)
        return rc;
    if (e->in[0]->dtype == DT_DOUBLE)
        return eval_form(e, "float64");
    p.division = division_type(e);
    const float *x = stage_in(e, 0);
    return x ? eval_status(e, qdq_quantize(&p, x, out_data(e, 0))) : eval_memory(e);
}

int eval_dequantize_linear(struct eval *e)
{
    struct qdq_params p;
    int rc = read_qdq(e, e->in[0]->dtype, &p);
    if (rc || !e->out[0]->count)
        return rc;
    float *y = stage_out(e, 0);
    if (!y)
        return eval_memory(e);
    rc = eval_status(e, qdq_dequantize(&p, in_data(e, 0), y));
    stage_store(e, 0, y);
    return rc;
}

int eval_dynamic_quantize_linear(struct eval *e)
{
    float scale;
    uint8_t zero;
    qdq_dynamic(in_data(e, 0), e->in[0]->count, out_data(e, 0), &scale, &zero);
    if (has_out(e, 1))
        *(float *)out_data(e, 1) = scale;
    if (has_out(e, 2))
        *(uint8_t *)out_data(e, 2) = zero;
    return 0;
}

/* ---- products ---- */

static float first_scale(struct eval *e, uint32_t i) { return (float)in_number(e, i, 1); }

/* x_scale * w_scale[channel] / y_scale */
static const float *conv_factors(struct eval *e, int64_t *step, int64_t channels)
{
    const struct tensor *w = e->in[4];
    float *factor = arena_array(e->scratch, (size_t)w->count + 1, sizeof *factor);
    *step = w->count > 1;
    if (w->count > 1 && w->count != channels)
        return NULL;
    for (int64_t i = 0; i < w->count; i++)
        factor[i] = first_scale(e, 1) * (float)tensor_get(w, i) / first_scale(e, 6);
    return factor;
}

static int qconv_window(struct eval *e, const struct tensor *x, struct conv_params *p)
{
    const struct tensor *w = e->in[3];
    struct window_attrs attrs;
    if (x->rank - 2 > WINDOW_MAX_RANK)
        return eval_form(e, "%d spatial axes, at most %d", x->rank - 2, WINDOW_MAX_RANK);
    const char *fault = window_read(e->node, x->rank - 2, e->scratch, &attrs);
    if (fault)
        return eval_fail(e, E_OP_ATTR, "%s", fault);
    *p = (struct conv_params){
        .batch = x->dims[0], .group = node_int(e->node, "group", 1), .in_channels = x->dims[1]};
    p->out_channels = w->dims[0];
    if (!window_fill(&attrs, x->dims + 2, attrs.kernel ? attrs.kernel : w->dims + 2, &p->window) ||
        !conv_valid(p) || !window_gives(&p->window, p->batch * p->out_channels, e->out[0]))
        return eval_fail(e, E_SHAPE, "QLinearConv: the window does not fit the input");
    return 0;
}

/* x and y stand channels first. */
static int qlinear_conv(struct eval *e, const struct tensor *x, void *y)
{
    struct conv_params p;
    int rc = qconv_window(e, x, &p);
    if (rc || !e->out[0]->count)
        return rc;
    struct conv_int_args a = {.x = x->data, .w = in_data(e, 3)};
    a.x_signed = e->in[0]->dtype == DT_INT8;
    a.w_signed = e->in[3]->dtype == DT_INT8;
    a.x_zero = eval_zero_points(e, 2)[0];
    a.w_zero = eval_zero_points(e, 5);
    a.w_zero_step = has_in(e, 5) && e->in[5]->count > 1;
    struct qdq_requant r = {.zero = eval_zero_points(e, 7)[0], .type = e->out[0]->dtype};
    r.factor = conv_factors(e, &r.step, p.out_channels);
    if (!r.factor || (a.w_zero_step && e->in[5]->count != p.out_channels))
        return eval_fail(e, E_SHAPE, "QLinearConv: scales or zero points do not fit %lld channels",
                         (long long)p.out_channels);
    int32_t *acc = eval_scratch(e, e->out[0]->count, sizeof *acc);
    if (!acc)
        return eval_memory(e);
    qdq_conv(&p, &a, has_in(e, 8) ? in_data(e, 8) : NULL, &r, acc, y);
    return 0;
}

/* com.microsoft QLinearConv with channels_last: the channels move to the front and back again. */
static int qlinear_conv_last(struct eval *e)
{
    const struct tensor *x = e->in[0], *out = e->out[0];
    int rank = x->rank, front[WINDOW_MAX_RANK + 2], back[WINDOW_MAX_RANK + 2];
    int64_t in_dims[WINDOW_MAX_RANK + 2], out_dims[WINDOW_MAX_RANK + 2];
    if (rank > WINDOW_MAX_RANK + 2)
        return eval_form(e, "%d spatial axes, at most %d", rank - 2, WINDOW_MAX_RANK);
    for (int i = 0; i < rank; i++) {
        front[i] = i == 0 ? 0 : i == 1 ? rank - 1 : i - 1;
        back[front[i]] = i;
        in_dims[i] = x->dims[front[i]];
        out_dims[i] = out->dims[front[i]];
    }
    struct tensor turned = *x;
    uint8_t *first = eval_scratch(e, x->count, 1), *y = eval_scratch(e, out->count, 1);
    if (!first || !y)
        return eval_memory(e);
    kernel_transpose(1, rank, x->dims, front, in_data(e, 0), first);
    turned.dims = in_dims;
    turned.data = first;
    int rc = qlinear_conv(e, &turned, y);
    if (rc || !out->count)
        return rc;
    return eval_status(e, kernel_transpose(1, rank, out_dims, back, y, out_data(e, 0)));
}

int eval_qlinear_conv(struct eval *e)
{
    return node_int(e->node, "channels_last", 0) ? qlinear_conv_last(e)
                                                 : qlinear_conv(e, e->in[0], out_data(e, 0));
}

static bool is_8bit(const struct eval *e, uint32_t i)
{
    return e->in[i]->dtype == DT_INT8 || e->in[i]->dtype == DT_UINT8;
}

int eval_qlinear_matmul(struct eval *e)
{
    struct matmul_params p;
    int64_t dims[MATMUL_MAX_BATCH_RANK + 2];
    int rank;
    if (!is_8bit(e, 0) || !is_8bit(e, 3) || !is_8bit(e, 7))
        return eval_form(e, "%s", dtype_name(e->in[0]->dtype));
    if (!matmul_plan(e->in[0]->dims, e->in[0]->rank, e->in[3]->dims, e->in[3]->rank, &p, dims,
                     &rank))
        return eval_fail(e, E_SHAPE, "QLinearMatMul: the operands do not go together");
    const struct tensor *as = e->in[1], *bs = e->in[4];
    bool rows = as->count > 1, columns = bs->count > 1;
    if ((rows && as->count != p.m) || (columns && bs->count != p.n) || as->rank > 1 || bs->rank > 1)
        return eval_form(e, "scales per batch element");
    struct matmul_int_args a = {in_data(e, 0),
                                in_data(e, 3),
                                e->in[0]->dtype == DT_INT8,
                                e->in[3]->dtype == DT_INT8,
                                {eval_zero_points(e, 2), e->in[2]->count > 1, 0},
                                {eval_zero_points(e, 5), e->in[5]->count > 1, 0}};
    float *factor = arena_array(e->scratch, (size_t)as->count + 1, sizeof *factor), *column = NULL;
    for (int64_t i = 0; i < as->count; i++)
        factor[i] =
            (float)tensor_get(as, i) * (columns ? 1.0f : first_scale(e, 4)) / first_scale(e, 6);
    if (columns) {
        column = arena_array(e->scratch, (size_t)bs->count, sizeof *column);
        for (int64_t i = 0; i < bs->count; i++)
            column[i] = (float)tensor_get(bs, i);
    }
    struct qdq_requant r = {factor, rows, eval_zero_points(e, 7)[0], e->out[0]->dtype};
    int32_t *acc = eval_scratch(e, e->out[0]->count, sizeof *acc);
    if (!acc)
        return eval_memory(e);
    if (e->out[0]->count)
        qdq_matmul(&p, &a, &r, column, acc, out_data(e, 0));
    return 0;
}
