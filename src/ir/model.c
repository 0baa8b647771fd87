/* The model as a whole: birth, death, and the questions that ir.h answers about nodes, values and
 * graphs. */
#include "ir/ir.h"

#include <string.h>

#include "base/mem.h"
#include "ir/edit.h"

struct model *model_new(struct ctx *ctx)
{
    struct model *m = mem_alloc(sizeof *m);
    m->arena = arena_new();
    m->names = intern_new();
    m->dims = dim_table_new();
    m->ctx = ctx;
    m->producer_name = m->producer_version = "";
    m->graph = graph_new(m, NULL, "main");
    return m;
}

static void free_graph(struct graph *g)
{
    vec_free(&g->inputs);
    vec_free(&g->outputs);
    vec_free(&g->initializers);
    vec_free(&g->declared);
}

static void free_function(struct function *f)
{
    vec_free(&f->opsets);
    vec_free(&f->attributes);
    vec_free(&f->defaults);
}

void model_free(struct model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->graphs.count; i++)
        free_graph(m->graphs.data[i]);
    for (size_t i = 0; i < m->functions.count; i++)
        free_function(m->functions.data[i]);
    if (m->release)
        m->release(m);
    map_release(&m->fresh);
    vec_free(&m->external);
    vec_free(&m->opsets);
    vec_free(&m->functions);
    vec_free(&m->metadata);
    vec_free(&m->values);
    vec_free(&m->nodes);
    vec_free(&m->graphs);
    arena_free(m->facts_arena);
    dim_table_free(m->dims);
    intern_free(m->names);
    arena_free(m->arena);
    mem_free(m);
}

/* ---- nodes ---- */

struct value *node_input(const struct node *n, uint32_t i)
{
    return i < n->n_inputs ? n->inputs[i].value : NULL;
}

struct value *node_output(const struct node *n, uint32_t i)
{
    return i < n->n_outputs ? n->outputs[i] : NULL;
}

bool node_is_in(const struct node *n, const char *domain, const char *op_type)
{
    return !n->function && !strcmp(n->op_type, op_type) && !strcmp(n->domain, domain);
}

bool node_is(const struct node *n, const char *op_type) { return node_is_in(n, "", op_type); }

const char *node_label(const struct node *n)
{
    if (n->name[0])
        return n->name;
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i])
            return n->outputs[i]->name;
    return n->op_type;
}

static int64_t find_opset(const struct opset *sets, size_t count, const char *domain)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(sets[i].domain, domain))
            return sets[i].version;
    return 0;
}

int64_t graph_opset(const struct graph *g, const char *domain)
{
    while (g->parent)
        g = g->parent->graph;
    if (g->function)
        return find_opset(g->function->opsets.data, g->function->opsets.count, domain);
    return find_opset(g->model->opsets.data, g->model->opsets.count, domain);
}

int64_t node_opset(const struct node *n) { return graph_opset(n->graph, n->domain); }

/* ---- values ---- */

/* Before IR 4 every initializer had to be listed as an input, without being meant to change. */
bool value_is_constant(const struct value *v)
{
    if (!v || !v->constant || v->sparse)
        return false;
    int64_t ir = v->graph->model->ir_version;
    return !v->is_input || (ir > 0 && ir < 4);
}

bool value_is_output(const struct value *v) { return v->n_graph_outputs > 0; }

struct node *value_only_user(const struct value *v)
{
    return v->n_uses == 1 ? v->uses->node : NULL;
}

bool value_dim(const struct value *v, int i, int64_t *size)
{
    const struct type *t = &v->type;
    if (t->kind != TYPE_TENSOR || t->rank < 0)
        return false;
    i = i < 0 ? i + t->rank : i;
    return i >= 0 && i < t->rank && dim_is_const(t->dims[i], size);
}

bool graph_encloses(const struct graph *outer, const struct graph *inner)
{
    for (; inner; inner = inner->parent ? inner->parent->graph : NULL)
        if (inner == outer)
            return true;
    return false;
}
