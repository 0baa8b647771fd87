/* What each class of passes promises, checked on one model (the subject) for one plan:
 *
 * - exact passes keep every output bit under the reference engine; reassoc ones stay within
 *   max(1e-5 of the tensor's largest number, twice the error that the original has itself, 2^-24) of the
 *   truth: the model run in double (promote.h), or, where it has no form in double, the original
 *   with the reference engine, its error then estimated by the distance of the fast engine to it;
 * - the result verifies, is valid ONNX where the original was, is written and read again;
 * - graph inputs and outputs keep names, order and types;
 * - a second run finds nothing;
 * - other names make no difference: the same rewrites, the same nodes.
 *
 * The numbers are those of the model that was written and read again.
 */
#ifndef TESTS_PASS_CHECK_H
#define TESTS_PASS_CHECK_H
#include <stdio.h>
#include <stdlib.h>

#include "answers.h"
#include "interface.h"
#include "model_dump.h"
#include "onnx/load.h"
#include "onnx/save.h"
#include "passes/pass.h"
#include "promote.h"
#include "report/check_model.h"
#include "targets/target.h"

enum { CHECK_PASSES = 256 };

/* Half a unit in the last place of 1: the mean of what was centred before cancels to nothing, so that
 * neither its size nor what happened to be its own error says what rounding may leave of it. */
static const double NOTHING = 0x1p-24;

struct subject {
    char label[300];
    struct model *(*make)(const struct subject *s); /* as it is before any pass; NULL: cannot */
    void (*ready)(struct model *m); /* before it runs, on every variant alike; NULL: nothing */
    /* For graph input i of a model that is ready, in the element type of the original. */
    const struct tensor *(*input)(const struct subject *s, const struct value *v, size_t i);
    void *user;
    bool loose; /* holds infinities or NaN: what becomes of them depends on the order of sums */
    /* below: filled by subject_open */
    struct ctx ctx;
    struct arena *arena;
    struct answers plain, truth, fast;
    bool runs, has_truth, has_fast;
    bool valid;
};

struct check_totals {
    int64_t rewrites[CHECK_PASSES]; /* by pass */
    int subjects, running, in_double, estimated, plans, failures;
};
static struct check_totals totals;

static inline void subject_note(const struct subject *s, const char *what, const char *why)
{
    size_t n = diag_count(s->ctx.diag);
    printf("%s, %s: %s", s->label, what, why);
    for (size_t i = n; i-- > 0;)
        if (diag_at(s->ctx.diag, i)->info->severity == SEVERITY_ERROR) {
            printf(" (%s)", diag_at(s->ctx.diag, i)->message);
            break;
        }
    printf("\n");
    totals.failures++;
}

/* ---- running ---- */

static inline const struct tensor **subject_inputs(const struct subject *s, const struct model *m)
{
    size_t n = m->graph->inputs.count;
    const struct tensor **in = arena_array(s->arena, n + 1, sizeof *in);
    for (size_t i = 0; i < n; i++) {
        const struct value *v = m->graph->inputs.data[i];
        in[i] = s->input(s, v, i);
        if (in[i] && promotes(in[i]->dtype) && v->type.dtype == DT_DOUBLE)
            in[i] = promote_tensor(s->arena, in[i]);
    }
    return in;
}

static inline bool subject_run(const struct subject *s, struct model *m, enum engine engine,
                               bool promoted, struct answers *a)
{
    if (s->ready)
        s->ready(m);
    if (model_infer(m, NULL, NULL) < 0 || (promoted && !model_promote(m)))
        return false;
    return answers_run(m, engine, subject_inputs(s, m), s->arena, a);
}

static inline bool subject_answers(const struct subject *s, enum engine engine, bool promoted,
                                   struct answers *a)
{
    struct model *m = s->make(s);
    bool fine = m && subject_run(s, m, engine, promoted, a);
    model_free(m);
    return fine;
}

static inline bool answers_comparable(const struct answers *a, const struct answers *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!answer_comparable(a->out[i], b->out[i]))
            return false;
    return true;
}

static inline struct model *subject_reread(const struct subject *s, struct model *m)
{
    struct span bytes;
    if (model_save_bytes(m, &(struct save_options){.external = EXTERNAL_DATA_NEVER, .types = true},
                         s->arena, &bytes))
        return NULL;
    return model_load_bytes(m->ctx, bytes, "rewritten");
}

static inline bool subject_valid(struct model *m)
{
    size_t before = diag_errors(m->ctx->diag);
    return !check_model(m) && diag_errors(m->ctx->diag) == before;
}

