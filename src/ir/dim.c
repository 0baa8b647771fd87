/* Dimensions: constants, symbols, hash-consing and the polynomial form.
 *
 * A handle is tagged: an odd one is a constant 0 .. 2^40 without any memory behind it; an even one
 * points to a struct dim whose words spell the polynomial: coefficient, degree, atoms ... for each
 * term. The words are also the key under which it is interned. The table is guarded by a mutex;
 * everything reachable from a handle is immutable, so reading needs no lock.
 */
#include "ir/dim.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/mem.h"
#include "ir/dim_poly.h"

static const int64_t SMALL_MAX = (int64_t)1 << 40;

struct dim {
    uint32_t n_words, depth, size;
    const uint64_t *words;
};

struct dim_table {
    pthread_mutex_t lock;
    struct arena *arena;
    struct map symbols; /* name -> atom */
    struct map atoms;   /* kind and arguments -> atom */
    struct map dims;    /* words -> dim */
    int64_t fresh;
};

struct dim_table *dim_table_new(void)
{
    struct dim_table *t = mem_alloc(sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    t->arena = arena_new();
    return t;
}

void dim_table_free(struct dim_table *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    map_release(&t->symbols);
    map_release(&t->atoms);
    map_release(&t->dims);
    arena_free(t->arena);
    mem_free(t);
}

/* ---- constants ---- */

static bool is_small(dim_t d) { return ((uintptr_t)d & 1) != 0; }

bool dim_is_const(dim_t d, int64_t *value)
{
    int64_t found;
    if (!d)
        return false;
    if (is_small(d))
        found = (int64_t)((uintptr_t)d >> 1);
    else if (d->n_words == 2 && d->words[1] == 0)
        found = (int64_t)d->words[0];
    else
        return false;
    if (value)
        *value = found;
    return true;
}

bool dim_equals(dim_t d, int64_t value)
{
    int64_t found;
    return dim_is_const(d, &found) && found == value;
}

dim_t dim_const(struct dim_table *t, int64_t value)
{
    if (value >= 0 && value <= SMALL_MAX)
        return (dim_t)((uintptr_t)value << 1 | 1);
    struct poly p = {.n = 1};
    p.terms[0].coef = value;
    return poly_intern(t, &p);
}

/* ---- symbols and atoms ---- */

static struct atom *find_symbol(struct dim_table *t, const char *name)
{
    struct atom *a = map_get_str(&t->symbols, name);
    if (a)
        return a;
    a = arena_alloc(t->arena, sizeof *a);
    a->name = arena_string(t->arena, name);
    a->size = a->depth = 1;
    *map_slot_str(&t->symbols, a->name) = a;
    return a;
}

static dim_t from_atom(struct dim_table *t, const struct atom *a)
{
    struct poly p = {.n = 1};
    p.terms[0].coef = 1;
    p.terms[0].degree = 1;
    p.terms[0].atoms[0] = a;
    return poly_intern(t, &p);
}

dim_t dim_symbol(struct dim_table *t, const char *name)
{
    pthread_mutex_lock(&t->lock);
    const struct atom *a = find_symbol(t, name);
    pthread_mutex_unlock(&t->lock);
    return from_atom(t, a);
}

dim_t dim_fresh(struct dim_table *t, const char *hint)
{
    pthread_mutex_lock(&t->lock);
    const char *name;
    do
        name = arena_printf(t->arena, "%s#%lld", hint, (long long)++t->fresh);
    while (map_has_str(&t->symbols, name));
    const struct atom *a = find_symbol(t, name);
    pthread_mutex_unlock(&t->lock);
    return from_atom(t, a);
}

const char *dim_symbol_name(dim_t d)
{
    if (!d || is_small(d) || d->n_words != 3 || d->words[0] != 1)
        return NULL;
    return ((const struct atom *)(uintptr_t)d->words[2])->name;
}

static void measure(dim_t d, uint32_t *depth, uint32_t *size)
{
    *depth = is_small(d) ? 0 : d->depth;
    *size = is_small(d) ? 1 : d->size;
}

dim_t dim_atom(struct dim_table *t, enum atom_kind kind, const dim_t *args, uint32_t n)
{
    uint64_t key[DIM_MAX_ARGS + 1] = {kind};
    uint32_t depth = 1, size = 1;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t d, s;
        measure(args[i], &d, &s);
        depth = d + 1 > depth ? d + 1 : depth;
        size += s;
        key[i + 1] = (uintptr_t)args[i];
    }
    if (depth > DIM_MAX_DEPTH || size > DIM_MAX_SIZE)
        return NULL;
    size_t bytes = (n + 1) * sizeof *key;
    pthread_mutex_lock(&t->lock);
    struct atom *a = map_get(&t->atoms, key, bytes);
    if (!a) {
        a = arena_alloc(t->arena, sizeof *a);
        *a =
            (struct atom){kind, NULL, n, depth, size, arena_copy(t->arena, args, n * sizeof *args)};
        *map_slot(&t->atoms, arena_copy(t->arena, key, bytes), bytes) = a;
    }
    pthread_mutex_unlock(&t->lock);
    return from_atom(t, a);
}

