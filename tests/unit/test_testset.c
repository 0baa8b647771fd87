/* The onnx-test sample format: folders found, files given to inputs by name and by position, and every refusal. */
#include "data_test.h"

/* A TensorProto (github.com/onnx/onnx onnx.proto): dims 1, data_type 2, name 8, raw_data 9. */
struct proto {
    unsigned char bytes[256];
    size_t size;
};

static void put(struct proto *p, const void *bytes, size_t size)
{
    memcpy(p->bytes + p->size, bytes, size);
    p->size += size;
}

static void put_field(struct proto *p, unsigned char tag, const void *bytes, size_t size)
{
    unsigned char head[2] = {tag, (unsigned char)size};
    put(p, head, 2);
    put(p, bytes, size);
}

static void tensor_file(struct bench *b, const char *path, const char *name, enum dtype t,
                        const int64_t *dims, const void *raw, size_t size)
{
    struct proto p = {.size = 0};
    for (int i = 0; i < 2; i++)
        put(&p, (unsigned char[]){0x08, (unsigned char)dims[i]}, 2);
    put(&p, (unsigned char[]){0x10, (unsigned char)t}, 2);
    if (*name)
        put_field(&p, 0x42, name, strlen(name));
    put_field(&p, 0x4a, raw, size);
    bench_file(b, path, p.bytes, p.size);
}

static const int64_t DIMS[] = {1, 2}, LONG[] = {3, 2};
static const float A[] = {1, 2}, B[] = {3, 4}, SIX[] = {1, 2, 3, 4, 5, 6};

/* Inputs a and b, float [1, 2], and the folder model/test_data_set_0. */
static void open_model(struct bench *b)
{
    bench_open(b);
    bench_input(b, "a", DT_FLOAT, 2, DIMS);
    bench_input(b, "b", DT_FLOAT, 2, DIMS);
    assert_int_equal(mkdir(bench_path(b, "model"), 0755), 0);
    assert_int_equal(mkdir(bench_path(b, "model/test_data_set_0"), 0755), 0);
}

static void pair(struct bench *b, const char *set, const char *first, const char *second)
{
    tensor_file(b, arena_printf(b->arena, "model/%s/input_0.pb", set), first, DT_FLOAT, DIMS, A,
                sizeof A);
    tensor_file(b, arena_printf(b->arena, "model/%s/input_1.pb", set), second, DT_FLOAT, DIMS, B,
                sizeof B);
}

static void expect_values(struct samples *s, size_t k, struct arena *a, const float *first,
                          const float *second)
{
    const struct tensor **out;
    assert_int_equal(samples_get(s, k, a, &out), 0);
    for (int i = 0; i < 2; i++) {
        assert_true(tensor_get(out[0], i) == (double)first[i]);
        assert_true(tensor_get(out[1], i) == (double)second[i]);
    }
}

static void sets_are_samples(void **state)
{
    struct bench b;
    struct samples *s;
    (void)state;
    open_model(&b);
    assert_int_equal(mkdir(bench_path(&b, "model/test_data_set_1"), 0755), 0);
    pair(&b, "test_data_set_0", "", "");
    pair(&b, "test_data_set_1", "b", "a"); /* names win over positions */
    bench_file(&b, "model/test_data_set_0/output_0.pb", "no proto", 8);
    bench_file(&b, "model/model.onnx", "no model", 8);
    assert_int_equal(bench_samples(&b, bench_path(&b, "model"), &s), 0);
    assert_int_equal(samples_count(s), 2);
    expect_values(s, 0, b.arena, A, B);
    expect_values(s, 1, b.arena, B, A);
    samples_close(s);
    assert_int_equal(bench_samples(&b, bench_path(&b, "model/test_data_set_1"), &s), 0);
    assert_int_equal(samples_count(s), 1);
    expect_values(s, 0, b.arena, B, A);
    samples_close(s);
    bench_close(&b);
}

static void foreign_names_mean_positions(void **state)
{
    struct bench b;
    struct samples *s;
    (void)state;
    open_model(&b);
    pair(&b, "test_data_set_0", "x", "y");
    assert_int_equal(bench_samples(&b, bench_path(&b, "model"), &s), 0);
    expect_values(s, 0, b.arena, A, B);
    samples_close(s);
    bench_close(&b);
}

