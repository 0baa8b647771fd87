/* npuprep quantize: the plan, calibration, scales. One pass over the data; the float outputs of the
 * samples that are verified are all that is kept of it. */
#include <string.h>

#include "cmd/options_samples.h"
#include "cmd/quantize_job.h"

int quantize_plan(struct quantize_job *j)
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

static int load_stats(struct quantize_job *j)
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

static int calibrate(struct quantize_job *j)
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
        .outputs = from_calibration ? quantize_verify_keep : NULL,
        .user = j,
    };
    j->stats = stats_new();
    return calibrate_run(j->stats, j->pipeline.m, &source, &o);
}

/* Observed values without a usable range join the excluded ones. */
static bool exclude_some(struct quantize_job *j)
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
static int calibrate_until_known(struct quantize_job *j)
{
    for (;;) {
        int code = calibrate(j);
        if (code || !exclude_some(j))
            return code;
        stats_warn_nonfinite(j->stats, j->cmd->ctx->diag);
        code = quantize_plan(j);
        if (code)
            return code;
        stats_free(j->stats);
        j->stats = NULL;
    }
}

static bool range_from_stats(void *user, const struct value *v, double *low, double *high)
{
    struct quantize_job *j = user;
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
    const struct quantize_job *j = user;
    const struct tensor_stats *t = stats_find(j->stats, v->name);
    return t && tensor_stats_means(t, n, mean);
}

static int choose(struct quantize_job *j)
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

int quantize_measure(struct quantize_job *j)
{
    cmd_phase(j->cmd, "calibrate");
    int code = calibrate_until_known(j);
    if (!code)
        code = quantize_verify_float(j);
    return code ? code : choose(j);
}
