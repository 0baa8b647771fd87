/* Inside of src/rewrite only: how a plan runs. */
#ifndef REWRITE_MANAGER_H
#define REWRITE_MANAGER_H
#include "base/bitset.h"
#include "passes/pass.h"

/* The nodes to look at, in the order in which changes call for it. Edits tell of nodes they touch
 * (events); before a pass goes on, these and the nodes near them join the list. Every pass reads the
 * list from where it stopped; an entry that a later one repeats is skipped. */
struct look {
    uint32_t node;     /* id */
    uint32_t operator; /* 1 + its place in ops.def when it joined; 0: no known one */
};
struct worklist {
    struct edit_watch watch; /* first: the watch is the worklist */
    struct model *m;
    VEC(struct look) list;
    VEC(uint32_t) last;   /* by node id: 1 + place of its latest entry; 0: none */
    VEC(uint32_t) events; /* changed nodes that have not joined yet */
    VEC(bool) changed;    /* by node id: it stands among the events */
    size_t consumed;      /* entries before this one may have been read by some pass */
};
void worklist_start(struct worklist *w, struct model *m);
void worklist_stop(struct worklist *w);
void worklist_add_all(struct worklist *w); /* every live node, in list order */
/* The events and what is near them join the list; its length. */
size_t worklist_join(struct worklist *w);

struct manager {
    struct model *m;
    const struct pass_plan *plan;
    struct pass_log *log;
    struct worklist work;
    struct arena *arena; /* states of the passes */
    bool stale_types, stale_order;
    int sweep;    /* how often all nodes were shown */
    size_t limit; /* more entries than this: the passes work against each other */
};

struct pass_run {
    const struct pass *pass;
    struct manager *manager;
    struct pass_result result;
    VEC(uint32_t) refused_nodes; /* beside result.refusals */
    struct map refused;          /* node id -> 1 + place in result.refusals */
    size_t position;             /* in work.list */
    struct bitset ignored;       /* operators that it never looks at, by struct look's number */
    void *state;
};

void pass_run_init(struct pass_run *r, const struct pass *p, struct manager *g);
void pass_run_finish(struct pass_run *r); /* moves the result to the log */
#endif
