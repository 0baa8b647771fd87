/* --print-config and --dry-run. */
#include <string.h>
#include <sys/stat.h>

#include "cmd/frame.h"
#include "report/table.h"

static const char *origin_name(enum opt_origin origin)
{
    static const char *const NAMES[] = {"default", "file", "environment", "flag"};
    return NAMES[origin];
}

/* What an option without a text stands at. */
static const char *value_text(const struct opt_state *s)
{
    if (s->text)
        return s->text;
    return s->opt->kind == OPT_FLAG                               ? "false"
           : s->opt->kind == OPT_COUNT || s->opt->kind == OPT_INT ? "0"
                                                                  : NULL;
}

static void print_config_json(const struct cmd_frame *f)
{
    struct json_writer *w = jw_new_stream(stdout, 2);
    jw_object(w);
    jw_key_string(w, "schema", "npuprep.config/1");
    jw_key_string(w, "version", NPUPREP_VERSION);
    jw_key_string(w, "command", f->cmd.command->name);
    jw_key(w, "options");
    jw_array(w);
    for (size_t i = 0; i < opt_total(f->set); i++) {
        struct opt_state s = opt_state_at(f->set, i);
        jw_object(w);
        jw_key_string(w, "name", s.opt->name);
        jw_key_string(w, "value", value_text(&s));
        jw_key_string(w, "origin", origin_name(s.origin));
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
    (void)jw_free(w); /* the error shows when standard output is flushed */
}

void plan_print_config(struct cmd_frame *f)
{
    if (f->options->json) {
        print_config_json(f);
        return;
    }
    struct table *t = table_new("option|value|origin");
    for (size_t i = 0; i < opt_total(f->set); i++) {
        struct opt_state s = opt_state_at(f->set, i);
        const char *text = value_text(&s);
        table_cell(t, "%s", s.opt->name);
        table_cell(t, "%s", text ? text : "-");
        table_cell(t, "%s", origin_name(s.origin));
    }
    table_print(t, stdout);
}

static bool looks_like_a_path(const struct opt *o)
{
    return o->complete != COMPLETE_NONE && strcmp(o->name, "output") != 0 &&
           strcmp(o->name, "json") != 0 && strcmp(o->name, "external-root") != 0 &&
           strcmp(o->name, "config") != 0;
}

static int add_path(struct cmd_frame *f, const char *path)
{
    return strncmp(path, "random:", 7) == 0 ? 0 : cmd_input(&f->cmd, path);
}

/* Arguments, and options that name files, as the tables know them. Actions ("convert") are no
 * files. */
static int add_inputs(struct cmd_frame *f)
{
    int code = 0;
    size_t first = f->cmd.command->actions ? 1 : 0;
    for (size_t i = f->cmd.command->plain_arguments ? f->cmd.n_args : first;
         i < f->cmd.n_args && !code; i++)
        code = add_path(f, f->cmd.args[i]);
    for (size_t i = 0; i < opt_total(f->set) && !code; i++) {
        struct opt_state s = opt_state_at(f->set, i);
        const char *values = opt_values(f->set, s.group);
        if (!looks_like_a_path(s.opt) || !s.text)
            continue;
        if (s.opt->kind == OPT_LIST) {
            const struct opt_list *list = (const void *)(values + s.opt->offset);
            for (size_t k = 0; k < list->count && !code; k++)
                code = add_path(f, list->items[k]);
        } else {
            code = add_path(f, s.text);
        }
    }
    return code;
}

static void print_plan(struct cmd *cmd, const void *result, FILE *out)
{
    const struct cmd_frame *f = result;
    struct stat st;
    for (size_t i = 0; i < f->inputs.count; i++)
        cmd_print(out, "would read   %s (%llu bytes)\n", f->inputs.data[i].path,
                  (unsigned long long)f->inputs.data[i].bytes);
    if (cmd->common->output)
        cmd_print(out, "would %s  %s\n", stat(cmd->common->output, &st) == 0 ? "replace" : "write",
                  cmd->common->output);
}

void plan_json(const void *result, struct json_writer *w)
{
    const struct cmd_frame *f = result;
    jw_key_bool(w, "dry_run", true);
    jw_key_string(w, "output", f->options->output);
}

int plan_dry_run(struct cmd_frame *f)
{
    int code = add_inputs(f);
    if (!code)
        cmd_result(&f->cmd, print_plan, plan_json, f);
    return code;
}
