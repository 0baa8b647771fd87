/* See grid.h. */
#include <float.h>
#include <math.h>

#include "base/num.h"
#include "quant/grid.h"

struct grid grid_of(enum dtype dtype, bool symmetric, bool narrow)
{
    struct grid g = {dtype, symmetric, dtype_min(dtype), dtype_max(dtype)};
    if (symmetric && narrow && g.qmin < 0)
        g.qmin = -g.qmax;
    return g;
}

void grid_params(const struct grid *g, double rmin, double rmax, float *scale, int32_t *zero_point)
{
    rmin = rmin < 0 ? rmin : 0;
    rmax = rmax > 0 ? rmax : 0;
    if (g->symmetric) {
        rmax = -rmin > rmax ? -rmin : rmax;
        rmin = -rmax;
    }
    double s = (rmax - rmin) / (double)(g->qmax - g->qmin);
    *scale = 1, *zero_point = 0;
    if (!(s >= FLT_MIN))
        return;
    *scale = (float)s;
    *zero_point = (int32_t)num_round_even(g->symmetric ? (double)(g->qmin + g->qmax) / 2
                                                       : (double)g->qmin - rmin / s);
}

int64_t grid_quantize(double x, float scale, int32_t zero_point, enum dtype dtype)
{
    int64_t low = dtype_min(dtype), high = dtype_max(dtype);
    double q = x / (double)scale;
    if (q > 0x1p40) /* far outside every type: keeps the sum below from overflowing */
        return high;
    return q < -0x1p40 ? low : num_clamp(num_round_even(q) + zero_point, low, high);
}

float grid_weight_scale(float x_scale, float w_scale, double bias_absmax)
{
    /* 2^31 - 1 steps to each side, and the margin of ONNX Runtime (qdq_quantizer.py) */
    const double steps = 4294967294.0, margin = 1.0001;
    double smallest = margin * 2 * bias_absmax / steps;
    double product = (double)x_scale * (double)w_scale;
    if (!(product > 0) || product >= smallest)
        return w_scale;
    return (float)((double)w_scale * (smallest / product));
}
