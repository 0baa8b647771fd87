/* A model once more in double: how exact its own floats are is measured against that.
 *
 * Every float, float16 and bfloat16 of the model becomes a double: weights, inputs, what casts and
 * constants say. A node that knows no double (its signature has none, or the reference engine
 * computes none) becomes an island: casts to float before it, to double behind it; an input that
 * alone must be float (the scales of Resize) is cast alone. BatchNormalization with constant
 * statistics is written out as Mul and Add instead. On an island the truth is as exact as a float.
 */
#ifndef TESTS_PROMOTE_H
#define TESTS_PROMOTE_H
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "ir/edit.h"
#include "ops/op_impl.h"

static inline bool promotes(enum dtype t)
{
    return t == DT_FLOAT || t == DT_FLOAT16 || t == DT_BFLOAT16;
}

static inline struct tensor *promote_tensor(struct arena *a, const struct tensor *t)
{
    struct tensor *d = tensor_new(a, DT_DOUBLE, t->rank, t->dims);
    for (int64_t i = 0; i < t->count; i++)
        num_set(tensor_writable(d), DT_DOUBLE, i, tensor_get(t, i));
    return d;
}

static inline void promote_type(struct model *m, struct type *t)
{
    if (t->kind == TYPE_TENSOR && promotes(t->dtype))
        t->dtype = DT_DOUBLE;
    if (!t->elem)
        return;
    struct type *elem = arena_copy(m->arena, t->elem, sizeof *elem);
    promote_type(m, elem);
    t->elem = elem;
}

static inline void promote_values(struct model *m)
{
    for (size_t i = 0; i < m->values.count; i++) {
        struct value *v = m->values.data[i];
        if (v->removed)
            continue;
        if (v->constant && !v->sparse && promotes(v->constant->dtype))
            value_set_constant(v, promote_tensor(m->arena, v->constant));
        promote_type(m, &v->type);
    }
}

/* ---- what attributes say about types ---- */

static inline void promote_constant(struct node *n)
{
    const struct attr *a = node_attr(n, "value_float");
    const float *list;
    uint32_t count = 1;
    if (a) {
        node_set_tensor(n, "value",
                        tensor_scalar(n->graph->model->arena, DT_DOUBLE,
                                      (double)node_float(n, "value_float", 0)));
        node_drop_attr(n, "value_float");
    } else if (node_floats(n, "value_floats", &list, &count)) {
        int64_t dims[1] = {count};
        struct tensor *t = tensor_new(n->graph->model->arena, DT_DOUBLE, 1, dims);
        for (uint32_t i = 0; i < count; i++)
            num_set(tensor_writable(t), DT_DOUBLE, i, (double)list[i]);
        node_set_tensor(n, "value", t);
        node_drop_attr(n, "value_floats");
    }
}

static inline void promote_attributes(struct node *n)
{
    static const char *const NAMES[] = {"to", "dtype", "output_datatype", "output_dtype"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const struct attr *a = node_attr(n, NAMES[i]);
        if (a && a->type == ATTR_INT && promotes((enum dtype)a->i))
            node_set_int(n, NAMES[i], DT_DOUBLE);
    }
    if (node_is(n, "Constant"))
        promote_constant(n);
    const struct tensor *t = node_tensor(n, "value");
    if (t && promotes(t->dtype))
        node_set_tensor(n, "value", promote_tensor(n->graph->model->arena, t));
    else if (!t && node_is(n, "ConstantOfShape")) /* the default is a float 0 */
        node_set_tensor(n, "value",
                        tensor_new(n->graph->model->arena, DT_DOUBLE, 1, (int64_t[]){1}));
}

/* ---- islands ---- */

static inline struct value *promote_cast(struct node *at, bool after, struct value *v,
                                         enum dtype to)
{
    struct node *c = node_new(at->graph, "Cast", "", 1, 1);
    c->op = op_find("", "Cast");
    node_set_int(c, "to", to);
    if (after)
        node_insert_after(c, at);
    else
        node_insert_before(c, at);
    struct value *y = node_add_output(c, 0, "cast");
    struct type t = v->type;
    t.dtype = to;
    value_set_type(y, &t);
    if (after)
        value_replace(v, y);
    node_set_input(c, 0, v);
    return y;
}

