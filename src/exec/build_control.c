/* Control flow: subgraphs become plans of their own, and what they return is typed if it can be.
 *
 * - If with a known condition: the branch's nodes become steps of this plan.
 * - If: outputs are sized when both branches give the same constant type.
 * - Loop, Scan: a carried value is sized when the body gives it back with the type it got. The body
 * is compiled with the initial types; carried values that change are set to unknown and it is
 * compiled again. Each round removes at least one type, so rounds are bounded by the carried
 * values.
 * - Others (SequenceMap): inputs of unknown shape.
 */
#include <string.h>

#include "base/num.h"
#include "exec/plan.h"

static const struct graph *graph_at(const struct node *n, uint32_t i)
{
    return n->attrs[i]->type == ATTR_GRAPH ? n->attrs[i]->graph : NULL;
}

static int count_graphs(const struct node *n)
{
    int count = 0;
    for (uint32_t i = 0; i < n->n_attrs; i++)
        count += graph_at(n, i) != NULL;
    return count;
}

/* ---- If ---- */

static int inline_branch(struct builder *b, struct scope *s, const struct node *n, bool taken)
{
    const struct graph *g = node_graph(n, taken ? "then_branch" : "else_branch");
    if (!g || g->outputs.count < n->n_outputs)
        return diag_report(b->ctx->diag, E_RUN_SHAPE, &(struct where){.node = node_label(n)},
                           "a branch of 'If' is missing or gives too few outputs");
    s->depth++;
    int code = build_nodes(b, s, g);
    s->depth--;
    for (uint32_t i = 0; !code && i < n->n_outputs; i++) {
        if (!n->outputs[i])
            continue;
        int slot = scope_slot(b, s, g->outputs.data[i]->value);
        if (slot < -1)
            return slot;
        scope_bind(s, n->outputs[i], slot);
    }
    return code;
}

/* ---- types of a body's inputs ---- */

static struct type unknown_tensor(const struct type *like)
{
    if (like->kind != TYPE_TENSOR)
        return *like;
    return (struct type){.kind = TYPE_TENSOR, .dtype = like->dtype, .rank = -1};
}

static const struct type *input_type(const struct plan *p, const int *in, uint32_t n, uint32_t i)
{
    static const struct type none = {.kind = TYPE_NONE, .rank = -1};
    return i < n && in[i] >= 0 ? &p->slots.data[in[i]].type : &none;
}

/* Loop: iteration number and condition are scalars, then the carried values. */
static void loop_types(struct builder *b, const struct scope *s, const struct node *n,
                       const int *in, const struct graph *g, struct type *types)
{
    struct arena *a = b->session->arena;
    for (uint32_t i = 0; i < g->inputs.count; i++)
        types[i] = *input_type(s->plan, in, n->n_inputs, i);
    if (g->inputs.count > 0)
        types[0] = type_from_dims(a, b->session->dims, DT_INT64, 0, NULL);
    if (g->inputs.count > 1)
        types[1] = type_from_dims(a, b->session->dims, DT_BOOL, 0, NULL);
}

/* One element of a scan input: its type without the scanned axis (Scan-9; in Scan-8 axis 1, after
 * the batch, for states the batch alone is removed). */
static struct type without_axis(struct builder *b, const struct type *t, int64_t axis)
{
    int64_t at = axis < 0 ? axis + t->rank : axis;
    if (t->kind != TYPE_TENSOR || t->rank < 1 || at < 0 || at >= t->rank)
        return unknown_tensor(t);
    dim_t *dims = arena_array(b->session->arena, (size_t)t->rank, sizeof *dims);
    for (int i = 0, k = 0; i < t->rank; i++)
        if (i != at)
            dims[k++] = t->dims[i];
    struct type out = *t;
    out.rank--;
    out.dims = dims;
    return out;
}

static void scan_types(struct builder *b, const struct scope *s, const struct node *n,
                       const int *in, const struct graph *g, struct type *types)
{
    bool batched = node_version(n) < 9;
    uint32_t skip = batched ? 1 : 0; /* Scan-8: sequence_lens comes first */
    int64_t scans = node_int(n, "num_scan_inputs", 0);
    int64_t states = (int64_t)g->inputs.count - scans;
    const int64_t *axes = NULL;
    uint32_t n_axes = 0;
    node_ints(n, "scan_input_axes", &axes, &n_axes);
    for (uint32_t i = 0; i < g->inputs.count; i++) {
        const struct type *t = input_type(s->plan, in, n->n_inputs, i + skip);
        types[i] = *t;
        if (batched)
            types[i] = without_axis(b, t, 0);
        if (i >= states) {
            int64_t k = i - states;
            types[i] = without_axis(b, &types[i], !batched && k < n_axes ? axes[k] : 0);
        }
    }
}

static void body_types(struct builder *b, const struct scope *s, const struct node *n,
                       const int *in, const struct graph *g, struct type *types)
{
    if (node_is(n, "Loop"))
        loop_types(b, s, n, in, g, types);
    else if (node_is(n, "Scan"))
        scan_types(b, s, n, in, g, types);
    else
        for (uint32_t i = 0; i < g->inputs.count; i++) {
            const struct type *t = input_type(s->plan, in, n->n_inputs, i);
            types[i] = t->kind == TYPE_SEQUENCE && t->elem ? *t->elem : unknown_tensor(t);
            if (types[i].kind == TYPE_NONE)
                types[i] = (struct type){.kind = TYPE_TENSOR, .rank = -1};
        }
}

