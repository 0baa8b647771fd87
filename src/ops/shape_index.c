/* Shapes and integer values of the operators that pick or place elements by index: Gather*,
 * Scatter*, OneHot, Compress, NonZero, Unique, TopK, TensorScatter. How many elements Compress,
 * NonZero and Unique keep is data: their extents are fresh symbols.
 */
#include "ops/op_impl.h"

#include <string.h>

static void gather_values(struct infer *c)
{
    const dim_t *values, *index;
    int64_t n, count;
    if (infer_rank(c, 0) != 1 || infer_rank(c, 1) > 1 || !infer_values(c, 0, &values, &n) ||
        !infer_values(c, 1, &index, &count))
        return;
    dim_t *out = infer_room(c, (int)count);
    for (int64_t i = 0; i < count; i++) {
        int64_t at;
        if (dim_is_const(index[i], &at) && at >= -n && at < n)
            out[i] = values[at < 0 ? at + n : at];
    }
    infer_out_values(c, 0, out, count);
}

int infer_gather(struct infer *c)
{
    int rank = infer_rank(c, 0), index_rank = infer_rank(c, 1), axis;
    if (rank < 0 || index_rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (rank == 0)
        return infer_fail(c, "the data is a scalar");
    int rc = infer_axis(c, node_int(c->node, "axis", 0), rank, &axis);
    if (rc)
        return rc;
    dim_t *dims = infer_room(c, rank + index_rank);
    int n = 0;
    for (int i = 0; i < axis; i++)
        dims[n++] = infer_dim(c, 0, i);
    for (int i = 0; i < index_rank; i++)
        dims[n++] = infer_dim(c, 1, i);
    for (int i = axis + 1; i < rank; i++)
        dims[n++] = infer_dim(c, 0, i);
    infer_out(c, 0, infer_dtype(c, 0), n, dims);
    gather_values(c);
    return 0;
}

int infer_gather_elements(struct infer *c)
{
    int rank = infer_rank(c, 0), axis;
    if (rank >= 0) {
        int rc = infer_axis(c, node_int(c->node, "axis", 0), rank, &axis);
        if (rc)
            return rc;
        if (infer_rank(c, 1) >= 0 && infer_rank(c, 1) != rank)
            return infer_fail(c, "the indices have rank %d, the data has %d", infer_rank(c, 1),
                              rank);
    }
    infer_out(c, 0, infer_dtype(c, 0), infer_rank(c, 1), infer_type(c, 1)->dims);
    return 0;
}

int infer_gather_nd(struct infer *c)
{
    int rank = infer_rank(c, 0), index_rank = infer_rank(c, 1);
    int64_t batch = node_int(c->node, "batch_dims", 0), tuple;
    if (rank < 0 || index_rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (index_rank < 1 || batch < 0 || batch >= index_rank || batch >= rank)
        return infer_fail(c, "batch_dims is %lld for data of rank %d and indices of rank %d",
                          (long long)batch, rank, index_rank);
    if (!dim_is_const(infer_dim(c, 1, -1), &tuple))
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (tuple < 0 || tuple > rank - batch)
        return infer_fail(c, "index tuples have %lld entries for %lld axes", (long long)tuple,
                          (long long)(rank - batch));
    dim_t *dims = infer_room(c, index_rank + rank);
    int n = 0;
    for (int i = 0; i < index_rank - 1; i++)
        dims[n++] = infer_dim(c, 1, i);
    for (int i = (int)(batch + tuple); i < rank; i++)
        dims[n++] = infer_dim(c, 0, i);
    infer_out(c, 0, infer_dtype(c, 0), n, dims);
    return 0;
}

int infer_scatter(struct infer *c)
{
    int rank = infer_rank(c, 0), axis;
    if (rank >= 0) {
        int rc = infer_axis(c, node_int(c->node, "axis", 0), rank, &axis);
        if (rc)
            return rc;
        for (uint32_t i = 1; i < 3; i++)
            if (infer_rank(c, i) >= 0 && infer_rank(c, i) != rank)
                return infer_fail(c, "input %u has rank %d, the data has %d", i, infer_rank(c, i),
                                  rank);
    }
    infer_out_like(c, 0, 0);
    return 0;
}

/* tf2onnx writes shapes with ScatterND: data [n], indices [k,1] or [1], updates [k]. */
static void scatter_values(struct infer *c)
{
    const dim_t *values, *updates;
    const struct tensor *index = infer_data(c, 1);
    int64_t n, count;
    if (infer_rank(c, 0) != 1 || !index || !index->rank || index->dims[index->rank - 1] != 1 ||
        !node_string_is(c->node, "reduction", "none", "none") || !infer_values(c, 0, &values, &n) ||
        !infer_values(c, 2, &updates, &count) || index->count != count)
        return;
    dim_t *out = infer_room(c, (int)n);
    memcpy(out, values, (size_t)n * sizeof *out);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = tensor_get_int(index, i);
        if (at < -n || at >= n)
            return;
        out[at < 0 ? at + n : at] = updates[i];
    }
    infer_out_values(c, 0, out, n);
}

int infer_scatter_nd(struct infer *c)
{
    int rank = infer_rank(c, 0), index_rank = infer_rank(c, 1);
    int64_t tuple;
    if (rank == 0 || index_rank == 0)
        return infer_fail(c, "a scalar has no indices");
    if (rank > 0 && index_rank > 0 && dim_is_const(infer_dim(c, 1, -1), &tuple) &&
        (tuple < 0 || tuple > rank))
        return infer_fail(c, "index tuples have %lld entries, the data has rank %d",
                          (long long)tuple, rank);
    infer_out_like(c, 0, 0);
    scatter_values(c);
    return 0;
}

int infer_tensor_scatter(struct infer *c)
{
    int rank = infer_rank(c, 0), axis = 0;
    int rc = rank > 0 ? infer_axis(c, node_int(c->node, "axis", -2), rank, &axis) : 0;
    if (!rc && rank > 0 && axis == 0)
        return infer_fail(c, "axis 0 is the batch");
    if (!rc && rank > 0 && infer_rank(c, 1) >= 0 && infer_rank(c, 1) != rank)
        return infer_fail(c, "the update has rank %d, the cache has %d", infer_rank(c, 1), rank);
    infer_out_like(c, 0, 0);
    return rc;
}

int infer_one_hot(struct infer *c)
{
    const dim_t *depth;
    int64_t n, size;
    int rank = infer_rank(c, 0), axis;
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 2));
    int rc = infer_axis(c, node_int(c->node, "axis", -1), rank + 1, &axis);
    if (rc)
        return rc;
    dim_t *dims = infer_room(c, rank + 1);
    for (int i = 0, from = 0; i <= rank; i++)
        dims[i] = i == axis ? NULL : infer_dim(c, 0, from++);
    if (infer_values(c, 1, &depth, &n) && n == 1) {
        dims[axis] = depth[0];
        if (dim_is_const(depth[0], &size) && size < 0)
            return infer_fail(c, "the depth is %lld", (long long)size);
    } else if (infer_data(c, 1) && infer_data(c, 1)->count == 1) {
        dims[axis] = infer_int(c, tensor_get_int(infer_data(c, 1), 0));
    }
    infer_out(c, 0, infer_dtype(c, 2), rank + 1, dims);
    return 0;
}

