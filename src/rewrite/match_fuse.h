/* Fusions: several nodes become one standard operator.
 *
 * A fusion is a table: what it becomes, how exporters spell it (patterns, rewrite/match.h), what is
 * checked beyond the pattern, how the new node is filled. fuse_visit does the rest: it looks for the
 * first spelling that fits at a node, refuses where something outside reads what is inside or where
 * the operator is not known, then replaces the nodes and notes it.
 *
 * Known: pass_knows says so at the model's opset, and the element type is one that ONNX Runtime runs
 * it with on the CPU.
 */
#ifndef REWRITE_MATCH_FUSE_H
#define REWRITE_MATCH_FUSE_H
#include "rewrite/match.h"

enum fuse_types { /* besides float32 and float16 */
                  FUSE_FLOATS = 0,
                  FUSE_DOUBLE = 1, /* ONNX Runtime 1.31 has it in float64 */
                  FUSE_ALL = 2,    /* any type: the operator only moves elements */
};

extern const char FUSE_NONE[]; /* a problem that is none: it only looks like a candidate */

struct fusion {
    const char *op;               /* what it becomes; NULL: the operator of the node named norm */
    int since;                    /* lowest opset in which it means what build makes of it */
    enum fuse_types types;        /* of the value named x */
    const char *const *spellings; /* patterns, NULL-terminated */
    /* NULL, or the reason against it. May be NULL. Spellings name the input x. */
    const char *(*problem)(const struct match *m);
    /* Fills inputs and attributes of the new node, which has max_in input slots, all left out. It
     * may set another op_type. NULL: x is the one input. */
    void (*build)(struct pass_run *r, const struct match *m, struct node *fused);
    const char *also; /* another operator that build makes; NULL: none */
};

int fuse_visit(struct pass_run *r, struct node *n, const struct fusion *f);

/* ---- questions for problem ---- */

/* The axes that a reduction or global pool of a value of that rank runs over, ascending; all of them where none
 * are given. false: not constant, or not within the rank. */
enum { FUSE_RANK = 16 };
bool reduction_axes(const struct node *n, int rank, int axes[FUSE_RANK], int *count);
bool reduction_keeps(const struct node *n); /* keepdims */
/* The number behind a name of the pattern: a constant with one value. */
bool match_scalar(const struct match *m, const char *name, double *x);
#endif
