/* Reading the text form (grammar: graph_text.c): model, graphs, nodes. Literals and types stand in
 * graph_parse_value.c, attributes in graph_parse_attr.c.
 *
 * A name is looked up in its graph, then in the enclosing ones. A name nobody has defined yet
 * becomes a value of the graph at hand; what is still undefined where that graph ends goes to the
 * enclosing one, so node lists need not be sorted.
 */
#include <string.h>

#include "ir/edit.h"
#include "ir/graph_text.h"

/* ---- values ---- */

struct value *text_lookup(struct text_scope *s, const char *name)
{
    for (const struct text_scope *at = s; at; at = at->outer) {
        struct value *v = map_get_str(&at->names, name);
        if (v)
            return v;
    }
    struct value *v = value_named(s->graph, name);
    *map_slot_str(&s->names, v->name) = v;
    vec_push(&s->pending, v);
    return v;
}

static bool defined(const struct value *v) { return v->is_input || v->constant || v->producer; }

/* The value that this graph defines under the name. */
static int define(struct text_in *in, struct text_scope *s, const char *name, struct value **out)
{
    struct value *v = map_get_str(&s->names, name);
    if (v && defined(v))
        return text_error(in, "'%s' is defined twice", name);
    if (!v) {
        v = value_named(s->graph, name);
        *map_slot_str(&s->names, v->name) = v;
    }
    *out = v;
    return 0;
}

/* What the graph used without defining it: the enclosing one defines it later. */
static int hand_over(struct text_in *in, struct text_scope *s)
{
    for (size_t i = 0; i < s->pending.count; i++) {
        struct value *v = s->pending.data[i];
        if (defined(v))
            continue;
        if (!s->outer)
            return text_error(in, "'%s' is used in graph '%s' but not defined", v->name,
                              s->graph->name);
        v->graph = s->outer->graph;
        *map_slot_str(&s->outer->names, v->name) = v;
        vec_push(&s->outer->pending, v);
    }
    return 0;
}

/* [":" type] [quant] */
static int read_annotations(struct text_in *in, struct text_scope *s, struct value *v)
{
    if (text_accept(in, ":")) {
        struct type type;
        TEXT_TRY(text_read_type(in, &type));
        value_set_type(v, &type);
    }
    return text_accept(in, "q") ? text_read_quant(in, s, v) : 0;
}

static int read_constant(struct text_in *in, struct value *v, bool sparse)
{
    struct tensor *t;
    struct type declared = v->type;
    if (sparse) {
        TEXT_TRY(text_expect(in, "["));
        TEXT_TRY(text_expect(in, "]"));
        t = arena_alloc(in->m->arena, sizeof *t);
        t->dtype = declared.dtype;
        v->sparse = true;
    } else {
        TEXT_TRY(text_read_data(in, &declared, &t));
    }
    value_set_constant(v, t);
    value_set_type(v, &declared);
    return 0;
}

/* ---- nodes ---- */

struct result {       /* of a statement, before "=" */
    const char *name; /* NULL: left out */
    struct value *value;
};

static int read_results(struct text_in *in, struct text_scope *s, struct result *list, uint32_t *n,
                        uint32_t room)
{
    *n = 0;
    if (text_accept(in, "("))
        return text_expect(in, ")");
    do {
        if (*n == room)
            return text_error(in, "more than %u outputs", room);
        struct result *r = &list[(*n)++];
        *r = (struct result){0};
        if (text_accept(in, "_"))
            continue;
        TEXT_TRY(text_read_name(in, true, &r->name));
        TEXT_TRY(define(in, s, r->name, &r->value));
        TEXT_TRY(read_annotations(in, s, r->value));
    } while (text_accept(in, ","));
    return 0;
}

struct op_name {
    const char *domain, *name, *overload;
};

static int read_op(struct text_in *in, struct op_name *op)
{
    *op = (struct op_name){"", NULL, ""};
    TEXT_TRY(text_read_name(in, false, &op->name));
    if (text_accept(in, "::")) {
        op->domain = op->name;
        TEXT_TRY(text_read_name(in, false, &op->name));
    }
    return text_accept(in, "!") ? text_read_name(in, false, &op->overload) : 0;
}

static int read_attrs(struct text_in *in, struct text_scope *s, struct node *n)
{
    if (!text_accept(in, "<"))
        return 0;
    do {
        struct attr a = {.dirty = true};
        TEXT_TRY(text_read_name(in, false, &a.name));
        if (node_attr(n, a.name))
            return text_error(in, "attribute '%s' appears twice", a.name);
        TEXT_TRY(text_expect(in, "="));
        TEXT_TRY(text_read_attr(in, s, n, &a));
        node_copy_attr(n, &a);
    } while (text_accept(in, ","));
    return text_expect(in, ">");
}

