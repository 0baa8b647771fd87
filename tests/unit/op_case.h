/* Random cases of one operator: a model of one node, its inputs filled. The same seed gives the same
 * case. Operands that exporters store stand as initializers mostly, as graph inputs sometimes; dims
 * are declared, or left open so that they are worked out at run time.
 */
#ifndef TESTS_OP_CASE_H
#define TESTS_OP_CASE_H
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "ir/edit.h"
#include "ops/op_impl.h"

enum { CASE_INPUTS = 16, CASE_RANK = 6 };

struct op_case {
    uint64_t state;
    struct model *m;
    struct arena *a;
    struct node *n;
    const struct tensor *in[CASE_INPUTS]; /* by graph input */
    uint32_t n_slots;                     /* of the node, filled so far */
    size_t n_in;
    bool special; /* NaN, infinities, denormals among the numbers */
    bool open;    /* dims of the inputs are not declared */
};

static inline uint64_t case_bits(struct op_case *c) /* SplitMix64 (Steele, Lea, Flood 2014) */
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static inline int64_t case_below(struct op_case *c, int64_t n)
{
    return (int64_t)((case_bits(c) >> 33) % (uint64_t)n);
}
static inline int64_t case_range(struct op_case *c, int64_t low, int64_t high) /* both included */
{
    return low + case_below(c, high - low + 1);
}
static inline bool case_chance(struct op_case *c, int percent)
{
    return case_below(c, 100) < percent;
}
static inline double case_real(struct op_case *c, double low, double high)
{
    return low + (high - low) * (double)(case_bits(c) >> 40) * 0x1p-24;
}
#define CASE_PICK(c, table) ((table)[case_below(c, (int64_t)(sizeof(table) / sizeof((table)[0])))])

/* An extent: mostly small, now and then past the width of a vector, rarely nothing. */
static inline int64_t case_extent(struct op_case *c)
{
    int64_t kind = case_below(c, 100);
    return kind < 2 ? 0 : kind < 20 ? 1 : kind < 85 ? case_range(c, 2, 7) : case_range(c, 8, 35);
}

static inline int case_dims(struct op_case *c, int low, int high, int64_t *dims)
{
    int rank = (int)case_range(c, low, high);
    int64_t count = 1;
    for (int i = 0; i < rank; i++) {
        dims[i] = case_extent(c);
        if (dims[i] && count * dims[i] > 20000)
            dims[i] = 1;
        count *= dims[i] ? dims[i] : 1;
    }
    return rank;
}

/* ---- numbers ---- */

static inline double case_number(struct op_case *c, enum dtype t, double low, double high)
{
    static const double ODD[] = {NAN, INFINITY, -INFINITY, -0.0, 0.0, 0x1p-149, 1, -1};
    if (t == DT_BOOL)
        return (double)case_below(c, 2);
    if (!dtype_is_float(t)) {
        double x = floor(case_real(c, low, high + 1));
        return x < 0 && !dtype_is_signed(t) ? -x : x;
    }
    return c->special && case_chance(c, 6) ? CASE_PICK(c, ODD)
                                           : (double)(float)case_real(c, low, high);
}

static inline struct tensor *case_tensor(struct op_case *c, enum dtype t, int rank,
                                         const int64_t *dims, double low, double high)
{
    struct tensor *x = tensor_new(c->a, t, rank, dims);
    for (int64_t i = 0; i < x->count; i++)
        num_set(tensor_writable(x), t, i, case_number(c, t, low, high));
    return x;
}

/* An element type that slot 0 of the operator takes: float mostly. */
static inline enum dtype case_dtype(struct op_case *c, const char *domain, const char *op)
{
    static const enum dtype ALL[] = {DT_FLOAT16, DT_DOUBLE, DT_BFLOAT16, DT_INT8,
                                     DT_UINT8,   DT_INT16,  DT_INT32,    DT_INT64,
                                     DT_UINT32,  DT_BOOL,   DT_UINT16,   DT_UINT64};
    const struct op *row = op_find(domain, op);
    const struct op_version *v = row ? op_version_at(row, graph_opset(c->m->graph, domain)) : NULL;
    type_set set = v ? signature_set(v, 0, false) : 0;
    if (!set || (set >> DT_FLOAT & 1 && case_chance(c, 65)))
        return DT_FLOAT;
    for (int tries = 0; tries < 40; tries++) {
        enum dtype t = CASE_PICK(c, ALL);
        if (set >> t & 1)
            return t;
    }
    return set >> DT_FLOAT & 1 ? DT_FLOAT : set >> DT_BOOL & 1 ? DT_BOOL : DT_INT32;
}

/* ---- building ---- */

static inline void case_node(struct op_case *c, const char *domain, const char *op, uint32_t n_out)
{
    c->n = node_new(c->m->graph, op, domain, 0, n_out);
    c->n->op = op_find(domain, op);
    node_set_name(c->n, "node");
    node_append(c->n);
}

static inline void case_add(struct op_case *c, const struct tensor *t, int constant_percent)
{
    char name[16];
    snprintf(name, sizeof name, "x%u", c->n_slots);
    node_resize_inputs(c->n, c->n_slots + 1);
    if (!t) {
        node_set_input(c->n, c->n_slots++, NULL);
        return;
    }
    struct value *v;
    if (case_chance(c, constant_percent)) {
        v = value_named(c->m->graph, name);
        value_set_constant(v, arena_copy(c->m->arena, t, sizeof *t));
    } else {
        dim_t dims[TENSOR_MAX_RANK < 64 ? TENSOR_MAX_RANK : 64];
        for (int i = 0; i < t->rank; i++)
            dims[i] = c->open ? NULL : dim_const(c->m->dims, t->dims[i]);
        v = value_input(c->m->graph, name);
        value_set_type(v, &(struct type){TYPE_TENSOR, t->dtype, t->rank, dims, NULL});
        c->in[c->n_in++] = t;
    }
    node_set_input(c->n, c->n_slots++, v);
}

/* What is data at run time, what is a weight, what is a list of integers. */
static inline void case_data(struct op_case *c, const struct tensor *t) { case_add(c, t, 3); }
static inline void case_weight(struct op_case *c, const struct tensor *t) { case_add(c, t, 75); }
static inline void case_list(struct op_case *c, const int64_t *x, int64_t count)
{
    case_add(c, tensor_ints(c->a, x, count), 85);
}
static inline void case_x(struct op_case *c, enum dtype t, int rank, const int64_t *dims)
{
    case_data(c, case_tensor(c, t, rank, dims, -3, 3));
}

static inline void case_begin(struct op_case *c, struct ctx *ctx, uint64_t seed)
{
    static const int64_t OPSETS[] = {13, 14, 16, 17, 18, 19, 20, 21, 22, 23};
    memset(c, 0, sizeof *c);
    c->state = seed * 0xD1B54A32D192ED03u;
    c->m = model_new(ctx);
    c->a = arena_new();
    c->m->ir_version = 8;
    model_set_opset(c->m, "", CASE_PICK(c, OPSETS));
    c->special = case_chance(c, 12);
    c->open = case_chance(c, 25);
}

static inline void case_end(struct op_case *c)
{
    for (uint32_t i = 0; i < c->n->n_outputs; i++) {
        char name[16];
        snprintf(name, sizeof name, "y%u", i);
        graph_add_output(c->m->graph, node_add_output(c->n, i, name));
    }
    ops_resolve(c->m);
}

static inline void case_free(struct op_case *c)
{
    model_free(c->m);
    arena_free(c->a);
}

static inline int64_t case_opset(const struct op_case *c) { return graph_opset(c->m->graph, ""); }
#endif
