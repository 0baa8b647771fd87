/* Encodings files: the numbers and forms of both versions, one entry for each float tensor; the
 * report's page. */
#include <math.h>

#include "base/json_read.h"
#include "data_test.h"
#include "encodings/encodings.h"
#include "quant/quant.h"
#include "report/quantize_report.h"

static const char MODEL[] =
    "ir 8\nopset 17\n"
    "graph g(x: float[1,2,2,2], n: int64[1], h: float16[2]) -> (out: float[1,2,2,2], "
    "k: float16[2]) {\n"
    "    w: float[2,2,1,1] = [0.254, -0.1, 0.508, 0]\n"
    "    b: float[2] = [1, -1]\n"
    "    c: float[] = 2.55\n"
    "    mid = Conv(x, w, b)\n"
    "    pos = Relu(mid)\n"
    "    \"<out>\" = Mul(pos, c)\n"
    "    out = LSTMs(\"<out>\")\n"
    "    k = Exp(h)\n"
    "}\n";

struct fixture {
    struct bench b;
    struct model *m;
    struct target *target;
    struct quant_plan *plan;
};

/* x is [-0.5, 2.05], everything else [0, 1]. */
static bool range(void *user, const struct value *v, double *low, double *high)
{
    bool is_x = strcmp(v->name, "x") == 0;
    (void)user;
    *low = is_x ? -0.5 : 0, *high = is_x ? 2.05 : 1;
    return true;
}

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){0};
    bench_open(&f->b);
    assert_int_equal(target_load(&f->target, "int8", &f->b.ctx), 0);
    f->m = model_parse(&f->b.ctx, MODEL);
    assert_non_null(f->m);
    ops_resolve(f->m);
    assert_int_equal(model_infer(f->m, NULL, NULL), 0);
    struct quant_settings s = {.target = f->target, .weight_bits = 8, .activation_bits = 8};
    assert_int_equal(quant_plan_new(&f->plan, f->m, &s), 0);
    assert_int_equal(quant_choose(f->plan, range, NULL, "minmax"), 0);
}

static void close_fixture(struct fixture *f)
{
    quant_plan_free(f->plan);
    target_free(f->target);
    model_free(f->m);
    bench_close(&f->b);
}

static json_t *write_encodings(struct fixture *f, const char *version)
{
    size_t size;
    json_t *root = NULL;
    struct json_writer *w = jw_new_memory(1);
    const struct encodings_format *format = encodings_find(version, f->b.ctx.diag);
    assert_non_null(format);
    format->write(&(struct encodings_source){.model = f->m,
                                             .activation_bits = 8,
                                             .weight_bits = 8,
                                             .weight_symmetric = true,
                                             .per_channel = true,
                                             .method = "minmax"},
                  w);
    char *text = jw_free_text(w, &size);
    assert_int_equal(json_read_text(&root, text, size, "memory", E_JSON, f->b.ctx.diag), 0);
    mem_free(text);
    assert_true(format->probe(root));
    assert_string_equal(json_string_value(json_object_get(root, "version")), version);
    return root;
}

static const json_t *entry(const json_t *list, const char *name)
{
    size_t i;
    const json_t *e, *found = NULL;
    json_array_foreach(list, i,
                       e) if (strcmp(json_string_value(json_object_get(e, "name")), name) == 0)
    {
        assert_null(found); /* each name once */
        found = e;
    }
    return found;
}

static double at(const json_t *e, const char *key, size_t i)
{
    return json_number_value(json_array_get(json_object_get(e, key), i));
}

static void expect_text(const json_t *e, const char *key, const char *want)
{
    assert_string_equal(json_string_value(json_object_get(e, key)), want);
}

static void expect_near(double x, double want) { assert_true(fabs(x - want) <= 1e-6 * fabs(want)); }

