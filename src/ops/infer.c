/* Shape inference over a whole model.
 *
 * Every graph is walked once in list order, which is topological; each node's shape function sees
 * the types, constant data and integer values that its inputs have by then. Subgraphs are entered
 * by the shape functions of the operators that own them (ops_control.c), bodies of model-local
 * functions at each call (infer_call.c). What is known of a value besides its type stands in a side
 * table by value id.
 *
 * Values: integer tensors of at most VALUES_MAX elements travel as expressions (Shape -> Gather ->
 * Concat -> Reshape), and a small node whose inputs are all known is evaluated by the reference
 * engine, so that any operator takes part in shape arithmetic.
 *
 * A declared type completes an inferred one where inference knows nothing; where both are constants
 * and differ, the inferred one wins and a warning says so. What was declared is remembered beside
 * what was inferred, so that a second run starts from the same facts.
 */
#include "ops/infer.h"

#include <string.h>

#include "base/mem.h"
#include "base/num.h"

enum {
    CONFLICTS_SHOWN = 10, /* warnings; the report counts all */
    FOLD_BYTES = 65536,
    WORK_PER_NODE = 64, /* nested loops are walked up to three times each: past this many visits per
                           node, once */
};

/* ---- facts ---- */

static bool same_place(const struct type *a, const struct type *b)
{
    return a->kind == b->kind && a->dtype == b->dtype && a->rank == b->rank && a->dims == b->dims &&
           a->elem == b->elem;
}

static struct fact *touch(struct walk *w, const struct value *v)
{
    struct fact *f = &w->facts->of[v->id];
    if (f->touched)
        return f;
    const struct type *declared =
        f->seen && same_place(&v->type, &f->committed) ? &f->declared : &v->type;
    f->declared = type_bind(w, declared);
    f->touched = f->seen = true;
    return f;
}

/* An initializer that stays what it is. Before IR 4 every initializer had to be listed as an input,
 * without being meant to change. */
static bool is_fixed(const struct walk *w, const struct value *v)
{
    return v->constant && !v->sparse && (!v->is_input || w->m->ir_version < 4);
}

void walk_slot(struct walk *w, const struct value *v, struct infer_slot *slot)
{
    *slot = (struct infer_slot){.given = v != NULL, .type = {.rank = -1}};
    if (!v)
        return;
    struct fact *f = touch(w, v);
    slot->type = f->committed.kind == TYPE_NONE ? f->declared : f->committed;
    slot->data = f->data;
    slot->values = f->values;
    slot->n_values = f->n_values;
}

/* A constant of the expressions, so that operators that only look at data see it too. */
static const struct tensor *data_of_values(struct walk *w, const struct type *t,
                                           const struct infer_slot *slot)
{
    int64_t dims[1] = {slot->n_values}, x;
    if (t->kind != TYPE_TENSOR || t->rank < 0 || t->rank > 1 || dtype_bits(t->dtype) < 8)
        return NULL;
    for (int64_t i = 0; i < slot->n_values; i++)
        if (!dim_is_const(slot->values[i], &x))
            return NULL;
    struct tensor *data = tensor_new(w->facts->arena, t->dtype, t->rank, dims);
    for (int64_t i = 0; i < slot->n_values; i++)
        if (dim_is_const(slot->values[i], &x))
            num_set_int(tensor_writable(data), t->dtype, i, x);
    return data;
}

static void keep_values(struct walk *w, struct fact *f, const struct infer_slot *slot)
{
    f->data = slot->data;
    f->values = NULL;
    f->n_values = slot->n_values;
    if (slot->values)
        f->values =
            arena_copy(w->facts->arena, slot->values, (size_t)slot->n_values * sizeof(dim_t));
    if (slot->values && !slot->data)
        f->data = data_of_values(w, &f->committed, slot);
}

static int report_conflict(struct walk *w, const struct value *v, const struct type *inferred,
                           const struct type *declared)
{
    bool strict = w->options && w->options->strict;
    struct where where = {.tensor = v->name};
    if (++w->report.conflicts <= CONFLICTS_SHOWN || strict)
        diag_report(w->m->ctx->diag, strict ? E_SHAPE : E_SHAPE_CONFLICT, &where,
                    "'%s' is declared %s, but its inputs give %s", v->name,
                    type_text(w->scratch, declared), type_text(w->scratch, inferred));
    return strict ? -(int)E_SHAPE : 0;
}

