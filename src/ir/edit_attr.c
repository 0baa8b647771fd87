/* Setting attributes: each setter replaces the attribute of that name or adds one. */
#include <string.h>

#include "ir/edit.h"

static struct attr *fresh(struct node *n, const char *name, enum attr_type type)
{
    struct model *m = n->graph->model;
    struct attr *a = arena_alloc(m->arena, sizeof *a);
    a->name = intern(m->names, name);
    a->type = type;
    a->dirty = true;
    return a;
}

static void put(struct node *n, struct attr *a)
{
    node_touch(n);
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (!strcmp(n->attrs[i]->name, a->name)) {
            n->attrs[i] = a;
            return;
        }
    struct attr **list = arena_array(n->graph->model->arena, n->n_attrs + 1u, sizeof *list);
    if (n->n_attrs)
        memcpy(list, n->attrs, n->n_attrs * sizeof *list);
    list[n->n_attrs++] = a;
    n->attrs = list;
}

void node_set_int(struct node *n, const char *name, int64_t value)
{
    struct attr *a = fresh(n, name, ATTR_INT);
    a->i = value;
    put(n, a);
}

void node_set_float(struct node *n, const char *name, float value)
{
    struct attr *a = fresh(n, name, ATTR_FLOAT);
    a->f = value;
    put(n, a);
}

void node_set_string(struct node *n, const char *name, const char *text)
{
    struct attr *a = fresh(n, name, ATTR_STRING);
    a->s = span_of(arena_string(n->graph->model->arena, text));
    put(n, a);
}

void node_set_ints(struct node *n, const char *name, const int64_t *values, uint32_t count)
{
    struct attr *a = fresh(n, name, ATTR_INTS);
    a->ints = arena_copy(n->graph->model->arena, values, count * sizeof *values);
    a->n = count;
    put(n, a);
}

void node_set_floats(struct node *n, const char *name, const float *values, uint32_t count)
{
    struct attr *a = fresh(n, name, ATTR_FLOATS);
    a->floats = arena_copy(n->graph->model->arena, values, count * sizeof *values);
    a->n = count;
    put(n, a);
}

void node_set_tensor(struct node *n, const char *name, struct tensor *t)
{
    struct attr *a = fresh(n, name, ATTR_TENSOR);
    a->tensor = t;
    put(n, a);
}

void node_copy_attr(struct node *n, const struct attr *from)
{
    struct attr *a = arena_copy(n->graph->model->arena, from, sizeof *from);
    put(n, a);
}

void node_drop_attr(struct node *n, const char *name)
{
    uint32_t kept = 0;
    struct attr **list = arena_array(n->graph->model->arena, n->n_attrs, sizeof *list);
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (strcmp(n->attrs[i]->name, name))
            list[kept++] = n->attrs[i];
    if (kept != n->n_attrs)
        node_touch(n);
    n->attrs = list;
    n->n_attrs = kept;
}
