/* Sound models of one operator, and everything that can be wrong about them: what test_hostile_ops.c runs.
 *
 * Wrongs are numbered: spoil(s, k) applies the k-th to a fresh copy of the subject and says whether there is a k-th. So every one of them can be run
 * alone, and none depends on chance.
 */
#ifndef HOSTILE_OPS_H
#define HOSTILE_OPS_H
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "ir/edit.h"
#include "ops/op.h"

enum { MOST_INPUTS = 64 };

/* A model that has just been made, with a tensor per graph input (NULL: none). */
struct subject {
    struct ctx ctx;
    struct arena *arena;
    struct model *m;
    const struct tensor *in[MOST_INPUTS];
    const char *said; /* what was done to it */
};

static const int64_t WRONG_INTS[] = {0,
                                     1,
                                     2,
                                     3,
                                     -1,
                                     -2,
                                     5,
                                     1000,
                                     INT32_MAX,
                                     INT32_MIN,
                                     (int64_t)1 << 31,
                                     (int64_t)1 << 40,
                                     (int64_t)1 << 62,
                                     INT64_MAX,
                                     INT64_MAX - 1,
                                     INT64_MIN,
                                     INT64_MIN + 1};
static const float WRONG_FLOATS[] = {0, -1, 1e-40f, 3e38f, -3e38f, INFINITY, -INFINITY, NAN};
static const char *const WRONG_STRINGS[] = {"", "no such thing", "\xff\xfe"};
static const enum dtype WRONG_DTYPES[] = {DT_FLOAT,  DT_DOUBLE, DT_FLOAT16, DT_BFLOAT16,
                                          DT_INT64,  DT_INT32,  DT_INT8,    DT_UINT8,
                                          DT_UINT16, DT_BOOL,   DT_INT4,    DT_FLOAT8E4M3FN};
#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Counts possibilities down to the wanted one. */
struct chooser {
    int64_t left;
    struct subject *s;
};

static bool chosen(struct chooser *c, const char *what, const char *name, int64_t value)
{
    if (c->left-- != 0)
        return false;
    c->s->said = arena_printf(c->s->arena, "%s of '%s' (%lld)", what, name, (long long)value);
    return true;
}

/* ---- attributes ---- */

static bool spoil_int(struct chooser *c, struct node *n, const char *name)
{
    for (size_t i = 0; i < COUNT(WRONG_INTS); i++)
        if (chosen(c, "another number", name, WRONG_INTS[i])) {
            node_set_int(n, name, WRONG_INTS[i]);
            return true;
        }
    return false;
}

static bool spoil_ints(struct chooser *c, struct node *n, const char *name)
{
    const int64_t *old = NULL;
    uint32_t count = 0;
    node_ints(n, name, &old, &count);
    int64_t *list = arena_array(c->s->arena, count + 2u, sizeof *list);
    for (uint32_t i = 0; i < count; i++)
        list[i] = old[i];
    for (size_t i = 0; i < COUNT(WRONG_INTS); i++)
        for (int place = 0; place < 3; place++)
            if (chosen(c, place == 2 ? "all numbers" : "a number", name, WRONG_INTS[i])) {
                for (uint32_t k = 0; k < count; k++)
                    if (place == 2 || k == (place ? count - 1 : 0))
                        list[k] = WRONG_INTS[i];
                list[count] = WRONG_INTS[i];
                node_set_ints(n, name, list, count ? count : 1);
                return true;
            }
    for (uint32_t length = 0; length <= count + 1; length++)
        if (length != count && chosen(c, "another length", name, length)) {
            node_set_ints(n, name, list, length);
            return true;
        }
    return false;
}

static bool spoil_float(struct chooser *c, struct node *n, const char *name)
{
    for (size_t i = 0; i < COUNT(WRONG_FLOATS); i++)
        if (chosen(c, "another float", name, (int64_t)i)) {
            node_set_float(n, name, WRONG_FLOATS[i]);
            return true;
        }
    return false;
}

static bool spoil_string(struct chooser *c, struct node *n, const char *name)
{
    for (size_t i = 0; i < COUNT(WRONG_STRINGS); i++)
        if (chosen(c, "another text", name, (int64_t)i)) {
            node_set_string(n, name, WRONG_STRINGS[i]);
            return true;
        }
    return false;
}