static int read_inputs(struct text_in *in, struct text_scope *s, struct node *n)
{
    TEXT_TRY(text_expect(in, "("));
    for (bool more = !text_accept(in, ")"); more; more = text_accept(in, ",")) {
        const char *name;
        struct value *v = NULL;
        if (!text_accept(in, "_")) {
            TEXT_TRY(text_read_name(in, true, &name));
            v = text_lookup(s, name);
        }
        node_resize_inputs(n, n->n_inputs + 1);
        node_set_input(n, n->n_inputs - 1, v);
    }
    return n->n_inputs ? text_expect(in, ")") : 0;
}

static int read_node(struct text_in *in, struct text_scope *s, const char *name,
                     const struct result *results, uint32_t n_results)
{
    struct op_name op;
    TEXT_TRY(read_op(in, &op));
    struct node *n = node_new(s->graph, op.name, op.domain, 0, n_results);
    n->overload = op.overload;
    node_append(n);
    node_set_name(n, name);
    for (uint32_t i = 0; i < n_results; i++) {
        struct value *v = n->outputs[i] = results[i].value;
        if (!v)
            continue;
        if (defined(v))
            return text_error(in, "'%s' is defined twice", v->name);
        v->producer = n;
        v->slot = i;
    }
    TEXT_TRY(read_attrs(in, s, n));
    return read_inputs(in, s, n);
}

static int read_statement(struct text_in *in, struct text_scope *s)
{
    enum { MAX_RESULTS = 1024 };
    const char *name = "", *before = in->at;
    uint32_t n;
    struct result *results = arena_array(in->scratch, MAX_RESULTS, sizeof *results);
    if (text_accept(in, "[")) {
        TEXT_TRY(text_read_name(in, true, &name));
        TEXT_TRY(text_expect(in, "]"));
    }
    bool sparse = text_accept(in, "sparse");
    if (sparse && (text_peek(in, "=") || text_peek(in, ",") || text_peek(in, ":"))) {
        in->at = before; /* a value of that name */
        sparse = false;
    }
    TEXT_TRY(read_results(in, s, results, &n, MAX_RESULTS));
    TEXT_TRY(text_expect(in, "="));
    if (n == 1 && results[0].value && text_at_data(in, &results[0].value->type))
        return read_constant(in, results[0].value, sparse);
    return read_node(in, s, name, results, n);
}

/* ---- graphs ---- */

static int read_input(struct text_in *in, struct text_scope *s)
{
    const char *name;
    TEXT_TRY(text_read_name(in, true, &name));
    if (map_has_str(&s->names, name))
        return text_error(in, "input '%s' appears twice", name);
    struct value *v = value_input(s->graph, name);
    *map_slot_str(&s->names, v->name) = v;
    TEXT_TRY(read_annotations(in, s, v));
    return text_accept(in, "=") ? read_constant(in, v, false) : 0;
}

struct output {
    const char *name;
    struct type type;
};

static int read_outputs(struct text_in *in, struct output *list, uint32_t *n, uint32_t room)
{
    *n = 0;
    TEXT_TRY(text_expect(in, "->"));
    TEXT_TRY(text_expect(in, "("));
    for (bool more = !text_accept(in, ")"); more; more = text_accept(in, ",")) {
        if (*n == room)
            return text_error(in, "more than %u outputs", room);
        struct output *o = &list[(*n)++];
        TEXT_TRY(text_read_name(in, true, &o->name));
        if (text_accept(in, ":"))
            TEXT_TRY(text_read_type(in, &o->type));
    }
    return *n ? text_expect(in, ")") : 0;
}

static int read_opset(struct text_in *in, struct opset *out)
{
    const char *domain = "";
    text_skip(in);
    if (!text_at_number(in))
        TEXT_TRY(text_read_name(in, false, &domain));
    out->domain = intern(in->m->names, domain);
    return text_read_int(in, &out->version);
}

