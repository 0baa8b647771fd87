/* Elements in packed raw data, and checked products. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/num.h"

static void test_access_integers(void **state)
{
    (void)state;
    for (int t = DT_FLOAT; t < DT_COUNT; t++) {
        enum dtype dt = (enum dtype)t;
        if (!dtype_is_int(dt))
            continue;
        unsigned char buffer[64], *data = buffer + 1; /* unaligned */
        memset(buffer, 0xA5, sizeof buffer);
        int64_t low = dtype_min(dt), high = dtype_max(dt);
        const double in[] = {-0.5, 0.5, 1.5, 2.5, NAN, 1e300, -1e300};
        int64_t want[] = {0, 0, 2, num_clamp(2, low, high), 0, dt == DT_UINT64 ? -1 : high, low};
        want[2] = num_clamp(2, low, high);
        for (int64_t i = 0; i < 7; i++)
            num_set(data, dt, i, in[i]);
        for (int64_t i = 0; i < 7; i++)
            assert_true(num_get_int(data, dt, i) == want[i]);
        size_t bytes;
        assert_true(dtype_bytes(dt, 7, &bytes));
        assert_int_equal(data[bytes], 0xA5);
        assert_int_equal(buffer[0], 0xA5);
    }
}

static void test_access_wraps(void **state)
{
    (void)state;
    uint8_t cell[8] = {0};
    num_set_int(cell, DT_INT4, 0, 9);
    num_set_int(cell, DT_INT4, 1, -8);
    assert_int_equal(cell[0], 0x89); /* first element in the low nibble */
    assert_int_equal(num_get_int(cell, DT_INT4, 0), -7);
    assert_true(num_get(cell, DT_UINT4, 0) == 9);
    for (int i = 0; i < 4; i++)
        num_set_int(cell, DT_UINT2, i, i);
    assert_int_equal(cell[0], 0xE4);
    assert_int_equal(num_get_int(cell, DT_INT2, 2), -2);
    num_set_int(cell, DT_UINT8, 0, -1);
    assert_int_equal(cell[0], 255);
    num_set(cell, DT_UINT64, 0, 0x1p63);
    assert_true(num_get(cell, DT_UINT64, 0) == 0x1p63);
    num_set_int(cell, DT_UINT64, 0, -1);
    assert_true(num_get(cell, DT_UINT64, 0) == 0x1p64);
    num_set(cell, DT_BOOL, 0, NAN);
    assert_int_equal(num_get_int(cell, DT_BOOL, 0), 1);
    num_set(cell, DT_BOOL, 0, -0.0);
    assert_int_equal(num_get_int(cell, DT_BOOL, 0), 0);
    num_set(cell, DT_DOUBLE, 0, -3.75);
    assert_int_equal(num_get_int(cell, DT_DOUBLE, 0), -3);
    num_set(cell, DT_FLOAT4E2M1, 1, -3);
    assert_true(num_get(cell, DT_FLOAT4E2M1, 1) == -3);
    num_set(cell, DT_FLOAT8E5M2, 0, 1e9);
    assert_true(num_get(cell, DT_FLOAT8E5M2, 0) ==
                57344); /* saturates, as ONNX Cast does when not told otherwise */
}

static void test_product(void **state)
{
    (void)state;
    int64_t p = 0;
    assert_true(num_product(NULL, 0, &p) && p == 1);
    assert_true(num_product((int64_t[]){2, 3, 5}, 3, &p) && p == 30);
    assert_true(num_product((int64_t[]){INT64_MAX, 1}, 2, &p) && p == INT64_MAX);
    assert_true(num_product((int64_t[]){INT64_MAX, INT64_MAX, 0}, 3, &p) && p == 0);
    assert_false(num_product((int64_t[]){(int64_t)1 << 32, (int64_t)1 << 31}, 2, &p));
    assert_false(num_product((int64_t[]){0, -1}, 2, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_access_integers),
        cmocka_unit_test(test_access_wraps),
        cmocka_unit_test(test_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