static inline bool promote_fits(const struct node *n, const struct op_version *v, uint64_t demoted,
                                struct arena *a)
{
    const struct type **types = arena_array(a, (size_t)n->n_inputs + 1, sizeof *types);
    const char *text;
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *x = n->inputs[i].value;
        struct type *t = x ? arena_copy(a, &x->type, sizeof *t) : NULL;
        if (t && i < 64 && demoted >> i & 1 && t->dtype == DT_DOUBLE)
            t->dtype = DT_FLOAT;
        types[i] = t;
    }
    return !signature_check(n, v, types, a, &text);
}

/* The inputs that must be floats: none, one, or all. */
static inline uint64_t promote_demoted(const struct node *n, struct arena *a)
{
    const struct op_version *v = node_signature(n);
    if (!v || (n->op->traits & OP_CONTROL))
        return 0;
    if (op_refusal(n, a))
        return ~(uint64_t)0;
    for (uint32_t i = 0; i <= n->n_inputs && i < 64; i++) {
        uint64_t mask = i ? (uint64_t)1 << (i - 1) : 0;
        if (promote_fits(n, v, mask, a))
            return mask;
    }
    return ~(uint64_t)0;
}

static inline void promote_island(struct node *n, uint64_t demoted)
{
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        struct value *x = n->inputs[i].value;
        if (x && x->type.kind == TYPE_TENSOR && x->type.dtype == DT_DOUBLE &&
            (i >= 64 || demoted >> i & 1))
            node_set_input(n, i, promote_cast(n, false, x, DT_FLOAT));
    }
    for (uint32_t i = 0; demoted == ~(uint64_t)0 && i < n->n_outputs; i++) {
        struct value *y = n->outputs[i];
        if (!y || y->type.kind != TYPE_TENSOR || y->type.dtype != DT_DOUBLE)
            continue;
        y->type.dtype = DT_FLOAT;
        promote_cast(n, true, y, DT_DOUBLE);
    }
}

static inline bool promote_batchnorm(struct node *n)
{
    const struct tensor *p[5] = {0};
    if (!node_is(n, "BatchNormalization") || n->inputs[0].value->type.rank < 2 ||
        node_int(n, "training_mode", 0) || !node_int(n, "spatial", 1) || node_output(n, 1))
        return false;
    for (uint32_t i = 1; i < 5; i++)
        if (!(p[i] = n->inputs[i].value->constant))
            return false;
    struct model *m = n->graph->model;
    int rank = n->inputs[0].value->type.rank;
    int64_t dims[TENSOR_MAX_RANK];
    for (int i = 0; i < rank; i++)
        dims[i] = i == 1 ? p[1]->count : 1;
    struct tensor *scale = tensor_new(m->arena, DT_DOUBLE, rank, dims),
                  *shift = tensor_new(m->arena, DT_DOUBLE, rank, dims);
    double epsilon = (double)node_float(n, "epsilon", 1e-5f);
    for (int64_t i = 0; i < scale->count; i++) {
        double s = tensor_get(p[1], i) / sqrt(tensor_get(p[4], i) + epsilon);
        num_set(tensor_writable(scale), DT_DOUBLE, i, s);
        num_set(tensor_writable(shift), DT_DOUBLE, i,
                tensor_get(p[2], i) - tensor_get(p[3], i) * s);
    }
    struct node *mul = node_new(n->graph, "Mul", "", 2, 1);
    mul->op = op_find("", "Mul");
    node_set_input(mul, 0, n->inputs[0].value);
    node_set_input(mul, 1, value_constant(n->graph, "scale", scale));
    node_insert_before(mul, n);
    struct value *y = node_add_output(mul, 0, "scaled");
    value_set_type(y, &n->inputs[0].value->type);
    node_set_op(n, "Add", "");
    n->op = op_find("", "Add");
    node_resize_inputs(n, 2);
    node_set_input(n, 0, y);
    node_set_input(n, 1, value_constant(n->graph, "shift", shift));
    while (n->n_attrs)
        node_drop_attr(n, n->attrs[0]->name);
    return true;
}

/* m has been inferred. false: it has no form in double (bits are reinterpreted, types unknown). */
static inline bool model_promote(struct model *m)
{
    struct arena *a = arena_new();
    size_t count = m->nodes.count;
    bool fine = true;
    promote_values(m);
    for (size_t i = 0; i < count; i++) {
        struct node *n = m->nodes.data[i];
        if (n->removed)
            continue;
        fine = fine && !node_is(n, "BitCast");
        promote_attributes(n);
        if (!promote_batchnorm(n))
            promote_island(n, promote_demoted(n, a));
        arena_reset(a);
    }
    arena_free(a);
    ops_resolve(m);
    return fine && model_infer(m, NULL, NULL) >= 0;
}
#endif
