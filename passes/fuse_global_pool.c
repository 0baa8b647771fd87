/* A mean or maximum over all spatial axes becomes a global pool.
 *
 * Before:  y = ReduceMean<axes=[2, 3], keepdims=1>(x)     or one axis after the other
 * After:   y = GlobalAveragePool(x)
 * The same for ReduceMax and GlobalMaxPool.
 * When:    the rank is known and at least 4 (with rank 3 the last axis is as likely the features of a
 *          normalization), the axes are constant and all but the first two, and kept.
 * Numerics: REASSOC: the mean of means adds in another order.
 */
#include "rewrite/match_fuse.h"

static const char *const MEANS[] = {"a=ReduceMean(b=ReduceMean(x, ..), ..)", "a=ReduceMean(x, ..)",
                                    NULL};
static const char *const MAXIMA[] = {"a=ReduceMax(b=ReduceMax(x, ..), ..)", "a=ReduceMax(x, ..)",
                                     NULL};

static bool mark_axes(const struct node *n, int rank, bool seen[FUSE_RANK])
{
    int axes[FUSE_RANK], count = 0;
    if (!n)
        return true;
    if (!reduction_keeps(n) || !reduction_axes(n, rank, axes, &count))
        return false;
    for (int i = 0; i < count; i++) {
        if (seen[axes[i]])
            return false;
        seen[axes[i]] = true;
    }
    return true;
}

static bool is_spatial(const struct match *m)
{
    bool seen[FUSE_RANK] = {false};
    int rank = value_rank(match_value(m, "x"));
    if (rank < 4 || rank > FUSE_RANK || !mark_axes(match_node(m, "a"), rank, seen) ||
        !mark_axes(match_node(m, "b"), rank, seen))
        return false;
    for (int i = 0; i < rank; i++)
        if (seen[i] != (i >= 2))
            return false;
    return true;
}

/* An ordinary reduction is no refusal. */
static const char *problem(const struct match *m) { return is_spatial(m) ? NULL : FUSE_NONE; }

static const struct fusion AVERAGE = {
    "GlobalAveragePool", 1, FUSE_FLOATS, MEANS, problem, NULL, NULL};
static const struct fusion MAXIMUM = {"GlobalMaxPool", 1, FUSE_FLOATS, MAXIMA, problem, NULL, NULL};

int visit_fuse_global_average_pool(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &AVERAGE);
}

int visit_fuse_global_max_pool(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &MAXIMUM);
}
