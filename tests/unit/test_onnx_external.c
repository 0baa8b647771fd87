/* External data on disk: where it may lie, where it goes, what is left behind. */
#include "onnx_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 300 }; /* a folder here and NAME_MAX */

static char folder[64];

static int enter(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/npuprep-test-XXXXXX");
    if (!mkdtemp(folder) || chdir(folder))
        return -1;
    return mkdir("in", 0755) || mkdir("out", 0755) || set_up(state);
}

static int leave(void **state)
{
    char command[128];
    int leaked = tear_down(state);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return leaked || chdir("/") || system(command);
}

/* Three weights of 512 floats, two of them equal, and a small one. */
static void four_weights(struct out *g)
{
    static const char *const NAMES[] = {"w0", "w1", "w2", "small"};
    for (int i = 0; i < 4; i++) {
        struct out t = {0};
        uint64_t count = i < 3 ? 512 : 4;
        out_number(&t, 1, count);
        out_number(&t, 2, 1);
        out_text(&t, 8, NAMES[i]);
        out_tag(&t, 9, 2);
        out_varint(&t, count * 4);
        for (uint64_t k = 0; k < count; k++)
            out_put(&t, &(float){(float)(k + (i == 1))}, 4);
        out_message(g, 5, &t);
    }
}

static void write_inline(const char *path)
{
    struct out file = {0}, g = {0};
    out_node(&g, "Add", "x", "w0", "y");
    out_text(&g, 2, "g");
    four_weights(&g);
    out_value(&g, 11, "x", 512);
    out_value(&g, 12, "y", 512);
    out_model(&file, 8, 17, &g);
    assert_int_equal(out_save(&file, path), 0);
    free(file.data);
}

static int rewrite(struct fixture *f, const char *from, const char *to, struct save_options options)
{
    struct model *m = model_load(&f->ctx, from);
    assert_non_null(m);
    int code = model_save(m, to, &options);
    model_free(m);
    return code;
}

static bool same_file(const char *a, const char *b)
{
    struct mapped_file x, y;
    struct diag *d = diag_new(NULL, NULL);
    assert_int_equal(file_map(&x, a, d) || file_map(&y, b, d), 0);
    bool same = span_equals((struct span){x.data, x.size}, (struct span){y.data, y.size});
    file_unmap(&x);
    file_unmap(&y);
    diag_free(d);
    return same;
}

static size_t entries(const char *path, const char *suffix, char *last)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    for (const struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.' && path_has_suffix(e->d_name, suffix)) {
            n++;
            if (last)
                snprintf(last, PATH_ROOM, "%s/%s", path, e->d_name);
        }
    closedir(dir);
    return n;
}

static const struct save_options ALWAYS = {.external = EXTERNAL_DATA_ALWAYS, .force = true};
static const struct save_options NEVER = {.external = EXTERNAL_DATA_NEVER, .force = true};
static const struct save_options AUTO = {.force = true};
static const struct save_options KEEP = {.external = EXTERNAL_DATA_KEEP, .force = true};

/* ---- writing ---- */

static void weights_leave_and_come_back(void **state)
{
    struct fixture *f = *state;
    char data[PATH_ROOM];
    struct stat st;
    write_inline("in/m.onnx");
    assert_int_equal(rewrite(f, "in/m.onnx", "out/m.onnx", ALWAYS), 0);
    assert_int_equal(entries("out", ".data", data), 1);
    assert_int_equal(strlen(path_base(data)), strlen("m.0123456789abcdef.data"));
    assert_int_equal(stat(data, &st), 0);
    assert_int_equal(
        st.st_size,
        4096 + 2048); /* two different ones, aligned; the equal one once; the small one inside */
    assert_int_equal(rewrite(f, "out/m.onnx", "in/back.onnx", NEVER), 0);
    assert_true(same_file("in/m.onnx", "in/back.onnx"));
    assert_int_equal(entries("in", ".data", NULL), 0);
}

