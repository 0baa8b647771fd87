/* The list of nodes that drives the passes.
 *
 * Edits report each node they touch (edit_watch), so no pass has to say what it changed. A pattern
 * is rooted at its last node, so after a change the readers of the changed node are looked at too:
 * READERS levels down, through values with at most FAN_OUT readers. What that misses is caught by
 * the manager's final round over all nodes. The way down is gone once for all passes, when the
 * first of them asks for more.
 */
#include "rewrite/manager.h"

enum { READERS = 3, FAN_OUT = 16, NEAR_MAX = 64 };

static void look_at(struct worklist *w, const struct node *n)
{
    while (w->last.count <= n->id)
        vec_push(&w->last, 0);
    uint32_t *last = &w->last.data[n->id];
    if (*last > w->consumed)
        return; /* every pass still has that entry before it */
    uint32_t operator= n->op ? (uint32_t)(n->op - op_at(0)) + 1 : 0;
    vec_push(&w->list, ((struct look){n->id, operator}));
    *last = (uint32_t)w->list.count;
}

static void changed(struct edit_watch *watch, struct node *n)
{
    struct worklist *w = (struct worklist *)watch;
    if (n->removed)
        return;
    if (!n->op && !n->function)
        n->op = op_find(n->domain, n->op_type);
    while (w->changed.count <= n->id)
        vec_push(&w->changed, false);
    if (w->changed.data[n->id])
        return;
    w->changed.data[n->id] = true;
    vec_push(&w->events, n->id);
}

void worklist_start(struct worklist *w, struct model *m)
{
    *w = (struct worklist){.watch.node = changed, .m = m};
    m->watch = &w->watch;
}

void worklist_stop(struct worklist *w)
{
    w->m->watch = NULL;
    vec_free(&w->list);
    vec_free(&w->last);
    vec_free(&w->events);
    vec_free(&w->changed);
}

static void add_graph(struct worklist *w, struct graph *g) { graph_each_node(n, g) look_at(w, n); }

void worklist_add_all(struct worklist *w)
{
    w->consumed = worklist_join(w);
    for (size_t i = 0; i < w->m->graphs.count; i++)
        add_graph(w, w->m->graphs.data[i]); /* those of removed nodes are empty */
}

static uint32_t add_readers(const struct node *n, const struct node **out, uint32_t count)
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

/* n and its readers, nearest first. */
static void look_near(struct worklist *w, const struct node *n)
{
    const struct node *near[NEAR_MAX] = {n};
    uint32_t count = 1, done = 0;
    for (int level = 0; level < READERS; level++) {
        uint32_t end = count;
        for (; done < end; done++)
            count = add_readers(near[done], near, count);
    }
    for (uint32_t i = 0; i < count; i++)
        look_at(w, near[i]);
}

size_t worklist_join(struct worklist *w)
{
    for (size_t i = 0; i < w->events.count; i++) {
        const struct node *n = w->m->nodes.data[w->events.data[i]];
        w->changed.data[n->id] = false;
        if (!n->removed)
            look_near(w, n);
    }
    vec_clear(&w->events);
    return w->list.count;
}
