/* Resize: one pass per axis that changes, innermost first, through two buffers; nearest neighbours
 * in one gather. */
#include "kernels/float/resize.h"

#include <string.h>

#include "base/num.h"
#include "kernels/float/resize_axis.h"

int64_t resize_out(int64_t in, float scale)
{
    const float out = (float)in * scale;
    return out >= 0 && out < 0x1p40f ? num_floor((double)out)
                                     : -1; /* 2^40: far beyond memory, far below overflow */
}

bool resize_keep_aspect(int n, const int64_t *in, const int64_t *sizes, bool not_smaller,
                        int64_t *out, float *scale)
{
    for (int i = 0; i < n; i++) {
        if (in[i] <= 0 || sizes[i] < 0)
            return false;
        const float s = (float)sizes[i] / (float)in[i];
        if (i == 0 || (not_smaller ? s > *scale : s < *scale))
            *scale = s;
    }
    for (int i = 0; i < n; i++) {
        const float extent = *scale * (float)in[i];
        if (!(extent < 0x1p40f))
            return false;
        out[i] = num_round_up((double)extent);
    }
    return n > 0;
}

bool resize_valid(const struct resize_params *p)
{
    int64_t in[RESIZE_MAX_RANK], out[RESIZE_MAX_RANK], size = 1;
    if (p->rank < 0 || p->rank > RESIZE_MAX_RANK)
        return false;
    for (int i = 0; i < p->rank; i++) {
        const struct resize_axis *a = &p->axis[i];
        in[i] = a->in;
        out[i] = a->out;
        if (!(a->scale > 0x1p-40f && a->scale < 0x1p40f) || (a->in == 0 && a->out != 0))
            return false;
        if (__builtin_mul_overflow(size, a->in > a->out ? a->in : a->out,
                                   &size)) /* bounds every intermediate */
            return false;
    }
    return num_product(in, p->rank, &size) && num_product(out, p->rank, &size);
}

static int64_t tables_bytes(const struct resize_params *p)
{
    int64_t total = 0;
    for (int axis = 0; axis < p->rank; axis++) {
        const int64_t bytes = resize_table_bytes(p, axis);
        if (bytes < 0 || __builtin_add_overflow(total, bytes, &total))
            return -1;
    }
    return total;
}

/* Elements of the largest tensor between two passes. */
static int64_t between_passes(const struct resize_params *p)
{
    int64_t size = 1, largest = 0;
    for (int axis = 0; axis < p->rank; axis++)
        size *= p->axis[axis].in;
    for (int axis = p->rank - 1; axis >= 0; axis--) {
        const struct resize_axis *a = &p->axis[axis];
        if (resize_is_identity(p, axis))
            continue;
        size = a->in ? size / a->in * a->out : 0;
        largest = size > largest ? size : largest;
    }
    return largest;
}

int64_t resize_scratch(const struct resize_params *p)
{
    int64_t total = tables_bytes(p), buffers;
    if (total < 0 || p->mode == RESIZE_NEAREST)
        return total;
    const int64_t rounded = (between_passes(p) + 1) / 2 * 2;
    if (__builtin_mul_overflow(rounded, 2 * (int64_t)sizeof(float), &buffers) ||
        __builtin_add_overflow(total, buffers, &total))
        return -1;
    return total;
}

/* x [outer, in, inner] -> y [outer, out, inner] */
static void pass(const struct resize_table *t, int64_t in, int64_t outer, int64_t inner,
                 const float *x, float *y)
{
    for (int64_t o = 0; o < outer * t->out; o++) {
        const float *from = x + o / t->out * in * inner;
        const int64_t *index = t->index + o % t->out * t->taps;
        const double *weight = t->weight + o % t->out * t->taps;
        for (int64_t i = 0; i < inner; i++) {
            double sum = 0;
            for (int64_t k = 0; k < t->taps; k++)
                sum += weight[k] * (double)from[index[k] * inner + i];
            *y++ = (float)sum;
        }
    }
}

static void extrapolate(const struct resize_params *p, const struct resize_table *tables, float *y)
{
    int64_t count = 1;
    for (int axis = 0; axis < p->rank; axis++)
        count *= p->axis[axis].out;
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i;
        for (int axis = p->rank - 1; axis >= 0; rest /= p->axis[axis--].out)
            if (tables[axis].outside[rest % p->axis[axis].out])
                y[i] = p->extrapolation;
    }
}

