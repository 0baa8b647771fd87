/* npuprep debug reduce MODEL --check CMD -o OUT: the smallest part of a model that still fails.
 *
 * Delta debugging over the nodes of the main graph (Zeller, Hildebrandt: Simplifying and Isolating
 * Failure-Inducing Input, 2002), only ever taking away: pieces of half the nodes, then of a quarter,
 * and so on to single nodes, which are tried until none can go. Each try is loaded from the file
 * anew, cut (report/submodel.h), written to a temporary folder and given to the check. About twice
 * as many checks as nodes that cannot go, and some per piece that can.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/options_model.h"
#include "onnx/load.h"
#include "onnx/save.h"
#include "report/submodel.h"

extern char **environ;

struct debug_options {
    const char *check;
};

static const struct opt ROWS[] = {
    {OPT_AT(struct debug_options, check), .name = "check", .kind = OPT_TEXT, .value = "CMD",
     .help = "line for /bin/sh that exits with a status other than 0 where the model fails; the "
             "model's path is put behind it, or in place of {}"},
    {0}};
static const struct opt_group GROUP = {"Options", ROWS, sizeof(struct debug_options)};
static const struct opt_group *const GROUPS[] = {&GROUP, &MODEL_OPTIONS, NULL};

struct reducer {
    struct cmd *cmd;
    const char *path, *line; /* of the model; for the shell, with "$1" where the path goes */
    char folder[64], candidate[96];
    bool *keep, *trial; /* by place in the main graph */
    size_t n, kept;
    int64_t checks;
};

/* ---- the check ---- */

static const char *shell_line(struct cmd *cmd, const char *check)
{
    const char *hole = strstr(check, "{}");
    if (!hole)
        return arena_printf(cmd->arena, "%s \"$1\"", check);
    return arena_printf(cmd->arena, "%.*s\"$1\"%s", (int)(hole - check), check, hole + 2);
}

