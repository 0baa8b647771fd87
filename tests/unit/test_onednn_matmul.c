/* Fast matrix products, pools and layouts against the reference kernels (1e-5 of the largest
 * output); threads change no bit. */
#include "onednn_test.h"

/* ---- matrix products ---- */

struct product_case {
    struct matmul_params p;
    int64_t n_a, n_b, n_y;
};

static struct product_case product_make(uint64_t *r)
{
    struct product_case c;
    int64_t a[4], b[4], y[MATMUL_MAX_BATCH_RANK + 2];
    const int a_rank = (int)test_int(r, 2, 4), b_rank = (int)test_int(r, 2, 4);
    const int64_t k = test_int(r, 1, 90), extents[] = {2, 3};
    for (int i = 0; i < 4; i++) {
        if (i < a_rank - 2)
            a[i] = test_int(r, 0, 1) ? extents[(a_rank - i) % 2] : 1;
        if (i < b_rank - 2)
            b[i] = test_int(r, 0, 1) ? extents[(b_rank - i) % 2] : 1;
    }
    a[a_rank - 2] = test_int(r, 1, 40), a[a_rank - 1] = b[b_rank - 2] = k,
               b[b_rank - 1] = test_int(r, 1, 70);
    int rank;
    assert_true(matmul_plan(a, a_rank, b, b_rank, &c.p, y, &rank));
    c.n_a = c.n_b = c.n_y = 1;
    for (int i = 0; i < a_rank; i++)
        c.n_a *= a[i];
    for (int i = 0; i < b_rank; i++)
        c.n_b *= b[i];
    for (int i = 0; i < rank; i++)
        c.n_y *= y[i];
    return c;
}

static void product_run(const struct dnn_matmul_args *args, const float *a, const float *b,
                        float *y)
{
    struct dnn_matmul *m = dnn_matmul_new(args);
    assert_non_null(m);
    void *scratch = scratch_of(dnn_matmul_scratch(m));
    assert_true(dnn_matmul_run(m, a, b, y, NULL, scratch));
    mem_free(scratch);
    dnn_matmul_free(m);
}

static void matmul_matches_the_reference(void **state)
{
    (void)state;
    uint64_t r = 16;
    for (int round = 0; round < 60; round++) {
        const struct product_case c = product_make(&r);
        float *a = test_floats(&r, c.n_a), *b = test_floats(&r, c.n_b),
              *bias = test_floats(&r, c.p.n);
        float *y = test_zeros(c.n_y), *z = test_zeros(c.n_y), *want = test_zeros(c.n_y);
        const float alpha = round % 3 ? 1 : 0.75f;
        const struct dnn_post relu = {.kind = DNN_POST_RELU};
        matmul_f32(&c.p, a, b, want);
        for (int64_t i = 0; i < c.n_y; i++) {
            want[i] = alpha * want[i] + bias[i % c.p.n];
            want[i] = want[i] > 0 ? want[i] : 0;
        }
        struct dnn_matmul_args args = {
            .params = &c.p, .b = b, .bias = bias, .alpha = alpha, .posts = &relu, .n_posts = 1};
        product_run(&args, a, NULL, y);
        args.b = NULL;
        product_run(&args, a, b, z);
        test_close(y, want, c.n_y, TOLERANCE);
        test_close(z, want, c.n_y, TOLERANCE);
        mem_free(a), mem_free(b), mem_free(bias), mem_free(y), mem_free(z), mem_free(want);
    }
}

static void matmul_reads_transposed_operands(void **state)
{
    (void)state;
    uint64_t r = 17;
    const int64_t m = 9, n = 21, k = 33;
    const struct matmul_params p = {
        .m = m, .n = n, .k = k, .a_row_step = 1, .a_col_step = m, .b_row_step = 1, .b_col_step = k};
    float *a = test_floats(&r, m * k), *b = test_floats(&r, k * n), *y = test_zeros(m * n),
          *want = test_zeros(m * n);
    matmul_f32(&p, a, b, want);
    for (int constant = 0; constant < 2; constant++) {
        product_run(&(struct dnn_matmul_args){.params = &p, .b = constant ? b : NULL, .alpha = 1},
                    a, b, y);
        test_close(y, want, m * n, TOLERANCE);
    }
    mem_free(a), mem_free(b), mem_free(y), mem_free(want);
}

static void threads_do_not_change_products(void **state)
{
    (void)state;
    static const int64_t SHAPES[][3] = {{1, 1000, 2048}, {1, 10, 5000}, {197, 768, 768},
                                        {3, 5, 4096},    {64, 64, 64},  {512, 33, 100}};
    uint64_t r = 18;
    for (int s = 0; s < 2 * COUNT(SHAPES); s++) {
        const int64_t m = SHAPES[s / 2][0], n = SHAPES[s / 2][1], k = SHAPES[s / 2][2];
        const struct matmul_params p = {.m = m,
                                        .n = n,
                                        .k = k,
                                        .a_row_step = k,
                                        .a_col_step = 1,
                                        .b_row_step = n,
                                        .b_col_step = 1};
        float *a = test_floats(&r, m * k), *b = test_floats(&r, k * n), *y[3];
        for (int i = 0; i < 3; i++) {
            allow_threads(1 << i);
            y[i] = test_zeros(m * n);
            product_run(&(struct dnn_matmul_args){.params = &p, .b = s % 2 ? b : NULL, .alpha = 1},
                        a, b, y[i]);
        }
        assert_memory_equal(y[0], y[1], (size_t)(m * n) * sizeof(float));
        assert_memory_equal(y[0], y[2], (size_t)(m * n) * sizeof(float));
        mem_free(a), mem_free(b), mem_free(y[0]), mem_free(y[1]), mem_free(y[2]);
    }
}

