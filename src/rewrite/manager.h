/* Inside of src/rewrite only: how a plan runs. */
#ifndef REWRITE_MANAGER_H
#define REWRITE_MANAGER_H
#include "passes/pass.h"

/* Nodes that were changed, in the order of the changes. Every pass reads the list from where it
 * stopped; an entry that a later one repeats is skipped. */
struct worklist {
    struct edit_watch watch; /* first: the watch is the worklist */
    struct model *m;
    VEC(uint32_t) events; /* node ids */
    VEC(uint32_t) last;   /* by node id: 1 + place of its latest entry; 0: none */
    size_t consumed;      /* entries before this one may have been read by some pass */
};
void worklist_start(struct worklist *w, struct model *m);
void worklist_stop(struct worklist *w);
void worklist_add_all(struct worklist *w); /* every live node, in list order */

/* The nodes to look at after n changed: n and its readers, nearest first. */
enum { NEAR_MAX = 64 };
uint32_t nodes_near(struct node *n, struct node *out[NEAR_MAX]);

struct manager {
    struct model *m;
    const struct pass_plan *plan;
    struct pass_log *log;
    struct worklist work;
    struct arena *arena; /* states of the passes */
    bool stale_types, stale_order;
    int sweep; /* how often all nodes were shown */
    size_t limit; /* more entries than this: the passes work against each other */
};

struct pass_run {
    const struct pass *pass;
    struct manager *manager;
    struct pass_result result;
    VEC(uint32_t) refused_nodes; /* beside result.refusals */
    struct map refused;          /* node id -> 1 + place in result.refusals */
    size_t position;             /* in work.events */
    void *state;
};

void pass_run_init(struct pass_run *r, const struct pass *p, struct manager *g);
void pass_run_finish(struct pass_run *r); /* moves the result to the log */
#endif
