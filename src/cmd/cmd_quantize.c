/* npuprep quantize MODEL --data D -o OUT: a float model becomes an integer one.
 *
 * read -> rewrite -> plan -> calibrate -> choose -> write float graph and encodings -> insert
 * QuantizeLinear / DequantizeLinear -> verify -> write. One pass over the data; the float outputs
 * of the samples that are verified are all that is kept of it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "calib/range.h"
#include "cmd/options_model.h"
#include "cmd/options_samples.h"
#include "cmd/pipeline.h"
#include "cmd/quantize_out.h"
#include "encodings/encodings.h"
#include "ir/edit.h"
#include "onnx/save.h"
#include "report/verify.h"

enum { VERIFY_SAMPLES = 8 }; /* of the calibration samples */

struct quantize_options {
    const char *target, *precision, *method, *algo, *stats, *encodings_version;
    struct opt_list keep_float, eval_data;
    int engine, io, external_data, verify;
    int64_t opset;
    double min_sqnr, min_top1;
};

static const struct opt ROWS[] = {
    {OPT_AT(struct quantize_options, target), .name = "target", .kind = OPT_TEXT, .value = "T",
     .initial = "int8", .help = "NPU to quantize for ('npuprep list targets'), or a profile.json"},
    {OPT_AT(struct quantize_options, precision), .name = "precision", .kind = OPT_TEXT,
     .value = "wNaM", .initial = "w8a8", .help = "bits of weights and activations"},
    {OPT_AT(struct quantize_options, method), .name = "method", .kind = OPT_TEXT, .value = "M",
     .initial = "minmax",
     .help = "ranges of activations: minmax, moving-average[:C], percentile[:P], mse, entropy"},
    {OPT_AT(struct quantize_options, algo), .name = "algo", .kind = OPT_TEXT, .value = "LIST",
     .initial = "auto",
     .help = "what improves the result after ranges are chosen: auto, none, or bias-correction"},
    {OPT_AT(struct quantize_options, stats), .name = "stats", .kind = OPT_TEXT, .value = "FILE",
     .complete = COMPLETE_FILE, .help = "statistics of npuprep calibrate instead of --data"},
    {OPT_AT(struct quantize_options, keep_float), .name = "keep-float", .kind = OPT_LIST,
     .value = "GLOB", .help = "nodes that stay float; repeatable"},
    {OPT_AT(struct quantize_options, io), .name = "io", .kind = OPT_CHOICE,
     .choices = "float|quantized", .help = "element type of the model's inputs and outputs"},
    {OPT_AT(struct quantize_options, encodings_version), .name = "encodings-version",
     .kind = OPT_TEXT, .value = "V", .initial = "1.0.0", .help = "0.6.1 or 1.0.0"},
    {OPT_AT(struct quantize_options, verify), .name = "verify", .kind = OPT_CHOICE,
     .choices = "end|none", .help = "run the quantized model on samples, next to the float one"},
    {OPT_AT(struct quantize_options, eval_data), .name = "eval-data", .kind = OPT_LIST,
     .value = "PATH", .complete = COMPLETE_FILE,
     .help = "verify on these samples instead of up to eight of --data; repeatable"},
    {OPT_AT(struct quantize_options, min_sqnr), .name = "min-sqnr", .kind = OPT_NUMBER,
     .value = "DB", .initial = "0", .low = 0, .high = 200,
     .help = "exit 1 when an output's SQNR is below; 0: no gate"},
    {OPT_AT(struct quantize_options, min_top1), .name = "min-top1", .kind = OPT_NUMBER,
     .value = "PCT", .initial = "0", .low = 0, .high = 100,
     .help = "exit 1 when an output's top-1 agreement is below; 0: no gate"},
    {OPT_AT(struct quantize_options, engine), .name = "engine", .kind = OPT_CHOICE,
     .choices = "onednn|reference",
     .help = "how floats are computed: reference gives the same files on every machine"},
    {OPT_AT(struct quantize_options, opset), .name = "opset", .kind = OPT_INT, .value = "N",
     .initial = "0", .low = 0, .high = 25, .help = "lowest opset of the result; 0: the target's"},
    {OPT_AT(struct quantize_options, external_data), .name = "external-data", .kind = OPT_CHOICE,
     .choices = "auto|never|always", .help = "weights in a file of their own"},
    {0}};
