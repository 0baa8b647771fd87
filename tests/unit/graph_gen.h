/* Random graphs for property tests: everything a pass may meet. Subgraphs that capture, shared
 * weights, graph outputs in the middle, overridable initializers, unknown operators, symbolic batch,
 * and the patterns that passes look for.
 *
 * The same seed gives the same graph in float and in double, so that the double one tells how exact
 * the float results are. All tensors stay small.
 */
#ifndef TESTS_GRAPH_GEN_H
#define TESTS_GRAPH_GEN_H
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
    enum dtype real;             /* DT_FLOAT or DT_DOUBLE */
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

/* ---- one step each ---- */

static void gen_unary(struct gen *g)
{
    static const char *const OPS[] = {"Relu",      "Neg",   "Abs",     "Sigmoid",  "Tanh",
                                      "Identity",  "Floor", "Dropout", "Erf",      "Softsign",
                                      "HardSwish", "Ceil",  "Relu",    "Identity", "Neg",
                                      "LeakyRelu", "Sign",  "Round"};
    gen_op1(g, OPS[gen_below(g, sizeof OPS / sizeof OPS[0])], gen_pick(g, g->real, 0, GEN_RANK));
}

static void gen_binary(struct gen *g)
{
    static const char *const OPS[] = {"Add", "Sub", "Mul", "Add", "Mul", "Max", "Min", "Div"};
    struct value *x = gen_pick(g, g->real, 0, GEN_RANK), *y = NULL;
    const char *op = OPS[gen_below(g, 8)];
    int64_t dims[GEN_RANK + 1];
    if (!x)
        return;
    int rank = gen_dims(x, dims), skip = rank ? gen_below(g, rank + 1) : 0;
    for (int i = 0; i < rank; i++)
        dims[i] = dims[i] < 0 || gen_chance(g, 30) ? 1 : dims[i];
    if (gen_chance(g, 40))
        y = gen_pick(g, g->real, 0, GEN_RANK);
    else
        y = gen_weight(g, rank - skip, dims + skip, strcmp(op, "Div") ? -1 : 0.5, 1.5);
    if (strcmp(op, "Div") && gen_chance(g, 50))
        gen_op2(g, op, y, x);
    else
        gen_op2(g, op, x, y);
}

static void gen_cast(struct gen *g)
{
    static const int TO[] = {1, 11, 10, 6, 7, 9, 3, 2};
    static const enum dtype FROM[] = {DT_FLOAT, DT_DOUBLE, DT_INT64, DT_INT32, DT_BOOL, DT_INT8};
    struct value *x = gen_pick(g, gen_chance(g, 50) ? g->real : FROM[gen_below(g, 6)], 0, GEN_RANK);
    for (int again = 0; x && again < 2; again++) {
        struct node *n = gen_node(g, "Cast", 1, &x);
        int64_t to = TO[gen_below(g, 8)];
        /* the double graph keeps its reals where the float graph has floats */
        node_set_int(n, "to", to == 1 ? (int64_t)g->real : to);
        x = gen_finish(g, n) ? n->outputs[0] : NULL;
    }
}

static void gen_transpose(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 1, GEN_RANK);
    int64_t perm[GEN_RANK], back[GEN_RANK];
    if (!x)
        return;
    int rank = x->type.rank;
    for (int i = 0; i < rank; i++)
        perm[i] = i;
    for (int i = rank - 1; i > 0; i--) {
        int k = gen_below(g, i + 1);
        int64_t kept = perm[i];
        perm[i] = perm[k];
        perm[k] = kept;
    }
    for (int i = 0; i < rank; i++)
        back[perm[i]] = i;
    struct node *n = gen_node(g, "Transpose", 1, &x);
    node_set_ints(n, "perm", perm, (uint32_t)rank);
    if (!gen_finish(g, n) || gen_chance(g, 50))
        return;
    struct value *y = n->outputs[0];
    if (gen_chance(g, 60))
        y = gen_op1(g, "Relu", y);
    if (!y)
        return;
    n = gen_node(g, "Transpose", 1, &y);
    node_set_ints(n, "perm", back, (uint32_t)rank);
    gen_finish(g, n);
}

