/* Quantize, dequantize and what is built from them: golden values of the ONNX texts, edges, plain
 * loops. */
#include "nn_test.h"

#include "base/num.h"
#include "kernels/float/qdq.h"
#include "kernels/kernel.h"

static struct qdq_params per_tensor(enum dtype type, int64_t count, const float *scale,
                                    const int32_t *zero)
{
    return (struct qdq_params){.outer = 1,
                               .n = 1,
                               .inner = count,
                               .scale = scale,
                               .zero = zero,
                               .type = type,
                               .saturate = true};
}

/* Ties to even before the zero point, NaN to the smallest, infinities to the ends (reference page,
 * section 2.2). */
static void quantize_edges(void **state)
{
    (void)state;
    const float x[] = {0.5f,      1.5f,  2.5f,   -0.5f,  NAN,    INFINITY,
                       -INFINITY, 1e30f, -1e30f, 126.5f, -128.5f},
                scale[] = {1};
    const int32_t zero[] = {1};
    const int8_t want[] = {1, 3, 3, 1, -128, 127, -128, 127, -128, 127, -127};
    int8_t y[11];
    const struct qdq_params p = per_tensor(DT_INT8, 11, scale, zero);
    assert_int_equal(qdq_quantize(&p, x, y), KERNEL_OK);
    assert_memory_equal(y, want, sizeof want);
}

static void quantize_divides_by_the_scale(void **state)
{
    (void)state;
    const float scale[] = {0.3f},
                x[] = {2.25f, 8.25f, 17.25f}; /* times 1 / 0.3f they would give 8, 28, 58 */
    uint8_t y[3];
    const struct qdq_params p = per_tensor(DT_UINT8, 3, scale, NULL);
    assert_int_equal(qdq_quantize(&p, x, y), KERNEL_OK);
    assert_true(y[0] == 7 && y[1] == 27 && y[2] == 57);
}

static void narrow_types_are_packed(void **state)
{
    (void)state;
    const float x[] = {-9, -8, -1, 0, 7.4f, 100, 3}, scale[] = {1};
    uint8_t y[4] = {255, 255, 255, 255};
    struct qdq_params p = per_tensor(DT_INT4, 7, scale, NULL);
    assert_int_equal(qdq_quantize(&p, x, y), KERNEL_OK);
    assert_true(y[0] == 0x88 && y[1] == 0x0F && y[2] == 0x77 && y[3] == 3);
    p.type = DT_UINT2;
    assert_int_equal(qdq_quantize(&p, x, y), KERNEL_OK);
    assert_true(y[0] == 0 && y[1] == 0x3F);
    float back[7];
    p.type = DT_INT2;
    assert_int_equal(qdq_dequantize(&p, y, back), KERNEL_OK);
    assert_true(back[0] == 0 && back[4] == -1 && back[6] == -1);
    p.type = DT_UINT16;
    uint16_t wide[7];
    assert_int_equal(qdq_quantize(&p, x, wide), KERNEL_OK);
    assert_true(wide[0] == 0 && wide[4] == 7 && wide[5] == 100);
    p.type = DT_FLOAT;
    assert_int_equal(qdq_quantize(&p, x, wide), KERNEL_TYPE);
}

static void small_floats_saturate_as_told(void **state)
{
    (void)state;
    const float x[] = {1000, -1000, 0.5f, 1}, scale[] = {1};
    uint8_t y[4];
    struct qdq_params p = per_tensor(DT_FLOAT8E4M3FN, 4, scale, NULL);
    assert_int_equal(qdq_quantize(&p, x, y), KERNEL_OK);
    assert_true(y[0] == 0x7E && y[1] == 0xFE && y[2] == 0x30 && y[3] == 0x38);
    p.saturate = false;
    assert_int_equal(qdq_quantize(&p, x, y), KERNEL_OK);
    assert_true(y[0] == 0x7F);
    p.type = DT_FLOAT4E2M1;
    assert_int_equal(qdq_quantize(&p, x, y), KERNEL_OK);
    assert_true(y[0] == 0xF7 && y[1] == 0x21);
    float back[4];
    assert_int_equal(qdq_dequantize(&p, y, back), KERNEL_OK);
    assert_true(back[0] == 6 && back[1] == -6 && back[2] == 0.5f && back[3] == 1);
}

static void precision_rounds_the_quotient(void **state)
{
    (void)state;
    const float x[] = {2049}, scale[] = {2}; /* 1024.5 needs 12 bits: as float16 it is 1024 */
    uint16_t y[1];
    struct qdq_params p = per_tensor(DT_UINT16, 1, scale, (const int32_t[]){1});
    p.division = DT_FLOAT16;
    assert_int_equal(qdq_quantize(&p, x, y), KERNEL_OK);
    assert_int_equal(y[0], 1025);
    const float odd[] = {2051}; /* 1025.5 -> 1026 as float16 (tie to even), 1026 as float too;
                                   1025.5f rounds half to even to 1026 */
    assert_int_equal(qdq_quantize(&p, odd, y), KERNEL_OK);
    assert_int_equal(y[0], 1027);
}

