/* Multiplication and addition by constants, one pair of numbers for each channel:
 *   y = x * scale[c] + shift[c],  c = index along an axis of x. */
#ifndef REWRITE_AFFINE_H
#define REWRITE_AFFINE_H
#include "rewrite/rewrite.h"

struct affine {
    int64_t n;             /* 1: the same for every element */
    int axis;              /* of x; when n > 1 */
    double *scale, *shift; /* n entries, finite */
    bool scales, shifts;   /* some scale is not 1; some shift is not 0 */
};

/* What a BatchNormalization in inference mode does, along axis 1. NULL, or why it cannot be told. */
const char *affine_of_batchnorm(const struct node *bn, struct arena *a, struct affine *f);
/* x * c, x / c, x + c, x - c or c - x with a constant c that gives every channel of x one number.
 * slot: which input x is. false: n is none of these, or c differs within a channel. */
bool affine_of_arithmetic(const struct node *n, struct arena *a, struct affine *f, uint32_t *slot);
/* Entries first .. first + n of f. */
struct affine affine_part(const struct affine *f, int64_t first, int64_t n);
/* Each entry `times` times in a row. */
struct affine affine_repeated(const struct affine *f, int64_t times, struct arena *a);
double affine_scale(const struct affine *f, int64_t channel);
double affine_shift(const struct affine *f, int64_t channel);
#endif
