/* The text form of a model: what golden tests are written in. Printer; graph_parse.c reads it.
 *
 *   model    = { "ir" int | "opset" [domain] int | "producer" string string
 *              | "metadata" string string | graph | function }
 *   function = "function" op [ "<" attr-name [ "=" value ], .. ">" ] "(" name, .. ")" "->"
 *              "(" name, .. ")" { "opset" [domain] int } body
 *   graph    = "graph" name "(" [ input, .. ] ")" "->" "(" [ name [":" type], .. ] ")" body
 *   input    = name [":" type] [quant] ["=" data]            with data: an overridable initializer
 *   body     = "{" { initializer | node } "}"
 *   initial. = ["sparse"] name ":" type [quant] "=" data
 *   node     = [ "[" node-name "]" ] results "=" op [ "<" attr-name "=" value, .. ">" ]
 *              "(" [ name | "_" , .. ] ")"
 *   results  = "()" | ( name [":" type] [quant] | "_" ), ..   "_": an output or input left out
 *   op       = [ domain "::" ] op-type [ "!" overload ]
 *   type     = dtype | dtype "[" [ dim, .. ] "]" | "seq(" type ")" | "optional(" type ")"
 *            | "map(" dtype "," type ")" | "sparse(" type ")" | "opaque"
 *              float: rank unknown. float[]: a scalar. dim: as in dim_text.c, "?" unknown
 *   data     = element | "[" [ element, .. ] "]" | "fill(" number ")" | "hex(" digits ")"
 *            | "fill(seed" int [ "," low "," high ] ")" | "hash(" digits ")"   the last: print only
 *   value    = int | float | string | "[" ints, floats or strings "]" | "ints[]" | "floats[]"
 *            | "strings[]" | type data | "tensors[" type data, .. "]" | graph | "graphs[" .. "]"
 *            | "@" attr-kind ":" name | "raw(" attr-kind digits ")"
 *   quant    = "q{" dtype { key "=" value } "}"
 *   name     = letters, digits, _ . / and :: inside; anything else in double quotes
 *
 * A float attribute always shows a point, an exponent, nan or inf. "#" starts a comment.
 */
#include "ir/graph_text.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"

/* ---- pieces ---- */

void text_name(struct text_out *o, const char *name)
{
    if (text_bare(name, true) && strcmp(name, "_"))
        text_put(o, name);
    else
        text_string(o, name, strlen(name));
}

void text_word(struct text_out *o, const char *name) /* no colons inside */
{
    static const char *const RESERVED[] = {"fill", "hex", "hash", "nan", "inf"};
    bool bare = text_bare(name, false);
    for (size_t i = 0; i < sizeof RESERVED / sizeof RESERVED[0]; i++)
        bare = bare && strcmp(name, RESERVED[i]);
    if (bare)
        text_put(o, name);
    else
        text_string(o, name, strlen(name));
}

static void put_op(struct text_out *o, const char *domain, const char *name, const char *overload)
{
    if (domain[0]) {
        text_word(o, domain);
        text_put(o, "::");
    }
    text_word(o, name);
    if (overload[0]) {
        text_put(o, "!");
        text_word(o, overload);
    }
}

static void put_dims(struct text_out *o, const struct type *t)
{
    char small[128];
    text_put(o, "[");
    for (int i = 0; i < t->rank; i++) {
        text_put(o, i ? "," : "");
        size_t n = dim_text(t->dims[i], small, sizeof small);
        if (n < sizeof small) {
            text_put(o, small);
            continue;
        }
        char *large = arena_alloc(o->scratch, n + 1);
        dim_text(t->dims[i], large, n + 1);
        text_put(o, large);
    }
    text_put(o, "]");
}

