/* See broadcast.h. */
#include "kernels/float/broadcast.h"

#include "base/num.h"

/* Extent of an axis counted from the result's first one; 1 where the shape has no such axis. */
static int64_t extent(const struct kernel_shape *s, int axis, int rank)
{
    int own = axis - (rank - s->rank);
    return own < 0 ? 1 : s->dims[own];
}

static int result_shape(struct broadcast *b, const struct kernel_shape *shapes)
{
    b->out_rank = 0;
    for (int k = 0; k < b->n; k++)
        b->out_rank = shapes[k].rank > b->out_rank ? shapes[k].rank : b->out_rank;
    if (b->out_rank > KERNEL_MAX_RANK)
        return KERNEL_SHAPE;
    for (int axis = 0; axis < b->out_rank; axis++) {
        int64_t size = 1;
        for (int k = 0; k < b->n; k++) {
            int64_t own = extent(&shapes[k], axis, b->out_rank);
            if (own != 1 && size != 1 && own != size)
                return KERNEL_SHAPE;
            size = own == 1 ? size : own;
        }
        b->out_dims[axis] = size;
    }
    return num_product(b->out_dims, b->out_rank, &b->count) ? KERNEL_OK : KERNEL_SHAPE;
}

/* Whether the axis just appended (rank - 1) continues the one before it for every operand. */
static bool joins(const struct broadcast *b)
{
    int last = b->rank - 1;
    for (int k = 0; k < b->n; k++)
        if (b->step[k][last - 1] != b->step[k][last] * b->dims[last])
            return false;
    return true;
}

static void join(struct broadcast *b)
{
    int last = --b->rank;
    b->dims[last - 1] *= b->dims[last];
    for (int k = 0; k < b->n; k++)
        b->step[k][last - 1] = b->step[k][last];
}

static void one_axis(struct broadcast *b)
{
    b->rank = 1;
    b->dims[0] = b->count;
    for (int k = 0; k < b->n; k++)
        b->step[k][0] = b->count == 1 ? 1 : 0;
}

int broadcast_plan(struct broadcast *b, const struct kernel_shape *shapes, int n)
{
    int64_t stride[BROADCAST_MAX][KERNEL_MAX_RANK] = {{0}};
    *b = (struct broadcast){.n = n};
    int status = result_shape(b, shapes);
    if (status)
        return status;
    for (int k = 0; k < n; k++)
        for (int64_t axis = b->out_rank - 1, size = 1; axis >= 0; axis--) {
            int64_t own = extent(&shapes[k], (int)axis, b->out_rank);
            stride[k][axis] = own == 1 ? 0 : size;
            size *= b->count ? own : 1;
        }
    for (int axis = 0; axis < b->out_rank; axis++) {
        if (b->out_dims[axis] == 1)
            continue;
        b->dims[b->rank] = b->out_dims[axis];
        for (int k = 0; k < n; k++)
            b->step[k][b->rank] = stride[k][axis];
        b->rank++;
        if (b->rank > 1 && joins(b))
            join(b);
    }
    if (b->rank == 0)
        one_axis(b);
    for (int k = 0; k < n; k++)
        b->inner[k] = b->step[k][b->rank - 1];
    return KERNEL_OK;
}

struct place {
    int64_t index[KERNEL_MAX_RANK]; /* of the row: the last entry is where in the row */
    int64_t at[BROADCAST_MAX];      /* each operand's element at the row's start */
};

static void place_find(const struct broadcast *b, int64_t flat, struct place *p)
{
    *p = (struct place){0};
    for (int axis = b->rank - 1; axis >= 0; axis--) {
        p->index[axis] = flat % b->dims[axis];
        flat /= b->dims[axis];
        for (int k = 0; k < b->n && axis < b->rank - 1; k++)
            p->at[k] += p->index[axis] * b->step[k][axis];
    }
}

static void place_next_row(const struct broadcast *b, struct place *p)
{
    p->index[b->rank - 1] = 0;
    for (int axis = b->rank - 2; axis >= 0; axis--) {
        for (int k = 0; k < b->n; k++)
            p->at[k] += b->step[k][axis];
        if (++p->index[axis] < b->dims[axis])
            return;
        for (int k = 0; k < b->n; k++)
            p->at[k] -= b->step[k][axis] * b->dims[axis];
        p->index[axis] = 0;
    }
}

void broadcast_walk(const struct broadcast *b, int64_t begin, int64_t end, broadcast_row *row,
                    void *user)
{
    struct place p;
    if (begin >= end)
        return;
    place_find(b, begin, &p);
    for (int64_t length = b->dims[b->rank - 1]; begin < end; place_next_row(b, &p)) {
        int64_t within = p.index[b->rank - 1], n = length - within, at[BROADCAST_MAX];
        n = n < end - begin ? n : end - begin;
        for (int k = 0; k < b->n; k++)
            at[k] = p.at[k] + within * b->inner[k];
        row(user, at, begin, n);
        begin += n;
    }
}
