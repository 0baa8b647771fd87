/* Pictures: decoders, hostile files, resizing against hand-made values, the formula and layouts,
 * and the Qualcomm raw list. */
#include <png.h>
#include <jpeglib.h>

#include "data/picture.h"
#include "data_test.h"

static const unsigned char PPM[] = "P6 # two by two\n2 2\n255\n"
                                   "\0\1\2\3\4\5\6\7\10\11\12\13";
enum { PPM_SIZE = sizeof PPM - 1 };

static void bench_picture(struct bench *b, enum dtype t, int64_t c, int64_t h, int64_t w)
{
    bench_open(b);
    bench_input(b, "x", t, 4, (int64_t[]){1, c, h, w});
}

static const struct tensor *picture_sample(struct bench *b, const char *path,
                                           const struct image_options *image)
{
    struct samples *s;
    const struct tensor **t;
    struct samples_options o = {.paths = &path, .n_paths = 1, .limit = -1, .image = *image};
    assert_int_equal(samples_open(&s, b->model, &o, &b->ctx), 0);
    assert_int_equal(samples_get(s, 0, b->arena, &t), 0);
    samples_close(s);
    return t[0];
}

static void formula_and_order(void **state)
{
    (void)state;
    struct bench b;
    bench_picture(&b, DT_FLOAT, 3, 2, 2);
    const char *path = bench_file(&b, "a.ppm", PPM, PPM_SIZE);
    struct image_options o = {.scale = 2, .mean = {1, 0, -1}, .std = {0.5f, 1, 0}};
    const struct tensor *t = picture_sample(&b, path, &o);
    /* red 0 3 6 9, green 1 4 7 10, blue 2 5 8 11; std 0 means 1 */
    assert_memory_equal(t->data, ((float[]){-2, 1, 4, 7, 0.5f, 2, 3.5f, 5, 2, 3.5f, 5, 6.5f}), 48);
    o = (struct image_options){.scale = 1, .bgr = true};
    t = picture_sample(&b, path, &o);
    assert_memory_equal(t->data, ((float[]){2, 5, 8, 11, 1, 4, 7, 10, 0, 3, 6, 9}), 48);
    o = (struct image_options){0}; /* the default for floats divides by 255 */
    t = picture_sample(&b, path, &o);
    assert_true(((const float *)t->data)[3] == 9.0f / 255.0f);
    bench_close(&b);
}

static void layouts(void **state)
{
    (void)state;
    struct bench b;
    struct image_options o = {0};
    bench_picture(&b, DT_UINT8, 2, 2, 3); /* channels last */
    const char *path = bench_file(&b, "a.ppm", PPM, PPM_SIZE);
    const struct tensor *t = picture_sample(&b, path, &o);
    assert_int_equal(t->dims[3], 3);
    assert_memory_equal(t->data, PPM + PPM_SIZE - 12, 12);
    bench_close(&b);
    bench_picture(&b, DT_FLOAT, 1, -1, -1); /* one channel, the picture's own size */
    path = bench_file(&b, "a.pgm", "P5 3 1 15\n\0\17\5", 13);
    o.scale = 1;
    t = picture_sample(&b, path, &o);
    assert_int_equal(t->dims[2], 1);
    assert_int_equal(t->dims[3], 3);
    assert_memory_equal(t->data, ((float[]){0, 255, 85}), 12);
    bench_close(&b);
    struct samples *s;
    bench_picture(&b, DT_FLOAT, 7, 8, 8);
    path = bench_file(&b, "a.ppm", PPM, PPM_SIZE);
    assert_int_equal(bench_samples(&b, path, &s), -E_PICTURE_INPUT);
    bench_close(&b);
    bench_picture(&b, DT_INT8, 3, 2, 2); /* 128 .. 255 do not fit */
    path = bench_file(&b, "a.ppm", PPM, PPM_SIZE);
    assert_int_equal(bench_samples(&b, path, &s), -E_PICTURE_INPUT);
    bench_close(&b);
}

