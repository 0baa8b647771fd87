/* npuprep explain E0231: what a message means and what to do, from errors.def. */
#include <string.h>

#include "base/text.h"
#include "cmd/cmd.h"

static const char *severity_name(enum severity severity)
{
    return severity == SEVERITY_ERROR ? "error" : severity == SEVERITY_WARNING ? "warning" : "note";
}

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    (void)cmd;
    const struct err_info *e = result;
    fprintf(out, "E%04d (%s): %s\n\n", (int)e->id, severity_name(e->severity), e->title);
    fprintf(out, "What to do: %s.\n", e->hint);
    if (e->severity == SEVERITY_ERROR && e->exit != EXIT_NONE)
        fprintf(out, "Exit status: %d.\n", (int)e->exit);
}

static void print_json(const void *result, struct json_writer *w)
{
    const struct err_info *e = result;
    char id[16];
    snprintf(id, sizeof id, "E%04d", (int)e->id);
    jw_key_string(w, "id", id);
    jw_key_string(w, "severity", severity_name(e->severity));
    jw_key_string(w, "title", e->title);
    jw_key_string(w, "hint", e->hint);
    jw_key_int(w, "exit", (int)e->exit);
}

static int run(struct cmd *cmd)
{
    const char *given = cmd->args[0];
    int64_t number;
    bool parsed = text_int(given + (*given == 'E' || *given == 'e'), &number) && number > 0 &&
                  number < 100000;
    const struct err_info *e = parsed ? err_find((int)number) : NULL;
    if (!e)
        return diag_report_hint(cmd->ctx->diag, E_UNKNOWN_NAME, NULL,
                                "npuprep list errors shows all of them", "there is no message '%s'",
                                given);
    cmd_result(cmd, print_text, print_json, e);
    return 0;
}

static const struct cmd_example EXAMPLES[] = {
    {"explain E0003", "what to do about the message E0003"}, {0}};

const struct command CMD_EXPLAIN = {
    .name = "explain",
    .summary = "say what a message means and what to do about it",
    .arguments = "ID",
    .description = "Every error, warning and note carries a stable number. This shows its meaning, "
                   "the remedy and the exit "
                   "status of a command that ends with it.",
    .min_args = 1,
    .max_args = 1,
    .plain_arguments = true,
    .examples = EXAMPLES,
    .run = run,
};
