/* Arithmetic on dims: each operation expands its operands to polynomials, computes, and interns
 * the result in canonical form.
 *
 * Division by a constant c > 0 leaves floordiv(B, c) only for what cannot leave: every coefficient
 * of B and its constant lie in 0 .. c-1, they have no common factor with c, and B is no floordiv
 * itself. So floor((3n + 5)/2) is n + 2 + floor((n + 1)/2) however it was written. mod(p, q) is
 * p - q * floordiv(p, q); ceildiv(p, c) is floordiv(p + c - 1, c).
 */
#include <stdlib.h>

#include "ir/dim_poly.h"

dim_t dim_add(struct dim_table *t, dim_t a, dim_t b)
{
    struct poly p, q;
    poly_load(&p, a);
    poly_load(&q, b);
    poly_add_scaled(&p, &q, 1);
    return poly_intern(t, &p);
}

dim_t dim_sub(struct dim_table *t, dim_t a, dim_t b)
{
    struct poly p, q;
    poly_load(&p, a);
    poly_load(&q, b);
    poly_add_scaled(&p, &q, -1);
    return poly_intern(t, &p);
}

dim_t dim_neg(struct dim_table *t, dim_t a) { return dim_sub(t, dim_const(t, 0), a); }

dim_t dim_mul(struct dim_table *t, dim_t a, dim_t b)
{
    struct poly p, q, product;
    poly_load(&p, a);
    poly_load(&q, b);
    poly_mul(&product, &p, &q);
    return poly_intern(t, &product);
}

/* ---- division ---- */

static int64_t floor_div(int64_t a, int64_t b) /* b > 0 */ { return a / b - (a % b < 0); }

