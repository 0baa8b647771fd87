/* From a graph to a plan: a walk over the nodes somebody needs, in their order.
 *
 * For each node, in this order of preference: evaluate it now (build_fold.c); let it vanish (a view
 * of its input, the taken branch of an If whose condition is known, the body of a function); make
 * it a step. Shapes come from the operators' shape functions with the data known so far, so that
 * shape arithmetic of any length is constant by the time it is used.
 *
 * Invariants: steps stand in an order in which they can run; a slot's producer stands before its
 * users; names are looked up by value, never by text.
 */
#include <string.h>

#include "base/mem.h"
#include "exec/plan.h"

void scope_bind(struct scope *s, const struct value *v, int slot)
{
    if (v)
        *map_slot_u64(&s->slots, v->id) = (void *)(intptr_t)(slot + 2);
}

int scope_bound(const struct scope *s, const struct value *v)
{
    intptr_t hit = (intptr_t)map_get_u64(&s->slots, v->id);
    return hit ? (int)(hit - 2) : -1;
}

static int capture_constant(struct builder *b, struct scope *s, const struct value *v, int outer)
{
    const struct tensor *t = const_keep(b, s->up->plan, outer);
    int narrow = s->up->plan->slots.data[outer].narrow;
    if (!t)
        return -E_LIMIT_MEMORY;
    int slot = plan_const(s->plan, v, t);
    if (!narrow)
        return slot;
    const struct tensor *half = const_keep(b, s->up->plan, narrow - 1);
    if (!half)
        return -E_LIMIT_MEMORY;
    s->up->plan->slots.data[narrow - 1].pinned = true;
    int twin = plan_const(s->plan, v, half);
    s->plan->slots.data[slot].narrow = twin + 1;
    return slot;
}

static int capture(struct builder *b, struct scope *s, const struct value *v)
{
    int outer = scope_slot(b, s->up, v);
    if (outer < 0)
        return outer;
    struct slot *o = &s->up->plan->slots.data[outer];
    o->pinned = true;
    if (o->kind == SLOT_CONST)
        return capture_constant(b, s, v, outer);
    int slot = plan_slot(s->plan, SLOT_CAPTURE, v, &o->type);
    s->plan->slots.data[slot].outer = outer;
    return slot;
}

static int initializer(struct builder *b, struct scope *s, const struct value *v)
{
    const struct tensor *t = v->constant;
    if (v->sparse)
        return diag_report(b->ctx->diag, E_NO_EVAL, &(struct where){.tensor = v->name},
                           "sparse initializer '%s' is kept but not executed", v->name);
    return plan_const(s->plan, v, t);
}

int scope_slot(struct builder *b, struct scope *s, const struct value *v)
{
    intptr_t hit = (intptr_t)map_get_u64(&s->slots, v->id);
    if (hit)
        return (int)(hit - 2);
    if (!v->constant && !s->up)
        return diag_report(b->ctx->diag, E_INTERNAL, &(struct where){.tensor = v->name},
                           "'%s' is read before anything makes it", v->name);
    bool given = v->is_input && s->up; /* what came for an overridable one is the main graph's */
    int slot = v->constant && !given ? initializer(b, s, v) : capture(b, s, v);
    if (slot < 0)
        return slot;
    scope_bind(s, v, slot);
    int code = half_widen(b, s, v);
    return code ? code : scope_bound(s, v);
}

/* ---- who is needed ---- */

static bool node_wanted(const struct builder *b, const struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] && bitset_has(&b->wanted, n->outputs[i]->id))
            return true;
    return false;
}

void build_wanted(struct builder *b, const struct graph *g)
{
    for (size_t i = 0; i < g->outputs.count; i++)
        if (g->outputs.data[i]->value)
            bitset_add(&b->wanted, g->outputs.data[i]->value->id);
    for (const struct node *n = g->last; n; n = n->prev) {
        if (!node_wanted(b, n))
            continue;
        for (uint32_t i = 0; i < n->n_inputs; i++)
            if (n->inputs[i].value)
                bitset_add(&b->wanted, n->inputs[i].value->id);
        for (uint32_t i = 0; i < n->n_attrs; i++) {
            const struct attr *a = n->attrs[i];
            if (a->type == ATTR_GRAPH && !a->ref)
                build_wanted(b, a->graph);
            for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
                build_wanted(b, a->graphs[k]);
        }
    }
}

