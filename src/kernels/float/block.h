/* Runs of elements of any type as double, float or int64, a block at a time: how kernels reach the
 * types they have no loop of their own for. Loads are exact (uint64 arrives as its two's complement
 * bits); stores round once. Indices count elements, so packed types work at any position; storing
 * to them from several threads needs positions that are multiples of 4. */
#ifndef KERNELS_FLOAT_BLOCK_H
#define KERNELS_FLOAT_BLOCK_H
#include "base/num.h"
#include "kernels/kernel.h"

enum { BLOCK = 256 }; /* elements in the buffers that kernels keep on the stack */

bool block_half(enum dtype t); /* float16 or bfloat16: computed in float, rounded once */

/* step 1 or 0 (one element repeated n times); t: float16, bfloat16 or float. */
void block_load_f32(enum dtype t, const void *x, int64_t at, int64_t step, float *out, int64_t n);
void block_store_f32(enum dtype t, void *y, int64_t at, const float *in, int64_t n);

void block_load_f64(enum dtype t, const void *x, int64_t at, double *out,
                    int64_t n); /* any numeric type */
void block_load_int(enum dtype t, const void *x, int64_t at, int64_t *out,
                    int64_t n); /* integers, bool */

/* To integers: toward zero, NaN to 0; of 8 bits or more saturating, of fewer modulo 2^bits. float8
 * saturates. */
void block_store_f64(enum dtype t, void *y, int64_t at, const double *in, int64_t n);
/* To integers: modulo 2^bits. from_u64: the values are those of uint64. */
void block_store_int(enum dtype t, void *y, int64_t at, const int64_t *in, int64_t n,
                     bool from_u64);
#endif
