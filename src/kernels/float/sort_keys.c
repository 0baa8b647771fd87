/* See sort_keys.h. The bits of an IEEE number, with all but the sign flipped for negative ones,
 * order as the numbers do. */
#include "kernels/float/sort_keys.h"

#include <string.h>

#include "kernels/float/block.h"

static int64_t float_key(double d, int64_t nan_key)
{
    int64_t bits;
    if (d != d)
        return nan_key;
    if (d == 0) /* exact: both zeros */
        return 0;
    memcpy(&bits, &d, sizeof bits);
    return bits < 0 ? bits ^ INT64_MAX : bits;
}

static void float_keys(enum dtype t, const void *x, int64_t at, int64_t *keys, int64_t n,
                       int64_t nan_key)
{
    double buffer[BLOCK];
    for (int64_t done = 0; done < n; done += BLOCK) {
        int64_t now = n - done < BLOCK ? n - done : BLOCK;
        block_load_f64(t, x, at + done, buffer, now);
        for (int64_t i = 0; i < now; i++)
            keys[done + i] = float_key(buffer[i], nan_key);
    }
}

void order_keys(enum dtype t, const void *x, int64_t at, int64_t *keys, int64_t n, int64_t nan_key)
{
    if (dtype_is_float(t)) {
        float_keys(t, x, at, keys, n, nan_key);
        return;
    }
    block_load_int(t, x, at, keys, n);
    for (int64_t i = 0; i < n && t == DT_UINT64; i++)
        keys[i] ^= INT64_MIN;
}

/* Two sorted runs of from, [low, middle) and [middle, high), into to. */
static void merge(const int64_t *from, int64_t *to, int64_t low, int64_t middle, int64_t high,
                  order_compare *compare, void *user)
{
    for (int64_t i = low, j = middle, k = low; k < high; k++)
        if (i < middle && (j >= high || compare(user, from[i], from[j]) <= 0))
            to[k] = from[i++];
        else
            to[k] = from[j++];
}

void order_sort(int64_t *items, int64_t *scratch, int64_t n, order_compare *compare, void *user)
{
    int64_t *from = items, *to = scratch;
    for (int64_t width = 1; width < n; width *= 2) {
        for (int64_t low = 0; low < n; low += 2 * width) {
            int64_t middle = low + width < n ? low + width : n,
                    high = middle + width < n ? middle + width : n;
            merge(from, to, low, middle, high, compare, user);
        }
        int64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, (size_t)n * sizeof *items);
}
