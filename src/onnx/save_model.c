/* The model and its functions. While the model's own fields are as they came, its records keep
 * their order in the file and only what changed among them is replaced. */
#include <string.h>

#include "onnx/saver.h"
#include "onnx/wire.h"

enum { GRAPH = 7, METADATA = 14, TRAINING = 20, FUNCTIONS = 25 };

static const char *normal_domain(const char *domain)
{
    return domain && strcmp(domain, "ai.onnx") ? domain : "";
}

/* ---- operator sets and metadata ---- */

typedef VEC(struct opset) opsets;

static bool same_opsets(Onnx__OperatorSetIdProto *const *list, size_t n, const struct opset *ours,
                        size_t n_ours)
{
    if (n != n_ours)
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(normal_domain(list[i]->domain), ours[i].domain) ||
            list[i]->version != ours[i].version)
            return false;
    return true;
}

static Onnx__OperatorSetIdProto **make_opsets(struct saver *s, const struct opset *ours, size_t n)
{
    Onnx__OperatorSetIdProto **list = arena_array(s->arena, n, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        list[i] = arena_alloc(s->arena, sizeof **list);
        onnx__operator_set_id_proto__init(list[i]);
        list[i]->domain = (char *)(uintptr_t)ours[i].domain; /* protobuf-c only reads it */
        list[i]->has_version = true;
        list[i]->version = ours[i].version;
    }
    return list;
}

static Onnx__StringStringEntryProto **make_metadata(struct saver *s)
{
    const struct model *m = s->m;
    Onnx__StringStringEntryProto **list = arena_array(s->arena, m->metadata.count, sizeof *list);
    for (size_t i = 0; i < m->metadata.count; i++) {
        list[i] = arena_alloc(s->arena, sizeof **list);
        onnx__string_string_entry_proto__init(list[i]);
        list[i]->key = (char *)(uintptr_t)m->metadata.data[i].key;
        list[i]->value = (char *)(uintptr_t)m->metadata.data[i].value;
    }
    return list;
}

/* ---- functions ---- */

static void put_signature(struct saver *s, Onnx__FunctionProto *p, const struct function *f)
{
    const struct graph *g = f->body;
    p->n_input = g->inputs.count;
    p->input = arena_array(s->arena, p->n_input, sizeof *p->input);
    for (size_t i = 0; i < p->n_input; i++)
        p->input[i] = (char *)(uintptr_t)g->inputs.data[i]->name;
    p->n_output = g->outputs.count;
    p->output = arena_array(s->arena, p->n_output, sizeof *p->output);
    for (size_t i = 0; i < p->n_output; i++)
        p->output[i] = (char *)(uintptr_t)g->outputs.data[i]->value->name;
    if (!same_opsets(p->opset_import, p->n_opset_import, f->opsets.data, f->opsets.count)) {
        p->n_opset_import = f->opsets.count;
        p->opset_import = make_opsets(s, f->opsets.data, f->opsets.count);
    }
}

static void rebuild_function(struct saver *s, const struct function *f)
{
    uint32_t children = PB_FIELD(4) | PB_FIELD(5) | PB_FIELD(7) | PB_FIELD(11) | PB_FIELD(12);
    Onnx__FunctionProto *p = save_head(s, f->origin, &onnx__function_proto__descriptor, children);
    if (!p)
        return;
    put_signature(s, p, f);
    save_put_text(&p->name, f->name, "");
    save_put_text(&p->overload, f->overload, "");
    if (strcmp(normal_domain(p->domain), f->domain))
        p->domain = (char *)(uintptr_t)f->domain;
    struct span head = pb_pack(p, s->arena);
    pb_reset(&s->pb);
    struct merge m = merge_begin(s, &onnx__function_proto__descriptor, head);
    merge_upto(&m, 7);
    for (const struct node *n = f->body->first; n; n = n->next)
        save_node(s, 7, n);
    merge_upto(&m, 11);
    for (size_t i = 0; i < f->defaults.count; i++)
        save_attr(s, 11, f->defaults.data[i]);
    save_declared(s, 12, f->body);
    merge_end(&m);
}

