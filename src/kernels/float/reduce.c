/* See reduce.h. A tile is up to 64 accumulators: of 64 neighbouring results when the last axis is
 * kept, of one result when it is reduced. Either way the inner loop adds a contiguous run of
 * elements to the accumulators one by one. Short contiguous runs (SHORT) are taken a block of
 * results at a time, transposed, so that the loops go over results: the same sums. */
#include "kernels/float/reduce.h"

#include <string.h>

#include "base/num.h"
#include "kernels/float/block.h"
#include "kernels/float/math.h"
#include "kernels/float/reduce_plan.h"

enum { LANES = 64, SHORT = 16, SHORT_ROWS = 32 };

union lanes {
    double f[LANES];
    int64_t i[LANES];
};

bool reduce_find(const char *name, enum reduce_op *op)
{
    static const char *const names[REDUCE_COUNT] = {[REDUCE_SUM] = "ReduceSum",
                                                    [REDUCE_MEAN] = "ReduceMean",
                                                    [REDUCE_MAX] = "ReduceMax",
                                                    [REDUCE_MIN] = "ReduceMin",
                                                    [REDUCE_PROD] = "ReduceProd",
                                                    [REDUCE_L1] = "ReduceL1",
                                                    [REDUCE_L2] = "ReduceL2",
                                                    [REDUCE_LOG_SUM] = "ReduceLogSum",
                                                    [REDUCE_LOG_SUM_EXP] = "ReduceLogSumExp",
                                                    [REDUCE_SUM_SQUARE] = "ReduceSumSquare"};
    for (int i = 0; i < REDUCE_COUNT; i++)
        if (!strcmp(names[i], name)) {
            *op = (enum reduce_op)i;
            return true;
        }
    return false;
}

/* ---- accumulating ---- */

static double float_identity(enum reduce_op op)
{
    const double inf = (double)__builtin_inf();
    return op == REDUCE_PROD                              ? 1
           : op == REDUCE_MAX || op == REDUCE_LOG_SUM_EXP ? -inf
           : op == REDUCE_MIN                             ? inf
                                                          : 0;
}

static int64_t int_identity(const struct reduce_plan *p)
{
    switch ((int)p->op) {
    case REDUCE_PROD:
        return 1;
    case REDUCE_MAX:
        return p->t == DT_UINT64 ? 0 : dtype_min(p->t);
    case REDUCE_MIN:
        return p->t == DT_UINT64 ? -1 : dtype_max(p->t);
    default:
        return 0;
    }
}

#define ADD_EACH(expression)               \
    for (int64_t i = 0; i < n; i++) {      \
        const double A = sum[i], B = v[i]; \
        sum[i] = (expression);             \
    }                                      \
    return

KERNEL_CLONES static void add_floats(enum reduce_op op, double *sum, const double *v, int64_t n)
{
    switch (op) {
    case REDUCE_MAX:
        ADD_EACH(A > B || A != A ? A : B);
    case REDUCE_MIN:
        ADD_EACH(A < B || A != A ? A : B);
    case REDUCE_PROD:
        ADD_EACH(A * B);
    case REDUCE_L1:
        ADD_EACH(A + __builtin_fabs(B));
    case REDUCE_L2:
    case REDUCE_SUM_SQUARE:
        ADD_EACH(A + B * B);
    default:
        ADD_EACH(A + B);
    }
}

static void add_ints(const struct reduce_plan *p, int64_t *sum, const int64_t *v, int64_t n)
{
    const bool wide = p->t == DT_UINT64;
    for (int64_t i = 0; i < n; i++) {
        uint64_t a = (uint64_t)sum[i], b = (uint64_t)v[i];
        bool less = wide ? a < b : sum[i] < v[i];
        switch ((int)p->op) {
        case REDUCE_MAX:
            a = less ? b : a;
            break;
        case REDUCE_MIN:
            a = less ? a : b;
            break;
        case REDUCE_PROD:
            a *= b;
            break;
        case REDUCE_SUM_SQUARE:
            a += b * b;
            break;
        case REDUCE_L1:
            a += v[i] < 0 && !wide ? 0 - b : b;
            break;
        default:
            a += b;
            break;
        }
        sum[i] = (int64_t)a;
    }
}

/* n <= LANES elements from `at` on to the accumulators. shift: what LogSumExp subtracts, per
 * accumulator. */
