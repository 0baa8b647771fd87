/* Pooling windows over one plane at a time. */
#include "kernels/int/int_pool.h"

#include "kernels/int/fixed.h"

struct window {
    int64_t sum, taps, padded; /* padded: taps counting those in the padding up to pad_end */
    int32_t max;
};

static void tap_positions(const struct int_pool *p, int64_t i, int64_t at[3])
{
    at[0] = i / (p->out[1] * p->out[2]);
    at[1] = i / p->out[2] % p->out[1];
    at[2] = i % p->out[2];
}

static void add_tap(const struct int_pool *p, const int32_t *x, const int64_t from[3], int32_t zero,
                    struct window *w)
{
    int inside = 1, counted = 1;
    for (int a = 0; a < 3; a++) {
        inside &= from[a] >= 0 && from[a] < p->in[a];
        counted &= from[a] < p->in[a] + p->pad_end[a];
    }
    w->padded += counted;
    if (!inside)
        return;
    int32_t v = x[(from[0] * p->in[1] + from[1]) * p->in[2] + from[2]];
    w->max = w->taps == 0 || v > w->max ? v : w->max;
    w->sum += (int64_t)v - zero;
    w->taps++;
}

static struct window look(const struct int_pool *p, const int32_t *x, int64_t i, int32_t zero)
{
    struct window w = {0};
    int64_t at[3], from[3];
    tap_positions(p, i, at);
    for (int64_t kd = 0; kd < p->kernel[0]; kd++)
        for (int64_t kh = 0; kh < p->kernel[1]; kh++)
            for (int64_t kw = 0; kw < p->kernel[2]; kw++) {
                from[0] = at[0] * p->stride[0] + kd * p->dilation[0] - p->pad[0];
                from[1] = at[1] * p->stride[1] + kh * p->dilation[1] - p->pad[1];
                from[2] = at[2] * p->stride[2] + kw * p->dilation[2] - p->pad[2];
                add_tap(p, x, from, zero, &w);
            }
    return w;
}

static int64_t volume(const int64_t d[3]) { return d[0] * d[1] * d[2]; }

void int_max_pool(const struct int_pool *p, const int32_t *x, int32_t *y)
{
    int64_t out = volume(p->out), in = volume(p->in);
    for (int64_t i = 0; i < p->planes * out; i++) {
        struct window w = look(p, x + i / out * in, i % out, 0);
        y[i] = (int32_t)fixed_clamp(w.taps ? w.max : p->low, p->low, p->high);
    }
}

static int64_t divide_away(int64_t n, int64_t d)
{
    return n > 0 ? (n + d / 2) / d : (n - d / 2) / d;
}

void int_average_pool(const struct int_pool *p, const int32_t *x, int32_t *y)
{
    int64_t out = volume(p->out), in = volume(p->in);
    for (int64_t i = 0; i < p->planes * out; i++) {
        struct window w = look(p, x + i / out * in, i % out, 0);
        y[i] = (int32_t)fixed_clamp(w.taps ? divide_away(w.sum, w.taps) : 0, p->low, p->high);
    }
}

void int_average_pool_requant(const struct int_pool *p, const int32_t *x, int32_t x_zero,
                              int include_pad, const struct int_output *o, int32_t *y)
{
    int64_t out = volume(p->out), in = volume(p->in);
    for (int64_t i = 0; i < p->planes * out; i++) {
        struct window w = look(p, x + i / out * in, i % out, x_zero);
        int64_t count = include_pad ? w.padded : w.taps;
        y[i] = int_finish(o, count > 0 ? count - 1 : 0, i, w.sum);
    }
}

void int_reduce_sum(const int32_t *x, int64_t outer, int64_t axis, int64_t inner, int32_t x_zero,
                    const struct int_output *o, int32_t *y)
{
    for (int64_t i = 0; i < outer * inner; i++) {
        const int32_t *from = x + i / inner * axis * inner + i % inner;
        int64_t acc = 0;
        for (int64_t k = 0; k < axis; k++)
            acc += (int64_t)from[k * inner] - x_zero;
        y[i] = int_finish(o, 0, i, acc);
    }
}

void int_reduce_max(const int32_t *x, int64_t outer, int64_t axis, int64_t inner, int32_t *y)
{
    for (int64_t i = 0; i < outer * inner; i++) {
        const int32_t *from = x + i / inner * axis * inner + i % inner;
        int32_t best = from[0];
        for (int64_t k = 1; k < axis; k++)
            best = from[k * inner] > best ? from[k * inner] : best;
        y[i] = best;
    }
}
