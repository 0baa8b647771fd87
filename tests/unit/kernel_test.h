/* What the kernel tests share: cmocka, a random source, sizes. Only test files include it. */
#ifndef TESTS_KERNEL_TEST_H
#define TESTS_KERNEL_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof(array)[0]))
#define UNUSED __attribute__((unused))

static uint64_t random_state = 0x9E3779B97F4A7C15u;
UNUSED static uint64_t random_bits(void) /* xorshift64*, Vigna 2016 */
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

UNUSED static int64_t random_below(int64_t n) { return (int64_t)(random_bits() >> 33) % n; }
UNUSED static double random_between(double low, double high)
{
    return low + (high - low) * (double)(random_bits() >> 11) * 0x1p-53;
}

/* Bits equal, or both NaN. */
UNUSED static bool same_float(float a, float b)
{
    return (isnan(a) && isnan(b)) || !memcmp(&a, &b, sizeof a);
}

UNUSED static int64_t product(const int64_t *dims, int rank)
{
    int64_t p = 1;
    for (int i = 0; i < rank; i++)
        p *= dims[i];
    return p;
}

/* index[] of a flat position. */
UNUSED static void unravel(int64_t flat, const int64_t *dims, int rank, int64_t *index)
{
    for (int i = rank - 1; i >= 0; i--) {
        index[i] = flat % dims[i];
        flat /= dims[i];
    }
}

UNUSED static int64_t ravel(const int64_t *index, const int64_t *dims, int rank)
{
    int64_t flat = 0;
    for (int i = 0; i < rank; i++)
        flat = flat * dims[i] + index[i];
    return flat;
}
#endif