/* Numbers in float_data (field 4, packed) and int64_data (7, varints) leave as those in raw_data do. */
static void typed_weights_leave_too(void **state)
{
    struct fixture *f = *state;
    struct out file = {0}, g = {0}, w = {0}, k = {0}, floats = {0}, ints = {0};
    char data[PATH_ROOM];
    out_node(&g, "Add", "x", "w", "y");
    out_text(&g, 2, "g");
    for (int i = 0; i < 512; i++) {
        out_put(&floats, &(float){(float)i}, 4);
        out_varint(&ints, (uint64_t)(int64_t)-i);
    }
    out_number(&w, 1, 512), out_number(&w, 2, 1), out_message(&w, 4, &floats), out_text(&w, 8, "w");
    out_number(&k, 1, 512), out_number(&k, 2, 7), out_message(&k, 7, &ints), out_text(&k, 8, "k");
    out_message(&g, 5, &w), out_message(&g, 5, &k);
    out_value(&g, 11, "x", 512), out_value(&g, 12, "y", 512);
    out_model(&file, 8, 17, &g);
    assert_int_equal(out_save(&file, "in/m.onnx"), 0);
    free(file.data);
    assert_int_equal(rewrite(f, "in/m.onnx", "out/m.onnx", ALWAYS), 0);
    assert_int_equal(entries("out", ".data", data), 1);
    FILE *in = fopen(data, "rb");
    float x[1024];
    int64_t y[512];
    assert_int_equal(fread(x, sizeof *x, 1024, in), 1024); /* 2048 bytes, and zeros up to 4096 */
    assert_int_equal(fread(y, sizeof *y, 512, in), 512);
    assert_int_equal(fgetc(in), EOF);
    fclose(in);
    for (int i = 0; i < 512; i++)
        assert_true(x[i] == (float)i && y[i] == -i);
}

static void references_hold_in_the_same_folder(void **state)
{
    struct fixture *f = *state;
    write_inline("in/m.onnx");
    assert_int_equal(rewrite(f, "in/m.onnx", "out/a.onnx", ALWAYS), 0);
    assert_int_equal(rewrite(f, "out/a.onnx", "out/b.onnx", AUTO), 0);
    assert_true(same_file("out/a.onnx", "out/b.onnx"));
    assert_int_equal(entries("out", ".data", NULL), 1);
}

static void data_goes_along_to_another_folder(void **state)
{
    struct fixture *f = *state;
    char from[PATH_ROOM], to[PATH_ROOM];
    write_inline("in/m.onnx");
    assert_int_equal(rewrite(f, "in/m.onnx", "out/a.onnx", ALWAYS), 0);
    assert_int_equal(rewrite(f, "out/a.onnx", "in/b.onnx", AUTO), 0);
    assert_int_equal(entries("out", ".data", from), 1);
    assert_int_equal(entries("in", ".data", to), 1);
    assert_int_equal(strncmp(path_base(to), "b.", 2), 0);
    assert_true(same_file(from, to));
    assert_int_equal(rewrite(f, "in/b.onnx", "in/back.onnx", NEVER), 0);
    assert_true(same_file("in/m.onnx", "in/back.onnx"));
}

static void keep_leaves_the_reference(void **state)
{
    struct fixture *f = *state;
    write_inline("in/m.onnx");
    assert_int_equal(rewrite(f, "in/m.onnx", "out/a.onnx", ALWAYS), 0);
    assert_int_equal(rewrite(f, "out/a.onnx", "in/b.onnx", KEEP), 0);
    assert_true(same_file("out/a.onnx", "in/b.onnx"));
    assert_int_equal(entries("in", ".data", NULL), 0);
}

static void the_same_content_has_the_same_name(void **state)
{
    struct fixture *f = *state;
    char first[PATH_ROOM], second[PATH_ROOM];
    write_inline("in/m.onnx");
    assert_int_equal(rewrite(f, "in/m.onnx", "out/m.onnx", ALWAYS), 0);
    assert_int_equal(entries("out", ".data", first), 1);
    assert_int_equal(rewrite(f, "in/m.onnx", "out/m.onnx", ALWAYS), 0);
    assert_int_equal(entries("out", ".data", second), 1);
    assert_string_equal(first, second);
}

