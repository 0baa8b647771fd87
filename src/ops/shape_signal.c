/* Shapes of the signal operators: DFT, STFT, window functions, MelWeightMatrix; of the losses,
 * Einsum and the optimizers. */
#include "ops/op_impl.h"

#include <string.h>

/* ---- spectra ---- */

/* DFT-17 has the axis as an attribute (default 1), DFT-20 as input 2 (default -2). The last axis
 * holds the real or complex number. */
int infer_dft(struct infer *c)
{
    const dim_t *length;
    const int64_t *axis_list;
    int64_t n, a = c->version < 20 ? node_int(c->node, "axis", 1) : -2;
    int rank = infer_rank(c, 0), axis;
    bool inverse = node_int(c->node, "inverse", 0) != 0,
         onesided = node_int(c->node, "onesided", 0) != 0;
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    dim_t *dims = infer_dims_copy(c, 0);
    bool known_axis = !infer_has(c, 2) || (infer_ints(c, 2, &axis_list, &n) && n == 1);
    if (infer_has(c, 2) && known_axis)
        a = axis_list[0];
    if (rank < 2)
        return infer_fail(c, "the input has rank %d, expected at least 2", rank);
    int rc = known_axis ? infer_axis(c, a, rank, &axis) : 0;
    if (rc || !known_axis) {
        infer_out(c, 0, infer_dtype(c, 0), rank, infer_room(c, rank));
        return rc;
    }
    if (axis == rank - 1)
        return infer_fail(c, "axis %d holds the numbers themselves", axis);
    dim_t size = dims[axis];
    if (infer_has(c, 1))
        size = infer_values(c, 1, &length, &n) && n == 1 ? length[0] : NULL;
    else if (inverse && onesided) /* as many points as bins belong to: 2 (bins - 1) */
        size = dim_mul(c->dims, infer_int(c, 2), dim_sub(c->dims, size, infer_int(c, 1)));
    dim_t half = dim_add(c->dims, dim_floordiv(c->dims, size, infer_int(c, 2)), infer_int(c, 1));
    dims[axis] = onesided && !inverse ? half : size;
    dims[rank - 1] = infer_int(c, onesided && inverse ? 1 : 2);
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return 0;
}

/* STFT-17: signal [B, samples, 1 or 2] (exporters also leave out the last axis of a real one), frame_step, window, frame_length; [B, frames, bins, 2]. */
int infer_stft(struct infer *c)
{
    const dim_t *step, *given;
    int64_t n, by;
    dim_t frame = infer_has(c, 2) ? infer_dim(c, 2, 0) : NULL;
    if (infer_has(c, 3) && infer_values(c, 3, &given, &n) && n == 1)
        frame = given[0];
    dim_t dims[4] = {infer_dim(c, 0, 0), NULL, NULL, infer_int(c, 2)};
    bool onesided = node_int(c->node, "onesided", 1) != 0;
    dims[2] = onesided
                  ? dim_add(c->dims, dim_floordiv(c->dims, frame, infer_int(c, 2)), infer_int(c, 1))
                  : frame;
    if (infer_values(c, 1, &step, &n) && n == 1 && dim_is_const(step[0], &by)) {
        if (by < 1)
            return infer_fail(c, "the step is %lld", (long long)by);
        dim_t room = dim_sub(c->dims, infer_dim(c, 0, 1), frame);
        dims[1] = dim_add(c->dims, dim_floordiv(c->dims, room, infer_int(c, by)), infer_int(c, 1));
    }
    infer_out(c, 0, infer_dtype(c, 0), 4, dims);
    if (infer_rank(c, 0) >= 0 && infer_rank(c, 0) != 3 && infer_rank(c, 0) != 2)
        return infer_fail(c, "the signal has rank %d, expected 2 or 3", infer_rank(c, 0));
    return 0;
}

static int dtype_attr(struct infer *c, enum dtype *dtype)
{
    int64_t value = node_int(c->node, "output_datatype", DT_FLOAT);
    *dtype = (enum dtype)value;
    return value > 0 && value < DT_COUNT
               ? 0
               : infer_fail(c, "there is no element type %lld", (long long)value);
}

int infer_window(struct infer *c)
{
    const dim_t *size;
    int64_t n;
    enum dtype dtype;
    int rc = dtype_attr(c, &dtype);
    dim_t dims[1] = {infer_values(c, 0, &size, &n) && n == 1 ? size[0] : NULL};
    infer_out(c, 0, dtype, 1, dims);
    return rc;
}

/* MelWeightMatrix-17: bins, dft_length, sample_rate, lower, upper; [dft_length / 2 + 1, bins]. */
int infer_mel_weight_matrix(struct infer *c)
{
    const dim_t *bins, *length;
    int64_t n;
    enum dtype dtype;
    int rc = dtype_attr(c, &dtype);
    dim_t dims[2] = {NULL, NULL};
    if (infer_values(c, 0, &bins, &n) && n == 1)
        dims[1] = bins[0];
    if (infer_values(c, 1, &length, &n) && n == 1)
        dims[0] =
            dim_add(c->dims, dim_floordiv(c->dims, length[0], infer_int(c, 2)), infer_int(c, 1));
    infer_out(c, 0, dtype, 2, dims);
    return rc;
}

/* ---- losses: scores [N, C, d...], targets [N, d...] ---- */

static int loss_out(struct infer *c)
{
    int rank = infer_rank(c, 0);
    if (rank >= 0 && rank < 2)
        return infer_fail(c, "the scores have rank %d, expected at least 2", rank);
    if (rank >= 0 && infer_rank(c, 1) >= 0 && infer_rank(c, 1) != rank - 1)
        return infer_fail(c, "the targets have rank %d, expected %d", infer_rank(c, 1), rank - 1);
    for (int i = 0; i + 1 < rank && infer_rank(c, 1) >= 0; i++) {
        int rc = infer_expect(c, infer_dim(c, 1, i), infer_dim(c, 0, i ? i + 1 : 0),
                              "an extent of the targets");
        if (rc)
            return rc;
    }
    if (node_string_is(c->node, "reduction", "mean", "none"))
        infer_out(c, 0, infer_dtype(c, 0), infer_rank(c, 1), infer_type(c, 1)->dims);
    else
        infer_out(c, 0, infer_dtype(c, 0), 0, NULL);
    return infer_has(c, 2)
               ? infer_expect(c, infer_dim(c, 2, 0), infer_dim(c, 0, 1), "the number of weights")
               : 0;
}

int infer_nll_loss(struct infer *c) { return loss_out(c); }

int infer_sce_loss(struct infer *c)
{
    infer_out_like(c, 1, 0); /* the log probabilities */
    return loss_out(c);
}

/* ai.onnx.preview.training Adagrad, Momentum (2 tensors each), Adam (3): rate, count, X..., G...,
 * states...; X and states come out. */
int infer_optimizer(struct infer *c)
{
    uint32_t states = node_is_in(c->node, c->node->domain, "Adam") ? 2 : 1,
             n = c->node->n_inputs - 2;
    if (n % (2 + states))
        return infer_fail(c, "%u tensors do not divide into groups of %u", n, 2 + states);
    uint32_t each = n / (2 + states);
    for (uint32_t i = 0; i < each; i++)
        infer_out_like(c, i, 2 + i);
    for (uint32_t i = 0; i < each * states; i++)
        infer_out_like(c, each + i, 2 + 2 * each + i);
    return 0;
}
