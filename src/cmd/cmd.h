/* Subcommands. One is a file src/cmd/cmd_x.c and a row CMD(x) in cmds.def; nothing else is edited.
 *
 *   struct x_options { const char *passes; int64_t level; };
 *   static const struct opt OPTIONS[] = {{OPT_AT(struct x_options, passes), .name = "passes", ...},
 * {0}}; static const struct opt_group GROUP = {"Options", OPTIONS, sizeof(struct x_options)};
 *   static const struct opt_group *const GROUPS[] = {&GROUP, &SAMPLE_OPTIONS, NULL};
 *
 *   struct x_result { ... };                                 // what was found; text and JSON are
 * two views of it static void print_text(struct cmd *cmd, const void *result, FILE *out) ... static
 * void print_json(const void *result, struct json_writer *w) ...    // keys only: the envelope is
 * open
 *
 *   static int run(struct cmd *cmd)
 *   {
 *       const struct x_options *o = cmd_options(cmd, &GROUP);
 *       cmd_phase(cmd, "load");
 *       int code = cmd_input(cmd, cmd->args[0]);             // records it for `inputs`, exit 66
 * when it is not there struct model *m = code ? NULL : model_load(...);     // reports through
 * cmd->ctx->diag if (!m) return code;                                     // a negative code that
 * was reported: sets the exit status cmd_phase(cmd, "rewrite");
 *       ...                                                  // -o: outfile_open(&f,
 * cmd->common->output, cmd->common->force, ...) cmd_result(cmd, print_text, print_json, &result);
 *       return passed ? 0 : EXIT_GATE;
 *   }
 *   const struct command CMD_X = {.name = "x", .summary = "...", ..., .groups = GROUPS, .run =
 * run};
 *
 * The frame parses the options (flag > NPUPREP_* > --config > default), sets limits, threads and
 * signals, prints diagnostics as they come, opens --json, checks that -o may be written, writes the
 * envelope (schema, version, command, inputs, your keys, diagnostics, timings, exit_status), and
 * turns what run returns into the exit status. It also makes -h, the manual page and the completion
 * from this struct. Common options (-o, -t, --json, ...) are in options_common.h: do not define
 * them again. Put the JSON schema of your keys in src/report/schema/x.json (see opt.json for the
 * form); tests/cli/schema.sh holds every command's --json against it.
 *
 * Text from a model goes to a terminal through cmd_print or a table (report/table.h), which escape
 * it. --dry-run: the frame itself lists inputs and output and stops; a command that can say more
 * sets .plans and looks at cmd->common->dry_run.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H
#include <stdio.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/opt.h"
#include "cmd/options_common.h"

struct cmd;

enum cmd_output {
    OUTPUT_TEXT,     /* -o takes what would go to stdout */
    OUTPUT_OPTIONAL, /* the command writes -o itself, when given */
    OUTPUT_REQUIRED, /* ... and must have it */
};

struct cmd_example {
    const char *line; /* without "npuprep " */
    const char *what;
};

struct command {
    const char *name, *summary; /* summary: lower case, no full stop */
    const char *arguments;      /* "MODEL.onnx" or "show|check|convert FILE..." */
    const char *description;    /* paragraphs, separated by an empty line */
    int min_args, max_args;     /* positional; max -1: any number */
    enum cmd_output output;
    bool plans; /* handles --dry-run itself */
    bool hidden;
    bool own_inputs; /* writes the key `inputs` itself (info: the model's), with cmd_input_keys */
    bool plain_arguments; /* the arguments are no files: for --dry-run and completion */
    const struct opt_group *const *groups; /* NULL-terminated, without the common one; NULL: none */
    const struct cmd_example *examples;    /* ends with a row without line; NULL: none */
    const char *actions; /* "show|check": what the first argument may be; NULL: anything */
    const char *aliases; /* actions that may stand in the command's place: `merge` for `calibrate
                            merge`; as actions, or NULL */
    int (*run)(struct cmd *cmd); /* exit status 0 or EXIT_GATE, or a reported negative code */
};

/* One running command. */
struct cmd {
    const struct command *command;
    const struct common_options *common;
    struct ctx *ctx;
    struct arena *arena;     /* lives until the command has ended */
    const char *const *args; /* positional, NULL-terminated */
    size_t n_args;
    FILE *out; /* for the result as text: stdout, the file of -o, or stderr while -o - moves the
                  file */
    struct cmd_frame *frame; /* private */
};

void *cmd_options(const struct cmd *cmd,
                  const struct opt_group *group); /* values of one of the command's groups */

/* Records an input for `inputs` and checks that it is there (E_NO_INPUT). Call it for each model
 * and sample source. */
int cmd_input(struct cmd *cmd, const char *path);

size_t cmd_n_inputs(const struct cmd *cmd);
void cmd_input_keys(const struct cmd *cmd, size_t index,
                    struct json_writer *w); /* path, bytes, sha256 */

/* Ends the running phase and begins the next: `timings` {name: seconds}. name: a literal. Repeated
 * names add up. */
void cmd_phase(struct cmd *cmd, const char *name);

/* Gives the result, once: as text to cmd->out, as keys into the JSON document, or both with
 * --json=FILE. */
typedef void cmd_text_fn(struct cmd *cmd, const void *result, FILE *out);
typedef void cmd_json_fn(const void *result, struct json_writer *w);
void cmd_result(struct cmd *cmd, cmd_text_fn *text, cmd_json_fn *json, const void *result);

/* printf with every control character of the outcome but newline escaped. */
void cmd_print(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* E_ARGUMENTS with the nearest of the NULL-terminated names: for a first argument that is an
 * action, for --passes, ... */
int cmd_unknown(struct cmd *cmd, const char *kind, const char *given, const char *const *names);

/* The table of commands. */
const struct command *command_find(const char *name);     /* NULL when there is none */
const struct command *command_of_alias(const char *name); /* whose alias it is, or NULL */
size_t command_total(void);
const struct command *command_at(size_t index); /* in the order of cmds.def */
const struct opt_group **command_groups(struct arena *arena,
                                        const struct command *c); /* its own, then the common one */

/* All of npuprep but exit(): returns the exit status. */
int cmd_main(int argc, char **argv);
#endif
