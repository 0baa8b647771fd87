/* npuprep calibrate MODEL --data D -o S.stats: what the activations look like, in a file that merges
 * exactly. Also: calibrate merge S1 S2 ... -o S, calibrate stats S.
 *
 * The same passes run as in quantize, and every float value is observed, so that target and range
 * method are chosen afterwards. While it runs nothing is written but, when interrupted or every half
 * minute, OUT.partial, from which --resume goes on; the result is the same as without a break.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "calib/range.h"
#include "cmd/options_model.h"
#include "cmd/options_samples.h"
#include "cmd/pipeline.h"
#include "quant/quant.h"
#include "report/table.h"

static const double SAVE_SECONDS = 30; /* what a killed run may lose */

struct calibrate_cmd_options {
    const char *shard;
    bool resume, histograms, mixed_isa;
    int engine;
    int64_t expect;
};

static const struct opt ROWS[] = {
    {OPT_AT(struct calibrate_cmd_options, histograms), .name = "histograms",
     .help = "keep histograms and per-sample ranges too, for methods other than minmax"},
    {OPT_AT(struct calibrate_cmd_options, shard), .name = "shard", .kind = OPT_TEXT,
     .value = "I/N|auto",
     .help = "only every Nth sample, from the Ith; auto: from SLURM_ARRAY_TASK_ID and _COUNT or "
             "JOB_COMPLETION_INDEX and JOB_COMPLETIONS"},
    {OPT_AT(struct calibrate_cmd_options, resume), .name = "resume",
     .help = "go on where an interrupted run stopped"},
    {OPT_AT(struct calibrate_cmd_options, engine), .name = "engine", .kind = OPT_CHOICE,
     .choices = "onednn|reference",
     .help = "how floats are computed: reference gives the same bits on every machine"},
    {OPT_AT(struct calibrate_cmd_options, expect), .name = "expect", .kind = OPT_INT, .value = "N",
     .initial = "-1", .low = -1, .high = 1e15,
     .help = "merge: exit 1 unless N samples are in the result"},
    {OPT_AT(struct calibrate_cmd_options, mixed_isa), .name = "mixed-isa",
     .help = "merge: statistics of machines with other instruction sets too"},
    {0}};
static const struct opt_group GROUP = {"Options", ROWS, sizeof(struct calibrate_cmd_options)};
static const struct opt_group *const GROUPS[] = {&GROUP, &MODEL_OPTIONS, &SAMPLE_OPTIONS, NULL};

/* ---- the result ---- */

static void print_summary(struct cmd *cmd, const void *result, FILE *out)
{
    const struct stats *s = result;
    cmd_print(out, "%zu samples, %zu tensors", s->samples.count, s->tensors.count);
    if (cmd->common->output)
        cmd_print(out, ", saved to %s", cmd->common->output);
    cmd_print(out, "\n");
}

static void print_table(struct cmd *cmd, const void *result, FILE *out)
{
    const struct stats *s = result;
    struct table *t = table_new("tensor|>elements|>min|>max|>NaN|>inf");
    (void)cmd;
    for (size_t i = 0; i < s->tensors.count; i++) {
        const struct tensor_stats *x = &s->tensors.data[i];
        table_cell(t, "%s", x->name);
        table_int(t, (int64_t)x->finite);
        table_cell(t, "%g", (double)x->low);
        table_cell(t, "%g", (double)x->high);
        table_int(t, (int64_t)x->nan);
        table_int(t, (int64_t)(x->above + x->below));
    }
    table_print(t, out);
    cmd_print(out, "%zu samples, model %.16s, %s, %s\n", s->samples.count, s->model, s->isa,
              s->histograms ? "with histograms" : "without histograms");
}

static void print_json(const void *result, struct json_writer *w)
{
    const struct stats *s = result;
    jw_key_uint(w, "samples", s->samples.count);
    jw_key_uint(w, "tensors", s->tensors.count);
    jw_key_string(w, "model", s->model);
    jw_key_string(w, "isa", s->isa);
    jw_key_bool(w, "histograms", s->histograms);
    jw_key(w, "ranges"), jw_array(w);
    for (size_t i = 0; i < s->tensors.count; i++) {
        const struct tensor_stats *t = &s->tensors.data[i];
        jw_object(w);
        jw_key_string(w, "name", t->name);
        jw_key_uint(w, "elements", t->finite);
        jw_key_f32(w, "min", t->low);
        jw_key_f32(w, "max", t->high);
        jw_key_uint(w, "nan", t->nan);
        jw_key_uint(w, "inf", t->above + t->below);
        jw_end(w);
    }
    jw_end(w);
}

/* ---- merge, stats ---- */

