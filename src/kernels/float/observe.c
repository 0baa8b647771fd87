/* See observe.h.
 *
 * Floats are compared as integers: with the lower 31 bits of negative ones inverted, the order of
 * the bit patterns is the order of the numbers, NaNs lie outside the infinities, and minimum and
 * maximum of integers may be taken in any order, which compilers vectorise. A histogram index is
 * the exponent and the six upper bits of the mantissa, that is the bit pattern shifted right by 17.
 */
#include "kernels/float/observe.h"

#include <math.h>
#include <string.h>

#include "kernels/kernel.h"

enum {
    MAGNITUDE = 0x7fffffff,
    INFINITE = 0x7f800000,
    LARGEST = 0x7f7fffff, /* FLT_MAX */
    STEP_SHIFT = 17,      /* 23 bits of mantissa, 6 of them count */
    BIAS = 127,
};

KERNEL_INLINE int32_t ordered(const float *x)
{
    int32_t bits;
    memcpy(&bits, x, sizeof bits);
    return bits ^ (bits >> 31 & MAGNITUDE);
}

static float from_ordered(int32_t key)
{
    int32_t bits = key ^ (key >> 31 & MAGNITUDE);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x == 0 ? 0 : x; /* -0 becomes 0 */
}

KERNEL_CLONES static void extremes(const float *x, size_t n, int32_t *low, int32_t *high)
{
    int32_t least = *low, most = *high;
    for (size_t i = 0; i < n; i++) {
        int32_t key = ordered(x + i);
        least = key < least ? key : least;
        most = key > most ? key : most;
    }
    *low = least, *high = most;
}

static void sort_out(struct observed *o, const float *x, size_t n)
{
    *o = (struct observed){.low = INFINITY, .high = -INFINITY};
    for (size_t i = 0; i < n; i++) {
        o->nan += isnan(x[i]) != 0;
        o->above += x[i] > 0 && isinf(x[i]);
        o->below += x[i] < 0 && isinf(x[i]);
        if (!isfinite(x[i]))
            continue;
        o->finite++;
        o->low = x[i] < o->low ? x[i] : o->low;
        o->high = x[i] > o->high ? x[i] : o->high;
    }
    o->low = o->low == 0 ? 0 : o->low, o->high = o->high == 0 ? 0 : o->high;
}

void observe_range(struct observed *o, const float *x, size_t n)
{
    int32_t low = INT32_MAX, high = INT32_MIN;
    extremes(x, n, &low, &high);
    if (n && (low < (int32_t)~LARGEST || high > LARGEST)) {
        sort_out(o, x, n);
        return;
    }
    *o = (struct observed){.low = INFINITY, .high = -INFINITY, .finite = n};
    if (n)
        o->low = from_ordered(low), o->high = from_ordered(high);
}

/* Lane k takes every eighth element: vectors of eight doubles, or the same sums one by one. */
KERNEL_CLONES static double run_sum(const float *x, size_t n)
{
    double lane[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            lane[k] += (double)x[i + k];
    for (size_t k = 0; i < n; i++, k++)
        lane[k] += (double)x[i];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

KERNEL_CLONES static void row_add(double *sum, const float *x, size_t channels)
{
    KERNEL_INDEPENDENT
    for (size_t c = 0; c < channels; c++)
        sum[c] += (double)x[c];
}

void observe_channels(double *sum, const float *x, size_t outer, size_t channels, size_t inner)
{
    for (size_t o = 0; o < outer; o++, x += channels * inner) {
        if (inner == 1)
            row_add(sum, x, channels);
        for (size_t c = 0; inner > 1 && c < channels; c++)
            sum[c] += run_sum(x + c * inner, inner);
    }
}

int observe_octave(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return ((bits & MAGNITUDE) >> 23) - BIAS;
}

void observe_histogram(struct observe_bins *h, int top, const float *x, size_t n)
{
    int32_t base = (top + BIAS - OBSERVE_OCTAVES + 1) * OBSERVE_SUB;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        int32_t magnitude = (int32_t)(bits & MAGNITUDE), at = (magnitude >> STEP_SHIFT) - base;
        if (magnitude == 0)
            h->zero++;
        else if (at < 0)
            h->small[bits >> 31]++;
        else if (magnitude < INFINITE)
            h->bins[bits >> 31][at]++;
    }
}
