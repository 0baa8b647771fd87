/* ArgMax, TopK and Unique by counting, gathering and scattering by index arithmetic, the operators
 * that make elements. */
#include "kernel_test.h"

#include "base/num.h"
#include "kernels/float/fill.h"
#include "kernels/float/gather.h"
#include "kernels/float/select.h"

enum { MAX = 8000 };
static float x[MAX], y[MAX];
static int64_t indices[MAX];

static void fill_source(int64_t different)
{
    for (int i = 0; i < MAX; i++)
        x[i] = (float)random_below(different) - (float)different / 2;
}

static void test_arg(void **state)
{
    (void)state;
    fill_source(6); /* many ties */
    for (int trial = 0; trial < 500; trial++) {
        struct arg_args a = {DT_FLOAT,
                             trial & 1,
                             trial & 2,
                             1 + random_below(4),
                             1 + random_below(9),
                             1 + random_below(90)};
        assert_int_equal(kernel_arg(&a, x, indices), KERNEL_OK);
        for (int64_t line = 0; line < a.outer * a.inner; line++) {
            int64_t start = line / a.inner * a.axis * a.inner + line % a.inner, best = 0;
            for (int64_t i = 1; i < a.axis; i++) {
                float v = x[start + i * a.inner], b = x[start + best * a.inner];
                if ((a.largest ? v > b : v < b) || (v == b && a.select_last))
                    best = i;
            }
            assert_int_equal(indices[line], best);
        }
    }
    const float nan[] = {1, NAN, 9, NAN};
    for (int largest = 0; largest < 2; largest++) {
        assert_int_equal(
            kernel_arg(&(struct arg_args){DT_FLOAT, largest, false, 1, 4, 1}, nan, indices),
            KERNEL_OK);
        assert_int_equal(indices[0], 1);
    }
    const uint64_t u[] = {1, UINT64_MAX, 7};
    assert_int_equal(kernel_arg(&(struct arg_args){DT_UINT64, true, false, 1, 3, 1}, u, indices),
                     KERNEL_OK);
    assert_int_equal(indices[0], 1);
    const float zeros[] = {0.0f, -0.0f};
    assert_int_equal(
        kernel_arg(&(struct arg_args){DT_FLOAT, false, false, 1, 2, 1}, zeros, indices), KERNEL_OK);
    assert_int_equal(indices[0], 0); /* equal */
    assert_int_equal(
        kernel_arg(&(struct arg_args){DT_FLOAT, false, false, 1, 0, 1}, zeros, indices),
        KERNEL_SHAPE);
}

static void test_topk(void **state)
{
    (void)state;
    for (int trial = 0; trial < 600; trial++) {
        fill_source(trial % 3 ? 5 : 1000);
        struct topk_args a = {DT_FLOAT,
                              trial & 1,
                              1 + random_below(3),
                              1 + random_below(trial % 5 ? 12 : 300),
                              1 + random_below(4),
                              0};
        a.k = random_below(a.axis + 1);
        assert_int_equal(kernel_topk(&a, x, y, indices), KERNEL_OK);
        for (int64_t line = 0; line < a.outer * a.inner && a.k; line++) {
            int64_t start = line / a.inner * a.axis * a.inner + line % a.inner;
            int64_t out = line / a.inner * a.k * a.inner + line % a.inner;
            for (int64_t i = 0; i < a.k; i++) { /* exactly i elements of the line come before it */
                int64_t at = indices[out + i * a.inner], before = 0;
                float v = x[start + at * a.inner];
                for (int64_t j = 0; j < a.axis; j++) {
                    float w = x[start + j * a.inner];
                    before += (a.largest ? w > v : w < v) || (w == v && j < at);
                }
                assert_int_equal(before, i);
                assert_true(y[out + i * a.inner] == v);
            }
        }
    }
    const float nan[] = {1, NAN, 9};
    assert_int_equal(kernel_topk(&(struct topk_args){DT_FLOAT, true, 1, 3, 1, 2}, nan, y, indices),
                     KERNEL_OK);
    assert_true(isnan(y[0]) && y[1] == 9);
    assert_int_equal(
        kernel_topk(&(struct topk_args){DT_FLOAT, false, 1, 3, 1, 3}, nan, NULL, indices),
        KERNEL_OK);
    assert_true(indices[0] == 0 && indices[1] == 2 && indices[2] == 1);
    assert_int_equal(kernel_topk(&(struct topk_args){DT_FLOAT, false, 1, 3, 1, 4}, nan, y, indices),
                     KERNEL_VALUE);
    assert_int_equal(kernel_topk(&(struct topk_args){DT_BOOL, false, 1, 3, 1, 1}, nan, y, indices),
                     KERNEL_TYPE);
}

