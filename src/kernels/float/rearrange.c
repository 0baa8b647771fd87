/* See rearrange.h. Most are one strided copy. */
#include "kernels/float/rearrange.h"

#include <string.h>

#include "kernels/float/stride.h"

/* Row-major steps. */
static void steps_of(int rank, const int64_t *dims, int64_t *step)
{
    int64_t size = 1;
    for (int i = rank - 1; i >= 0; i--) {
        step[i] = size;
        size *= dims[i] > 0 ? dims[i] : 1;
    }
}

int kernel_transpose(size_t size, int rank, const int64_t *dims, const int *perm, const void *x,
                     void *y)
{
    int64_t from[KERNEL_MAX_RANK], to[KERNEL_MAX_RANK], out[KERNEL_MAX_RANK];
    unsigned seen = 0;
    if (rank > KERNEL_MAX_RANK)
        return KERNEL_SHAPE;
    for (int i = 0; i < rank; i++) {
        if (perm[i] < 0 || perm[i] >= rank || seen >> perm[i] & 1)
            return KERNEL_VALUE;
        seen |= 1u << perm[i];
        out[i] = dims[perm[i]];
    }
    steps_of(rank, dims, from);
    steps_of(rank, out, to);
    struct strided s = {0};
    for (int i = 0; i < rank; i++)
        strided_axis(&s, out[i], from[perm[i]], to[i]);
    strided_copy(size, s, x, y);
    return KERNEL_OK;
}

/* first + (n - 1) step inside 0..dim-1, without overflow: dims and n are below 2^63 and first is
 * checked before. */
static bool inside(int64_t first, int64_t step, int64_t n, int64_t dim)
{
    int64_t last;
    if (first < 0 || first >= dim)
        return false;
    return !__builtin_mul_overflow(n - 1, step, &last) &&
           !__builtin_add_overflow(last, first, &last) && last >= 0 && last < dim;
}

int kernel_slice(size_t size, int rank, const int64_t *dims, const int64_t *start,
                 const int64_t *step, const int64_t *out_dims, const void *x, void *y)
{
    int64_t from[KERNEL_MAX_RANK], to[KERNEL_MAX_RANK], offset = 0;
    if (rank > KERNEL_MAX_RANK)
        return KERNEL_SHAPE;
    for (int i = 0; i < rank; i++)
        if (out_dims[i] <= 0)
            return KERNEL_OK;
    steps_of(rank, dims, from);
    steps_of(rank, out_dims, to);
    struct strided s = {0};
    for (int i = 0; i < rank; i++) {
        if (!inside(start[i], step[i], out_dims[i], dims[i]))
            return KERNEL_INDEX;
        offset += start[i] * from[i];
        /* the step of an axis with one element is never taken, and may be huge */
        strided_axis(&s, out_dims[i], out_dims[i] > 1 ? from[i] * step[i] : 0, to[i]);
    }
    strided_copy(size, s, (const char *)x + offset * (int64_t)size, y);
    return KERNEL_OK;
}

int kernel_expand(size_t size, int rank, const int64_t *dims, int out_rank, const int64_t *out_dims,
                  const void *x, void *y)
{
    int64_t from[KERNEL_MAX_RANK], to[KERNEL_MAX_RANK];
    if (out_rank > KERNEL_MAX_RANK || rank > out_rank)
        return KERNEL_SHAPE;
    steps_of(rank, dims, from);
    steps_of(out_rank, out_dims, to);
    struct strided s = {0};
    for (int i = 0; i < out_rank; i++) {
        int own = i - (out_rank - rank);
        int64_t dim = own < 0 ? 1 : dims[own];
        if (dim != 1 && dim != out_dims[i])
            return KERNEL_SHAPE;
        strided_axis(&s, out_dims[i], dim == 1 ? 0 : from[own], to[i]);
    }
    strided_copy(size, s, x, y);
    return KERNEL_OK;
}

int kernel_tile(size_t size, int rank, const int64_t *dims, const int64_t *repeats, const void *x,
                void *y)
{
    int64_t from[KERNEL_MAX_RANK], to[KERNEL_MAX_RANK], out[KERNEL_MAX_RANK];
    if (rank > KERNEL_MAX_RANK)
        return KERNEL_SHAPE;
    for (int i = 0; i < rank; i++)
        if (repeats[i] < 0 || __builtin_mul_overflow(dims[i], repeats[i], &out[i]))
            return KERNEL_VALUE;
    steps_of(rank, dims, from);
    steps_of(rank, out, to);
    struct strided s = {0};
    for (int i = 0; i < rank; i++) {
        strided_axis(&s, repeats[i], 0, to[i] * dims[i]);
        strided_axis(&s, dims[i], from[i], to[i]);
    }
    strided_copy(size, s, x, y);
    return KERNEL_OK;
}

