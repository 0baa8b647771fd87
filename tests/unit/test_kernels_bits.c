/* The reference engine's promise: the same bits from every compiler, at every optimisation level, on every machine. Each kernel runs on
 * fixed inputs and the hash of its output is compared with the one recorded here. A change of a kernel's order of operations changes its
 * hash: record the new one in the same commit and say why. */
#include "nn_test.h"

#include "kernels/float/attention.h"
#include "kernels/float/conv.h"
#include "kernels/float/einsum.h"
#include "kernels/float/grid.h"
#include "kernels/float/linalg.h"
#include "kernels/float/matmul.h"
#include "kernels/float/norm.h"
#include "kernels/float/pool.h"
#include "kernels/float/qdq.h"
#include "kernels/float/resize.h"
#include "kernels/float/rnn.h"
#include "kernels/float/signal.h"

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const float *x, int64_t count)
{
    const unsigned char *bytes = (const unsigned char *)x;
    uint64_t h = UINT64_C(14695981039346656037);
    for (int64_t i = 0; i < count * 4; i++)
        h = (h ^ bytes[i]) * UINT64_C(1099511628211);
    return h;
}

enum { FLOATS = 1 << 17 };
struct bench {
    float *a, *b, *c, *y;
    double *scratch;
};

static uint64_t run_conv(struct bench *m)
{
    const struct conv_params p = {.window = {.rank = 2,
                                             .in = {19, 17},
                                             .kernel = {3, 3},
                                             .out = {10, 17},
                                             .stride = {2, 1},
                                             .dilation = {1, 1},
                                             .pad_begin = {1, 1},
                                             .pad_end = {1, 1}},
                                  .batch = 2,
                                  .group = 1,
                                  .in_channels = 40,
                                  .out_channels = 11};
    conv_f32(&p, m->a, m->b, m->c, m->y);
    return hash_of(m->y, 2 * 11 * 170);
}

static uint64_t run_depthwise(struct bench *m)
{
    const struct conv_params p = {.window = {.rank = 2,
                                             .in = {12, 12},
                                             .kernel = {3, 3},
                                             .out = {12, 12},
                                             .stride = {1, 1},
                                             .dilation = {1, 1},
                                             .pad_begin = {1, 1},
                                             .pad_end = {1, 1}},
                                  .batch = 1,
                                  .group = 24,
                                  .in_channels = 24,
                                  .out_channels = 24};
    conv_f32(&p, m->a, m->b, NULL, m->y);
    return hash_of(m->y, 24 * 144);
}

static uint64_t run_conv_transpose(struct bench *m)
{
    const struct conv_params p = {.window = {.rank = 2,
                                             .in = {7, 6},
                                             .kernel = {4, 3},
                                             .out = {14, 11},
                                             .stride = {2, 2},
                                             .dilation = {1, 1},
                                             .pad_begin = {1, 1},
                                             .pad_end = {1, 1}},
                                  .batch = 1,
                                  .group = 1,
                                  .in_channels = 20,
                                  .out_channels = 9};
    conv_transpose_f32(&p, m->a, m->b, m->c, m->y);
    return hash_of(m->y, 9 * 154);
}

static uint64_t run_matmul(struct bench *m)
{
    const struct matmul_params p = {.m = 13,
                                    .n = 37,
                                    .k = 600,
                                    .a_row_step = 600,
                                    .a_col_step = 1,
                                    .b_row_step = 37,
                                    .b_col_step = 1};
    matmul_f32(&p, m->a, m->b, m->y);
    return hash_of(m->y, 13 * 37);
}

static uint64_t run_vector_matmul(struct bench *m)
{
    const struct matmul_params along = {.m = 1,
                                        .n = 70,
                                        .k = 600,
                                        .a_row_step = 600,
                                        .a_col_step = 1,
                                        .b_row_step = 70,
                                        .b_col_step = 1};
    const struct matmul_params across = {.m = 1,
                                         .n = 70,
                                         .k = 600,
                                         .a_row_step = 600,
                                         .a_col_step = 1,
                                         .b_row_step = 1,
                                         .b_col_step = 600};
    matmul_f32(&along, m->a, m->b, m->y);
    matmul_f32(&across, m->a, m->b, m->y + 70);
    return hash_of(m->y, 140);
}

