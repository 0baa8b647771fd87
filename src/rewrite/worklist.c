/* The list of changed nodes that drives the passes.
 *
 * Edits report each node they touch (edit_watch), so no pass has to say what it changed. A pattern
 * is rooted at its last node, so after a change the readers of the changed node are looked at too:
 * READERS levels down, through values with at most FAN_OUT readers. What that misses is caught by
 * the manager's final round over all nodes.
 */
#include "rewrite/manager.h"

enum { READERS = 3, FAN_OUT = 16 };

static uint32_t *last_of(struct worklist *w, uint32_t id)
{
    while (w->last.count <= id)
        vec_push(&w->last, 0);
    return &w->last.data[id];
}

static void add(struct worklist *w, struct node *n)
{
    uint32_t *last = last_of(w, n->id);
    if (*last > w->consumed)
        return; /* every pass still has that entry before it */
    vec_push(&w->events, n->id);
    *last = (uint32_t)w->events.count;
}

static void changed(struct edit_watch *watch, struct node *n)
{
    struct worklist *w = (struct worklist *)watch;
    if (n->removed)
        return;
    if (!n->op && !n->function)
        n->op = op_find(n->domain, n->op_type);
    add(w, n);
}

void worklist_start(struct worklist *w, struct model *m)
{
    *w = (struct worklist){.watch.node = changed, .m = m};
    m->watch = &w->watch;
}

void worklist_stop(struct worklist *w)
{
    w->m->watch = NULL;
    vec_free(&w->events);
    vec_free(&w->last);
}

static void add_graph(struct worklist *w, struct graph *g) { graph_each_node(n, g) add(w, n); }

void worklist_add_all(struct worklist *w)
{
    w->consumed = w->events.count;
    for (size_t i = 0; i < w->m->graphs.count; i++)
        add_graph(w, w->m->graphs.data[i]); /* those of removed nodes are empty */
}

static uint32_t add_readers(struct node *n, struct node **out, uint32_t count)
{
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        if (!n->outputs[i] || n->outputs[i]->n_uses > FAN_OUT)
            continue;
        value_each_use(u, n->outputs[i])
        {
            if (u->node && count < NEAR_MAX)
                out[count++] = u->node;
        }
    }
    return count;
}

uint32_t nodes_near(struct node *n, struct node *out[NEAR_MAX])
{
    uint32_t count = 1, done = 0;
    out[0] = n;
    for (int level = 0; level < READERS; level++) {
        uint32_t end = count;
        for (; done < end; done++)
            count = add_readers(out[done], out, count);
    }
    return count;
}
