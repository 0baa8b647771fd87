/* npuprep quantize: the quantized graph next to the float one, on samples. */
#include <string.h>

#include "base/mem.h"
#include "cmd/quantize_job.h"

enum { VERIFY_SAMPLES = 8 }; /* of the calibration samples */

/* ---- samples through a graph ---- */

struct walk {
    struct samples *samples;
    struct arena **arenas; /* by worker */
    size_t n_inputs;
    struct verify *verify;
    bool keep; /* else compare */
};

static int walk_fetch(void *user, int64_t k, int worker, const struct tensor **in)
{
    struct walk *w = user;
    const struct tensor **tensors;
    arena_reset(w->arenas[worker]);
    int code = samples_get(w->samples, (size_t)k, w->arenas[worker], &tensors);
    if (!code)
        memcpy(in, tensors, w->n_inputs * sizeof *in);
    return code;
}

static int walk_done(void *user, int64_t k, int worker, const struct tensor *const *out)
{
    struct walk *w = user;
    (void)worker;
    return w->keep ? verify_keep(w->verify, (size_t)k, out)
                   : verify_compare(w->verify, (size_t)k, out);
}

static int walk_samples(struct quantize_job *j, struct samples *samples, size_t count, bool keep)
{
    struct cmd *cmd = j->cmd;
    struct model *m = j->pipeline.m;
    struct exec *x = exec_new(m, &(struct exec_options){.engine = j->pipeline.engine});
    if (!x)
        return -E_INTERNAL; /* reported */
    size_t threads = (size_t)cmd->ctx->threads;
    struct walk w = {samples, mem_alloc((threads + 1) * sizeof *w.arenas), exec_inputs(x),
                     j->verify, keep};
    for (size_t i = 0; i < threads; i++)
        w.arenas[i] = arena_new();
    int code = exec_run_many(x, &(struct exec_job){(int64_t)count, walk_fetch, walk_done, &w});
    for (size_t i = 0; i < threads; i++)
        arena_free(w.arenas[i]);
    mem_free(w.arenas);
    exec_free(x);
    return code;
}

/* ---- the two runs ---- */

int quantize_verify_open(struct quantize_job *j)
{
    struct pipeline *p = &j->pipeline;
    struct samples_options o = p->sample_options;
    struct samples *from = p->samples;
    size_t n = from ? samples_count(from) : 0, most = VERIFY_SAMPLES;
    if (j->o->verify != 0)
        return 0;
    if (j->o->eval_data.count) {
        o.paths = j->o->eval_data.items, o.n_paths = j->o->eval_data.count;
        o.limit = -1, o.shuffle = false;
        int code = samples_open(&j->eval, p->m, &o, j->cmd->ctx);
        if (code)
            return code;
        from = j->eval, n = most = samples_count(from);
    }
    if (!from) {
        diag_report(j->cmd->ctx->diag, E_QUANT_UNVERIFIED, NULL,
                    "there are no samples to verify the quantized model on");
        return 0;
    }
    j->report.eval_source = j->eval ? "evaluation samples" : "calibration samples";
    j->report.eval_samples = (int64_t)(n < most ? n : most);
    j->verify = verify_new((size_t)j->report.eval_samples, p->m->graph->outputs.count, j->cmd->ctx);
    return 0;
}

/* The float outputs where calibration did not bring them along. */
int quantize_verify_float(struct quantize_job *j)
{
    if (!j->verify || (!j->eval && !j->o->stats))
        return 0;
    return walk_samples(j, j->eval ? j->eval : j->pipeline.samples, (size_t)j->report.eval_samples,
                        true);
}

int quantize_verify_keep(void *job, size_t k, const struct tensor *const *out)
{
    struct quantize_job *j = job;
    return k < (size_t)j->report.eval_samples ? verify_keep(j->verify, k, out) : 0;
}

int quantize_verify_run(struct quantize_job *j)
{
    const struct graph *g = j->pipeline.m->graph;
    if (!j->verify)
        return 0;
    struct samples *from = j->eval ? j->eval : j->pipeline.samples;
    int code = walk_samples(j, from, (size_t)j->report.eval_samples, false);
    j->report.eval_samples = (int64_t)verify_samples(j->verify);
    for (size_t i = 0; !code && i < g->outputs.count; i++)
        vec_push(
            &j->report.outputs,
            ((struct report_output){arena_string(j->cmd->arena, g->outputs.data[i]->value->name),
                                    verify_metrics(j->verify, i)}));
    return code;
}

int quantize_verify_gates(const struct quantize_job *j)
{
    int status = 0;
    for (size_t i = 0; i < j->report.outputs.count; i++) {
        const struct report_output *out = &j->report.outputs.data[i];
        double sqnr = metrics_sqnr_db(&out->metrics), top1 = 100 * metrics_top1(&out->metrics);
        struct where at = {.tensor = out->name};
        if (j->o->min_sqnr > 0 && !(sqnr >= j->o->min_sqnr))
            status =
                diag_report(j->cmd->ctx->diag, E_QUANT_BELOW, &at,
                            "SQNR %.2f dB, at least %.2f were asked for", sqnr, j->o->min_sqnr);
        if (j->o->min_top1 > 0 && top1 < j->o->min_top1)
            status = diag_report(j->cmd->ctx->diag, E_QUANT_BELOW, &at,
                                 "top-1 agreement %.1f %%, at least %.1f were asked for", top1,
                                 j->o->min_top1);
    }
    return status ? EXIT_GATE : 0;
}