static const struct opt_group GROUP = {"Options", ROWS, sizeof(struct quantize_options)};
static const struct opt_group *const GROUPS[] = {&GROUP, &MODEL_OPTIONS, &SAMPLE_OPTIONS, NULL};

struct job {
    struct cmd *cmd;
    const struct quantize_options *o;
    struct target *target;
    int weight_bits, activation_bits;
    struct range_method method;
    bool correct_bias;
    const struct encodings_format *encodings;
    struct pipeline pipeline;
    struct quant_plan *plan;
    VEC(const struct value *) excluded; /* never seen, or not finite, on the samples */
    struct stats *stats;
    struct samples *eval; /* --eval-data */
    struct verify *verify;
    struct quantize_out *out;
    struct quantize_report report;
};

/* ---- options ---- */

static int parse_precision(struct job *j)
{
    int end = 0;
    const char *text = j->o->precision;
    if (sscanf(text, "w%2da%2d%n", &j->weight_bits, &j->activation_bits, &end) == 2 && !text[end])
        return 0;
    return diag_report(j->cmd->ctx->diag, E_OPTION_VALUE, NULL,
                       "--precision: '%s' given, expected wNaM such as w8a8", text);
}

static int parse_algo(struct job *j)
{
    j->correct_bias = strcmp(j->o->algo, "none") != 0;
    if (!j->correct_bias || strcmp(j->o->algo, "auto") == 0 ||
        strcmp(j->o->algo, "bias-correction") == 0)
        return 0;
    return diag_report(j->cmd->ctx->diag, E_OPTION_VALUE, NULL,
                       "--algo: '%s' given, expected auto, none or bias-correction", j->o->algo);
}

static int read_options(struct job *j)
{
    struct diag *diag = j->cmd->ctx->diag;
    int code = parse_precision(j);
    if (!code)
        code = parse_algo(j);
    if (!code)
        code = range_method_parse(&j->method, j->o->method, diag);
    j->encodings = code ? NULL : encodings_find(j->o->encodings_version, diag);
    if (!code && !j->encodings)
        code = -E_ENCODINGS_VERSION;
    if (!code)
        code = target_load(&j->target, j->o->target, j->cmd->ctx);
    if (!code && j->o->stats)
        code = cmd_input(j->cmd, j->o->stats);
    for (size_t i = 0; !code && i < j->o->eval_data.count; i++)
        code = cmd_input(j->cmd, j->o->eval_data.items[i]);
    return code;
}

static int make_plan(struct job *j)
{
    struct quant_settings s = {
        .target = j->target,
        .weight_bits = j->weight_bits,
        .activation_bits = j->activation_bits,
        .keep_float = j->o->keep_float.items,
        .n_keep_float = j->o->keep_float.count,
        .excluded = j->excluded.data,
        .n_excluded = j->excluded.count,
        .make_biases = j->correct_bias,
    };
    quant_plan_free(j->plan);
    j->plan = NULL;
    return quant_plan_new(&j->plan, j->pipeline.m, &s);
}

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

static int walk_samples(struct job *j, struct samples *samples, size_t count, bool keep)
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

/* ---- ranges ---- */

static int keep_outputs(void *user, size_t k, const struct tensor *const *out)
{
    struct job *j = user;
    return k < (size_t)j->report.eval_samples ? verify_keep(j->verify, k, out) : 0;
}

static int load_stats(struct job *j)
{
    struct cmd *cmd = j->cmd;
    struct stats *mine = stats_new();
    int code = stats_load(&j->stats, j->o->stats, cmd->ctx);
    if (!code)
        code = pipeline_identify(&j->pipeline, mine);
    if (!code && strcmp(mine->model, j->stats->model) != 0)
        code = diag_report(cmd->ctx->diag, E_STATS_MODEL, &(struct where){.file = j->o->stats},
                           "the statistics are of a model with SHA-256 %.16s..., this one has "
                           "%.16s...",
                           j->stats->model, mine->model);
    stats_free(mine);
    return code;
}

