/* Shapes of Resize, Upsample, GridSample, AffineGrid. */
#include "base/num.h"
#include "kernels/float/resize.h"
#include "ops/ops_resize.h"

/* Scales as they stand: a float attribute or a float tensor. */
bool resize_scales(const struct node *n, const struct tensor *scales, struct arena *a,
                   const float **list, int64_t *count)
{
    const float *attr;
    uint32_t given;
    if (node_floats(n, "scales", &attr, &given)) {
        *list = attr;
        *count = given;
        return true;
    }
    if (!scales || scales->count > TENSOR_MAX_RANK)
        return false;
    float *copy = arena_array(a, (size_t)scales->count + 1, sizeof *copy);
    for (int64_t i = 0; i < scales->count; i++)
        copy[i] = (float)tensor_get(scales, i);
    *list = copy;
    *count = scales->count;
    return true;
}

/* floor(extent * scale), in float as the operator's text and onnxruntime compute it. */
static dim_t scaled(struct infer *c, dim_t in, float scale)
{
    int64_t size;
    if (dim_is_const(in, &size))
        return resize_out(size, scale) < 0 ? NULL : infer_int(c, resize_out(size, scale));
    double whole = (double)scale;
    if (whole == (double)num_trunc(whole)) /* exact: a whole factor */
        return dim_mul(c->dims, in, infer_int(c, num_trunc(whole)));
    double inverse = 1.0 / whole;
    if (inverse == (double)num_trunc(inverse)) /* exact: one over a whole number */
        return dim_floordiv(c->dims, in, infer_int(c, num_trunc(inverse)));
    double half = whole * 2; /* exact: 1.5, 2.5 */
    if (half == (double)num_trunc(half))
        return dim_floordiv(c->dims, dim_mul(c->dims, in, infer_int(c, num_trunc(half))),
                            infer_int(c, 2));
    return NULL;
}

static int resize_axes(struct infer *c, int64_t n, int rank, int *axes)
{
    const int64_t *list;
    uint32_t count;
    bool chosen = node_ints(c->node, "axes", &list, &count);
    if (n != (chosen ? (int64_t)count : rank))
        return infer_fail(c, "%lld scales or sizes are given for %lld axes", (long long)n,
                          chosen ? (long long)count : (long long)rank);
    for (int64_t i = 0; i < n; i++) {
        int rc = infer_axis(c, chosen ? list[i] : i, rank, &axes[i]);
        if (rc)
            return rc;
    }
    return 0;
}

static int by_scales(struct infer *c, const float *scales, int64_t n, int rank)
{
    dim_t *dims = infer_dims_copy(c, 0);
    int *axes = arena_array(c->arena, (size_t)n + 1, sizeof *axes);
    int rc = resize_axes(c, n, rank, axes);
    for (int64_t i = 0; !rc && i < n; i++) {
        if (!(scales[i] > 0))
            return infer_fail(c, "a scale is not positive");
        dims[axes[i]] = scaled(c, dims[axes[i]], scales[i]);
    }
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return rc;
}

/* keep_aspect_ratio_policy not_larger / not_smaller (Resize-18). */
static bool keep_aspect(struct infer *c, const dim_t *sizes, int64_t n, const int *axes,
                        bool larger, dim_t *dims)
{
    int64_t in[RESIZE_MAX_RANK] = {0}, wanted[RESIZE_MAX_RANK] = {0}, out[RESIZE_MAX_RANK];
    float scale;
    if (n < 1 || n > RESIZE_MAX_RANK)
        return false;
    for (int64_t i = 0; i < n; i++)
        if (!dim_is_const(sizes[i], &wanted[i]) || !dim_is_const(dims[axes[i]], &in[i]))
            return false;
    if (!resize_keep_aspect((int)n, in, wanted, larger, out, &scale))
        return false;
    for (int64_t i = 0; i < n; i++)
        dims[axes[i]] = infer_int(c, out[i]);
    return true;
}

