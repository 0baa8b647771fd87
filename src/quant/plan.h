/* Shared by the files of src/quant. */
#ifndef QUANT_PLAN_H
#define QUANT_PLAN_H
#include "quant/quant.h"

/* Grows the side tables to the model's size: after values or nodes were added. */
void plan_fit(struct quant_plan *p);

/* ---- groups (tie.c) ---- */
uint32_t group_find(struct quant_plan *p, uint32_t id);
void group_tie(struct quant_plan *p, const struct value *a, const struct value *b);

/* ---- rules (rules.c) ---- */

/* Marks the operands of n by its operator's rule: NULL, or why it stays float (nothing is marked
 * then). */
const char *rule_apply(struct quant_plan *p, struct node *n);
bool rule_is_float(const struct value *v); /* a float32 tensor */

/* ---- constants (constants.c) ---- */

/* Gives input i of n, a constant, a role: the value that stands there afterwards, which is the
 * constant itself or a copy shared by all users with the same needs. */
struct value *constant_mark(struct quant_plan *p, struct node *n, uint32_t i,
                            const struct quant_mark *want);
/* Originals that nobody reads any more hand their names to their first copies. */
void constants_settle(struct quant_plan *p);

/* ---- choosing (choose.c, weights.c) ---- */
const struct quant *quant_new(struct quant_plan *p,
                              const struct quant *q); /* deep copy, model arena */
int choose_weights(struct quant_plan *p, const char *method);
int choose_biases(struct quant_plan *p);
#endif
