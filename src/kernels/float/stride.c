/* See stride.h. */
#include "kernels/float/stride.h"

#include <string.h>

enum { TILE = 32 }; /* 32 x 32 elements of 4 bytes: 4 KiB on each side, in the first-level cache */

struct wide {
    uint64_t half[2];
};

/* Copies n elements, and a block of rows x n, with any steps. */
typedef void copy_row(const char *from, int64_t from_step, char *to, int64_t to_step, int64_t n);

#define ROW(name, type)                                                                         \
    static void name(const char *from, int64_t from_step, char *to, int64_t to_step, int64_t n) \
    {                                                                                           \
        const type *x = (const type *)(const void *)from;                                       \
        type *y = (type *)(void *)to;                                                           \
        if (to_step == 1)                                                                       \
            for (int64_t i = 0; i < n; i++)                                                     \
                y[i] = x[i * from_step];                                                        \
        else                                                                                    \
            for (int64_t i = 0; i < n; i++)                                                     \
                y[i * to_step] = x[i * from_step];                                              \
    }

ROW(row_1, uint8_t)
ROW(row_2, uint16_t)
ROW(row_4, uint32_t)
ROW(row_8, uint64_t)
ROW(row_16, struct wide)

static copy_row *row_of(size_t size)
{
    static copy_row *const rows[17] = {
        [1] = row_1, [2] = row_2, [4] = row_4, [8] = row_8, [16] = row_16};
    return size <= 16 ? rows[size] : NULL;
}

void strided_axis(struct strided *s, int64_t dim, int64_t from, int64_t to)
{
    s->dims[s->rank] = dim;
    s->from[s->rank] = from;
    s->to[s->rank] = to;
    s->rank++;
}

/* Without axes of extent 1, with continuing neighbours joined. At least one axis. */
static struct strided simplified(const struct strided *s)
{
    struct strided out = {0};
    for (int i = 0; i < s->rank; i++) {
        if (s->dims[i] == 1)
            continue;
        int last = out.rank - 1;
        if (last >= 0 && out.from[last] == s->from[i] * s->dims[i] &&
            out.to[last] == s->to[i] * s->dims[i]) {
            out.dims[last] *= s->dims[i];
            out.from[last] = s->from[i];
            out.to[last] = s->to[i];
        } else {
            strided_axis(&out, s->dims[i], s->from[i], s->to[i]);
        }
    }
    if (!out.rank)
        strided_axis(&out, 1, 1, 1);
    return out;
}

struct job {
    struct strided s; /* the axes walked one by one; then what each step does: */
    size_t size;
    copy_row *row;
    int64_t n, from_step, to_step; /* the innermost axis */
    int64_t rows, rows_to;         /* with tiles: the axis along which the source is contiguous */
};

/* The axis (not the last) along which the source is contiguous, while the last axis is contiguous
 * in the target. */
static int tile_axis(const struct strided *s)
{
    int last = s->rank - 1;
    for (int i = 0; i < last && s->from[last] != 1 && s->to[last] == 1; i++)
        if (s->from[i] == 1 && s->dims[i] > 1)
            return i;
    return -1;
}

static void take_axis(struct strided *s, int axis)
{
    s->rank--;
    for (int i = axis; i < s->rank; i++) {
        s->dims[i] = s->dims[i + 1];
        s->from[i] = s->from[i + 1];
        s->to[i] = s->to[i + 1];
    }
}

static void copy_tiles(const struct job *j, const char *from, char *to)
{
    const int64_t size = (int64_t)j->size;
    for (int64_t r0 = 0; r0 < j->rows; r0 += TILE)
        for (int64_t c0 = 0; c0 < j->n; c0 += TILE) {
            int64_t r1 = r0 + TILE < j->rows ? r0 + TILE : j->rows,
                    n = j->n - c0 < TILE ? j->n - c0 : TILE;
            for (int64_t r = r0; r < r1; r++)
                j->row(from + (r + c0 * j->from_step) * size, j->from_step,
                       to + (r * j->rows_to + c0) * size, 1, n);
        }
}

static void copy_inner(const struct job *j, const char *from, char *to)
{
    if (j->rows)
        copy_tiles(j, from, to);
    else if (j->from_step == 1 && j->to_step == 1)
        memcpy(to, from, (size_t)j->n * j->size);
    else
        j->row(from, j->from_step, to, j->to_step, j->n);
}

static void walk(const struct job *j, const char *from, char *to)
{
    const struct strided *s = &j->s;
    const int64_t size = (int64_t)j->size;
    int64_t index[STRIDE_MAX_RANK] = {0};
    for (;;) {
        copy_inner(j, from, to);
        int axis = s->rank - 1;
        for (; axis >= 0; axis--) {
            from += s->from[axis] * size;
            to += s->to[axis] * size;
            if (++index[axis] < s->dims[axis])
                break;
            from -= s->from[axis] * s->dims[axis] * size;
            to -= s->to[axis] * s->dims[axis] * size;
            index[axis] = 0;
        }
        if (axis < 0)
            return;
    }
}

void strided_copy(size_t size, struct strided s, const void *from, void *to)
{
    for (int i = 0; i < s.rank; i++)
        if (s.dims[i] <= 0)
            return;
    if (!row_of(size)) { /* an element of odd size is a row of bytes */
        for (int i = 0; i < s.rank; i++) {
            s.from[i] *= (int64_t)size;
            s.to[i] *= (int64_t)size;
        }
        s = simplified(&s);
        strided_axis(&s, (int64_t)size, 1, 1);
        size = 1;
    }
    struct job j = {.s = simplified(&s), .size = size, .row = row_of(size)};
    int last = j.s.rank - 1, tile = tile_axis(&j.s);
    j.n = j.s.dims[last];
    j.from_step = j.s.from[last];
    j.to_step = j.s.to[last];
    take_axis(&j.s, last);
    if (tile >= 0) {
        j.rows = j.s.dims[tile];
        j.rows_to = j.s.to[tile];
        take_axis(&j.s, tile);
    }
    walk(&j, from, to);
}
