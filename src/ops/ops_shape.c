/* Operators that read, make or change shapes: Shape, Size, Reshape, Squeeze, Unsqueeze, Flatten,
 * Identity, Expand, Constant, ConstantOfShape, Range, EyeLike. All of them also carry integer
 * values as expressions. Source: ONNX operator specifications at the versions named.
 */
#include <string.h>

#include "ops/adapt.h"

/* ---- Shape, Size ---- */

/* Shape-15: start and end clamp to [0, rank]. Older versions have no such attributes. */
static void shape_range(const struct node *n, int rank, int *start, int *end)
{
    int64_t s = node_int(n, "start", 0), e = node_int(n, "end", rank);
    s = num_clamp(s < 0 ? s + rank : s, 0, rank);
    e = num_clamp(e < 0 ? e + rank : e, 0, rank);
    *start = (int)s;
    *end = (int)(e > s ? e : s);
}

int infer_shape(struct infer *c)
{
    int rank = infer_rank(c, 0), start, end;
    dim_t length = NULL;
    if (rank >= 0) {
        shape_range(c->node, rank, &start, &end);
        length = infer_int(c, end - start);
        infer_out_values(c, 0, infer_type(c, 0)->dims + start, end - start);
    }
    infer_out(c, 0, DT_INT64, 1, &length);
    return 0;
}

int eval_shape(struct eval *e)
{
    int start, end;
    shape_range(e->node, e->in[0]->rank, &start, &end);
    if (end > start)
        memcpy(out_data(e, 0), e->in[0]->dims + start, (size_t)(end - start) * sizeof(int64_t));
    return 0;
}

int infer_size(struct infer *c)
{
    infer_out(c, 0, DT_INT64, 0, NULL);
    if (infer_rank(c, 0) >= 0) {
        dim_t size = infer_product(c, infer_type(c, 0)->dims, infer_rank(c, 0));
        infer_out_values(c, 0, &size, 1);
    }
    return 0;
}

int eval_size(struct eval *e)
{
    *(int64_t *)out_data(e, 0) = e->in[0]->count;
    return 0;
}

/* ---- views ---- */

int infer_identity(struct infer *c)
{
    infer_out_like(c, 0, 0);
    infer_pass_values(c);
    if (infer_data(c, 0) && infer_dtype(c, 0) != DT_UNDEFINED)
        infer_out_data(c, 0, infer_data(c, 0));
    return 0;
}

/* The same elements under other dims. */
int eval_copy(struct eval *e)
{
    if (e->in[0]->dtype == DT_UNDEFINED)
        return eval_out_value(e, 0, e->in[0]);
    struct tensor *out = e->out[0];
    if (out->count != e->in[0]->count) /* a scalar's shape is known before the data are */
        return eval_fail(e, E_SHAPE, "%s: %lld elements cannot become %lld", e->node->op_type,
                         (long long)e->in[0]->count, (long long)out->count);
    if (out->dtype == DT_STRING)
        out->strings = e->in[0]->strings;
    else if (out->bytes && out->data != e->in[0]->data)
        memcpy(out_data(e, 0), in_data(e, 0), out->bytes);
    return 0;
}

/* The extent for -1: product of the input over the product of the other targets. Factors that stand
 * on both sides are taken out first, so that symbols cancel. */
static int reshape_rest(struct infer *c, dim_t *target, int64_t n, int at)
{
    const struct type *in = infer_type(c, 0);
    dim_t *left = infer_dims_copy(c, 0), above = infer_int(c, 1), below = above;
    for (int64_t i = 0; i < n; i++) {
        int k = 0;
        while (i != at && k < in->rank && (!left[k] || left[k] != target[i]))
            k++;
        if (i != at && k < in->rank && !dim_equals(left[k], 0))
            left[k] = infer_int(c, 1);
        else if (i != at)
            below = dim_mul(c->dims, below, target[i]);
    }
    above = infer_product(c, left, in->rank);
    int64_t x, y;
    if (dim_is_const(above, &x) && dim_is_const(below, &y) && (y == 0 ? x != 0 : x % y != 0))
        return infer_fail(c, "%lld elements cannot be divided into rows of %lld", (long long)x,
                          (long long)y);
    target[at] = dim_equals(below, 0) ? infer_int(c, 0) : dim_floordiv(c->dims, above, below);
    return 0;
}

static int reshape_check(struct infer *c, const dim_t *target, int64_t n)
{
    int64_t x, y;
    const struct type *in = infer_type(c, 0);
    if (in->rank < 0 || !dim_is_const(infer_product(c, in->dims, in->rank), &x) ||
        !dim_is_const(infer_product(c, target, n), &y) || x == y)
        return 0;
    return infer_fail(c, "%lld elements do not fit a shape of %lld", (long long)x, (long long)y);
}

