/* Resize, GridSample, AffineGrid: values of the ONNX texts' examples, edges, properties that any
 * resampling has. */
#include "nn_test.h"

#include "kernels/float/grid.h"
#include "kernels/float/resize.h"

static struct resize_params planar(int64_t in_h, int64_t in_w, float scale_h, float scale_w)
{
    return (struct resize_params){
        .rank = 2,
        .axis = {{.in = in_h, .out = resize_out(in_h, scale_h), .scale = scale_h, .roi_end = 1},
                 {.in = in_w, .out = resize_out(in_w, scale_w), .scale = scale_w, .roi_end = 1}},
        .mode = RESIZE_LINEAR,
        .cubic_a = -0.75};
}

static void resized(const struct resize_params *p, const float *x, const float *want, int64_t count)
{
    assert_true(resize_valid(p));
    float *y = test_zeros(count);
    void *scratch = mem_alloc((size_t)resize_scratch(p) + 8);
    int64_t size = 1;
    for (int i = 0; i < p->rank; i++)
        size *= p->axis[i].out;
    assert_int_equal(size, count);
    resize_f32(p, x, y, scratch);
    test_close(y, want, count, 1e-6);
    mem_free(y), mem_free(scratch);
}

static const float SQUARE[] = {1, 2, 3, 4};
static const float FOUR[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void linear_half_pixel(void **state)
{
    (void)state;
    const float want[] = {1,    1.25f, 1.75f, 2,    1.5f, 1.75f, 2.25f, 2.5f,
                          2.5f, 2.75f, 3.25f, 3.5f, 3,    3.25f, 3.75f, 4};
    const struct resize_params p = planar(2, 2, 2, 2);
    resized(&p, SQUARE, want, 16);
}

static void linear_align_corners(void **state)
{
    (void)state;
    const float t = 1.0f / 3;
    const float want[] = {1,     1 + t,     1 + 2 * t, 2,         1 + 2 * t, 2,
                          2 + t, 2 + 2 * t, 2 + t,     2 + 2 * t, 3,         3 + t,
                          3,     3 + t,     3 + 2 * t, 4};
    struct resize_params p = planar(2, 2, 2, 2);
    p.coordinate = RESIZE_ALIGN_CORNERS;
    resized(&p, SQUARE, want, 16);
}

/* First rows of resize_upsample_scales_cubic and ..._cubic_A_n0p5_exclude_outside of the
 * conformance suite. */
static void cubic_rows(void **state)
{
    (void)state;
    const float want[] = {0.47265625f, 0.76953125f, 1.24609375f, 1.875f,
                          2.28125f,    2.91015625f, 3.38671875f, 3.68359375f};
    struct resize_params p = planar(4, 4, 2, 2);
    p.mode = RESIZE_CUBIC;
    float y[64], *scratch = mem_alloc((size_t)resize_scratch(&p));
    resize_f32(&p, FOUR, y, scratch);
    test_close(y, want, 8, 1e-6);
    p.exclude_outside = true, p.cubic_a = -0.5;
    resize_f32(&p, FOUR, y, scratch);
    assert_true(fabsf(y[0] - 0.55882353f) < 1e-6f && fabsf(y[1] - 0.81494204f) < 1e-6f);
    mem_free(scratch);
}

/* resize_downsample_scales_linear_antialias of the conformance suite. */
static void antialias_averages(void **state)
{
    (void)state;
    const float want[] = {2.875f, 4.5f, 9.375f, 11.0f};
    struct resize_params p = planar(4, 4, 0.6f, 0.6f);
    p.antialias = true;
    resized(&p, FOUR, want, 4);
}

static void crop_and_resize_extrapolates(void **state)
{
    (void)state;
    const float want[] = {7.6f, 10, 10, 12.4f, 10,
                          10,   10, 10, 10}; /* resize_tf_crop_and_resize_extrapolation_value */
    struct resize_params p = {
        .rank = 2,
        .axis = {{.in = 4, .out = 3, .scale = 0.75f, .roi_start = 0.4f, .roi_end = 1.2f},
                 {.in = 4, .out = 3, .scale = 0.75f, .roi_start = 0.6f, .roi_end = 1.7f}},
        .mode = RESIZE_LINEAR,
        .coordinate = RESIZE_TF_CROP_AND_RESIZE,
        .extrapolation = 10};
    resized(&p, FOUR, want, 9);
}

static void nearest_modes_differ_at_the_middle(void **state)
{
    (void)state;
    static const struct {
        enum resize_nearest mode;
        float want[4];
    } CASES[] = {{RESIZE_ROUND_PREFER_FLOOR, {0, 0, 1, 1}},
                 {RESIZE_ROUND_PREFER_CEIL, {0, 1, 1, 1}},
                 {RESIZE_FLOOR, {0, 0, 1, 1}},
                 {RESIZE_CEIL, {0, 1, 1, 1}},
                 {RESIZE_SIMPLE, {0, 0, 1, 1}}};
    const float x[] = {0, 1};
    for (int i = 0; i < COUNT(CASES); i++) {
        struct resize_params p = {.rank = 1,
                                  .axis = {{.in = 2, .out = 4, .scale = 2}},
                                  .mode = RESIZE_NEAREST,
                                  .coordinate = RESIZE_ASYMMETRIC,
                                  .nearest = CASES[i].mode};
        resized(&p, x, CASES[i].want, 4); /* coordinates 0, 0.5, 1, 1.5 */
    }
}

static void nearest_moves_elements_of_any_size(void **state)
{
    (void)state;
    const uint8_t x[] = {1, 2, 3, 4}, want[] = {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4};
    uint8_t y[16];
    struct resize_params p = planar(2, 2, 2, 2);
    p.mode = RESIZE_NEAREST, p.coordinate = RESIZE_ASYMMETRIC, p.nearest = RESIZE_FLOOR;
    void *scratch = mem_alloc((size_t)resize_scratch(&p));
    resize_nearest(&p, x, y, 1, NULL, scratch);
    assert_memory_equal(y, want, 16);
    mem_free(scratch);
}

/* Weights sum to 1: a constant stays; scale 1 moves nothing. */
static void every_mode_keeps_constants_and_identity(void **state)
{
    (void)state;
    uint64_t r = 41;
    for (int round = 0; round < 200; round++) {
        struct resize_params p = {.rank = 3,
                                  .mode = (enum resize_mode)(round % 3),
                                  .cubic_a = -0.5,
                                  .coordinate = (enum resize_coordinate)(round / 3 % 6),
                                  .exclude_outside = round % 2,
                                  .antialias = round % 5 == 0};
        int64_t in = 1, out = 1;
        const bool identity = round % 4 == 0 && p.coordinate != RESIZE_TF_HALF_PIXEL_FOR_NN;
        for (int i = 0; i < 3; i++) {
            struct resize_axis *a = &p.axis[i];
            a->in = test_int(&r, 1, 7), a->out = identity ? a->in : test_int(&r, 1, 9),
            a->roi_end = 1;
            a->scale = (float)a->out / (float)a->in;
            in *= a->in, out *= a->out;
        }
        float *x = test_floats(&r, in), *ones = test_zeros(in), *y = test_zeros(out);
        void *scratch = mem_alloc((size_t)resize_scratch(&p) + 8);
        for (int64_t i = 0; i < in; i++)
            ones[i] = 3;
        assert_true(resize_valid(&p));
        resize_f32(&p, ones, y, scratch);
        for (int64_t i = 0; i < out; i++)
            assert_true(fabsf(y[i] - 3) < 1e-5f);
        resize_f32(&p, x, y, scratch);
        if (identity)
            assert_memory_equal(x, y, (size_t)in * sizeof *x);
        mem_free(x), mem_free(ones), mem_free(y), mem_free(scratch);
    }
}

static void sizes(void **state)
{
    (void)state;
    const int64_t in[] = {2, 4}, wanted[] = {7, 8};
    int64_t out[2];
    float scale;
    assert_int_equal(resize_out(5, 0.6f), 3);
    assert_int_equal(resize_out(10, 0.7f), 7); /* in float; 10 * 0.7f is 6.99999988 in double */
    assert_int_equal(resize_out(3, -1), -1);
    assert_int_equal(resize_out(3, NAN), -1);
    assert_true(resize_keep_aspect(2, in, wanted, false, out, &scale) && out[0] == 4 &&
                out[1] == 8 && scale == 2);
    assert_true(resize_keep_aspect(2, in, wanted, true, out, &scale) && out[0] == 7 &&
                out[1] == 14 && scale == 3.5f);
    struct resize_params p = planar(2, 2, 2, 2);
    p.axis[0].scale = NAN;
    assert_false(resize_valid(&p));
    p.axis[0].scale = 1e-20f;
    assert_false(resize_valid(&p));
    p = planar(2, 2, 2, 2);
    p.axis[0].out = p.axis[1].out = (int64_t)1 << 40;
    assert_false(resize_valid(&p));
    assert_true(resize_mode_find("cubic") == RESIZE_CUBIC && resize_mode_find("lanczos") == -1);
    assert_true(resize_coordinate_find("tf_crop_and_resize") == RESIZE_TF_CROP_AND_RESIZE &&
                resize_nearest_find("ceil") == RESIZE_CEIL);
}

static float sampled(enum grid_mode mode, enum grid_padding padding, bool align, float at)
{
    const float x[] = {1, 2, 4, 8};
    float y[1];
    const struct grid_params p = {.rank = 1,
                                  .batch = 1,
                                  .channels = 1,
                                  .in = {4},
                                  .out = {1},
                                  .mode = mode,
                                  .padding = padding,
                                  .align_corners = align};
    grid_sample_f32(&p, x, &at, y);
    return y[0];
}

static void grid_sample_in_one_dimension(void **state)
{
    (void)state;
    assert_true(sampled(GRID_LINEAR, GRID_ZEROS, true, -1) == 1 &&
                sampled(GRID_LINEAR, GRID_ZEROS, true, 0) == 3);
    assert_true(sampled(GRID_LINEAR, GRID_ZEROS, false, -1) ==
                0.5f); /* half of the first, half of the padding */
    assert_true(sampled(GRID_LINEAR, GRID_BORDER, false, -1) == 1);
    assert_true(sampled(GRID_LINEAR, GRID_REFLECTION, true, 2) == 3); /* 4.5 mirrored at 3 is 1.5 */
    assert_true(sampled(GRID_NEAREST, GRID_ZEROS, false, 0.5f) == 4); /* 2.5 rounds to even */
    assert_true(sampled(GRID_NEAREST, GRID_REFLECTION, false, 1.5f) == 8);
    assert_true(sampled(GRID_CUBIC, GRID_BORDER, true, 1) == 8);
    assert_true(sampled(GRID_LINEAR, GRID_ZEROS, true, 1e30f) == 0 &&
                sampled(GRID_LINEAR, GRID_BORDER, true, INFINITY) == 8);
    assert_true(sampled(GRID_LINEAR, GRID_ZEROS, true, NAN) == 1);
    for (int m = GRID_NEAREST; m <= GRID_CUBIC; m++)
        assert_true(fabsf(sampled((enum grid_mode)m, GRID_REFLECTION, false, 3e38f)) < 10);
}

static void identity_grid_gives_the_input(void **state)
{
    (void)state;
    uint64_t r = 42;
    const float theta[] = {1, 0, 0, 0, 1, 0};
    const int64_t size[] = {3, 4};
    float grid[24], y[24], *x = test_floats(&r, 24);
    for (int align = 0; align < 2; align++) {
        grid_affine_f32(2, 1, size, align, theta, grid);
        for (int mode = 0; mode < 3; mode++) {
            const struct grid_params p = {.rank = 2,
                                          .batch = 1,
                                          .channels = 2,
                                          .in = {3, 4},
                                          .out = {3, 4},
                                          .mode = (enum grid_mode)mode,
                                          .padding = GRID_BORDER,
                                          .align_corners = align};
            grid_sample_f32(&p, x, grid, y);
            test_close(y, x, 24, 1e-6);
        }
    }
    assert_true(grid[0] == -1 && grid[1] == -1 && grid[22] == 1 && grid[23] == 1);
    mem_free(x);
}

static void affine_grid_in_three_dimensions(void **state)
{
    (void)state;
    const float theta[] = {0, 0, 1, 0.5f, 1, 0,
                           0, 0, 0, 2,    0, 0}; /* x' = z + 1/2, y' = x, z' = 2 y */
    const int64_t size[] = {2, 2, 2};
    const float want[] = {0, -0.5f, -1, 0, 0.5f, -1};
    float grid[24];
    grid_affine_f32(3, 1, size, false, theta, grid);
    test_close(grid, want, 6, 1e-7);
    assert_true(grid_mode_find("bicubic") == GRID_CUBIC && grid_mode_find("area") == -1 &&
                grid_padding_find("border") == GRID_BORDER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_half_pixel),
        cmocka_unit_test(linear_align_corners),
        cmocka_unit_test(cubic_rows),
        cmocka_unit_test(antialias_averages),
        cmocka_unit_test(crop_and_resize_extrapolates),
        cmocka_unit_test(nearest_modes_differ_at_the_middle),
        cmocka_unit_test(nearest_moves_elements_of_any_size),
        cmocka_unit_test(every_mode_keeps_constants_and_identity),
        cmocka_unit_test(sizes),
        cmocka_unit_test(grid_sample_in_one_dimension),
        cmocka_unit_test(identity_grid_gives_the_input),
        cmocka_unit_test(affine_grid_in_three_dimensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
