/* See opset_convert.h.
 *
 * A node may stay as it is when its inputs, outputs and attributes are legal in the other signature
 * (ops.def) and mean the same there; an attribute that the other version lacks goes when it says
 * what is the default. Where the form or the meaning changed, a row of opset_up.c or opset_down.c
 * says whether this node can follow and how (docs/Changelog.md of ONNX). Everything is checked
 * before anything changes.
 */
#include "targets/opset_convert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "targets/opset_change.h"

/* ---- rows ---- */

static bool applies(const struct opset_change *c, const struct node *n, int64_t from, int64_t to)
{
    int64_t low = from < to ? from : to, high = from < to ? to : from;
    return low < c->since && c->since <= high && node_is(n, c->op);
}

static const struct opset_change *rows(int64_t from, int64_t to)
{
    return from < to ? OPSET_RAISES : OPSET_LOWERS;
}

/* ---- attributes ---- */

static const struct op_attr *find_attr(const struct op_version *v, const char *name)
{
    for (int k = 0; k < v->n_attrs; k++)
        if (strcmp(v->attrs[k].name, name) == 0)
            return &v->attrs[k];
    return NULL;
}

/* Says what is meant anyway when it is left out. */
static bool is_default(const struct attr *a, const struct op_version *was)
{
    const struct op_attr *row = find_attr(was, a->name);
    if (!row || !row->fallback || row->type != a->type || a->ref)
        return false;
    switch (a->type) {
    case ATTR_INT:
        return a->i == strtoll(row->fallback, NULL, 10);
    case ATTR_FLOAT:
        return !(fabsf(a->f - strtof(row->fallback, NULL)) > 0);
    case ATTR_STRING:
        return a->s.size == strlen(row->fallback) && !memcmp(a->s.data, row->fallback, a->s.size);
    default:
        return false;
    }
}

/* Attributes that mean nothing for the types that the other version has. */
static bool is_moot(const struct attr *a)
{
    return !strcmp(a->name, "saturate") || !strcmp(a->name, "round_mode") ||
           !strcmp(a->name, "momentum");
}

struct move { /* of one node from one signature to another */
    const struct node *n;
    int64_t from, to;
    const struct op_version *was, *will;
    bool changes, renames; /* rows apply; to another operator */
    struct arena *arena;
};

static bool is_handled(const struct move *m, const char *name)
{
    size_t length = strlen(name);
    for (const struct opset_change *c = rows(m->from, m->to); m->changes && c->op; c++) {
        const char *at = c->handles && applies(c, m->n, m->from, m->to) ? c->handles : "";
        while ((at = strchr(at, ' '))) {
            at++;
            if (strcspn(at, " ") == length && !strncmp(at, name, length))
                return true;
        }
    }
    return false;
}

static const char *attrs_problem(const struct move *m)
{
    const struct node *n = m->n;
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *x = n->attrs[i];
        if (!find_attr(m->will, x->name) && !is_default(x, m->was) && !is_moot(x) &&
            !is_handled(m, x->name))
            return arena_printf(m->arena, "its attribute '%s' is not in the version of opset %d",
                                x->name, m->will->since);
    }
    return NULL;
}

static const char *required_problem(const struct move *m)
{
    const struct op_version *will = m->will;
    for (int k = 0; k < will->n_attrs; k++)
        if (will->attrs[k].required && !node_attr(m->n, will->attrs[k].name))
            return arena_printf(m->arena, "the version of opset %d needs the attribute '%s'",
                                will->since, will->attrs[k].name);
    return NULL;
}

static void drop_unknown_attrs(struct node *n, const struct op_version *will)
{
    for (uint32_t i = n->n_attrs; i-- > 0;)
        if (!find_attr(will, n->attrs[i]->name))
            node_drop_attr(n, n->attrs[i]->name);
}

/* ---- slots ---- */

static uint32_t given_inputs(const struct node *n)
{
    uint32_t count = n->n_inputs;
    while (count && !n->inputs[count - 1].value)
        count--;
    return count;
}

static const char *counts_problem(const struct move *m)
{
    const struct node *n = m->n;
    const struct op_version *will = m->will;
    struct arena *a = m->arena;
    uint32_t in = given_inputs(n);
    if (in < (uint32_t)will->min_in || (will->max_in >= 0 && in > (uint32_t)will->max_in))
        return arena_printf(a, "the version of opset %d does not take %u inputs", will->since, in);
    if (will->max_out >= 0 && n->n_outputs > (uint32_t)will->max_out)
        return arena_printf(a, "the version of opset %d has no output %d", will->since,
                            will->max_out);
    return NULL;
}

static bool is_tensor_of(const struct value *v)
{
    return v && v->type.kind == TYPE_TENSOR && v->type.dtype != DT_UNDEFINED;
}

/* Only the slots that both forms have: of others a row takes care. */
static const char *types_problem(const struct move *m)
{
    const struct node *n = m->n;
    const struct op_version *will = m->will;
    struct arena *a = m->arena;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        if (!is_tensor_of(v) || (will->max_in >= 0 && i >= (uint32_t)will->max_in))
            continue;
        if (!op_version_takes(will, i, false, v->type.dtype))
            return arena_printf(a, "the version of opset %d takes no %s", will->since,
                                dtype_name(v->type.dtype));
    }
    const struct value *y = node_output(n, 0);
    if (is_tensor_of(y) && !op_version_takes(will, 0, true, y->type.dtype))
        return arena_printf(a, "the version of opset %d gives no %s", will->since,
                            dtype_name(y->type.dtype));
    return NULL;
}