static void set_type(struct walk *w, struct value *v, struct fact *f, const struct type *t)
{
    if (!type_equal(&v->type, t)) {
        v->dirty = v->dirty || v->type.kind == TYPE_NONE || (w->options && w->options->n_bindings);
        v->type = type_copy(w->m->arena, t);
    }
    f->committed = v->type;
}

int walk_commit(struct walk *w, struct value *v, const struct infer_slot *slot)
{
    struct fact *f = touch(w, v);
    bool conflict = false;
    struct type t = type_merge(w, &slot->type, &f->declared, &conflict);
    int rc = conflict && v->origin.size ? report_conflict(w, v, &slot->type, &f->declared) : 0;
    set_type(w, v, f, &t);
    keep_values(w, f, slot);
    return rc;
}

/* ---- nodes ---- */

static bool small(const struct tensor *t)
{
    return t && t->count <= VALUES_MAX && t->dtype != DT_UNDEFINED;
}

static bool foldable(const struct infer *c)
{
    const struct engine *g = engine_of(c);
    const struct op *op = c->node->op;
    if (!op || !op->eval || (op->traits & (OP_CONTROL | OP_RANDOM)) || !g->n_in || !g->n_out)
        return false;
    for (uint32_t i = 0; i < g->n_in; i++)
        if (g->in[i].given && !small(g->in[i].data))
            return false;
    for (uint32_t i = 0; i < g->n_out; i++) {
        int64_t count = 1, size;
        const struct type *t = &g->out[i].type;
        if (!g->out[i].given)
            continue;
        if (t->kind != TYPE_TENSOR || t->rank < 0 || g->out[i].data)
            return false;
        for (int k = 0; k<t->rank; k++, count = count> VALUES_MAX ? count : count * size)
            if (!dim_is_const(t->dims[k], &size) || size > VALUES_MAX)
                return false;
        if (count > VALUES_MAX)
            return false;
    }
    return true;
}

/* Evaluates the node where everything it needs is known. What goes wrong here goes wrong again, and
 * is told, when it runs. */
static void fold(struct walk *w, struct infer *c)
{
    struct engine *g = engine_of(c);
    if (!foldable(c))
        return;
    const struct tensor **in = arena_array(c->arena, (size_t)g->n_in + 1, sizeof *in);
    struct tensor **out = arena_array(c->arena, (size_t)g->n_out + 1, sizeof *out);
    for (uint32_t i = 0; i < g->n_in; i++)
        in[i] = g->in[i].data;
    if (op_fold(c->node, in, out, w->facts->arena, FOLD_BYTES, &w->quiet))
        return;
    for (uint32_t i = 0; i < g->n_out; i++)
        if (out[i])
            g->out[i].data = out[i];
}

static int call(struct walk *w, struct infer *c)
{
    if (c->node->function)
        return walk_function(w, c->node, c);
    int rc = infer_call(c);
    if (!rc)
        fold(w, c);
    return rc;
}

static int visit(struct walk *w, const struct node *n)
{
    struct engine g = {.n_in = n->n_inputs, .n_out = n->n_outputs, .walk = w};
    g.in = arena_array(w->scratch, (size_t)g.n_in + 1, sizeof *g.in);
    g.out = arena_array(w->scratch, (size_t)g.n_out + 1, sizeof *g.out);
    for (uint32_t i = 0; i < g.n_in; i++)
        walk_slot(w, n->inputs[i].value, &g.in[i]);
    for (uint32_t i = 0; i < g.n_out; i++)
        g.out[i] = (struct infer_slot){.given = n->outputs[i] != NULL, .type = {.rank = -1}};
    struct infer c = {.node = frame_resolve(w, n),
                      .dims = w->m->dims,
                      .arena = w->scratch,
                      .ctx = w->m->ctx,
                      .engine = &g};
    int rc = call(w, &c);
    if (rc && !w->lenient)
        return rc;
    for (uint32_t i = 0; i < g.n_out; i++)
        if (n->outputs[i] && (rc = walk_commit(w, n->outputs[i], &g.out[i])))
            return rc;
    return 0;
}

