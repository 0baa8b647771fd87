/* Changing nodes: their place in the list, operands and results. */
#include "ir/edit_impl.h"

#include <string.h>

struct node *node_new(struct graph *g, const char *op_type, const char *domain, uint32_t n_inputs,
                      uint32_t n_outputs)
{
    struct model *m = g->model;
    struct node *n = arena_alloc(m->arena, sizeof *n);
    n->id = m->n_nodes++;
    n->name = intern(m->names, "");
    n->op_type = intern(m->names, op_type);
    n->domain = intern(m->names, domain);
    n->overload = intern(m->names, "");
    n->graph = g;
    n->dirty = true;
    n->outputs = arena_array(m->arena, n_outputs, sizeof(struct value *));
    n->n_outputs = n_outputs;
    vec_push(&m->nodes, n);
    node_resize_inputs(n, n_inputs);
    return n;
}

static void link_node(struct node *n, struct node *prev, struct node *next)
{
    struct graph *g = n->graph;
    n->prev = prev;
    n->next = next;
    *(prev ? &prev->next : &g->first) = n;
    *(next ? &next->prev : &g->last) = n;
    g->n_nodes++;
    graph_touch(g);
    edit_tell(n);
}

static void unlink_node(struct node *n)
{
    struct graph *g = n->graph;
    *(n->prev ? &n->prev->next : &g->first) = n->next;
    *(n->next ? &n->next->prev : &g->last) = n->prev;
    n->prev = n->next = NULL;
    g->n_nodes--;
    graph_touch(g);
}

void node_move_before(struct node *n, struct node *at)
{
    unlink_node(n);
    link_node(n, at->prev, at);
}

void node_insert_before(struct node *n, struct node *at) { link_node(n, at->prev, at); }
void node_insert_after(struct node *n, struct node *at) { link_node(n, at, at->next); }
void node_append(struct node *n) { link_node(n, n->graph->last, NULL); }

void node_set_name(struct node *n, const char *name)
{
    n->name = intern(n->graph->model->names, name);
    node_touch(n);
}

void node_set_op(struct node *n, const char *op_type, const char *domain)
{
    n->op_type = intern(n->graph->model->names, op_type);
    n->domain = intern(n->graph->model->names, domain);
    n->op = NULL;
    n->function = NULL;
    node_touch(n);
}

void node_set_input(struct node *n, uint32_t i, struct value *v)
{
    if (n->inputs[i].value == v)
        return;
    edit_set_use(&n->inputs[i], v);
    node_touch(n);
}

void node_resize_inputs(struct node *n, uint32_t count)
{
    struct use *old = n->inputs;
    uint32_t had = n->n_inputs;
    if (count == had && old)
        return;
    struct use *fresh = arena_array(n->graph->model->arena, count, sizeof *fresh);
    for (uint32_t i = 0; i < count; i++)
        fresh[i] = (struct use){.node = n, .graph = n->graph, .index = i};
    for (uint32_t i = 0; i < had; i++) {
        struct value *v = old[i].value;
        edit_unlink_use(&old[i]);
        if (i < count)
            edit_link_use(&fresh[i], v);
    }
    n->inputs = fresh;
    n->n_inputs = count;
    node_touch(n);
}

struct value *node_add_output(struct node *n, uint32_t i, const char *name_hint)
{
    struct value *v = value_new(n->graph, name_hint);
    v->producer = n;
    v->slot = i;
    n->outputs[i] = v;
    n->dirty = true;
    return v;
}

void node_move_output(struct node *from, uint32_t i, struct node *to, uint32_t j)
{
    struct value *v = from->outputs[i];
    from->outputs[i] = NULL;
    to->outputs[j] = v;
    if (v) {
        v->producer = to;
        v->slot = j;
    }
    node_touch(from);
    node_touch(to);
}

void node_drop_output(struct node *n, uint32_t i)
{
    value_remove(n->outputs[i]);
    n->outputs[i] = NULL;
    while (n->n_outputs && !n->outputs[n->n_outputs - 1])
        n->n_outputs--;
    node_touch(n);
}

static bool mentions(const char *list, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = strstr(list, name); at; at = strstr(at + 1, name))
        if ((at == list || at[-1] == ' ') && (at[size] == '\0' || at[size] == ' '))
            return true;
    return false;
}

void node_set_source(struct node *n, const struct node *from)
{
    const char *name = from->source ? from->source : node_label(from);
    if (!n->source)
        n->source = name;
    else if (strlen(n->source) < 1000 && !mentions(n->source, name))
        n->source = arena_printf(n->graph->model->arena, "%s %s", n->source, name);
}

/* Uses and values inside the subgraphs of a removed node go too. */
static void remove_subgraph(struct graph *g)
{
    while (g->outputs.count) {
        edit_unlink_use(vec_last(&g->outputs));
        g->outputs.count--;
    }
    for (struct node *n = g->last; n; n = g->last)
        node_remove(n);
}

static void remove_subgraphs(struct node *n)
{
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        if (a->type == ATTR_GRAPH && a->graph && a->graph->parent == n)
            remove_subgraph(a->graph);
        for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
            if (a->graphs[k]->parent == n)
                remove_subgraph(a->graphs[k]);
    }
}

void node_remove(struct node *n)
{
    unlink_node(n);
    n->removed = true;
    remove_subgraphs(n);
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        struct value *v = n->inputs[i].value;
        edit_unlink_use(&n->inputs[i]);
        edit_tell_lost_use(v);
    }
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i])
            value_remove(n->outputs[i]);
}
