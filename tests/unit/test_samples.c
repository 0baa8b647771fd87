/* Samples: npy headers good and hostile, npz archives good and hostile, cutting into samples,
 * conversions, listing, order, limits, bad samples. */
#include <zip.h>

#include "data/npy_header.h"
#include "data_test.h"

/* ---- npy headers ---- */

struct npy_case {
    const char *text; /* header text; the magic and length are put before it */
    int expect;       /* 0 or the error */
    enum dtype dtype;
    int rank;
    bool fortran, swap;
};

static const struct npy_case NPY_CASES[] = {
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\n", 0, DT_FLOAT, 2, 0, 0},
    {"{\"shape\": (3,), \"descr\": \"|u1\", \"fortran_order\": True}", 0, DT_UINT8, 1, 1, 0},
    {"{'descr': '>i8', 'fortran_order': False, 'shape': (), }", 0, DT_INT64, 0, 0, 1},
    {"{'descr': '<f2', 'fortran_order': False, 'shape': (3L, 0L,), }", 0, DT_FLOAT16, 2, 0, 0},
    {"{'descr': '|b1', 'fortran_order': False, 'shape': (1,), } \n \n", 0, DT_BOOL, 1, 0, 0},
    {"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", E_NPY_TYPE, 0, 0, 0, 0},
    {"{'descr': '<U7', 'fortran_order': False, 'shape': (3,), }", E_NPY_TYPE, 0, 0, 0, 0},
    {"{'descr': '|S7', 'fortran_order': False, 'shape': (3,), }", E_NPY_TYPE, 0, 0, 0, 0},
    {"{'descr': '|V2', 'fortran_order': False, 'shape': (3,), }", E_NPY_TYPE, 0, 0, 0, 0},
    {"{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", E_NPY_TYPE, 0, 0, 0, 0},
    {"{'descr': '<f16', 'fortran_order': False, 'shape': (3,), }", E_NPY_TYPE, 0, 0, 0, 0},
    {"{'descr': '|f4', 'fortran_order': False, 'shape': (3,), }", E_NPY_TYPE, 0, 0, 0, 0},
    {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}", E_NPY_TYPE, 0, 0, 0, 0},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3)}", E_NPY_HEADER, 0, 0, 0, 0},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': [3]}", E_NPY_HEADER, 0, 0, 0, 0},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}", E_NPY_HEADER, 0, 0, 0, 0},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}", E_NPY_HEADER, 0, 0, 0, 0},
    {"{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}", E_NPY_HEADER, 0, 0, 0, 0},
    {"{'descr': '<f4', 'fortran_order': False}", E_NPY_HEADER, 0, 0, 0, 0},
    {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", E_NPY_HEADER, 0, 0, 0,
     0},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': ()}", E_NPY_HEADER, 0, 0, 0, 0},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': ()} x", E_NPY_HEADER, 0, 0, 0, 0},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (", E_NPY_HEADER, 0, 0, 0, 0},
    {"__import__('os').system('true')", E_NPY_HEADER, 0, 0, 0, 0},
    {"", E_NPY_HEADER, 0, 0, 0, 0},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", E_NPY_HEADER, 0,
     0, 0, 0},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", E_NPY_SHAPE, 0,
     0, 0, 0},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807,)}", E_NPY_SHAPE, 0, 0,
     0, 0},
};

static size_t npy_bytes(unsigned char *out, int version, const char *text)
{
    size_t n = strlen(text), start = version > 1 ? 12 : 10;
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (unsigned char)version, out[7] = 0;
    for (size_t i = 8; i < start; i++)
        out[i] = (unsigned char)(n >> 8 * (i - 8));
    memcpy(out + start, text, n);
    return start + n;
}

