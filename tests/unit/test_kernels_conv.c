/* Windows, Conv, ConvTranspose, ConvInteger against hand-computed values and
 * plain loops. */
#include "nn_test.h"

#include "kernels/float/conv.h"

/* ---- windows ---- */

static void window_out_follows_the_formula(void **state)
{
    (void)state;
    assert_int_equal(window_out(5, 3, 1, 1, 0, 0, false), 3);
    assert_int_equal(window_out(5, 3, 2, 1, 2, 1, false), 3);
    assert_int_equal(window_out(7, 3, 1, 2, 0, 0, false), 3);
    assert_int_equal(window_out(4, 3, 2, 1, 0, 0, true), 2);
    assert_int_equal(window_out(2, 1, 3, 1, 2, 1, true),
                     1); /* a window in the end padding only is dropped */
    assert_int_equal(window_out(2, 3, 1, 1, 0, 0, false), -1);
    assert_int_equal(window_out(2, 3, 0, 1, 0, 0, false), -1);
    assert_int_equal(window_out(INT64_MAX, 3, 1, 1, INT64_MAX, 1, true), -1);
    assert_int_equal(window_out(10, INT64_MAX, 1, INT64_MAX, 0, 0, false), -1);
}

static void auto_pad_puts_the_odd_element_where_it_belongs(void **state)
{
    (void)state;
    struct window w = {.rank = 1, .in = {5}, .kernel = {2}, .stride = {1}, .dilation = {1}};
    assert_true(window_resolve(&w, 0, AUTO_PAD_SAME_UPPER, false));
    assert_int_equal(w.out[0], 5);
    assert_int_equal(w.pad_begin[0], 0);
    assert_int_equal(w.pad_end[0], 1);
    assert_true(window_resolve(&w, 0, AUTO_PAD_SAME_LOWER, false));
    assert_int_equal(w.pad_begin[0], 1);
    assert_int_equal(w.pad_end[0], 0);
    assert_true(window_resolve(&w, 0, AUTO_PAD_VALID, false));
    assert_int_equal(w.out[0], 4);
    assert_int_equal(auto_pad_find(NULL), AUTO_PAD_NOTSET);
    assert_int_equal(auto_pad_find("SAME_LOWER"), AUTO_PAD_SAME_LOWER);
    assert_int_equal(auto_pad_find("SAME"), -1);
}

static void transposed_extents(void **state)
{
    (void)state;
    struct window w = {.rank = 1, .in = {3}, .kernel = {3}, .stride = {3}, .dilation = {1}};
    assert_true(window_resolve_transposed(&w, 0, AUTO_PAD_NOTSET, 1, -1));
    assert_int_equal(w.out[0], 10);
    assert_true(window_resolve_transposed(&w, 0, AUTO_PAD_SAME_UPPER, 0, -1));
    assert_int_equal(w.out[0], 9);
    assert_true(window_resolve_transposed(&w, 0, AUTO_PAD_SAME_UPPER, 0, 8));
    assert_int_equal(w.out[0], 8);
    assert_int_equal(w.pad_begin[0] + w.pad_end[0], 1);
    assert_int_equal(w.pad_begin[0], 0);
    w.stride[0] = INT64_MAX;
    assert_false(window_resolve_transposed(&w, 0, AUTO_PAD_NOTSET, 0, -1));
}

static void hostile_windows_are_refused(void **state)
{
    (void)state;
    struct conv_params p = {.window = {.rank = 2,
                                       .in = {4, 4},
                                       .kernel = {1, 1},
                                       .out = {4, 4},
                                       .stride = {1, 1},
                                       .dilation = {1, 1}},
                            .batch = 1,
                            .group = 1,
                            .in_channels = 1,
                            .out_channels = 1};
    assert_true(conv_valid(&p));
    p.group = 0;
    assert_false(conv_valid(&p));
    p.group = 2;
    assert_false(conv_valid(&p));
    p.group = 1;
    p.window.in[0] = p.window.in[1] = (int64_t)1 << 40;
    assert_false(conv_valid(&p));
    p.window.in[0] = p.window.in[1] = (int64_t)1 << 30;
    p.batch = 1 << 20;
    assert_false(conv_valid(&p));
}

