/* Where shape inference ends: the first values whose shape nobody knows, and why. */
#ifndef REPORT_SHAPE_ENDS_H
#define REPORT_SHAPE_ENDS_H
#include "base/json_write.h"
#include "base/vec.h"
#include "ir/ir.h"

struct shape_end {
    const struct value *value;
    const struct node *node; /* what makes it; NULL: an input */
    const char *why;
};

struct shape_ends {
    int64_t values,
        known;         /* of the main graph and its subgraphs; known: constants or expressions */
    int64_t conflicts; /* declared types that the inferred ones contradict */
    VEC(struct shape_end) list; /* in the order of the nodes */
};

/* After model_infer, whose report gives the conflicts. The arena keeps the texts. */
void shape_ends_collect(const struct model *m, int64_t conflicts, struct arena *a,
                        struct shape_ends *s);
void shape_ends_release(struct shape_ends *s);

/* {"values", "known", "conflicts", "ends": [{"value", "node", "op", "why"}]} */
void shape_ends_json(const struct shape_ends *s, struct json_writer *w);
#endif
