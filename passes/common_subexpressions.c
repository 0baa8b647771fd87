/* Nodes that compute the same are computed once.
 *
 * Before:  a = Op(x, w)   b = Op(x, w)
 * After:   a = Op(x, w), readers of b read a
 * When:    same operator, attributes and inputs (small constants by content), both in one graph;
 *          deterministic, known, without subgraphs. Operands of commutative integer operators may
 *          be swapped (of float ones not: which NaN survives depends on the order).
 * Numerics: EXACT.
 */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "rewrite/rewrite.h"

enum { SMALL_CONSTANT = 256 }; /* bytes that are compared by content */

static bool is_candidate(const struct node *n)
{
    if (!n->op || n->function || n->op->traits & (OP_CONTROL | OP_RANDOM) || !n->n_outputs)
        return false;
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        if (a->ref || a->type == ATTR_GRAPH || a->type == ATTR_GRAPHS ||
            a->type >= ATTR_SPARSE_TENSOR)
            return false;
    }
    return true;
}

/* ---- what makes two nodes the same, as bytes ---- */

typedef VEC(unsigned char) key_bytes;

static void add(key_bytes *key, const void *bytes, size_t size)
{
    vec_reserve(key, key->count + size);
    if (size)
        memcpy(key->data + key->count, bytes, size);
    key->count += size;
}

static bool is_small(const struct tensor *t)
{
    bool computable = t->recipe && dtype_is_float(t->dtype);
    return (t->data || computable) && t->bytes <= SMALL_CONSTANT;
}

static void add_tensor(key_bytes *key, const struct tensor *t)
{
    uint64_t head[2] = {(uint64_t)t->dtype, (uint64_t)t->rank};
    add(key, head, sizeof head);
    add(key, t->dims, (size_t)t->rank * sizeof *t->dims);
    if (!is_small(t)) { /* large, strings: only itself */
        add(key, &t, sizeof(const struct tensor *));
        return;
    }
    unsigned char computed[SMALL_CONSTANT];
    for (int64_t i = 0; t->recipe && i < t->count; i++)
        num_set(computed, t->dtype, i, tensor_get(t, i));
    add(key, t->recipe ? computed : t->data, t->bytes);
}

static void add_attr(key_bytes *key, const struct attr *a)
{
    uint32_t head[2] = {(uint32_t)a->type, a->n};
    add(key, &a->name, sizeof a->name);
    add(key, head, sizeof head);
    if (a->type == ATTR_FLOAT)
        add(key, &a->f, sizeof a->f);
    else if (a->type == ATTR_INT)
        add(key, &a->i, sizeof a->i);
    else if (a->type == ATTR_STRING)
        add(key, a->s.data, a->s.size);
    else if (a->type == ATTR_TENSOR)
        add_tensor(key, a->tensor);
    else if (a->type == ATTR_FLOATS)
        add(key, a->floats, a->n * sizeof *a->floats);
    else if (a->type == ATTR_INTS)
        add(key, a->ints, a->n * sizeof *a->ints);
    for (uint32_t i = 0; a->type == ATTR_STRINGS && i < a->n; i++) {
        add(key, &a->strings[i].size, sizeof a->strings[i].size);
        add(key, a->strings[i].data, a->strings[i].size);
    }
    for (uint32_t i = 0; a->type == ATTR_TENSORS && i < a->n; i++)
        add_tensor(key, a->tensors[i]);
}

static void add_value(key_bytes *key, const struct value *v)
{
    const struct tensor *t = constant_of(v);
    uint64_t id = v ? (uint64_t)v->id << 1 : UINT64_MAX;
    if (t && is_small(t) && !v->q) {
        id = (uint64_t)t->rank << 1 | 1;
        add(key, &id, sizeof id);
        add_tensor(key, t);
        return;
    }
    add(key, &id, sizeof id);
}

static bool may_swap(const struct node *n)
{
    return n->op->traits & OP_COMMUTES && n->n_inputs == 2 && node_output(n, 0) &&
           (dtype_is_int(value_dtype(n->outputs[0])) || value_dtype(n->outputs[0]) == DT_BOOL) &&
           n->inputs[0].value && n->inputs[1].value;
}

static int by_name(const struct attr *a, const struct attr *b) { return strcmp(a->name, b->name); }

static void add_attrs(key_bytes *key, const struct node *n)
{
    const struct attr **sorted = mem_alloc((n->n_attrs + 1u) * sizeof *sorted);
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        uint32_t k = i;
        for (; k && by_name(sorted[k - 1], n->attrs[i]) > 0; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = n->attrs[i];
    }
    for (uint32_t i = 0; i < n->n_attrs; i++)
        add_attr(key, sorted[i]);
    mem_free(sorted);
}

static void make_key(key_bytes *key, const struct node *n)
{
    uint32_t sizes[2] = {n->n_inputs, n->n_outputs};
    vec_clear(key);
    add(key, &n->op, sizeof n->op);
    add(key, sizes, sizeof sizes);
    add_attrs(key, n);
    bool swap = may_swap(n) && n->inputs[0].value->id > n->inputs[1].value->id;
    for (uint32_t i = 0; i < n->n_inputs; i++)
        add_value(key, n->inputs[swap ? 1 - i : i].value);
}

/* ---- merging ---- */

static const char *merge_problem(const struct node *first, const struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        const struct value *v = n->outputs[i], *w = first->outputs[i];
        const char *problem = v && w ? bypass_problem(v, w) : NULL;
        if (problem)
            return problem;
        if (v && w && v->q != w->q)
            return "the results are quantized in different ways";
    }
    return NULL;
}

static void merge(struct node *first, struct node *n)
{
    if (!first->source)
        node_set_source(first, first);
    node_set_source(first, n);
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        if (!n->outputs[i])
            continue;
        if (first->outputs[i])
            rewrite_bypass(n->outputs[i], first->outputs[i]);
        else
            node_move_output(n, i, first, i);
    }
    rewrite_drop(n);
}

static void visit_graph(struct pass_run *r, struct graph *g, struct arena *keys, key_bytes *key);

static void visit_subgraphs(struct pass_run *r, const struct node *n, struct arena *keys,
                            key_bytes *key)
{
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        if (a->type == ATTR_GRAPH && a->graph)
            visit_graph(r, a->graph, keys, key);
        for (uint32_t k = 0; a->type == ATTR_GRAPHS && k < a->n; k++)
            visit_graph(r, a->graphs[k], keys, key);
    }
}

static void visit_graph(struct pass_run *r, struct graph *g, struct arena *keys, key_bytes *key)
{
    struct map seen = {0};
    graph_each_node(n, g)
    {
        visit_subgraphs(r, n, keys, key);
        if (!is_candidate(n))
            continue;
        make_key(key, n);
        struct node *first = map_get(&seen, key->data, key->count);
        if (!first) {
            *map_slot(&seen, arena_copy(keys, key->data, key->count), key->count) = n;
            continue;
        }
        const char *problem = merge_problem(first, n);
        if (problem) {
            pass_refused(r, n, "%s", problem);
            continue;
        }
        pass_rewrote(r, n, "the same as '%s'", node_label(first));
        merge(first, n);
    }
    map_release(&seen);
}

int run_common_subexpressions(struct pass_run *r, struct model *m)
{
    struct arena *keys = arena_new();
    key_bytes key = {0};
    visit_graph(r, m->graph, keys, &key);
    vec_free(&key);
    arena_free(keys);
    return 0;
}
