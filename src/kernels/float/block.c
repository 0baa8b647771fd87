/* See block.h. One plain loop per common type; the others go element by element through num_get and
 * num_set. */
#include "kernels/float/block.h"

#include <string.h>

#include "kernels/float/half.h"

bool block_half(enum dtype t) { return t == DT_FLOAT16 || t == DT_BFLOAT16; }

void block_load_f32(enum dtype t, const void *x, int64_t at, int64_t step, float *out, int64_t n)
{
    const uint16_t *half = (const uint16_t *)x + at;
    int64_t distinct = step ? n : n > 0;
    if (t == DT_FLOAT16)
        half_from_f16(half, out, distinct);
    else if (t == DT_BFLOAT16)
        half_from_bf16(half, out, distinct);
    else
        memcpy(out, (const float *)x + at, (size_t)distinct * sizeof(float));
    for (int64_t i = distinct; i < n; i++)
        out[i] = out[0];
}

void block_store_f32(enum dtype t, void *y, int64_t at, const float *in, int64_t n)
{
    uint16_t *half = (uint16_t *)y + at;
    if (t == DT_FLOAT16)
        half_to_f16(in, half, n);
    else if (t == DT_BFLOAT16)
        half_to_bf16(in, half, n);
    else
        memcpy((float *)y + at, in, (size_t)n * sizeof(float));
}

static void load_halves(enum dtype t, const void *x, int64_t at, double *out, int64_t n)
{
    float buffer[BLOCK];
    for (int64_t done = 0; done < n; done += BLOCK) {
        int64_t now = n - done < BLOCK ? n - done : BLOCK;
        block_load_f32(t, x, at + done, 1, buffer, now);
        for (int64_t i = 0; i < now; i++)
            out[done + i] = (double)buffer[i];
    }
}

#define LOAD_AS(type, to)                         \
    do {                                          \
        const type *from_ = (const type *)x + at; \
        for (int64_t i = 0; i < n; i++)           \
            out[i] = (to)from_[i];                \
        return;                                   \
    } while (0)

void block_load_f64(enum dtype t, const void *x, int64_t at, double *out, int64_t n)
{
    switch ((int)t) {
    case DT_FLOAT16:
    case DT_BFLOAT16:
        load_halves(t, x, at, out, n);
        return;
    case DT_FLOAT:
        LOAD_AS(float, double);
    case DT_DOUBLE:
        LOAD_AS(double, double);
    case DT_INT8:
        LOAD_AS(int8_t, double);
    case DT_UINT8:
        LOAD_AS(uint8_t, double);
    case DT_INT32:
        LOAD_AS(int32_t, double);
    case DT_INT64:
        LOAD_AS(int64_t, double);
    default:
        for (int64_t i = 0; i < n; i++)
            out[i] = num_get(x, t, at + i);
    }
}

void block_load_int(enum dtype t, const void *x, int64_t at, int64_t *out, int64_t n)
{
    switch ((int)t) {
    case DT_INT8:
        LOAD_AS(int8_t, int64_t);
    case DT_UINT8:
        LOAD_AS(uint8_t, int64_t);
    case DT_INT16:
        LOAD_AS(int16_t, int64_t);
    case DT_UINT16:
        LOAD_AS(uint16_t, int64_t);
    case DT_INT32:
        LOAD_AS(int32_t, int64_t);
    case DT_UINT32:
        LOAD_AS(uint32_t, int64_t);
    case DT_INT64:
        LOAD_AS(int64_t, int64_t);
    default:
        for (int64_t i = 0; i < n; i++)
            out[i] = num_get_int(x, t, at + i);
    }
}

/* Integers that int64 cannot hold all of. */
static uint64_t truncate_u64(double v)
{
    if (!(v > 0))
        return 0;
    return v >= 0x1p64 ? UINT64_MAX : (uint64_t)v;
}