static void test_unique(void **state)
{
    (void)state;
    static int64_t first[MAX], inverse[MAX], counts[MAX];
    for (int trial = 0; trial < 300; trial++) {
        struct unique_args a = {DT_FLOAT, 1 + random_below(2), random_below(60),
                                1 + random_below(3), trial & 1};
        fill_source(trial % 2 ? 2 : 4);
        int64_t found = -1;
        assert_int_equal(kernel_unique(&a, x, first, inverse, counts, &found), KERNEL_OK);
        for (int64_t i = 0, total = 0; i < found; i++) {
            total += counts[i];
            assert_int_equal(inverse[first[i]], i);
            assert_true(i + 1 < found || total == a.n);
            assert_true(a.sorted || i == 0 || first[i] > first[i - 1]);
            int64_t before = 0;
            for (int64_t j = 0; j < a.n; j++)
                before += inverse[j] == i && j < first[i];
            assert_int_equal(before, 0);
        }
        for (int64_t i = 0; i < a.n;
             i++) /* equal numbers exactly for equal slices, rising when sorted */
            for (int64_t j = 0; j < a.n; j++) {
                int order = 0;
                for (int64_t o = 0; o < a.outer && !order; o++)
                    for (int64_t k = 0; k < a.inner && !order; k++) {
                        float p = x[(o * a.n + i) * a.inner + k],
                              q = x[(o * a.n + j) * a.inner + k];
                        order = (p > q) - (p < q);
                    }
                assert_true((order == 0) == (inverse[i] == inverse[j]));
                assert_true(!a.sorted || order == 0 || (order > 0) == (inverse[i] > inverse[j]));
            }
    }
}

static void test_gather(void **state)
{
    (void)state;
    fill_source(10000);
    const int32_t i32[] = {2, -1, 0, -3};
    struct gather_args a = {4, DT_INT32, 2, 3, 5, 4};
    assert_int_equal(kernel_gather(&a, x, i32, y), KERNEL_OK);
    const int64_t want[] = {2, 2, 0, 0};
    for (int64_t i = 0; i < 40; i++)
        assert_true(y[i] == x[(i / 20 * 3 + want[i / 5 % 4]) * 5 + i % 5]);
    const int64_t beyond[] = {3}, below[] = {-4};
    a.count = 1;
    a.index_type = DT_INT64;
    assert_int_equal(kernel_gather(&a, x, beyond, y), KERNEL_INDEX);
    assert_int_equal(kernel_gather(&a, x, below, y), KERNEL_INDEX);
    a.index_type = DT_FLOAT;
    assert_int_equal(kernel_gather(&a, x, below, y), KERNEL_TYPE);
}

static void test_elements(void **state)
{
    (void)state;
    fill_source(10000);
    for (int trial = 0; trial < 500; trial++) {
        int64_t dims[4], index_dims[4], at[4];
        int rank = 1 + (int)random_below(4), axis = (int)random_below(rank);
        for (int i = 0; i < rank; i++) {
            dims[i] = 1 + random_below(5);
            index_dims[i] = i == axis ? random_below(6) : 1 + random_below(dims[i]);
        }
        int64_t n = product(index_dims, rank), size = product(dims, rank);
        for (int64_t i = 0; i < n; i++)
            indices[i] = random_below(2 * dims[axis]) - dims[axis];
        assert_int_equal(
            kernel_gather_elements(4, DT_INT64, rank, dims, axis, index_dims, x, indices, y),
            KERNEL_OK);
        static float want[MAX], sum[MAX];
        memset(want, 0, sizeof want);
        for (int64_t i = 0; i < n; i++) {
            unravel(i, index_dims, rank, at);
            at[axis] = indices[i] + (indices[i] < 0 ? dims[axis] : 0);
            assert_true(y[i] == x[ravel(at, dims, rank)]);
            want[ravel(at, dims, rank)] += x[i];
        }
        memset(sum, 0, sizeof sum);
        assert_int_equal(kernel_scatter_elements(SCATTER_ADD, DT_FLOAT, DT_INT64, rank, dims, axis,
                                                 index_dims, indices, x, sum),
                         KERNEL_OK);
        assert_memory_equal(sum, want, (size_t)size * sizeof(float));
    }
    int64_t dims[] = {3}, one[] = {1}, bad[] = {3};
    assert_int_equal(kernel_gather_elements(4, DT_INT64, 1, dims, 0, one, x, bad, y), KERNEL_INDEX);
    assert_int_equal(
        kernel_scatter_elements(SCATTER_NONE, DT_FLOAT, DT_INT64, 1, dims, 0, one, bad, x, y),
        KERNEL_INDEX);
    assert_int_equal(kernel_gather_elements(4, DT_INT64, 1, dims, 1, one, x, bad, y), KERNEL_SHAPE);
}

