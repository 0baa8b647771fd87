/* From a range to scale and zero point, and from a value to its integer.
 *
 * The formulas of ONNX Runtime's quantizer (onnxruntime/python/tools/quantization/quant_utils.py,
 * compute_scale_zp), which golden values in tests/unit/test_grid.c hold fast:
 *   rmin = min(rmin, 0), rmax = max(rmax, 0); symmetric: both become +-max(|rmin|, |rmax|)
 *   s = (rmax - rmin) / (qmax - qmin) in float64; below FLT_MIN: s = 1, zero point 0
 *   symmetric:  zero_point = rint((qmin + qmax) / 2)
 *   asymmetric: zero_point = rint(qmin - rmin / s), with s still in float64
 *   scale = (float)s
 *   q = clip(rint(x / scale) + zero_point, type range), ties to even
 */
#ifndef QUANT_GRID_H
#define QUANT_GRID_H
#include <stdbool.h>
#include <stdint.h>

#include "base/dtype.h"

struct grid {
    enum dtype dtype;
    bool symmetric;
    int64_t qmin, qmax; /* the range that scales are made for */
};

/* narrow: symmetric signed types leave out their lowest integer. */
struct grid grid_of(enum dtype dtype, bool symmetric, bool narrow);

/* rmin <= rmax, both finite. */
void grid_params(const struct grid *g, double rmin, double rmax, float *scale, int32_t *zero_point);

/* Within the whole range of the type, whatever the grid. NaN gives the zero point. */
int64_t grid_quantize(double x, float scale, int32_t zero_point, enum dtype dtype);

/* The smallest weight scale whose product with the input's scale can hold a bias of absmax in int32
 * (ONNX Runtime's rule since 1.20.1): w_scale itself where it is enough. */
float grid_weight_scale(float x_scale, float w_scale, double bias_absmax);
#endif
