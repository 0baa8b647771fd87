/* Number formats against slow formulas that share nothing with the code under test: tables of
 * values from ldexp, and nearest-with-even found by looking at neighbours. libm serves as the
 * oracle of the integer roundings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/num.h"

static uint64_t random_state = 0x9E3779B97F4A7C15u;
static uint64_t random_bits(void) /* xorshift64*, Vigna 2016 */
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

static float random_float(void)
{
    uint32_t u = (uint32_t)random_bits();
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static double random_double(void)
{
    uint64_t u = random_bits();
    double d;
    memcpy(&d, &u, sizeof d);
    return d;
}

/* ---- a small float described by its definition ---- */

struct kind {
    const char *name;
    enum dtype t;
    int exp_bits, man_bits, bias;
    int top; /* how many codes of the positive half are finite */
    bool fnuz;
};

static const struct kind KINDS[] = {
    {"f16", DT_FLOAT16, 5, 10, 15, 0x7C00, false},
    {"bf16", DT_BFLOAT16, 8, 7, 127, 0x7F80, false},
    {"e4m3fn", DT_FLOAT8E4M3FN, 4, 3, 7, 0x7F, false},
    {"e4m3fnuz", DT_FLOAT8E4M3FNUZ, 4, 3, 8, 0x80, true},
    {"e5m2", DT_FLOAT8E5M2, 5, 2, 15, 0x7C, false},
    {"e5m2fnuz", DT_FLOAT8E5M2FNUZ, 5, 2, 16, 0x80, true},
    {"e2m1", DT_FLOAT4E2M1, 2, 1, 1, 8, false},
};
enum { N_KINDS = sizeof KINDS / sizeof KINDS[0] };

static double value_of(const struct kind *k, int code)
{
    int field = code >> k->man_bits, man = code % (1 << k->man_bits);
    double fraction = man / (double)(1 << k->man_bits);
    return field ? ldexp(1 + fraction, field - k->bias) : ldexp(fraction, 1 - k->bias);
}

static unsigned sign_bit(const struct kind *k) { return 1u << (k->exp_bits + k->man_bits); }

static double decode(const struct kind *k, unsigned code)
{
    switch (k->t) {
    case DT_FLOAT16:
        return (double)num_from_f16((uint16_t)code);
    case DT_BFLOAT16:
        return (double)num_from_bf16((uint16_t)code);
    case DT_FLOAT4E2M1:
        return (double)num_from_f4((uint8_t)code);
    default:
        return (double)num_from_f8(k->t, (uint8_t)code);
    }
}

static unsigned encode_double(const struct kind *k, double d, bool saturate)
{
    switch (k->t) {
    case DT_FLOAT16:
        return num_double_to_f16(d);
    case DT_BFLOAT16:
        return num_double_to_bf16(d);
    case DT_FLOAT4E2M1:
        return num_double_to_f4(d);
    default:
        return num_double_to_f8(k->t, d, saturate);
    }
}

static unsigned encode(const struct kind *k, float f, bool saturate)
{
    switch (k->t) {
    case DT_FLOAT16:
        return num_to_f16(f);
    case DT_BFLOAT16:
        return num_to_bf16(f);
    case DT_FLOAT4E2M1:
        return num_to_f4(f);
    default:
        return num_to_f8(k->t, f, saturate);
    }
}

/* Every finite code decodes to its defined value and encodes back to itself, in both signs. */
static void test_every_code(void **state)
{
    (void)state;
    for (const struct kind *k = KINDS; k < KINDS + N_KINDS; k++)
        for (int code = 0; code < k->top; code++) {
            double v = value_of(k, code);
            assert_true(decode(k, (unsigned)code) == v);
            assert_int_equal(encode(k, (float)v, true), code);
            assert_int_equal(encode_double(k, v, false), code);
            unsigned minus = (unsigned)code | sign_bit(k);
            if (k->fnuz && code == 0) {
                assert_int_equal(encode(k, -0.0f, true), 0);
                continue;
            }
            assert_true(decode(k, minus) == -v && signbit(decode(k, minus)));
            assert_int_equal(encode(k, (float)-v, true), minus);
        }
}

static void expect_both(const struct kind *k, double d, unsigned code)
{
    unsigned minus = k->fnuz && code == 0 ? 0 : code | sign_bit(k);
    assert_int_equal(encode_double(k, d, false), code);
    assert_int_equal(encode_double(k, -d, false), minus);
    if ((double)(float)d == d) {
        assert_int_equal(encode(k, (float)d, false), code);
        assert_int_equal(encode(k, (float)-d, false), minus);
    }
}

/* Between any two neighbours: the middle goes to the even code, its double neighbours to the nearer
 * one. */
static void test_every_tie(void **state)
{
    (void)state;
    for (const struct kind *k = KINDS; k < KINDS + N_KINDS; k++)
        for (int code = 0; code + 1 < k->top; code++) {
            double a = value_of(k, code), b = value_of(k, code + 1), middle = (a + b) / 2;
            expect_both(k, middle, (unsigned)(code % 2 ? code + 1 : code));
            expect_both(k, nextafter(middle, a), (unsigned)code);
            expect_both(k, nextafter(middle, b), (unsigned)code + 1);
            if (k->t == DT_BFLOAT16) /* a float's own neighbours of the middle */
                assert_int_equal(encode(k, nextafterf((float)middle, (float)b), false), code + 1);
        }
}

/* Random floats: the encoder's answer is at least as near as both neighbours. */
static void test_random_nearest(void **state)
{
    (void)state;
    for (const struct kind *k = KINDS; k < KINDS + N_KINDS; k++)
        for (int i = 0; i < 300000; i++) {
            double v = fabs((double)random_float());
            if (i % 2)
                v = ldexp(1 + (double)(random_bits() >> 40) * 0x1p-24,
                          (int)(random_bits() % 40) - 26);
            if (!(v < value_of(k, k->top - 1)))
                continue;
            unsigned code = encode_double(k, v, false);
            double error = fabs(decode(k, code) - v);
            assert_true(code < (unsigned)k->top);
            assert_true(code == 0 || error <= fabs(value_of(k, (int)code - 1) - v));
            assert_true((int)code + 1 >= k->top || error <= fabs(value_of(k, (int)code + 1) - v));
            if ((double)(float)v == v)
                assert_int_equal(encode(k, (float)v, true), code);
        }
}

/* One rounding from double: just above a tie by less than a float can hold. */
static void test_single_rounding(void **state)
{
    (void)state;
    double tie = 1 + ldexp(1, -11), above = nextafter(tie, 2);
    assert_int_equal(num_double_to_f16(tie), 0x3C00);
    assert_int_equal(num_double_to_f16(above), 0x3C01);
    assert_int_equal(num_to_f16((float)above), 0x3C00); /* two roundings would say this */
    assert_int_equal(num_double_to_bf16(nextafter(1 + ldexp(1, -8), 2)), 0x3F81);
    assert_int_equal(num_double_to_f8(DT_FLOAT8E4M3FN, nextafter(1.0625, 2), true), 0x39);
    uint8_t cell[8];
    num_set(cell, DT_FLOAT16, 0, above);
    assert_true(cell[0] == 0x01 && cell[1] == 0x3C);
    /* 2^62 + 2^54 is a bfloat16 tie; one more must go up although no double holds it */
    num_set_int(cell, DT_BFLOAT16, 0, ((int64_t)1 << 62) + ((int64_t)1 << 54) + 1);
    assert_int_equal(num_get_int(cell, DT_BFLOAT16, 0), ((int64_t)1 << 62) + ((int64_t)1 << 55));
    num_set_int(cell, DT_FLOAT, 0, -(((int64_t)1 << 62) + ((int64_t)1 << 38) + 1));
    assert_true(num_get(cell, DT_FLOAT, 0) == -(ldexp(1, 62) + ldexp(1, 39)));
    num_set_int(cell, DT_FLOAT, 0, INT64_MIN);
    assert_true(num_get(cell, DT_FLOAT, 0) == -ldexp(1, 63));
}

/* The table of ONNX Cast-24: what NaN, infinities and too large values become, with and without
 * saturate. */
static void test_specials(void **state)
{
    (void)state;
    static const struct {
        enum dtype t;
        uint8_t nan, inf[2], big[2]; /* [saturate] */
    } rows[] = {
        {DT_FLOAT8E4M3FN, 0x7F, {0x7F, 0x7E}, {0x7F, 0x7E}},
        {DT_FLOAT8E4M3FNUZ, 0x80, {0x80, 0x7F}, {0x80, 0x7F}},
        {DT_FLOAT8E5M2, 0x7E, {0x7C, 0x7B}, {0x7C, 0x7B}},
        {DT_FLOAT8E5M2FNUZ, 0x80, {0x80, 0x7F}, {0x80, 0x7F}},
    };
    for (size_t i = 0; i < 4; i++)
        for (int saturate = 0; saturate < 2; saturate++) {
            uint8_t inf = rows[i].inf[saturate], big = rows[i].big[saturate];
            assert_int_equal(num_to_f8(rows[i].t, NAN, saturate), rows[i].nan);
            assert_int_equal(num_to_f8(rows[i].t, INFINITY, saturate), inf);
            assert_int_equal(num_to_f8(rows[i].t, -INFINITY, saturate), inf | 0x80);
            assert_int_equal(num_to_f8(rows[i].t, 1e30f, saturate), big);
            assert_int_equal(num_to_f8(rows[i].t, -1e30f, saturate), big | 0x80);
            assert_true(isnan(num_from_f8(rows[i].t, rows[i].nan)));
        }
    assert_true(isnan(num_from_f8(DT_FLOAT8E4M3FN, 0xFF)) &&
                isnan(num_from_f8(DT_FLOAT8E5M2, 0x7D)));
    assert_true(num_from_f8(DT_FLOAT8E5M2, 0x7C) == INFINITY &&
                num_from_f8(DT_FLOAT8E5M2, 0xFC) == -INFINITY);
    assert_int_equal(num_to_f8(DT_FLOAT8E4M3FN, 464, false), 0x7E); /* the tie below 480 is even */
    assert_int_equal(num_to_f8(DT_FLOAT8E4M3FN, 465, false), 0x7F);
    assert_int_equal(num_to_f4(NAN), 8);
    assert_int_equal(num_to_f4(INFINITY), 7);
    assert_int_equal(num_to_f4(-1e9f), 15);
    assert_int_equal(num_to_f4(5), 6);
}

static void test_specials_16(void **state)
{
    (void)state;
    for (unsigned h = 0x7C01; h <= 0xFFFF; h = h == 0x7FFF ? 0xFC01 : h + 1) {
        assert_true(isnan(num_from_f16((uint16_t)h)));
        assert_true((num_to_f16(num_from_f16((uint16_t)h)) & 0x7FFF) > 0x7C00);
    }
    for (unsigned h = 0x7F81; h <= 0xFFFF; h = h == 0x7FFF ? 0xFF81 : h + 1) {
        assert_true(isnan(num_from_bf16((uint16_t)h)));
        assert_true((num_to_bf16(num_from_bf16((uint16_t)h)) & 0x7FFF) > 0x7F80);
    }
    assert_true(num_from_f16(0x7C00) == INFINITY && num_from_f16(0xFC00) == -INFINITY);
    assert_int_equal(num_to_f16(65519.996f), 0x7BFF);
    assert_int_equal(num_to_f16(65520), 0x7C00);
    assert_int_equal(num_to_f16(-1e9f), 0xFC00);
    assert_int_equal(num_to_f16(INFINITY), 0x7C00);
    assert_int_equal(num_to_f16(ldexpf(1, -25)), 0);
    assert_int_equal(num_to_f16(nextafterf(ldexpf(1, -25), 1)), 1);
    assert_int_equal(num_to_f16(-ldexpf(1, -149)), 0x8000);
    assert_int_equal(num_to_bf16(3.4e38f), 0x7F80);
    assert_int_equal(num_to_bf16(-INFINITY), 0xFF80);
    assert_int_equal(num_double_to_bf16(1e300), 0x7F80);
    assert_int_equal(num_double_to_f16(4e-320), 0);
}

static void test_e8m0(void **state)
{
    (void)state;
    for (int code = 0; code < 255; code++) {
        double v = ldexp(1, code - 127);
        assert_true((double)num_from_f8(DT_FLOAT8E8M0, (uint8_t)code) == v);
        for (enum e8m0_mode m = E8M0_UP; m <= E8M0_NEAREST; m++)
            assert_int_equal(num_double_to_e8m0(-v, m, false), code);
        int next = code + 1;
        assert_int_equal(num_double_to_e8m0(v * 1.25, E8M0_UP, false), next);
        assert_int_equal(num_double_to_e8m0(v * 1.75, E8M0_DOWN, false), code);
        assert_int_equal(num_double_to_e8m0(v * 1.49, E8M0_NEAREST, false), code);
        assert_int_equal(num_double_to_e8m0(v * 1.5, E8M0_NEAREST, false), next);
    }
    assert_true(isnan(num_from_f8(DT_FLOAT8E8M0, 0xFF)));
    assert_int_equal(num_to_f8(DT_FLOAT8E8M0, 0x1.8p127f, true), 0xFE);
    assert_int_equal(num_to_f8(DT_FLOAT8E8M0, 0x1.8p127f, false), 0xFF);
    assert_int_equal(num_to_f8(DT_FLOAT8E8M0, 0, true), 0);
    assert_int_equal(num_to_f8(DT_FLOAT8E8M0, NAN, true), 0xFF);
    assert_int_equal(num_to_f8(DT_FLOAT8E8M0, INFINITY, true), 0xFE);
    assert_int_equal(num_to_f8(DT_FLOAT8E8M0, INFINITY, false), 0xFF);
    assert_int_equal(num_to_f8(DT_FLOAT8E8M0, 0, false), 0xFF);
    assert_int_equal(num_double_to_e8m0(0x1.8p-128, E8M0_NEAREST, false), 0xFF);
}

/* ---- rounding ---- */

static int64_t saturated(double r)
{
    return isnan(r) ? 0 : r >= 0x1p63 ? INT64_MAX : r < -0x1p63 ? INT64_MIN : (int64_t)r;
}

static void check_rounding(double x)
{
    assert_true(num_trunc(x) == saturated(trunc(x)));
    assert_true(num_floor(x) == saturated(floor(x)));
    assert_true(num_round_even(x) == saturated(rint(x)));
    assert_true(num_round_away(x) == saturated(round(x)));
    double below = floor(x); /* half up: compare the distance, which is exact for these x */
    bool up = fabs(x) < 0x1p52 && x >= below + 0.5;
    assert_true(num_round_up(x) == saturated(up ? below + 1 : below));
}

static void test_rounding(void **state)
{
    (void)state;
    static const double edges[] = {0x1p51, 0x1p52, 0x1p53, 0x1p62, 0x1p63, 0x1p64,   1e300,
                                   0,      1,      2,      3,      255,    0x1p-1074};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        for (int half = -3; half <= 3; half++)
            for (int side = -1; side <= 1; side++) {
                double x = edges[i] + half * 0.5;
                x = side ? nextafter(x, side < 0 ? -INFINITY : INFINITY) : x;
                check_rounding(x);
                check_rounding(-x);
            }
    for (int i = 0; i < 200000; i++) {
        check_rounding(random_double());
        check_rounding((double)((int64_t)random_bits() >> (random_bits() % 60)) / 2);
    }
    check_rounding(NAN);
    check_rounding(INFINITY);
    check_rounding(-INFINITY);
    assert_int_equal(num_round_up(0.49999999999999994), 0); /* x + 0.5 in double would give 1 */
    assert_int_equal(num_round_up(-2.5), -2);
    assert_int_equal(num_round_away(-2.5), -3);
    assert_int_equal(num_round_even(-2.5), -2);
    assert_int_equal(num_clamp(9, -8, 7), 7);
    assert_int_equal(num_clamp(-9, -8, 7), -8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code),     cmocka_unit_test(test_every_tie),
        cmocka_unit_test(test_random_nearest), cmocka_unit_test(test_single_rounding),
        cmocka_unit_test(test_specials),       cmocka_unit_test(test_specials_16),
        cmocka_unit_test(test_e8m0),           cmocka_unit_test(test_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
