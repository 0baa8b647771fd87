/* Shapes and integer values of the operators that move elements: Transpose, Concat, Split, Pad,
 * Tile, DepthToSpace, SpaceToDepth, CenterCropPad.
 */
#include "ops/op_impl.h"

int infer_transpose(struct infer *c)
{
    const int64_t *perm;
    uint32_t n;
    int rank = infer_rank(c, 0);
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    bool given = node_ints(c->node, "perm", &perm, &n);
    if (given && n != (uint32_t)rank)
        return infer_fail(c, "perm has %u entries, the input has rank %d", n, rank);
    dim_t *dims = infer_room(c, rank);
    bool *used = arena_array(c->arena, (size_t)rank + 1, sizeof *used);
    for (int i = 0; i < rank; i++) {
        int64_t axis = given ? perm[i] : rank - 1 - i;
        if (axis < 0 || axis >= rank || used[axis])
            return infer_fail(c, "perm is not a permutation of 0..%d", rank - 1);
        used[axis] = true;
        dims[i] = infer_dim(c, 0, (int)axis);
    }
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return 0;
}

/* ---- Concat ---- */

static void concat_values(struct infer *c)
{
    dim_t all[1024];
    int64_t total = 0, n;
    for (uint32_t i = 0; i < c->node->n_inputs; i++) {
        const dim_t *values;
        bool known = infer_values(c, i, &values, &n);
        if (!known && !dim_is_const(infer_dim(c, i, 0), &n))
            return;
        if (n < 0 || total + n > 1024)
            return;
        for (int64_t k = 0; k < n; k++)
            all[total++] = known ? values[k] : NULL;
    }
    infer_out_values(c, 0, all, total);
}

static int concat_input(struct infer *c, uint32_t i, int rank, int axis, dim_t *dims)
{
    if (infer_rank(c, i) != rank)
        return infer_fail(c, "input %u has rank %d, input 0 has %d", i, infer_rank(c, i), rank);
    for (int k = 0; k < rank; k++) {
        dim_t d = infer_dim(c, i, k);
        if (k == axis) {
            dims[k] = dim_add(c->dims, dims[k], d);
            continue;
        }
        int rc = infer_expect(c, d, dims[k], arena_printf(c->arena, "extent %d of input %u", k, i));
        if (rc)
            return rc;
        if (!dims[k] || (dim_is_const(d, NULL) && !dim_is_const(dims[k], NULL)))
            dims[k] = d;
    }
    return 0;
}

int infer_concat(struct infer *c)
{
    int rank = infer_rank(c, 0), axis;
    for (uint32_t i = 0; i < c->node->n_inputs; i++)
        if (infer_rank(c, i) < 0)
            return infer_unknown(c, 0, infer_dtype(c, 0));
    if (rank == 0)
        return infer_fail(c, "scalars cannot be joined");
    int rc = infer_axis(c, node_int(c->node, "axis", 0), rank, &axis);
    dim_t *dims = infer_dims_copy(c, 0);
    for (uint32_t i = 1; !rc && i < c->node->n_inputs; i++)
        rc = concat_input(c, i, rank, axis, dims);
    if (rc)
        return rc;
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    if (rank == 1)
        concat_values(c);
    return 0;
}

/* ---- Split ---- */

/* Split-13 has the sizes as an input; Split-18 without sizes gives chunks of ceil(n / outputs), the
 * last one smaller; older versions need equal parts. */
static dim_t split_size(struct infer *c, dim_t whole, const dim_t *sizes, uint32_t i,
                        uint32_t parts)
{
    if (sizes)
        return sizes[i];
    if (c->version < 18)
        return dim_floordiv(c->dims, whole, infer_int(c, parts));
    dim_t chunk = dim_ceildiv(c->dims, whole, infer_int(c, parts));
    dim_t before = dim_mul(c->dims, chunk, infer_int(c, i));
    dim_t rest = dim_max(c->dims, infer_int(c, 0), dim_sub(c->dims, whole, before));
    return i + 1 < parts ? dim_min(c->dims, chunk, rest) : rest;
}

