/* Cast: every pair of types against one element at a time through exact arithmetic, and the cases
 * ONNX tabulates. */
#include "kernel_test.h"

#include "base/num.h"
#include "kernels/float/cast.h"
#include "kernels/float/half.h"

static bool castable(int t) { return t != DT_STRING && t != DT_COMPLEX64 && t != DT_COMPLEX128; }

static struct cast_args args(enum dtype from, enum dtype to)
{
    return (struct cast_args){.from = from, .to = to, .saturate = true, .e8m0 = E8M0_UP};
}

static void expect(enum dtype from, enum dtype to, const void *x, const void *y, int64_t i)
{
    if (dtype_is_float(from) && dtype_is_float(to)) {
        double got = num_get(y, to, i);
        uint64_t cell = 0;
        num_set(&cell, to, 0, num_get(x, from, i));
        double want = num_get(&cell, to, 0);
        assert_true(got == want || (isnan(got) && isnan(want)));
    } else if (dtype_is_float(from) && dtype_is_int(to) && dtype_bits(to) < 8) { /* low bits */
        uint64_t cell = 0;
        num_set_int(&cell, to, 0, num_trunc(num_get(x, from, i)));
        assert_true(num_get_int(y, to, i) == num_get_int(&cell, to, 0));
    } else if (dtype_is_float(from) && to != DT_BOOL) { /* toward zero, saturating */
        double v = trunc(num_get(x, from, i)), low = (double)dtype_min(to),
               high = (double)dtype_max(to);
        high = to == DT_UINT64 ? 0x1p64 : high;
        v = isnan(v) ? 0 : v < low ? low : v > high ? high : v;
        assert_true(num_get(y, to, i) == v);
    } else if (to == DT_BOOL) {
        assert_true(num_get_int(y, to, i) == (num_get(x, from, i) != 0));
    } else if (dtype_is_float(to)) { /* |x| < 2^53 here */
        uint64_t cell = 0;
        num_set(&cell, to, 0, num_get(x, from, i));
        assert_true(num_get(y, to, i) == num_get(&cell, to, 0));
    } else {
        uint64_t cell = 0;
        num_set_int(&cell, to, 0, num_get_int(x, from, i));
        assert_true(num_get_int(y, to, i) == num_get_int(&cell, to, 0));
    }
}

static void test_all_pairs(void **state)
{
    (void)state;
    enum { N = 601 };
    static const double values[] = {0,     -0.0,  1,   -1,   2.5,  3.5,  -7.9,  100, -129,
                                    255.5, 65504, 1e9, -3e9, 5e18, 2e19, -1e19, NAN, 1e300};
    static uint64_t x[N], y[N + 1];
    for (int from = 1; from < DT_COUNT; from++)
        for (int to = 1; to < DT_COUNT; to++) {
            struct cast_args a = args((enum dtype)from, (enum dtype)to);
            if (!castable(from) || !castable(to)) {
                assert_int_equal(kernel_cast(&a, x, y, 0, 1), KERNEL_TYPE);
                continue;
            }
            for (int64_t i = 0; i < N; i++) {
                double v = i < COUNT(values) ? values[i] : random_between(-300, 300);
                bool wide_int = dtype_is_int(a.from) && fabs(v) > 0x1p52 && dtype_is_float(a.to);
                num_set(x, a.from, i, wide_int ? 1 : v);
            }
            memset(y, 0, sizeof y);
            assert_int_equal(kernel_cast(&a, x, y, 0, 100), KERNEL_OK); /* in two parts */
            assert_int_equal(kernel_cast(&a, x, y, 100, N), KERNEL_OK);
            for (int64_t i = 0; i < N; i++)
                expect(a.from, a.to, x, y, i);
        }
}

/* The array forms: all 16-bit codes, and floats of every exponent and mantissa pattern near a
 * rounding. */
static void test_halves(void **state)
{
    (void)state;
    enum { N = 65536 };
    static uint16_t codes[N], half[N];
    static float f[N];
    for (int i = 0; i < N; i++)
        codes[i] = (uint16_t)i;
    half_from_f16(codes, f, N);
    for (int i = 0; i < N; i++)
        assert_true(same_float(f[i], num_from_f16(codes[i])));
    half_from_bf16(codes, f, N);
    for (int i = 0; i < N; i++)
        assert_true(same_float(f[i], num_from_bf16(codes[i])));
    for (uint32_t low = 0; low < 64; low++) {
        for (uint32_t i = 0; i < N; i++) {
            uint32_t bits = i << 16 | (low < 32 ? low * 0x07FF + (low >> 1)
                                                : (uint32_t)(random_bits() & 0xFFFF));
            memcpy(f + i, &bits, sizeof bits);
        }
        half_to_f16(f, half, N);
        for (int i = 0; i < N; i++)
            assert_int_equal(half[i], num_to_f16(f[i]));
        half_to_bf16(f, half, N);
        for (int i = 0; i < N; i++)
            assert_int_equal(half[i], num_to_bf16(f[i]));
    }
}

static void test_float8(void **state)
{
    (void)state;
    float x[] = {1e9f, -1e9f, 448, 3};
    uint8_t y[4];
    struct cast_args a = args(DT_FLOAT, DT_FLOAT8E4M3FN);
    assert_int_equal(kernel_cast(&a, x, y, 0, 4), KERNEL_OK);
    assert_memory_equal(y, ((uint8_t[]){0x7E, 0xFE, 0x7E, 0x44}), 4);
    a.saturate = false;
    assert_int_equal(kernel_cast(&a, x, y, 0, 4), KERNEL_OK);
    assert_memory_equal(y, ((uint8_t[]){0x7F, 0xFF, 0x7E, 0x44}), 4);
    a = args(DT_FLOAT, DT_FLOAT8E8M0);
    assert_int_equal(kernel_cast(&a, x + 3, y, 0, 1), KERNEL_OK);
    assert_int_equal(y[0], 129); /* 3 goes up to 4 */
    a.e8m0 = E8M0_DOWN;
    assert_int_equal(kernel_cast(&a, x + 3, y, 0, 1), KERNEL_OK);
    assert_int_equal(y[0], 128);
}

static void test_wide(void **state)
{
    (void)state;
    uint64_t u[] = {UINT64_MAX, (uint64_t)1 << 63, 0x8000008000000001u};
    float f[3];
    uint16_t b[3];
    struct cast_args a = args(DT_UINT64, DT_FLOAT);
    assert_int_equal(kernel_cast(&a, u, f, 0, 3), KERNEL_OK);
    assert_true(f[0] == 0x1p64f && f[1] == 0x1p63f &&
                f[2] == 0x1.000002p63f); /* just above a tie */
    a.to = DT_BFLOAT16;
    uint64_t tie = 0x8080000000000001u;
    assert_int_equal(kernel_cast(&a, &tie, b, 0, 1), KERNEL_OK);
    assert_true(num_from_bf16(b[0]) == 0x1.02p63f);
    int64_t i = ((int64_t)1 << 62) + ((int64_t)1 << 38) + 1;
    a = args(DT_INT64, DT_FLOAT);
    assert_int_equal(kernel_cast(&a, &i, f, 0, 1), KERNEL_OK);
    assert_true(f[0] == 0x1.000002p62f);
    double d = 1.8e19;
    uint64_t back;
    a = args(DT_DOUBLE, DT_UINT64);
    assert_int_equal(kernel_cast(&a, &d, &back, 0, 1), KERNEL_OK);
    assert_true(back == 18000000000000000000u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_pairs),
                                       cmocka_unit_test(test_halves), cmocka_unit_test(test_float8),
                                       cmocka_unit_test(test_wide)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
