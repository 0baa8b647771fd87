/* Operators on 8-bit tensors with one scale and zero point each: x = (q - zero) * scale. com.microsoft QLinearAdd, QLinearMul,
 * QLinearSigmoid and the other functions of one element, QLinearGlobalAveragePool, QLinearSoftmax (onnxruntime
 * docs/ContribOperators.md; the order of the float operations is that of its x86 kernels, so that ties round alike there).
 *
 * Every result is saturate(round_half_even(v) + zero), v in float.
 */
#ifndef KERNELS_FLOAT_QELEMENT_H
#define KERNELS_FLOAT_QELEMENT_H
#include <stdbool.h>
#include <stdint.h>

#include "kernels/float/broadcast.h"

struct q_side {
    float scale;
    int32_t zero;
    bool is_signed; /* int8, else uint8 */
};

/* The code of a real number: saturate(round_half_even(x / scale) + zero); NaN gives the smallest. */
uint8_t q_code(const struct q_side *to, float x);
/* The code of v = x / scale. */
uint8_t q_round(const struct q_side *to, float v);

/* y = a + b or a * b with broadcasting; plan is of a's and b's shapes, y of its result. */
struct q_binary {
    struct q_side a, b, y;
    bool multiply;
};
void q_binary(const struct q_binary *p, const struct broadcast *plan, const uint8_t *a,
              const uint8_t *b, uint8_t *y);

/* What a function of one element does to each of the 256 codes, by the code's bits. f NULL: x itself. */
typedef float q_function(float x, float parameter);
void q_table(const struct q_side *from, const struct q_side *to, q_function *f, float parameter,
             uint8_t table[256]);
float q_sigmoid(float x, float unused);
float q_leaky_relu(float x, float alpha);
/* What each code means: (q - zero) * scale. */
void q_values(const struct q_side *from, float table[256]);

/* The mean of each of `rows` rows: x [rows, size], or [outer, size, rows / outer] with channels_last. size >= 1. */
struct q_mean {
    struct q_side x, y;
    int64_t rows, size, outer;
    bool channels_last;
};
void q_mean(const struct q_mean *p, const uint8_t *x, uint8_t *y);

/* Softmax over n of [outer, n, inner]. exp is taken over whole codes below the largest; y = round(e * floor(1 / y.scale) / sum) +
 * zero, saturated. n >= 1. */
struct q_softmax {
    struct q_side x, y;
    int64_t outer, n, inner;
};
void q_softmax(const struct q_softmax *p, const uint8_t *x, uint8_t *y);
#endif
