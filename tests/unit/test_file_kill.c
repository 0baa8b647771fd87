/* SIGKILL at any moment while outputs are replaced: what stands under the name is the old state or
 * the new one, whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"

enum { KILLS_FULL = 200, KILLS_SAMPLED = 40, SIZE = 400000 };

static char folder[64];
static unsigned char bytes[SIZE];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/npuprep-test-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return chdir("/") || system(command);
}

static void save(const char *path, int generation, struct diag *diag)
{
    memset(bytes, generation & 0x7f, SIZE);
    if (outfile_save(path, bytes, SIZE, true, diag))
        _exit(3);
}

static void write_file(int generation, struct diag *diag) { save("file", generation, diag); }

static void write_folder(int generation, struct diag *diag)
{
    struct outdir *d;
    if (outdir_open(&d, "out", "report.json", true, diag))
        _exit(3);
    char *a = outdir_join(d, "a"), *b = outdir_join(d, "b"), *mark = outdir_join(d, "report.json");
    save(a, generation, diag);
    save(b, generation, diag);
    static const char MARK[] = "{\"schema\": \"npuprep.test/1\"}";
    if (outfile_save(mark, MARK, sizeof MARK - 1, true, diag) || outdir_commit(d))
        _exit(3);
    mem_free(a), mem_free(b), mem_free(mark);
}

/* The one byte value the whole file consists of. */
static int generation_of(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, SIZE, f);
    assert_int_equal(n, SIZE);
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
    for (size_t i = 1; i < n; i++)
        assert_int_equal(bytes[i], bytes[0]);
    return bytes[0];
}

typedef void writer_fn(int generation, struct diag *diag);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Kills the writer after a time that is spread over twice what one write takes, by a multiplicative
 * sequence. */
static void kill_writer(writer_fn *writer, uint32_t round, double one_write)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct diag *diag = diag_new(NULL, NULL);
        for (int i = (int)round + 2;; i++)
            writer(i, diag);
    }
    double share = (double)(uint32_t)(round * 2654435761u) / 4294967296.0,
           wait = 2 * one_write * share;
    wait = wait < 0.05 ? wait : 0.05;
    nanosleep(&(struct timespec){.tv_nsec = (long)(wait * 1e9)}, NULL);
    kill(child, SIGKILL);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* Runs check after each kill; it returns the generation that stands there. */
static void survive(writer_fn *writer, int (*check)(void))
{
    struct diag *diag = diag_new(NULL, NULL);
    double began = now();
    writer(1, diag);
    double one_write = now() - began;
    diag_free(diag);
    const char *full = getenv("FULL");
    uint32_t kills = full && *full ? KILLS_FULL : KILLS_SAMPLED;
    int advances = 0, last = check();
    for (uint32_t round = 0; round < kills; round++) {
        kill_writer(writer, round, one_write);
        int generation = check();
        advances += generation != last;
        last = generation;
    }
    assert_true(advances > 0); /* the writers do get somewhere */
}

static int check_file(void) { return generation_of("file"); }

static int check_folder(void)
{
    int a = generation_of("out/a");
    assert_int_equal(a, generation_of("out/b"));
    assert_int_equal(access("out/report.json", R_OK), 0);
    return a;
}

static void file_is_whole(void **state)
{
    (void)state;
    survive(write_file, check_file);
}

static void folder_is_whole(void **state)
{
    (void)state;
    survive(write_folder, check_folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(file_is_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_is_whole, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
