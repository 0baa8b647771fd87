/* Shapes and multiply-accumulate counts of the convolutions. Inputs are [N, C, spatial...], weights
 * [M, C / group, kernel...], transposed [C, M / group, kernel...].
 */
#include "ops/ops_window.h"

#include <string.h>

/* What one convolution operator calls its inputs. */
struct conv_slots {
    uint32_t x, w, bias;
    bool transposed, channels_last;
};

static dim_t conv_kernel(struct infer *c, const struct window_attrs *w, const struct conv_slots *s,
                         int axis)
{
    return w->kernel ? infer_int(c, w->kernel[axis]) : infer_dim(c, s->w, axis + 2);
}

static int conv_check(struct infer *c, const struct window_attrs *w, const struct conv_slots *s,
                      dim_t channels)
{
    int64_t group = node_int(c->node, "group", 1), out;
    if (group < 1)
        return infer_fail(c, "group is %lld", (long long)group);
    dim_t per_group = infer_dim(c, s->w, s->transposed ? 0 : 1);
    dim_t want = s->transposed ? per_group : dim_mul(c->dims, per_group, infer_int(c, group));
    int rc = infer_expect(c, channels, want, "the number of input channels");
    if (!rc && !s->transposed && dim_is_const(infer_dim(c, s->w, 0), &out) && out % group)
        rc = infer_fail(c, "%lld output channels are not a multiple of group %lld", (long long)out,
                        (long long)group);
    if (!rc && s->transposed && dim_is_const(channels, &out) && out % group)
        rc = infer_fail(c, "%lld input channels are not a multiple of group %lld", (long long)out,
                        (long long)group);
    for (int i = 0; !rc && w->kernel && i < w->rank; i++)
        rc = infer_expect(c, infer_dim(c, s->w, i + 2), infer_int(c, w->kernel[i]),
                          "the weight's extent");
    return rc;
}

static int conv_spatial(struct infer *c, const struct window_attrs *w, const struct conv_slots *s,
                        int first, dim_t *dims)
{
    for (int i = 0; i < w->rank; i++) {
        dim_t in = infer_dim(c, s->x, first + i), kernel = conv_kernel(c, w, s, i);
        int64_t size;
        dims[first + i] = s->transposed ? window_dim_transposed(c, w, i, in, kernel)
                                        : window_dim(c, w, i, in, kernel);
        bool known = dim_is_const(dims[first + i], &size);
        if (known && (size < 0 || (size < 1 && !dim_equals(in, 0))))
            return infer_fail(c, "the window does not fit spatial axis %d", i);
    }
    return 0;
}

static int conv_out(struct infer *c, const struct conv_slots *s, enum dtype dtype)
{
    int rank = infer_rank(c, s->x), w_rank = infer_rank(c, s->w);
    rank = rank < 0 ? w_rank : rank;
    if (rank < 0)
        return infer_unknown(c, 0, dtype);
    if (rank < 3 || (w_rank >= 0 && w_rank != rank) ||
        (infer_rank(c, s->x) >= 0 && infer_rank(c, s->x) != rank))
        return infer_fail(c, "the input has rank %d and the weight %d", infer_rank(c, s->x),
                          w_rank);
    struct window_attrs w;
    const char *fault = window_read(c->node, rank - 2, c->arena, &w);
    if (fault)
        return infer_fail(c, "%s", fault);
    int channel_axis = s->channels_last ? rank - 1 : 1;
    int rc = conv_check(c, &w, s, infer_dim(c, s->x, channel_axis));
    dim_t *dims = infer_room(c, rank);
    dims[0] = infer_dim(c, s->x, 0);
    dims[channel_axis] = s->transposed ? dim_mul(c->dims, infer_dim(c, s->w, 1),
                                                 infer_int(c, node_int(c->node, "group", 1)))
                                       : infer_dim(c, s->w, 0);
    rc = rc ? rc : conv_spatial(c, &w, s, s->channels_last ? 1 : 2, dims);
    if (!rc && infer_has(c, s->bias) && infer_rank(c, s->bias) == 1)
        rc = infer_expect(c, infer_dim(c, s->bias, 0), dims[channel_axis], "the bias's length");
    infer_out(c, 0, dtype, rank, dims);
    return rc;
}

static const struct conv_slots plain = {.x = 0, .w = 1, .bias = 2};

int infer_conv(struct infer *c)
{
    bool integer = node_is(c->node, "ConvInteger");
    struct conv_slots s = plain;
    s.bias = integer ? UINT32_MAX : 2;
    return conv_out(c, &s, integer ? DT_INT32 : infer_dtype(c, 0));
}

