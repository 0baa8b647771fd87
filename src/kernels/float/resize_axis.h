/* Inside Resize: the table of one axis. */
#ifndef KERNELS_FLOAT_RESIZE_AXIS_H
#define KERNELS_FLOAT_RESIZE_AXIS_H
#include "kernels/float/resize.h"

/* Output o is the sum of weight[o * taps + t] * x[index[o * taps + t]]; with outside[o] it is the
 * extrapolation value. */
struct resize_table {
    int64_t out, taps;
    int64_t *index;
    double *weight; /* NULL for nearest */
    bool *outside;
};

int64_t resize_taps(const struct resize_params *p, int axis);
/* Does the axis change nothing at all? */
bool resize_is_identity(const struct resize_params *p, int axis);
/* Bytes that the table takes, a multiple of 8; -1: too large. */
int64_t resize_table_bytes(const struct resize_params *p, int axis);
/* Fills the table in memory of that size. Returns the memory behind it. */
void *resize_table_make(const struct resize_params *p, int axis, struct resize_table *t,
                        void *memory);
#endif
