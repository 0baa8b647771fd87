/* What shape functions call: reading inputs, writing outputs (ops/op.h). */
#include <string.h>

#include "base/num.h"
#include "ops/infer.h"

static const struct infer_slot *input(const struct infer *c, uint32_t i)
{
    const struct engine *g = engine_of(c);
    return i < g->n_in && g->in[i].given ? &g->in[i] : NULL;
}

static struct infer_slot *output(struct infer *c, uint32_t i)
{
    struct engine *g = engine_of(c);
    return i < g->n_out && g->out[i].given ? &g->out[i] : NULL;
}

const struct type *infer_type(const struct infer *c, uint32_t i)
{
    static const struct type none = {.kind = TYPE_NONE, .rank = -1};
    const struct infer_slot *s = input(c, i);
    return s ? &s->type : &none;
}

bool infer_has(const struct infer *c, uint32_t i) { return input(c, i) != NULL; }

int infer_rank(const struct infer *c, uint32_t i)
{
    const struct type *t = infer_type(c, i);
    return t->kind == TYPE_TENSOR || t->kind == TYPE_SPARSE ? t->rank : -1;
}

dim_t infer_dim(const struct infer *c, uint32_t i, int axis)
{
    int rank = infer_rank(c, i);
    axis = axis < 0 ? axis + rank : axis;
    return rank < 0 || axis < 0 || axis >= rank ? NULL : infer_type(c, i)->dims[axis];
}

const struct tensor *infer_data(const struct infer *c, uint32_t i)
{
    const struct infer_slot *s = input(c, i);
    return s ? s->data : NULL;
}

/* Integers and bool as they are; floats only when every element is a whole number, so that an
 * expression means the value exactly. */
static bool whole(const struct tensor *t, int64_t i, int64_t *out)
{
    if (!dtype_is_float(t->dtype)) {
        *out = tensor_get_int(t, i);
        return true;
    }
    double x = tensor_get(t, i);
    *out = x >= -9007199254740992.0 && x <= 9007199254740992.0 ? num_trunc(x) : 0; /* 2^53 */
    return (double)*out == x; /* exactly whole */
}

static bool values_of_data(const struct infer *c, struct infer_slot *s)
{
    const struct tensor *t = s->data;
    if (t->rank > 1 || t->count > VALUES_MAX || t->dtype == DT_STRING || t->dtype == DT_COMPLEX64 ||
        t->dtype == DT_COMPLEX128 || t->dtype == DT_UNDEFINED)
        return false;
    dim_t *values = arena_array(c->arena, (size_t)t->count + 1, sizeof *values);
    for (int64_t i = 0; i < t->count; i++) {
        int64_t x;
        if (!whole(t, i, &x))
            return false;
        values[i] = dim_const(c->dims, x);
    }
    s->values = values;
    s->n_values = t->count;
    return true;
}

bool infer_values(const struct infer *c, uint32_t i, const dim_t **values, int64_t *count)
{
    struct engine *g = engine_of(c);
    if (!input(c, i))
        return false;
    struct infer_slot *s = &g->in[i];
    if (!s->values && (!s->data || !values_of_data(c, s)))
        return false;
    *values = s->values;
    *count = s->n_values;
    return true;
}

bool infer_ints(const struct infer *c, uint32_t i, const int64_t **ints, int64_t *count)
{
    const dim_t *values;
    if (!infer_values(c, i, &values, count))
        return false;
    int64_t *list = arena_array(c->arena, (size_t)*count + 1, sizeof *list);
    for (int64_t k = 0; k < *count; k++)
        if (!dim_is_const(values[k], &list[k]))
            return false;
    *ints = list;
    return true;
}

