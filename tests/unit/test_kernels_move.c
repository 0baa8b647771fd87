/* Operators that only move elements, against index arithmetic on random shapes, for every element
 * size. */
#include "kernel_test.h"

#include "base/num.h"
#include "kernels/float/pack.h"
#include "kernels/float/pad.h"
#include "kernels/float/rearrange.h"

enum { MAX = 60000 };
static const size_t SIZES[] = {1, 2, 3, 4, 8, 16};
static unsigned char x[MAX * 16], y[MAX * 16 + 16];

static void fill_source(void)
{
    for (size_t i = 0; i < sizeof x; i++)
        x[i] = (unsigned char)random_bits();
}

static int random_dims(int64_t *dims, int max_rank, int64_t max_dim)
{
    int rank = (int)random_below(max_rank + 1);
    for (int i = 0; i < rank; i++)
        dims[i] = 1 + random_below(max_dim);
    return rank;
}

static void expect(size_t size, int64_t to, int64_t from)
{
    assert_memory_equal(y + (size_t)to * size, x + (size_t)from * size, size);
}

static void test_transpose(void **state)
{
    (void)state;
    fill_source();
    for (int trial = 0; trial < 1500; trial++) {
        int64_t dims[6], out[6], index[6], source[6];
        int perm[6], rank = random_dims(dims, trial % 10 ? 5 : 2, trial % 10 ? 6 : 90);
        for (int i = 0; i < rank; i++)
            perm[i] = i;
        for (int i = rank - 1; i > 0; i--) {
            int64_t j = random_below(i + 1);
            int swap = perm[i];
            perm[i] = perm[j];
            perm[j] = swap;
        }
        for (int i = 0; i < rank; i++)
            out[i] = dims[perm[i]];
        size_t size = SIZES[trial % COUNT(SIZES)];
        assert_int_equal(kernel_transpose(size, rank, dims, perm, x, y), KERNEL_OK);
        for (int64_t i = 0; i < product(dims, rank); i++) {
            unravel(i, out, rank, index);
            for (int k = 0; k < rank; k++)
                source[perm[k]] = index[k];
            expect(size, i, ravel(source, dims, rank));
        }
    }
    int64_t dims[] = {2, 2};
    assert_int_equal(kernel_transpose(4, 2, dims, (int[]){0, 0}, x, y), KERNEL_VALUE);
    assert_int_equal(kernel_transpose(4, 2, dims, (int[]){0, 2}, x, y), KERNEL_VALUE);
}

static void test_slice(void **state)
{
    (void)state;
    fill_source();
    for (int trial = 0; trial < 1500; trial++) {
        int64_t dims[5], out[5], start[5], step[5], index[5], source[5];
        int rank = random_dims(dims, 4, 9);
        for (int i = 0; i < rank; i++) {
            start[i] = random_below(dims[i]);
            step[i] = random_below(2) ? 1 : random_below(7) - 3;
            step[i] = step[i] ? step[i] : 2;
            int64_t room = step[i] > 0 ? (dims[i] - 1 - start[i]) / step[i] : start[i] / -step[i];
            out[i] = 1 + random_below(room + 1);
        }
        size_t size = SIZES[trial % COUNT(SIZES)];
        assert_int_equal(kernel_slice(size, rank, dims, start, step, out, x, y), KERNEL_OK);
        for (int64_t i = 0; i < product(out, rank); i++) {
            unravel(i, out, rank, index);
            for (int k = 0; k < rank; k++)
                source[k] = start[k] + index[k] * step[k];
            expect(size, i, ravel(source, dims, rank));
        }
    }
    int64_t dims[] = {5}, out[] = {3}, none[] = {0}, start[] = {1}, step[] = {2}, far[] = {5},
            huge[] = {INT64_MAX};
    assert_int_equal(kernel_slice(4, 1, dims, start, step, out, x, y), KERNEL_INDEX); /* 1, 3, 5 */
    assert_int_equal(kernel_slice(4, 1, dims, far, step, out, x, y), KERNEL_INDEX);
    assert_int_equal(kernel_slice(4, 1, dims, start, huge, out, x, y), KERNEL_INDEX);
    assert_int_equal(kernel_slice(4, 1, dims, far, step, none, x, y), KERNEL_OK);
    out[0] = 1;
    assert_int_equal(kernel_slice(4, 1, dims, start, huge, out, x, y), KERNEL_OK);
    expect(4, 0, 1);
}

