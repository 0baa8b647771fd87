/* Resize and Upsample, reference form: ONNX Resize-10 to 19, Upsample-7 and -9.
 *
 * Every axis is resampled on its own: output index -> input coordinate -> a few input indices with
 * weights. Coordinates are computed in float as ONNX Runtime does (a nearest neighbour at .5
 * depends on it), weights and sums in double with one rounding per axis.
 */
#ifndef KERNELS_FLOAT_RESIZE_H
#define KERNELS_FLOAT_RESIZE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESIZE_MAX_RANK = 16 };

enum resize_mode { RESIZE_NEAREST, RESIZE_LINEAR, RESIZE_CUBIC };

/* coordinate_transformation_mode. x: output index; length: out, or in * scale where that is
 * fractional. */
enum resize_coordinate {
    RESIZE_HALF_PIXEL,           /* (x + 1/2) / scale - 1/2 */
    RESIZE_HALF_PIXEL_SYMMETRIC, /* the same, moved so that the centres coincide when out != in *
                                    scale */
    RESIZE_PYTORCH_HALF_PIXEL,   /* the same; 0 when length is 1 */
    RESIZE_ALIGN_CORNERS,        /* x * (in - 1) / (length - 1); 0 when length is 1 */
    RESIZE_ASYMMETRIC,           /* x / scale */
    RESIZE_TF_HALF_PIXEL_FOR_NN, /* (x + 1/2) / scale; version 11 only */
    RESIZE_TF_CROP_AND_RESIZE,   /* across the region of interest; outside the input: the
                                    extrapolation value */
};

enum resize_nearest {
    RESIZE_ROUND_PREFER_FLOOR,
    RESIZE_ROUND_PREFER_CEIL,
    RESIZE_FLOOR,
    RESIZE_CEIL,
    RESIZE_SIMPLE, /* before version 11: ceil when the axis shrinks, else floor (as ONNX Runtime) */
};

/* By the ONNX attribute's text; -1: unknown. */
int resize_mode_find(const char *text);
int resize_coordinate_find(const char *text);
int resize_nearest_find(const char *text);

struct resize_axis {
    int64_t in, out;
    float scale;              /* > 0 */
    float roi_start, roi_end; /* tf_crop_and_resize: in units of the axis' length */
};

struct resize_params {
    int rank;
    struct resize_axis axis[RESIZE_MAX_RANK]; /* outermost first */
    enum resize_mode mode;
    enum resize_coordinate coordinate;
    enum resize_nearest nearest;
    double cubic_a; /* cubic_coeff_a, -0.75 */
    bool exclude_outside, antialias;
    float extrapolation;
};

/* Output extent by a scale: floor(in * scale) in float. -1: out of range. */
int64_t resize_out(int64_t in, float scale);
/* keep_aspect_ratio_policy not_larger and not_smaller (version 18): the one scale that brings every
 * one of n axes to at most (at least) its size, and the extents round_half_up(in * scale). false:
 * out of range. */
bool resize_keep_aspect(int n, const int64_t *in, const int64_t *sizes, bool not_smaller,
                        int64_t *out, float *scale);
/* Ranks, extents, scales are sane, products fit. Kernels rely on it. */
bool resize_valid(const struct resize_params *p);

/* Bytes of working memory for resize_f32 (nearest: for resize_nearest); -1: too large. */
int64_t resize_scratch(const struct resize_params *p);
/* Any mode. An input axis of extent 0 is allowed only with an output of extent 0. scratch aligned
 * to 8. */
void resize_f32(const struct resize_params *p, const float *x, float *y, void *scratch);
/* Nearest for elements of any size; extrapolation: one element, used by tf_crop_and_resize only. */
void resize_nearest(const struct resize_params *p, const void *x, void *y, size_t element,
                    const void *extrapolation, void *scratch);
#endif