/* Carried values: body inputs first_in.. stand against body outputs first_out.. */
struct carried {
    uint32_t first_in, first_out, n;
};

static struct carried carried_of(const struct node *n, const struct graph *g)
{
    uint32_t inputs = (uint32_t)g->inputs.count;
    if (node_is(n, "Loop"))
        return (struct carried){2, 1, inputs > 2 ? inputs - 2 : 0};
    if (node_is(n, "Scan")) {
        int64_t scans = node_int(n, "num_scan_inputs", 0);
        return (struct carried){0, 0, (uint32_t)num_clamp(inputs - scans, 0, inputs)};
    }
    return (struct carried){0, 0, 0};
}

/* Sets carried types that the body changed to unknown. Returns how many. */
static int loosen(const struct plan *body, struct carried c, struct type *types)
{
    int changed = 0;
    for (uint32_t i = 0; i < c.n && c.first_out + i < body->outputs.count; i++) {
        struct type *in = &types[c.first_in + i];
        const struct type *out = &body->slots.data[body->outputs.data[c.first_out + i]].type;
        if (!type_static(in, NULL) || type_same(in, out))
            continue;
        *in = unknown_tensor(in);
        changed++;
    }
    return changed;
}

static struct plan *build_body(struct builder *b, struct scope *s, const struct node *n,
                               const int *in, const struct graph *g)
{
    struct type *types = arena_array(b->session->arena, g->inputs.count + 1, sizeof *types);
    body_types(b, s, n, in, g, types);
    struct carried c = carried_of(n, g);
    for (;;) {
        struct plan *body = plan_build(b, g, types, s);
        if (!body || !loosen(body, c, types))
            return body;
        plan_free(body);
    }
}

/* ---- the node ---- */

static struct type output_type(const struct node *n, const struct step *step, uint32_t i)
{
    struct type none = {.kind = TYPE_NONE, .rank = -1};
    if (node_is(n, "If")) {
        for (int g = 0; g < step->n_graphs; g++)
            if (i >= step->plans[g]->outputs.count)
                return none;
        const struct plan *a = step->plans[0], *z = step->plans[step->n_graphs - 1];
        const struct type *ta = &a->slots.data[a->outputs.data[i]].type;
        const struct type *tz = &z->slots.data[z->outputs.data[i]].type;
        return type_same(ta, tz) ? *ta : unknown_tensor(ta);
    }
    if (step->n_graphs != 1)
        return none;
    const struct plan *body = step->plans[0];
    struct carried c = carried_of(n, step->graphs[0]);
    if (i >= c.n || c.first_out + i >= body->outputs.count || node_version(n) < 9)
        return none;
    return body->slots.data[body->outputs.data[c.first_out + i]].type;
}

static void bind_outputs(struct builder *b, struct scope *s, const struct node *n, int at)
{
    struct plan *p = s->plan;
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        p->steps.data[at].out[i] = -1;
        if (!n->outputs[i] || !bitset_has(&b->wanted, n->outputs[i]->id))
            continue;
        struct type t = output_type(n, &p->steps.data[at], i);
        bool fixed = type_static(&t, NULL);
        int slot = plan_slot(p, fixed ? SLOT_STATIC : SLOT_DYNAMIC, n->outputs[i], &t);
        p->slots.data[slot].producer = at;
        p->steps.data[at].dynamic |= !fixed;
        p->steps.data[at].out[i] = slot;
        scope_bind(s, n->outputs[i], slot);
    }
}

static int build_bodies(struct builder *b, struct scope *s, const struct node *n, const int *in,
                        struct step *step)
{
    int count = count_graphs(n);
    step->graphs = arena_array(b->session->arena, (size_t)count, sizeof *step->graphs);
    step->plans = arena_array(b->session->arena, (size_t)count, sizeof *step->plans);
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct graph *g = graph_at(n, i);
        if (!g)
            continue;
        struct plan *body = build_body(b, s, n, in, g);
        if (!body)
            return -E_NO_EVAL;
        body->boxed_outputs = !node_is(n, "If");
        step->graphs[step->n_graphs] = g;
        step->plans[step->n_graphs++] = body;
    }
    return 0;
}

int build_control(struct builder *b, struct scope *s, const struct node *n, const int *in)
{
    struct plan *p = s->plan;
    const struct tensor *cond =
        node_is(n, "If") && n->n_inputs && in[0] >= 0 ? p->slots.data[in[0]].constant : NULL;
    if (cond && cond->count == 1 && cond->dtype == DT_BOOL)
        return inline_branch(b, s, n, tensor_get_int(cond, 0) != 0);
    struct step body = {0};
    int code = build_bodies(b, s, n, in, &body);
    if (code) {
        for (int i = 0; i < body.n_graphs; i++)
            plan_free(body.plans[i]);
        return code;
    }
    struct step *step = plan_step(p, n, (int)n->n_inputs, (int)n->n_outputs);
    memcpy(step->in, in, n->n_inputs * sizeof *in);
    step->version = node_version(n);
    step->n_graphs = body.n_graphs;
    step->graphs = body.graphs;
    step->plans = body.plans;
    b->steps++;
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (in[i] >= 0 && !type_static(&p->slots.data[in[i]].type, NULL))
            step->dynamic = true;
    bind_outputs(b, s, n, (int)p->steps.count - 1);
    return 0;
}