static uint64_t run_pools(struct bench *m)
{
    const struct pool_params p = {.window = {.rank = 2,
                                             .in = {15, 15},
                                             .kernel = {3, 3},
                                             .out = {8, 8},
                                             .stride = {2, 2},
                                             .dilation = {1, 1},
                                             .pad_begin = {1, 1},
                                             .pad_end = {1, 1}},
                                  .batch = 1,
                                  .channels = 6};
    pool_average_f32(&p, m->a, m->y, false);
    pool_lp_f32(&p, m->a, m->y + 384, 3);
    pool_max_f32(&p, m->a, m->y + 768, NULL, false);
    return hash_of(m->y, 1152);
}

static uint64_t run_norms(struct bench *m)
{
    norm_layer_f32(&(struct norm_rows){9, 101, 1e-5, m->b, m->c, 101, 101}, m->a, m->y, NULL, NULL);
    norm_rms_f32(&(struct norm_rows){9, 101, 1e-5, m->b, NULL, 101, 0}, m->a, m->y + 1000, NULL);
    norm_group_f32(&(struct norm_channels){2, 6, 50, 1e-5}, 3, m->a, m->b, m->c, true, m->y + 2000);
    norm_lrn_f32(&(struct norm_lrn_args){1, 8, 30, 5, 1e-2, 0.75, 1}, m->a, m->y + 3000);
    return hash_of(m->y, 909) ^ hash_of(m->y + 1000, 909) ^ hash_of(m->y + 2000, 600) ^
           hash_of(m->y + 3000, 240);
}

static uint64_t run_rnn(struct bench *m, enum rnn_kind kind)
{
    struct rnn_params p = {
        .kind = kind, .steps = 7, .batch = 2, .input = 11, .hidden = 13, .directions = 1};
    for (int i = 0; i < rnn_activations(kind); i++)
        p.activations[0][i] = rnn_activation_default(kind, i);
    rnn_run(&p, &(struct rnn_args){.x = m->a, .w = m->b, .r = m->c, .y = m->y},
            (float *)m->scratch);
    return hash_of(m->y, 7 * 2 * 13);
}

static uint64_t run_lstm(struct bench *m) { return run_rnn(m, RNN_LSTM); }
static uint64_t run_gru(struct bench *m) { return run_rnn(m, RNN_GRU); }

static uint64_t run_resize(struct bench *m)
{
    struct resize_params p = {.rank = 2,
                              .axis = {{.in = 13, .out = 7, .scale = 7.0f / 13},
                                       {.in = 9, .out = 20, .scale = 20.0f / 9}},
                              .mode = RESIZE_CUBIC,
                              .cubic_a = -0.75,
                              .antialias = true};
    resize_f32(&p, m->a, m->y, m->scratch);
    return hash_of(m->y, 140);
}

static uint64_t run_grid(struct bench *m)
{
    const struct grid_params p = {.rank = 2,
                                  .batch = 1,
                                  .channels = 3,
                                  .in = {8, 9},
                                  .out = {10, 10},
                                  .mode = GRID_CUBIC,
                                  .padding = GRID_REFLECTION};
    grid_sample_f32(&p, m->a, m->b, m->y);
    return hash_of(m->y, 300);
}

static uint64_t run_attention(struct bench *m)
{
    const struct attention_params p = {.batch = 1,
                                       .q_heads = 4,
                                       .kv_heads = 2,
                                       .q_len = 9,
                                       .kv_len = 9,
                                       .head = 16,
                                       .v_head = 16,
                                       .scale = 0.25f,
                                       .softcap = 5,
                                       .causal = true,
                                       .left_window = -1,
                                       .right_window = -1};
    attention_f32(&p, &(struct attention_args){.q = m->a, .k = m->b, .v = m->c, .y = m->y},
                  (float *)m->scratch);
    return hash_of(m->y, 4 * 9 * 16);
}

