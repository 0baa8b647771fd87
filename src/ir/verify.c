/* Every invariant that ir.h states, checked in O(nodes + uses + values + initializers).
 *
 * Passes break the graph only by a defect, so what is found here is an internal error, except where
 * a model came in broken (names, scopes): the loader checks those first with errors of its own.
 */
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "ir/ir.h"

struct verifier {
    const struct model *m;
    uint32_t *seen;     /* by value id: uses met while walking nodes and outputs */
    uint32_t *position; /* by node id, 1-based; 0: not in a list */
    struct arena *scratch;
};

static int broken(const struct verifier *v, const struct node *n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int broken(const struct verifier *v, const struct node *n, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(v->scratch, format, args);
    va_end(args);
    return diag_report(v->m->ctx->diag, E_GRAPH_BROKEN,
                       &(struct where){.file = v->m->path, .node = n ? node_label(n) : NULL}, "%s",
                       text);
}

#define TRY(call)           \
    do {                    \
        int code_ = (call); \
        if (code_)          \
            return code_;   \
    } while (0)

/* ---- tables of the model ---- */

static int check_ids(struct verifier *v)
{
    const struct model *m = v->m;
    if (m->values.count != m->n_values || m->nodes.count != m->n_nodes ||
        m->graphs.count != m->n_graphs)
        return broken(v, NULL, "the id tables do not have one entry for each id");
    for (uint32_t i = 0; i < m->n_values; i++)
        if (m->values.data[i]->id != i)
            return broken(v, NULL, "value '%s' has id %u in place %u", m->values.data[i]->name,
                          m->values.data[i]->id, i);
    for (uint32_t i = 0; i < m->n_nodes; i++)
        if (m->nodes.data[i]->id != i)
            return broken(v, m->nodes.data[i], "node id %u in place %u", m->nodes.data[i]->id, i);
    for (uint32_t i = 0; i < m->n_graphs; i++)
        if (m->graphs.data[i]->id != i || m->graphs.data[i]->model != m)
            return broken(v, NULL, "graph '%s' has id %u in place %u", m->graphs.data[i]->name,
                          m->graphs.data[i]->id, i);
    return 0;
}

/* ---- uses and definitions ---- */

static bool is_defined(const struct value *x)
{
    return x->is_input || x->constant || (x->producer && !x->producer->removed);
}

static int check_use(struct verifier *v, const struct use *u, const struct node *n)
{
    const struct value *x = u->value;
    if (!x)
        return 0;
    if (x->id >= v->m->n_values || v->m->values.data[x->id] != x)
        return broken(v, n, "a use holds a value of another model");
    if (x->removed)
        return broken(v, n, "removed value '%s' is used", x->name);
    if (!is_defined(x))
        return broken(v, n, "value '%s' is used but nothing defines it", x->name);
    if (!graph_encloses(x->graph, u->graph))
        return broken(v, n, "value '%s' of graph '%s' is out of scope", x->name, x->graph->name);
    v->seen[x->id]++;
    return 0;
}

static int check_output(struct verifier *v, const struct node *n, uint32_t i)
{
    const struct value *x = n->outputs[i];
    if (!x)
        return 0;
    if (x->producer != n || x->slot != i || x->graph != n->graph)
        return broken(v, n, "output %u ('%s') does not point back to its node", i, x->name);
    if (x->removed || x->is_input || x->constant)
        return broken(v, n, "output '%s' is also an input, an initializer or removed", x->name);
    return 0;
}

static bool names_graph(const struct attr *a, const struct graph *g)
{
    if (a->type == ATTR_GRAPH)
        return a->graph == g;
    for (uint32_t i = 0; a->type == ATTR_GRAPHS && i < a->n; i++)
        if (a->graphs[i] == g)
            return true;
    return false;
}

static int check_attrs(struct verifier *v, const struct node *n)
{
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        if (a->type == ATTR_GRAPH && !a->ref && (!a->graph || a->graph->parent != n))
            return broken(v, n, "the graph of attribute '%s' has another parent", a->name);
        for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
            if (a->graphs[k]->parent != n)
                return broken(v, n, "a graph of attribute '%s' has another parent", a->name);
        for (uint32_t k = 0; k < i; k++)
            if (!strcmp(n->attrs[k]->name, a->name))
                return broken(v, n, "attribute '%s' appears twice", a->name);
    }
    return 0;
}

static int check_node(struct verifier *v, const struct node *n, const struct graph *g)
{
    if (n->graph != g || n->removed)
        return broken(v, n, "a node of graph '%s' is removed or of another graph", g->name);
    if ((n->prev ? n->prev->next : g->first) != n || (n->next ? n->next->prev : g->last) != n)
        return broken(v, n, "the node list is not linked both ways");
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct use *u = &n->inputs[i];
        if (u->node != n || u->index != i || u->graph != g)
            return broken(v, n, "the use of input %u does not point back to its node", i);
        TRY(check_use(v, u, n));
    }
    for (uint32_t i = 0; i < n->n_outputs; i++)
        TRY(check_output(v, n, i));
    return check_attrs(v, n);
}

/* ---- graphs ---- */

static bool is_live(const struct graph *g)
{
    for (; g->parent; g = g->parent->graph)
        if (g->parent->removed)
            return false;
    return g == g->model->graph || (g->function && !g->function->removed);
}

