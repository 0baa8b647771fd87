/* See fill.h. */
#include "kernels/float/fill.h"

#include <string.h>

#include "base/num.h"

void kernel_fill(size_t size, const void *value, void *y, int64_t n)
{
    const unsigned char *bytes = value;
    bool uniform = true;
    for (size_t i = 1; i < size; i++)
        uniform = uniform && bytes[i] == bytes[0];
    if (uniform && size) {
        memset(y, bytes[0], (size_t)n * size);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        memcpy((char *)y + (size_t)i * size, value, size);
}

static int count_floats(double start, double limit, double delta, int64_t *n)
{
    double steps = (limit - start) / delta, whole;
    if (delta == 0) /* exact: only a zero cannot advance */
        return KERNEL_ZERO;
    if (!(steps - steps == 0)) /* not finite */
        return KERNEL_VALUE;
    whole = __builtin_ceil(steps);
    *n = whole > 0 ? num_trunc(whole) : 0;
    return whole < 0x1p62 ? KERNEL_OK : KERNEL_VALUE;
}

static int count_ints(int64_t start, int64_t limit, int64_t delta, int64_t *n)
{
    if (delta == 0)
        return KERNEL_ZERO;
    bool forward = delta > 0;
    if (forward ? start >= limit : start <= limit) {
        *n = 0;
        return KERNEL_OK;
    }
    uint64_t span = forward ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
    uint64_t step = forward ? (uint64_t)delta : 0 - (uint64_t)delta, count = (span - 1) / step + 1;
    *n = (int64_t)count;
    return count <= INT64_MAX ? KERNEL_OK : KERNEL_VALUE;
}

static bool range_type(enum dtype t)
{
    return t == DT_FLOAT || t == DT_DOUBLE || t == DT_FLOAT16 || t == DT_BFLOAT16 ||
           t == DT_INT16 || t == DT_INT32 || t == DT_INT64;
}

int kernel_range_count(enum dtype t, const void *start, const void *limit, const void *delta,
                       int64_t *n)
{
    if (!range_type(t))
        return KERNEL_TYPE;
    if (dtype_is_float(t))
        return count_floats(num_get(start, t, 0), num_get(limit, t, 0), num_get(delta, t, 0), n);
    return count_ints(num_get_int(start, t, 0), num_get_int(limit, t, 0), num_get_int(delta, t, 0),
                      n);
}

int kernel_range(enum dtype t, const void *start, const void *delta, void *y, int64_t n)
{
    if (!range_type(t))
        return KERNEL_TYPE;
    if (dtype_is_float(t)) {
        double first = num_get(start, t, 0), step = num_get(delta, t, 0);
        for (int64_t i = 0; i < n; i++)
            num_set(y, t, i, first + (double)i * step);
        return KERNEL_OK;
    }
    uint64_t at = (uint64_t)num_get_int(start, t, 0), step = (uint64_t)num_get_int(delta, t, 0);
    for (int64_t i = 0; i < n; i++, at += step)
        num_set_int(y, t, i, (int64_t)at);
    return KERNEL_OK;
}

int kernel_eye(enum dtype t, int64_t rows, int64_t cols, int64_t k, void *y)
{
    const int bits = dtype_bits(t);
    if (bits < 8 || bits > 64)
        return KERNEL_TYPE;
    memset(y, 0, (size_t)(rows * cols * (bits / 8)));
    if (k > cols || k < -rows)
        return KERNEL_OK;
    for (int64_t row = k < 0 ? -k : 0; row < rows && row + k < cols; row++)
        num_set(y, t, row * cols + row + k, 1);
    return KERNEL_OK;
}

int kernel_one_hot(size_t size, enum dtype index_type, int64_t outer, int64_t depth, int64_t inner,
                   const void *indices, const void *values, void *y)
{
    if (!dtype_is_float(index_type) && !dtype_is_int(index_type))
        return KERNEL_TYPE;
    kernel_fill(size, values, y, outer * depth * inner);
    for (int64_t i = 0; i < outer * inner; i++) {
        int64_t at = num_get_int(indices, index_type, i), o = i / inner, k = i % inner;
        at = at < 0 && index_type != DT_UINT64 ? at + depth : at;
        if (at >= 0 && at < depth)
            memcpy((char *)y + (size_t)((o * depth + at) * inner + k) * size,
                   (const char *)values + size, size);
    }
    return KERNEL_OK;
}

static bool is_zero(enum dtype t, const void *x, int64_t i)
{
    return dtype_is_float(t) ? num_get(x, t, i) == 0
                             : num_get_int(x, t, i) == 0; /* exact by definition */
}

int64_t kernel_nonzero_count(enum dtype t, const void *x, int64_t n)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += !is_zero(t, x, i);
    return count;
}

int kernel_nonzero(enum dtype t, const void *x, int rank, const int64_t *dims, int64_t count,
                   int64_t *y)
{
    int64_t n, found = 0;
    if (!num_product(dims, rank, &n))
        return KERNEL_SHAPE;
    for (int64_t i = 0; i < n && found < count; i++) {
        if (is_zero(t, x, i))
            continue;
        for (int64_t k = rank - 1, rest = i; k >= 0; rest /= dims[k], k--)
            y[k * count + found] = rest % dims[k];
        found++;
    }
    return KERNEL_OK;
}
