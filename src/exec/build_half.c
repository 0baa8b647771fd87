/* float16 values are computed as float32: widened where they enter a plan (inputs, initializers, nodes that
 * make float16 from something else), rounded where they leave it as outputs of the model.
 *
 * Constants are folded as float16, rounded at every node: so a model whose constants somebody folded
 * before gives the same bits. Half of an operator's work would otherwise be conversions, and every node would round; runtimes on CPUs
 * keep float32 between such nodes as well. A Cast to float16 still rounds: its result is float16 before it
 * is widened. Taps see the float32 value.
 *
 * The conversions are Cast nodes of our own, so that they fold, run dynamically and are placed like any
 * other node.
 */
#include <string.h>

#include "exec/plan.h"

static struct node *cast_node(struct builder *b, const struct value *v, enum dtype to)
{
    struct arena *a = b->session->arena;
    struct node *n = arena_alloc(a, sizeof *n);
    union {
        const struct value *in;
        struct value *out;
    } value = {v};
    n->name = "";
    n->op_type = "Cast";
    n->domain = n->overload = "";
    n->graph = v->graph;
    n->n_inputs = n->n_outputs = n->n_attrs = 1;
    n->inputs = arena_alloc(a, sizeof *n->inputs);
    n->inputs[0].value = value.out;
    n->outputs = arena_alloc(a, sizeof *n->outputs);
    n->outputs[0] = value.out;
    n->attrs = arena_alloc(a, sizeof *n->attrs);
    n->attrs[0] = arena_alloc(a, sizeof **n->attrs);
    n->attrs[0]->name = "to";
    n->attrs[0]->type = ATTR_INT;
    n->attrs[0]->i = to;
    n->op = op_find("", "Cast");
    return n;
}

static bool is_tensor_of(const struct plan *p, int slot, enum dtype dtype)
{
    return slot >= 0 && p->slots.data[slot].type.kind == TYPE_TENSOR &&
           p->slots.data[slot].type.dtype == dtype;
}

int half_widen(struct builder *b, struct scope *s, const struct value *v)
{
    int slot = scope_bound(s, v);
    if (!is_tensor_of(s->plan, slot, DT_FLOAT16))
        return 0;
    const struct node *n = cast_node(b, v, DT_FLOAT);
    if (!n->op || !node_version(n))
        return 0;
    s->plan->slots.data[slot].tapped = false;
    bitset_add(&b->wanted, v->id);
    int code = build_op(b, s, n, &slot);
    struct slot *wide = &s->plan->slots.data[scope_bound(s, v)];
    if (!code && s->plan->slots.data[slot].kind == SLOT_CONST && wide->kind == SLOT_CONST)
        wide->narrow = slot + 1;
    return code;
}

int half_narrow(struct builder *b, struct scope *s, const struct value *v, int slot)
{
    const struct type *t = slot >= 0 ? &s->plan->slots.data[slot].type : &v->type;
    bool unknown = t->kind == TYPE_NONE || t->dtype == DT_UNDEFINED; /* behind a body */
    if (v->type.kind != TYPE_TENSOR || v->type.dtype != DT_FLOAT16 ||
        (!unknown && !is_tensor_of(s->plan, slot, DT_FLOAT)))
        return slot;
    const struct node *n = cast_node(b, v, DT_FLOAT16);
    bitset_add(&b->wanted, v->id);
    int code = build_op(b, s, n, &slot);
    if (code)
        return code;
    int narrow = scope_bound(s, v);
    s->plan->slots.data[narrow].tapped = false;
    scope_bind(s, v, slot);
    return narrow;
}
