/* For the files in passes/: questions and edits that rewrites share.
 *
 * A rewrite at node n: check everything, then make the new nodes (rewrite_node), give them the old
 * outputs (node_move_output) or let others read something else (rewrite_bypass), note it
 * (pass_rewrote), remove what is left without readers (rewrite_drop). Provenance goes along by
 * node_set_source.
 */
#ifndef REWRITE_REWRITE_H
#define REWRITE_REWRITE_H
#include "passes/pass.h"

/* ---- constants ---- */

/* The data of an initializer that nobody can override; NULL: no constant, or not numbers. */
const struct tensor *constant_of(const struct value *v);
/* Every element of a constant equals *x. Not for empty ones. */
bool constant_scalar(const struct value *v, double *x);
bool constant_equals(const struct value *v, double x);
/* Integers of a constant of rank <= 1 with at most `room` elements. */
bool constant_ints(const struct value *v, int64_t *out, int64_t room, int64_t *count);
/* Has at most one element, whatever its rank. */
bool constant_is_single(const struct value *v);

/* A new initializer in the graph of `at`; hint and source from `like` (may be NULL). */
struct value *constant_new(struct node *at, struct tensor *t, const struct value *like);
struct value *constant_new_ints(struct node *at, const int64_t *x, int64_t count);
struct value *constant_new_scalar(struct node *at, enum dtype dtype, double x);

/* Input `slot` of n, a constant, gets other data: the initializer itself when nobody else reads it
 * (so its name stays), else a new one. */
void constant_replace(struct node *n, uint32_t slot, struct tensor *t);

/* y = x * scale[c] + addend[c] along axis, as a recipe over t; scale and addend may be NULL (1 and
 * 0), n is their length (1 or dims[axis]). Recipes over recipes of the same axis are merged, so
 * that the whole is rounded once. Arrays are copied. */
struct tensor *recipe_affine(struct model *m, const struct tensor *t, int axis, int64_t n,
                             const double *scale, const double *addend);
struct tensor *recipe_transpose(struct model *m, const struct tensor *t, const int64_t *perm);
/* The same bytes under other dims. */
struct tensor *tensor_reshaped(struct model *m, const struct tensor *t, int rank,
                               const int64_t *dims);

/* ---- editing ---- */

/* A node of ai.onnx before `at`, resolved; it stands for what `from` stood for. */
struct node *rewrite_node(struct node *at, const char *op_type, uint32_t n_inputs,
                          uint32_t n_outputs);
/* Types of n's outputs from its inputs, where they were not known. */
void rewrite_infer(struct pass_run *r, struct node *n);
/* n goes and its work is done by `by`, which then stands for both; n's output 0 becomes by's. The
 * value in between has no other reader. */
void rewrite_absorb(struct node *by, struct node *n);
/* A new node with one new output of inferred type, inputs left to right. */
struct value *rewrite_emit(struct pass_run *r, struct node *at, const char *op_type, uint32_t n,
                           struct value *const *inputs);

/* May every reader of `out` read `by` instead, names of graph outputs kept? NULL: yes, else why
 * not. */
const char *bypass_problem(const struct value *out, const struct value *by);
void rewrite_bypass(struct value *out, struct value *by);
/* Removes n when nothing reads it, then what only it read, and so on. Unknown operators stay. */
void rewrite_drop(struct node *n);
/* Removes an initializer that nothing reads any more. */
void rewrite_drop_value(struct value *v);
bool node_may_go(const struct node *n); /* removing it when unread changes nothing else */

/* ---- questions ---- */

/* The producer of v when it is that ai.onnx operator and n is the only reader of v; else NULL. */
struct node *lone_producer(const struct value *v, const char *op_type);
struct node *producer_of(const struct value *v, const char *op_type);
bool value_static_dims(const struct value *v, int64_t *dims, int room, int *rank);
int value_rank(const struct value *v); /* -1 unknown */
enum dtype value_dtype(const struct value *v);
/* Runtimes on CPUs, ours too, compute float16 in float32 and round at casts: a value of that type may
 * be held wider than its type, and a Cast to its own type is then no identity. false: it may be. */
bool value_is_rounded(const struct value *v);
bool same_type(const struct value *a, const struct value *b); /* known, equal dtype and dims */
bool node_is_onnx(const struct node *n); /* ai.onnx, known, no function, no references in a body */
/* The axis in 0 .. rank-1, or -1. */
int axis_within(int64_t axis, int rank);
#endif