/* ---- pools, layouts ---- */

static void pools_match_the_reference(void **state)
{
    (void)state;
    uint64_t r = 19;
    int done = 0;
    for (int round = 0; round < 90; round++) {
        struct pool_params p = {.window = {.rank = (int)test_int(&r, 1, 3)},
                                .batch = 2,
                                .channels = test_int(&r, 1, 20)};
        struct window *w = &p.window;
        for (int a = 0; a < w->rank; a++)
            do {
                w->in[a] = test_int(&r, 1, 9), w->kernel[a] = test_int(&r, 1, 3),
                w->stride[a] = test_int(&r, 1, 3);
                w->dilation[a] = test_int(&r, 0, 4) ? 1 : 2, w->pad_begin[a] = test_int(&r, 0, 1),
                w->pad_end[a] = test_int(&r, 0, 1);
            } while (!window_resolve(w, a, AUTO_PAD_NOTSET, round % 2) || w->out[a] == 0);
        const int64_t n_x = p.batch * p.channels * window_in_size(w),
                      n_y = p.batch * p.channels * window_out_size(w);
        const enum dnn_pool_kind kind = (enum dnn_pool_kind)(round % 3);
        float *x = test_floats(&r, n_x), *y = test_zeros(n_y), *want = test_zeros(n_y);
        struct dnn_pool *pool = dnn_pool_new(&(struct dnn_pool_args){.params = &p, .kind = kind});
        if (kind == DNN_POOL_MAX)
            pool_max_f32(&p, x, want, NULL, false);
        else
            pool_average_f32(&p, x, want, kind == DNN_POOL_AVERAGE_PADDED);
        if (pool) {
            void *scratch = scratch_of(dnn_pool_scratch(pool));
            assert_true(dnn_pool_run(pool, x, y, scratch));
            test_close(y, want, n_y, 1e-6);
            mem_free(scratch);
            done++;
        }
        dnn_pool_free(pool);
        mem_free(x), mem_free(y), mem_free(want);
    }
    assert_true(done > 30);
}

static void blocked_pool_keeps_the_block(void **state)
{
    (void)state;
    uint64_t r = 20;
    struct conv_params p = {.window = {.rank = 2,
                                       .in = {12, 12},
                                       .kernel = {3, 3},
                                       .out = {12, 12},
                                       .stride = {1, 1},
                                       .dilation = {1, 1},
                                       .pad_begin = {1, 1},
                                       .pad_end = {1, 1}},
                            .batch = 1,
                            .group = 1,
                            .in_channels = 32,
                            .out_channels = 24};
    struct pool_params q = {.window = p.window, .batch = 1, .channels = 24};
    float *w = test_floats(&r, 32 * 24 * 9), *x = test_floats(&r, 24 * 144),
          *want = test_zeros(24 * 144), *y = test_zeros(24 * 144);
    struct dnn_conv *c = dnn_conv_new(&(struct dnn_conv_args){.params = &p, .weights = w});
    assert_non_null(c);
    const struct dnn_layout *mid = dnn_conv_out(c);
    struct dnn_pool *pool =
        dnn_pool_new(&(struct dnn_pool_args){.params = &q, .kind = DNN_POOL_MAX, .in = mid});
    assert_non_null(pool);
    struct dnn_layout *plain = dnn_layout_plain(4, dnn_layout_dims(mid));
    float *in = aligned_floats(dnn_layout_bytes(mid)),
          *out = aligned_floats(dnn_layout_bytes(dnn_pool_out(pool)));
    reorder(plain, mid, x, in);
    assert_true(dnn_pool_run(pool, in, out, NULL) || dnn_pool_scratch(pool) > 0);
    reorder(dnn_pool_out(pool), plain, out, y);
    pool_max_f32(&q, x, want, NULL, false);
    test_same(y, want, 24 * 144);
    dnn_conv_free(c), dnn_pool_free(pool), dnn_layout_free(plain);
    mem_free(w), mem_free(x), mem_free(want), mem_free(y), mem_free(in), mem_free(out);
}

static void layouts(void **state)
{
    (void)state;
    const int64_t dims[] = {2, 3, 4}, empty[] = {2, 0};
    struct dnn_layout *a = dnn_layout_plain(3, dims), *b = dnn_layout_copy(a);
    assert_true(dnn_layout_same(a, b) && dnn_layout_is_plain(b) && !dnn_layout_is_padded(b));
    assert_int_equal(dnn_layout_bytes(a), 96);
    assert_int_equal(dnn_layout_block(a), 1);
    assert_false(dnn_layout_channels_last(a));
    assert_null(dnn_layout_plain(2, empty));
    assert_null(dnn_layout_plain(99, dims));
    dnn_layout_free(a), dnn_layout_free(b);
}

static void setup_names_the_instruction_set(void **state)
{
    (void)state;
    bool listed = false;
    assert_false(dnn_setup("no such isa", 64));
    assert_true(dnn_setup(NULL, 64));
    for (const char *const *name = dnn_isa_names(); *name; name++)
        listed = listed || !strcmp(*name, dnn_isa());
    assert_true(listed || !strcmp(dnn_isa(), "generic"));
    assert_true(strlen(dnn_version()) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setup_names_the_instruction_set),
        cmocka_unit_test(layouts),
        cmocka_unit_test(matmul_matches_the_reference),
        cmocka_unit_test(matmul_reads_transposed_operands),
        cmocka_unit_test(threads_do_not_change_products),
        cmocka_unit_test(pools_match_the_reference),
        cmocka_unit_test(blocked_pool_keeps_the_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
