/* What the frame offers to a running command. */
#include "cmd/cmd.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/frame.h"

void *cmd_options(const struct cmd *cmd, const struct opt_group *group)
{
    return opt_values(cmd->frame->set, group);
}

/* Of a file; of a folder, its files together. */
static uint64_t input_bytes(const char *path, const struct stat *st)
{
    if (!S_ISDIR(st->st_mode))
        return S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
    uint64_t bytes = 0;
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        struct stat inside;
        if (fstatat(dirfd(dir), e->d_name, &inside, 0) == 0 && S_ISREG(inside.st_mode))
            bytes += (uint64_t)inside.st_size;
    }
    if (dir)
        closedir(dir);
    return bytes;
}

int cmd_input(struct cmd *cmd, const char *path)
{
    struct cmd_frame *f = cmd->frame;
    struct frame_input in = {.path = arena_string(cmd->arena, path)};
    struct stat st = {0};
    if (strcmp(path, "-") != 0 && stat(path, &st) != 0)
        return diag_report(cmd->ctx->diag, E_NO_INPUT, &(struct where){.file = path},
                           "cannot open the file: %s", strerror(errno));
    in.bytes = input_bytes(path, &st);
    int code =
        f->options->hash && S_ISREG(st.st_mode) ? sha256_file(path, in.sha256, cmd->ctx->diag) : 0;
    vec_push(&f->inputs, in);
    return code;
}

void frame_end_phase(struct cmd_frame *f, double now)
{
    if (f->phase != SIZE_MAX)
        f->phases.data[f->phase].seconds += now - f->phase_began;
    f->phase = SIZE_MAX;
}

void cmd_phase(struct cmd *cmd, const char *name)
{
    struct cmd_frame *f = cmd->frame;
    double now = ctx_now();
    frame_end_phase(f, now);
    f->phase_began = now;
    size_t i = 0;
    while (i < f->phases.count && strcmp(f->phases.data[i].name, name) != 0)
        i++;
    if (i == f->phases.count)
        vec_push(&f->phases, ((struct frame_phase){name, 0}));
    f->phase = i;
    log_line(LOG_DEBUG, "%s", name);
}

void cmd_result(struct cmd *cmd, cmd_text_fn *text, cmd_json_fn *json, const void *result)
{
    struct cmd_frame *f = cmd->frame;
    if (!f->options->json || f->json_file)
        text(cmd, result, cmd->out);
    if (!f->options->json)
        return;
    envelope_begin(f, !cmd->command->own_inputs || json == plan_json);
    json(result, f->json);
}

void cmd_print(FILE *out, const char *format, ...)
{
    struct arena *a = arena_new();
    va_list args;
    va_start(args, format);
    char *safe = text_printable(arena_vprintf(a, format, args), true);
    va_end(args);
    fputs(safe, out);
    mem_free(safe);
    arena_free(a);
}

/* "a, b, c" of the first few. */
static const char *list_names(struct arena *a, const char *const *names)
{
    enum { SHOWN = 8 };
    const char *text = "";
    for (size_t i = 0; names[i]; i++) {
        if (i == SHOWN)
            return arena_printf(a, "%s, ...", text);
        text = arena_printf(a, "%s%s%s", text, i ? ", " : "", names[i]);
    }
    return text;
}

int cmd_unknown(struct cmd *cmd, const char *kind, const char *given, const char *const *names)
{
    const char *near = text_nearest(given, names);
    const char *hint =
        near     ? arena_printf(cmd->arena, "did you mean '%s'?", near)
        : *names ? arena_printf(cmd->arena, "there are: %s", list_names(cmd->arena, names))
                 : arena_printf(cmd->arena, "there is no %s at all", kind);
    return diag_report_hint(cmd->ctx->diag, E_UNKNOWN_NAME, NULL, hint, "unknown %s '%s'", kind,
                            given);
}
