/* Adapters of Resize, Upsample, GridSample, AffineGrid with kernels/float/{resize,grid}.h. */
#include "ops/ops_resize.h"

#include "kernels/float/grid.h"
#include "kernels/float/resize.h"
#include "ops/adapt.h"

static const char *attr_text(struct eval *e, const char *name, const char *otherwise)
{
    struct span s = node_string(e->node, name, otherwise);
    return arena_printf(e->scratch, "%.*s", (int)num_clamp((int64_t)s.size, 0, 64),
                        (const char *)s.data);
}

static int refuse_attr(struct eval *e, const char *name, const char *value)
{
    return eval_fail(e, E_OP_FORM, "%s: %s '%s' is not known", e->node->op_type, name, value);
}

/* Before version 11: asymmetric, and the nearest rule that ONNX Runtime uses. */
static int read_modes(struct eval *e, struct resize_params *p)
{
    bool old = e->version < 11 || node_is(e->node, "Upsample");
    const char *mode = attr_text(e, "mode", "nearest");
    const char *coordinate = attr_text(e, "coordinate_transformation_mode", "half_pixel");
    const char *nearest = attr_text(e, "nearest_mode", "round_prefer_floor");
    int m = resize_mode_find(mode),
        c = old ? RESIZE_ASYMMETRIC : resize_coordinate_find(coordinate);
    int r = old ? RESIZE_SIMPLE : resize_nearest_find(nearest);
    if (m < 0 || c < 0 || r < 0)
        return refuse_attr(e,
                           m < 0   ? "mode"
                           : c < 0 ? "coordinate_transformation_mode"
                                   : "nearest_mode",
                           m < 0   ? mode
                           : c < 0 ? coordinate
                                   : nearest);
    p->mode = (enum resize_mode)m;
    p->coordinate = (enum resize_coordinate)c;
    p->nearest = (enum resize_nearest)r;
    p->cubic_a = (double)node_float(e->node, "cubic_coeff_a", -0.75f);
    p->exclude_outside = node_int(e->node, "exclude_outside", 0) != 0;
    p->antialias = node_int(e->node, "antialias", 0) != 0;
    p->extrapolation = node_float(e->node, "extrapolation_value", 0);
    return 0;
}

/* Extents of the axes that the node names, in its order (all axes when it names none). */
struct chosen {
    int64_t axis[RESIZE_MAX_RANK];
    int n;
};

static struct chosen read_axes(struct eval *e)
{
    struct chosen c = {.n = e->in[0]->rank};
    const int64_t *axes;
    uint32_t n;
    bool given = node_ints(e->node, "axes", &axes, &n);
    c.n = given ? (int)n : c.n;
    for (int i = 0; i < c.n && i < RESIZE_MAX_RANK; i++)
        c.axis[i] = given ? (axes[i] < 0 ? axes[i] + e->in[0]->rank : axes[i]) : i;
    return c;
}

/* Sizes give a scale per axis, out / in; with an aspect ratio to keep, one for all of them. */
static void scales_of_sizes(struct eval *e, const struct chosen *c, struct resize_params *p)
{
    const char *policy = attr_text(e, "keep_aspect_ratio_policy", "stretch");
    int64_t in[RESIZE_MAX_RANK], sizes[RESIZE_MAX_RANK], out[RESIZE_MAX_RANK];
    float one = 0;
    bool keep = policy[0] == 'n';
    for (int i = 0; i < c->n; i++) {
        in[i] = p->axis[c->axis[i]].in;
        sizes[i] = tensor_get_int(e->in[3], i);
    }
    keep = keep &&
           resize_keep_aspect(c->n, in, sizes, policy[4] == 's', out, &one); /* "not_smaller" */
    for (int i = 0; i < c->n; i++) {
        struct resize_axis *a = &p->axis[c->axis[i]];
        a->scale = keep ? one : a->in ? (float)a->out / (float)a->in : 1.0f;
    }
}

static int read_scales(struct eval *e, const struct chosen *c, struct resize_params *p)
{
    uint32_t at = e->version < 11 || node_is(e->node, "Upsample") ? 1 : 2;
    const float *scales;
    int64_t n;
    for (int i = 0; i < p->rank; i++)
        p->axis[i] = (struct resize_axis){e->in[0]->dims[i], e->out[0]->dims[i], 1.0f, 0, 1.0f};
    if (e->version >= 11 && has_in(e, 3) && e->in[3]->count == c->n) {
        scales_of_sizes(e, c, p);
        return 0;
    }
    if (!resize_scales(e->node, has_in(e, at) ? e->in[at] : NULL, e->scratch, &scales, &n) ||
        n != c->n)
        return eval_fail(e, E_SHAPE, "%s: neither scales nor sizes fit the input",
                         e->node->op_type);
    for (int i = 0; i < c->n; i++)
        p->axis[c->axis[i]].scale = scales[i];
    return 0;
}

static int read_roi(struct eval *e, const struct chosen *c, struct resize_params *p)
{
    if (p->coordinate != RESIZE_TF_CROP_AND_RESIZE)
        return 0;
    if (!has_in(e, 1) || e->in[1]->count != 2 * c->n)
        return eval_fail(e, E_SHAPE, "Resize: tf_crop_and_resize needs a region of %d numbers",
                         2 * c->n);
    for (int i = 0; i < c->n; i++) {
        p->axis[c->axis[i]].roi_start = (float)tensor_get(e->in[1], i);
        p->axis[c->axis[i]].roi_end = (float)tensor_get(e->in[1], i + c->n);
    }
    return 0;
}

