/* Adapters of the convolutions with kernels/float/conv.h. */
#include "kernels/float/conv.h"

#include <string.h>

#include "ops/ops_window.h"

/* Reads the geometry: x channels first, w as the operator has it. */
static int read_conv(struct eval *e, const struct tensor *x, const struct tensor *w,
                     bool transposed, struct conv_params *p)
{
    struct window_attrs attrs;
    if (x->rank - 2 > WINDOW_MAX_RANK)
        return eval_form(e, "%d spatial axes, at most %d", x->rank - 2, WINDOW_MAX_RANK);
    const char *fault = window_read(e->node, x->rank - 2, e->scratch, &attrs);
    if (fault)
        return eval_fail(e, E_OP_ATTR, "%s", fault);
    const int64_t *kernel = attrs.kernel ? attrs.kernel : w->dims + 2;
    *p = (struct conv_params){
        .batch = x->dims[0], .group = node_int(e->node, "group", 1), .in_channels = x->dims[1]};
    p->out_channels = transposed ? w->dims[1] * p->group : w->dims[0];
    bool fits = transposed ? window_fill_transposed(&attrs, x->dims + 2, kernel, &p->window)
                           : window_fill(&attrs, x->dims + 2, kernel, &p->window);
    fits = fits && (transposed ? conv_transpose_valid(p) : conv_valid(p));
    if (!fits || !window_gives(&p->window, p->batch * p->out_channels, e->out[0]))
        return eval_fail(e, E_SHAPE, "%s: the window does not fit the input", e->node->op_type);
    return 0;
}

/* One batch element and group after another is independent: samples are split over the threads by
 * the executor, so one call is one thread. */
static int float_conv(struct eval *e, bool transposed)
{
    struct conv_params p;
    int rc = read_conv(e, e->in[0], e->in[1], transposed, &p);
    if (rc || !e->out[0]->count)
        return rc;
    if (e->in[0]->dtype == DT_DOUBLE) {
        const double *bias = has_in(e, 2) ? in_data(e, 2) : NULL;
        (transposed ? conv_transpose_f64 : conv_f64)(&p, in_data(e, 0), in_data(e, 1), bias,
                                                     out_data(e, 0));
        return 0;
    }
    const float *x = stage_in(e, 0), *w = stage_in(e, 1), *bias = stage_in(e, 2);
    float *y = stage_out(e, 0);
    if (!x || !w || !y || (has_in(e, 2) && !bias))
        return eval_memory(e);
    (transposed ? conv_transpose_f32 : conv_f32)(&p, x, w, bias, y);
    stage_store(e, 0, y);
    return 0;
}

int eval_conv(struct eval *e) { return float_conv(e, false); }
int eval_conv_transpose(struct eval *e) { return float_conv(e, true); }

/* ---- integers ---- */

/* Zero points as int32: one, or one per channel. */
int32_t *eval_zero_points(struct eval *e, uint32_t i)
{
    int64_t n = has_in(e, i) && e->in[i]->count ? e->in[i]->count : 1;
    int32_t *zero = arena_array(e->scratch, (size_t)n, sizeof *zero);
    for (int64_t k = 0; has_in(e, i) && k < e->in[i]->count; k++)
        zero[k] = (int32_t)tensor_get_int(e->in[i], k);
    return zero;
}

int eval_conv_integer(struct eval *e)
{
    struct conv_params p;
    int rc = read_conv(e, e->in[0], e->in[1], false, &p);
    if (rc || !e->out[0]->count)
        return rc;
    struct conv_int_args a = {.x = in_data(e, 0), .w = in_data(e, 1)};
    a.x_signed = e->in[0]->dtype == DT_INT8;
    a.w_signed = e->in[1]->dtype == DT_INT8;
    a.x_zero = eval_zero_points(e, 2)[0];
    a.w_zero = eval_zero_points(e, 3);
    a.w_zero_step = has_in(e, 3) && e->in[3]->count > 1;
    if (a.w_zero_step && e->in[3]->count != p.out_channels)
        return eval_fail(e, E_SHAPE, "ConvInteger: %lld weight zero points for %lld channels",
                         (long long)e->in[3]->count, (long long)p.out_channels);
    conv_int(&p, &a, out_data(e, 0));
    return 0;
}

/* ---- deformable, col2im ---- */

int eval_deform_conv(struct eval *e)
{
    struct conv_params p;
    int rc = read_conv(e, e->in[0], e->in[1], false, &p);
    int64_t groups = node_int(e->node, "offset_group", 1),
            taps = rc ? 0 : window_kernel_size(&p.window);
    if (rc || !e->out[0]->count)
        return rc;
    if (p.window.rank != 2)
        return eval_form(e, "%d spatial axes, only 2", p.window.rank);
    int64_t points = p.batch * window_out_size(&p.window);
    bool fits = groups >= 1 && p.in_channels % groups == 0 &&
                e->in[2]->count == points * groups * taps * 2 &&
                (!has_in(e, 4) || e->in[4]->count == points * groups * taps);
    if (!fits)
        return eval_fail(e, E_SHAPE, "DeformConv: offsets or mask do not fit %lld offset groups",
                         (long long)groups);
    struct deform_args a = {stage_in(e, 0), stage_in(e, 1), stage_in(e, 2),
                            stage_in(e, 4), stage_in(e, 3), groups};
    float *y = stage_out(e, 0);
    if (!a.x || !a.w || !a.offset || !y || (has_in(e, 4) && !a.mask) || (has_in(e, 3) && !a.bias))
        return eval_memory(e);
    conv_deform_f32(&p, &a, y);
    stage_store(e, 0, y);
    return 0;
}

/* The columns are one grid of window positions over the image. */
int eval_col2im(struct eval *e)
{
    const int64_t *image, *block;
    int64_t n, n_block;
    struct window_attrs attrs;
    eval_list(e, NULL, 1, &image, &n);
    eval_list(e, NULL, 2, &block, &n_block);
    if (n > WINDOW_MAX_RANK || n != n_block)
        return eval_form(e, "%lld image axes, at most %d", (long long)n, WINDOW_MAX_RANK);
    const char *fault = window_read(e->node, (int)n, e->scratch, &attrs);
    if (fault)
        return eval_fail(e, E_OP_ATTR, "%s", fault);
    struct conv_params p = {
        .batch = e->in[0]->dims[0], .group = 1, .in_channels = e->out[0]->dims[1]};
    p.out_channels = p.in_channels;
    if (!window_fill(&attrs, image, block, &p.window) || !conv_valid(&p) ||
        e->in[0]->dims[2] != window_out_size(&p.window) ||
        e->in[0]->dims[1] != p.in_channels * window_kernel_size(&p.window))
        return eval_fail(e, E_SHAPE, "Col2Im: %lld columns do not cover the image",
                         (long long)e->in[0]->dims[2]);
    const float *x = stage_in(e, 0);
    float *y = stage_out(e, 0);
    if (!x || !y)
        return eval_memory(e);
    col2im_f32(&p, x, y);
    stage_store(e, 0, y);
    return 0;
}
