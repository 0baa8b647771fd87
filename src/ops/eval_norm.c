/* Adapters of the normalizations with kernels/float/norm.h. Statistics are taken in double inside
 * the kernels, so stash_type makes no difference: the result is at least as exact as the operator
 * asks.
 */
#include "kernels/float/norm.h"

#include <string.h>

#include "ops/adapt.h"

static int no_double(struct eval *e)
{
    return e->in[0]->dtype == DT_DOUBLE ? eval_form(e, "float64") : 0;
}

static struct norm_channels read_channels(struct eval *e, double epsilon)
{
    const struct tensor *x = e->in[0];
    struct norm_channels p = {.batch = x->rank ? x->dims[0] : 1, .channels = 1, .size = 1};
    if (x->rank > 1) {
        p.channels = x->dims[1];
        p.size = split_axis(x, 1).inner;
    }
    p.epsilon = (double)node_float(e->node, "epsilon", (float)epsilon);
    return p;
}

/* spatial 0 (versions below 9): one parameter per position. Then a channel is a position. */
static void positions_as_channels(struct eval *e, struct norm_channels *p)
{
    if (e->version < 9 && !node_int(e->node, "spatial", 1)) {
        p->channels *= p->size;
        p->size = 1;
    }
}

static int batch_train(struct eval *e, const struct norm_channels *p,
                       const struct norm_batch_args *a, const float *x, float *y)
{
    float *mean = eval_scratch(e, p->channels, sizeof *mean),
          *var = eval_scratch(e, p->channels, sizeof *var);
    if (!mean || !var)
        return eval_memory(e);
    norm_batch_train_f32(p, x, a, (double)node_float(e->node, "momentum", 0.9f), y, mean, var);
    if (has_out(e, 1))
        convert_from_f32(e->out[1]->dtype, mean, p->channels, out_data(e, 1));
    if (has_out(e, 2))
        convert_from_f32(e->out[2]->dtype, var, p->channels, out_data(e, 2));
    return 0;
}

int eval_batch_norm(struct eval *e)
{
    struct norm_channels p = read_channels(e, 1e-5);
    struct norm_batch_args a = {stage_in(e, 1), stage_in(e, 2), stage_in(e, 3), stage_in(e, 4)};
    int rc = no_double(e);
    if (rc || !e->out[0]->count)
        return rc;
    positions_as_channels(e, &p);
    const float *x = stage_in(e, 0);
    float *y = stage_out(e, 0);
    if (!x || !y || !a.scale || !a.bias || !a.mean || !a.var)
        return eval_memory(e);
    for (uint32_t i = 1; i < 5; i++)
        if (e->in[i]->count != p.channels)
            return eval_fail(e, E_SHAPE,
                             "BatchNormalization: input %u has %lld elements for %lld channels", i,
                             (long long)e->in[i]->count, (long long)p.channels);
    if (e->version >= 14 && node_int(e->node, "training_mode", 0))
        rc = batch_train(e, &p, &a, x, y);
    else if (e->version < 14 && (has_out(e, 1) || has_out(e, 2)))
        return eval_form(e, "training outputs");
    else
        norm_batch_f32(&p, x, &a, y);
    stage_store(e, 0, y);
    return rc;
}

int eval_instance_norm(struct eval *e)
{
    struct norm_channels p = read_channels(e, 1e-5);
    int rc = no_double(e);
    if (rc || !e->out[0]->count)
        return rc;
    const float *x = stage_in(e, 0), *scale = stage_in(e, 1), *bias = stage_in(e, 2);
    float *y = stage_out(e, 0);
    if (!x || !scale || !bias || !y)
        return eval_memory(e);
    norm_instance_f32(&p, x, scale, bias, y);
    stage_store(e, 0, y);
    return 0;
}

int eval_group_norm(struct eval *e)
{
    struct norm_channels p = read_channels(e, 1e-5);
    int rc = no_double(e);
    if (rc || !e->out[0]->count)
        return rc;
    const float *x = stage_in(e, 0), *scale = stage_in(e, 1), *bias = stage_in(e, 2);
    float *y = stage_out(e, 0);
    if (!x || !scale || !bias || !y)
        return eval_memory(e);
    norm_group_f32(&p, node_int(e->node, "num_groups", 1), x, scale, bias, e->version >= 21, y);
    stage_store(e, 0, y);
    return 0;
}

/* ---- rows ---- */

/* Scale and bias may be shaped like the normalised axes, or broadcast to them from the right: a
 * plain repetition only when they cover whole trailing axes. Others are spread out to the full row.
 */
static const float *spread(struct eval *e, uint32_t i, int axis, int64_t *count)
{
    const struct tensor *x = e->in[0], *t = has_in(e, i) ? e->in[i] : NULL;
    const float *data = stage_in(e, i);
    if (!t || !data)
        return NULL;
    int lead = x->rank - t->rank;
    bool trailing = lead >= 0;
    for (int k = 0; trailing && k < t->rank; k++)
        trailing = t->dims[k] == x->dims[k + lead] ||
                   (t->dims[k] == 1 && split_dims(t->dims, t->rank, k).outer == 1);
    *count = t->count;
    if (trailing)
        return data;
    struct kernel_shape shapes[2] = {{x->rank, x->dims}, shape_of(t)};
    struct broadcast plan;
    float *full = broadcast_plan(&plan, shapes, 2) || plan.count != x->count
                      ? NULL
                      : eval_scratch(e, x->count, sizeof *full);
    (void)axis;
    if (!full)
        return NULL;
    *count = x->count;
    for (int64_t at = 0; at < x->count; at++) {
        int64_t rest = at, from = 0;
        for (int k = plan.rank - 1; k >= 0; rest /= plan.dims[k], k--)
            from += rest % plan.dims[k] * plan.step[1][k];
        full[at] = data[from];
    }
    return full;
}

