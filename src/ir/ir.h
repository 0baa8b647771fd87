/* The graph. Read this first.
 *
 *   model ── graph ── node ── use ──> value          Everything lives in model->arena with stable
 * pointers; ids are dense and │                       │             model-wide (subgraphs and
 * functions included), so side tables are plain └ inputs, outputs       └ constant    arrays of
 * model->n_values or model->n_nodes entries indexed by id.
 *
 * - A value is produced once (SSA): by a node, as a graph input, or as an initializer
 * (value->constant). An initializer that is also a graph input is overridable: value_is_constant()
 * says no.
 * - Uses are a list on the value. A graph output is a use too (use->node == NULL). A node of a
 * subgraph that reads an outer value simply holds a use of it: captures need no special case. A
 * missing optional input is a use with value NULL.
 * - A subgraph hangs on an attribute of its node; graph->parent is that node. A function body is a
 * graph without parent (graph->function). Names are unique per graph scope; names of surviving
 * values never change.
 * - What nobody touched is written back as it came: every node, value, attribute, tensor and graph
 * remembers the bytes it was read from (origin). The edit functions (ir/edit.h) mark what changed;
 * the writer merges our fields over the origin's.
 * - The truth about quantization is value->q. Q/DQ nodes and encodings are only writers and readers
 * of it.
 * - Edit only through ir/edit.h.
 */
#ifndef IR_IR_H
#define IR_IR_H
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/dtype.h"
#include "base/intern.h"
#include "base/map.h"
#include "base/span.h"
#include "base/vec.h"
#include "ir/dim.h"
#include "ir/tensor.h"

enum { GRAPH_MAX_DEPTH = 100 }; /* nested subgraphs and messages, as C++ protobuf's limit */

struct op; /* src/ops/op.h: the operator's row; NULL until ops_resolve, or unknown: a barrier */
struct model;

/* ---- types ---- */

enum type_kind {
    TYPE_NONE,
    TYPE_TENSOR,
    TYPE_SPARSE,
    TYPE_SEQUENCE,
    TYPE_OPTIONAL,
    TYPE_MAP,
    TYPE_OPAQUE
};

struct type {
    enum type_kind kind;     /* TYPE_NONE: nothing known */
    enum dtype dtype;        /* of a tensor; DT_UNDEFINED: unknown. Of a map: its key */
    int32_t rank;            /* -1: unknown */
    const dim_t *dims;       /* rank entries, arena; NULL entries: unknown */
    const struct type *elem; /* of a sequence, optional or map value */
};

/* ---- quantization ---- */

enum quant_source {
    QUANT_CALIBRATED,
    QUANT_WEIGHT,
    QUANT_BIAS,
    QUANT_FIXED,
    QUANT_TIED,
    QUANT_OVERRIDE,
    QUANT_ABSORBED
};

struct quant {
    enum dtype dtype;   /* storage type: int8, uint8, int16, int4, int32 (bias), float16 ... */
    int32_t axis;       /* -1: per tensor */
    int64_t block;      /* elements of a block along axis; 0: none */
    int64_t n;          /* parameters: 1, dims[axis], or the number of blocks in all */
    const float *scale; /* n entries, > 0 */
    const int32_t *zero_point; /* n entries, within the dtype's range */
    const float *rmin, *rmax;  /* n entries: the range the scale was chosen from; NULL: not known */
    bool symmetric;
    enum quant_source source;
    const char *method;       /* "minmax", "percentile:99.99", ...: for the report */
    const struct value *tied; /* the representative of its group of equal parameters, or NULL */
    const struct tensor
        *payload; /* integers solved for exactly this scale, or NULL: rint(w / scale) when saved */
};

/* ---- graph ---- */

struct use {
    struct value *value;     /* NULL: optional input left out */
    struct node *node;       /* NULL: a graph output */
    struct graph *graph;     /* where the use stands */
    uint32_t index;          /* input slot of node, or output index of graph */
    struct use *prev, *next; /* the value's list of uses, in no promised order */
};

