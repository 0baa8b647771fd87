/* See cumulate.h. Tiles of up to 64 neighbouring lines. */
#include "kernels/float/cumulate.h"

#include "kernels/float/block.h"

enum { LANES = 64 };

static void float_lanes(const struct scan_args *a, const void *x, void *y, int64_t start, int64_t n)
{
    double sum[LANES], v[LANES], out[LANES];
    for (int64_t k = 0; k < n; k++)
        sum[k] = a->product;
    for (int64_t i = 0; i < a->axis; i++) {
        int64_t at = start + (a->reverse ? a->axis - 1 - i : i) * a->inner;
        block_load_f64(a->dtype, x, at, v, n);
        for (int64_t k = 0; k < n; k++) {
            double next = a->product ? sum[k] * v[k] : sum[k] + v[k];
            out[k] = a->exclusive ? sum[k] : next;
            sum[k] = next;
        }
        block_store_f64(a->dtype, y, at, out, n);
    }
}

static void int_lanes(const struct scan_args *a, const void *x, void *y, int64_t start, int64_t n)
{
    uint64_t sum[LANES];
    int64_t v[LANES];
    for (int64_t k = 0; k < n; k++)
        sum[k] = a->product;
    for (int64_t i = 0; i < a->axis; i++) {
        int64_t at = start + (a->reverse ? a->axis - 1 - i : i) * a->inner;
        block_load_int(a->dtype, x, at, v, n);
        for (int64_t k = 0; k < n; k++) {
            uint64_t next = a->product ? sum[k] * (uint64_t)v[k] : sum[k] + (uint64_t)v[k];
            v[k] = (int64_t)(a->exclusive ? sum[k] : next);
            sum[k] = next;
        }
        block_store_int(a->dtype, y, at, v, n, false);
    }
}

int kernel_scan(const struct scan_args *a, const void *x, void *y)
{
    bool floats = dtype_is_float(a->dtype);
    if (!floats && (!dtype_is_int(a->dtype) || dtype_bits(a->dtype) < 8))
        return KERNEL_TYPE;
    for (int64_t o = 0; o < a->outer; o++)
        for (int64_t k = 0; k < a->inner; k += LANES) {
            int64_t n = a->inner - k < LANES ? a->inner - k : LANES,
                    start = o * a->axis * a->inner + k;
            if (floats)
                float_lanes(a, x, y, start, n);
            else
                int_lanes(a, x, y, start, n);
        }
    return KERNEL_OK;
}
