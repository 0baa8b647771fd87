/* Models of IR versions below 4, where every initializer also stands among the graph's inputs. */
#ifndef REWRITE_OLD_IR_H
#define REWRITE_OLD_IR_H
#include "ir/edit.h"

struct old_ir {
    VEC(struct value *) inputs; /* of the main graph as they stood; empty: the model is newer */
    VEC(struct value *) loose; /* initializers that were no inputs: some exporters leave them out */
    size_t nested;             /* initializers of subgraphs */
};

/* Takes the initializers out of the inputs: the passes see them as in newer models. */
void old_ir_begin(struct old_ir *o, struct model *m);
/* Puts those that are left back where they stood, new ones behind. A subgraph cannot hold a
 * constant in that form: where one does now, the model becomes IR version 4 and a note says so. */
void old_ir_end(struct old_ir *o, struct model *m);
#endif