/* A value of another type, and none at all. */
static bool spoil_type(struct chooser *c, struct node *n, const struct op_attr *a)
{
    if (a->type != ATTR_INT && chosen(c, "an int instead", a->name, 1)) {
        node_set_int(n, a->name, 1);
        return true;
    }
    if (a->type != ATTR_STRING && chosen(c, "a text instead", a->name, 1)) {
        node_set_string(n, a->name, "text");
        return true;
    }
    if (a->type != ATTR_FLOATS && chosen(c, "floats instead", a->name, 1)) {
        node_set_floats(n, a->name, WRONG_FLOATS, 3);
        return true;
    }
    if (node_attr(n, a->name) && chosen(c, "no value", a->name, 0)) {
        node_drop_attr(n, a->name);
        return true;
    }
    return false;
}

static bool spoil_attr(struct chooser *c, struct node *n, const struct op_attr *a)
{
    switch (a->type) {
    case ATTR_INT:
        return spoil_int(c, n, a->name) || spoil_type(c, n, a);
    case ATTR_INTS:
        return spoil_ints(c, n, a->name) || spoil_type(c, n, a);
    case ATTR_FLOAT:
        return spoil_float(c, n, a->name) || spoil_type(c, n, a);
    case ATTR_STRING:
        return spoil_string(c, n, a->name) || spoil_type(c, n, a);
    default:
        return spoil_type(c, n, a);
    }
}

/* ---- tensors ---- */

/* Element i of the result is element i % count of old as a number; zeros when old is empty. */
static struct tensor *reshaped(struct subject *s, const struct tensor *old, enum dtype t, int rank,
                               const int64_t *dims)
{
    struct tensor *made = tensor_new(s->arena, t, rank, dims);
    for (int64_t i = 0; i < made->count; i++) {
        double v = old->count ? tensor_get(old, i % old->count) : 0;
        if (dtype_is_float(t))
            num_set(tensor_writable(made), t, i, v);
        else
            num_set_int(tensor_writable(made), t, i,
                        isfinite(v) ? (int64_t)fmax(fmin(v, 1e15), -1e15) & 127 : 0);
    }
    return made;
}

static struct tensor *filled(struct subject *s, const struct tensor *old, int64_t first,
                             int64_t number, double real)
{
    struct tensor *made = reshaped(s, old, old->dtype, old->rank, old->dims);
    for (int64_t i = 0; i < made->count; i++)
        if (first >= 0 && i != first)
            num_set_int(tensor_writable(made), old->dtype, i, tensor_get_int(old, i));
        else if (dtype_is_float(old->dtype))
            num_set(tensor_writable(made), old->dtype, i, real);
        else
            num_set_int(tensor_writable(made), old->dtype, i, number);
    return made;
}

static struct tensor *spoil_content(struct chooser *c, const struct tensor *t, const char *name)
{
    if (dtype_is_float(t->dtype))
        for (size_t i = 0; i < COUNT(WRONG_FLOATS); i++)
            if (chosen(c, "all floats", name, (int64_t)i))
                return filled(c->s, t, -1, 0, (double)WRONG_FLOATS[i]);
    for (size_t i = 0; dtype_is_int(t->dtype) && i < COUNT(WRONG_INTS); i++) {
        if (chosen(c, "all elements", name, WRONG_INTS[i]))
            return filled(c->s, t, -1, WRONG_INTS[i], 0);
        if (t->count > 1 && chosen(c, "the last element", name, WRONG_INTS[i]))
            return filled(c->s, t, t->count - 1, WRONG_INTS[i], 0);
    }
    return NULL;
}

static struct tensor *spoil_dims(struct chooser *c, const struct tensor *t, const char *name)
{
    int64_t dims[40];
    if (t->rank > 8)
        return NULL;
    for (int axis = 0; axis < t->rank; axis++) {
        const int64_t sizes[] = {0, 1, t->dims[axis] + 1};
        memcpy(dims, t->dims, (size_t)t->rank * sizeof *dims);
        for (int k = 0; k < 3; k++)
            if (sizes[k] != t->dims[axis] && chosen(c, "another extent", name, sizes[k])) {
                dims[axis] = sizes[k];
                return reshaped(c->s, t, t->dtype, t->rank, dims);
            }
    }
    for (int more = -2; more <= 18; more += more < 2 ? 1 : 8) {
        int rank = t->rank + more;
        if (!more || rank < 0 || !chosen(c, "another rank", name, rank))
            continue;
        for (int k = 0; k < rank; k++)
            dims[k] = k < rank - t->rank ? 1 : t->dims[k - (rank - t->rank)];
        return reshaped(c->s, t, t->dtype, rank, dims);
    }
    return NULL;
}

