/* Adapters of the pools with kernels/float/pool.h. */
#include "kernels/float/pool.h"

#include "ops/ops_window.h"

static int read_pool(struct eval *e, struct pool_params *p)
{
    const struct tensor *x = e->in[0];
    struct window_attrs attrs;
    if (x->rank - 2 > WINDOW_MAX_RANK)
        return eval_form(e, "%d spatial axes, at most %d", x->rank - 2, WINDOW_MAX_RANK);
    const char *fault = window_read(e->node, x->rank - 2, e->scratch, &attrs);
    if (fault || !attrs.kernel)
        return eval_fail(e, E_OP_ATTR, "%s", fault ? fault : "kernel_shape is missing");
    p->batch = x->dims[0];
    p->channels = x->dims[1];
    if (!window_fill(&attrs, x->dims + 2, attrs.kernel, &p->window) || !pool_valid(p) ||
        !window_gives(&p->window, p->batch * p->channels, e->out[0] ? e->out[0] : e->out[1]))
        return eval_fail(e, E_SHAPE, "%s: the window does not fit the input", e->node->op_type);
    return 0;
}

/* All spatial axes as one: what a global pool sees. */
static int read_global(struct eval *e, struct pool_params *p)
{
    struct axis_split s = split_axis(e->in[0], 1);
    *p = (struct pool_params){
        .batch = s.outer, .channels = e->in[0]->dims[1], .window = {.rank = 1}};
    p->window.in[0] = s.inner;
    pool_global(p);
    return pool_valid(p) ? 0 : eval_fail(e, E_SHAPE, "%s: the input is empty", e->node->op_type);
}

int eval_max_pool(struct eval *e)
{
    struct pool_params p;
    int rc = read_pool(e, &p);
    if (!rc && !e->out[0]) { /* only the indices are wanted */
        const struct tensor *like = e->out[1];
        e->out[0] = tensor_new(e->scratch, e->in[0]->dtype, like->rank, like->dims);
    }
    if (rc || !e->out[0]->count)
        return rc;
    int64_t *indices = has_out(e, 1) ? out_data(e, 1) : NULL;
    bool column_major = node_int(e->node, "storage_order", 0) == 1;
    switch (e->in[0]->dtype) {
    case DT_DOUBLE:
        pool_max_f64(&p, in_data(e, 0), out_data(e, 0), indices, column_major);
        return 0;
    case DT_INT8:
        pool_max_s8(&p, in_data(e, 0), out_data(e, 0), indices, column_major);
        return 0;
    case DT_UINT8:
        pool_max_u8(&p, in_data(e, 0), out_data(e, 0), indices, column_major);
        return 0;
    default:
        break;
    }
    const float *x = stage_in(e, 0);
    float *y = stage_out(e, 0);
    if (!x || !y)
        return eval_memory(e);
    pool_max_f32(&p, x, y, indices, column_major);
    stage_store(e, 0, y);
    return 0;
}

static int average(struct eval *e, const struct pool_params *p, bool include_pad)
{
    if (e->in[0]->dtype == DT_DOUBLE) {
        pool_average_f64(p, in_data(e, 0), out_data(e, 0), include_pad);
        return 0;
    }
    const float *x = stage_in(e, 0);
    float *y = stage_out(e, 0);
    if (!x || !y)
        return eval_memory(e);
    pool_average_f32(p, x, y, include_pad);
    stage_store(e, 0, y);
    return 0;
}

int eval_average_pool(struct eval *e)
{
    struct pool_params p;
    int rc = read_pool(e, &p);
    if (rc || !e->out[0]->count)
        return rc;
    return average(e, &p, node_int(e->node, "count_include_pad", 0) != 0);
}

static int lp(struct eval *e, const struct pool_params *p)
{
    int64_t order = node_int(e->node, "p", 2);
    if (order < 1)
        return eval_fail(e, E_OP_ATTR, "p is %lld", (long long)order);
    if (e->in[0]->dtype == DT_DOUBLE)
        return eval_form(e, "float64");
    const float *x = stage_in(e, 0);
    float *y = stage_out(e, 0);
    if (!x || !y)
        return eval_memory(e);
    pool_lp_f32(p, x, y, order);
    stage_store(e, 0, y);
    return 0;
}

int eval_lp_pool(struct eval *e)
{
    struct pool_params p;
    int rc = read_pool(e, &p);
    return rc || !e->out[0]->count ? rc : lp(e, &p);
}