static int run_stats(struct cmd *cmd)
{
    struct stats *s;
    int code = cmd_input(cmd, cmd->args[1]);
    if (!code)
        code = stats_load(&s, cmd->args[1], cmd->ctx);
    if (code)
        return code;
    cmd_result(cmd, print_table, print_json, s);
    stats_free(s);
    return 0;
}

static int merge_one(struct cmd *cmd, struct stats **into, const char *path, bool mixed_isa)
{
    struct stats *s;
    int code = cmd_input(cmd, path);
    if (!code)
        code = stats_load(&s, path, cmd->ctx);
    if (code)
        return code;
    if (!*into) {
        *into = s;
        return 0;
    }
    code = stats_merge(*into, s, mixed_isa, path, cmd->ctx->diag);
    stats_free(s);
    return code;
}

static int run_merge(struct cmd *cmd, const struct calibrate_cmd_options *o)
{
    struct stats *all = NULL;
    int code = 0;
    if (!cmd->common->output)
        return diag_report(cmd->ctx->diag, E_USAGE, NULL, "merge needs -o S.stats");
    for (size_t i = 1; !code && i < cmd->n_args; i++)
        code = merge_one(cmd, &all, cmd->args[i], o->mixed_isa);
    if (!code)
        code = stats_save(all, cmd->common->output, cmd->common->force, cmd->ctx->diag);
    if (!code) {
        cmd_result(cmd, print_summary, print_json, all);
        if (o->expect >= 0 && (uint64_t)o->expect != all->samples.count)
            code =
                diag_report(cmd->ctx->diag, E_STATS_EXPECT, NULL, "%zu samples, %lld were expected",
                            all->samples.count, (long long)o->expect);
    }
    stats_free(all);
    return code == -E_STATS_EXPECT ? EXIT_GATE : code;
}

/* ---- shards ---- */

static bool environment_number(const char *name, int64_t *value)
{
    const char *text = getenv(name);
    return text && text_int(text, value);
}

/* Slurm counts from what --array says, usually 0 or 1; Kubernetes from 0. */
static int shard_from_environment(struct cmd *cmd, int64_t *shard, int64_t *shards)
{
    int64_t first = 0, index = 0;
    if (environment_number("SLURM_ARRAY_TASK_ID", &index) &&
        environment_number("SLURM_ARRAY_TASK_COUNT", shards)) {
        if (!environment_number("SLURM_ARRAY_TASK_MIN", &first))
            first = 0;
        *shard = index - first + 1;
        return 0;
    }
    if (environment_number("JOB_COMPLETION_INDEX", &index) &&
        environment_number("JOB_COMPLETIONS", shards)) {
        *shard = index + 1;
        return 0;
    }
    return diag_report(cmd->ctx->diag, E_OPTION_VALUE, NULL,
                       "--shard auto: neither SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT nor "
                       "JOB_COMPLETION_INDEX and JOB_COMPLETIONS are set");
}

static int read_shard(struct cmd *cmd, const char *text, struct calibrate_options *o)
{
    if (!text)
        return 0;
    char *copy = arena_string(cmd->arena, text), *slash = strchr(copy, '/');
    int code = 0;
    bool ok = true;
    if (strcmp(text, "auto") == 0) {
        code = shard_from_environment(cmd, &o->shard, &o->shards);
    } else {
        if (slash)
            *slash = '\0';
        ok = slash && text_int(copy, &o->shard) && text_int(slash + 1, &o->shards);
    }
    if (!code && (!ok || o->shard < 1 || o->shard > o->shards))
        code = diag_report(cmd->ctx->diag, E_OPTION_VALUE, NULL,
                           "--shard: '%s' given, expected I/N with I from 1 to N, or auto", text);
    return code;
}

/* ---- calibrating ---- */

struct job {
    struct cmd *cmd;
    struct pipeline pipeline;
    struct calibrate_options o;
    struct stats *stats;
    const char *partial; /* where an interrupted run is kept */
};

static int save_partial(void *user, struct stats *s)
{
    const struct job *j = user;
    return stats_save(s, j->partial, true, j->cmd->ctx->diag);
}

/* What a run that was broken off has done already; only of the very same run. */
static int resume(struct job *j)
{
    struct stats *was;
    if (access(j->partial, F_OK) != 0)
        return 0;
    int code = stats_load(&was, j->partial, j->cmd->ctx);
    if (code)
        return code;
    if (strcmp(was->model, j->stats->model) != 0 || strcmp(was->recipe, j->stats->recipe) != 0 ||
        strcmp(was->isa, j->stats->isa) != 0) {
        stats_free(was);
        return diag_report(j->cmd->ctx->diag, E_STATS_MISMATCH, &(struct where){.file = j->partial},
                           "it is of another model, other options or another instruction set");
    }
    stats_free(j->stats);
    j->stats = was;
    return 0;
}

