/* See quantize_noise.h. Every trial and sample is one run of the executor, in any order on any
 * thread; sums are joined in the order of the samples. */
#include "cmd/quantize_noise.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

struct noise {
    struct quantize_job *job;
    size_t samples, n_inputs, n_outputs;
    struct arena *arena;
    const struct tensor **reference; /* [sample][output] */
    struct arena **arenas;           /* by worker: inputs */
};

struct run {
    struct noise *n;
    const struct noise_trials *t; /* NULL: the float model, to be kept */
    struct metrics *metrics;      /* [trial][sample][output] */
};

static bool in_range(const struct noise_trials *t, size_t trial, uint32_t id)
{
    return t->unit[id] && t->unit[id] - 1 - t->ranges[trial].first < t->ranges[trial].count;
}

static bool is_active(const struct noise_trials *t, int64_t k, const struct value *v)
{
    return t->grids[v->id].scale > 0 && in_range(t, (size_t)k / t->samples, v->id);
}

static void put(const struct noise_trials *t, const struct value *v, float *to,
                const struct tensor *from)
{
    const struct noise_grid *g = &t->grids[v->id];
    quant_round(to, from->data, from->count, g->scale, g->zero_point, g->dtype);
}

/* ---- one run ---- */

static int fetch(void *user, int64_t k, int worker, const struct tensor **in)
{
    struct run *r = user;
    struct noise *n = r->n;
    const struct graph *g = n->job->pipeline.m->graph;
    struct arena *a = n->arenas[worker];
    const struct tensor **tensors;
    arena_reset(a);
    size_t sample = r->t ? (size_t)k % r->t->samples : (size_t)k;
    int code = samples_get(n->job->pipeline.samples, sample, a, &tensors);
    for (size_t i = 0; !code && i < n->n_inputs; i++) {
        in[i] = tensors[i];
        if (!in[i] || !r->t || !is_active(r->t, k, g->inputs.data[i]))
            continue;
        struct tensor *rounded = tensor_new(a, DT_FLOAT, in[i]->rank, in[i]->dims);
        put(r->t, g->inputs.data[i], tensor_writable(rounded), in[i]);
        in[i] = rounded;
    }
    return code;
}

static int tap(void *user, int64_t k, int worker, const struct value *v, const struct tensor *t)
{
    const struct run *r = user;
    (void)worker;
    if (is_active(r->t, k, v) && t->dtype == DT_FLOAT)
        put(r->t, v, (float *)(uintptr_t)t->data, t); /* tap_writes */
    return 0;
}

static int keep(void *user, int64_t k, int worker, const struct tensor *const *out)
{
    struct run *r = user;
    (void)worker;
    for (size_t i = 0; i < r->n->n_outputs; i++) {
        struct tensor *copy = tensor_new(r->n->arena, out[i]->dtype, out[i]->rank, out[i]->dims);
        if (copy->bytes)
            memcpy(tensor_writable(copy), out[i]->data, copy->bytes);
        r->n->reference[(size_t)k * r->n->n_outputs + i] = copy;
    }
    return 0;
}

static int compare(void *user, int64_t k, int worker, const struct tensor *const *out)
{
    struct run *r = user;
    size_t outputs = r->n->n_outputs, sample = (size_t)k % r->t->samples;
    (void)worker;
    for (size_t i = 0; i < outputs; i++) {
        struct metrics *m = &r->metrics[(size_t)k * outputs + i];
        const struct tensor *reference = r->n->reference[sample * outputs + i];
        if (reference && !metrics_add(m, reference, out[i]))
            m->error = INFINITY; /* other dims */
    }
    return 0;
}

/* ---- the float model ---- */

static int run_reference(struct noise *n)
{
    struct run r = {.n = n};
    struct cmd *cmd = n->job->cmd;
    int threads = cmd->ctx->threads;
    struct exec *x =
        exec_new(n->job->pipeline.m, &(struct exec_options){.engine = n->job->pipeline.engine});
    if (!x)
        return -E_INTERNAL; /* reported */
    cmd->ctx->threads = 1;  /* outputs are copied into one arena */
    int code = exec_run_many(x, &(struct exec_job){(int64_t)n->samples, fetch, keep, &r});
    cmd->ctx->threads = threads;
    exec_free(x);
    return code;
}