static int reshape_target(struct infer *c, const dim_t *values, int64_t n)
{
    bool allow_zero = node_int(c->node, "allowzero", 0) != 0;
    int in_rank = infer_rank(c, 0);
    int64_t rest = -1, value;
    dim_t *target = infer_room(c, (int)n);
    for (int64_t i = 0; i < n; i++) {
        target[i] = values[i];
        if (!dim_is_const(values[i], &value))
            continue;
        if (value < -1 || (value == -1 && rest >= 0))
            return infer_fail(c, "the target shape has %s",
                              value < -1 ? "a negative extent" : "two entries of -1");
        if (value == 0 && !allow_zero && in_rank >= 0 && i >= in_rank)
            return infer_fail(c, "0 at position %lld copies from an input of rank %d", (long long)i,
                              in_rank);
        if (value == 0 && !allow_zero)
            target[i] = infer_dim(c, 0, (int)i);
        rest = value == -1 ? i : rest;
    }
    int rc = 0;
    if (rest >= 0) {
        target[rest] = NULL;
        rc = in_rank >= 0 ? reshape_rest(c, target, n, (int)rest) : 0;
    }
    rc = rc ? rc : reshape_check(c, target, n);
    infer_out(c, 0, infer_dtype(c, 0), (int)n, target);
    infer_pass_values(c);
    return rc;
}

int infer_reshape(struct infer *c)
{
    const dim_t *values;
    int64_t n;
    if (infer_values(c, 1, &values, &n))
        return reshape_target(c, values, n);
    if (!dim_is_const(infer_dim(c, 1, 0), &n) || n < 0 || n > TENSOR_MAX_RANK)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    infer_out(c, 0, infer_dtype(c, 0), (int)n, infer_room(c, (int)n));
    return 0;
}

/* Marks the axes of a list; a repeated or outlying axis is an error. */
static int mark_axes(struct infer *c, const int64_t *axes, int64_t n, int rank, bool *marked)
{
    for (int64_t i = 0; i < n; i++) {
        int axis;
        int rc = infer_axis(c, axes[i], rank, &axis);
        if (rc)
            return rc;
        if (marked[axis])
            return infer_fail(c, "axis %d is named twice", axis);
        marked[axis] = true;
    }
    return 0;
}

int infer_squeeze(struct infer *c)
{
    const int64_t *axes;
    int64_t n, size;
    int rank = infer_rank(c, 0), kept = 0;
    enum list_state state = infer_list(c, "axes", 1, &axes, &n);
    if (rank < 0 || state == LIST_UNKNOWN)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    bool *drop = arena_array(c->arena, (size_t)rank + 1, sizeof *drop);
    int rc = mark_axes(c, axes, n, rank, drop);
    dim_t *dims = infer_room(c, rank);
    for (int i = 0; !rc && i < rank; i++) {
        dim_t d = infer_dim(c, 0, i);
        bool known = dim_is_const(d, &size);
        if (state == LIST_ABSENT && !known)
            return infer_unknown(c, 0, infer_dtype(c, 0));
        if (state == LIST_ABSENT)
            drop[i] = size == 1;
        else if (drop[i] && known && size != 1)
            return infer_fail(c, "axis %d has the extent %lld, only 1 can be dropped", i,
                              (long long)size);
        if (!drop[i])
            dims[kept++] = d;
    }
    infer_out(c, 0, infer_dtype(c, 0), kept, dims);
    infer_pass_values(c);
    return rc;
}

int infer_unsqueeze(struct infer *c)
{
    const int64_t *axes;
    int64_t n;
    int in_rank = infer_rank(c, 0);
    if (in_rank < 0 || infer_list(c, "axes", 1, &axes, &n) != LIST_KNOWN)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (n + in_rank > TENSOR_MAX_RANK)
        return infer_fail(c, "the result would have %lld dimensions", (long long)(n + in_rank));
    int rank = in_rank + (int)n;
    bool *added = arena_array(c->arena, (size_t)rank + 1, sizeof *added);
    int rc = mark_axes(c, axes, n, rank, added);
    if (rc)
        return rc;
    dim_t *dims = infer_room(c, rank);
    for (int i = 0, from = 0; i < rank; i++)
        dims[i] = added[i] ? infer_int(c, 1) : infer_dim(c, 0, from++);
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    infer_pass_values(c);
    return 0;
}

int infer_flatten(struct infer *c)
{
    int rank = infer_rank(c, 0);
    int64_t axis = node_int(c->node, "axis", 1);
    dim_t dims[2] = {NULL, NULL};
    if (rank >= 0) {
        if (axis < -rank || axis > rank)
            return infer_fail(c, "axis %lld is outside -%d..%d", (long long)axis, rank, rank);
        axis = axis < 0 ? axis + rank : axis;
        dims[0] = infer_product(c, infer_type(c, 0)->dims, axis);
        dims[1] = infer_product(c, infer_type(c, 0)->dims + axis, rank - axis);
    }
    infer_out(c, 0, infer_dtype(c, 0), 2, dims);
    return 0;
}

