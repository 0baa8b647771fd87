/* Inside of the executor: what a graph is compiled to.
 *
 *   exec ── session (one per set of input types) ── plan (main graph) ── step ── plan (subgraph)
 *     └─── worker (one per thread) ── frame (session's main plan) ── frame (subgraph)
 *
 * A plan is immutable once built and shared by all threads; a frame is one thread's tensors for it.
 * A slot is a value of the plan. Values and slots differ: a function's body has slots for each
 * call, a value that is kept in two layouts has two slots, and an inlined branch's values are slots
 * of the plan around it. Everything here addresses slots and steps by index.
 */
#ifndef EXEC_PLAN_H
#define EXEC_PLAN_H
#include <pthread.h>
#include <stdatomic.h>

#include "base/bitset.h"
#include "base/map.h"
#include "base/pool.h"
#include "exec/exec.h"
#include "ops/op.h"

enum slot_kind {
    SLOT_CONST,   /* known before anything runs: `constant` */
    SLOT_INPUT,   /* formal input of the plan: data comes with each run */
    SLOT_CAPTURE, /* slot `outer` of the plan around this one */
    SLOT_STATIC,  /* sized at compile time, placed in the activation block */
    SLOT_DYNAMIC, /* sized and allocated while it runs */
    SLOT_VIEW,    /* the bytes of slot `outer` under other dims */
    SLOT_TEMP,    /* workspace of one step */
};

/* A constant that is computed when its data is asked for: large results of folding, which an operator
 * mostly repacks once. */
struct lazy {
    const struct node *node;
    int *in; /* slots, n_inputs of the node; -1: left out */
    uint32_t out;
};

struct slot {
    enum slot_kind kind;
    const struct value *value;     /* the model's value, NULL: made here */
    struct type type;              /* dims as the data stands; not constant for SLOT_DYNAMIC */
    const struct tensor *constant; /* SLOT_CONST */
    int outer;                     /* SLOT_CAPTURE, SLOT_VIEW (never a view itself) */
    int storage;          /* SLOT_STATIC, SLOT_TEMP: whose place it has; itself when its own */
    size_t bytes, offset; /* SLOT_STATIC, SLOT_TEMP: of the place, from the block's start */
    int producer;         /* step, -1: none */
    int last;             /* last step that reads it or a view of it; n_steps: an output */
    int uses;             /* steps' inputs and outputs of the plan that name it */
    bool pinned;          /* read by a subgraph, a tap or the caller: must exist, and plain */
    bool channels_last; /* type.dims are N, spatial..., C of a value whose axes are N, C, spatial...
                         */
    bool tapped;        /* shown to the tap when it is made */
    const struct lazy *lazy; /* SLOT_CONST whose constant is NULL */
    struct arena *owner;     /* SLOT_CONST: what holds the constant when it is ours alone */
    int narrow; /* SLOT_CONST widened from a float16 constant: 1 + the slot of that one; 0: not so */
};

typedef int step_fn(const void *state, struct eval *e);

struct step {
    const struct node *node;   /* of the model, or a copy with other attributes (plan arena) */
    const struct node *origin; /* the model's node; NULL: a change of layout */
    const struct op *op;
    int64_t version;
    int n_in, n_out;
    int *in, *out; /* slots; -1: left out */
    step_fn *run;  /* NULL: op->eval */
    void *state;
    const struct op_fast *fast; /* whose prepare made state; NULL: nothing to release */
    bool dynamic;               /* outputs are sized at run time */
    bool removed;               /* merged into another step */
    int workspace;              /* slot, -1: none */
    size_t workspace_bytes;     /* per thread of the pool */
    struct fused *fused;
    bool channels_last;
    const char *label; /* profile: "Conv", "Conv+Relu" */
    int n_graphs;
    const struct graph **graphs; /* subgraphs of a control node ... */
    struct plan **plans;         /* ... and what they were compiled to */
    int n_dying;
    int *dying; /* dynamic slots that nobody reads after this step */
    int n_taps;
    int *taps; /* slots to be shown after this step */
};

