/* See opt_verify.h. Three runs of each sample: the original, the result, and the original in double
 * as the truth (rewrite/retype.h). The last is for reassociating passes only, and whatever it
 * cannot do is passed over in silence: the bound is tighter then. */
#include "cmd/opt_verify.h"

#include <math.h>
#include <string.h>

#include "base/num.h"
#include "cmd/options_model.h"
#include "cmd/options_samples.h"
#include "exec/exec.h"
#include "onnx/load.h"
#include "report/table.h"
#include "rewrite/retype.h"

enum { FREE_SIZE = 4 };

struct runner {
    struct model *m; /* owned unless `borrowed` */
    struct exec *x;
    bool borrowed;
};

struct verify_job {
    struct cmd *cmd;
    struct runner before, after, truth;
    struct ctx quiet; /* the truth's: its reports are nobody's */
    struct samples *samples;
    struct arena *arena; /* of one sample */
    struct opt_verdict *v;
};

static int open_exec(struct runner *r)
{
    r->x = exec_new(r->m, &(struct exec_options){.engine = ENGINE_REFERENCE});
    return r->x ? 0 : -E_NO_EVAL;
}

/* ---- the original ---- */

/* Random samples need every size. */
static void fix_dims(struct model *m)
{
    for (size_t i = 0; i < m->graph->inputs.count; i++) {
        struct value *v = m->graph->inputs.data[i];
        dim_t dims[TENSOR_MAX_RANK];
        struct type t = v->type;
        for (int k = 0; k < t.rank; k++)
            dims[k] = dim_is_const(t.dims[k], NULL) ? t.dims[k] : dim_const(m->dims, FREE_SIZE);
        t.dims = dims;
        if (t.kind == TYPE_TENSOR && t.rank > 0)
            value_set_type(v, &t);
    }
}

static int open_original(struct cmd *cmd, struct ctx *ctx, const char *path, bool random,
                         struct model **out)
{
    struct infer_options infer = {0};
    struct model *m = *out = model_load(ctx, path);
    if (!m)
        return -E_NO_INPUT;
    ops_resolve(m);
    int code = model_options_apply(cmd, m, &infer);
    if (!code)
        code = model_infer(m, &infer, NULL);
    if (code || !random)
        return code;
    fix_dims(m);
    return model_infer(m, &infer, NULL);
}

/* The original with float as double; nothing where that does not work. */
static void open_truth(struct verify_job *j, const char *path, bool random)
{
    struct retype r = {DT_FLOAT, DT_DOUBLE, false};
    j->quiet = *j->cmd->ctx;
    j->quiet.diag = diag_new(NULL, NULL);
    if (open_original(j->cmd, &j->quiet, path, random, &j->truth.m) ||
        retype_problem(j->truth.m, &r))
        return;
    model_retype(j->truth.m, &r);
    ops_resolve(j->truth.m);
    if (model_sort(j->truth.m) >= 0 && model_infer(j->truth.m, NULL, NULL) >= 0)
        j->truth.x = exec_new(j->truth.m, &(struct exec_options){.engine = ENGINE_REFERENCE});
}

/* ---- samples ---- */

static int open_samples(struct verify_job *j, int64_t n, bool *random)
{
    struct samples_options o;
    int code = sample_options_get(j->cmd, &o);
    if (code)
        return code;
    const char *made = arena_printf(j->cmd->arena, "random:%lld", (long long)n);
    *random = o.n_paths == 0;
    if (*random) {
        o.paths = arena_copy(j->cmd->arena, &made, sizeof made);
        o.n_paths = 1;
    } else if (o.limit < 0 || o.limit > n) {
        o.limit = n;
    }
    j->v->source = *random ? "random" : "data";
    return samples_open(&j->samples, j->before.m, &o, j->cmd->ctx);
}

static const struct tensor *widened(struct arena *a, const struct tensor *t)
{
    struct tensor *d = tensor_new(a, DT_DOUBLE, t->rank, t->dims);
    for (int64_t i = 0; i < t->count; i++)
        num_set(tensor_writable(d), DT_DOUBLE, i, num_get(t->data, DT_FLOAT, i));
    return d;
}

/* The sample's tensor for an input of r, by name: NULL where the model has a default. */
static const struct tensor *input_of(const struct verify_job *j, const struct runner *r, size_t i,
                                     const struct tensor *const *sample)
{
    const struct value *v = r->m->graph->inputs.data[i];
    for (uint32_t k = 0; k < samples_n_inputs(j->samples); k++)
        if (!strcmp(samples_input(j->samples, k)->name, v->name)) {
            bool wide = sample[k] && sample[k]->dtype == DT_FLOAT && v->type.dtype == DT_DOUBLE;
            return wide ? widened(j->arena, sample[k]) : sample[k];
        }
    return NULL;
}

static const struct tensor **run_one(struct verify_job *j, struct runner *r,
                                     const struct tensor *const *sample)
{
    size_t n = exec_inputs(r->x);
    const struct tensor **in = arena_array(j->arena, n + 1, sizeof *in);
    const struct tensor **out = arena_array(j->arena, exec_outputs(r->x) + 1, sizeof *out);
    for (size_t i = 0; i < n; i++)
        in[i] = input_of(j, r, i, sample);
    return exec_run(r->x, in, out) ? NULL : out;
}

/* ---- all samples ---- */