static int check_parent(struct verifier *v, const struct graph *g)
{
    const struct node *p = g->parent;
    bool found = p == NULL;
    for (uint32_t i = 0; p && i < p->n_attrs; i++)
        found = found || names_graph(p->attrs[i], g);
    return found ? 0 : broken(v, p, "graph '%s' hangs on no attribute of its parent", g->name);
}

static int check_constant(struct verifier *v, const struct value *x)
{
    const struct tensor *t = x->constant;
    size_t bytes;
    if (!t || x->producer)
        return broken(v, NULL, "initializer '%s' has no tensor, or a producer", x->name);
    if (x->sparse || t->dtype == DT_STRING)
        return 0;
    if (!dtype_bytes(t->dtype, t->count, &bytes) || bytes != t->bytes ||
        (bytes && !t->data && !t->recipe))
        return broken(v, NULL, "initializer '%s' lacks data for its size", x->name);
    return 0;
}

static int check_lists(struct verifier *v, const struct graph *g)
{
    uint32_t count = 0;
    graph_each_node(n, g)
    {
        TRY(check_node(v, n, g));
        v->position[n->id] = ++count;
    }
    if (count != g->n_nodes)
        return broken(v, NULL, "graph '%s' counts %u nodes and has %u", g->name, g->n_nodes, count);
    for (size_t i = 0; i < g->inputs.count; i++) {
        const struct value *x = g->inputs.data[i];
        if (!x->is_input || x->graph != g || x->producer || x->removed)
            return broken(v, NULL, "graph input '%s' is not marked as one", x->name);
    }
    for (size_t i = 0; i < g->outputs.count; i++) {
        const struct use *u = g->outputs.data[i];
        if (u->node || u->graph != g || u->index != i || !u->value)
            return broken(v, NULL, "output %zu of graph '%s' is not linked", i, g->name);
        TRY(check_use(v, u, NULL));
    }
    for (size_t i = 0; i < g->initializers.count; i++)
        if (!g->initializers.data[i]->removed)
            TRY(check_constant(v, g->initializers.data[i]));
    return 0;
}

static int check_name(struct verifier *v, struct map *names, struct value *x)
{
    if (!x || x->removed)
        return 0;
    if (!x->name[0])
        return broken(v, x->producer, "a value has an empty name");
    void **slot = map_slot_str(names, x->name);
    if (*slot && *slot != x)
        return broken(v, x->producer, "two values are named '%s'", x->name);
    *slot = x;
    return 0;
}

static int check_names_in(struct verifier *v, const struct graph *g, struct map *names)
{
    for (size_t i = 0; i < g->inputs.count; i++)
        TRY(check_name(v, names, g->inputs.data[i]));
    for (size_t i = 0; i < g->initializers.count; i++)
        TRY(check_name(v, names, g->initializers.data[i]));
    graph_each_node(n, g)
    {
        for (uint32_t i = 0; i < n->n_outputs; i++)
            TRY(check_name(v, names, n->outputs[i]));
    }
    return 0;
}

static int check_names(struct verifier *v, const struct graph *g)
{
    struct map names = {0};
    int status = check_names_in(v, g, &names);
    map_release(&names);
    return status;
}

/* ---- the lists of the values, and the order ---- */

/* The use u of x, seen from x: it stands where it says. */
static bool use_stands(const struct value *x, const struct use *u)
{
    if (u->value != x)
        return false;
    if (u->node)
        return u->index < u->node->n_inputs && &u->node->inputs[u->index] == u;
    return u->index < u->graph->outputs.count && u->graph->outputs.data[u->index] == u;
}

static int check_value(struct verifier *v, const struct value *x)
{
    uint32_t count = 0;
    const struct use *before = NULL;
    value_each_use(u, x)
    {
        if (!use_stands(x, u) || u->prev != before)
            return broken(v, u->node, "the use list of '%s' is broken", x->name);
        before = u;
        count++;
        const struct graph *at = u->graph;
        const struct node *reader = u->node;
        for (; at != x->graph && at->parent; at = reader->graph)
            reader = at->parent;
        if (x->producer && reader && v->position[x->producer->id] >= v->position[reader->id])
            return broken(v, reader, "reads '%s' before it is computed", x->name);
    }
    if (count != x->n_uses || count != v->seen[x->id])
        return broken(v, x->producer, "value '%s' counts %u uses, lists %u and has %u", x->name,
                      x->n_uses, count, v->seen[x->id]);
    if (x->type.rank > 0 && !x->type.dims)
        return broken(v, x->producer, "value '%s' has a rank without dims", x->name);
    return 0;
}

static int verify(struct verifier *v)
{
    TRY(check_ids(v));
    for (uint32_t i = 0; i < v->m->n_graphs; i++) {
        const struct graph *g = v->m->graphs.data[i];
        if (!is_live(g))
            continue;
        TRY(check_parent(v, g));
        TRY(check_lists(v, g));
        TRY(check_names(v, g));
    }
    for (uint32_t i = 0; i < v->m->n_values; i++)
        if (!v->m->values.data[i]->removed && is_live(v->m->values.data[i]->graph))
            TRY(check_value(v, v->m->values.data[i]));
    return 0;
}

int model_verify(const struct model *m)
{
    struct verifier v = {.m = m, .scratch = arena_new()};
    v.seen = mem_alloc((m->n_values + 1u) * sizeof *v.seen);
    v.position = mem_alloc((m->n_nodes + 1u) * sizeof *v.position);
    int status = verify(&v);
    mem_free(v.seen);
    mem_free(v.position);
    arena_free(v.scratch);
    return status;
}