static void put_type(struct text_out *o, const struct type *t)
{
    static const char *const OPEN[] = {
        [TYPE_SPARSE] = "sparse(", [TYPE_SEQUENCE] = "seq(", [TYPE_OPTIONAL] = "optional("};
    switch (t->kind) {
    case TYPE_NONE:
        text_put(o, "?");
        return;
    case TYPE_OPAQUE:
        text_put(o, "opaque");
        return;
    case TYPE_MAP:
        text_putf(o, "map(%s, ", dtype_name(t->dtype));
        put_type(o, t->elem ? t->elem : &(struct type){.rank = -1});
        text_put(o, ")");
        return;
    case TYPE_SEQUENCE:
    case TYPE_OPTIONAL:
        text_put(o, OPEN[t->kind]);
        put_type(o, t->elem ? t->elem : &(struct type){.rank = -1});
        text_put(o, ")");
        return;
    case TYPE_SPARSE:
    case TYPE_TENSOR:
        break;
    }
    text_put(o, t->kind == TYPE_SPARSE ? OPEN[TYPE_SPARSE] : "");
    text_put(o, t->dtype == DT_UNDEFINED ? "undefined" : dtype_name(t->dtype));
    if (t->rank >= 0)
        put_dims(o, t);
    text_put(o, t->kind == TYPE_SPARSE ? ")" : "");
}

static void put_value(struct text_out *o, const struct value *v, bool typed)
{
    text_name(o, v->name);
    if (typed && v->type.kind != TYPE_NONE) {
        text_put(o, ": ");
        put_type(o, &v->type);
    }
    if (v->q)
        text_quant(o, v->q);
}

/* ---- nodes and graphs ---- */

static void put_attrs(struct text_out *o, struct attr *const *attrs, uint32_t n, int depth)
{
    for (uint32_t i = 0; i < n; i++) {
        text_put(o, i ? ", " : "<");
        text_word(o, attrs[i]->name);
        text_put(o, "=");
        text_attr_value(o, attrs[i], depth);
    }
    text_put(o, n ? ">" : "");
}

static void indent(struct text_out *o, int depth) { text_putf(o, "%*s", depth * 4, ""); }

static void put_node(struct text_out *o, const struct node *n, int depth)
{
    indent(o, depth);
    if (n->name[0]) {
        text_put(o, "[");
        text_name(o, n->name);
        text_put(o, "] ");
    }
    text_put(o, n->n_outputs ? "" : "()");
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        text_put(o, i ? ", " : "");
        if (n->outputs[i])
            put_value(o, n->outputs[i], o->flags & TEXT_TYPES);
        else
            text_put(o, "_");
    }
    text_put(o, " = ");
    put_op(o, n->domain, n->op_type, n->overload);
    put_attrs(o, n->attrs, n->n_attrs, depth);
    text_put(o, "(");
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        text_put(o, i ? ", " : "");
        if (n->inputs[i].value)
            text_name(o, n->inputs[i].value->name);
        else
            text_put(o, "_");
    }
    text_put(o, ")");
    if (n->source && o->flags & TEXT_SOURCE)
        text_putf(o, "  # from %s", n->source);
    text_put(o, "\n");
}

static void put_constant(struct text_out *o, const struct value *v)
{
    text_put(o, " = ");
    if (v->sparse)
        text_put(o, "[]");
    else
        text_data(o, v->constant);
}

static void put_body(struct text_out *o, const struct graph *g, int depth)
{
    for (size_t i = 0; i < g->initializers.count; i++) {
        const struct value *v = g->initializers.data[i];
        if (v->removed || v->is_input)
            continue;
        indent(o, depth + 1);
        text_put(o, v->sparse ? "sparse " : "");
        put_value(o, v, true);
        put_constant(o, v);
        text_put(o, "\n");
    }
    for (const struct node *n = g->first; n; n = n->next)
        put_node(o, n, depth + 1);
    indent(o, depth);
    text_put(o, "}");
}

