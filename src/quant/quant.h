/* The quantizer: from a float graph, a target and ranges to value->q on every value.
 *
 *   quant_plan_new     decides which nodes are quantized and which values take part, as what
 *   quant_observed     the activations whose ranges must be known
 *   quant_choose       ranges -> value->q of activations, weights and biases
 *   quant_correct_biases   what rounding shifts comes off the biases
 *   qdq_write          the annotated float graph -> QuantizeLinear / DequantizeLinear nodes
 *
 * Rules follow reference "ONNX Runtime QDQ" where the target says nothing else. Values that must
 * share parameters are one group (union-find over the whole graph). A constant that several users
 * need in different ways is split into one initializer per way, in the float graph already, so that
 * its name has one meaning.
 */
#ifndef QUANT_QUANT_H
#define QUANT_QUANT_H
#include "ir/ir.h"
#include "ops/op.h"
#include "targets/target.h"

enum quant_role {
    ROLE_NONE,       /* stays float */
    ROLE_ACTIVATION, /* also constants that stand where activations do */
    ROLE_WEIGHT,
    ROLE_BIAS,
};

struct quant_mark { /* of a value */
    enum quant_role role;
    bool needed;      /* a computing operator reads or writes it */
    bool silent;      /* its own range does not count: a Clip follows in its group */
    bool excluded;    /* stays float, and the nodes at it too */
    bool copied;      /* a constant some of whose users have copies of their own */
    bool has_range;   /* known without looking */
    double low, high; /* then; after quant_choose: the range of any activation */
    uint32_t parent;  /* union-find over value ids */
    int32_t axis;     /* weights: -1 per tensor; biases: the axis that runs over channels */
    int64_t repeat;   /* biases: how often the weight's channels run through them */
    const struct value *x, *w; /* biases: whose scales multiply; tied constants: the partner in x */
};

struct quant_float_node {
    const struct node *node;
    const char *why;
};

struct quant_settings {
    const struct target *target;
    int weight_bits, activation_bits;
    const char *const *keep_float; /* globs over node labels, n_keep_float of them */
    size_t n_keep_float;
    const struct value *const *excluded; /* no range can be had of these; n_excluded of them */
    size_t n_excluded;
    bool make_biases; /* zeros where Conv and Gemm have none, for quant_correct_biases */
};

struct quant_plan {
    struct model *model;
    struct quant_settings settings;
    struct arena *arena;
    VEC(struct quant_mark) marks;        /* by value id */
    VEC(bool) quantized;                 /* by node id */
    VEC(struct quant_float_node) floats; /* nodes with float operands that stay float */
    VEC(const struct value *) observed;  /* by id */
    struct map copies;                   /* of constants: rules.c */
    int64_t n_quantized;
};

/* Types must be inferred. Splits constants, so executors of the model must be made afterwards.
 * Errors: E_QUANT_PRECISION, E_QUANT_TWICE, E_QUANT_KEEP_FLOAT, E_QUANT_NONFINITE. */
int quant_plan_new(struct quant_plan **out, struct model *m, const struct quant_settings *s);
void quant_plan_free(struct quant_plan *p);

/* Whether the operators before v bound it on both sides (Clip, Sigmoid, ... and data movement behind
 * them): such values fill their range, so no method gains by cutting it. */
bool quant_is_bounded(const struct value *v);

/* Range of an observed value; false: not known. Called in the order of the values' ids. */
typedef bool quant_range_fn(void *user, const struct value *v, double *low, double *high);

/* Sets value->q (in the model's arena). method is for the report. E_QUANT_RANGE names what lacks a
 * range. */
int quant_choose(struct quant_plan *p, quant_range_fn *range, void *user, const char *method);

/* Takes what rounding the weights adds to the mean of each channel off the biases (after
 * quant_choose). mean_of gives the means of n channels of a layer's input; false: not known.
 * quant_mean_axis: the axis of those channels, -1 where no layer asks for them. Returns how many
 * layers were corrected. */
typedef bool quant_mean_fn(void *user, const struct value *v, int64_t n, double *mean);
int64_t quant_correct_biases(struct quant_plan *p, quant_mean_fn *mean_of, void *user);
int quant_mean_axis(const struct value *v);

static inline struct quant_mark *quant_mark(struct quant_plan *p, const struct value *v)
{
    return &p->marks.data[v->id];
}

/* Whether a Relu or Clip changes nothing behind the saturation of its output's integers. */
bool quant_clip_is_redundant(const struct node *n);

/* QDQ: Q/DQ nodes and integer initializers in place of value->q. Raises the opset to at least the
 * target's. After it the graph is what is saved; value->q stays on the values that had it.
 * io_quantized: graph inputs and outputs become integer tensors. */
struct qdq_options {
    int64_t opset; /* lowest; 0: the target's */
    bool io_quantized;
};
int qdq_write(struct quant_plan *p, const struct qdq_options *o);
#endif
