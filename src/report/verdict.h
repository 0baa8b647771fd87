/* Whether an output is still what it was, as far as the class of the passes promises. */
#ifndef REPORT_VERDICT_H
#define REPORT_VERDICT_H
#include "ir/tensor.h"
#include "passes/pass.h"

/* One output over all samples. */
struct verified_output {
    const char *name;
    bool same;      /* every bit, shapes too */
    bool compared;  /* false: strings, sequences */
    double max_abs; /* largest distance between before and after */
    double error;   /* of the result: from the truth where that is known, else from before */
    double allowed; /* for error; infinity: the passes promise nothing */
    double own;     /* error of the original itself; NAN: the truth is not known */
    bool passed;
};

void verdict_begin(struct verified_output *o, const char *name);

/* One sample: the output before and after, and computed exactly (NULL: not known). EXACT: every bit;
 * REASSOC: error from the truth at most max(1e-5 of its largest number, twice the error of
 * `before`), without a truth 1e-5 of the largest number of `before`; LOSSY: the same form. `error`
 * and `allowed` become those of the worst sample. Elements where the truth is not finite count for
 * EXACT only. */
void verdict_add(struct verified_output *o, enum pass_class class, const struct tensor *before,
                 const struct tensor *after, const struct tensor *truth);
#endif
