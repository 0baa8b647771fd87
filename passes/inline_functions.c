/* Calls of model-local functions are replaced by the functions' bodies.
 *
 * Before:  y = local::f<alpha=2.0>(x)      function f<alpha>(a) -> (b) { b = Elu<alpha=@alpha>(a) }
 * After:   y = Elu<alpha=2.0>(x)
 * When:    the function's operator sets are the model's (one that the model lacks is added), it
 * does not call itself, and the model stays under NODE_LIMIT nodes. Numerics: EXACT. Missing
 * optional inputs and attributes stay missing.
 */
#include "base/bitset.h"
#include "base/mem.h"
#include "rewrite/splice.h"

enum { NODE_LIMIT = 2000000 }; /* bodies that call each other twice double at each level */
static const char TOO_LARGE[] = "the model would have more than two million nodes";

struct inliner {
    struct pass_run *r;
    struct model *m;
    struct bitset recursive; /* by graph id of the body: reaches itself */
    struct bitset done;      /* ... its own calls are inlined */
    int64_t n_nodes;         /* of all graphs, called or not */
};

static bool fits_opsets(const struct node *n)
{
    const struct function *f = n->function;
    for (size_t i = 0; i < f->opsets.count; i++) {
        int64_t have = graph_opset(n->graph, f->opsets.data[i].domain);
        if (have && have != f->opsets.data[i].version)
            return false;
    }
    return true;
}

/* The graph that n stands in imports what f uses. */
static void add_opsets(struct model *m, const struct node *n)
{
    const struct graph *g = n->graph;
    while (g->parent)
        g = g->parent->graph;
    for (size_t i = 0; i < n->function->opsets.count; i++) {
        const struct opset *s = &n->function->opsets.data[i];
        if (graph_opset(g, s->domain))
            continue;
        if (!g->function) {
            model_set_opset(m, s->domain, s->version);
            continue;
        }
        vec_push(&g->function->opsets, *s);
        m->functions_dirty = true;
    }
}

static const char *problem(const struct inliner *in, const struct node *n)
{
    const struct function *f = n->function;
    if (bitset_has(&in->recursive, f->body->id))
        return "the function calls itself";
    if (!fits_opsets(n))
        return "the function is written for another operator set";
    if (n->n_inputs > f->body->inputs.count)
        return "the call has more inputs than the function";
    if (n->n_outputs > f->body->outputs.count)
        return "the call has more outputs than the function";
    return in->n_nodes + f->body->n_nodes > NODE_LIMIT ? TOO_LARGE : NULL;
}

static void inline_call(struct inliner *in, struct node *n)
{
    struct function *f = n->function;
    struct value **inputs = mem_alloc((f->body->inputs.count + 1) * sizeof(struct value *));
    for (uint32_t i = 0; i < n->n_inputs; i++)
        inputs[i] = n->inputs[i].value;
    pass_rewrote(in->r, n, "function '%s' was inlined", f->name);
    in->n_nodes += f->body->n_nodes;
    add_opsets(in->m, n);
    splice_body(f->body, n, inputs, n);
    mem_free(inputs);
}

static void visit_graph(struct inliner *in, struct graph *g);

static void visit_subgraphs(struct inliner *in, const struct node *n)
{
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        if (a->type == ATTR_GRAPH && a->graph)
            visit_graph(in, a->graph);
        for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
            visit_graph(in, a->graphs[k]);
    }
}

/* What was inlined stands before its place and is not looked at again: bodies come first. */
static void visit_graph(struct inliner *in, struct graph *g)
{
    graph_each_node(n, g)
    {
        visit_subgraphs(in, n);
        if (!n->function)
            continue;
        const char *why = problem(in, n);
        if (why)
            pass_refused(in->r, n, "%s", why);
        else
            inline_call(in, n);
    }
}

/* ---- order of the functions: called ones first ---- */

struct frame {
    struct function *f;
    VEC(struct function *) calls;
    size_t next;
};

static void list_calls(const struct graph *g, struct frame *f)
{
    for (const struct node *n = g->first; n; n = n->next) {
        if (n->function)
            vec_push(&f->calls, n->function);
        for (uint32_t i = 0; i < n->n_attrs; i++) {
            const struct attr *a = n->attrs[i];
            if (a->type == ATTR_GRAPH && a->graph)
                list_calls(a->graph, f);
            for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
                list_calls(a->graphs[k], f);
        }
    }
}

struct order {
    VEC(struct frame) stack;
    struct bitset open, seen;
};

static void enter(struct order *o, struct function *f)
{
    struct frame frame = {.f = f};
    bitset_add(&o->open, f->body->id);
    bitset_add(&o->seen, f->body->id);
    list_calls(f->body, &frame);
    vec_push(&o->stack, frame);
}

/* Depth first from f: marks what calls itself, inlines inside each body once its callees are done.
 */
static void prepare(struct inliner *in, struct order *o, struct function *f)
{
    if (bitset_has(&o->seen, f->body->id))
        return;
    enter(o, f);
    while (o->stack.count) {
        struct frame *top = &vec_last(&o->stack);
        if (top->next == top->calls.count) {
            visit_graph(in, top->f->body);
            bitset_drop(&o->open, top->f->body->id);
            vec_free(&top->calls);
            o->stack.count--;
            continue;
        }
        struct function *callee = top->calls.data[top->next++];
        if (bitset_has(&o->open, callee->body->id))
            bitset_add(&in->recursive, callee->body->id);
        else if (!bitset_has(&o->seen, callee->body->id))
            enter(o, callee);
    }
}

int run_inline_functions(struct pass_run *r, struct model *m)
{
    if (!m->functions.count)
        return 0;
    struct inliner in = {.r = r, .m = m, .recursive = bitset_new(m->n_graphs)};
    for (size_t i = 0; i < m->graphs.count; i++)
        in.n_nodes += m->graphs.data[i]->n_nodes;
    struct order o = {.open = bitset_new(m->n_graphs), .seen = bitset_new(m->n_graphs)};
    for (size_t i = 0; i < m->functions.count; i++)
        if (!m->functions.data[i]->removed)
            prepare(&in, &o, m->functions.data[i]);
    visit_graph(&in, m->graph);
    bitset_release(&in.recursive);
    bitset_release(&o.open);
    bitset_release(&o.seen);
    vec_free(&o.stack);
    return 0;
}