static void test_scatter_reductions(void **state)
{
    (void)state;
    const int64_t dims[] = {2}, count[] = {3}, at[] = {0, 0, -2};
    static const struct {
        enum scatter_reduction how;
        int8_t y;
    } rows[] = {{SCATTER_NONE, -2},
                {SCATTER_ADD, -37},
                {SCATTER_MUL, (int8_t)(3 * 100 * 118 * -2)},
                {SCATTER_MIN, -2},
                {SCATTER_MAX, 118}};
    const int8_t updates[] = {100, 118, -2};
    for (int64_t i = 0; i < COUNT(rows); i++) {
        int8_t data[] = {3, 4};
        assert_int_equal(kernel_scatter_elements(rows[i].how, DT_INT8, DT_INT64, 1, dims, 0, count,
                                                 at, updates, data),
                         KERNEL_OK);
        assert_int_equal(data[0], rows[i].y);
        assert_int_equal(data[1], 4);
    }
    float data[] = {1, 1}, update[] = {NAN, 3, 3};
    assert_int_equal(kernel_scatter_elements(SCATTER_MAX, DT_FLOAT, DT_INT64, 1, dims, 0, count, at,
                                             update, data),
                     KERNEL_OK);
    assert_true(isnan(data[0]));
    uint8_t flags[] = {0, 0};
    assert_int_equal(kernel_scatter_elements(SCATTER_ADD, DT_BOOL, DT_INT64, 1, dims, 0, count, at,
                                             flags, flags),
                     KERNEL_TYPE);
}

static void test_nd(void **state)
{
    (void)state;
    fill_source(10000);
    const int64_t dims[] = {3, 4}, tuples[] = {0, 1, -1, -1, 2, 0};
    struct nd_args a = {4, DT_INT64, 1, 3, 5, 2, dims}; /* x [3, 4, 5] */
    assert_int_equal(kernel_gather_nd(&a, x, tuples, y), KERNEL_OK);
    const int64_t rows[] = {1, 11, 8};
    for (int i = 0; i < 15; i++)
        assert_true(y[i] == x[rows[i / 5] * 5 + i % 5]);
    float data[60] = {0};
    assert_int_equal(kernel_scatter_nd(SCATTER_NONE, DT_FLOAT, &a, tuples, x, data), KERNEL_OK);
    for (int i = 0; i < 15; i++)
        assert_true(data[rows[i / 5] * 5 + i % 5] == x[i]);
    struct nd_args batched = {4, DT_INT64, 2,       1,
                              5, 1,        dims + 1}; /* x [2, 4, 5], one index per batch */
    const int64_t ones[] = {3, 1}, bad[] = {0, 4};
    assert_int_equal(kernel_gather_nd(&batched, x, ones, y), KERNEL_OK);
    for (int i = 0; i < 10; i++)
        assert_true(y[i] == x[(i / 5 ? 4 + 1 : 3) * 5 + i % 5]);
    assert_int_equal(kernel_gather_nd(&batched, x, bad, y), KERNEL_INDEX);
    const int64_t late[] = {0, 0, 0, 0, 3, 0};
    memset(data, 0, sizeof data);
    assert_int_equal(kernel_scatter_nd(SCATTER_NONE, DT_FLOAT, &a, late, x, data), KERNEL_INDEX);
    assert_true(data[0] == 0); /* nothing was written */
}

