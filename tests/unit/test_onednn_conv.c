/* Fast convolutions against the reference kernels (1e-5 of the largest output), their
 * post-operations, and that neither threads nor concurrent runs change a bit. */
#include "onednn_test.h"

#include <pthread.h>

struct conv_case {
    struct conv_params p;
    bool transposed;
    int64_t n_x, n_w, n_y;
    float *x, *w, *bias, *want;
};

static void case_make(struct conv_case *c, uint64_t *r, bool transposed)
{
    *c = (struct conv_case){.transposed = transposed};
    struct conv_params *p = &c->p;
    struct window *w = &p->window;
    const bool depthwise = test_int(r, 0, 3) == 0;
    w->rank = (int)test_int(r, 1, 3);
    p->batch = test_int(r, 1, 2);
    p->group = depthwise ? test_int(r, 1, 40) : test_int(r, 1, 3);
    p->in_channels = p->group * (depthwise ? 1 : test_int(r, 1, 40));
    p->out_channels = p->group * (depthwise ? 1 : test_int(r, 1, 40));
    for (int a = 0; a < w->rank; a++)
        do {
            w->in[a] = test_int(r, 1, w->rank == 3 ? 8 : 15), w->kernel[a] = test_int(r, 1, 4),
            w->stride[a] = test_int(r, 1, 3);
            w->dilation[a] = test_int(r, 1, 2), w->pad_begin[a] = test_int(r, 0, 2),
            w->pad_end[a] = test_int(r, 0, 2);
        } while (!(transposed ? window_resolve_transposed(w, a, AUTO_PAD_NOTSET, 0, -1)
                              : window_resolve(w, a, AUTO_PAD_NOTSET, false)) ||
                 w->out[a] == 0);
    c->n_x = p->batch * p->in_channels * window_in_size(w);
    c->n_y = p->batch * p->out_channels * window_out_size(w);
    c->n_w = p->in_channels * p->out_channels / p->group * window_kernel_size(w);
    c->x = test_floats(r, c->n_x), c->w = test_floats(r, c->n_w),
    c->bias = test_floats(r, p->out_channels);
    c->want = test_zeros(c->n_y);
    if (transposed)
        conv_transpose_f32(p, c->x, c->w, c->bias, c->want);
    else
        conv_f32(p, c->x, c->w, c->bias, c->want);
}

static void case_drop(struct conv_case *c)
{
    mem_free(c->x), mem_free(c->w), mem_free(c->bias), mem_free(c->want);
}

static void case_of_size(struct conv_case *c, uint64_t *r, int rank, int64_t n_y)
{
    for (case_make(c, r, false); c->p.window.rank != rank || c->n_y < n_y; case_make(c, r, false))
        case_drop(c);
}

/* Runs with the layouts oneDNN chose, reordering by hand; y plain. */
static void run_blocked(const struct dnn_conv *c, const struct conv_case *t, float *y)
{
    const struct dnn_layout *in = dnn_conv_in(c), *out = dnn_conv_out(c);
    struct dnn_layout *plain_in = dnn_layout_plain(dnn_layout_rank(in), dnn_layout_dims(in));
    struct dnn_layout *plain_out = dnn_layout_plain(dnn_layout_rank(out), dnn_layout_dims(out));
    float *x_in = aligned_floats(dnn_layout_bytes(in)),
          *y_out = aligned_floats(dnn_layout_bytes(out));
    void *scratch = scratch_of(dnn_conv_scratch(c));
    reorder(plain_in, in, t->x, x_in);
    assert_true(dnn_conv_run(c, x_in, y_out, NULL, scratch));
    reorder(out, plain_out, y_out, y);
    dnn_layout_free(plain_in), dnn_layout_free(plain_out);
    mem_free(x_in), mem_free(y_out), mem_free(scratch);
}

