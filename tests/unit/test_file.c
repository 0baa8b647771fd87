/* Files in and out on a scratch folder: what is refused, what is left behind, that no state is
 * partial. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"

static char folder[64];
static struct diag *diag;

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/npuprep-test-XXXXXX");
    diag = diag_new(NULL, NULL);
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    diag_free(diag);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return chdir("/") || system(command);
}

static size_t entries(const char *path)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    for (const struct dirent *e; (e = readdir(dir));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    return n;
}

static void check_content(const char *path, const char *expected)
{
    struct mapped_file f;
    assert_int_equal(file_map(&f, path, diag), 0);
    assert_int_equal(f.size, strlen(expected));
    assert_memory_equal(f.data, expected, f.size);
    file_unmap(&f);
}

static void refuses_what_is_no_file(void **state)
{
    (void)state;
    struct mapped_file f;
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(file_map(&f, "fifo", diag), -(int)E_NOT_REGULAR); /* and does not hang */
    assert_int_equal(file_map(&f, ".", diag), -(int)E_NOT_REGULAR);
    assert_int_equal(file_map(&f, "/dev/null", diag), -(int)E_NOT_REGULAR);
    assert_int_equal(file_map(&f, "absent", diag), -(int)E_NO_INPUT);
    file_unmap(&f);
    assert_int_equal(outfile_save("empty", "", 0, false, diag), 0);
    check_content("empty", "");
}

