/* See quantize_out.h. */
#include "cmd/quantize_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "data/data.h"
#include "report/bundle.h"

enum form { FORM_FOLDER, FORM_ONNX, FORM_ZIP };

struct quantize_out {
    struct cmd *cmd;
    enum form form;
    const char *target; /* -o */
    const char *stem;   /* of the files' names */
    struct outdir *dir;
    const char *paths[QUANTIZE_FILES];
};

static const char *const SUFFIXES[QUANTIZE_FILES] = {".onnx", ".float.onnx", ".encodings",
                                                     ".report.json", ".report.html"};

/* In a folder or archive of their own the reports need no stem. */
static const char *file_name(const struct quantize_out *o, enum quantize_file f)
{
    if (o->form != FORM_ONNX && f >= FILE_REPORT_JSON)
        return SUFFIXES[f] + 1;
    return arena_printf(o->cmd->arena, "%s%s", o->stem, SUFFIXES[f]);
}

static const char *in_folder(const struct quantize_out *o, const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    const char *copy = arena_string(o->cmd->arena, path);
    mem_free(path);
    return copy;
}

static const char *parent(const struct quantize_out *o)
{
    char *folder = path_folder(o->target);
    const char *copy = arena_string(o->cmd->arena, folder);
    mem_free(folder);
    return copy;
}

const char *quantize_out_path(const struct quantize_out *o, enum quantize_file f)
{
    return o->paths[f];
}

const char *quantize_out_place(const struct quantize_out *o, enum quantize_file f)
{
    return o->form == FORM_ZIP
               ? o->target
               : in_folder(o, o->form == FORM_ONNX ? parent(o) : o->target, file_name(o, f));
}

static int check_companions(const struct quantize_out *o)
{
    struct stat st;
    for (int f = 0; f < QUANTIZE_FILES && !o->cmd->common->force; f++) {
        const char *place = quantize_out_place(o, (enum quantize_file)f);
        if (lstat(place, &st) == 0)
            return diag_report(o->cmd->ctx->diag, E_EXISTS, &(struct where){.file = place},
                               "the file exists");
    }
    return 0;
}

static void read_form(struct quantize_out *o)
{
    struct arena *a = o->cmd->arena;
    o->stem = "model";
    o->form = path_has_suffix(o->target, ".zip") ? FORM_ZIP : FORM_FOLDER;
    if (!path_has_suffix(o->target, ".onnx"))
        return;
    const char *base = path_base(o->target);
    char *stem = arena_string(a, base);
    stem[strlen(base) - 5] = '\0';
    o->form = FORM_ONNX, o->stem = stem;
}

int quantize_out_open(struct quantize_out **out, struct cmd *cmd)
{
    struct quantize_out *o = arena_alloc(cmd->arena, sizeof *o);
    o->cmd = cmd, o->target = cmd->common->output;
    if (strcmp(o->target, "-") == 0)
        return diag_report(cmd->ctx->diag, E_QUANT_OUTPUT, NULL,
                           "several files cannot go to standard output");
    read_form(o);
    int code = o->form == FORM_ONNX ? check_companions(o) : 0;
    const char *place =
        o->form == FORM_FOLDER ? o->target : arena_printf(cmd->arena, "%s.parts", o->target);
    if (!code)
        code = outdir_open(&o->dir, place, "report.json", cmd->common->force, cmd->ctx->diag);
    if (code)
        return code;
    for (int f = 0; f < QUANTIZE_FILES; f++) {
        char *path = outdir_join(o->dir, file_name(o, (enum quantize_file)f));
        o->paths[f] = arena_string(cmd->arena, path);
        mem_free(path);
    }
    *out = o;
    return 0;
}

static bool is_model_file(const struct quantize_out *o, const char *name)
{
    size_t n = strlen(o->stem);
    return strcmp(name, file_name(o, FILE_MODEL)) == 0 ||
           (strncmp(name, o->stem, n) == 0 && name[n] == '.' && path_has_suffix(name, ".data") &&
            strncmp(name + n, ".float.", 7) != 0);
}

uint64_t quantize_out_bytes(const struct quantize_out *o)
{
    const char **names;
    size_t n;
    uint64_t bytes = 0;
    struct stat st;
    if (data_list_folder(outdir_path(o->dir), o->cmd->arena, &names, &n, o->cmd->ctx->diag))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (is_model_file(o, names[i]) &&
            stat(in_folder(o, outdir_path(o->dir), names[i]), &st) == 0)
            bytes += (uint64_t)st.st_size;
    return bytes;
}

static int move(const struct quantize_out *o, const char *name)
{
    const char *to = in_folder(o, parent(o), name);
    if (rename(in_folder(o, outdir_path(o->dir), name), to) == 0)
        return 0;
    return diag_report(o->cmd->ctx->diag, E_CREATE, &(struct where){.file = to},
                       "cannot create the file: %s", strerror(errno));
}

static int sync_folder(const struct quantize_out *o, const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) != 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return failed ? diag_report(o->cmd->ctx->diag, E_WRITE, &(struct where){.file = folder},
                                "cannot sync the folder: %s", strerror(why))
                  : 0;
}

/* What others refer to comes first, the model last. */
static int move_out(struct quantize_out *o)
{
    const char **names;
    size_t n = 0;
    const char *model = file_name(o, FILE_MODEL);
    int code = data_list_folder(outdir_path(o->dir), o->cmd->arena, &names, &n, o->cmd->ctx->diag);
    for (size_t i = 0; !code && i < n; i++)
        if (strcmp(names[i], model) != 0)
            code = move(o, names[i]);
    if (!code)
        code = sync_folder(o, parent(o));
    if (!code)
        code = move(o, model);
    return code ? code : sync_folder(o, parent(o));
}

int quantize_out_commit(struct quantize_out *o, const struct quantize_report *r,
                        const char *model_path)
{
    if (o->form == FORM_FOLDER)
        return outdir_commit(o->dir);
    struct bundle_source source = {outdir_path(o->dir), model_path, r};
    int code = o->form == FORM_ZIP
                   ? bundle_write(o->target, o->cmd->common->force, &source, o->cmd->ctx)
                   : move_out(o);
    outdir_abort(o->dir);
    return code;
}

void quantize_out_abort(struct quantize_out *o)
{
    if (o)
        outdir_abort(o->dir);
}
