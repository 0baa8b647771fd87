/* Transposing a matrix of elements of 1, 2, 4 or 8 bytes, bits untouched. */
#ifndef KERNELS_FLOAT_SWAP_AXES_H
#define KERNELS_FLOAT_SWAP_AXES_H
#include <stddef.h>
#include <stdint.h>

struct swap_axes_args {
    int64_t rows, cols; /* of the source */
    int64_t from_step,
        to_step; /* elements between rows of the source (>= cols), of the target (>= rows) */
    size_t size; /* of an element */
};

/* to[c * to_step + r] = from[r * from_step + c]. The buffers do not overlap. */
void swap_axes(const void *from, void *to, const struct swap_axes_args *args);
#endif
