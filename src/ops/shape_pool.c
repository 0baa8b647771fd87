/* Shapes of pooling, region pooling, non-maximum suppression and unpooling. */
#include "ops/ops_window.h"

static int pool_read(struct infer *c, int rank, struct window_attrs *w)
{
    const char *fault = window_read(c->node, rank - 2, c->arena, w);
    if (!fault && !w->kernel)
        fault = "kernel_shape is missing";
    return fault ? infer_fail(c, "%s", fault) : 0;
}

/* MaxPool, AveragePool, LpPool: output 1 of MaxPool are the indices. */
int infer_pool(struct infer *c)
{
    int rank = infer_rank(c, 0);
    struct window_attrs w;
    if (rank < 0) {
        infer_unknown(c, 1, DT_INT64);
        return infer_unknown(c, 0, infer_dtype(c, 0));
    }
    if (rank < 3)
        return infer_fail(c, "the input has rank %d, expected at least 3", rank);
    int rc = pool_read(c, rank, &w);
    dim_t *dims = infer_dims_copy(c, 0);
    for (int i = 0; !rc && i < rank - 2; i++) {
        int64_t size;
        dim_t in = dims[i + 2];
        dims[i + 2] = window_dim(c, &w, i, in, infer_int(c, w.kernel[i]));
        if (dim_is_const(dims[i + 2], &size) && (size < 0 || (size < 1 && !dim_equals(in, 0))))
            rc = infer_fail(c, "the window does not fit spatial axis %d", i);
    }
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    infer_out(c, 1, DT_INT64, rank, dims);
    return rc;
}

int infer_global_pool(struct infer *c)
{
    int rank = infer_rank(c, 0);
    if (rank >= 0 && rank < 2)
        return infer_fail(c, "the input has rank %d, expected at least 2", rank);
    dim_t *dims = rank < 0 ? NULL : infer_dims_copy(c, 0);
    for (int i = 2; i < rank; i++)
        dims[i] = infer_int(c, 1);
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return 0;
}

/* MaxUnpool-9: the inverse of MaxPool's extents, or output_shape. */
int infer_max_unpool(struct infer *c)
{
    int rank = infer_rank(c, 0);
    const dim_t *wanted;
    int64_t n;
    struct window_attrs w;
    if (infer_has(c, 2)) {
        if (!infer_values(c, 2, &wanted, &n))
            return infer_unknown(c, 0, infer_dtype(c, 0));
        if (rank >= 0 && n != rank)
            return infer_fail(c, "output_shape has %lld entries, the input has rank %d",
                              (long long)n, rank);
        infer_out(c, 0, infer_dtype(c, 0), (int)n, wanted);
        return 0;
    }
    if (rank < 0)
        return infer_unknown(c, 0, infer_dtype(c, 0));
    if (rank < 3)
        return infer_fail(c, "the input has rank %d, expected at least 3", rank);
    int rc = pool_read(c, rank, &w);
    dim_t *dims = infer_dims_copy(c, 0);
    for (int i = 0; !rc && i < rank - 2; i++)
        dims[i + 2] = window_dim_transposed(c, &w, i, dims[i + 2], infer_int(c, w.kernel[i]));
    infer_out(c, 0, infer_dtype(c, 0), rank, dims);
    return rc;
}

static int positive(struct infer *c, int64_t size, const char *name)
{
    return size < 1 ? infer_fail(c, "%s is %lld", name, (long long)size) : 0;
}

/* RoiAlign-10: x [N, C, H, W], rois [R, 4], batch_indices [R]. */
int infer_roi_align(struct infer *c)
{
    int64_t h = node_int(c->node, "output_height", 1), w = node_int(c->node, "output_width", 1);
    dim_t dims[4] = {infer_dim(c, 1, 0), infer_dim(c, 0, 1), infer_int(c, h), infer_int(c, w)};
    int rc = positive(c, h, "output_height");
    rc = rc ? rc : positive(c, w, "output_width");
    if (!rc && ((infer_rank(c, 0) >= 0 && infer_rank(c, 0) != 4) ||
                (infer_rank(c, 1) >= 0 && infer_rank(c, 1) != 2)))
        rc = infer_fail(c, "the input has rank %d and the regions %d, expected 4 and 2",
                        infer_rank(c, 0), infer_rank(c, 1));
    rc = rc ? rc : infer_expect(c, infer_dim(c, 1, 1), infer_int(c, 4), "the size of a region");
    rc =
        rc ? rc
           : infer_expect(c, infer_dim(c, 2, 0), infer_dim(c, 1, 0), "the number of batch indices");
    infer_out(c, 0, infer_dtype(c, 0), 4, dims);
    return rc;
}

/* MaxRoiPool-1: x [N, C, H, W], rois [R, 5]. */
int infer_max_roi_pool(struct infer *c)
{
    const int64_t *shape;
    uint32_t n;
    if (!node_ints(c->node, "pooled_shape", &shape, &n) || n != 2 || shape[0] < 1 || shape[1] < 1)
        return infer_fail(c, "pooled_shape must be two positive numbers");
    if ((infer_rank(c, 0) >= 0 && infer_rank(c, 0) != 4) ||
        (infer_rank(c, 1) >= 0 && infer_rank(c, 1) != 2))
        return infer_fail(c, "the input has rank %d and the regions %d, expected 4 and 2",
                          infer_rank(c, 0), infer_rank(c, 1));
    dim_t dims[4] = {infer_dim(c, 1, 0), infer_dim(c, 0, 1), infer_int(c, shape[0]),
                     infer_int(c, shape[1])};
    infer_out(c, 0, infer_dtype(c, 0), 4, dims);
    return infer_expect(c, infer_dim(c, 1, 1), infer_int(c, 5), "the size of a region");
}

/* NonMaxSuppression-10: boxes [B, S, 4], scores [B, classes, S]; selected [k, 3]. */
int infer_non_max_suppression(struct infer *c)
{
    for (uint32_t i = 0; i < 2; i++)
        if (infer_rank(c, i) >= 0 && infer_rank(c, i) != 3)
            return infer_fail(c, "input %u has rank %d, expected 3", i, infer_rank(c, i));
    int rc = infer_expect(c, infer_dim(c, 0, 2), infer_int(c, 4), "the size of a box");
    rc = rc ? rc
            : infer_expect(c, infer_dim(c, 1, 0), infer_dim(c, 0, 0), "the batch of the scores");
    rc = rc ? rc : infer_expect(c, infer_dim(c, 1, 2), infer_dim(c, 0, 1), "the number of scores");
    dim_t dims[2] = {infer_fresh(c, "selected"), infer_int(c, 3)};
    infer_out(c, 0, DT_INT64, 2, dims);
    return rc;
}