struct value {
    uint32_t id;
    const char *name;      /* interned */
    struct graph *graph;   /* where it is defined */
    struct node *producer; /* NULL: graph input or initializer */
    uint32_t slot;         /* output slot of the producer */
    struct use *uses;      /* first of the list */
    uint32_t n_uses;
    uint32_t n_graph_outputs;  /* of these: outputs of a graph */
    bool is_input; /* stands in graph->inputs */
    bool removed;
    struct tensor *constant; /* the initializer, or NULL */
    bool
        sparse; /* the constant came as a sparse_initializer: kept and written back, data is NULL */
    struct type type;      /* declared, then completed by shape inference */
    const struct quant *q; /* NULL: float */
    const struct value
        *source;        /* provenance: the value of the input model this one stands for, or NULL */
    struct span origin; /* its ValueInfoProto */
    bool dirty;         /* type changed since it was read: written from the IR */
};

enum attr_type { /* numbers of AttributeProto.AttributeType */
                 ATTR_UNDEFINED = 0,
                 ATTR_FLOAT = 1,
                 ATTR_INT = 2,
                 ATTR_STRING = 3,
                 ATTR_TENSOR = 4,
                 ATTR_GRAPH = 5,
                 ATTR_FLOATS = 6,
                 ATTR_INTS = 7,
                 ATTR_STRINGS = 8,
                 ATTR_TENSORS = 9,
                 ATTR_GRAPHS = 10,
                 ATTR_SPARSE_TENSOR = 11,
                 ATTR_SPARSE_TENSORS = 12,
                 ATTR_TYPE_PROTO = 13,
                 ATTR_TYPE_PROTOS = 14
};

struct attr {
    const char *name; /* interned */
    enum attr_type type;
    const char *ref; /* ref_attr_name inside a function body, or NULL */
    uint32_t n;      /* length of the list types */
    union {
        float f;
        int64_t i;
        struct span s;
        struct tensor *tensor;
        struct graph *graph;
        const float *floats;
        const int64_t *ints;
        const struct span *strings;
        struct tensor *const *tensors;
        struct graph *const *graphs;
    };                  /* sparse tensors and type protos live in origin only */
    struct span origin; /* its AttributeProto */
    bool dirty;
};

struct node {
    uint32_t id;
    const char *name;     /* interned; "" when it has none: report by output name then */
    const char *op_type;  /* interned */
    const char *domain;   /* interned; "" for ai.onnx */
    const char *overload; /* interned; usually "" */
    struct graph *graph;
    struct node *prev, *next; /* list order of the graph: topological after load (or model_sort) */
    uint32_t n_inputs, n_outputs, n_attrs;
    struct use *inputs;     /* n_inputs; they never move while linked */
    struct value **outputs; /* n_outputs; NULL: left out */
    struct attr **attrs;
    const struct op *op;       /* resolved row, NULL: unknown operator */
    struct function *function; /* the model-local function it calls, or NULL */
    const char
        *source; /* provenance: name(s) of the nodes of the input model it stands for, or NULL */
    struct span origin; /* its NodeProto; size 0: made by us */
    bool dirty, removed;
    void *mark; /* scratch of the running pass; no meaning between passes */
};

struct graph {
    uint32_t id;
    const char *name;
    struct model *model;
    struct node *parent;       /* the node whose attribute holds it; NULL: main graph or function */
    struct function *function; /* set for a function body */
    struct node *first, *last;
    uint32_t n_nodes;
    VEC(struct value *) inputs;       /* the formal inputs, in order (function: its inputs) */
    VEC(struct use *) outputs;        /* in order; stable pointers */
    VEC(struct value *) initializers; /* in file order; a removed one has value->removed */
    VEC(struct value *)
    declared;           /* value_info entries, in file order: may name outer or unused values */
    struct span origin; /* its GraphProto (or FunctionProto) */
    bool dirty;         /* node list, inputs, outputs, initializers or value_info changed */
};

struct opset {
    const char *domain; /* interned, "" for ai.onnx */
    int64_t version;
};

struct function {
    const char *domain, *name, *overload; /* interned */
    struct graph *body;
    VEC(struct opset) opsets;
    VEC(const char *) attributes; /* names without default */
    VEC(struct attr *) defaults;  /* attribute_proto: with default */
    struct span origin;
    bool removed;
};

struct metadata {
    const char *key, *value;
};

struct mapped_file;

/* Told of every node that an edit touched: made, linked, changed, or left with at most one reader
 * of an output, or with an input that lost all other readers. */
struct edit_watch {
    void (*node)(struct edit_watch *w, struct node *n);
};

