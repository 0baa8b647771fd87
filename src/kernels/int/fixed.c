/* Transcendental pieces in fixed point, after gemmlowp's published definitions (constants are
 * round(value * 2^31)). */
#include "kernels/int/fixed.h"

enum {
    ONE_THIRD = 715827883,        /* 1/3, Q0.31 */
    EXP_MINUS_EIGHTH = 1895147668 /* exp(-1/8), Q0.31 */
};

static int32_t mul(int32_t a, int32_t b) { return fixed_srdhm32(a, b); }

/* exp(x) for x in [-1/4, 0), Q0.31 in and out: Taylor at -1/8. */
static int32_t exp_quarter(int32_t a)
{
    int32_t x = a + (INT32_C(1) << 28);
    int32_t x2 = mul(x, x), x3 = mul(x2, x), x4 = mul(x2, x2);
    int32_t fourth = (int32_t)fixed_div_pot(x4, 2);
    int32_t tail = (int32_t)fixed_div_pot(mul(fourth + x3, ONE_THIRD) + x2, 1);
    return EXP_MINUS_EIGHTH + mul(EXP_MINUS_EIGHTH, x + tail);
}

int32_t fixed_exp_negative(int32_t a, int integer_bits)
{
    /* exp(-2^e) for e = -2 .. 4 */
    static const int32_t FACTOR[] = {1672461947, 1302514674, 790015084, 290630308,
                                     39332535,   720401,     242};
    if (a == 0)
        return INT32_MAX;
    int fraction = 31 - integer_bits;
    int64_t quarter = INT64_C(1) << (fraction - 2);
    int64_t in_quarter = ((int64_t)a & (quarter - 1)) - quarter;
    int32_t result = exp_quarter(fixed_shift_left_sat((int32_t)in_quarter, integer_bits));
    int64_t rest = in_quarter - a;
    for (int e = -2; e < integer_bits && e <= 4; e++)
        if (rest >> (fraction + e) & 1)
            result = mul(result, FACTOR[e + 2]);
    if (integer_bits > 5 && a < -(INT64_C(1) << (36 - integer_bits)))
        return 0;
    return result;
}

/* Half of 1 + v, rounded away from zero. */
static int32_t half_one_plus(int32_t v)
{
    int64_t sum = (int64_t)v + INT32_MAX;
    return (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
}

/* 1 / d in Q2.29 for d in [1/2, 1), Q0.31. */
static int32_t reciprocal(int32_t d)
{
    const int32_t c48_17 = 1515870810, minus_32_17 = -1010580540; /* Q2.29 */
    int32_t x = c48_17 + mul(d, minus_32_17);
    for (int i = 0; i < 3; i++) {
        int32_t error = (INT32_C(1) << 29) - mul(d, x);
        x += fixed_shift_left_sat(mul(x, error), 2);
    }
    return x;
}

int32_t fixed_one_over_one_plus(int32_t v)
{
    return fixed_shift_left_sat(reciprocal(half_one_plus(v)), 1);
}

int32_t fixed_one_minus_over_one_plus(int32_t v)
{
    return fixed_shift_left_sat(reciprocal(half_one_plus(v)) - (INT32_C(1) << 29), 2);
}

/* Five Newton steps x = 1.5 x - 0.5 v x^3 in Q3.28 from x = 1, for v in [2^27, 2^29) read as Q3.28.
 */
static int32_t newton_inv_sqrt(int32_t v)
{
    int32_t half = (int32_t)fixed_div_pot(v, 1);
    int32_t one_and_half = INT32_C(3) << 27, x = INT32_C(1) << 28;
    for (int i = 0; i < 5; i++) {
        int32_t cube = fixed_shift_left_sat(mul(mul(x, x), x), 6);
        int32_t up = fixed_shift_left_sat(mul(one_and_half, x), 3);
        x = fixed_saturate32((int64_t)up - fixed_shift_left_sat(mul(half, cube), 3));
    }
    return mul(x, 1518500250); /* sqrt(1/2), Q0.31 */
}

void fixed_inv_sqrt(int32_t v, int32_t *multiplier, int *shift)
{
    *multiplier = INT32_MAX;
    *shift = 0;
    if (v <= 1)
        return;
    int down = 11;
    while (v >= (INT32_C(1) << 29)) {
        v /= 4;
        down++;
    }
    int pairs = (fixed_clz32((uint32_t)v) - 1) / 2 - 1;
    down -= pairs;
    *multiplier = newton_inv_sqrt((int32_t)((uint32_t)v << (2 * pairs)));
    if (down < 0) {
        *multiplier = (int32_t)((uint32_t)*multiplier << -down);
        down = 0;
    }
    *shift = -down;
}

uint64_t fixed_isqrt64(uint64_t v)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 62; bit; bit >>= 2) {
        if (v >= root + bit) {
            v -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}
