/* See index.h. */
#include "kernels/float/index.h"

#include "base/num.h"

bool index_type_valid(enum dtype t) { return t == DT_INT32 || t == DT_INT64; }

bool index_read(const void *indices, enum dtype t, int64_t i, int64_t axis, int64_t *out)
{
    int64_t v = t == DT_INT32 ? ((const int32_t *)indices)[i] : ((const int64_t *)indices)[i];
    v = v < 0 ? v + axis : v; /* axis >= 0, so no overflow */
    *out = v;
    return v >= 0 && v < axis;
}

bool index_read_tuple(const struct nd_args *a, const void *indices, int64_t i, int64_t *out)
{
    int64_t flat = 0;
    for (int k = 0; k < a->depth; k++) {
        int64_t at;
        if (!index_read(indices, a->index_type, i * a->depth + k, a->dims[k], &at))
            return false;
        flat = flat * a->dims[k] + at;
    }
    *out = flat;
    return true;
}

int element_walk_start(struct element_walk *w, enum dtype type, int rank, const int64_t *dims,
                       int axis, const int64_t *index_dims)
{
    int64_t step = 1;
    *w = (struct element_walk){.type = type, .rank = rank, .axis = axis};
    if (!index_type_valid(type))
        return KERNEL_TYPE;
    if (rank < 1 || rank > KERNEL_MAX_RANK || axis < 0 || axis >= rank)
        return KERNEL_SHAPE;
    for (int i = rank - 1; i >= 0; i--) {
        if (i != axis && index_dims[i] > dims[i])
            return KERNEL_SHAPE;
        w->dims[i] = index_dims[i];
        w->step[i] = step;
        step *= dims[i];
    }
    w->axis_dim = dims[axis];
    return num_product(index_dims, rank, &w->count) ? KERNEL_OK : KERNEL_SHAPE;
}

bool element_walk_next(struct element_walk *w, const void *indices, int64_t i, int64_t *out)
{
    int64_t at;
    bool valid = index_read(indices, w->type, i, w->axis_dim, &at);
    *out = valid ? w->base + at * w->step[w->axis] : w->base;
    for (int k = w->rank - 1; k >= 0; k--) {
        w->base += k == w->axis ? 0 : w->step[k];
        if (++w->index[k] < w->dims[k])
            break;
        w->base -= k == w->axis ? 0 : w->step[k] * w->dims[k];
        w->index[k] = 0;
    }
    return valid;
}