static int calibrate(struct job *j)
{
    if (j->o->stats)
        return load_stats(j);
    if (!j->pipeline.samples)
        return cmd_need_data(j->cmd);
    bool from_calibration = j->o->verify == 0 && !j->o->eval_data.count;
    struct sample_source source = pipeline_source(j->pipeline.samples);
    size_t n = j->plan->observed.count;
    bool *plain = arena_array(j->cmd->arena, n, sizeof *plain);
    int *axes = arena_array(j->cmd->arena, n, sizeof *axes);
    for (size_t i = 0; i < n; i++) {
        plain[i] = quant_is_bounded(j->plan->observed.data[i]);
        axes[i] = j->correct_bias ? quant_mean_axis(j->plan->observed.data[i]) : -1;
    }
    struct calibrate_options o = {
        .engine = j->pipeline.engine,
        .values = j->plan->observed.data,
        .n_values = n,
        .plain = plain,
        .axes = axes,
        .histograms = range_needs_histograms(&j->method),
        .per_sample = range_needs_per_sample(&j->method),
        .outputs = from_calibration ? keep_outputs : NULL,
        .user = j,
    };
    j->stats = stats_new();
    return calibrate_run(j->stats, j->pipeline.m, &source, &o);
}

/* Observed values without a usable range join the excluded ones. */
static bool exclude_some(struct job *j)
{
    size_t before = j->excluded.count;
    for (size_t i = 0; i < j->plan->observed.count; i++) {
        const struct value *v = j->plan->observed.data[i];
        const struct tensor_stats *t = stats_find(j->stats, v->name);
        if (t && (t->low > t->high || t->nan || t->above || t->below))
            vec_push(&j->excluded, v);
    }
    return j->excluded.count > before;
}

/* Nodes at values that hold NaN or infinities, or that no sample reached, stay float. Without them
 * the plan observes others, so the samples run again; rarely more than once. */
static int calibrate_until_known(struct job *j)
{
    for (;;) {
        int code = calibrate(j);
        if (code || !exclude_some(j))
            return code;
        stats_warn_nonfinite(j->stats, j->cmd->ctx->diag);
        code = make_plan(j);
        if (code)
            return code;
        stats_free(j->stats);
        j->stats = NULL;
    }
}

static bool range_from_stats(void *user, const struct value *v, double *low, double *high)
{
    struct job *j = user;
    const struct target_operand *o = &j->target->activation;
    const struct tensor_stats *t = stats_find(j->stats, v->name);
    struct range_grid g = {((int64_t)1 << j->activation_bits) - 1, o->symmetric};
    struct range_method seen = {RANGE_MINMAX, 0};
    bool cut = range_needs_histograms(&j->method) && !quant_is_bounded(v);
    return t &&
           range_of(j->stats, (size_t)(t - j->stats->tensors.data),
                    cut || range_needs_per_sample(&j->method) ? &j->method : &seen, &g, low, high);
}

static bool means_from_stats(void *user, const struct value *v, int64_t n, double *mean)
{
    const struct job *j = user;
    const struct tensor_stats *t = stats_find(j->stats, v->name);
    return t && tensor_stats_means(t, n, mean);
}

static int choose(struct job *j)
{
    if (!j->stats->samples.count)
        return diag_report(j->cmd->ctx->diag, E_STATS_EMPTY, NULL, "no sample was run");
    if (range_needs_histograms(&j->method) && !j->stats->histograms)
        return diag_report(j->cmd->ctx->diag, E_STATS_LACKING, &(struct where){.file = j->o->stats},
                           "--method %s needs histograms", j->o->method);
    if (range_needs_per_sample(&j->method) && !j->stats->per_sample)
        return diag_report(j->cmd->ctx->diag, E_STATS_LACKING, &(struct where){.file = j->o->stats},
                           "--method %s needs ranges for each sample", j->o->method);
    j->report.samples = (int64_t)j->stats->samples.count;
    int code = quant_choose(j->plan, range_from_stats, j, j->o->method);
    if (!code && j->correct_bias)
        j->report.biases_corrected = quant_correct_biases(j->plan, means_from_stats, j);
    return code;
}