/* false: it cannot even be made. */
static inline bool subject_open(struct subject *s)
{
    s->ctx = (struct ctx){.diag = diag_new(NULL, NULL), .threads = 1, .allow_nonfinite = true};
    s->arena = arena_new();
    struct model *m = s->make(s);
    if (!m)
        return false;
    s->valid = subject_valid(m);
    model_free(m);
    s->runs = subject_answers(s, ENGINE_REFERENCE, false, &s->plain);
    totals.subjects++;
    totals.running += s->runs;
    return true;
}

static inline void subject_close(struct subject *s)
{
    totals.in_double += s->has_truth;
    totals.estimated += s->has_fast;
    arena_free(s->arena);
    diag_free(s->ctx.diag);
}

/* Only where a reassoc pass did something: it costs a run. */
static inline void subject_need_truth(struct subject *s)
{
    if (s->has_truth || s->has_fast)
        return;
    s->has_truth = subject_answers(s, ENGINE_REFERENCE, true, &s->truth) &&
                   answers_comparable(&s->plain, &s->truth);
    s->has_fast = !s->has_truth && subject_answers(s, ENGINE_ONEDNN, false, &s->fast) &&
                  answers_comparable(&s->plain, &s->fast);
}

/* ---- comparing ---- */

static inline const char *within(const struct subject *s, size_t i, const struct tensor *got)
{
    const struct tensor *plain = s->plain.out[i];
    const struct tensor *truth = s->has_truth ? s->truth.out[i] : plain;
    if (s->loose || (!s->has_truth && !s->has_fast))
        return NULL;
    double own = answer_distance(s->has_truth ? plain : s->fast.out[i], truth);
    double mine = answer_distance(got, truth);
    double allowed = fmax(fmax(1e-5 * answer_largest(truth), 2 * own), NOTHING);
    if (mine <= allowed)
        return NULL;
    return arena_printf(s->arena, "output %zu is off by %g, allowed are %g (%s)", i, mine, allowed,
                        s->has_truth ? "from double" : "estimated");
}

static inline const char *difference(struct subject *s, const struct answers *got,
                                     enum pass_class class)
{
    if (s->plain.n != got->n)
        return "another number of outputs";
    for (size_t i = 0; i < got->n; i++) {
        const struct tensor *x = s->plain.out[i], *y = got->out[i];
        if (answer_same(x, y))
            continue;
        if (x->dtype != y->dtype || !answer_comparable(x, y))
            return arena_printf(s->arena, "output %zu has another type", i);
        if (class == PASS_EXACT)
            return arena_printf(s->arena, "output %zu has other bits, off by %g", i,
                                answer_distance(y, x));
        if (class == PASS_LOSSY) /* promises the form only */
            continue;
        subject_need_truth(s);
        const char *problem = within(s, i, y);
        if (problem)
            return problem;
    }
    return NULL;
}

/* ---- one plan ---- */

static inline int64_t log_total(const struct pass_log *log)
{
    int64_t sum = 0;
    for (size_t i = 0; i < log->results.count; i++)
        sum += log->results.data[i].rewrites;
    return sum;
}

static inline void log_count(const struct pass_log *log)
{
    for (size_t i = 0; i < log->results.count; i++)
        for (size_t k = 0; k < pass_total() && k < CHECK_PASSES; k++)
            if (pass_at(k) == log->results.data[i].pass)
                totals.rewrites[k] += log->results.data[i].rewrites;
}

/* With VERBOSE, behind a failure: what the passes say they did. */
static inline void log_show(const struct pass_log *log)
{
    for (size_t i = 0; getenv("VERBOSE") && i < log->results.count; i++)
        for (size_t k = 0; k < log->results.data[i].rewritten.count; k++)
            printf("   %s: '%s' %s\n", log->results.data[i].pass->name,
                   log->results.data[i].rewritten.data[k].node,
                   log->results.data[i].rewritten.data[k].text);
}

static inline const char *log_difference(struct arena *a, const struct pass_log *x,
                                         const struct pass_log *y)
{
    for (size_t i = 0; i < x->results.count && i < y->results.count; i++) {
        const struct pass_result *p = &x->results.data[i], *q = &y->results.data[i];
        if (p->rewrites != q->rewrites || p->refused != q->refused)
            return arena_printf(a,
                                "other names: %s rewrites %lld and refuses %lld, was %lld and %lld",
                                q->pass->name, (long long)q->rewrites, (long long)q->refused,
                                (long long)p->rewrites, (long long)p->refused);
    }
    return x->results.count == y->results.count ? NULL : "other names, other passes";
}

