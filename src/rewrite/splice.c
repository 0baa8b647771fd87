/* Putting the body of a function or a branch in the place of the node that holds it. */
#include "rewrite/splice.h"

#include <string.h>

#include "base/mem.h"

struct splice {
    struct graph *body;
    struct node *at;
    struct value **map; /* by id of the values that existed before */
    uint32_t n_map;
    const struct node *call;
};

/* ---- attributes of a function's body ---- */

static const struct attr *argument(const struct node *call, const char *name)
{
    const struct attr *a = node_attr(call, name);
    for (size_t i = 0; !a && i < call->function->defaults.count; i++)
        if (!strcmp(call->function->defaults.data[i]->name, name))
            a = call->function->defaults.data[i];
    return a;
}

static void bind_node(const struct splice *s, struct node *n);

static void bind_graph(const struct splice *s, struct graph *g)
{
    for (size_t i = 0; i < g->inputs.count; i++)
        g->inputs.data[i]->type = (struct type){.rank = -1};
    graph_each_node(n, g) bind_node(s, n);
}

/* References become the call's attributes, inputs it lacks are left out, types of another call are
 * forgotten. */
static void bind_node(const struct splice *s, struct node *n)
{
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        struct attr *a = n->attrs[i];
        if (a->type == ATTR_GRAPH && a->graph)
            bind_graph(s, a->graph);
        for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
            bind_graph(s, a->graphs[k]);
        if (!a->ref)
            continue;
        const struct attr *value = argument(s->call, a->ref);
        const char *name = a->name;
        if (!value) {
            node_drop_attr(n, name);
            i--;
            continue;
        }
        *a = *value;
        a->name = name;
        a->dirty = true;
    }
    for (uint32_t i = 0; i < n->n_inputs; i++) { /* an input that the call leaves out */
        const struct value *v = n->inputs[i].value;
        if (v && v->is_input && v->graph == s->body)
            node_set_input(n, i, NULL);
    }
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i])
            n->outputs[i]->type = (struct type){.rank = -1};
}

/* ---- copying ---- */

static void copy_initializers(struct splice *s)
{
    for (size_t i = 0; i < s->body->initializers.count; i++) {
        struct value *v = s->body->initializers.data[i];
        if (v->removed || v->is_input)
            continue;
        struct value *w = constant_new(s->at, v->constant, v);
        w->sparse = v->sparse;
        w->type = v->type;
        w->q = v->q;
        s->map[v->id] = w;
    }
}

static void copy_nodes(struct splice *s)
{
    graph_each_node(n, s->body)
    {
        struct node *copy = node_clone(n, s->at->graph, s->map);
        node_move_before(copy, s->at);
        if (s->call) {
            bind_node(s, copy);
            copy->source = NULL;
            node_set_source(copy, s->at);
        }
    }
}

/* ---- results ---- */

/* at's output i is what computed w, or reads w through an Identity where a name must stay. */
static void give_result(struct splice *s, uint32_t i, struct value *w, bool own)
{
    struct value *v = s->at->outputs[i];
    if (!v)
        return;
    if (own) {
        value_replace(w, v);
        struct node *producer = w->producer;
        node_move_output(s->at, i, producer, w->slot);
        value_remove(w);
        return;
    }
    if (!bypass_problem(v, w)) {
        rewrite_bypass(v, w);
        return;
    }
    struct node *pass_on = rewrite_node(s->at, "Identity", 1, 1);
    node_set_input(pass_on, 0, w);
    node_move_output(s->at, i, pass_on, 0);
}

static void give_results(struct splice *s)
{
    for (uint32_t i = 0; i < s->at->n_outputs && i < s->body->outputs.count; i++) {
        struct value *inner = s->body->outputs.data[i]->value, *v = s->at->outputs[i];
        struct value *w = inner->id < s->n_map && s->map[inner->id] ? s->map[inner->id] : inner;
        bool own = w != inner && w->producer && w->graph == s->at->graph && w->id >= s->n_map;
        give_result(s, i, w, own);
        if (own && v)
            s->map[inner->id] = v; /* a second output of the same value reads this one */
    }
}

/* ---- names of a branch ---- */

static void count_names(const struct model *m, struct map *counts)
{
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        if (v->removed || (!v->producer && !v->is_input && !v->constant))
            continue;
        void **count = map_slot(counts, v->name, strlen(v->name));
        *count = (void *)((uintptr_t)*count + 1);
    }
}

/* The copies take the names of the originals, which are gone, where nobody else has them. */
static void keep_names(const struct splice *s, struct model *m)
{
    struct map counts = {0};
    count_names(m, &counts);
    for (uint32_t i = 0; i < s->n_map; i++) {
        struct value *v = m->values.data[i], *w = s->map[i];
        if (!w || w->id < s->n_map || w->removed || map_has_str(&counts, v->name))
            continue;
        value_take_name(w, v);
        w->source = v->source ? v->source : v;
    }
    map_release(&counts);
}

static void forget(struct graph *g)
{
    for (size_t i = 0; i < g->initializers.count; i++)
        g->initializers.data[i]->removed = true;
    for (size_t i = 0; i < g->inputs.count; i++)
        g->inputs.data[i]->removed = true;
}

void splice_body(struct graph *body, struct node *at, struct value *const *inputs,
                 const struct node *call)
{
    struct model *m = at->graph->model;
    struct splice s = {.body = body, .at = at, .n_map = m->n_values, .call = call};
    s.map = mem_alloc((s.n_map + 1u) * sizeof(struct value *));
    for (size_t i = 0; i < body->inputs.count; i++)
        s.map[body->inputs.data[i]->id] = inputs[i];
    copy_initializers(&s);
    copy_nodes(&s);
    give_results(&s);
    node_remove(at);
    if (!call) {
        forget(body);
        keep_names(&s, m);
    }
    mem_free(s.map);
}