/* ---- Expand ---- */

int infer_expand(struct infer *c)
{
    const dim_t *values;
    int64_t n;
    int rank;
    if (!infer_values(c, 1, &values, &n))
        return infer_unknown(c, 0, infer_dtype(c, 0));
    for (int64_t i = 0, size; i < n; i++)
        if (dim_is_const(values[i], &size) && size < 0)
            return infer_fail(c, "the target shape has the extent %lld", (long long)size);
    struct type target = {.kind = TYPE_TENSOR, .rank = (int)n, .dims = values};
    const struct type *both[2] = {infer_type(c, 0), &target};
    dim_t *dims = infer_room(c, infer_rank(c, 0) > (int)n ? infer_rank(c, 0) : (int)n);
    int rc = infer_broadcast(c, both, 2, &rank, dims);
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    int64_t count;
    const dim_t *one;
    if (!rc && rank == 1 && dim_is_const(dims[0], &count) && count <= 1024 &&
        infer_values(c, 0, &one, &n) && n == 1) {
        dim_t *all = infer_room(c, (int)count);
        for (int64_t i = 0; i < count; i++)
            all[i] = one[0];
        infer_out_values(c, 0, all, count);
    }
    return rc;
}

/* ---- Constant, ConstantOfShape ---- */

static struct tensor *strings_tensor(struct arena *a, const struct span *strings, int64_t n,
                                     int rank)
{
    struct tensor *t = tensor_new(a, DT_STRING, rank, &n);
    t->strings = strings;
    return t;
}

/* The one attribute that is given, as a tensor; NULL for a sparse one or none. */
static const struct tensor *constant_of(const struct node *n, struct arena *a)
{
    const struct attr *at;
    if (node_tensor(n, "value"))
        return node_tensor(n, "value");
    if ((at = node_attr(n, "value_int"))) {
        struct tensor *t = tensor_new(a, DT_INT64, 0, NULL);
        memcpy(tensor_writable(t), &at->i, sizeof at->i);
        return t;
    }
    if ((at = node_attr(n, "value_float")))
        return tensor_scalar(a, DT_FLOAT, (double)at->f);
    if ((at = node_attr(n, "value_ints")))
        return tensor_ints(a, at->ints, at->n);
    if ((at = node_attr(n, "value_floats"))) {
        int64_t count = at->n;
        return tensor_view(a, DT_FLOAT, 1, &count, at->floats);
    }
    if ((at = node_attr(n, "value_string")))
        return strings_tensor(a, &at->s, 1, 0);
    if ((at = node_attr(n, "value_strings")))
        return strings_tensor(a, at->strings, at->n, 1);
    return NULL;
}

int infer_constant(struct infer *c)
{
    const struct tensor *t = constant_of(c->node, infer_keep(c));
    if (!t)
        return node_attr(c->node, "sparse_value") ? 0 : infer_fail(c, "no value is given");
    infer_out_data(c, 0, t);
    return 0;
}

int eval_constant(struct eval *e)
{
    const struct tensor *t = constant_of(e->node, e->scratch);
    return t ? eval_out_value(e, 0, t) : eval_form(e, "a sparse value");
}

int infer_constant_of_shape(struct infer *c)
{
    const struct tensor *value = node_tensor(c->node, "value");
    enum dtype dtype = value ? value->dtype : DT_FLOAT;
    const dim_t *values;
    int64_t n, size;
    if (value && value->count != 1)
        return infer_fail(c, "the value has %lld elements, expected 1", (long long)value->count);
    if (!infer_values(c, 0, &values, &n))
        return infer_unknown(c, 0, dtype);
    for (int64_t i = 0; i < n; i++)
        if (dim_is_const(values[i], &size) && size < 0)
            return infer_fail(c, "the shape has the extent %lld", (long long)size);
    infer_out(c, 0, dtype, (int)n, values);
    return 0;
}

int eval_constant_of_shape(struct eval *e)
{
    const struct tensor *value = node_tensor(e->node, "value");
    struct tensor *out = e->out[0];
    if (!value || !out->bytes) {
        if (out->bytes)
            memset(out_data(e, 0), 0, out->bytes);
        return 0;
    }
    int bits = dtype_bits(value->dtype);
    if (bits < 8 || value->dtype == DT_STRING)
        return eval_form(e, "a fill of %s", dtype_name(value->dtype));
    const char *bytes = tensor_bytes_of(value, e->scratch);
    char *to = out_data(e, 0);
    size_t size = (size_t)bits / 8;
    for (int64_t i = 0; i < out->count; i++)
        memcpy(to + (size_t)i * size, bytes, size);
    return 0;
}