static void plans(void **state)
{
    (void)state;
    struct qdq_params p;
    const int64_t x[] = {2, 6, 3}, axis[] = {6}, one[] = {1, 1, 1}, blocked[] = {2, 2, 3},
                  short_last[] = {2, 3, 3}, other[] = {1, 2, 3};
    assert_true(qdq_plan(x, 3, NULL, 0, 1, 0, &p) && p.inner == 36 && qdq_scales(&p) == 1);
    assert_true(qdq_plan(x, 3, one, 3, 1, 0, &p) && p.inner == 36);
    assert_true(qdq_plan(x, 3, axis, 1, -2, 0, &p) && p.outer == 2 && p.n == 6 && p.inner == 3 &&
                qdq_scales(&p) == 6);
    assert_true(qdq_plan(x, 3, blocked, 3, 1, 3, &p) && p.block == 3 && qdq_scales(&p) == 12);
    assert_true(qdq_plan(x, 3, blocked, 3, 1, 0, &p) && p.block == 3);
    assert_true(qdq_plan(x, 3, blocked, 3, 1, 4, &p) && p.block == 4);
    assert_true(qdq_plan(x, 3, short_last, 3, 1, 2, &p));
    assert_false(qdq_plan(x, 3, short_last, 3, 1, 3, &p));
    assert_false(qdq_plan(x, 3, other, 3, 1, 3, &p));
    assert_false(qdq_plan(x, 3, axis, 1, 0, 0, &p));
    assert_false(qdq_plan(x, 3, axis, 1, 3, 0, &p));
    assert_false(qdq_plan(x, 3, blocked, 3, 1, -1, &p));
    const int64_t long_line[] = {INT64_MAX - 2}, two[] = {2};
    assert_false(qdq_plan(long_line, 1, two, 1, 0, (int64_t)1 << 40, &p));
}

/* Every granularity and type against one formula per element. */
static void granularities_match_plain_loops(void **state)
{
    (void)state;
    static const enum dtype TYPES[] = {DT_INT8, DT_UINT8, DT_INT16, DT_UINT16,
                                       DT_INT4, DT_UINT4, DT_INT2,  DT_UINT2};
    uint64_t r = 21;
    for (int round = 0; round < 200; round++) {
        struct qdq_params p = {.outer = test_int(&r, 1, 3),
                               .n = test_int(&r, 1, 9),
                               .inner = round % 2 ? 1 : test_int(&r, 1, 600),
                               .block = round % 3 ? 0 : test_int(&r, 1, 5),
                               .type = TYPES[round % 8]};
        const int64_t scales = qdq_scales(&p), count = p.outer * p.n * p.inner;
        float *x = test_floats(&r, count), *scale = test_floats(&r, scales),
              *back = test_zeros(count), *pair = test_zeros(count);
        int32_t *zero = mem_alloc((size_t)scales * sizeof *zero);
        uint16_t *y = mem_alloc((size_t)count * sizeof *y);
        for (int64_t i = 0; i < scales; i++) {
            scale[i] = (fabsf(scale[i]) + 0.1f) / (float)(1 << (dtype_bits(p.type) - 1));
            zero[i] = (int32_t)test_int(&r, dtype_min(p.type), dtype_max(p.type));
        }
        p.scale = scale;
        p.zero = round % 5 ? zero : NULL;
        assert_int_equal(qdq_quantize(&p, x, y), KERNEL_OK);
        assert_int_equal(qdq_dequantize(&p, y, back), KERNEL_OK);
        assert_int_equal(qdq_simulate(&p, x, pair), KERNEL_OK);
        for (int64_t i = 0; i < count; i++) {
            const int64_t o = i / p.inner / p.n, c = i / p.inner % p.n;
            const int64_t k =
                p.block
                    ? (o * ((p.n + p.block - 1) / p.block) + c / p.block) * p.inner + i % p.inner
                    : c;
            const int64_t z = p.zero ? zero[k] : 0;
            const int64_t want = num_clamp(num_round_even((double)(x[i] / scale[k])) + z,
                                           dtype_min(p.type), dtype_max(p.type));
            assert_int_equal(num_get_int(y, p.type, i), want);
            assert_true(back[i] == (float)(want - z) * scale[k] && pair[i] == back[i]);
        }
        mem_free(x), mem_free(scale), mem_free(back), mem_free(pair), mem_free(zero), mem_free(y);
    }
}

static void dequantize_int32(void **state)
{
    (void)state;
    const int32_t x[] = {INT32_MAX, -3};
    const float scale[] = {0.5f};
    float y[2];
    const struct qdq_params p = per_tensor(DT_INT32, 2, scale, NULL);
    assert_int_equal(qdq_dequantize(&p, x, y), KERNEL_OK);
    assert_true(y[0] == 1073741824.0f && y[1] == -1.5f);
}