enum list_state infer_list(const struct infer *c, const char *attr, uint32_t i,
                           const int64_t **ints, int64_t *count)
{
    uint32_t n;
    if (attr && node_ints(c->node, attr, ints, &n)) {
        *count = n;
        return LIST_KNOWN;
    }
    *ints = NULL;
    *count = 0;
    if (!infer_has(c, i))
        return LIST_ABSENT;
    return infer_ints(c, i, ints, count) ? LIST_KNOWN : LIST_UNKNOWN;
}

/* ---- outputs ---- */

void infer_out(struct infer *c, uint32_t i, enum dtype dtype, int rank, const dim_t *dims)
{
    struct infer_slot *s = output(c, i);
    if (!s)
        return;
    s->type = (struct type){.kind = TYPE_TENSOR, .dtype = dtype, .rank = rank < 0 ? -1 : rank};
    if (rank >= 0)
        s->type.dims = arena_copy(c->arena, dims, (size_t)rank * sizeof *dims);
}

void infer_out_like(struct infer *c, uint32_t i, uint32_t from)
{
    struct infer_slot *s = output(c, i);
    if (s)
        s->type = *infer_type(c, from);
}

void infer_out_type(struct infer *c, uint32_t i, const struct type *t)
{
    struct infer_slot *s = output(c, i);
    if (s)
        s->type = *t;
}

void infer_out_values(struct infer *c, uint32_t i, const dim_t *values, int64_t count)
{
    struct infer_slot *s = output(c, i);
    if (!s || count > VALUES_MAX)
        return;
    s->values = arena_copy(c->arena, values, (size_t)count * sizeof *values);
    s->n_values = count;
}

void infer_out_data(struct infer *c, uint32_t i, const struct tensor *t)
{
    struct infer_slot *s = output(c, i);
    if (!s)
        return;
    s->data = t;
    s->type = infer_type_of(c->dims, c->arena, t);
}

dim_t infer_fresh(struct infer *c, const char *hint)
{
    struct engine *g = engine_of(c);
    if (!g->walk)
        return NULL;
    const struct frame *f = g->walk->frame;
    const char *name = arena_printf(c->arena, "%s%s/%s%.0d", f ? f->path : "", node_label(c->node),
                                    hint, g->fresh_count);
    g->fresh_count++;
    dim_t d = dim_symbol(c->dims, name);
    *map_slot_u64(&g->walk->fresh, (uint64_t)(uintptr_t)d) = g->walk;
    return d;
}

/* ---- rules ---- */

static bool broadcast_pair(struct infer *c, dim_t a, dim_t b, dim_t *out)
{
    int64_t x, y;
    bool ca = dim_is_const(a, &x), cb = dim_is_const(b, &y);
    if (a == b || (cb && y == 1))
        *out = a;
    else if (ca && x == 1)
        *out = b;
    else if (ca && cb)
        return false;
    else if (ca || cb)
        *out = ca ? a : b; /* an unknown against a constant > 1 must be that or 1; 0 stays 0 */
    else
        *out = dim_max(c->dims, a, b); /* NULL when one is; both must be equal or one of them 1 */
    return true;
}

static int broadcast_into(struct infer *c, const struct type *t, int rank, dim_t *dims)
{
    for (int i = 0; i < t->rank; i++) {
        dim_t *d = &dims[rank - t->rank + i], merged;
        if (!broadcast_pair(c, *d, t->dims[i], &merged)) {
            int64_t x = 0, y = 0;
            dim_is_const(*d, &x);
            dim_is_const(t->dims[i], &y);
            return infer_fail(c, "dimensions %lld and %lld do not broadcast", (long long)x,
                              (long long)y);
        }
        *d = merged;
    }
    return 0;
}

int infer_broadcast(struct infer *c, const struct type *const *types, int n, int *rank, dim_t *dims)
{
    *rank = 0;
    for (int k = 0; k < n; k++) {
        if (types[k]->kind != TYPE_TENSOR || types[k]->rank < 0) {
            *rank = -1;
            return 0;
        }
        *rank = types[k]->rank > *rank ? types[k]->rank : *rank;
    }
    for (int i = 0; i < *rank; i++)
        dims[i] = dim_const(c->dims, 1);
    for (int k = 0; k < n; k++) {
        int rc = broadcast_into(c, types[k], *rank, dims);
        if (rc)
            return rc;
    }
    return 0;
}