/* ---- one node ---- */

static int gather_inputs(struct builder *b, struct scope *s, const struct node *n, int *in)
{
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        in[i] = -1;
        if (!n->inputs[i].value)
            continue;
        in[i] = scope_slot(b, s, n->inputs[i].value);
        if (in[i] < -1)
            return in[i];
    }
    return 0;
}

int build_infer(struct builder *b, struct scope *s, const struct node *n, const int *in,
                struct type *out)
{
    struct arena *a = b->session->arena;
    const struct type **types = arena_array(a, n->n_inputs + 1u, sizeof *types);
    const struct tensor **data = arena_array(a, n->n_inputs + 1u, sizeof *data);
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        if (in[i] < 0)
            continue;
        types[i] = &s->plan->slots.data[in[i]].type;
        data[i] = s->plan->slots.data[in[i]].constant;
    }
    struct infer_io io = {.in_types = types, .in_data = data, .out = out};
    return infer_node(n, &io, b->session->dims, a, b->ctx);
}

static int root_of(const struct plan *p, int slot)
{
    return p->slots.data[slot].kind == SLOT_VIEW ? p->slots.data[slot].outer : slot;
}

/* Output 0 is input 0's bytes under other dims, and both are sized. */
static bool make_view(struct builder *b, struct scope *s, const struct node *n, const int *in,
                      const struct type *out)
{
    struct plan *p = s->plan;
    size_t from, to;
    if (!(n->op->traits & OP_VIEW) || in[0] < 0)
        return false;
    for (uint32_t i = 1; i < n->n_outputs; i++)
        if (n->outputs[i] && bitset_has(&b->wanted, n->outputs[i]->id))
            return false;
    const struct slot *src = &p->slots.data[in[0]];
    if (!type_static(&src->type, &from) || !type_static(out, &to) || from != to ||
        src->type.dtype != out->dtype || src->kind == SLOT_CONST)
        return false;
    int slot = plan_slot(p, SLOT_VIEW, n->outputs[0], out);
    p->slots.data[slot].outer = root_of(p, in[0]);
    scope_bind(s, n->outputs[0], slot);
    return true;
}

static void make_step(struct builder *b, struct scope *s, const struct node *n, const int *in,
                      const struct type *out)
{
    struct plan *p = s->plan;
    struct step *step = plan_step(p, n, (int)n->n_inputs, (int)n->n_outputs);
    step->version = node_version(n);
    b->steps++;
    for (int i = 0; i < step->n_in; i++) {
        step->in[i] = in[i];
        if (in[i] >= 0 && !type_static(&p->slots.data[in[i]].type, NULL))
            step->dynamic = true;
    }
    for (int i = 0; i < step->n_out; i++) {
        step->out[i] = -1;
        const struct value *v = n->outputs[i];
        if (!v || !bitset_has(&b->wanted, v->id))
            continue;
        bool fixed = type_static(&out[i], NULL);
        step->dynamic |= !fixed;
        step->out[i] = plan_slot(p, fixed ? SLOT_STATIC : SLOT_DYNAMIC, v, &out[i]);
        p->slots.data[step->out[i]].producer = (int)p->steps.count - 1;
        scope_bind(s, v, step->out[i]);
    }
}

static int check_known(struct builder *b, struct scope *s, const struct node *n)
{
    const struct where where = {.node = node_label(n)};
    if (b->steps > PLAN_MAX_STEPS || (b->ctx->max_nodes && b->steps > b->ctx->max_nodes))
        return diag_report(b->ctx->diag, E_LIMIT_NODES, &where,
                           "running the model takes more than %lld steps", (long long)b->steps - 1);
    if (s->depth > PLAN_MAX_DEPTH)
        return diag_report(b->ctx->diag, E_RUN_DEPTH, &where,
                           "functions and subgraphs nest more than %d deep", PLAN_MAX_DEPTH);
    if (n->function)
        return 0;
    if (!n->op)
        return diag_report(b->ctx->diag, E_NO_EVAL, &where, "operator '%s%s%s' is not known",
                           n->domain, *n->domain ? "." : "", n->op_type);
    if (!n->op->eval)
        return diag_report(b->ctx->diag, E_NO_EVAL, &where, "operator '%s%s%s' is not executed",
                           n->domain, *n->domain ? "." : "", n->op_type);
    if (!node_version(n))
        return diag_report(b->ctx->diag, E_NO_EVAL, &where,
                           "operator '%s' does not exist in opset %lld", n->op_type,
                           (long long)node_opset(n));
    return 0;
}