int infer_conv_transpose(struct infer *c)
{
    static const struct conv_slots slots = {.x = 0, .w = 1, .bias = 2, .transposed = true};
    return conv_out(c, &slots, infer_dtype(c, 0));
}

/* x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias; com.microsoft adds channels_last.
 */
int infer_qlinear_conv(struct infer *c)
{
    struct conv_slots s = {
        .x = 0, .w = 3, .bias = 8, .channels_last = node_int(c->node, "channels_last", 0) != 0};
    enum dtype dtype = infer_has(c, 7) ? infer_dtype(c, 7) : infer_dtype(c, 0);
    return conv_out(c, &s, dtype);
}

/* com.microsoft NhwcConv: activations channels last, weights as Conv's. */
int infer_nhwc_conv(struct infer *c)
{
    static const struct conv_slots slots = {.x = 0, .w = 1, .bias = 2, .channels_last = true};
    return conv_out(c, &slots, infer_dtype(c, 0));
}

/* DeformConv-19: x, w, offset, bias, mask. */
int infer_deform_conv(struct infer *c)
{
    static const struct conv_slots slots = {.x = 0, .w = 1, .bias = 3};
    return conv_out(c, &slots, infer_dtype(c, 0));
}

/* Col2Im-18: [N, C * block, L] with image_shape and block_shape to [N, C, image...]. */
int infer_col2im(struct infer *c)
{
    const dim_t *image, *block;
    int64_t n_image, n_block;
    if (!infer_values(c, 1, &image, &n_image) || !infer_values(c, 2, &block, &n_block))
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (infer_rank(c, 0) >= 0 && infer_rank(c, 0) != 3)
        return infer_fail(c, "the input has rank %d, expected 3", infer_rank(c, 0));
    if (n_image != n_block)
        return infer_fail(c, "the image has %lld axes, the block %lld", (long long)n_image,
                          (long long)n_block);
    dim_t *dims = infer_room(c, (int)n_image + 2);
    dim_t size = infer_product(c, block, n_block);
    if (dim_equals(size, 0))
        return infer_fail(c, "the block is empty");
    dims[0] = infer_dim(c, 0, 0);
    dims[1] = dim_floordiv(c->dims, infer_dim(c, 0, 1), size);
    memcpy(dims + 2, image, (size_t)n_image * sizeof *dims);
    infer_out(c, 0, infer_dtype(c, 0), (int)n_image + 2, dims);
    return 0;
}

/* CausalConvWithState-27: input [B, D, L], weight [D, 1, K], bias, past_state [B, D, K - 1]; the
 * state keeps its shape. */
int infer_causal_conv(struct infer *c)
{
    infer_out_like(c, 0, 0);
    if (infer_rank(c, 0) < 2 || infer_rank(c, 1) < 0)
        return infer_unknown(c, 1, infer_dtype(c, 0));
    dim_t keep = dim_sub(c->dims, infer_dim(c, 1, -1), infer_int(c, 1));
    dim_t dims[3] = {infer_dim(c, 0, 0), infer_dim(c, 0, 1), keep};
    infer_out(c, 1, infer_dtype(c, 0), 3, dims);
    return 0;
}

/* ---- multiply-accumulates ---- */

/* Elements of the value times the weight elements that each of them takes. */
static int conv_macs(const struct value *per, const struct value *weight, int w_first,
                     int64_t *macs)
{
    int64_t total = 1, size;
    if (!per || !weight || per->type.rank < 0 || weight->type.rank < 0)
        return -1;
    for (int i = 0; i < per->type.rank; i++)
        if (!value_dim(per, i, &size) || __builtin_mul_overflow(total, size, &total))
            return -1;
    for (int i = w_first; i < weight->type.rank; i++)
        if (!value_dim(weight, i, &size) || __builtin_mul_overflow(total, size, &total))
            return -1;
    *macs = total;
    return 0;
}

int macs_conv(const struct node *n, int64_t *macs)
{
    return conv_macs(node_output(n, 0), node_input(n, 1), 1, macs);
}
int macs_qlinear_conv(const struct node *n, int64_t *macs)
{
    return conv_macs(node_output(n, 0), node_input(n, 3), 1, macs);
}
int macs_nhwc_conv(const struct node *n, int64_t *macs) { return macs_conv(n, macs); }
int macs_deform_conv(const struct node *n, int64_t *macs) { return macs_conv(n, macs); }
int macs_causal_conv(const struct node *n, int64_t *macs) { return macs_conv(n, macs); }
/* Each input element meets M / group * kernel weights. */
int macs_conv_transpose(const struct node *n, int64_t *macs)
{
    return conv_macs(node_input(n, 0), node_input(n, 1), 1, macs);
}
