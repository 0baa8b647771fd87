/* See pad.h. Per axis a table says which element of x each place of y takes, -1 for the constant; y
 * is then written row by row, the run of consecutive elements in the middle of a row at once. */
#include "kernels/float/pad.h"

#include <string.h>

#include "base/mem.h"
#include "base/num.h"

struct plan {
    const struct pad_args *a;
    int64_t out[KERNEL_MAX_RANK], step[KERNEL_MAX_RANK];
    int64_t *map[KERNEL_MAX_RANK]; /* into one allocation */
    int64_t run_from, run_to;      /* of the last axis: places whose sources are consecutive */
};

/* The source of place i (0 is the first kept element) on an axis of n kept elements. */
static int64_t source(enum pad_mode mode, int64_t i, int64_t n)
{
    if (i >= 0 && i < n)
        return i;
    if (mode == PAD_CONSTANT)
        return -1;
    if (mode == PAD_EDGE)
        return i < 0 ? 0 : n - 1;
    int64_t period = mode == PAD_WRAP ? n : n > 1 ? 2 * (n - 1) : 1, at = i % period;
    at = at < 0 ? at + period : at;
    return at < n ? at : period - at;
}

static int fill_map(struct plan *p, int axis)
{
    const struct pad_args *a = p->a;
    int64_t before = a->before[axis], after = a->after[axis], cut = before < 0 ? -before : 0;
    int64_t kept = a->dims[axis] - cut + (after < 0 ? after : 0);
    kept = kept < 0 ? 0 : kept; /* over-removal leaves the constant */
    if (kept == 0 && p->out[axis] > 0 && a->mode != PAD_CONSTANT)
        return KERNEL_VALUE;
    for (int64_t i = 0; i < p->out[axis]; i++) {
        int64_t from = source(a->mode, i - (before > 0 ? before : 0), kept);
        p->map[axis][i] = from < 0 ? -1 : from + cut;
    }
    return KERNEL_OK;
}

static int shape(struct plan *p, int64_t *total)
{
    const struct pad_args *a = p->a;
    int64_t step = 1, maps = 0;
    if (a->rank > KERNEL_MAX_RANK)
        return KERNEL_SHAPE;
    for (int i = a->rank - 1; i >= 0; i--) {
        if (__builtin_add_overflow(a->dims[i], a->before[i], &p->out[i]) ||
            __builtin_add_overflow(p->out[i], a->after[i], &p->out[i]) || p->out[i] < 0 ||
            __builtin_add_overflow(maps, p->out[i], &maps))
            return KERNEL_SHAPE;
        p->step[i] = step;
        step *= a->dims[i] > 0 ? a->dims[i] : 1;
    }
    *total = maps;
    return KERNEL_OK;
}

static void fill(char *to, const void *value, size_t size, int64_t n)
{
    if (!value)
        memset(to, 0, (size_t)n * size);
    else
        for (int64_t i = 0; i < n; i++)
            memcpy(to + (size_t)i * size, value, size);
}

/* The longest prefix of the places from the first real one whose sources follow each other. */
static void find_run(struct plan *p)
{
    int last = p->a->rank - 1;
    const int64_t *map = p->map[last], n = p->out[last];
    int64_t from = p->a->before[last] > 0 ? p->a->before[last] : 0, to = from;
    while (to < n && map[to] >= 0 && (to == from || map[to] == map[to - 1] + 1))
        to++;
    p->run_from = from;
    p->run_to = to;
}

static void one(const struct plan *p, const char *row, int64_t i, char *to)
{
    int64_t from = p->map[p->a->rank - 1][i];
    if (from < 0)
        fill(to + i * (int64_t)p->a->size, p->a->value, p->a->size, 1);
    else
        memcpy(to + i * (int64_t)p->a->size, row + from * (int64_t)p->a->size, p->a->size);
}

static void write_row(const struct plan *p, const char *row, char *to)
{
    const size_t size = p->a->size;
    const int last = p->a->rank - 1;
    for (int64_t i = 0; i < p->run_from; i++)
        one(p, row, i, to);
    if (p->run_to > p->run_from)
        memcpy(to + p->run_from * (int64_t)size, row + p->map[last][p->run_from] * (int64_t)size,
               (size_t)(p->run_to - p->run_from) * size);
    for (int64_t i = p->run_to; i < p->out[last]; i++)
        one(p, row, i, to);
}

static void write_all(const struct plan *p, const char *x, char *y, int64_t rows)
{
    const int last = p->a->rank - 1;
    int64_t index[KERNEL_MAX_RANK] = {0};
    for (int64_t r = 0; r < rows; r++, y += p->out[last] * (int64_t)p->a->size) {
        int64_t at = 0;
        bool real = true;
        for (int i = 0; i < last; i++) {
            real = real && p->map[i][index[i]] >= 0;
            at += p->map[i][index[i]] * p->step[i];
        }
        if (real)
            write_row(p, x + at * (int64_t)p->a->size, y);
        else
            fill(y, p->a->value, p->a->size, p->out[last]);
        for (int i = last - 1; i >= 0 && ++index[i] == p->out[i]; i--)
            index[i] = 0;
    }
}

static int with_maps(struct plan *p, int64_t *maps, const void *x, void *y)
{
    const int last = p->a->rank - 1;
    int64_t rows;
    for (int i = 0; i <= last; maps += p->out[i++]) {
        p->map[i] = maps;
        int status = fill_map(p, i);
        if (status)
            return status;
    }
    if (!num_product(p->out, last, &rows))
        return KERNEL_SHAPE;
    if (p->out[last] == 0)
        return KERNEL_OK;
    find_run(p);
    write_all(p, x, y, rows);
    return KERNEL_OK;
}

int kernel_pad(const struct pad_args *a, const void *x, void *y)
{
    struct plan p = {.a = a};
    int64_t total, bytes;
    int status = shape(&p, &total);
    if (status)
        return status;
    if (a->rank == 0) {
        memcpy(y, x, a->size);
        return KERNEL_OK;
    }
    if (__builtin_mul_overflow(total + 1, (int64_t)sizeof(int64_t), &bytes))
        return KERNEL_SHAPE;
    int64_t *maps = mem_try_alloc_raw((size_t)bytes);
    if (!maps)
        return KERNEL_MEMORY;
    status = with_maps(&p, maps, x, y);
    mem_free(maps);
    return status;
}
