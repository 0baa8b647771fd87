/* npuprep quantize MODEL --data D -o OUT: a float model becomes an integer one.
 *
 * read -> rewrite -> plan -> calibrate -> choose -> write float graph and encodings -> insert
 * QuantizeLinear / DequantizeLinear -> verify -> write. The steps: quantize_ranges.c, _verify.c,
 * _write.c.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "cmd/options_model.h"
#include "cmd/options_samples.h"
#include "cmd/quantize_job.h"

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

/* ---- options ---- */

static int parse_precision(struct quantize_job *j)
{
    int end = 0;
    const char *text = j->o->precision;
    if (sscanf(text, "w%2da%2d%n", &j->weight_bits, &j->activation_bits, &end) == 2 && !text[end])
        return 0;
    return diag_report(j->cmd->ctx->diag, E_OPTION_VALUE, NULL,
                       "--precision: '%s' given, expected wNaM such as w8a8", text);
}

static int parse_algo(struct quantize_job *j)
{
    j->correct_bias = strcmp(j->o->algo, "none") != 0;
    if (!j->correct_bias || strcmp(j->o->algo, "auto") == 0 ||
        strcmp(j->o->algo, "bias-correction") == 0)
        return 0;
    return diag_report(j->cmd->ctx->diag, E_OPTION_VALUE, NULL,
                       "--algo: '%s' given, expected auto, none or bias-correction", j->o->algo);
}

static int read_options(struct quantize_job *j)
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

/* ---- the result ---- */

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    const struct quantize_job *j = result;
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
    const struct quantize_job *j = result;
    report_keys(&j->report, w);
    jw_key_string(w, "output", quantize_out_place(j->out, FILE_MODEL));
}

static void release(struct quantize_job *j)
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

static int prepare(struct quantize_job *j)
{
    int code = read_options(j);
    if (!code)
        code = pipeline_open(&j->pipeline, j->cmd, j->target);
    if (code)
        return code;
    j->report.bytes_before = j->pipeline.bytes;
    j->report.nodes_before = j->pipeline.log.nodes_before;
    code = quantize_plan(j);
    return code ? code : quantize_verify_open(j);
}

static int run(struct cmd *cmd)
{
    struct quantize_job j = {.cmd = cmd, .o = cmd_options(cmd, &GROUP)};
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
        code = quantize_measure(&j);
    if (!code)
        code = quantize_write_models(&j);
    if (!code)
        code = quantize_write_reports(&j);
    if (j.out && code)
        quantize_out_abort(j.out);
    else if (!code)
        code = quantize_out_commit(j.out, &j.report, j.pipeline.path);
    if (!code) {
        cmd_result(cmd, print_text, print_json, &j);
        code = quantize_verify_gates(&j);
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
