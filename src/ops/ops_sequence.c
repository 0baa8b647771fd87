/* Sequences and optionals: SequenceAt, SequenceConstruct, SequenceEmpty, SequenceErase,
 * SequenceInsert, SequenceLength, ConcatFromSequence, SplitToSequence, Optional,
 * OptionalGetElement, OptionalHasElement (opsets 11 to 28). The host shares the elements: nothing
 * is copied here but what is joined or split.
 */
#include <string.h>

#include "kernels/float/rearrange.h"
#include "ops/adapt.h"

/* ---- shapes ---- */

static void out_sequence(struct infer *c, enum type_kind kind, const struct type *elem)
{
    struct type *copy = arena_copy(c->arena, elem, sizeof *elem);
    struct type t = {.kind = kind, .dtype = elem->dtype, .rank = -1, .elem = copy};
    infer_out_type(c, 0, &t);
}

static struct type loose(const struct type *t)
{
    return t->kind == TYPE_TENSOR
               ? (struct type){.kind = TYPE_TENSOR, .dtype = t->dtype, .rank = -1}
               : *t;
}

int infer_sequence(struct infer *c)
{
    const struct type *in = infer_type(c, 0);
    if (node_is(c->node, "SequenceLength")) {
        infer_out(c, 0, DT_INT64, 0, NULL);
    } else if (node_is(c->node, "SequenceAt")) {
        if (in->kind == TYPE_SEQUENCE && in->elem)
            infer_out_type(c, 0, in->elem);
    } else if (node_is(c->node, "SequenceEmpty")) {
        struct type elem = {.kind = TYPE_TENSOR,
                            .dtype = (enum dtype)node_int(c->node, "dtype", DT_FLOAT),
                            .rank = -1};
        out_sequence(c, TYPE_SEQUENCE, &elem);
    } else if (node_is(c->node, "SequenceConstruct")) {
        struct type elem = *in;
        for (uint32_t i = 1; i < c->node->n_inputs; i++)
            if (infer_rank(c, i) != in->rank || in->rank < 0 ||
                memcmp(infer_type(c, i)->dims, in->dims, (size_t)in->rank * sizeof *in->dims) != 0)
                elem = loose(in);
        out_sequence(c, TYPE_SEQUENCE, &elem);
    } else if (in->kind == TYPE_SEQUENCE && in->elem) { /* SequenceInsert, SequenceErase */
        struct type elem = node_is(c->node, "SequenceErase") ? *in->elem : loose(in->elem);
        out_sequence(c, TYPE_SEQUENCE, &elem);
    }
    return 0;
}

int infer_split_to_sequence(struct infer *c)
{
    int rank = infer_rank(c, 0), axis;
    if (rank < 0) {
        struct type elem = loose(infer_type(c, 0));
        out_sequence(c, TYPE_SEQUENCE, &elem);
        return 0;
    }
    int rc = infer_axis(c, node_int(c->node, "axis", 0), rank, &axis);
    bool keep = infer_has(c, 1) || node_int(c->node, "keepdims", 1) != 0;
    dim_t *dims = infer_dims_copy(c, 0);
    if (rc)
        return rc;
    dims[axis] = infer_has(c, 1) ? NULL : infer_int(c, 1);
    if (!keep)
        memmove(dims + axis, dims + axis + 1, (size_t)(rank - axis - 1) * sizeof *dims);
    struct type elem = {.kind = TYPE_TENSOR,
                        .dtype = infer_dtype(c, 0),
                        .rank = keep ? rank : rank - 1,
                        .dims = dims};
    out_sequence(c, TYPE_SEQUENCE, &elem);
    return 0;
}

int infer_concat_from_sequence(struct infer *c)
{
    const struct type *in = infer_type(c, 0);
    if (in->kind != TYPE_SEQUENCE || !in->elem || in->elem->rank < 0)
        return infer_unknown(c, 0, in->elem ? in->elem->dtype : DT_UNDEFINED);
    bool fresh = node_int(c->node, "new_axis", 0) != 0;
    int rank = in->elem->rank + fresh, axis;
    int rc = infer_axis(c, node_int(c->node, "axis", 0), rank, &axis);
    if (rc)
        return rc;
    dim_t *dims = infer_room(c, rank);
    for (int i = 0, from = 0; i < rank; i++)
        dims[i] = fresh && i == axis ? NULL : in->elem->dims[from++];
    dims[axis] = NULL;
    infer_out(c, 0, in->elem->dtype, rank, dims);
    return 0;
}

