/* Operators that choose elements by value: ArgMax, ArgMin, TopK, Unique. */
#ifndef KERNELS_FLOAT_SELECT_H
#define KERNELS_FLOAT_SELECT_H
#include "kernels/float/sort_keys.h"

/* ArgMax-13, ArgMin-13: x [outer, axis, inner] of a numeric type, y [outer, inner]: the index of
 * the extreme element, of equal ones the first, or the last with select_last. A NaN counts as more
 * extreme than anything. KERNEL_SHAPE when axis is 0 and there are results. */
struct arg_args {
    enum dtype dtype;
    bool largest, select_last;
    int64_t outer, axis, inner;
};
int kernel_arg(const struct arg_args *a, const void *x, int64_t *y);

/* TopK-24: of each line of x [outer, axis, inner] the k largest (or smallest) elements, best first,
 * equal ones by lower index; NaN is larger than anything. values and indices [outer, k, inner];
 * either may be NULL. KERNEL_VALUE unless 0 <= k <= axis. KERNEL_MEMORY. */
struct topk_args {
    enum dtype dtype; /* 8 bits or more */
    bool largest;
    int64_t outer, axis, inner, k;
};
int kernel_topk(const struct topk_args *a, const void *x, void *values, int64_t *indices);

/* Unique-11: of the n slices of x [outer, n, inner] the different ones, in rising order
 * (lexicographic over outer, inner), or in order of first appearance. All arrays have n entries; of
 * first and counts *found are filled: first[j] is where unique slice j first stands, inverse[i]
 * which unique slice i equals. NaNs are equal to each other and larger than anything.
 * KERNEL_MEMORY. */
struct unique_args {
    enum dtype dtype;
    int64_t outer, n, inner;
    bool sorted;
};
int kernel_unique(const struct unique_args *a, const void *x, int64_t *first, int64_t *inverse,
                  int64_t *counts, int64_t *found);
/* The same for anything comparable, e.g. strings. */
int kernel_unique_by(int64_t n, bool sorted, order_compare *compare, void *user, int64_t *first,
                     int64_t *inverse, int64_t *counts, int64_t *found);
#endif
