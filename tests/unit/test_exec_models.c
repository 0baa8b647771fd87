/* Every real model in $DATA/models with both engines against what ONNX Runtime gave (out.npz), and the fast
 * engine with 1, 2 and 4 threads against itself. Models that cannot run say so before anything runs: they are listed here, and the list must be true.
 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "data/npz_read.h"
#include "exec_test.h"
#include "onnx/load.h"

/* ai.onnx.ml and Brevitas operators. */
static const char *const NOT_RUN[] = {"iris-logreg", "skl-knn-validity", "skl-mlp-gbr",
                                      "espcn-resize-quant"};

static bool listed(const char *name)
{
    for (size_t i = 0; i < sizeof NOT_RUN / sizeof *NOT_RUN; i++)
        if (strcmp(NOT_RUN[i], name) == 0)
            return true;
    return false;
}

struct files {
    char model[600], in[600], out[600];
};

static bool find_files(const char *root, const char *name, struct files *f)
{
    struct stat st;
    snprintf(f->model, sizeof f->model, "%s/models/%s/model.onnx", root, name);
    snprintf(f->in, sizeof f->in, "%s/models/%s/in.npz", root, name);
    snprintf(f->out, sizeof f->out, "%s/models/%s/out.npz", root, name);
    return !stat(f->model, &st) && !stat(f->in, &st);
}

static const struct tensor *by_name(const struct npz_named *arrays, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(arrays[i].name, name) == 0)
            return arrays[i].t;
    return NULL;
}

struct job {
    struct ctx ctx;
    struct arena *arena;
    struct model *m;
    struct npz_named *in, *out;
    size_t n_in, n_out;
};

static const struct tensor **run(struct job *j, enum engine engine, int threads)
{
    size_t n = j->m->graph->inputs.count, n_out = j->m->graph->outputs.count;
    const struct tensor **in = arena_array(j->arena, n + 1, sizeof *in);
    const struct tensor **out = arena_array(j->arena, n_out + 1, sizeof *out);
    for (size_t i = 0; i < n; i++)
        in[i] = by_name(j->in, j->n_in, j->m->graph->inputs.data[i]->name);
    pool_free(j->ctx.pool);
    j->ctx.pool = pool_new(threads);
    struct exec *x = exec_new(j->m, &(struct exec_options){.engine = engine});
    int code = x ? exec_run(x, in, out) : -1;
    for (size_t i = 0; !code && i < n_out; i++) {
        struct tensor *copy = tensor_new(j->arena, out[i]->dtype, out[i]->rank, out[i]->dims);
        if (out[i]->bytes)
            memcpy(tensor_writable(copy), out[i]->data, out[i]->bytes);
        out[i] = copy;
    }
    exec_free(x);
    return code ? NULL : out;
}

static void check_model(struct job *j, const char *name)
{
    const struct tensor **fast = run(j, ENGINE_ONEDNN, 1);
    const struct tensor **slow = run(j, ENGINE_REFERENCE, 2);
    if (!fast || !slow)
        fail_msg("%s: %s", name, diag_at(j->ctx.diag, 0)->message);
    for (size_t i = 0; i < j->m->graph->outputs.count; i++) {
        const char *output = j->m->graph->outputs.data[i]->value->name;
        const struct tensor *want = by_name(j->out, j->n_out, output);
        assert_non_null(want);
        check_close(fast[i], want, name);
        check_close(slow[i], want, name);
    }
    for (int threads = 2; threads <= 4; threads *= 2) {
        const struct tensor **again = run(j, ENGINE_ONEDNN, threads);
        assert_non_null(again);
        for (size_t i = 0; i < j->m->graph->outputs.count; i++)
            assert_true(tensor_same(fast[i], again[i]));
    }
}

static void open_job(struct job *j, const struct files *f)
{
    memset(j, 0, sizeof *j);
    j->ctx.diag = diag_new(NULL, NULL);
    j->ctx.allow_nonfinite = true;
    j->arena = arena_new();
    j->m = model_load(&j->ctx, f->model);
    assert_non_null(j->m);
}

static void close_job(struct job *j)
{
    pool_free(j->ctx.pool);
    model_free(j->m);
    arena_free(j->arena);
    diag_free(j->ctx.diag);
}

static void one(const char *name, const struct files *f)
{
    struct job j;
    open_job(&j, f);
    if (listed(name)) {
        assert_null(exec_new(j.m, &(struct exec_options){.engine = ENGINE_ONEDNN}));
        assert_int_equal(diag_at(j.ctx.diag, 0)->info->id, E_NO_EVAL);
    } else {
        assert_int_equal(npz_read(f->in, j.arena, &j.in, &j.n_in, &j.ctx), 0);
        assert_int_equal(npz_read(f->out, j.arena, &j.out, &j.n_out, &j.ctx), 0);
        check_model(&j, name);
    }
    close_job(&j);
}

static void all_models(void **state)
{
    const char *root = getenv("DATA");
    char path[512];
    (void)state;
    if (!root || !*root) {
        printf("skipped 1\n");
        skip();
    }
    snprintf(path, sizeof path, "%s/models", root);
    DIR *d = opendir(path);
    assert_non_null(d);
    int run_count = 0;
    for (struct dirent *entry; (entry = readdir(d));) {
        struct files f;
        if (entry->d_name[0] == '.' || !find_files(root, entry->d_name, &f))
            continue;
        one(entry->d_name, &f);
        run_count++;
    }
    closedir(d);
    assert_true(run_count > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_models)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