static void resizing(void **state)
{
    (void)state;
    struct bench b;
    struct image_options o = {.scale = 1};
    bench_picture(&b, DT_FLOAT, 1, 2, 2);
    const char *wide = bench_file(&b, "a.pgm", "P5 4 2 255\n\0\100\200\300\0\100\200\300", 19);
    o.resize = RESIZE_CROP; /* the height fits: the middle columns */
    assert_memory_equal(picture_sample(&b, wide, &o)->data, ((float[]){64, 128, 64, 128}), 16);
    o.resize = RESIZE_PAD; /* halved to 2 x 1, no row above, black below */
    const float *p = picture_sample(&b, wide, &o)->data;
    /* weights of output 0: triangle of half-width 2 about 1 over 0.5, 1.5, 2.5 = 3/4 3/4 1/4, of
     * 7/4 */
    assert_true(p[0] == 46 &&
                p[1] == 146); /* (0*3+64*3+128)/7 = 45.7, (64+128*3+192*3)/7 = 146.3 */
    assert_true(p[2] == 0 && p[3] == 0);
    o.resize = RESIZE_STRETCH;
    p = picture_sample(&b, wide, &o)->data;
    assert_true(p[0] == 46 && p[1] == 146 && p[2] == 46 && p[3] == 146);
    bench_close(&b);
}

static void png_and_jpeg(void **state)
{
    (void)state;
    struct bench b;
    struct image_options o = {.scale = 1};
    struct samples *s;
    const struct tensor **t;
    bench_picture(&b, DT_FLOAT, 3, 16, 16);
    unsigned char rgb[768], bytes[4096];
    for (int i = 0; i < 768; i++)
        rgb[i] = (unsigned char)(i / 3 * 5 + i % 3);
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = 16, .height = 16, .format = PNG_FORMAT_RGB};
    png_alloc_size_t n = sizeof bytes;
    assert_true(png_image_write_to_memory(&image, bytes, &n, 0, rgb, 0, NULL));
    const char *path = bench_file(&b, "a.png", bytes, n);
    const float *p = picture_sample(&b, path, &o)->data;
    for (int i = 0; i < 256; i++)
        for (int c = 0; c < 3; c++)
            assert_true(p[c * 256 + i] == (float)rgb[3 * i + c]);
    path = bench_file(&b, "b.png", bytes, n / 2);
    assert_int_equal(bench_samples(&b, path, &s), 0);
    assert_int_equal(samples_get(s, 0, b.arena, &t), -E_PICTURE);
    samples_close(s);
    memset(rgb, 120, sizeof rgb); /* a flat grey survives JPEG exactly */
    struct jpeg_compress_struct j;
    struct jpeg_error_mgr errors;
    unsigned char *out = NULL;
    unsigned long size = 0;
    j.err = jpeg_std_error(&errors);
    jpeg_create_compress(&j);
    jpeg_mem_dest(&j, &out, &size);
    j.image_width = j.image_height = 16, j.input_components = 3, j.in_color_space = JCS_RGB;
    jpeg_set_defaults(&j);
    jpeg_start_compress(&j, TRUE);
    for (int y = 0; y < 16; y++)
        jpeg_write_scanlines(&j, (JSAMPROW[]){rgb + y * 48}, 1);
    jpeg_finish_compress(&j);
    jpeg_destroy_compress(&j);
    path = bench_file(&b, "a.jpg", out, size);
    p = picture_sample(&b, path, &o)->data;
    for (int i = 0; i < 768; i++)
        assert_true(p[i] == 120);
    path = bench_file(&b, "b.jpg", out, size - 8);
    assert_int_equal(bench_samples(&b, path, &s), 0);
    assert_int_equal(samples_get(s, 0, b.arena, &t), -E_PICTURE);
    samples_close(s);
    free(out);
    bench_close(&b);
}

static void hostile_pictures(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        enum err expect;
    } CASES[] = {
        {"P6 2 2 255\n123", 14, E_PICTURE},
        {"P6 0 2 255\n123", 14, E_PICTURE_SIZE},
        {"P6 99999999 2 255\n123", 21, E_PICTURE},
        {"P6 9999999 2 255\n123", 20, E_PICTURE_SIZE},
        {"P6 60000 60000 255\n123", 22, E_PICTURE_SIZE},
        {"P6 2 2 65536\n123", 16, E_PICTURE},
        {"P6 2 2 0\n123", 12, E_PICTURE},
        {"P6 2 2", 6, E_PICTURE},
        {"P6 #", 4, E_PICTURE},
        {"\xff\xd8\xff\xe0", 4, E_PICTURE},
        {"\xff\xd8\xff\xc0\0\xb\x8\xff\xdc\xff\xdc\x1\1\x11\0\xff\xda\0\x8\1\1\0\0\x3f\0", 25,
         E_PICTURE_SIZE},
        {"\x89PNG\r\n\x1a\n\0\0\0\xdIHDR", 16, E_PICTURE},
        {"GIF89a and so on", 16, E_PICTURE},
    };
    struct ctx ctx = {.threads = 1};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct picture p;
        ctx.diag = diag_new(NULL, NULL);
        struct span file = {(const unsigned char *)CASES[i].text, CASES[i].size};
        int code = picture_decode(&p, file, NULL, &ctx);
        if (code != -(int)CASES[i].expect)
            fail_msg("case %zu: %d, expected %d", i, code, -(int)CASES[i].expect);
        assert_null(p.rgb);
        diag_free(ctx.diag);
    }
}