static int split_sizes(struct infer *c, const dim_t **sizes, dim_t whole, uint32_t parts)
{
    const int64_t *attr;
    const dim_t *values = NULL;
    int64_t n = 0;
    uint32_t n_attr;
    *sizes = NULL;
    if (node_ints(c->node, "split", &attr, &n_attr)) {
        dim_t *list = infer_room(c, (int)n_attr);
        for (uint32_t i = 0; i < n_attr; i++)
            list[i] = infer_int(c, attr[i]);
        values = list;
        n = n_attr;
    } else if (!infer_has(c, 1)) {
        int64_t size;
        if (c->version < 18 && dim_is_const(whole, &size) && size % parts)
            return infer_fail(c, "%lld cannot be split into %u equal parts", (long long)size,
                              parts);
        return 0;
    } else if (!infer_values(c, 1, &values, &n)) {
        *sizes = infer_room(c, (int)parts);
        return 0;
    }
    if (n != parts)
        return infer_fail(c, "%lld sizes are given for %u outputs", (long long)n, parts);
    dim_t sum = infer_int(c, 0);
    for (int64_t i = 0, size; i < n; i++) {
        if (dim_is_const(values[i], &size) && size < 0)
            return infer_fail(c, "a part has the size %lld", (long long)size);
        sum = dim_add(c->dims, sum, values[i]);
    }
    *sizes = values;
    return infer_expect(c, sum, whole, "the sum of the sizes");
}

static void split_values(struct infer *c, uint32_t part, int64_t from, dim_t size)
{
    const dim_t *values;
    int64_t n, count;
    if (infer_values(c, 0, &values, &n) && dim_is_const(size, &count) && count >= 0 &&
        count <= n - from)
        infer_out_values(c, part, values + from, count);
}

int infer_split(struct infer *c)
{
    int rank = infer_rank(c, 0), axis;
    uint32_t parts = c->node->n_outputs;
    int64_t wanted = node_int(c->node, "num_outputs", parts), from = 0, size;
    if (wanted != parts)
        return infer_fail(c, "num_outputs is %lld, the node has %u outputs", (long long)wanted,
                          parts);
    if (rank < 0) {
        for (uint32_t i = 0; i < parts; i++)
            infer_unknown(c, i, infer_dtype(c, 0));
        return 0;
    }
    int rc = infer_axis(c, node_int(c->node, "axis", 0), rank, &axis);
    dim_t whole = rc ? NULL : infer_dim(c, 0, axis);
    const dim_t *sizes;
    rc = rc ? rc : split_sizes(c, &sizes, whole, parts);
    for (uint32_t i = 0; !rc && i < parts; i++) {
        dim_t *dims = infer_dims_copy(c, 0);
        dims[axis] = split_size(c, whole, sizes, i, parts);
        infer_out(c, i, infer_dtype(c, 0), rank, dims);
        if (rank == 1 && from >= 0)
            split_values(c, i, from, dims[axis]);
        if (from < 0 || !dim_is_const(dims[axis], &size) ||
            __builtin_add_overflow(from, size, &from))
            from = -1;
    }
    return rc;
}

/* ---- Pad, Tile ---- */

int infer_pad(struct infer *c)
{
    const dim_t *pads;
    const int64_t *axes;
    int64_t n, n_axes, value;
    int rank = infer_rank(c, 0);
    enum list_state state = infer_dim_list(c, "pads", 1, &pads, &n),
                    chosen = infer_list(c, NULL, 3, &axes, &n_axes);
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (state != LIST_KNOWN || chosen == LIST_UNKNOWN) {
        infer_out(c, 0, infer_dtype(c, 0), rank, infer_room(c, rank));
        return 0;
    }
    n_axes = chosen == LIST_KNOWN ? n_axes : rank;
    if (n != 2 * n_axes)
        return infer_fail(c, "%lld pads are given for %lld axes", (long long)n, (long long)n_axes);
    dim_t *dims = infer_dims_copy(c, 0);
    for (int64_t i = 0; i < n_axes; i++) {
        int axis, rc = infer_axis(c, chosen == LIST_KNOWN ? axes[i] : i, rank, &axis);
        if (rc)
            return rc;
        dim_t both = dim_add(c->dims, pads[i], pads[i + n_axes]);
        dims[axis] = dim_add(c->dims, dims[axis], both);
        if (dim_is_const(dims[axis], &value) && value < 0)
            return infer_fail(c, "axis %d is cut below nothing", axis);
    }
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return 0;
}

