/* Model-local functions: reading them, linking the nodes that call them, and refusing recursion. A
 * call chain of thousands of functions is as deadly to whoever inlines it as a cycle: both limits
 * are those of onnx's checker. */
#include <string.h>

#include "onnx/loader.h"
#include "onnx/wire.h"

enum { MAX_FUNCTIONS = 10000, MAX_CALL_DEPTH = 100 }; /* onnx/checker.cc, release 1.22 */

/* ---- reading ---- */

static int define_inputs(struct loader *l, struct scope *s, const Onnx__FunctionProto *p)
{
    for (size_t i = 0; i < p->n_input; i++) {
        struct value *v = scope_define(l, s, load_name(l, p->input[i]), s->graph->origin.data);
        if (!v)
            return -E_LOAD_NAME_TWICE; /* reported */
        v->is_input = true;
        vec_push(&s->graph->inputs, v);
    }
    return 0;
}

static int connect_outputs(struct loader *l, struct scope *s)
{
    struct wire w = wire_of(s->graph->origin);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD) {
        if (f.number != 5)
            continue;
        const char *name = load_name_span(l, f.payload);
        struct value *v = scope_find(s, name);
        if (!v)
            return load_fail(l, E_LOAD_OUTPUT, f.record.data,
                             "output '%.100s' of function '%.100s' is not produced", name,
                             s->graph->name);
        graph_add_output(s->graph, v);
    }
    return 0;
}

static int load_nested(struct loader *l, struct scope *s)
{
    VEC(struct span) nodes = {0};
    struct wire w = wire_of(s->graph->origin);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == 7)
            vec_push(&nodes, f.payload);
    int code = load_nodes(l, s, nodes.data, nodes.count);
    vec_free(&nodes);
    return code;
}

static int load_rest(struct loader *l, struct scope *s)
{
    struct function *fn = s->graph->function;
    struct wire w = wire_of(s->graph->origin);
    struct field f;
    int code = connect_outputs(l, s);
    while (!code && wire_next(&w, &f) == WIRE_FIELD) {
        if (f.number == 12)
            code = load_declared(l, s, f.payload);
        if (f.number != 11)
            continue;
        struct attr *a = load_attr(l, f.payload, s);
        if (!a)
            return -E_LOAD_ATTRIBUTE; /* reported */
        vec_push(&fn->defaults, a);
    }
    return code;
}

static int load_head(struct loader *l, struct function *fn, struct scope *s)
{
    uint32_t keep =
        PB_FIELD(1) | PB_FIELD(4) | PB_FIELD(6) | PB_FIELD(9) | PB_FIELD(10) | PB_FIELD(13);
    const Onnx__FunctionProto *p =
        pb_unpack_head(&l->pb, fn->origin, &onnx__function_proto__descriptor, keep);
    if (!p)
        return -E_LIMIT_MEMORY; /* reported */
    fn->name = load_name(l, p->name);
    fn->domain = load_domain(l, p->domain);
    fn->overload = load_name(l, p->overload);
    fn->body->name = fn->name;
    for (size_t i = 0; i < p->n_attribute; i++)
        vec_push(&fn->attributes, load_name(l, p->attribute[i]));
    for (size_t i = 0; i < p->n_opset_import; i++)
        vec_push(&fn->opsets, ((struct opset){load_domain(l, p->opset_import[i]->domain),
                                              p->opset_import[i]->version}));
    int code = define_inputs(l, s, p);
    pb_reset(&l->pb);
    return code;
}

int load_body(struct loader *l, struct function *fn)
{
    struct scope s = {.graph = fn->body};
    int code = load_head(l, fn, &s);
    code = code ? code : load_nested(l, &s);
    code = code ? code : load_rest(l, &s);
    map_release(&s.values);
    return code;
}

int load_functions(struct loader *l, struct span model)
{
    struct wire w = wire_of(model);
    struct field f;
    int code = 0;
    while (!code && wire_next(&w, &f) == WIRE_FIELD) {
        if (f.number != 25)
            continue;
        if (l->m->functions.count == MAX_FUNCTIONS)
            return load_fail(l, E_LOAD_FUNCTIONS, f.record.data,
                             "the model has more than %d functions", MAX_FUNCTIONS);
        struct function *fn = arena_alloc(l->m->arena, sizeof *fn);
        fn->origin = f.payload;
        fn->body = graph_new(l->m, NULL, "");
        fn->body->function = fn;
        fn->body->origin = f.payload;
        vec_push(&l->m->functions, fn);
        code = load_body(l, fn);
    }
    return code;
}

/* ---- linking calls ---- */

