/* Runs a plan: each pass over the nodes that changed since it last looked, until none is left.
 *
 * Facts: types come from one inference at the start; rewrites type what they make, and inference
 * runs again only after a pass that breaks types changed something. After the first fixpoint every
 * node is shown to every pass once more, so that the result does not depend on how far a change was
 * followed. Cost: O(passes x (nodes + changes)).
 */
#include "rewrite/manager.h"

#include <string.h>

#include "base/bitset.h"
#include "rewrite/old_ir.h"

#ifdef NPUPREP_DEBUG
static const bool ALWAYS_VERIFY = true;
#else
static const bool ALWAYS_VERIFY = false;
#endif

/* ---- facts ---- */

static int provide(struct manager *g, unsigned needs)
{
    int rc = 0;
    if (needs & (NEEDS_TYPES | NEEDS_ORDER) && g->stale_order) { /* inference walks the lists */
        rc = model_sort(g->m);
        g->stale_order = rc < 0;
    }
    if (rc >= 0 && needs & NEEDS_TYPES && g->stale_types) {
        ops_resolve(g->m);
        rc = model_infer(g->m, NULL, NULL);
        g->stale_types = rc < 0;
    }
    return rc < 0 ? rc : 0;
}

static int settle(struct manager *g, const struct pass_run *r, int64_t before)
{
    if (r->result.rewrites == before)
        return 0;
    g->stale_types |= (r->pass->breaks & NEEDS_TYPES) != 0;
    g->stale_order |= (r->pass->breaks & NEEDS_ORDER) != 0;
    return g->plan->verify || ALWAYS_VERIFY ? model_verify(g->m) : 0;
}

/* ---- one pass ---- */

static bool in_function(const struct node *n)
{
    const struct graph *g = n->graph;
    while (g->parent)
        g = g->parent->graph;
    return g->function != NULL;
}

static int endless(const struct pass_run *r)
{
    return diag_report(pass_ctx(r)->diag, E_PASS_ENDLESS, NULL,
                       "pass '%s' still finds work after %zu changes", r->pass->name,
                       r->manager->work.list.count);
}

/* first_round: the entries before this place are the nodes as they stood, not changes. */
static int run_visits(struct pass_run *r, size_t first_round)
{
    struct worklist *w = &r->manager->work;
    while (r->position < w->list.count || r->position < worklist_join(w)) {
        size_t at = r->position++;
        struct look look = w->list.data[at];
        w->consumed = w->consumed > r->position ? w->consumed : r->position;
        if (bitset_has(&r->ignored, look.operator) ||
            (w->last.data[look.node] != at + 1 && at >= first_round))
            continue;
        struct node *n = r->manager->m->nodes.data[look.node];
        if (n->removed || in_function(n))
            continue;
        int rc = r->pass->visit(r, n);
        if (rc < 0)
            return rc;
        if (w->list.count > r->manager->limit)
            return endless(r);
        if (at % 1024 == 0 && (rc = ctx_check(pass_ctx(r))))
            return rc;
    }
    return 0;
}

static int run_pass(struct manager *g, struct pass_run *r, size_t first_round)
{
    int64_t before = r->result.rewrites;
    int rc = provide(g, r->pass->needs);
    if (rc < 0)
        return rc;
    if (r->pass->visit) {
        rc = run_visits(r, first_round);
    } else {
        g->work.consumed = worklist_join(&g->work);
        rc = r->pass->run(r, g->m);
        r->position = worklist_join(&g->work);
        rc = rc < 0 ? rc : ctx_check(g->m->ctx);
    }
    return rc < 0 ? rc : settle(g, r, before);
}

/* ---- plans ---- */

static int64_t total(const struct pass_run *runs, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += runs[i].result.rewrites;
    return sum;
}

static int run_rounds(struct manager *g, struct pass_run *runs, size_t n, size_t first_round)
{
    int64_t before;
    do {
        before = total(runs, n);
        for (size_t i = 0; i < n; i++) {
            if (runs[i].position >= worklist_join(&g->work))
                continue;
            int rc = run_pass(g, &runs[i], first_round);
            if (rc < 0)
                return rc;
        }
    } while (total(runs, n) > before);
    return 0;
}

static int run_to_fixpoint(struct manager *g, struct pass_run *runs, size_t n)
{
    size_t seen = 0;
    for (;;) {
        int64_t before = total(runs, n);
        worklist_add_all(&g->work);
        g->sweep++;
        for (size_t i = 0; i < n; i++)
            runs[i].position = seen;
        int rc = run_rounds(g, runs, n, g->work.list.count);
        if (rc < 0 || total(runs, n) == before)
            return rc;
        seen = worklist_join(&g->work);
    }
}

