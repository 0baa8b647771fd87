/* Random graphs: linear layers, pools, and what may be folded into them. */
#ifndef TESTS_GRAPH_GEN_LAYERS_H
#define TESTS_GRAPH_GEN_LAYERS_H
#include "graph_gen_core.h"

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

#endif
