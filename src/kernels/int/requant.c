/* The requantization modes; their formulas stand in the header. */
#include "kernels/int/requant.h"

#include <string.h>

#include "kernels/int/fixed.h"

static uint64_t rest_of(int64_t x, int n) { return (uint64_t)x & ((UINT64_C(1) << n) - 1); }
static uint64_t half_of(int n) { return UINT64_C(1) << (n - 1); }

static int64_t half_even(int64_t x, int n)
{
    int64_t down = fixed_shift_floor(x, n);
    uint64_t rest = rest_of(x, n);
    return down + (rest > half_of(n) || (rest == half_of(n) && (down & 1)));
}

static int64_t half_up(int64_t x, int n)
{
    return fixed_shift_floor(x, n) + (rest_of(x, n) >= half_of(n));
}

static int64_t half_down(int64_t x, int n)
{
    return fixed_shift_floor(x, n) + (rest_of(x, n) > half_of(n));
}

static int64_t half_away(int64_t x, int n) { return x < 0 ? half_down(x, n) : half_up(x, n); }

static int64_t trunc_shift(int64_t x, int n)
{
    return fixed_shift_floor(x, n) + (x < 0 && rest_of(x, n));
}

static int64_t shift_left_sat64(int64_t x, int n)
{
    int64_t limit = INT64_MAX >> n;
    if (x > limit)
        return INT64_MAX;
    if (x < -limit - 1)
        return INT64_MIN;
    return (int64_t)((uint64_t)x << n);
}

int64_t requant_shift(int64_t x, int n, enum rounding rounding)
{
    static int64_t (*const BY[])(int64_t, int) = {half_even, half_up,           half_down,
                                                  half_away, fixed_shift_floor, trunc_shift};
    if (n < 0)
        return shift_left_sat64(x, -n);
    return n == 0 ? x : BY[rounding](x, n);
}

static int64_t tfl_double(const struct requant *r, int64_t acc)
{
    int left = r->shift > 0 ? r->shift : 0, right = r->shift < 0 ? -r->shift : 0;
    int32_t scaled = fixed_saturate32(shift_left_sat64(acc, left));
    return fixed_div_pot(fixed_srdhm32(scaled, r->multiplier), right);
}

/* (acc*m + 2^(t-1)) >> t, t >= 1. |acc| < 2^48 times m < 2^31 needs more than 64 bits. */
static int64_t multiply_shift(int64_t acc, int64_t m, int t)
{
    __int128 product = (__int128)acc * m + ((__int128)1 << (t - 1));
    return (int64_t)(product >> t); /* gcc and clang: arithmetic shift */
}

static int64_t tfl_s64(const struct requant *r, int64_t acc)
{
    int64_t reduced = r->multiplier < 0x7FFF0000 ? (r->multiplier + (1 << 15)) >> 16 : 0x7FFF;
    return multiply_shift(acc, reduced, 15 - r->shift);
}

static int64_t hvx_q15(const struct requant *r, int64_t acc)
{
    int64_t high = multiply_shift(fixed_saturate32(acc), r->multiplier, 15);
    return requant_shift(fixed_saturate32(high), r->shift, ROUNDING_HALF_UP);
}

int64_t requant_apply(const struct requant *r, int64_t acc)
{
    switch (r->mode) {
    case REQUANT_TFL_DOUBLE:
        return tfl_double(r, acc);
    case REQUANT_TFL_SINGLE:
        return fixed_saturate32(multiply_shift(acc, r->multiplier, 31 - r->shift));
    case REQUANT_TFL_S64:
        return tfl_s64(r, acc);
    case REQUANT_RNDNU:
        return fixed_saturate32(multiply_shift(acc, r->multiplier, r->shift));
    case REQUANT_Q31:
        return fixed_div_pot(fixed_srdhm32(fixed_saturate32(acc), r->multiplier), r->shift);
    case REQUANT_HVX_Q15:
        return hvx_q15(r, acc);
    default:
        return requant_shift(acc, r->shift, r->rounding);
    }
}

static const char *const MODES[] = {"tfl_double", "tfl_single", "tfl_s64", "rndnu",
                                    "q31",        "hvx_q15",    "pow2"};
static const char *const ROUNDING_NAMES[] = {"half_even", "half_up", "half_down",
                                             "half_away", "floor",   "trunc"};

static int find(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return i;
    return -1;
}

const char *requant_mode_name(enum requant_mode mode) { return MODES[mode]; }
int requant_mode_find(const char *name) { return find(MODES, REQUANT_MODES, name); }
const char *rounding_name(enum rounding rounding) { return ROUNDING_NAMES[rounding]; }
int rounding_find(const char *name) { return find(ROUNDING_NAMES, ROUNDINGS, name); }
