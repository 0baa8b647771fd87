/* Changing the graph: use lists, node lists, values. Attribute edits stand in edit_attr.c, copies
 * in clone.c. */
#include "ir/edit.h"

#include <stdio.h>
#include <string.h>

/* ---- marking: a dirty thing has dirty ancestors ---- */

void graph_touch(struct graph *g)
{
    while (!g->dirty) {
        g->dirty = true;
        if (!g->parent)
            return;
        g->parent->dirty = true;
        g = g->parent->graph;
    }
}

static void tell(struct node *n)
{
    struct edit_watch *w = n->graph->model->watch;
    if (w)
        w->node(w, n);
}

void node_touch(struct node *n)
{
    n->dirty = true;
    graph_touch(n->graph);
    tell(n);
}

void value_touch(struct value *v)
{
    v->dirty = true;
    graph_touch(v->graph);
}

/* ---- names ---- */

/* Names are taken when they are interned at all, so one counter per hint finds a free one in O(1)
 * amortised. */
const char *model_fresh_name(struct model *m, const char *hint)
{
    if (hint[0] && !intern_has(m->names, hint))
        return intern(m->names, hint);
    struct arena *a = m->arena;
    const char *key = intern(m->names, hint);
    void **next = map_slot_str(&m->fresh, key);
    for (;;) {
        uintptr_t number = (uintptr_t)*next + 1;
        *next = (void *)number;
        char *name = arena_printf(a, "%s_%zu", hint, (size_t)number);
        if (!intern_has(m->names, name))
            return intern(m->names, name);
    }
}

/* ---- uses ---- */

static void link_use(struct use *u, struct value *v)
{
    u->value = v;
    if (!v)
        return;
    u->prev = NULL;
    u->next = v->uses;
    if (v->uses)
        v->uses->prev = u;
    v->uses = u;
    v->n_uses++;
    v->n_graph_outputs += u->node == NULL;
}

static void unlink_use(struct use *u)
{
    struct value *v = u->value;
    if (!v)
        return;
    if (u->prev)
        u->prev->next = u->next;
    else
        v->uses = u->next;
    if (u->next)
        u->next->prev = u->prev;
    u->prev = u->next = NULL;
    u->value = NULL;
    v->n_uses--;
    v->n_graph_outputs -= u->node == NULL;
}

/* What a value with few readers allows, its neighbours may not have tried yet. */
static void tell_lost_use(struct value *v)
{
    if (!v || v->n_uses > 1)
        return;
    if (v->producer)
        tell(v->producer);
    if (v->uses && v->uses->node)
        tell(v->uses->node);
}

static void set_use(struct use *u, struct value *v)
{
    struct value *old = u->value;
    if (old == v)
        return;
    unlink_use(u);
    link_use(u, v);
    graph_touch(u->graph);
    if (u->node)
        node_touch(u->node);
    tell_lost_use(old);
}

/* ---- values ---- */

static struct value *make_value(struct graph *g, const char *name)
{
    struct model *m = g->model;
    struct value *v = arena_alloc(m->arena, sizeof *v);
    v->id = m->n_values++;
    v->name = name;
    v->graph = g;
    v->type.rank = -1;
    vec_push(&m->values, v);
    return v;
}

struct value *value_new(struct graph *g, const char *name_hint)
{
    return make_value(g, model_fresh_name(g->model, name_hint));
}

struct value *value_named(struct graph *g, const char *name)
{
    return make_value(g, intern(g->model->names, name));
}

void value_set_type(struct value *v, const struct type *t)
{
    struct arena *a = v->graph->model->arena;
    v->type = *t;
    if (t->rank > 0)
        v->type.dims = arena_copy(a, t->dims, (size_t)t->rank * sizeof *t->dims);
    value_touch(v);
}

static void type_of_tensor(struct value *v, const struct tensor *t)
{
    struct model *m = v->graph->model;
    dim_t *dims = arena_array(m->arena, (size_t)t->rank, sizeof *dims);
    for (int i = 0; i < t->rank; i++)
        dims[i] = dim_const(m->dims, t->dims[i]);
    v->type = (struct type){TYPE_TENSOR, t->dtype, t->rank, dims, NULL};
}

void value_set_constant(struct value *v, struct tensor *data)
{
    if (!v->constant)
        vec_push(&v->graph->initializers, v);
    v->constant = data;
    value_touch(v);
    type_of_tensor(v, data);
}

