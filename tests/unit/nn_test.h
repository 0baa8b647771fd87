/* What the tests of the neural-network kernels share: cmocka, repeatable random numbers, comparison. */
#ifndef NN_TEST_H
#define NN_TEST_H
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* xorshift64* (Vigna, arXiv 1402.6246). */
static inline uint64_t test_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}
static inline int64_t test_int(uint64_t *state, int64_t low, int64_t high) /* both included */
{
    return low + (int64_t)((test_next(state) >> 11) % (uint64_t)(high - low + 1));
}
static inline float test_float(uint64_t *state) /* -1 .. 1 */
{
    return (float)test_int(state, -(1 << 23), 1 << 23) / (float)(1 << 23);
}
static inline float *test_floats(uint64_t *state, int64_t count) /* mem_free it */
{
    float *x = mem_alloc((size_t)(count ? count : 1) * sizeof *x);
    for (int64_t i = 0; i < count; i++)
        x[i] = test_float(state);
    return x;
}
static inline float *test_zeros(int64_t count)
{
    return mem_alloc((size_t)(count ? count : 1) * sizeof(float));
}

/* |got - want| <= tolerance * max(1, largest |want|) everywhere. */
static inline void test_close(const float *got, const float *want, int64_t count, double tolerance)
{
    double largest = 1;
    for (int64_t i = 0; i < count; i++)
        if (fabs((double)want[i]) > largest)
            largest = fabs((double)want[i]);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= tolerance * largest))
            fail_msg("element %lld: got %.9g, want %.9g", (long long)i, (double)got[i],
                     (double)want[i]);
}
static inline void test_same(const float *got, const float *want,
                             int64_t count) /* equal values; bits of NaN aside */
{
    for (int64_t i = 0; i < count; i++)
        if (!(got[i] == want[i] ||
              (isnan(got[i]) && isnan(want[i])))) /* exactness is what is tested */
            fail_msg("element %lld: got %.9g, want %.9g", (long long)i, (double)got[i],
                     (double)want[i]);
}
#endif
