/* GraphProto to struct graph, in two turns: first every name the graph defines (inputs,
 * initializers, node outputs), then every use of a name. So a node may read what stands further
 * down, as some exporters write and ONNX Runtime accepts; load.c sorts such models. Between the
 * turns node->mark holds the node's input names; NULL means: read.
 *
 * Names resolve from the inside out; a body that defines a name of its surroundings again hides it
 * there.
 */
#include <string.h>

#include "onnx/loader.h"
#include "onnx/wire.h"

typedef VEC(struct span) spans;

/* The parts of a graph, by field number, in file order. */
struct parts {
    spans nodes, initializers, inputs, outputs, declared, sparse;
};

static spans *part(struct parts *p, uint32_t number)
{
    switch (number) {
    case 1:
        return &p->nodes;
    case 5:
        return &p->initializers;
    case 11:
        return &p->inputs;
    case 12:
        return &p->outputs;
    case 13:
        return &p->declared;
    case 15:
        return &p->sparse;
    default:
        return NULL;
    }
}

static void find_parts(struct parts *p, struct span graph)
{
    struct wire w = wire_of(graph);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD) {
        spans *list = part(p, f.number);
        if (list)
            vec_push(list, f.payload);
    }
}

static void release_parts(struct parts *p)
{
    vec_free(&p->nodes);
    vec_free(&p->initializers);
    vec_free(&p->inputs);
    vec_free(&p->outputs);
    vec_free(&p->declared);
    vec_free(&p->sparse);
}

/* ---- scopes ---- */

struct value *scope_find(const struct scope *s, const char *name)
{
    struct value *v = NULL;
    for (; s && !v; s = s->outer)
        v = map_get_u64(&s->values, (uintptr_t)name);
    return v;
}

struct value *scope_define(struct loader *l, struct scope *s, const char *name, const void *at)
{
    if (!name[0]) {
        load_fail(l, E_LOAD_NO_NAME, at, "a value of graph '%.100s' has no name", s->graph->name);
        return NULL;
    }
    if (!l->warned_shadow && scope_find(s->outer, name)) {
        l->warned_shadow = true;
        load_fail(l, E_LOAD_SHADOW, at,
                  "'%.100s' in graph '%.100s' hides a value of the graph around it", name,
                  s->graph->name);
    }
    void **slot = map_slot_u64(&s->values, (uintptr_t)name);
    if (*slot) {
        load_fail(l, E_LOAD_NAME_TWICE, at, "'%.100s' is defined twice in graph '%.100s'", name,
                  s->graph->name);
        return NULL;
    }
    struct value *v = value_named(s->graph, name);
    *slot = v;
    return v;
}

/* ---- inputs and initializers ---- */

int load_declared(struct loader *l, struct scope *s, struct span message)
{
    const char *name = load_name_span(l, wire_bytes(message, 1));
    struct value *v = scope_find(s, name);
    if (!v) /* nothing produces it: kept, as everything unused */
        v = value_named(s->graph, name);
    else if (v->origin.size || v->graph != s->graph) {
        vec_push(&s->graph->declared, v);
        return 0;
    }
    vec_push(&s->graph->declared, v);
    if (v->constant) {
        v->origin = message;
        return 0;
    }
    return load_value_type(l, v, message);
}

static int load_input(struct loader *l, struct scope *s, struct span message)
{
    struct value *v = scope_define(l, s, load_name_span(l, wire_bytes(message, 1)), message.data);
    if (!v)
        return -E_LOAD_NAME_TWICE; /* reported */
    v->is_input = true;
    vec_push(&s->graph->inputs, v);
    return load_value_type(l, v, message);
}

/* The value that an initializer names: an input with that name, which it makes optional, or a new
 * one. */
static struct value *constant_value(struct loader *l, struct scope *s, struct span name,
                                    const void *at)
{
    const char *text = load_name_span(l, name);
    struct value *v = map_get_u64(&s->values, (uintptr_t)text);
    if (v && v->is_input && !v->constant)
        return v;
    v = scope_define(l, s, text, at);
    if (v && l->m->ir_version < 4 && !l->warned_input && !s->outer) {
        l->warned_input = true;
        load_fail(l, E_LOAD_NOT_INPUT, at,
                  "initializer '%.100s' is no graph input, as IR version %lld wants", text,
                  (long long)l->m->ir_version);
    }
    return v;
}

static int set_constant(struct value *v, struct tensor *t)
{
    struct type declared = v->type;
    value_set_constant(v, t);
    if (v->is_input && declared.kind != TYPE_NONE)
        v->type = declared; /* whoever runs the model may give another tensor of that type */
    return 0;
}

static int load_initializer(struct loader *l, struct scope *s, struct span message)
{
    struct value *v = constant_value(l, s, wire_bytes(message, 8), message.data);
    struct tensor *t = v ? load_tensor(l, message) : NULL;
    return t ? set_constant(v, t) : -E_LOAD_NO_NAME; /* reported */
}