struct plan {
    struct session *session;
    struct plan *outer; /* plan of the graph around, NULL: main */
    const struct graph *graph;
    struct arena *arena; /* the session's */
    VEC(struct slot) slots;
    VEC(struct step) steps;
    VEC(int) inputs;     /* slots of the graph's inputs; -1: nobody reads it */
    VEC(int) outputs;    /* slots of the graph's outputs */
    VEC(int) late_views; /* views of what is known only when the run begins */
    VEC(int) const_taps; /* observed slots that no step makes: shown when the run begins */
    size_t
        block_bytes; /* activation block of this plan; nested ones lie inside steps' workspaces */
    bool boxed_outputs; /* outputs must survive further runs of this plan: Loop, Scan */
};

struct session {
    struct exec *exec;
    struct arena *arena;
    struct dim_table *dims;
    struct plan *plan;
    uint64_t key;        /* hash of the input types */
    struct type *inputs; /* those types; TYPE_NONE: default used */
    size_t n_inputs;
    size_t prepared_bytes;
    int users;      /* frames running; under exec->lock */
    uint64_t stamp; /* last use, for eviction */
    int id;         /* never reused */
};

struct exec {
    struct model *model;
    struct ctx *ctx;
    struct exec_options options;
    struct bitset tapped; /* by value id; words NULL: none */
    pthread_mutex_t lock;
    VEC(struct session *) sessions;
    struct worker *workers;
    int n_workers;
    int next_id;
    uint64_t clock;
};

/* ---- build*.c ---- */

enum { PLAN_MAX_STEPS = 50 * 1000 * 1000, PLAN_MAX_DEPTH = GRAPH_MAX_DEPTH };
/* Bytes that folded results may take: of one node, and of a session. What is more is computed on
 * every run. */
enum { FOLD_NODE_BYTES = 512 << 20, FOLD_SESSION_BYTES = 1 << 30 };

/* Where names are looked up while a plan is built: one scope per graph or function call. */
struct scope {
    struct scope *up;        /* what a subgraph captures from; NULL at a function's body */
    struct plan *plan;       /* the plan whose slots the map names */
    const struct node *call; /* attributes that a function body's references stand for */
    struct map slots;        /* value id -> slot + 2: a slot of -1 is an input left out */
    int depth;
};

struct builder {
    struct session *session;
    struct ctx *ctx;
    struct bitset wanted; /* value ids somebody needs */
    int64_t steps;        /* made so far, all plans */
    size_t folded;        /* bytes of folded results so far */
};

/* Compiles a graph. in: types of its formal inputs, TYPE_NONE: not given (main graph: the default
 * holds). up: where captured names are found. NULL after a report. plan_finish then makes it ready
 * to run. */
struct plan *plan_build(struct builder *b, const struct graph *g, const struct type *in,
                        struct scope *up);
int plan_finish(struct builder *b, struct plan *p);
void plan_free(struct plan *p);

int plan_slot(struct plan *p, enum slot_kind kind, const struct value *v, const struct type *t);
int plan_const(struct plan *p, const struct value *v, const struct tensor *t);
struct step *plan_step(struct plan *p, const struct node *n, int n_in, int n_out);

bool type_static(const struct type *t, size_t *bytes); /* a tensor whose dims are all constant */
bool type_tensor_dims(const struct type *t, int64_t *dims); /* constant dims; rank entries */
struct type type_from_tensor(struct arena *a, struct dim_table *table, const struct tensor *t);
struct type type_from_dims(struct arena *a, struct dim_table *table, enum dtype dtype, int rank,
                           const int64_t *dims);
bool type_same(const struct type *a, const struct type *b);

/* Slot of a value as seen from scope s; captures are made on the way. -1 after a report. */
int scope_slot(struct builder *b, struct scope *s, const struct value *v);
void scope_bind(struct scope *s, const struct value *v, int slot);
int scope_bound(const struct scope *s, const struct value *v); /* -1: not bound in s itself */
/* build_half.c: v as float32 from here on, when it is float16. */
int half_widen(struct builder *b, struct scope *s, const struct value *v);
/* The slot of v as float16, when v is declared so and slot is float32; else slot. < 0 reported. */
int half_narrow(struct builder *b, struct scope *s, const struct value *v, int slot);
/* A node whose input slots are known, when it is no call and no control flow. */
int build_op(struct builder *b, struct scope *s, const struct node *n, const int *in);
int build_nodes(struct builder *b, struct scope *s, const struct graph *g);
int build_node(struct builder *b, struct scope *s, const struct node *n);
int build_control(struct builder *b, struct scope *s, const struct node *n, const int *in);
int build_call(struct builder *b, struct scope *s, const struct node *n, const int *in);
/* n, or a copy in which references to the attributes of the function's call are resolved. */
const struct node *build_resolve(struct builder *b, struct scope *s, const struct node *n);
/* Tries to evaluate now, or to put it off (struct lazy): 1 done (outputs bound), 0 no, < 0 reported. */
int build_fold(struct builder *b, struct scope *s, const struct node *n, const int *in);
/* Types of the outputs, n_outputs entries, from what is known of the inputs. */
int build_infer(struct builder *b, struct scope *s, const struct node *n, const int *in,
                struct type *out);
