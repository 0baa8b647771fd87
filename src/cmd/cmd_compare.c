/* npuprep compare A B --data D: how far B's answers are from A's, per output and per layer.
 *
 * Each sample runs through A, whose values are kept, then through B, whose values are measured as
 * they appear. With --teacher B's value is then replaced by A's, so that each operator of B is
 * measured on A's inputs. Figures are summed per sample and joined in the order of the samples: the
 * same for any number of threads.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/compare.h"
#include "cmd/options_model.h"
#include "cmd/options_samples.h"
#include "report/table.h"

static const struct opt ROWS[] = {
    {OPT_AT(struct compare_options, engine_a), .name = "engine-a", .kind = OPT_CHOICE,
     .choices = "onednn|reference", .help = "what runs the first model"},
    {OPT_AT(struct compare_options, engine_b), .name = "engine-b", .kind = OPT_CHOICE,
     .choices = "onednn|reference", .help = "what runs the second model"},
    {OPT_AT(struct compare_options, layers), .name = "layers",
     .help = "also every intermediate tensor that has the same name on both sides"},
    {OPT_AT(struct compare_options, teacher), .name = "teacher",
     .help = "give each operator of the second model the first one's inputs; implies --layers"},
    {OPT_AT(struct compare_options, min_sqnr), .name = "min-sqnr", .kind = OPT_NUMBER,
     .value = "DB", .initial = "-1e308", .help = "fail (exit 1) when an output's SQNR is lower"},
    {OPT_AT(struct compare_options, max_abs), .name = "max-abs", .kind = OPT_NUMBER, .value = "X",
     .initial = "1e308", .help = "fail when an element of an output differs by more"},
    {OPT_AT(struct compare_options, min_top1), .name = "min-top1", .kind = OPT_NUMBER,
     .value = "PCT", .initial = "-1", .help = "fail when fewer rows have the same largest element"},
    {OPT_AT(struct compare_options, show), .name = "show", .kind = OPT_INT, .value = "N",
     .initial = "0", .low = 0, .high = 1e9,
     .help = "show both sides' answers to the first N samples: the largest element of each output"},
    {0}};
static const struct opt_group GROUP = {"Options", ROWS, sizeof(struct compare_options)};
static const struct opt_group *const GROUPS[] = {&GROUP, &MODEL_OPTIONS, &SAMPLE_OPTIONS, NULL};

static bool gates_hold(const struct compare *c, const struct metrics *m)
{
    double top1 = metrics_top1(m);
    return !(metrics_sqnr_db(m) < c->o->min_sqnr) && !(m->max_abs > c->o->max_abs) &&
           !(!isnan(top1) && 100 * top1 < c->o->min_top1);
}

static void join(struct compare *c)
{
    c->passed = true;
    for (size_t i = 0; i < c->pairs.count; i++) {
        struct pair *p = &c->pairs.data[i];
        for (size_t k = 0; k < c->n; k++)
            metrics_join(&p->total, &p->samples[k]);
        if (p->output)
            c->passed &= gates_hold(c, &p->total);
        bool earlier = !c->first_difference || (c->first_difference->output && !p->output);
        if (p->total.max_abs > 0 && earlier) /* layers stand behind the outputs in the list */
            c->first_difference = p;
    }
}

/* ---- the result ---- */

static void print_row(struct table *t, const struct pair *p)
{
    double top1 = metrics_top1(&p->total);
    table_cell(t, "%s", p->name);
    table_cell(t, "%.2f", metrics_sqnr_db(&p->total));
    table_cell(t, "%.6f", metrics_cosine(&p->total));
    table_cell(t, "%.6g", p->total.max_abs);
    if (isnan(top1))
        table_cell(t, "%s", "");
    else
        table_cell(t, "%.2f", 100 * top1);
}

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    const struct compare *c = result;
    (void)cmd;
    print_answers(c, out);
    for (int outputs = 1; outputs >= 0; outputs--) {
        if (!outputs && !c->o->layers && !c->o->teacher)
            break;
        struct table *t = table_new(outputs ? "output|>SQNR dB|>cosine|>max abs|>top-1 %"
                                            : "layer|>SQNR dB|>cosine|>max abs|>top-1 %");
        for (size_t i = 0; i < c->pairs.count; i++)
            if (c->pairs.data[i].output == (outputs != 0) && c->pairs.data[i].total.elements)
                print_row(t, &c->pairs.data[i]);
        table_print(t, out);
    }
    if (!c->first_difference)
        cmd_print(out, "no difference\n");
    else if (c->o->layers)
        cmd_print(out, "first difference: %s\n", c->first_difference->name);
    if (!c->passed)
        cmd_print(out, "a limit is not met\n");
}

