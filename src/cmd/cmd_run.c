/* npuprep run MODEL --data D -o OUT.npz: the model's answers on samples, and how long they take.
 *
 * Samples are read, run and kept one by one, several at a time on several threads. With --repeat or
 * --warmup they are read once before the clock starts, and the clock sees nothing but the model.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/options_model.h"
#include "cmd/options_samples.h"
#include "cmd/outputs.h"
#include "exec/exec.h"
#include "onnx/load.h"
#include "report/table.h"

struct run_options {
    int engine;
    struct opt_list taps;
    bool profile;
    int64_t repeat, warmup;
};

static const struct opt ROWS[] = {
    {OPT_AT(struct run_options, engine), .name = "engine", .kind = OPT_CHOICE,
     .choices = "onednn|reference",
     .help = "how floats are computed: onednn is fast, reference gives the same bits on every "
             "machine"},
    {OPT_AT(struct run_options, taps), .name = "taps", .kind = OPT_LIST, .value = "all|NAME,...",
     .help = "also save these intermediate values"},
    {OPT_AT(struct run_options, profile), .name = "profile", .help = "time per operator"},
    {OPT_AT(struct run_options, repeat), .name = "repeat", .kind = OPT_INT, .value = "N",
     .initial = "1", .low = 1, .high = 1e9, .help = "run all samples N times, for the timing"},
    {OPT_AT(struct run_options, warmup), .name = "warmup", .kind = OPT_INT, .value = "K",
     .initial = "0", .low = 0, .high = 1e9, .help = "run them K times before that, untimed"},
    {0}};
static const struct opt_group GROUP = {"Options", ROWS, sizeof(struct run_options)};
static const struct opt_group *const GROUPS[] = {&GROUP, &MODEL_OPTIONS, &SAMPLE_OPTIONS, NULL};

/* One sample in memory; kept through the run when the clock runs over several rounds. */
struct sample {
    struct arena *arena;
    const struct tensor **in;
    bool skipped;
};

struct run {
    struct cmd *cmd;
    const struct run_options *o;
    struct model *m;
    struct samples *samples;
    size_t n;
    struct sample *kept;     /* by sample: --repeat, --warmup */
    struct sample *current;  /* by worker */
    struct outputs *outputs; /* NULL: nothing is saved */
    size_t *output_at;       /* by graph output: index in outputs */
    struct map tap_at;       /* value id -> index in outputs + 1 */
    struct exec *exec;
    bool last_round; /* whose answers are kept */
    double seconds, seconds_min;
    struct exec_time *profile;
    size_t n_profile;
};

/* ---- taps ---- */

typedef VEC(const struct value *) value_list;

static void add_tap(struct run *r, value_list *taps, const struct value *v)
{
    void **at = map_slot_u64(&r->tap_at, v->id);
    if (*at || value_is_output(v))
        return;
    *at = (void *)(outputs_name(r->outputs, v->name) + 1);
    vec_push(taps, v);
}

