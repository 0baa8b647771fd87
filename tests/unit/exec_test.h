/* What the executor's tests share: a model from text, filled inputs, runs with copied outputs. */
#ifndef EXEC_TEST_H
#define EXEC_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "exec/exec.h"
#include "ir/graph_text.h"

enum { MAX_IO = 8 };

struct bench {
    struct ctx ctx;
    struct model *m;
    struct arena *arena;
    const struct tensor *in[MAX_IO], *out[MAX_IO];
};

static inline void bench_open(struct bench *b, const char *text)
{
    memset(b, 0, sizeof *b);
    b->ctx.diag = diag_new(NULL, NULL);
    b->ctx.threads = 1;
    b->arena = arena_new();
    b->m = model_parse(&b->ctx, text);
    for (size_t i = 0; i < diag_count(b->ctx.diag); i++)
        printf("%s\n", diag_at(b->ctx.diag, i)->message);
    assert_non_null(b->m);
}

static inline void bench_close(struct bench *b)
{
    pool_free(b->ctx.pool);
    model_free(b->m);
    arena_free(b->arena);
    diag_free(b->ctx.diag);
}

/* Input i as random numbers in low..high; dims as given. */
static inline void bench_fill(struct bench *b, int i, enum dtype t, int rank, const int64_t *dims,
                              double low, double high)
{
    struct tensor *x = tensor_new(b->arena, t, rank, dims);
    text_fill(x, (uint64_t)i + 7, low, high);
    b->in[i] = x;
}

static inline const struct tensor *bench_copy(struct bench *b, const struct tensor *t)
{
    struct tensor *c = tensor_new(b->arena, t->dtype, t->rank, t->dims);
    if (t->bytes)
        memcpy(tensor_writable(c), t->data, t->bytes);
    return c;
}

/* Runs twice, so that state left by the first run would show. Returns the code. */
static inline int bench_run(struct bench *b, struct exec_options options, int threads)
{
    pool_free(b->ctx.pool);
    b->ctx.pool = threads > 1 ? pool_new(threads) : NULL;
    b->ctx.threads = threads;
    struct exec *x = exec_new(b->m, &options);
    if (!x)
        return -1;
    const struct tensor *out[MAX_IO] = {0};
    int code = exec_run(x, b->in, out);
    if (!code)
        code = exec_run(x, b->in, out);
    for (size_t i = 0; !code && i < exec_outputs(x); i++)
        b->out[i] = bench_copy(b, out[i]);
    exec_free(x);
    return code;
}

static inline void check_floats(const struct tensor *t, const float *want, int64_t count)
{
    assert_non_null(t);
    assert_int_equal(t->dtype, DT_FLOAT);
    assert_int_equal(t->count, count);
    for (int64_t i = 0; i < count; i++)
        if (fabs(tensor_get(t, i) - want[i]) > 1e-5 * (1 + fabs((double)want[i])))
            fail_msg("element %d is %g, expected %g", (int)i, tensor_get(t, i), (double)want[i]);
}

/* As the acceptance has it: |d| <= 1e-4 of the largest + 1e-4 |x|. */
static inline void check_close(const struct tensor *got, const struct tensor *want,
                               const char *name)
{
    double top = 0;
    assert_int_equal(got->dtype, want->dtype);
    assert_int_equal(got->count, want->count);
    for (int64_t i = 0; i < want->count; i++)
        if (isfinite(tensor_get(want, i)))
            top = fmax(top, fabs(tensor_get(want, i)));
    for (int64_t i = 0; i < want->count; i++) {
        double g = tensor_get(got, i), w = tensor_get(want, i);
        if (g == w || (isnan(g) && isnan(w))) /* infinities too */
            continue;
        if (!dtype_is_float(want->dtype) || !(fabs(g - w) <= 1e-4 * top + 1e-4 * fabs(w)))
            fail_msg("%s: element %d is %g, expected %g", name, (int)i, g, w);
    }
}
#endif
