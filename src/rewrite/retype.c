/* See retype.h.
 *
 * Each value of the type is looked at once: a constant or an input by itself, another with the node
 * that makes it. A node follows where the slot of its output takes the new type and something that
 * follows drives it; what stays gets a Cast behind it. Then each input slot that does not take the
 * new type gets the old one back: a constant in its old form, or a Cast.
 */
#include "rewrite/retype.h"

#include <string.h>

#include "base/bitset.h"
#include "ops/op.h"

struct work {
    struct model *m;
    const struct retype *r;
    VEC(const struct tensor *) was; /* by value id: the old data of a constant */
    struct bitset changed;          /* by value id: has the new type, and had the old one */
    int64_t changes;
};

static bool is_from(const struct work *w, const struct value *v)
{
    return v && v->type.kind == TYPE_TENSOR && v->type.dtype == w->r->from;
}

static bool in_function(const struct graph *g)
{
    while (g->parent)
        g = g->parent->graph;
    return g->function != NULL;
}

/* ---- questions ---- */

static const struct op_version *signature(const struct node *n)
{
    return n->op && !n->function ? op_version_at(n->op, node_opset(n)) : NULL;
}

static bool takes(const struct work *w, const struct node *n, uint32_t slot, bool output)
{
    const struct op_version *v = signature(n);
    return v && op_version_takes(v, slot, output, w->r->to);
}

/* The element type of the output stands in an attribute, given or with a default; 0 means that it
 * follows the inputs. */
static bool chooses_type(const struct node *n)
{
    static const char *const NAMES[] = {"dtype", "output_dtype", "output_datatype"};
    const struct op_version *v = signature(n);
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (node_attr(n, NAMES[i]))
            return true;
        for (int k = 0; v && k < v->n_attrs; k++)
            if (strcmp(v->attrs[k].name, NAMES[i]) == 0 && v->attrs[k].fallback &&
                strcmp(v->attrs[k].fallback, "0") != 0)
                return true;
    }
    return false;
}

static bool makes_type(const struct node *n)
{
    return node_is(n, "Cast") || node_is(n, "Constant") || node_is(n, "ConstantOfShape");
}

static bool output_follows(const struct work *w, const struct node *n, uint32_t slot)
{
    if (!takes(w, n, slot, true))
        return false;
    if (makes_type(n) || n->op->traits & OP_CONTROL)
        return true;
    if (chooses_type(n) || n->op->traits & OP_RANDOM)
        return false;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        bool followed = v && v->type.kind == TYPE_TENSOR &&
                        (v->type.dtype == w->r->to || v->type.dtype == w->r->from);
        if (followed && takes(w, n, i, false))
            return true;
    }
    return false;
}

bool retype_pending(const struct model *m, const struct retype *r)
{
    const struct work w = {.r = r};
    for (size_t i = 0; i < m->nodes.count; i++) {
        const struct node *n = m->nodes.data[i];
        bool counts = !n->removed && !in_function(n->graph) && !node_is(n, "Cast");
        for (uint32_t k = 0; counts && k < n->n_outputs; k++)
            if (is_from(&w, n->outputs[k]) && output_follows(&w, n, k))
                return true;
    }
    return false;
}

const char *retype_problem(const struct model *m, const struct retype *r)
{
    if (!graph_opset(m->graph, ""))
        return "it imports no ai.onnx, which has Cast";
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        if (v->removed || in_function(v->graph))
            continue;
        if (v->type.kind != TYPE_TENSOR && v->type.kind != TYPE_NONE)
            return "it holds sequences, optionals or maps";
        if (v->type.kind == TYPE_NONE && v->producer && v->n_uses)
            return "the type of a value is not known";
        if (v->sparse && v->type.dtype == r->from)
            return "it holds a sparse initializer of that type";
    }
    return NULL;
}

/* ---- values ---- */

static void set_dtype(struct value *v, enum dtype dtype)
{
    struct type t = v->type;
    t.dtype = dtype;
    value_set_type(v, &t);
}

static void change(struct work *w, struct value *v)
{
    bitset_add(&w->changed, v->id);
    set_dtype(v, w->r->to);
    w->changes++;
}

static struct node *cast_node(struct work *w, struct graph *g, struct value *x, enum dtype to)
{
    struct node *n = node_new(g, "Cast", "", 1, 1);
    n->op = op_find("", "Cast");
    node_set_int(n, "to", to);
    node_set_input(n, 0, x);
    w->changes++;
    return n;
}

/* Everybody who reads v reads what a Cast of it gives; v keeps its name and type. */
static void cast_behind(struct work *w, struct value *v, struct node *first)
{
    struct node *cast = cast_node(w, v->graph, NULL, w->r->to);
    if (v->producer)
        node_insert_after(cast, v->producer);
    else if (first)
        node_insert_before(cast, first);
    else
        node_append(cast);
    struct value *y = node_add_output(cast, 0, v->name);
    value_set_type(y, &v->type);
    set_dtype(y, w->r->to);
    value_each_use(u, v)
    {
        if (u->node && u->node != cast)
            node_set_input(u->node, u->index, y);
        else if (!u->node && u->graph->parent) /* the branches of an If agree */
            graph_set_output(u->graph, u->index, y);
    }
    node_set_input(cast, 0, v);
}

static struct tensor *converted(struct model *m, const struct tensor *t, enum dtype to)
{
    struct tensor *y = tensor_view(m->arena, to, t->rank, t->dims, NULL);
    y->data = NULL;
    y->recipe = arena_copy(m->arena, &(struct recipe){.source = t, .n = 1}, sizeof(struct recipe));
    return t->count ? y : tensor_new(m->arena, to, t->rank, t->dims);
}

