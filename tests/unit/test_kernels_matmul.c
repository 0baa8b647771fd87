/* MatMul, Gemm and MatMulInteger: shape rules, broadcasting, transposition, order of summation. */
#include "nn_test.h"

#include "kernels/float/gemm.h"
#include "kernels/float/matmul.h"

static void shapes_follow_numpy(void **state)
{
    (void)state;
    struct matmul_params p;
    int64_t y[MATMUL_MAX_BATCH_RANK + 2];
    int rank;
    const int64_t a[] = {5, 1, 2, 3}, b[] = {4, 3, 6}, v[] = {3}, bad[] = {2};
    assert_true(matmul_plan(a, 4, b, 3, &p, y, &rank));
    assert_int_equal(rank, 4);
    assert_true(y[0] == 5 && y[1] == 4 && y[2] == 2 && y[3] == 6);
    assert_int_equal(matmul_batches(&p), 20);
    assert_true(matmul_plan(v, 1, v, 1, &p, y, &rank));
    assert_int_equal(rank, 0);
    assert_true(matmul_plan(a, 4, v, 1, &p, y, &rank));
    assert_true(rank == 3 && y[2] == 2);
    assert_true(matmul_plan(v, 1, b, 3, &p, y, &rank));
    assert_true(rank == 2 && y[0] == 4 && y[1] == 6);
    assert_false(matmul_plan(bad, 1, v, 1, &p, y, &rank));
    assert_false(matmul_plan(v, 0, v, 1, &p, y, &rank));
    const int64_t c[] = {2, 3, 6};
    assert_false(matmul_plan(b, 3, c, 3, &p, y, &rank));
    const int64_t huge[] = {(int64_t)1 << 40, (int64_t)1 << 40, 3};
    assert_false(matmul_plan(huge, 3, v, 1, &p, y, &rank));
}

/* The contract: runs of GEMM_RUN, each summed from zero, then added up. */
static float contract(int64_t k, const float *a, int64_t a_step, const float *b, int64_t b_step)
{
    float total = 0;
    for (int64_t p0 = 0; p0 < k; p0 += GEMM_RUN) {
        float sum = 0;
        for (int64_t p = p0; p < k && p < p0 + GEMM_RUN; p++)
            sum += a[p * a_step] * b[p * b_step];
        total = p0 ? total + sum : sum;
    }
    return total;
}

static void every_shape_sums_in_the_same_order(void **state)
{
    (void)state;
    static const int64_t SHAPES[][3] = {{1, 1, 1},    {1, 40, 300}, {40, 1, 300},
                                        {3, 5, 700},  {4, 16, 256}, {5, 17, 257},
                                        {33, 70, 64}, {7, 130, 0},  {64, 3, 513}};
    uint64_t r = 6;
    for (int s = 0; s < COUNT(SHAPES); s++) {
        const int64_t m = SHAPES[s][0], n = SHAPES[s][1], k = SHAPES[s][2], a_dims[] = {m, k},
                      b_dims[] = {k, n};
        float *a = test_floats(&r, m * k), *b = test_floats(&r, k * n), *y = test_zeros(m * n);
        struct matmul_params p;
        int64_t y_dims[MATMUL_MAX_BATCH_RANK + 2];
        int rank;
        assert_true(matmul_plan(a_dims, 2, b_dims, 2, &p, y_dims, &rank));
        matmul_f32(&p, a, b, y);
        for (int64_t i = 0; i < m * n; i++)
            assert_true(y[i] == contract(k, a + i / n * k, 1, b + i % n, n));
        mem_free(a), mem_free(b), mem_free(y);
    }
}

static void batches_broadcast(void **state)
{
    (void)state;
    const int64_t a_dims[] = {2, 1, 1, 2}, b_dims[] = {3, 2, 1};
    const double a[] = {1, 10, 2, 20}, b[] = {1, 2, 3, 4, 5, 6}, want[] = {21, 43, 65, 42, 86, 130};
    double y[6];
    struct matmul_params p;
    int64_t y_dims[MATMUL_MAX_BATCH_RANK + 2];
    int rank;
    assert_true(matmul_plan(a_dims, 4, b_dims, 3, &p, y_dims, &rank));
    matmul_f64(&p, a, b, y);
    assert_memory_equal(y, want, sizeof want);
}