static int passes_of(const struct resize_params *p)
{
    int n = 0;
    for (int axis = 0; axis < p->rank; axis++)
        n += !resize_is_identity(p, axis);
    return n;
}

static void interpolate(const struct resize_params *p, const struct resize_table *tables,
                        const float *x, float *y, float *buffers)
{
    int64_t outer = 1, inner = 1;
    float *between[2] = {buffers, buffers + (between_passes(p) + 1) / 2 * 2};
    int left = passes_of(p);
    for (int axis = 0; axis < p->rank; axis++)
        outer *= p->axis[axis].in;
    if (left == 0)
        memcpy(y, x, (size_t)outer * sizeof *y);
    for (int axis = p->rank - 1; axis >= 0; inner *= p->axis[axis--].out) {
        outer /= p->axis[axis].in;
        if (resize_is_identity(p, axis))
            continue;
        float *to = --left == 0 ? y : between[left % 2];
        pass(&tables[axis], p->axis[axis].in, outer, inner, x, to);
        x = to;
    }
}

/* An empty tensor needs no table, and an axis without input has none. */
static bool is_empty(const struct resize_params *p)
{
    for (int axis = 0; axis < p->rank; axis++)
        if (p->axis[axis].out == 0 || p->axis[axis].in == 0)
            return true;
    return false;
}

void resize_f32(const struct resize_params *p, const float *x, float *y, void *scratch)
{
    struct resize_table tables[RESIZE_MAX_RANK];
    if (p->mode == RESIZE_NEAREST) {
        resize_nearest(p, x, y, sizeof *x, &p->extrapolation, scratch);
        return;
    }
    if (is_empty(p))
        return;
    for (int axis = 0; axis < p->rank; axis++)
        scratch = resize_table_make(p, axis, &tables[axis], scratch);
    interpolate(p, tables, x, y, scratch);
    if (p->coordinate == RESIZE_TF_CROP_AND_RESIZE)
        extrapolate(p, tables, y);
}

/* The element of x that output i reads, or -1: extrapolation. */
static int64_t source_of(const struct resize_params *p, const struct resize_table *tables,
                         int64_t i)
{
    int64_t at = 0, step = 1;
    for (int axis = p->rank - 1; axis >= 0; step *= p->axis[axis--].in) {
        const int64_t o = i % p->axis[axis].out;
        i /= p->axis[axis].out;
        if (tables[axis].outside[o])
            return -1;
        at += tables[axis].index[o] * step;
    }
    return at;
}

/* One line along the last axis of 4-byte or other elements. */
static void gather_line(const struct resize_table *t, const char *line, char *y, size_t element)
{
    if (element == sizeof(float)) {
        for (int64_t o = 0; o < t->out; o++)
            memcpy(y + o * 4, line + t->index[o] * 4, 4);
        return;
    }
    for (int64_t o = 0; o < t->out; o++)
        memcpy(y + (size_t)o * element, line + (size_t)t->index[o] * element, element);
}

void resize_nearest(const struct resize_params *p, const void *x, void *y, size_t element,
                    const void *extrapolation, void *scratch)
{
    struct resize_table tables[RESIZE_MAX_RANK];
    int64_t count = 1;
    if (is_empty(p))
        return;
    for (int axis = 0; axis < p->rank; axis++) {
        scratch = resize_table_make(p, axis, &tables[axis], scratch);
        count *= p->axis[axis].out;
    }
    const bool may_miss = p->coordinate == RESIZE_TF_CROP_AND_RESIZE || p->rank == 0;
    const int64_t last = may_miss ? 1 : p->axis[p->rank - 1].out;
    for (int64_t i = 0; i < count; i += last) {
        const int64_t at = source_of(p, tables, i);
        char *to = (char *)y + (size_t)i * element;
        if (may_miss)
            memcpy(to, at < 0 ? extrapolation : (const char *)x + (size_t)at * element, element);
        else
            gather_line(&tables[p->rank - 1],
                        (const char *)x + (size_t)(at - tables[p->rank - 1].index[0]) * element, to,
                        element);
    }
}