int infer_tile(struct infer *c)
{
    const dim_t *repeats;
    int64_t n, value;
    int rank = infer_rank(c, 0);
    if (rank < 0 || !infer_values(c, 1, &repeats, &n)) {
        infer_out(c, 0, infer_dtype(c, 0), rank, infer_room(c, rank));
        return 0;
    }
    if (n != rank)
        return infer_fail(c, "%lld repeats are given for rank %d", (long long)n, rank);
    dim_t *dims = infer_room(c, rank);
    for (int i = 0; i < rank; i++) {
        if (dim_is_const(repeats[i], &value) && value < 0)
            return infer_fail(c, "axis %d is repeated %lld times", i, (long long)value);
        dims[i] = dim_mul(c->dims, infer_dim(c, 0, i), repeats[i]);
    }
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return 0;
}

/* ---- blocks ---- */

static int block_size(struct infer *c, int64_t *block)
{
    *block = node_int(c->node, "blocksize", 0);
    if (*block < 1 || *block > 32767)
        return infer_fail(c, "the block size is %lld", (long long)*block);
    if (infer_rank(c, 0) >= 0 && infer_rank(c, 0) != 4)
        return infer_fail(c, "the input has rank %d, expected 4", infer_rank(c, 0));
    return 0;
}

static int divides(struct infer *c, dim_t d, int64_t by, const char *what)
{
    int64_t size;
    return dim_is_const(d, &size) && size % by
               ? infer_fail(c, "%s of %lld is not a multiple of %lld", what, (long long)size,
                            (long long)by)
               : 0;
}

int infer_depth_to_space(struct infer *c)
{
    int64_t block;
    int rc = block_size(c, &block);
    rc = rc ? rc : divides(c, infer_dim(c, 0, 1), block * block, "a depth");
    if (rc)
        return rc;
    dim_t b = infer_int(c, block), bb = infer_int(c, block * block);
    dim_t dims[4] = {infer_dim(c, 0, 0), dim_floordiv(c->dims, infer_dim(c, 0, 1), bb),
                     dim_mul(c->dims, infer_dim(c, 0, 2), b),
                     dim_mul(c->dims, infer_dim(c, 0, 3), b)};
    infer_out(c, 0, infer_dtype(c, 0), 4, dims);
    return rc;
}

int infer_space_to_depth(struct infer *c)
{
    int64_t block;
    int rc = block_size(c, &block);
    rc = rc ? rc : divides(c, infer_dim(c, 0, 2), block, "a height");
    rc = rc ? rc : divides(c, infer_dim(c, 0, 3), block, "a width");
    if (rc)
        return rc;
    dim_t b = infer_int(c, block), bb = infer_int(c, block * block);
    dim_t dims[4] = {infer_dim(c, 0, 0), dim_mul(c->dims, infer_dim(c, 0, 1), bb),
                     dim_floordiv(c->dims, infer_dim(c, 0, 2), b),
                     dim_floordiv(c->dims, infer_dim(c, 0, 3), b)};
    infer_out(c, 0, infer_dtype(c, 0), 4, dims);
    return rc;
}

int infer_center_crop_pad(struct infer *c)
{
    const dim_t *shape;
    const int64_t *axes;
    int64_t n;
    uint32_t n_axes;
    int rank = infer_rank(c, 0);
    bool chosen = node_ints(c->node, "axes", &axes, &n_axes);
    if (rank < 0 || !infer_values(c, 1, &shape, &n)) {
        infer_out(c, 0, infer_dtype(c, 0), rank, infer_room(c, rank));
        return 0;
    }
    if (n != (chosen ? (int64_t)n_axes : rank))
        return infer_fail(c, "%lld sizes are given for %lld axes", (long long)n,
                          chosen ? (long long)n_axes : (long long)rank);
    dim_t *dims = infer_dims_copy(c, 0);
    for (int64_t i = 0; i < n; i++) {
        int axis, rc = infer_axis(c, chosen ? axes[i] : i, rank, &axis);
        if (rc)
            return rc;
        dims[axis] = shape[i];
    }
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return 0;
}
