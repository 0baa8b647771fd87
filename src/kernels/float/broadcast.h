/* NumPy broadcasting, planned once and walked in rows.
 *
 * Shapes are aligned at their last axes; an extent of 1 is repeated (ONNX "Broadcasting in ONNX",
 * multidirectional). The plan drops axes of extent 1 and joins neighbours that every operand walks
 * alike, so that equal shapes become one row and a bias per channel becomes rows with one repeated
 * element. In a row each operand advances by inner[k]: 1 or 0. */
#ifndef KERNELS_FLOAT_BROADCAST_H
#define KERNELS_FLOAT_BROADCAST_H
#include "kernels/kernel.h"

enum { BROADCAST_MAX = 4 };

struct kernel_shape {
    int rank;
    const int64_t *dims;
};

struct broadcast {
    int n;    /* operands */
    int rank; /* after joining, >= 1 */
    int64_t dims[KERNEL_MAX_RANK];
    int64_t step[BROADCAST_MAX][KERNEL_MAX_RANK]; /* in elements; 0: repeated */
    int64_t inner[BROADCAST_MAX];                 /* step of the last axis */
    int64_t count;                                /* elements of the result */
    int out_rank;                                 /* the result's shape before joining */
    int64_t out_dims[KERNEL_MAX_RANK];
};

/* KERNEL_SHAPE when the shapes do not broadcast, a rank is above KERNEL_MAX_RANK, or the result has
 * too many elements. */
int broadcast_plan(struct broadcast *b, const struct kernel_shape *shapes, int n);

/* Calls row for pieces of [begin, end) of the flat result, in order: n elements from `out` on,
 * operand k from element at[k]. */
typedef void broadcast_row(void *user, const int64_t *at, int64_t out, int64_t n);
void broadcast_walk(const struct broadcast *b, int64_t begin, int64_t end, broadcast_row *row,
                    void *user);
#endif