static void overwrites_only_with_force(void **state)
{
    (void)state;
    assert_int_equal(outfile_save("a", "old", 3, false, diag), 0);
    assert_int_equal(outfile_save("a", "new", 3, false, diag), -(int)E_EXISTS);
    check_content("a", "old");
    assert_int_equal(chmod("a", 0640), 0);
    assert_int_equal(outfile_save("a", "new", 3, true, diag), 0);
    check_content("a", "new");
    struct stat st;
    assert_int_equal(stat("a", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(entries("."), 1);
}

/* A name that appears between opening and publishing is not overwritten either. */
static void late_arrival_is_kept(void **state)
{
    (void)state;
    struct outfile *o;
    assert_int_equal(outfile_open(&o, "a", false, diag), 0);
    outfile_write(o, "mine", 4);
    assert_int_equal(outfile_save("a", "theirs", 6, false, diag), 0);
    assert_int_equal(outfile_publish(o), -(int)E_EXISTS);
    check_content("a", "theirs");
    assert_int_equal(entries("."), 1);
}

static void abort_leaves_nothing(void **state)
{
    (void)state;
    struct outfile *o;
    assert_int_equal(outfile_open(&o, "a", false, diag), 0);
    outfile_write(o, "half", 4);
    outfile_abort(o);
    assert_int_equal(entries("."), 0);
    assert_int_equal(outfile_open(&o, "no/such/a", false, diag), -(int)E_CREATE);
    assert_null(o);
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(outfile_open(&o, "d", true, diag), -(int)E_CREATE);
    assert_int_equal(outfile_open(&o, "", true, diag), -(int)E_CREATE);
}

static void links_are_replaced_not_followed(void **state)
{
    (void)state;
    assert_int_equal(outfile_save("victim", "v", 1, false, diag), 0);
    assert_int_equal(symlink("victim", "link"), 0);
    assert_int_equal(outfile_save("link", "x", 1, false, diag), -(int)E_EXISTS);
    assert_int_equal(outfile_save("link", "x", 1, true, diag), 0);
    check_content("victim", "v");
    check_content("link", "x");
}

static void large_copies_and_patches(void **state)
{
    (void)state;
    enum { SIZE = 3 << 20 };
    unsigned char *data = mem_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (unsigned char)(i * 2654435761u >> 24);
    assert_int_equal(outfile_save("source", data, SIZE, false, diag), 0);
    struct mapped_file f;
    struct outfile *o;
    assert_int_equal(file_map(&f, "source", diag), 0);
    assert_int_equal(outfile_open(&o, "copy", false, diag), 0);
    outfile_write(o, "head", 4);
    outfile_write(o, f.data + 1, SIZE - 1); /* goes through the kernel */
    outfile_write(o, "tail", 4);
    outfile_zeros(o, 5000);
    assert_int_equal(outfile_offset(o), 4 + SIZE - 1 + 4 + 5000);
    assert_int_equal(outfile_patch(o, 1, "EA", 2), 0);
    assert_int_equal(outfile_copy(o, f.fd, 0, 10), 0);
    assert_int_equal(outfile_commit(o), 0);
    file_unmap(&f);
    assert_int_equal(file_map(&f, "copy", diag), 0);
    assert_int_equal(f.size, SIZE + 5017);
    assert_memory_equal(f.data, "hEAd", 4);
    assert_memory_equal(f.data + 4, data + 1, SIZE - 1);
    assert_memory_equal(f.data + SIZE + 3, "tail\0\0", 6);
    assert_memory_equal(f.data + SIZE + 5007, data, 10);
    file_unmap(&f);
    mem_free(data);
}

static void named_by_content(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct outfile *o;
        assert_int_equal(outfile_open(&o, "x.data", false, diag), 0);
        outfile_write(o, "w", 1);
        outfile_rename(o, "x.1234.data", true);
        assert_int_equal(outfile_publish(o), 0);
    }
    check_content("x.1234.data", "w");
    assert_int_equal(entries("."), 1);
}

static void streams_are_written_through(void **state)
{
    (void)state;
    assert_int_equal(outfile_save("/dev/null", "x", 1, false, diag), 0);
    struct outfile *o;
    assert_int_equal(outfile_open(&o, "/dev/full", false, diag), 0);
    outfile_write(o, "x", 1);
    assert_int_equal(outfile_commit(o), -(int)E_WRITE);
}

static void read_only_folder(void **state)
{
    (void)state;
    if (geteuid() == 0) { /* root ignores permission bits; /proc refuses everyone */
        assert_int_equal(outfile_save("/proc/a", "x", 1, false, diag), -(int)E_CREATE);
        return;
    }
    assert_int_equal(mkdir("ro", 0500), 0);
    assert_int_equal(outfile_save("ro/a", "x", 1, false, diag), -(int)E_CREATE);
    assert_int_equal(entries("ro"), 0);
}

/* A file cut short under a mapping reads as zeros, and nothing is published afterwards. Last: the
 * mark stays. */
static void truncation_is_caught(void **state)
{
    (void)state;
    static char page[20000];
    memset(page, 'x', sizeof page);
    assert_int_equal(outfile_save("a", page, sizeof page, false, diag), 0);
    struct mapped_file f;
    assert_int_equal(file_map(&f, "a", diag), 0);
    assert_int_equal(file_check_torn(diag), 0);
    assert_int_equal(truncate("a", 10), 0);
    assert_int_equal(f.data[9], 'x');
    assert_int_equal(((const volatile unsigned char *)f.data)[16000], 0);
    assert_int_equal(file_check_torn(diag), -(int)E_CHANGED);
    assert_int_equal(outfile_save("b", "x", 1, false, diag), -(int)E_CHANGED);
    struct outdir *d;
    assert_int_equal(outdir_open(&d, "out", "report.json", false, diag), 0);
    assert_int_equal(outdir_commit(d), -(int)E_CHANGED);
    file_unmap(&f);
    assert_int_equal(entries("."), 1);
}

static void save_in(struct outdir *d, const char *name, const char *text)
{
    char *path = outdir_join(d, name);
    assert_int_equal(outfile_save(path, text, strlen(text), false, diag), 0);
    mem_free(path);
}

static void folder_appears_whole(void **state)
{
    (void)state;
    struct outdir *d;
    assert_int_equal(outdir_open(&d, "out/", "report.json", false, diag), 0);
    save_in(d, "report.json", "{\"schema\": \"npuprep.quantize/1\"}");
    assert_int_equal(access("out", F_OK), -1);
    assert_int_equal(outdir_commit(d), 0);
    check_content("out/report.json", "{\"schema\": \"npuprep.quantize/1\"}");
    assert_int_equal(outdir_open(&d, "out", "report.json", false, diag), -(int)E_EXISTS);
    assert_int_equal(outdir_open(&d, "out", "report.json", true, diag), 0);
    save_in(d, "second", "2");
    assert_int_equal(outdir_commit(d), 0);
    check_content("out/second", "2");
    assert_int_equal(entries("out"), 1);
    assert_int_equal(entries("."), 1);
}

static void foreign_folders_are_kept(void **state)
{
    (void)state;
    struct outdir *d;
    assert_int_equal(mkdir("home", 0700), 0);
    assert_int_equal(outdir_open(&d, "home", "report.json", false, diag), 0); /* empty: taken */
    save_in(d, "a", "1");
    outdir_abort(d);
    assert_int_equal(entries("."), 1);
    assert_int_equal(entries("home"), 0);
    assert_int_equal(outfile_save("home/thesis", "x", 1, false, diag), 0);
    assert_int_equal(outdir_open(&d, "home", "report.json", true, diag), -(int)E_OUTDIR_FOREIGN);
    assert_int_equal(outdir_open(&d, "home/thesis", "report.json", true, diag), -(int)E_CREATE);
}

static void paths(void **state)
{
    (void)state;
    static const char *const CASES[][3] = {{"a", ".", "a"},     {"a/b", "a", "b"},
                                           {"/a", "/", "a"},    {"a//b", "a", "b"},
                                           {"a/b/", "a", "b/"}, {"/", "/", ""}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *parent = path_folder(CASES[i][0]);
        assert_string_equal(parent, CASES[i][1]);
        assert_string_equal(path_base(CASES[i][0]), CASES[i][2]);
        mem_free(parent);
    }
    assert_true(path_has_suffix("x.onnx", ".onnx") && !path_has_suffix("nx", ".onnx"));
}

#define SCRATCH(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH(refuses_what_is_no_file),
        SCRATCH(overwrites_only_with_force),
        SCRATCH(late_arrival_is_kept),
        SCRATCH(abort_leaves_nothing),
        SCRATCH(links_are_replaced_not_followed),
        SCRATCH(large_copies_and_patches),
        SCRATCH(named_by_content),
        SCRATCH(streams_are_written_through),
        SCRATCH(read_only_folder),
        SCRATCH(folder_appears_whole),
        SCRATCH(foreign_folders_are_kept),
        SCRATCH(paths),
        SCRATCH(truncation_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