static const struct value *find_value(const struct model *m, const char *name)
{
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        if (!v->removed && v->graph == m->graph && strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

static int unknown_tap(struct run *r, const char *name)
{
    struct nearest nearest = {0};
    for (size_t i = 0; i < r->m->values.count; i++)
        if (r->m->values.data[i]->graph == r->m->graph)
            nearest_try(&nearest, name, r->m->values.data[i]->name);
    if (!nearest.best)
        return diag_report(r->cmd->ctx->diag, E_RUN_TAP, NULL, "there is no tensor '%s'", name);
    return diag_report(r->cmd->ctx->diag, E_RUN_TAP, NULL,
                       "there is no tensor '%s'; did you mean '%s'?", name, nearest.best);
}

static int add_named(struct run *r, value_list *taps, const char *list)
{
    const struct value *whole = find_value(r->m, list); /* a name may hold a comma */
    if (whole) {
        add_tap(r, taps, whole);
        return 0;
    }
    char *rest = arena_string(r->cmd->arena, list);
    for (char *name; (name = strsep(&rest, ","));) {
        const struct value *v = find_value(r->m, name);
        if (!v)
            return unknown_tap(r, name);
        add_tap(r, taps, v);
    }
    return 0;
}

static void add_all(struct run *r, value_list *taps)
{
    for (const struct node *n = r->m->graph->first; n; n = n->next)
        for (uint32_t i = 0; i < n->n_outputs; i++)
            if (n->outputs[i])
                add_tap(r, taps, n->outputs[i]);
}

static int choose_taps(struct run *r, value_list *taps)
{
    for (size_t i = 0; i < r->o->taps.count; i++) {
        int code = 0;
        if (strcmp(r->o->taps.items[i], "all") == 0)
            add_all(r, taps);
        else
            code = add_named(r, taps, r->o->taps.items[i]);
        if (code)
            return code;
    }
    return 0;
}

static int on_tap(void *user, int64_t sample, int worker, const struct value *v,
                  const struct tensor *t)
{
    struct run *r = user;
    (void)worker;
    if (!r->last_round || t->dtype == DT_STRING || t->dtype == DT_UNDEFINED)
        return 0;
    size_t index = (size_t)map_get_u64(&r->tap_at, v->id);
    return index ? outputs_put(r->outputs, index - 1, (size_t)sample, t) : 0;
}

/* ---- samples ---- */

static int read_sample(struct run *r, size_t k, struct sample *s)
{
    if (!s->arena)
        s->arena = arena_new();
    arena_reset(s->arena);
    int code = samples_get(r->samples, k, s->arena, &s->in);
    s->skipped = code == SAMPLE_SKIPPED;
    return s->skipped ? 0 : code;
}

static int fetch(void *user, int64_t k, int worker, const struct tensor **in)
{
    struct run *r = user;
    struct sample *s = r->kept ? &r->kept[k] : &r->current[worker];
    int code = r->kept ? 0 : read_sample(r, (size_t)k, s);
    if (code || s->skipped)
        return code ? code : EXEC_SKIP;
    memcpy(in, s->in, exec_inputs(r->exec) * sizeof *in);
    return 0;
}

static int keep(void *user, int64_t k, int worker, const struct tensor *const *out)
{
    struct run *r = user;
    int code = 0;
    (void)worker;
    for (size_t i = 0; !code && r->outputs && r->last_round && i < exec_outputs(r->exec); i++)
        code = outputs_put(r->outputs, r->output_at[i], (size_t)k, out[i]);
    return code;
}

static int read_all(struct run *r)
{
    r->kept = mem_alloc((r->n + 1) * sizeof *r->kept);
    for (size_t k = 0; k < r->n; k++) {
        int code = read_sample(r, k, &r->kept[k]);
        if (code)
            return code;
    }
    return 0;
}

/* ---- rounds ---- */

static int one_round(struct run *r)
{
    struct exec_job job = {(int64_t)r->n, fetch, keep, r};
    return exec_run_many(r->exec, &job);
}

static int all_rounds(struct run *r)
{
    int64_t rounds = r->o->warmup + r->o->repeat;
    int code = rounds > 1 ? read_all(r) : 0;
    for (int64_t i = 0; !code && i < rounds; i++) {
        r->last_round = i == rounds - 1;
        double start = ctx_now();
        code = one_round(r);
        double spent = ctx_now() - start;
        if (i < r->o->warmup)
            continue;
        r->seconds += spent;
        if (i == r->o->warmup || spent < r->seconds_min)
            r->seconds_min = spent;
    }
    r->seconds /= (double)r->o->repeat;
    return code;
}

static void take_profile(struct run *r)
{
    r->n_profile = exec_profile(r->exec, NULL, 0);
    r->profile = arena_array(r->cmd->arena, r->n_profile + 1, sizeof *r->profile);
    exec_profile(r->exec, r->profile, r->n_profile);
}

static int execute(struct run *r)
{
    value_list taps = {0};
    struct cmd *cmd = r->cmd;
    r->outputs = cmd->common->output ? outputs_new(cmd->ctx, r->n) : NULL;
    r->output_at = arena_array(cmd->arena, r->m->graph->outputs.count + 1, sizeof *r->output_at);
    for (size_t i = 0; r->outputs && i < r->m->graph->outputs.count; i++)
        r->output_at[i] = outputs_name(r->outputs, r->m->graph->outputs.data[i]->value->name);
    int code = r->outputs ? choose_taps(r, &taps) : 0;
    struct exec_options options = {.engine = r->o->engine == 0 ? ENGINE_ONEDNN : ENGINE_REFERENCE,
                                   .taps = taps.data,
                                   .n_taps = taps.count,
                                   .tap = on_tap,
                                   .tap_user = r,
                                   .profile = r->o->profile};
    r->exec = code ? NULL : exec_new(r->m, &options);
    vec_free(&taps);
    if (!r->exec)
        return code ? code : -E_NO_EVAL;
    r->current = arena_array(cmd->arena, (size_t)cmd->ctx->threads + 1, sizeof *r->current);
    cmd_phase(cmd, "run");
    code = all_rounds(r);
    if (!code && r->o->profile)
        take_profile(r);
    cmd_phase(cmd, "write");
    if (!code && r->outputs)
        code = outputs_save(r->outputs, cmd->common->output, cmd->common->force);
    return code;
}

/* ---- the result ---- */

static void print_profile(const struct run *r, FILE *out)
{
    struct table *t = table_new("node|op|>us|>fastest|>share");
    double total = 0;
    for (size_t i = 0; i < r->n_profile; i++)
        total += r->profile[i].seconds;
    for (size_t i = 0; i < r->n_profile; i++) {
        const struct exec_time *p = &r->profile[i];
        table_cell(t, "%s", p->node ? node_label(p->node) : "");
        table_cell(t, "%s", p->op);
        table_cell(t, "%.1f", p->calls ? 1e6 * p->seconds / (double)p->calls : 0);
        table_cell(t, "%.1f", 1e6 * p->fastest);
        table_cell(t, "%.1f %%", total > 0 ? 100 * p->seconds / total : 0);
    }
    table_print(t, out);
}

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    const struct run *r = result;
    size_t run = r->n - samples_skipped(r->samples);
    if (r->o->profile)
        print_profile(r, out);
    cmd_print(out, "%zu sample%s in %.3f ms", run, run == 1 ? "" : "s", 1e3 * r->seconds);
    if (r->o->repeat > 1)
        cmd_print(out, " (fastest of %lld: %.3f ms)", (long long)r->o->repeat,
                  1e3 * r->seconds_min);
    if (cmd->common->output)
        cmd_print(out, ", saved to %s", cmd->common->output);
    cmd_print(out, "\n");
}

static void print_shape(const struct type *t, struct json_writer *w)
{
    char text[256];
    jw_key(w, "shape");
    if (t->kind != TYPE_TENSOR || t->rank < 0) {
        jw_null(w);
        return;
    }
    jw_array_inline(w);
    for (int i = 0; i < t->rank; i++) {
        int64_t size;
        if (dim_is_const(t->dims[i], &size))
            jw_int(w, size);
        else if (t->dims[i] && dim_text(t->dims[i], text, sizeof text) < sizeof text)
            jw_string(w, text);
        else
            jw_null(w);
    }
    jw_end(w);
}

static void print_json(const void *result, struct json_writer *w)
{
    const struct run *r = result;
    jw_key_uint(w, "samples", r->n - samples_skipped(r->samples));
    jw_key_f64(w, "seconds", r->seconds);
    jw_key_f64(w, "seconds_min", r->seconds_min);
    jw_key(w, "outputs"), jw_array(w);
    for (size_t i = 0; i < r->m->graph->outputs.count; i++) {
        const struct value *v = r->m->graph->outputs.data[i]->value;
        jw_object(w);
        jw_key_string(w, "name", v->name);
        jw_key_string(w, "dtype", dtype_name(v->type.dtype));
        print_shape(&v->type, w);
        jw_end(w);
    }
    jw_end(w);
    if (!r->o->profile)
        return;
    jw_key(w, "profile"), jw_array(w);
    for (size_t i = 0; i < r->n_profile; i++) {
        jw_object(w);
        jw_key_string(w, "name", r->profile[i].node ? node_label(r->profile[i].node) : "");
        jw_key_string(w, "op", r->profile[i].op);
        jw_key_f64(w, "seconds", r->profile[i].seconds);
        jw_key_f64(w, "seconds_min", r->profile[i].fastest);
        jw_end(w);
    }
    jw_end(w);
}

static void release(struct run *r)
{
    exec_free(r->exec);
    for (int i = 0; r->current && i < r->cmd->ctx->threads; i++)
        arena_free(r->current[i].arena);
    for (size_t i = 0; r->kept && i < r->n; i++)
        arena_free(r->kept[i].arena);
    mem_free(r->kept);
    outputs_free(r->outputs);
    map_release(&r->tap_at);
    samples_close(r->samples);
    model_free(r->m);
}

static int open_inputs(struct run *r)
{
    struct cmd *cmd = r->cmd;
    struct samples_options samples;
    struct infer_options infer = {0};
    int code = cmd_input(cmd, cmd->args[0]);
    if (!code)
        code = sample_options_get(cmd, &samples);
    if (!code && !samples.n_paths)
        code = cmd_need_data(cmd);
    if (code)
        return code;
    cmd_phase(cmd, "load");
    r->m = model_load(cmd->ctx, cmd->args[0]);
    if (!r->m)
        return -E_NO_INPUT;
    ops_resolve(r->m);
    if ((code = model_options_apply(cmd, r->m, &infer)) || (code = model_infer(r->m, &infer, NULL)))
        return code;
    code = samples_open(&r->samples, r->m, &samples, cmd->ctx);
    r->n = code ? 0 : samples_count(r->samples);
    return code;
}

static int run(struct cmd *cmd)
{
    struct run r = {.cmd = cmd, .o = cmd_options(cmd, &GROUP)};
    int code = open_inputs(&r);
    if (!code)
        code = execute(&r);
    if (!code)
        cmd_result(cmd, print_text, print_json, &r);
    release(&r);
    return code;
}

static const struct cmd_example EXAMPLES[] = {
    {"run model.onnx --data samples.npz -o out.npz", "the outputs for every sample"},
    {"run model.onnx --data in.npz --repeat 100 --warmup 10 --profile", "where the time goes"},
    {0}};

const struct command CMD_RUN = {
    .name = "run",
    .summary = "run a model on samples",
    .arguments = "MODEL.onnx",
    .description =
        "Runs the model on every sample of --data and saves its outputs under their names. The "
        "outputs of several samples are joined along axis 0 where that has extent 1, else stacked."
        "\n\n"
        "Samples run in parallel, one per thread; a single sample uses the threads inside its "
        "operators. The results are the same for any number of threads.",
    .min_args = 1,
    .max_args = 1,
    .output = OUTPUT_OPTIONAL,
    .groups = GROUPS,
    .examples = EXAMPLES,
    .run = run,
};
