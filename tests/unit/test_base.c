/* Arena, vector, map, intern, bitset and memory accounting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "base/dtype.h"
#include "base/intern.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"

static void arena_gives_zeroed_stable_aligned_memory(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char *first = arena_alloc(a, 3);
    memset(first, 7, 3);
    for (size_t i = 0; i < 5000; i++) {
        unsigned char *p = arena_alloc(a, i % 700 + 1);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t k = 0; k < i % 700 + 1; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xff, i % 700 + 1);
    }
    assert_int_equal(first[2], 7);
    arena_reset(a);
    unsigned char *again = arena_alloc(a, 4096);
    for (size_t k = 0; k < 4096; k++)
        assert_int_equal(again[k], 0);
    arena_free(a);
}

static void memory_is_accounted_and_bounded(void **state)
{
    (void)state;
    size_t before = mem_in_use();
    void *p = mem_alloc(100000);
    assert_int_equal(mem_in_use(), before + 100000);
    assert_int_equal((uintptr_t)p % 64, 0);
    mem_set_limit(before + 150000);
    assert_null(mem_try_alloc(60000));
    void *q = mem_try_alloc(40000);
    assert_non_null(q);
    mem_set_limit(0);
    mem_free(p);
    mem_free(q);
    assert_int_equal(mem_in_use(), before);
}

static void map_keeps_insertion_order_and_survives_removal(void **state)
{
    (void)state;
    static char keys[3000][8];
    struct map m = {0};
    for (size_t i = 0; i < 3000; i++) {
        snprintf(keys[i], sizeof keys[i], "k%zu", i);
        *map_slot_str(&m, keys[i]) = keys[i];
    }
    for (size_t i = 0; i < 3000; i += 3)
        assert_true(map_remove(&m, keys[i], strlen(keys[i])));
    assert_false(map_remove(&m, "nothing", 7));
    assert_int_equal(m.count, 2000);
    for (size_t i = 0; i < 3000; i++)
        assert_ptr_equal(map_get_str(&m, keys[i]), i % 3 ? keys[i] : NULL);
    *map_slot_str(&m, keys[0]) = keys[1];
    assert_ptr_equal(map_get_str(&m, keys[0]), keys[1]);
    const char *last = NULL;
    for (size_t i = 0; i < m.used; i++)
        if (m.entries[i].hash) {
            const char *key = m.entries[i].key;
            if (last && key != keys[0])
                assert_true(key > last);
            last = key;
        }
    map_release(&m);
}

static void integer_keys_differ_from_bytes(void **state)
{
    (void)state;
    struct map m = {0};
    int a, b;
    *map_slot_u64(&m, 0) = &a;
    *map_slot(&m, "", 0) = &b;
    assert_ptr_equal(map_get_u64(&m, 0), &a);
    assert_ptr_equal(map_get(&m, NULL, 0), &b);
    assert_false(map_has_u64(&m, 1));
    map_release(&m);
}

static void interned_strings_compare_by_address(void **state)
{
    (void)state;
    struct intern *t = intern_new();
    const char *a = intern(t, "conv"), *b = intern_bytes(t, "convolve", 4);
    assert_ptr_equal(a, b);
    assert_false(intern_has(t, "pool"));
    assert_ptr_not_equal(intern(t, "pool"), a);
    assert_string_equal(intern(t, ""), "");
    intern_free(t);
}

static void vectors_grow(void **state)
{
    (void)state;
    VEC(int) v = {0};
    for (int i = 0; i < 1000; i++)
        vec_push(&v, i * i);
    assert_int_equal(vec_last(&v), 999 * 999);
    assert_int_equal(vec_pop(&v), 999 * 999);
    assert_int_equal(v.count, 999);
    vec_free(&v);
    assert_null(v.data);
}

static void element_types_know_their_sizes(void **state)
{
    (void)state;
    size_t bytes;
    assert_true(dtype_bytes(DT_INT4, 5, &bytes));
    assert_int_equal(bytes, 3);
    assert_true(dtype_bytes(DT_UINT2, 5, &bytes));
    assert_int_equal(bytes, 2);
    assert_false(dtype_bytes(DT_FLOAT, INT64_MAX, &bytes));
    assert_false(dtype_bytes(DT_FLOAT, -1, &bytes));
    assert_int_equal(dtype_min(DT_INT4), -8);
    assert_int_equal(dtype_max(DT_UINT4), 15);
    assert_int_equal(dtype_max(DT_UINT64), INT64_MAX);
    assert_int_equal(dtype_min(DT_INT64), INT64_MIN);
    for (int t = DT_FLOAT; t < DT_COUNT; t++)
        assert_int_equal(dtype_find(dtype_name((enum dtype)t)), t);
    assert_int_equal(dtype_find("f32"), DT_FLOAT);
    assert_int_equal(dtype_find("float31"), DT_UNDEFINED);
}

static void bitsets_hold_members(void **state)
{
    (void)state;
    struct bitset s = bitset_new(130);
    bitset_add(&s, 129);
    bitset_add(&s, 0);
    bitset_drop(&s, 0);
    assert_true(bitset_has(&s, 129));
    assert_false(bitset_has(&s, 0));
    bitset_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_stable_aligned_memory),
        cmocka_unit_test(memory_is_accounted_and_bounded),
        cmocka_unit_test(map_keeps_insertion_order_and_survives_removal),
        cmocka_unit_test(integer_keys_differ_from_bytes),
        cmocka_unit_test(interned_strings_compare_by_address),
        cmocka_unit_test(vectors_grow),
        cmocka_unit_test(element_types_know_their_sizes),
        cmocka_unit_test(bitsets_hold_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
