/* float16 and bfloat16 arrays to and from float, without branches so that the loops vectorise. The
 * values are those of num_from_f16, num_to_f16, num_from_bf16 and num_to_bf16. */
#ifndef KERNELS_FLOAT_HALF_H
#define KERNELS_FLOAT_HALF_H
#include "kernels/kernel.h"

void half_from_f16(const uint16_t *x, float *y, int64_t n);
void half_to_f16(const float *x, uint16_t *y, int64_t n);
void half_from_bf16(const uint16_t *x, float *y, int64_t n);
void half_to_bf16(const float *x, uint16_t *y, int64_t n);
#endif