static void replaced_data_goes_last(void **state)
{
    struct fixture *f = *state;
    char data[PATH_ROOM], other[PATH_ROOM];
    write_inline("in/m.onnx");
    assert_int_equal(rewrite(f, "in/m.onnx", "out/m.onnx", ALWAYS), 0);
    assert_int_equal(rewrite(f, "in/m.onnx", "out/n.onnx", ALWAYS),
                     0); /* another model: its data is not ours */
    struct model *m = model_load(&f->ctx, "in/m.onnx");
    tensor_writable(value_of(m, "w0")->constant); /* mapped read-only: give it other data */
    struct tensor *zeros = tensor_new(m->arena, DT_FLOAT, 1, (const int64_t[]){512});
    value_set_constant(value_of(m, "w0"), zeros);
    assert_int_equal(entries("out", ".data", NULL), 2);
    assert_int_equal(model_save(m, "out/m.onnx", &ALWAYS), 0);
    model_free(m);
    assert_int_equal(entries("out", ".data", data), 2);
    struct model *n = model_load(&f->ctx, "out/n.onnx");
    struct model *o = model_load(&f->ctx, "out/m.onnx");
    assert_non_null(n);
    assert_true(tensor_all_equal(value_of(o, "w0")->constant, 0));
    model_free(n);
    model_free(o);
    assert_int_equal(rewrite(f, "out/m.onnx", "out/m.onnx", NEVER), 0);
    assert_int_equal(entries("out", ".data", other), 1); /* m's is gone, n's is not */
}

static void data_in_use_is_not_removed(void **state)
{
    struct fixture *f = *state;
    write_inline("in/m.onnx");
    assert_int_equal(rewrite(f, "in/m.onnx", "out/m.onnx", ALWAYS), 0);
    struct model *m = model_load(&f->ctx, "out/m.onnx");
    node_set_name(m->graph->first, "renamed");
    assert_int_equal(model_save(m, "out/m.onnx", &AUTO), 0); /* over itself, references kept */
    model_free(m);
    assert_int_equal(entries("out", ".data", NULL), 1);
    assert_int_equal(rewrite(f, "out/m.onnx", "in/back.onnx", NEVER), 0);
}

static void an_existing_output_needs_force(void **state)
{
    struct fixture *f = *state;
    write_inline("in/m.onnx");
    write_inline("out/m.onnx");
    assert_true(rewrite(f, "in/m.onnx", "out/m.onnx",
                        (struct save_options){.external = EXTERNAL_DATA_ALWAYS}) < 0);
    assert_int_equal(entries("out", "", NULL), 1);
}

