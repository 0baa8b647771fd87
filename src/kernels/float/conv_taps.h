/* Inside the transposed convolution: which kernel positions reach the outputs with one remainder
 * modulo the stride. */
#ifndef KERNELS_FLOAT_CONV_TAPS_H
#define KERNELS_FLOAT_CONV_TAPS_H
#include "kernels/float/window.h"

/* Output o = phase + stride * step is reached from input i by kernel position k when i * stride + k
 * * dilation - pad = o. The k that qualify are first, first + every, ... (count of them), and i =
 * step + (phase + pad - k * dilation) / stride. */
struct tap_set {
    const struct window *w; /* rank 3 */
    int64_t phase[3], step[3];
    int64_t first[3], every[3], count[3];
};

struct tap {
    int64_t channel, index[3];
};

void tap_set_find(struct tap_set *set); /* from w and phase */
int64_t tap_count(const struct tap_set *set);
struct tap tap_at(const struct tap_set *set,
                  int64_t p); /* p counts (channel, taps in kernel order) */
void tap_next(const struct tap_set *set, struct tap *t);
int64_t tap_kernel(const struct tap_set *set, const struct tap *t); /* flat kernel position */
/* The input line read at step[0], step[1], or -1 when it is outside; *column: the input read by the
 * line's first output. */
int64_t tap_line(const struct tap_set *set, const struct tap *t, int64_t *column);
#endif
