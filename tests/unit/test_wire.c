/* The cursor over records, against bytes written by hand, and the limits of what it accepts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "onnx/wire.h"

#define SPAN(text) ((struct span){(const unsigned char *)(text), sizeof(text) - 1})

static enum wire_result first(struct span bytes, struct field *f)
{
    struct wire w = wire_of(bytes);
    return wire_next(&w, f);
}

static void varints_come_back(void **state)
{
    (void)state;
    static const uint64_t VALUES[] = {
        0, 1, 127, 128, 300, UINT32_MAX, (uint64_t)1 << 56, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++) {
        unsigned char bytes[WIRE_MAX_VARINT];
        size_t size = wire_put_varint(bytes, VALUES[i]);
        struct wire w = {bytes, bytes + size};
        uint64_t value;
        assert_int_equal(size, wire_varint_size(VALUES[i]));
        assert_int_equal(wire_varint(&w, &value), WIRE_FIELD);
        assert_true(value == VALUES[i]);
        assert_ptr_equal(w.at, w.end);
    }
}

static void reads_each_wire_type(void **state)
{
    (void)state;
    struct field f;
    assert_int_equal(first(SPAN("\x08\x96\x01"), &f),
                     WIRE_FIELD); /* the example of protobuf.dev: 150 */
    assert_int_equal(f.number, 1);
    assert_int_equal(f.value, 150);
    assert_int_equal(first(SPAN("\x12\x07testing"), &f), WIRE_FIELD);
    assert_int_equal(f.number, 2);
    assert_true(span_equals(f.payload, SPAN("testing")));
    assert_int_equal(f.record.size, 9);
    assert_int_equal(first(SPAN("\x1d\x00\x00\x80\x3f"), &f), WIRE_FIELD);
    assert_int_equal(f.value, 0x3f800000);
    assert_int_equal(first(SPAN("\x19\1\0\0\0\0\0\0\x80"), &f), WIRE_FIELD);
    assert_true(f.value == 0x8000000000000001u);
}

static void refuses_what_is_malformed(void **state)
{
    (void)state;
    struct field f;
    assert_int_equal(first(SPAN(""), &f), WIRE_END);
    assert_int_equal(first(SPAN("\x08"), &f), WIRE_BAD_TRUNCATED);
    assert_int_equal(first(SPAN("\x08\x80"), &f), WIRE_BAD_TRUNCATED);
    assert_int_equal(first(SPAN("\x12\x05test"), &f), WIRE_BAD_TRUNCATED);
    assert_int_equal(first(SPAN("\x1d\0\0\0"), &f), WIRE_BAD_TRUNCATED);
    assert_int_equal(first(SPAN("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"), &f),
                     WIRE_BAD_TRUNCATED);
    assert_int_equal(first(SPAN("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), &f),
                     WIRE_BAD_VARINT);
    assert_int_equal(first(SPAN("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), &f),
                     WIRE_BAD_VARINT);
    assert_int_equal(first(SPAN("\x00\x01"), &f), WIRE_BAD_NUMBER);
    assert_int_equal(first(SPAN("\x80\x80\x80\x80\x10\x01"), &f), WIRE_BAD_NUMBER); /* 2^29 */
    assert_int_equal(first(SPAN("\xf8\xff\xff\xff\x0f\x01"), &f), WIRE_FIELD);      /* 2^29 - 1 */
    assert_int_equal(first(SPAN("\x0b"), &f), WIRE_BAD_GROUP);
    assert_int_equal(first(SPAN("\x0c"), &f), WIRE_BAD_GROUP);
    assert_int_equal(first(SPAN("\x0e"), &f), WIRE_BAD_TYPE);
    assert_int_equal(first(SPAN("\x0f"), &f), WIRE_BAD_TYPE);
}

static void points_at_the_bad_record(void **state)
{
    (void)state;
    struct span bytes = SPAN("\x08\x01\x0b");
    struct wire w = wire_of(bytes);
    struct field f;
    assert_int_equal(wire_next(&w, &f), WIRE_FIELD);
    assert_int_equal(wire_next(&w, &f), WIRE_BAD_GROUP);
    assert_ptr_equal(w.at, bytes.data + 2);
}

static void finds_the_last_of_a_number(void **state)
{
    (void)state;
    struct span bytes = SPAN("\x08\x01\x12\x01z\x08\x05");
    assert_int_equal(wire_number(bytes, 1, 9), 5);
    assert_int_equal(wire_number(bytes, 7, 9), 9);
    assert_true(span_equals(wire_bytes(bytes, 2), SPAN("z")));
    assert_int_equal(wire_bytes(bytes, 1).size, 0); /* no bytes field */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varints_come_back),          cmocka_unit_test(reads_each_wire_type),
        cmocka_unit_test(refuses_what_is_malformed),  cmocka_unit_test(points_at_the_bad_record),
        cmocka_unit_test(finds_the_last_of_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