static void print_pair(const struct pair *p, struct json_writer *w)
{
    double top1 = metrics_top1(&p->total);
    jw_object(w);
    jw_key_string(w, "name", p->name);
    jw_key_f64(w, "sqnr_db", metrics_sqnr_db(&p->total));
    jw_key_f64(w, "cosine", metrics_cosine(&p->total));
    jw_key_f64(w, "max_abs", p->total.max_abs);
    jw_key(w, "top1_agreement");
    if (isnan(top1))
        jw_null(w);
    else
        jw_f64(w, 100 * top1);
    jw_end(w);
}

static void print_json(const void *result, struct json_writer *w)
{
    const struct compare *c = result;
    for (int outputs = 1; outputs >= 0; outputs--) {
        jw_key(w, outputs ? "outputs" : "layers"), jw_array(w);
        for (size_t i = 0; i < c->pairs.count; i++)
            if (c->pairs.data[i].output == (outputs != 0) && c->pairs.data[i].total.elements)
                print_pair(&c->pairs.data[i], w);
        jw_end(w);
    }
    print_answers_json(c, w);
    jw_key(w, "first_difference");
    jw_string(w, c->first_difference ? c->first_difference->name : NULL);
}

static int open_all(struct compare *c)
{
    struct cmd *cmd = c->cmd;
    struct samples_options samples;
    bool layers = c->o->layers || c->o->teacher;
    int code = sample_options_get(cmd, &samples);
    cmd_phase(cmd, "load");
    if (!code)
        code = side_open(&c->a, cmd, cmd->args[0], layers);
    if (!code)
        code = side_open(&c->b, cmd, cmd->args[1], layers);
    bool runs = !c->a.saved || !c->b.saved;
    if (!code && runs && !samples.n_paths)
        code = cmd_need_data(cmd);
    if (!code && runs)
        code = samples_open(&c->samples, c->a.saved ? c->b.m : c->a.m, &samples, cmd->ctx);
    c->n = c->samples ? samples_count(c->samples) : 1;
    return code ? code : compare_pairs(c);
}

static void release(struct compare *c)
{
    for (int i = 0; c->kept && i < c->cmd->ctx->threads; i++)
        arena_free(c->kept[i].sample);
    vec_free(&c->pairs);
    map_release(&c->pair_of_a);
    map_release(&c->pair_of_b);
    samples_close(c->samples);
    side_close(&c->a);
    side_close(&c->b);
}

static int run(struct cmd *cmd)
{
    struct compare c = {.cmd = cmd, .o = cmd_options(cmd, &GROUP)};
    int code = open_all(&c);
    if (!code)
        code = c.samples ? compare_run(&c) : compare_saved(&c);
    if (!code) {
        join(&c);
        cmd_result(cmd, print_text, print_json, &c);
        code = c.passed ? 0 : EXIT_GATE;
    }
    release(&c);
    return code;
}

static const struct cmd_example EXAMPLES[] = {
    {"compare model.onnx quantized.onnx --data eval/ --layers", "where a quantized model loses"},
    {"compare model.onnx out.npz --data in.npz --max-abs 1e-4", "a model against saved results"},
    {0}};

const struct command CMD_COMPARE = {
    .name = "compare",
    .summary = "run two models on the same samples and measure the difference",
    .arguments = "A.onnx|A.npz B.onnx|B.npz",
    .description =
        "Per output: signal to quantization noise ratio in dB (A is the signal), cosine, largest "
        "absolute difference, and how many rows along the last axis have the same largest element. "
        "Either side may be an .npz that run has saved.\n\n"
        "Without a limit the exit status is 0 however large the difference is.",
    .min_args = 2,
    .max_args = 2,
    .groups = GROUPS,
    .examples = EXAMPLES,
    .run = run,
};