/* The input's location never decides where something is written. */
static void locations_do_not_steer_the_output(void **state)
{
    struct fixture *f = *state;
    char data[PATH_ROOM];
    write_inline("in/m.onnx");
    assert_int_equal(mkdir("in/deep", 0755), 0);
    assert_int_equal(rewrite(f, "in/m.onnx", "in/deep/x.onnx", ALWAYS), 0);
    assert_int_equal(rewrite(f, "in/deep/x.onnx", "out/y.onnx", AUTO), 0);
    assert_int_equal(entries("out", "", data), 2);
    /* a planted link at the output is replaced, not followed */
    assert_int_equal(symlink("../in/m.onnx", "out/link.onnx"), 0);
    assert_int_equal(rewrite(f, "in/deep/x.onnx", "out/link.onnx", NEVER), 0);
    struct stat st;
    assert_int_equal(lstat("out/link.onnx", &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

/* 3 GiB in one tensor is more than a protobuf may hold: refused before anything is written. */
static void too_large_for_one_file(void **state)
{
    struct fixture *f = *state;
    struct out file = {0}, g = {0}, t = {0}, entry = {0};
    uint64_t count = (uint64_t)3 << 28;
    out_number(&t, 1, count);
    out_number(&t, 2, 1);
    out_text(&t, 8, "w");
    out_text(&entry, 1, "location");
    out_text(&entry, 2, "w.bin");
    out_message(&t, 13, &entry);
    out_number(&t, 14, 1);
    out_node(&g, "Add", "x", "w", "y");
    out_message(&g, 5, &t);
    out_value(&g, 11, "x", count);
    out_value(&g, 12, "y", count);
    out_model(&file, 8, 17, &g);
    assert_int_equal(out_save(&file, "in/m.onnx"), 0);
    free(file.data);
    int fd = open("in/w.bin", O_CREAT | O_WRONLY, 0644);
    assert_int_equal(ftruncate(fd, (off_t)count * 4), 0); /* a hole: takes no room */
    close(fd);
    assert_int_equal(rewrite(f, "in/m.onnx", "out/m.onnx", NEVER), -E_SAVE_SIZE);
    assert_int_equal(entries("out", "", NULL), 0);
}

/* ---- reading ---- */

/* A download cache: snapshots/ links into blobs/, for the model and for its data. */
static void lay_out_cache(struct fixture *f)
{
    char data[PATH_ROOM], link_name[PATH_ROOM + 16];
    write_inline("in/m.onnx");
    assert_int_equal(rewrite(f, "in/m.onnx", "out/m.onnx", ALWAYS), 0);
    assert_int_equal(entries("out", ".data", data), 1);
    assert_int_equal(mkdir("blobs", 0755) || mkdir("snapshots", 0755), 0);
    assert_int_equal(rename("out/m.onnx", "blobs/1111") || rename(data, "blobs/2222"), 0);
    snprintf(link_name, sizeof link_name, "snapshots/%s", path_base(data));
    assert_int_equal(
        symlink("../blobs/1111", "snapshots/m.onnx") || symlink("../blobs/2222", link_name), 0);
}

static void download_caches_are_links(void **state)
{
    struct fixture *f = *state;
    lay_out_cache(f);
    struct model *m = model_load(&f->ctx, "snapshots/m.onnx");
    assert_non_null(m);
    model_free(m);
    f->ctx.external = EXTERNAL_STRICT;
    assert_null(model_load(&f->ctx, "snapshots/m.onnx"));
    assert_int_equal(first_error(f), E_EXT_LINK);
}

static void a_root_grants_a_folder(void **state)
{
    struct fixture *f = *state;
    char data[PATH_ROOM];
    write_inline("in/m.onnx");
    assert_int_equal(rewrite(f, "in/m.onnx", "out/m.onnx", ALWAYS), 0);
    assert_int_equal(entries("out", ".data", data), 1);
    char moved[PATH_ROOM + 16];
    assert_int_equal(mkdir("elsewhere", 0755), 0);
    snprintf(moved, sizeof moved, "elsewhere/%s", path_base(data));
    assert_int_equal(rename(data, moved), 0);
    assert_null(model_load(&f->ctx, "out/m.onnx"));
    assert_int_equal(first_error(f), E_EXT_OPEN);
    const char *roots[] = {"elsewhere", NULL};
    f->ctx.external_roots = roots;
    struct model *m = model_load(&f->ctx, "out/m.onnx");
    assert_non_null(m);
    model_free(m);
}

/* A bare name has the working folder as its folder, and no more (onnx 1.21 took "" for anywhere).
 */
static void a_bare_name_has_a_folder(void **state)
{
    struct fixture *f = *state;
    write_inline("in/m.onnx");
    assert_int_equal(rewrite(f, "in/m.onnx", "out/m.onnx", ALWAYS), 0);
    assert_int_equal(chdir("out"), 0);
    struct model *m = model_load(&f->ctx, "m.onnx");
    assert_non_null(m);
    assert_int_equal(m->external.count, 1);
    model_free(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(weights_leave_and_come_back),
        TEST(typed_weights_leave_too),
        TEST(references_hold_in_the_same_folder),
        TEST(data_goes_along_to_another_folder),
        TEST(keep_leaves_the_reference),
        TEST(the_same_content_has_the_same_name),
        TEST(replaced_data_goes_last),
        TEST(data_in_use_is_not_removed),
        TEST(an_existing_output_needs_force),
        TEST(locations_do_not_steer_the_output),
        TEST(too_large_for_one_file),
        TEST(download_caches_are_links),
        TEST(a_root_grants_a_folder),
        TEST(a_bare_name_has_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
