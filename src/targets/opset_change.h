/* Inside of src/targets/opset_*.c only: what changed in the operators of ai.onnx, version by version. */
#ifndef TARGETS_OPSET_CHANGE_H
#define TARGETS_OPSET_CHANGE_H
#include "ir/edit.h"
#include "ops/op.h"

/* At `since` the form of an operator changed, or what the same form means. */
struct opset_change {
    const char *op;
    int64_t since;
    const char *handles; /* attributes that apply takes care of, each after a blank; or NULL */
    /* Why this node cannot follow, asked before anything changes, when its form may still be that of
     * another version; NULL: it can, or always. `to`: the opset aimed at. */
    const char *(*problem)(const struct node *n, int64_t to);
    void (*apply)(struct node *n); /* to the form of `since` (raising), or to the one before it */
};
extern const struct opset_change
    OPSET_RAISES[]; /* per operator in rising order; ends with op NULL */
extern const struct opset_change OPSET_LOWERS[]; /* per operator in falling order */

/* Data of an initializer that nobody can override or of a Constant node; NULL: neither. */
const struct tensor *opset_data(const struct value *v);
/* Integers of such a value; false: not known, or more than room. */
bool opset_ints(const struct value *v, int64_t *out, uint32_t room, uint32_t *count);
void opset_put_input(struct node *n, uint32_t i, struct tensor *t, const char *hint);
/* Input i is left out, or cut off when it is the last; its initializer goes when nobody else reads it. */
void opset_drop_input(struct node *n, uint32_t i);
struct node *opset_node_before(struct node *at, const char *op_type, uint32_t n_inputs);

/* opset_lists.c: problem and apply of rows of opset_down.c */
const char *opset_axes_problem(const struct node *n, int64_t to);
void opset_axes_to_attr(struct node *n);
const char *opset_reduce_problem(const struct node *n, int64_t to);
void opset_reduce_axes(struct node *n);
void opset_split_to_attr(struct node *n);
const char *opset_parts_problem(const struct node *n, int64_t to);
void opset_split_sizes(struct node *n);
const char *opset_pad_problem(const struct node *n, int64_t to);
void opset_pad_all_axes(struct node *n);
const char *opset_constant_problem(const struct node *n, int64_t to);
void opset_constant_tensor(struct node *n);
#endif
