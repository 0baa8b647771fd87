/* Pad-25 and its older forms. */
#ifndef KERNELS_FLOAT_PAD_H
#define KERNELS_FLOAT_PAD_H
#include "kernels/kernel.h"

enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP };

struct pad_args {
    size_t size; /* bytes of an element */
    enum pad_mode mode;
    int rank; /* <= KERNEL_MAX_RANK */
    const int64_t *dims;
    const int64_t *before, *after; /* elements to add per axis; negative ones remove */
    const void *value;             /* CONSTANT: one element; NULL: zero bytes */
};

/* y has dims[i] + before[i] + after[i] at axis i (KERNEL_SHAPE when negative). Removing comes
 * before adding. REFLECT mirrors without the edge, as often as needed; KERNEL_VALUE when a mode
 * other than CONSTANT has nothing to repeat. KERNEL_MEMORY. x, y do not overlap. */
int kernel_pad(const struct pad_args *a, const void *x, void *y);
#endif