static void check_convolutions(bool transposed, uint64_t seed)
{
    int done = 0;
    for (int round = 0; round < 60; round++) {
        struct conv_case t;
        case_make(&t, &seed, transposed);
        struct dnn_conv_args args = {.params = &t.p,
                                     .transposed = transposed,
                                     .weights = t.w,
                                     .bias = t.bias,
                                     .plain = true};
        struct dnn_conv *plain = dnn_conv_new(&args);
        args.plain = false;
        struct dnn_conv *blocked = dnn_conv_new(&args);
        assert_true(!plain == !blocked);
        if (plain) {
            float *y = test_zeros(t.n_y), *z = test_zeros(t.n_y);
            void *scratch = scratch_of(dnn_conv_scratch(plain));
            assert_true(dnn_layout_is_plain(dnn_conv_in(plain)) &&
                        dnn_layout_is_plain(dnn_conv_out(plain)));
            assert_true(dnn_conv_run(plain, t.x, y, NULL, scratch));
            test_close(y, t.want, t.n_y, TOLERANCE);
            run_blocked(blocked, &t, z);
            assert_memory_equal(y, z, (size_t)t.n_y * sizeof *y);
            mem_free(y), mem_free(z), mem_free(scratch);
            done++;
        }
        dnn_conv_free(plain), dnn_conv_free(blocked);
        case_drop(&t);
    }
    assert_true(done > 50);
}

static void convolution_matches_the_reference(void **state)
{
    (void)state;
    check_convolutions(false, 11);
}

static void transposed_convolution_matches_the_reference(void **state)
{
    (void)state;
    check_convolutions(true, 12);
}

static void post_operations_follow_in_order(void **state)
{
    (void)state;
    uint64_t r = 13;
    struct conv_case t;
    case_of_size(&t, &r, 2, 100);
    const int64_t dims[] = {t.p.batch, t.p.out_channels, t.p.window.out[0], t.p.window.out[1]};
    struct dnn_layout *plain = dnn_layout_plain(4, dims);
    const struct dnn_post posts[] = {{.kind = DNN_POST_SUM},
                                     {.kind = DNN_POST_RELU, .a = 0.25f},
                                     {.kind = DNN_POST_ADD, .layout = plain},
                                     {.kind = DNN_POST_CLIP, .a = -0.5f, .b = 1.5f}};
    struct dnn_conv_args args = {.params = &t.p,
                                 .weights = t.w,
                                 .bias = t.bias,
                                 .in = NULL,
                                 .out = plain,
                                 .posts = posts,
                                 .n_posts = 4};
    struct dnn_conv *c = dnn_conv_new(&args);
    assert_non_null(c);
    float *before = test_floats(&r, t.n_y), *other = test_floats(&r, t.n_y),
          *y = aligned_floats((size_t)t.n_y * 4);
    float *x_in = aligned_floats(dnn_layout_bytes(dnn_conv_in(c)));
    struct dnn_layout *plain_in = dnn_layout_plain(4, dnn_layout_dims(dnn_conv_in(c)));
    void *scratch = scratch_of(dnn_conv_scratch(c));
    reorder(plain_in, dnn_conv_in(c), t.x, x_in);
    memcpy(y, before, (size_t)t.n_y * sizeof *y);
    assert_true(dnn_conv_run(c, x_in, y, (const float *const[]){other}, scratch));
    for (int64_t i = 0; i < t.n_y; i++) {
        float v = t.want[i] + before[i];
        v = (v > 0 ? v : 0.25f * v) + other[i];
        t.want[i] = v < -0.5f ? -0.5f : v > 1.5f ? 1.5f : v;
    }
    test_close(y, t.want, t.n_y, TOLERANCE);
    dnn_conv_free(c), dnn_layout_free(plain), dnn_layout_free(plain_in);
    mem_free(before), mem_free(other), mem_free(y), mem_free(x_in), mem_free(scratch);
    case_drop(&t);
}

