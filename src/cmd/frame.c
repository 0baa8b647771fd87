/* One command from argv to its exit status: parse, set limits, run, report.
 *
 * Order that matters: options before anything is opened; --json and -o are checked before the work;
 * the JSON document and the text of -o are published last, also after a failure (a document then
 * holds only inputs and diagnostics).
 */
#include "cmd/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/text.h"

enum { INTERRUPTED_STATUS = 130 }; /* 128 + SIGINT, as shells report it */

/* ---- setting up ---- */

static bool is_option_of_any(const char *name)
{
    struct arena *a = arena_new();
    bool known = false;
    for (size_t i = 0; i < command_total() && !known; i++)
        known = opt_find(command_groups(a, command_at(i)), name) != NULL;
    arena_free(a);
    return known;
}

/* A misspelt variable would else be passed over in silence. */
static void warn_of_unknown_variables(struct cmd_frame *f)
{
    extern char **environ;
    for (char **e = environ; *e; e++) {
        size_t length = strcspn(*e, "=");
        if (strncmp(*e, "NPUPREP_", 8) != 0 || length < 9)
            continue;
        char *name = arena_alloc(f->cmd.arena, length - 8 + 1);
        for (size_t i = 8; i < length; i++)
            name[i - 8] = (*e)[i] == '_'
                              ? '-'
                              : (char)((*e)[i] >= 'A' && (*e)[i] <= 'Z' ? (*e)[i] + 32 : (*e)[i]);
        if (!is_option_of_any(name))
            diag_report(f->ctx.diag, E_UNKNOWN_VARIABLE, NULL, "no option is named '%s'", name);
    }
}

static int count_arguments(struct cmd_frame *f)
{
    const struct command *c = f->cmd.command;
    size_t n = f->cmd.n_args;
    if (n >= (size_t)c->min_args && (c->max_args < 0 || n <= (size_t)c->max_args))
        return 0;
    return diag_report_hint(
        f->ctx.diag, E_ARGUMENTS, NULL,
        arena_printf(f->cmd.arena, "usage: npuprep %s [options] %s", c->name, c->arguments),
        "%s takes %s%d argument%s, %zu given", c->name,
        c->max_args == c->min_args ? ""
        : n < (size_t)c->min_args  ? "at least "
                                   : "at most ",
        n < (size_t)c->min_args ? c->min_args : c->max_args,
        (n < (size_t)c->min_args ? c->min_args : c->max_args) == 1 ? "" : "s", n);
}

static int parse_options(struct cmd_frame *f, int argc, char **argv)
{
    struct diag *diag = f->ctx.diag;
    struct opt_list args = {0};
    int code = opt_parse_args(f->set, argc, argv, &args, diag);
    f->cmd.args = args.items;
    f->cmd.n_args = args.count;
    if (!code && !f->options->help)
        code = opt_parse_environment(f->set, diag);
    if (!code && !f->options->help && f->options->config)
        code = opt_parse_config(f->set, f->options->config, is_option_of_any, diag);
    return code;
}

static void apply_limits(struct cmd_frame *f)
{
    const struct common_options *o = f->options;
    uint64_t memory = o->max_memory ? o->max_memory : limit_default_memory();
    mem_set_limit(memory > SIZE_MAX ? SIZE_MAX : (size_t)memory);
    f->ctx.threads = o->threads ? (int)o->threads : pool_allowed_threads();
    f->ctx.verbosity = o->quiet ? LOG_QUIET : (int)o->verbose;
    f->ctx.max_nodes = o->max_nodes;
    f->ctx.deadline = o->timeout > 0 ? ctx_now() + o->timeout : 0;
    f->ctx.allow_nonfinite = o->allow_nonfinite;
    f->ctx.external = (enum external_mode)o->external;
    f->ctx.external_roots = o->external_root.items;
    if (o->timeout > 0)
        signals_limit_time(o->timeout);
    f->ctx.pool = pool_new(f->ctx.threads);
    f->ctx.progress = o->quiet ? NULL : progress_new();
}

/* ---- outputs ---- */

/* Refused before the work rather than after it. */
static int check_output(struct cmd_frame *f)
{
    const struct common_options *o = f->options;
    enum cmd_output kind = f->cmd.command->output;
    struct stat st;
    if (kind == OUTPUT_REQUIRED && !o->output)
        return diag_report_hint(f->ctx.diag, E_USAGE, NULL, "add -o PATH", "%s needs an output",
                                f->cmd.command->name);
    if (kind != OUTPUT_TEXT && o->output && !strcmp(o->output, "-") && o->json && !*o->json)
        return diag_report_hint(f->ctx.diag, E_USAGE, NULL,
                                "write the document to a file: --json=FILE",
                                "-o - and --json both want standard output");
    if (o->output && !o->force && strcmp(o->output, "-") != 0 && stat(o->output, &st) == 0 &&
        S_ISREG(st.st_mode))
        return diag_report(f->ctx.diag, E_EXISTS, &(struct where){.file = o->output},
                           "the file exists");
    return 0;
}

static int open_outputs(struct cmd_frame *f)
{
    const struct common_options *o = f->options;
    int code = check_output(f);
    if (code)
        return code;
    bool to_stdout = o->output && !strcmp(o->output, "-");
    f->cmd.out = to_stdout && f->cmd.command->output != OUTPUT_TEXT ? stderr : stdout;
    if (f->cmd.command->output == OUTPUT_TEXT && o->output && !to_stdout)
        f->cmd.out = f->text_stream = open_memstream(&f->text, &f->text_size);
    if (o->json && *o->json && strcmp(o->json, "-") != 0)
        return outfile_open(&f->json_file, o->json, o->force, f->ctx.diag);
    return 0;
}

