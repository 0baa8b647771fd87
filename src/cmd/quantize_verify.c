/* npuprep quantize: the quantized graph next to the float one, on samples. */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "cmd/quantize_job.h"
#include "quant/grid.h"

enum { VERIFY_SAMPLES = 8 }; /* of the calibration samples */

/* ---- samples through a graph ---- */

struct walk {
    const struct graph *graph;
    struct samples *samples;
    struct arena **arenas; /* by worker */
    size_t n_inputs;
    struct verify *verify;
    bool keep; /* else compare */
};

/* A float sample for an input that --io quantized made an integer one; divided in float32, as
 * QuantizeLinear does. */
static const struct tensor *as_input(const struct value *v, const struct tensor *t, struct arena *a)
{
    const struct quant *q = v->q;
    if (!t || !q || t->dtype != DT_FLOAT || v->type.dtype != q->dtype)
        return t;
    struct tensor *made = tensor_new(a, q->dtype, t->rank, t->dims);
    for (int64_t i = 0; i < t->count; i++)
        num_set_int(tensor_writable(made), q->dtype, i,
                    grid_quantize((double)((float)tensor_get(t, i) / q->scale[0]), 1,
                                  q->zero_point[0], q->dtype));
    return made;
}

/* What the integers of such an output stand for: its producer knows. */
static const struct tensor *as_output(const struct value *v, const struct tensor *t,
                                      struct arena *a)
{
    const struct node *n = v->producer;
    if (!n || !node_is(n, "QuantizeLinear"))
        return t;
    double scale = tensor_get(node_input(n, 1)->constant, 0),
           zero = tensor_get(node_input(n, 2)->constant, 0);
    struct tensor *made = tensor_new(a, DT_FLOAT, t->rank, t->dims);
    float *to = tensor_writable(made);
    for (int64_t i = 0; i < t->count; i++)
        to[i] = (float)((tensor_get(t, i) - zero) * scale);
    return made;
}

static int walk_fetch(void *user, int64_t k, int worker, const struct tensor **in)
{
    struct walk *w = user;
    const struct tensor **tensors;
    arena_reset(w->arenas[worker]);
    int code = samples_get(w->samples, (size_t)k, w->arenas[worker], &tensors);
    for (size_t i = 0; !code && i < w->n_inputs; i++)
        in[i] = as_input(w->graph->inputs.data[i], tensors[i], w->arenas[worker]);
    return code;
}

static int walk_done(void *user, int64_t k, int worker, const struct tensor *const *out)
{
    struct walk *w = user;
    struct arena *a = w->arenas[worker];
    size_t n = w->graph->outputs.count;
    if (w->keep)
        return verify_keep(w->verify, (size_t)k, out);
    const struct tensor **floats = arena_array(a, n, sizeof *floats);
    for (size_t i = 0; i < n; i++)
        floats[i] = as_output(w->graph->outputs.data[i]->value, out[i], a);
    return verify_compare(w->verify, (size_t)k, floats);
}

static int walk_samples(struct quantize_job *j, struct samples *samples, size_t count, bool keep)
{
    struct cmd *cmd = j->cmd;
    struct model *m = j->pipeline.m;
    struct exec *x = exec_new(m, &(struct exec_options){.engine = j->pipeline.engine});
    if (!x)
        return -E_INTERNAL; /* reported */
    size_t threads = (size_t)cmd->ctx->threads;
    struct walk w = {m->graph,       samples,   mem_alloc((threads + 1) * sizeof *w.arenas),
                     exec_inputs(x), j->verify, keep};
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
