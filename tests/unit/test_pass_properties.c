/* What each class of passes promises, on random graphs: exact passes keep every output bit under
 * the reference engine, reassoc ones stay within max(1e-5 of the tensor's largest number, twice the
 * float32 error that the original has itself against a run in double). The result verifies; graph
 * inputs and outputs keep names, order and types; a second run finds nothing; other names make no
 * difference. FULL=1 takes more graphs and every pass on each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "exec/exec.h"
#include "graph_gen.h"
#include "ir/graph_text.h"
#include "passes/pass.h"

static struct ctx ctx;
static struct arena *arena;   /* of one graph */
static int64_t rewrites[128]; /* by pass: over all graphs */
static int failures, unfit;
static bool full;
static uint64_t seed_now;

static void show(void *user, const struct diagnostic *d)
{
    (void)user;
    if (d->info->severity == SEVERITY_ERROR && getenv("VERBOSE"))
        printf("   %s\n", d->message);
}

/* ---- running ---- */

/* Unknown operators cannot run: their inputs become outputs, their outputs inputs, in the order of
 * the nodes' names. */
static void cut_unknown(struct model *m)
{
    for (int k = 0; k < 100; k++) {
        char name[32];
        snprintf(name, sizeof name, "mystery%d", k);
        graph_each_node(n, m->graph)
        {
            if (strcmp(n->name, name))
                continue;
            struct value *x = n->inputs[0].value, *y = n->outputs[0];
            struct node *copy = node_new(m->graph, "Identity", "", 1, 1);
            node_set_input(copy, 0, x);
            node_insert_before(copy, n);
            struct value *probe = node_add_output(copy, 0, "probe");
            graph_add_output(m->graph, probe);
            struct value *in = value_input(m->graph, model_fresh_name(m, "answer"));
            value_set_type(in, &y->type);
            value_replace(y, in);
            node_remove(n);
        }
    }
    ops_resolve(m);
}

static bool has_nonfinite(uint64_t seed) { return seed % 5 == 0; }

/* Signed zeros and numbers near them often, infinities and NaN for some graphs. */
static double special(struct gen *g, double x)
{
    static const double ODD[] = {-0.0, 0.0,      -0.0, 0x1p-140,  -0.5,
                                 1,    INFINITY, NAN,  -INFINITY, 0x1p100};
    return gen_chance(g, 30) ? ODD[gen_below(g, has_nonfinite(seed_now) ? 10 : 6)] : x;
}

static struct tensor *input_for(const struct value *v, int which, enum dtype real)
{
    int64_t dims[GEN_RANK];
    for (int i = 0; i < v->type.rank; i++)
        if (!dim_is_const(v->type.dims[i], &dims[i]))
            dims[i] = 2;
    enum dtype t = dtype_is_float(v->type.dtype) ? real : v->type.dtype;
    struct tensor *x = tensor_new(arena, t, v->type.rank, dims);
    struct gen g = {.state = 77 + (uint64_t)which * 1000};
    gen_bits(&g);
    for (int64_t i = 0; i < x->count; i++)
        num_set(tensor_writable(x), t, i,
                t == DT_BOOL ? which & 1 : special(&g, (double)(float)(2 * gen_real(&g))));
    return x;
}

struct answers {
    size_t n;
    const struct tensor **out;
};

static bool run_model(struct model *m, enum dtype real, struct answers *a)
{
    cut_unknown(m);
    if (model_infer(m, NULL, NULL) < 0)
        return false;
    struct exec *x = exec_new(m, &(struct exec_options){.engine = ENGINE_REFERENCE});
    if (!x)
        return false;
    const struct tensor **in = arena_array(arena, m->graph->inputs.count + 1, sizeof *in);
    for (size_t i = 0; i < m->graph->inputs.count; i++)
        in[i] = input_for(m->graph->inputs.data[i], (int)i, real);
    a->n = exec_outputs(x);
    const struct tensor **out = arena_array(arena, a->n + 1, sizeof *out);
    bool fine = exec_run(x, in, out) == 0;
    a->out = arena_array(arena, a->n + 1, sizeof *a->out);
    for (size_t i = 0; fine && i < a->n; i++) {
        struct tensor *t = tensor_new(arena, out[i]->dtype, out[i]->rank, out[i]->dims);
        if (t->bytes)
            memcpy(tensor_writable(t), out[i]->data, t->bytes);
        a->out[i] = t;
    }
    exec_free(x);
    return fine;
}

