/* Linear layers with constant weights, and what is multiplied and added before or behind them.
 *
 * A layer is a Conv, ConvTranspose, Gemm or MatMul, or a MatMul whose only reader adds a constant.
 * Its weight takes the scale and its bias the rest:
 *   behind  (W x + b) * s + t  =  (s W) x + (s b + t)        s, t by output channel
 *   before  W (s x + t) + b    =  (W s) x + (b + W t)        s, t by input channel
 * Products are float64 and rounded once: weights and biases become recipes over what they were, and
 * the next fold adds to the same recipe.
 */
#ifndef REWRITE_LINEAR_H
#define REWRITE_LINEAR_H
#include "rewrite/affine.h"

/* Which channel an element of the weight belongs to: its index along `axis`; for axis < 0, that is
 * grouped convolutions, index0 / outer * inner + index1. */
struct channels {
    int axis;
    int64_t count, inner, outer;
};

struct linear {
    struct node *layer;
    struct node *add;        /* of MatMul + Add, else NULL */
    struct value *bias;      /* constant; NULL: none */
    struct channels out, in; /* along the weight */
    int out_axis, in_axis;   /* of the values */
    bool padded;             /* zeros are put around the input, or the kernel is cut at the edge */
    double beta;             /* factor of the bias */
};

/* The answers of the functions below where nothing linear stands there at all. */
extern const char LINEAR_NONE_BEFORE[], LINEAR_NONE_BEHIND[];

bool linear_is_layer(const struct node *n); /* by its operator; Add is one too */
/* The layer that computes v for a single reader; NULL, or why there is none. */
const char *linear_producing(struct linear *l, const struct value *v);
/* The layer that `u` is the data input of; NULL, or why there is none. */
const char *linear_reading(struct linear *l, const struct use *u);

/* A change of several layers that together take over one affine. Checks fill it, applying cannot
 * fail. */
struct fold_part {
    struct linear l;
    struct affine f;
    bool forward;
};
struct fold {
    struct arena *scratch;
    const struct graph *graph; /* layers of other graphs stay */
    const struct value *hint;  /* a constant that a new bias is called after; or NULL */
    VEC(struct fold_part) parts;
    VEC(struct value *) between; /* values on the way, whose numbers change */
};

/* Into what computes v: through views, Transpose and Concat; a single factor through a product of
 * two computed matrices as well. */
const char *fold_backward(struct fold *p, struct value *v, const struct affine *f);
/* Into every reader of v. Readers may reach it through views. */
const char *fold_forward(struct fold *p, struct value *v, const struct affine *f);
/* What stands before the layer or view n, across views: it may be able to go forward since n
 * changed. NULL: nothing. */
struct node *fold_candidate(struct node *n);
void fold_apply(struct fold *p);
void fold_release(struct fold *p);
#endif
