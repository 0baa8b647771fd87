/* Random graphs for property tests: everything a pass may meet. Subgraphs that capture, shared
 * weights, graph outputs in the middle, overridable initializers, unknown operators, symbolic batch,
 * and the patterns that passes look for, whole and with something wrong about them.
 *
 * The same seed gives the same graph. All tensors stay small.
 */
#ifndef TESTS_GRAPH_GEN_H
#define TESTS_GRAPH_GEN_H
#include "graph_gen_elements.h"
#include "graph_gen_layers.h"
#include "graph_gen_moves.h"
#include "graph_gen_patterns.h"

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
        gen_conv,    gen_pattern,   gen_pattern,   gen_pattern,
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
static struct model *gen_model(struct ctx *ctx, uint64_t seed)
{
    static const int64_t OPSETS[] = {17, 20, 13, 24, 17, 23}; /* 14 brought HardSwish, 20 Gelu .. */
    enum dtype real = DT_FLOAT;
    struct gen g = {.state = seed * 0x9E3779B97F4A7C15u + 1, .real = real};
    int64_t image[4] = {1, 2, 4, 4}, matrix[2] = {3, 4}, batch[3] = {-1, 2, 3};
    g.m = model_new(ctx);
    g.m->ir_version = 10;
    model_set_opset(g.m, "", OPSETS[seed % (sizeof OPSETS / sizeof OPSETS[0])]);
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
