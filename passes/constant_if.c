/* If with a constant condition: the branch that runs takes its place.
 *
 * Before:  y = If<then_branch=.., else_branch=..>(c)      c constant
 * After:   the nodes of one branch compute y
 * When:    c is one constant value.
 * Numerics: EXACT. Values of the branch keep their names where no other value has them.
 */
#include "rewrite/splice.h"

static void visit_graph(struct pass_run *r, struct graph *g);

static void visit_subgraphs(struct pass_run *r, const struct node *n)
{
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        if (a->type == ATTR_GRAPH && a->graph)
            visit_graph(r, a->graph);
        for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
            visit_graph(r, a->graphs[k]);
    }
}

static struct graph *running_branch(const struct node *n)
{
    const struct tensor *c = constant_of(node_input(n, 0));
    if (!node_is(n, "If") || !c || c->count != 1)
        return NULL;
    static const char *const BRANCHES[] = {"else_branch", "then_branch"};
    return node_graph(n, BRANCHES[tensor_get(c, 0) != 0]);
}

/* Subgraphs first: a branch is clean when it is moved. */
static void visit_graph(struct pass_run *r, struct graph *g)
{
    graph_each_node(n, g)
    {
        visit_subgraphs(r, n);
        struct graph *branch = running_branch(n);
        if (!branch || branch->inputs.count || branch->outputs.count != n->n_outputs)
            continue;
        pass_rewrote(r, n, "its condition is constant: branch '%s' always runs", branch->name);
        splice_body(branch, n, NULL, NULL);
    }
}

int run_constant_if(struct pass_run *r, struct model *m)
{
    visit_graph(r, m->graph);
    return 0;
}
