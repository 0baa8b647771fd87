/* Changing graphs and what stands at the model: outputs, opsets, metadata. */
#include "ir/edit_impl.h"

#include <string.h>

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
    edit_link_use(u, v);
    graph_touch(g);
}

void graph_set_output(struct graph *g, uint32_t i, struct value *v)
{
    edit_set_use(g->outputs.data[i], v);
}

void graph_remove_input(struct graph *g, uint32_t i)
{
    g->inputs.data[i]->is_input = false;
    g->inputs.count--;
    for (size_t k = i; k < g->inputs.count; k++)
        g->inputs.data[k] = g->inputs.data[k + 1];
    graph_touch(g);
}

void graph_remove_output(struct graph *g, uint32_t i)
{
    edit_set_use(g->outputs.data[i], NULL);
    g->outputs.count--;
    for (size_t k = i; k < g->outputs.count; k++) {
        g->outputs.data[k] = g->outputs.data[k + 1];
        g->outputs.data[k]->index = (uint32_t)k;
    }
    graph_touch(g);
}

/* A domain that is imported twice gets the version in both places. */
void model_set_opset(struct model *m, const char *domain, int64_t version)
{
    bool found = false;
    m->opsets_dirty = true;
    for (size_t i = 0; i < m->opsets.count; i++)
        if (!strcmp(m->opsets.data[i].domain, domain)) {
            m->opsets.data[i].version = version;
            found = true;
        }
    if (!found)
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