static int64_t gcd(int64_t a, int64_t b) /* both >= 0 */
{
    while (b) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

static int n_variable(const struct poly *p)
{
    return p->n - (p->n && p->terms[p->n - 1].degree == 0);
}

/* Has variable terms, all with a negative coefficient. */
static bool all_negative(const struct poly *p)
{
    int n = n_variable(p);
    for (int i = 0; i < n; i++)
        if (p->terms[i].coef > 0)
            return false;
    return n > 0;
}

static void negate(struct poly *p)
{
    struct poly q = {.n = 0};
    poly_add_scaled(&q, p, -1);
    *p = q;
}

/* rest := p modulo c per coefficient, whole := the multiples taken out. */
static void split_multiples(const struct poly *p, int64_t c, struct poly *whole, struct poly *rest)
{
    *whole = *rest = (struct poly){.bad = p->bad};
    for (int i = 0; i < p->n; i++) {
        struct term x = p->terms[i];
        int64_t quotient = floor_div(x.coef, c), remainder = x.coef - quotient * c;
        x.coef = quotient;
        poly_add_term(whole, &x);
        x.coef = remainder;
        poly_add_term(rest, &x);
    }
}

/* Takes the common factor of the variable terms and c out: floor((gA + k)/gc) = floor((A +
 * floor(k/g))/c). */
static int64_t reduce_fraction(struct poly *p, int64_t c)
{
    int64_t g = c;
    for (int i = 0; i < n_variable(p); i++)
        g = gcd(g, p->terms[i].coef);
    struct poly q = {.bad = p->bad};
    for (int i = 0; i < p->n; i++) {
        struct term x = p->terms[i];
        x.coef = floor_div(x.coef, g);
        poly_add_term(&q, &x);
    }
    *p = q;
    return c / g;
}

static dim_t divide_const(struct dim_table *t, struct poly *p, int64_t c);

/* floor(rest / c) where rest is reduced; NULL through p->bad never comes here. */
static dim_t divide_rest(struct dim_table *t, struct poly *rest, int64_t c)
{
    const struct atom *a = dim_lone_atom(rest);
    int64_t inner, product, k;
    if (a && a->kind == ATOM_FLOORDIV && dim_is_const(a->args[1], &inner) &&
        !__builtin_mul_overflow(inner, c, &product) &&
        !__builtin_mul_overflow(inner, poly_constant(rest), &k)) {
        struct poly p;
        poly_load(&p, a->args[0]);
        poly_add_const(&p, k);
        return divide_const(t, &p, product);
    }
    struct poly upper = *rest;
    negate(&upper);
    if (poly_at_least(rest, 0) && poly_at_least(&upper, 1 - c))
        return dim_const(t, 0);
    dim_t args[2] = {poly_intern(t, rest), dim_const(t, c)};
    return args[0] ? dim_atom(t, ATOM_FLOORDIV, args, 2) : NULL;
}

static dim_t divide_const(struct dim_table *t, struct poly *p, int64_t c)
{
    bool flip = all_negative(p); /* floor(-p/c) = -floor((p + c-1)/c) */
    if (flip) {
        negate(p);
        poly_add_const(p, c - 1);
    }
    struct poly whole, rest;
    split_multiples(p, c, &whole, &rest);
    if (whole.bad || rest.bad)
        return NULL;
    c = reduce_fraction(&rest, c);
    dim_t result = poly_intern(t, &whole);
    if (c == 1)
        result = dim_add(t, result, poly_intern(t, &rest));
    else if (n_variable(&rest))
        result = dim_add(t, result, divide_rest(t, &rest, c));
    return flip ? dim_neg(t, result) : result;
}

/* Long division: p = q * quotient with nothing left over. */
static bool divide_exactly(const struct poly *p, const struct poly *q, struct poly *quotient)
{
    struct poly left = *p;
    *quotient = (struct poly){.n = 0};
    for (int steps = 0; left.n && steps < 4 * DIM_MAX_TERMS; steps++) {
        struct poly x = {.n = 1}, product;
        if (!term_divides(&q->terms[0], &left.terms[0], &x.terms[0]))
            return false;
        poly_add_term(quotient, &x.terms[0]);
        poly_mul(&product, q, &x);
        poly_add_scaled(&left, &product, -1);
        if (left.bad || quotient->bad)
            return false;
    }
    return left.n == 0;
}

static bool divide_all(struct poly *p, const struct term *by)
{
    struct poly q = {.n = 0};
    for (int i = 0; i < p->n; i++) {
        struct term x;
        if (!term_divides(by, &p->terms[i], &x))
            return false;
        poly_add_term(&q, &x);
    }
    *p = q;
    return true;
}

static int64_t content(const struct poly *p, int64_t g)
{
    for (int i = 0; i < p->n; i++)
        g = gcd(g, p->terms[i].coef == INT64_MIN ? 1 : llabs(p->terms[i].coef));
    return g;
}

static bool cancel_one(struct poly *p, struct poly *q, const struct term *by)
{
    struct poly a = *p, b = *q;
    if (!divide_all(&a, by) || !divide_all(&b, by))
        return false;
    *p = a;
    *q = b;
    return true;
}

/* Cancels common factors of fraction p / q: numbers and single atoms. */
static void cancel(struct poly *p, struct poly *q)
{
    if (q->terms[0].coef < 0) {
        negate(p);
        negate(q);
    }
    int64_t g = content(p, content(q, 0));
    if (g > 1)
        cancel_one(p, q, &(struct term){.coef = g});
    for (uint32_t i = 0; i < q->terms[0].degree;) {
        struct term by = {.coef = 1, .degree = 1, .atoms = {q->terms[0].atoms[i]}};
        if (!cancel_one(p, q, &by))
            i++;
    }
}

/* floor((qA + B)/q) = A + floor(B/q) for a divisor of one term. */
static void take_whole(struct poly *p, const struct poly *q, struct poly *whole)
{
    struct poly rest = {.bad = p->bad};
    for (int i = 0; i < p->n; i++) {
        struct term x;
        if (q->n == 1 && term_divides(&q->terms[0], &p->terms[i], &x))
            poly_add_term(whole, &x);
        else
            poly_add_term(&rest, &p->terms[i]);
    }
    *p = rest;
}

static dim_t divide_atom(struct dim_table *t, struct poly *p, struct poly *q)
{
    bool flip = all_negative(p) && poly_constant(p) <= 0;
    if (flip)
        negate(p);
    struct poly gap = *q;
    poly_add_scaled(&gap, p, -1);
    if (!flip && !gap.bad && poly_at_least(p, 0) && poly_at_least(&gap, 1))
        return dim_const(t, 0);
    dim_t args[2] = {poly_intern(t, p), poly_intern(t, q)};
    if (!args[0] || !args[1])
        return NULL;
    dim_t atom = dim_atom(t, flip ? ATOM_CEILDIV : ATOM_FLOORDIV, args, 2);
    return flip ? dim_neg(t, atom) : atom;
}

static dim_t divide_symbolic(struct dim_table *t, struct poly *p, struct poly *q)
{
    struct poly whole = {.n = 0};
    if (divide_exactly(p, q, &whole))
        return poly_intern(t, &whole);
    cancel(p, q);
    if (p->bad || q->bad)
        return NULL;
    if (n_variable(q) == 0)
        return dim_floordiv(t, poly_intern(t, p), poly_intern(t, q));
    whole = (struct poly){.n = 0};
    take_whole(p, q, &whole);
    dim_t result = poly_intern(t, &whole);
    return p->n ? dim_add(t, result, divide_atom(t, p, q)) : result;
}

dim_t dim_floordiv(struct dim_table *t, dim_t a, dim_t b)
{
    struct poly p, q;
    poly_load(&p, a);
    poly_load(&q, b);
    int64_t c;
    if (p.bad || q.bad || q.n == 0)
        return NULL;
    if (!dim_is_const(b, &c))
        return divide_symbolic(t, &p, &q);
    if (c < 0) {
        negate(&p);
        if (p.bad || c == INT64_MIN)
            return NULL;
        c = -c;
    }
    return divide_const(t, &p, c);
}

dim_t dim_ceildiv(struct dim_table *t, dim_t a, dim_t b)
{
    return dim_neg(t, dim_floordiv(t, dim_neg(t, a), b));
}

dim_t dim_truncdiv(struct dim_table *t, dim_t a, dim_t b)
{
    if (!a || !b || dim_equals(b, 0))
        return NULL;
    bool up = dim_at_least(a, 0), down = dim_at_most(a, 0);
    /* A divisor that is not negative counts as positive: zero has no quotient. */
    bool positive = dim_at_least(b, 0), negative = dim_at_most(b, -1);
    if ((!up && !down) || (!positive && !negative))
        return NULL;
    return up == positive ? dim_floordiv(t, a, b) : dim_ceildiv(t, a, b);
}

dim_t dim_mod(struct dim_table *t, dim_t a, dim_t b)
{
    return dim_sub(t, a, dim_mul(t, b, dim_floordiv(t, a, b)));
}
