/* Requantization and the fixed-point primitives against 128-bit arithmetic written separately:
 * every expected value is computed as an exact fraction and rounded by comparing twice the
 * remainder, no shifts. REQUANT_CASES sets the number of random triples per mode (default 200000;
 * the full run uses 100000000). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/int/fixed.h"
#include "kernels/int/requant.h"

typedef __int128 wide;

static uint64_t seed = 0x9E3779B97F4A7C15u;

static uint64_t next(void) /* splitmix64 */
{
    uint64_t z = seed += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static long cases(void)
{
    const char *text = getenv("REQUANT_CASES");
    return text ? strtol(text, NULL, 10) : 200000;
}

static wide floor_div(wide a, wide b)
{
    wide q = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

/* a / b, b > 0, rounded as named. */
static wide divide(wide a, wide b, enum rounding rounding)
{
    wide down = floor_div(a, b), twice = 2 * (a - down * b);
    switch (rounding) {
    case ROUNDING_FLOOR:
        return down;
    case ROUNDING_TRUNC:
        return a / b;
    case ROUNDING_HALF_UP:
        return down + (twice >= b);
    case ROUNDING_HALF_DOWN:
        return down + (twice > b);
    case ROUNDING_HALF_AWAY:
        return down + (a < 0 ? twice > b : twice >= b);
    default:
        return down + (twice > b || (twice == b && down % 2 != 0));
    }
}

static wide power(int n) { return (wide)1 << n; }

static wide clamp(wide x, wide low, wide high) { return x < low ? low : x > high ? high : x; }
static wide sat32(wide x) { return clamp(x, INT32_MIN, INT32_MAX); }

static wide srdhm(wide a, wide b)
{
    if (a == INT32_MIN && b == INT32_MIN)
        return INT32_MAX;
    return divide(a * b, power(31), ROUNDING_HALF_UP);
}

static wide expected(const struct requant *r, int64_t acc)
{
    wide a = acc, m = r->multiplier;
    int s = r->shift;
    switch (r->mode) {
    case REQUANT_TFL_DOUBLE:
        a = sat32(s > 0 ? a * power(s) : a);
        return divide(srdhm(a, m), power(s < 0 ? -s : 0), ROUNDING_HALF_AWAY);
    case REQUANT_TFL_SINGLE:
        return sat32(divide(a * m, power(31 - s), ROUNDING_HALF_UP));
    case REQUANT_TFL_S64:
        m = m < 0x7FFF0000 ? (m + 32768) / 65536 : 32767;
        return divide(a * m, power(15 - s), ROUNDING_HALF_UP);
    case REQUANT_RNDNU:
        return sat32(divide(a * m, power(s), ROUNDING_HALF_UP));
    case REQUANT_Q31:
        return divide(srdhm(sat32(a), m), power(s), ROUNDING_HALF_AWAY);
    case REQUANT_HVX_Q15:
        a = sat32(divide(sat32(a) * m, power(15), ROUNDING_HALF_UP));
        return divide(a, power(s), ROUNDING_HALF_UP);
    default:
        return s >= 0 ? divide(a, power(s), r->rounding)
                      : clamp(a * power(-s), INT64_MIN, INT64_MAX);
    }
}

/* Shift and multiplier within what each mode's builder can produce. */
static struct requant random_requant(enum requant_mode mode)
{
    struct requant r = {.mode = mode, .rounding = (enum rounding)(next() % ROUNDINGS)};
    r.multiplier = (int32_t)(INT64_C(1) << 30 | (int64_t)(next() >> 34));
    switch (mode) {
    case REQUANT_TFL_DOUBLE:
        r.shift = (int)(next() % 39) - 31;
        break;
    case REQUANT_TFL_SINGLE:
        r.shift = (int)(next() % 62) - 31;
        break;
    case REQUANT_TFL_S64:
        r.shift = (int)(next() % 39) - 31;
        break;
    case REQUANT_RNDNU:
        r.multiplier = (int32_t)(0x800000 | (next() & 0x7FFFFF));
        r.shift = 16 + (int)(next() % 40);
        break;
    case REQUANT_HVX_Q15:
        r.multiplier = (int32_t)(0x4000 | (next() & 0x3FFF));
        r.shift = (int)(next() % 31);
        break;
    case REQUANT_POW2:
        r.shift = (int)(next() % 48) - 16;
        break;
    default:
        r.shift = (int)(next() % 31);
    }
    return r;
}

static int64_t random_acc(enum requant_mode mode)
{
    int bits = mode == REQUANT_TFL_S64 ? 47 : mode == REQUANT_POW2 ? 62 : 32;
    int keep = 1 + (int)(next() % (uint64_t)bits);
    int64_t x = (int64_t)(next() >> (64 - keep));
    return next() & 1 ? x : -x;
}

static void check_one(const struct requant *r, int64_t acc)
{
    int64_t got = requant_apply(r, acc);
    if ((wide)got != expected(r, acc))
        fail_msg("%s %s acc %lld m %d shift %d: got %lld, expected %lld",
                 requant_mode_name(r->mode), rounding_name(r->rounding), (long long)acc,
                 r->multiplier, r->shift, (long long)got, (long long)expected(r, acc));
}

static void every_mode_equals_exact_arithmetic(void **state)
{
    (void)state;
    for (int mode = 0; mode < REQUANT_MODES; mode++)
        for (long i = 0, n = cases(); i < n; i++) {
            struct requant r = random_requant((enum requant_mode)mode);
            check_one(&r, random_acc(r.mode));
        }
}

/* acc = k * 2^t + half makes a tie for multipliers that are powers of two. */
static void ties_and_extremes_are_enumerated(void **state)
{
    (void)state;
    const int64_t edges[] = {
        0, 1, -1, 2, -2, 3, -3, INT32_MAX, INT32_MIN, INT32_MAX - 1, INT32_MIN + 1};
    for (int mode = 0; mode < REQUANT_MODES; mode++)
        for (int rounding = 0; rounding < ROUNDINGS; rounding++)
            for (int s = 0; s < 16; s++) {
                struct requant r = {(enum requant_mode)mode, (enum rounding)rounding, 1 << 30, -s};
                if (mode == REQUANT_RNDNU)
                    r = (struct requant){REQUANT_RNDNU, 0, 1 << 23, 23 + s};
                if (mode == REQUANT_HVX_Q15)
                    r = (struct requant){REQUANT_HVX_Q15, 0, 1 << 14, s};
                if (mode == REQUANT_POW2 || mode == REQUANT_Q31)
                    r.shift = s;
                for (int k = -40; k <= 40; k++)
                    check_one(&r, (INT64_C(1) << s) * k + (s ? INT64_C(1) << (s - 1) : 0));
                for (size_t e = 0; e < sizeof edges / sizeof edges[0]; e++)
                    check_one(&r, edges[e]);
            }
}

static void shifts_round_as_named_on_small_numbers(void **state)
{
    (void)state;
    /* 5/2, -5/2, 7/2, -7/2: even, up, down, away, floor, trunc */
    const int want[4][ROUNDINGS] = {
        {2, 3, 2, 3, 2, 2}, {-2, -2, -3, -3, -3, -2}, {4, 4, 3, 4, 3, 3}, {-4, -3, -4, -4, -4, -3}};
    const int x[] = {5, -5, 7, -7};
    for (int i = 0; i < 4; i++)
        for (int r = 0; r < ROUNDINGS; r++)
            assert_int_equal(requant_shift(x[i], 1, (enum rounding)r), want[i][r]);
    assert_int_equal(requant_shift(3, -62, ROUNDING_FLOOR), INT64_MAX);
    assert_int_equal(requant_shift(-3, -62, ROUNDING_FLOOR), INT64_MIN);
}

static void high_multiplication_saturates_one_case_only(void **state)
{
    (void)state;
    assert_int_equal(fixed_srdhm32(INT32_MIN, INT32_MIN), INT32_MAX);
    assert_int_equal(fixed_srdhm32(INT32_MIN, INT32_MAX), -INT32_MAX);
    assert_int_equal(fixed_srdhm16(INT16_MIN, INT16_MIN), INT16_MAX);
    for (int a = INT16_MIN; a <= INT16_MAX; a += 37)
        for (int b = INT16_MIN; b <= INT16_MAX; b += 41)
            assert_int_equal(fixed_srdhm16((int16_t)a, (int16_t)b),
                             clamp(divide((wide)a * b, 32768, ROUNDING_HALF_UP), -32768, 32767));
}

static void square_root_is_exact(void **state)
{
    (void)state;
    for (long i = 0; i < 100000; i++) {
        uint64_t v = next() >> (next() % 63), root = fixed_isqrt64(v);
        assert_true((unsigned __int128)root * root <= v);
        assert_true((unsigned __int128)(root + 1) * (root + 1) > v);
    }
    assert_int_equal(fixed_isqrt64(UINT64_MAX), UINT32_MAX);
    assert_int_equal(fixed_isqrt64(0), 0);
}

static void names_are_found_again(void **state)
{
    (void)state;
    for (int m = 0; m < REQUANT_MODES; m++)
        assert_int_equal(requant_mode_find(requant_mode_name((enum requant_mode)m)), m);
    for (int r = 0; r < ROUNDINGS; r++)
        assert_int_equal(rounding_find(rounding_name((enum rounding)r)), r);
    assert_int_equal(requant_mode_find("nearest"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mode_equals_exact_arithmetic),
        cmocka_unit_test(ties_and_extremes_are_enumerated),
        cmocka_unit_test(shifts_round_as_named_on_small_numbers),
        cmocka_unit_test(high_multiplication_saturates_one_case_only),
        cmocka_unit_test(square_root_is_exact),
        cmocka_unit_test(names_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