static void threads_do_not_change_convolutions(void **state)
{
    (void)state;
    uint64_t r = 14;
    for (int round = 0; round < 30; round++) {
        struct conv_case t;
        float *y[3];
        case_make(&t, &r, round % 3 == 0);
        for (int i = 0; i < 3; i++) {
            allow_threads(1 << i);
            struct dnn_conv *c = dnn_conv_new(&(struct dnn_conv_args){.params = &t.p,
                                                                      .transposed = t.transposed,
                                                                      .weights = t.w,
                                                                      .bias = t.bias,
                                                                      .plain = true});
            y[i] = test_zeros(t.n_y);
            if (!c)
                continue;
            void *scratch = scratch_of(dnn_conv_scratch(c));
            assert_true(dnn_conv_run(c, t.x, y[i], NULL, scratch));
            mem_free(scratch);
            dnn_conv_free(c);
        }
        assert_memory_equal(y[0], y[1], (size_t)t.n_y * sizeof(float));
        assert_memory_equal(y[0], y[2], (size_t)t.n_y * sizeof(float));
        mem_free(y[0]), mem_free(y[1]), mem_free(y[2]);
        case_drop(&t);
    }
}

struct shared_run {
    const struct dnn_conv *conv;
    const float *x, *want;
    int64_t n_y;
    bool same;
};

static void *run_shared(void *user)
{
    struct shared_run *s = user;
    float *y = test_zeros(s->n_y);
    void *scratch = scratch_of(dnn_conv_scratch(s->conv));
    s->same = true;
    for (int i = 0; i < 20; i++) {
        memset(y, 0, (size_t)s->n_y * sizeof *y);
        s->same = dnn_conv_run(s->conv, s->x, y, NULL, scratch) &&
                  !memcmp(y, s->want, (size_t)s->n_y * sizeof *y) && s->same;
    }
    mem_free(y), mem_free(scratch);
    return NULL;
}

static void one_object_serves_several_threads(void **state)
{
    (void)state;
    uint64_t r = 15;
    struct conv_case t;
    case_of_size(&t, &r, 2, 1000);
    struct dnn_conv *c = dnn_conv_new(
        &(struct dnn_conv_args){.params = &t.p, .weights = t.w, .bias = t.bias, .plain = true});
    assert_non_null(c);
    float *want = test_zeros(t.n_y);
    void *scratch = scratch_of(dnn_conv_scratch(c));
    assert_true(dnn_conv_run(c, t.x, want, NULL, scratch));
    struct shared_run runs[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        runs[i] = (struct shared_run){c, t.x, want, t.n_y, false};
        assert_int_equal(pthread_create(&threads[i], NULL, run_shared, &runs[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(runs[i].same);
    }
    dnn_conv_free(c);
    mem_free(want), mem_free(scratch);
    case_drop(&t);
}

static void conv_refuses_what_it_cannot_do(void **state)
{
    (void)state;
    const float w[] = {1};
    struct conv_params p = {.window = {.rank = 1,
                                       .in = {3},
                                       .kernel = {1},
                                       .out = {2},
                                       .stride = {1},
                                       .dilation = {1},
                                       .pad_begin = {-1}},
                            .batch = 1,
                            .group = 1,
                            .in_channels = 1,
                            .out_channels = 1};
    const struct dnn_conv_args args = {.params = &p, .weights = w, .plain = true};
    assert_null(dnn_conv_new(&args));
    p.window.pad_begin[0] = 0, p.window.out[0] = 3, p.batch = 0;
    assert_null(dnn_conv_new(&args));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_matches_the_reference),
        cmocka_unit_test(transposed_convolution_matches_the_reference),
        cmocka_unit_test(post_operations_follow_in_order),
        cmocka_unit_test(threads_do_not_change_convolutions),
        cmocka_unit_test(one_object_serves_several_threads),
        cmocka_unit_test(conv_refuses_what_it_cannot_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
