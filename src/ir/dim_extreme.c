/* Minimum and maximum of dims, and binding of symbols.
 *
 * min and max are n-ary: nested ones are flattened, operands that another one beats for every value
 * of the symbols are dropped, the rest is sorted, and the constant of the first variable operand is
 * taken out: min(n + 1, 5) = min(n, 4) + 1. So order and nesting of the calls do not matter.
 */
#include <stdlib.h>
#include <string.h>

#include "ir/dim_poly.h"

struct operands {
    int n;
    bool bad;
    dim_t args[2 * DIM_MAX_ARGS];
};

/* Adds d, or the operands of d = min(...) + k when it is of the same kind. */
static void add_operand(struct dim_table *t, struct operands *o, enum atom_kind kind, dim_t d)
{
    struct poly p;
    poly_load(&p, d);
    const struct atom *a = dim_lone_atom(&p);
    if (!a || a->kind != kind) {
        o->args[o->n++] = d;
        return;
    }
    dim_t k = dim_const(t, poly_constant(&p));
    for (uint32_t i = 0; i < a->n_args; i++)
        o->bad |= !(o->args[o->n++] = dim_add(t, a->args[i], k));
}

/* Drops operands that another one beats for every value of the symbols. */
static void drop_beaten(struct dim_table *t, struct operands *o, enum atom_kind kind)
{
    for (int i = 0; i < o->n; i++)
        for (int k = 0; k < o->n; k++) {
            dim_t gap = dim_sub(t, o->args[i], o->args[k]);
            bool beaten = kind == ATOM_MAX ? dim_at_least(gap, 0) : dim_at_most(gap, 0);
            if (i == k || !beaten)
                continue;
            o->args[k] = o->args[--o->n];
            i = -1; /* few operands: start over */
            break;
        }
}

static int by_order(const void *a, const void *b)
{
    return dim_compare(*(const dim_t *)a, *(const dim_t *)b);
}

static dim_t without_constant(struct dim_table *t, dim_t d, int64_t *constant)
{
    struct poly p;
    poly_load(&p, d);
    *constant = poly_constant(&p);
    return dim_sub(t, d, dim_const(t, *constant));
}

/* Takes the constant of the first variable operand out of all of them and returns it. */
static dim_t common_shift(struct dim_table *t, struct operands *o)
{
    dim_t first = NULL;
    int64_t shift = 0;
    for (int i = 0; i < o->n; i++) {
        int64_t constant;
        dim_t bare = without_constant(t, o->args[i], &constant);
        if (dim_is_const(o->args[i], NULL) || !bare || (first && dim_compare(bare, first) >= 0))
            continue;
        first = bare;
        shift = constant;
    }
    dim_t k = dim_const(t, shift);
    for (int i = 0; i < o->n; i++)
        o->bad |= !(o->args[i] = dim_sub(t, o->args[i], k));
    return k;
}

static dim_t extreme(struct dim_table *t, enum atom_kind kind, dim_t a, dim_t b)
{
    struct operands o = {.n = 0};
    if (!a || !b)
        return NULL;
    add_operand(t, &o, kind, a);
    add_operand(t, &o, kind, b);
    if (o.bad)
        return NULL;
    drop_beaten(t, &o, kind);
    if (o.n == 1)
        return o.args[0];
    if (o.n > DIM_MAX_ARGS)
        return NULL;
    dim_t shift = common_shift(t, &o);
    if (o.bad)
        return NULL;
    qsort(o.args, (size_t)o.n, sizeof *o.args, by_order);
    return dim_add(t, dim_atom(t, kind, o.args, (uint32_t)o.n), shift);
}

dim_t dim_min(struct dim_table *t, dim_t a, dim_t b) { return extreme(t, ATOM_MIN, a, b); }
dim_t dim_max(struct dim_table *t, dim_t a, dim_t b) { return extreme(t, ATOM_MAX, a, b); }

/* ---- binding ---- */

static dim_t bind_atom(struct dim_table *t, const struct atom *a, const struct dim_binding *list,
                       size_t count)
{
    for (size_t i = 0; a->kind == ATOM_SYMBOL && i < count; i++)
        if (!strcmp(list[i].name, a->name))
            return dim_const(t, list[i].value);
    if (a->kind == ATOM_SYMBOL)
        return dim_symbol(t, a->name);
    dim_t result = dim_bind(t, a->args[0], list, count);
    for (uint32_t i = 1; i < a->n_args; i++) {
        dim_t x = dim_bind(t, a->args[i], list, count);
        result = a->kind == ATOM_FLOORDIV  ? dim_floordiv(t, result, x)
                 : a->kind == ATOM_CEILDIV ? dim_ceildiv(t, result, x)
                 : a->kind == ATOM_MIN     ? dim_min(t, result, x)
                                           : dim_max(t, result, x);
    }
    return result;
}

dim_t dim_bind(struct dim_table *t, dim_t d, const struct dim_binding *bindings, size_t count)
{
    if (!d || dim_is_const(d, NULL))
        return d;
    struct poly p;
    poly_load(&p, d);
    dim_t sum = dim_const(t, 0);
    for (int i = 0; i < p.n; i++) {
        dim_t product = dim_const(t, p.terms[i].coef);
        for (uint32_t k = 0; k < p.terms[i].degree; k++)
            product = dim_mul(t, product, bind_atom(t, p.terms[i].atoms[k], bindings, count));
        sum = dim_add(t, sum, product);
    }
    return sum;
}
