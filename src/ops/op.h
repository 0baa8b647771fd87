/* Operators. An operator is a row of ops.def: its signature per version, traits, one shape
 * function, one evaluation function for the reference engine, an optional prepared form for the
 * fast engine, its quantization rule. Kernels never see nodes; the functions here are the adapters
 * between nodes and src/kernels.
 *
 * One shape function serves every purpose: symbolic inference before anything runs, inference with
 * bound dims, and the executor's run-time sizing (there every input's type is constant and every
 * input's data is known). It reads through infer_* below.
 */
#ifndef OPS_OP_H
#define OPS_OP_H
#include "ir/ir.h"

enum op_trait {
    OP_ELEMENTWISE = 1 << 0, /* out[i] depends on in[i] only (with broadcasting) */
    OP_MOVES =
        1 << 1, /* copies elements without arithmetic: quantization parameters pass through */
    OP_SHAPE = 1 << 2,    /* usually computes shapes: Shape, Size */
    OP_CONTROL = 1 << 3,  /* has subgraphs: If, Loop, Scan, SequenceMap */
    OP_RANDOM = 1 << 4,   /* not deterministic: never folded or merged */
    OP_COMMUTES = 1 << 5, /* the first two inputs may be swapped */
    OP_VALUES = 1 << 6,   /* the shape function also propagates integer values (infer_out_values) */
    OP_MACS = 1 << 7,     /* multiply-accumulates worth counting */
    OP_VIEW = 1 << 8, /* output is input 0's bytes under other dims: Reshape, Squeeze, Unsqueeze,
                         Flatten, Identity */
    OP_SIZES =
        1
        << 9, /* eval itself gives the dims of outputs that the shape function leaves open (they follow
                          from data), or sequences; of no other operator may an output stay open at run time */
};

/* How the quantizer treats it (reference/onnxruntime-qdq.md section 2). */
enum op_quant {
    QRULE_NONE,   /* stays float */
    QRULE_UNARY,  /* one activation in, one out, each with its own parameters */
    QRULE_BINARY, /* two activations in, one out */
    QRULE_CONV,   /* activation, weight (axis from the row), bias */
    QRULE_MATMUL, /* both inputs, activation or weight */
    QRULE_GEMM,
    QRULE_SAME,     /* data movement: output shares input 0's parameters */
    QRULE_SAME_ALL, /* output and all inputs share: Concat, Min, Max */
    QRULE_NORM,     /* activation, scale weight, bias */
    QRULE_FIXED,    /* output range known: Softmax, Sigmoid, Tanh */
    QRULE_CLIP,     /* Relu, Clip: absorbed by the producer's range where that is exact */
    QRULE_WEIGHT_ONLY,
};

struct infer;
struct eval;
struct prepare;
struct fused;

/* A sequence or an optional at run time. It travels through eval.in as a tensor of dtype
 * DT_UNDEFINED whose data is one of these. */
struct sequence {
    enum type_kind kind;               /* TYPE_SEQUENCE or TYPE_OPTIONAL */
    enum dtype dtype;                  /* of the elements */
    int64_t count;                     /* an optional holds 0 or 1 */
    const struct tensor *const *items; /* each a tensor, or (optional of a sequence, sequence of
                                          sequences) such a stand-in */
};

struct op_attr {
    const char *name;
    enum attr_type type;
    bool required;
    const char *fallback; /* text form of the default, NULL: none */
};

/* One version of the signature. Types are a string per slot group, e.g. "T,T?,I64*" is not parsed
 * here: see ops.def's head. */
struct op_version {
    int since;          /* opset version that introduced it */
    int min_in, max_in; /* max -1: variadic */
    int min_out, max_out;
    const char *types; /* type constraints, grammar at the head of ops.def */
    const struct op_attr *attrs;
    int n_attrs;
    bool deprecated;
};

/* Fast engine: what prepare keeps (weights reordered once, shared by all threads) and how it runs.
 */
struct op_fast {
    int (*prepare)(
        struct prepare *p); /* 0: use run; > 0: no fast form for this node, use eval; < 0 error */
    int (*run)(const void *state, struct eval *e); /* thread-safe for one state */
    void (*release)(void *state);
    void (*drop_local)(void *local); /* frees what run left in *e->local; NULL: nothing */
};

struct op {
    const char *domain, *name;
    const struct op_version *versions; /* ascending */
    int n_versions;
    uint32_t traits;
    int (*infer)(struct infer *c); /* NULL: types stay unknown */
    int (*eval)(struct eval *e);   /* NULL: known, but not executed here */
    const struct op_fast *fast;    /* NULL: eval serves */
    enum op_quant quant;
    int (*macs)(const struct node *n,
                int64_t *macs); /* NULL: none; needs constant dims; -1 when unknown */
};