static void add_run(const struct reduce_plan *p, const void *x, int64_t at, int64_t n,
                    union lanes *sum, const double *shift)
{
    union lanes v;
    if (p->integer) {
        block_load_int(p->t, x, at, v.i, n);
        add_ints(p, sum->i, v.i, n);
        return;
    }
    block_load_f64(p->t, x, at, v.f, n);
    for (int64_t i = 0; shift && i < n; i++)
        v.f[i] = math_exp(v.f[i] - shift[i]);
    add_floats(p->op == REDUCE_LOG_SUM_EXP ? shift ? REDUCE_SUM : REDUCE_MAX : p->op, sum->f, v.f,
               n);
}

static void clear(const struct reduce_plan *p, union lanes *sum, double zero)
{
    const int used = p->across ? LANES : p->width ? p->width : 1;
    for (int i = 0; i < used; i++)
        if (p->integer)
            sum->i[i] = int_identity(p);
        else
            sum->f[i] = zero;
}

/* One tile: n neighbouring results from x[at], or one result with its runs. */
static void add_all(const struct reduce_plan *p, const void *x, int64_t at, int64_t n,
                    union lanes *sum, const double *shift)
{
    int64_t index[KERNEL_MAX_RANK] = {0}, run = p->across ? n : p->last;
    if (p->count == 0)
        return;
    for (;;) {
        for (int64_t k = 0; k < run; k += LANES)
            add_run(p, x, at + k, run - k < LANES ? run - k : LANES, sum, shift);
        int axis = p->reduced.rank - 1;
        for (; axis >= 0; axis--) {
            at += p->reduced.step[axis];
            if (++index[axis] < p->reduced.dims[axis])
                break;
            at -= p->reduced.step[axis] * p->reduced.dims[axis];
            index[axis] = 0;
        }
        if (axis < 0)
            return;
    }
}

/* The partial sums of one result, by halves, into the first. */
static void fold(const struct reduce_plan *p, union lanes *sum, enum reduce_op op)
{
    struct reduce_plan q = *p;
    q.op = op;
    for (int n = p->width, half; n > 1; n = half) {
        half = (n + 1) / 2;
        if (p->integer)
            add_ints(&q, sum->i, sum->i + half, n - half);
        else
            add_floats(op, sum->f, sum->f + half, n - half);
    }
}

/* How partial results join: sums of squares and of absolute values are sums by then. */
static enum reduce_op joining(enum reduce_op op, bool maximum)
{
    return op == REDUCE_MAX || op == REDUCE_MIN || op == REDUCE_PROD ? op
           : maximum                                                 ? REDUCE_MAX
                                                                     : REDUCE_SUM;
}

/* ---- results ---- */

static double finished(const struct reduce_plan *p, double sum, double shift)
{
    switch (p->op) {
    case REDUCE_MEAN:
        return sum / (double)p->count;
    case REDUCE_L2:
        return math_sqrt(sum);
    case REDUCE_LOG_SUM:
        return math_log(sum);
    case REDUCE_LOG_SUM_EXP:
        return shift - shift == 0 ? shift + math_log(sum) : shift; /* infinite or NaN: itself */
    default:
        return sum;
    }
}

