/* What nothing uses goes: nodes, initializers, functions.
 *
 * When:    no output of a node is read by a node or stands among a graph's outputs. Unknown
 *          operators stay (they may do more than compute). Graph inputs stay.
 * Order:   nodes backwards, the subgraphs of a node before the node, so one sweep finds all.
 * Numerics: EXACT.
 */
#include "base/bitset.h"
#include "rewrite/rewrite.h"

static bool unread(const struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] && n->outputs[i]->n_uses)
            return false;
    return true;
}

static void sweep_graph(struct pass_run *r, struct graph *g);

static void sweep_subgraphs(struct pass_run *r, const struct node *n)
{
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        if (a->type == ATTR_GRAPH && a->graph)
            sweep_graph(r, a->graph);
        for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
            sweep_graph(r, a->graphs[k]);
    }
}

static void sweep_initializers(struct graph *g)
{
    for (size_t i = 0; i < g->initializers.count; i++) {
        struct value *v = g->initializers.data[i];
        if (!v->removed && !v->is_input && !v->n_uses)
            value_remove(v);
    }
}

static void sweep_graph(struct pass_run *r, struct graph *g)
{
    for (struct node *n = g->last, *before; n; n = before) {
        before = n->prev;
        sweep_subgraphs(r, n);
        if (!unread(n))
            continue;
        if (!node_may_go(n)) {
            pass_refused(r, n, "nothing reads it, but its operator is not known");
            continue;
        }
        pass_rewrote(r, n, "nothing reads it");
        node_remove(n);
    }
    sweep_initializers(g);
}

/* Marks the functions that calls in g reach, through other functions too. */
static void mark_called(const struct model *m, struct bitset *called)
{
    VEC(const struct graph *) waiting = {0};
    vec_push(&waiting, m->graph);
    while (waiting.count) {
        const struct graph *g = vec_pop(&waiting);
        for (const struct node *n = g->first; n; n = n->next) {
            if (n->function && !bitset_has(called, n->function->body->id)) {
                bitset_add(called, n->function->body->id);
                vec_push(&waiting, n->function->body);
            }
            for (uint32_t i = 0; i < n->n_attrs; i++) {
                const struct attr *a = n->attrs[i];
                if (a->type == ATTR_GRAPH && a->graph)
                    vec_push(&waiting, a->graph);
                for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
                    vec_push(&waiting, a->graphs[k]);
            }
        }
    }
    vec_free(&waiting);
}

static void sweep_functions(struct pass_run *r, struct model *m)
{
    struct bitset called = bitset_new(m->n_graphs);
    mark_called(m, &called);
    for (size_t i = 0; i < m->functions.count; i++) {
        struct function *f = m->functions.data[i];
        if (f->removed || bitset_has(&called, f->body->id))
            continue;
        f->removed = m->functions_dirty = true;
        pass_rewrote_function(r, f, "nothing calls it");
    }
    bitset_release(&called);
}

int run_dead_code(struct pass_run *r, struct model *m)
{
    sweep_graph(r, m->graph);
    sweep_functions(r, m);
    for (size_t i = 0; i < m->functions.count; i++)
        if (!m->functions.data[i]->removed)
            sweep_graph(r, m->functions.data[i]->body);
    return 0;
}