const struct op *op_find(const char *domain, const char *name); /* NULL: unknown */
const struct op_version *
op_version_at(const struct op *op, int64_t opset); /* newest since <= opset; NULL: not there yet */
/* Whether a tensor of that element type may stand in an input or output slot of the signature. */
bool op_version_takes(const struct op_version *v, uint32_t slot, bool output, enum dtype dtype);
size_t op_total(void);
const struct op *op_at(size_t index);       /* in ops.def order */
void ops_resolve(struct model *m);          /* sets node->op everywhere; idempotent, O(nodes) */
int64_t node_version(const struct node *n); /* `since` of the signature in force; 0 unknown */

/* ---- shape inference ---- */

struct infer {
    const struct node *node;
    int64_t version; /* since-version of the signature in force */
    struct dim_table *dims;
    struct arena *arena; /* outlives the call */
    struct ctx *ctx;
    void *engine; /* of infer.c */
};

const struct type *infer_type(const struct infer *c,
                              uint32_t i); /* never NULL; kind TYPE_NONE when unknown or absent */
bool infer_has(const struct infer *c, uint32_t i); /* input i is given */
int infer_rank(const struct infer *c, uint32_t i); /* -1 unknown */
dim_t infer_dim(const struct infer *c, uint32_t i,
                int axis); /* NULL unknown; negative axis counts from the end */
const struct tensor *
infer_data(const struct infer *c,
           uint32_t i); /* its data when constant (always at run time), or NULL */
/* Elements of a small integer tensor (rank <= 1, at most 1024) as expressions; entries may be NULL.
 * false: not known at all. Constants are covered too, so shape functions need only this form. */
bool infer_values(const struct infer *c, uint32_t i, const dim_t **values, int64_t *count);

void infer_out(struct infer *c, uint32_t i, enum dtype dtype, int rank,
               const dim_t *dims);                                /* rank -1: unknown */
void infer_out_like(struct infer *c, uint32_t i, uint32_t input); /* same type as that input */
void infer_out_type(struct infer *c, uint32_t i, const struct type *t); /* sequences, optionals */
void infer_out_values(struct infer *c, uint32_t i, const dim_t *values, int64_t count);
dim_t infer_fresh(struct infer *c, const char *hint); /* a data-dependent size */
/* Broadcast of n types' dims by the NumPy rule; an equal symbol stays, a symbol against a constant
 * > 1 takes the constant, two different ones give their maximum (each is 1 or they are equal).
 * *rank -1: not known; dims has room for the largest rank. */
int infer_broadcast(struct infer *c, const struct type *const *types, int n, int *rank,
                    dim_t *dims);
