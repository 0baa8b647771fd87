/* Conv, ConvTranspose and the integer accumulator. The text for float and double is in conv_body.h.
 */
#include "kernels/float/conv.h"

#include <limits.h>
#include <stddef.h>

#include "kernels/float/conv_pack.h"
#include "kernels/float/conv_taps.h"
#include "kernels/kernel.h"

static bool fits(int64_t a, int64_t b, int64_t c)
{
    return !__builtin_mul_overflow(a, b, &a) && !__builtin_mul_overflow(a, c, &a) &&
           a <= PTRDIFF_MAX / 8;
}

static bool valid(const struct conv_params *p, int64_t rows, int64_t columns)
{
    if (!window_valid(&p->window) || p->batch < 0 || p->group < 1 || p->in_channels < 0 ||
        p->out_channels < 0 || p->in_channels % p->group != 0 || p->out_channels % p->group != 0)
        return false;
    return fits(p->batch, p->in_channels, window_in_size(&p->window)) &&
           fits(p->batch, p->out_channels, window_out_size(&p->window)) &&
           fits(rows, columns, window_kernel_size(&p->window)) && fits(p->batch, p->group, 1);
}

bool conv_valid(const struct conv_params *p)
{
    return p->group >= 1 && valid(p, p->out_channels, p->in_channels / p->group);
}

bool conv_transpose_valid(const struct conv_params *p)
{
    return p->group >= 1 && valid(p, p->in_channels, p->out_channels / p->group);
}

/* One kernel position over the whole input in order: the windows are the input's rows as they lie.
 */
static bool conv_is_pointwise(const struct window *w)
{
    for (int axis = 0; axis < 3; axis++)
        if (w->kernel[axis] != 1 || w->stride[axis] != 1 || w->pad_begin[axis] ||
            w->out[axis] != w->in[axis])
            return false;
    return true;
}

/* The direct form sums in one run, so it may stand in only where the product has one run too. */
static bool conv_is_direct(const struct window *w, int64_t channels, int64_t taps)
{
    return channels < 3 && taps <= GEMM_RUN && w->out[2] <= INT_MAX;
}

#define CONV_T float
#define CONV(name) name##_f32
#include "kernels/float/conv_body.h"

#define CONV_T double
#define CONV(name) name##_f64
#include "kernels/float/conv_body.h"

void conv_int(const struct conv_params *p, const struct conv_int_args *args, int32_t *y)
{
    const struct conv_view view = {.w = window_rank3(&p->window), .zero = args->x_zero};
    const int64_t ic = p->in_channels / p->group, oc = p->out_channels / p->group;
    const int64_t taps = ic * window_kernel_size(&view.w), in = window_in_size(&view.w),
                  out = window_out_size(&view.w);
    for (int64_t i = 0; i < p->batch * p->group; i++) {
        const int64_t first = i % p->group * oc;
        const struct gemm_zero zero = {
            args->w_zero ? args->w_zero + first * args->w_zero_step : NULL, args->w_zero_step};
        const struct gemm_side rows = {args->w_signed ? gemm_pack_s8 : gemm_pack_u8,
                                       (const uint8_t *)args->w + first * taps, taps, 1, &zero};
        const struct gemm_side windows = {args->x_signed ? conv_pack_s8 : conv_pack_u8,
                                          (const uint8_t *)args->x + i * ic * in, 0, 0, &view};
        gemm_u32(oc, out, taps, &rows, &windows, (uint32_t *)y + i * oc * out, out, 1);
    }
}