static int run_resize(struct eval *e, const struct resize_params *p)
{
    int64_t bytes = resize_scratch(p);
    void *scratch = bytes < 0 ? NULL : eval_scratch(e, bytes, 1);
    if (!scratch)
        return bytes < 0 ? eval_form(e, "sizes of this kind") : eval_memory(e);
    if (p->mode == RESIZE_NEAREST && !p->antialias) {
        enum dtype t = e->in[0]->dtype;
        const struct tensor *fill =
            tensor_scalar(e->scratch, t == DT_STRING || dtype_bits(t) > 64 ? DT_FLOAT : t,
                          (double)p->extrapolation);
        const void *x = move_in(e, 0);
        void *y = move_out(e, 0);
        if (!x || !y)
            return eval_memory(e);
        resize_nearest(p, x, y, move_size(t), fill->data, scratch);
        return move_store(e, 0, y);
    }
    const float *x = stage_in(e, 0);
    float *y = stage_out(e, 0);
    if (!x || !y)
        return eval_memory(e);
    resize_f32(p, x, y, scratch);
    stage_store(e, 0, y);
    return 0;
}

int eval_resize(struct eval *e)
{
    struct resize_params p = {.rank = e->in[0]->rank};
    if (p.rank > RESIZE_MAX_RANK)
        return eval_form(e, "rank %d, at most %d", p.rank, RESIZE_MAX_RANK);
    struct chosen c = read_axes(e);
    for (int i = 0; i < c.n; i++)
        if (i >= RESIZE_MAX_RANK || c.axis[i] < 0 || c.axis[i] >= p.rank)
            return eval_axis_fault(e, i < RESIZE_MAX_RANK ? c.axis[i] : i, p.rank);
    int rc = read_modes(e, &p);
    rc = rc ? rc : read_scales(e, &c, &p);
    rc = rc ? rc : read_roi(e, &c, &p);
    if (rc || !e->out[0]->count)
        return rc;
    bool exact = p.mode == RESIZE_NEAREST || dtype_is_float(e->in[0]->dtype);
    if (e->in[0]->dtype == DT_DOUBLE && p.mode != RESIZE_NEAREST)
        return eval_form(e, "float64");
    if (!exact && dtype_bits(e->in[0]->dtype) > 16)
        return eval_form(e, "%s", dtype_name(e->in[0]->dtype));
    if (!resize_valid(&p))
        return eval_fail(e, E_SHAPE, "%s: the scales are out of range", e->node->op_type);
    return run_resize(e, &p);
}

int eval_upsample(struct eval *e) { return eval_resize(e); }

/* ---- grids ---- */

int eval_grid_sample(struct eval *e)
{
    const struct tensor *x = e->in[0], *y = e->out[0];
    struct grid_params p = {.rank = x->rank - 2, .batch = x->dims[0], .channels = x->dims[1]};
    const char *mode = attr_text(e, "mode", e->version < 20 ? "bilinear" : "linear");
    const char *padding = attr_text(e, "padding_mode", "zeros");
    int m = grid_mode_find(mode), pad = grid_padding_find(padding);
    if (p.rank > 3)
        return eval_form(e, "%d spatial axes, at most 3", p.rank);
    if (m < 0 || pad < 0)
        return refuse_attr(e, m < 0 ? "mode" : "padding_mode", m < 0 ? mode : padding);
    if (!dtype_is_float(x->dtype) || x->dtype == DT_DOUBLE)
        return eval_form(e, "%s", dtype_name(x->dtype));
    p.mode = (enum grid_mode)m;
    p.padding = (enum grid_padding)pad;
    p.align_corners = node_int(e->node, "align_corners", 0) != 0;
    for (int i = 0; i < p.rank; i++) {
        p.in[i] = x->dims[i + 2];
        p.out[i] = y->dims[i + 2];
    }
    if (!y->count)
        return 0;
    if (!x->count)
        return eval_fail(e, E_SHAPE, "GridSample: the input is empty");
    const float *data = stage_in(e, 0), *grid = stage_in(e, 1);
    float *to = stage_out(e, 0);
    if (!data || !grid || !to)
        return eval_memory(e);
    grid_sample_f32(&p, data, grid, to);
    stage_store(e, 0, to);
    return 0;
}

int eval_affine_grid(struct eval *e)
{
    const struct tensor *theta = e->in[0], *y = e->out[0];
    int rank = y->rank - 2;
    if (theta->rank != 3 || theta->dims[1] != rank || theta->dims[2] != rank + 1 ||
        theta->dims[0] != y->dims[0])
        return eval_fail(e, E_SHAPE, "AffineGrid: theta does not fit %d axes", rank);
    if (theta->dtype == DT_DOUBLE)
        return eval_form(e, "float64");
    const float *t = stage_in(e, 0);
    float *grid = stage_out(e, 0);
    if (!t || !grid)
        return eval_memory(e);
    if (y->count)
        grid_affine_f32(rank, y->dims[0], y->dims + 1, node_int(e->node, "align_corners", 0) != 0,
                        t, grid);
    stage_store(e, 0, grid);
    return 0;
}