int infer_axis(struct infer *c, int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank)
        return infer_fail(c, "axis %lld is outside -%d..%d", (long long)axis, rank, rank - 1);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return 0;
}

int infer_fault(struct infer *c, enum err id, const char *text)
{
    const struct engine *g = engine_of(c);
    struct where where = {.node = node_label(c->node)};
    bool maybe_dead = g->walk && g->walk->lenient;
    diag_report(c->ctx->diag, maybe_dead ? E_SHAPE_BRANCH : id, &where, "%s", text);
    return -(int)id;
}

int infer_fail(struct infer *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(c->arena, format, args);
    va_end(args);
    return infer_fault(c, E_SHAPE, arena_printf(c->arena, "%s: %s", c->node->op_type, text));
}

/* ---- small helpers of the shape functions ---- */

dim_t *infer_room(struct infer *c, int rank)
{
    return arena_array(c->arena, (size_t)(rank > 0 ? rank : 0) + 1, sizeof(dim_t));
}

dim_t *infer_dims_copy(struct infer *c, uint32_t i)
{
    const struct type *t = infer_type(c, i);
    dim_t *dims = infer_room(c, t->rank);
    if (t->rank > 0)
        memcpy(dims, t->dims, (size_t)t->rank * sizeof *dims);
    return dims;
}

dim_t infer_product(struct infer *c, const dim_t *dims, int64_t n)
{
    dim_t product = dim_const(c->dims, 1);
    for (int64_t i = 0; i < n; i++)
        product = dim_mul(c->dims, product, dims[i]);
    return product;
}

dim_t infer_int(struct infer *c, int64_t value) { return dim_const(c->dims, value); }

struct arena *infer_keep(struct infer *c)
{
    struct walk *w = engine_of(c)->walk;
    return w ? w->facts->arena : c->arena;
}

enum dtype infer_dtype(const struct infer *c, uint32_t i)
{
    const struct type *t = infer_type(c, i);
    return t->kind == TYPE_TENSOR ? t->dtype : DT_UNDEFINED;
}

int infer_unknown(struct infer *c, uint32_t i, enum dtype dtype)
{
    infer_out(c, i, dtype, -1, NULL);
    return 0;
}

int infer_expect(struct infer *c, dim_t have, dim_t want, const char *what)
{
    int64_t x, y;
    if (!dim_is_const(have, &x) || !dim_is_const(want, &y) || x == y)
        return 0;
    return infer_fail(c, "%s is %lld, expected %lld", what, (long long)x, (long long)y);
}

void infer_pass_values(struct infer *c)
{
    const struct engine *g = engine_of(c);
    const dim_t *values;
    int64_t n;
    if (g->n_out && g->out[0].type.kind == TYPE_TENSOR && g->out[0].type.rank >= 0 &&
        g->out[0].type.rank <= 1 && infer_values(c, 0, &values, &n))
        infer_out_values(c, 0, values, n);
}

enum list_state infer_dim_list(struct infer *c, const char *attr, uint32_t i, const dim_t **dims,
                               int64_t *count)
{
    const int64_t *ints;
    uint32_t n;
    *dims = NULL;
    *count = 0;
    if (!attr || !node_ints(c->node, attr, &ints, &n))
        return !infer_has(c, i)                  ? LIST_ABSENT
               : infer_values(c, i, dims, count) ? LIST_KNOWN
                                                 : LIST_UNKNOWN;
    dim_t *room = infer_room(c, (int)n);
    for (uint32_t k = 0; k < n; k++)
        room[k] = infer_int(c, ints[k]);
    *dims = room;
    *count = n;
    return LIST_KNOWN;
}
