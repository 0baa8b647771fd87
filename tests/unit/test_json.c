/* The writer's text to the byte, hostile names, and what the reader refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/mem.h"

static void check_text(struct json_writer *w, const char *expected)
{
    size_t size;
    char *text = jw_free_text(w, &size);
    assert_string_equal(text, expected);
    assert_int_equal(size, strlen(expected));
    mem_free(text);
}

static void compact(void **state)
{
    (void)state;
    struct json_writer *w = jw_new_memory(0);
    jw_object(w);
    jw_key_string(w, "b", "x");
    jw_key_int(w, "a", INT64_MIN);
    jw_key_uint(w, "u", UINT64_MAX);
    jw_key_f32(w, "f", 0.1f);
    jw_key_f64(w, "d", 0.1);
    jw_key_bool(w, "t", true);
    jw_key_string(w, "n", NULL);
    jw_key_ints(w, "dims", (int64_t[]){1, 3}, 2);
    jw_key(w, "e"), jw_array(w), jw_end(w);
    jw_end(w);
    check_text(
        w, "{\"b\":\"x\",\"a\":-9223372036854775808,\"u\":18446744073709551615,\"f\":0.1,\"d\":0.1,"
           "\"t\":true,\"n\":null,\"dims\":[1,3],\"e\":[]}\n");
}

static void indented(void **state)
{
    (void)state;
    struct json_writer *w = jw_new_memory(2);
    jw_object(w);
    jw_key(w, "rows"), jw_array(w);
    jw_object(w), jw_key_int(w, "i", 1), jw_end(w);
    jw_object(w), jw_end(w);
    jw_end(w);
    jw_key_ints(w, "dims", (int64_t[]){1, 3}, 2);
    jw_end(w);
    check_text(
        w,
        "{\n  \"rows\": [\n    {\n      \"i\": 1\n    },\n    {}\n  ],\n  \"dims\": [1, 3]\n}\n");
}

static void hostile_strings(void **state)
{
    (void)state;
    struct json_writer *w = jw_new_memory(0);
    jw_array(w);
    jw_string(w, "\"\\\b\f\n\r\t\x01\x7f");
    jw_string(w, "\xe2\x80\xa8");
    jw_string(w, "a\xff"
                 "b\xc3");
    jw_bytes(w, "a\0b", 3);
    jw_end(w);
    check_text(w, "[\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f\",\"\\u2028\",\"a\xEF\xBF\xBD"
                  "b\xEF\xBF\xBD\",\"a\\u0000b\"]\n");
}

static void nonfinite(void **state)
{
    (void)state;
    for (int as_null = 0; as_null < 2; as_null++) {
        struct json_writer *w = jw_new_memory(0);
        jw_nonfinite_as_null(w, as_null);
        jw_array(w);
        jw_f32(w, NAN);
        jw_f64(w, (double)INFINITY);
        jw_f64(w, -(double)INFINITY);
        jw_end(w);
        check_text(w, as_null ? "[null,null,null]\n" : "[\"nan\",\"inf\",\"-inf\"]\n");
    }
}

static void reader_refuses(void **state)
{
    (void)state;
    char deep[200];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 99);
    deep[199] = '\0';
    const char *const BAD[] = {
        "",         "{",    "{\"a\":1,\"a\":2}", "[1e999]", "[NaN]", "[99999999999999999999]",
        "\"\xff\"", "[1,]", "\"\\u0000\"",       "[1] x",   deep};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct diag *diag = diag_new(NULL, NULL);
        json_t *root;
        if (json_read_text(&root, BAD[i], strlen(BAD[i]), "t", E_JSON, diag) != -(int)E_JSON ||
            root)
            fail_msg("accepted: %s", BAD[i]);
        assert_int_equal(diag_count(diag), 1);
        assert_int_equal(strncmp(diag_at(diag, 0)->message, "line ", 5), 0);
        diag_free(diag);
    }
}

/* Many empty objects in little text: refused by what they would take. */
static void reader_keeps_the_budget(void **state)
{
    (void)state;
    enum { SIZE = 300000 };
    char *text = mem_alloc(SIZE);
    for (size_t i = 0; i + 3 <= SIZE; i += 3)
        memcpy(text + i, i ? ",{}" : "[{}", 3);
    text[SIZE - 1] = ']', text[SIZE - 2] = ' ', text[SIZE - 3] = ' ';
    struct diag *diag = diag_new(NULL, NULL);
    json_t *root;
    mem_set_limit(mem_in_use() + (1 << 20));
    assert_int_equal(json_read_text(&root, text, SIZE, "t", E_JSON, diag), -(int)E_LIMIT_MEMORY);
    mem_set_limit(0);
    assert_int_equal(json_read_text(&root, text, SIZE, "t", E_JSON, diag), 0);
    assert_int_equal(json_array_size(root), SIZE / 3 - 1);
    json_decref(root);
    diag_free(diag);
    mem_free(text);
}

static void look_ups(void **state)
{
    (void)state;
    static const char TEXT[] = "{\"bits\": 8, \"name\": \"w\", \"scale\": 0.5, \"flag\": true}";
    struct diag *diag = diag_new(NULL, NULL);
    json_t *root;
    assert_int_equal(json_read_text(&root, TEXT, sizeof TEXT - 1, "t", E_JSON, diag), 0);
    const struct json_place at = {"t", E_JSON, diag};
    int64_t bits;
    const char *name;
    double scale;
    bool flag;
    const json_t *list;
    assert_int_equal(json_read_int(&at, root, "bits", &bits, 0), 0);
    assert_int_equal(json_read_string(&at, root, "name", &name, NULL), 0);
    assert_int_equal(json_read_double(&at, root, "bits", &scale, 0), 0);
    assert_int_equal(json_read_bool(&at, root, "flag", &flag, false), 0);
    assert_true(bits == 8 && !strcmp(name, "w") && scale == 8 && flag);
    assert_int_equal(json_read_int(&at, root, "absent", &bits, 3), 0);
    assert_int_equal(bits, 3);
    assert_int_equal(json_read_int(&at, root, "scale", &bits, 0), -(int)E_JSON);
    assert_int_equal(json_read_array(&at, root, "name", &list), -(int)E_JSON);
    static const char *const KNOWN[] = {"bits", "names", "scale", "flag", NULL};
    assert_int_equal(json_check_keys(&at, root, KNOWN), -(int)E_JSON);
    assert_string_equal(diag_at(diag, 2)->message, "unknown key 'name', did you mean 'names'?");
    json_decref(root);
    diag_free(diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compact),         cmocka_unit_test(indented),
        cmocka_unit_test(hostile_strings), cmocka_unit_test(nonfinite),
        cmocka_unit_test(reader_refuses),  cmocka_unit_test(reader_keeps_the_budget),
        cmocka_unit_test(look_ups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
