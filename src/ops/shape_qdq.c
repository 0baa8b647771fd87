/* Shapes of quantization: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear and the
 * com.microsoft QLinear* operators. Scales and zero points are checked against the quantized axis,
 * so that adapters can rely on their lengths.
 */
#include "ops/op_impl.h"

/* Per tensor: one element. Per axis: rank 1 of that extent. Blocked (opset 21): the input's rank,
 * ceil(n / block) along the axis. */
static int check_scale(struct infer *c, uint32_t i, int axis, int64_t block)
{
    int rank = infer_rank(c, 0), scale_rank = infer_rank(c, i);
    if (rank < 0 || scale_rank < 0 || scale_rank == 0)
        return 0;
    if (!block) {
        if (scale_rank != 1)
            return infer_fail(c, "input %u has rank %d, expected 0 or 1", i, scale_rank);
        bool one = dim_equals(infer_dim(c, i, 0), 1);
        return one || rank == 0 ? 0
                                : infer_expect(c, infer_dim(c, i, 0), infer_dim(c, 0, axis),
                                               "the number of scales");
    }
    if (scale_rank != rank)
        return infer_fail(c, "blocked input %u has rank %d, the data has %d", i, scale_rank, rank);
    for (int k = 0; k < rank; k++) {
        dim_t want = infer_dim(c, 0, k);
        want = k == axis ? dim_ceildiv(c->dims, want, infer_int(c, block)) : want;
        int rc = infer_expect(c, infer_dim(c, i, k), want, "an extent of the scales");
        if (rc)
            return rc;
    }
    return 0;
}

static int check_parameters(struct infer *c)
{
    int rank = infer_rank(c, 0), axis = 0;
    int64_t block = node_int(c->node, "block_size", 0), a = node_int(c->node, "axis", 1);
    if (block < 0)
        return infer_fail(c, "block_size is %lld", (long long)block);
    /* the default 1 of a rank-1 input means its only axis; per-tensor parameters do not look at it
     */
    bool needs =
        infer_rank(c, 1) > 0 && !(infer_rank(c, 1) == 1 && dim_equals(infer_dim(c, 1, 0), 1));
    if (rank == 1 && a == 1)
        a = 0;
    if (rank > 0 && needs) {
        int rc = infer_axis(c, a, rank, &axis);
        if (rc)
            return rc;
    }
    int rc = check_scale(c, 1, axis, block);
    return rc || !infer_has(c, 2) ? rc : check_scale(c, 2, axis, block);
}

static int read_dtype(struct infer *c, const char *name, enum dtype *dtype)
{
    int64_t value = node_int(c->node, name, 0);
    *dtype = DT_UNDEFINED;
    if (value && !dtype_valid((int)value))
        return infer_fail(c, "there is no element type %lld", (long long)value);
    *dtype = (enum dtype)value;
    return 0;
}

int infer_quantize_linear(struct infer *c)
{
    enum dtype dtype;
    int rc = read_dtype(c, "output_dtype", &dtype);
    if (infer_has(c, 2))
        dtype = infer_dtype(c, 2);
    else if (dtype == DT_UNDEFINED)
        dtype = DT_UINT8;
    infer_out(c, 0, dtype, infer_rank(c, 0), infer_type(c, 0)->dims);
    return rc ? rc : check_parameters(c);
}

/* The scale's type, unless DequantizeLinear-23 names one. */
int infer_dequantize_linear(struct infer *c)
{
    enum dtype dtype;
    int rc = read_dtype(c, "output_dtype", &dtype);
    if (dtype == DT_UNDEFINED)
        dtype = infer_dtype(c, 1);
    infer_out(c, 0, dtype, infer_rank(c, 0), infer_type(c, 0)->dims);
    return rc ? rc : check_parameters(c);
}

int infer_dynamic_quantize_linear(struct infer *c)
{
    infer_out(c, 0, DT_UINT8, infer_rank(c, 0), infer_type(c, 0)->dims);
    infer_out(c, 1, DT_FLOAT, 0, NULL);
    infer_out(c, 2, DT_UINT8, 0, NULL);
    return 0;
}

/* ---- com.microsoft ---- */

static int broadcast_two(struct infer *c, uint32_t a, uint32_t b)
{
    const struct type *both[2] = {infer_type(c, a), infer_type(c, b)};
    int rank, most = both[0]->rank > both[1]->rank ? both[0]->rank : both[1]->rank;
    dim_t *dims = infer_room(c, most);
    int rc = infer_broadcast(c, both, 2, &rank, dims);
    infer_out(c, 0, infer_dtype(c, a), rank, dims);
    return rc;
}

/* A, a_scale, a_zero, B, b_scale, b_zero, c_scale, c_zero. */
int infer_qlinear_binary(struct infer *c) { return broadcast_two(c, 0, 3); }

/* condition, X, x_scale, x_zero, Y, y_scale, y_zero, z_scale, z_zero. */
int infer_qlinear_where(struct infer *c)
{
    const struct type *three[3] = {infer_type(c, 0), infer_type(c, 1), infer_type(c, 4)};
    int rank, most = 0;
    for (int i = 0; i < 3; i++)
        most = three[i]->rank > most ? three[i]->rank : most;
    dim_t *dims = infer_room(c, most);
    int rc = infer_broadcast(c, three, 3, &rank, dims);
    infer_out(c, 0, infer_dtype(c, 1), rank, dims);
    return rc;
}

/* y_scale, y_zero, then (tensor, scale, zero) per part. */
int infer_qlinear_concat(struct infer *c)
{
    uint32_t n = c->node->n_inputs;
    int rank = infer_rank(c, 2), axis;
    if (n < 5 || (n - 2) % 3)
        return infer_fail(c, "%u inputs are not a scale, a zero point and triples", n);
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 2));
    int rc = infer_axis(c, node_int(c->node, "axis", 0), rank, &axis);
    dim_t *dims = infer_dims_copy(c, 2);
    for (uint32_t i = 5; !rc && i < n; i += 3) {
        if (infer_rank(c, i) != rank)
            return infer_rank(c, i) < 0 ? infer_unknown(c, 0, infer_dtype(c, 2))
                                        : infer_fail(c, "the ranks differ");
        dims[axis] = dim_add(c->dims, dims[axis], infer_dim(c, i, axis));
        for (int k = 0; !rc && k < rank; k++)
            rc = k == axis ? 0 : infer_expect(c, infer_dim(c, i, k), dims[k], "an extent");
    }
    if (!rc)
        infer_out(c, 0, infer_dtype(c, 2), rank, dims);
    return rc;
}
