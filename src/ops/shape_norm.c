/* Shapes of the normalizations: the first output is shaped like the first input; what differs are
 * the statistics beside it. */
#include "ops/op_impl.h"

static int channel_vectors(struct infer *c, uint32_t first, uint32_t last, dim_t channels)
{
    for (uint32_t i = first; i <= last; i++) {
        if (!infer_has(c, i))
            continue;
        if (infer_rank(c, i) >= 0 && infer_rank(c, i) != 1)
            return infer_fail(c, "input %u has rank %d, expected 1", i, infer_rank(c, i));
        int rc = infer_expect(c, infer_dim(c, i, 0), channels, "the length of a parameter");
        if (rc)
            return rc;
    }
    return 0;
}

/* BatchNormalization-9: scale, B, mean, var [C]; from 14 on the outputs 1 and 2 are the running
 * statistics. */
int infer_batch_norm(struct infer *c)
{
    int rank = infer_rank(c, 0);
    dim_t channels = rank == 1 ? infer_int(c, 1) : infer_dim(c, 0, 1);
    if (rank == 0)
        return infer_fail(c, "the input is a scalar");
    int rc = node_int(c->node, "spatial", 1) ? channel_vectors(c, 1, 4, channels) : 0;
    infer_out_like(c, 0, 0);
    for (uint32_t i = 1; i < 5; i++)
        infer_out(c, i, infer_dtype(c, i <= 2 && c->version >= 14 ? i + 2 : 1), 1, &channels);
    return rc;
}

int infer_instance_norm(struct infer *c)
{
    if (infer_rank(c, 0) >= 0 && infer_rank(c, 0) < 2)
        return infer_fail(c, "the input has rank %d, expected at least 2", infer_rank(c, 0));
    infer_out_like(c, 0, 0);
    return channel_vectors(c, 1, 2, infer_dim(c, 0, 1));
}

/* GroupNormalization-18 has scale and bias per group, -21 per channel. */
int infer_group_norm(struct infer *c)
{
    int64_t groups = node_int(c->node, "num_groups", 0), channels;
    if (infer_rank(c, 0) >= 0 && infer_rank(c, 0) < 2)
        return infer_fail(c, "the input has rank %d, expected at least 2", infer_rank(c, 0));
    if (groups < 1 || (dim_is_const(infer_dim(c, 0, 1), &channels) && channels % groups))
        return infer_fail(c, "the channels do not divide into %lld groups", (long long)groups);
    infer_out_like(c, 0, 0);
    return channel_vectors(c, 1, 2, c->version < 21 ? infer_int(c, groups) : infer_dim(c, 0, 1));
}

/* The statistics of LayerNormalization-17: 1 from the axis on; of the stash type, float. */
int infer_layer_norm(struct infer *c)
{
    int rank = infer_rank(c, 0), axis;
    enum dtype stash = (enum dtype)node_int(c->node, "stash_type", DT_FLOAT);
    infer_out_like(c, 0, 0);
    if (rank < 0) {
        infer_unknown(c, 1, stash);
        return infer_unknown(c, 2, stash);
    }
    int rc = infer_axis(c, node_int(c->node, "axis", -1), rank, &axis);
    dim_t *dims = infer_dims_copy(c, 0);
    for (int i = rc ? rank : axis; i < rank; i++)
        dims[i] = infer_int(c, 1);
    infer_out(c, 1, stash, rank, dims);
    infer_out(c, 2, stash, rank, dims);
    return rc;
}

static int axis_like(struct infer *c, int64_t otherwise)
{
    int rank = infer_rank(c, 0), axis;
    infer_out_like(c, 0, 0);
    return rank < 0 ? 0 : infer_axis(c, node_int(c->node, "axis", otherwise), rank, &axis);
}

int infer_rms_norm(struct infer *c) { return axis_like(c, -1); }

int infer_lp_norm(struct infer *c)
{
    int64_t p = node_int(c->node, "p", 2);
    int rc = axis_like(c, -1);
    return rc || p == 1 || p == 2 ? rc : infer_fail(c, "p is %lld, expected 1 or 2", (long long)p);
}

/* com.microsoft Skip*LayerNormalization: output, mean, inv_std, input + skip. mean and inv_std: 1
 * along the last axis. */
int infer_skip_layer_norm(struct infer *c)
{
    int rank = infer_rank(c, 0);
    infer_out_like(c, 0, 0);
    infer_out_like(c, 3, 0);
    dim_t *dims = rank > 0 ? infer_dims_copy(c, 0) : NULL;
    if (dims)
        dims[rank - 1] = infer_int(c, 1);
    for (uint32_t i = 1; i < 3; i++)
        infer_out(c, i, DT_FLOAT, dims ? rank : -1, dims);
    return rank > 0 && infer_has(c, 2)
               ? infer_expect(c, infer_dim(c, 2, -1), infer_dim(c, 0, -1), "the length of gamma")
               : 0;
}

/* com.microsoft EmbedLayerNormalization: ids [B, S], word table [V, H]; output [B, S, H], mask
 * index [B], sum [B, S, H]. */
int infer_embed_layer_norm(struct infer *c)
{
    dim_t dims[3] = {infer_dim(c, 0, 0), infer_dim(c, 0, 1), infer_dim(c, 2, 1)};
    infer_out(c, 0, infer_dtype(c, 2), 3, dims);
    infer_out(c, 1, DT_INT32, 1, dims);
    infer_out(c, 2, infer_dtype(c, 2), 3, dims);
    if (infer_rank(c, 0) >= 0 && infer_rank(c, 0) != 2)
        return infer_fail(c, "the ids have rank %d, expected 2", infer_rank(c, 0));
    for (uint32_t i = 2; i < 5; i++)
        if (infer_has(c, i) && infer_rank(c, i) >= 0 && infer_rank(c, i) != 2)
            return infer_fail(c, "table %u has rank %d, expected 2", i, infer_rank(c, i));
    return 0;
}