static void test_expand_tile(void **state)
{
    (void)state;
    fill_source();
    for (int trial = 0; trial < 1000; trial++) {
        int64_t dims[5], out[6], repeats[5], index[6], source[6];
        int rank = random_dims(dims, 4, 4), lead = (int)random_below(2);
        size_t size = SIZES[trial % COUNT(SIZES)];
        for (int i = 0; i < rank; i++)
            repeats[i] = random_below(4);
        assert_int_equal(kernel_tile(size, rank, dims, repeats, x, y), KERNEL_OK);
        for (int i = 0; i < rank; i++)
            out[i] = dims[i] * repeats[i];
        for (int64_t i = 0; i < product(out, rank); i++) {
            unravel(i, out, rank, index);
            for (int k = 0; k < rank; k++)
                source[k] = index[k] % dims[k];
            expect(size, i, ravel(source, dims, rank));
        }
        out[0] = 3;
        for (int i = 0; i < rank; i++) {
            dims[i] = random_below(2) ? dims[i] : 1;
            out[i + lead] = dims[i] == 1 ? 1 + random_below(4) : dims[i];
        }
        assert_int_equal(kernel_expand(size, rank, dims, rank + lead, out, x, y), KERNEL_OK);
        for (int64_t i = 0; i < product(out, rank + lead); i++) {
            unravel(i, out, rank + lead, index);
            for (int k = 0; k < rank; k++)
                source[k] = dims[k] == 1 ? 0 : index[k + lead];
            expect(size, i, ravel(source, dims, rank));
        }
    }
    int64_t two[] = {2}, three[] = {3}, minus[] = {-1};
    assert_int_equal(kernel_expand(4, 1, two, 1, three, x, y), KERNEL_SHAPE);
    assert_int_equal(kernel_tile(4, 1, two, minus, x, y), KERNEL_VALUE);
}

static void test_concat_split(void **state)
{
    (void)state;
    fill_source();
    const int64_t parts[] = {2, 0, 3}; /* [2, 5, 4] from [2, 2, 4], [2, 0, 4], [2, 3, 4] */
    static unsigned char a[2 * 2 * 4 * 16], b[1], c[2 * 3 * 4 * 16], back[2 * 5 * 4 * 16];
    for (int64_t k = 0; k < COUNT(SIZES); k++) {
        size_t size = SIZES[k];
        void *out[] = {a, b, c}, *some[] = {NULL, b, back};
        assert_int_equal(kernel_split(size, 2, 4, 3, parts, x, out), KERNEL_OK);
        for (int64_t o = 0; o < 2; o++)
            for (int64_t i = 0; i < 5; i++) {
                unsigned char *piece = i < 2 ? a + (size_t)((o * 2 + i) * 4) * size
                                             : c + (size_t)((o * 3 + i - 2) * 4) * size;
                assert_memory_equal(piece, x + (size_t)((o * 5 + i) * 4) * size, 4 * size);
            }
        const void *in[] = {a, b, c};
        assert_int_equal(kernel_concat(size, 2, 4, 3, parts, in, back), KERNEL_OK);
        assert_memory_equal(back, x, 40 * size);
        assert_int_equal(kernel_split(size, 2, 4, 3, parts, x, some), KERNEL_OK);
        assert_memory_equal(back, c, 24 * size);
    }
}

