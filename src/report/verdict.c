/* See verdict.h. */
#include "report/verdict.h"

#include <math.h>
#include <string.h>

#include "base/num.h"

static bool is_number(const struct tensor *t)
{
    return dtype_is_float(t->dtype) || dtype_is_int(t->dtype) || t->dtype == DT_BOOL;
}

static bool same_dims(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank &&
           (!a->rank || !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims));
}

/* Where the truth is finite: what infinity becomes may depend on the order. */
static double distance(const struct tensor *a, const struct tensor *truth)
{
    double worst = 0;
    for (int64_t i = 0; i < a->count; i++) {
        double x = num_get(a->data, a->dtype, i), y = num_get(truth->data, truth->dtype, i);
        if (!isfinite(y) || !(fabs(x - y) > 0 || isnan(x)))
            continue;
        double d = isnan(x) ? INFINITY : fabs(x - y);
        worst = d > worst ? d : worst;
    }
    return worst;
}

static double largest(const struct tensor *t)
{
    double most = 0;
    for (int64_t i = 0; i < t->count; i++) {
        double x = fabs(num_get(t->data, t->dtype, i));
        most = isfinite(x) && x > most ? x : most;
    }
    return most;
}

void verdict_begin(struct verified_output *o, const char *name)
{
    *o = (struct verified_output){.name = name, .same = true, .passed = true, .own = NAN};
}

struct measure {
    double off, error, allowed, own;
};

static struct measure measured(enum pass_class class, const struct tensor *a,
                               const struct tensor *b, const struct tensor *truth)
{
    struct measure x = {distance(b, a), 0, 0, NAN};
    x.error = x.off;
    x.allowed = class == PASS_EXACT ? 0 : INFINITY;
    if (class != PASS_REASSOC)
        return x;
    bool known = truth && is_number(truth) && same_dims(truth, a);
    x.own = known ? distance(a, truth) : NAN;
    x.error = known ? distance(b, truth) : x.off;
    x.allowed = fmax(1e-5 * largest(known ? truth : a), known ? 2 * x.own : 0);
    return x;
}

void verdict_add(struct verified_output *o, enum pass_class class, const struct tensor *before,
                 const struct tensor *after, const struct tensor *truth)
{
    struct measure x = {INFINITY, INFINITY, 0, NAN}; /* of another form */
    if (!is_number(before) || !is_number(after))
        return;
    bool first = !o->compared, form = before->dtype == after->dtype && same_dims(before, after);
    bool same = form && (!before->bytes || !memcmp(before->data, after->data, before->bytes));
    if (form)
        x = measured(class, before, after, truth);
    o->compared = true;
    o->same &= same;
    o->passed &= same || (class != PASS_EXACT && form && x.error <= x.allowed);
    o->max_abs = fmax(o->max_abs, x.off);
    o->own = fmax(o->own, x.own); /* fmax passes NAN over */
    if (first || x.error - x.allowed > o->error - o->allowed)
        o->error = x.error, o->allowed = x.allowed;
}
