/* See half.h. */
#include "kernels/float/half.h"

#include <string.h>

KERNEL_INLINE uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

KERNEL_INLINE float float_of(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* The exponent and mantissa in float's place are the value times 2^-112, subnormal ones included,
 * so one exact product puts the bias right; infinities and NaNs need the exponent's other bits too.
 */
KERNEL_INLINE float from_f16(uint16_t h)
{
    uint32_t size = (uint32_t)(h & 0x7FFF) << 13;
    uint32_t bits = bits_of(float_of(size) * 0x1p112f);
    bits = size >= 0x0F800000 ? size | 0x7F800000 : bits;
    return float_of(bits | (uint32_t)(h & 0x8000) << 16);
}

/* Below 2^-14 the sum with 1/2, whose last place is 2^-24, rounds as float16's subnormals do;
 * above, the 13 bits that go are rounded on the bits, where a carry may run into the exponent up to
 * infinity. */
KERNEL_INLINE uint16_t to_f16(float f)
{
    uint32_t bits = bits_of(f), size = bits & 0x7FFFFFFF;
    uint32_t small = bits_of(float_of(size) + 0.5f) - 0x3F000000;
    uint32_t large = (size + 0xFFF + (size >> 13 & 1) - (112u << 23)) >> 13;
    uint32_t code = size < 0x38800000 ? small : large;
    code = size >= 0x477FF000 ? 0x7C00 : code; /* from 65520 up */
    code = size > 0x7F800000 ? 0x7E00 : code;
    return (uint16_t)(code | (bits >> 16 & 0x8000));
}

KERNEL_INLINE uint16_t to_bf16(float f)
{
    uint32_t bits = bits_of(f), code = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    code = (bits & 0x7FFFFFFF) > 0x7F800000 ? (bits >> 16 & 0x8000) | 0x7FC0 : code;
    return (uint16_t)code;
}

#define EACH(name, in, out, expression)                                       \
    KERNEL_CLONES void name(const in *x, out *y, int64_t n)                   \
    {                                                                         \
        KERNEL_INDEPENDENT for (int64_t i = 0; i < n; i++) y[i] = expression; \
    }

EACH(half_from_f16, uint16_t, float, from_f16(x[i]))
EACH(half_to_f16, float, uint16_t, to_f16(x[i]))
EACH(half_from_bf16, uint16_t, float, float_of((uint32_t)x[i] << 16))
EACH(half_to_bf16, float, uint16_t, to_bf16(x[i]))