static void raw_lists(void **state)
{
    (void)state;
    struct bench b;
    struct samples *s;
    const struct tensor **t;
    bench_open(&b);
    bench_input(&b, "x", DT_FLOAT, 2, (int64_t[]){-1, 2});
    bench_input(&b, "i", DT_INT64, 1, (int64_t[]){1});
    bench_file(&b, "x0", (float[]){1, 2, 3, 4}, 16);
    bench_file(&b, "i0", (int64_t[]){7}, 8);
    bench_file(&b, "i1", (float[]){9}, 4);
    const char *text = "# logits\n\nx:=x0 i:=i0\r\n i:=i1  x:=x0";
    assert_int_equal(bench_samples(&b, bench_file(&b, "l.txt", text, strlen(text)), &s), 0);
    assert_int_equal(samples_count(s), 2);
    assert_int_equal(samples_get(s, 0, b.arena, &t), 0);
    assert_int_equal(t[0]->dims[0], 2);
    assert_memory_equal(t[1]->data, ((int64_t[]){7}), 8);
    assert_int_equal(samples_get(s, 1, b.arena, &t), -E_SAMPLE_DTYPE); /* float for an integer */
    samples_close(s);
    static const struct {
        const char *text;
        enum err open, get;
    } CASES[] = {
        {"x:=x0", E_INPUT_LIST, 0},
        {"x:=x0 y:=i0", E_INPUT_LIST, 0},
        {"x:=x0 x:=x0 i:=i0", E_INPUT_LIST, 0},
        {"x:= i:=i0", E_INPUT_LIST, 0},
        {"x0", E_SAMPLE_INPUT, 0},
        {"x:=i1 i:=i0", 0, E_RAW_SIZE},
        {"x:=absent i:=i0", 0, E_NO_INPUT},
        {"# only names", E_SAMPLE_NONE, 0},
        {"x:=. i:=i0", 0, E_NOT_REGULAR},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const char *path = bench_file(&b, "m.txt", CASES[i].text, strlen(CASES[i].text));
        int code = bench_samples(&b, path, &s);
        if (code != -(int)CASES[i].open)
            fail_msg("case %zu: %d, expected %d", i, code, -(int)CASES[i].open);
        if (code)
            continue;
        assert_int_equal(samples_get(s, 0, b.arena, &t), -(int)CASES[i].get);
        samples_close(s);
    }
    bench_close(&b);
}

/* A real folder: decoding must not change, since every scale downstream follows from it. */
static void real_pictures(void **state)
{
    (void)state;
    const char *data = getenv("DATA");
    if (!data || !*data) {
        printf("skipped 1\n");
        return;
    }
    struct bench b;
    struct samples *s;
    const struct tensor **t;
    bench_picture(&b, DT_FLOAT, 3, 224, 224);
    const char *path = arena_printf(b.arena, "%s/models/effnet_lite0/calib", data);
    struct samples_options o = {
        .paths = &path,
        .n_paths = 1,
        .limit = -1,
        .image = {.scale = 1, .mean = {127, 127, 127}, .std = {128, 128, 128}}};
    assert_int_equal(samples_open(&s, b.model, &o, &b.ctx), 0);
    assert_int_equal(samples_count(s), 32);
    assert_int_equal(samples_get(s, 0, b.arena, &t), 0);
    for (int64_t i = 0; i < t[0]->count; i++) {
        float x = ((const float *)t[0]->data)[i] * 128.0f + 127.0f;
        assert_true(x == (float)(int)x && x >= 0 && x <= 255);
    }
    samples_close(s);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formula_and_order), cmocka_unit_test(layouts),
        cmocka_unit_test(resizing),          cmocka_unit_test(png_and_jpeg),
        cmocka_unit_test(hostile_pictures),  cmocka_unit_test(raw_lists),
        cmocka_unit_test(real_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
