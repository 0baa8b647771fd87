/* What the fusions of normalizations share: the spellings of a division by the standard deviation,
 * which axes it runs over, parameters that fit them. */
#ifndef REWRITE_MATCH_NORM_H
#define REWRITE_MATCH_NORM_H
#include "rewrite/match_fuse.h"

/* For patterns: the reciprocal of root; x less its mean. What else they name stands in equations:
 * root = sqrt(variance + epsilon); the pattern says itself what variance is. */
#define NORM_INVERSE "Reciprocal(root)|Div(1, root)|Pow(shifted, -0.5)"
#define NORM_DEVIATION "d=Sub(x, mean)"
#define NORM_EQUATIONS                         \
    "; root = Sqrt(shifted)|Pow(shifted, 0.5)" \
    "; shifted = Add(variance, #epsilon)"
#define NORM_CENTRED                                                               \
    NORM_EQUATIONS "; variance = ReduceMean(square, ..)|GlobalAveragePool(square)" \
                   "; square = Pow(d, 2)|Mul(d, d)"                                \
                   "; d = Sub(x, mean); mean = ReduceMean(x, ..)|GlobalAveragePool(x)"

enum { NORM_LONGEST = 1 << 24 }; /* elements of a parameter that a fusion makes */

/* The axes first .. last of x. */
struct norm_axes {
    int rank, first, last;
    int64_t dims[FUSE_RANK]; /* of the axes, from first on */
};

/* The axes that the reductions named variance and mean (where there is one) run over. NULL, or why
 * they are no run of axes that are kept. With a value named variance_there they need not be kept: the
 * pass checks where that and mean_there stand. Lengths of the axes are not asked for. */
const char *norm_axes_of(const struct match *m, struct norm_axes *a);
/* The lengths of the axes first .. last: NULL, or why they are not known. */
const char *norm_lengths(const struct value *x, struct norm_axes *a);
bool norm_is_spatial(const struct norm_axes *a); /* rank >= 4, all axes but the first two */
const char *norm_epsilon(const struct match *m, double *epsilon);

/* t broadcasts to x without widening it and differs along these axes only. */
bool norm_fits(const struct tensor *t, const struct norm_axes *a);
/* A parameter with one number for each element of the axes: t (NULL: fill) spread over them, times
 * factor where there is one (NULL: 1), plus addend (NULL: 0). Each fits the axes. */
struct tensor *norm_parameter(struct model *m, const struct norm_axes *a, enum dtype dtype,
                              const struct tensor *t, double fill, const struct tensor *factor,
                              const struct tensor *addend);
/* t as an initializer: `like` itself when it holds exactly that, so that its name stays, else a new
 * one with its name as the hint. like may be NULL. */
struct value *norm_value(const struct match *m, struct tensor *t, struct value *like);
#endif
