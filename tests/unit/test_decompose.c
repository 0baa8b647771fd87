/* Round trip of decompositions: each operator alone in a graph and what its pass makes of it give the
 * same on random inputs, to 1e-5 of the largest number, under the reference engine. The cases are
 * the table below; src/ir/graph_text.c states the form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "exec/exec.h"
#include "passes/pass.h"

struct decompose_case {
    const char *pass, *op; /* op: what must be gone */
    const char *graph;
    double scale;     /* of the random numbers; 0: 2 */
    double tolerance; /* 0: 1e-5 */
};
#include "decompose_cases.h"

static struct ctx ctx;
static struct arena *arena;

static void show(void *user, const struct diagnostic *d)
{
    (void)user;
    if (d->info->severity == SEVERITY_ERROR)
        printf("   %s\n", d->message);
}

/* SplitMix64 (Steele, Lea, Flood 2014), 24 bits of it: -1 .. 1. */
static double uniform(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 40) * 0x1p-23 - 1;
}

static struct tensor *input_for(const struct value *v, double scale, uint64_t seed)
{
    int64_t dims[8];
    for (int i = 0; i < v->type.rank; i++)
        if (!dim_is_const(v->type.dims[i], &dims[i]))
            dims[i] = 2;
    enum dtype t = v->type.dtype;
    struct tensor *x = tensor_new(arena, t, v->type.rank, dims);
    for (int64_t i = 0; i < x->count; i++) {
        double u = uniform(&seed);
        num_set(tensor_writable(x), t, i, dtype_is_float(t) ? scale * u : u > 0);
    }
    return x;
}

/* Copies of the outputs; NULL: it does not run. */
static const struct tensor **run_model(struct model *m, double scale)
{
    ops_resolve(m);
    if (model_sort(m) < 0 || model_infer(m, NULL, NULL) < 0)
        return NULL;
    struct exec *x = exec_new(m, &(struct exec_options){.engine = ENGINE_REFERENCE});
    if (!x)
        return NULL;
    size_t n = exec_outputs(x);
    const struct tensor **in = arena_array(arena, exec_inputs(x) + 1, sizeof *in);
    const struct tensor **out = arena_array(arena, n + 1, sizeof *out);
    for (size_t i = 0; i < exec_inputs(x); i++)
        if (!m->graph->inputs.data[i]->constant)
            in[i] = input_for(m->graph->inputs.data[i], scale, i * 1000 + 7);
    bool fine = exec_run(x, in, out) == 0;
    for (size_t i = 0; fine && i < n; i++) {
        struct tensor *t = tensor_new(arena, out[i]->dtype, out[i]->rank, out[i]->dims);
        if (t->bytes)
            memcpy(tensor_writable(t), out[i]->data, t->bytes);
        out[i] = t;
    }
    exec_free(x);
    return fine ? out : NULL;
}

static double worst(const struct tensor *a, const struct tensor *b)
{
    double most = 1e-30, off = 0;
    if (a->rank != b->rank || a->count != b->count || a->dtype != b->dtype ||
        (a->rank && memcmp(a->dims, b->dims, (size_t)a->rank * 8)))
        return INFINITY;
    for (int64_t i = 0; i < a->count; i++) {
        double x = tensor_get(a, i), y = tensor_get(b, i);
        most = fmax(most, fabs(x));
        off = isnan(x - y)
                  ? (isnan(x) && isnan(y)) || !(fabs(x - y) >= 0 && x != y) ? off : INFINITY
                  : fmax(off, fabs(x - y));
    }
    return off / fmax(most, 1e-3);
}

static bool holds(const struct model *m, const char *op)
{
    for (size_t i = 0; i < m->nodes.count; i++)
        if (!m->nodes.data[i]->removed && !strcmp(m->nodes.data[i]->op_type, op))
            return true;
    return false;
}

static const char *check(const struct decompose_case *c)
{
    const char *names[] = {c->pass, NULL};
    struct pass_plan plan = {.names = names, .verify = true};
    struct pass_log log = {0};
    double scale = c->scale > 0 ? c->scale : 2, tolerance = c->tolerance > 0 ? c->tolerance : 1e-5;
    const char *problem = NULL;
    struct model *m = model_parse(&ctx, c->graph), *d = model_parse(&ctx, c->graph);
    const struct tensor **a = m ? run_model(m, scale) : NULL, **b = NULL;
    if (!a)
        problem = "the operator itself does not run";
    else if (passes_run(d, &plan, &log) || model_verify(d))
        problem = "the pass fails";
    else if (!log.results.data[0].rewrites || holds(d, c->op))
        problem = log.results.data[0].refusals.count ? log.results.data[0].refusals.data[0].text
                                                     : "the operator is still there";
    else if (!(b = run_model(d, scale)))
        problem = "what it became does not run";
    for (size_t i = 0; !problem && i < m->graph->outputs.count; i++)
        if (!(worst(a[i], b[i]) <= tolerance))
            problem = arena_printf(arena, "output %zu is off by %g", i, worst(a[i], b[i]));
    problem = problem ? arena_string(arena, problem) : NULL;
    pass_log_release(&log);
    model_free(m);
    model_free(d);
    return problem;
}

static void test_round_trip(void **state)
{
    int failed = 0;
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        arena = arena_new();
        const char *problem = check(&CASES[i]);
        if (problem)
            printf("case %zu, %s: %s\n%s\n", i, CASES[i].op, problem, CASES[i].graph);
        failed += problem != NULL;
        arena_free(arena);
    }
    assert_int_equal(failed, 0);
}

int main(void)
{
    ctx = (struct ctx){.diag = diag_new(show, NULL), .threads = 1};
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip)};
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    diag_free(ctx.diag);
    return status;
}