/* ---- how much is kept is data ---- */

static int64_t count_true(const struct tensor *t, int64_t limit)
{
    int64_t n = 0;
    for (int64_t i = 0; i < t->count && i < limit; i++)
        n += tensor_get(t, i) != 0;
    return n;
}

int infer_compress(struct infer *c)
{
    int rank = infer_rank(c, 0), axis = 0;
    bool flat = !node_attr(c->node, "axis");
    if (rank < 0 && !flat)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    int rc = flat ? 0 : infer_axis(c, node_int(c->node, "axis", 0), rank, &axis);
    dim_t *dims = flat ? infer_room(c, 1) : infer_dims_copy(c, 0), kept = NULL;
    int64_t size;
    dim_t along =
        flat && rank >= 0 ? infer_product(c, infer_type(c, 0)->dims, rank) : infer_dim(c, 0, axis);
    if (infer_data(c, 1) && dim_is_const(along, &size))
        kept = infer_int(c, count_true(infer_data(c, 1), size));
    dims[axis] = kept ? kept : infer_fresh(c, "kept");
    if (!rc)
        infer_out(c, 0, infer_dtype(c, 0), flat ? 1 : rank, dims);
    return rc;
}

int infer_non_zero(struct infer *c)
{
    const struct tensor *data = infer_data(c, 0);
    int rank = infer_rank(c, 0);
    dim_t dims[2] = {NULL, NULL};
    if (rank >= 0)
        dims[0] = infer_int(c, rank);
    bool countable = data && data->dtype != DT_STRING && dtype_bits(data->dtype) <= 64;
    dims[1] = countable ? infer_int(c, count_true(data, INT64_MAX)) : infer_fresh(c, "nonzero");
    infer_out(c, 0, DT_INT64, 2, dims);
    return 0;
}

int infer_unique(struct infer *c)
{
    int rank = infer_rank(c, 0), axis = 0;
    bool flat = !node_attr(c->node, "axis");
    dim_t kept = infer_fresh(c, "unique"), along = NULL;
    if (rank < 0 && !flat)
        infer_unknown(c, 0, infer_dtype(c, 0));
    if (rank >= 0) {
        int rc = flat ? 0 : infer_axis(c, node_int(c->node, "axis", 0), rank, &axis);
        if (rc)
            return rc;
        along = flat ? infer_product(c, infer_type(c, 0)->dims, rank) : infer_dim(c, 0, axis);
    }
    if (rank >= 0 || flat) {
        dim_t *dims = flat ? infer_room(c, 1) : infer_dims_copy(c, 0);
        dims[axis] = kept;
        infer_out(c, 0, infer_dtype(c, 0), flat ? 1 : rank, dims);
    }
    infer_out(c, 1, DT_INT64, 1, &kept);
    infer_out(c, 2, DT_INT64, 1, &along);
    infer_out(c, 3, DT_INT64, 1, &kept);
    return 0;
}

/* TopK-1 has k as an attribute, TopK-10 as an input. */
int infer_topk(struct infer *c)
{
    const dim_t *k;
    int64_t n, want, have;
    int rank = infer_rank(c, 0), axis = 0;
    if (rank == 0)
        return infer_fail(c, "the input is a scalar");
    int rc = rank < 0 ? 0 : infer_axis(c, node_int(c->node, "axis", -1), rank, &axis);
    if (rc)
        return rc;
    dim_t *dims = rank < 0 ? NULL : infer_dims_copy(c, 0), size = NULL;
    if (c->version < 10)
        size = infer_int(c, node_int(c->node, "k", 0));
    else if (infer_values(c, 1, &k, &n) && n == 1)
        size = k[0];
    if (rank >= 0) {
        if (dim_is_const(size, &want) &&
            (want < 0 || (dim_is_const(dims[axis], &have) && want > have)))
            return infer_fail(c, "k is %lld", (long long)want);
        dims[axis] = size;
    }
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    infer_out(c, 1, DT_INT64, rank, dims);
    return 0;
}
