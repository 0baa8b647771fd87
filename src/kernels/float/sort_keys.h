/* Elements as integers that compare as the elements do, and a stable sort. */
#ifndef KERNELS_FLOAT_SORT_KEYS_H
#define KERNELS_FLOAT_SORT_KEYS_H
#include "kernels/kernel.h"

/* Keys of n elements from place `at` on: any numeric type or bool. -0 and +0 have one key; a NaN's
 * key is nan_key. */
void order_keys(enum dtype t, const void *x, int64_t at, int64_t *keys, int64_t n, int64_t nan_key);

/* Sorts items stably: compare(user, a, b) < 0, 0, > 0. scratch: n entries. */
typedef int order_compare(void *user, int64_t a, int64_t b);
void order_sort(int64_t *items, int64_t *scratch, int64_t n, order_compare *compare, void *user);
#endif