static struct tensor *spoil_tensor(struct chooser *c, const struct tensor *t, const char *name)
{
    struct tensor *made = spoil_dims(c, t, name);
    made = made ? made : spoil_content(c, t, name);
    for (size_t i = 0; !made && i < COUNT(WRONG_DTYPES); i++)
        if (WRONG_DTYPES[i] != t->dtype && chosen(c, "another type", name, (int64_t)i))
            made = reshaped(c->s, t, WRONG_DTYPES[i], t->rank, t->dims);
    return made;
}

/* ---- inputs ---- */

static void declare(struct value *v, const struct tensor *t, struct subject *s)
{
    struct type type = {.kind = TYPE_TENSOR, .dtype = t->dtype, .rank = t->rank};
    dim_t *dims = arena_array(s->arena, (size_t)t->rank + 1, sizeof *dims);
    for (int i = 0; i < t->rank; i++)
        dims[i] = dim_const(s->m->dims, t->dims[i]);
    type.dims = dims;
    value_set_type(v, &type);
}

/* Before IR 4 an initializer that is an input is one for good: then inference knows the numbers too. */
static void make_constant(struct subject *s, size_t i)
{
    struct value *v = s->m->graph->inputs.data[i];
    s->m->ir_version = 3;
    if (!v->constant && s->in[i]->dtype != DT_UNDEFINED && s->in[i]->dtype != DT_STRING)
        value_set_constant(v,
                           reshaped(s, s->in[i], s->in[i]->dtype, s->in[i]->rank, s->in[i]->dims));
}

static bool plain(const struct tensor *t)
{
    return t && t->dtype != DT_UNDEFINED && t->dtype != DT_STRING && t->count <= 4096 &&
           dtype_bits(t->dtype) <= 64 && t->dtype != DT_COMPLEX64;
}

static bool spoil_inputs(struct chooser *c)
{
    struct graph *g = c->s->m->graph;
    for (size_t i = 0; i < g->inputs.count && i < MOST_INPUTS; i++)
        for (int constant = 0; constant < 2 && plain(c->s->in[i]); constant++) {
            struct value *v = g->inputs.data[i];
            struct tensor *t = spoil_tensor(c, c->s->in[i], v->name);
            if (!t)
                continue;
            c->s->in[i] = t;
            declare(v, t, c->s);
            if (constant) {
                make_constant(c->s, i);
                value_set_constant(v, t);
            }
            return true;
        }
    for (size_t i = 0; i < g->initializers.count; i++) {
        struct value *v = g->initializers.data[i];
        struct tensor *t =
            v->removed || !plain(v->constant) ? NULL : spoil_tensor(c, v->constant, v->name);
        if (t) {
            declare(v, t, c->s);
            value_set_constant(v, t);
            return true;
        }
    }
    return false;
}

static bool spoil_slots(struct chooser *c, struct node *n)
{
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (n->inputs[i].value && chosen(c, "left out: an input", n->op_type, i)) {
            node_set_input(n, i, NULL);
            return true;
        }
    if (n->n_inputs && n->inputs[0].value && chosen(c, "one more input", n->op_type, n->n_inputs)) {
        node_resize_inputs(n, n->n_inputs + 1);
        node_set_input(n, n->n_inputs - 1, n->inputs[0].value);
        return true;
    }
    for (uint32_t i = 1; i < n->n_inputs; i++)
        if (n->inputs[i].value && n->inputs[0].value && n->inputs[0].value != n->inputs[i].value &&
            chosen(c, "input 0 as an input", n->op_type, i)) {
            node_set_input(n, i, n->inputs[0].value);
            return true;
        }
    return false;
}

/* Applies wrong number k; false: there are fewer. k < 0: nothing is wrong. */
static inline bool spoil(struct subject *s, int64_t k)
{
    struct chooser c = {k, s};
    s->said = "as it is";
    if (k < 0)
        return true;
    for (struct node *n = s->m->graph->first; n; n = n->next) {
        const struct op *op = op_find(n->domain, n->op_type);
        const struct op_version *v =
            op ? op_version_at(op, *n->domain ? 1 : graph_opset(s->m->graph, "")) : NULL;
        for (int i = 0; v && i < v->n_attrs; i++)
            if (spoil_attr(&c, n, &v->attrs[i]))
                return true;
        if (spoil_slots(&c, n))
            return true;
    }
    return spoil_inputs(&c);
}
#endif
