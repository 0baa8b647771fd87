/* LRN with channels last: y = x * (bias + alpha / size * s)^-beta, s the sum of squares over the window of
 * channels (ONNX LRN-13). The power is exp(-beta * log(.)) on whole rows of channels; pixels are cut into
 * pieces of fixed size, and a pixel's bits do not depend on its piece.
 */
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "kernels/float/vmath.h"
#include "kernels/kernel.h"
#include "ops/op_impl.h"

enum { PIECE_FLOATS = 16 << 10 };

struct lrn {
    int64_t pixels, channels, piece;
    int64_t before, size; /* channels before the own one, channels in all */
    float scale, bias, beta;
};

struct lrn_call {
    const struct lrn *l;
    struct eval *e;
};

/* Row of channels: squares with zeros around them in `padded`, sums in y. */
KERNEL_CLONES
static void window_sums(const struct lrn *l, const float *x, float *padded, float *y)
{
    for (int64_t c = 0; c < l->channels; c++)
        padded[l->before + c] = x[c] * x[c];
    for (int64_t c = 0; c < l->channels; c++)
        y[c] = 0;
    for (int64_t k = 0; k < l->size; k++)
        for (int64_t c = 0; c < l->channels; c++)
            y[c] += padded[c + k];
    for (int64_t c = 0; c < l->channels; c++)
        y[c] = l->bias + l->scale * y[c];
}

KERNEL_CLONES
static void scaled(float *y, int64_t n, float by)
{
    for (int64_t i = 0; i < n; i++)
        y[i] *= by;
}

KERNEL_CLONES
static void multiply(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] *= x[i];
}

static int run_piece(void *user, size_t index, int worker)
{
    const struct lrn_call *call = user;
    const struct lrn *l = call->l;
    size_t row = (size_t)(l->channels + l->size);
    float *padded = (float *)call->e->workspace + (size_t)worker * row;
    int64_t from = (int64_t)index * l->piece, to = from + l->piece;
    to = to > l->pixels ? l->pixels : to;
    const float *x = (const float *)call->e->in[0]->data + from * l->channels;
    float *y = (float *)tensor_writable(call->e->out[0]) + from * l->channels;
    memset(padded, 0, row * sizeof *padded);
    for (int64_t p = 0; p < to - from; p++)
        window_sums(l, x + p * l->channels, padded, y + p * l->channels);
    int64_t n = (to - from) * l->channels;
    vmath_log(y, y, n);
    scaled(y, n, -l->beta);
    vmath_exp(y, y, n);
    multiply(y, x, n);
    return 0;
}

static int lrn_run(const void *state, struct eval *e)
{
    const struct lrn *l = state;
    struct lrn_call call = {l, e};
    size_t pieces = (size_t)((l->pixels + l->piece - 1) / l->piece);
    return pool_run(pieces > 1 ? e->pool : NULL, pieces, run_piece, &call);
}

static int lrn_prepare(struct prepare *p)
{
    const struct type *x = p->in_types[0];
    int64_t size = node_int(p->node, "size", 0), dim;
    struct lrn l = {.pixels = 1, .size = size, .before = (size - 1) / 2};
    if (!p->channels_last || x->dtype != DT_FLOAT || size < 1 || size > 1 << 16)
        return 1;
    for (int i = 0; i < x->rank - 1; i++) {
        if (!dim_is_const(x->dims[i], &dim))
            return 1;
        l.pixels *= dim;
    }
    if (!dim_is_const(x->dims[x->rank - 1], &l.channels) || l.channels < 1)
        return 1;
    l.piece = PIECE_FLOATS / l.channels < 1 ? 1 : PIECE_FLOATS / l.channels;
    l.bias = node_float(p->node, "bias", 1);
    l.beta = node_float(p->node, "beta", 0.75f);
    l.scale = node_float(p->node, "alpha", 0.0001f) / (float)size;
    p->state = mem_alloc(sizeof l);
    memcpy(p->state, &l, sizeof l);
    p->workspace = (size_t)(l.channels + size) * sizeof(float);
    return 0;
}

const struct op_fast fast_lrn = {lrn_prepare, lrn_run, mem_free, NULL};
