/* Reductions over any set of axes: ReduceSum-13, ReduceMean-18, ReduceMax-20, ReduceMin-20,
 * ReduceProd-18, ReduceL1-18, ReduceL2-18, ReduceLogSum-18, ReduceLogSumExp-18, ReduceSumSquare-18.
 * keepdims is the caller's: the elements are the same.
 *
 * Floats are accumulated in double and rounded once. The order is fixed by the shape alone: when
 * the last axis (extents of 1 aside) is kept, the reduced elements are taken one after the other in
 * row-major order. When it is reduced, element i of each contiguous run goes to partial sum i mod
 * 64, runs one after the other, and the partial sums are added by halves (0+32, 1+33, ...; then
 * 0+16, ...). Integers accumulate modulo 2^64; their mean is truncated toward zero; L2, LogSum and
 * LogSumExp of integers are formed in double and truncated. Max and Min keep a NaN. Over no
 * elements: Sum, L1, L2, SumSquare 0, Prod 1, LogSum and LogSumExp -inf, Max and Min the type's
 * least and greatest value, Mean NaN (integers 0). */
#ifndef KERNELS_FLOAT_REDUCE_H
#define KERNELS_FLOAT_REDUCE_H
#include "kernels/kernel.h"

enum reduce_op {
    REDUCE_SUM,
    REDUCE_MEAN,
    REDUCE_MAX,
    REDUCE_MIN,
    REDUCE_PROD,
    REDUCE_L1,
    REDUCE_L2,
    REDUCE_LOG_SUM,
    REDUCE_LOG_SUM_EXP,
    REDUCE_SUM_SQUARE,
    REDUCE_COUNT
};

struct reduce_args {
    enum reduce_op op;
    enum dtype dtype; /* float types, integers of 8 to 64 bits; bool for MAX and MIN */
    int rank;         /* <= KERNEL_MAX_RANK */
    const int64_t *dims;
    const bool *reduced; /* per axis */
};

bool reduce_find(const char *name, enum reduce_op *op); /* "ReduceSum" ... */

/* y: the kept axes' product of elements; computes [begin, end) of them. KERNEL_TYPE, KERNEL_SHAPE.
 */
int kernel_reduce(const struct reduce_args *a, const void *x, void *y, int64_t begin, int64_t end);
#endif
