/* Random graphs: steps that move, join and reshape data. */
#ifndef TESTS_GRAPH_GEN_MOVES_H
#define TESTS_GRAPH_GEN_MOVES_H
#include "graph_gen_core.h"

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

#endif