static void npy_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof NPY_CASES / sizeof NPY_CASES[0]; i++)
        for (int version = 1; version <= 3; version++) {
            const struct npy_case *c = &NPY_CASES[i];
            struct diag *diag = diag_new(NULL, NULL);
            unsigned char bytes[512];
            size_t n = npy_bytes(bytes, version, c->text);
            struct npy_header h;
            int code = npy_parse(bytes, n, NULL, &h, diag);
            if (code != -c->expect)
                fail_msg("case %zu: %d, expected %d", i, code, -c->expect);
            if (code == 0) {
                assert_int_equal(h.dtype, c->dtype);
                assert_int_equal(h.rank, c->rank);
                assert_int_equal(h.fortran, c->fortran);
                assert_int_equal(h.swap, c->swap);
                assert_int_equal(h.offset, n);
            }
            diag_free(diag);
        }
}

static void npy_prefixes(void **state)
{
    (void)state;
    struct diag *diag = diag_new(NULL, NULL);
    size_t need = 0;
    unsigned char b[16] = "\x93NUMPY\1\0";
    assert_int_equal(npy_header_size("\x93NUMPX\1\0\1\0", 10, NULL, &need, diag), -E_NPY_MAGIC);
    assert_int_equal(npy_header_size(b, 9, NULL, &need, diag), -E_NPY_MAGIC);
    b[6] = 4;
    assert_int_equal(npy_header_size(b, 12, NULL, &need, diag), -E_NPY_VERSION);
    b[6] = 2, b[8] = 0xff, b[9] = 0xff, b[10] = 0xff, b[11] = 0xff;
    assert_int_equal(npy_header_size(b, 12, NULL, &need, diag), -E_NPY_HEADER);
    assert_int_equal(npy_header_size(b, 11, NULL, &need, diag), -E_NPY_HEADER);
    b[6] = 1, b[8] = 0x10, b[9] = 0x27; /* 10000, the most that is read */
    assert_int_equal(npy_header_size(b, 12, NULL, &need, diag), 0);
    assert_int_equal(need, 10010);
    diag_free(diag);
}

static void npy_header_round_trip(void **state)
{
    (void)state;
    struct diag *diag = diag_new(NULL, NULL);
    for (int rank = 0; rank <= NPY_RANK_MAX; rank++) {
        char text[NPY_TEXT_MAX];
        int64_t dims[NPY_RANK_MAX];
        for (int i = 0; i < rank; i++)
            dims[i] = i % 3 == 0 ? 2 : 1;
        size_t n = npy_write_header(text, DT_INT16, rank, dims);
        struct npy_header h;
        assert_int_equal(n % 64, 0);
        assert_int_equal(npy_parse(text, n, NULL, &h, diag), 0);
        assert_int_equal(h.rank, rank);
        assert_memory_equal(h.dims, dims, (size_t)rank * sizeof dims[0]);
        assert_int_equal(h.offset, n);
    }
    diag_free(diag);
}

/* ---- npy files ---- */

static const char *npy_file(struct bench *b, const char *name, const char *header, const void *data,
                            size_t size)
{
    unsigned char bytes[4096];
    size_t n = npy_bytes(bytes, 1, header);
    memcpy(bytes + n, data, size);
    return bench_file(b, name, bytes, n + size);
}

static void expect_sample(struct bench *b, struct samples *s, size_t k, const float *want, int n)
{
    const struct tensor **t;
    assert_int_equal(samples_get(s, k, b->arena, &t), 0);
    assert_int_equal(t[0]->count, n);
    assert_int_equal(t[0]->dtype, DT_FLOAT);
    assert_memory_equal(t[0]->data, want, (size_t)n * sizeof(float));
}

