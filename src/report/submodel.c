/* From the last node to the first, so that whoever read what a node made and goes has gone before. */
#include "report/submodel.h"

#include "ir/edit.h"
#include "passes/pass.h"

static void drop_graph_outputs(struct value *v)
{
    struct graph *g = v->graph;
    for (size_t i = g->outputs.count; i-- > 0;)
        if (g->outputs.data[i]->value == v)
            graph_remove_output(g, (uint32_t)i);
}

/* What is read of v comes from outside from now on. false: nobody knows its type. */
static bool becomes_input(struct value *v)
{
    drop_graph_outputs(v);
    if (!v->n_uses)
        return true;
    if (v->type.kind != TYPE_TENSOR || v->type.dtype == DT_UNDEFINED || v->type.rank < 0)
        return false;
    struct value *in = value_input(v->graph, model_fresh_name(v->graph->model, v->name));
    value_set_type(in, &v->type);
    value_replace(v, in);
    value_take_name(in, v);
    return true;
}

static bool remove_one(struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] && !becomes_input(n->outputs[i]))
            return false;
    node_remove(n);
    return true;
}

static bool anybody_reads(const struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] && n->outputs[i]->n_uses)
            return true;
    return false;
}

static void show_outputs(struct node *n)
{
    if (anybody_reads(n))
        return;
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i])
            graph_add_output(n->graph, n->outputs[i]);
}

static void drop_unused_inputs(struct graph *g)
{
    for (size_t i = g->inputs.count; i-- > 0;)
        if (!g->inputs.data[i]->n_uses)
            graph_remove_input(g, (uint32_t)i);
}

int submodel_cut(struct model *m, const bool *keep)
{
    static const char *const CLEAN[] = {"dead-code", NULL};
    const struct pass_plan plan = {.names = CLEAN};
    struct pass_log log = {0};
    size_t at = m->graph->n_nodes;
    struct node *before;
    for (struct node *n = m->graph->last; n; n = before) {
        before = n->prev;
        if (!keep[--at] && !remove_one(n))
            return 1;
    }
    graph_each_node(n, m->graph) show_outputs(n);
    drop_unused_inputs(m->graph);
    bool fine = m->graph->first && passes_run(m, &plan, &log) >= 0;
    pass_log_release(&log);
    return !fine || !m->graph->outputs.count;
}