int infer_fail(struct infer *c, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* E_SHAPE at this node */
int infer_axis(struct infer *c, int64_t axis, int rank,
               int *out); /* normalises -rank..rank-1, else infer_fail */

/* Infers every graph of the model. bindings replace symbols of inputs first. Conflicts with
 * declared types are warnings (the inferred type wins) unless strict. Nodes of unknown operators
 * leave unknown types. O(nodes). Fills value->type (dirty only where it was absent). */
struct infer_report {
    int64_t values,
        known; /* values in all, values with a fully inferred shape (constants or expressions) */
    int64_t conflicts;
};
struct infer_options {
    const struct dim_binding *bindings;
    size_t n_bindings;
    bool strict;
};
int model_infer(struct model *m, const struct infer_options *options,
                struct infer_report *report); /* both may be NULL */
/* After model_infer: integer values of v as expressions, when they are known. */
bool model_values(const struct model *m, const struct value *v, const dim_t **values,
                  int64_t *count);

/* Types of one node's outputs from what is at hand, without touching the model: the executor's
 * sizing. in_types and in_data have n_inputs entries; in_types[i] NULL: left out; in_data[i] NULL:
 * not known. out: n_outputs entries, all filled (kind TYPE_NONE where nothing follows), their dims
 * in the arena. Subgraphs are not entered: the outputs of OP_CONTROL nodes are the executor's
 * business. Thread-safe for different dims and arenas. */
struct infer_io {
    const struct type *const *in_types;
    const struct tensor *const *in_data;
    struct type *out;
};
int infer_node(const struct node *n, const struct infer_io *io, struct dim_table *dims,
               struct arena *a, struct ctx *ctx);

/* ---- evaluation ---- */

/* Why op->eval will not run this node although the operator has one, as far as inferred types and
 * constants tell: text in the arena. NULL: nothing known against it (or no eval at all). */
const char *op_refusal(const struct node *n, struct arena *a);

/* What stands behind an eval: the executor, op_fold, or a test. The functions below are its front.
 */
struct eval_host {
    struct tensor *(*out)(struct eval *e, uint32_t i, enum dtype dtype, int rank,
                          const int64_t *dims);
    int (*out_value)(struct eval *e, uint32_t i,
                     const struct tensor *value); /* NULL: copied through out and out_sequence */
    int (*out_sequence)(struct eval *e, uint32_t i,
                        const struct sequence *s); /* NULL: there are no sequences here */
    int (*graph)(struct eval *e, const struct graph *g, const struct tensor *const *in,
                 uint32_t n_in, const struct tensor **out, uint32_t n_out);
};

/* One call of an operator. Outputs come allocated with the dtype and dims that the shape function
 * gave (contents indeterminate), except where it gave unknown dims (rank -1 or a NULL dim): then
 * out[i]->data is NULL and eval calls eval_out first. */
struct eval {
    const struct node *node;
    int64_t version;
    uint32_t n_in, n_out;
    const struct tensor *const
        *in;             /* NULL: left out. Data aligned to 64 or, for constants, to the element */
    struct tensor **out; /* NULL: nobody wants it */
    struct arena *scratch; /* forgotten after the call */
    struct arena *keep;    /* lives as long as the outputs: the bytes of new strings */
    struct ctx *ctx;
    struct pool *pool; /* NULL: single thread; splitting must not change bits */
    bool fast;         /* the fast engine runs: vectorised math (kernels/float/vmath) is allowed */
    const struct eval_host *host; /* never NULL */
    void *exec;                   /* of the host */
    void *workspace; /* fast->run: prepare's workspace bytes, aligned to 64, indeterminate */
    void **local;    /* fast->run: a pointer of this node and thread, NULL at first; drop_local */
};

struct tensor *eval_out(struct eval *e, uint32_t i, enum dtype dtype, int rank,
                        const int64_t *dims); /* NULL: memory refused, reported */
int eval_fail(struct eval *e, enum err id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Input i when it is a sequence or an optional, else NULL. */
const struct sequence *eval_sequence(const struct eval *e, uint32_t i);
/* Gives output i; the items (inputs' items, inputs, tensors in e->scratch) are shared or copied by
 * the host. */
int eval_out_sequence(struct eval *e, uint32_t i, const struct sequence *s);
/* Gives output i as a copy of that tensor or sequence: what If, Loop and Identity do. Shared
 * instead of copied where the host can. */
int eval_out_value(struct eval *e, uint32_t i, const struct tensor *value);
/* Runs a subgraph of the node with these inputs (captures are found by the executor). The outputs
 * are the executor's: they stay until the second next call for the same graph, so that a loop may
 * pass them back in, or until the operator's call ends. */
int eval_graph(struct eval *e, const struct graph *g, const struct tensor *const *in, uint32_t n_in,
               const struct tensor **out, uint32_t n_out);

struct prepare {
    const struct node *node;
    int64_t version;
    const struct type *const *in_types; /* constant dims */
    const struct tensor *const
        *constants; /* per input: its data when it never changes, else NULL */
    const struct type *const *out_types;
    const struct fused
        *fused; /* what runs on the result before it is stored; NULL: nothing. See ops/fused.h */
    bool channels_last; /* types and data of the rank >= 3 activations stand as N, spatial..., C */
    size_t workspace;   /* out: bytes that run wants in e->workspace */
    int threads; /* of the pool that run may get: how finely to split; bits must not depend on it */
    uint32_t consumed;   /* out: bit i: run does not read input i (a constant that was repacked) */
    size_t held;         /* out: bytes that state keeps */
    struct arena *arena; /* lives longer than the state */
    struct arena *scratch; /* forgotten after the call */
    struct ctx *ctx;
    void *state; /* out: owned by the executor, freed by release */
};

/* Runs one node of a deterministic operator without subgraphs on constant inputs with the reference
 * engine: constant folding. out: n_outputs pointers, tensors in the arena. max_bytes bounds all
 * outputs together (checked before allocation). 0, >0: cannot (unknown operator, no eval, over
 * max_bytes), <0: reported error. */
int op_fold(const struct node *n, const struct tensor *const *in, struct tensor **out,
            struct arena *a, size_t max_bytes, struct ctx *ctx);
#endif
