/* Inside of the command frame: what the files frame*.c share. Commands do not include this. */
#ifndef CMD_FRAME_H
#define CMD_FRAME_H
#include "base/hash.h"
#include "base/vec.h"
#include "cmd/cmd.h"

struct frame_input {
    const char *path;
    uint64_t bytes;
    char sha256[SHA256_TEXT]; /* "" without --hash */
};

struct frame_phase {
    const char *name;
    double seconds;
};

struct cmd_frame {
    struct cmd cmd;
    struct ctx ctx;
    struct common_options *options;
    struct opt_set *set;
    VEC(struct frame_input) inputs;
    VEC(struct frame_phase) phases;
    size_t phase; /* the running one; SIZE_MAX: none */
    double began, phase_began;
    struct outfile *json_file; /* --json=FILE */
    struct json_writer *json;  /* NULL: no --json, or not yet begun */
    char *text;                /* what -o takes of an OUTPUT_TEXT command */
    size_t text_size;
    FILE *text_stream;
};

void frame_end_phase(struct cmd_frame *f, double now); /* of ctx_now */

/* envelope.c: begin once before the command's keys, end once behind them. */
void envelope_begin(struct cmd_frame *f, bool with_inputs);
void envelope_end(struct cmd_frame *f, int exit_status);

/* limits.c */
uint64_t limit_default_memory(
    void); /* four fifths of physical memory or of the cgroup's limit; 0 when unknown */

/* signals.c: Ctrl-C, fatal signals, no memory. */
void signals_install(void);
void signals_limit_time(double seconds); /* the process ends with status 75 a little later */

/* plan.c: what --print-config and --dry-run print. */
void plan_print_config(struct cmd_frame *f);
int plan_dry_run(struct cmd_frame *f);
void plan_json(const void *result, struct json_writer *w);

/* help.c */
void help_command(FILE *out, const struct command *c); /* -h */
void help_overview(FILE *out);
int help_width(void); /* columns to fill: COLUMNS within 40..100, else 80 */
const char *
help_default(const struct opt *o); /* to show as "(default: ...)"; NULL: nothing to say */

/* man.c, completion.c */
void man_command(FILE *out, const struct command *c);
void man_fragment(FILE *out); /* commands, common options and exit statuses, for man/npuprep.1 */
void completion_bash(FILE *out);
void completion_zsh(FILE *out);
void completion_fish(FILE *out);
#endif
