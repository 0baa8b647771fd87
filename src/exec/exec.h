/* Running a model on floats: the executor.
 *
 *   struct exec *x = exec_new(model, &(struct exec_options){.engine = ENGINE_ONEDNN});
 *   exec_run(x, in, out)            one sample, the pool's threads inside the operators
 *   exec_run_many(x, &job)          many samples, one per thread, weights shared
 *   exec_free(x)
 *
 * For each set of input shapes a session is compiled once: every shape is worked out, nodes without
 * run-time inputs are evaluated, and all activations get a place in one block of memory. What
 * cannot be sized before it runs is sized and allocated while it runs. The graph is read, never
 * changed.
 *
 * Results do not depend on the number of threads. ENGINE_REFERENCE gives the same bits on every
 * machine, ENGINE_ONEDNN on every machine of the same instruction set.
 */
#ifndef EXEC_EXEC_H
#define EXEC_EXEC_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ir/ir.h"

enum engine { ENGINE_ONEDNN, ENGINE_REFERENCE };

struct exec;

/* Sees a value while the model runs. t is plain row-major data of this sample, forgotten after the
 * call. Different samples may come at the same time on different workers (0..threads-1); the values
 * of one sample come in an order that the graph alone decides. Not 0: the run ends with that code.
 */
typedef int exec_tap_fn(void *user, int64_t sample, int worker, const struct value *v,
                        const struct tensor *t);

struct exec_options {
    enum engine engine;
    const struct value *const *taps; /* values to observe; borrowed while exec_new runs */
    size_t n_taps;
    exec_tap_fn *tap;
    void *tap_user;
    /* The taps take t's elements in any order of axes: statistics do. */
    bool tap_any_order;
    /* With tap_any_order: takes those that lie with channels last (dims N, spatial ..., C) instead of
     * tap, for whom the axes matter. NULL: tap. */
    exec_tap_fn *tap_channels_last;
    /* A tap may overwrite t's data, and the model goes on with that. Constants and views of the
     * inputs are not shown then. */
    bool tap_writes;
    /* Looks at every node's outputs: E_RUN_NONFINITE, a warning with ctx->allow_nonfinite. */
    bool check_nonfinite;
    bool profile;
    /* One step per node: for profiles and tests. */
    bool no_fusion;
};

/* The model is borrowed and must not change while x lives. NULL after a report: an operator that
 * nothing here executes, an unknown tap. Uses model->ctx for limits, threads and reports. */
struct exec *exec_new(struct model *m, const struct exec_options *options);
void exec_free(struct exec *x); /* NULL is allowed */

size_t exec_inputs(const struct exec *x);
size_t exec_outputs(const struct exec *x);

/* One sample. in: one tensor per graph input, in order; NULL where the model holds a default. out:
 * one per graph output, valid until the next run. Returns 0 or a reported negative code. */
int exec_run(struct exec *x, const struct tensor *const *in, const struct tensor **out);

/* One sample on the calling thread alone, as that worker (0..threads-1, of which each is used by
 * one thread at a time); `sample` is passed to the taps. */
int exec_run_on(struct exec *x, int worker, int64_t sample, const struct tensor *const *in,
                const struct tensor **out);

/* What fetch gives for a sample that is to be left out. */
enum { EXEC_SKIP = 1 };

/* Many samples. fetch fills one tensor per graph input for a sample (alive until done returns);
 * done sees the outputs. Both are called from several threads at once for different samples, each
 * worker with one sample at a time. The code of the smallest failing sample is returned. */
struct exec_job {
    int64_t samples;
    int (*fetch)(void *user, int64_t sample, int worker, const struct tensor **in);
    int (*done)(void *user, int64_t sample, int worker, const struct tensor *const *out);
    void *user;
};
int exec_run_many(struct exec *x, const struct exec_job *job);

/* Time spent per node since exec_new, with options.profile: nodes that were fused are named
 * together with the one that ran for them. Order of execution. */
struct exec_time {
    const struct node *node; /* NULL: a change of layout */
    const char *op;          /* "Conv", "Conv+Relu", "reorder" */
    double seconds;          /* all calls together */
    double fastest;          /* one call */
    int64_t calls;
};
size_t exec_profile(struct exec *x, struct exec_time *times, size_t room); /* as snprintf */

/* What the sessions hold: bytes of activations (all workers) and of prepared weights. */
struct exec_memory {
    size_t activations, prepared;
};
struct exec_memory exec_memory(const struct exec *x);
#endif