/* ---- verification ---- */

static int open_eval(struct job *j)
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
static int run_float(struct job *j)
{
    if (!j->verify || (!j->eval && !j->o->stats))
        return 0;
    return walk_samples(j, j->eval ? j->eval : j->pipeline.samples, (size_t)j->report.eval_samples,
                        true);
}

static int run_quantized(struct job *j)
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

static int check_gates(const struct job *j)
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

/* ---- writing ---- */

static int write_encodings(struct job *j)
{
    struct outfile *out;
    int code =
        outfile_open(&out, quantize_out_path(j->out, FILE_ENCODINGS), true, j->cmd->ctx->diag);
    if (code)
        return code;
    struct json_writer *w = jw_new_outfile(out, 1);
    j->encodings->write(
        &(struct encodings_source){
            .model = j->pipeline.m,
            .activation_bits = j->activation_bits,
            .weight_bits = j->weight_bits,
            .weight_symmetric = j->target->weight.symmetric,
            .per_channel = j->target->weight.per_channel,
            .method = j->o->method,
        },
        w);
    code = jw_free(w);
    if (!code)
        return outfile_commit(out);
    outfile_abort(out);
    return code;
}

static int save_model(struct job *j, enum quantize_file f)
{
    static const enum external_data EXTERNAL[] = {EXTERNAL_DATA_AUTO, EXTERNAL_DATA_NEVER,
                                                  EXTERNAL_DATA_ALWAYS};
    struct save_options o = {.external = EXTERNAL[j->o->external_data], .force = true};
    return model_save(j->pipeline.m, quantize_out_path(j->out, f), &o);
}

static int write_report(struct job *j, enum quantize_file f,
                        int (*write)(const struct quantize_report *, struct outfile *))
{
    struct outfile *out;
    int code = outfile_open(&out, quantize_out_path(j->out, f), true, j->cmd->ctx->diag);
    if (code)
        return code;
    code = write(&j->report, out);
    if (!code)
        return outfile_commit(out);
    outfile_abort(out);
    return code;
}

/* The float graph and its encodings, then the same graph with Q/DQ nodes. */
static int write_models(struct job *j)
{
    struct model *m = j->pipeline.m;
    cmd_phase(j->cmd, "write");
    int code = save_model(j, FILE_FLOAT);
    if (!code)
        code = write_encodings(j);
    if (code)
        return code;
    cmd_phase(j->cmd, "quantize");
    report_take_plan(&j->report, j->plan);
    code = qdq_write(j->plan,
                     &(struct qdq_options){.opset = j->o->opset, .io_quantized = j->o->io == 1});
    if (code)
        return code;
    model_set_metadata(m, "npuprep.target", j->target->name);
    j->report.nodes_after = model_count_nodes(m);
    cmd_phase(j->cmd, "verify");
    code = run_quantized(j);
    cmd_phase(j->cmd, "write");
    return code ? code : save_model(j, FILE_MODEL);
}

static int write_reports(struct job *j)
{
    j->report.bytes_after = quantize_out_bytes(j->out);
    int code = write_report(j, FILE_REPORT_JSON, report_write_json);
    return code ? code : write_report(j, FILE_REPORT_HTML, report_write_html);
}

/* ---- the result ---- */

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    const struct job *j = result;
    const struct quantize_report *r = &j->report;
    int64_t quantized = 0;
    for (size_t i = 0; i < r->ops_quantized.count; i++)
        quantized += r->ops_quantized.data[i].count;
    (void)cmd;
    cmd_print(out, "%s for %s: %lld nodes quantized, %zu in float\n", r->precision, r->target,
              (long long)quantized, r->ops_float.count);
    cmd_print(out, "%.2f MB -> %.2f MB, ranges by %s over %lld samples\n",
              (double)r->bytes_before / 1e6, (double)r->bytes_after / 1e6, r->method,
              (long long)r->samples);
    for (size_t i = 0; i < r->outputs.count; i++) {
        const struct metrics *m = &r->outputs.data[i].metrics;
        double top1 = metrics_top1(m);
        cmd_print(out, "%s: SQNR %.2f dB, cosine %.5f", r->outputs.data[i].name, metrics_sqnr_db(m),
                  metrics_cosine(m));
        if (!isnan(top1))
            cmd_print(out, ", top-1 agreement %.1f %%", 100 * top1);
        cmd_print(out, " (%lld %s)\n", (long long)r->eval_samples, r->eval_source);
    }
    cmd_print(out, "written to %s\n", quantize_out_place(j->out, FILE_MODEL));
}

