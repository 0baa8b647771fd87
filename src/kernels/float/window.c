/* Window geometry: output extents, automatic padding, validity. Formulas from the ONNX operator
 * texts Conv-11, ConvTranspose-11, AveragePool-22, MaxPool-22. */
#include "kernels/float/window.h"

#include <stddef.h>
#include <string.h>

/* Extents and pads beyond this are refused: sums and products of three of them with small factors
 * stay inside int64. */
static const int64_t LARGEST = (int64_t)1 << 40;

int auto_pad_find(const char *text)
{
    static const char *const NAMES[] = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"};
    for (int mode = AUTO_PAD_NOTSET; mode <= AUTO_PAD_SAME_LOWER; mode++)
        if (!text || !strcmp(text, NAMES[mode]))
            return mode;
    return -1;
}

static bool small(int64_t value, int64_t low) { return value >= low && value <= LARGEST; }

/* dilation * (kernel - 1) + 1, or -1 */
static int64_t spread(int64_t kernel, int64_t dilation)
{
    int64_t reach;
    if (!small(kernel, 1) || !small(dilation, 1) ||
        __builtin_mul_overflow(dilation, kernel - 1, &reach))
        return -1;
    return reach < LARGEST ? reach + 1 : -1;
}

int64_t window_out(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pads,
                   int64_t pad_begin, bool ceil_mode)
{
    const int64_t reach = spread(kernel, dilation);
    if (reach < 0 || !small(in, 0) || !small(stride, 1) || !small(pads, -LARGEST) ||
        !small(pad_begin, -LARGEST))
        return -1;
    const int64_t room = in + pads - reach;
    if (room < 0)
        return -1;
    const int64_t out = (ceil_mode ? (room + stride - 1) / stride : room / stride) + 1;
    return ceil_mode && (out - 1) * stride >= in + pad_begin ? out - 1 : out;
}

static void split_pads(int64_t total, bool odd_at_end, int64_t *begin, int64_t *end)
{
    *begin = odd_at_end ? total / 2 : total - total / 2;
    *end = total - *begin;
}

bool window_resolve(struct window *w, int axis, enum auto_pad mode, bool ceil_mode)
{
    const int64_t in = w->in[axis], stride = w->stride[axis],
                  reach = spread(w->kernel[axis], w->dilation[axis]);
    if (reach < 0 || !small(in, 0) || !small(stride, 1))
        return false;
    if (mode == AUTO_PAD_VALID)
        w->pad_begin[axis] = w->pad_end[axis] = 0;
    if (mode == AUTO_PAD_NOTSET || mode == AUTO_PAD_VALID) {
        if (!small(w->pad_begin[axis], -LARGEST) || !small(w->pad_end[axis], -LARGEST))
            return false;
        w->out[axis] = window_out(in, w->kernel[axis], stride, w->dilation[axis],
                                  w->pad_begin[axis] + w->pad_end[axis], w->pad_begin[axis],
                                  ceil_mode && mode == AUTO_PAD_NOTSET);
        return w->out[axis] >= 0;
    }
    w->out[axis] = (in + stride - 1) / stride;
    const int64_t total = in ? (w->out[axis] - 1) * stride + reach - in : 0;
    split_pads(total > 0 ? total : 0, mode == AUTO_PAD_SAME_UPPER, &w->pad_begin[axis],
               &w->pad_end[axis]);
    return true;
}

bool window_resolve_transposed(struct window *w, int axis, enum auto_pad mode,
                               int64_t output_padding, int64_t wanted)
{
    const int64_t in = w->in[axis], stride = w->stride[axis],
                  reach = spread(w->kernel[axis], w->dilation[axis]);
    int64_t full;
    if (reach < 0 || !small(in, 1) || !small(stride, 1) || !small(output_padding, 0) ||
        !small(wanted, -1) || __builtin_mul_overflow(stride, in - 1, &full) || full > LARGEST)
        return false;
    full += output_padding + reach;
    const bool same = mode == AUTO_PAD_SAME_UPPER || mode == AUTO_PAD_SAME_LOWER;
    if (wanted < 0 && !same) {
        if (mode == AUTO_PAD_VALID)
            w->pad_begin[axis] = w->pad_end[axis] = 0;
        if (!small(w->pad_begin[axis], -LARGEST) || !small(w->pad_end[axis], -LARGEST))
            return false;
        w->out[axis] = full - w->pad_begin[axis] - w->pad_end[axis];
        return w->out[axis] >= 0;
    }
    w->out[axis] = wanted >= 0 ? wanted : in * stride;
    const int64_t total = full - w->out[axis];
    split_pads(total > 0 ? total : 0, mode == AUTO_PAD_SAME_UPPER, &w->pad_begin[axis],
               &w->pad_end[axis]);
    return true;
}

static bool product_fits(const int64_t *extents, int rank)
{
    int64_t size = 1;
    for (int i = 0; i < rank; i++)
        if (__builtin_mul_overflow(size, extents[i], &size))
            return false;
    return true;
}

bool window_valid(const struct window *w)
{
    int64_t size;
    if (w->rank < 1 || w->rank > WINDOW_MAX_RANK)
        return false;
    for (int i = 0; i < w->rank; i++)
        if (!small(w->in[i], 0) || !small(w->out[i], 0) || !small(w->stride[i], 1) ||
            spread(w->kernel[i], w->dilation[i]) < 0 || !small(w->pad_begin[i], -LARGEST) ||
            !small(w->pad_end[i], -LARGEST) ||
            __builtin_mul_overflow(w->out[i], w->stride[i], &size) || size > 4 * LARGEST ||
            __builtin_mul_overflow(w->in[i], w->stride[i], &size) || size > 4 * LARGEST)
            return false;
    return product_fits(w->in, w->rank) && product_fits(w->kernel, w->rank) &&
           product_fits(w->out, w->rank);
}

static int64_t product(const int64_t *extents, int rank)
{
    int64_t size = 1;
    for (int i = 0; i < rank; i++)
        size *= extents[i];
    return size;
}

int64_t window_in_size(const struct window *w) { return product(w->in, w->rank); }
int64_t window_kernel_size(const struct window *w) { return product(w->kernel, w->rank); }
int64_t window_out_size(const struct window *w) { return product(w->out, w->rank); }

struct window window_rank3(const struct window *w)
{
    struct window to = {.rank = 3,
                        .in = {1, 1, 1},
                        .kernel = {1, 1, 1},
                        .out = {1, 1, 1},
                        .stride = {1, 1, 1},
                        .dilation = {1, 1, 1}};
    const size_t bytes = (size_t)w->rank * sizeof *w->in, at = 3 - (size_t)w->rank;
    memcpy(to.in + at, w->in, bytes);
    memcpy(to.kernel + at, w->kernel, bytes);
    memcpy(to.out + at, w->out, bytes);
    memcpy(to.stride + at, w->stride, bytes);
    memcpy(to.dilation + at, w->dilation, bytes);
    memcpy(to.pad_begin + at, w->pad_begin, bytes);
    memcpy(to.pad_end + at, w->pad_end, bytes);
    return to;
}