/* ---- hand-computed ---- */

static void conv_by_hand(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, w[] = {1, 0, 0, -1}, bias[] = {10};
    const float want[] = {6, 6, 6, 6};
    float y[4];
    const struct conv_params p = {.window = {.rank = 2,
                                             .in = {3, 3},
                                             .kernel = {2, 2},
                                             .out = {2, 2},
                                             .stride = {1, 1},
                                             .dilation = {1, 1}},
                                  .batch = 1,
                                  .group = 1,
                                  .in_channels = 1,
                                  .out_channels = 1};
    conv_f32(&p, x, w, bias, y);
    test_same(y, want, 4);
    const double xd[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, wd[] = {1, 0, 0, -1};
    double yd[4];
    conv_f64(&p, xd, wd, NULL, yd);
    assert_true(yd[0] == -4 && yd[3] == -4);
}

static void conv_transpose_by_hand(void **state)
{
    (void)state;
    const float x[] = {1, 2}, w[] = {1, 10, 100}, want[] = {1, 10, 102, 20, 200};
    float y[5];
    const struct conv_params p = {
        .window = {.rank = 1, .in = {2}, .kernel = {3}, .out = {5}, .stride = {2}, .dilation = {1}},
        .batch = 1,
        .group = 1,
        .in_channels = 1,
        .out_channels = 1};
    conv_transpose_f32(&p, x, w, NULL, y);
    test_same(y, want, 5);
}

static void conv_integer_by_hand(void **state)
{
    (void)state;
    const uint8_t x[] = {2, 3, 4, 255}, w[] = {1, 255};
    const int32_t zero[] = {1};
    int32_t y[3];
    const struct conv_params p = {
        .window = {.rank = 1, .in = {4}, .kernel = {2}, .out = {3}, .stride = {1}, .dilation = {1}},
        .batch = 1,
        .group = 1,
        .in_channels = 1,
        .out_channels = 1};
    conv_int(&p, &(struct conv_int_args){x, w, false, true, 2, zero, 0}, y); /* w = {1, -1} - 1 */
    assert_int_equal(y[0], -2);
    assert_int_equal(y[1], -4);
    assert_int_equal(y[2], -506);
}

static void infinite_values_do_not_leak_through_padding(void **state)
{
    (void)state;
    const float x[] = {1, INFINITY, 2}, w[] = {1, 1, 1};
    float y[3];
    const struct conv_params p = {.window = {.rank = 1,
                                             .in = {3},
                                             .kernel = {3},
                                             .out = {3},
                                             .stride = {1},
                                             .dilation = {1},
                                             .pad_begin = {1},
                                             .pad_end = {1}},
                                  .batch = 1,
                                  .group = 1,
                                  .in_channels = 1,
                                  .out_channels = 1};
    conv_f32(&p, x, w, NULL, y);
    assert_true(isinf(y[0]) && isinf(y[1]) && isinf(y[2]));
}

/* ---- against plain loops ---- */

static bool inside(const struct window *w, const int64_t *at)
{
    for (int i = 0; i < 3; i++)
        if (at[i] < 0 || at[i] >= w->in[i])
            return false;
    return true;
}

/* The definition, in double. Visits (output position, kernel position, input position) of a rank-3
 * window. */
#define FOR3(a, n)                          \
    for (a[0] = 0; a[0] < n[0]; a[0]++)     \
        for (a[1] = 0; a[1] < n[1]; a[1]++) \
            for (a[2] = 0; a[2] < n[2]; a[2]++)
static int64_t flat(const int64_t *at, const int64_t *n)
{
    return (at[0] * n[1] + at[1]) * n[2] + at[2];
}

static void slow_conv(const struct conv_params *p, const float *x, const float *weight,
                      const float *bias, float *y)
{
    const struct window *w = &p->window;
    const int64_t ic = p->in_channels / p->group, oc = p->out_channels / p->group,
                  in = window_in_size(w);
    const int64_t kernel = window_kernel_size(w), out = window_out_size(w);
    for (int64_t c = 0; c < p->batch * p->out_channels; c++) {
        const int64_t channel = c % p->out_channels,
                      first = c / p->out_channels * p->in_channels + channel / oc * ic;
        int64_t o[3], k[3], at[3];
        FOR3(o, w->out)
        {
            double sum = bias ? (double)bias[channel] : 0;
            for (int64_t i = 0; i < ic; i++)
                FOR3(k, w->kernel)
                {
                    for (int a = 0; a < 3; a++)
                        at[a] = o[a] * w->stride[a] + k[a] * w->dilation[a] - w->pad_begin[a];
                    if (inside(w, at))
                        sum += (double)x[(first + i) * in + flat(at, w->in)] *
                               (double)weight[(channel * ic + i) * kernel + flat(k, w->kernel)];
                }
            y[c * out + flat(o, w->out)] = (float)sum;
        }
    }
}

static void slow_transpose(const struct conv_params *p, const float *x, const float *weight,
                           const float *bias, float *y)
{
    const struct window *w = &p->window;
    const int64_t ic = p->in_channels / p->group, oc = p->out_channels / p->group,
                  in = window_in_size(w);
    const int64_t kernel = window_kernel_size(w), out = window_out_size(w);
    for (int64_t c = 0; c < p->batch * p->out_channels; c++)
        for (int64_t i = 0; i < out; i++)
            y[c * out + i] = bias ? bias[c % p->out_channels] : 0;
    for (int64_t c = 0; c < p->batch * p->in_channels; c++)
        for (int64_t o = 0; o < oc; o++) {
            const int64_t g = c % p->in_channels / ic,
                          to = c / p->in_channels * p->out_channels + g * oc + o;
            int64_t i[3], k[3], at[3];
            FOR3(i, w->in) FOR3(k, w->kernel)
            {
                bool in_range = true;
                for (int a = 0; a < 3; a++) {
                    at[a] = i[a] * w->stride[a] + k[a] * w->dilation[a] - w->pad_begin[a];
                    in_range = in_range && at[a] >= 0 && at[a] < w->out[a];
                }
                if (in_range)
                    y[to * out + flat(at, w->out)] +=
                        x[c * in + flat(i, w->in)] *
                        weight[(c % p->in_channels * oc + o) * kernel + flat(k, w->kernel)];
            }
        }
}

static struct conv_params random_params(uint64_t *r, bool transposed)
{
    struct conv_params p = {
        .window = {.rank = 3}, .batch = test_int(r, 1, 2), .group = test_int(r, 1, 4)};
    p.in_channels = p.group * test_int(r, 1, test_int(r, 0, 4) ? 4 : 70);
    p.out_channels = p.group * test_int(r, 1, 9);
    const bool plain = test_int(r, 0, 3) == 0;
    for (int a = 0; a < 3; a++) {
        struct window *w = &p.window;
        do {
            w->in[a] = a == 0 ? test_int(r, 1, 2) : test_int(r, 1, 20);
            w->kernel[a] = plain ? 1 : test_int(r, 1, 4);
            w->stride[a] = plain ? 1 : test_int(r, 1, 4);
            w->dilation[a] = test_int(r, 1, 3);
            w->pad_begin[a] = plain ? 0 : test_int(r, 0, 4);
            w->pad_end[a] = plain ? 0 : test_int(r, 0, 4);
        } while (!(transposed
                       ? window_resolve_transposed(w, a, AUTO_PAD_NOTSET, test_int(r, 0, 2), -1)
                       : window_resolve(w, a, AUTO_PAD_NOTSET, false)));
    }
    return p;
}

static void conv_matches_plain_loops(void **state)
{
    (void)state;
    uint64_t r = 1;
    for (int round = 0; round < 60; round++) {
        const struct conv_params p = random_params(&r, false);
        assert_true(conv_valid(&p));
        const int64_t n_y = p.batch * p.out_channels * window_out_size(&p.window);
        float *x = test_floats(&r, p.batch * p.in_channels * window_in_size(&p.window));
        float *w = test_floats(&r, p.out_channels * p.in_channels / p.group *
                                       window_kernel_size(&p.window));
        float *bias = test_floats(&r, p.out_channels), *y = test_zeros(n_y),
              *want = test_zeros(n_y);
        conv_f32(&p, x, w, round % 3 ? bias : NULL, y);
        slow_conv(&p, x, w, round % 3 ? bias : NULL, want);
        test_close(y, want, n_y, 1e-5);
        mem_free(x), mem_free(w), mem_free(bias), mem_free(y), mem_free(want);
    }
}

static void conv_transpose_matches_plain_loops(void **state)
{
    (void)state;
    uint64_t r = 2;
    for (int round = 0; round < 60; round++) {
        const struct conv_params p = random_params(&r, true);
        assert_true(conv_transpose_valid(&p));
        const int64_t n_y = p.batch * p.out_channels * window_out_size(&p.window);
        float *x = test_floats(&r, p.batch * p.in_channels * window_in_size(&p.window));
        float *w = test_floats(&r, p.out_channels * p.in_channels / p.group *
                                       window_kernel_size(&p.window));
        float *bias = test_floats(&r, p.out_channels), *y = test_zeros(n_y),
              *want = test_zeros(n_y);
        conv_transpose_f32(&p, x, w, round % 3 ? bias : NULL, y);
        slow_transpose(&p, x, w, round % 3 ? bias : NULL, want);
        test_close(y, want, n_y, 1e-5);
        mem_free(x), mem_free(w), mem_free(bias), mem_free(y), mem_free(want);
    }
}

static void conv_int_matches_conv_of_the_same_integers(void **state)
{
    (void)state;
    uint64_t r = 3;
    for (int round = 0; round < 20; round++) {
        const struct conv_params p = random_params(&r, false);
        const int64_t n_x = p.batch * p.in_channels * window_in_size(&p.window);
        const int64_t row = p.in_channels / p.group * window_kernel_size(&p.window),
                      n_w = p.out_channels * row;
        const int64_t n_y = p.batch * p.out_channels * window_out_size(&p.window);
        uint8_t *x = mem_alloc((size_t)n_x), *w = mem_alloc((size_t)n_w);
        float *xf = test_zeros(n_x), *wf = test_zeros(n_w), *yf = test_zeros(n_y);
        int32_t *y = mem_alloc((size_t)n_y * sizeof *y),
                *zero = mem_alloc((size_t)p.out_channels * sizeof *zero);
        for (int64_t i = 0; i < p.out_channels; i++)
            zero[i] = (int32_t)test_int(&r, -3, 3);
        for (int64_t i = 0; i < n_x; i++)
            x[i] = (uint8_t)test_int(&r, 0, 255), xf[i] = (float)(x[i] - 7);
        for (int64_t i = 0; i < n_w; i++)
            w[i] = (uint8_t)test_int(&r, 0, 255), wf[i] = (float)((int8_t)w[i] - zero[i / row]);
        conv_int(&p, &(struct conv_int_args){x, w, false, true, 7, zero, 1}, y);
        slow_conv(&p, xf, wf, NULL,
                  yf); /* doubles inside: exact; sums below 2^24 stay exact as float too */
        for (int64_t i = 0; i < n_y; i++)
            assert_true(fabs((double)y[i] - (double)yf[i]) <= fabs((double)yf[i]) * 0x1p-24);
        mem_free(x), mem_free(w), mem_free(xf), mem_free(wf), mem_free(yf), mem_free(y),
            mem_free(zero);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_out_follows_the_formula),
        cmocka_unit_test(auto_pad_puts_the_odd_element_where_it_belongs),
        cmocka_unit_test(transposed_extents),
        cmocka_unit_test(hostile_windows_are_refused),
        cmocka_unit_test(conv_by_hand),
        cmocka_unit_test(conv_transpose_by_hand),
        cmocka_unit_test(conv_integer_by_hand),
        cmocka_unit_test(infinite_values_do_not_leak_through_padding),
        cmocka_unit_test(conv_matches_plain_loops),
        cmocka_unit_test(conv_transpose_matches_plain_loops),
        cmocka_unit_test(conv_int_matches_conv_of_the_same_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
