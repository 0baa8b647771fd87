/* Pooling and reductions on stored integers. */
#ifndef KERNELS_INT_INT_POOL_H
#define KERNELS_INT_INT_POOL_H
#include <stdint.h>

#include "kernels/int/int_output.h"

struct int_pool {
    int64_t planes;                         /* batch * channels */
    int64_t in[3], kernel[3], out[3];       /* unused dims are 1 */
    int64_t stride[3], dilation[3], pad[3]; /* pad at the beginning */
    int64_t pad_end[3];                     /* count_include_pad counts up to in + pad_end */
    int32_t low, high;                      /* fused activation */
};

/* Input and output share their parameters. */
void int_max_pool(const struct int_pool *p, const int32_t *x, int32_t *y);

/* TFLite AveragePool2D: sum of stored values over the taps inside the input, divided by their
 * number with ties away from zero; same parameters in and out. */
void int_average_pool(const struct int_pool *p, const int32_t *x, int32_t *y);

/* Average as requantization: acc = sum (x - x_zero) over the window, one requantization per
 * possible number of counted taps (requant[count - 1], multiplier scale_in / (scale_out * count)).
 * include_pad: count covers the padding. */
void int_average_pool_requant(const struct int_pool *p, const int32_t *x, int32_t x_zero,
                              int include_pad, const struct int_output *o, int32_t *y);

/* x [outer, axis, inner] -> y [outer, inner]: acc = sum (x - x_zero) over axis; mean and sum differ
 * in the multiplier. */
void int_reduce_sum(const int32_t *x, int64_t outer, int64_t axis, int64_t inner, int32_t x_zero,
                    const struct int_output *o, int32_t *y);
void int_reduce_max(const int32_t *x, int64_t outer, int64_t axis, int64_t inner, int32_t *y);
#endif
