/* npuprep help [COMMAND], and the manual pages and completions made of the same tables. */
#include <string.h>

#include "cmd/frame.h"

struct help_options {
    int form; /* enum form */
};
enum form { FORM_TEXT, FORM_MAN, FORM_BASH, FORM_ZSH, FORM_FISH };

static const struct opt OPTIONS[] = {{OPT_AT(struct help_options, form), .name = "as",
                                      .kind = OPT_CHOICE, .value = "FORM",
                                      .choices = "text|man|bash|zsh|fish", .initial = "text",
                                      .help = "text, man (the source of the manual page), or "
                                              "completion for the shell bash, zsh or fish"},
                                     {0}};
static const struct opt_group GROUP = {"Options", OPTIONS, sizeof(struct help_options)};
static const struct opt_group *const GROUPS[] = {&GROUP, NULL};

struct request {
    enum form form;
    const struct command *topic; /* NULL: everything */
};

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    (void)cmd;
    const struct request *r = result;
    switch (r->form) {
    case FORM_TEXT:
        r->topic ? help_command(out, r->topic) : help_overview(out);
        break;
    case FORM_MAN:
        r->topic ? man_command(out, r->topic) : man_fragment(out);
        break;
    case FORM_BASH:
        completion_bash(out);
        break;
    case FORM_ZSH:
        completion_zsh(out);
        break;
    case FORM_FISH:
        completion_fish(out);
        break;
    }
}

static void print_command_keys(const struct command *c, struct json_writer *w)
{
    struct arena *a = arena_new();
    jw_object(w);
    jw_key_string(w, "name", c->name);
    jw_key_string(w, "summary", c->summary);
    jw_key_string(w, "arguments", c->arguments);
    jw_key(w, "options");
    jw_array(w);
    for (const struct opt_group **g = command_groups(a, c); *g; g++)
        for (const struct opt *o = (*g)->rows; o->name; o++) {
            jw_object(w);
            jw_key_string(w, "name", o->name);
            jw_key_string(w, "value", opt_placeholder(o));
            jw_key_string(w, "default", help_default(o));
            jw_key_string(w, "help", o->help);
            jw_end(w);
        }
    jw_end(w);
    jw_end(w);
    arena_free(a);
}

static void print_json(const void *result, struct json_writer *w)
{
    const struct request *r = result;
    jw_key(w, "commands");
    jw_array(w);
    for (size_t i = 0; i < command_total(); i++)
        if (!command_at(i)->hidden && (!r->topic || r->topic == command_at(i)))
            print_command_keys(command_at(i), w);
    jw_end(w);
}

static int unknown_topic(struct cmd *cmd)
{
    const char **names = arena_array(cmd->arena, command_total() + 1, sizeof *names);
    for (size_t i = 0; i < command_total(); i++)
        names[i] = command_at(i)->name;
    return cmd_unknown(cmd, "command", cmd->args[0], names);
}

static int run(struct cmd *cmd)
{
    const struct help_options *o = cmd_options(cmd, &GROUP);
    struct request r = {(enum form)o->form, cmd->n_args ? command_find(cmd->args[0]) : NULL};
    if (cmd->n_args && !r.topic)
        r.topic = command_of_alias(cmd->args[0]);
    if (cmd->n_args && !r.topic)
        return unknown_topic(cmd);
    cmd_result(cmd, print_text, print_json, &r);
    return 0;
}

static const struct cmd_example EXAMPLES[] = {
    {"help opt", "the options of opt"},
    {"help --as bash > ~/.local/share/bash-completion/completions/npuprep",
     "completion for your shell"},
    {0}};

const struct command CMD_HELP = {
    .name = "help",
    .summary = "list the commands, or show one command's options",
    .arguments = "[COMMAND]",
    .description =
        "Without a name it lists the commands. With one it shows what 'npuprep COMMAND -h' shows.",
    .max_args = 1,
    .plain_arguments = true,
    .groups = GROUPS,
    .examples = EXAMPLES,
    .run = run,
};