static void keep_old(struct work *w, const struct value *v)
{
    while (w->was.count <= v->id)
        vec_push(&w->was, NULL);
    w->was.data[v->id] = v->constant;
}

static void change_constants(struct work *w, struct graph *g)
{
    size_t n = g->initializers.count;
    for (size_t i = 0; i < n; i++) {
        struct value *v = g->initializers.data[i];
        if (v->removed || v->is_input || v->constant->dtype != w->r->from)
            continue;
        if (g == w->m->graph && w->r->keep_io && v->n_graph_outputs) {
            cast_behind(w, v, g->first);
            continue;
        }
        keep_old(w, v);
        value_set_constant(v, converted(w->m, v->constant, w->r->to));
    }
}

static void change_inputs(struct work *w, struct graph *g)
{
    struct node *first = g->first;
    for (size_t i = 0; i < g->inputs.count; i++) {
        struct value *v = g->inputs.data[i];
        if (!is_from(w, v))
            continue;
        if (g == w->m->graph && (w->r->keep_io || v->constant))
            cast_behind(w, v, first);
        else
            change(w, v);
    }
}

/* ---- nodes ---- */

static void change_attrs(struct work *w, struct node *n)
{
    struct arena *a = w->m->arena;
    const struct tensor *t = node_tensor(n, "value");
    if (node_is(n, "Cast") && node_int(n, "to", 0) == (int64_t)w->r->from)
        node_set_int(n, "to", w->r->to);
    else if (node_is(n, "Constant") && node_attr(n, "value_float"))
        t = tensor_scalar(a, DT_FLOAT, (double)node_float(n, "value_float", 0));
    else if (node_is(n, "Constant") && node_attr(n, "value_floats")) {
        const struct attr *x = node_attr(n, "value_floats");
        int64_t count = x->n;
        t = tensor_view(a, DT_FLOAT, 1, &count, x->floats);
    } else if (node_is(n, "ConstantOfShape") && !t) {
        int64_t one = 1;
        t = tensor_new(a, DT_FLOAT, 1, &one);
    }
    if (!t || t->dtype != w->r->from || !makes_type(n))
        return;
    node_drop_attr(n, "value_float");
    node_drop_attr(n, "value_floats");
    node_set_tensor(n, "value", converted(w->m, t, w->r->to));
}

static void change_outputs(struct work *w, struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        struct value *v = n->outputs[i];
        if (!is_from(w, v))
            continue;
        if (!output_follows(w, n, i)) {
            if (v->n_uses)
                cast_behind(w, v, NULL);
            continue;
        }
        if (makes_type(n))
            change_attrs(w, n);
        change(w, v);
    }
}

/* The old type again for a slot that takes no other. */
static void give_old(struct work *w, struct node *n, uint32_t i)
{
    struct value *v = n->inputs[i].value;
    if (v->id < w->was.count && w->was.data[v->id]) {
        struct tensor *old = arena_copy(w->m->arena, w->was.data[v->id], sizeof *old);
        node_set_input(n, i, value_constant(n->graph, v->name, old));
        w->changes++;
        return;
    }
    struct node *made = v->producer;
    if (made && node_is(made, "Cast") && is_from(w, node_input(made, 0))) {
        node_set_input(n, i, made->inputs[0].value);
        return;
    }
    struct node *cast = cast_node(w, n->graph, v, w->r->from);
    node_insert_before(cast, n);
    struct value *y = node_add_output(cast, 0, v->name);
    value_set_type(y, &v->type);
    set_dtype(y, w->r->from);
    node_set_input(n, i, y);
}

static void change_slots(struct work *w, struct node *n)
{
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        bool changed = v && v->type.kind == TYPE_TENSOR && v->type.dtype == w->r->to;
        if (changed && !node_is(n, "Cast") && !takes(w, n, i, false))
            give_old(w, n, i);
    }
}

static void change_results(struct work *w, struct graph *g)
{
    for (size_t i = 0; w->r->keep_io && i < g->outputs.count; i++) {
        struct value *v = g->outputs.data[i]->value;
        if (!bitset_has(&w->changed, v->id) || !v->producer || v->graph != g)
            continue;
        struct node *last = v->producer, *cast = cast_node(w, g, NULL, w->r->from);
        struct value *inner = node_add_output(cast, 0, v->name);
        node_insert_after(cast, last);
        value_set_type(inner, &v->type); /* the name goes to what the Cast gives */
        set_dtype(inner, w->r->from);
        graph_set_output(g, (uint32_t)i, inner);
        value_take_name(inner, v);
        node_set_input(cast, 0, v);
    }
}

int64_t model_retype(struct model *m, const struct retype *r)
{
    struct work w = {.m = m, .r = r, .changed = bitset_new(m->n_values)};
    size_t nodes = m->nodes.count, graphs = m->graphs.count;
    for (size_t i = 0; i < graphs; i++)
        if (!in_function(m->graphs.data[i]))
            change_constants(&w, m->graphs.data[i]);
    for (size_t i = 0; i < graphs; i++)
        if (!in_function(m->graphs.data[i]))
            change_inputs(&w, m->graphs.data[i]);
    for (size_t i = 0; i < graphs; i++) /* list order: what drives a node has been looked at */
        for (struct node *n = in_function(m->graphs.data[i]) ? NULL : m->graphs.data[i]->first; n;
             n = n->next)
            if (n->id < nodes)
                change_outputs(&w, n);
    for (size_t i = 0; i < nodes; i++)
        if (!m->nodes.data[i]->removed && !in_function(m->nodes.data[i]->graph))
            change_slots(&w, m->nodes.data[i]);
    change_results(&w, m->graph);
    vec_free(&w.was);
    bitset_release(&w.changed);
    return w.changes;
}
