/* A graph that changed: its parts in the order of their fields. Records of inputs, outputs and
 * value_info are found by name in the origin, so documentation and metadata follow the name. */
#include <stdlib.h>
#include <string.h>

#include "onnx/saver.h"
#include "onnx/wire.h"

enum {
    NODE = 1,
    INITIALIZER = 5,
    INPUT = 11,
    OUTPUT = 12,
    VALUE_INFO = 13,
    ANNOTATION = 14,
    SPARSE = 15
};

/* Names of one kind of record in the origin -> the record's payload. */
struct records {
    struct map by_name;
    VEC(struct span) list;
};

static void find_records(struct records *r, struct span origin, uint32_t number, uint32_t name)
{
    struct wire w = wire_of(origin);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD) {
        if (f.number != number)
            continue;
        struct span key = wire_bytes(f.payload, name);
        void **slot = map_slot(&r->by_name, key.size ? key.data : NULL, key.size);
        vec_push(&r->list, f.payload);
        if (!*slot)
            *slot = (void *)(uintptr_t)r->list.count;
    }
}

static struct span record_named(const struct records *r, const char *name)
{
    size_t index = (size_t)(uintptr_t)map_get_str(&r->by_name, name);
    return index ? r->list.data[index - 1] : (struct span){NULL, 0};
}

static void release_records(struct records *r)
{
    map_release(&r->by_name);
    vec_free(&r->list);
}

/* ---- parts ---- */

static void put_initializers(struct saver *s, const struct graph *g)
{
    for (size_t i = 0; i < g->initializers.count; i++) {
        const struct value *v = g->initializers.data[i];
        if (!v->removed && v->constant && !v->sparse)
            save_tensor(s, INITIALIZER, v->constant, v->name, true);
    }
}

static void put_sparse(struct saver *s, const struct graph *g)
{
    for (size_t i = 0; i < g->initializers.count; i++) {
        const struct value *v = g->initializers.data[i];
        if (!v->removed && v->constant && v->sparse)
            save_field(s, SPARSE, v->constant->origin, &onnx__sparse_tensor_proto__descriptor);
    }
}

static void put_inputs(struct saver *s, const struct graph *g)
{
    struct records r = {0};
    find_records(&r, g->origin, INPUT, 1);
    for (size_t i = 0; i < g->inputs.count; i++)
        save_value(s, INPUT, g->inputs.data[i], record_named(&r, g->inputs.data[i]->name), true);
    release_records(&r);
}

static void put_outputs(struct saver *s, const struct graph *g)
{
    struct records r = {0};
    find_records(&r, g->origin, OUTPUT, 1);
    for (size_t i = 0; i < g->outputs.count; i++)
        save_value(s, OUTPUT, g->outputs.data[i]->value,
                   record_named(&r, g->outputs.data[i]->value->name), true);
    release_records(&r);
}

static bool is_output_of(const struct value *v, const struct graph *g)
{
    value_each_use(u, v) if (!u->node && u->graph == g) return true;
    return false;
}

static bool needs_no_declaration(const struct value *v, const struct graph *g)
{
    return v->removed || v->is_input || v->constant || is_output_of(v, g);
}

static void put_inferred(struct saver *s, const struct graph *g, const struct map *done)
{
    for (const struct node *n = g->first; n; n = n->next)
        for (uint32_t i = 0; i < n->n_outputs; i++) {
            const struct value *v = n->outputs[i];
            if (v && v->type.kind != TYPE_NONE && !needs_no_declaration(v, g) &&
                !map_has_u64(done, v->id))
                save_value(s, VALUE_INFO, v, (struct span){NULL, 0}, false);
        }
}

void save_declared(struct saver *s, uint32_t number, const struct graph *g)
{
    struct records r = {0};
    struct map done = {0};
    find_records(&r, g->origin, number, 1);
    for (size_t i = 0; i < g->declared.count; i++) {
        const struct value *v = g->declared.data[i];
        struct span record = record_named(&r, v->name);
        if (v->removed || (!record.size && needs_no_declaration(v, g)))
            continue;
        save_value(s, number, v, record.size ? record : v->origin, false);
        *map_slot_u64(&done, v->id) = &done;
    }
    if (s->options->types && !g->function)
        put_inferred(s, g, &done);
    map_release(&done);
    release_records(&r);
}

/* Annotations of values that are gone go with them. */
static void put_annotations(struct saver *s, const struct graph *g)
{
    struct records r = {0};
    struct map removed = {0};
    find_records(&r, g->origin, ANNOTATION, 1);
    for (size_t i = 0; r.list.count && i < s->m->values.count; i++)
        if (s->m->values.data[i]->graph == g && s->m->values.data[i]->removed)
            *map_slot_str(&removed, s->m->values.data[i]->name) = &removed;
    for (size_t i = 0; r.list.count && i < s->m->values.count; i++)
        if (s->m->values.data[i]->graph == g && !s->m->values.data[i]->removed)
            *map_slot_str(&removed, s->m->values.data[i]->name) = NULL; /* the name lives on */
    for (size_t i = 0; i < r.list.count; i++) {
        struct span name = wire_bytes(r.list.data[i], 1);
        if (!map_get(&removed, name.size ? name.data : NULL, name.size))
            save_field(s, ANNOTATION, r.list.data[i], &onnx__tensor_annotation__descriptor);
    }
    map_release(&removed);
    release_records(&r);
}

static int by_place(const void *a, const void *b)
{
    const struct node *const *x = a, *const *y = b;
    const unsigned char *left = (*x)->origin.data, *right = (*y)->origin.data;
    return left < right ? -1 : left > right;
}

/* In list order; while nobody touched the graph, in the order of the file, which need not be
 * topological. */
static void put_nodes(struct saver *s, const struct graph *g)
{
    VEC(const struct node *) nodes = {0};
    for (const struct node *n = g->first; n; n = n->next)
        vec_push(&nodes, n);
    if (!g->dirty && nodes.count)
        qsort(nodes.data, nodes.count, sizeof *nodes.data, by_place);
    for (size_t i = 0; i < nodes.count; i++)
        save_node(s, NODE, nodes.data[i]);
    vec_free(&nodes);
}

static void rebuild(struct saver *s, const struct graph *g)
{
    uint32_t parts = PB_FIELD(NODE) | PB_FIELD(INITIALIZER) | PB_FIELD(INPUT) | PB_FIELD(OUTPUT) |
                     PB_FIELD(VALUE_INFO) | PB_FIELD(ANNOTATION) | PB_FIELD(SPARSE);
    Onnx__GraphProto *p = save_head(s, g->origin, &onnx__graph_proto__descriptor, parts);
    if (!p)
        return;
    save_put_text(&p->name, g->name, "");
    struct span head = pb_pack(p, s->arena);
    pb_reset(&s->pb);
    struct merge m = merge_begin(s, &onnx__graph_proto__descriptor, head);
    put_nodes(s, g);
    merge_upto(&m, INITIALIZER);
    put_initializers(s, g);
    merge_upto(&m, INPUT);
    put_inputs(s, g);
    put_outputs(s, g);
    save_declared(s, VALUE_INFO, g);
    put_annotations(s, g);
    put_sparse(s, g);
    merge_end(&m);
}

void save_graph(struct saver *s, uint32_t number, const struct graph *g)
{
    plan_open(&s->plan, number);
    if (!g->dirty && g->origin.size && !s->options->roundtrip)
        save_verbatim(s, g->origin, &onnx__graph_proto__descriptor);
    else
        rebuild(s, g);
    plan_close(&s->plan);
}
