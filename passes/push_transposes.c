/* Transpositions move down through element-wise operators where that leaves fewer of them.
 *
 * Before:  y = Transpose<perm=q>(Relu(Transpose<perm=p>(x)))
 * After:   y = Transpose<perm=p[q]>(Relu(x)), or Relu(x) where p[q] is the identity
 *
 * Before:  y = Add(Transpose<perm=p>(a), Transpose<perm=p>(b))     the same for Concat
 * After:   y = Transpose<perm=p>(Add(a, b))
 *
 * When:    nothing in between has another reader; other operands are constants, which are turned
 * the other way. What was computed in the old layout gets new names. Numerics: EXACT: the same
 * numbers at other places.
 */
#include <string.h>

#include "rewrite/rewrite.h"

enum { MAX_RANK = 16, MAX_CHAIN = 256, MAX_INPUTS = 1024 };

struct turn {
    int rank;
    int64_t perm[MAX_RANK], back[MAX_RANK]; /* back undoes perm */
};

static bool read_turn(const struct node *n, struct turn *t)
{
    const int64_t *perm;
    uint32_t count;
    if (!n || !node_is(n, "Transpose") || !n->op || !node_ints(n, "perm", &perm, &count) ||
        count > MAX_RANK || count == 0 || !node_input(n, 0))
        return false;
    t->rank = (int)count;
    for (uint32_t i = 0; i < count; i++)
        if (perm[i] < 0 || perm[i] >= (int64_t)count)
            return false;
    for (uint32_t i = 0; i < count; i++) {
        t->perm[i] = perm[i];
        t->back[perm[i]] = i;
    }
    return true;
}

static bool same_turn(const struct turn *a, const struct turn *b)
{
    return a->rank == b->rank && !memcmp(a->perm, b->perm, (size_t)a->rank * sizeof *a->perm);
}

/* ---- operands ---- */

/* A constant that can stand in the untransposed computation. */
static bool can_turn(const struct value *v, const struct turn *t)
{
    const struct tensor *c = constant_of(v);
    if (!c || c->rank > t->rank)
        return false;
    return c->count == 1 || !c->recipe || c->rank == t->rank;
}

static struct value *turned(struct node *at, struct value *v, const struct turn *t)
{
    const struct tensor *c = constant_of(v);
    struct model *m = at->graph->model;
    int64_t dims[MAX_RANK];
    if (c->count == 1)
        return v;
    for (int i = 0; i < t->rank; i++)
        dims[i] = i < t->rank - c->rank ? 1 : c->dims[i - (t->rank - c->rank)];
    if (c->rank < t->rank)
        c = tensor_reshaped(m, c, t->rank, dims);
    return constant_new(at, recipe_transpose(m, c, t->back), v);
}

static bool is_elementwise(const struct node *n)
{
    return n && node_is_onnx(n) && n->op->traits & OP_ELEMENTWISE && n->n_outputs == 1 &&
           n->outputs[0] && !node_attr(n, "axis") && !(n->op->traits & (OP_RANDOM | OP_CONTROL)) &&
           n->n_inputs <= MAX_INPUTS;
}

/* The one input that is no constant, when the others can be turned; -1: there is none such. */
static int data_input(const struct node *n, const struct turn *t)
{
    int data = -1;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        if (!v || (t ? can_turn(v, t) : constant_of(v) != NULL))
            continue;
        if (data >= 0 || constant_of(v))
            return -1;
        data = (int)i;
    }
    return data;
}

/* ---- one transposition above a chain, another below ---- */

struct chain {
    struct node *nodes[MAX_CHAIN]; /* from the lower Transpose upwards */
    int length;
    struct node *top;
    struct turn turn;
};

static bool find_chain(const struct node *bottom, struct chain *c)
{
    const struct value *v = bottom->inputs[0].value;
    c->length = 0;
    while (v && v->n_uses == 1 && v->producer && v->producer->graph == bottom->graph) {
        struct node *n = v->producer;
        if (node_is(n, "Transpose")) {
            c->top = n;
            return c->length > 0 && read_turn(n, &c->turn);
        }
        int data = is_elementwise(n) ? data_input(n, NULL) : -1;
        if (data < 0 || c->length == MAX_CHAIN)
            return false;
        c->nodes[c->length++] = n;
        v = n->inputs[data].value;
    }
    return false;
}

static bool chain_turns(const struct chain *c)
{
    for (int i = 0; i < c->length; i++)
        if (data_input(c->nodes[i], &c->turn) < 0 ||
            value_rank(c->nodes[i]->outputs[0]) != c->turn.rank)
            return false;
    return true;
}