static void npy_samples(void **state)
{
    (void)state;
    const float data[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    struct bench b;
    struct samples *s;
    bench_open(&b);
    bench_input(&b, "x", DT_FLOAT, 3, (int64_t[]){1, 2, 3});
    const char *path = npy_file(
        &b, "a.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,2,3)}", data, 48);
    assert_int_equal(bench_samples(&b, path, &s), 0); /* a fixed first 1, two in the array */
    assert_int_equal(samples_count(s), 2);
    expect_sample(&b, s, 1, data + 6, 6);
    expect_sample(&b, s, 0, data, 6);
    assert_string_equal(samples_label(s, 1, b.arena), bench_path(&b, "a.npy[1]"));
    samples_close(s);
    path = npy_file(&b, "b.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,1,2,3)}",
                    data, 48);
    assert_int_equal(bench_samples(&b, path, &s), 0); /* one more leading axis */
    assert_int_equal(samples_count(s), 2);
    expect_sample(&b, s, 1, data + 6, 6);
    samples_close(s);
    path = npy_file(&b, "c.npy", "{'descr': '<f4', 'fortran_order': True, 'shape': (2,2,3)}", data,
                    48);
    assert_int_equal(bench_samples(&b, path, &s), 0); /* element (n,i,j) at n + 2 i + 4 j */
    expect_sample(&b, s, 0, (float[]){0, 4, 8, 2, 6, 10}, 6);
    expect_sample(&b, s, 1, (float[]){1, 5, 9, 3, 7, 11}, 6);
    samples_close(s);
    path = npy_file(&b, "d.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (1,2,3)}", data,
                    20);
    assert_int_equal(bench_samples(&b, path, &s), -E_NPY_SIZE);
    path = npy_file(&b, "e.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (1,2,3)}", data,
                    28);
    assert_int_equal(bench_samples(&b, path, &s), -E_NPY_SIZE);
    path =
        npy_file(&b, "f.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (3,2)}", data, 24);
    assert_int_equal(bench_samples(&b, path, &s), -E_SAMPLE_SHAPE);
    path = npy_file(&b, "g.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (0,2,3)}", data,
                    0);
    assert_int_equal(bench_samples(&b, path, &s), -E_SAMPLE_NONE);
    bench_close(&b);
}

static void npy_conversions(void **state)
{
    (void)state;
    struct bench b;
    struct samples *s;
    const struct tensor **t;
    bench_open(&b);
    bench_input(&b, "x", DT_FLOAT, 1, (int64_t[]){2});
    const double exact[2] = {0.5, -3}, inexact[2] = {0.1, 1}, nan[2] = {1, __builtin_nan("")};
    const char *wide = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}";
    assert_int_equal(bench_samples(&b, npy_file(&b, "a.npy", wide, exact, 16), &s), 0);
    expect_sample(&b, s, 0, (float[]){0.5f, -3}, 2);
    samples_close(s);
    assert_int_equal(bench_samples(&b, npy_file(&b, "b.npy", wide, inexact, 16), &s), 0);
    assert_int_equal(samples_get(s, 0, b.arena, &t), -E_SAMPLE_DTYPE);
    samples_close(s);
    assert_int_equal(bench_samples(&b, npy_file(&b, "c.npy", wide, nan, 16), &s), 0);
    assert_int_equal(samples_get(s, 0, b.arena, &t), -E_SAMPLE_NONFINITE);
    b.ctx.allow_nonfinite = true;
    assert_int_equal(samples_get(s, 0, b.arena, &t), 0);
    samples_close(s);
    const char *big = "{'descr': '>i2', 'fortran_order': False, 'shape': (2,)}";
    assert_int_equal(bench_samples(&b, npy_file(&b, "d.npy", big, "\1\0\xff\xfe", 4), &s), 0);
    expect_sample(&b, s, 0, (float[]){256, -2}, 2);
    samples_close(s);
    bench_close(&b);
}

/* ---- npz ---- */

static const char *npz_file(struct bench *b, const char *name, const char *member, zip_int32_t how,
                            const char *header, const void *data, size_t size)
{
    const char *path = bench_path(b, name);
    unsigned char *bytes = arena_alloc(b->arena, 512 + size);
    size_t n = npy_bytes(bytes, 1, header);
    memcpy(bytes + n, data, size);
    int why;
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &why);
    zip_int64_t i =
        zip_file_add(z, member, zip_source_buffer(z, bytes, n + size, 0), ZIP_FL_ENC_UTF_8);
    assert_true(i >= 0);
    assert_int_equal(zip_set_file_compression(z, (zip_uint64_t)i, how, 0), 0);
    assert_int_equal(zip_close(z), 0);
    return path;
}