/* ---- order ---- */

int atom_compare(const struct atom *a, const struct atom *b)
{
    if (a == b)
        return 0;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == ATOM_SYMBOL)
        return strcmp(a->name, b->name);
    if (a->n_args != b->n_args)
        return a->n_args < b->n_args ? -1 : 1;
    for (uint32_t i = 0; i < a->n_args; i++)
        if (a->args[i] != b->args[i])
            return dim_compare(a->args[i], b->args[i]);
    return 0;
}

/* Graded lexicographic: < 0 when a stands before b. Compatible with multiplication, so that long
 * division works. */
static int monomial_compare(const struct term *a, const struct term *b)
{
    if (a->degree != b->degree)
        return a->degree > b->degree ? -1 : 1;
    for (uint32_t i = 0; i < a->degree; i++)
        if (a->atoms[i] != b->atoms[i])
            return atom_compare(a->atoms[i], b->atoms[i]);
    return 0;
}

int dim_compare(dim_t a, dim_t b)
{
    if (a == b)
        return 0;
    struct poly p, q;
    poly_load(&p, a);
    poly_load(&q, b);
    for (int i = 0; i < p.n && i < q.n; i++) {
        int order = monomial_compare(&p.terms[i], &q.terms[i]);
        if (order)
            return order;
        if (p.terms[i].coef != q.terms[i].coef)
            return p.terms[i].coef < q.terms[i].coef ? -1 : 1;
    }
    return p.n > q.n ? -1 : p.n < q.n;
}

/* ---- polynomials ---- */

void poly_load(struct poly *p, dim_t d)
{
    p->n = 0;
    p->bad = d == NULL;
    if (!d)
        return;
    if (is_small(d)) {
        poly_add_const(p, (int64_t)((uintptr_t)d >> 1));
        return;
    }
    for (uint32_t i = 0; i < d->n_words;) {
        struct term *x = &p->terms[p->n++];
        x->coef = (int64_t)d->words[i++];
        x->degree = (uint32_t)d->words[i++];
        for (uint32_t k = 0; k < x->degree; k++)
            x->atoms[k] = (const struct atom *)(uintptr_t)d->words[i++];
    }
}

static dim_t intern_words(struct dim_table *t, const uint64_t *words, uint32_t n, uint32_t depth,
                          uint32_t size)
{
    size_t bytes = n * sizeof *words;
    pthread_mutex_lock(&t->lock);
    struct dim *d = map_get(&t->dims, words, bytes);
    if (!d) {
        d = arena_alloc(t->arena, sizeof *d);
        *d = (struct dim){n, depth, size, arena_copy(t->arena, words, bytes)};
        *map_slot(&t->dims, d->words, bytes) = d;
    }
    pthread_mutex_unlock(&t->lock);
    return d;
}