/* ---- a node ---- */

static const char *rows_problem(struct move *m)
{
    for (const struct opset_change *c = rows(m->from, m->to); c->op; c++) {
        if (!applies(c, m->n, m->from, m->to))
            continue;
        const char *why = c->problem ? c->problem(m->n, m->to) : NULL;
        if (why)
            return why;
        m->changes = true;
        m->renames |= !strcmp(c->op, "Upsample") || !strcmp(c->op, "Scatter");
    }
    return NULL;
}

static const char *absent(const struct move *m)
{
    const struct op *op = m->n->op;
    return m->will
               ? arena_printf(m->arena, "'%s' is gone since opset %d", op->name, m->will->since)
               : arena_printf(m->arena, "'%s' came with opset %d", op->name, op->versions[0].since);
}

const char *opset_problem(const struct node *n, int64_t from, int64_t to, struct arena *a)
{
    struct move m = {.n = n, .from = from, .to = to, .arena = a};
    const char *why;
    if (n->function)
        return "it calls a model-local function; inline-functions puts its body there";
    if (n->domain[0])
        return NULL;
    if (!n->op)
        return arena_printf(a, "'%s' is not known in ai.onnx", n->op_type);
    m.was = op_version_at(n->op, from), m.will = op_version_at(n->op, to);
    if ((why = rows_problem(&m)) || m.renames)
        return why;
    if (!m.will || (m.will->deprecated && (!m.was || !m.was->deprecated)))
        return absent(&m);
    if (m.was == m.will)
        return NULL;
    if (!m.was)
        return arena_printf(a, "'%s' is not in opset %lld", n->op_type, (long long)from);
    if ((why = attrs_problem(&m)))
        return why;
    if (!m.changes && ((why = required_problem(&m)) || (why = counts_problem(&m))))
        return why;
    return types_problem(&m);
}

static void convert_node(struct node *n, int64_t from, int64_t to)
{
    const struct op *op = n->op; /* one that takes another name has its final form */
    for (const struct opset_change *c = rows(from, to); c->op && n->op == op; c++)
        if (applies(c, n, from, to))
            c->apply(n);
    const struct op_version *will = n->op && !n->domain[0] ? op_version_at(n->op, to) : NULL;
    if (will && op_version_at(n->op, from) != will)
        drop_unknown_attrs(n, will);
}

/* ---- a model ---- */

bool opset_covers(const struct node *n)
{
    const struct graph *g = n->graph;
    while (g->parent)
        g = g->parent->graph;
    return !n->removed && !g->function;
}

void opset_apply(struct model *m, int64_t to)
{
    int64_t from = graph_opset(m->graph, "");
    size_t n = m->nodes.count; /* nodes that come in are of the new form */
    if (from == to)
        return;
    model_set_opset(m, "", to);
    for (size_t i = 0; i < n; i++) {
        struct node *node = m->nodes.data[i];
        if (opset_covers(node))
            convert_node(node, from, to);
    }
}

int opset_raise(struct model *m, int64_t to)
{
    int64_t from = graph_opset(m->graph, "");
    if (from >= to)
        return 0;
    struct arena *a = arena_new();
    int code = 0;
    for (size_t i = 0; i < m->nodes.count && !code; i++) {
        const struct node *n = m->nodes.data[i];
        const char *why = opset_covers(n) ? opset_problem(n, from, to, a) : NULL;
        if (why)
            code = diag_report(m->ctx->diag, E_QUANT_OPSET, &(struct where){.node = node_label(n)},
                               "%s cannot go from opset %lld to %lld: %s", n->op_type,
                               (long long)from, (long long)to, why);
    }
    arena_free(a);
    if (!code)
        opset_apply(m, to);
    return code;
}

/* ---- what rows share ---- */

const struct tensor *opset_data(const struct value *v)
{
    if (v && value_is_constant(v))
        return v->constant;
    return v && v->producer && node_is(v->producer, "Constant") ? node_tensor(v->producer, "value")
                                                                : NULL;
}

bool opset_ints(const struct value *v, int64_t *out, uint32_t room, uint32_t *count)
{
    const struct tensor *t = opset_data(v);
    if (!t || !tensor_is_int_list(t) || t->count > (int64_t)room)
        return false;
    *count = (uint32_t)t->count;
    for (uint32_t i = 0; i < *count; i++)
        out[i] = tensor_get_int(t, i);
    return true;
}

void opset_put_input(struct node *n, uint32_t i, struct tensor *t, const char *hint)
{
    if (n->n_inputs <= i)
        node_resize_inputs(n, i + 1);
    node_set_input(n, i, value_constant(n->graph, hint, t));
}

void opset_drop_input(struct node *n, uint32_t i)
{
    struct value *v = node_input(n, i);
    if (i >= n->n_inputs)
        return;
    node_set_input(n, i, NULL);
    if (i + 1 == n->n_inputs)
        node_resize_inputs(n, i);
    if (v && v->constant && !v->is_input && !v->n_uses)
        value_remove(v);
}

struct node *opset_node_before(struct node *at, const char *op_type, uint32_t n_inputs)
{
    struct node *n = node_new(at->graph, op_type, "", n_inputs, 1);
    n->op = op_find("", op_type);
    node_insert_before(n, at);
    node_set_source(n, at);
    return n;
}
