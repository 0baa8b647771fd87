/* See softmax.h. Lines that are contiguous (inner = 1) are taken in blocks along the axis; others
 * in tiles of up to 64 neighbouring lines, row by row of the axis. */
#include "kernels/float/softmax.h"

#include "kernels/float/block.h"
#include "kernels/float/math.h"
#include "kernels/float/sort_keys.h"
#include "kernels/float/vmath.h"

enum { LANES = 64 };

/* How a run of n elements is reached: several lines side by side, or a piece of one. */
struct lines {
    const struct softmax_args *a;
    const void *x;
    void *y;
    int64_t start, n; /* the first element; lines side by side */
    double max[LANES], sum[LANES];
};

static double greater(double a, double b) { return a > b || a != a ? a : b; }

static double value(const struct lines *l, double v, int64_t k)
{
    if (l->a->kind == SOFTMAX_LOG)
        return (v - l->max[k]) - l->sum[k]; /* sum: its logarithm by then */
    return math_exp(v - l->max[k]) / l->sum[k];
}

enum step { FIND_MAX, ADD_UP, WRITE };

/* One row of the axis for n lines. */
static void side_by_side(struct lines *l, enum step step, int64_t at)
{
    double v[LANES];
    block_load_f64(l->a->dtype, l->x, at, v, l->n);
    for (int64_t k = 0; k < l->n; k++)
        if (step == FIND_MAX)
            l->max[k] = greater(l->max[k], v[k]);
        else if (step == ADD_UP)
            l->sum[k] += math_exp(v[k] - l->max[k]);
        else
            v[k] = value(l, v[k], k);
    if (step == WRITE)
        block_store_f64(l->a->dtype, l->y, at, v, l->n);
}

/* A piece of one contiguous line. */
static void along(struct lines *l, enum step step, int64_t at, int64_t n)
{
    double v[BLOCK];
    block_load_f64(l->a->dtype, l->x, at, v, n);
    for (int64_t i = 0; i < n; i++)
        if (step == FIND_MAX)
            l->max[0] = greater(l->max[0], v[i]);
        else if (step == ADD_UP)
            l->sum[0] += math_exp(v[i] - l->max[0]);
        else
            v[i] = value(l, v[i], 0);
    if (step == WRITE)
        block_store_f64(l->a->dtype, l->y, at, v, n);
}

static void sweep(struct lines *l, enum step step)
{
    const struct softmax_args *a = l->a;
    if (a->inner == 1)
        for (int64_t i = 0; i < a->axis; i += BLOCK)
            along(l, step, l->start + i, a->axis - i < BLOCK ? a->axis - i : BLOCK);
    else
        for (int64_t i = 0; i < a->axis; i++)
            side_by_side(l, step, l->start + i * a->inner);
}

static void exact(struct lines *l)
{
    for (int64_t k = 0; k < l->n; k++) {
        l->max[k] = -(double)__builtin_inf();
        l->sum[k] = 0;
    }
    sweep(l, FIND_MAX);
    sweep(l, ADD_UP);
    for (int64_t k = 0; k < l->n && l->a->kind == SOFTMAX_LOG; k++)
        l->sum[k] = math_log(l->sum[k]);
    sweep(l, WRITE);
}

/* ---- float, contiguous, fast ---- */

enum { PARTS = 16 }; /* partial maxima and sums: element i belongs to part i mod 16 */

KERNEL_CLONES static float fast_max(const float *x, int64_t n)
{
    float part[PARTS], max;
    int64_t i = 0;
    for (int k = 0; k < PARTS; k++)
        part[k] = -__builtin_inff();
    for (; i + PARTS <= n; i += PARTS)
        for (int k = 0; k < PARTS; k++)
            part[k] = part[k] > x[i + k] || part[k] != part[k] ? part[k] : x[i + k];
    max = part[0];
    for (int k = 1; k < PARTS; k++)
        max = max > part[k] || max != max ? max : part[k];
    for (; i < n; i++)
        max = max > x[i] || max != max ? max : x[i];
    return max;
}

KERNEL_CLONES static void fast_add(const float *e, int64_t n, double *part)
{
    int64_t i = 0;
    for (; i + PARTS <= n; i += PARTS)
        for (int k = 0; k < PARTS; k++)
            part[k] += (double)e[i + k];
    for (int k = 0; i < n; i++, k++)
        part[k] += (double)e[i];
}

KERNEL_CLONES static void fast_scale(float *y, int64_t n, float sum)
{
    KERNEL_INDEPENDENT for (int64_t i = 0; i < n; i++) y[i] = y[i] / sum;
}

KERNEL_CLONES static void fast_log(const float *x, float *y, int64_t n, float max, float log_sum)
{
    KERNEL_INDEPENDENT for (int64_t i = 0; i < n; i++) y[i] = (x[i] - max) - log_sum;
}