static void save_function(struct saver *s, const struct function *f)
{
    if (f->removed)
        return;
    plan_open(&s->plan, FUNCTIONS);
    if (!f->body->dirty && f->origin.size && !s->options->roundtrip)
        save_verbatim(s, f->origin, &onnx__function_proto__descriptor);
    else
        rebuild_function(s, f);
    plan_close(&s->plan);
}

/* ---- the model ---- */

static bool head_is_clean(const struct model *m)
{
    return m->origin.size && !m->opsets_dirty && !m->metadata_dirty && !m->ir_dirty;
}

static bool all_clean(const struct saver *s)
{
    const struct model *m = s->m;
    bool clean =
        head_is_clean(m) && !m->graph->dirty && !m->functions_dirty && !s->options->roundtrip;
    for (size_t i = 0; clean && i < m->functions.count; i++)
        clean = !m->functions.data[i]->removed && !m->functions.data[i]->body->dirty;
    return clean && !(s->options->types && m->graph->first);
}

/* Records in the order of the file. The i-th function record is the i-th function read. */
static void replace_records(struct saver *s)
{
    struct wire w = wire_of(s->m->origin);
    struct field f;
    size_t function = 0;
    while (wire_next(&w, &f) == WIRE_FIELD) {
        if (f.number == GRAPH)
            save_graph(s, GRAPH, s->m->graph);
        else if (f.number == FUNCTIONS)
            save_function(s, s->m->functions.data[function++]);
        else if (f.number == TRAINING)
            save_field(s, TRAINING, f.payload, &onnx__training_info_proto__descriptor);
        else
            plan_bytes(&s->plan, f.record);
    }
    for (; function < s->m->functions.count; function++)
        save_function(s, s->m->functions.data[function]);
}

static void put_head(struct saver *s, Onnx__ModelProto *p)
{
    const struct model *m = s->m;
    p->has_ir_version = p->has_ir_version || m->ir_version;
    p->ir_version = m->ir_version;
    bool assumed =
        s->m->origin.size && !p->n_opset_import && !m->opsets_dirty; /* none in the file */
    if (!assumed &&
        !same_opsets(p->opset_import, p->n_opset_import, m->opsets.data, m->opsets.count)) {
        p->n_opset_import = m->opsets.count;
        p->opset_import = make_opsets(s, m->opsets.data, m->opsets.count);
    }
    save_put_text(&p->producer_name, m->producer_name, "");
    save_put_text(&p->producer_version, m->producer_version, "");
    if (m->metadata_dirty || !m->origin.size) {
        p->n_metadata_props = m->metadata.count;
        p->metadata_props = make_metadata(s);
    }
}

static void put_training(struct saver *s)
{
    struct wire w = wire_of(s->m->origin);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == TRAINING)
            save_field(s, TRAINING, f.payload, &onnx__training_info_proto__descriptor);
}

static void rebuild(struct saver *s)
{
    uint32_t children = PB_FIELD(GRAPH) | PB_FIELD(TRAINING) | PB_FIELD(FUNCTIONS);
    Onnx__ModelProto *p = save_head(s, s->m->origin, &onnx__model_proto__descriptor, children);
    if (!p)
        return;
    put_head(s, p);
    struct span head = pb_pack(p, s->arena);
    pb_reset(&s->pb);
    struct merge m = merge_begin(s, &onnx__model_proto__descriptor, head);
    merge_upto(&m, GRAPH);
    save_graph(s, GRAPH, s->m->graph);
    merge_upto(&m, TRAINING);
    put_training(s);
    merge_upto(&m, FUNCTIONS);
    for (size_t i = 0; i < s->m->functions.count; i++)
        save_function(s, s->m->functions.data[i]);
    merge_end(&m);
}

void save_model(struct saver *s)
{
    if (all_clean(s))
        save_verbatim(s, s->m->origin, &onnx__model_proto__descriptor);
    else if (head_is_clean(s->m) && !s->options->roundtrip)
        replace_records(s);
    else
        rebuild(s);
}
