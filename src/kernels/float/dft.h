/* Inside the spectra: one complex transform of any length. */
#ifndef KERNELS_FLOAT_DFT_H
#define KERNELS_FLOAT_DFT_H
#include "kernels/float/signal.h"

struct complex {
    double re, im;
};

/* Tables of one length, in the scratch that dft_scratch counts. */
struct dft_plan {
    int64_t length;
    int64_t chirp_length;     /* power of two >= 2 * length - 1; 0: the factors are small */
    struct complex *turns;    /* e^(-2 pi i k / n), n = length or chirp_length */
    struct complex *chirp;    /* e^(-pi i k^2 / length) */
    struct complex *spectrum; /* transform of the conjugate chirp */
    struct complex *work[2];
};
void dft_plan_make(struct dft_plan *p, int64_t length, double *scratch);
/* Forward transform of `length` values in place. */
void dft_run(const struct dft_plan *p, struct complex *x);
#endif
