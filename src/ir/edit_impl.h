/* Use lists, for the files edit*.c. */
#ifndef IR_EDIT_IMPL_H
#define IR_EDIT_IMPL_H
#include "ir/edit.h"

void edit_tell(struct node *n);           /* the watch of a rewrite, that n changed */
void edit_tell_lost_use(struct value *v); /* and that v lost a reader; NULL is allowed */
void edit_link_use(struct use *u, struct value *v);
void edit_unlink_use(struct use *u);
void edit_set_use(struct use *u, struct value *v); /* with everything that must be told */
#endif