static void gen_reshape(struct gen *g)
{
    struct value *x = gen_pick(g, gen_chance(g, 80) ? g->real : DT_INT64, 0, GEN_RANK);
    int64_t shape[GEN_RANK], dims[GEN_RANK + 1], n;
    if (!x)
        return;
    int rank = gen_dims(x, dims), out = 0, kind = gen_below(g, 5);
    if (kind == 0 && rank) {
        struct node *f = gen_node(g, "Flatten", 1, &x);
        node_set_int(f, "axis", gen_below(g, rank));
        gen_finish(g, f);
        return;
    }
    if (kind <= 2) {
        int64_t axis = gen_below(g, rank + 1);
        gen_op2(g, kind == 1 ? "Unsqueeze" : "Squeeze", x, gen_ints(g, &axis, 1));
        return;
    }
    if (gen_static(x)) {
        n = gen_count(x);
        for (int64_t f = 2; out < 3 && n > 1; f++)
            for (; n % f == 0 && out < 3; n /= f)
                shape[out++] = f;
        shape[out++] = gen_chance(g, 50) ? -1 : n;
    } else {
        for (int i = 0; i < rank; i++)
            shape[out++] = 0;
        if (rank == GEN_RANK)
            return;
        shape[out++] = 1;
    }
    gen_op2(g, "Reshape", x, gen_ints(g, shape, out));
}

/* Shape -> Gather -> Concat -> Reshape, as exporters write it. */
static void gen_shape_arithmetic(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 2, GEN_RANK);
    int64_t zero = 0, minus = -1;
    if (!x)
        return;
    struct value *s = gen_op1(g, "Shape", x);
    struct value *first = s ? gen_op2(g, "Gather", s, gen_ints(g, &zero, 1)) : NULL;
    if (!first)
        return;
    struct value *in[2] = {first, gen_ints(g, &minus, 1)};
    struct node *n = gen_node(g, "Concat", 2, in);
    node_set_int(n, "axis", 0);
    if (gen_finish(g, n))
        gen_op2(g, "Reshape", x, n->outputs[0]);
}

static void gen_slice(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 1, GEN_RANK);
    for (int again = 0; x && again < 2; again++) {
        int64_t axis = gen_below(g, x->type.rank), size, step = gen_chance(g, 70) ? 1 : 2;
        if (!dim_is_const(x->type.dims[axis], &size))
            return;
        int64_t begin = gen_chance(g, 40) ? 0 : gen_below(g, (int)size),
                end = gen_chance(g, 40) ? INT64_MAX : begin + 1 + gen_below(g, (int)size);
        struct value *in[5] = {x, gen_ints(g, &begin, 1), gen_ints(g, &end, 1),
                               gen_ints(g, &axis, 1), gen_ints(g, &step, 1)};
        x = gen_op(g, "Slice", gen_chance(g, 50) ? 5 : 4, in);
    }
}

static void gen_pad(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 1, GEN_RANK);
    for (int again = 0; x && again < 2; again++) {
        int64_t pads[2 * GEN_RANK] = {0};
        int rank = x->type.rank;
        for (int i = 0; i < 2 * rank; i++)
            pads[i] = i % rank >= rank - 2 ? gen_below(g, 3) : 0;
        struct value *in[3] = {x, gen_ints(g, pads, 2 * rank),
                               gen_scalar(g, gen_chance(g, 70) ? 0 : 1)};
        x = gen_op(g, "Pad", gen_chance(g, 50) ? 2 : 3, in);
    }
}

static void gen_join(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 1, GEN_RANK);
    for (int again = 0; x && again < 2; again++) {
        struct value *other = gen_pick(g, g->real, x->type.rank, x->type.rank);
        struct value *in[3] = {x, gen_chance(g, 50) && other ? other : x, x};
        struct node *n = gen_node(g, "Concat", 1 + (uint32_t)gen_below(g, 3), in);
        node_set_int(n, "axis",
                     gen_below(g, x->type.rank) - (gen_chance(g, 30) ? x->type.rank : 0));
        x = gen_finish(g, n) ? n->outputs[0] : NULL;
    }
}