/* ---- comparing ---- */

static bool same_dims(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank && (!a->rank || !memcmp(a->dims, b->dims, (size_t)a->rank * 8));
}

/* From the truth, where that is finite: infinities and NaN may come out of another order. */
static double distance(const struct tensor *a, const struct tensor *truth)
{
    double worst = 0;
    for (int64_t i = 0; i < a->count; i++) {
        double x = tensor_get(a, i), y = tensor_get(truth, i);
        if (!isfinite(y) || x == y)
            continue;
        double d = fabs(x - y);
        worst = d > worst || isnan(d) ? d : worst;
    }
    return worst;
}

static double largest(const struct tensor *t)
{
    double m = 0;
    for (int64_t i = 0; i < t->count; i++)
        if (isfinite(tensor_get(t, i)) && fabs(tensor_get(t, i)) > m)
            m = fabs(tensor_get(t, i));
    return m;
}

static const char *difference(const struct answers *a, const struct answers *b,
                              const struct answers *truth, enum pass_class class)
{
    if (a->n != b->n)
        return "another number of outputs";
    for (size_t i = 0; i < a->n; i++) {
        const struct tensor *x = a->out[i], *y = b->out[i];
        if (x->dtype != y->dtype || !same_dims(x, y))
            return "another type";
        if (!x->bytes || !memcmp(x->data, y->data, x->bytes))
            continue;
        if (class == PASS_EXACT)
            return arena_printf(arena, "output %zu has other bits, off by %g", i, distance(x, y));
        if (!truth || has_nonfinite(seed_now)) /* what infinity becomes depends on the order */
            continue;
        double mine = distance(y, truth->out[i]), own = distance(x, truth->out[i]);
        double allowed = fmax(1e-5 * largest(truth->out[i]), 2 * own);
        if (!(mine <= allowed))
            return arena_printf(arena, "output %zu is off by %g, allowed are %g", i, mine, allowed);
    }
    return NULL;
}

static const char *signature(const struct model *m)
{
    struct arena *a = arena;
    char *text = arena_string(a, "");
    for (size_t i = 0; i < m->graph->inputs.count; i++)
        text = arena_printf(a, "%s %s:%d:%d", text, m->graph->inputs.data[i]->name,
                            (int)m->graph->inputs.data[i]->type.dtype,
                            m->graph->inputs.data[i]->type.rank);
    for (size_t i = 0; i < m->graph->outputs.count; i++) {
        const struct value *v = m->graph->outputs.data[i]->value;
        text = arena_printf(a, "%s > %s:%d:%d", text, v->name, (int)v->type.dtype, v->type.rank);
    }
    return text;
}

/* ---- one plan on one graph ---- */

static void complain(uint64_t seed, const char *what, const char *why)
{
    printf("seed %llu, %s: %s\n", (unsigned long long)seed, what, why);
    failures++;
}

static void rename_all(struct model *m)
{
    for (size_t i = 0; i < m->values.count; i++)
        m->values.data[i]->name = intern(m->names, arena_printf(arena, "r%zu", i * 7919 % 100003));
    for (size_t i = 0; i < m->nodes.count; i++)
        m->nodes.data[i]->name = intern(m->names, arena_printf(arena, "q%zu", i * 7907 % 100003));
}

static int64_t total(const struct pass_log *log)
{
    int64_t sum = 0;
    for (size_t i = 0; i < log->results.count; i++)
        sum += log->results.data[i].rewrites;
    return sum;
}

static void count_rewrites(const struct pass_log *log)
{
    for (size_t i = 0; i < log->results.count; i++)
        for (size_t k = 0; k < pass_total() && k < 128; k++)
            if (pass_at(k) == log->results.data[i].pass)
                rewrites[k] += log->results.data[i].rewrites;
}

