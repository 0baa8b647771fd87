/* See pipeline.h. */
#include "cmd/pipeline.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/num.h"
#include "cmd/options_model.h"
#include "cmd/options_samples.h"
#include "ir/edit.h"
#include "onnx/load.h"

static uint64_t model_bytes(const struct model *m)
{
    uint64_t bytes = m->file ? m->file->size : 0;
    for (size_t i = 0; i < m->external.count; i++)
        bytes += m->external.data[i]->size;
    return bytes;
}

/* Until IR version 3 every initializer was also listed as an input that nobody feeds; from 4 on such
 * an entry is a default value that callers may override. IR version 7 came with operator set 13
 * (ONNX, Versioning.md), where Q/DQ per channel begin. */
static void leave_old_ir(struct model *m)
{
    struct graph *g = m->graph;
    if (m->ir_version >= 4)
        return;
    for (uint32_t i = (uint32_t)g->inputs.count; i-- > 0;)
        if (g->inputs.data[i]->constant)
            graph_remove_input(g, i);
    m->ir_version = 7;
    m->ir_dirty = true;
    graph_touch(g);
}

static int rewrite(struct pipeline *p, const struct target *target)
{
    struct infer_options infer = {0};
    ops_resolve(p->m);
    int code = model_options_apply(p->cmd, p->m, &infer);
    if (!code)
        code = model_infer(p->m, &infer, NULL);
    if (code)
        return code;
    cmd_phase(p->cmd, "rewrite");
    struct pass_plan plan = {.level = PIPELINE_LEVEL, .target = target, .quantizes = true};
    code = passes_run(p->m, &plan, &p->log);
    return code ? code : model_infer(p->m, &infer, NULL);
}

int pipeline_open(struct pipeline *p, struct cmd *cmd, const struct target *target)
{
    p->cmd = cmd, p->path = cmd->args[0];
    int code = cmd_input(cmd, p->path);
    if (!code)
        code = sample_options_get(cmd, &p->sample_options);
    if (code)
        return code;
    cmd_phase(cmd, "load");
    p->m = model_load(cmd->ctx, p->path);
    if (!p->m)
        return -E_NO_INPUT;
    p->bytes = model_bytes(p->m);
    leave_old_ir(p->m);
    code = rewrite(p, target);
    if (!code && p->sample_options.n_paths)
        code = samples_open(&p->samples, p->m, &p->sample_options, cmd->ctx);
    return code;
}

void pipeline_close(struct pipeline *p)
{
    samples_close(p->samples);
    pass_log_release(&p->log);
    model_free(p->m);
}

static int64_t source_id(const void *user, size_t k) { return samples_id(user, k); }

static int source_get(void *user, size_t k, struct arena *a, const struct tensor ***out)
{
    return samples_get(user, k, a, out);
}

struct sample_source pipeline_source(struct samples *samples)
{
    return (struct sample_source){samples_count(samples), source_id, source_get, samples};
}

/* "a,b,c" in the shortest digits. */
static const char *three(struct arena *a, const float *x)
{
    char text[3][NUM_TEXT];
    for (int i = 0; i < 3; i++)
        num_text_f32(text[i], x[i]);
    return arena_printf(a, "%s,%s,%s", text[0], text[1], text[2]);
}

static const char *recipe_images(struct arena *a, const struct image_options *o)
{
    static const char *const RESIZE[] = {"crop", "stretch", "pad"};
    char scale[NUM_TEXT];
    num_text_f32(scale, o->scale);
    return arena_printf(a, "image scale %s mean %s std %s %s %s", scale, three(a, o->mean),
                        three(a, o->std), o->bgr ? "bgr" : "rgb", RESIZE[o->resize]);
}

/* Input shapes stand for --dim and --shape; a symbol stays as its name. */
static const char *recipe_inputs(struct arena *a, const struct model *m)
{
    const char *text = "";
    for (size_t i = 0; i < m->graph->inputs.count; i++) {
        const struct value *v = m->graph->inputs.data[i];
        text = arena_printf(a, "%s; %s", text, v->name);
        for (int d = 0; v->type.kind == TYPE_TENSOR && d < v->type.rank; d++) {
            char dim[128];
            dim_text(v->type.dims[d], dim, sizeof dim);
            text = arena_printf(a, "%s%c%s", text, d ? ',' : ' ', dim);
        }
    }
    return text;
}

int pipeline_identify(const struct pipeline *p, struct stats *s)
{
    char sha[SHA256_TEXT];
    int code = sha256_file(p->path, sha, p->cmd->ctx->diag);
    if (code)
        return code;
    s->model = arena_string(s->arena, sha);
    s->isa = arena_string(s->arena, calibrate_isa(p->engine));
    s->recipe = arena_printf(s->arena, "level %d; %s%s", PIPELINE_LEVEL,
                             recipe_images(s->arena, &p->sample_options.image),
                             recipe_inputs(s->arena, p->m));
    return 0;
}

size_t pipeline_observable(const struct pipeline *p, const struct value *const **values)
{
    const struct model *m = p->m;
    const struct value **list = arena_array(p->cmd->arena, m->values.count, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        bool lives = v->producer ? !v->producer->removed : v->is_input;
        if (!v->removed && lives && v->graph == m->graph && v->type.kind == TYPE_TENSOR &&
            v->type.dtype == DT_FLOAT)
            list[n++] = v;
    }
    *values = list;
    return n;
}