static int run_in_order(struct manager *g, struct pass_run *runs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t seen = worklist_join(&g->work);
        worklist_add_all(&g->work);
        runs[i].position = seen;
        int rc = run_pass(g, &runs[i], g->work.list.count);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int unknown_pass(const struct manager *g, const char *name)
{
    return diag_report(g->m->ctx->diag, E_PASS_UNKNOWN, NULL, "there is no pass '%s'", name);
}

static bool is_skipped(const struct pass_plan *plan, const struct pass *p)
{
    for (size_t i = 0; plan->skip && plan->skip[i]; i++)
        if (!strcmp(plan->skip[i], p->name))
            return true;
    return false;
}

/* By level: whether the plan runs p. */
static bool is_due(const struct pass_plan *plan, const struct pass *p)
{
    return (p->level <= plan->level || (plan->opset && p->needs & FOR_OPSET)) &&
           !is_skipped(plan, p);
}

/* The passes of the plan; *n of them. NULL after a report. */
static struct pass_run *select_passes(struct manager *g, size_t *n)
{
    const struct pass_plan *plan = g->plan;
    size_t count = 0, room = pass_total();
    while (plan->names && plan->names[count])
        count++;
    struct pass_run *runs = arena_array(g->arena, count > room ? count : room, sizeof *runs);
    *n = 0;
    for (size_t i = 0; plan->names && i < count; i++) {
        const struct pass *p = pass_find(plan->names[i]);
        if (!p) {
            unknown_pass(g, plan->names[i]);
            return NULL;
        }
        if (!is_skipped(plan, p))
            pass_run_init(&runs[(*n)++], p, g);
    }
    for (size_t i = 0; !plan->names && i < room; i++)
        if (is_due(plan, pass_at(i)))
            pass_run_init(&runs[(*n)++], pass_at(i), g);
    return runs;
}

static void count_nodes(const struct model *m, int64_t *all, int64_t *main)
{
    *all = model_count_nodes(m);
    *main = m->graph->n_nodes;
}

/* Every change of a terminating run touches a few nodes; this many per node is a loop. */
enum { CHANGES_PER_NODE = 2000, CHANGES_FREE = 1000000 };

int passes_run(struct model *m, const struct pass_plan *plan, struct pass_log *log)
{
    struct manager g = {.m = m, .plan = plan, .log = log, .arena = arena_new()};
    g.stale_types = g.stale_order = true;
    g.limit = (size_t)m->n_nodes * CHANGES_PER_NODE + CHANGES_FREE;
    log->arena = log->arena ? log->arena : arena_new();
    count_nodes(m, &log->nodes_before, &log->nodes_main_before);
    size_t n = 0;
    struct pass_run *runs = select_passes(&g, &n);
    int rc = runs ? 0 : -E_PASS_UNKNOWN;
    if (runs && n) {
        struct old_ir old;
        ops_resolve(m);
        old_ir_begin(&old, m);
        worklist_start(&g.work, m);
        rc = plan->names ? run_in_order(&g, runs, n) : run_to_fixpoint(&g, runs, n);
        worklist_stop(&g.work);
        old_ir_end(&old, m);
    }
    for (size_t i = 0; runs && i < n; i++)
        pass_run_finish(&runs[i]);
    count_nodes(m, &log->nodes_after, &log->nodes_main_after);
    arena_free(g.arena);
    return rc;
}

/* ---- counting ---- */

struct counter {
    struct bitset seen;                /* bodies by graph id */
    VEC(const struct graph *) waiting; /* graphs to count */
};

static void add_called(struct counter *c, const struct node *n)
{
    if (n->function && !bitset_has(&c->seen, n->function->body->id)) {
        bitset_add(&c->seen, n->function->body->id);
        vec_push(&c->waiting, n->function->body);
    }
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        if (a->type == ATTR_GRAPH && a->graph)
            vec_push(&c->waiting, a->graph);
        for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
            vec_push(&c->waiting, a->graphs[k]);
    }
}

int64_t model_count_nodes(const struct model *m)
{
    struct counter c = {.seen = bitset_new(m->n_graphs)};
    int64_t sum = 0;
    vec_push(&c.waiting, m->graph);
    while (c.waiting.count) {
        const struct graph *g = vec_pop(&c.waiting);
        sum += g->n_nodes;
        for (const struct node *n = g->first; n; n = n->next)
            add_called(&c, n);
    }
    bitset_release(&c.seen);
    vec_free(&c.waiting);
    return sum;
}
