/* From bytes to a model: map, scan, read level by level, link, sort. */
#include "onnx/load.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "onnx/loader.h"
#include "onnx/wire.h"

int load_fail(const struct loader *l, enum err id, const void *at, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct where where = {.file = l->scan.file};
    if (l->node)
        where.node = node_label(l->node);
    if (at) {
        where.offset = (uint64_t)((const unsigned char *)at - l->scan.bytes.data);
        where.has_offset = true;
    }
    return diag_report(l->ctx->diag, id, &where, "%s", text);
}

const char *load_name(struct loader *l, const char *text)
{
    return intern(l->m->names, text ? text : "");
}

const char *load_name_span(struct loader *l, struct span text)
{
    return intern_bytes(l->m->names, text.data, text.size);
}

const char *load_domain(struct loader *l, const char *text)
{
    return load_name(l, text && strcmp(text, "ai.onnx") ? text : "");
}

/* ---- the model's own fields ---- */

static const char *copy_text(struct loader *l, const char *text)
{
    return arena_string(l->m->arena, text ? text : "");
}

static int load_opsets(struct loader *l, const Onnx__ModelProto *p)
{
    struct model *m = l->m;
    for (size_t i = 0; i < p->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = p->opset_import[i];
        const char *domain = load_domain(l, o->domain);
        for (size_t k = 0; k < m->opsets.count; k++)
            if (m->opsets.data[k].domain == domain && m->opsets.data[k].version != o->version)
                return load_fail(l, E_LOAD_OPSET_TWICE, NULL,
                                 "domain '%.100s' is imported as versions %lld and %lld", domain,
                                 (long long)m->opsets.data[k].version, (long long)o->version);
        vec_push(&m->opsets, ((struct opset){domain, o->version}));
    }
    if (m->opsets.count == 0 && m->ir_version >= 3)
        load_fail(l, E_LOAD_NO_OPSET, NULL,
                  "the model imports no operator set; version 1 of ai.onnx is assumed");
    if (m->opsets.count == 0)
        vec_push(&m->opsets, ((struct opset){intern(m->names, ""), 1}));
    return 0;
}

static int load_head(struct loader *l, struct span message)
{
    uint32_t keep = PB_FIELD(1) | PB_FIELD(2) | PB_FIELD(3) | PB_FIELD(8) | PB_FIELD(14);
    const Onnx__ModelProto *p =
        pb_unpack_head(&l->pb, message, &onnx__model_proto__descriptor, keep);
    struct model *m = l->m;
    if (!p)
        return -E_LIMIT_MEMORY; /* reported */
    m->origin = message;
    m->ir_version = p->ir_version;
    m->producer_name = copy_text(l, p->producer_name);
    m->producer_version = copy_text(l, p->producer_version);
    if (m->ir_version < 1 || m->ir_version > ONNX_IR_VERSION)
        load_fail(l, E_LOAD_IR_VERSION, NULL, "the model has IR version %lld, 1 to %d are known",
                  (long long)m->ir_version, ONNX_IR_VERSION);
    for (size_t i = 0; i < p->n_metadata_props; i++)
        vec_push(&m->metadata, ((struct metadata){copy_text(l, p->metadata_props[i]->key),
                                                  copy_text(l, p->metadata_props[i]->value)}));
    int code = load_opsets(l, p);
    pb_reset(&l->pb);
    return code;
}

/* ---- after reading ---- */

/* What the edit functions marked while the graph was built is as it came. */
static void clear_marks(struct model *m)
{
    for (size_t i = 0; i < m->graphs.count; i++)
        m->graphs.data[i]->dirty = false;
    for (size_t i = 0; i < m->nodes.count; i++)
        m->nodes.data[i]->dirty = false;
    for (size_t i = 0; i < m->values.count; i++)
        m->values.data[i]->dirty = false;
    m->opsets_dirty = m->metadata_dirty = m->ir_dirty = m->functions_dirty = false;
}

static int sort(struct loader *l)
{
    if (!l->unsorted)
        return 0;
    int moved = model_sort(l->m);
    if (moved < 0)
        return moved;
    load_fail(l, E_LOAD_UNSORTED, NULL,
              "the nodes are not in topological order; they are read as if they were");
    return 0;
}

static void take_files(struct loader *l)
{
    struct mapped_file *file;
    for (size_t i = 0; (file = extfiles_take(l->files, i)); i++)
        vec_push(&l->m->external, file);
}

static int load_all(struct loader *l, struct span bytes)
{
    int code = scan_model(&l->scan, bytes);
    code = code ? code : load_head(l, bytes);
    code = code ? code : load_graph(l, wire_bytes(bytes, 7), l->m->graph, NULL);
    code = code ? code : load_functions(l, bytes);
    code = code ? code : load_link_calls(l);
    l->node = NULL;
    code = code ? code : sort(l);
    return code ? code : file_check_torn(l->ctx->diag);
}

static int load_into(struct model *m, struct ctx *ctx, struct span bytes, const char *name)
{
    struct loader l = {.ctx = ctx, .m = m, .scan = {.ctx = ctx, .file = name}};
    pb_init(&l.pb, ctx);
    l.files = extfiles_new(ctx, m->path);
    l.pending = arena_new();
    int code = load_all(&l, bytes);
    clear_marks(m);
    take_files(&l);
    extfiles_free(l.files);
    arena_free(l.pending);
    pb_release(&l.pb);
    scan_release(&l.scan);
    return code;
}

static void release_files(struct model *m)
{
    for (size_t i = 0; i < m->external.count; i++) {
        file_unmap(m->external.data[i]);
        mem_free(m->external.data[i]);
    }
    if (m->file) {
        file_unmap(m->file);
        mem_free(m->file);
    }
}

struct model *model_load_bytes(struct ctx *ctx, struct span bytes, const char *name)
{
    struct model *m = model_new(ctx);
    m->release = release_files;
    if (load_into(m, ctx, bytes, name)) {
        model_free(m);
        return NULL;
    }
    return m;
}

struct model *model_load(struct ctx *ctx, const char *path)
{
    struct mapped_file *file = mem_alloc(sizeof *file);
    if (file_map(file, path, ctx->diag)) {
        mem_free(file);
        return NULL;
    }
    struct model *m = model_new(ctx);
    m->release = release_files;
    m->file = file;
    m->path = strcmp(path, "-") ? arena_string(m->arena, path) : NULL;
    if (load_into(m, ctx, (struct span){file->data, file->size}, path)) {
        model_free(m);
        return NULL;
    }
    return m;
}
