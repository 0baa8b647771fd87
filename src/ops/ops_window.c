/* Window attributes: see ops_window.h. Formulas: ONNX Conv-11, ConvTranspose-11, AveragePool-22,
 * MaxPool-22; the same as in kernels/float/window.c, there over numbers, here over dims.
 */
#include "ops/ops_window.h"

static bool read_list(const struct node *n, const char *name, int64_t want, const int64_t **list,
                      bool *fits)
{
    uint32_t count;
    if (!node_ints(n, name, list, &count))
        return false;
    *fits = *fits && count == want;
    return true;
}

static const int64_t *filled(struct arena *a, int64_t count, int64_t value)
{
    int64_t *list = arena_array(a, (size_t)count + 1, sizeof *list);
    for (int64_t i = 0; i < count; i++)
        list[i] = value;
    return list;
}

static bool all_at_least(const int64_t *list, int64_t count, int64_t low)
{
    for (int64_t i = 0; list && i < count; i++)
        if (list[i] < low)
            return false;
    return true;
}

static int read_mode(const struct node *n, struct arena *a)
{
    struct span text = node_string(n, "auto_pad", "NOTSET");
    return auto_pad_find(arena_printf(a, "%.*s", (int)num_clamp((int64_t)text.size, 0, 32),
                                      (const char *)text.data));
}

const char *window_read(const struct node *n, int rank, struct arena *a, struct window_attrs *w)
{
    bool fits = true;
    int mode = read_mode(n, a);
    *w = (struct window_attrs){.rank = rank, .ceil = node_int(n, "ceil_mode", 0) != 0};
    read_list(n, "kernel_shape", rank, &w->kernel, &fits);
    if (!read_list(n, "strides", rank, &w->stride, &fits))
        w->stride = filled(a, rank, 1);
    if (!read_list(n, "dilations", rank, &w->dilation, &fits))
        w->dilation = filled(a, rank, 1);
    if (!read_list(n, "pads", 2 * (int64_t)rank, &w->pads, &fits))
        w->pads = filled(a, 2 * (int64_t)rank, 0);
    if (!read_list(n, "output_padding", rank, &w->output_padding, &fits))
        w->output_padding = filled(a, rank, 0);
    read_list(n, "output_shape", rank, &w->output_shape, &fits);
    if (!fits)
        return arena_printf(a, "kernel_shape, strides, dilations or pads do not have %d axes",
                            rank);
    if (mode < 0)
        return "auto_pad is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID";
    w->mode = (enum auto_pad)mode;
    if (!all_at_least(w->kernel, rank, 1) || !all_at_least(w->stride, rank, 1) ||
        !all_at_least(w->dilation, rank, 1) || !all_at_least(w->output_padding, rank, 0))
        return "kernel_shape, strides and dilations must be positive";
    return NULL;
}

/* ---- dims ---- */

/* dilation * (kernel - 1) + 1 */
static dim_t reach_of(struct infer *c, const struct window_attrs *w, int axis, dim_t kernel)
{
    dim_t steps = dim_sub(c->dims, kernel, infer_int(c, 1));
    return dim_add(c->dims, dim_mul(c->dims, steps, infer_int(c, w->dilation[axis])),
                   infer_int(c, 1));
}

dim_t window_dim(struct infer *c, const struct window_attrs *w, int axis, dim_t in, dim_t kernel)
{
    dim_t stride = infer_int(c, w->stride[axis]);
    if (w->mode == AUTO_PAD_SAME_UPPER || w->mode == AUTO_PAD_SAME_LOWER)
        return dim_ceildiv(c->dims, in, stride);
    bool valid = w->mode == AUTO_PAD_VALID;
    dim_t begin = infer_int(c, valid ? 0 : w->pads[axis]),
          end = infer_int(c, valid ? 0 : w->pads[axis + w->rank]);
    dim_t padded = dim_add(c->dims, dim_add(c->dims, in, begin), end);
    dim_t room = dim_sub(c->dims, padded, reach_of(c, w, axis, kernel));
    if (!w->ceil || valid)
        return dim_add(c->dims, dim_floordiv(c->dims, room, stride), infer_int(c, 1));
    dim_t out = dim_add(c->dims, dim_ceildiv(c->dims, room, stride), infer_int(c, 1));
    return dim_min(c->dims, out, dim_ceildiv(c->dims, dim_add(c->dims, in, begin), stride));
}

dim_t window_dim_transposed(struct infer *c, const struct window_attrs *w, int axis, dim_t in,
                            dim_t kernel)
{
    if (w->output_shape)
        return infer_int(c, w->output_shape[axis]);
    dim_t stride = infer_int(c, w->stride[axis]);
    if (w->mode == AUTO_PAD_SAME_UPPER || w->mode == AUTO_PAD_SAME_LOWER)
        return dim_mul(c->dims, in, stride);
    bool valid = w->mode == AUTO_PAD_VALID;
    dim_t full = dim_mul(c->dims, stride, dim_sub(c->dims, in, infer_int(c, 1)));
    full = dim_add(c->dims, full, infer_int(c, w->output_padding[axis]));
    full = dim_add(c->dims, full, reach_of(c, w, axis, kernel));
    if (valid)
        return full;
    dim_t pads =
        dim_add(c->dims, infer_int(c, w->pads[axis]), infer_int(c, w->pads[axis + w->rank]));
    return dim_sub(c->dims, full, pads);
}

/* ---- numbers ---- */

static bool fill(const struct window_attrs *w, const int64_t *in, const int64_t *kernel,
                 struct window *out)
{
    if (w->rank < 1 || w->rank > WINDOW_MAX_RANK)
        return false;
    *out = (struct window){.rank = w->rank};
    for (int i = 0; i < w->rank; i++) {
        out->in[i] = in[i];
        out->kernel[i] = kernel[i];
        out->stride[i] = w->stride[i];
        out->dilation[i] = w->dilation[i];
        out->pad_begin[i] = w->pads[i];
        out->pad_end[i] = w->pads[i + w->rank];
    }
    return true;
}

bool window_fill(const struct window_attrs *w, const int64_t *in, const int64_t *kernel,
                 struct window *out)
{
    bool fits = fill(w, in, kernel, out);
    for (int i = 0; fits && i < w->rank; i++)
        fits = window_resolve(out, i, w->mode, w->ceil);
    return fits;
}

bool window_fill_transposed(const struct window_attrs *w, const int64_t *in, const int64_t *kernel,
                            struct window *out)
{
    bool fits = fill(w, in, kernel, out);
    for (int i = 0; fits && i < w->rank; i++)
        fits = window_resolve_transposed(out, i, w->mode, w->output_padding[i],
                                         w->output_shape ? w->output_shape[i] : -1);
    return fits;
}

bool window_gives(const struct window *w, int64_t planes, const struct tensor *y)
{
    int64_t count;
    return !y || (!__builtin_mul_overflow(window_out_size(w), planes, &count) && count == y->count);
}
