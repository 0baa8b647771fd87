/* What statistics need of an activation: extremes, unusual values, a histogram. Results do not
 * depend on the order of the elements, so any layout will do. */
#ifndef KERNELS_OBSERVE_H
#define KERNELS_OBSERVE_H
#include <stddef.h>
#include <stdint.h>

struct observed {
    float low, high; /* of the finite elements; low > high: there are none. -0 counts as 0 */
    uint64_t finite;
    uint64_t nan, above, below; /* NaN, +infinity, -infinity */
};

void observe_range(struct observed *o, const float *x, size_t n);

/* Histogram of |x| below 2^(top + 1): OBSERVE_OCTAVES octaves of OBSERVE_SUB equal steps each, down
 * from the octave of top = floor(log2 |x|), apart for each sign; what is smaller goes to
 * small[sign] and zeros to zero. Index within a sign: (octave - (top - OBSERVE_OCTAVES + 1)) *
 * OBSERVE_SUB + step. Infinities and NaN are passed over; |x| at or above 2^(top + 1) must not
 * occur. */
enum { OBSERVE_OCTAVES = 20, OBSERVE_SUB = 64, OBSERVE_BINS = OBSERVE_OCTAVES * OBSERVE_SUB };

struct observe_bins {
    uint32_t bins[2][OBSERVE_BINS]; /* positive, negative */
    uint32_t small[2];
    uint32_t zero;
};
/* Adds at most 2^32 - 1 elements to cleared counts. */
void observe_histogram(struct observe_bins *h, int top, const float *x, size_t n);

/* Adds to sum[c] the elements of channel c of x[outer][channels][inner], each run of `inner` by
 * itself in eight interleaved float64 sums (what lies channels last: inner 1). The order of additions is fixed. */
void observe_channels(double *sum, const float *x, size_t outer, size_t channels, size_t inner);

/* floor(log2 |x|) of a finite x != 0; denormals count as the octave below the normal ones. */
int observe_octave(float x);
#endif
