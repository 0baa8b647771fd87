/* A dimension: a constant, a symbol, or an expression over symbols. NULL means: nothing is known.
 *
 * Expressions are hash-consed per model: two dims are proven equal exactly when their pointers are
 * equal (after the canonical form below), so size equality is a pointer comparison. Constants are
 * cheap: DIM_CONST packs 0 .. 2^40 in a tagged pointer without allocating, so shape inference with
 * bound dims costs no memory.
 *
 * Canonical form: a polynomial sum of integer coefficient * product of atoms, terms sorted; an atom
 * is a symbol or one of floordiv(p, q), ceildiv(p, q), mod(p, q), min(p, q), max(p, q) over
 * canonical p, q. Symbols are non-negative unless declared otherwise. Arithmetic that overflows
 * int64 gives NULL.
 */
#ifndef IR_DIM_H
#define IR_DIM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dim_table;
struct dim;                      /* opaque, immutable, compared by address */
typedef const struct dim *dim_t; /* the one handle type: small enough to pass by value */

struct dim_table *dim_table_new(void); /* returns owned */
void dim_table_free(struct dim_table *t);

/* Does a dim_param name a symbol? Empty ones and "?" (PaddlePaddle writes it for every unknown size) do not. */
static inline bool dim_names_symbol(const char *param)
{
    return param[0] && !(param[0] == '?' && !param[1]);
}

dim_t dim_const(struct dim_table *t, int64_t value);     /* any int64, negatives too */
dim_t dim_symbol(struct dim_table *t, const char *name); /* one per name */
dim_t dim_fresh(struct dim_table *t,
                const char *hint);          /* a new symbol "hint#k": data-dependent sizes */
bool dim_is_const(dim_t d, int64_t *value); /* false for NULL; value may be NULL */
bool dim_equals(dim_t d, int64_t value);    /* is the constant value */
const char *dim_symbol_name(dim_t d);       /* NULL unless a bare symbol */

dim_t dim_add(struct dim_table *t, dim_t a, dim_t b); /* NULL in, NULL out, for all of these */
dim_t dim_sub(struct dim_table *t, dim_t a, dim_t b);
dim_t dim_mul(struct dim_table *t, dim_t a, dim_t b);
dim_t dim_floordiv(struct dim_table *t, dim_t a, dim_t b); /* NULL for division by the constant 0 */
dim_t dim_ceildiv(struct dim_table *t, dim_t a, dim_t b);
dim_t dim_truncdiv(struct dim_table *t, dim_t a,
                   dim_t b); /* C division; exact only where the sign is known, else NULL */
dim_t dim_mod(struct dim_table *t, dim_t a, dim_t b); /* sign of the divisor */
dim_t dim_min(struct dim_table *t, dim_t a, dim_t b);
dim_t dim_max(struct dim_table *t, dim_t a, dim_t b);
dim_t dim_neg(struct dim_table *t, dim_t a);

/* Bounds that follow from symbols >= 0 (a symbol that a model uses as a tensor's extent): false
 * when unknown. */
bool dim_at_least(dim_t d, int64_t bound);
bool dim_at_most(dim_t d, int64_t bound);

/* Replaces symbols by values; *bound says how many names were known. NULL stays NULL. */
struct dim_binding {
    const char *name;
    int64_t value;
};
dim_t dim_bind(struct dim_table *t, dim_t d, const struct dim_binding *bindings, size_t count);

/* "batch", "4", "floor((n + 3)/2)": stable text, also parsed back by dim_parse (NULL on a syntax
 * error). */
size_t dim_text(dim_t d, char *buffer, size_t room); /* as snprintf; NULL prints "?" */
dim_t dim_parse(struct dim_table *t, const char *text);
#endif
