/* UTF-8 limits, terminal-safe copies, number texts, globs, nearest names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"

static void utf8_edges(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool valid;
    } CASES[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xa9", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},  /* U+10FFFF */
        {"\xf4\x90\x80\x80", false}, /* above */
        {"\xc0\x80", false},         /* overlong NUL */
        {"\xc1\xbf", false},         /* overlong 7f */
        {"\xe0\x9f\xbf", false},     /* overlong 7ff */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong ffff */
        {"\xed\x9f\xbf", true},      /* U+D7FF */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xee\x80\x80", true},      /* U+E000 */
        {"\xc3", false},             /* cut short */
        {"\xe2\x82", false},
        {"\x80", false},
        {"a\xff", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_int_equal(utf8_valid(CASES[i].bytes, strlen(CASES[i].bytes)), CASES[i].valid);
}

static void check_printable(const char *text, bool keep, const char *expected)
{
    char *safe = text_printable(text, keep);
    assert_string_equal(safe, expected);
    mem_free(safe);
}

static void printable(void **state)
{
    (void)state;
    check_printable("caf\xc3\xa9", false, "caf\xc3\xa9");
    check_printable("\033[2Jx", false, "\\x1b[2Jx");
    check_printable("a\nb\tc", false, "a\\nb\\tc");
    check_printable("a\nb", true, "a\nb");
    check_printable("\xff\x7f", false, "\\xff\\x7f");
    check_printable("\xc2\x9b", false, "\\x9b"); /* C1: an escape sequence on some terminals */
    check_printable("\xe2\x80\xae"
                    "txt",
                    false, "\\u{202e}txt"); /* right-to-left override */
}

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
        uint64_t bytes;
    } CASES[] = {
        {"0", true, 0},          {"4096", true, 4096},
        {"64M", true, 64 << 20}, {"1.5G", true, 3 << 29},
        {"10KiB", true, 10240},  {"2kb", true, 2048},
        {"7B", true, 7},         {"1T", true, 1ULL << 40},
        {"", false, 0},          {"-1", false, 0},
        {"M", false, 0},         {"1X", false, 0},
        {"1 M", false, 0},       {"8388607T", true, 8388607ULL << 40},
        {"8388608T", false, 0},  {"1.2.3", false, 0},
        {"1iB", false, 0},       {"1MiBx", false, 0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        uint64_t bytes = 0;
        bool valid = text_size(CASES[i].text, &bytes);
        if (valid != CASES[i].valid || (valid && bytes != CASES[i].bytes))
            fail_msg("'%s' gives %d, %llu", CASES[i].text, valid, (unsigned long long)bytes);
    }
}

static void numbers(void **state)
{
    (void)state;
    int64_t i;
    double d;
    assert_true(text_int("-9223372036854775808", &i) && i == INT64_MIN);
    assert_false(text_int("9223372036854775808", &i));
    assert_false(text_int("1x", &i) || text_int("", &i) || text_int(" 1", &i) || text_int("-", &i));
    assert_true(text_double("0.1", &d) && d == 0.1); /* exact: the nearest double on both sides */
    assert_true(text_double("1e-320", &d) && d > 0);
    assert_false(text_double("1e999", &d) || text_double("0x1p3", &d) || text_double("1,5", &d));
}

static void globs(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool match;
    } CASES[] = {
        {"*", "", true},
        {"*", "a/b", true},
        {"a*c", "abbc", true},
        {"a*c", "abbd", false},
        {"?", "", false},
        {"?x", "ax", true},
        {"[a-c]1", "b1", true},
        {"[!a-c]1", "b1", false},
        {"[]]", "]", true},
        {"[ab", "[ab", true},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
        {"conv_*", "conv_12", true},
        {"**", "x", true},
        {"", "", true},
        {"", "x", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (text_glob(CASES[i].pattern, CASES[i].name) != CASES[i].match)
            fail_msg("'%s' against '%s'", CASES[i].pattern, CASES[i].name);
}

static void nearest(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"quantize", "calibrate", "compare", "check", "info", NULL};
    assert_string_equal(text_nearest("qauntize", NAMES), "quantize");
    assert_string_equal(text_nearest("quantise", NAMES), "quantize");
    assert_string_equal(text_nearest("comprae", NAMES), "compare");
    assert_string_equal(text_nearest("inof", NAMES), "info");
    assert_null(text_nearest("xyzzy", NAMES));
    assert_null(text_nearest("", NAMES));
    assert_null(text_nearest("a", NAMES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_edges), cmocka_unit_test(printable), cmocka_unit_test(sizes),
        cmocka_unit_test(numbers),    cmocka_unit_test(globs),     cmocka_unit_test(nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
