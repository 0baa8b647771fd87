/* Pools, unpooling, regions of interest: hand-computed values, edges, plain loops. */
#include "nn_test.h"

#include "kernels/float/pool.h"
#include "kernels/kernel.h"

static struct pool_params line(int64_t in, int64_t kernel, int64_t stride, int64_t dilation,
                               int64_t begin, int64_t end, bool ceil_mode)
{
    struct pool_params p = {.window = {.rank = 1,
                                       .in = {in},
                                       .kernel = {kernel},
                                       .stride = {stride},
                                       .dilation = {dilation},
                                       .pad_begin = {begin},
                                       .pad_end = {end}},
                            .batch = 1,
                            .channels = 1};
    assert_true(window_resolve(&p.window, 0, AUTO_PAD_NOTSET, ceil_mode));
    assert_true(pool_valid(&p));
    return p;
}

static void max_takes_the_first_of_equals_and_propagates_nan(void **state)
{
    (void)state;
    const float x[] = {1, 3, 3, NAN, -5, -6};
    float y[5];
    int64_t at[5];
    struct pool_params p = line(6, 2, 1, 1, 0, 0, false);
    pool_max_f32(&p, x, y, at, false);
    assert_true(y[0] == 3 && y[1] == 3 && isnan(y[2]) && isnan(y[3]) && y[4] == -5);
    assert_int_equal(at[1], 1);
    assert_int_equal(at[2], 3);
    assert_int_equal(at[4], 4);
}

static void max_of_padding_only(void **state)
{
    (void)state;
    const float x[] = {-7};
    float y[3];
    int64_t at[3];
    struct pool_params p = line(1, 1, 1, 1, 1, 1, false);
    pool_max_f32(&p, x, y, at, false);
    assert_true(isinf(y[0]) && y[0] < 0 && y[1] == -7);
    assert_int_equal(at[0], -1);
    assert_int_equal(at[1], 0);
}

static void max_indices_count_column_major_on_request(void **state)
{
    (void)state;
    const uint8_t x[] = {0, 0, 0, 0, 9, 0}; /* 2 x 3, the 9 in row 1, column 1 */
    uint8_t y[1];
    int64_t at[1];
    struct pool_params p = {.window = {.rank = 2, .in = {2, 3}}, .batch = 1, .channels = 1};
    pool_global(&p);
    pool_max_u8(&p, x, y, at, false);
    assert_int_equal(at[0], 4);
    pool_max_u8(&p, x, y, at, true);
    assert_int_equal(at[0], 3);
    assert_int_equal(y[0], 9);
    const int8_t s[] = {-3, -2, -128, -9, -1, -4};
    int8_t z[1];
    pool_max_s8(&p, s, z, NULL, false);
    assert_int_equal(z[0], -1);
}

/* in 4, kernel 3, stride 2, pads 0/1, ceil: windows {0 1 2}, {2 3 pad}; with pads 0/0 and ceil the
 * same windows, but position 4 is then beyond the padding and never counted. */
static void average_counts_padding_but_not_the_ceil_overhang(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 5};
    float y[2];
    struct pool_params p = line(4, 3, 2, 1, 0, 1, false);
    pool_average_f32(&p, x, y, true);
    assert_true(y[0] == 2 && y[1] == 8.0f / 3.0f);
    pool_average_f32(&p, x, y, false);
    assert_true(y[1] == 4);
    p = line(4, 3, 2, 1, 0, 0, true);
    assert_int_equal(p.window.out[0], 2);
    pool_average_f32(&p, x, y, true);
    assert_true(y[0] == 2 && y[1] == 4);
}

static void average_honours_dilation(void **state)
{
    (void)state;
    const float x[] = {1, 2, 4, 8, 16};
    float y[4];
    struct pool_params p = line(5, 2, 1, 3, 1, 1, false);
    assert_int_equal(p.window.out[0], 4);
    pool_average_f32(&p, x, y, false);
    assert_true(y[0] == 4 && y[1] == 4.5f && y[2] == 9 && y[3] == 4);
    pool_average_f32(&p, x, y, true);
    assert_true(y[0] == 2 && y[3] == 2);
}

static void lp_norms(void **state)
{
    (void)state;
    const float x[] = {3, -4, 0, -2};
    float y[1];
    struct pool_params p = {.window = {.rank = 1, .in = {4}}, .batch = 1, .channels = 1};
    pool_global(&p);
    pool_lp_f32(&p, x, y, 1);
    assert_true(y[0] == 9);
    pool_lp_f32(&p, x, y, 2);
    assert_true(y[0] == sqrtf(29));
    pool_lp_f32(&p, x, y, 3);
    assert_true(fabsf(y[0] - 4.626065f) < 1e-5f); /* cube root of 27 + 64 + 8 */
}

