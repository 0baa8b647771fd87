/* Random graphs: what exporters write for operators that a standard has in one piece, spelled in
 * their several ways, and now and then with one thing about it that makes it something else: another
 * constant, another axis, a second reader in the middle. A rewrite that takes those too is wrong.
 */
#ifndef TESTS_GRAPH_GEN_PATTERNS_H
#define TESTS_GRAPH_GEN_PATTERNS_H
#include "graph_gen_core.h"

/* The number itself, or rarely another one. */
static struct value *gen_number(struct gen *g, double x)
{
    return gen_scalar(g, (double)(float)(gen_chance(g, 8) ? x * 1.25 : x));
}

/* x op y in either order: for operators that commute. */
static struct value *gen_either(struct gen *g, const char *op, struct value *x, struct value *y)
{
    return gen_chance(g, 50) ? gen_op2(g, op, x, y) : gen_op2(g, op, y, x);
}

/* Sometimes somebody else reads the middle of a pattern. */
static struct value *gen_leak(struct gen *g, struct value *v)
{
    if (v && gen_chance(g, 8))
        gen_op1(g, "Neg", v);
    return v;
}

static struct value *gen_mean(struct gen *g, struct value *x, int64_t axis)
{
    struct node *n = x ? gen_node(g, "ReduceMean", 1, &x) : NULL;
    if (!n)
        return NULL;
    gen_axes(g, n, &axis, 1);
    if (gen_chance(g, 10))
        node_set_int(n, "keepdims", 0);
    return gen_finish(g, n) ? n->outputs[0] : NULL;
}

static struct value *gen_last_weight(struct gen *g, struct value *x)
{
    int64_t dims[GEN_RANK + 1], one = 1;
    int rank = gen_dims(x, dims);
    return gen_weight(g, 1, rank && dims[rank - 1] > 0 ? dims + rank - 1 : &one, 0.25, 2);
}

/* The sum of squares' mean, by Pow, by Mul with itself. */
static struct value *gen_square(struct gen *g, struct value *x)
{
    return gen_chance(g, 50) ? gen_op2(g, "Mul", x, x)
                             : gen_op2(g, "Pow", x, gen_scalar(g, gen_chance(g, 8) ? 3 : 2));
}

static struct value *gen_over_root(struct gen *g, struct value *x, struct value *variance)
{
    struct value *sum = gen_either(g, "Add", variance, variance ? gen_scalar(g, 1e-5) : NULL);
    struct value *root = gen_leak(g, gen_op1(g, "Sqrt", sum));
    if (gen_chance(g, 60))
        return gen_op2(g, "Div", x, root);
    return gen_either(g, "Mul", x, gen_op1(g, "Reciprocal", root));
}

static void gen_layer_norm(struct gen *g) /* x - mean, squared, mean, root, scale, shift */
{
    struct value *x = gen_pick(g, g->real, 2, GEN_RANK);
    int64_t axis = gen_chance(g, 90) || !x ? -1 : x->type.rank - 2;
    if (!x)
        return;
    struct value *centred = gen_op2(g, "Sub", x, gen_leak(g, gen_mean(g, x, axis)));
    struct value *square = centred ? gen_square(g, centred) : NULL;
    struct value *y = gen_over_root(g, centred, gen_mean(g, square, axis));
    if (y && gen_chance(g, 80))
        y = gen_either(g, "Mul", y, gen_last_weight(g, y));
    if (y && gen_chance(g, 80))
        gen_either(g, "Add", y, gen_last_weight(g, y));
}

static void gen_rms_norm(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 2, GEN_RANK);
    struct value *square = x ? gen_square(g, x) : NULL;
    struct value *y = gen_over_root(g, x, gen_leak(g, gen_mean(g, square, -1)));
    if (y && gen_chance(g, 80))
        gen_either(g, "Mul", y, gen_last_weight(g, y));
}

static void gen_gelu(struct gen *g) /* 0.5 x (1 + erf(x / sqrt 2)), or with tanh */
{
    struct value *x = gen_pick(g, g->real, 1, GEN_RANK), *inner;
    if (!x)
        return;
    if (gen_chance(g, 60)) {
        inner = gen_chance(g, 50) ? gen_op2(g, "Div", x, gen_number(g, sqrt(2)))
                                  : gen_either(g, "Mul", x, gen_number(g, sqrt(0.5)));
        inner = gen_op1(g, "Erf", inner);
    } else {
        struct value *cube = gen_op2(g, "Pow", x, gen_number(g, 3));
        inner = gen_either(g, "Add", x, gen_either(g, "Mul", cube, gen_number(g, 0.044715)));
        /* sqrt(2 / pi) */
        inner = gen_op1(g, "Tanh", gen_either(g, "Mul", inner, gen_number(g, 0.7978845608)));
    }
    struct value *sum = gen_leak(g, gen_either(g, "Add", inner, gen_number(g, 1)));
    if (gen_chance(g, 50))
        gen_either(g, "Mul", gen_either(g, "Mul", x, sum), gen_number(g, 0.5));
    else
        gen_either(g, "Mul", gen_either(g, "Mul", x, gen_number(g, 0.5)), sum);
}