static void fast_line(enum softmax_kind kind, const float *x, float *y, int64_t n)
{
    float max = fast_max(x, n), buffer[BLOCK];
    double part[PARTS] = {0}, sum = 0;
    for (int64_t i = 0; i < n; i += BLOCK) { /* LogSoftmax needs x again, which y may be */
        int64_t now = n - i < BLOCK ? n - i : BLOCK;
        float *e = kind == SOFTMAX_LOG ? buffer : y + i;
        vmath_exp_minus(x + i, e, now, max);
        fast_add(e, now, part);
    }
    for (int k = 0; k < PARTS; k++)
        sum += part[k];
    if (kind == SOFTMAX_LOG)
        fast_log(x, y, n, max, (float)math_log(sum));
    else
        fast_scale(y, n, (float)sum);
}

/* ---- float, lines side by side, fast: row by row of the axis ---- */

KERNEL_CLONES static void rows_max(const float *x, float *max, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        max[k] = max[k] > x[k] || max[k] != max[k] ? max[k] : x[k];
}

KERNEL_CLONES static void rows_less(const float *x, const float *max, float *y, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        y[k] = x[k] - max[k];
}

KERNEL_CLONES static void rows_add(const float *e, float *sum, float *lost, int64_t n)
{
    for (int64_t k = 0; k < n; k++) { /* compensated (Kahan 1965): as good as a sum in double */
        float add = e[k] - lost[k], total = sum[k] + add;
        lost[k] = (total - sum[k]) - add;
        sum[k] = total;
    }
}

KERNEL_CLONES static void rows_scale(float *y, const float *sum, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        y[k] = y[k] / sum[k];
}

static void fast_rows(const struct softmax_args *a, const float *x, float *y, int64_t n)
{
    float max[LANES], sum[LANES] = {0}, lost[LANES] = {0}, e[LANES];
    bool log = a->kind == SOFTMAX_LOG;
    for (int64_t k = 0; k < n; k++)
        max[k] = -__builtin_inff();
    for (int64_t i = 0; i < a->axis; i++)
        rows_max(x + i * a->inner, max, n);
    for (int64_t i = 0; i < a->axis; i++) {
        float *row = log ? e : y + i * a->inner;
        rows_less(x + i * a->inner, max, row, n);
        vmath_exp(row, row, n);
        rows_add(row, sum, lost, n);
    }
    vmath_log(sum, e, log ? n : 0);
    for (int64_t i = 0; i < a->axis; i++)
        if (log) {
            rows_less(x + i * a->inner, max, y + i * a->inner, n);
            rows_less(y + i * a->inner, e, y + i * a->inner, n);
        } else {
            rows_scale(y + i * a->inner, sum, n);
        }
}

/* ---- Hardmax ---- */

static void hard(struct lines *l)
{
    const struct softmax_args *a = l->a;
    double v[LANES];
    int64_t best[LANES], keys[LANES], where[LANES] = {0};
    order_keys(a->dtype, l->x, l->start, best, l->n, INT64_MAX);
    for (int64_t i = 1; i < a->axis; i++) {
        order_keys(a->dtype, l->x, l->start + i * a->inner, keys, l->n, INT64_MAX);
        for (int64_t k = 0; k < l->n; k++)
            if (keys[k] > best[k]) {
                best[k] = keys[k];
                where[k] = i;
            }
    }
    for (int64_t i = 0; i < a->axis; i++) {
        for (int64_t k = 0; k < l->n; k++)
            v[k] = where[k] == i;
        block_store_f64(a->dtype, l->y, l->start + i * a->inner, v, l->n);
    }
}

int kernel_softmax(const struct softmax_args *a, const void *x, void *y, int64_t begin, int64_t end)
{
    struct lines l = {.a = a, .x = x, .y = y};
    bool fast = a->fast && a->dtype == DT_FLOAT && a->kind != SOFTMAX_HARD;
    if (a->dtype != DT_FLOAT && a->dtype != DT_DOUBLE && !block_half(a->dtype))
        return KERNEL_TYPE;
    if (a->axis == 0)
        return KERNEL_OK;
    for (int64_t line = begin; line < end; line += l.n) {
        int64_t within = line % a->inner, room = a->inner - within;
        l.n = room < LANES ? room : LANES;
        l.n = l.n < end - line ? l.n : end - line;
        l.start = line / a->inner * a->axis * a->inner + within;
        if (a->kind == SOFTMAX_HARD)
            hard(&l);
        else if (fast && a->inner > 1)
            fast_rows(a, (const float *)x + l.start, (float *)y + l.start, l.n);
        else if (fast)
            fast_line(a->kind, (const float *)x + l.start, (float *)y + l.start, a->axis);
        else
            exact(&l);
    }
    return KERNEL_OK;
}
