/* Types as shape inference handles them: from tensors, bound, compared, merged with what the file
 * declares, printed. */
#include <string.h>

#include "ops/infer.h"

static const struct type none = {.kind = TYPE_NONE, .rank = -1};

bool type_equal(const struct type *a, const struct type *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind)
        return false;
    if (a->kind == TYPE_NONE)
        return true;
    if (a->dtype != b->dtype || (a->elem == NULL) != (b->elem == NULL))
        return false;
    if (a->elem)
        return type_equal(a->elem, b->elem);
    return a->rank == b->rank &&
           (a->rank <= 0 || !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims));
}

bool type_known(const struct type *t)
{
    if (t->kind == TYPE_SEQUENCE || t->kind == TYPE_OPTIONAL)
        return t->elem && t->elem->kind != TYPE_NONE; /* lengths and elements differ by nature */
    if (t->kind != TYPE_TENSOR || t->rank < 0 || t->dtype == DT_UNDEFINED)
        return false;
    for (int i = 0; i < t->rank; i++)
        if (!t->dims[i])
            return false;
    return true;
}

struct type type_copy(struct arena *a, const struct type *t)
{
    struct type copy = *t;
    if (t->rank > 0 && t->dims)
        copy.dims = arena_copy(a, t->dims, (size_t)t->rank * sizeof *t->dims);
    if (t->elem) {
        struct type *elem = arena_alloc(a, sizeof *elem);
        *elem = type_copy(a, t->elem);
        copy.elem = elem;
    }
    return copy;
}

struct type infer_type_of(struct dim_table *dims, struct arena *a, const struct tensor *t)
{
    struct type type = {.kind = TYPE_TENSOR, .dtype = t->dtype, .rank = t->rank};
    dim_t *d = arena_array(a, (size_t)t->rank + 1, sizeof *d);
    for (int i = 0; i < t->rank; i++)
        d[i] = dim_const(dims, t->dims[i]);
    type.dims = d;
    return type;
}

/* "?" is what some exporters write for every dimension they do not know: no name at all. Extents
 * below zero are not extents. */
static dim_t clean_dim(struct walk *w, dim_t d)
{
    const char *name = dim_symbol_name(d);
    int64_t size;
    if ((name && (!*name || !strcmp(name, "?"))) || (dim_is_const(d, &size) && size < 0))
        return NULL;
    bool bound = w->options && w->options->n_bindings;
    dim_t own = bound ? dim_bind(w->m->dims, d, w->options->bindings, w->options->n_bindings) : d;
    dim_t meant = dim_is_const(own, NULL) ? own : walk_composed(w, own);
    return bound && meant != own
               ? dim_bind(w->m->dims, meant, w->options->bindings, w->options->n_bindings)
               : meant;
}

static const dim_t *clean_dims(struct walk *w, const struct type *t)
{
    dim_t *d = NULL;
    for (int i = 0; i < t->rank; i++) {
        dim_t clean = clean_dim(w, t->dims[i]);
        if (clean != t->dims[i] && !d)
            d = arena_copy(w->facts->arena, t->dims, (size_t)t->rank * sizeof *d);
        if (d)
            d[i] = clean;
    }
    return d ? d : t->dims;
}

struct type type_bind(struct walk *w, const struct type *t)
{
    struct type bound = *t;
    if (t->kind == TYPE_NONE || t->rank > TENSOR_MAX_RANK)
        return t->kind == TYPE_TENSOR
                   ? (struct type){.kind = t->kind, .dtype = t->dtype, .rank = -1}
                   : none;
    bound.dims = clean_dims(w, t);
    if (t->elem) {
        struct type *elem = arena_alloc(w->facts->arena, sizeof *elem);
        *elem = type_bind(w, t->elem);
        bound.elem = elem;
    }
    return bound;
}

/* ---- merging ---- */

static bool is_fresh(const struct walk *w, dim_t d)
{
    return map_has_u64(&w->fresh, (uint64_t)(uintptr_t)d);
}

/* The declared dim serves where inference knows nothing or only made up a name. */
static dim_t merge_dim(const struct walk *w, dim_t inferred, dim_t declared, bool *conflict)
{
    int64_t x, y;
    if (!inferred || (declared && is_fresh(w, inferred)))
        return declared;
    if (dim_is_const(inferred, &x) && dim_is_const(declared, &y) && x != y)
        *conflict = true;
    return inferred;
}