int build_op(struct builder *b, struct scope *s, const struct node *n, const int *in)
{
    int code = build_fold(b, s, n, in);
    if (code)
        return code < 0 ? code : 0;
    struct type *out = arena_array(b->session->arena, n->n_outputs + 1u, sizeof *out);
    if ((code = build_infer(b, s, n, in, out)))
        return code;
    if (!make_view(b, s, n, in, out))
        make_step(b, s, n, in, out);
    return 0;
}

static int widen_outputs(struct builder *b, struct scope *s, const struct node *n)
{
    int code = 0;
    for (uint32_t i = 0; !code && i < n->n_outputs; i++)
        if (n->outputs[i])
            code = half_widen(b, s, n->outputs[i]);
    return code;
}

/* BitCast looks at the bits themselves. */
static int narrow_inputs(struct builder *b, struct scope *s, const struct node *n, int *in)
{
    for (uint32_t i = 0; node_is(n, "BitCast") && i < n->n_inputs; i++)
        if (in[i] >= 0 && (in[i] = half_narrow(b, s, n->inputs[i].value, in[i])) < 0)
            return in[i];
    return 0;
}

int build_node(struct builder *b, struct scope *s, const struct node *original)
{
    const struct node *n = build_resolve(b, s, original);
    struct arena *a = b->session->arena;
    int code = check_known(b, s, n);
    if (code)
        return code;
    int *in = arena_array(a, n->n_inputs + 1u, sizeof *in);
    if ((code = gather_inputs(b, s, n, in)))
        return code;
    if (n->function)
        return build_call(b, s, n, in);
    if (n->op->traits & OP_CONTROL)
        return build_control(b, s, n, in);
    if ((code = narrow_inputs(b, s, n, in)) || (code = build_op(b, s, n, in)))
        return code;
    return widen_outputs(b, s, n);
}

int build_nodes(struct builder *b, struct scope *s, const struct graph *g)
{
    for (const struct node *n = g->first; n; n = n->next) {
        int code = node_wanted(b, n) ? build_node(b, s, n) : 0;
        if (code)
            return code;
    }
    return 0;
}

/* ---- a whole graph ---- */

static int bind_inputs(struct builder *b, struct scope *s, const struct graph *g,
                       const struct type *in)
{
    struct plan *p = s->plan;
    for (size_t i = 0; i < g->inputs.count; i++) {
        const struct value *v = g->inputs.data[i];
        int slot = -1;
        if (in[i].kind != TYPE_NONE || !v->constant) {
            slot = plan_slot(p, SLOT_INPUT, v, &in[i]);
            scope_bind(s, v, slot);
        }
        vec_push(&p->inputs, slot);
        int code = slot >= 0 ? half_widen(b, s, v) : 0;
        if (code)
            return code;
    }
    return 0;
}

static int bind_outputs(struct builder *b, struct scope *s, const struct graph *g)
{
    for (size_t i = 0; i < g->outputs.count; i++) {
        const struct value *v = g->outputs.data[i]->value;
        int slot = scope_slot(b, s, v);
        if (slot >= 0 && !s->up)
            slot = half_narrow(b, s, v, slot);
        if (slot < 0)
            return slot;
        s->plan->slots.data[slot].pinned = true;
        vec_push(&s->plan->outputs, slot);
    }
    return 0;
}

struct plan *plan_build(struct builder *b, const struct graph *g, const struct type *in,
                        struct scope *up)
{
    struct plan *p = mem_alloc(sizeof *p);
    p->session = b->session;
    p->outer = up ? up->plan : NULL;
    p->graph = g;
    p->arena = b->session->arena;
    struct scope s = {.up = up, .plan = p, .depth = up ? up->depth + 1 : 0};
    s.call = up ? up->call : NULL;
    int code = bind_inputs(b, &s, g, in);
    if (!code)
        code = build_nodes(b, &s, g);
    if (!code)
        code = bind_outputs(b, &s, g);
    map_release(&s.slots);
    if (!code)
        return p;
    plan_free(p);
    return NULL;
}