/* The data of a SLOT_CONST; a lazy one is computed into `a`. NULL after a report. */
const struct tensor *const_data(struct builder *b, const struct plan *p, int slot, struct arena *a);
/* The same, kept with the slot from now on. */
const struct tensor *const_keep(struct builder *b, struct plan *p, int slot);
void build_wanted(struct builder *b, const struct graph *g);

/* ---- after building, in this order ---- */

int plan_fuse(struct builder *b, struct plan *p); /* fast engine: products with what follows them */
int plan_lower(struct builder *b, struct plan *p);  /* fast engine: layouts and prepared states */
int plan_settle(struct builder *b, struct plan *p); /* constants as bytes, taps, views */
int plan_place(struct plan *p, struct ctx *ctx);    /* lifetimes, in-place, offsets */

/* ---- running ---- */

/* A tensor or sequence with a life of its own, counted. One thread at a time. */
struct box {
    int refs;
    struct tensor t; /* as others see it; a sequence: dtype DT_UNDEFINED, data = &seq */
    struct sequence seq;
    const struct tensor **items; /* of the sequence: each the t of a box this one holds */
    int64_t *dims;
};

struct box *box_tensor(enum dtype dtype, int rank, const int64_t *dims); /* NULL: memory refused */
struct box *box_copy(const struct tensor *t); /* tensor or sequence; NULL: memory refused */
/* items: boxes whose counts pass to the new one. */
struct box *box_sequence(enum type_kind kind, enum dtype dtype, int64_t count, struct box **items);
struct box *box_of(const struct tensor *t); /* t must be a box's */
struct box *box_keep(struct box *b);
void box_drop(struct box *b); /* NULL is allowed */

/* One thread's tensors for a plan. */
struct frame {
    struct plan *plan;
    struct frame *outer;
    struct worker *worker;
    struct arena *arena;        /* all arrays below */
    struct arena *scratch;      /* one operator's; a subgraph's frame has its own */
    char *block;                /* what the headers point into now */
    struct tensor *tensors;     /* headers by slot */
    const struct tensor **refs; /* by slot: own header, constant, or a header of the frame around */
    struct box **boxes;         /* by slot: owner of dynamic data */
    struct eval *evals;         /* by step */
    void **locals;              /* by step */
    struct frame ***nested;     /* by step, by graph: made when first entered */
    struct box **past[2];       /* outputs of the last two runs (plan->boxed_outputs) */
    int parity;
    struct exec_time *times; /* by step; NULL: no profile */
};

struct worker {
    struct exec *exec;
    int index;
    char *block; /* activations; grown to the largest session */
    size_t block_bytes;
    struct arena *keep;   /* one run's: bytes of strings */
    struct arena *shapes; /* one dynamic step's */
    struct dim_table *dims;
    int dynamic_runs;           /* since dims was new: its symbols only grow */
    VEC(struct frame *) frames; /* one per session used here */
    struct pool *pool;          /* inside operators; NULL: this thread alone */
    int64_t sample;
    double nested_seconds; /* profile: spent in subgraphs by the step that runs */
};

struct frame *frame_new(struct plan *p, struct frame *outer, struct worker *w);
void frame_free(struct frame *f);
void frame_bind(struct frame *f, char *block); /* points headers into this block */
int frame_run(struct frame *f, const struct tensor *const *in, const struct tensor **out);
void frame_clear(struct frame *f); /* drops what the last run left */
int frame_run_dynamic(struct frame *f, int step);
int frame_show(struct frame *f, int slot);  /* to the tap */
int frame_check(struct frame *f, int step); /* for NaN and infinities */
extern const struct eval_host exec_host;

int exec_check(struct exec *x); /* check.c: every operator can be executed; 0 or reported */
#endif
