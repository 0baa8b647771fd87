/* Passes: rewrites of the graph. A pass is one file here and one row of passes.def.
 *
 * A pass has one of two forms. A visit pass looks at one node at a time, the last node of what it
 * rewrites; the manager shows it every node once and again whenever something near it changed. A
 * run pass looks at the whole model. Helpers for both stand in src/rewrite/rewrite.h; a pass that
 * makes one operator of several is a table of patterns: src/rewrite/match_fuse.h.
 *
 * Contract: find -> check everything -> apply. Applying cannot fail; whatever could refuse is
 * checked first, and a refused candidate is logged with its reason. A pass never decides by a name.
 * It respects graph outputs (their names survive), captures by subgraphs, overridable initializers
 * (value_is_constant says no), unknown operators (barriers). It counts its rewrites honestly: run
 * twice, the second run counts 0. It is linear in the graph plus the number of its changes.
 */
#ifndef PASSES_PASS_H
#define PASSES_PASS_H
#include "ir/edit.h"
#include "ir/ir.h"
#include "ops/op.h"

enum pass_class {
    PASS_EXACT,   /* every output bit stays */
    PASS_REASSOC, /* same up to floating-point reassociation */
    PASS_LOSSY,   /* changes numbers: quantizes, approximates */
};

enum pass_needs { /* facts a pass needs or breaks; the manager provides them */
                  NEEDS_TYPES = 1 << 0, /* model_infer has run since the last break */
                  NEEDS_ORDER = 1 << 1, /* node lists are topological */
                  FOR_OPSET = 1 << 2,   /* no fact: runs at any level where the plan has an opset */
};

struct pass_run; /* one application of one pass: counts and log */

struct pass {
    const char *name;    /* kebab-case */
    const char *summary; /* one line, for `list passes` */
    enum pass_class class;
    int level; /* runs at opt --level >= this; 9: only by name */
    unsigned needs, breaks;
    int (*run)(struct pass_run *r, struct model *m);  /* 0, or a reported negative code */
    int (*visit)(struct pass_run *r, struct node *n); /* the same; one of the two is NULL */
    const char *const
        *ops; /* operators a visit looks at, "domain::Type" outside ai.onnx; NULL: all */
};

/* In the file of a visit pass: only nodes of these operators are shown to it. Without it every node
 * is, at about 50 ns each. */
#define PASS_OPS(function, ...)                \
    extern const char *const ops_##function[]; \
    const char *const ops_##function[] = {__VA_ARGS__, NULL}

const struct pass *pass_find(const char *name);
size_t pass_total(void);
const struct pass *pass_at(size_t index); /* catalogue order */

/* For the body of a pass. node_label of `n` and the reason go to the log, -v and --json. */
void pass_rewrote(struct pass_run *r, const struct node *n, const char *what, ...)
    __attribute__((format(printf, 3, 4)));
void pass_rewrote_function(struct pass_run *r, const struct function *f, const char *what);
/* The whole model changed, and what was refused before no longer is. */
void pass_rewrote_model(struct pass_run *r, const char *what, ...)
    __attribute__((format(printf, 2, 3)));
void pass_refused(struct pass_run *r, const struct node *n, const char *why, ...)
    __attribute__((format(printf, 3, 4)));
/* No node of n's operator will interest this pass: none is shown to it any more. */
void pass_ignores(struct pass_run *r, const struct node *n);
/* Zeroed memory of this pass that lives as long as the plan runs. */
void *pass_state(struct pass_run *r, size_t bytes);
/* Grows when all nodes are shown once more: what was counted over the model may be counted again. */
int pass_sweep(const struct pass_run *r);
struct ctx *pass_ctx(const struct pass_run *r);
const struct target *pass_target(const struct pass_run *r); /* NULL: none */
/* The version of a domain that the result will have there: the plan's for ai.onnx, else what the
 * graph of `at` imports. */
int64_t pass_opset(const struct pass_run *r, const struct node *at, const char *domain);
/* Whether the result may hold that operator in the graph of `at`: it exists at pass_opset and the
 * target has it (target_knows) for this element type of its first output; DT_UNDEFINED: any. What a
 * fusion asks before it makes one, and a decomposition before it takes one apart. */
bool pass_knows(const struct pass_run *r, const struct node *at, const char *domain,
                const char *op_type, enum dtype dtype);

struct target;
struct pass_note {
    const char *node, *text; /* arena of the log */
};
struct pass_result {
    const struct pass *pass;
    int64_t rewrites, refused;       /* refused: nodes that are still there and still refused */
    VEC(struct pass_note) refusals;  /* the first PASS_NOTES */
    VEC(struct pass_note) rewritten; /* the first PASS_NOTES */
};
enum { PASS_NOTES = 1000 };
struct pass_log {
    struct arena *arena;
    VEC(struct pass_result) results; /* one per pass that ran, in catalogue order; reruns add up */
    int64_t nodes_before, nodes_after, nodes_main_before, nodes_main_after;
};
void pass_log_release(struct pass_log *log);

struct pass_plan {
    int level;                   /* used when names is NULL */
    const char *const *names;    /* NULL-terminated: exactly these, in this order, once each */
    const char *const *skip;     /* NULL-terminated: not these; or NULL */
    const struct target *target; /* may be NULL: what ONNX Runtime runs */
    int64_t opset;               /* of ai.onnx that the result is to have; 0: it stays */
    bool quantizes; /* a quantizer follows: fusions make no operator that it has no rule for */
    bool verify;    /* check the graph after each pass; debug builds always do */
};
const struct pass_plan *pass_plan(const struct pass_run *r);
/* Runs the plan to a fixpoint (levels) or once in order (names). Verifies the graph after each pass
 * in debug builds. */
int passes_run(struct model *m, const struct pass_plan *plan, struct pass_log *log);
int64_t model_count_nodes(const struct model *m); /* all graphs and called functions */
#endif
