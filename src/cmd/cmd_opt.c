/* npuprep opt MODEL -o OUT.onnx: rewrites a model without quantizing it, and says what it did. */
#include <string.h>

#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/opt_verify.h"
#include "cmd/options_model.h"
#include "cmd/options_samples.h"
#include "ir/edit.h"
#include "onnx/load.h"
#include "onnx/save.h"
#include "passes/pass.h"
#include "report/table.h"
#include "targets/opset_convert.h"
#include "targets/target.h"

struct opt_options {
    struct opt_list passes, skip;
    const char *target, *verify;
    int64_t level, opset, ir_version;
    bool roundtrip;
    int external_data;
};

static const struct opt ROWS[] = {
    {OPT_AT(struct opt_options, passes), .name = "passes", .kind = OPT_LIST, .value = "NAME,...",
     .help = "run exactly these passes in this order, once each (npuprep list passes)"},
    {OPT_AT(struct opt_options, level), .name = "level", .kind = OPT_INT, .value = "0..3",
     .initial = "2", .low = 0, .high = 3,
     .help = "0 changes nothing, 1 keeps every bit of the results, 2 folds and fuses up to "
             "floating-point reassociation, 3 adds what only a target asks for"},
    {OPT_AT(struct opt_options, skip), .name = "skip", .kind = OPT_LIST, .value = "NAME,...",
     .help = "leave these passes out"},
    {OPT_AT(struct opt_options, target), .name = "target", .kind = OPT_TEXT, .value = "T",
     .initial = "",
     .help = "NPU whose operators decide what is fused and, with --level 3, taken apart "
             "('npuprep list targets'), or a profile.json; left out: what ONNX Runtime runs"},
    {OPT_AT(struct opt_options, opset), .name = "opset", .kind = OPT_INT, .value = "N",
     .initial = "0", .low = 0, .high = OPSET_NEWEST,
     .help = "write the model for this opset of ai.onnx, 11 to 25, up or down; newer operators are "
             "taken apart; 0: it stays"},
    {OPT_AT(struct opt_options, ir_version), .name = "ir-version", .kind = OPT_INT, .value = "N",
     .initial = "0", .low = 0, .high = 11,
     .help = "IR version of the file, 3 to 11; 0: it stays, but for what the result needs"},
    {OPT_AT(struct opt_options, verify), .name = "verify", .kind = OPT_MAYBE, .value = "N",
     .help = "run the model before and after on N samples (4) of --data, or random ones, and exit "
             "1 when an output differs by more than the passes' class allows"},
    {OPT_AT(struct opt_options, roundtrip), .name = "roundtrip",
     .help = "pack every message again, also what no pass touched"},
    {OPT_AT(struct opt_options, external_data), .name = "external-data", .kind = OPT_CHOICE,
     .choices = "auto|never|always|keep",
     .help = "weights in a data file beside the model: as the input has them and from 1.9 GB on, "
             "never, always, or references as they are"},
    {0}};
static const struct opt_group GROUP = {"Options", ROWS, sizeof(struct opt_options)};
static const struct opt_group *const GROUPS[] = {&GROUP, &MODEL_OPTIONS, &SAMPLE_OPTIONS, NULL};

struct opt_result {
    const struct pass_log *log;
    const struct opt_verdict *verdict; /* NULL: not verified */
    bool verbose;
};

static const char *class_name(enum pass_class c)
{
    static const char *const NAMES[] = {"exact", "reassoc", "lossy"};
    return NAMES[c];
}

/* ---- what it did ---- */

static void print_notes(FILE *out, const struct pass_result *p)
{
    for (size_t i = 0; i < p->rewritten.count; i++)
        cmd_print(out, "%s: '%s': %s\n", p->pass->name, p->rewritten.data[i].node,
                  p->rewritten.data[i].text);
    for (size_t i = 0; i < p->refusals.count; i++)
        cmd_print(out, "%s: left '%s' alone: %s\n", p->pass->name, p->refusals.data[i].node,
                  p->refusals.data[i].text);
}

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    const struct opt_result *r = result;
    (void)cmd;
    for (size_t i = 0; r->verbose && i < r->log->results.count; i++)
        print_notes(out, &r->log->results.data[i]);
    struct table *t = table_new("pass|class|>rewrites|>refused");
    for (size_t i = 0; i < r->log->results.count; i++) {
        const struct pass_result *p = &r->log->results.data[i];
        if (!p->rewrites && !p->refused)
            continue;
        table_cell(t, "%s", p->pass->name);
        table_cell(t, "%s", class_name(p->pass->class));
        table_int(t, p->rewrites);
        table_int(t, p->refused);
    }
    table_print(t, out);
    cmd_print(out, "nodes: %lld before, %lld after\n", (long long)r->log->nodes_before,
              (long long)r->log->nodes_after);
    if (r->verdict)
        opt_verify_text(r->verdict, out);
}