int noise_new(struct noise **out, struct quantize_job *j, size_t samples)
{
    struct noise *n = mem_alloc(sizeof *n);
    const struct graph *g = j->pipeline.m->graph;
    size_t threads = (size_t)j->cmd->ctx->threads;
    *n = (struct noise){.job = j, .samples = samples, .arena = arena_new()};
    n->n_inputs = g->inputs.count, n->n_outputs = g->outputs.count;
    n->reference = arena_array(n->arena, samples * n->n_outputs, sizeof *n->reference);
    n->arenas = arena_array(n->arena, threads + 1, sizeof *n->arenas);
    for (size_t i = 0; i < threads; i++)
        n->arenas[i] = arena_new();
    int code = run_reference(n);
    if (code)
        noise_free(n);
    else
        *out = n;
    return code;
}

void noise_free(struct noise *n)
{
    if (!n)
        return;
    for (struct arena **a = n->arenas; *a; a++)
        arena_free(*a);
    arena_free(n->arena);
    mem_free(n);
}

/* ---- trials ---- */

struct noise_grid *noise_grids(const struct model *m, struct arena *a)
{
    struct noise_grid *grids = arena_array(a, m->values.count, sizeof *grids);
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        if (!v->removed && v->q && !v->constant)
            grids[i] = (struct noise_grid){v->q->scale[0], v->q->zero_point[0], v->q->dtype};
    }
    return grids;
}

/* Puts the rounded constants in; the originals go to saved, by value id. */
static int round_constants(struct model *m, const struct noise_trials *t, struct tensor **saved,
                           struct arena *a)
{
    for (size_t i = 0; i < m->values.count; i++) {
        struct value *v = m->values.data[i];
        if (v->removed || !v->q || !v->constant || !in_range(t, 0, v->id))
            continue;
        struct tensor *rounded = quant_rounded(v, a);
        if (!rounded)
            return diag_report(m->ctx->diag, E_LIMIT_MEMORY, NULL, "no memory for a weight");
        saved[i] = v->constant;
        v->constant = rounded;
    }
    return 0;
}

static void restore_constants(struct model *m, struct tensor *const *saved)
{
    for (size_t i = 0; i < m->values.count; i++)
        if (saved[i])
            m->values.data[i]->constant = saved[i];
}

static double worst_ratio(const struct noise *n, const struct noise_trials *t,
                          const struct metrics *metrics)
{
    double worst = 0;
    for (size_t o = 0; o < n->n_outputs; o++) {
        struct metrics sum = {0};
        for (size_t s = 0; s < t->samples; s++)
            metrics_join(&sum, &metrics[s * n->n_outputs + o]);
        double ratio = sum.error == 0 ? 0 : sum.error / sum.reference;
        worst = ratio > worst ? ratio : worst;
    }
    return worst;
}

static int run_trials(struct noise *n, const struct noise_trials *t, struct metrics *metrics)
{
    const struct model *m = n->job->pipeline.m;
    VEC(const struct value *) taps = {0};
    struct run r = {n, t, metrics};
    for (size_t i = 0; i < m->values.count; i++)
        if (t->grids[i].scale > 0 && m->values.data[i]->producer)
            vec_push(&taps, m->values.data[i]);
    struct exec *x = exec_new(n->job->pipeline.m, &(struct exec_options){
                                                      .engine = n->job->pipeline.engine,
                                                      .taps = taps.data,
                                                      .n_taps = taps.count,
                                                      .tap = tap,
                                                      .tap_user = &r,
                                                      .tap_any_order = true,
                                                      .tap_writes = true,
                                                  });
    vec_free(&taps);
    int64_t runs = (int64_t)(t->count * t->samples);
    int code = x ? exec_run_many(x, &(struct exec_job){runs, fetch, compare, &r}) : -E_INTERNAL;
    exec_free(x);
    return code;
}

int noise_measure(struct noise *n, const struct noise_trials *t, double *ratio)
{
    struct model *m = n->job->pipeline.m;
    struct arena *a = arena_new();
    size_t each = t->samples * n->n_outputs;
    struct metrics *metrics = arena_array(a, t->count * each, sizeof *metrics);
    struct tensor **saved = arena_array(a, m->values.count, sizeof *saved);
    int code = t->constants ? round_constants(m, t, saved, a) : 0;
    if (!code)
        code = run_trials(n, t, metrics);
    restore_constants(m, saved);
    for (size_t i = 0; !code && i < t->count; i++)
        ratio[i] = worst_ratio(n, t, metrics + i * each);
    arena_free(a);
    return code;
}