static void integers_wrap(void **state)
{
    (void)state;
    const int64_t dims[] = {1};
    const uint32_t a[] = {0x80000001u}, b[] = {4};
    const uint64_t c[] = {UINT64_MAX}, d[] = {3};
    uint32_t y[1];
    uint64_t z[1];
    struct matmul_params p;
    int64_t y_dims[MATMUL_MAX_BATCH_RANK + 2];
    int rank;
    assert_true(matmul_plan(dims, 1, dims, 1, &p, y_dims, &rank));
    matmul_u32(&p, a, b, y);
    matmul_u64(&p, c, d, z);
    assert_true(y[0] == 4 && z[0] == UINT64_MAX - 2);
}

static void gemm_scales_transposes_and_broadcasts(void **state)
{
    (void)state;
    const float a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 0, 1, 1, 1},
                c[] = {100, 200, 300}; /* 2 x 3, 3 x 2 */
    float y[9];
    /* a b = {4 5; 10 11}; 2 a b + 0.5 c by columns */
    const float columns[] = {58, 110, 70, 122};
    gemm_full_f32(&(struct gemm_args){2, 2, 3, false, false, 2, 0.5, 0, 1}, a, b, c, y);
    test_same(y, columns, 4);
    const float by_rows[] = {58, 60, 120, 122};
    gemm_full_f32(&(struct gemm_args){2, 2, 3, false, false, 2, 0.5, 1, 0}, a, b, c, y);
    test_same(y, by_rows, 4);
    /* a' b' with a as 3 x 2 transposed and b as 2 x 3 transposed: a' = {1 3 5; 2 4 6}, b' = {1 1; 0
     * 1; 0 1} */
    const float transposed[] = {1, 9, 2, 12};
    gemm_full_f32(&(struct gemm_args){2, 2, 3, true, true, 1, 1, 0, 0}, a, b, NULL, y);
    test_same(y, transposed, 4);
    const uint32_t ai[] = {1, 2, 3, 4, 5, 6}, bi[] = {1, 0, 0, 1, 1, 1}, ci[] = {(uint32_t)-3};
    uint32_t yi[4];
    gemm_full_u32(&(struct gemm_args){2, 2, 3, false, false, 2, 1, 0, 0}, ai, bi, ci, yi);
    assert_true(yi[0] == 5 && yi[3] == 19);
}

static void matmul_integer_by_hand(void **state)
{
    (void)state;
    const int64_t a_dims[] = {2, 2}, b_dims[] = {2, 2};
    const uint8_t a[] = {11, 7, 3, 10};
    const int8_t b[] = {1, 4, -2, 5};
    const int32_t a_zero[] = {12, 2}, b_zero[] = {0, 1};
    int32_t y[4];
    struct matmul_params p;
    int64_t y_dims[MATMUL_MAX_BATCH_RANK + 2];
    int rank;
    assert_true(matmul_plan(a_dims, 2, b_dims, 2, &p, y_dims, &rank));
    matmul_int(&p, &(struct matmul_int_args){a, b, false, true, {a_zero, 1, 0}, {b_zero, 1, 0}}, y);
    /* rows {-1 -5} and {1 8}; columns {1 -2} and {3 4} */
    assert_true(y[0] == 9 && y[1] == -23 && y[2] == -15 && y[3] == 35);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_follow_numpy),
        cmocka_unit_test(every_shape_sums_in_the_same_order),
        cmocka_unit_test(batches_broadcast),
        cmocka_unit_test(integers_wrap),
        cmocka_unit_test(gemm_scales_transposes_and_broadcasts),
        cmocka_unit_test(matmul_integer_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