static void put_signature(struct text_out *o, const struct graph *g)
{
    text_put(o, "(");
    for (size_t i = 0; i < g->inputs.count; i++) {
        text_put(o, i ? ", " : "");
        put_value(o, g->inputs.data[i], true);
        if (g->inputs.data[i]->constant)
            put_constant(o, g->inputs.data[i]);
    }
    text_put(o, ") -> (");
    for (size_t i = 0; i < g->outputs.count; i++) {
        const struct value *v = g->outputs.data[i]->value;
        text_put(o, i ? ", " : "");
        text_name(o, v->name);
        if (v->type.kind == TYPE_NONE || v->graph != g)
            continue;
        text_put(o, ": ");
        put_type(o, &v->type);
    }
    text_put(o, ")");
}

void text_graph(struct text_out *o, const struct graph *g, int depth)
{
    text_put(o, "graph ");
    text_name(o, g->name);
    put_signature(o, g);
    text_put(o, " {\n");
    put_body(o, g, depth);
}

/* ---- the model ---- */

static void put_opset(struct text_out *o, const struct opset *s)
{
    text_put(o, "opset ");
    if (s->domain[0]) {
        text_word(o, s->domain);
        text_put(o, " ");
    }
    text_putf(o, "%lld", (long long)s->version);
}

static void put_function(struct text_out *o, const struct function *f)
{
    text_put(o, "function ");
    put_op(o, f->domain, f->name, f->overload);
    size_t n = f->attributes.count + f->defaults.count;
    for (size_t i = 0; i < n; i++) {
        bool has_default = i >= f->attributes.count;
        text_put(o, i ? ", " : "<");
        if (!has_default) {
            text_word(o, f->attributes.data[i]);
            continue;
        }
        const struct attr *a = f->defaults.data[i - f->attributes.count];
        text_word(o, a->name);
        text_put(o, "=");
        text_attr_value(o, a, 0);
    }
    text_put(o, n ? ">" : "");
    put_signature(o, f->body);
    for (size_t i = 0; i < f->opsets.count; i++) {
        text_put(o, " ");
        put_opset(o, &f->opsets.data[i]);
    }
    text_put(o, " {\n");
    put_body(o, f->body, 0);
    text_put(o, "\n");
}

static void put_header(struct text_out *o, const struct model *m)
{
    if (m->ir_version)
        text_putf(o, "ir %lld\n", (long long)m->ir_version);
    for (size_t i = 0; i < m->opsets.count; i++) {
        put_opset(o, &m->opsets.data[i]);
        text_put(o, "\n");
    }
    if (m->producer_name[0] || m->producer_version[0]) {
        text_put(o, "producer ");
        text_string(o, m->producer_name, strlen(m->producer_name));
        text_put(o, " ");
        text_string(o, m->producer_version, strlen(m->producer_version));
        text_put(o, "\n");
    }
    for (size_t i = 0; i < m->metadata.count; i++) {
        text_put(o, "metadata ");
        text_string(o, m->metadata.data[i].key, strlen(m->metadata.data[i].key));
        text_put(o, " ");
        text_string(o, m->metadata.data[i].value, strlen(m->metadata.data[i].value));
        text_put(o, "\n");
    }
}

char *model_print_with(const struct model *m, struct arena *a, unsigned flags)
{
    struct text_out o = {.flags = flags, .scratch = arena_new()};
    put_header(&o, m);
    text_graph(&o, m->graph, 0);
    text_put(&o, "\n");
    for (size_t i = 0; i < m->functions.count; i++)
        if (!m->functions.data[i]->removed)
            put_function(&o, m->functions.data[i]);
    vec_push(&o.bytes, '\0');
    char *text = arena_copy(a, o.bytes.data, o.bytes.count);
    vec_free(&o.bytes);
    arena_free(o.scratch);
    return text;
}

char *model_print(const struct model *m, struct arena *a)
{
    return model_print_with(m, a, TEXT_TYPES | TEXT_DATA);
}
