/* Stable topological order of every graph.
 *
 * An edge goes from the producer of a value to each node of the same graph that reads it, itself or
 * somewhere inside its subgraphs. Nodes keep their place unless a node they depend on stands later:
 * that one is pulled up to just before its first reader. Iterative; O(nodes + uses).
 */
#include "base/mem.h"
#include "ir/edit.h"
#include "ir/ir.h"

enum state { UNSEEN, OPEN, DONE };

struct sorter {
    const struct model *m;
    uint32_t *position; /* by node id, in its graph's list */
    uint32_t *start;    /* by node id: its slice of needs; one more entry than nodes */
    uint32_t *fill;
    struct node **needs; /* producers that must come first */
    unsigned char *state;
    struct frame {
        struct node *node;
        uint32_t next;
    } * stack;
};

/* The node of g that holds use u, or NULL (a graph output of g itself, or out of scope). */
static struct node *reader_in(const struct graph *g, const struct use *u)
{
    const struct graph *at = u->graph;
    struct node *n = u->node;
    while (at != g) {
        n = at->parent;
        if (!n)
            return NULL;
        at = n->graph;
    }
    return n;
}

/* Calls visit(s, producer, reader) for every edge of g. */
static void each_edge(struct sorter *s, const struct graph *g,
                      void (*visit)(struct sorter *s, struct node *from, struct node *to))
{
    graph_each_node(n, g)
    {
        for (uint32_t i = 0; i < n->n_outputs; i++) {
            if (!n->outputs[i])
                continue;
            value_each_use(u, n->outputs[i])
            {
                struct node *reader = reader_in(g, u);
                if (reader)
                    visit(s, n, reader);
            }
        }
    }
}

static void count_edge(struct sorter *s, struct node *from, struct node *to)
{
    (void)from;
    s->fill[to->id]++;
}

static void add_edge(struct sorter *s, struct node *from, struct node *to)
{
    s->needs[s->fill[to->id]++] = from;
}

static bool in_order(struct sorter *s, const struct graph *g)
{
    uint32_t at = 0;
    graph_each_node(n, g) s->position[n->id] = at++;
    graph_each_node(n, g)
    {
        for (uint32_t i = 0; i < n->n_outputs; i++) {
            if (!n->outputs[i])
                continue;
            value_each_use(u, n->outputs[i])
            {
                const struct node *reader = reader_in(g, u);
                if (reader && s->position[reader->id] <= s->position[n->id])
                    return false;
            }
        }
    }
    return true;
}

/* Slices of g's nodes in `needs`, filled in list order of the producers: deterministic. */
static void collect(struct sorter *s, const struct graph *g)
{
    uint32_t total = 0;
    graph_each_node(n, g) s->fill[n->id] = 0;
    each_edge(s, g, count_edge);
    graph_each_node(n, g)
    {
        uint32_t count = s->fill[n->id];
        s->start[n->id] = s->fill[n->id] = total;
        total += count;
    }
    s->needs = mem_alloc((total + 1u) * sizeof(struct node *));
    each_edge(s, g, add_edge);
}

static void relink(struct graph *g, struct node *n)
{
    n->prev = g->last;
    n->next = NULL;
    *(g->last ? &g->last->next : &g->first) = n;
    g->last = n;
}

/* Places n after everything it needs. false: a cycle; *culprit is on it. */
static bool place(struct sorter *s, struct graph *g, struct node *n, struct node **culprit)
{
    uint32_t depth = 0;
    s->stack[depth++] = (struct frame){n, s->start[n->id]};
    s->state[n->id] = OPEN;
    while (depth) {
        struct frame *top = &s->stack[depth - 1];
        if (top->next == s->fill[top->node->id]) {
            s->state[top->node->id] = DONE;
            relink(g, top->node);
            depth--;
            continue;
        }
        struct node *need = s->needs[top->next++];
        if (s->state[need->id] == OPEN) {
            *culprit = need;
            return false;
        }
        if (s->state[need->id] == UNSEEN) {
            s->state[need->id] = OPEN;
            s->stack[depth++] = (struct frame){need, s->start[need->id]};
        }
    }
    return true;
}

static int64_t moved(const struct sorter *s, const struct graph *g)
{
    int64_t count = 0;
    uint32_t highest = 0;
    graph_each_node(n, g)
    {
        count += s->position[n->id] < highest;
        highest = s->position[n->id] > highest ? s->position[n->id] : highest;
    }
    return count;
}

static int report_cycle(const struct model *m, const struct node *n)
{
    return diag_report(m->ctx->diag, E_CYCLE,
                       &(struct where){.file = m->path, .node = node_label(n)},
                       "node '%s' (%s) depends on its own output", node_label(n), n->op_type);
}

static int sort_graph(struct sorter *s, struct graph *g, int64_t *count)
{
    struct node *culprit = NULL, **order = mem_alloc((g->n_nodes + 1u) * sizeof *order);
    uint32_t n_nodes = 0;
    collect(s, g);
    graph_each_node(n, g) order[n_nodes++] = n;
    g->first = g->last = NULL;
    bool fine = true;
    for (uint32_t i = 0; i < n_nodes && fine; i++)
        fine = s->state[order[i]->id] == DONE || place(s, g, order[i], &culprit);
    if (!fine) { /* as it was */
        g->first = g->last = NULL;
        for (uint32_t i = 0; i < n_nodes; i++)
            relink(g, order[i]);
    }
    mem_free(order);
    mem_free(s->needs);
    if (!fine)
        return report_cycle(s->m, culprit);
    *count += moved(s, g);
    graph_touch(g);
    return 0;
}

static void release(struct sorter *s)
{
    mem_free(s->position);
    mem_free(s->start);
    mem_free(s->fill);
    mem_free(s->state);
    mem_free(s->stack);
}

int model_sort(struct model *m)
{
    size_t n = (size_t)m->n_nodes + 1;
    struct sorter s = {.m = m, .position = mem_alloc(n * sizeof *s.position)};
    int64_t count = 0;
    int status = 0;
    for (size_t i = 0; i < m->graphs.count && status == 0; i++) {
        if (in_order(&s, m->graphs.data[i]))
            continue;
        if (!s.start) {
            s.start = mem_alloc(n * sizeof *s.start);
            s.fill = mem_alloc(n * sizeof *s.fill);
            s.state = mem_alloc(n);
            s.stack = mem_alloc(n * sizeof *s.stack);
        }
        status = sort_graph(&s, m->graphs.data[i], &count);
    }
    release(&s);
    return status ? status : (int)(count > INT32_MAX ? INT32_MAX : count);
}