static void pools_match_plain_loops(void **state)
{
    (void)state;
    uint64_t r = 5;
    for (int round = 0; round < 60; round++) {
        struct pool_params p = {.window = {.rank = 2}, .batch = 2, .channels = 3};
        struct window *w = &p.window;
        const bool ceil_mode = round % 2;
        for (int a = 0; a < 2; a++)
            do {
                w->in[a] = test_int(&r, 1, 12), w->kernel[a] = test_int(&r, 1, 4),
                w->stride[a] = test_int(&r, 1, 3);
                w->dilation[a] = test_int(&r, 1, 3), w->pad_begin[a] = test_int(&r, 0, 2),
                w->pad_end[a] = test_int(&r, 0, 2);
            } while (!window_resolve(w, a, AUTO_PAD_NOTSET, ceil_mode) || w->out[a] == 0);
        const int64_t in = window_in_size(w), out = window_out_size(w);
        float *x = test_floats(&r, 6 * in), *top = test_zeros(6 * out), *mean = test_zeros(6 * out);
        pool_max_f32(&p, x, top, NULL, false);
        pool_average_f32(&p, x, mean, round % 3 == 0);
        for (int64_t i = 0; i < 6 * out; i++) {
            double sum = 0, best = (double)-INFINITY, n = 0;
            for (int64_t kh = 0; kh < w->kernel[0]; kh++)
                for (int64_t kw = 0; kw < w->kernel[1]; kw++) {
                    const int64_t h = i / w->out[1] % w->out[0] * w->stride[0] +
                                      kh * w->dilation[0] - w->pad_begin[0];
                    const int64_t c =
                        i % w->out[1] * w->stride[1] + kw * w->dilation[1] - w->pad_begin[1];
                    const bool in_x = h >= 0 && h < w->in[0] && c >= 0 && c < w->in[1];
                    const bool in_pad =
                        h < w->in[0] + w->pad_end[0] && c < w->in[1] + w->pad_end[1];
                    n += in_x || (round % 3 == 0 && in_pad);
                    if (in_x)
                        sum += (double)x[i / out * in + h * w->in[1] + c],
                            best = fmax(best, (double)x[i / out * in + h * w->in[1] + c]);
                }
            assert_true((double)top[i] == best);
            assert_true(mean[i] == (n > 0 ? (float)(sum / n) : 0));
        }
        mem_free(x), mem_free(top), mem_free(mean);
    }
}

static void unpool_places_by_the_pooled_extents(void **state)
{
    (void)state;
    const float x[] = {5, 6, 7, 8};
    const int64_t at[] = {5, 7, 13, 15}, bad[] = {16, 0, 1, 2}, negative[] = {-1, 0, 1, 2};
    float y[25];
    const struct pool_params p = {.window = {.rank = 2,
                                             .in = {4, 4},
                                             .kernel = {1, 1},
                                             .out = {5, 5},
                                             .stride = {1, 1},
                                             .dilation = {1, 1}},
                                  .batch = 1,
                                  .channels = 1};
    assert_int_equal(pool_unpool_f32(&p, x, at, 4, y), KERNEL_OK);
    assert_true(y[6] == 5 && y[8] == 6 && y[16] == 7 && y[18] == 8 && y[0] == 0 && y[24] == 0);
    assert_int_equal(pool_unpool_f32(&p, x, bad, 4, y), KERNEL_INDEX);
    assert_int_equal(pool_unpool_f32(&p, x, negative, 4, y), KERNEL_INDEX);
}

static void roi_max_by_hand(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}; /* 4 x 4 */
    const float roi[] = {0, 0, 0, 3, 3, 0, 2, 2, 2, 2, 0, 100, 100, 120, 120};
    const float want[] = {6, 8, 14, 16, 11, 11, 11, 11, 0, 0, 0, 0}, bad[] = {1, 0, 0, 1, 1};
    float y[12];
    struct roi_params p = {.batch = 1,
                           .channels = 1,
                           .in_h = 4,
                           .in_w = 4,
                           .rois = 3,
                           .out_h = 2,
                           .out_w = 2,
                           .spatial_scale = 1};
    assert_int_equal(pool_roi_max_f32(&p, x, roi, y), KERNEL_OK);
    test_same(y, want, 12);
    p.rois = 1;
    assert_int_equal(pool_roi_max_f32(&p, x, bad, y), KERNEL_INDEX);
}

static void roi_align_by_hand(void **state)
{
    (void)state;
    const float x[] = {0, 1, 2, 3}, roi[] = {0, 0, 2, 2},
                huge[] = {-1e30f, NAN, 1e30f, INFINITY}; /* 2 x 2 */
    const int64_t batch[] = {0}, bad[] = {-1};
    float y[1];
    struct roi_params p = {.batch = 1,
                           .channels = 1,
                           .in_h = 2,
                           .in_w = 2,
                           .rois = 1,
                           .out_h = 1,
                           .out_w = 1,
                           .spatial_scale = 1,
                           .sampling_ratio = 2,
                           .half_pixel = true};
    assert_int_equal(pool_roi_align_f32(&p, x, roi, batch, y), KERNEL_OK);
    assert_true(y[0] == 1.5f); /* samples at the four element centres */
    p.max = true;
    assert_int_equal(pool_roi_align_f32(&p, x, roi, batch, y), KERNEL_OK);
    assert_true(y[0] == 3);
    p.sampling_ratio = 0;
    assert_int_equal(pool_roi_align_f32(&p, x, huge, batch, y), KERNEL_OK); /* ends */
    assert_int_equal(pool_roi_align_f32(&p, x, roi, bad, y), KERNEL_INDEX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_takes_the_first_of_equals_and_propagates_nan),
        cmocka_unit_test(max_of_padding_only),
        cmocka_unit_test(max_indices_count_column_major_on_request),
        cmocka_unit_test(average_counts_padding_but_not_the_ceil_overhang),
        cmocka_unit_test(average_honours_dilation),
        cmocka_unit_test(lp_norms),
        cmocka_unit_test(pools_match_plain_loops),
        cmocka_unit_test(unpool_places_by_the_pooled_extents),
        cmocka_unit_test(roi_max_by_hand),
        cmocka_unit_test(roi_align_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
