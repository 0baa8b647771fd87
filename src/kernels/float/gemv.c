/* See gemv.h. */
#include "kernels/float/gemv.h"

#include <string.h>

#include "kernels/kernel.h"

enum { LANES = 16, ROWS = 4, WIDE = 128 };

typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* Lane i of s gets the product of element i of what is left of k after the last whole vector. */
KERNEL_INLINE void add_rest(const float *x, const float *w, int64_t count, float *s)
{
    for (int64_t i = 0; i < count; i++)
        s[i] += x[i] * w[i];
}

KERNEL_INLINE float sum_lanes(float *s)
{
    for (int i = 0; i < 8; i++)
        s[i] += s[i + 8];
    for (int i = 0; i < 4; i++)
        s[i] += s[i + 4];
    for (int i = 0; i < 2; i++)
        s[i] += s[i + 2];
    return s[0] + s[1];
}

KERNEL_CLONES
static void four_rows(const float *x, const float *w, int64_t step, int64_t k, float *y)
{
    lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    float s[ROWS][LANES] __attribute__((aligned(64)));
    const float *w1 = w + step, *w2 = w1 + step, *w3 = w2 + step;
    int64_t i = 0;
    for (; i + LANES <= k; i += LANES) {
        const lanes v = *(const lanes *)(x + i);
        s0 += v * *(const lanes *)(w + i);
        s1 += v * *(const lanes *)(w1 + i);
        s2 += v * *(const lanes *)(w2 + i);
        s3 += v * *(const lanes *)(w3 + i);
    }
    *(lanes *)s[0] = s0;
    *(lanes *)s[1] = s1;
    *(lanes *)s[2] = s2;
    *(lanes *)s[3] = s3;
    for (int r = 0; r < ROWS; r++) {
        add_rest(x + i, w + r * step + i, k - i, s[r]);
        y[r] = sum_lanes(s[r]);
    }
}

KERNEL_CLONES
static void one_row(const float *x, const float *w, int64_t k, float *y)
{
    lanes v = {0};
    float s[LANES] __attribute__((aligned(64)));
    int64_t i = 0;
    for (; i + LANES <= k; i += LANES)
        v += *(const lanes *)(x + i) * *(const lanes *)(w + i);
    *(lanes *)s = v;
    add_rest(x + i, w + i, k - i, s);
    *y = sum_lanes(s);
}

void gemv_rows(const float *x, const float *w, int64_t step, int64_t k, int64_t n, float *y)
{
    int64_t j = 0;
    for (; j + ROWS <= n; j += ROWS)
        four_rows(x, w + j * step, step, k, y + j);
    for (; j < n; j++)
        one_row(x, w + j * step, k, y + j);
}

KERNEL_CLONES
static void wide_columns(const float *x, const float *w, int64_t step, int64_t k, float *y)
{
    lanes s[WIDE / LANES] = {{0}};
    for (int64_t i = 0; i < k; i++, w += step)
        for (int c = 0; c < WIDE / LANES; c++)
            s[c] += x[i] * *(const lanes *)(w + c * LANES);
    memcpy(y, s, sizeof s);
}

KERNEL_CLONES
static void few_columns(const float *x, const float *w, int64_t step, int64_t k, int64_t n,
                        float *y)
{
    for (int64_t j = 0; j < n; j++)
        y[j] = 0;
    for (int64_t i = 0; i < k; i++, w += step)
        for (int64_t j = 0; j < n; j++)
            y[j] += x[i] * w[j];
}

void gemv_columns(const float *x, const float *w, int64_t step, int64_t k, int64_t n, float *y)
{
    int64_t j = 0;
    for (; j + WIDE <= n; j += WIDE)
        wide_columns(x, w + j, step, k, y + j);
    for (; j < n; j += LANES)
        few_columns(x, w + j, step, k, n - j < LANES ? n - j : LANES, y + j);
}
