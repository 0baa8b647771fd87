/* The JSON document around the keys of a command. The layout is that of
 * src/report/schema/common.json. */
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "cmd/frame.h"

size_t cmd_n_inputs(const struct cmd *cmd) { return cmd->frame->inputs.count; }

void cmd_input_keys(const struct cmd *cmd, size_t index, struct json_writer *w)
{
    const struct frame_input *in = &cmd->frame->inputs.data[index];
    jw_key_string(w, "path", in->path);
    jw_key_uint(w, "bytes", in->bytes);
    if (in->sha256[0])
        jw_key_string(w, "sha256", in->sha256);
}

static void write_inputs(struct cmd_frame *f)
{
    jw_key(f->json, "inputs");
    jw_array(f->json);
    for (size_t i = 0; i < f->inputs.count; i++) {
        jw_object(f->json);
        cmd_input_keys(&f->cmd, i, f->json);
        jw_end(f->json);
    }
    jw_end(f->json);
}

void envelope_begin(struct cmd_frame *f, bool with_inputs)
{
    const char *name = f->cmd.command->name;
    FILE *out = f->text_stream ? f->text_stream : stdout;
    f->json = f->json_file ? jw_new_outfile(f->json_file, 2) : jw_new_stream(out, 2);
    jw_object(f->json);
    jw_key_string(f->json, "schema", arena_printf(f->cmd.arena, "npuprep.%s/1", name));
    jw_key_string(f->json, "version", NPUPREP_VERSION);
    jw_key_string(f->json, "command", name);
    if (with_inputs)
        write_inputs(f);
}

static const char *severity_name(enum severity severity)
{
    return severity == SEVERITY_ERROR ? "error" : severity == SEVERITY_WARNING ? "warning" : "note";
}

static void write_diagnostic(struct json_writer *w, const struct diagnostic *d)
{
    char id[16];
    snprintf(id, sizeof id, "E%04d", (int)d->info->id);
    char *where = log_where(&d->where);
    jw_object(w);
    jw_key_string(w, "id", id);
    jw_key_string(w, "severity", severity_name(d->info->severity));
    jw_key_string(w, "message", d->message);
    jw_key_string(w, "where", where);
    jw_key_string(w, "hint", d->hint ? d->hint : "");
    if (d->where.file)
        jw_key_string(w, "file", d->where.file);
    if (d->where.node)
        jw_key_string(w, "node", d->where.node);
    if (d->where.tensor)
        jw_key_string(w, "tensor", d->where.tensor);
    if (d->where.has_offset)
        jw_key_uint(w, "offset", d->where.offset);
    jw_end(w);
    mem_free(where);
}

/* The clock is no finer in practice, and the text is shorter. */
static double to_microseconds(double seconds)
{
    return (double)num_round_even(seconds * 1e6) / 1e6;
}

static void write_timings(struct cmd_frame *f)
{
    jw_key(f->json, "timings");
    jw_object(f->json);
    for (size_t i = 0; i < f->phases.count; i++)
        jw_key_f64(f->json, f->phases.data[i].name, to_microseconds(f->phases.data[i].seconds));
    jw_key_f64(f->json, "total", to_microseconds(ctx_now() - f->began));
    jw_end(f->json);
}

void envelope_end(struct cmd_frame *f, int exit_status)
{
    const struct diag *diag = f->ctx.diag;
    jw_key(f->json, "diagnostics");
    jw_array(f->json);
    for (size_t i = 0; i < diag_count(diag); i++)
        write_diagnostic(f->json, diag_at(diag, i));
    jw_end(f->json);
    write_timings(f);
    jw_key_int(f->json, "exit_status", exit_status);
    jw_end(f->json);
    (void)jw_free(
        f->json); /* a stream's error shows when it is flushed, a file's when it is published */
    f->json = NULL;
}
