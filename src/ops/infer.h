/* The inside of shape inference: what stands behind struct infer. Only infer*.c and ops_control.c
 * include it.
 *
 * A shape function sees slots: the types, data and integer values of the node's inputs, and room
 * for the same of its outputs. Where the slots come from differs: model_infer takes them from its
 * side table (struct fact, by value id), infer_node from its arguments.
 */
#ifndef OPS_INFER_H
#define OPS_INFER_H
#include "base/map.h"
#include "ops/op_impl.h"

enum {
    VALUES_MAX = 1024,         /* elements of a tensor whose values are propagated */
    INFER_FUNCTION_DEPTH = 64, /* calls of model-local functions inside each other */
};

struct infer_slot {
    bool given;
    struct type type;          /* kind TYPE_NONE: unknown */
    const struct tensor *data; /* NULL: not known */
    const dim_t *values;       /* n_values entries, entries may be NULL; NULL: not known */
    int64_t n_values;
};

/* What model_infer knows about a value besides value->type. Kept on the model until the next run.
 */
struct fact {
    struct type declared;  /* as the file or a pass said it, symbols bound */
    struct type committed; /* what inference last wrote to value->type */
    const struct tensor *data;
    const dim_t *values;
    int64_t n_values;
    bool touched; /* in this run */
    bool seen;    /* declared and committed are valid */
};

/* Hangs on model->facts and lies in model->facts_arena, which the next run replaces. */
struct infer_facts {
    struct arena *arena;
    struct fact *of; /* by value id */
    uint32_t count;
};

/* A call of a model-local function: its attributes replace the references in the body. */
struct frame {
    const struct node *call; /* references already resolved */
    const struct function *function;
    const struct frame *outer;
    const char *path; /* prefix for fresh symbols */
};

/* What the function last returned for which inputs. */
struct memo {
    const struct infer_slot *in, *out;
    uint32_t n_in, n_out;
};

/* One run of model_infer. */
struct walk {
    struct model *m;
    const struct infer_options *options;
    struct infer_facts *facts;
    struct arena *scratch; /* forgotten after each node; nested graphs have their own */
    struct infer_report report;
    const struct frame *frame;
    struct map memos; /* function -> struct memo */
    struct map fresh; /* symbols made by infer_fresh in this run */
    struct map composed;             /* symbol -> what its name says (infer_symbols.c) */
    const struct dim_binding *plain; /* names of the inputs' dimensions */
    size_t n_plain;
    struct ctx quiet; /* the model's ctx with a diag that nobody reads: for folding */
    int function_depth;
    int lenient;              /* > 0: inside a branch that may be dead */
    int64_t work, work_limit; /* shape functions run; past the limit nothing is entered twice */
    bool limit_said;
};

/* One call of a shape function. */
struct engine {
    struct infer_slot *in, *out;
    uint32_t n_in, n_out;
    struct walk *walk; /* NULL: infer_node */
    int fresh_count;
};

static inline struct engine *engine_of(const struct infer *c) { return c->engine; }

/* infer_node.c: runs the shape function of c->node on the slots; checks the signature before, the
 * outputs after. */
int infer_call(struct infer *c);

/* infer_types.c */
bool type_equal(const struct type *a, const struct type *b);
bool type_known(const struct type *t); /* every dim is there */
struct type type_copy(struct arena *a, const struct type *t);
struct type infer_type_of(struct dim_table *dims, struct arena *a, const struct tensor *t);
struct type type_bind(struct walk *w,
                      const struct type *t); /* symbols replaced by the options' bindings */
/* Before anything is committed: the plain names of the inputs' dimensions. */
void walk_collect_names(struct walk *w);
/* The expression that the symbol's name spells, or the symbol itself. */
dim_t walk_composed(struct walk *w, dim_t d);
/* The inferred type completed by the declared one. *conflict: they contradict each other. */
struct type type_merge(struct walk *w, const struct type *inferred, const struct type *declared,
                       bool *conflict);
const char *type_text(struct arena *a, const struct type *t);
/* Types of a value that takes one or the other: what both agree on. */
struct type type_join(struct arena *a, const struct type *x, const struct type *y);

/* infer.c */
int walk_graph(struct walk *w,
               const struct graph *g); /* its nodes, in order; inputs have been committed */
int walk_commit(struct walk *w, struct value *v, const struct infer_slot *slot);
void walk_slot(struct walk *w, const struct value *v,
               struct infer_slot *slot); /* v NULL: not given */

/* infer_call.c */
int walk_function(struct walk *w, const struct node *n, struct infer *c);
const struct node *
frame_resolve(struct walk *w,
              const struct node *n); /* references replaced; n itself when there are none */

/* For shape functions of operators with subgraphs. false: not here (infer_node), or the work limit
 * is reached. */
bool infer_may_enter(struct infer *c);
/* Infers g with these inputs; out gets what its outputs are. maybe_dead: faults inside are
 * warnings. */
int infer_enter(struct infer *c, struct graph *g, const struct infer_slot *in, uint32_t n_in,
                struct infer_slot *out, uint32_t n_out, bool maybe_dead);
#endif