static uint64_t run_dft(struct bench *m)
{
    dft_f32(&(struct dft_params){.outer = 2, .in = 74, .inner = 1, .length = 74}, m->a, m->y,
            m->scratch);
    dft_f32(&(struct dft_params){.outer = 2, .in = 60, .inner = 1, .length = 60}, m->a, m->y + 400,
            m->scratch);
    return hash_of(m->y, 296) ^ hash_of(m->y + 400, 240);
}

static uint64_t run_einsum(struct bench *m)
{
    struct einsum_plan p;
    const int ranks[] = {2, 3, 2};
    const int64_t a[] = {5, 6}, b[] = {6, 7, 8}, c[] = {7, 4};
    const float *inputs[] = {m->a, m->b, m->c};
    if (!einsum_labels("ij,jkl,km->lmi", 3, ranks, &p) ||
        !einsum_extents(&p, (const int64_t *const[]){a, b, c}))
        return 0;
    einsum_f32(&p, inputs, m->y, (float *)m->scratch);
    return hash_of(m->y, 5 * 8 * 4);
}

static uint64_t run_inverse(struct bench *m)
{
    return linalg_inverse_f32(1, 12, m->a, m->y, m->scratch) ? 0 : hash_of(m->y, 144);
}

static uint64_t run_qdq(struct bench *m)
{
    const float scale[] = {0.0123f};
    const int32_t zero[] = {17};
    const struct qdq_params p = {
        .outer = 1, .n = 1, .inner = 4096, .scale = scale, .zero = zero, .type = DT_UINT8};
    qdq_simulate(&p, m->a, m->y);
    return hash_of(m->y, 4096);
}

static const struct {
    const char *name;
    uint64_t (*run)(struct bench *);
    uint64_t want;
} KERNELS[] = {
    {"conv", run_conv, UINT64_C(0x303569e3b5d4a1ea)},
    {"depthwise", run_depthwise, UINT64_C(0xffe9f81bdc67204c)},
    {"conv_transpose", run_conv_transpose, UINT64_C(0xcbc38350522ddc2d)},
    {"matmul", run_matmul, UINT64_C(0x70de995c58dff512)},
    {"vector_matmul", run_vector_matmul, UINT64_C(0xace53cbd4b0d9b62)},
    {"pools", run_pools, UINT64_C(0xfeb1bc4b95ef38f7)},
    {"norms", run_norms, UINT64_C(0x6800a9a522b93d2c)},
    {"lstm", run_lstm, UINT64_C(0x0c26d3a41ed572b2)},
    {"gru", run_gru, UINT64_C(0x53272c7aa3b37652)},
    {"resize", run_resize, UINT64_C(0x6154a5f2039738e8)},
    {"grid", run_grid, UINT64_C(0x7bbcdaf78e614e4a)},
    {"attention", run_attention, UINT64_C(0x3292865f874a182c)},
    {"dft", run_dft, UINT64_C(0xeec5bdffd84ccd23)},
    {"einsum", run_einsum, UINT64_C(0x19f5a15f8ca957ad)},
    {"inverse", run_inverse, UINT64_C(0x6d054eeae7305037)},
    {"qdq", run_qdq, UINT64_C(0xba2ce8bcc2b8b08b)},
};

static void every_kernel_gives_its_recorded_bits(void **state)
{
    (void)state;
    uint64_t r = 91;
    struct bench m = {test_floats(&r, FLOATS), test_floats(&r, FLOATS), test_floats(&r, FLOATS),
                      test_zeros(FLOATS), mem_alloc(FLOATS * sizeof(double))};
    int wrong = 0;
    for (int i = 0; i < COUNT(KERNELS); i++) {
        const uint64_t got = KERNELS[i].run(&m);
        if (got != KERNELS[i].want) {
            print_message("%s: 0x%016llx\n", KERNELS[i].name, (unsigned long long)got);
            wrong++;
        }
    }
    mem_free(m.a), mem_free(m.b), mem_free(m.c), mem_free(m.y), mem_free(m.scratch);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kernel_gives_its_recorded_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
