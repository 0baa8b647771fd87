/* Sliding windows: the geometry that convolution and pooling share, and the rules that resolve
 * their attributes.
 *
 * The kernels take a resolved struct window; shape inference and the adapters fill it with the
 * functions below, so that both agree. All functions are pure and safe for any int64 argument: what
 * does not fit gives a negative result or false.
 */
#ifndef KERNELS_FLOAT_WINDOW_H
#define KERNELS_FLOAT_WINDOW_H
#include <stdbool.h>
#include <stdint.h>

enum { WINDOW_MAX_RANK = 3 };

/* Spatial extents in elements, outermost axis first; entries from `rank` on are ignored. Position k
 * of the window that makes output o reads input o * stride + k * dilation - pad_begin; outside the
 * input lies padding. For transposed convolution `in` and `out` keep their meaning as the
 * operator's input and output: input i adds to output i * stride + k * dilation - pad_begin. */
struct window {
    int rank; /* 1..WINDOW_MAX_RANK */
    int64_t in[WINDOW_MAX_RANK], kernel[WINDOW_MAX_RANK], out[WINDOW_MAX_RANK];
    int64_t stride[WINDOW_MAX_RANK], dilation[WINDOW_MAX_RANK];
    int64_t pad_begin[WINDOW_MAX_RANK], pad_end[WINDOW_MAX_RANK];
};

enum auto_pad { AUTO_PAD_NOTSET, AUTO_PAD_VALID, AUTO_PAD_SAME_UPPER, AUTO_PAD_SAME_LOWER };

/* The ONNX attribute's text; NULL counts as NOTSET. -1: no such mode. */
int auto_pad_find(const char *text);

/* Windows along one axis: floor or ceil((in + pads - dilation * (kernel - 1) - 1) / stride) + 1
 * (ONNX Conv-11, MaxPool-12). With ceil_mode a last window that would start in the end padding is
 * dropped (AveragePool-19 and -22, MaxPool-22). -1: the window does not fit or an argument is out
 * of range. */
int64_t window_out(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pads,
                   int64_t pad_begin, bool ceil_mode);

/* Resolves one axis of Conv or a pool: pads from auto_pad (NOTSET keeps w->pad_begin/pad_end), then
 * out. SAME gives out = ceil(in / stride) and the odd element of padding at the end (UPPER) or at
 * the beginning (LOWER). false: does not fit. */
bool window_resolve(struct window *w, int axis, enum auto_pad mode, bool ceil_mode);

/* Resolves one axis of ConvTranspose (version 11 and later). wanted >= 0: that output extent
 * (output_shape), the pads follow; -1: out = stride * (in - 1) + output_padding + dilation *
 * (kernel - 1) + 1 - pads, SAME: in * stride. false: does not fit. */
bool window_resolve_transposed(struct window *w, int axis, enum auto_pad mode,
                               int64_t output_padding, int64_t wanted);

/* Input, window and output sizes are positive or zero as they may be, no index computed from them
 * overflows. Kernels rely on it. */
bool window_valid(const struct window *w);

/* Products over the axes. They do not overflow when window_valid. */
int64_t window_in_size(const struct window *w);
int64_t window_kernel_size(const struct window *w);
int64_t window_out_size(const struct window *w);

/* The same window with rank 3: leading axes of extent 1 are put in front. What the kernels loop
 * over. */
struct window window_rank3(const struct window *w);
#endif
