/* See reduce_plan.h. Axes of extent 1 vanish and neighbours that continue each other are joined. */
#include "kernels/float/reduce_plan.h"

static void append(struct reduce_axes *a, int64_t dim, int64_t step)
{
    int last = a->rank - 1;
    if (last >= 0 && a->step[last] == dim * step) { /* continues its neighbour */
        a->dims[last] *= dim;
        a->step[last] = step;
        return;
    }
    a->dims[a->rank] = dim;
    a->step[a->rank++] = step;
}

static void take_last(struct reduce_axes *a, struct reduce_plan *p)
{
    a->rank--;
    p->last = a->dims[a->rank];
}

int reduce_plan_make(const struct reduce_args *a, struct reduce_plan *p, int lanes)
{
    int64_t step[KERNEL_MAX_RANK], size = 1;
    int inner = -1;
    p->count = p->kept_count = p->last = 1;
    if (a->rank > KERNEL_MAX_RANK)
        return KERNEL_SHAPE;
    for (int i = a->rank - 1; i >= 0; i--) {
        step[i] = size;
        if (a->dims[i] < 0 || __builtin_mul_overflow(size, a->dims[i] ? a->dims[i] : 1, &size))
            return KERNEL_SHAPE;
        inner = inner < 0 && a->dims[i] != 1 ? i : inner;
    }
    for (int i = 0; i < a->rank; i++) {
        int64_t *total = a->reduced[i] ? &p->count : &p->kept_count;
        *total *= a->dims[i];
        if (a->dims[i] != 1)
            append(a->reduced[i] ? &p->reduced : &p->kept, a->dims[i], step[i]);
    }
    p->across = inner < 0 || !a->reduced[inner];
    if (inner >= 0)
        take_last(p->across ? &p->kept : &p->reduced, p);
    if (p->across)
        p->kept_count = p->last ? p->kept_count / p->last : 0;
    p->width = p->last < lanes ? (int)p->last : lanes;
    return KERNEL_OK;
}

int64_t reduce_offset(const struct reduce_axes *a, int64_t flat)
{
    int64_t at = 0;
    for (int i = a->rank - 1; i >= 0; i--) {
        at += flat % a->dims[i] * a->step[i];
        flat /= a->dims[i];
    }
    return at;
}