static void gen_split(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 1, GEN_RANK);
    int64_t size, parts[2];
    if (!x)
        return;
    int axis = gen_below(g, x->type.rank);
    if (!dim_is_const(x->type.dims[axis], &size) || size < 2)
        return;
    parts[0] = 1 + gen_below(g, (int)size - 1);
    parts[1] = size - parts[0];
    struct value *in[2] = {x, gen_ints(g, parts, 2)};
    struct node *n = node_new(g->g, "Split", "", 2, 2);
    n->op = op_find("", "Split");
    node_set_input(n, 0, in[0]);
    node_set_input(n, 1, in[1]);
    node_set_int(n, "axis", axis);
    node_append(n);
    if (gen_finish(g, n) && gen_chance(g, 40)) {
        struct node *c = gen_node(g, "Concat", 2, n->outputs);
        node_set_int(c, "axis", axis);
        gen_finish(g, c);
    }
}

static void gen_reduce(struct gen *g)
{
    static const char *const OPS[] = {"ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2"};
    struct value *x = gen_pick(g, g->real, 1, GEN_RANK);
    if (!x)
        return;
    int64_t axes[2] = {x->type.rank - 1, x->type.rank - 2};
    struct node *n = gen_node(g, OPS[gen_below(g, 4)], 1, &x);
    if (gen_chance(g, 80))
        node_set_ints(n, "axes", axes, x->type.rank > 1 ? 1 + (uint32_t)gen_below(g, 2) : 1);
    node_set_int(n, "keepdims", gen_below(g, 2));
    gen_finish(g, n);
}

static void gen_softmax(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 1, GEN_RANK);
    if (!x)
        return;
    struct node *n = gen_node(g, "Softmax", 1, &x);
    node_set_int(n, "axis", gen_chance(g, 70) ? -1 : gen_below(g, x->type.rank));
    gen_finish(g, n);
}

/* The reference engine has no BatchNormalization in double: written out, for the truth. */
static struct value *gen_written_out(struct gen *g, struct value *const *in, double epsilon)
{
    int64_t dims[GEN_RANK] = {1, in[1]->constant->count, 1, 1, 1};
    struct value *x = in[0];
    for (int step = 0; step < 2; step++) {
        struct tensor *t = tensor_new(g->m->arena, g->real, in[0]->type.rank, dims);
        for (int64_t i = 0; i < t->count; i++) {
            double s =
                tensor_get(in[1]->constant, i) / sqrt(tensor_get(in[4]->constant, i) + epsilon);
            double shift = tensor_get(in[2]->constant, i) - tensor_get(in[3]->constant, i) * s;
            num_set(tensor_writable(t), g->real, i, step ? shift : s);
        }
        struct value *operands[2] = {x, gen_tensor(g, t)};
        struct node *n = gen_node(g, step ? "Add" : "Mul", 2, operands);
        x = gen_finish(g, n) ? n->outputs[0] : NULL;
        if (x && !step)
            g->pool.count--;
    }
    return x;
}

/* gamma, beta, mean, var after x (channels on axis 1). */
static struct value *gen_batchnorm(struct gen *g, struct value *x)
{
    int64_t dims[GEN_RANK + 1];
    if (!x || x->type.rank < 2)
        return NULL;
    gen_dims(x, dims);
    if (dims[1] < 1)
        return NULL;
    struct value *in[5] = {x, gen_weight(g, 1, dims + 1, -1, 1), gen_weight(g, 1, dims + 1, -1, 1),
                           gen_weight(g, 1, dims + 1, -1, 1), gen_weight(g, 1, dims + 1, 0.25, 2)};
    float epsilon = gen_chance(g, 30) ? 1e-3f : 1e-5f;
    if (g->real == DT_DOUBLE) {
        (void)gen_chance(g, 70); /* as gen_node does for its name */
        struct gen kept = *g;
        struct value *y = gen_written_out(g, in, (double)epsilon);
        g->state = kept.state;
        return y;
    }
    struct node *n = gen_node(g, "BatchNormalization", 5, in);
    node_set_float(n, "epsilon", epsilon);
    return gen_finish(g, n) ? n->outputs[0] : NULL;
}

static struct value *gen_images(struct gen *g, int64_t *dims)
{
    struct value *x = gen_pick(g, g->real, 4, 4);
    if (!x || !gen_static(x))
        return NULL;
    gen_dims(x, dims);
    return x;
}