static void npz_samples(void **state)
{
    (void)state;
    struct bench b;
    struct samples *s;
    float data[64 * 6];
    for (int i = 0; i < 64 * 6; i++)
        data[i] = (float)(i % 17);
    bench_open(&b);
    bench_input(&b, "x/y", DT_FLOAT, 3, (int64_t[]){1, 2, 3});
    const char *header = "{'descr': '<f4', 'fortran_order': False, 'shape': (64,2,3)}";
    for (int how = 0; how < 2; how++) {
        const char *path = npz_file(&b, "a.npz", "x/y.npy", how ? ZIP_CM_DEFLATE : ZIP_CM_STORE,
                                    header, data, sizeof data);
        assert_int_equal(bench_samples(&b, path, &s), 0);
        assert_int_equal(samples_count(s), 64);
        for (size_t k = 0; k < 64; k++) /* in order, then jumping about */
            expect_sample(&b, s, k, data + 6 * k, 6);
        for (size_t k = 0; k < 64; k++)
            expect_sample(&b, s, k * 37 % 64, data + 6 * (k * 37 % 64), 6);
        samples_close(s);
    }
    bench_close(&b);
}

/* Replaces bytes of a file at every place where they stand. */
static void patch(const char *path, const char *from, const char *to, size_t n)
{
    static unsigned char bytes[1 << 16];
    FILE *f = fopen(path, "r+b");
    size_t size = fread(bytes, 1, sizeof bytes, f);
    int found = 0;
    for (size_t i = 0; i + n <= size; i++)
        if (memcmp(bytes + i, from, n) == 0) {
            memcpy(bytes + i, to, n);
            found++;
        }
    assert_true(found > 0);
    rewind(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static int npz_result(struct bench *b, const char *path)
{
    struct samples *s;
    const struct tensor **t;
    int code = bench_samples(b, path, &s);
    if (code)
        return code;
    code = samples_get(s, 0, b->arena, &t);
    samples_close(s);
    return code;
}

static void npz_hostile(void **state)
{
    (void)state;
    struct bench b;
    float data[6] = {1, 2, 3, 4, 5, 6};
    const char *header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,2,3)}";
    bench_open(&b);
    bench_input(&b, "x", DT_FLOAT, 3, (int64_t[]){1, 2, 3});
    const char *path = npz_file(&b, "a.npz", "x.npy", ZIP_CM_STORE, header, data, 24);
    assert_int_equal(npz_result(&b, path), 0);
    patch(path, "\0\0\x40\x40", "\0\0\x80\x40", 4); /* 3 becomes 4: the checksum no longer fits */
    assert_int_equal(npz_result(&b, path), -E_NPZ_MEMBER);
    path = npz_file(&b, "b.npz", "x.npy", ZIP_CM_STORE, header, data, 20);
    assert_int_equal(npz_result(&b, path), -E_NPZ_SIZE);
    path = npz_file(&b, "c.npz", "x.npy", ZIP_CM_DEFLATE, header, data, 20);
    assert_int_equal(npz_result(&b, path), -E_NPZ_SIZE);
    path = npz_file(&b, "d.npz", "../x.npy", ZIP_CM_STORE, header, data, 24);
    assert_int_equal(npz_result(&b, path), -E_SAMPLE_INPUT);
    path = npz_file(&b, "e.npz", "x.npy", ZIP_CM_STORE, "{'descr': '|O'", "", 0);
    assert_int_equal(npz_result(&b, path), -E_NPY_TYPE);
    path = npz_file(&b, "f.npz", "x.npy", ZIP_CM_STORE, "", "", 0);
    assert_int_equal(npz_result(&b, path), -E_NPZ_SIZE); /* ends before a header can */
    assert_int_equal(npz_result(&b, bench_file(&b, "g.npz", "PK\3\4 and no more", 16)),
                     -E_NPZ_ARCHIVE);
    assert_int_equal(npz_result(&b, bench_path(&b, "absent.npz")), -E_NO_INPUT);
    bench_close(&b);
}

