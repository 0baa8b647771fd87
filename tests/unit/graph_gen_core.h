/* Random graphs: the generator's state, its numbers, how values and nodes are made.
 *
 * Every step of graph_gen_*.h picks values from the pool, adds nodes whose outputs inference can
 * type, and puts those into the pool. What inference refuses, and what grows too large, is taken
 * out again.
 */
#ifndef TESTS_GRAPH_GEN_CORE_H
#define TESTS_GRAPH_GEN_CORE_H
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/vec.h"
#include "ir/edit.h"
#include "ops/op.h"

enum { GEN_RANK = 5, GEN_COUNT = 512 };

struct gen {
    struct model *m;
    struct graph *g;
    uint64_t state;
    enum dtype real;             /* of what is computed */
    VEC(struct value *) pool;    /* what later nodes may read */
    VEC(struct value *) weights; /* initializers that may be shared */
    struct ctx quiet;            /* inference failures are no reports */
    int depth, names, unknown;
};

static uint64_t gen_bits(struct gen *g) /* xorshift64*, Vigna 2016 */
{
    g->state ^= g->state >> 12;
    g->state ^= g->state << 25;
    g->state ^= g->state >> 27;
    return g->state * 2685821657736338717u;
}
static int gen_below(struct gen *g, int n) { return (int)((gen_bits(g) >> 33) % (uint64_t)n); }
static bool gen_chance(struct gen *g, int percent) { return gen_below(g, 100) < percent; }
static double gen_real(struct gen *g) /* -1 .. 1, a float */
{
    return (double)(int64_t)(gen_bits(g) >> 41) * 0x1p-22 - 1;
}

/* ---- values ---- */

static int gen_dims(const struct value *v, int64_t *dims)
{
    for (int i = 0; i < v->type.rank; i++)
        if (!dim_is_const(v->type.dims[i], &dims[i]))
            dims[i] = -1;
    return v->type.rank;
}

static int64_t gen_count(const struct value *v)
{
    int64_t dims[GEN_RANK + 1], n = 1;
    int rank = gen_dims(v, dims);
    for (int i = 0; i < rank; i++)
        n *= dims[i] < 0 ? 2 : dims[i];
    return n;
}

static bool gen_static(const struct value *v)
{
    for (int i = 0; i < v->type.rank; i++)
        if (!dim_is_const(v->type.dims[i], NULL))
            return false;
    return true;
}

/* A value of that kind from the pool, mostly a late one. NULL: none. */
static struct value *gen_pick(struct gen *g, enum dtype t, int low, int high)
{
    for (int tries = 0; tries < 12 && g->pool.count; tries++) {
        size_t back = (size_t)gen_below(g, gen_chance(g, 70) ? 3 : (int)g->pool.count);
        struct value *v = g->pool.data[back < g->pool.count ? g->pool.count - 1 - back : 0];
        if (v->type.dtype == t && v->type.rank >= low && v->type.rank <= high)
            return v;
    }
    return NULL;
}

static struct value *gen_tensor(struct gen *g, struct tensor *t)
{
    char name[32];
    snprintf(name, sizeof name, "w%d", g->names++);
    struct value *v = value_named(g->g, name);
    value_set_constant(v, t);
    return v;
}

/* A constant of reals: random, or one neutral number everywhere. */
static struct value *gen_weight(struct gen *g, int rank, const int64_t *dims, double low,
                                double high)
{
    static const double PLAIN[] = {0, 1, -0.0, 0.5, 2};
    bool plain = low < 0 && gen_chance(g, 25);
    double every = PLAIN[gen_below(g, 5)];
    for (size_t i = 0; gen_chance(g, 25) && i < g->weights.count; i++) {
        struct value *w = g->weights.data[i];
        bool same = w->constant->rank == rank && w->graph == g->g && low < 0;
        for (int k = 0; same && k < rank; k++)
            same = w->constant->dims[k] == dims[k];
        if (same)
            return w;
    }
    struct tensor *t = tensor_new(g->m->arena, g->real, rank, dims);
    for (int64_t i = 0; i < t->count; i++) {
        double u = (gen_real(g) + 1) / 2;
        num_set(tensor_writable(t), g->real, i,
                plain ? every : (double)(float)(low + u * (high - low)));
    }
    struct value *v = gen_tensor(g, t);
    if (low < 0)
        vec_push(&g->weights, v);
    return v;
}