static void json_pass(const struct pass_result *p, struct json_writer *w)
{
    jw_object(w);
    jw_key_string(w, "name", p->pass->name);
    jw_key_string(w, "class", class_name(p->pass->class));
    jw_key_int(w, "rewrites", p->rewrites);
    jw_key(w, "refused");
    jw_array(w);
    for (size_t i = 0; i < p->refusals.count; i++) {
        jw_object(w);
        jw_key_string(w, "node", p->refusals.data[i].node);
        jw_key_string(w, "why", p->refusals.data[i].text);
        jw_end(w);
    }
    jw_end(w);
    jw_key(w, "rewritten");
    jw_array(w);
    for (size_t i = 0; i < p->rewritten.count; i++) {
        jw_object(w);
        jw_key_string(w, "node", p->rewritten.data[i].node);
        jw_key_string(w, "what", p->rewritten.data[i].text);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static void print_json(const void *result, struct json_writer *w)
{
    const struct opt_result *r = result;
    jw_key(w, "passes");
    jw_array(w);
    for (size_t i = 0; i < r->log->results.count; i++)
        json_pass(&r->log->results.data[i], w);
    jw_end(w);
    jw_key_int(w, "nodes_before", r->log->nodes_before);
    jw_key_int(w, "nodes_after", r->log->nodes_after);
    jw_key_int(w, "nodes_main_before", r->log->nodes_main_before);
    jw_key_int(w, "nodes_main_after", r->log->nodes_main_after);
    if (r->verdict)
        opt_verify_json(r->verdict, w);
}

/* ---- doing it ---- */

static int unknown_pass(struct cmd *cmd, const char *name)
{
    const char **names = arena_array(cmd->arena, pass_total() + 1, sizeof *names);
    for (size_t i = 0; i < pass_total(); i++)
        names[i] = pass_at(i)->name;
    return cmd_unknown(cmd, "pass", name, names);
}

/* --passes a,b --passes c as a NULL-terminated list; NULL in *names: none given. */
static int read_names(struct cmd *cmd, const struct opt_list *given, const char *const **names)
{
    VEC(const char *) list = {0};
    int code = 0;
    for (size_t i = 0; i < given->count && !code; i++) {
        char *rest = arena_string(cmd->arena, given->items[i]);
        for (char *name; !code && (name = strsep(&rest, ","));) {
            code = pass_find(name) ? 0 : unknown_pass(cmd, name);
            vec_push(&list, name);
        }
    }
    vec_push(&list, NULL);
    *names =
        given->count ? arena_copy(cmd->arena, list.data, list.count * sizeof *list.data) : NULL;
    vec_free(&list);
    return code;
}

/* --dim and --shape become part of the types; without them nothing is touched. */
static int bind_dims(struct cmd *cmd, struct model *m)
{
    struct infer_options infer = {0};
    size_t before = m->graph->dirty;
    int code = model_options_apply(cmd, m, &infer);
    if (code || (!infer.n_bindings && m->graph->dirty == before))
        return code;
    ops_resolve(m);
    return model_infer(m, &infer, NULL);
}

/* The first node that kept the model from going to the opset asked for. */
static int check_opset(struct cmd *cmd, const struct model *m, const struct pass_plan *plan,
                       const struct pass_log *log)
{
    int64_t is = graph_opset(m->graph, "");
    if (!plan->opset || !is || is == plan->opset)
        return 0; /* a model without ai.onnx fits every opset */
    struct where at = {0};
    const char *why = "convert-opset is not among the passes";
    for (size_t i = 0; i < log->results.count; i++) {
        const struct pass_result *p = &log->results.data[i];
        if (strcmp(p->pass->name, "convert-opset") != 0 || !p->refusals.count)
            continue;
        at.node = p->refusals.data[0].node;
        why = p->refusals.data[0].text;
    }
    return diag_report(cmd->ctx->diag, E_PASS_OPSET, &at, "from opset %lld to %lld: %s",
                       (long long)is, (long long)plan->opset, why);
}

enum { VERIFY_SAMPLES = 4 };

/* 0: the text is no count. */
static int64_t verify_samples(const struct opt_options *o)
{
    int64_t n = VERIFY_SAMPLES;
    return !o->verify || !*o->verify || (text_int(o->verify, &n) && n > 0) ? n : 0;
}

static int read_plan(struct cmd *cmd, const struct opt_options *o, struct pass_plan *plan)
{
    plan->level = (int)o->level;
    plan->opset = o->opset;
    if (o->opset && o->opset < OPSET_LOWEST)
        return diag_report(cmd->ctx->diag, E_OPTION_VALUE, NULL,
                           "--opset: %lld given, expected %d to %d", (long long)o->opset,
                           OPSET_LOWEST, OPSET_NEWEST);
    if (!verify_samples(o))
        return diag_report(cmd->ctx->diag, E_OPTION_VALUE, NULL,
                           "--verify: '%s' given, expected a number of samples from 1", o->verify);
    if (o->ir_version && o->ir_version < 3)
        return diag_report(cmd->ctx->diag, E_OPTION_VALUE, NULL,
                           "--ir-version: %lld given, expected 3 to 11", (long long)o->ir_version);
    int code = read_names(cmd, &o->passes, &plan->names);
    return code ? code : read_names(cmd, &o->skip, &plan->skip);
}

static int rewrite(struct cmd *cmd, struct model *m, const struct opt_options *o,
                   struct pass_log *log)
{
    struct pass_plan plan = {0};
    struct target *target = NULL;
    int code = read_plan(cmd, o, &plan);
    if (!code && *o->target)
        code = target_load(&target, o->target, cmd->ctx);
    plan.target = target;
    if (!code)
        code = bind_dims(cmd, m);
    if (code >= 0)
        code = passes_run(m, &plan, log);
    if (code >= 0)
        code = check_opset(cmd, m, &plan, log);
    target_free(target);
    return code;
}

/* Until IR version 3 weights stood among the inputs, and nobody could override them. */
static void set_ir(struct model *m, int64_t version)
{
    struct graph *g = m->graph;
    size_t kept = 0;
    for (size_t i = 0; m->ir_version < 4 && version >= 4 && i < g->inputs.count; i++) {
        struct value *v = g->inputs.data[i];
        v->is_input = !v->constant;
        if (v->is_input)
            g->inputs.data[kept++] = v;
    }
    if (m->ir_version < 4 && version >= 4) {
        g->inputs.count = kept;
        graph_touch(g);
    }
    m->ir_dirty |= m->ir_version != version;
    m->ir_version = version;
}

/* The IR version asked for; a raised opset brings that of its release. */
static int settle_ir(struct cmd *cmd, struct model *m, const struct opt_options *o)
{
    const char *why;
    int64_t least = model_least_ir(m, &why), had = m->ir_version;
    int64_t release = o->opset && m->opsets_dirty ? opset_ir(o->opset) : 0;
    if (o->ir_version && o->ir_version < least)
        return diag_report(cmd->ctx->diag, E_PASS_IR_LOW, NULL, "--ir-version %lld: %s need %lld",
                           (long long)o->ir_version, why, (long long)least);
    if (o->ir_version) {
        set_ir(m, o->ir_version);
    } else if (had < release) {
        set_ir(m, release);
        diag_report(cmd->ctx->diag, E_PASS_IR, NULL, "IR version %lld became %lld", (long long)had,
                    (long long)release);
    }
    return 0;
}

static int optimize(struct cmd *cmd, struct model *m)
{
    const struct opt_options *o = cmd_options(cmd, &GROUP);
    struct pass_log log = {0};
    struct opt_verdict verdict = {.passed = true};
    cmd_phase(cmd, "rewrite");
    int code = rewrite(cmd, m, o, &log);
    if (code >= 0)
        code = settle_ir(cmd, m, o);
    if (code >= 0) {
        cmd_phase(cmd, "save");
        struct save_options save = {.external = (enum external_data)o->external_data,
                                    .force = cmd->common->force,
                                    .roundtrip = o->roundtrip};
        code = model_save(m, cmd->common->output, &save);
    }
    if (code >= 0 && o->verify) {
        cmd_phase(cmd, "verify");
        code = opt_verify(cmd, cmd->args[0], m, &log, verify_samples(o), &verdict);
    }
    if (code >= 0)
        cmd_result(
            cmd, print_text, print_json,
            &(struct opt_result){&log, o->verify ? &verdict : NULL, cmd->common->verbose > 0});
    pass_log_release(&log);
    return code < 0 || verdict.passed ? code : EXIT_GATE;
}

static int run(struct cmd *cmd)
{
    cmd_phase(cmd, "load");
    int code = cmd_input(cmd, cmd->args[0]);
    struct model *m = code ? NULL : model_load(cmd->ctx, cmd->args[0]);
    if (!m)
        return code ? code : -(int)E_NO_INPUT;
    code = optimize(cmd, m);
    model_free(m);
    return code;
}

static const struct cmd_example EXAMPLES[] = {
    {"opt model.onnx -o small.onnx", "clean up, fold and fuse"},
    {"opt model.onnx -o same.onnx --level 1 -v", "only what keeps every bit, with each step"},
    {"opt model.onnx -o small.onnx --verify --data samples.npz",
     "and see that it still answers the same"},
    {"opt model.onnx -o old.onnx --opset 13", "for a consumer of opset 13"},
    {"opt model.onnx -o bn.onnx --passes fold-batchnorm,dead-code", "two passes in this order"},
    {0}};

const struct command CMD_OPT = {
    .name = "opt",
    .summary = "rewrite a model without quantizing it",
    .arguments = "MODEL.onnx",
    .description =
        "Runs passes over the graph and writes what comes out. Names of graph inputs and outputs "
        "and of everything that survives stay; opset and IR version stay too unless they are "
        "given.\n\n"
        "A pass has a class: exact ones keep every bit of the results, reassoc ones keep them up "
        "to the order of floating-point operations. A candidate that is left alone is reported "
        "with the reason.",
    .min_args = 1,
    .max_args = 1,
    .output = OUTPUT_REQUIRED,
    .groups = GROUPS,
    .examples = EXAMPLES,
    .run = run,
};
