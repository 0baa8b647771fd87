/* Accumulator to stored integer. */
#include "kernels/int/int_output.h"

#include "kernels/int/fixed.h"

static int64_t wrap(int64_t acc, int bits)
{
    uint64_t sign = UINT64_C(1) << (bits - 1), mask = (sign << 1) - 1;
    uint64_t low = (uint64_t)acc & mask;
    return (int64_t)((low ^ sign) - sign);
}

static void note(struct int_overflow *seen, int64_t channel, int64_t index, int64_t acc)
{
    if (!seen)
        return;
    if (seen->count++ == 0) {
        seen->first_index = index;
        seen->first_value = acc;
        seen->first_channel = (int32_t)channel;
    }
}

int64_t int_policy(const struct int_output *o, int64_t channel, int64_t index, int64_t acc)
{
    if (o->acc_bits >= 64)
        return acc;
    int64_t high = (INT64_C(1) << (o->acc_bits - 1)) - 1, low = -high - 1;
    if (acc >= low && acc <= high)
        return acc;
    note(o->overflow, channel, index, acc);
    return o->policy == OVERFLOW_WRAP ? wrap(acc, o->acc_bits) : fixed_clamp(acc, low, high);
}

int32_t int_finish(const struct int_output *o, int64_t channel, int64_t index, int64_t acc)
{
    acc = int_policy(o, channel, index, acc);
    const struct requant *r = &o->requant[o->n_requant > 1 ? channel : 0];
    int64_t value = fixed_clamp(requant_apply(r, acc), INT64_MIN / 2, INT64_MAX / 2);
    return (int32_t)fixed_clamp(value + o->zero_point, o->low, o->high);
}