/* Toward zero within low..high, which double holds exactly; a NaN gives 0. */
#define STORE_CLAMPED(type, low, high)            \
    do {                                          \
        type *to_ = (type *)y + at;               \
        for (int64_t i = 0; i < n; i++) {         \
            double v_ = in[i] != in[i]   ? 0      \
                        : in[i] < (low)  ? (low)  \
                        : in[i] > (high) ? (high) \
                                         : in[i]; \
            to_[i] = (type)v_;                    \
        }                                         \
        return;                                   \
    } while (0)

static void store_truncated(enum dtype t, void *y, int64_t at, const double *in, int64_t n)
{
    switch ((int)t) {
    case DT_INT8:
        STORE_CLAMPED(int8_t, -128.0, 127.0);
    case DT_UINT8:
        STORE_CLAMPED(uint8_t, 0.0, 255.0);
    case DT_INT32:
        STORE_CLAMPED(int32_t, -2147483648.0, 2147483647.0);
    default:
        break;
    }
    bool packed = dtype_bits(t) < 8; /* the low bits: num_set_int cuts */
    int64_t low = packed ? INT64_MIN : dtype_min(t), high = packed ? INT64_MAX : dtype_max(t);
    for (int64_t i = 0; i < n; i++)
        num_set_int(y, t, at + i,
                    t == DT_UINT64 ? (int64_t)truncate_u64(in[i])
                                   : num_clamp(num_trunc(in[i]), low, high));
}

static void store_i64(int64_t *y, const double *in, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double v = in[i] != in[i] ? 0 : in[i];
        y[i] = v >= 0x1p63 ? INT64_MAX : v < -0x1p63 ? INT64_MIN : (int64_t)v;
    }
}

void block_store_f64(enum dtype t, void *y, int64_t at, const double *in, int64_t n)
{
    if (t == DT_FLOAT)
        for (int64_t i = 0; i < n; i++)
            ((float *)y)[at + i] = (float)in[i];
    else if (t == DT_DOUBLE)
        memcpy((double *)y + at, in, (size_t)n * sizeof(double));
    else if (t == DT_INT64)
        store_i64((int64_t *)y + at, in, n);
    else if (dtype_is_int(t))
        store_truncated(t, y, at, in, n);
    else
        for (int64_t i = 0; i < n; i++)
            num_set(y, t, at + i, in[i]);
}

#define STORE_AS(type)                  \
    do {                                \
        type *to_ = (type *)y + at;     \
        for (int64_t i = 0; i < n; i++) \
            to_[i] = (type)in[i];       \
        return;                         \
    } while (0)

/* uint64 above the int64 range to a float type: halved with the lost bit kept, so that one rounding
 * remains. */
static void store_u64(enum dtype t, void *y, int64_t at, uint64_t v)
{
    if (t == DT_FLOAT)
        ((float *)y)[at] = (float)v;
    else if (t == DT_DOUBLE)
        ((double *)y)[at] = (double)v;
    else
        num_set(
            y, t, at,
            (double)((v >> 11 | ((v & 0x7FF) != 0)) << 11)); /* rounded to odd: exact in double */
}

void block_store_int(enum dtype t, void *y, int64_t at, const int64_t *in, int64_t n, bool from_u64)
{
    if (from_u64 && dtype_is_float(t)) {
        for (int64_t i = 0; i < n; i++)
            if (in[i] < 0)
                store_u64(t, y, at + i, (uint64_t)in[i]);
            else
                num_set_int(y, t, at + i, in[i]);
        return;
    }
    switch ((int)t) {
    case DT_FLOAT:
        STORE_AS(float);
    case DT_DOUBLE:
        STORE_AS(double);
    case DT_INT8:
        STORE_AS(int8_t);
    case DT_UINT8:
        STORE_AS(uint8_t);
    case DT_INT32:
        STORE_AS(int32_t);
    case DT_INT64:
        STORE_AS(int64_t);
    default:
        for (int64_t i = 0; i < n; i++)
            num_set_int(y, t, at + i, in[i]);
    }
}