static struct type merge_tensor(struct walk *w, const struct type *inferred,
                                const struct type *declared, bool *conflict)
{
    struct type merged = *inferred;
    if (merged.dtype == DT_UNDEFINED)
        merged.dtype = declared->dtype;
    else if (declared->dtype != DT_UNDEFINED && declared->dtype != merged.dtype)
        *conflict = true;
    if (declared->rank < 0)
        return merged;
    if (inferred->rank < 0) {
        merged.rank = declared->rank;
        merged.dims = declared->dims;
        return merged;
    }
    if (inferred->rank != declared->rank) {
        *conflict = true;
        return merged;
    }
    dim_t *d = arena_array(w->scratch, (size_t)merged.rank + 1, sizeof *d);
    for (int i = 0; i < merged.rank; i++)
        d[i] = merge_dim(w, inferred->dims[i], declared->dims[i], conflict);
    merged.dims = d;
    return merged;
}

struct type type_merge(struct walk *w, const struct type *inferred, const struct type *declared,
                       bool *conflict)
{
    if (inferred->kind == TYPE_NONE)
        return *declared;
    if (declared->kind == TYPE_NONE)
        return *inferred;
    if (inferred->kind != declared->kind) {
        *conflict = true;
        return *inferred;
    }
    if (inferred->kind == TYPE_TENSOR)
        return merge_tensor(w, inferred, declared, conflict);
    if (inferred->elem && declared->elem) {
        struct type merged = *inferred, *elem = arena_alloc(w->scratch, sizeof *elem);
        *elem = type_merge(w, inferred->elem, declared->elem, conflict);
        merged.elem = elem;
        return merged;
    }
    return inferred->elem ? *inferred : *declared;
}

struct type type_join(struct arena *a, const struct type *x, const struct type *y)
{
    if (type_equal(x, y))
        return *x;
    if (x->kind == TYPE_NONE || x->kind != y->kind)
        return none;
    struct type joined = *x;
    if (x->kind == TYPE_TENSOR || x->kind == TYPE_SPARSE) {
        joined.dtype = x->dtype == y->dtype ? x->dtype : DT_UNDEFINED;
        joined.rank = x->rank == y->rank ? x->rank : -1;
        dim_t *d = arena_array(a, (size_t)(joined.rank < 0 ? 0 : joined.rank) + 1, sizeof *d);
        for (int i = 0; i < joined.rank; i++)
            d[i] = x->dims[i] == y->dims[i] ? x->dims[i] : NULL;
        joined.dims = d;
        return joined;
    }
    if (x->elem && y->elem) {
        struct type *elem = arena_alloc(a, sizeof *elem);
        *elem = type_join(a, x->elem, y->elem);
        joined.elem = elem;
    }
    return joined;
}

/* ---- text ---- */

static const char *dims_text(struct arena *a, const struct type *t)
{
    if (t->rank < 0)
        return "[...]";
    const char *text = "[";
    for (int i = 0; i < t->rank && i < 16; i++) {
        char buffer[128];
        dim_text(t->dims[i], buffer, sizeof buffer);
        text = arena_printf(a, "%s%s%s", text, i ? "," : "", buffer);
    }
    return arena_printf(a, "%s%s", text, t->rank > 16 ? ",...]" : "]");
}

const char *type_text(struct arena *a, const struct type *t)
{
    switch (t->kind) {
    case TYPE_TENSOR:
        return arena_printf(a, "%s%s", dtype_name(t->dtype), dims_text(a, t));
    case TYPE_SPARSE:
        return arena_printf(a, "sparse %s%s", dtype_name(t->dtype), dims_text(a, t));
    case TYPE_SEQUENCE:
        return arena_printf(a, "sequence(%s)", t->elem ? type_text(a, t->elem) : "");
    case TYPE_OPTIONAL:
        return arena_printf(a, "optional(%s)", t->elem ? type_text(a, t->elem) : "");
    case TYPE_MAP:
        return "map";
    case TYPE_OPAQUE:
        return "opaque";
    default:
        return "unknown";
    }
}