static int wait_for(pid_t child, int *status)
{
    while (waitpid(child, status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return 0;
}

/* What the check says is shown with -v only, as talk. */
static int run_shell(const struct reducer *r, int *status)
{
    posix_spawn_file_actions_t files;
    pid_t child;
    struct arena *a = r->cmd->arena;
    char *argv[] = {arena_string(a, "sh"),         arena_string(a, "-c"),
                    arena_string(a, r->line),      arena_string(a, "npuprep-check"),
                    arena_string(a, r->candidate), NULL};
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (r->cmd->ctx->verbosity > 0) {
        posix_spawn_file_actions_adddup2(&files, 2, 1);
    } else {
        posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    }
    int code = posix_spawn(&child, "/bin/sh", &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    return code || wait_for(child, status) ? -1 : 0;
}

/* 1: it fails, 0: it passes, < 0: reported. */
static int fails(struct reducer *r)
{
    enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127 }; /* of the shell, POSIX 2.8.2 */
    int status = 0;
    r->checks++;
    if (run_shell(r, &status))
        return diag_report(r->cmd->ctx->diag, E_REDUCE_COMMAND, NULL, "/bin/sh does not start: %s",
                           strerror(errno));
    int said = WIFEXITED(status) ? WEXITSTATUS(status) : 1; /* a crash is a failure */
    if (said == NOT_EXECUTABLE || said == NOT_FOUND)
        return diag_report(r->cmd->ctx->diag, E_REDUCE_COMMAND, NULL,
                           "the shell answers %d for '%s'", said, r->line);
    return said != 0;
}

/* ---- candidates ---- */

static struct model *load(struct reducer *r, struct ctx *ctx)
{
    struct infer_options infer = {0};
    struct model *m = model_load(ctx, r->path);
    if (m && !model_options_apply(r->cmd, m, &infer) && model_infer(m, &infer, NULL) >= 0)
        return m;
    model_free(m);
    return NULL;
}

static int write_part(struct reducer *r, const bool *keep, const char *path, bool force)
{
    struct ctx quiet = *r->cmd->ctx;
    quiet.diag = diag_new(NULL, NULL);
    struct model *m = load(r, &quiet);
    struct save_options options = {.force = force, .types = true};
    int code = !m || submodel_cut(m, keep) ? 1 : 0;
    if (m)
        m->ctx = r->cmd->ctx;
    code = code ? code : model_save(m, path, &options);
    model_free(m);
    diag_free(quiet.diag);
    return code;
}

/* 1: the nodes of r->trial still fail, 0: they do not, or make no model, < 0: reported. */
static int attempt(struct reducer *r)
{
    int code = ctx_check(r->cmd->ctx);
    code = code ? code : write_part(r, r->trial, r->candidate, true);
    return code < 0 ? code : code > 0 ? 0 : fails(r);
}

/* Tries without `count` kept nodes from the one on that has `skip` kept ones before it. */
static int without(struct reducer *r, size_t skip, size_t count)
{
    size_t seen = 0, left = 0;
    for (size_t i = 0; i < r->n; i++) {
        bool gone = r->keep[i] && seen >= skip && seen < skip + count;
        seen += r->keep[i];
        r->trial[i] = r->keep[i] && !gone;
        left += r->trial[i];
    }
    int code = left ? attempt(r) : 0;
    if (code > 0) {
        memcpy(r->keep, r->trial, r->n * sizeof *r->keep);
        r->kept = left;
    }
    return code;
}

/* One sweep with pieces of that size. *any: something went. */
static int sweep(struct reducer *r, size_t piece, bool *any)
{
    *any = false;
    for (size_t at = 0; at < r->kept;) {
        int code = without(r, at, piece);
        if (code < 0)
            return code;
        *any = *any || code;
        at += code ? 0 : piece;
    }
    return 0;
}

static int reduce(struct reducer *r)
{
    bool any = true;
    for (size_t piece = r->n / 2; piece > 1; piece /= 2) {
        int code = sweep(r, piece, &any);
        if (code)
            return code;
    }
    int code = 0;
    for (any = true; any && !code;)
        code = sweep(r, 1, &any);
    return code;
}

/* ---- the command ---- */

static void print_text(struct cmd *cmd, const void *result, FILE *out)
{
    const struct reducer *r = result;
    cmd_print(out, "%s: %zu of %zu nodes still fail, after %lld checks\n", cmd->common->output,
              r->kept, r->n, (long long)r->checks);
}

static void print_json(const void *result, struct json_writer *w)
{
    const struct reducer *r = result;
    jw_key_uint(w, "nodes_main_before", r->n);
    jw_key_uint(w, "nodes_main_after", r->kept);
    jw_key_int(w, "checks", r->checks);
}

static int begin(struct reducer *r)
{
    for (size_t i = 0; i < r->n; i++)
        r->keep[i] = r->trial[i] = true;
    r->kept = r->n;
    int code = attempt(r);
    if (code)
        return code < 0 ? code : 0;
    return diag_report(r->cmd->ctx->diag, E_REDUCE_PASSES, &(struct where){.file = r->path},
                       "'%s' exits with status 0 on the whole model", r->line);
}

/* After an interrupt what was reached is written all the same. */
static int work(struct reducer *r)
{
    cmd_phase(r->cmd, "reduce");
    int code = begin(r);
    if (code)
        return code;
    code = reduce(r);
    int saved = write_part(r, r->keep, r->cmd->common->output, r->cmd->common->force);
    cmd_result(r->cmd, print_text, print_json, r);
    return code ? code : saved;
}

static int open_folder(struct reducer *r)
{
    const char *parent = getenv("TMPDIR");
    if (!parent || !*parent || strlen(parent) > 30)
        parent = "/tmp";
    snprintf(r->folder, sizeof r->folder, "%s/npuprep-debug-XXXXXX", parent);
    if (!mkdtemp(r->folder))
        return diag_report(r->cmd->ctx->diag, E_CREATE, &(struct where){.file = r->folder},
                           "cannot make a temporary folder: %s", strerror(errno));
    snprintf(r->candidate, sizeof r->candidate, "%s/candidate.onnx", r->folder);
    return 0;
}

static void remove_folder(const struct reducer *r)
{
    DIR *d = opendir(r->folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(r->folder);
}

/* The number of nodes of the main graph, or a reported code. */
static int64_t count_nodes(struct reducer *r)
{
    struct model *m = load(r, r->cmd->ctx);
    if (!m)
        return -(int64_t)E_NO_INPUT;
    int64_t n = m->graph->n_nodes;
    model_free(m);
    return n;
}

static int run(struct cmd *cmd)
{
    static const char *const ACTIONS[] = {"reduce", NULL};
    const struct debug_options *o = cmd_options(cmd, &GROUP);
    struct reducer r = {.cmd = cmd};
    if (strcmp(cmd->args[0], ACTIONS[0]) != 0)
        return cmd_unknown(cmd, "action", cmd->args[0], ACTIONS);
    if (!o->check || !*o->check)
        return diag_report(cmd->ctx->diag, E_ARGUMENTS, NULL, "debug reduce needs --check CMD");
    r.path = cmd->args[1];
    r.line = shell_line(cmd, o->check);
    cmd_phase(cmd, "load");
    int code = cmd_input(cmd, r.path);
    int64_t n = code ? code : count_nodes(&r);
    if (n < 0)
        return (int)n;
    r.n = (size_t)n;
    r.keep = arena_array(cmd->arena, r.n + 1, sizeof *r.keep);
    r.trial = arena_array(cmd->arena, r.n + 1, sizeof *r.trial);
    code = open_folder(&r);
    if (code)
        return code;
    code = work(&r);
    remove_folder(&r);
    return code;
}

static const struct cmd_example EXAMPLES[] = {
    {"debug reduce model.onnx -o small.onnx --check 'npuprep run {} --data random:1 -o /dev/null'",
     "what the runtime cannot run"},
    {"debug reduce model.onnx -o small.onnx --check ./still-fine.sh --dim batch=1",
     "the same with a script of one's own"},
    {0}};

const struct command CMD_DEBUG = {
    .name = "debug",
    .summary = "find the part of a model that fails a check",
    .arguments = "reduce MODEL.onnx",
    .description =
        "reduce takes nodes away as long as the check still fails: --check is run on each "
        "candidate, and a status other than 0 means that it fails (126 and 127 mean that the "
        "check itself could not be run). What a removed node gave becomes a graph input of the "
        "inferred type, so bind free dimensions with --dim for checks that make their own data. "
        "Nodes of subgraphs and functions go with the nodes that hold or call them.\n\n"
        "The result is written to -o. Exit status 1 when the check passes on the whole model. The "
        "check's own output is shown with -v.",
    .min_args = 2,
    .max_args = 2,
    .output = OUTPUT_REQUIRED,
    .groups = GROUPS,
    .examples = EXAMPLES,
    .actions = "reduce",
    .run = run,
};
