/* Deadline and interrupt. The flag is process-wide because a signal is; everything else belongs to
 * one command. */
#include "base/ctx.h"

#include <signal.h>
#include <time.h>

static volatile sig_atomic_t interrupted;

void ctx_interrupt(void) { interrupted = 1; }
bool ctx_interrupted(void) { return interrupted != 0; }
void ctx_interrupt_clear(void) { interrupted = 0; }

double ctx_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int ctx_check(const struct ctx *ctx)
{
    if (interrupted)
        return diag_report(ctx->diag, E_INTERRUPTED, NULL, "stopped by a signal");
    if (ctx->deadline > 0 && ctx_now() > ctx->deadline)
        return diag_report(ctx->diag, E_LIMIT_TIME, NULL, "the time given by --timeout is over");
    return 0;
}
