/* npuprep diff A.onnx B.onnx: what changed between two models. Exit 1 when anything did. */
#include "cmd/cmd.h"
#include "onnx/load.h"
#include "report/model_diff.h"
#include "report/table.h"

struct diff_result {
    const struct model_diff *d;
};

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    static const char MARK[] = {'+', '-', '~'};
    const struct model_diff *d = ((const struct diff_result *)result)->d;
    for (size_t i = 0; i < d->list.count && !(cmd->common->quiet && i >= 20); i++) {
        const struct difference *x = &d->list.data[i];
        cmd_print(out, "%c %-6s %s  %s\n", MARK[x->change], diff_kind_name(x->kind), x->name,
                  x->what);
    }
    if (!d->list.count)
        fputs("no difference\n", out);
    for (int k = 0; d->list.count && k < DIFF_KINDS; k++)
        if (d->counts[k][0] + d->counts[k][1] + d->counts[k][2])
            fprintf(out, "%ss: %lld added, %lld removed, %lld changes\n",
                    diff_kind_name((enum change_kind)k), (long long)d->counts[k][CHANGE_ADDED],
                    (long long)d->counts[k][CHANGE_REMOVED],
                    (long long)d->counts[k][CHANGE_CHANGED]);
}

static void print_json(const void *result, struct json_writer *w)
{
    const struct model_diff *d = ((const struct diff_result *)result)->d;
    jw_key_bool(w, "different", d->list.count > 0);
    jw_key(w, "differences");
    jw_array(w);
    for (size_t i = 0; i < d->list.count; i++) {
        jw_object(w);
        jw_key_string(w, "change", change_name(d->list.data[i].change));
        jw_key_string(w, "kind", diff_kind_name(d->list.data[i].kind));
        jw_key_string(w, "name", d->list.data[i].name);
        jw_key_string(w, "what", d->list.data[i].what);
        jw_end(w);
    }
    jw_end(w);
}

static int compare(struct cmd *cmd, const struct model *a, const struct model *b)
{
    struct model_diff d = {.arena = cmd->arena};
    cmd_phase(cmd, "compare");
    model_diff(a, b, &d);
    cmd_result(cmd, print_text, print_json, &(struct diff_result){&d});
    int code = d.list.count ? EXIT_GATE : 0;
    vec_free(&d.list);
    return code;
}

static int run(struct cmd *cmd)
{
    cmd_phase(cmd, "load");
    int code = cmd_input(cmd, cmd->args[0]);
    code = code ? code : cmd_input(cmd, cmd->args[1]);
    if (code)
        return code;
    struct model *a = model_load(cmd->ctx, cmd->args[0]),
                 *b = a ? model_load(cmd->ctx, cmd->args[1]) : NULL;
    code = b ? compare(cmd, a, b) : -(int)diag_at(cmd->ctx->diag, 0)->info->id;
    model_free(a);
    model_free(b);
    return code;
}

static const struct cmd_example EXAMPLES[] = {
    {"diff model.onnx small.onnx", "what a rewrite did"},
    {"diff a.onnx b.onnx --json", "the same for a script"},
    {0}};

const struct command CMD_DIFF = {
    .name = "diff",
    .summary = "show what changed between two models",
    .arguments = "A.onnx B.onnx",
    .description = "Compares nodes, attributes, constant tensors, graph inputs and outputs, "
                   "operator sets and metadata. A node is known by the "
                   "value that it produces. The order of nodes, and whether weights lie in the "
                   "file or beside it, make no difference.\n\n"
                   "The exit status is 0 when nothing differs and 1 when something does.",
    .min_args = 2,
    .max_args = 2,
    .output = OUTPUT_TEXT,
    .examples = EXAMPLES,
    .run = run,
};
