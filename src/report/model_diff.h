/* What differs between two models: nodes, tensors, attributes, dims, operator sets, metadata.
 *
 * Nodes are the same when they produce the value of the same name (names of surviving values never change); nodes without outputs
 * when they stand at the same place. Order of nodes and how bytes are stored do not count.
 */
#ifndef REPORT_MODEL_DIFF_H
#define REPORT_MODEL_DIFF_H
#include "base/vec.h"
#include "ir/ir.h"

enum change { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED };
enum change_kind { DIFF_MODEL, DIFF_INPUT, DIFF_OUTPUT, DIFF_TENSOR, DIFF_NODE, DIFF_KINDS };

struct difference {
    enum change change;
    enum change_kind kind;
    const char *name; /* with the path of enclosing nodes: "if_1/then_branch/conv" */
    const char *what; /* "Conv", "float[8,3,3,3] -> int8[8,3,3,3]", "strides [1,1] -> [2,2]" */
};

struct model_diff {
    struct arena *arena;
    VEC(struct difference) list;
    int64_t counts[DIFF_KINDS][3]; /* by kind and change */
};

/* d->arena is set by the caller and keeps all texts. */
void model_diff(const struct model *a, const struct model *b, struct model_diff *d);
const char *diff_kind_name(enum change_kind kind); /* "model", "input", ... */
const char *change_name(enum change change);       /* "added", "removed", "changed" */
#endif