static void test_depth_space(void **state)
{
    (void)state;
    fill_source();
    const int64_t n = 2, c = 3, h = 4, w = 5, b = 2, deep[] = {n, c * b * b, h, w},
                  wide[] = {n, c, h * b, w * b};
    for (int crd = 0; crd < 2; crd++) {
        assert_int_equal(kernel_depth_to_space(4, deep, b, crd, x, y), KERNEL_OK);
        for (int64_t i = 0; i < product(wide, 4); i++) {
            int64_t at[4];
            unravel(i, wide, 4, at);
            int64_t bh = at[2] % b, bw = at[3] % b, block = bh * b + bw;
            int64_t channel = crd ? at[1] * b * b + block : block * c + at[1];
            expect(4, i, ravel((int64_t[]){at[0], channel, at[2] / b, at[3] / b}, deep, 4));
        }
    }
    assert_int_equal(kernel_space_to_depth(4, wide, b, x, y), KERNEL_OK);
    for (int64_t i = 0; i < product(deep, 4); i++) {
        int64_t at[4];
        unravel(i, deep, 4, at);
        int64_t block = at[1] / c;
        expect(4, i,
               ravel((int64_t[]){at[0], at[1] % c, at[2] * b + block / b, at[3] * b + block % b},
                     wide, 4));
    }
    assert_int_equal(kernel_depth_to_space(4, (int64_t[]){1, 6, 2, 2}, 2, false, x, y),
                     KERNEL_VALUE);
    assert_int_equal(kernel_space_to_depth(4, (int64_t[]){1, 1, 3, 2}, 2, x, y), KERNEL_VALUE);
    assert_int_equal(kernel_space_to_depth(4, (int64_t[]){1, 1, 3, 2}, 0, x, y), KERNEL_VALUE);
}

/* The source index of a padded place, by walking step by step. */
static int64_t padded(enum pad_mode mode, int64_t i, int64_t n)
{
    while (i < 0 || i >= n) {
        if (mode == PAD_CONSTANT)
            return -1;
        if (mode == PAD_EDGE)
            i = i < 0 ? 0 : n - 1;
        else if (mode == PAD_WRAP)
            i += i < 0 ? n : -n;
        else
            i = n == 1 ? 0 : i < 0 ? -i : 2 * (n - 1) - i;
    }
    return i;
}