static int global_max(struct eval *e, const struct pool_params *p)
{
    if (e->in[0]->dtype == DT_DOUBLE) {
        pool_max_f64(p, in_data(e, 0), out_data(e, 0), NULL, false);
        return 0;
    }
    const float *x = stage_in(e, 0);
    float *y = stage_out(e, 0);
    if (!x || !y)
        return eval_memory(e);
    pool_max_f32(p, x, y, NULL, false);
    stage_store(e, 0, y);
    return 0;
}

int eval_global_pool(struct eval *e)
{
    struct pool_params p;
    if (!e->out[0]->count)
        return 0;
    int rc = read_global(e, &p);
    if (rc)
        return rc;
    if (node_is(e->node, "GlobalMaxPool"))
        return global_max(e, &p);
    return node_is(e->node, "GlobalLpPool") ? lp(e, &p) : average(e, &p, false);
}

/* The indices count in the tensor that was pooled: its extents follow from the window even where
 * output_shape asks for more. */
int eval_max_unpool(struct eval *e)
{
    const struct tensor *x = e->in[0], *y = e->out[0];
    struct window_attrs attrs;
    struct pool_params p = {.batch = x->dims[0], .channels = x->dims[1]};
    if (x->rank < 3 || x->rank - 2 > WINDOW_MAX_RANK || e->in[1]->count != x->count)
        return eval_form(e, "an input of rank %d", x->rank);
    const char *fault = window_read(e->node, x->rank - 2, e->scratch, &attrs);
    if (fault || !attrs.kernel)
        return eval_fail(e, E_OP_ATTR, "%s", fault ? fault : "kernel_shape is missing");
    if (!window_fill_transposed(&attrs, x->dims + 2, attrs.kernel, &p.window))
        return eval_fail(e, E_SHAPE, "MaxUnpool: the window does not fit");
    for (int i = 0; i < p.window.rank; i++) {
        p.window.in[i] = p.window.out[i];
        p.window.out[i] = y->dims[i + 2];
        if (p.window.out[i] < p.window.in[i])
            return eval_fail(e, E_SHAPE,
                             "MaxUnpool: output_shape is smaller than the pooled tensor was");
    }
    const float *from = stage_in(e, 0);
    float *to = stage_out(e, 0);
    if (!from || !to)
        return eval_memory(e);
    int rc = eval_status(e, pool_unpool_f32(&p, from, in_data(e, 1), x->count, to));
    if (rc)
        return rc;
    stage_store(e, 0, to);
    return 0;
}

/* ---- regions ---- */

static struct roi_params read_roi(struct eval *e)
{
    const struct tensor *x = e->in[0], *y = e->out[0];
    struct roi_params p = {
        .batch = x->dims[0], .channels = x->dims[1], .in_h = x->dims[2], .in_w = x->dims[3]};
    p.rois = y->dims[0];
    p.out_h = y->dims[2];
    p.out_w = y->dims[3];
    p.spatial_scale = node_float(e->node, "spatial_scale", 1.0f);
    return p;
}

int eval_max_roi_pool(struct eval *e)
{
    struct roi_params p = read_roi(e);
    const float *x = stage_in(e, 0), *roi = stage_in(e, 1);
    float *y = stage_out(e, 0);
    if (!x || !roi || !y)
        return eval_memory(e);
    int rc = eval_status(e, pool_roi_max_f32(&p, x, roi, y));
    if (rc)
        return rc;
    stage_store(e, 0, y);
    return 0;
}

/* RoiAlign-16 made half_pixel the default. */
int eval_roi_align(struct eval *e)
{
    struct roi_params p = read_roi(e);
    p.sampling_ratio = node_int(e->node, "sampling_ratio", 0);
    p.max = node_string_is(e->node, "mode", "avg", "max");
    p.half_pixel = e->version >= 16 && node_string_is(e->node, "coordinate_transformation_mode",
                                                      "half_pixel", "half_pixel");
    const float *x = stage_in(e, 0), *roi = stage_in(e, 1);
    float *y = stage_out(e, 0);
    if (!x || !roi || !y)
        return eval_memory(e);
    if (p.sampling_ratio < 0 || p.sampling_ratio > 1 << 10) /* as many as it would choose itself */
        return eval_fail(e, E_OP_ATTR, "sampling_ratio is %lld", (long long)p.sampling_ratio);
    int rc = eval_status(e, pool_roi_align_f32(&p, x, roi, in_data(e, 2), y));
    if (rc)
        return rc;
    stage_store(e, 0, y);
    return 0;
}
