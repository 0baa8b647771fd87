/* npuprep check MODEL: what the loader and the checks say about a model, as findings. A broken
 * model is an answer here, not a failure: exit status 1. Only what keeps the command from looking
 * (no such file, limits) ends it as elsewhere. */
#include <string.h>

#include "cmd/cmd.h"
#include "onnx/load.h"
#include "report/check_model.h"
#include "report/findings.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_JUNIT, FORMAT_SARIF, FORMAT_GITHUB };

struct check_options {
    const char *target;
    int format;
};

static const struct opt ROWS[] = {
    {OPT_AT(struct check_options, target), .name = "target", .kind = OPT_TEXT, .value = "T",
     .help = "also say whether it is ready for this target: a name (npuprep list targets) or a "
             "profile"},
    {OPT_AT(struct check_options, format), .name = "format", .kind = OPT_CHOICE,
     .choices = "text|json|junit|sarif|github",
     .help = "form of the findings; json is the document of --json without its envelope"},
    {0}};
static const struct opt_group GROUP = {"Options", ROWS, sizeof(struct check_options)};
static const struct opt_group *const GROUPS[] = {&GROUP, NULL};

struct check_result {
    struct findings findings;
    enum format format;
    bool notes;
};

/* ---- what is printed ---- */

static void print_finding(const struct finding *x, FILE *out)
{
    cmd_print(out, "%s %s", severity_name(x->what->info->severity), x->id);
    if (finding_node(x))
        cmd_print(out, " '%s'", finding_node(x));
    if (x->what->where.has_offset)
        cmd_print(out, " at byte %llu", (unsigned long long)x->what->where.offset);
    cmd_print(out, ": %s\n", x->what->message);
    if (x->what->info->severity == SEVERITY_ERROR)
        cmd_print(out, "    %s\n", x->what->hint);
}

static void print_plain(const struct check_result *r, FILE *out)
{
    const struct findings *f = &r->findings;
    for (size_t i = 0; i < f->list.count; i++)
        if (r->notes || f->list.data[i].what->info->severity != SEVERITY_NOTE)
            print_finding(&f->list.data[i], out);
    cmd_print(out, "%s: %s", f->file, f->valid ? "valid" : "not valid");
    if (f->target)
        cmd_print(out, ", %s for %s", f->ready ? "ready" : "not ready", f->target);
    cmd_print(out, " (errors: %zu, warnings: %zu, notes: %zu%s)\n", f->errors, f->warnings,
              f->notes, f->notes && !r->notes ? "; -v shows them" : "");
}

static void print_json_alone(const struct findings *f, FILE *out)
{
    struct json_writer *w = jw_new_stream(out, 2);
    jw_object(w);
    findings_json(f, w);
    jw_end(w);
    jw_free(w);
}

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    const struct check_result *r = result;
    (void)cmd;
    switch (r->format) {
    case FORMAT_JSON:
        print_json_alone(&r->findings, out);
        break;
    case FORMAT_JUNIT:
        findings_junit(&r->findings, out);
        break;
    case FORMAT_SARIF:
        findings_sarif(&r->findings, out);
        break;
    case FORMAT_GITHUB:
        findings_github(&r->findings, out);
        break;
    default:
        print_plain(r, out);
    }
}

static void print_json(const void *result, struct json_writer *w)
{
    findings_json(&((const struct check_result *)result)->findings, w);
}

/* ---- looking ---- */

/* Numbers below 0100 are about the command and the system, not about the model. */
static bool is_about_the_model(const struct diagnostic *d)
{
    return (int)d->info->id >= (int)E_SCAN_EMPTY;
}

/* Passes on what is not about the model; the code of the first such error. */
static int report_the_rest(struct cmd *cmd, const struct diag *from)
{
    int code = 0;
    for (size_t i = 0; i < diag_count(from); i++) {
        const struct diagnostic *d = diag_at(from, i);
        if (is_about_the_model(d))
            continue;
        int reported =
            diag_report_hint(cmd->ctx->diag, d->info->id, &d->where, d->hint, "%s", d->message);
        if (!code && d->info->severity == SEVERITY_ERROR)
            code = reported;
    }
    return code;
}

static int look(struct cmd *cmd, struct ctx *ctx, const struct check_options *o, struct findings *f)
{
    struct model *m = model_load(ctx, cmd->args[0]);
    int code = m ? check_model(m) : 0;
    f->valid = m && !diag_errors(ctx->diag);
    f->ready = f->valid;
    cmd_phase(cmd, "target");
    if (!code && f->valid && o->target) {
        code = check_ready(m, o->target);
        f->ready = !diag_errors(ctx->diag);
    }
    model_free(m);
    return code;
}

static int run(struct cmd *cmd)
{
    const struct check_options *o = cmd_options(cmd, &GROUP);
    struct check_result r = {.findings = {.file = cmd->args[0], .target = o->target},
                             .format = (enum format)o->format,
                             .notes = cmd->common->verbose > 0};
    cmd_phase(cmd, "check");
    int code = cmd_input(cmd, cmd->args[0]);
    if (code)
        return code;
    struct ctx own = *cmd->ctx;
    own.diag = diag_new(NULL, NULL);
    code = look(cmd, &own, o, &r.findings);
    int other = report_the_rest(cmd, own.diag);
    code = other ? other : code;
    if (!code) {
        findings_add(&r.findings, own.diag, 0);
        cmd_result(cmd, print_text, print_json, &r);
        code = r.findings.errors ? EXIT_GATE : 0;
    }
    findings_release(&r.findings);
    diag_free(own.diag);
    return code;
}

static const struct cmd_example EXAMPLES[] = {
    {"check model.onnx", "is it valid ONNX"},
    {"check model.onnx --target int8", "what stands between it and that target"},
    {"check model.onnx --format sarif -o findings.sarif", "for code scanning services"},
    {0}};

const struct command CMD_CHECK = {
    .name = "check",
    .summary = "say whether a model is valid ONNX, and ready for a target",
    .arguments = "MODEL.onnx",
    .description = "Screens the file and its external data, then names, imports, signatures, "
                   "types, shapes and weights. "
                   "Notes are shown with -v.\n\n"
                   "Exit status 1 when any finding is an error.",
    .min_args = 1,
    .max_args = 1,
    .groups = GROUPS,
    .examples = EXAMPLES,
    .run = run,
};