static void version_1_0_0(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    json_t *root = write_encodings(&f, "1.0.0");
    const json_t *act = json_object_get(root, "activation_encodings");
    const json_t *par = json_object_get(root, "param_encodings");
    const json_t *x = entry(act, "x"), *w = entry(par, "w");
    expect_text(x, "enc_type", "PER_TENSOR");
    expect_text(x, "dtype", "INT");
    expect_near(at(x, "scale", 0), 0.01);
    assert_true(at(x, "offset", 0) == -50); /* the example of the format's description */
    assert_true(json_is_false(json_object_get(x, "is_sym")));
    assert_int_equal(json_integer_value(json_object_get(x, "bw")), 8);
    expect_text(w, "enc_type", "PER_CHANNEL");
    expect_near(at(w, "scale", 0), 0.002);
    expect_near(at(w, "scale", 1), 0.004);
    assert_true(at(w, "offset", 0) == -128 && at(w, "offset", 1) == -128);
    assert_true(json_is_true(json_object_get(w, "is_sym")));
    assert_int_equal(json_array_size(json_object_get(w, "scale")), 2);
    /* x, h, mid, pos, <out>, out, k; no bias, no integers */
    assert_int_equal(json_array_size(act), 7);
    assert_int_equal(json_array_size(par), 2);
    assert_null(entry(par, "b"));
    assert_null(entry(act, "n"));
    expect_text(entry(act, "h"), "dtype", "FLOAT");
    assert_int_equal(json_integer_value(json_object_get(entry(act, "k"), "bw")), 16);
    assert_null(json_object_get(entry(act, "k"), "scale"));
    expect_text(entry(act, "mid"), "dtype", "INT"); /* a layer before its Relu is not float */
    assert_true(at(entry(act, "mid"), "scale", 0) == at(entry(act, "pos"), "scale", 0));
    assert_true(json_is_array(json_object_get(root, "excluded_layers")));
    assert_true(json_is_true(
        json_object_get(json_object_get(root, "quantizer_args"), "per_channel_quantization")));
    json_decref(root);
    close_fixture(&f);
}

static void version_0_6_1(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    json_t *root = write_encodings(&f, "0.6.1");
    const json_t *act = json_object_get(root, "activation_encodings");
    const json_t *par = json_object_get(root, "param_encodings");
    const json_t *x = json_array_get(json_object_get(act, "x"), 0);
    const json_t *w = json_array_get(json_object_get(par, "w"), 1);
    expect_near(json_number_value(json_object_get(x, "min")), -0.5);
    expect_near(json_number_value(json_object_get(x, "max")), 2.05);
    assert_int_equal(json_integer_value(json_object_get(x, "offset")), -50);
    expect_text(x, "is_symmetric", "False");
    expect_text(x, "dtype", "int");
    expect_near(json_number_value(json_object_get(w, "min")), -0.512);
    expect_near(json_number_value(json_object_get(w, "max")), 0.508);
    expect_text(w, "is_symmetric", "True");
    assert_int_equal(json_array_size(json_object_get(par, "w")), 2);
    assert_int_equal(json_object_size(act), 7);
    assert_int_equal(json_object_size(par), 2);
    const json_t *h = json_array_get(json_object_get(act, "h"), 0);
    expect_text(h, "dtype", "float");
    assert_int_equal(json_object_size(h), 2);
    json_decref(root);
    close_fixture(&f);
}

/* min and max of every integer entry give scale and offset back, as converters compute them. */
static void version_0_6_1_is_consistent(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    json_t *root = write_encodings(&f, "0.6.1");
    static const char *const GROUPS[] = {"activation_encodings", "param_encodings"};
    for (int g = 0; g < 2; g++) {
        const char *name;
        json_t *list;
        json_object_foreach(json_object_get(root, GROUPS[g]), name, list)
        {
            size_t i;
            const json_t *e;
            json_array_foreach(list, i, e)
            {
                double low = json_number_value(json_object_get(e, "min"));
                double high = json_number_value(json_object_get(e, "max"));
                if (!json_object_get(e, "scale"))
                    continue;
                double scale = (high - low) / 255;
                expect_near(scale, json_number_value(json_object_get(e, "scale")));
                assert_true(round(low / scale) ==
                            (double)json_integer_value(json_object_get(e, "offset")));
            }
        }
    }
    json_decref(root);
    close_fixture(&f);
}

static void the_page_escapes_names(void **state)
{
    (void)state;
    struct fixture f;
    struct outfile *out;
    struct mapped_file page;
    open_fixture(&f);
    struct quantize_report r = {.arena = f.b.arena,
                                .model = "<script>alert(1)</script>.onnx",
                                .target = "int8",
                                .precision = "w8a8",
                                .method = "minmax\x01&\"'\xff"};
    report_take_plan(&r, f.plan);
    const char *path = bench_path(&f.b, "r.html");
    assert_int_equal(outfile_open(&out, path, false, f.b.ctx.diag), 0);
    assert_int_equal(report_write_html(&r, out), 0);
    assert_int_equal(outfile_commit(out), 0);
    assert_int_equal(file_map(&page, path, f.b.ctx.diag), 0);
    char *text = arena_alloc(f.b.arena, page.size + 1);
    memcpy(text, page.data, page.size);
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<out>"));
    assert_null(strchr(text, 1));
    assert_non_null(strstr(text, "&#60;script&#62;"));
    assert_non_null(strstr(text, "&#60;out&#62;"));
    assert_non_null(strstr(text, "minmax?&#38;&#34;&#39;?"));
    file_unmap(&page);
    report_release(&r);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_0_0),
        cmocka_unit_test(version_0_6_1),
        cmocka_unit_test(version_0_6_1_is_consistent),
        cmocka_unit_test(the_page_escapes_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