static int read_body(struct text_in *in, struct text_scope *s)
{
    enum { MAX_OUTPUTS = 1024 };
    uint32_t n;
    struct output *outputs = arena_array(in->scratch, MAX_OUTPUTS, sizeof *outputs);
    TEXT_TRY(text_expect(in, "("));
    for (bool more = !text_accept(in, ")"), any = more; more;) {
        TEXT_TRY(read_input(in, s));
        more = text_accept(in, ",");
        if (!more && any)
            TEXT_TRY(text_expect(in, ")"));
    }
    TEXT_TRY(read_outputs(in, outputs, &n, MAX_OUTPUTS));
    while (s->graph->function && text_accept(in, "opset")) {
        struct opset opset;
        TEXT_TRY(read_opset(in, &opset));
        vec_push(&s->graph->function->opsets, opset);
    }
    TEXT_TRY(text_expect(in, "{"));
    while (!text_accept(in, "}"))
        TEXT_TRY(read_statement(in, s));
    for (uint32_t i = 0; i < n; i++) {
        struct value *v = text_lookup(s, outputs[i].name);
        if (outputs[i].type.kind != TYPE_NONE)
            value_set_type(v, &outputs[i].type);
        graph_add_output(s->graph, v);
    }
    return hand_over(in, s);
}

static int read_scope(struct text_in *in, struct text_scope *outer, struct graph *g)
{
    struct text_scope s = {.outer = outer, .graph = g};
    if (++in->depth > GRAPH_MAX_DEPTH)
        return text_error(in, "graphs nest more than %d deep", GRAPH_MAX_DEPTH);
    int status = read_body(in, &s);
    in->depth--;
    map_release(&s.names);
    vec_free(&s.pending);
    return status;
}

int text_read_graph(struct text_in *in, struct text_scope *outer, struct graph *g)
{
    TEXT_TRY(text_expect(in, "graph"));
    TEXT_TRY(text_read_name(in, true, &g->name));
    return read_scope(in, outer, g);
}

/* ---- functions and the model ---- */

static int read_function_attr(struct text_in *in, struct function *f)
{
    const char *name;
    TEXT_TRY(text_read_name(in, false, &name));
    if (!text_accept(in, "=")) {
        vec_push(&f->attributes, name);
        return 0;
    }
    struct attr *a = arena_alloc(in->m->arena, sizeof *a);
    *a = (struct attr){.name = name, .dirty = true};
    vec_push(&f->defaults, a);
    return text_read_attr(in, NULL, NULL, a);
}

static int read_function(struct text_in *in)
{
    struct function *f = arena_alloc(in->m->arena, sizeof *f);
    struct op_name op;
    vec_push(&in->m->functions, f);
    f->body = graph_new(in->m, NULL, "");
    f->body->function = f;
    TEXT_TRY(read_op(in, &op));
    f->domain = intern(in->m->names, op.domain);
    f->name = f->body->name = op.name;
    f->overload = intern(in->m->names, op.overload);
    if (text_accept(in, "<")) {
        do
            TEXT_TRY(read_function_attr(in, f));
        while (text_accept(in, ","));
        TEXT_TRY(text_expect(in, ">"));
    }
    return read_scope(in, NULL, f->body);
}

static int read_pair(struct text_in *in, const char **first, const char **second)
{
    struct span a, b;
    TEXT_TRY(text_read_string(in, &a));
    TEXT_TRY(text_read_string(in, &b));
    *first = (const char *)a.data;
    *second = (const char *)b.data;
    return 0;
}

static int read_item(struct text_in *in)
{
    struct model *m = in->m;
    if (text_accept(in, "ir"))
        return text_read_int(in, &m->ir_version);
    if (text_accept(in, "opset")) {
        struct opset opset;
        TEXT_TRY(read_opset(in, &opset));
        model_set_opset(m, opset.domain, opset.version);
        return 0;
    }
    if (text_accept(in, "producer"))
        return read_pair(in, &m->producer_name, &m->producer_version);
    if (text_accept(in, "metadata")) {
        const char *key, *value;
        TEXT_TRY(read_pair(in, &key, &value));
        model_set_metadata(m, key, value);
        return 0;
    }
    if (text_accept(in, "function"))
        return read_function(in);
    return text_read_graph(in, NULL, m->graph);
}

static void resolve_calls(struct model *m)
{
    for (size_t i = 0; i < m->nodes.count; i++) {
        struct node *n = m->nodes.data[i];
        for (size_t k = 0; k < m->functions.count; k++) {
            struct function *f = m->functions.data[k];
            if (!strcmp(f->name, n->op_type) && !strcmp(f->domain, n->domain) &&
                !strcmp(f->overload, n->overload))
                n->function = f;
        }
    }
}

struct model *model_parse(struct ctx *ctx, const char *text)
{
    struct model *m = model_new(ctx);
    struct text_in in = {.m = m, .begin = text, .at = text, .scratch = arena_new()};
    int status = 0;
    for (text_skip(&in); *in.at && !status; text_skip(&in))
        status = read_item(&in);
    arena_free(in.scratch);
    if (status) {
        model_free(m);
        return NULL;
    }
    resolve_calls(m);
    return m;
}