static int prepare(struct job *j, const struct calibrate_cmd_options *o)
{
    struct cmd *cmd = j->cmd;
    if (!cmd->common->output)
        return diag_report(cmd->ctx->diag, E_USAGE, NULL, "calibrate needs -o S.stats");
    int code = read_shard(cmd, o->shard, &j->o);
    if (!code)
        code = pipeline_open(&j->pipeline, cmd, NULL);
    if (!code && !j->pipeline.samples)
        code = cmd_need_data(cmd);
    if (!code)
        code = pipeline_identify(&j->pipeline, j->stats);
    if (code)
        return code;
    j->partial = arena_printf(cmd->arena, "%s.partial", cmd->common->output);
    j->o.engine = j->pipeline.engine;
    j->o.n_values = pipeline_observable(&j->pipeline, &j->o.values);
    int *axes = arena_array(cmd->arena, j->o.n_values, sizeof *axes);
    for (size_t i = 0; i < j->o.n_values; i++)
        axes[i] = quant_mean_axis(j->o.values[i]);
    j->o.axes = axes;
    j->o.histograms = j->o.per_sample = o->histograms;
    j->o.checkpoint = save_partial, j->o.checkpoint_seconds = SAVE_SECONDS, j->o.user = j;
    return o->resume ? resume(j) : 0;
}

static int measure(struct job *j)
{
    struct cmd *cmd = j->cmd;
    struct sample_source source = pipeline_source(j->pipeline.samples);
    cmd_phase(cmd, "calibrate");
    int code = calibrate_run(j->stats, j->pipeline.m, &source, &j->o);
    if (code == -E_INTERRUPTED && j->stats->samples.count)
        (void)save_partial(j, j->stats); /* the interrupt is what is reported */
    if (code)
        return code;
    stats_warn_nonfinite(j->stats, cmd->ctx->diag);
    cmd_phase(cmd, "write");
    code = stats_save(j->stats, cmd->common->output, cmd->common->force, cmd->ctx->diag);
    if (!code)
        unlink(j->partial);
    return code;
}

static int run_calibrate(struct cmd *cmd, const struct calibrate_cmd_options *o)
{
    struct job j = {.cmd = cmd, .stats = stats_new()};
    j.pipeline.engine = o->engine == 0 ? ENGINE_ONEDNN : ENGINE_REFERENCE;
    int code = prepare(&j, o);
    if (!code)
        code = measure(&j);
    if (!code)
        cmd_result(cmd, print_summary, print_json, j.stats);
    stats_free(j.stats);
    pipeline_close(&j.pipeline);
    return code;
}

static int run(struct cmd *cmd)
{
    const struct calibrate_cmd_options *o = cmd_options(cmd, &GROUP);
    bool many = cmd->n_args > 1;
    if (many && strcmp(cmd->args[0], "merge") == 0)
        return run_merge(cmd, o);
    if (cmd->n_args == 2 && strcmp(cmd->args[0], "stats") == 0)
        return run_stats(cmd);
    if (many)
        return diag_report(cmd->ctx->diag, E_ARGUMENTS, NULL,
                           "'%s' is given, one model, 'merge' or 'stats' is expected first",
                           cmd->args[0]);
    return run_calibrate(cmd, o);
}

static const struct cmd_example EXAMPLES[] = {
    {"calibrate model.onnx --data calib/ -o s.stats", "statistics for quantize --stats"},
    {"calibrate model.onnx --data calib/ --shard 1/4 -o s1.stats", "a quarter of the samples"},
    {"calibrate merge s1.stats s2.stats s3.stats s4.stats -o s.stats --expect 512",
     "all of them together"},
    {0}};

const struct command CMD_CALIBRATE = {
    .name = "calibrate",
    .summary = "record what a model's activations look like",
    .arguments = "MODEL.onnx | merge S.stats... | stats S.stats",
    .description =
        "Runs the float model, rewritten as quantize does, on the samples of --data and keeps "
        "minimum, maximum and counts of every activation; with --histograms also a histogram and "
        "the range in each sample.\n\n"
        "Statistics of shards merge exactly: any sharding, any order and any number of threads "
        "give "
        "the same bytes. Target and range method are chosen afterwards, by quantize --stats.\n\n"
        "'npuprep merge' and 'npuprep stats' stand for 'npuprep calibrate merge' and "
        "'npuprep calibrate stats'.",
    .aliases = "merge|stats",
    .min_args = 1,
    .max_args = -1,
    .output = OUTPUT_OPTIONAL,
    .groups = GROUPS,
    .examples = EXAMPLES,
    .run = run,
};