static int close_json(struct cmd_frame *f, int exit_status)
{
    if (!f->options->json || f->options->help || f->options->print_config)
        return 0;
    if (!f->json)
        envelope_begin(f, true);
    envelope_end(f, exit_status);
    struct outfile *file = f->json_file;
    f->json_file = NULL;
    return file ? outfile_commit(file) : 0;
}

/* Text of -o appears only when the command did what it was asked. */
static int close_text(struct cmd_frame *f, bool keep)
{
    if (!f->text_stream)
        return 0;
    fclose(f->text_stream);
    int code = keep ? outfile_save(f->options->output, f->text, f->text_size, f->options->force,
                                   f->ctx.diag)
                    : 0;
    free(f->text); /* open_memstream's */
    return code;
}

static int flush_stdout(struct cmd_frame *f)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return diag_report(f->ctx.diag, E_WRITE, NULL, "cannot write standard output: %s",
                       strerror(errno));
}

/* The first error that was reported decides: later ones are its consequences. */
static int first_error(const struct diag *diag, int code)
{
    for (size_t i = 0; i < diag_count(diag); i++)
        if (diag_at(diag, i)->info->severity == SEVERITY_ERROR)
            return (int)diag_at(diag, i)->info->id;
    return -code;
}

static int status_of(const struct cmd_frame *f, int code)
{
    int error = code > 0 ? 0 : first_error(f->ctx.diag, code);
    if (code > 0 || error == 0)
        return code;
    return error == (int)E_INTERRUPTED ? INTERRUPTED_STATUS : (int)err_find(error)->exit;
}

/* ---- running ---- */

static int run(struct cmd_frame *f)
{
    const struct common_options *o = f->options;
    int code = count_arguments(f);
    if (!code)
        code = open_outputs(f);
    if (code)
        return code;
    warn_of_unknown_variables(f);
    apply_limits(f);
    if (o->dry_run && !f->cmd.command->plans)
        return plan_dry_run(f);
    code = f->cmd.command->run(&f->cmd);
    frame_end_phase(f, ctx_now());
    return code ? code : file_check_torn(f->ctx.diag);
}

static int finish(struct cmd_frame *f, int code)
{
    progress_free(f->ctx.progress);
    f->ctx.progress = NULL;
    int status = status_of(f, code);
    int closed = close_json(f, status);
    if (!closed)
        closed = close_text(f, status == 0 || status == EXIT_GATE);
    if (!closed)
        closed = flush_stdout(f);
    if (closed && (status == 0 || status == EXIT_GATE))
        status = status_of(f, closed);
    log_line(LOG_VERBOSE, "%.2f s, heap at most %.1f MB", ctx_now() - f->began,
             (double)mem_peak() / 1e6);
    return status;
}

static int run_parsed(struct cmd_frame *f, int code)
{
    log_setup(f->options->quiet ? LOG_QUIET : (enum log_level)f->options->verbose,
              (enum color)f->options->color);
    if (code)
        return finish(f, code);
    if (f->options->help) {
        help_command(stdout, f->cmd.command);
        return finish(f, 0);
    }
    if (f->options->print_config) {
        plan_print_config(f);
        return finish(f, 0);
    }
    return finish(f, run(f));
}

static void sink(void *user, const struct diagnostic *d)
{
    (void)user;
    log_diagnostic(d);
}

static int run_command(const struct command *c, int argc, char **argv)
{
    struct cmd_frame f = {.phase = SIZE_MAX, .began = ctx_now()};
    struct arena *arena = arena_new();
    f.set = opt_set_new(arena, command_groups(arena, c));
    f.options = opt_values(f.set, &COMMON_OPTIONS);
    f.ctx.diag = diag_new(sink, NULL);
    f.cmd = (struct cmd){.command = c,
                         .common = f.options,
                         .ctx = &f.ctx,
                         .arena = arena,
                         .out = stdout,
                         .frame = &f};
    int status = run_parsed(&f, parse_options(&f, argc, argv));
    pool_free(f.ctx.pool);
    outfile_abort(f.json_file);
    vec_free(&f.inputs);
    vec_free(&f.phases);
    diag_free(f.ctx.diag);
    arena_free(arena);
    return status;
}

static int unknown_command(const char *name)
{
    struct nearest near = {0};
    struct diag *diag = diag_new(sink, NULL);
    for (size_t i = 0; i < command_total(); i++)
        nearest_try(&near, name, command_at(i)->name);
    struct arena *a = arena_new();
    diag_report_hint(diag, E_UNKNOWN_COMMAND, NULL,
                     near.best ? arena_printf(a, "did you mean 'npuprep %s'?", near.best) : NULL,
                     "unknown command '%s'", name);
    arena_free(a);
    diag_free(diag);
    return EXIT_USAGE;
}

/* A closed standard stream would give its number to the first file opened, and messages would go
 * there. */
static void fill_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int cmd_main(int argc, char **argv)
{
    fill_standard_streams();
    signals_install();
    const char *name = argc > 1 ? argv[1] : "";
    if (argc < 2) {
        help_overview(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        printf("npuprep %s\n", NPUPREP_VERSION);
        return fflush(stdout) ? EXIT_IO : 0;
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h"))
        name = "help";
    const struct command *c = command_find(name), *owner = command_of_alias(name);
    if (!c && owner)
        return run_command(owner, argc - 1, argv + 1); /* the alias is its first argument */
    return c ? run_command(c, argc - 2, argv + 2) : unknown_command(name);
}
