/* Inside of dim*.c only: the polynomial a dim stands for.
 *
 * A dim is a sum of terms, each an int64 coefficient times a product of atoms; terms are sorted by
 * the graded lexicographic order (highest degree first), the constant is the last. Atoms and dims
 * are hash-consed, so equal content means equal address. Sizes are bounded: what grows past a bound
 * becomes NULL ("nothing known"), which keeps every walk over an expression cheap.
 */
#ifndef IR_DIM_POLY_H
#define IR_DIM_POLY_H
#include "ir/dim.h"

enum {
    DIM_MAX_TERMS = 32,  /* terms of a polynomial */
    DIM_MAX_DEGREE = 12, /* atoms of a product */
    DIM_MAX_ARGS = 8,    /* operands of min and max */
    DIM_MAX_SIZE = 1024, /* symbols and numbers of the written-out expression */
    DIM_MAX_DEPTH = 32,  /* atoms within atoms */
};

/* mod(p, q) is p - q * floordiv(p, q); ceildiv stays only where the divisor is no constant. */
enum atom_kind { ATOM_SYMBOL, ATOM_FLOORDIV, ATOM_CEILDIV, ATOM_MIN, ATOM_MAX };

struct atom {
    enum atom_kind kind;
    const char *name; /* of a symbol */
    uint32_t n_args, depth, size;
    const dim_t *args; /* dividend and divisor, or the sorted operands */
};

struct term {
    int64_t coef; /* not 0 */
    uint32_t degree;
    const struct atom *atoms[DIM_MAX_DEGREE]; /* ascending, repeated for powers */
};

struct poly {
    int n;
    bool bad; /* overflowed or outgrew a bound */
    struct term terms[DIM_MAX_TERMS];
};

void poly_load(struct poly *p, dim_t d);
dim_t poly_intern(struct dim_table *t, const struct poly *p); /* NULL when bad */
void poly_add_term(struct poly *p, const struct term *x);
void poly_add_scaled(struct poly *p, const struct poly *q, int64_t factor);
void poly_add_const(struct poly *p, int64_t value);
void poly_mul(struct poly *out, const struct poly *a, const struct poly *b);
int64_t poly_constant(const struct poly *p);
bool term_divides(const struct term *by, const struct term *x, struct term *quotient);

int atom_compare(const struct atom *a, const struct atom *b);
int dim_compare(dim_t a, dim_t b); /* a total order that does not depend on addresses */
/* The atom as a dim; NULL when it outgrows a bound. */
dim_t dim_atom(struct dim_table *t, enum atom_kind kind, const dim_t *args, uint32_t n);
const struct atom *dim_lone_atom(const struct poly *p); /* p = atom + constant, else NULL */
bool poly_at_least(const struct poly *p, int64_t bound);
#endif
