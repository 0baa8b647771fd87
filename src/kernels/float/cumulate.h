/* CumSum-14, CumProd-26 along an axis, x and y [outer, axis, inner]. Floats accumulate in double,
 * each result rounded once; integers of 8 to 64 bits modulo 2^bits. exclusive: y[i] leaves x[i] out
 * (the first is 0, or 1); reverse: from the end. */
#ifndef KERNELS_FLOAT_CUMULATE_H
#define KERNELS_FLOAT_CUMULATE_H
#include "kernels/kernel.h"

struct scan_args {
    enum dtype dtype;
    bool product, exclusive, reverse;
    int64_t outer, axis, inner;
};

/* Whole buffers; y may be x. KERNEL_TYPE. */
int kernel_scan(const struct scan_args *a, const void *x, void *y);
#endif
