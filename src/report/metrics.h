/* How near one result is to another: sums per sample that are joined in the order of the samples,
 * so the figures do not depend on which thread ran which. */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H
#include <stdbool.h>
#include <stdint.h>

#include "ir/tensor.h"

struct metrics {
    double reference, error, other, dot; /* sums of r^2, (o - r)^2, o^2, r o */
    double max_abs;                      /* largest |o - r|; NaN against a number counts as inf */
    int64_t elements, rows, agree; /* rows along the last axis, and where argmax is the same */
};

/* Tensors of the same dims; any numeric types. false: the dims differ. */
bool metrics_add(struct metrics *m, const struct tensor *reference, const struct tensor *other);
void metrics_join(struct metrics *to, const struct metrics *from);

/* 10 log10(sum r^2 / sum (o - r)^2): +inf where nothing differs, -inf where only the reference is
 * zero. */
double metrics_sqnr_db(const struct metrics *m);
double metrics_cosine(const struct metrics *m); /* of all elements as one vector; 1 for two zeros */
double metrics_top1(const struct metrics *m);   /* share of rows; NaN where rows have one element */
#endif
