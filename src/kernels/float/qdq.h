/* QuantizeLinear, DequantizeLinear and the operators built from them, as the ONNX texts define them
 * in float arithmetic and as ONNX Runtime computes them (round half to even, the zero point added
 * after rounding). The integer datapath is src/kernels/int.
 *
 * Granularity: the tensor is seen as [outer, n, inner]. Per tensor: outer = n = 1, inner = count.
 * Per axis: n = dims[axis], one scale per index of n. Blocked: block > 0, one scale per `block`
 * neighbours along n (the last block may be short), the scale tensor is [outer, ceil(n / block),
 * inner].
 */
#ifndef KERNELS_FLOAT_QDQ_H
#define KERNELS_FLOAT_QDQ_H
#include <stdbool.h>
#include <stdint.h>

#include "base/dtype.h"
#include "kernels/float/conv.h"
#include "kernels/float/matmul.h"

struct qdq_params {
    int64_t outer, n, inner, block;
    const float *scale;
    const int32_t *zero; /* as many as scales; NULL: 0. Ignored for float8 and float4 */
    enum dtype type;     /* of the quantized side */
    bool saturate;       /* float8 only */
    enum dtype division; /* FLOAT, FLOAT16 or BFLOAT16: x / scale is rounded to it
                            (QuantizeLinear-23 precision) */
};

/* Fills outer, n, inner and block from the operator's arguments. axis may be negative. scale_dims:
 * rank 0 or one element in all: per tensor; rank 1: per axis; rank of x: blocked with block_size
 * (0: the one that the dims imply when it is exact). false: they do not go together. */
bool qdq_plan(const int64_t *dims, int rank, const int64_t *scale_dims, int scale_rank,
              int64_t axis, int64_t block_size, struct qdq_params *p);
/* How many scales p uses. */
int64_t qdq_scales(const struct qdq_params *p);

/* ONNX QuantizeLinear-10..25: y = saturate(round_half_even(x / scale) + zero) for integer types
 * (u)int2, 4, 8, 16; NaN gives the smallest value. float8: conversion of x / scale with `saturate`;
 * float4: always saturating. y is packed. KERNEL_TYPE: another type. */
int qdq_quantize(const struct qdq_params *p, const float *x, void *y);
/* ONNX DequantizeLinear-10..25: y = (x - zero) * scale, in float; also from int32. KERNEL_TYPE:
 * another type. */
int qdq_dequantize(const struct qdq_params *p, const void *x, float *y);
/* One after the other without the integers: what a Q-DQ pair does to x. */
int qdq_simulate(const struct qdq_params *p, const float *x, float *y);

/* ONNX DynamicQuantizeLinear-11: uint8 over the range of x widened to 0. All zeros give scale 1 (as
 * ONNX Runtime; the operator's text leaves 0 / 0). NaN is ignored for the range. */
void qdq_dynamic(const float *x, int64_t count, uint8_t *y, float *scale, uint8_t *zero);

/* Requantization of an int32 accumulator: saturate(round_half_even(clamp((float)acc * factor)) +
 * zero), factor per row or one. */
struct qdq_requant {
    const float *factor; /* input scales' product / output scale */
    int64_t step;        /* 0: one factor, 1: one per row */
    int32_t zero;
    enum dtype type; /* INT8 or UINT8 */
};
/* acc [rows, size] -> y. bias: NULL or one int32 per row, added first modulo 2^32. */
void qdq_requantize(const struct qdq_requant *r, int64_t rows, int64_t size, const int32_t *acc,
                    const int32_t *bias, void *y);

/* ONNX QLinearConv-10. acc: working memory of batch * out_channels * positions. requant.step 1: a
 * factor per output channel. */
void qdq_conv(const struct conv_params *p, const struct conv_int_args *args, const int32_t *bias,
              const struct qdq_requant *r, int32_t *acc, void *y);
/* ONNX QLinearMatMul-10, -21 for 8-bit integers. acc: working memory as large as y. Factors: one
 * (step 0), per row of a (step 1) or per column of b: column_factor [n], NULL: 1; the accumulator
 * is multiplied with both. */
void qdq_matmul(const struct matmul_params *p, const struct matmul_int_args *args,
                const struct qdq_requant *r, const float *column_factor, int32_t *acc, void *y);

/* com.microsoft MatMulNBits and its like: b [n, blocks, block * bits / 8] packed along k, low bits
 * first, to rows of w [n, k]; w = (q - zero) * scale, scale [n, blocks], blocks = ceil(k / block). zero:
 * NULL is 2^(bits - 1); packed the same way per row [n, ceil(blocks * bits / 8)]; or float_zero [n,
 * blocks]. bits 2, 4 or 8, block a multiple of 8 / bits. */
struct qdq_nbits {
    int64_t n, k, block;
    int bits;
    const uint8_t *b, *zero;
    const float *scale, *float_zero;
};
/* Rounded to 8-bit integers and back: y = round(x * (127 / most)) * (most / 127), half to even, most = max |x|. */
void qdq_round_symmetric(const float *x, int64_t n, float *y);
/* Rows first .. first + count - 1 to w [count, k]. */
void qdq_nbits_rows(const struct qdq_nbits *p, int64_t first, int64_t count, float *w);
#endif
