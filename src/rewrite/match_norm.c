/* Axes and parameters of normalizations; see match_norm.h. */
#include "rewrite/match_norm.h"

#include <math.h>

#include "base/num.h"

/* ---- axes ---- */

static bool run_of_axes(const struct node *n, bool keeps, int rank, int *first, int *last)
{
    int axes[FUSE_RANK], count = 0;
    if ((keeps && !reduction_keeps(n)) || !reduction_axes(n, rank, axes, &count))
        return false;
    *first = axes[0];
    *last = axes[count - 1];
    return *last - *first + 1 == count;
}

const char *norm_axes_of(const struct match *m, struct norm_axes *a)
{
    const struct node *variance = match_node(m, "variance"), *mean = match_node(m, "mean");
    int first = 0, last = 0;
    bool keeps = !match_value(m, "variance_there"); /* else the pattern says where they stand */
    a->rank = value_rank(match_value(m, "x"));
    if (a->rank < 1 || a->rank > FUSE_RANK)
        return "its rank is not known";
    if (!run_of_axes(variance, keeps, a->rank, &a->first, &a->last))
        return "its axes are not constant and adjacent";
    if (mean &&
        (!run_of_axes(mean, keeps, a->rank, &first, &last) || first != a->first || last != a->last))
        return "its mean runs over other axes than its variance";
    if (!same_type(match_value(m, "x"), m->root->outputs[0]))
        return "its result is not known to have its input's shape";
    return NULL;
}

const char *norm_lengths(const struct value *x, struct norm_axes *a)
{
    int64_t all = 1;
    for (int i = a->first; i <= a->last; i++) {
        int64_t *size = &a->dims[i - a->first];
        if (!dim_is_const(x->type.dims[i], size) || *size < 1 ||
            __builtin_mul_overflow(all, *size, &all) || all > NORM_LONGEST)
            return "the length of its axes is not known";
    }
    return NULL;
}

bool norm_is_spatial(const struct norm_axes *a)
{
    return a->rank >= 4 && a->first == 2 && a->last == a->rank - 1;
}

const char *norm_epsilon(const struct match *m, double *epsilon)
{
    if (!match_scalar(m, "epsilon", epsilon) || !isfinite(*epsilon) || *epsilon < 0)
        return "its epsilon is not one positive number";
    return NULL;
}

/* ---- parameters ---- */

static int64_t elements(const struct norm_axes *a)
{
    int64_t n = 1;
    for (int i = 0; i <= a->last - a->first; i++)
        n *= a->dims[i];
    return n;
}

bool norm_fits(const struct tensor *t, const struct norm_axes *a)
{
    if (t->rank > a->rank)
        return false;
    if (t->count == 1)
        return true;
    for (int i = 0; i < t->rank; i++) {
        int axis = a->rank - t->rank + i;
        bool inside = axis >= a->first && axis <= a->last;
        if (t->dims[i] != (inside ? a->dims[axis - a->first] : 1))
            return false;
    }
    return t->count == elements(a);
}

static double element(const struct tensor *t, int64_t i, double otherwise)
{
    return t ? tensor_get(t, t->count == 1 ? 0 : i) : otherwise;
}

struct tensor *norm_parameter(struct model *m, const struct norm_axes *a, enum dtype dtype,
                              const struct tensor *t, double fill, const struct tensor *factor,
                              const struct tensor *addend)
{
    struct tensor *y = tensor_new(m->arena, dtype, a->last - a->first + 1, a->dims);
    for (int64_t i = 0; i < y->count; i++)
        num_set(tensor_writable(y), dtype, i,
                element(t, i, fill) * element(factor, i, 1) + element(addend, i, 0));
    return y;
}

struct value *norm_value(const struct match *m, struct tensor *t, struct value *like)
{
    const struct tensor *old = like ? constant_of(like) : NULL;
    bool same = old && !old->recipe && tensor_same(old, t);
    return same ? like : constant_new(m->root, t, like);
}