static void test_range(void **state)
{
    (void)state;
    int64_t n;
    const float start = 1, limit = 5, delta = 1.5f, zero = 0;
    assert_int_equal(kernel_range_count(DT_FLOAT, &start, &limit, &delta, &n), KERNEL_OK);
    assert_int_equal(n, 3);
    assert_int_equal(kernel_range(DT_FLOAT, &start, &delta, y, n), KERNEL_OK);
    assert_true(y[0] == 1 && y[1] == 2.5f && y[2] == 4);
    assert_int_equal(kernel_range_count(DT_FLOAT, &limit, &start, &delta, &n), KERNEL_OK);
    assert_int_equal(n, 0);
    assert_int_equal(kernel_range_count(DT_FLOAT, &start, &limit, &zero, &n), KERNEL_ZERO);
    const float inf = INFINITY, tiny = 1e-30f;
    assert_int_equal(kernel_range_count(DT_FLOAT, &start, &inf, &delta, &n), KERNEL_VALUE);
    assert_int_equal(kernel_range_count(DT_FLOAT, &start, &limit, &tiny, &n), KERNEL_VALUE);
    const int64_t low = INT64_MIN, high = INT64_MAX, one = 1, big = INT64_MAX, ten = 10, minus = -3;
    assert_int_equal(kernel_range_count(DT_INT64, &low, &high, &one, &n), KERNEL_VALUE);
    assert_int_equal(kernel_range_count(DT_INT64, &low, &high, &big, &n), KERNEL_OK);
    assert_int_equal(n, 3);
    assert_int_equal(kernel_range_count(DT_INT64, &ten, &one, &minus, &n), KERNEL_OK);
    assert_int_equal(n, 3);
    assert_int_equal(kernel_range(DT_INT64, &ten, &minus, indices, n), KERNEL_OK);
    assert_true(indices[0] == 10 && indices[2] == 4);
    assert_int_equal(kernel_range_count(DT_UINT8, &ten, &one, &minus, &n), KERNEL_TYPE);
}

static void test_made(void **state)
{
    (void)state;
    static const int64_t ks[] = {0, 1, -1, 5, -5, INT64_MIN, INT64_MAX};
    for (int64_t j = 0; j < COUNT(ks); j++) {
        assert_int_equal(kernel_eye(DT_FLOAT, 3, 4, ks[j], y), KERNEL_OK);
        for (int64_t i = 0; i < 12; i++)
            assert_true(y[i] == (ks[j] >= -4 && ks[j] <= 4 && i % 4 - i / 4 == ks[j]));
    }
    const float at[] = {1, -1, 7, 0.9f};
    const int32_t values[] = {-5, 6};
    int32_t hot[12],
        want[] = {-5, -5, -5, 6, 6, -5, -5, -5, -5, 6, -5, -5}; /* depth 3 before inner 4 */
    assert_int_equal(kernel_one_hot(4, DT_FLOAT, 1, 3, 4, at, values, hot), KERNEL_OK);
    assert_memory_equal(hot, want, sizeof want);
    const float z[] = {0, 1, -0.0f, NAN, 0, 2};
    int64_t found[9], dims[] = {2, 3};
    assert_int_equal(kernel_nonzero_count(DT_FLOAT, z, 6), 3);
    assert_int_equal(kernel_nonzero(DT_FLOAT, z, 2, dims, 3, found), KERNEL_OK);
    assert_memory_equal(found, ((int64_t[]){0, 1, 1, 1, 0, 2}), 6 * sizeof(int64_t));
    uint16_t cells[3], pattern = 0x1234;
    kernel_fill(2, &pattern, cells, 3);
    assert_true(cells[0] == 0x1234 && cells[2] == 0x1234);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arg),      cmocka_unit_test(test_topk),
        cmocka_unit_test(test_unique),   cmocka_unit_test(test_gather),
        cmocka_unit_test(test_elements), cmocka_unit_test(test_scatter_reductions),
        cmocka_unit_test(test_nd),       cmocka_unit_test(test_range),
        cmocka_unit_test(test_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