static int read_rows(struct eval *e, struct norm_rows *p)
{
    const struct tensor *x = e->in[0];
    int axis = (int)eval_axis(e, "axis", -1, x->rank);
    struct axis_split s = split_axis(x, axis);
    *p = (struct norm_rows){.rows = s.outer,
                            .size = s.n * s.inner,
                            .epsilon = (double)node_float(e->node, "epsilon", 1e-5f)};
    p->scale = spread(e, 1, axis, &p->scale_count);
    p->bias = spread(e, 2, axis, &p->bias_count);
    if ((has_in(e, 1) && !p->scale) || (has_in(e, 2) && !p->bias))
        return eval_fail(e, E_SHAPE, "%s: scale or bias does not broadcast to the input",
                         e->node->op_type);
    return 0;
}

static void store_statistic(struct eval *e, uint32_t i, const float *values, int64_t rows)
{
    if (has_out(e, i) && values)
        convert_from_f32(e->out[i]->dtype, values, rows, out_data(e, i));
}

static int rows_norm(struct eval *e, bool rms)
{
    struct norm_rows p;
    int rc = no_double(e);
    if (rc || !e->out[0]->count)
        return rc;
    rc = read_rows(e, &p);
    const float *x = rc ? NULL : stage_in(e, 0);
    float *y = rc ? NULL : stage_out(e, 0), *mean = NULL, *inv_std = NULL;
    if (rc || !x || !y)
        return rc ? rc : eval_memory(e);
    if (has_out(e, 1) || has_out(e, 2)) {
        mean = eval_scratch(e, p.rows, sizeof *mean);
        inv_std = eval_scratch(e, p.rows, sizeof *inv_std);
        if (!mean || !inv_std)
            return eval_memory(e);
    }
    if (rms)
        norm_rms_f32(&p, x, y, inv_std);
    else
        norm_layer_f32(&p, x, y, mean, inv_std);
    stage_store(e, 0, y);
    store_statistic(e, 1, rms ? inv_std : mean, p.rows);
    store_statistic(e, 2, rms ? NULL : inv_std, p.rows);
    return 0;
}

int eval_layer_norm(struct eval *e) { return rows_norm(e, false); }
int eval_rms_norm(struct eval *e) { return rows_norm(e, true); }
int eval_simplified_layer_norm(struct eval *e) { return rows_norm(e, true); }

/* ---- others ---- */

int eval_lp_norm(struct eval *e)
{
    struct axis_split s = split_axis(e->in[0], (int)eval_axis(e, "axis", -1, e->in[0]->rank));
    int rc = no_double(e);
    const float *x = rc ? NULL : stage_in(e, 0);
    float *y = rc ? NULL : stage_out(e, 0);
    if (rc || !x || !y)
        return rc ? rc : eval_memory(e);
    if (e->out[0]->count)
        norm_lp_f32(s.outer, s.n, s.inner, (int)node_int(e->node, "p", 2), x, y);
    stage_store(e, 0, y);
    return 0;
}

int eval_mvn(struct eval *e)
{
    static const int64_t usual[] = {0, 2, 3};
    const struct tensor *t = e->in[0];
    const int64_t *axes;
    uint32_t n;
    bool reduce[NORM_MAX_RANK] = {false};
    int rc = no_double(e);
    if (rc || t->rank > NORM_MAX_RANK)
        return rc ? rc : eval_form(e, "rank %d", t->rank);
    if (!node_ints(e->node, "axes", &axes, &n)) {
        axes = usual;
        n = 3;
    }
    for (uint32_t i = 0; i < n; i++) {
        int64_t axis = axes[i] < 0 ? axes[i] + t->rank : axes[i];
        if (axis < 0 || axis >= t->rank)
            return eval_fail(e, E_OP_ATTR, "axis %lld is outside rank %d", (long long)axes[i],
                             t->rank);
        reduce[axis] = true;
    }
    const float *x = stage_in(e, 0);
    float *y = stage_out(e, 0);
    if (!x || !y)
        return eval_memory(e);
    norm_mean_variance_f32(t->rank, t->dims, reduce, x, y);
    stage_store(e, 0, y);
    return 0;
}

int eval_lrn(struct eval *e)
{
    struct norm_channels c = read_channels(e, 0);
    struct norm_lrn_args a = {.batch = c.batch,
                              .channels = c.channels,
                              .size = c.size,
                              .n = node_int(e->node, "size", 1)};
    a.alpha = (double)node_float(e->node, "alpha", 1e-4f);
    a.beta = (double)node_float(e->node, "beta", 0.75f);
    a.bias = (double)node_float(e->node, "bias", 1.0f);
    int rc = no_double(e);
    if (!rc && a.n < 1)
        rc = eval_fail(e, E_OP_ATTR, "size is %lld", (long long)a.n);
    const float *x = rc ? NULL : stage_in(e, 0);
    float *y = rc ? NULL : stage_out(e, 0);
    if (rc || !x || !y)
        return rc ? rc : eval_memory(e);
    norm_lrn_f32(&a, x, y);
    stage_store(e, 0, y);
    return 0;
}