struct subject {
    uint64_t seed;
    struct answers plain, truth;
    bool has_truth;
};

static void check_renamed(const struct subject *s, const struct pass_plan *plan, const char *what,
                          int64_t expected)
{
    struct pass_log log = {0};
    struct model *m = gen_model(&ctx, s->seed, DT_FLOAT);
    rename_all(m);
    if (passes_run(m, plan, &log) < 0 || total(&log) != expected)
        complain(s->seed, what, "other names, other rewrites");
    pass_log_release(&log);
    model_free(m);
}

static void check_plan(const struct subject *s, const struct pass_plan *plan, const char *what,
                       enum pass_class class)
{
    struct pass_log log = {0}, again = {0};
    struct answers got = {0};
    struct model *m = gen_model(&ctx, s->seed, DT_FLOAT);
    model_infer(m, NULL, NULL);
    const char *before = signature(m);
    const char *problem = NULL;
    if (passes_run(m, plan, &log) < 0)
        problem = "the passes fail";
    else if (model_verify(m))
        problem = "the result does not verify";
    else if (passes_run(m, plan, &again) < 0 || total(&again))
        problem = "a second run finds more";
    else if (strcmp(before, signature(m)))
        problem = "graph inputs or outputs differ";
    int64_t done = total(&log);
    if (!problem && done && !run_model(m, DT_FLOAT, &got))
        problem = "the result does not run";
    if (!problem && done)
        problem = difference(&s->plain, &got, s->has_truth ? &s->truth : NULL, class);
    if (problem)
        complain(s->seed, what, problem);
    count_rewrites(&log);
    pass_log_release(&log);
    pass_log_release(&again);
    model_free(m);
    if (!problem && done)
        check_renamed(s, plan, what, done);
}

static void check_pass(const struct subject *s, const struct pass *p)
{
    const char *names[] = {p->name, NULL};
    struct pass_plan plan = {.names = names, .verify = true};
    check_plan(s, &plan, p->name, p->class);
}

static void check_graph(uint64_t seed, struct gen *choice)
{
    struct subject s = {.seed = seed};
    seed_now = seed;
    arena = arena_new();
    struct model *m = gen_model(&ctx, seed, DT_FLOAT), *d = gen_model(&ctx, seed, DT_DOUBLE);
    if (model_verify(m)) {
        complain(seed, "the graph", "does not verify as it is");
    } else if (!run_model(m, DT_FLOAT, &s.plain)) {
        unfit++; /* a symbol turned out not to be what a node needs */
    } else {
        s.has_truth = run_model(d, DT_DOUBLE, &s.truth) && s.truth.n == s.plain.n;
        struct pass_plan one = {.level = 1, .verify = true}, two = {.level = 2, .verify = true};
        check_plan(&s, &one, "level 1", PASS_EXACT);
        check_plan(&s, &two, "level 2", PASS_REASSOC);
        for (size_t i = 0; i < pass_total(); i++)
            if (full || gen_chance(choice, 15))
                check_pass(&s, pass_at(i));
    }
    model_free(m);
    model_free(d);
    arena_free(arena);
}

static void test_random_graphs(void **state)
{
    (void)state;
    const char *wanted = getenv("FULL"), *only = getenv("SEED");
    full = wanted && *wanted;
    uint64_t first = only ? strtoull(only, NULL, 10) : 1;
    uint64_t last = only ? first : full ? 2000 : 200;
    struct gen choice = {.state = 12345};
    full = full || only;
    for (uint64_t seed = first; seed <= last && failures < 10; seed++)
        check_graph(seed, &choice);
    for (size_t i = 0; i < pass_total(); i++)
        if (getenv("VERBOSE") || (!rewrites[i] && !only))
            printf("%s: %lld rewrites\n", pass_at(i)->name, (long long)rewrites[i]);
    assert_int_equal(failures, 0);
    assert_true(unfit * 10 <= (int)(last - first + 1));
}

int main(void)
{
    ctx = (struct ctx){.diag = diag_new(show, NULL), .threads = 1};
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_graphs)};
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    diag_free(ctx.diag);
    return status;
}
