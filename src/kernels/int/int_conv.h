/* Convolution on integers, channels first, 1 to 3 spatial dims (unused ones are 1). Values come
 * widened to int32 whatever their storage (int4, int8, uint8, int16): the accumulator is int64, so
 * nothing overflows inside. acc[n,m,o] = sum over c, k of (x[n,c,o*stride + k*dilation - pad] -
 * x_zero) * (w[m,c,k] - w_zero[m]) + bias[m] Padding contributes 0, that is, x = x_zero (arXiv
 * 1712.05877; ONNX QLinearConv-10, TFLite Conv2D).
 */
#ifndef KERNELS_INT_INT_CONV_H
#define KERNELS_INT_INT_CONV_H
#include <stdint.h>

#include "kernels/int/int_output.h"

struct int_conv {
    int64_t batch, groups, in_channels, out_channels;
    int64_t in[3], kernel[3], out[3];       /* depth, height, width */
    int64_t stride[3], dilation[3], pad[3]; /* pad: at the beginning */
    int32_t x_zero;
    const int32_t *w_zero; /* n_w_zero entries; NULL: 0 */
    int64_t n_w_zero;      /* 1 or out_channels */
    const int64_t *bias;   /* out_channels, or NULL */
};

/* x [batch, in_channels, in], w [out_channels, in_channels/groups, kernel], y [batch, out_channels,
 * out]. */
void int_conv(const struct int_conv *p, const int32_t *x, const int32_t *w,
              const struct int_output *o, int32_t *y);

/* Transposed: w [in_channels, out_channels/groups, kernel]; `out` is given, pad cuts from the
 * beginning. Each output gathers what reaches it, so the order of additions does not matter. */
void int_conv_transpose(const struct int_conv *p, const int32_t *x, const int32_t *w,
                        const struct int_output *o, int32_t *y);

/* One accumulator before the policy: `run --explain` prints its terms. */
int64_t int_conv_at(const struct int_conv *p, const int32_t *x, const int32_t *w, int64_t n,
                    int64_t m, const int64_t at[3]);
#endif
