/* Refusing before anything runs: every node that would run must have something that runs it.
 *
 * Whether a node is needed, and which branch of an If is taken, is not known here, so only nodes of
 * the main graph, of its subgraphs and of called functions that an output depends on are looked at;
 * all that is missing is named, one report per kind of operator.
 */
#include "base/mem.h"
#include "exec/plan.h"

struct check {
    struct exec *x;
    struct builder b; /* for build_wanted */
    struct map seen;  /* operators reported, functions entered */
    int code;
};

static void check_graph(struct check *c, const struct graph *g, int depth);

static bool first_time(struct check *c, const void *what)
{
    void **slot = map_slot_u64(&c->seen, (uint64_t)(uintptr_t)what);
    bool first = !*slot;
    *slot = c;
    return first;
}

/* Forms of a known operator that its kernels do not serve. */
static void check_form(struct check *c, const struct node *n)
{
    struct arena *a = arena_new();
    const char *why = op_refusal(n, a);
    if (why)
        c->code = diag_report(c->x->ctx->diag, E_OP_FORM, &(struct where){.node = node_label(n)},
                              "%s", why);
    arena_free(a);
}

static void check_node(struct check *c, const struct node *n, int depth)
{
    const struct where where = {.node = node_label(n)};
    struct diag *diag = c->x->ctx->diag;
    const char *dot = *n->domain ? "." : "";
    if (n->function) {
        if (first_time(c, n->function)) {
            build_wanted(&c->b, n->function->body);
            check_graph(c, n->function->body, depth + 1);
        }
    } else if (!n->op) {
        if (first_time(c, n->op_type))
            c->code = diag_report(diag, E_NO_EVAL, &where, "operator '%s%s%s' is not known",
                                  n->domain, dot, n->op_type);
    } else if (!n->op->eval && first_time(c, n->op)) {
        c->code = diag_report(diag, E_NO_EVAL, &where, "operator '%s%s%s' is not executed",
                              n->domain, dot, n->op_type);
    } else {
        check_form(c, n);
    }
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (n->attrs[i]->type == ATTR_GRAPH && n->attrs[i]->graph)
            check_graph(c, n->attrs[i]->graph, depth + 1);
}

static bool needed(const struct check *c, const struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] && bitset_has(&c->b.wanted, n->outputs[i]->id))
            return true;
    return false;
}

static void check_graph(struct check *c, const struct graph *g, int depth)
{
    if (depth > PLAN_MAX_DEPTH) {
        c->code = diag_report(c->x->ctx->diag, E_RUN_DEPTH, NULL,
                              "functions and subgraphs nest more than %d deep", PLAN_MAX_DEPTH);
        return;
    }
    for (const struct node *n = g->first; n; n = n->next)
        if (needed(c, n))
            check_node(c, n, depth);
}

int exec_check(struct exec *x)
{
    struct check c = {.x = x};
    c.b.ctx = x->ctx;
    c.b.wanted = bitset_new(x->model->n_values);
    build_wanted(&c.b, x->model->graph);
    check_graph(&c, x->model->graph, 0);
    bitset_release(&c.b.wanted);
    map_release(&c.seen);
    return c.code;
}
