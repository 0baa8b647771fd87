/* Putting the body of a function or a branch in the place of the node that holds it. */
#ifndef REWRITE_SPLICE_H
#define REWRITE_SPLICE_H
#include "rewrite/rewrite.h"

/* Copies of body's nodes and initializers go before `at`; at's outputs become the results, and at
 * is removed. inputs: what body's inputs are, in order; NULL entries: left out. call: the call of a
 * function, whose attributes replace references, and whose body's types are forgotten; NULL for a
 * branch, whose values keep their names where those are unique. */
void splice_body(struct graph *body, struct node *at, struct value *const *inputs,
                 const struct node *call);
#endif
