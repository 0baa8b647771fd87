/* From an accumulator to a stored integer: the overflow policy, the requantization, the zero point,
 * the clamp. Every integer kernel ends here, so the order of roundings is written once: out =
 * clamp(requant(acc) + zero_point, low, high).
 */
#ifndef KERNELS_INT_INT_OUTPUT_H
#define KERNELS_INT_INT_OUTPUT_H
#include <stdint.h>

#include "kernels/int/requant.h"

enum overflow_policy { OVERFLOW_WRAP, OVERFLOW_SATURATE, OVERFLOW_ERROR, OVERFLOW_POLICIES };

/* What happened to the accumulators of one kernel call. first_* name the first one that left the
 * target's width. */
struct int_overflow {
    int64_t count;
    int64_t first_index, first_value; /* flat output index; valid when count > 0 */
    int32_t first_channel;
};

struct int_output {
    const struct requant *requant; /* one, or one per channel */
    int64_t n_requant;             /* 1 or the number of channels */
    int32_t zero_point, low, high; /* low..high: the fused activation within the type's range */
    int acc_bits;                  /* width of the target's accumulator: 32, 40, 48 or 64 */
    enum overflow_policy policy;
    struct int_overflow *overflow; /* counted here; NULL: not counted */
};

/* The stored value of one accumulator of `channel` at flat output index `index`. */
int32_t int_finish(const struct int_output *o, int64_t channel, int64_t index, int64_t acc);

/* The policy alone. */
int64_t int_policy(const struct int_output *o, int64_t channel, int64_t index, int64_t acc);
#endif
