/* A model with given inputs, and files in a temporary folder, for the tests of src/data. */
#ifndef DATA_TEST_H
#define DATA_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/npz_write.h"
#include "data/samples.h"
#include "ir/edit.h"
#include "ir/graph_text.h"
#include "ir/ir.h"

struct bench {
    struct ctx ctx;
    struct model *model;
    struct arena *arena;
    char folder[64];
};

static inline void bench_open(struct bench *b)
{
    *b = (struct bench){.ctx = {.threads = 1}, .folder = "/tmp/npuprep-test-XXXXXX"};
    assert_non_null(mkdtemp(b->folder));
    b->ctx.diag = diag_new(NULL, NULL);
    b->model = model_new(&b->ctx);
    b->arena = arena_new();
}

static inline void bench_close(struct bench *b)
{
    model_free(b->model);
    diag_free(b->ctx.diag);
    arena_free(b->arena);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", b->folder);
    assert_int_equal(system(command), 0);
}

static inline void bench_input(struct bench *b, const char *name, enum dtype t, int rank,
                               const int64_t *dims)
{
    struct value *v = value_input(b->model->graph, name);
    dim_t *d = arena_array(b->arena, (size_t)rank, sizeof *d);
    for (int i = 0; i < rank; i++)
        d[i] = dims[i] >= 0 ? dim_const(b->model->dims, dims[i]) : dim_symbol(b->model->dims, "N");
    value_set_type(v, &(struct type){.kind = TYPE_TENSOR, .dtype = t, .rank = rank, .dims = d});
}

static inline const char *bench_path(struct bench *b, const char *name)
{
    return arena_printf(b->arena, "%s/%s", b->folder, name);
}

static inline const char *bench_file(struct bench *b, const char *name, const void *data,
                                     size_t size)
{
    const char *path = bench_path(b, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline int bench_samples(struct bench *b, const char *path, struct samples **s)
{
    struct samples_options o = {.paths = &path, .n_paths = 1, .limit = -1};
    return samples_open(s, b->model, &o, &b->ctx);
}

/* The error the diagnostics hold last; E_NONE without one. */
static inline enum err bench_error(const struct bench *b)
{
    enum err last = E_NONE;
    for (size_t i = 0; i < diag_count(b->ctx.diag); i++)
        if (diag_at(b->ctx.diag, i)->info->severity == SEVERITY_ERROR)
            last = diag_at(b->ctx.diag, i)->info->id;
    return last;
}
#endif