static void gen_gates(struct gen *g) /* Silu, HardSwish, Mish, Softplus, ReLU6 in pieces */
{
    struct value *x = gen_pick(g, g->real, 0, GEN_RANK), *y;
    int kind = gen_below(g, 5);
    if (!x)
        return;
    if (kind == 0) {
        gen_either(g, "Mul", x, gen_leak(g, gen_op1(g, "Sigmoid", x)));
    } else if (kind == 1) { /* x * clip(x + 3, 0, 6) / 6 */
        struct value *in[3] = {gen_op2(g, "Add", x, gen_number(g, 3)), gen_number(g, 0),
                               gen_number(g, 6)};
        y = in[0] ? gen_op(g, "Clip", 3, in) : NULL;
        y = gen_chance(g, 50) ? gen_op2(g, "Div", y, gen_number(g, 6))
                              : gen_op2(g, "Mul", y, gen_number(g, 1.0 / 6));
        gen_either(g, "Mul", x, gen_leak(g, y));
    } else if (kind == 2) {
        y = gen_op1(g, "Softplus", x);
        gen_either(g, "Mul", x, gen_op1(g, "Tanh", gen_leak(g, y)));
    } else if (kind == 3) {
        gen_op1(g, "Log", gen_either(g, "Add", gen_op1(g, "Exp", x), gen_number(g, 1)));
    } else {
        gen_op2(g, "Min", gen_op2(g, "Max", x, gen_number(g, 0)), gen_number(g, 6));
    }
}

static void gen_unit_length(struct gen *g) /* x / ||x|| */
{
    struct value *x = gen_pick(g, g->real, 1, GEN_RANK);
    int64_t axis = -1;
    if (!x)
        return;
    struct node *n = gen_node(g, "ReduceL2", 1, &x);
    gen_axes(g, n, &axis, 1);
    if (!gen_finish(g, n))
        return;
    struct value *norm = n->outputs[0];
    if (gen_chance(g, 70))
        norm = gen_op2(g, "Max", norm, gen_number(g, 1e-3));
    gen_op2(g, "Div", x, norm);
}

/* softmax(q k^T * scale + mask) v over rank 3 or 4, all from one value. */
static void gen_attention(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 3, 4);
    int64_t perm[4] = {0, 1, 2, 3}, d[GEN_RANK + 1], w[2];
    if (!x || !gen_static(x))
        return;
    int rank = gen_dims(x, d);
    w[0] = w[1] = d[rank - 1];
    struct value *q = gen_op2(g, "MatMul", x, gen_weight(g, 2, w, -1, 1));
    struct value *k = gen_chance(g, 50) ? x : gen_op2(g, "MatMul", x, gen_weight(g, 2, w, -1, 1));
    if (!q || !k)
        return;
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    struct node *n = gen_node(g, "Transpose", 1, &k);
    node_set_ints(n, "perm", perm, (uint32_t)rank);
    struct value *s = gen_finish(g, n) ? gen_op2(g, "MatMul", q, n->outputs[0]) : NULL;
    if (s && gen_chance(g, 80))
        s = gen_op2(g, gen_chance(g, 50) ? "Mul" : "Div", s, gen_scalar(g, 1.5));
    if (s && gen_chance(g, 40)) {
        int64_t m[2] = {d[rank - 2], d[rank - 2]};
        s = gen_either(g, "Add", s, gen_weight(g, 2, m, -1, 1));
    }
    if (!s)
        return;
    n = gen_node(g, "Softmax", 1, &s);
    node_set_int(n, "axis", gen_chance(g, 90) ? -1 : 1);
    if (gen_finish(g, n))
        gen_op2(g, "MatMul", gen_leak(g, n->outputs[0]), gen_chance(g, 50) ? x : k);
}

/* Depth to space as Reshape, Transpose, Reshape; also with an order that is none. */
static void gen_shuffle(struct gen *g)
{
    static const int64_t PERMS[3][6] = {{0, 1, 4, 2, 5, 3}, {0, 3, 4, 1, 5, 2}, {0, 2, 4, 1, 5, 3}};
    struct value *x = gen_pick(g, g->real, 4, 4);
    int64_t d[GEN_RANK + 1], to[4], six[6];
    int kind = gen_below(g, 3);
    if (!x || !gen_static(x))
        return;
    gen_dims(x, d);
    if (d[1] % 4)
        return;
    int64_t c = d[1] / 4, crd[6] = {d[0], c, 2, 2, d[2], d[3]},
            dcr[6] = {d[0], 2, 2, c, d[2], d[3]};
    memcpy(six, kind == 1 ? dcr : crd, sizeof six);
    to[0] = d[0];
    to[1] = c;
    to[2] = 2 * d[2];
    to[3] = 2 * d[3];
    struct node *r = gen_node(g, "Reshape", 2, (struct value *[]){x, gen_ints(g, six, 6)});
    struct value *y = node_add_output(r, 0, "six"); /* beyond the pool's rank */
    dim_t dims[6];
    for (int i = 0; i < 6; i++)
        dims[i] = dim_const(g->m->dims, six[i]);
    value_set_type(y, &(struct type){TYPE_TENSOR, g->real, 6, dims, NULL});
    r = gen_node(g, "Transpose", 1, &y);
    node_set_ints(r, "perm", PERMS[kind], 6);
    struct value *z = node_add_output(r, 0, "turned");
    for (int i = 0; i < 6; i++)
        dims[i] = dim_const(g->m->dims, six[PERMS[kind][i]]);
    value_set_type(z, &(struct type){TYPE_TENSOR, g->real, 6, dims, NULL});
    gen_op2(g, "Reshape", z, gen_ints(g, to, 4));
}

static void gen_pattern(struct gen *g)
{
    static void (*const PATTERNS[])(struct gen *) = {
        gen_layer_norm, gen_layer_norm, gen_rms_norm,  gen_gelu,    gen_gelu,
        gen_gates,      gen_gates,      gen_attention, gen_shuffle, gen_unit_length,
    };
    PATTERNS[gen_below(g, sizeof PATTERNS / sizeof PATTERNS[0])](g);
}
#endif
