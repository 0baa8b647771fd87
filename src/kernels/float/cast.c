/* See cast.h. Blocks go through double when the source is a float type (exact) and through int64
 * otherwise (exact), so there is one rounding and no table of pairs. */
#include "kernels/float/cast.h"

#include <string.h>

#include "kernels/float/block.h"

static bool supported(enum dtype t) { return dtype_is_float(t) || dtype_is_int(t) || t == DT_BOOL; }

/* What block_store_f64 does not decide: overflow of the float8 types and the rounding of E8M0. */
static bool special_target(const struct cast_args *a)
{
    return a->to >= DT_FLOAT8E4M3FN && (a->to <= DT_FLOAT8E5M2FNUZ || a->to == DT_FLOAT8E8M0);
}

static void store_f8(const struct cast_args *a, uint8_t *y, const double *in, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = a->to == DT_FLOAT8E8M0 ? num_double_to_e8m0(in[i], a->e8m0, a->saturate)
                                      : num_double_to_f8(a->to, in[i], a->saturate);
}

/* float to and from the halves: no detour through double. */
static bool between_halves(const struct cast_args *a)
{
    return (a->from == DT_FLOAT && block_half(a->to)) ||
           (block_half(a->from) && a->to == DT_FLOAT) || (block_half(a->from) && block_half(a->to));
}

static void from_half(const struct cast_args *a, const void *x, void *y, int64_t at, int64_t n)
{
    float buffer[BLOCK];
    block_load_f32(a->from, x, at, 1, buffer, n);
    block_store_f32(a->to, y, at, buffer, n);
}

static void from_float(const struct cast_args *a, const void *x, void *y, int64_t at, int64_t n)
{
    double buffer[BLOCK];
    block_load_f64(a->from, x, at, buffer, n);
    if (special_target(a))
        store_f8(a, (uint8_t *)y + at, buffer, n);
    else
        block_store_f64(a->to, y, at, buffer, n);
}

static void from_int(const struct cast_args *a, const void *x, void *y, int64_t at, int64_t n)
{
    int64_t buffer[BLOCK];
    if (special_target(a)) {
        /* Past 2^53 this rounds to double first: float8 overflows there anyway, and E8M0 can tell
         * only within 2^-53 of a power. */
        from_float(a, x, y, at, n);
        return;
    }
    block_load_int(a->from, x, at, buffer, n);
    block_store_int(a->to, y, at, buffer, n, a->from == DT_UINT64);
}

static void same_bytes(const struct cast_args *a, const void *x, void *y, int64_t begin,
                       int64_t end)
{
    size_t first, last;
    if (x == y || !dtype_bytes(a->to, begin, &first) || !dtype_bytes(a->to, end, &last))
        return;
    memcpy((char *)y + first, (const char *)x + first, last - first);
}

int kernel_cast(const struct cast_args *a, const void *x, void *y, int64_t begin, int64_t end)
{
    if (!supported(a->from) || !supported(a->to))
        return KERNEL_TYPE;
    if (a->from == a->to && begin < end)
        same_bytes(a, x, y, begin, end);
    for (int64_t at = begin; at < end && a->from != a->to; at += BLOCK) {
        int64_t n = end - at < BLOCK ? end - at : BLOCK;
        if (between_halves(a))
            from_half(a, x, y, at, n);
        else if (dtype_is_float(a->from))
            from_float(a, x, y, at, n);
        else
            from_int(a, x, y, at, n);
    }
    return KERNEL_OK;
}
