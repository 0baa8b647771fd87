/* Questions and edits that rewrites share; see rewrite.h. */
#include "rewrite/rewrite.h"

#include <string.h>

/* ---- questions ---- */

/* Nodes that only move elements of input 0. */
static bool moves_first(const struct node *n)
{
    static const char *const MOVES[] = {"Transpose", "Slice", "Gather", "Split", "Expand", "Tile"};
    if (!node_is_onnx(n) || !node_input(n, 0))
        return false;
    for (size_t i = 0; i < sizeof MOVES / sizeof MOVES[0]; i++)
        if (node_is(n, MOVES[i]))
            return true;
    return (n->op->traits & OP_VIEW) != 0;
}

bool value_is_rounded(const struct value *v)
{
    enum { FAR = 32 }; /* a longer chain of moves is not worth the walk */
    if (value_dtype(v) != DT_FLOAT16)
        return true;
    for (int steps = 0; steps < FAR; steps++) {
        const struct node *n = v->producer;
        if (!n)
            return v->constant || (!v->graph->parent && !v->graph->function);
        if (node_is(n, "Cast") || node_is(n, "CastLike") || node_is(n, "Constant"))
            return true;
        if (!moves_first(n))
            return false;
        v = n->inputs[0].value;
    }
    return false;
}

bool node_is_onnx(const struct node *n) { return !n->domain[0] && n->op && !n->function; }

struct node *producer_of(const struct value *v, const char *op_type)
{
    struct node *n = v ? v->producer : NULL;
    return n && node_is(n, op_type) && n->op ? n : NULL;
}

struct node *lone_producer(const struct value *v, const char *op_type)
{
    struct node *n = producer_of(v, op_type);
    return n && v->n_uses == 1 ? n : NULL;
}

int value_rank(const struct value *v) { return v->type.kind == TYPE_TENSOR ? v->type.rank : -1; }

enum dtype value_dtype(const struct value *v)
{
    return v->type.kind == TYPE_TENSOR ? v->type.dtype : DT_UNDEFINED;
}

bool value_static_dims(const struct value *v, int64_t *dims, int room, int *rank)
{
    *rank = value_rank(v);
    if (*rank < 0 || *rank > room)
        return false;
    for (int i = 0; i < *rank; i++)
        if (!dim_is_const(v->type.dims[i], &dims[i]))
            return false;
    return true;
}

bool same_type(const struct value *a, const struct value *b)
{
    int rank = value_rank(a);
    if (rank < 0 || rank != value_rank(b) || value_dtype(a) != value_dtype(b) ||
        value_dtype(a) == DT_UNDEFINED)
        return false;
    for (int i = 0; i < rank; i++)
        if (!a->type.dims[i] || a->type.dims[i] != b->type.dims[i])
            return false;
    return true;
}

int axis_within(int64_t axis, int rank)
{
    axis = axis < 0 ? axis + rank : axis;
    return axis >= 0 && axis < rank ? (int)axis : -1;
}

/* ---- making nodes ---- */

struct node *rewrite_node(struct node *at, const char *op_type, uint32_t n_inputs,
                          uint32_t n_outputs)
{
    struct node *n = node_new(at->graph, op_type, "", n_inputs, n_outputs);
    n->op = op_find("", op_type);
    node_insert_before(n, at);
    node_set_source(n, at);
    return n;
}

static bool is_open(const struct type *t) /* something about it is not known */
{
    if (t->kind != TYPE_TENSOR)
        return t->kind == TYPE_NONE;
    if (t->dtype == DT_UNDEFINED || t->rank < 0)
        return true;
    for (int i = 0; i < t->rank; i++)
        if (!t->dims[i])
            return true;
    return false;
}

void rewrite_infer(struct pass_run *r, struct node *n)
{
    struct model *m = n->graph->model;
    struct arena *a = arena_new();
    struct ctx quiet = *pass_ctx(r);
    quiet.diag = diag_new(NULL, NULL);
    const struct type **types = arena_array(a, n->n_inputs + 1u, sizeof *types);
    const struct tensor **data = arena_array(a, n->n_inputs + 1u, sizeof *data);
    struct type *out = arena_array(a, n->n_outputs + 1u, sizeof *out);
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        types[i] = v ? &v->type : NULL;
        data[i] = v && value_is_constant(v) ? v->constant : NULL;
    }
    struct infer_io io = {types, data, out};
    if (n->op && infer_node(n, &io, m->dims, a, &quiet) == 0)
        for (uint32_t i = 0; i < n->n_outputs; i++)
            if (n->outputs[i] && is_open(&n->outputs[i]->type) && out[i].kind != TYPE_NONE)
                value_set_type(n->outputs[i], &out[i]);
    diag_free(quiet.diag);
    arena_free(a);
}

struct value *rewrite_emit(struct pass_run *r, struct node *at, const char *op_type, uint32_t n,
                           struct value *const *inputs)
{
    struct node *made = rewrite_node(at, op_type, n, 1);
    for (uint32_t i = 0; i < n; i++)
        node_set_input(made, i, inputs[i]);
    struct value *v = node_add_output(made, 0, node_output(at, 0) ? at->outputs[0]->name : op_type);
    rewrite_infer(r, made);
    return v;
}

/* ---- dropping nodes ---- */

const char *bypass_problem(const struct value *out, const struct value *by)
{
    if (!value_is_output(out) || out == by)
        return NULL;
    if (by->graph != out->graph)
        return "its output is a graph output and its input comes from an outer graph";
    if (by->is_input)
        return "it connects a graph input to a graph output";
    if (value_is_output(by))
        return "its input and its output are both graph outputs";
    if (!by->producer)
        return "its output is a graph output and its input is an initializer";
    return NULL;
}

void rewrite_bypass(struct value *out, struct value *by)
{
    bool is_output = value_is_output(out);
    bool typed = out->type.kind != TYPE_NONE;
    if (typed && by->type.kind == TYPE_NONE)
        value_set_type(by, &out->type);
    value_replace(out, by);
    if (is_output)
        value_take_name(by, out);
}

void rewrite_absorb(struct node *by, struct node *n)
{
    struct value *between = by->outputs[0];
    if (!by->source)
        node_set_source(by, by);
    node_set_source(by, n);
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (n->inputs[i].value == between)
            node_set_input(n, i, NULL);
    node_move_output(n, 0, by, 0);
    value_remove(between);
    rewrite_drop(n);
}

bool node_may_go(const struct node *n) { return n->op || n->function; }

static bool is_unread(const struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] && n->outputs[i]->n_uses)
            return false;
    return true;
}

void rewrite_drop_value(struct value *v)
{
    if (v->constant && !v->is_input && !v->n_uses && !v->removed)
        value_remove(v);
}

static void collect_reads(struct node *n, struct value ***list, size_t *count, size_t *cap)
{
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        if (!n->inputs[i].value)
            continue;
        if (*count == *cap)
            *list = vec_grown(*list, cap, *count + 1, sizeof **list);
        (*list)[(*count)++] = n->inputs[i].value;
    }
}

void rewrite_drop(struct node *n)
{
    VEC(struct value *) reads = {0};
    struct node *next = n;
    for (;;) {
        if (next && !next->removed && node_may_go(next) && is_unread(next)) {
            collect_reads(next, &reads.data, &reads.count, &reads.cap);
            node_remove(next);
        }
        if (!reads.count)
            break;
        struct value *v = vec_pop(&reads);
        rewrite_drop_value(v);
        next = v->producer;
    }
    vec_free(&reads);
}
