/* Changing the graph: marks, names, use lists, values. Nodes stand in edit_node.c, graphs in
 * edit_graph.c, attributes in edit_attr.c, copies in clone.c. */
#include "ir/edit_impl.h"

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

void edit_tell(struct node *n)
{
    struct edit_watch *w = n->graph->model->watch;
    if (w)
        w->node(w, n);
}

void node_touch(struct node *n)
{
    n->dirty = true;
    graph_touch(n->graph);
    edit_tell(n);
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

void edit_link_use(struct use *u, struct value *v)
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

void edit_unlink_use(struct use *u)
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
void edit_tell_lost_use(struct value *v)
{
    if (!v || v->n_uses > 1)
        return;
    if (v->producer)
        edit_tell(v->producer);
    if (v->uses && v->uses->node)
        edit_tell(v->uses->node);
}

void edit_set_use(struct use *u, struct value *v)
{
    struct value *old = u->value;
    if (old == v)
        return;
    edit_unlink_use(u);
    edit_link_use(u, v);
    graph_touch(u->graph);
    if (u->node)
        node_touch(u->node);
    edit_tell_lost_use(old);
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
            edit_tell(u->node);
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
        edit_set_use(old->uses, by);
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

void value_rename(struct value *v)
{
    v->name = model_fresh_name(v->graph->model, v->name);
    v->source = NULL;
    v->origin = (struct span){0};
    value_touch(v);
    mark_users_dirty(v);
}

void value_remove(struct value *v)
{
    v->removed = true;
    graph_touch(v->graph);
}