int kernel_concat(size_t size, int64_t outer, int64_t inner, int n, const int64_t *axis_dims,
                  const void *const *x, void *y)
{
    int64_t total = 0, at = 0;
    for (int k = 0; k < n; k++)
        total += axis_dims[k];
    for (int k = 0; k < n; at += axis_dims[k++]) {
        struct strided s = {0};
        strided_axis(&s, outer, axis_dims[k] * inner, total * inner);
        strided_axis(&s, axis_dims[k] * inner, 1, 1);
        strided_copy(size, s, x[k], (char *)y + at * inner * (int64_t)size);
    }
    return KERNEL_OK;
}

int kernel_split(size_t size, int64_t outer, int64_t inner, int n, const int64_t *axis_dims,
                 const void *x, void *const *y)
{
    int64_t total = 0, at = 0;
    for (int k = 0; k < n; k++)
        total += axis_dims[k];
    for (int k = 0; k < n; at += axis_dims[k++]) {
        struct strided s = {0};
        strided_axis(&s, outer, total * inner, axis_dims[k] * inner);
        strided_axis(&s, axis_dims[k] * inner, 1, 1);
        if (y[k])
            strided_copy(size, s, (const char *)x + at * inner * (int64_t)size, y[k]);
    }
    return KERNEL_OK;
}

int kernel_depth_to_space(size_t size, const int64_t dims[4], int64_t block, bool crd,
                          const void *x, void *y)
{
    int64_t h = dims[2], w = dims[3];
    if (block < 1 || dims[1] % block || dims[1] / block % block)
        return KERNEL_VALUE;
    int64_t c = dims[1] / block / block;
    /* DCR: [N, b, b, c, H, W] -> [N, c, H, b, W, b]; CRD: [N, c, b, b, H, W] -> the same */
    const int64_t dcr_dims[] = {dims[0], block, block, c, h, w},
                  crd_dims[] = {dims[0], c, block, block, h, w};
    static const int dcr_perm[] = {0, 3, 4, 1, 5, 2}, crd_perm[] = {0, 1, 4, 2, 5, 3};
    return kernel_transpose(size, 6, crd ? crd_dims : dcr_dims, crd ? crd_perm : dcr_perm, x, y);
}

int kernel_space_to_depth(size_t size, const int64_t dims[4], int64_t block, const void *x, void *y)
{
    if (block < 1 || dims[2] % block || dims[3] % block)
        return KERNEL_VALUE;
    const int64_t split[] = {dims[0], dims[1], dims[2] / block, block, dims[3] / block, block};
    static const int perm[] = {0, 3, 5, 1, 2, 4};
    return kernel_transpose(size, 6, split, perm, x, y);
}

int kernel_reverse_sequence(size_t size, int64_t batch, int64_t time, int64_t inner,
                            bool time_first, const int64_t *lengths, const void *x, void *y)
{
    const int64_t per_time = time_first ? batch * inner : inner,
                  per_batch = time_first ? inner : time * inner;
    const size_t bytes = (size_t)inner * size;
    for (int64_t b = 0; b < batch; b++) {
        if (lengths[b] < 0 || lengths[b] > time)
            return KERNEL_VALUE;
        for (int64_t t = 0; t < time; t++) {
            int64_t from = t < lengths[b] ? lengths[b] - 1 - t : t, base = b * per_batch;
            memcpy((char *)y + (base + t * per_time) * (int64_t)size,
                   (const char *)x + (base + from * per_time) * (int64_t)size, bytes);
        }
    }
    return KERNEL_OK;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

int kernel_trilu(size_t size, int64_t batch, int64_t rows, int64_t cols, int64_t k, bool upper,
                 const void *x, void *y)
{
    k = clamp(k, -rows - 1, cols + 1); /* beyond: the same, and no overflow */
    for (int64_t i = 0; i < batch * rows; i++) {
        int64_t row = i % rows, from = upper ? clamp(row + k, 0, cols) : 0;
        int64_t to = upper ? cols : clamp(row + k + 1, 0, cols);
        const char *in = (const char *)x + i * cols * (int64_t)size;
        char *out = (char *)y + i * cols * (int64_t)size;
        memset(out, 0, (size_t)from * size);
        memcpy(out + from * (int64_t)size, in + from * (int64_t)size, (size_t)(to - from) * size);
        memset(out + to * (int64_t)size, 0, (size_t)(cols - to) * size);
    }
    return KERNEL_OK;
}

int64_t kernel_compress_count(const uint8_t *condition, int64_t length, int64_t axis)
{
    int64_t n = 0;
    for (int64_t i = 0; i < length && i < axis; i++)
        n += condition[i] != 0;
    return n;
}

void kernel_compress(size_t size, int64_t outer, int64_t axis, int64_t inner,
                     const uint8_t *condition, int64_t length, const void *x, void *y)
{
    const size_t bytes = (size_t)inner * size;
    char *out = y;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < length && i < axis; i++)
            if (condition[i]) {
                memcpy(out, (const char *)x + (size_t)(o * axis + i) * bytes, bytes);
                out += bytes;
            }
}
