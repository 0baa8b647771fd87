/* Convolutions of 1, 2 or 3 spatial axes, reference form: one fixed order of summation (gemm.h),
 * any CPU gives the same bits.
 *
 * Tensors are dense and channels first: x [batch, in_channels, in...], w [out_channels, in_channels
 * / group, kernel...], y [batch, out_channels, out...]; the transposed form has w [in_channels,
 * out_channels / group, kernel...]. A sum runs over (input channel of the group, kernel position
 * outermost axis first); the bias is added last. The caller has made sure that conv_valid() holds
 * and that the buffers have the sizes it implies. Nothing here fails.
 */
#ifndef KERNELS_FLOAT_CONV_H
#define KERNELS_FLOAT_CONV_H
#include <stdbool.h>
#include <stdint.h>

#include "kernels/float/window.h"

struct conv_params {
    struct window window;
    int64_t batch, group;
    int64_t in_channels,
        out_channels; /* of the operator's input and output, both multiples of group */
};

/* window_valid, channels divisible by group, and the element counts of x, w and y fit int64. */
bool conv_valid(const struct conv_params *p);
bool conv_transpose_valid(const struct conv_params *p);

/* ONNX Conv-1..22. bias [out_channels] or NULL. */
void conv_f32(const struct conv_params *p, const float *x, const float *w, const float *bias,
              float *y);
void conv_f64(const struct conv_params *p, const double *x, const double *w, const double *bias,
              double *y);

/* ONNX ConvTranspose-1..22; output_padding and output_shape are already in window.out and the pads.
 */
void conv_transpose_f32(const struct conv_params *p, const float *x, const float *w,
                        const float *bias, float *y);
void conv_transpose_f64(const struct conv_params *p, const double *x, const double *w,
                        const double *bias, double *y);

/* ONNX ConvInteger-10, and the accumulator of QLinearConv: sum of (x - x_zero) * (w -
 * w_zero[channel]) modulo 2^32; padding is x_zero. 8-bit operands, each signed or not. */
struct conv_int_args {
    const void *x, *w;
    bool x_signed, w_signed;
    int32_t x_zero;
    const int32_t *w_zero; /* NULL: 0 */
    int64_t w_zero_step;   /* 0: w_zero holds one, 1: one per output channel */
};
void conv_int(const struct conv_params *p, const struct conv_int_args *args, int32_t *y);

/* ONNX DeformConv-19 and -22, two spatial axes. offset [batch, offset_group * kh * kw * 2, oh, ow]
 * moves each sample of the window by (dy, dx), mask [batch, offset_group * kh * kw, oh, ow] (NULL:
 * 1) scales it; samples are bilinear, outside the input they are 0. The position's sum of float is
 * rounded once, the interpolation is a fixed sequence of float operations. */
struct deform_args {
    const float *x, *w, *offset, *mask, *bias;
    int64_t offset_group; /* divides in_channels */
};
void conv_deform_f32(const struct conv_params *p, const struct deform_args *args, float *y);

/* ONNX Col2Im-18: adds the columns x [batch, channels * kernel, positions] up into y [batch,
 * channels, image...]. window.in is the image, window.out the grid of positions. Sums run over
 * kernel positions in order. in_channels is the image's. */
void col2im_f32(const struct conv_params *p, const float *x, float *y);
/* Its inverse: x [batch, channels, image...] to columns [batch, channels * kernel, positions], 0 in
 * the padding. */
void im2col_f32(const struct conv_params *p, const float *x, float *y);
#endif
