/* npuprep quantize: the models, their encodings and the reports. */
#include "cmd/quantize_job.h"
#include "ir/edit.h"
#include "onnx/save.h"

static int write_encodings(struct quantize_job *j)
{
    struct outfile *out;
    int code =
        outfile_open(&out, quantize_out_path(j->out, FILE_ENCODINGS), true, j->cmd->ctx->diag);
    if (code)
        return code;
    struct json_writer *w = jw_new_outfile(out, 1);
    j->encodings->write(
        &(struct encodings_source){
            .model = j->pipeline.m,
            .activation_bits = j->activation_bits,
            .weight_bits = j->weight_bits,
            .weight_symmetric = j->target->weight.symmetric,
            .per_channel = j->target->weight.per_channel,
            .method = j->o->method,
        },
        w);
    code = jw_free(w);
    if (!code)
        return outfile_commit(out);
    outfile_abort(out);
    return code;
}

static int save_model(struct quantize_job *j, enum quantize_file f)
{
    static const enum external_data EXTERNAL[] = {EXTERNAL_DATA_AUTO, EXTERNAL_DATA_NEVER,
                                                  EXTERNAL_DATA_ALWAYS};
    struct save_options o = {.external = EXTERNAL[j->o->external_data], .force = true};
    return model_save(j->pipeline.m, quantize_out_path(j->out, f), &o);
}

static int write_report(struct quantize_job *j, enum quantize_file f,
                        int (*write)(const struct quantize_report *, struct outfile *))
{
    struct outfile *out;
    int code = outfile_open(&out, quantize_out_path(j->out, f), true, j->cmd->ctx->diag);
    if (code)
        return code;
    code = write(&j->report, out);
    if (!code)
        return outfile_commit(out);
    outfile_abort(out);
    return code;
}

int quantize_write_models(struct quantize_job *j)
{
    struct model *m = j->pipeline.m;
    cmd_phase(j->cmd, "write");
    int code = save_model(j, FILE_FLOAT);
    if (!code)
        code = write_encodings(j);
    if (code)
        return code;
    cmd_phase(j->cmd, "quantize");
    report_take_plan(&j->report, j->plan);
    code = qdq_write(j->plan,
                     &(struct qdq_options){.opset = j->o->opset, .io_quantized = j->o->io == 1});
    if (code)
        return code;
    model_set_metadata(m, "npuprep.target", j->target->name);
    j->report.nodes_after = model_count_nodes(m);
    cmd_phase(j->cmd, "verify");
    code = quantize_verify_run(j);
    cmd_phase(j->cmd, "write");
    return code ? code : save_model(j, FILE_MODEL);
}

int quantize_write_reports(struct quantize_job *j)
{
    j->report.bytes_after = quantize_out_bytes(j->out);
    int code = write_report(j, FILE_REPORT_JSON, report_write_json);
    return code ? code : write_report(j, FILE_REPORT_HTML, report_write_html);
}
