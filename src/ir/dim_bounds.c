/* Lower and upper bounds of dims that follow from symbols >= 0.
 *
 * Two means: interval arithmetic over the terms, and replacing an atom by what bounds it:
 *   (B - c + 1)/c <= floor(B/c) <= B/c   (the inequality is multiplied by c first),
 *   max(..) >= each operand, min(..) <= each operand, and by cases the other way round.
 * So n - 4 * floor(n/4) is known to lie in 0 .. 3. Work is bounded; false means unknown.
 */
#include "ir/dim_poly.h"

enum { BUDGET = 64 }; /* replacements per question */

static const int64_t INF = INT64_MAX;

struct range { /* -INF and INF: unbounded */
    int64_t low, high;
};

static struct range poly_range(const struct poly *p);

static struct range dim_range(dim_t d)
{
    struct poly p;
    poly_load(&p, d);
    return poly_range(&p);
}

static int64_t clamp(__int128 x, int64_t unknown)
{
    return x >= INF || x <= -INF ? unknown : (int64_t)x;
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* Ends that are unbounded or overflow make the result unbounded on that side. */
static struct range range_mul(struct range a, struct range b)
{
    if (a.low >= 0 && b.low >= 0) {
        bool open = a.high == INF || b.high == INF;
        int64_t low = clamp((__int128)a.low * b.low, 0);
        return (struct range){low, open ? INF : clamp((__int128)a.high * b.high, INF)};
    }
    if (a.low == -INF || b.low == -INF || a.high == INF || b.high == INF)
        return (struct range){-INF, INF};
    __int128 ends[4] = {(__int128)a.low * b.low, (__int128)a.low * b.high, (__int128)a.high * b.low,
                        (__int128)a.high * b.high};
    __int128 low = ends[0], high = ends[0];
    for (int i = 1; i < 4; i++) {
        low = ends[i] < low ? ends[i] : low;
        high = ends[i] > high ? ends[i] : high;
    }
    return (struct range){clamp(low, -INF), clamp(high, INF)};
}

static struct range range_scale(struct range a, int64_t k)
{
    __int128 x = (__int128)a.low * k, y = (__int128)a.high * k;
    bool low_open = k > 0 ? a.low == -INF : a.high == INF;
    bool high_open = k > 0 ? a.high == INF : a.low == -INF;
    return (struct range){low_open ? -INF : clamp(k > 0 ? x : y, -INF),
                          high_open ? INF : clamp(k > 0 ? y : x, INF)};
}

static struct range range_add(struct range a, struct range b)
{
    bool low_open = a.low == -INF || b.low == -INF, high_open = a.high == INF || b.high == INF;
    return (struct range){low_open ? -INF : clamp((__int128)a.low + b.low, -INF),
                          high_open ? INF : clamp((__int128)a.high + b.high, INF)};
}

/* Quotients of a non-negative dividend and a divisor >= 1 (zero has no quotient). */
static struct range division_range(const struct atom *a)
{
    struct range p = dim_range(a->args[0]), q = dim_range(a->args[1]);
    if (p.low < 0 || q.low < 0)
        return (struct range){-INF, INF};
    int64_t least = larger(q.low, 1), up = a->kind == ATOM_CEILDIV && p.high != INF ? least - 1 : 0;
    int64_t high = p.high == INF ? INF : p.high / least + (p.high % least + up) / least;
    return (struct range){q.high == INF ? 0 : p.low / q.high, high};
}

static struct range atom_range(const struct atom *a)
{
    if (a->kind == ATOM_SYMBOL)
        return (struct range){0, INF};
    if (a->kind == ATOM_FLOORDIV || a->kind == ATOM_CEILDIV)
        return division_range(a);
    struct range all = dim_range(a->args[0]);
    for (uint32_t i = 1; i < a->n_args; i++) {
        struct range r = dim_range(a->args[i]);
        bool min = a->kind == ATOM_MIN;
        all.low = min ? smaller(all.low, r.low) : larger(all.low, r.low);
        all.high = min ? smaller(all.high, r.high) : larger(all.high, r.high);
    }
    return all;
}

static struct range term_range(const struct term *x)
{
    struct range r = {1, 1};
    for (uint32_t i = 0; i < x->degree; i++)
        r = range_mul(r, atom_range(x->atoms[i]));
    return range_scale(r, x->coef);
}

static struct range poly_range(const struct poly *p)
{
    struct range sum = {0, 0};
    for (int i = 0; i < p->n; i++)
        sum = range_add(sum, term_range(&p->terms[i]));
    return sum;
}

static bool prove(const struct poly *p, int *budget);

/* p * factor with term i left out, plus coef * operand + constant. */
static struct poly substitute(const struct poly *p, int i, int64_t factor, dim_t operand,
                              int64_t constant)
{
    struct poly rest = *p, out = {.n = 0}, q;
    int64_t coef = p->terms[i].coef;
    rest.n = 0;
    for (int k = 0; k < p->n; k++)
        if (k != i)
            rest.terms[rest.n++] = p->terms[k];
    poly_add_scaled(&out, &rest, factor);
    poly_load(&q, operand);
    poly_add_const(&q, constant);
    poly_add_scaled(&out, &q, coef);
    return out;
}

static bool prove_division(const struct poly *p, int i, int *budget)
{
    const struct atom *a = p->terms[i].atoms[0];
    int64_t c;
    if (!dim_is_const(a->args[1], &c) || c <= 0)
        return false;
    struct poly q = substitute(p, i, c, a->args[0], p->terms[i].coef > 0 ? 1 - c : 0);
    return prove(&q, budget);
}

static bool prove_extreme(const struct poly *p, int i, int *budget)
{
    const struct atom *a = p->terms[i].atoms[0];
    bool any = (a->kind == ATOM_MAX) == (p->terms[i].coef > 0);
    for (uint32_t k = 0; k < a->n_args; k++) {
        struct poly q = substitute(p, i, 1, a->args[k], 0);
        if (prove(&q, budget) == any)
            return any;
    }
    return !any;
}

/* p >= 0 for all symbols >= 0? */
static bool prove(const struct poly *p, int *budget)
{
    if (p->bad)
        return false;
    if (poly_range(p).low >= 0)
        return true;
    for (int i = 0; i < p->n; i++) {
        const struct term *x = &p->terms[i];
        if (x->degree != 1 || x->atoms[0]->kind == ATOM_SYMBOL || x->atoms[0]->kind == ATOM_CEILDIV)
            continue;
        if (--*budget < 0)
            return false;
        if (x->atoms[0]->kind == ATOM_FLOORDIV ? prove_division(p, i, budget)
                                               : prove_extreme(p, i, budget))
            return true;
    }
    return false;
}

bool poly_at_least(const struct poly *p, int64_t bound)
{
    struct poly q = *p;
    int budget = BUDGET;
    if (bound == INT64_MIN)
        return !q.bad;
    poly_add_const(&q, -bound);
    return prove(&q, &budget);
}

bool dim_at_least(dim_t d, int64_t bound)
{
    int64_t value;
    if (dim_is_const(d, &value))
        return value >= bound;
    struct poly p;
    poly_load(&p, d);
    return poly_at_least(&p, bound);
}

bool dim_at_most(dim_t d, int64_t bound)
{
    int64_t value;
    if (dim_is_const(d, &value))
        return value <= bound;
    struct poly p, q = {.n = 0};
    poly_load(&p, d);
    poly_add_scaled(&q, &p, -1);
    return bound != INT64_MIN && poly_at_least(&q, -bound);
}
