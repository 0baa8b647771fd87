/* A value is where it ends when its own shape is open and those of its node's inputs are not; what
 * comes after it is open for that reason and is not listed. A node with subgraphs is listed only when
 * nothing ends inside of them. The reasons are told from the outside: inference keeps none.
 */
#include "report/shape_ends.h"

#include "ops/op.h"

static bool is_open(const struct type *t)
{
    if (t->kind != TYPE_TENSOR)
        return t->kind == TYPE_NONE;
    bool open = t->rank < 0;
    for (int i = 0; !open && i < t->rank; i++)
        open = !t->dims[i];
    return open;
}

static bool is_counted(const struct value *v)
{
    const struct graph *g = v->graph;
    while (g->parent)
        g = g->parent->graph;
    return !v->removed && !g->function;
}

/* ---- why ---- */

/* An integer input of few elements is a size, an axis or an index: shapes follow from its data, and
 * from the factors of Resize and Upsample. */
static bool is_list(const struct node *n, uint32_t i, const struct value *v)
{
    bool factors = i > 0 && (node_is(n, "Resize") || node_is(n, "Upsample"));
    return !value_is_constant(v) && v->type.rank <= 1 && (factors || dtype_is_int(v->type.dtype));
}

static const struct value *unknown_list(const struct node *n)
{
    const dim_t *values;
    int64_t count;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        if (!v || !is_list(n, i, v))
            continue;
        bool known = model_values(n->graph->model, v, &values, &count);
        for (int64_t k = 0; known && k < count; k++)
            known = values[k] != NULL;
        if (!known)
            return v;
    }
    return NULL;
}

static const char *reason(const struct node *n, struct arena *a)
{
    const char *dot = n->domain[0] ? "." : "";
    if (n->function)
        return "the body of the function leaves it open";
    if (!n->op)
        return arena_printf(a, "operator '%s%s%s' is not known", n->domain, dot, n->op_type);
    if (!node_version(n))
        return arena_printf(a, "the operator set has no '%s%s%s'", n->domain, dot, n->op_type);
    if (!n->op->infer)
        return arena_printf(a, "the shapes of '%s%s%s' are not known", n->domain, dot, n->op_type);
    if (n->op->traits & OP_CONTROL)
        return "it differs between branches or rounds";
    const struct value *v = unknown_list(n);
    if (v)
        return arena_printf(a, "it depends on the data of '%s'", v->name);
    return "it depends on extents that are not fixed";
}

/* ---- where ---- */

struct walk {
    struct shape_ends *s;
    struct arena *a;
};

static bool inputs_known(const struct node *n)
{
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (n->inputs[i].value && is_open(&n->inputs[i].value->type))
            return false;
    return true;
}

static void add(struct walk *w, const struct value *v, const struct node *n, const char *why)
{
    vec_push(&w->s->list, ((struct shape_end){v, n, why}));
}

static void visit_graph(struct walk *w, const struct graph *g);

static void visit_node(struct walk *w, const struct node *n)
{
    size_t before = w->s->list.count;
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        if (a->type == ATTR_GRAPH && a->graph)
            visit_graph(w, a->graph);
        for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
            visit_graph(w, a->graphs[k]);
    }
    if (w->s->list.count > before || !inputs_known(n))
        return;
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] && is_open(&n->outputs[i]->type))
            add(w, n->outputs[i], n, reason(n, w->a));
}

static void visit_graph(struct walk *w, const struct graph *g)
{
    for (size_t i = 0; !g->parent && i < g->inputs.count; i++)
        if (is_open(&g->inputs.data[i]->type))
            add(w, g->inputs.data[i], NULL, "the input declares no shape");
    graph_each_node(n, g) visit_node(w, n);
}

void shape_ends_collect(const struct model *m, int64_t conflicts, struct arena *a,
                        struct shape_ends *s)
{
    struct walk w = {s, a};
    *s = (struct shape_ends){.conflicts = conflicts};
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        bool counted = is_counted(v);
        s->values += counted;
        s->known += counted && !is_open(&v->type);
    }
    visit_graph(&w, m->graph);
}

void shape_ends_release(struct shape_ends *s) { vec_free(&s->list); }

void shape_ends_json(const struct shape_ends *s, struct json_writer *w)
{
    jw_object(w);
    jw_key_int(w, "values", s->values);
    jw_key_int(w, "known", s->known);
    jw_key_int(w, "conflicts", s->conflicts);
    jw_key(w, "ends");
    jw_array(w);
    for (size_t i = 0; i < s->list.count; i++) {
        const struct shape_end *e = &s->list.data[i];
        jw_object(w);
        jw_key_string(w, "value", e->value->name);
        jw_key_string(w, "node", e->node ? node_label(e->node) : NULL);
        jw_key_string(w, "op", e->node ? e->node->op_type : NULL);
        jw_key_string(w, "why", e->why);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}
