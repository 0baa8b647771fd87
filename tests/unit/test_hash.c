/* Against published values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/hash.h"

static void known_values(void **state)
{
    (void)state;
    char text[SHA256_TEXT];
    sha256_bytes("abc", 3, text); /* FIPS 180-4, example 1 */
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_text(hash_bytes("", 0), text); /* xxHash's own test of the empty input, seed 0 */
    assert_string_equal(text, "99aa06d3014798d86001c324468d497f");
}

static void pieces_equal_whole(void **state)
{
    (void)state;
    unsigned char data[5000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 37 >> 3);
    struct hasher *h = hasher_new();
    for (size_t at = 0, n = 1; at < sizeof data; at += n, n *= 2) {
        size_t left = sizeof data - at;
        hasher_add(h, data + at, n < left ? n : left);
    }
    struct hash128 a = hash_bytes(data, sizeof data), b = hasher_end(h);
    assert_true(a.high == b.high && a.low == b.low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_values),
                                       cmocka_unit_test(pieces_equal_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