/* The three cases of the ONNX operator text (test_dynamicquantizelinear). */
static void dynamic_quantization(void **state)
{
    (void)state;
    const float x[] = {0, 2, -3, -2.5f, 1.34f, 0.5f},
                low[] = {-1, -2.1f, -1.3f, -2.5f, -3.34f, -4.0f}, zeros[] = {0, 0};
    const uint8_t want[] = {153, 255, 0, 26, 221, 179}, want_low[] = {191, 121, 172, 96, 42, 0};
    uint8_t y[6], zero;
    float scale;
    qdq_dynamic(x, 6, y, &scale, &zero);
    assert_memory_equal(y, want, 6);
    assert_true(zero == 153 && fabsf(scale - 0.0196078438f) < 1e-8f);
    qdq_dynamic(low, 6, y, &scale, &zero);
    assert_memory_equal(y, want_low, 6);
    assert_int_equal(zero, 255);
    qdq_dynamic(zeros, 2, y, &scale, &zero);
    assert_true(scale == 1 && zero == 0 && y[0] == 0);
}

/* Ties of requantization: scale 0.5, zero point 1, accumulator 1 gives 1 (the reference page's tie
 * table). */
static void requantization_rounds_before_the_zero_point(void **state)
{
    (void)state;
    const int32_t acc[] = {1, 3, -1, 1000, INT32_MIN}, bias[] = {2};
    const float factor[] = {0.5f};
    uint8_t y[5];
    const struct qdq_requant r = {factor, 0, 1, DT_UINT8};
    qdq_requantize(&r, 1, 5, acc, NULL, y);
    assert_true(y[0] == 1 && y[1] == 3 && y[2] == 1 && y[3] == 255 && y[4] == 0);
    qdq_requantize(&r, 1, 2, acc, bias, y);
    assert_true(y[0] == 3 && y[1] == 3);
}

static void qlinear_operators(void **state)
{
    (void)state;
    const uint8_t x[] = {12, 11, 10, 9}, w[] = {0, 2};
    const int32_t w_zero[] = {1}, bias[] = {4};
    const float factor[] = {0.5f};
    const struct conv_params p = {
        .window = {.rank = 1, .in = {4}, .kernel = {2}, .out = {3}, .stride = {1}, .dilation = {1}},
        .batch = 1,
        .group = 1,
        .in_channels = 1,
        .out_channels = 1};
    int32_t acc[4];
    uint8_t y[4];
    const struct qdq_requant r = {factor, 0, 100, DT_UINT8};
    qdq_conv(&p, &(struct conv_int_args){x, w, false, false, 10, w_zero, 0}, bias, &r, acc,
             y); /* acc -1 -1 -1, + 4 */
    assert_true(y[0] == 102 && y[1] == 102 && y[2] == 102);
    const int64_t dims[] = {2, 2};
    struct matmul_params m;
    int64_t y_dims[MATMUL_MAX_BATCH_RANK + 2];
    int rank;
    assert_true(matmul_plan(dims, 2, dims, 2, &m, y_dims, &rank));
    const int8_t a[] = {1, 2, 3, 4}, b[] = {10, 0, 0, 20};
    const float columns[] = {1, 0.25f};
    int8_t z[4];
    const struct qdq_requant s = {factor, 0, -1, DT_INT8};
    qdq_matmul(&m, &(struct matmul_int_args){a, b, true, true, {NULL, 0, 0}, {NULL, 0, 0}}, &s,
               columns, acc, z);
    assert_true(z[0] == 4 && z[1] == 4 && z[2] == 14 && z[3] == 9);
}

static void n_bit_weights(void **state)
{
    (void)state;
    const uint8_t b[] = {0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE}, zero[] = {0x31};
    const float scale[] = {1, 2}, float_zero[] = {0.5f, 1.5f};
    float w[12];
    struct qdq_nbits p = {.n = 1, .k = 12, .block = 8, .bits = 4, .b = b, .scale = scale};
    qdq_nbits_rows(&p, 0, p.n, w);
    assert_true(w[0] == -8 && w[7] == -1 && w[8] == 0 && w[11] == 6);
    p.zero = zero;
    qdq_nbits_rows(&p, 0, p.n, w);
    assert_true(w[0] == -1 && w[8] == 10);
    p.float_zero = float_zero;
    qdq_nbits_rows(&p, 0, p.n, w);
    assert_true(w[0] == -0.5f && w[8] == 13);
    const struct qdq_nbits two = {
        .n = 1, .k = 4, .block = 4, .bits = 2, .b = (const uint8_t[]){0xE4}, .scale = scale};
    qdq_nbits_rows(&two, 0, two.n, w);
    assert_true(w[0] == -2 && w[1] == -1 && w[2] == 0 && w[3] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantize_edges),
        cmocka_unit_test(quantize_divides_by_the_scale),
        cmocka_unit_test(narrow_types_are_packed),
        cmocka_unit_test(small_floats_saturate_as_told),
        cmocka_unit_test(precision_rounds_the_quotient),
        cmocka_unit_test(plans),
        cmocka_unit_test(granularities_match_plain_loops),
        cmocka_unit_test(dequantize_int32),
        cmocka_unit_test(dynamic_quantization),
        cmocka_unit_test(requantization_rounds_before_the_zero_point),
        cmocka_unit_test(qlinear_operators),
        cmocka_unit_test(n_bit_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