/* A copy of n that reads x in place of its data, before `at`. */
static struct value *copy_turned(struct pass_run *r, const struct node *n, struct node *at,
                                 struct value *x, const struct turn *t)
{
    struct node *copy = rewrite_node(at, n->op_type, n->n_inputs, 1);
    int data = data_input(n, t);
    copy->source = NULL;
    node_set_source(copy, n);
    for (uint32_t i = 0; i < n->n_attrs; i++)
        node_copy_attr(copy, n->attrs[i]);
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        struct value *v = n->inputs[i].value;
        node_set_input(copy, i, (int)i == data ? x : v ? turned(copy, v, t) : NULL);
    }
    struct value *y = node_add_output(copy, 0, n->outputs[0]->name);
    rewrite_infer(r, copy);
    return y;
}

static void move_down(struct pass_run *r, struct node *bottom, const struct chain *c,
                      const struct turn *below)
{
    int64_t both[MAX_RANK];
    struct value *x = c->top->inputs[0].value;
    for (int i = c->length - 1; i >= 0; i--)
        x = copy_turned(r, c->nodes[i], bottom, x, &c->turn);
    for (int i = 0; i < below->rank; i++)
        both[i] = c->turn.perm[below->perm[i]];
    struct node *last = bottom->inputs[0].value->producer;
    node_set_source(bottom, bottom);
    node_set_source(bottom, c->top);
    node_set_ints(bottom, "perm", both, (uint32_t)below->rank);
    node_set_input(bottom, 0, x);
    rewrite_drop(last);
}

static void visit_bottom(struct pass_run *r, struct node *n)
{
    struct chain c;
    struct turn below;
    if (!read_turn(n, &below) || !find_chain(n, &c) || c.turn.rank != below.rank ||
        !chain_turns(&c))
        return;
    pass_rewrote(r, n, "merged with '%s' across %d nodes", node_label(c.top), c.length);
    move_down(r, n, &c, &below);
}

/* ---- several transpositions above one node ---- */

static bool all_turned(const struct node *n, struct turn *t, int *count)
{
    struct turn other;
    *count = 0;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        if (!v || constant_of(v))
            continue;
        if (v->n_uses != 1 || !read_turn(v->producer, *count ? &other : t) ||
            (*count && !same_turn(t, &other)))
            return false;
        ++*count;
    }
    return *count >= 2;
}

static bool operands_turn(const struct node *n, const struct turn *t)
{
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        if (v && constant_of(v) && !can_turn(v, t))
            return false;
    }
    return value_rank(n->outputs[0]) == t->rank;
}

static void pull_out(struct pass_run *r, struct node *n, const struct turn *t)
{
    struct node *copy = rewrite_node(n, n->op_type, n->n_inputs, 1);
    for (uint32_t i = 0; i < n->n_attrs; i++)
        node_copy_attr(copy, n->attrs[i]);
    if (node_is(n, "Concat")) {
        int axis = axis_within(node_int(n, "axis", 0), t->rank);
        node_set_int(copy, "axis", t->perm[axis]);
    }
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        struct value *v = n->inputs[i].value;
        bool constant = v && constant_of(v);
        node_set_input(copy, i,
                       !v         ? NULL
                       : constant ? turned(copy, v, t)
                                  : v->producer->inputs[0].value);
        if (v && !constant)
            node_set_source(copy, v->producer);
    }
    struct value *y = node_add_output(copy, 0, n->outputs[0]->name);
    rewrite_infer(r, copy);
    struct node *below = rewrite_node(n, "Transpose", 1, 1);
    node_set_ints(below, "perm", t->perm, (uint32_t)t->rank);
    node_set_input(below, 0, y);
    node_move_output(n, 0, below, 0);
    rewrite_drop(n);
}

static void visit_join(struct pass_run *r, struct node *n)
{
    struct turn t;
    int count;
    bool concat = node_is(n, "Concat") && n->op && node_output(n, 0) && n->n_inputs <= MAX_INPUTS;
    if (!(concat || is_elementwise(n)) || !all_turned(n, &t, &count))
        return;
    if (!operands_turn(n, &t) || (concat && axis_within(node_int(n, "axis", 0), t.rank) < 0)) {
        pass_refused(r, n, "another operand cannot be transposed");
        return;
    }
    pass_rewrote(r, n, "%d transpositions before it became one after it", count);
    pull_out(r, n, &t);
}

int visit_push_transposes(struct pass_run *r, struct node *n)
{
    if (node_is(n, "Transpose"))
        visit_bottom(r, n);
    else
        visit_join(r, n);
    return 0;
}