/* Domain, name and overload with separators that no text has. */
static struct span key_of(struct loader *l, const char *domain, const char *name,
                          const char *overload)
{
    size_t sizes[] = {strlen(domain) + 1, strlen(name) + 1, strlen(overload) + 1};
    unsigned char *key = arena_alloc(l->pending, sizes[0] + sizes[1] + sizes[2]);
    memcpy(key, domain, sizes[0]);
    memcpy(key + sizes[0], name, sizes[1]);
    memcpy(key + sizes[0] + sizes[1], overload, sizes[2]);
    return (struct span){key, sizes[0] + sizes[1] + sizes[2]};
}

static int index_functions(struct loader *l, struct map *by_key)
{
    for (size_t i = 0; i < l->m->functions.count; i++) {
        struct function *fn = l->m->functions.data[i];
        struct span key = key_of(l, fn->domain, fn->name, fn->overload);
        void **slot = map_slot(by_key, key.data, key.size);
        if (*slot)
            return load_fail(l, E_LOAD_FUNCTION_TWICE, fn->origin.data,
                             "function '%.100s' of domain '%.100s' stands twice", fn->name,
                             fn->domain);
        *slot = fn;
    }
    return 0;
}

/* ---- recursion: the height of each function in the call graph, callees first, with a stack of our
 * own ---- */

struct call {
    uint32_t callee, next; /* next: 1 + index of the caller's next call; 0 ends */
};

struct calls {
    VEC(struct call) edges;
    uint32_t *first;  /* per function: 1 + index of its first call */
    uint32_t *height; /* per function: 0 unknown; else 1 + length of the longest chain below */
    bool *open;
    VEC(uint32_t) stack;
};

static uint32_t index_of(const struct map *indices, const struct function *fn)
{
    return (uint32_t)(uintptr_t)map_get_u64(indices, (uintptr_t)fn);
}

static void collect_calls(struct model *m, struct calls *c, const struct map *by_key,
                          struct loader *l)
{
    struct map indices = {0};
    for (size_t i = 0; i < m->functions.count; i++)
        *map_slot_u64(&indices, (uintptr_t)m->functions.data[i]) = (void *)(uintptr_t)i;
    for (size_t i = 0; i < m->nodes.count; i++) {
        struct node *n = m->nodes.data[i];
        struct span key = key_of(l, n->domain, n->op_type, n->overload);
        n->function = map_get(by_key, key.data, key.size);
        const struct graph *g = n->graph;
        while (g->parent)
            g = g->parent->graph;
        if (!n->function || !g->function)
            continue;
        uint32_t caller = index_of(&indices, g->function);
        vec_push(&c->edges, ((struct call){index_of(&indices, n->function), c->first[caller]}));
        c->first[caller] = (uint32_t)c->edges.count;
    }
    map_release(&indices);
}

/* Finishes the function on top of the stack, or puts one of its unfinished callees above it. */
static int visit(struct loader *l, struct calls *c, uint32_t at)
{
    uint32_t height = 1;
    for (uint32_t e = c->first[at]; e; e = c->edges.data[e - 1].next) {
        uint32_t callee = c->edges.data[e - 1].callee;
        const struct function *fn = l->m->functions.data[callee];
        if (c->open[callee])
            return load_fail(l, E_LOAD_RECURSION, fn->origin.data, "function '%.100s' calls itself",
                             fn->name);
        if (!c->height[callee]) {
            c->open[callee] = true;
            vec_push(&c->stack, callee);
            return 0;
        }
        height = c->height[callee] >= height ? c->height[callee] + 1 : height;
    }
    if (height > MAX_CALL_DEPTH)
        return load_fail(l, E_LOAD_CALL_DEPTH, l->m->functions.data[at]->origin.data,
                         "functions call each other more than %d deep", MAX_CALL_DEPTH);
    c->height[at] = height;
    c->open[at] = false;
    c->stack.count--;
    return 0;
}

static int check_recursion(struct loader *l, struct calls *c)
{
    int code = 0;
    for (uint32_t i = 0; !code && i < l->m->functions.count; i++) {
        if (c->height[i])
            continue;
        c->open[i] = true;
        vec_push(&c->stack, i);
        while (!code && c->stack.count)
            code = visit(l, c, vec_last(&c->stack));
    }
    return code;
}

int load_link_calls(struct loader *l)
{
    size_t n = l->m->functions.count;
    if (n == 0)
        return 0;
    struct map by_key = {0};
    struct calls c = {.first = mem_alloc(n * sizeof(uint32_t)),
                      .height = mem_alloc(n * sizeof(uint32_t)),
                      .open = mem_alloc(n * sizeof(bool))};
    int code = index_functions(l, &by_key);
    if (!code) {
        collect_calls(l->m, &c, &by_key, l);
        code = check_recursion(l, &c);
    }
    map_release(&by_key);
    mem_free(c.first);
    mem_free(c.height);
    mem_free(c.open);
    vec_free(&c.edges);
    vec_free(&c.stack);
    return code;
}
