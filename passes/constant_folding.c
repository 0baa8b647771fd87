/* What depends on constants only is computed once, by the reference engine.
 *
 * Before:  y = Op(a, b)                    a, b: initializers that cannot be overridden
 * After:   y: initializer
 * When:    the operator is deterministic, has no subgraph, and is no quantizer (folding
 *          DequantizeLinear would undo the quantization of a weight). The model may not grow:
 *          by at most 1 MiB at a node, inputs that go away subtracted; and where folding everything
 *          would add more than 10 % (at least 1 MiB) in all, by at most 4 KiB at a node, so that it
 *          does not depend on the order what is folded, nor on a run before. What a layer takes as
 *          its weight, at once or after more nodes that depend on constants only, is exempt up to
 *          1 GiB: quantizers and NPUs need it as an initializer. So is everything where a quantizer
 *          follows: it would give what is computed from constants a range of its own.
 * Numerics: EXACT by definition of the reference engine. Views share the bytes, large transposes
 *          become recipes.
 */
#include <string.h>

#include "base/bitset.h"
#include "base/mem.h"
#include "base/num.h"
#include "rewrite/rewrite.h"

static const int64_t NODE_GROWTH = (int64_t)1 << 20, WEIGHT_LIMIT = (int64_t)1 << 30;
static const int64_t SMALL_GROWTH = 1 << 12;
static const int64_t RECIPE_BYTES = 1 << 16;        /* transposes from here on are not copied */
static const int64_t MACS_LIMIT = (int64_t)1 << 31; /* about a second of the reference engine */

static bool is_quantizer(const struct node *n)
{
    return strstr(n->op_type, "uantize") != NULL; /* QuantizeLinear, DequantizeLinear, .. */
}

static bool has_data(const struct value *v)
{
    const struct tensor *t = v->constant;
    return value_is_constant(v) && (t->data || t->recipe || t->strings || !t->count);
}

static bool may_fold(const struct node *n)
{
    return n->op && n->op->eval && !n->function && !(n->op->traits & (OP_CONTROL | OP_RANDOM));
}

static bool is_candidate(const struct node *n)
{
    bool any = false;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        if (!n->inputs[i].value)
            continue;
        if (!has_data(n->inputs[i].value))
            return false;
        any = true;
    }
    return any && may_fold(n);
}

/* Bytes of constants that go away together with n. */
static int64_t freed_bytes(const struct node *n)
{
    int64_t bytes = 0;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        if (v && v->n_uses == 1 && !v->is_input)
            bytes += (int64_t)v->constant->bytes;
    }
    return bytes;
}

/* Operand slots that must be constant for a layer to be a layer. */
static bool wants_constant(const struct use *u)
{
    static const struct {
        const char *op;
        unsigned slots; /* bit i: input i */
    } TABLE[] = {
        {"Conv", 6},
        {"ConvTranspose", 6},
        {"ConvInteger", 2},
        {"Gemm", 6},
        {"MatMul", 2},
        {"MatMulInteger", 2},
        {"LSTM", 14},
        {"GRU", 14},
        {"RNN", 14},
        {"PRelu", 2},
        {"BatchNormalization", 30},
        {"LayerNormalization", 6},
        {"DeformConv", 10},
        {"QLinearConv", 8},
        {"InstanceNormalization", 6},
    };
    for (size_t i = 0; u->node && i < sizeof TABLE / sizeof TABLE[0]; i++)
        if (node_is(u->node, TABLE[i].op))
            return u->index < 32 && TABLE[i].slots >> u->index & 1;
    return false;
}

enum { REGION = 32 }; /* nodes between a constant and the layers that take it */

struct region { /* what would be computed next, in the order in which it was found */
    const struct node *nodes[REGION];
    int count;
};

static bool within(const struct region *g, const struct node *n)
{
    for (int i = 0; i < g->count; i++)
        if (g->nodes[i] == n)
            return true;
    return false;
}

static bool join(struct region *g, const struct node *n)
{
    if (within(g, n))
        return true;
    if (g->count == REGION)
        return false;
    g->nodes[g->count++] = n;
    return true;
}

/* Every reader of n's results wants a constant, or joins the region. */
static bool readers_join(struct region *g, const struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        if (n->outputs[i] && !n->outputs[i]->uses)
            return false;
        for (const struct use *u = n->outputs[i] ? n->outputs[i]->uses : NULL; u; u = u->next)
            if (!u->node || (!wants_constant(u) && !join(g, u->node)))
                return false;
    }
    return true;
}

/* Whatever n reads is constant, or joins the region. */
static bool producers_join(struct region *g, const struct node *n)
{
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        if (v && !has_data(v) && !(v->producer && join(g, v->producer)))
            return false;
    }
    return true;
}

/* n and all that hangs together with it comes from constants and ends in weights. */
static bool becomes_weight(const struct node *n)
{
    struct region g = {.nodes = {n}, .count = 1};
    for (int i = 0; i < g.count; i++)
        if (!may_fold(g.nodes[i]) || is_quantizer(g.nodes[i]) || !readers_join(&g, g.nodes[i]) ||
            !producers_join(&g, g.nodes[i]))
            return false;
    return true;
}

/* ---- what folding everything would add ---- */

struct tally {
    struct bitset folded; /* value ids */
    int64_t growth;
};

struct budget {
    int counted; /* 1 + the sweep it was counted in; 0: not yet */
    bool tight;
};

static int64_t bytes_of(const struct value *v)
{
    int64_t dims[64], count;
    size_t bytes;
    int rank;
    if (v->constant)
        return (int64_t)v->constant->bytes;
    return value_static_dims(v, dims, 64, &rank) && num_product(dims, rank, &count) &&
                   dtype_bytes(value_dtype(v), count, &bytes)
               ? (int64_t)bytes
               : 0;
}