static void values_are_converted(void **state)
{
    struct bench b;
    struct samples *s;
    const uint8_t small[] = {7, 9};
    (void)state;
    open_model(&b);
    pair(&b, "test_data_set_0", "", "");
    tensor_file(&b, "model/test_data_set_0/input_1.pb", "", DT_UINT8, DIMS, small, sizeof small);
    assert_int_equal(bench_samples(&b, bench_path(&b, "model"), &s), 0);
    expect_values(s, 0, b.arena, A, (float[]){7, 9});
    samples_close(s);
    bench_close(&b);
}

/* ---- refusals ---- */

static void refuse(struct bench *b, enum err id)
{
    struct samples *s = NULL;
    const struct tensor **out;
    int code = bench_samples(b, bench_path(b, "model"), &s);
    if (!code)
        code = samples_get(s, 0, b->arena, &out);
    samples_close(s);
    assert_int_equal(code, -(int)id);
    assert_int_equal(bench_error(b), id);
    bench_close(b);
}

static void an_input_is_missing(void **state)
{
    struct bench b;
    (void)state;
    open_model(&b);
    tensor_file(&b, "model/test_data_set_0/input_0.pb", "", DT_FLOAT, DIMS, A, sizeof A);
    refuse(&b, E_SAMPLE_INPUT);
}

static void a_set_is_empty(void **state)
{
    struct bench b;
    (void)state;
    open_model(&b);
    refuse(&b, E_TEST_SET);
}

static void a_file_is_for_no_input(void **state)
{
    struct bench b;
    (void)state;
    open_model(&b);
    pair(&b, "test_data_set_0", "", "");
    tensor_file(&b, "model/test_data_set_0/input_2.pb", "", DT_FLOAT, DIMS, A, sizeof A);
    refuse(&b, E_TEST_SET);
}

static void two_files_for_one_input(void **state)
{
    struct bench b;
    (void)state;
    open_model(&b);
    pair(&b, "test_data_set_0", "a", "a");
    refuse(&b, E_TEST_SET);
}

static void a_file_holds_several_samples(void **state)
{
    struct bench b;
    (void)state;
    open_model(&b);
    pair(&b, "test_data_set_0", "", "");
    tensor_file(&b, "model/test_data_set_0/input_1.pb", "", DT_FLOAT, LONG, SIX, sizeof SIX);
    refuse(&b, E_SAMPLE_SHAPE);
}

static void a_file_is_cut_short(void **state)
{
    struct bench b;
    (void)state;
    open_model(&b);
    pair(&b, "test_data_set_0", "", "");
    tensor_file(&b, "model/test_data_set_0/input_1.pb", "", DT_FLOAT, DIMS, B, sizeof B / 2);
    refuse(&b, E_SCAN_EXTENT);
}

static void a_file_is_no_tensor(void **state)
{
    struct bench b;
    (void)state;
    open_model(&b);
    pair(&b, "test_data_set_0", "", "");
    bench_file(&b, "model/test_data_set_0/input_1.pb",
               "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);
    refuse(&b, E_SCAN_VARINT);
}

static void a_value_has_no_exact_form(void **state)
{
    struct bench b;
    const int64_t large[] = {1, 16777217};
    (void)state;
    open_model(&b);
    pair(&b, "test_data_set_0", "", "");
    tensor_file(&b, "model/test_data_set_0/input_1.pb", "", DT_INT64, DIMS, large, sizeof large);
    refuse(&b, E_SAMPLE_DTYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_samples),
        cmocka_unit_test(foreign_names_mean_positions),
        cmocka_unit_test(values_are_converted),
        cmocka_unit_test(an_input_is_missing),
        cmocka_unit_test(a_set_is_empty),
        cmocka_unit_test(a_file_is_for_no_input),
        cmocka_unit_test(two_files_for_one_input),
        cmocka_unit_test(a_file_holds_several_samples),
        cmocka_unit_test(a_file_is_cut_short),
        cmocka_unit_test(a_file_is_no_tensor),
        cmocka_unit_test(a_value_has_no_exact_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
