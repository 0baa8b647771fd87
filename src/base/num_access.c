/* One element of packed raw data, whatever its type. Memory may have any alignment: everything goes
 * through memcpy. Sub-byte types follow ONNX: the first element in the lowest bits, flat over the
 * whole tensor. */
#include "base/num.h"

#include <string.h>

#define LOAD(type, data, index)                                                              \
    __extension__({                                                                          \
        type v_;                                                                             \
        memcpy(&v_, (const unsigned char *)(data) + (size_t)(index) * sizeof v_, sizeof v_); \
        v_;                                                                                  \
    })
#define STORE(type, data, index, value)                                                \
    do {                                                                               \
        type v_ = (value);                                                             \
        memcpy((unsigned char *)(data) + (size_t)(index) * sizeof v_, &v_, sizeof v_); \
    } while (0)

/* The field of `bits` (2 or 4) bits at an index. */
static unsigned field_get(const void *data, int bits, int64_t index)
{
    int per = 8 / bits;
    unsigned byte = ((const unsigned char *)data)[index / per];
    return byte >> (int)(index % per) * bits & ((1u << bits) - 1);
}

static void field_set(void *data, int bits, int64_t index, unsigned value)
{
    int per = 8 / bits, shift = (int)(index % per) * bits;
    unsigned mask = ((1u << bits) - 1) << shift;
    unsigned char *byte = (unsigned char *)data + index / per;
    *byte = (unsigned char)((*byte & ~mask) | (value << shift & mask));
}

static int64_t signed_field(unsigned field, int bits)
{
    return (int64_t)(field ^ 1u << (bits - 1)) - ((int64_t)1 << (bits - 1));
}

/* Floats only. */
static double float_get(const void *data, enum dtype t, int64_t index)
{
    switch (t) {
    case DT_FLOAT:
        return (double)LOAD(float, data, index);
    case DT_DOUBLE:
        return LOAD(double, data, index);
    case DT_FLOAT16:
        return (double)num_from_f16(LOAD(uint16_t, data, index));
    case DT_BFLOAT16:
        return (double)num_from_bf16(LOAD(uint16_t, data, index));
    case DT_FLOAT4E2M1:
        return (double)num_from_f4((uint8_t)field_get(data, 4, index));
    default:
        return (double)num_from_f8(t, LOAD(uint8_t, data, index));
    }
}

double num_get(const void *data, enum dtype t, int64_t index)
{
    if (dtype_is_float(t))
        return float_get(data, t, index);
    if (t == DT_UINT64)
        return (double)LOAD(uint64_t, data, index);
    return (double)num_get_int(data, t, index);
}

int64_t num_get_int(const void *data, enum dtype t, int64_t index)
{
    switch (t) {
    case DT_BOOL:
        return LOAD(uint8_t, data, index) != 0;
    case DT_UINT8:
        return LOAD(uint8_t, data, index);
    case DT_INT8:
        return LOAD(int8_t, data, index);
    case DT_UINT16:
        return LOAD(uint16_t, data, index);
    case DT_INT16:
        return LOAD(int16_t, data, index);
    case DT_UINT32:
        return LOAD(uint32_t, data, index);
    case DT_INT32:
        return LOAD(int32_t, data, index);
    case DT_UINT64: /* its two's complement bits */
    case DT_INT64:
        return LOAD(int64_t, data, index);
    case DT_UINT4:
        return (int64_t)field_get(data, 4, index);
    case DT_INT4:
        return signed_field(field_get(data, 4, index), 4);
    case DT_UINT2:
        return (int64_t)field_get(data, 2, index);
    case DT_INT2:
        return signed_field(field_get(data, 2, index), 2);
    default:
        return num_trunc(float_get(data, t, index));
    }
}

/* Floats only. */
static void float_set(void *data, enum dtype t, int64_t index, double value)
{
    switch (t) {
    case DT_FLOAT:
        STORE(float, data, index, (float)value);
        return;
    case DT_DOUBLE:
        STORE(double, data, index, value);
        return;
    case DT_FLOAT16:
        STORE(uint16_t, data, index, num_double_to_f16(value));
        return;
    case DT_BFLOAT16:
        STORE(uint16_t, data, index, num_double_to_bf16(value));
        return;
    case DT_FLOAT4E2M1:
        field_set(data, 4, index, num_double_to_f4(value));
        return;
    default:
        STORE(uint8_t, data, index, num_double_to_f8(t, value, true));
        return;
    }
}

/* Integers and bool: keeps the low bits. */
static void int_set(void *data, enum dtype t, int64_t index, uint64_t value)
{
    switch (dtype_bits(t)) {
    case 2:
        field_set(data, 2, index, (unsigned)(value & 3));
        return;
    case 4:
        field_set(data, 4, index, (unsigned)(value & 15));
        return;
    case 8:
        STORE(uint8_t, data, index, (uint8_t)value);
        return;
    case 16:
        STORE(uint16_t, data, index, (uint16_t)value);
        return;
    case 32:
        STORE(uint32_t, data, index, (uint32_t)value);
        return;
    default:
        STORE(uint64_t, data, index, value);
        return;
    }
}

/* Half even, saturating, for the one integer type wider than int64 upward. */
static uint64_t round_u64(double value)
{
    if (!(value > 0))
        return 0;
    if (value >= 0x1p64)
        return UINT64_MAX;
    return value >= 0x1p63 ? (uint64_t)value
                           : (uint64_t)num_round_even(value); /* no fraction from 2^53 up */
}

void num_set(void *data, enum dtype t, int64_t index, double value)
{
    if (dtype_is_float(t))
        float_set(data, t, index, value);
    else if (t == DT_BOOL)
        int_set(data, t, index, value != 0); /* exact: anything but a zero is true */
    else if (t == DT_UINT64)
        int_set(data, t, index, round_u64(value));
    else
        int_set(data, t, index,
                (uint64_t)num_clamp(num_round_even(value), dtype_min(t), dtype_max(t)));
}

/* An integer as a double rounded to odd, from which one more rounding to any narrower format is the
 * right one (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008). */
static double to_odd(int64_t value)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (size >> 53) {
        uint64_t lost = size & 2047;
        size = (size & ~(uint64_t)2047) | (uint64_t)(lost != 0) << 11;
    }
    return value < 0 ? -(double)size : (double)size;
}

void num_set_int(void *data, enum dtype t, int64_t index, int64_t value)
{
    if (t == DT_DOUBLE)
        STORE(double, data, index, (double)value);
    else if (dtype_is_float(t))
        float_set(data, t, index, to_odd(value));
    else if (t == DT_BOOL)
        int_set(data, t, index, value != 0);
    else
        int_set(data, t, index, (uint64_t)value);
}
