/* Softmax over rows of stored integers. Sources: TFLite integer softmax (int8 and int16), arXiv
 * 2101.01321 (I-BERT). Probabilities of a row are independent of its zero point.
 */
#ifndef KERNELS_INT_INT_SOFTMAX_H
#define KERNELS_INT_INT_SOFTMAX_H
#include <stdint.h>

/* TFLite int8/uint8 input: (q - max) * 2^left * multiplier / 2^31 is Q5.26; differences below
 * diff_min give 0. The sum of a row is kept in 64 bits (TFLite's own Q12.19 in 32 bits holds rows
 * up to 4096; equal bits there). Output scale 2^-out_bits, zero point low: out_bits 8 with low -128
 * or 0, 16 with low -32768. */
struct int_softmax8 {
    int32_t multiplier, left, diff_min;
    int out_bits;
    int32_t low, high;
};
void int_softmax8(const struct int_softmax8 *p, const int32_t *x, int64_t rows, int64_t size,
                  int32_t *y);

/* TFLite int16 input, zero point 0; output scale 2^-15. multiplier/shift map (q - max) to [-65535,
 * 0] over [-10, 0]; exp and reciprocal are tables of 513 knots: exp over [-10, 0], 1/(1+x) over [0,
 * 1], both Q0.15. */
struct int_softmax16 {
    int32_t multiplier, shift;
    const int16_t *exp_table, *reciprocal_table;
};
void int_softmax16(const struct int_softmax16 *p, const int32_t *x, int64_t rows, int64_t size,
                   int32_t *y);

/* exp by a table over the difference: table[max - q] (entries of round(exp(-d * scale) * 2^30)),
 * sum in 64 bits, one exact division: y = clamp(zero + round_half_away(e * numerator / sum), low,
 * high), numerator = 1 / output scale. Rows of any length up to 2^32. */
struct int_softmax_lut {
    const uint32_t *table;
    int64_t entries; /* differences beyond the table count as 0 */
    int64_t numerator;
    int32_t zero, low, high;
};
void int_softmax_lut(const struct int_softmax_lut *p, const int32_t *x, int64_t rows, int64_t size,
                     int32_t *y);
#endif