static int run_sample(struct verify_job *j, size_t k)
{
    const struct tensor **sample;
    arena_reset(j->arena);
    int code = samples_get(j->samples, k, j->arena, &sample);
    if (code)
        return code == SAMPLE_SKIPPED ? 0 : code;
    const struct tensor **a = run_one(j, &j->before, sample);
    const struct tensor **b = a ? run_one(j, &j->after, sample) : NULL;
    const struct tensor **t = b && j->truth.x ? run_one(j, &j->truth, sample) : NULL;
    if (!b)
        return -E_NO_EVAL;
    for (size_t i = 0; i < j->v->n_outputs; i++)
        verdict_add(&j->v->outputs[i], j->v->class, a[i], b[i], t ? t[i] : NULL);
    j->v->samples++;
    return 0;
}

static void report_outputs(const struct verify_job *j)
{
    for (size_t i = 0; i < j->v->n_outputs; i++) {
        const struct verified_output *o = &j->v->outputs[i];
        j->v->passed &= o->passed;
        if (!o->passed)
            diag_report(j->cmd->ctx->diag, E_PASS_DIFFERS, &(struct where){.tensor = o->name},
                        "off by %g, %s", o->error,
                        j->v->class == PASS_EXACT
                            ? "the passes keep every bit"
                            : arena_printf(j->cmd->arena, "allowed are %g", o->allowed));
    }
}

static enum pass_class loosest(const struct pass_log *log)
{
    enum pass_class c = PASS_EXACT;
    for (size_t i = 0; i < log->results.count; i++)
        if (log->results.data[i].rewrites && log->results.data[i].pass->class > c)
            c = log->results.data[i].pass->class;
    return c;
}

static int run_all(struct verify_job *j)
{
    const struct graph *g = j->before.m->graph;
    struct opt_verdict *v = j->v;
    v->n_outputs = g->outputs.count;
    v->outputs = arena_array(j->cmd->arena, v->n_outputs + 1, sizeof *v->outputs);
    for (size_t i = 0; i < v->n_outputs; i++)
        verdict_begin(&v->outputs[i], arena_string(j->cmd->arena, g->outputs.data[i]->value->name));
    int code = open_exec(&j->before);
    if (!code)
        code = open_exec(&j->after);
    for (size_t k = 0; !code && k < samples_count(j->samples); k++)
        code = run_sample(j, k);
    return code;
}

static void close_runner(struct runner *r)
{
    exec_free(r->x);
    if (!r->borrowed)
        model_free(r->m);
}

int opt_verify(struct cmd *cmd, const char *path, struct model *m, const struct pass_log *log,
               int64_t samples, struct opt_verdict *verdict)
{
    struct verify_job j = {.cmd = cmd, .v = verdict, .arena = arena_new()};
    bool random = false;
    *verdict = (struct opt_verdict){.class = loosest(log), .passed = true};
    j.after = (struct runner){m, NULL, true};
    ops_resolve(m);
    struct samples_options o;
    int code = sample_options_get(cmd, &o);
    if (!code)
        code = open_original(cmd, cmd->ctx, path, o.n_paths == 0, &j.before.m);
    if (!code)
        code = open_samples(&j, samples, &random);
    if (!code && verdict->class == PASS_REASSOC)
        open_truth(&j, path, random);
    if (!code && (code = model_sort(m)) >= 0)
        code = model_infer(m, NULL, NULL);
    if (!code)
        code = run_all(&j);
    if (!code)
        report_outputs(&j);
    close_runner(&j.before);
    close_runner(&j.after);
    close_runner(&j.truth);
    diag_free(j.quiet.diag);
    samples_close(j.samples);
    arena_free(j.arena);
    return code;
}

/* ---- the result ---- */

static const char *judgement(const struct verified_output *o)
{
    return !o->compared ? "not compared"
           : !o->passed ? "DIFFERS"
           : o->same    ? "same bits"
                        : "within";
}

void opt_verify_text(const struct opt_verdict *v, FILE *out)
{
    struct table *t = table_new("output|>largest difference|>error|>allowed|verdict");
    for (size_t i = 0; i < v->n_outputs; i++) {
        const struct verified_output *o = &v->outputs[i];
        table_cell(t, "%s", o->name);
        table_cell(t, "%.3g", o->max_abs);
        table_cell(t, "%.3g", o->error);
        table_cell(t, "%.3g", o->allowed);
        table_cell(t, "%s", judgement(o));
    }
    table_print(t, out);
    cmd_print(out, "verified on %lld %s samples\n", (long long)v->samples, v->source);
}

void opt_verify_json(const struct opt_verdict *v, struct json_writer *w)
{
    static const char *const NAMES[] = {"exact", "reassoc", "lossy"};
    jw_key(w, "verify");
    jw_object(w);
    jw_key_string(w, "class", NAMES[v->class]);
    jw_key_int(w, "samples", v->samples);
    jw_key_string(w, "source", v->source);
    jw_key_bool(w, "passed", v->passed);
    jw_key(w, "outputs");
    jw_array(w);
    for (size_t i = 0; i < v->n_outputs; i++) {
        const struct verified_output *o = &v->outputs[i];
        jw_object(w);
        jw_key_string(w, "name", o->name);
        jw_key_bool(w, "compared", o->compared);
        jw_key_bool(w, "same", o->same);
        jw_key_f64(w, "max_abs", o->max_abs);
        jw_key_f64(w, "error", o->error);
        jw_key_f64(w, "allowed", o->allowed);
        jw_key_f64(w, "own_error", o->own);
        jw_key_bool(w, "passed", o->passed);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}