/* A member whose headers say 100 bytes while its stream holds more; and the reverse. */
static void npz_size_lie(void **state)
{
    (void)state;
    struct bench b;
    static const char zeros[40000];
    const char *header = "{'descr': '|u1', 'fortran_order': False, 'shape': (40000,)}";
    bench_open(&b);
    bench_input(&b, "x", DT_UINT8, 1, (int64_t[]){-1});
    const char *path = npz_file(&b, "a.npz", "x.npy", ZIP_CM_DEFLATE, header, zeros, sizeof zeros);
    assert_int_equal(npz_result(&b, path), 0);
    size_t total = 10 + strlen(header) + sizeof zeros;
    char real[4] = {(char)total, (char)(total >> 8), (char)(total >> 16), 0};
    patch(path, real, "\x64\0\0\0", 4);
    assert_int_equal(npz_result(&b, path), -E_NPZ_SIZE);
    const char *lie = "{'descr': '|u1', 'fortran_order': False, 'shape': (4000000000000,)}";
    path = npz_file(&b, "b.npz", "x.npy", ZIP_CM_DEFLATE, lie, zeros, 100);
    assert_int_equal(npz_result(&b, path), -E_NPZ_SIZE);
    bench_close(&b);
}

static void npz_written_is_read(void **state)
{
    (void)state;
    struct bench b;
    struct npz_writer *w;
    struct samples *s;
    const struct tensor **t;
    const float x[6] = {1, 2, 3, 4, 5, 6};
    const uint16_t y[2] = {0x3f80, 0xc000}; /* bfloat16 1 and -2 */
    bench_open(&b);
    bench_input(&b, "x", DT_FLOAT, 2, (int64_t[]){2, 3});
    bench_input(&b, "y", DT_FLOAT, 1, (int64_t[]){2});
    struct span pieces[2] = {{(const void *)x, 12}, {(const void *)(x + 3), 12}};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(npz_create(&w, bench_path(&b, i ? "a.npz" : "b.npz"), false, b.ctx.diag),
                         0);
        npz_add(w, &(struct npz_array){"x", DT_FLOAT, 2, (int64_t[]){2, 3}, pieces, 2});
        npz_add_tensor(w, "y", tensor_view(b.arena, DT_BFLOAT16, 1, (int64_t[]){2}, y));
        assert_int_equal(npz_commit(w), 0);
    }
    assert_int_equal(bench_samples(&b, bench_path(&b, "a.npz"), &s), 0);
    assert_int_equal(samples_get(s, 0, b.arena, &t), 0);
    assert_memory_equal(t[0]->data, x, sizeof x);
    assert_memory_equal(t[1]->data, ((float[]){1, -2}), 8);
    samples_close(s);
    struct mapped_file f, g;
    assert_int_equal(file_map(&f, bench_path(&b, "a.npz"), b.ctx.diag), 0);
    assert_int_equal(file_map(&g, bench_path(&b, "b.npz"), b.ctx.diag), 0);
    assert_int_equal(f.size, g.size);
    assert_memory_equal(f.data, g.data, f.size);
    file_unmap(&f), file_unmap(&g);
    bench_close(&b);
}

/* ---- listing ---- */

static void folders_and_order(void **state)
{
    (void)state;
    struct bench b;
    struct samples *s;
    float data[1];
    bench_open(&b);
    bench_input(&b, "x", DT_FLOAT, 1, (int64_t[]){1});
    for (int i = 9; i >= 0; i--) {
        data[0] = (float)i;
        npy_file(&b, arena_printf(b.arena, "%d.npy", i),
                 "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", data, 4);
    }
    bench_file(&b, "SOURCE", "text", 4);
    const char *path = b.folder;
    struct samples_options o = {.paths = &path, .n_paths = 1, .limit = -1};
    assert_int_equal(samples_open(&s, b.model, &o, &b.ctx), 0);
    assert_int_equal(samples_count(s), 10);
    for (size_t k = 0; k < 10; k++)
        expect_sample(&b, s, k, (float[]){(float)k}, 1);
    samples_close(s);
    o.shuffle = true, o.seed = 7, o.limit = 4;
    assert_int_equal(samples_open(&s, b.model, &o, &b.ctx), 0);
    assert_int_equal(samples_count(s), 4);
    int64_t seen = 0, sorted = 1;
    for (size_t k = 0; k < 4; k++) {
        int64_t id = samples_id(s, k);
        expect_sample(&b, s, k, (float[]){(float)id}, 1);
        assert_int_equal(seen >> id & 1, 0);
        seen |= 1 << id;
        sorted &= id == (int64_t)k;
    }
    assert_int_equal(sorted, 0);
    samples_close(s);
    o = (struct samples_options){.paths = &path, .n_paths = 1, .limit = 0};
    assert_int_equal(samples_open(&s, b.model, &o, &b.ctx), 0);
    assert_int_equal(samples_count(s), 0);
    samples_close(s);
    o = (struct samples_options){.paths = &path, .n_paths = 1, .limit = -1, .format = "npyy"};
    assert_int_equal(samples_open(&s, b.model, &o, &b.ctx), -E_OPTION_VALUE);
    bench_close(&b);
}

