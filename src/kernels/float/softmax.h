/* Softmax-13, LogSoftmax-13, Hardmax-13 over one axis, x and y [outer, axis, inner]. The older
 * operators (before 13), which flatten from an axis on, are the same with outer = the product
 * before it, axis = the product from it on, inner = 1.
 *
 * Softmax: e^(x - m) / sum e^(x - m), m the maximum; LogSoftmax: (x - m) - log(sum); Hardmax: 1 at
 * the first maximum, else 0. float, double, halves: in double, summed in the order of the axis,
 * rounded once; with `fast`, float uses vmath.h and sums in double or with compensation. A line of
 * -inf only gives NaN, as the formula does. */
#ifndef KERNELS_FLOAT_SOFTMAX_H
#define KERNELS_FLOAT_SOFTMAX_H
#include "kernels/kernel.h"

enum softmax_kind { SOFTMAX_PLAIN, SOFTMAX_LOG, SOFTMAX_HARD };

struct softmax_args {
    enum softmax_kind kind;
    enum dtype dtype;
    int64_t outer, axis, inner;
    bool fast;
};

/* Lines [begin, end) of outer * inner; y may be x. KERNEL_TYPE. */
int kernel_softmax(const struct softmax_args *a, const void *x, void *y, int64_t begin,
                   int64_t end);
#endif
