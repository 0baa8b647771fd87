/* See pack.h. */
#include "kernels/float/pack.h"

#include <string.h>

bool pack_needed(enum dtype t) { return dtype_bits(t) > 0 && dtype_bits(t) < 8; }

void pack_spread(enum dtype t, const void *packed, uint8_t *bytes, int64_t count)
{
    const int bits = dtype_bits(t), per = 8 / bits;
    const uint8_t *in = packed, mask = (uint8_t)((1 << bits) - 1);
    for (int64_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(in[i / per] >> (int)(i % per) * bits & mask);
}

void pack_gather(enum dtype t, const uint8_t *bytes, void *packed, int64_t count)
{
    const int bits = dtype_bits(t), per = 8 / bits;
    uint8_t *out = packed, mask = (uint8_t)((1 << bits) - 1);
    memset(out, 0, (size_t)((count + per - 1) / per));
    for (int64_t i = 0; i < count; i++)
        out[i / per] = (uint8_t)(out[i / per] | (bytes[i] & mask) << (int)(i % per) * bits);
}