static void bad_samples(void **state)
{
    (void)state;
    struct bench b;
    struct samples *s;
    const struct tensor **t;
    float data[1] = {3}, bad[1] = {__builtin_inff()};
    const char *header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}";
    bench_open(&b);
    bench_input(&b, "x", DT_FLOAT, 1, (int64_t[]){1});
    npy_file(&b, "0.npy", header, bad, 4);
    npy_file(&b, "1.npy", header, data, 2);
    npy_file(&b, "2.npy", header, data, 4);
    const char *path = b.folder;
    struct samples_options o = {.paths = &path, .n_paths = 1, .limit = -1};
    assert_int_equal(samples_open(&s, b.model, &o, &b.ctx), -E_NPY_SIZE);
    o.skip_bad = true;
    size_t errors = diag_errors(b.ctx.diag);
    assert_int_equal(samples_open(&s, b.model, &o, &b.ctx), 0);
    assert_int_equal(samples_count(s), 3);
    assert_int_equal(samples_get(s, 0, b.arena, &t), SAMPLE_SKIPPED);
    assert_int_equal(samples_get(s, 1, b.arena, &t), SAMPLE_SKIPPED);
    expect_sample(&b, s, 2, data, 1);
    assert_int_equal(samples_skipped(s), 2);
    assert_int_equal(diag_errors(b.ctx.diag), errors);
    samples_close(s);
    bench_close(&b);
}

static void random_samples(void **state)
{
    (void)state;
    struct bench b;
    struct samples *s, *again;
    const struct tensor **t, **u;
    bench_open(&b);
    bench_input(&b, "x", DT_FLOAT, 2, (int64_t[]){1, 100});
    bench_input(&b, "i", DT_INT64, 1, (int64_t[]){5});
    assert_int_equal(bench_samples(&b, "random:3:9", &s), 0);
    assert_int_equal(bench_samples(&b, "random:3:9", &again), 0);
    assert_int_equal(samples_count(s), 3);
    assert_int_equal(samples_get(s, 2, b.arena, &t), 0);
    assert_int_equal(samples_get(again, 2, b.arena, &u), 0);
    assert_true(tensor_same(t[0], u[0]) && tensor_same(t[1], u[1]));
    assert_int_equal(samples_get(again, 1, b.arena, &u), 0);
    assert_false(tensor_same(t[0], u[0]));
    samples_close(s), samples_close(again);
    assert_int_equal(bench_samples(&b, "random:0", &s), -E_SAMPLE_FORMAT);
    assert_int_equal(bench_samples(&b, "random:3:x", &s), -E_SAMPLE_FORMAT);
    bench_input(&b, "free", DT_FLOAT, 1, (int64_t[]){-1});
    assert_int_equal(bench_samples(&b, "random:3", &s), -E_SAMPLE_DIM);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_headers),           cmocka_unit_test(npy_prefixes),
        cmocka_unit_test(npy_header_round_trip), cmocka_unit_test(npy_samples),
        cmocka_unit_test(npy_conversions),       cmocka_unit_test(npz_samples),
        cmocka_unit_test(npz_hostile),           cmocka_unit_test(npz_size_lie),
        cmocka_unit_test(npz_written_is_read),   cmocka_unit_test(folders_and_order),
        cmocka_unit_test(bad_samples),           cmocka_unit_test(random_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
