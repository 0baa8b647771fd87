/* Taking a model to another opset of ai.onnx. */
#ifndef TARGETS_OPSET_CONVERT_H
#define TARGETS_OPSET_CONVERT_H
#include "ir/ir.h"

enum {
    OPSET_LOWEST = 11,
    OPSET_NEWEST = 25,
    OPSET_OLDEST = 7
}; /* to .. to, and from that one on */

/* Stands in the main graph or under it: function bodies have opsets of their own. */
bool opset_covers(const struct node *n);

/* Why n, a node of a graph at opset `from`, cannot be written at opset `to`; text in the arena or
 * static. NULL: it can. Types should have been inferred. */
const char *opset_problem(const struct node *n, int64_t from, int64_t to, struct arena *a);

/* The model goes to opset `to`: nodes of all graphs get the form that it has there. The caller has
 * seen that no node has a problem. Attributes that became inputs turn into initializers and back;
 * nothing else is decomposed. Types are stale afterwards where nodes came in. */
void opset_apply(struct model *m, int64_t to);

/* Both, for raising only: nothing when the opset is at least `to`; E_QUANT_OPSET, and the model
 * untouched, when a node cannot follow. */
int opset_raise(struct model *m, int64_t to);

/* The lowest IR version that may hold the model as it is: 3 .. 13; *why: what asks for it. */
int64_t model_least_ir(const struct model *m, const char **why);
/* The IR version of the release that brought the opset (onnx/helper.py VERSION_TABLE), at most 11. */
int64_t opset_ir(int64_t opset);
#endif