static void test_pad(void **state)
{
    (void)state;
    fill_source();
    static const unsigned char value[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
                               zero[16];
    for (int trial = 0; trial < 2000; trial++) {
        int64_t dims[4], before[4], after[4], out[4], index[4], source[4];
        int rank = random_dims(dims, 3, 6);
        size_t size = SIZES[trial % COUNT(SIZES)];
        struct pad_args a = {size,  (enum pad_mode)(trial % 4), rank, dims, before,
                             after, trial % 8 ? value : NULL};
        for (int i = 0; i < rank; i++) {
            before[i] = random_below(9) - 1;
            after[i] = random_below(9) - 1;
            if (dims[i] < 3)
                before[i] = before[i] < 0 ? 0 : before[i], after[i] = after[i] < 0 ? 0 : after[i];
            out[i] = dims[i] + before[i] + after[i];
        }
        assert_int_equal(kernel_pad(&a, x, y), KERNEL_OK);
        for (int64_t i = 0; i < product(out, rank); i++) {
            bool real = true;
            unravel(i, out, rank, index);
            for (int k = 0; k < rank; k++) {
                int64_t cut = before[k] < 0 ? -before[k] : 0,
                        kept = dims[k] - cut + (after[k] < 0 ? after[k] : 0);
                int64_t from = padded(a.mode, index[k] - (before[k] > 0 ? before[k] : 0), kept);
                real = real && from >= 0;
                source[k] = from + cut;
            }
            if (real)
                expect(size, i, ravel(source, dims, rank));
            else
                assert_memory_equal(y + (size_t)i * size, a.value ? value : zero, size);
        }
    }
    int64_t none[] = {0}, one[] = {1}, minus[] = {-2};
    assert_int_equal(kernel_pad(&(struct pad_args){4, PAD_EDGE, 1, none, one, one, NULL}, x, y),
                     KERNEL_VALUE);
    assert_int_equal(
        kernel_pad(&(struct pad_args){4, PAD_CONSTANT, 1, one, minus, none, NULL}, x, y),
        KERNEL_SHAPE);
    assert_int_equal(
        kernel_pad(&(struct pad_args){4, PAD_CONSTANT, 1, none, one, one, value}, x, y), KERNEL_OK);
    assert_memory_equal(y, "\1\2\3\4\1\2\3\4", 8);
}

static void test_sequences_and_triangles(void **state)
{
    (void)state;
    const int32_t in[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    int32_t out[12];
    const int64_t lengths[] = {3, 1}, bad[] = {4, 0};
    assert_int_equal(kernel_reverse_sequence(4, 2, 3, 2, false, lengths, in, out),
                     KERNEL_OK); /* [batch 2, time 3, 2] */
    assert_memory_equal(out, ((int32_t[]){4, 5, 2, 3, 0, 1, 6, 7, 8, 9, 10, 11}), sizeof out);
    assert_int_equal(kernel_reverse_sequence(4, 2, 3, 2, true, lengths, in, out),
                     KERNEL_OK); /* [time 3, batch 2, 2] */
    assert_memory_equal(out, ((int32_t[]){8, 9, 2, 3, 4, 5, 6, 7, 0, 1, 10, 11}), sizeof out);
    assert_int_equal(kernel_reverse_sequence(4, 2, 3, 2, false, bad, in, out), KERNEL_VALUE);
    for (int64_t k = -5; k <= 5; k++)
        for (int upper = 0; upper < 2; upper++) {
            assert_int_equal(kernel_trilu(4, 1, 3, 4, k, upper, in, out), KERNEL_OK);
            for (int64_t i = 0; i < 12; i++) {
                bool keep = upper ? i % 4 - i / 4 >= k : i % 4 - i / 4 <= k;
                assert_int_equal(out[i], keep ? in[i] : 0);
            }
        }
    assert_int_equal(kernel_trilu(4, 1, 3, 4, INT64_MIN, true, in, out), KERNEL_OK);
    assert_memory_equal(out, in, sizeof in);
    const uint8_t condition[] = {0, 1, 0, 1, 1};
    assert_int_equal(kernel_compress_count(condition, 5, 3), 1);
    assert_int_equal(kernel_compress_count(condition, 2, 3), 1);
    kernel_compress(4, 2, 3, 2, condition, 5, in, out);
    assert_memory_equal(out, ((int32_t[]){2, 3, 8, 9}), 16);
}

static void test_pack(void **state)
{
    (void)state;
    for (int64_t count = 0; count < 9; count++)
        for (int four = 0; four < 2; four++) {
            enum dtype t = four ? DT_INT4 : DT_UINT2;
            uint8_t packed[8] = {0}, bytes[8], back[8];
            memset(back, 0xFF, sizeof back);
            for (int64_t i = 0; i < count; i++)
                num_set_int(packed, t, i, i * 5);
            pack_spread(t, packed, bytes, count);
            for (int64_t i = 0; i < count; i++)
                assert_int_equal(bytes[i], (i * 5) & (four ? 15 : 3));
            pack_gather(t, bytes, back, count);
            size_t size;
            assert_true(dtype_bytes(t, count, &size));
            assert_memory_equal(back, packed, size);
            assert_int_equal(back[size], 0xFF);
        }
    assert_true(pack_needed(DT_FLOAT4E2M1) && !pack_needed(DT_INT8) && !pack_needed(DT_STRING));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transpose),
        cmocka_unit_test(test_slice),
        cmocka_unit_test(test_expand_tile),
        cmocka_unit_test(test_concat_split),
        cmocka_unit_test(test_depth_space),
        cmocka_unit_test(test_pad),
        cmocka_unit_test(test_sequences_and_triangles),
        cmocka_unit_test(test_pack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