/* What may follow a linear layer and be folded into it. */
static void gen_after_layer(struct gen *g, struct value *y, int channel_axis)
{
    int64_t dims[GEN_RANK + 1];
    if (!y)
        return;
    if (gen_chance(g, 60)) {
        gen_batchnorm(g, y);
        return;
    }
    int rank = gen_dims(y, dims);
    for (int i = 0; i < rank; i++)
        dims[i] = i == channel_axis && gen_chance(g, 80) ? dims[i] : 1;
    static const char *const OPS[] = {"Add", "Mul", "Sub", "Div"};
    int op = gen_below(g, 4);
    struct value *w = gen_weight(g, rank, dims, op == 3 ? 0.5 : -1, op == 3 ? 2 : 1);
    if (op < 2 && gen_chance(g, 50))
        gen_op2(g, OPS[op], w, y);
    else
        gen_op2(g, OPS[op], y, w);
}

static void gen_conv(struct gen *g)
{
    int64_t d[GEN_RANK + 1], w[4], pads[4];
    struct value *x = gen_images(g, d);
    if (!x)
        return;
    if (gen_chance(g, 25))
        x = gen_batchnorm(g, x);
    if (gen_chance(g, 25)) {
        int64_t p[8] = {0, 0, gen_below(g, 2), 1, 0, 0, 1, gen_below(g, 2)};
        x = gen_op2(g, "Pad", x, gen_ints(g, p, 8));
    }
    if (!x)
        return;
    bool transposed = gen_chance(g, 25), depthwise = gen_chance(g, 30);
    int64_t group = depthwise ? d[1] : 1, out = depthwise ? d[1] : 1 + gen_below(g, 4);
    w[0] = transposed ? d[1] : out;
    w[1] = transposed ? out / group : d[1] / group;
    w[2] = w[3] = 1 + gen_below(g, 2);
    struct value *in[3] = {x, gen_weight(g, 4, w, -1, 1), gen_weight(g, 1, &out, -1, 1)};
    struct node *n =
        gen_node(g, transposed ? "ConvTranspose" : "Conv", gen_chance(g, 50) ? 2 : 3, in);
    node_set_int(n, "group", group);
    for (int i = 0; i < 4; i++)
        pads[i] = gen_chance(g, 60) ? 0 : gen_below(g, (int)w[2]);
    if (gen_chance(g, 60))
        node_set_ints(n, "pads", pads, 4);
    if (gen_finish(g, n))
        gen_after_layer(g, n->outputs[0], 1);
}

static void gen_pool(struct gen *g)
{
    int64_t d[GEN_RANK + 1], kernel[2] = {2, 2}, pads[4] = {0, 1, 1, 0};
    struct value *x = gen_images(g, d);
    if (!x)
        return;
    if (gen_chance(g, 20)) {
        gen_op1(g, "GlobalAveragePool", x);
        return;
    }
    bool max = gen_chance(g, 50);
    struct node *n =
        node_new(g->g, max ? "MaxPool" : "AveragePool", "", 1, max && gen_chance(g, 30) ? 2 : 1);
    n->op = op_find("", n->op_type);
    node_set_input(n, 0, x);
    node_set_ints(n, "kernel_shape", kernel, 2);
    if (gen_chance(g, 40))
        node_set_ints(n, "pads", pads, 4);
    if (!max && gen_chance(g, 50))
        node_set_int(n, "count_include_pad", 1);
    node_append(n);
    gen_finish(g, n);
}

static void gen_gemm(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 2, 3);
    int64_t d[GEN_RANK + 1], w[2];
    if (!x)
        return;
    int rank = gen_dims(x, d);
    int64_t k = d[rank - 1], n_out = 1 + gen_below(g, 5);
    if (k < 1)
        return;
    bool gemm = rank == 2 && gen_chance(g, 60), turned = gemm && gen_chance(g, 50);
    w[0] = turned ? n_out : k;
    w[1] = turned ? k : n_out;
    struct value *in[3] = {x, gen_weight(g, 2, w, -1, 1), gen_weight(g, 1, &n_out, -1, 1)};
    struct node *n = gen_node(g, gemm ? "Gemm" : "MatMul", gemm && gen_chance(g, 60) ? 3 : 2, in);
    if (turned)
        node_set_int(n, "transB", 1);
    if (gemm && gen_chance(g, 30))
        node_set_float(n, gen_chance(g, 50) ? "alpha" : "beta", 0.5f);
    if (!gen_finish(g, n))
        return;
    if (!gemm && gen_chance(g, 60))
        gen_op2(g, "Add", n->outputs[0], gen_weight(g, 1, &n_out, -1, 1));
    else
        gen_after_layer(g, n->outputs[0], rank - 1);
}

