/* Normalizations: hand-computed values, edges, plain loops. */
#include "nn_test.h"

#include "kernels/float/norm.h"

static void batch_inference_by_hand(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4}, scale[] = {2, 1}, bias[] = {1, 0}, mean[] = {1, 2},
                var[] = {4, 1}, want[] = {1, 2, 1, 2};
    float y[4];
    norm_batch_f32(&(struct norm_channels){1, 2, 2, 0}, x,
                   &(struct norm_batch_args){scale, bias, mean, var}, y);
    test_same(y, want, 4);
}

static void batch_training_updates_the_running_values(void **state)
{
    (void)state;
    const float x[] = {1, 3, 10, 10,
                       5, 7, 30, 30}; /* 2 x 2 x 2: channel 0 {1 3 5 7}, channel 1 {10 10 30 30} */
    const float scale[] = {1, 1}, bias[] = {0, 5}, mean[] = {0, 10}, var[] = {1, 0};
    float y[8], m[2], v[2];
    norm_batch_train_f32(&(struct norm_channels){2, 2, 2, 0}, x,
                         &(struct norm_batch_args){scale, bias, mean, var}, 0.75, y, m, v);
    assert_true(m[0] == 1 && m[1] == 12.5f && v[0] == 2 && v[1] == 25);
    assert_true(y[2] == 4 && y[6] == 6);
    assert_true(fabsf(y[0] + 3 / sqrtf(5)) < 1e-6f);
}

static void groups_take_scale_per_group_or_per_channel(void **state)
{
    (void)state;
    const float x[] = {1, 3, 10, 30}, scale[] = {1, 2, 3, 4}, bias[] = {0, 0, 1, 1};
    float y[4];
    const float by_group[] = {-1, 1, -2, 2}, by_channel[] = {-1, 2, -2, 5},
                one_by_one[] = {0, 0, 1, 1};
    const struct norm_channels p = {1, 4, 1, 0};
    norm_group_f32(&p, 2, x, scale, bias, false, y);
    test_same(y, by_group, 4);
    norm_group_f32(&p, 2, x, scale, bias, true, y);
    test_same(y, by_channel, 4);
    norm_instance_f32(&(struct norm_channels){1, 4, 1, 1}, x, scale, bias, y);
    test_same(y, one_by_one, 4);
}

static void layer_matches_plain_loops(void **state)
{
    (void)state;
    uint64_t r = 7;
    const int64_t rows = 5, sizes[] = {1, 7, 8, 33, 1000};
    for (int s = 0; s < COUNT(sizes); s++) {
        const int64_t n = sizes[s];
        float *x = test_floats(&r, rows * n), *scale = test_floats(&r, n),
              *bias = test_floats(&r, rows * n);
        float *y = test_zeros(rows * n), *rms = test_zeros(rows * n), mean[5], inverse[5];
        const struct norm_rows p = {rows, n, 1e-5, scale, bias, n, rows * n},
                               q = {rows, n, 1e-5, scale, NULL, n, 0};
        norm_layer_f32(&p, x, y, mean, inverse);
        norm_rms_f32(&q, x, rms, NULL);
        for (int64_t i = 0; i < rows * n; i++) {
            const float *row = x + i / n * n;
            double sum = 0, var = 0, square = 0;
            for (int64_t j = 0; j < n; j++)
                sum += (double)row[j] / (double)n,
                    square += (double)row[j] * (double)row[j] / (double)n;
            for (int64_t j = 0; j < n; j++)
                var += ((double)row[j] - sum) * ((double)row[j] - sum) / (double)n;
            const double want =
                ((double)x[i] - sum) / sqrt(var + 1e-5) * (double)scale[i % n] + (double)bias[i];
            assert_true(fabs((double)y[i] - want) < 1e-6 * (1 + fabs(want)));
            const double of_rms = (double)x[i] / sqrt(square + 1e-5) * (double)scale[i % n];
            assert_true(fabs((double)rms[i] - of_rms) < 1e-6 * (1 + fabs(of_rms)));
            assert_true(fabs((double)mean[i / n] - sum) < 1e-6 && inverse[i / n] > 0);
        }
        mem_free(x), mem_free(scale), mem_free(bias), mem_free(y), mem_free(rms);
    }
}

static void large_offsets_do_not_cancel(void **state)
{
    (void)state;
    const float x[] = {16777215, 16777216, 16777214, 16777215};
    float y[4];
    norm_layer_f32(&(struct norm_rows){1, 4, 0, NULL, NULL, 0, 0}, x, y, NULL, NULL);
    const float want[] = {0, 1.41421354f, -1.41421354f, 0};
    test_same(y, want, 4);
}

static void lp_keeps_zero_vectors(void **state)
{
    (void)state;
    const float x[] = {3, 0, 4, 0, -1, 0}, two[] = {0.6f, 0, 0.8f, 0},
                one[] = {0.375f, 0, 0.5f, 0, -0.125f, 0};
    float y[6];
    norm_lp_f32(1, 2, 2, 2, x, y);
    test_same(y, two, 4);
    norm_lp_f32(1, 3, 2, 1, x, y);
    test_same(y, one, 6);
}

static void mean_variance_over_any_axes(void **state)
{
    (void)state;
    const int64_t dims[] = {2, 2, 2};
    const bool outer_and_inner[] = {true, false, true}, middle[] = {false, true, false};
    const float x[] = {1, 1, 5, 7, 3, 3, 5, 7}, want[] = {-1, -1, -1, 1, 1, 1, -1, 1},
                columns[] = {-1, -1, 1, 1, -1, -1, 1, 1};
    float y[8];
    norm_mean_variance_f32(3, dims, outer_and_inner, x, y);
    test_close(y, want, 8, 1e-6);
    norm_mean_variance_f32(3, dims, middle, x, y);
    test_close(y, columns, 8, 1e-6);
}

static void lrn_window_leans_to_the_right(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3};
    float y[3];
    norm_lrn_f32(&(struct norm_lrn_args){1, 3, 1, 2, 2, 1, 1}, x,
                 y); /* n 2: channels c and c + 1 */
    assert_true(y[0] == 1.0f / 6 && y[1] == 2.0f / 14 && y[2] == 3.0f / 10);
    norm_lrn_f32(&(struct norm_lrn_args){1, 3, 1, 3, 3, 0.5, 2}, x, y);
    assert_true(fabsf(y[1] - 0.5f) < 1e-6f); /* 2 / sqrt(2 + 14) */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_inference_by_hand),
        cmocka_unit_test(batch_training_updates_the_running_values),
        cmocka_unit_test(groups_take_scale_per_group_or_per_channel),
        cmocka_unit_test(layer_matches_plain_loops),
        cmocka_unit_test(large_offsets_do_not_cancel),
        cmocka_unit_test(lp_keeps_zero_vectors),
        cmocka_unit_test(mean_variance_over_any_axes),
        cmocka_unit_test(lrn_window_leans_to_the_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