void value_become_constant(struct value *v, struct tensor *data)
{
    struct node *n = v->producer;
    if (n) {
        n->outputs[v->slot] = NULL;
        node_touch(n);
    }
    v->producer = NULL;
    v->slot = 0;
    value_set_constant(v, data);
    value_each_use(u, v)
    {
        if (u->node)
            tell(u->node);
    }
}

struct value *value_constant(struct graph *g, const char *name_hint, struct tensor *data)
{
    struct value *v = value_new(g, name_hint);
    value_set_constant(v, data);
    return v;
}

struct value *value_input(struct graph *g, const char *name)
{
    struct value *v = value_named(g, name);
    v->is_input = true;
    vec_push(&g->inputs, v);
    graph_touch(g);
    return v;
}

void value_replace(struct value *old, struct value *by)
{
    while (old != by && old->uses)
        set_use(old->uses, by);
}

static void mark_users_dirty(const struct value *v)
{
    value_each_use(u, v)
    {
        if (u->node)
            u->node->dirty = true;
        graph_touch(u->graph);
    }
    if (v->producer)
        node_touch(v->producer);
}

void value_take_name(struct value *v, struct value *from)
{
    const char *name = from->name;
    from->name = model_fresh_name(v->graph->model, name);
    v->name = name;
    v->source = from->source ? from->source : v->source;
    if (v->type.kind == TYPE_NONE)
        v->type = from->type;
    v->origin = from->origin;
    from->origin = (struct span){0};
    value_touch(v);
    value_touch(from);
    mark_users_dirty(v);
    mark_users_dirty(from);
}

void value_remove(struct value *v)
{
    v->removed = true;
    graph_touch(v->graph);
}

/* ---- nodes ---- */

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
    tell(n);
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
    set_use(&n->inputs[i], v);
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
        unlink_use(&old[i]);
        if (i < count)
            link_use(&fresh[i], v);
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
        unlink_use(vec_last(&g->outputs));
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
        unlink_use(&n->inputs[i]);
        tell_lost_use(v);
    }
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i])
            value_remove(n->outputs[i]);
}

/* ---- graphs and model ---- */

struct graph *graph_new(struct model *m, struct node *parent, const char *name)
{
    struct graph *g = arena_alloc(m->arena, sizeof *g);
    g->id = m->n_graphs++;
    g->name = intern(m->names, name);
    g->model = m;
    g->parent = parent;
    g->dirty = true;
    vec_push(&m->graphs, g);
    if (parent)
        node_touch(parent);
    return g;
}

void graph_add_output(struct graph *g, struct value *v)
{
    struct use *u = arena_alloc(g->model->arena, sizeof *u);
    *u = (struct use){.graph = g, .index = (uint32_t)g->outputs.count};
    vec_push(&g->outputs, u);
    link_use(u, v);
    graph_touch(g);
}

void graph_set_output(struct graph *g, uint32_t i, struct value *v)
{
    set_use(g->outputs.data[i], v);
}

void graph_remove_input(struct graph *g, uint32_t i)
{
    g->inputs.data[i]->is_input = false;
    g->inputs.count--;
    for (size_t k = i; k < g->inputs.count; k++)
        g->inputs.data[k] = g->inputs.data[k + 1];
    graph_touch(g);
}

void model_set_opset(struct model *m, const char *domain, int64_t version)
{
    m->opsets_dirty = true;
    for (size_t i = 0; i < m->opsets.count; i++)
        if (!strcmp(m->opsets.data[i].domain, domain)) {
            m->opsets.data[i].version = version;
            return;
        }
    vec_push(&m->opsets, ((struct opset){intern(m->names, domain), version}));
}

static void drop_metadata(struct model *m, size_t i)
{
    for (m->metadata.count--; i < m->metadata.count; i++)
        m->metadata.data[i] = m->metadata.data[i + 1];
}

void model_set_metadata(struct model *m, const char *key, const char *value)
{
    m->metadata_dirty = true;
    const char *copy = value ? arena_string(m->arena, value) : NULL;
    for (size_t i = 0; i < m->metadata.count; i++)
        if (!strcmp(m->metadata.data[i].key, key)) {
            m->metadata.data[i].value = copy;
            if (!copy)
                drop_metadata(m, i);
            return;
        }
    if (copy)
        vec_push(&m->metadata, ((struct metadata){arena_string(m->arena, key), copy}));
}