static struct value *gen_ints(struct gen *g, const int64_t *x, int64_t n)
{
    return gen_tensor(g, tensor_ints(g->m->arena, x, n));
}

static struct value *gen_scalar(struct gen *g, double x)
{
    if (gen_chance(g, 20)) { /* as a Constant node */
        struct node *n = node_new(g->g, "Constant", "", 0, 1);
        node_set_tensor(n, "value", tensor_scalar(g->m->arena, g->real, x));
        node_append(n);
        struct value *v = node_add_output(n, 0, "c");
        value_set_type(v, &(struct type){TYPE_TENSOR, g->real, 0, NULL, NULL});
        return v;
    }
    return gen_tensor(g, tensor_scalar(g->m->arena, g->real, x));
}

/* ---- nodes ---- */

static struct node *gen_node(struct gen *g, const char *op, uint32_t n, struct value *const *in)
{
    struct node *node = node_new(g->g, op, "", n, 1);
    char name[32];
    snprintf(name, sizeof name, "n%d", g->names++);
    node->op = op_find("", op);
    for (uint32_t i = 0; i < n; i++)
        node_set_input(node, i, in[i]);
    if (gen_chance(g, 70))
        node_set_name(node, name);
    node_append(node);
    return node;
}

static void gen_discard(struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] && n->outputs[i]->n_uses)
            return;
    node_remove(n);
}

/* The axes of a reduction: an attribute, since operator set 18 an input. */
static void gen_axes(struct gen *g, struct node *n, const int64_t *axes, uint32_t count)
{
    if (graph_opset(g->m->graph, "") < 18) {
        node_set_ints(n, "axes", axes, count);
        return;
    }
    node_resize_inputs(n, 2);
    node_set_input(n, 1, gen_ints(g, axes, count));
}

/* Gives n its outputs with inferred types; false (and n is gone): inference refuses, or too large.
 */
static bool gen_finish(struct gen *g, struct node *n)
{
    const struct type *types[8];
    const struct tensor *data[8];
    struct type out[4];
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        types[i] = v ? &v->type : NULL;
        data[i] = v && value_is_constant(v) ? v->constant : NULL;
    }
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        char name[32];
        snprintf(name, sizeof name, "v%d", g->names++);
        node_add_output(n, i, name);
    }
    struct infer_io io = {types, data, out};
    bool fine = infer_node(n, &io, g->m->dims, g->m->arena, &g->quiet) == 0;
    for (uint32_t i = 0; fine && i < n->n_outputs; i++)
        fine = out[i].kind == TYPE_TENSOR && out[i].rank >= 0 && out[i].rank <= GEN_RANK;
    for (uint32_t i = 0; fine && i < n->n_outputs; i++) {
        struct value *v = n->outputs[i];
        value_set_type(v, &out[i]);
        fine = gen_count(v) <= GEN_COUNT && gen_count(v) > 0;
        for (int k = 0; k < v->type.rank; k++)
            fine = fine && v->type.dims[k];
    }
    if (!fine) {
        gen_discard(n);
        return false;
    }
    for (uint32_t i = 0; i < n->n_outputs; i++)
        vec_push(&g->pool, n->outputs[i]);
    return true;
}

static struct value *gen_op(struct gen *g, const char *op, uint32_t n, struct value *const *in)
{
    struct node *node = gen_node(g, op, n, in);
    return gen_finish(g, node) ? node->outputs[0] : NULL;
}

static struct value *gen_op1(struct gen *g, const char *op, struct value *x)
{
    return x ? gen_op(g, op, 1, &x) : NULL;
}

static struct value *gen_op2(struct gen *g, const char *op, struct value *x, struct value *y)
{
    struct value *in[2] = {x, y};
    return x && y ? gen_op(g, op, 2, in) : NULL;
}
#endif