static int commit_constants(struct walk *w, const struct graph *g)
{
    for (size_t i = 0; i < g->initializers.count; i++) {
        struct value *v = g->initializers.data[i];
        if (v->removed || !v->constant || v->sparse)
            continue;
        struct infer_slot slot = {.given = true, .data = is_fixed(w, v) ? v->constant : NULL};
        slot.type = infer_type_of(w->m->dims, w->scratch, v->constant);
        int rc = walk_commit(w, v, &slot);
        if (rc)
            return rc;
    }
    arena_reset(w->scratch);
    return 0;
}

int walk_graph(struct walk *w, const struct graph *g)
{
    int rc = commit_constants(w, g);
    graph_each_node(n, g)
    {
        if (!rc && !(++w->work & 1023))
            rc = ctx_check(w->m->ctx);
        rc = rc ? rc : visit(w, n);
        if (rc)
            return rc;
        arena_reset(w->scratch);
    }
    return rc;
}

/* ---- model ---- */

/* Inputs of the main graph: dimensions without a name get one, input.axis, so that what follows
 * from them can be said, compared and bound. */
static int commit_input(struct walk *w, struct value *v)
{
    struct infer_slot slot = {.given = true, .type = touch(w, v)->declared};
    if (v->constant)
        return 0;
    if (slot.type.kind == TYPE_TENSOR && slot.type.rank > 0) {
        dim_t *d = arena_copy(w->scratch, slot.type.dims, (size_t)slot.type.rank * sizeof *d);
        for (int i = 0; i < slot.type.rank; i++)
            if (!d[i]) {
                d[i] = dim_symbol(w->m->dims, arena_printf(w->scratch, "%s.%d", v->name, i));
                if (w->options && w->options->n_bindings)
                    d[i] = dim_bind(w->m->dims, d[i], w->options->bindings, w->options->n_bindings);
            }
        slot.type.dims = d;
    }
    return walk_commit(w, v, &slot);
}

static struct infer_facts *new_facts(struct model *m)
{
    struct arena *a = arena_new();
    struct infer_facts *facts = arena_alloc(a, sizeof *facts);
    facts->arena = a;
    facts->count = m->n_values;
    facts->of = arena_array(a, (size_t)m->n_values + 1, sizeof *facts->of);
    const struct infer_facts *old = m->facts;
    for (uint32_t i = 0; old && i < old->count; i++)
        if (old->of[i].seen)
            facts->of[i] = (struct fact){.seen = true,
                                         .declared = type_copy(a, &old->of[i].declared),
                                         .committed = old->of[i].committed};
    arena_free(m->facts_arena);
    m->facts = facts;
    m->facts_arena = a;
    return facts;
}

static void count_known(struct walk *w)
{
    for (size_t i = 0; i < w->m->values.count; i++) {
        const struct value *v = w->m->values.data[i];
        if (v->removed)
            continue;
        w->report.values++;
        w->report.known += type_known(&v->type);
    }
}

int model_infer(struct model *m, const struct infer_options *options, struct infer_report *report)
{
    struct walk w = {.m = m, .options = options, .quiet = *m->ctx};
    ops_resolve(m);
    w.facts = new_facts(m);
    w.scratch = arena_new();
    w.quiet.diag = diag_new(NULL, NULL);
    w.work_limit = WORK_PER_NODE * ((int64_t)m->n_nodes + 1024);
    int rc = 0;
    walk_collect_names(&w);
    for (size_t i = 0; !rc && i < m->graph->inputs.count; i++)
        rc = commit_input(&w, m->graph->inputs.data[i]);
    if (!rc)
        rc = walk_graph(&w, m->graph);
    count_known(&w);
    if (report)
        *report = w.report;
    diag_free(w.quiet.diag);
    arena_free(w.scratch);
    map_release(&w.memos);
    map_release(&w.fresh);
    map_release(&w.composed);
    return rc;
}

bool model_values(const struct model *m, const struct value *v, const dim_t **values,
                  int64_t *count)
{
    const struct infer_facts *facts = m->facts;
    if (!facts || v->id >= facts->count || !facts->of[v->id].values)
        return false;
    *values = facts->of[v->id].values;
    *count = facts->of[v->id].n_values;
    return true;
}