static void tile(const struct reduce_plan *p, const void *x, int64_t at, int64_t n, void *y,
                 int64_t out)
{
    union lanes sum, shift;
    clear(p, &sum, float_identity(p->op));
    add_all(p, x, at, n, &sum, NULL);
    if (!p->across)
        fold(p, &sum, joining(p->op, p->op == REDUCE_LOG_SUM_EXP));
    if (p->op == REDUCE_LOG_SUM_EXP) {
        for (int i = 0; i < LANES; i++)
            shift.f[i] = p->across ? sum.f[i] : sum.f[0];
        clear(p, &sum, 0);
        add_all(p, x, at, n, &sum, shift.f);
        if (!p->across)
            fold(p, &sum, REDUCE_SUM);
    }
    if (p->integer) {
        for (int64_t i = 0; i < n && p->op == REDUCE_MEAN; i++)
            sum.i[i] = !p->count           ? 0
                       : p->t == DT_UINT64 ? (int64_t)((uint64_t)sum.i[i] / (uint64_t)p->count)
                                           : sum.i[i] / p->count;
        block_store_int(p->t, y, out, sum.i, n, p->t == DT_UINT64);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        sum.f[i] = finished(p, sum.f[i], p->op == REDUCE_LOG_SUM_EXP ? shift.f[i] : 0);
    block_store_f64(p->t, y, out, sum.f, n);
}

/* ---- short runs ---- */

static bool is_short(const struct reduce_plan *p)
{
    return !p->across && !p->integer && p->op != REDUCE_LOG_SUM_EXP && p->last > 0 &&
           p->last <= SHORT && p->reduced.rank == 0 &&
           (p->kept.rank == 0 || (p->kept.rank == 1 && p->kept.step[0] == p->last));
}

/* n <= SHORT_ROWS results of `last` elements each, from x[out * last]. Lane i of a result is row i
 * of `lane`; each starts as identity + element, as add_all would have it. */
static void short_rows(const struct reduce_plan *p, const void *x, void *y, int64_t out, int64_t n)
{
    double v[SHORT * SHORT_ROWS], lane[SHORT * SHORT_ROWS], row[SHORT_ROWS];
    block_load_f64(p->t, x, out * p->last, v, n * p->last);
    for (int64_t i = 0; i < p->last; i++) {
        for (int64_t r = 0; r < n; r++)
            row[r] = v[r * p->last + i];
        for (int64_t r = 0; r < n; r++)
            lane[i * SHORT_ROWS + r] = float_identity(p->op);
        add_floats(p->op, lane + i * SHORT_ROWS, row, n);
    }
    for (int width = p->width, half; width > 1; width = half) {
        half = (width + 1) / 2;
        for (int i = 0; i < width - half; i++)
            add_floats(joining(p->op, false), lane + i * SHORT_ROWS, lane + (i + half) * SHORT_ROWS,
                       n);
    }
    for (int64_t r = 0; r < n; r++)
        lane[r] = finished(p, lane[r], 0);
    block_store_f64(p->t, y, out, lane, n);
}

/* The same for the largest or smallest of floats, which no rounding touches: the starting value
 * never wins and double is not needed. */
KERNEL_CLONES
static void short_extremes(const struct reduce_plan *p, const float *x, float *y, int64_t n)
{
    float lane[SHORT * SHORT_ROWS];
    for (int64_t i = 0; i < p->last; i++)
        for (int64_t r = 0; r < n; r++)
            lane[i * SHORT_ROWS + r] = x[r * p->last + i];
    for (int width = p->width, half; width > 1; width = half) {
        half = (width + 1) / 2;
        for (int i = 0; i < width - half; i++) {
            float *a = lane + i * SHORT_ROWS;
            const float *b = lane + (i + half) * SHORT_ROWS;
            for (int64_t r = 0; p->op == REDUCE_MAX && r < n; r++)
                a[r] = a[r] > b[r] || a[r] != a[r] ? a[r] : b[r];
            for (int64_t r = 0; p->op == REDUCE_MIN && r < n; r++)
                a[r] = a[r] < b[r] || a[r] != a[r] ? a[r] : b[r];
        }
    }
    memcpy(y, lane, (size_t)n * sizeof *y);
}

static void short_runs(const struct reduce_plan *p, const void *x, void *y, int64_t begin,
                       int64_t end)
{
    bool extreme = p->t == DT_FLOAT && (p->op == REDUCE_MAX || p->op == REDUCE_MIN);
    for (int64_t out = begin, n; out < end; out += n) {
        n = end - out < SHORT_ROWS ? end - out : SHORT_ROWS;
        if (extreme)
            short_extremes(p, (const float *)x + out * p->last, (float *)y + out, n);
        else
            short_rows(p, x, y, out, n);
    }
}

static int check_type(const struct reduce_args *a, struct reduce_plan *p)
{
    enum dtype t = a->dtype;
    bool whole = t == DT_BOOL || dtype_is_int(t);
    if (t == DT_BOOL ? a->op != REDUCE_MAX && a->op != REDUCE_MIN
        : whole      ? dtype_bits(t) < 8
                     : !dtype_is_float(t))
        return KERNEL_TYPE;
    p->integer =
        whole && a->op != REDUCE_L2 && a->op != REDUCE_LOG_SUM && a->op != REDUCE_LOG_SUM_EXP;
    return KERNEL_OK;
}

int kernel_reduce(const struct reduce_args *a, const void *x, void *y, int64_t begin, int64_t end)
{
    struct reduce_plan p = {.op = a->op, .t = a->dtype};
    int status = check_type(a, &p);
    status = status ? status : reduce_plan_make(a, &p, LANES);
    if (status)
        return status;
    if (is_short(&p)) {
        short_runs(&p, x, y, begin, end);
        return KERNEL_OK;
    }
    for (int64_t out = begin, n; out < end; out += n) {
        int64_t row = p.across ? out / p.last : out, within = p.across ? out % p.last : 0;
        n = p.across ? p.last - within : 1;
        n = n > LANES ? LANES : n;
        n = n > end - out ? end - out : n;
        tile(&p, x, reduce_offset(&p.kept, row) + within, n, y, out);
    }
    return KERNEL_OK;
}
