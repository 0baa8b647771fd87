/* See metrics.h. Sums in float64, element by element in memory order. */
#include "report/metrics.h"

#include <math.h>
#include <string.h>

#include "base/num.h"
#include "kernels/float/math.h"

static double value_at(const struct tensor *t, int64_t i)
{
    if (t->dtype == DT_FLOAT)
        return (double)((const float *)t->data)[i];
    return num_get(t->data, t->dtype, i);
}

/* NaN is never the largest; the first of equal ones wins, as numpy.argmax. */
static int64_t argmax(const struct tensor *t, int64_t from, int64_t n)
{
    int64_t best = 0;
    double most = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        double x = value_at(t, from + i);
        if (x > most)
            most = x, best = i;
    }
    return best;
}

static void add_element(struct metrics *m, double r, double o)
{
    double d = o - r;
    if (r == o || (isnan(r) && isnan(o))) /* equal infinities too: their difference is NaN */
        d = 0;
    m->reference += isfinite(r) ? r * r : 0;
    m->other += isfinite(o) ? o * o : 0;
    m->dot += isfinite(r) && isfinite(o) ? r * o : 0;
    m->error += isnan(d) ? INFINITY : d * d;
    d = isnan(d) ? INFINITY : fabs(d);
    m->max_abs = d > m->max_abs ? d : m->max_abs;
}

bool metrics_add(struct metrics *m, const struct tensor *reference, const struct tensor *other)
{
    if (reference->rank != other->rank ||
        memcmp(reference->dims, other->dims, (size_t)other->rank * sizeof *other->dims) != 0)
        return false;
    int64_t last = other->rank ? other->dims[other->rank - 1] : 1;
    for (int64_t i = 0; i < other->count; i++)
        add_element(m, value_at(reference, i), value_at(other, i));
    m->elements += other->count;
    for (int64_t row = 0; last > 1 && row < other->count / last; row++) {
        m->rows++;
        m->agree += argmax(reference, row * last, last) == argmax(other, row * last, last);
    }
    return true;
}

void metrics_join(struct metrics *to, const struct metrics *from)
{
    to->reference += from->reference, to->error += from->error;
    to->other += from->other, to->dot += from->dot;
    to->max_abs = from->max_abs > to->max_abs ? from->max_abs : to->max_abs;
    to->elements += from->elements, to->rows += from->rows, to->agree += from->agree;
}

double metrics_sqnr_db(const struct metrics *m)
{
    if (m->error == 0) /* exact: nothing differs */
        return INFINITY;
    const double decibel = 4.342944819032518; /* 10 / ln 10 */
    return decibel * math_log(m->reference / m->error);
}

double metrics_cosine(const struct metrics *m)
{
    double size = sqrt(m->reference) * sqrt(m->other);
    if (size > 0)
        return m->dot / size;
    return m->reference == m->other ? 1 : 0; /* both are exactly zero, or one is */
}

double metrics_top1(const struct metrics *m)
{
    return m->rows ? (double)m->agree / (double)m->rows : (double)NAN;
}