static void tally_node(struct tally *t, const struct node *n)
{
    int64_t growth = 0;
    bool any = false;
    if (!may_fold(n) || is_quantizer(n))
        return;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = n->inputs[i].value;
        if (v && !has_data(v) && !bitset_has(&t->folded, v->id))
            return;
        any = any || v;
        growth -= v && v->n_uses == 1 && !v->is_input ? bytes_of(v) : 0;
    }
    for (uint32_t i = 0; i < n->n_outputs; i++)
        growth += n->outputs[i] ? bytes_of(n->outputs[i]) : 0;
    bool weight = growth > 0 && becomes_weight(n);
    if (!any || growth > (weight ? WEIGHT_LIMIT : NODE_GROWTH))
        return;
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i])
            bitset_add(&t->folded, n->outputs[i]->id);
    t->growth += weight ? 0 : growth;
}

static void tally_graph(struct tally *t, const struct graph *g)
{
    graph_each_node(n, g)
    {
        tally_node(t, n);
        for (uint32_t i = 0; i < n->n_attrs; i++)
            if (n->attrs[i]->type == ATTR_GRAPH && n->attrs[i]->graph)
                tally_graph(t, n->attrs[i]->graph);
    }
}

static void count_budget(struct budget *b, const struct model *m)
{
    struct tally t = {.folded = bitset_new(m->n_values)};
    int64_t bytes = 0;
    for (size_t i = 0; i < m->values.count; i++) {
        const struct value *v = m->values.data[i];
        bytes += v->constant && !v->removed ? (int64_t)v->constant->bytes : 0;
    }
    tally_graph(&t, m->graph);
    b->tight = t.growth > (bytes / 10 > NODE_GROWTH ? bytes / 10 : NODE_GROWTH);
    bitset_release(&t.folded);
}

/* ---- folding ---- */

/* The output as a view or a recipe over the only large input; NULL: compute it. */
static struct tensor *without_copy(const struct node *n)
{
    const struct tensor *t = constant_of(node_input(n, 0));
    struct model *m = n->graph->model;
    int64_t dims[64];
    int rank;
    if (!t || !t->count || n->n_outputs != 1 || !n->outputs[0] || t->rank > 64)
        return NULL;
    if (n->op->traits & OP_VIEW && !t->recipe && value_static_dims(n->outputs[0], dims, 64, &rank))
        return tensor_reshaped(m, t, rank, dims);
    const int64_t *perm;
    uint32_t count;
    if (!node_is(n, "Transpose") || (int64_t)t->bytes < RECIPE_BYTES ||
        !node_ints(n, "perm", &perm, &count) || count != (uint32_t)t->rank)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        if (perm[i] < 0 || perm[i] >= t->rank)
            return NULL;
    return recipe_transpose(m, t, perm);
}

static void apply(struct pass_run *r, struct node *n, struct tensor **out)
{
    pass_rewrote(r, n, "%s of constants was computed", n->op_type);
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i])
            value_become_constant(n->outputs[i], out[i]);
    rewrite_drop(n);
}

/* op_fold, quietly: what it says; a reason in *why where it fails. */
static int try_fold(struct pass_run *r, struct node *n, struct tensor **out, int64_t limit)
{
    struct ctx quiet = *pass_ctx(r);
    quiet.diag = diag_new(NULL, NULL);
    const struct tensor **in = mem_alloc((n->n_inputs + 1u) * sizeof *in);
    for (uint32_t i = 0; i < n->n_inputs; i++)
        in[i] = n->inputs[i].value ? n->inputs[i].value->constant : NULL;
    int rc = op_fold(n, in, out, n->graph->model->arena, (size_t)limit, &quiet);
    if (rc < 0)
        pass_refused(r, n, "computing it fails: %s", diag_at(quiet.diag, 0)->message);
    mem_free(in);
    diag_free(quiet.diag);
    return rc;
}

/* true: out is filled. Else it was refused. */
static bool compute(struct pass_run *r, struct node *n, struct tensor **out, int64_t limit)
{
    int rc = try_fold(r, n, out, limit);
    if (rc > 0 && becomes_weight(n))
        rc = try_fold(r, n, out, WEIGHT_LIMIT);
    if (rc > 0)
        pass_refused(r, n, "its result would make the model grow by more than allowed");
    return rc == 0;
}

static bool outputs_done(const struct node *n, struct tensor *const *out)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] && !out[i])
            return false;
    return true;
}

int visit_constant_folding(struct pass_run *r, struct node *n)
{
    int64_t macs = 0;
    if (!is_candidate(n))
        return 0;
    if (is_quantizer(n)) {
        pass_refused(r, n, "it carries the quantization of a constant");
        return 0;
    }
    if (n->op->macs && n->op->macs(n, &macs) == 0 && macs > MACS_LIMIT) {
        pass_refused(r, n, "computing it takes too long");
        return 0;
    }
    struct tensor *view = without_copy(n);
    if (view) {
        apply(r, n, &view);
        return 0;
    }
    struct budget *b = pass_state(r, sizeof *b);
    if (b->counted != pass_sweep(r) + 1)
        count_budget(b, n->graph->model);
    b->counted = pass_sweep(r) + 1;
    int64_t growth = pass_plan(r)->quantizes ? WEIGHT_LIMIT : b->tight ? SMALL_GROWTH : NODE_GROWTH;
    struct tensor **out = mem_alloc((n->n_outputs + 1u) * sizeof *out);
    if (compute(r, n, out, freed_bytes(n) + growth) && outputs_done(n, out))
        apply(r, n, out);
    mem_free(out);
    return 0;
}