static void gen_clip(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 0, GEN_RANK);
    struct value *in[3] = {x, gen_chance(g, 70) ? gen_scalar(g, 0) : NULL,
                           gen_chance(g, 70) ? gen_scalar(g, 0.75) : NULL};
    if (x)
        gen_op(g, "Clip", 3, in);
}

static void gen_expand(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 1, GEN_RANK);
    int64_t shape[GEN_RANK];
    if (!x)
        return;
    for (int i = 0; i < x->type.rank; i++)
        shape[i] = gen_chance(g, 75) ? 1 : 2;
    gen_op2(g, gen_chance(g, 50) ? "Expand" : "Tile", x, gen_ints(g, shape, x->type.rank));
}

static void gen_compare(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 0, GEN_RANK);
    struct value *c = x ? gen_op2(g, "Less", x, gen_scalar(g, 0)) : NULL;
    if (c && gen_chance(g, 40))
        c = gen_op1(g, "Not", c);
    if (c && gen_chance(g, 40))
        c = gen_op1(g, "Not", c);
    if (!c)
        return;
    struct value *in[3] = {c, x, gen_scalar(g, 1)};
    gen_op(g, "Where", 3, in);
}

static void gen_fold(struct gen *g) /* arithmetic on constants */
{
    int64_t dims[2] = {1 + gen_below(g, 3), 2};
    struct value *a = gen_weight(g, 2, dims, -1, 1), *b = gen_weight(g, 2, dims, -1, 1);
    struct value *c = gen_op2(g, gen_chance(g, 50) ? "Add" : "Mul", a, b);
    if (c && gen_chance(g, 50))
        gen_op1(g, "Relu", c);
}

static void gen_unknown(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 0, GEN_RANK);
    if (!x || g->depth)
        return;
    struct node *n = node_new(g->g, "Mystery", "example.unknown", 1, 1);
    char name[32];
    snprintf(name, sizeof name, "mystery%d", g->unknown++);
    node_set_name(n, name);
    node_set_input(n, 0, x);
    node_append(n);
    snprintf(name, sizeof name, "v%d", g->names++);
    struct value *v = node_add_output(n, 0, name);
    value_set_type(v, &x->type);
    vec_push(&g->pool, v);
}

static void gen_repeat(struct gen *g) /* a node once more: common subexpressions */
{
    struct value *x = gen_pick(g, g->real, 0, GEN_RANK);
    if (!x)
        return;
    struct value *a = gen_op1(g, "Tanh", x), *b = gen_op1(g, "Tanh", x);
    gen_op2(g, "Mul", a, b);
}

static void gen_step(struct gen *g);

/* A branch: captures x and what else the pool holds, and returns something of x's type. */
static struct graph *gen_branch(struct gen *g, struct node *n, const char *name, struct value *x)
{
    struct graph *outer = g->g;
    size_t pool = g->pool.count, weights = g->weights.count;
    g->g = graph_new(g->m, n, name);
    g->depth++;
    for (int i = gen_below(g, 5); i > 0; i--)
        gen_step(g);
    struct value *y = gen_op1(g, "Relu", x), *k = gen_scalar(g, 0.5);
    struct value *in[2] = {y, k};
    struct node *last = gen_node(g, "Mul", 2, in);
    gen_finish(g, last);
    graph_add_output(g->g, last->outputs[0]);
    struct graph *made = g->g;
    g->g = outer;
    g->depth--;
    g->pool.count = pool;
    g->weights.count = weights;
    return made;
}

static void gen_put_graph(struct node *n, const char *name, struct graph *sub)
{
    struct attr a = {
        .name = intern(n->graph->model->names, name), .type = ATTR_GRAPH, .dirty = true};
    a.graph = sub;
    node_copy_attr(n, &a);
}

