/* DeformConv, Im2Col and Col2Im by hand and against Conv. */
#include "nn_test.h"

#include "kernels/float/conv.h"

static void deform_without_offsets_is_conv(void **state)
{
    (void)state;
    uint64_t r = 4;
    const struct conv_params p = {.window = {.rank = 2,
                                             .in = {7, 6},
                                             .kernel = {3, 2},
                                             .out = {4, 6},
                                             .stride = {2, 1},
                                             .dilation = {1, 2},
                                             .pad_begin = {1, 1},
                                             .pad_end = {1, 1}},
                                  .batch = 2,
                                  .group = 2,
                                  .in_channels = 4,
                                  .out_channels = 6};
    const int64_t n_y = 2 * 6 * 24;
    float *x = test_floats(&r, 2 * 4 * 42), *w = test_floats(&r, 6 * 2 * 6),
          *offset = test_zeros(2 * 2 * 2 * 6 * 24);
    float *mask = test_zeros(2 * 2 * 6 * 24), *y = test_zeros(n_y), *want = test_zeros(n_y);
    for (int i = 0; i < 2 * 2 * 6 * 24; i++)
        mask[i] = 0.5f;
    conv_f32(&p, x, w, NULL, want);
    conv_deform_f32(&p, &(struct deform_args){x, w, offset, NULL, NULL, 2}, y);
    test_same(y, want, n_y);
    conv_deform_f32(&p, &(struct deform_args){x, w, offset, mask, NULL, 2}, y);
    for (int64_t i = 0; i < n_y; i++)
        assert_true(y[i] == want[i] / 2); /* a power of two scales exactly */
    mem_free(x), mem_free(w), mem_free(offset), mem_free(mask), mem_free(y), mem_free(want);
}

static void deform_interpolates(void **state)
{
    (void)state;
    const float x[] = {0, 4, 8, 12}, w[] = {1}, offset[] = {0.5f, 0.25f}, bias[] = {1};
    float y[1];
    const struct conv_params p = {.window = {.rank = 2,
                                             .in = {2, 2},
                                             .kernel = {1, 1},
                                             .out = {1, 1},
                                             .stride = {2, 2},
                                             .dilation = {1, 1}},
                                  .batch = 1,
                                  .group = 1,
                                  .in_channels = 1,
                                  .out_channels = 1};
    conv_deform_f32(&p, &(struct deform_args){x, w, offset, NULL, bias, 1}, y);
    assert_true(y[0] == 6); /* 0.5 * 8 + 0.25 * 4 + 1 */
    const float away[] = {NAN, 1e30f};
    conv_deform_f32(&p, &(struct deform_args){x, w, away, NULL, bias, 1}, y);
    assert_true(y[0] == 1);
}

static void columns_by_hand(void **state)
{
    (void)state;
    const struct conv_params p = {.window = {.rank = 1,
                                             .in = {3},
                                             .kernel = {2},
                                             .out = {4},
                                             .stride = {1},
                                             .dilation = {1},
                                             .pad_begin = {1},
                                             .pad_end = {1}},
                                  .batch = 1,
                                  .group = 1,
                                  .in_channels = 1,
                                  .out_channels = 1};
    const float x[] = {1, 2, 3}, want[] = {0, 1, 2, 3, 1, 2, 3, 0}, twice[] = {2, 4, 6};
    float columns[8], image[3];
    im2col_f32(&p, x, columns);
    test_same(columns, want, 8);
    col2im_f32(&p, columns, image);
    test_same(image, twice, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deform_without_offsets_is_conv),
        cmocka_unit_test(deform_interpolates),
        cmocka_unit_test(columns_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
