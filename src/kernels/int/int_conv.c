/* The slow, obvious convolution: the oracle that the vectorised one is held to. */
#include "kernels/int/int_conv.h"

#include <stdbool.h>

static int64_t volume(const int64_t d[3]) { return d[0] * d[1] * d[2]; }

static int32_t weight_zero(const struct int_conv *p, int64_t m)
{
    return p->w_zero ? p->w_zero[p->n_w_zero > 1 ? m : 0] : 0;
}

/* Input position along axis `a` for output `at` and kernel tap `k`; false: in the padding. */
static bool tap(const struct int_conv *p, int a, int64_t at, int64_t k, int64_t *from)
{
    *from = at * p->stride[a] + k * p->dilation[a] - p->pad[a];
    return *from >= 0 && *from < p->in[a];
}

/* Sum over one kernel window of one channel pair. */
static int64_t window(const struct int_conv *p, const int32_t *x, const int32_t *w, int32_t w_zero,
                      const int64_t at[3])
{
    int64_t acc = 0, from[3];
    for (int64_t kd = 0; kd < p->kernel[0]; kd++) {
        if (!tap(p, 0, at[0], kd, &from[0]))
            continue;
        for (int64_t kh = 0; kh < p->kernel[1]; kh++) {
            if (!tap(p, 1, at[1], kh, &from[1]))
                continue;
            const int32_t *row = x + (from[0] * p->in[1] + from[1]) * p->in[2];
            const int32_t *taps = w + (kd * p->kernel[1] + kh) * p->kernel[2];
            for (int64_t kw = 0; kw < p->kernel[2]; kw++)
                if (tap(p, 2, at[2], kw, &from[2]))
                    acc += (int64_t)(row[from[2]] - p->x_zero) * (taps[kw] - w_zero);
        }
    }
    return acc;
}

int64_t int_conv_at(const struct int_conv *p, const int32_t *x, const int32_t *w, int64_t n,
                    int64_t m, const int64_t at[3])
{
    int64_t per_group = p->in_channels / p->groups, group = m / (p->out_channels / p->groups);
    int64_t acc = p->bias ? p->bias[m] : 0;
    for (int64_t c = 0; c < per_group; c++) {
        const int32_t *plane = x + (n * p->in_channels + group * per_group + c) * volume(p->in);
        const int32_t *taps = w + (m * per_group + c) * volume(p->kernel);
        acc += window(p, plane, taps, weight_zero(p, m), at);
    }
    return acc;
}

typedef int64_t at_fn(const struct int_conv *, const int32_t *, const int32_t *, int64_t, int64_t,
                      const int64_t[3]);

static void every_output(const struct int_conv *p, const int32_t *x, const int32_t *w,
                         const struct int_output *o, int32_t *y, at_fn *one)
{
    int64_t plane = volume(p->out), at[3];
    for (int64_t n = 0; n < p->batch; n++)
        for (int64_t m = 0; m < p->out_channels; m++)
            for (int64_t i = 0; i < plane; i++) {
                at[0] = i / (p->out[1] * p->out[2]);
                at[1] = i / p->out[2] % p->out[1];
                at[2] = i % p->out[2];
                int64_t index = (n * p->out_channels + m) * plane + i;
                y[index] = int_finish(o, m, index, one(p, x, w, n, m, at));
            }
}

void int_conv(const struct int_conv *p, const int32_t *x, const int32_t *w,
              const struct int_output *o, int32_t *y)
{
    every_output(p, x, w, o, y, int_conv_at);
}

/* Input position whose tap k lands on output `at`; false: none does. */
static bool reverse_tap(const struct int_conv *p, int a, int64_t at, int64_t k, int64_t *from)
{
    int64_t reach = at + p->pad[a] - k * p->dilation[a];
    *from = reach / p->stride[a];
    return reach >= 0 && reach % p->stride[a] == 0 && *from < p->in[a];
}

static int64_t reverse_window(const struct int_conv *p, const int32_t *x, const int32_t *w,
                              int32_t w_zero, const int64_t at[3])
{
    int64_t acc = 0, from[3], taps = volume(p->kernel);
    for (int64_t k = 0; k < taps; k++) {
        int64_t kd = k / (p->kernel[1] * p->kernel[2]), kh = k / p->kernel[2] % p->kernel[1];
        if (reverse_tap(p, 0, at[0], kd, &from[0]) && reverse_tap(p, 1, at[1], kh, &from[1]) &&
            reverse_tap(p, 2, at[2], k % p->kernel[2], &from[2])) {
            int64_t i = (from[0] * p->in[1] + from[1]) * p->in[2] + from[2];
            acc += (int64_t)(x[i] - p->x_zero) * (w[k] - w_zero);
        }
    }
    return acc;
}

static int64_t transpose_at(const struct int_conv *p, const int32_t *x, const int32_t *w, int64_t n,
                            int64_t m, const int64_t at[3])
{
    int64_t in_group = p->in_channels / p->groups, out_group = p->out_channels / p->groups;
    int64_t group = m / out_group, acc = p->bias ? p->bias[m] : 0;
    for (int64_t c = group * in_group; c < (group + 1) * in_group; c++) {
        const int32_t *plane = x + (n * p->in_channels + c) * volume(p->in);
        const int32_t *taps = w + (c * out_group + m % out_group) * volume(p->kernel);
        acc += reverse_window(p, plane, taps, weight_zero(p, m), at);
    }
    return acc;
}

void int_conv_transpose(const struct int_conv *p, const int32_t *x, const int32_t *w,
                        const struct int_output *o, int32_t *y)
{
    every_output(p, x, w, o, y, transpose_at);
}
