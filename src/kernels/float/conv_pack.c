/* Packing input windows: for each p (channel and kernel position) a stretch of output positions in
 * one row reads input elements that lie `stride` apart, so it is a short strided copy with zeros
 * where the window hangs over the edge. */
#include "kernels/float/conv_pack.h"

struct conv_tap conv_tap_at(const struct window *w, int64_t p)
{
    struct conv_tap t;
    for (int axis = 2; axis >= 0; axis--) {
        t.kernel[axis] = p % w->kernel[axis];
        p /= w->kernel[axis];
    }
    t.channel = p;
    return t;
}

void conv_tap_next(const struct window *w, struct conv_tap *t)
{
    for (int axis = 2; axis >= 0; axis--) {
        if (++t->kernel[axis] < w->kernel[axis])
            return;
        t->kernel[axis] = 0;
    }
    t->channel++;
}

int conv_rows(const struct window *w, const struct gemm_cut *cut, struct conv_row *rows)
{
    int n = 0;
    for (int at = 0; at < cut->nj; n++) {
        const int64_t position = cut->j0 + at, line = position / w->out[2],
                      left = w->out[2] - position % w->out[2];
        const int count = left < cut->nj - at ? (int)left : cut->nj - at;
        rows[n] = (struct conv_row){
            at, count, {line / w->out[1], line % w->out[1], position % w->out[2]}};
        at += count;
    }
    return n;
}

int64_t conv_line(const struct window *w, const struct conv_tap *t, const struct conv_row *row,
                  int64_t *column)
{
    const int64_t d = row->out[0] * w->stride[0] + t->kernel[0] * w->dilation[0] - w->pad_begin[0];
    const int64_t h = row->out[1] * w->stride[1] + t->kernel[1] * w->dilation[1] - w->pad_begin[1];
    *column = row->out[2] * w->stride[2] + t->kernel[2] * w->dilation[2] - w->pad_begin[2];
    if (d < 0 || d >= w->in[0] || h < 0 || h >= w->in[1])
        return -1;
    return d * w->in[1] + h;
}

void conv_inside(const struct window *w, int64_t column, int count, int *low, int *high)
{
    const int64_t stride = w->stride[2], first = column < 0 ? (-column + stride - 1) / stride : 0;
    const int64_t end = column < w->in[2] ? (w->in[2] - column + stride - 1) / stride : 0;
    *high = end < count ? (int)end : count;
    *low = first < *high ? (int)first : *high;
}

#define PACK_FROM float
#define PACK_TO float
#define PACK_VALUE(x) (x)
#define PACK(name) name##_f32
#include "kernels/float/conv_pack_body.h"

#define PACK_FROM double
#define PACK_TO double
#define PACK_VALUE(x) (x)
#define PACK(name) name##_f64
#include "kernels/float/conv_pack_body.h"

#define PACK_FROM int8_t
#define PACK_TO uint32_t
#define PACK_VALUE(x) ((uint32_t)(x) - (uint32_t)v->zero)
#define PACK(name) name##_s8
#include "kernels/float/conv_pack_body.h"

#define PACK_FROM uint8_t
#define PACK_TO uint32_t
#define PACK_VALUE(x) ((uint32_t)(x) - (uint32_t)v->zero)
#define PACK(name) name##_u8
#include "kernels/float/conv_pack_body.h"