static void print_json(const void *result, struct json_writer *w)
{
    const struct job *j = result;
    report_keys(&j->report, w);
    jw_key_string(w, "output", quantize_out_place(j->out, FILE_MODEL));
}

static void release(struct job *j)
{
    verify_free(j->verify);
    samples_close(j->eval);
    stats_free(j->stats);
    report_release(&j->report);
    quant_plan_free(j->plan);
    vec_free(&j->excluded);
    pipeline_close(&j->pipeline);
    target_free(j->target);
}

static int prepare(struct job *j)
{
    int code = read_options(j);
    if (!code)
        code = pipeline_open(&j->pipeline, j->cmd, j->target);
    if (code)
        return code;
    j->report.bytes_before = j->pipeline.bytes;
    j->report.nodes_before = j->pipeline.log.nodes_before;
    code = make_plan(j);
    return code ? code : open_eval(j);
}

static int measure(struct job *j)
{
    cmd_phase(j->cmd, "calibrate");
    int code = calibrate_until_known(j);
    if (!code)
        code = run_float(j);
    return code ? code : choose(j);
}

static int run(struct cmd *cmd)
{
    struct job j = {.cmd = cmd, .o = cmd_options(cmd, &GROUP)};
    j.pipeline.engine = j.o->engine == 0 ? ENGINE_ONEDNN : ENGINE_REFERENCE;
    j.report = (struct quantize_report){.arena = cmd->arena,
                                        .model = path_base(cmd->args[0]),
                                        .target = j.o->target,
                                        .precision = j.o->precision,
                                        .method = j.o->method};
    int code = prepare(&j);
    if (!code)
        code = quantize_out_open(&j.out, cmd);
    if (!code)
        code = measure(&j);
    if (!code)
        code = write_models(&j);
    if (!code)
        code = write_reports(&j);
    if (j.out && code)
        quantize_out_abort(j.out);
    else if (!code)
        code = quantize_out_commit(j.out, &j.report, j.pipeline.path);
    if (!code) {
        cmd_result(cmd, print_text, print_json, &j);
        code = check_gates(&j);
    }
    release(&j);
    return code;
}

static const struct cmd_example EXAMPLES[] = {
    {"quantize model.onnx --data calib/ -o out/", "model, encodings and report in a folder"},
    {"quantize model.onnx --data calib.npz --eval-data eval.npz --min-sqnr 20 -o model.zip",
     "a release bundle, exit 1 when it is too far from the float model"},
    {0}};

const struct command CMD_QUANTIZE = {
    .name = "quantize",
    .summary = "turn a float model into an integer one for an NPU",
    .arguments = "MODEL.onnx",
    .description =
        "Rewrites the model (batch normalization folded, shape arithmetic computed), runs it on "
        "the "
        "samples of --data, chooses scales and zero points for --target, and writes\n\n"
        "OUT/model.onnx with QuantizeLinear and DequantizeLinear nodes, OUT/model.float.onnx, the "
        "rewritten float model, OUT/model.encodings, which names its tensors, and a report as JSON "
        "and as a page. With -o NAME.onnx the files stand beside it under that name; with -o "
        "NAME.zip they go into one archive with a manifest.\n\n"
        "Relu and Clip vanish into the range of their output where that changes nothing.",
    .min_args = 1,
    .max_args = 1,
    .output = OUTPUT_REQUIRED,
    .groups = GROUPS,
    .examples = EXAMPLES,
    .run = run,
};
