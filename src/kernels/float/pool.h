/* Pooling over 1 to 3 spatial axes, unpooling and region-of-interest pooling, reference form.
 *
 * Tensors are dense and channels first: x [batch, channels, in...], y [batch, channels, out...].
 * Every mean and norm is summed in double in window order and rounded once. The caller has made
 * sure that pool_valid() holds. What returns an int gives a kernel_status.
 */
#ifndef KERNELS_FLOAT_POOL_H
#define KERNELS_FLOAT_POOL_H
#include <stdbool.h>
#include <stdint.h>

#include "kernels/float/window.h"

struct pool_params {
    struct window window;
    int64_t batch, channels;
};

bool pool_valid(const struct pool_params *p); /* window_valid and the element counts fit */
/* Global*: one window over the whole input: kernel = in, out = 1. */
void pool_global(struct pool_params *p);

/* ONNX MaxPool-1..22. NaN wins; among equals the first in window order; a window in padding only
 * gives -inf or the type's minimum and index -1. indices: NULL, or the flat index into x of each
 * maximum; column_major (storage_order 1) counts the spatial axes with the first one fastest. */
void pool_max_f32(const struct pool_params *p, const float *x, float *y, int64_t *indices,
                  bool column_major);
void pool_max_f64(const struct pool_params *p, const double *x, double *y, int64_t *indices,
                  bool column_major);
void pool_max_s8(const struct pool_params *p, const int8_t *x, int8_t *y, int64_t *indices,
                 bool column_major);
void pool_max_u8(const struct pool_params *p, const uint8_t *x, uint8_t *y, int64_t *indices,
                 bool column_major);

/* ONNX AveragePool-1..22, GlobalAveragePool. The divisor counts the window's positions inside the
 * input; with include_pad also those in the padding, but not those that ceil_mode puts beyond it. A
 * divisor of 0 gives 0. */
void pool_average_f32(const struct pool_params *p, const float *x, float *y, bool include_pad);
void pool_average_f64(const struct pool_params *p, const double *x, double *y, bool include_pad);
/* Summed and divided in float: what quantized pools round from (com.microsoft QLinearAveragePool). */
void pool_average_narrow(const struct pool_params *p, const float *x, float *y, bool include_pad);

/* ONNX LpPool-1..22, GlobalLpPool-2: (sum |x|^order)^(1/order), order >= 1. */
void pool_lp_f32(const struct pool_params *p, const float *x, float *y, int64_t order);

/* ONNX MaxUnpool-9..22: y[index] = x, zero elsewhere. The indices count in a tensor [batch,
 * channels, window.in...], the extents the pooled tensor had; y has the extents window.out, at
 * least those (output_shape), the rest is zero. window's other fields are ignored. count: elements
 * of x. false: an index is out of range (y is then incomplete). */
int pool_unpool_f32(const struct pool_params *p, const float *x, const int64_t *indices,
                    int64_t count, float *y);

/* Regions of interest of x [batch, channels, in_h, in_w], rois regions, y [rois, channels, out_h,
 * out_w]. */
struct roi_params {
    int64_t batch, channels, in_h, in_w, rois, out_h, out_w;
    float spatial_scale;
    int64_t sampling_ratio; /* RoiAlign: samples per bin and axis; 0: ceil(region / out), at most
                               2^10 */
    bool half_pixel;        /* RoiAlign: coordinate_transformation_mode half_pixel */
    bool max;               /* RoiAlign: mode max */
};
/* ONNX MaxRoiPool-1: roi [rois, 5] of (batch, x1, y1, x2, y2), corners rounded to whole elements,
 * both included. An empty bin gives 0. KERNEL_INDEX: a batch index is out of range. */
int pool_roi_max_f32(const struct roi_params *p, const float *x, const float *roi, float *y);
/* ONNX RoiAlign-10..22: roi [rois, 4] of (x1, y1, x2, y2), batch_index [rois]; bilinear samples on
 * a regular grid in each bin, their mean or, with max, the largest of their four weighted corners.
 * KERNEL_INDEX: a batch index is out of range. */
int pool_roi_align_f32(const struct roi_params *p, const float *x, const float *roi,
                       const int64_t *batch_index, float *y);
#endif
