/* Shapes and integer values of reductions, softmax and what is shaped like them; and of the
 * generators Range, EyeLike, Dropout and the random operators.
 */
#include "ops/op_impl.h"

/* Which axes a reduction removes. Older versions have the axes as an attribute, newer ones as an
 * input; none means all, unless noop_with_empty_axes says none. 0: *all_known tells whether drop is
 * complete. */
static int reduce_axes(struct infer *c, int rank, bool *drop, bool *known)
{
    const int64_t *axes;
    int64_t n;
    enum list_state state = infer_list(c, "axes", 1, &axes, &n);
    *known = state != LIST_UNKNOWN;
    bool none = n == 0 && node_int(c->node, "noop_with_empty_axes", 0) != 0;
    for (int i = 0; i < rank; i++)
        drop[i] = state != LIST_UNKNOWN && n == 0 && !none;
    for (int64_t i = 0; i < n; i++) {
        int axis, rc = infer_axis(c, axes[i], rank, &axis);
        if (rc)
            return rc;
        drop[axis] = true;
    }
    return 0;
}

static void reduce_values(struct infer *c)
{
    const dim_t *values;
    int64_t n;
    if (infer_rank(c, 0) != 1 || !infer_values(c, 0, &values, &n) || n == 0)
        return;
    dim_t d = values[0];
    for (int64_t i = 1; i < n; i++) {
        if (node_is(c->node, "ReduceProd"))
            d = dim_mul(c->dims, d, values[i]);
        else if (node_is(c->node, "ReduceSum"))
            d = dim_add(c->dims, d, values[i]);
        else if (node_is(c->node, "ReduceMax"))
            d = dim_max(c->dims, d, values[i]);
        else if (node_is(c->node, "ReduceMin"))
            d = dim_min(c->dims, d, values[i]);
        else
            return;
    }
    infer_out_values(c, 0, &d, 1);
}

static void reduce_out(struct infer *c, enum dtype dtype, int rank, const bool *drop, bool keep)
{
    dim_t *dims = infer_room(c, rank);
    int n = 0;
    for (int i = 0; i < rank; i++)
        if (!drop[i])
            dims[n++] = infer_dim(c, 0, i);
        else if (keep)
            dims[n++] = infer_int(c, 1);
    infer_out(c, 0, dtype, n, dims);
}

int infer_reduce(struct infer *c)
{
    int rank = infer_rank(c, 0);
    bool keep = node_int(c->node, "keepdims", 1) != 0, known;
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    bool *drop = arena_array(c->arena, (size_t)rank + 1, sizeof *drop);
    int rc = reduce_axes(c, rank, drop, &known);
    if (rc)
        return rc;
    if (!known) {
        infer_out(c, 0, infer_dtype(c, 0), keep ? rank : -1, infer_room(c, rank));
        return 0;
    }
    reduce_out(c, infer_dtype(c, 0), rank, drop, keep);
    if (rank == 1 && drop[0])
        reduce_values(c);
    return 0;
}

int infer_arg_reduce(struct infer *c)
{
    int rank = infer_rank(c, 0), axis;
    if (rank < 0)
        return infer_unknown(c, 0, DT_INT64);
    int rc = infer_axis(c, node_int(c->node, "axis", 0), rank, &axis);
    if (rc)
        return rc;
    bool *drop = arena_array(c->arena, (size_t)rank + 1, sizeof *drop);
    drop[axis] = true;
    reduce_out(c, DT_INT64, rank, drop, node_int(c->node, "keepdims", 1) != 0);
    return 0;
}

/* Softmax-1 flattens at axis (default 1, may equal the rank), Softmax-13 normalises along one axis
 * (default -1). */
int infer_softmax(struct infer *c)
{
    int rank = infer_rank(c, 0), axis;
    int64_t a = node_int(c->node, "axis", c->version >= 13 ? -1 : 1);
    bool scalar = rank == 0 && (a == 0 || a == -1);
    infer_out_like(c, 0, 0);
    if (rank < 0 || scalar || (c->version < 13 && a == rank))
        return 0;
    return infer_axis(c, a, rank, &axis);
}

/* ---- generators ---- */

int infer_range(struct infer *c)
{
    const dim_t *start, *limit, *delta;
    int64_t n, step;
    dim_t size = NULL;
    if (infer_values(c, 0, &start, &n) && n == 1 && infer_values(c, 1, &limit, &n) && n == 1 &&
        infer_values(c, 2, &delta, &n) && n == 1 && dim_is_const(delta[0], &step)) {
        if (step == 0 || step == INT64_MIN)
            return infer_fail(c, "the step is %lld", (long long)step);
        dim_t length =
            step > 0 ? dim_sub(c->dims, limit[0], start[0]) : dim_sub(c->dims, start[0], limit[0]);
        size = dim_max(c->dims, infer_int(c, 0),
                       dim_ceildiv(c->dims, length, infer_int(c, step > 0 ? step : -step)));
    }
    size = size ? size : infer_fresh(c, "range");
    infer_out(c, 0, infer_dtype(c, 0), 1, &size);
    return 0;
}

int infer_eye_like(struct infer *c)
{
    const struct attr *dtype = node_attr(c->node, "dtype");
    if (infer_rank(c, 0) >= 0 && infer_rank(c, 0) != 2)
        return infer_fail(c, "the input has rank %d, expected 2", infer_rank(c, 0));
    if (dtype && !dtype_valid((int)dtype->i))
        return infer_fail(c, "there is no element type %lld", (long long)dtype->i);
    infer_out(c, 0, dtype ? (enum dtype)dtype->i : infer_dtype(c, 0), infer_rank(c, 0),
              infer_type(c, 0)->dims);
    return 0;
}

/* Dropout-1 gave the mask the input's type, Dropout-10 made it bool. */
int infer_dropout(struct infer *c)
{
    infer_out_like(c, 0, 0);
    infer_out(c, 1, c->version >= 10 ? DT_BOOL : infer_dtype(c, 0), infer_rank(c, 0),
              infer_type(c, 0)->dims);
    return 0;
}

static int random_dtype(struct infer *c, enum dtype otherwise, enum dtype *dtype)
{
    const struct attr *a = node_attr(c->node, "dtype");
    if (a && !dtype_valid((int)a->i))
        return infer_fail(c, "there is no element type %lld", (long long)a->i);
    *dtype = a ? (enum dtype)a->i : otherwise;
    return 0;
}

int infer_random_like(struct infer *c)
{
    enum dtype dtype;
    int rc = random_dtype(c, infer_dtype(c, 0), &dtype);
    infer_out(c, 0, dtype, infer_rank(c, 0), infer_type(c, 0)->dims);
    return rc;
}

int infer_random(struct infer *c)
{
    const int64_t *shape;
    uint32_t n;
    enum dtype dtype;
    int rc = random_dtype(c, DT_FLOAT, &dtype);
    node_ints(c->node, "shape", &shape, &n);
    dim_t *dims = infer_room(c, (int)n);
    for (uint32_t i = 0; i < n; i++)
        dims[i] = infer_int(c, shape[i]);
    infer_out(c, 0, dtype, (int)n, dims);
    return rc;
}

int infer_multinomial(struct infer *c)
{
    enum dtype dtype;
    int rc = random_dtype(c, DT_INT32, &dtype);
    dim_t dims[2] = {infer_dim(c, 0, 0), infer_int(c, node_int(c->node, "sample_size", 1))};
    infer_out(c, 0, dtype, 2, dims);
    return rc;
}
