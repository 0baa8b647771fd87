/* Inside lowering: which axes order each slot's data has, and the list of steps that is being
 * written. */
#ifndef EXEC_LOWER_H
#define EXEC_LOWER_H
#include "exec/plan.h"

struct lower {
    struct builder *b;
    struct plan *p;
    struct arena *scratch;  /* one prepare's */
    VEC(struct step) steps; /* the new list */
    VEC(int) twin;          /* by slot: the same value with channels last, -1: none */
    VEC(bool) made;         /* by slot: its data exists at this point of the list */
};

enum lower_rule {
    RULE_PLAIN,     /* data in the model's order of axes */
    RULE_WINDOW,    /* Conv and pools: channels last, where a prepared form takes it */
    RULE_FOLLOW,    /* any order, as long as all operands agree */
    RULE_TRANSPOSE, /* may be no more than another name for a twin */
};
enum lower_rule lower_rule(const struct lower *l, const struct step *s);

/* For RULE_FOLLOW: the step's node with axis attributes and inputs rewritten for channels last; the
 * new inputs are in s->in. false: this step cannot (nothing was changed). */
bool lower_follow(struct lower *l, struct step *s);

bool lower_made(const struct lower *l, int slot);
int lower_twin(const struct lower *l, int slot);
void lower_set_twin(struct lower *l, int slot, int twin);
void lower_set_made(struct lower *l, int slot);
void lower_plain(struct lower *l, int slot); /* makes sure that the model's order exists */
int lower_last(struct lower *l, int slot);   /* makes sure that channels last exists; its slot */
/* A value made in channels-last order: its new slot, which slot's own data can be made from. */
int lower_output(struct lower *l, int slot);
struct type lower_type(struct lower *l, const struct type *t); /* dims with channels last */
bool lower_trivial(const struct type *t);                      /* both orders are the same bytes */

/* Calls op->fast->prepare for the step. 1: it runs; 0: no prepared form; < 0 reported. */
int lower_prepare(struct lower *l, struct step *s);
/* The step of a fused product that has no prepared form: eval, then the fused steps. */
int lower_unfused(struct lower *l, struct step *s);

step_fn reorder_run;
struct step reorder_step(struct lower *l, int from, int to, bool to_last);
extern const struct op_fast reorder_fast; /* releases its state */
#endif
