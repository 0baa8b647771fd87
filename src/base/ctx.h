/* What every stage of one command shares: where to report, which limits hold, who may stop it. */
#ifndef BASE_CTX_H
#define BASE_CTX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct progress;
struct pool;

enum external_mode { EXTERNAL_HUB, EXTERNAL_STRICT };

struct ctx {
    struct diag *diag;
    struct progress *progress; /* NULL: silent */
    struct pool *pool;         /* NULL: everything on the calling thread */
    int threads;               /* >= 1 */
    int verbosity;             /* -1 quiet, 0 normal, 1 -v, 2 -vv */
    int64_t max_nodes;         /* all graphs and functions together; 0: no limit */
    double deadline;           /* CLOCK_MONOTONIC seconds; 0: none */
    bool allow_nonfinite;
    enum external_mode external;
    const char *const *external_roots; /* NULL-terminated, or NULL */
};

/* 0, or the reported code when the deadline has passed or an interrupt came. Long loops call it. */
int ctx_check(const struct ctx *ctx);

/* The process-wide interrupt flag. Setting it is safe in a signal handler; ctx_check reports it
 * from then on. */
void ctx_interrupt(void);
bool ctx_interrupted(void);
void ctx_interrupt_clear(void);

double ctx_now(void); /* CLOCK_MONOTONIC in seconds, what deadline is measured against */
#endif