/* dims and element type only: nothing here computes with sparse tensors. */
static int load_sparse(struct loader *l, struct scope *s, struct span message)
{
    struct span values = wire_bytes(message, 1);
    struct value *v = constant_value(l, s, wire_bytes(values, 8), message.data);
    const Onnx__SparseTensorProto *p =
        pb_unpack_head(&l->pb, message, &onnx__sparse_tensor_proto__descriptor, PB_FIELD(3));
    if (!v || !p)
        return -E_LOAD_NO_NAME; /* reported */
    struct tensor *t = tensor_view(l->m->arena, (enum dtype)wire_number(values, 2, 0),
                                   (int)p->n_dims, p->dims, NULL);
    pb_reset(&l->pb);
    if (!t)
        return load_fail(l, E_SCAN_OVERFLOW, message.data,
                         "the dims of sparse initializer '%.100s' are too large", v->name);
    t->origin = message;
    v->sparse = true;
    set_constant(v, t);
    v->type.kind = TYPE_SPARSE;
    return 0;
}

/* ---- nodes ---- */

static int define_outputs(struct loader *l, struct scope *s, struct node *n, char *const *names)
{
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        if (!names[i][0])
            continue;
        struct value *v = scope_define(l, s, load_name(l, names[i]), n->origin.data);
        if (!v)
            return -E_LOAD_NAME_TWICE; /* reported */
        v->producer = n;
        v->slot = i;
        n->outputs[i] = v;
    }
    return 0;
}

static void keep_input_names(struct loader *l, struct node *n, char *const *names)
{
    const char **list = arena_array(l->pending, n->n_inputs, sizeof *list);
    for (uint32_t i = 0; i < n->n_inputs; i++)
        list[i] = names[i][0] ? load_name(l, names[i]) : NULL;
    n->mark = list;
}

static int create_node(struct loader *l, struct scope *s, struct span message)
{
    const Onnx__NodeProto *p = pb_unpack_head(&l->pb, message, &onnx__node_proto__descriptor,
                                              PB_FIELD(1) | PB_FIELD(2) | PB_FIELD(3) |
                                                  PB_FIELD(4) | PB_FIELD(7) | PB_FIELD(8));
    if (!p)
        return -E_LIMIT_MEMORY; /* reported */
    if (!p->op_type || !p->op_type[0])
        return load_fail(l, E_LOAD_NO_OP, message.data, "node '%.100s' has no operator type",
                         p->name ? p->name : "");
    struct node *n = node_new(s->graph, p->op_type, load_domain(l, p->domain), (uint32_t)p->n_input,
                              (uint32_t)p->n_output);
    n->name = load_name(l, p->name);
    n->overload = load_name(l, p->overload);
    n->origin = message;
    node_append(n);
    l->node = n;
    keep_input_names(l, n, p->input);
    int code = define_outputs(l, s, n, p->output);
    pb_reset(&l->pb);
    return code;
}

static int connect(struct loader *l, struct scope *s, struct node *n)
{
    const char *const *names = n->mark;
    l->node = n;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        if (!names[i])
            continue;
        struct value *v = scope_find(s, names[i]);
        if (!v)
            return load_fail(l, E_LOAD_UNDEFINED, n->origin.data,
                             "input %u is '%.100s', which nothing produces", i, names[i]);
        l->unsorted |= v->producer && v->producer->mark;
        node_set_input(n, i, v);
    }
    int code = load_attrs(l, n, s);
    n->mark = NULL;
    return code;
}

int load_nodes(struct loader *l, struct scope *s, const struct span *nodes, size_t count)
{
    enum { BETWEEN_CHECKS = 1024 };
    struct node *outer = l->node;
    int code = 0;
    for (size_t i = 0; !code && i < count; i++) {
        code = create_node(l, s, nodes[i]);
        if (!code && i % BETWEEN_CHECKS == BETWEEN_CHECKS - 1)
            code = ctx_check(l->ctx);
    }
    if (!code)
        for (struct node *n = s->graph->first; n && !code; n = n->next)
            code = connect(l, s, n);
    l->node = outer;
    return code;
}

/* ---- the graph ---- */

static int load_output(struct loader *l, struct scope *s, struct span message)
{
    const char *name = load_name_span(l, wire_bytes(message, 1));
    struct value *v = scope_find(s, name);
    if (!v)
        return load_fail(l, E_LOAD_OUTPUT, message.data,
                         "output '%.100s' of graph '%.100s' is not produced", name, s->graph->name);
    graph_add_output(s->graph, v);
    bool own = v->graph == s->graph && !v->is_input && !v->constant && !v->origin.size;
    return own ? load_value_type(l, v, message) : 0;
}

static int each(struct loader *l, struct scope *s, const spans *list,
                int (*load)(struct loader *l, struct scope *s, struct span message))
{
    int code = 0;
    for (size_t i = 0; !code && i < list->count; i++)
        code = load(l, s, list->data[i]);
    return code;
}

static int load_parts(struct loader *l, struct scope *s, const struct parts *p)
{
    int code = each(l, s, &p->inputs, load_input);
    code = code ? code : each(l, s, &p->initializers, load_initializer);
    code = code ? code : each(l, s, &p->sparse, load_sparse);
    code = code ? code : load_nodes(l, s, p->nodes.data, p->nodes.count);
    code = code ? code : each(l, s, &p->outputs, load_output);
    return code ? code : each(l, s, &p->declared, load_declared);
}

/* Recursion through load_attr ends at the scan's depth limit. */
int load_graph(struct loader *l, struct span message, struct graph *g, struct scope *outer)
{
    struct scope s = {.outer = outer, .graph = g};
    struct parts p = {0};
    g->origin = message;
    g->name = load_name_span(l, wire_bytes(message, 2));
    find_parts(&p, message);
    int code = load_parts(l, &s, &p);
    release_parts(&p);
    map_release(&s.values);
    return code;
}
