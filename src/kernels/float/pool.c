/* MaxPool, AveragePool, LpPool, their global forms, MaxUnpool. Window geometry as ONNX MaxPool-22,
 * AveragePool-22, LpPool-22.
 *
 * Per output the window is clipped once to the kernel positions that lie inside the input; the
 * loops then need no test.
 */
#include "kernels/float/pool.h"

#include <math.h>
#include <stddef.h>

#include "kernels/float/math.h"
#include "kernels/kernel.h"

/* Kernel positions low .. high-1 of one axis lie inside; `padded` of them lie inside the input or
 * its explicit padding. */
struct reach {
    int64_t start, low, high, padded;
};

static int64_t ceil_div(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : 0; }

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void reach_at(const struct window *w, int64_t position, struct reach *r)
{
    for (int axis = 2; axis >= 0; axis--) {
        const int64_t step = w->dilation[axis], kernel = w->kernel[axis];
        const int64_t start = position % w->out[axis] * w->stride[axis] - w->pad_begin[axis];
        position /= w->out[axis];
        r[axis].start = start;
        r[axis].high = least(kernel, ceil_div(w->in[axis] - start, step));
        r[axis].low = least(r[axis].high, ceil_div(-start, step));
        r[axis].padded = least(kernel, ceil_div(w->in[axis] + w->pad_end[axis] - start, step));
    }
}

static int64_t reach_line(const struct window *w, const struct reach *r, int64_t d, int64_t h)
{
    return ((r[0].start + d * w->dilation[0]) * w->in[1] + r[1].start + h * w->dilation[1]) *
           w->in[2];
}

/* The flat index of the same element when the first spatial axis runs fastest. */
static int64_t transposed(const struct window *w, int64_t at)
{
    const int64_t c = at % w->in[2], h = at / w->in[2] % w->in[1], d = at / w->in[2] / w->in[1];
    return d + w->in[0] * (h + w->in[1] * c);
}

bool pool_valid(const struct pool_params *p)
{
    int64_t planes, elements;
    return window_valid(&p->window) && p->batch >= 0 && p->channels >= 0 &&
           !__builtin_mul_overflow(p->batch, p->channels, &planes) &&
           !__builtin_mul_overflow(planes, window_in_size(&p->window), &elements) &&
           elements <= PTRDIFF_MAX / 8 &&
           !__builtin_mul_overflow(planes, window_out_size(&p->window), &elements) &&
           elements <= PTRDIFF_MAX / 8;
}

void pool_global(struct pool_params *p)
{
    for (int i = 0; i < p->window.rank; i++) {
        p->window.kernel[i] = p->window.in[i];
        p->window.out[i] = p->window.stride[i] = p->window.dilation[i] = 1;
        p->window.pad_begin[i] = p->window.pad_end[i] = 0;
    }
}

#define POOL_T float
#define POOL_LOWEST (-INFINITY)
#define POOL_NAN(x) isnan(x)
#define POOL(name) name##_f32
#include "kernels/float/pool_body.h"

#define POOL_T double
#define POOL_LOWEST ((double)-INFINITY)
#define POOL_NAN(x) isnan(x)
#define POOL(name) name##_f64
#include "kernels/float/pool_body.h"

#define POOL_T int8_t
#define POOL_LOWEST INT8_MIN
#define POOL_NAN(x) false
#define POOL(name) name##_s8
#include "kernels/float/pool_body.h"

#define POOL_T uint8_t
#define POOL_LOWEST 0
#define POOL_NAN(x) false
#define POOL(name) name##_u8
#include "kernels/float/pool_body.h"

#define POOL_SUM(name, type, term) POOL_SUM_IN(name, type, double, term)
#define POOL_SUM_IN(name, type, wide, term)                                                      \
    static wide name(const struct window *w, const struct reach *r, const type *x, double order) \
    {                                                                                            \
        wide sum = 0;                                                                            \
        (void)order;                                                                             \
        for (int64_t d = r[0].low; d < r[0].high; d++)                                           \
            for (int64_t h = r[1].low; h < r[1].high; h++) {                                     \
                const type *line = x + reach_line(w, r, d, h) + r[2].start;                      \
                for (int64_t c = r[2].low; c < r[2].high; c++) {                                 \
                    const wide v = (wide)line[c * w->dilation[2]];                               \
                    sum += (term);                                                               \
                }                                                                                \
            }                                                                                    \
        return sum;                                                                              \
    }
POOL_SUM(sum_f32, float, v)
POOL_SUM_IN(sum_narrow, float, float, v)
POOL_SUM(sum_f64, double, v)
POOL_SUM(sum_abs, float, fabs(v))
POOL_SUM(sum_squares, float, v *v)
POOL_SUM(sum_powers, float, math_pow(fabs(v), order))

static int64_t divisor(const struct reach *r, bool include_pad)
{
    if (include_pad)
        return r[0].padded * r[1].padded * r[2].padded;
    return (r[0].high - r[0].low) * (r[1].high - r[1].low) * (r[2].high - r[2].low);
}

#define POOL_AVERAGE(name, type, wide, sum)                                                   \
    void name(const struct pool_params *p, const type *x, type *y, bool include_pad)          \
    {                                                                                         \
        const struct window w = window_rank3(&p->window);                                     \
        const int64_t in = window_in_size(&w), out = window_out_size(&w);                     \
        struct reach r[3];                                                                    \
        for (int64_t plane = 0; plane < p->batch * p->channels; plane++)                      \
            for (int64_t o = 0; o < out; o++) {                                               \
                reach_at(&w, o, r);                                                           \
                const int64_t n = divisor(r, include_pad);                                    \
                y[plane * out + o] = n ? (type)(sum(&w, r, x + plane * in, 0) / (wide)n) : 0; \
            }                                                                                 \
    }
POOL_AVERAGE(pool_average_f32, float, double, sum_f32)
POOL_AVERAGE(pool_average_f64, double, double, sum_f64)
POOL_AVERAGE(pool_average_narrow, float, float, sum_narrow)

void pool_lp_f32(const struct pool_params *p, const float *x, float *y, int64_t order)
{
    const struct window w = window_rank3(&p->window);
    const int64_t in = window_in_size(&w), out = window_out_size(&w);
    struct reach r[3];
    for (int64_t i = 0; i < p->batch * p->channels * out; i++) {
        const float *plane = x + i / out * in;
        reach_at(&w, i % out, r);
        if (order == 1)
            y[i] = (float)sum_abs(&w, r, plane, 1);
        else if (order == 2)
            y[i] = (float)sqrt(sum_squares(&w, r, plane, 2));
        else
            y[i] = (float)math_pow(sum_powers(&w, r, plane, (double)order), 1 / (double)order);
    }
}

int pool_unpool_f32(const struct pool_params *p, const float *x, const int64_t *indices,
                    int64_t count, float *y)
{
    const struct window w = window_rank3(&p->window);
    const int64_t in = window_in_size(&w), out = window_out_size(&w),
                  planes = p->batch * p->channels;
    for (int64_t i = 0; i < planes * out; i++)
        y[i] = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = indices[i];
        if (at < 0 || at >= planes * in)
            return KERNEL_INDEX;
        const int64_t c = at % w.in[2], h = at / w.in[2] % w.in[1], d = at % in / w.in[2] / w.in[1];
        if (d >= w.out[0] || h >= w.out[1] || c >= w.out[2])
            return KERNEL_INDEX;
        y[at / in * out + (d * w.out[1] + h) * w.out[2] + c] = x[i];
    }
    return KERNEL_OK;
}