struct model {
    struct arena *arena;
    struct intern *names;
    struct dim_table *dims;
    struct ctx *ctx;                    /* borrowed */
    const char *path;                   /* where it was read from, NULL: built in memory */
    struct mapped_file *file;           /* owned; all origins point into it */
    VEC(struct mapped_file *) external; /* owned; opened external data files */
    void (*release)(
        struct model *m); /* closes file and external: set by whoever opened them; may be NULL */
    struct map fresh;     /* hint -> next number, for model_fresh_name */
    struct span origin;   /* the ModelProto */
    int64_t ir_version;
    VEC(struct opset) opsets;
    const char *producer_name, *producer_version; /* "" when absent */
    struct graph *graph;
    VEC(struct function *) functions;
    VEC(struct metadata) metadata;        /* metadata_props of the model, in order */
    uint32_t n_values, n_nodes, n_graphs; /* ids handed out; removed ones stay counted */
    VEC(struct value *) values;           /* by id */
    VEC(struct node *) nodes;             /* by id */
    VEC(struct graph *) graphs;           /* by id */
    struct edit_watch *watch;             /* borrowed; NULL: nobody watches */
    bool opsets_dirty, metadata_dirty, ir_dirty, functions_dirty; /* changed since it was read */
    void *facts;               /* of shape inference; lies in facts_arena */
    struct arena *facts_arena; /* NULL: it has not run */
};

/* ---- reading ---- */

struct model *model_new(struct ctx *ctx); /* empty model with a main graph; returns owned */
void model_free(struct model *m);

#define graph_each_node(n, g) \
    for (struct node *n = (g)->first, *n##_next; n && (n##_next = n->next, 1); n = n##_next)
#define value_each_use(u, v) \
    for (struct use *u = (v)->uses, *u##_next; u && (u##_next = u->next, 1); u = u##_next)

struct value *node_input(const struct node *n, uint32_t i);  /* NULL past the end or left out */
struct value *node_output(const struct node *n, uint32_t i); /* NULL past the end or left out */
bool node_is(const struct node *n, const char *op_type);     /* ai.onnx operator of that name */
bool node_is_in(const struct node *n, const char *domain, const char *op_type);
const char *
node_label(const struct node *n); /* its name, else its first output's, else its op_type */
int64_t graph_opset(const struct graph *g,
                    const char *domain);  /* version in force there; 0: not imported */
int64_t node_opset(const struct node *n); /* of the node's own domain */

bool value_is_constant(const struct value *v); /* an initializer nobody can override; data known */
bool value_is_output(const struct value *v);   /* of any graph */
struct node *value_only_user(
    const struct value *v); /* its one consumer node, NULL: none, several, or a graph output */
bool value_dim(const struct value *v, int i,
               int64_t *size); /* constant dim i (negative: from the end) */
bool graph_encloses(const struct graph *outer, const struct graph *inner); /* equal counts */

/* ---- attributes: look up by name, with the default given ---- */

const struct attr *node_attr(const struct node *n, const char *name); /* NULL: absent */
int64_t node_int(const struct node *n, const char *name, int64_t otherwise);
float node_float(const struct node *n, const char *name, float otherwise);
bool node_ints(const struct node *n, const char *name, const int64_t **values,
               uint32_t *count); /* false: absent */
bool node_floats(const struct node *n, const char *name, const float **values, uint32_t *count);
struct span node_string(const struct node *n, const char *name, const char *otherwise);
bool node_string_is(const struct node *n, const char *name, const char *otherwise,
                    const char *wanted);
const struct tensor *node_tensor(const struct node *n, const char *name);
struct graph *node_graph(const struct node *n, const char *name);

/* ---- whole-model services ---- */

/* Checks every invariant above (links, ids, scopes, SSA, order unless relaxed): 0, or the reported
 * code. */
int model_verify(const struct model *m);
/* Stable topological order of each graph (captures counted); an error names a node of a cycle.
 * Returns the number of nodes moved, or the negative code. O(nodes + uses). */
int model_sort(struct model *m);

/* Text form: what tests read and write (ir/graph_text.c states the grammar). */
char *model_print(const struct model *m, struct arena *a);
struct model *model_parse(struct ctx *ctx,
                          const char *text); /* returns owned, NULL after a report */
#endif
