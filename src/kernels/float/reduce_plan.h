/* Inside the reductions: which elements go into which result. */
#ifndef KERNELS_FLOAT_REDUCE_PLAN_H
#define KERNELS_FLOAT_REDUCE_PLAN_H
#include "kernels/float/reduce.h"

struct reduce_axes {
    int rank;
    int64_t dims[KERNEL_MAX_RANK], step[KERNEL_MAX_RANK];
};

struct reduce_plan {
    enum reduce_op op;
    enum dtype t;
    bool integer;                     /* accumulates in int64 */
    bool across;                      /* the last axis is kept */
    int64_t last;                     /* its extent */
    struct reduce_axes kept, reduced; /* without the last one */
    int64_t kept_count;               /* results per place of the last axis */
    int64_t count;                    /* elements per result */
    int width;                        /* accumulators in use when !across */
};

/* Fills in all but op, t and integer. lanes: the most accumulators. KERNEL_SHAPE. */
int reduce_plan_make(const struct reduce_args *a, struct reduce_plan *p, int lanes);
int64_t reduce_offset(const struct reduce_axes *a,
                      int64_t flat); /* of a flat index over the axes */
#endif