/* Optional, OptionalGetElement, OptionalHasElement. */
int infer_optional(struct infer *c)
{
    const struct type *in = infer_type(c, 0);
    if (node_is(c->node, "OptionalHasElement"))
        infer_out(c, 0, DT_BOOL, 0, NULL);
    else if (node_is(c->node, "OptionalGetElement"))
        infer_out_type(c, 0, in->kind == TYPE_OPTIONAL && in->elem ? in->elem : in);
    else if (in->kind != TYPE_NONE)
        out_sequence(c, TYPE_OPTIONAL, in);
    return 0;
}

/* ---- evaluation ---- */

static int store_scalar(struct eval *e, enum dtype dtype, int64_t value)
{
    struct tensor *t = e->out[0];
    if (!t->data && !(t = eval_out(e, 0, dtype, 0, NULL)))
        return eval_memory(e);
    num_set_int(tensor_writable(t), dtype, 0, value);
    return 0;
}

/* A position input: -n..n-1, or n too when inserting. */
static int position(struct eval *e, uint32_t i, int64_t n, bool insert, int64_t *at)
{
    *at = in_int(e, i, insert ? n : n - 1);
    if (*at < -n || *at > (insert ? n : n - 1))
        return eval_fail(e, E_OP_INDEX, "%s: position %lld in a sequence of %lld", e->node->op_type,
                         (long long)*at, (long long)n);
    *at += *at < 0 ? n : 0;
    return 0;
}

static int edited(struct eval *e, const struct sequence *s, int64_t drop, int64_t insert)
{
    const struct tensor **items = arena_array(e->scratch, (size_t)s->count + 2, sizeof *items);
    int64_t n = 0;
    for (int64_t i = 0; i <= s->count; i++) {
        if (i == insert)
            items[n++] = e->in[1];
        if (i < s->count && i != drop)
            items[n++] = s->items[i];
    }
    struct sequence out = {TYPE_SEQUENCE,
                           s->count      ? s->dtype
                           : insert >= 0 ? e->in[1]->dtype
                                         : s->dtype,
                           n, items};
    return eval_out_sequence(e, 0, &out);
}

static int construct(struct eval *e)
{
    struct sequence s = {TYPE_SEQUENCE, e->in[0]->dtype, e->n_in, e->in};
    return eval_out_sequence(e, 0, &s);
}

int eval_sequence_op(struct eval *e)
{
    const struct sequence *s = e->n_in ? eval_sequence(e, 0) : NULL;
    int64_t at;
    if (node_is(e->node, "SequenceConstruct"))
        return construct(e);
    if (node_is(e->node, "SequenceEmpty")) {
        struct sequence empty = {TYPE_SEQUENCE, (enum dtype)node_int(e->node, "dtype", DT_FLOAT), 0,
                                 NULL};
        return eval_out_sequence(e, 0, &empty);
    }
    if (!s)
        return eval_fail(e, E_OP_TYPE, "%s: input 0 is not a sequence", e->node->op_type);
    if (node_is(e->node, "SequenceLength"))
        return store_scalar(e, DT_INT64, s->count);
    bool insert = node_is(e->node, "SequenceInsert");
    int rc = position(e, insert ? 2 : 1, s->count, insert, &at);
    if (rc)
        return rc;
    if (node_is(e->node, "SequenceAt"))
        return eval_out_value(e, 0, s->items[at]);
    return edited(e, s, insert ? -1 : at, insert ? at : -1);
}

int eval_optional(struct eval *e)
{
    const struct sequence *s = has_in(e, 0) ? eval_sequence(e, 0) : NULL;
    bool boxed = s && s->kind == TYPE_OPTIONAL;
    if (node_is(e->node, "OptionalHasElement"))
        return store_scalar(e, DT_BOOL, has_in(e, 0) && (!boxed || s->count > 0));
    if (node_is(e->node, "OptionalGetElement")) {
        if (boxed && s->count == 0)
            return eval_fail(e, E_OP_VALUE, "OptionalGetElement: the optional is empty");
        return eval_out_value(e, 0, boxed ? s->items[0] : e->in[0]);
    }
    struct sequence made = {TYPE_OPTIONAL, in_dtype(e, 0), has_in(e, 0), e->in};
    return eval_out_sequence(e, 0, &made);
}

/* One piece of x along axis, in scratch. */
static const struct tensor *piece_of(struct eval *e, int axis, int64_t from, int64_t n, bool keep)
{
    const struct tensor *x = e->in[0];
    struct axis_split s = split_axis(x, axis);
    size_t row = (size_t)s.inner * (size_t)dtype_bits(x->dtype) / 8;
    int64_t *dims = arena_array(e->scratch, (size_t)x->rank + 1, sizeof *dims);
    memcpy(dims, x->dims, (size_t)x->rank * sizeof *dims);
    dims[axis] = n;
    char *data = eval_scratch(e, s.outer * n, row ? row : 1);
    for (int64_t o = 0; data && row && o < s.outer; o++)
        memcpy(data + (size_t)(o * n) * row, (const char *)x->data + (size_t)(o * s.n + from) * row,
               (size_t)n * row);
    if (!keep)
        memmove(dims + axis, dims + axis + 1, (size_t)(x->rank - axis - 1) * sizeof *dims);
    return data ? tensor_view(e->scratch, x->dtype, keep ? x->rank : x->rank - 1, dims, data)
                : NULL;
}

