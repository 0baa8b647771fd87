/* See opset_raise.h. A node may stay as it is when its attributes and inputs are legal in the newer
 * signature and mean the same there. Versions that changed the meaning of a legal form stand in
 * CHANGED (docs/Changelog.md of ONNX). */
#include <string.h>

#include "ir/edit.h"
#include "ops/op.h"
#include "quant/opset_raise.h"

/* Operators whose default or coercion changed: to 13, `axis` of the Softmax family stopped meaning
 * "flatten from here" and its default moved from 1 to -1. Equal when axis is the last one. */
static bool is_softmax(const struct node *n)
{
    return node_is(n, "Softmax") || node_is(n, "LogSoftmax") || node_is(n, "Hardmax");
}

static bool softmax_axis_is_last(const struct node *n)
{
    const struct value *x = node_input(n, 0);
    int64_t axis = node_int(n, "axis", 1);
    return x && x->type.rank > 0 && (axis == -1 || axis == x->type.rank - 1);
}

static bool attributes_fit(const struct node *n, const struct op_version *v)
{
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        bool known = false;
        for (int k = 0; k < v->n_attrs && !known; k++)
            known = strcmp(v->attrs[k].name, n->attrs[i]->name) == 0;
        if (!known)
            return false;
    }
    for (int k = 0; k < v->n_attrs; k++)
        if (v->attrs[k].required && !node_attr(n, v->attrs[k].name))
            return false;
    return true;
}

static bool inputs_fit(const struct node *n, const struct op_version *v)
{
    return (int64_t)n->n_inputs >= v->min_in &&
           (v->max_in < 0 || (int64_t)n->n_inputs <= v->max_in);
}

static bool may_raise(const struct node *n, int64_t from, int64_t to)
{
    if (n->domain[0] || !n->op)
        return n->domain[0] != '\0';
    const struct op_version *was = op_version_at(n->op, from), *will = op_version_at(n->op, to);
    if (was == will)
        return true;
    if (!will || will->deprecated || !attributes_fit(n, will) || !inputs_fit(n, will))
        return false;
    return !is_softmax(n) || was->since >= 13 || softmax_axis_is_last(n);
}

static int check(const struct model *m, int64_t from, int64_t to)
{
    for (size_t i = 0; i < m->nodes.count; i++) {
        const struct node *n = m->nodes.data[i];
        if (!n->removed && !n->graph->function && !may_raise(n, from, to))
            return diag_report(m->ctx->diag, E_QUANT_OPSET, &(struct where){.node = node_label(n)},
                               "%s cannot go from opset %lld to %lld as it is", n->op_type,
                               (long long)from, (long long)to);
    }
    return 0;
}

int opset_raise(struct model *m, int64_t to)
{
    int64_t from = graph_opset(m->graph, "");
    if (from >= to)
        return 0;
    int code = check(m, from, to);
    if (code)
        return code;
    for (size_t i = 0; i < m->nodes.count; i++) {
        struct node *n = m->nodes.data[i];
        if (!n->removed && is_softmax(n) && from < 13)
            node_set_int(n, "axis", -1);
    }
    model_set_opset(m, "", to);
    return 0;
}