static inline const char *renamed_problem(const struct subject *s, const struct pass_plan *plan,
                                          const struct pass_log *log, const struct model *result)
{
    struct pass_log other = {0};
    struct model *m = s->make(s);
    rename_all(m, s->arena, (uint64_t)strlen(s->label) * 31 + (unsigned char)s->label[0]);
    const char *problem = NULL;
    if (passes_run(m, plan, &other) < 0)
        problem = "other names: the passes fail";
    else if (!(problem = log_difference(s->arena, log, &other)) &&
             strcmp(model_dump(result, s->arena), model_dump(m, s->arena)))
        problem = "other names, another graph";
    pass_log_release(&other);
    model_free(m);
    return problem;
}

/* What is wrong with the graph that the passes left. */
static inline const char *result_problem(struct subject *s, struct model *m, enum pass_class class)
{
    struct answers got = {0};
    struct model *before = s->make(s), *read = subject_reread(s, m);
    const char *problem =
        read ? interface_problem(before, read) : "the result cannot be read again";
    if (!problem && s->valid && !subject_valid(read))
        problem = "the result is not valid";
    if (!problem && s->runs && !subject_run(s, read, ENGINE_REFERENCE, false, &got))
        problem = "the result does not run";
    if (!problem && s->runs)
        problem = difference(s, &got, class);
    model_free(read);
    model_free(before);
    return problem;
}

/* What the passes that did something promise together. */
static inline enum pass_class log_class(const struct pass_log *log)
{
    enum pass_class worst = PASS_EXACT;
    for (size_t i = 0; i < log->results.count; i++) {
        const struct pass_result *p = &log->results.data[i];
        if (p->rewrites && p->pass->class > worst)
            worst = p->pass->class;
    }
    return worst;
}

static inline bool check_plan(struct subject *s, const struct pass_plan *plan, const char *what)
{
    struct pass_log log = {0}, again = {0};
    struct model *m = s->make(s);
    const char *problem = NULL;
    totals.plans++;
    if (passes_run(m, plan, &log) < 0)
        problem = "the passes fail";
    else if (model_verify(m))
        problem = "the result does not verify";
    else
        problem = renamed_problem(s, plan, &log, m);
    int64_t done = log_total(&log);
    if (!problem && (passes_run(m, plan, &again) < 0 || log_total(&again)))
        problem = "a second run finds more";
    if (!problem && done)
        problem = result_problem(s, m, log_class(&log));
    if (problem) {
        subject_note(s, what, problem);
        log_show(&log);
        log_show(&again);
    }
    log_count(&log);
    pass_log_release(&log);
    pass_log_release(&again);
    model_free(m);
    return !problem;
}

/* A target with few operators, so that the passes that take others apart have something to do. NULL:
 * it is not there. */
static inline const struct target *few_operators(void)
{
    static struct target *few;
    struct ctx ctx = {.diag = diag_new(NULL, NULL), .threads = 1};
    if (!few && target_load(&few, "tests/targets/few.json", &ctx))
        target_load(&few, "../tests/targets/few.json", &ctx);
    diag_free(ctx.diag);
    return few;
}

static inline void check_pass(struct subject *s, const struct pass *p)
{
    enum { FOR_A_TARGET = 3 }; /* level */
    const char *names[] = {p->name, NULL};
    struct pass_plan plan = {.names = names, .verify = true};
    check_plan(s, &plan, p->name);
    plan.target = p->level == FOR_A_TARGET ? few_operators() : NULL;
    if (plan.target)
        check_plan(s, &plan, p->name);
}

static inline void check_levels(struct subject *s)
{
    static const char *const NAMES[] = {"level 0", "level 1", "level 2", "level 3"};
    for (int level = 1; level <= 3; level++) {
        struct pass_plan plan = {.level = level, .verify = true};
        plan.target = level == 3 ? few_operators() : NULL;
        check_plan(s, &plan, NAMES[level]);
    }
}

/* Who never did anything was not tested: the counts are shown with VERBOSE, else the idle ones. */
static inline void check_summary(void)
{
    for (size_t i = 0; i < pass_total() && i < CHECK_PASSES; i++)
        if (getenv("VERBOSE") || !totals.rewrites[i])
            printf("%s: %lld rewrites\n", pass_at(i)->name, (long long)totals.rewrites[i]);
    printf("%d models, %d run; %d plans; truth in double for %d, estimated for %d\n",
           totals.subjects, totals.running, totals.plans, totals.in_double, totals.estimated);
}
#endif
