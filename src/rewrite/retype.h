/* Changing an element type through a whole model: float to float16, float16 to float, float to
 * double for a truth to measure against. */
#ifndef REWRITE_RETYPE_H
#define REWRITE_RETYPE_H
#include "ir/edit.h"

struct retype {
    enum dtype from, to; /* float16, float or double */
    bool keep_io;        /* the main graph's inputs and outputs stay, casts stand behind them */
};

/* Why the model cannot be changed, or NULL. Types must have been inferred. */
const char *retype_problem(const struct model *m, const struct retype *r);

/* Whether a node is left that would compute in the new type. */
bool retype_pending(const struct model *m, const struct retype *r);

/* Every tensor of type `from` that a node computes or reads becomes `to`, weights too (as recipes);
 * where an operator's signature does not take it, casts stand around that slot. Unknown operators
 * and calls of functions keep what they had. Types of what it made are set; returns the number of
 * nodes that were changed or made. Linear in nodes and uses. */
int64_t model_retype(struct model *m, const struct retype *r);
#endif
