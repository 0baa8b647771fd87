/* Model-local functions: the body's nodes become steps of the caller's plan, once per call.
 *
 * The body's formal inputs are bound to the caller's slots, so nothing is copied. A body node whose
 * attribute refers to an attribute of the call (ref_attr_name) is replaced by a copy that holds the
 * call's value, the function's default, or (neither given) no such attribute: onnx/IR.md,
 * Functions.
 */
#include <string.h>

#include "exec/plan.h"

static const struct attr *given(const struct scope *s, const char *name)
{
    const struct attr *a = node_attr(s->call, name);
    if (a)
        return a;
    const struct function *f = s->call->function;
    for (size_t i = 0; f && i < f->defaults.count; i++)
        if (strcmp(f->defaults.data[i]->name, name) == 0)
            return f->defaults.data[i];
    return NULL;
}

static bool has_reference(const struct node *n)
{
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (n->attrs[i]->ref)
            return true;
    return false;
}

const struct node *build_resolve(struct builder *b, struct scope *s, const struct node *n)
{
    if (!s->call || !has_reference(n))
        return n;
    struct arena *a = b->session->arena;
    struct node *copy = arena_copy(a, n, sizeof *n);
    copy->attrs = arena_array(a, n->n_attrs, sizeof *copy->attrs);
    copy->n_attrs = 0;
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *from = n->attrs[i]->ref ? given(s, n->attrs[i]->ref) : n->attrs[i];
        if (!from)
            continue;
        struct attr *attr = arena_copy(a, from, sizeof *from);
        attr->name = n->attrs[i]->name;
        attr->ref = NULL;
        copy->attrs[copy->n_attrs++] = attr;
    }
    return copy;
}

static int bind_results(struct builder *b, struct scope *s, struct scope *body,
                        const struct node *n)
{
    const struct graph *g = n->function->body;
    for (uint32_t i = 0; i < n->n_outputs && i < g->outputs.count; i++) {
        if (!n->outputs[i])
            continue;
        int slot = scope_slot(b, body, g->outputs.data[i]->value);
        if (slot < -1)
            return slot;
        scope_bind(s, n->outputs[i], slot);
    }
    return 0;
}

int build_call(struct builder *b, struct scope *s, const struct node *n, const int *in)
{
    const struct graph *g = n->function->body;
    struct scope body = {.plan = s->plan, .call = n, .depth = s->depth + 1};
    for (size_t i = 0; i < g->inputs.count; i++)
        scope_bind(&body, g->inputs.data[i], i < n->n_inputs ? in[i] : -1);
    build_wanted(b, g);
    int code = build_nodes(b, &body, g);
    if (!code)
        code = bind_results(b, s, &body, n);
    map_release(&body.slots);
    return code;
}
