/* A sum divided by the number of its terms becomes a mean.
 *
 * Before:  y = Mul(ReduceSum<axes>(x), 1/n)     or Div(.., n), n: the elements along the axes
 * After:   y = ReduceMean<axes>(x)
 * When:    the axes are constant and of constant length.
 * Spellings: JAX.
 * Numerics: REASSOC.
 */
#include "rewrite/match_fuse.h"

static const char *const SPELLINGS[] = {"Mul(sum=ReduceSum(x, ..), #by)",
                                        "Div(sum=ReduceSum(x, ..), #over)", NULL};

/* The elements along the axes; 0: not known. */
static double terms(const struct match *m, int axes[FUSE_RANK], int *count)
{
    const struct value *x = match_value(m, "x");
    double n = 1;
    if (!reduction_axes(match_node(m, "sum"), value_rank(x), axes, count))
        return 0;
    for (int i = 0; i < *count; i++) {
        int64_t size;
        n *= value_dim(x, axes[i], &size) ? (double)size : 0;
    }
    return n;
}

static const char *problem(const struct match *m)
{
    int axes[FUSE_RANK], count = 0;
    double factor = 1, n = terms(m, axes, &count);
    bool divides = match_scalar(m, "over", &factor);
    if ((!divides && !match_scalar(m, "by", &factor)) || n < 1 ||
        !match_near(divides ? factor : 1 / factor, n, value_dtype(match_value(m, "x"))))
        return FUSE_NONE; /* an ordinary factor */
    return match_shape_problem(m, match_value(m, "sum"));
}

static void build(struct pass_run *r, const struct match *m, struct node *fused)
{
    int axes[FUSE_RANK], count = 0;
    int64_t list[FUSE_RANK];
    (void)r;
    terms(m, axes, &count);
    for (int i = 0; i < count; i++)
        list[i] = axes[i];
    node_set_input(fused, 0, match_value(m, "x"));
    struct value *given = node_input(match_node(m, "sum"), 1);
    if (fused->n_inputs > 1)
        node_set_input(fused, 1, given ? given : constant_new_ints(m->root, list, count));
    else
        node_set_ints(fused, "axes", list, (uint32_t)count);
    node_set_int(fused, "keepdims", reduction_keeps(match_node(m, "sum")));
}

static const struct fusion REDUCE_MEAN = {"ReduceMean", 1,     FUSE_DOUBLE, SPELLINGS,
                                          problem,      build, NULL};

int visit_fuse_reduce_mean(struct pass_run *r, struct node *n)
{
    return fuse_visit(r, n, &REDUCE_MEAN);
}
