/* Normalizations, reference form. Sums are taken in double in a fixed order (eight interleaved
 * partial sums, added pairwise), each output is computed in double and rounded once, so the result
 * is the nearest float but for a hair. Nothing here fails.
 *
 * y may be x, except in norm_lrn_f32. Half-precision inputs are converted by the caller (stash_type
 * 1: stage one in float32).
 */
#ifndef KERNELS_FLOAT_NORM_H
#define KERNELS_FLOAT_NORM_H
#include <stdbool.h>
#include <stdint.h>

/* x, y [batch, channels, size]. */
struct norm_channels {
    int64_t batch, channels, size;
    double epsilon;
};

/* ONNX BatchNormalization-1..15, inference: y = (x - mean) / sqrt(var + epsilon) * scale + bias,
 * parameters [channels]. */
struct norm_batch_args {
    const float *scale, *bias, *mean, *var;
};
void norm_batch_f32(const struct norm_channels *p, const float *x,
                    const struct norm_batch_args *args, float *y);
/* The same with training_mode 1: mean and (population) variance are those of x; running_x = x_in *
 * momentum + of_x * (1 - momentum). args->mean and var are the incoming running values; the outputs
 * [channels] may be them. */
void norm_batch_train_f32(const struct norm_channels *p, const float *x,
                          const struct norm_batch_args *args, double momentum, float *y,
                          float *running_mean, float *running_var);

/* ONNX InstanceNormalization-1..22: statistics per (batch, channel), scale and bias [channels]. */
void norm_instance_f32(const struct norm_channels *p, const float *x, const float *scale,
                       const float *bias, float *y);

/* ONNX GroupNormalization: statistics per (batch, group of channels / groups neighbours).
 * per_channel: scale and bias are [channels] (version 21), else [groups] (version 18). groups
 * divides channels. */
void norm_group_f32(const struct norm_channels *p, int64_t groups, const float *x,
                    const float *scale, const float *bias, bool per_channel, float *y);

/* x, y [rows, size]; element i of the flattened x uses scale[i % scale_count] and bias[i %
 * bias_count]: the usual [size], or the trailing axes, or all of x. */
struct norm_rows {
    int64_t rows, size;
    double epsilon;
    const float *scale, *bias; /* NULL: 1 and 0 */
    int64_t scale_count, bias_count;
};
/* ONNX LayerNormalization-17: (x - mean) / sqrt(var + epsilon) * scale + bias; mean, inv_std
 * [rows]: NULL or the optional outputs. */
void norm_layer_f32(const struct norm_rows *p, const float *x, float *y, float *mean,
                    float *inv_std);
/* ONNX RMSNormalization-23: x / sqrt(mean(x^2) + epsilon) * scale; also com.microsoft
 * SimplifiedLayerNormalization, whose second output is inv_std. */
void norm_rms_f32(const struct norm_rows *p, const float *x, float *y, float *inv_std);

/* ONNX LpNormalization-1..22 along the middle axis of [outer, n, inner], order 1 or 2. A vector of
 * zeros stays zero. */
void norm_lp_f32(int64_t outer, int64_t n, int64_t inner, int order, const float *x, float *y);

/* ONNX MeanVarianceNormalization-9, -13: (x - mean) / (sqrt(var) + 1e-9) over the axes with
 * reduce[axis]. rank <= NORM_MAX_RANK. */
enum { NORM_MAX_RANK = 16 };
void norm_mean_variance_f32(int rank, const int64_t *dims, const bool *reduce, const float *x,
                            float *y);

/* ONNX LRN-1, -13 over x [batch, channels, size]: y = x / (bias + alpha / n * sum of x^2)^beta, the
 * sum over channels c - floor((n-1)/2) to c + ceil((n-1)/2) inside the tensor. */
struct norm_lrn_args {
    int64_t batch, channels, size, n;
    double alpha, beta, bias;
};
void norm_lrn_f32(const struct norm_lrn_args *p, const float *x, float *y);
#endif
