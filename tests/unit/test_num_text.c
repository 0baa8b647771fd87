/* Shortest text: against trying precisions one by one with the C library (which reads and prints
 * exactly). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

/* The fewest significant digits that read back, found by trying. */
static int fewest(double v, bool is_float)
{
    char text[40];
    for (int digits = 1;; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, v);
        if (is_float ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
            return digits;
    }
}

static int digits_of(const char *text)
{
    char kept[40];
    int n = 0;
    for (; *text && *text != 'e'; text++)
        if ((*text >= '1' && *text <= '9') || (*text == '0' && n))
            kept[n++] = *text;
    while (n && kept[n - 1] == '0')
        n--;
    return n;
}

static void check_text(double v, bool is_float)
{
    char text[NUM_TEXT];
    int length = is_float ? num_text_f32(text, (float)v) : num_text_f64(text, v);
    assert_int_equal(length, strlen(text));
    assert_true(length < NUM_TEXT);
    assert_true(is_float ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v);
    int have = digits_of(text), need = fewest(v, is_float);
    assert_true(
        have <=
        need); /* below a power of two a digit string that is not the nearest may be shorter */
    double mantissa = frexp(v, &(int){0});
    assert_true(have == need || fabs(mantissa) <= 0.5);
}

static void test_text_random(void **state)
{
    (void)state;
    for (int i = 0; i < 30000; i++) {
        double d = random_double(), f = (double)random_float();
        if (isfinite(d) && d != 0)
            check_text(d, false);
        if (isfinite(f) && f != 0)
            check_text(f, true);
    }
    for (int i = 0; i < 30000; i++) /* sizes that models hold */
        check_text(ldexp((double)(random_bits() >> 11) + 1, i % 200 - 153), false);
    for (int e = -1074; e < 1024; e++) {
        check_text(ldexp(1, e), false);
        check_text(nextafter(ldexp(1, e), 0) + (e == -1074 ? 5e-324 : 0), false);
        if (e >= -149 && e < 128)
            check_text(ldexp(1, e), true);
    }
}

static void test_text_layout(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } rows[] = {
        {0.1, "0.1"},
        {3, "3"},
        {1e-5, "1e-05"},
        {0.0001, "0.0001"},
        {1e16, "1e+16"},
        {-0.0, "-0"},
        {0, "0"},
        {1e15, "1000000000000000"},
        {1234567890123456.0, "1234567890123456"},
        {5e-324, "5e-324"},
        {NAN, "nan"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {-INFINITY, "-inf"},
        {INFINITY, "inf"},
        {12.5, "12.5"},
        {-0.00123, "-0.00123"},
        {1.5e-7, "1.5e-07"},
        {9007199254740993.0, "9007199254740992"},
        {2e100, "2e+100"},
    };
    char text[NUM_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        num_text_f64(text, rows[i].v);
        assert_string_equal(text, rows[i].text);
    }
    num_text_f32(text, 0.1f);
    assert_string_equal(text, "0.1");
    num_text_f32(text, 16777216.0f);
    assert_string_equal(text, "16777216");
    num_text_f32(text, 3.4028235e38f);
    assert_string_equal(text, "3.4028235e+38");
    num_text_f32(text, 1e-45f);
    assert_string_equal(text, "1e-45");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_random),
        cmocka_unit_test(test_text_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
