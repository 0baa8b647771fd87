/* See gemv.h. */
#include "kernels/float/gemv.h"

#include <string.h>

#include "kernels/kernel.h"

enum { LANES = 16, ROWS = 4, WIDE = 128 };

typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

static float sum_lanes(const lanes *v)
{
    float s[LANES];
    memcpy(s, v, sizeof s);
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            s[i] += s[i + half];
    return s[0];
}

/* What is left of k after the last whole vector, as a vector with zeros. */
KERNEL_INLINE void take_rest(lanes *v, const float *from, int64_t count)
{
    memset(v, 0, sizeof *v);
    memcpy(v, from, (size_t)count * sizeof *from);
}

KERNEL_CLONES
static void four_rows(const float *x, const float *w, int64_t step, int64_t k, float *y)
{
    lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    const float *w1 = w + step, *w2 = w1 + step, *w3 = w2 + step;
    int64_t i = 0;
    for (; i + LANES <= k; i += LANES) {
        const lanes v = *(const lanes *)(x + i);
        s0 += v * *(const lanes *)(w + i);
        s1 += v * *(const lanes *)(w1 + i);
        s2 += v * *(const lanes *)(w2 + i);
        s3 += v * *(const lanes *)(w3 + i);
    }
    if (i < k) {
        lanes v, r0, r1, r2, r3;
        take_rest(&v, x + i, k - i);
        take_rest(&r0, w + i, k - i);
        take_rest(&r1, w1 + i, k - i);
        take_rest(&r2, w2 + i, k - i);
        take_rest(&r3, w3 + i, k - i);
        s0 += v * r0;
        s1 += v * r1;
        s2 += v * r2;
        s3 += v * r3;
    }
    y[0] = sum_lanes(&s0);
    y[1] = sum_lanes(&s1);
    y[2] = sum_lanes(&s2);
    y[3] = sum_lanes(&s3);
}

KERNEL_CLONES
static void one_row(const float *x, const float *w, int64_t k, float *y)
{
    lanes s = {0};
    int64_t i = 0;
    for (; i + LANES <= k; i += LANES)
        s += *(const lanes *)(x + i) * *(const lanes *)(w + i);
    if (i < k) {
        lanes v, r;
        take_rest(&v, x + i, k - i);
        take_rest(&r, w + i, k - i);
        s += v * r;
    }
    *y = sum_lanes(&s);
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
