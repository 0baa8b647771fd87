/* Random graphs: element-wise steps, reductions, arithmetic on constants, unknown operators. */
#ifndef TESTS_GRAPH_GEN_ELEMENTS_H
#define TESTS_GRAPH_GEN_ELEMENTS_H
#include "graph_gen_core.h"

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
        node_set_int(n, "to", TO[gen_below(g, 8)]);
        x = gen_finish(g, n) ? n->outputs[0] : NULL;
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
        gen_axes(g, n, axes, x->type.rank > 1 ? 1 + (uint32_t)gen_below(g, 2) : 1);
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

static void gen_clip(struct gen *g)
{
    struct value *x = gen_pick(g, g->real, 0, GEN_RANK);
    struct value *in[3] = {x, gen_chance(g, 70) ? gen_scalar(g, 0) : NULL,
                           gen_chance(g, 70) ? gen_scalar(g, 0.75) : NULL};
    if (x)
        gen_op(g, "Clip", 3, in);
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
#endif
