/* Deep copies of nodes, with their subgraphs. New values get fresh names; `map` (by id of the
 * original) is filled as they appear, so that later nodes of a copied body find them. */
#include "base/mem.h"
#include "ir/edit.h"

struct cloner {
    struct value **map; /* by id of values that existed when the copy began; may be NULL */
    uint32_t n_map;
};

static struct value *mapped(const struct cloner *c, struct value *v)
{
    return v && c->map && v->id < c->n_map && c->map[v->id] ? c->map[v->id] : v;
}

static struct value *copy_value(struct cloner *c, const struct value *v, struct graph *g)
{
    struct value *w = value_new(g, v->name);
    w->type = v->type;
    w->q = v->q;
    w->source = v->source ? v->source : v;
    if (c->map && v->id < c->n_map)
        c->map[v->id] = w;
    return w;
}

static struct node *clone(struct cloner *c, const struct node *n, struct graph *g);

static struct graph *clone_graph(struct cloner *c, const struct graph *from, struct node *parent)
{
    struct graph *g = graph_new(from->model, parent, from->name);
    for (size_t i = 0; i < from->inputs.count; i++) {
        struct value *w = copy_value(c, from->inputs.data[i], g);
        w->is_input = true;
        vec_push(&g->inputs, w);
    }
    for (size_t i = 0; i < from->initializers.count; i++) {
        const struct value *v = from->initializers.data[i];
        if (v->removed)
            continue;
        struct value *w = v->is_input ? mapped(c, from->initializers.data[i]) : copy_value(c, v, g);
        value_set_constant(w, v->constant);
    }
    for (const struct node *n = from->first; n; n = n->next)
        clone(c, n, g);
    for (size_t i = 0; i < from->outputs.count; i++)
        graph_add_output(g, mapped(c, from->outputs.data[i]->value));
    return g;
}

static void clone_attr(struct cloner *c, const struct attr *from, struct node *n)
{
    node_copy_attr(n, from);
    struct attr *a = n->attrs[n->n_attrs - 1];
    if (a->type == ATTR_GRAPH && a->graph) {
        a->graph = clone_graph(c, from->graph, n);
        a->dirty = true;
    } else if (a->type == ATTR_GRAPHS) {
        struct graph **list = arena_array(n->graph->model->arena, a->n, sizeof *list);
        for (uint32_t i = 0; i < a->n; i++)
            list[i] = clone_graph(c, from->graphs[i], n);
        a->graphs = list;
        a->dirty = true;
    }
}

static struct node *clone(struct cloner *c, const struct node *n, struct graph *g)
{
    struct node *copy = node_new(g, n->op_type, n->domain, n->n_inputs, n->n_outputs);
    copy->overload = n->overload;
    copy->op = n->op;
    copy->function = n->function;
    copy->origin = n->origin;
    copy->name = n->name[0] ? model_fresh_name(g->model, n->name) : n->name;
    node_set_source(copy, n);
    for (uint32_t i = 0; i < n->n_inputs; i++)
        node_set_input(copy, i, mapped(c, n->inputs[i].value));
    for (uint32_t i = 0; i < n->n_attrs; i++)
        clone_attr(c, n->attrs[i], copy);
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i]) {
            struct value *w = copy_value(c, n->outputs[i], g);
            w->producer = copy;
            w->slot = i;
            copy->outputs[i] = w;
        }
    node_append(copy);
    return copy;
}

static bool has_subgraph(const struct node *n)
{
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (n->attrs[i]->type == ATTR_GRAPH || n->attrs[i]->type == ATTR_GRAPHS)
            return true;
    return false;
}

struct node *node_clone(const struct node *n, struct graph *g, struct value **map)
{
    struct cloner c = {map, n->graph->model->n_values};
    struct value **own = NULL;
    if (!map && has_subgraph(n))
        c.map = own = mem_alloc(c.n_map * sizeof *own);
    struct node *copy = clone(&c, n, g);
    mem_free(own);
    return copy;
}
