/* Deformable convolution, and the plain column forms Im2Col and Col2Im.
 *
 * DeformConv-22: y = sum over (ic, kh, kw) of w * mask * sample(x, oh * stride - pad + kh *
 * dilation + dy, the same for w). The sample is bilinear: ((1-fy)*(1-fx)*a + (1-fy)*fx*b) +
 * (fy*(1-fx)*c + fy*fx*d), corners outside the input count 0. It is packed for the product like any
 * window.
 */
#include <math.h>
#include <stddef.h>

#include "kernels/float/conv_pack.h"

struct deform {
    struct window w;            /* rank 3, axis 0 of extent 1 */
    const float *offset, *mask; /* of this batch element */
    int64_t first_channel, channels_per_offset;
};

static float corner(const struct window *w, const float *x, int64_t h, int64_t c)
{
    return h < 0 || h >= w->in[1] || c < 0 || c >= w->in[2] ? 0.0f : x[h * w->in[2] + c];
}

static float sample(const struct window *w, const float *x, float h, float c)
{
    if (!(h > -1 && c > -1 && h < (float)w->in[1] && c < (float)w->in[2])) /* also NaN */
        return 0;
    const float top = floorf(h), left = floorf(c), fy = h - top, fx = c - left;
    const int64_t h0 = (int64_t)top, c0 = (int64_t)left;
    const float upper =
        (1 - fy) * (1 - fx) * corner(w, x, h0, c0) + (1 - fy) * fx * corner(w, x, h0, c0 + 1);
    const float lower =
        fy * (1 - fx) * corner(w, x, h0 + 1, c0) + fy * fx * corner(w, x, h0 + 1, c0 + 1);
    return upper + lower;
}

static float moved(const struct deform *d, const struct conv_tap *t, const float *x,
                   int64_t position)
{
    const struct window *w = &d->w;
    const int64_t out = w->out[1] * w->out[2], kernel = w->kernel[1] * w->kernel[2];
    const int64_t block = (d->first_channel + t->channel) / d->channels_per_offset * kernel;
    const int64_t at = block + t->kernel[1] * w->kernel[2] + t->kernel[2];
    const int64_t h =
        position / w->out[2] * w->stride[1] + t->kernel[1] * w->dilation[1] - w->pad_begin[1];
    const int64_t c =
        position % w->out[2] * w->stride[2] + t->kernel[2] * w->dilation[2] - w->pad_begin[2];
    const float dy = d->offset[2 * at * out + position],
                dx = d->offset[(2 * at + 1) * out + position];
    const float value =
        sample(w, x + t->channel * w->in[1] * w->in[2], (float)h + dy, (float)c + dx);
    return d->mask ? d->mask[at * out + position] * value : value;
}

static void pack_moved(const struct gemm_side *side, const struct gemm_cut *cut, void *panel)
{
    const struct deform *d = side->more;
    struct conv_tap t = conv_tap_at(&d->w, cut->p0);
    float *to = panel;
    for (int p = 0; p < cut->np; p++, to += cut->width, conv_tap_next(&d->w, &t))
        for (int j = 0; j < cut->width; j++)
            to[j] = j < cut->nj ? moved(d, &t, side->data, cut->j0 + j) : 0.0f;
}

void conv_deform_f32(const struct conv_params *p, const struct deform_args *a, float *y)
{
    struct deform d = {.w = window_rank3(&p->window),
                       .channels_per_offset = p->in_channels / a->offset_group};
    const int64_t ic = p->in_channels / p->group, oc = p->out_channels / p->group;
    const int64_t kernel = window_kernel_size(&d.w), in = window_in_size(&d.w),
                  out = window_out_size(&d.w), taps = ic * kernel;
    for (int64_t i = 0; i < p->batch * p->group; i++) {
        const int64_t n = i / p->group, g = i % p->group;
        d.first_channel = g * ic;
        d.offset = a->offset + n * a->offset_group * kernel * 2 * out;
        d.mask = a->mask ? a->mask + n * a->offset_group * kernel * out : NULL;
        const struct gemm_side rows = {gemm_pack_f32, a->w + g * oc * taps, taps, 1, NULL};
        const struct gemm_side windows = {pack_moved, a->x + i * ic * in, 0, 0, &d};
        gemm_f32(oc, out, taps, &rows, &windows, y + i * oc * out, out, 1);
    }
    for (int64_t c = 0; a->bias && c < p->batch * p->out_channels; c++)
        for (int64_t i = 0; i < out; i++)
            y[c * out + i] += a->bias[c % p->out_channels];
}

/* Walks every (channel, kernel position, grid position) in order; visit gets the column's index and
 * the image's, or -1. */
static void walk(const struct conv_params *p,
                 void (*visit)(const float *, float *, int64_t, int64_t), const float *x, float *y)
{
    const struct window w = window_rank3(&p->window);
    const int64_t in = window_in_size(&w), taps = window_kernel_size(&w),
                  channels = p->batch * p->in_channels;
    int64_t column = 0;
    struct conv_tap t = {0};
    for (int64_t k = 0; k < channels * taps; k++, conv_tap_next(&w, &t))
        for (int64_t d = 0; d < w.out[0]; d++)
            for (int64_t h = 0; h < w.out[1]; h++)
                for (int64_t c = 0; c < w.out[2]; c++) {
                    int64_t at;
                    const int64_t line =
                        conv_line(&w, &t, &(struct conv_row){0, 1, {d, h, c}}, &at);
                    const bool inside = line >= 0 && at >= 0 && at < w.in[2];
                    visit(x, y, column++, inside ? t.channel * in + line * w.in[2] + at : -1);
                }
}

static void gather(const float *x, float *y, int64_t column, int64_t image)
{
    y[column] = image < 0 ? 0.0f : x[image];
}

static void scatter(const float *x, float *y, int64_t column, int64_t image)
{
    if (image >= 0)
        y[image] += x[column];
}

void im2col_f32(const struct conv_params *p, const float *x, float *y) { walk(p, gather, x, y); }

void col2im_f32(const struct conv_params *p, const float *x, float *y)
{
    const int64_t size = p->batch * p->in_channels * window_in_size(&p->window);
    for (int64_t i = 0; i < size; i++)
        y[i] = 0;
    walk(p, scatter, x, y);
}