/* Sizes of the pieces: a list, one size for all (the last may be smaller), or 1. */
static int64_t piece_size(const struct eval *e, int64_t k, int64_t left)
{
    const struct tensor *split = has_in(e, 1) ? e->in[1] : NULL;
    int64_t size = !split             ? 1
                   : split->rank == 0 ? tensor_get_int(split, 0)
                   : k < split->count ? tensor_get_int(split, k)
                                      : -1;
    return split && split->rank == 0 && size > left ? left : size;
}

int eval_split_to_sequence(struct eval *e)
{
    const struct tensor *x = e->in[0];
    int axis = (int)eval_axis(e, "axis", 0, x->rank);
    bool keep = has_in(e, 1) || node_int(e->node, "keepdims", 1) != 0;
    if (dtype_bits(x->dtype) < 8 || x->dtype == DT_STRING)
        return eval_form(e, "%s", dtype_name(x->dtype));
    const struct tensor **items = eval_scratch(e, x->dims[axis] + 1, sizeof *items);
    int64_t n = 0, at = 0;
    while (items && at < x->dims[axis]) {
        int64_t size = piece_size(e, n, x->dims[axis] - at);
        if (size < 1 || size > x->dims[axis] - at)
            return eval_fail(e, E_OP_VALUE, "SplitToSequence: a piece of %lld", (long long)size);
        if (!(items[n++] = piece_of(e, axis, at, size, keep)))
            return eval_memory(e);
        at += size;
    }
    struct sequence s = {TYPE_SEQUENCE, x->dtype, n, items};
    return items ? eval_out_sequence(e, 0, &s) : eval_memory(e);
}

static int join_shape(struct eval *e, const struct sequence *s, bool fresh, int *axis,
                      int64_t **dims)
{
    const struct tensor *first = s->items[0];
    int rank = first->rank + fresh;
    int64_t total = 0;
    *axis = (int)eval_axis(e, "axis", 0, rank);
    *dims = arena_array(e->scratch, (size_t)rank + 1, sizeof **dims);
    for (int64_t k = 0; k < s->count; k++) {
        const struct tensor *t = s->items[k];
        bool fits = t->rank == first->rank && t->dtype == first->dtype;
        for (int i = 0; fits && i < t->rank; i++)
            fits = t->dims[i] == first->dims[i] || (!fresh && i == *axis);
        if (!fits)
            return eval_fail(e, E_SHAPE, "ConcatFromSequence: element %lld does not fit the first",
                             (long long)k);
        total += fresh ? 1 : t->dims[*axis];
    }
    for (int i = 0, from = 0; i < rank; i++)
        (*dims)[i] = i == *axis ? total : first->dims[fresh ? from++ : i];
    return 0;
}

int eval_concat_from_sequence(struct eval *e)
{
    const struct sequence *s = eval_sequence(e, 0);
    bool fresh = node_int(e->node, "new_axis", 0) != 0;
    int axis;
    int64_t *dims;
    if (!s || s->count == 0)
        return eval_fail(e, E_OP_VALUE, "ConcatFromSequence: the sequence is empty");
    const struct tensor *first = s->items[0];
    if (dtype_bits(first->dtype) < 8 || first->dtype == DT_STRING)
        return eval_form(e, "%s", dtype_name(first->dtype));
    int rc = join_shape(e, s, fresh, &axis, &dims);
    if (rc)
        return rc;
    struct tensor *out = eval_out(e, 0, first->dtype, first->rank + fresh, dims);
    const void **parts = arena_array(e->scratch, (size_t)s->count, sizeof *parts);
    int64_t *sizes = arena_array(e->scratch, (size_t)s->count, sizeof *sizes);
    if (!out)
        return eval_memory(e);
    for (int64_t k = 0; k < s->count; k++) {
        parts[k] = s->items[k]->data;
        sizes[k] = fresh ? 1 : s->items[k]->dims[axis];
    }
    struct axis_split a = split_axis(out, axis);
    if (!out->count)
        return 0;
    return eval_status(e, kernel_concat(move_size(out->dtype), a.outer, a.inner, (int)s->count,
                                        sizes, parts, tensor_writable(out)));
}
