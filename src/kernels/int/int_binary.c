/* Element-wise integer arithmetic with broadcasting. */
#include "kernels/int/int_binary.h"

#include "kernels/int/fixed.h"

struct walk {
    int64_t at[16], a, b, index;
};

/* Steps to the next element in row-major order; 0 after the last one. */
static int step(const struct int_broadcast *s, struct walk *w)
{
    w->index++;
    for (int d = s->rank - 1; d >= 0; d--) {
        w->a += s->a_stride[d];
        w->b += s->b_stride[d];
        if (++w->at[d] < s->dims[d])
            return 1;
        w->a -= s->a_stride[d] * s->dims[d];
        w->b -= s->b_stride[d] * s->dims[d];
        w->at[d] = 0;
    }
    return 0;
}

static int empty(const struct int_broadcast *s)
{
    for (int d = 0; d < s->rank; d++)
        if (s->dims[d] == 0)
            return 1;
    return 0;
}

int64_t int_add_acc(const struct int_add *p, int32_t a, int32_t b)
{
    int64_t x = (int64_t)a - p->a_zero, y = (int64_t)b - p->b_zero;
    if (p->form == INT_ADD_ONE)
        return x * p->a_factor + y * p->b_factor;
    int64_t scale = INT64_C(1) << p->left_shift;
    int64_t left = requant_apply(&p->a, x * scale), right = requant_apply(&p->b, y * scale);
    return p->subtract ? left - right : left + right;
}

void int_add(const struct int_add *p, const struct int_broadcast *shape, const int32_t *a,
             const int32_t *b, const struct int_output *o, int32_t *y)
{
    struct walk w = {0};
    if (empty(shape))
        return;
    do
        y[w.index] = int_finish(o, 0, w.index, int_add_acc(p, a[w.a], b[w.b]));
    while (step(shape, &w));
}

void int_mul(int32_t a_zero, int32_t b_zero, const struct int_broadcast *shape, const int32_t *a,
             const int32_t *b, const struct int_output *o, int32_t *y)
{
    struct walk w = {0};
    if (empty(shape))
        return;
    do
        y[w.index] = int_finish(o, 0, w.index, int_mul_acc(a[w.a], a_zero, b[w.b], b_zero));
    while (step(shape, &w));
}

static void select(const struct int_broadcast *shape, const int32_t *a, const int32_t *b,
                   int larger, int32_t *y)
{
    struct walk w = {0};
    if (empty(shape))
        return;
    do
        y[w.index] = (a[w.a] > b[w.b]) == larger ? a[w.a] : b[w.b];
    while (step(shape, &w));
}

void int_minimum(const struct int_broadcast *shape, const int32_t *a, const int32_t *b, int32_t *y)
{
    select(shape, a, b, 0, y);
}

void int_maximum(const struct int_broadcast *shape, const int32_t *a, const int32_t *b, int32_t *y)
{
    select(shape, a, b, 1, y);
}

/* n / d rounded to nearest, ties away from zero; d != 0. */
static int64_t divide_away(int64_t n, int64_t d)
{
    uint64_t un = n < 0 ? 0 - (uint64_t)n : (uint64_t)n, ud = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
    uint64_t q = un / ud, r = un % ud;
    q += r >= ud - r;
    return (n < 0) != (d < 0) ? (int64_t)(0 - q) : (int64_t)q;
}

static int64_t div_acc(int64_t x, int64_t d, int up)
{
    int64_t limit = INT64_C(1) << 46;
    if (d == 0)
        return x > 0 ? limit : x < 0 ? -limit : 0;
    return divide_away(x * (INT64_C(1) << up), d);
}

void int_div(int32_t a_zero, int32_t b_zero, int up, const struct int_broadcast *shape,
             const int32_t *a, const int32_t *b, const struct int_output *o, int32_t *y)
{
    struct walk w = {0};
    if (empty(shape))
        return;
    do {
        int64_t x = (int64_t)a[w.a] - a_zero, d = (int64_t)b[w.b] - b_zero;
        y[w.index] = int_finish(o, 0, w.index, div_acc(x, d, up));
    } while (step(shape, &w));
}
