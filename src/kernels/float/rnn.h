/* Recurrent layers: ONNX RNN, GRU and LSTM, versions 1 to 22, reference form.
 *
 * layout 0: x [steps, batch, input], y [steps, directions, batch, hidden], states [directions,
 * batch, hidden]; layout 1 (batch_first): x [batch, steps, input], y [batch, steps, directions,
 * hidden], states [batch, directions, hidden]. Weights: w [directions, gates * hidden, input], r
 * [directions, gates * hidden, hidden], b [directions, 2 * gates * hidden] (of w, then of r).
 * Gates: RNN 1; GRU 3 (z, r, h); LSTM 4 (i, o, f, c). Products are summed as gemm.h says, gates are
 * computed in float, activations as unary.h says.
 */
#ifndef KERNELS_FLOAT_RNN_H
#define KERNELS_FLOAT_RNN_H
#include <stdbool.h>
#include <stdint.h>

enum rnn_kind { RNN_SIMPLE, RNN_GRU, RNN_LSTM };

enum rnn_function {
    RNN_RELU,
    RNN_TANH,
    RNN_SIGMOID,
    RNN_AFFINE,           /* alpha * x + beta */
    RNN_LEAKY_RELU,       /* x < 0 ? alpha * x : x */
    RNN_THRESHOLDED_RELU, /* x >= alpha ? x : 0 */
    RNN_SCALED_TANH,      /* alpha * tanh(beta * x) */
    RNN_HARD_SIGMOID,     /* clip(alpha * x + beta, 0, 1) */
    RNN_ELU,              /* x < 0 ? alpha * (e^x - 1) : x */
    RNN_SOFTSIGN,         /* x / (1 + |x|) */
    RNN_SOFTPLUS,         /* log(1 + e^x) */
};

struct rnn_activation {
    enum rnn_function function;
    float alpha, beta;
};

/* By the name the ONNX attribute uses, without regard to case, with that function's default alpha
 * and beta. false: unknown. */
bool rnn_activation_find(const char *name, struct rnn_activation *a);
/* Whether it has these parameters: the values of activation_alpha and activation_beta go, in order,
 * to the functions that have. */
bool rnn_activation_has_alpha(enum rnn_function f);
bool rnn_activation_has_beta(enum rnn_function f);
/* The default for slot 0.. of a direction: RNN Tanh; GRU Sigmoid, Tanh; LSTM Sigmoid, Tanh, Tanh.
 */
struct rnn_activation rnn_activation_default(enum rnn_kind kind, int slot);
int rnn_activations(enum rnn_kind kind); /* slots per direction: 1, 2, 3 */
int rnn_gates(enum rnn_kind kind);       /* 1, 3, 4 */

struct rnn_params {
    enum rnn_kind kind;
    int64_t steps, batch, input, hidden;
    int directions; /* 1 or 2 (forward, then reverse) */
    bool reverse;   /* one direction: from the last step to the first */
    bool batch_first;
    bool linear_before_reset; /* GRU */
    bool input_forget;        /* LSTM: f = 1 - i */
    bool fast;                /* vectorised activations (vmath.h) are allowed */
    float clip;               /* bound on the inputs of the gates' activations; 0: none */
    struct rnn_activation activations[2][3]; /* [direction][slot] */
};

/* Stands in for the products of the inputs and of the states, e.g. with quantized weights: y [rows,
 * gates * hidden] = x times the transpose of w (recurrent: of r) of that direction. An LSTM's w and
 * r may then be NULL. */
struct rnn_products {
    void (*multiply)(void *user, int direction, bool recurrent, int64_t rows, const float *x,
                     float *y);
    void *user;
};

struct rnn_args {
    const struct rnn_products *products; /* NULL: w and r as they are */
    const float *x, *w, *r;
    const float *b;                     /* NULL: 0 */
    const int32_t *lengths;             /* [batch], NULL: all steps; 0 <= length <= steps */
    const float *initial_h, *initial_c; /* NULL: 0 */
    const float *peepholes;             /* LSTM [directions, 3 * hidden] (i, o, f), NULL: 0 */
    float *y, *y_h, *y_c; /* NULL: not wanted. Steps beyond a length give 0 in y; y_h, y_c are those
                             of the last step */
};

/* Floats of working memory for one direction after the other; -1: too large. */
int64_t rnn_scratch(const struct rnn_params *p);
void rnn_run(const struct rnn_params *p, const struct rnn_args *args, float *scratch);
/* One of them: they are independent, each needs working memory of its own. */
void rnn_run_direction(const struct rnn_params *p, const struct rnn_args *args, int direction,
                       float *scratch);
#endif