static void gen_if(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 0, 4), *c = gen_pick(g, DT_BOOL, 0, 0);
    if (!x || g->depth > 1 || gen_count(x) > GEN_COUNT / 2)
        return;
    if (!c || gen_chance(g, 40))
        c = gen_tensor(g, tensor_scalar(g->m->arena, DT_BOOL, gen_below(g, 2)));
    struct node *n = node_new(g->g, "If", "", 1, 1);
    n->op = op_find("", "If");
    node_set_input(n, 0, c);
    gen_put_graph(n, "then_branch", gen_branch(g, n, "then", x));
    gen_put_graph(n, "else_branch", gen_branch(g, n, "else", x));
    node_append(n);
    char name[32];
    snprintf(name, sizeof name, "v%d", g->names++);
    struct value *v = node_add_output(n, 0, name);
    value_set_type(v, &x->type);
    vec_push(&g->pool, v);
}

static void gen_step(struct gen *g)
{
    static void (*const STEPS[])(struct gen *) = {
        gen_unary,   gen_unary,     gen_binary,    gen_binary,
        gen_cast,    gen_transpose, gen_transpose, gen_reshape,
        gen_reshape, gen_slice,     gen_pad,       gen_join,
        gen_split,   gen_reduce,    gen_conv,      gen_conv,
        gen_gemm,    gen_gemm,      gen_softmax,   gen_clip,
        gen_expand,  gen_compare,   gen_fold,      gen_unknown,
        gen_repeat,  gen_if,        gen_pool,      gen_shape_arithmetic,
        gen_conv,
    };
    STEPS[gen_below(g, sizeof STEPS / sizeof STEPS[0])](g);
}

/* ---- a model ---- */

static void gen_input(struct gen *g, const char *name, enum dtype t, int rank, const int64_t *dims)
{
    dim_t d[GEN_RANK];
    for (int i = 0; i < rank; i++)
        d[i] = dims[i] < 0 ? dim_symbol(g->m->dims, "batch") : dim_const(g->m->dims, dims[i]);
    struct value *v = value_input(g->g, name);
    value_set_type(v, &(struct type){TYPE_TENSOR, t, rank, d, NULL});
    vec_push(&g->pool, v);
}

static void gen_overridable(struct gen *g)
{
    int64_t dims[1] = {3};
    struct value *w = gen_weight(g, 1, dims, -1, 1);
    w->is_input = true;
    vec_push(&g->g->inputs, w);
    vec_push(&g->pool, w);
    g->weights.count = 0;
}

static void gen_outputs(struct gen *g)
{
    int made = 0;
    for (size_t i = 0; i < g->pool.count; i++) {
        struct value *v = g->pool.data[i];
        bool last = i + 1 == g->pool.count && !made;
        if (v->is_input || v->constant || !(last || !v->n_uses || gen_chance(g, 8)))
            continue;
        if (!last && made > 6)
            continue;
        graph_add_output(g->g, v);
        made++;
    }
}

/* Returns owned. Symbolic: one input has a symbolic first dim. */
static struct model *gen_model(struct ctx *ctx, uint64_t seed, enum dtype real)
{
    struct gen g = {.state = seed * 0x9E3779B97F4A7C15u + 1, .real = real};
    int64_t image[4] = {1, 2, 4, 4}, matrix[2] = {3, 4}, batch[3] = {-1, 2, 3};
    g.m = model_new(ctx);
    g.m->ir_version = 8;
    model_set_opset(g.m, "", 17);
    model_set_opset(g.m, "example.unknown", 1);
    g.g = g.m->graph;
    g.quiet = *ctx;
    g.quiet.diag = diag_new(NULL, NULL);
    gen_bits(&g);
    gen_input(&g, "image", real, 4, image);
    gen_input(&g, "matrix", real, 2, matrix);
    gen_input(&g, "batch", real, 3, batch);
    gen_input(&g, "flag", DT_BOOL, 0, NULL);
    if (gen_chance(&g, 40))
        gen_overridable(&g);
    for (int i = 8 + gen_below(&g, 30); i > 0; i--)
        gen_step(&g);
    gen_outputs(&g);
    vec_free(&g.pool);
    vec_free(&g.weights);
    diag_free(g.quiet.diag);
    ops_resolve(g.m);
    return g.m;
}
#endif