dim_t poly_intern(struct dim_table *t, const struct poly *p)
{
    if (p->bad)
        return NULL;
    int64_t c = poly_constant(p);
    if (p->n == 0 || (p->n == 1 && p->terms[0].degree == 0 && c >= 0 && c <= SMALL_MAX))
        return dim_const(t, c);
    uint64_t words[DIM_MAX_TERMS * (DIM_MAX_DEGREE + 2)];
    uint32_t n = 0, depth = 0, size = 0;
    for (int i = 0; i < p->n; i++) {
        const struct term *x = &p->terms[i];
        words[n++] = (uint64_t)x->coef;
        words[n++] = x->degree;
        size++;
        for (uint32_t k = 0; k < x->degree; k++) {
            const struct atom *a = x->atoms[k];
            words[n++] = (uintptr_t)a;
            depth = a->depth > depth ? a->depth : depth;
            size += a->size;
        }
    }
    return size > DIM_MAX_SIZE ? NULL : intern_words(t, words, n, depth, size);
}

void poly_add_term(struct poly *p, const struct term *x)
{
    int at = 0, order = 1;
    while (at < p->n && (order = monomial_compare(&p->terms[at], x)) < 0)
        at++;
    if (at < p->n && order == 0) {
        if (__builtin_add_overflow(p->terms[at].coef, x->coef, &p->terms[at].coef))
            p->bad = true;
        if (p->terms[at].coef)
            return;
        p->n--;
        memmove(&p->terms[at], &p->terms[at + 1], (size_t)(p->n - at) * sizeof *x);
        return;
    }
    if (x->coef == 0)
        return;
    if (p->n == DIM_MAX_TERMS) {
        p->bad = true;
        return;
    }
    memmove(&p->terms[at + 1], &p->terms[at], (size_t)(p->n - at) * sizeof *x);
    p->terms[at] = *x;
    p->n++;
}

void poly_add_const(struct poly *p, int64_t value)
{
    poly_add_term(p, &(struct term){.coef = value});
}

void poly_add_scaled(struct poly *p, const struct poly *q, int64_t factor)
{
    p->bad |= q->bad;
    for (int i = 0; i < q->n; i++) {
        struct term x = q->terms[i];
        p->bad |= __builtin_mul_overflow(x.coef, factor, &x.coef);
        poly_add_term(p, &x);
    }
}

static bool multiply_terms(struct term *out, const struct term *a, const struct term *b)
{
    uint32_t degree = a->degree + b->degree;
    if (degree > DIM_MAX_DEGREE || __builtin_mul_overflow(a->coef, b->coef, &out->coef))
        return false;
    out->degree = degree;
    for (uint32_t i = 0, j = 0, k = 0; k < degree; k++) {
        bool first =
            j == b->degree || (i < a->degree && atom_compare(a->atoms[i], b->atoms[j]) <= 0);
        out->atoms[k] = first ? a->atoms[i++] : b->atoms[j++];
    }
    return true;
}

void poly_mul(struct poly *out, const struct poly *a, const struct poly *b)
{
    out->n = 0;
    out->bad = a->bad || b->bad;
    for (int i = 0; i < a->n && !out->bad; i++)
        for (int k = 0; k < b->n && !out->bad; k++) {
            struct term x = {0};
            if (multiply_terms(&x, &a->terms[i], &b->terms[k]))
                poly_add_term(out, &x);
            else
                out->bad = true;
        }
}

int64_t poly_constant(const struct poly *p)
{
    return p->n && p->terms[p->n - 1].degree == 0 ? p->terms[p->n - 1].coef : 0;
}

bool term_divides(const struct term *by, const struct term *x, struct term *quotient)
{
    struct term q = {0};
    if ((by->coef == -1 && x->coef == INT64_MIN) || x->coef % by->coef)
        return false;
    q.coef = x->coef / by->coef;
    uint32_t used = 0;
    for (uint32_t i = 0; i < x->degree; i++) {
        if (used < by->degree && x->atoms[i] == by->atoms[used])
            used++;
        else
            q.atoms[q.degree++] = x->atoms[i];
    }
    if (used < by->degree)
        return false;
    *quotient = q;
    return true;
}

const struct atom *dim_lone_atom(const struct poly *p)
{
    bool one = p->n == 1 || (p->n == 2 && p->terms[1].degree == 0);
    return one && p->terms[0].coef == 1 && p->terms[0].degree == 1 ? p->terms[0].atoms[0] : NULL;
}
