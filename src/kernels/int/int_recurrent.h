/* Integer LSTM and SVDF cells as TFLite computes them (8x8->16 and 16x8->16 LSTM; SVDF with int16
 * or int8 state). Sources: TFLite integer LSTM, CMSIS-NN lstm and svdf; bit-exact on their vectors.
 */
#ifndef KERNELS_INT_INT_RECURRENT_H
#define KERNELS_INT_INT_RECURRENT_H
#include <stdint.h>

#include "kernels/int/requant.h"

enum int_gate { INT_GATE_INPUT, INT_GATE_FORGET, INT_GATE_CELL, INT_GATE_OUTPUT, INT_GATES };

struct int_lstm_gate {
    const int32_t *input_weights, *hidden_weights; /* [hidden, input], [hidden, hidden] */
    const int64_t *bias;                           /* hidden */
    struct requant input, hidden;
};

struct int_lstm {
    int64_t batch, steps, input_size, hidden_size;
    int batch_major; /* x [batch, steps, input] and y likewise; else [steps, batch, ...] */
    int32_t input_zero, output_zero, low, high;
    struct int_lstm_gate gate[INT_GATES];
    struct requant forget_to_cell, input_to_cell, output;
    int32_t cell_clip;    /* 0: none */
    int cell_scale_power; /* cell scale = 2^power */
};

/* hidden [batch, hidden_size] (starts at output_zero), cell [batch, hidden_size] (int16 values,
 * starts at 0) are updated; gates: scratch of 4 * hidden_size. y [.., hidden_size]. */
void int_lstm(const struct int_lstm *p, const int32_t *x, int32_t *hidden, int32_t *cell,
              int32_t *gates, int32_t *y);

struct int_svdf {
    int64_t batch, input_size, features, rank, memory; /* features = units * rank */
    int32_t input_zero, output_zero, state_low, state_high, low, high;
    const int32_t *feature_weights, *time_weights; /* [features, input], [features, memory] */
    const int64_t *bias;                           /* units, or NULL */
    struct requant input, output;
};

/* One step: state [batch, features, memory] shifts by one and takes the new column. y [batch,
 * units]. */
void int_svdf(const struct int_svdf *p, const int32_t *x, int32_t *state, int32_t *y);
#endif