static int by_sizes(struct infer *c, const dim_t *sizes, int64_t n, int rank)
{
    dim_t *dims = infer_dims_copy(c, 0);
    int *axes = arena_array(c->arena, (size_t)n + 1, sizeof *axes);
    int rc = resize_axes(c, n, rank, axes);
    int64_t size;
    for (int64_t i = 0; !rc && i < n; i++)
        if (dim_is_const(sizes[i], &size) && size < 0)
            rc = infer_fail(c, "a size is %lld", (long long)size);
    if (rc)
        return rc;
    bool stretch = node_string_is(c->node, "keep_aspect_ratio_policy", "stretch", "stretch");
    bool larger = node_string_is(c->node, "keep_aspect_ratio_policy", "stretch", "not_smaller");
    if (!stretch && !keep_aspect(c, sizes, n, axes, larger, dims))
        for (int64_t i = 0; i < n; i++)
            dims[axes[i]] = NULL;
    for (int64_t i = 0; stretch && i < n; i++)
        dims[axes[i]] = sizes[i];
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return 0;
}

/* Resize-10: X, scales. Resize-11: X, roi, scales, sizes. */
int infer_resize(struct infer *c)
{
    uint32_t at = c->version < 11 ? 1 : 2;
    const struct tensor *given = infer_data(c, at);
    const float *scales;
    const dim_t *sizes;
    int64_t n;
    int rank = infer_rank(c, 0);
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (c->version >= 11 && infer_has(c, 3) && infer_values(c, 3, &sizes, &n) && n > 0)
        return by_sizes(c, sizes, n, rank);
    bool has_scales =
        infer_has(c, at) && resize_scales(c->node, given, c->arena, &scales, &n) && n > 0;
    if (has_scales && !(c->version >= 11 && infer_has(c, 3)))
        return by_scales(c, scales, n, rank);
    infer_out(c, 0, infer_dtype(c, 0), rank, infer_room(c, rank));
    return 0;
}

/* Upsample-7: scales as an attribute; -9: as an input. */
int infer_upsample(struct infer *c)
{
    const float *scales;
    int64_t n;
    int rank = infer_rank(c, 0);
    if (rank < 0 || !resize_scales(c->node, infer_data(c, 1), c->arena, &scales, &n)) {
        infer_out(c, 0, infer_dtype(c, 0), rank, infer_room(c, rank));
        return 0;
    }
    return by_scales(c, scales, n, rank);
}

/* GridSample-16: x [N, C, in...], grid [N, out..., spatial axes]. */
int infer_grid_sample(struct infer *c)
{
    int rank = infer_rank(c, 0), grid = infer_rank(c, 1);
    rank = rank < 0 ? grid : rank;
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (rank < 3 || (grid >= 0 && grid != rank))
        return infer_fail(c, "the input has rank %d and the grid %d", rank, grid);
    dim_t *dims = infer_room(c, rank);
    dims[0] = infer_dim(c, 0, 0) ? infer_dim(c, 0, 0) : infer_dim(c, 1, 0);
    dims[1] = infer_dim(c, 0, 1);
    for (int i = 2; i < rank; i++)
        dims[i] = infer_dim(c, 1, i - 1);
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    int rc =
        infer_expect(c, infer_dim(c, 1, -1), infer_int(c, rank - 2), "the length of a grid point");
    return rc ? rc
              : infer_expect(c, infer_dim(c, 1, 0), infer_dim(c, 0, 0), "the batch of the grid");
}

/* AffineGrid-20: theta [N, 2, 3] or [N, 3, 4], size [N, C, (D,) H, W]; output [N, (D,) H, W, 2 or
 * 3]. */
int infer_affine_grid(struct infer *c)
{
    const dim_t *size;
    int64_t n;
    if (!infer_values(c, 1, &size, &n))
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (n != 4 && n != 5)
        return infer_fail(c, "size has %lld entries, expected 4 or 5", (long long)n);
    dim_t dims[5];
    int rank = 0;
    dims[rank++] = size[0];
    for (int64_t i = 2; i < n; i++)
        dims[rank++] = size[i];
    dims[rank++] = infer_int(c, n - 2);
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return infer_expect(c, infer_dim(c, 0, 1), infer_int(c, n - 2), "the rows of theta");
}
