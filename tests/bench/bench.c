/* The float executor against ONNX Runtime, in one process, in turn.
 *
 *   bench time MODEL SAMPLES      ours and the peer's: microseconds of one sample with 2 threads,
 *                                 and of 64 samples
 *   bench ours|peer MODEL SAMPLES a single run with 2 threads, for measuring this process's memory
 *   bench flops MODEL SAMPLES PEAK   share of PEAK multiply-adds a second that Conv and matrix
 *                                 products reach
 *   bench peak                    the machine's peak with 2 threads
 *
 * A row of `time` is "ours peer ours64 peer64 cpu64 peer-cpu64" in microseconds; cpu64: processor time of all
 * threads for 64 samples with one thread each, which other load on the machine disturbs least. Both sides are run in bursts, one
 * after the other with a rest between them (the peer's threads spin for a while after a run), and
 * the least time counts. 64 samples: ours one per thread; the peer's are the better of one caller with
 * 2 threads inside the operators and 2 callers with one thread each.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/pool.h"
#include "data/samples.h"
#include "exec/exec.h"
#include "onnx/load.h"
#include "ops/op.h"
#include "peak.h"
#include "peer.h"

enum { THREADS = 2, MANY = 64, BURSTS = 16, BURSTS_MANY = 5 };
static const double BURST = 0.03, REST = 0.005, PATIENCE = 6; /* seconds */

struct bench {
    struct ctx ctx;
    struct arena *arena;
    struct model *m;
    const char *path;
    const struct tensor **in, **out;
    struct exec *exec;
    struct peer *peer;
    struct peer_session *wide, *narrow;
};

static int fail(const struct bench *b, const char *what)
{
    size_t n = diag_count(b->ctx.diag);
    fprintf(stderr, "bench: %s: %s\n", what, n ? diag_at(b->ctx.diag, n - 1)->message : "");
    return 1;
}

/* ---- opening ---- */

static bool open_model(struct bench *b, const char *path, const char *data)
{
    struct samples *samples = NULL;
    b->ctx.diag = diag_new(NULL, NULL);
    b->ctx.threads = THREADS;
    b->ctx.allow_nonfinite = true;
    b->ctx.pool = pool_new(THREADS);
    b->arena = arena_new();
    b->path = path;
    b->m = model_load(&b->ctx, path);
    struct samples_options o = {.paths = &data, .n_paths = 1, .limit = 1};
    if (!b->m || model_infer(b->m, NULL, NULL) || samples_open(&samples, b->m, &o, &b->ctx))
        return false;
    bool ok = samples_get(samples, 0, b->arena, &b->in) == 0;
    samples_close(samples);
    return ok;
}

static bool open_ours(struct bench *b, bool profile)
{
    b->exec = exec_new(b->m, &(struct exec_options){.engine = ENGINE_ONEDNN, .profile = profile});
    b->out = b->exec ? arena_array(b->arena, exec_outputs(b->exec) + 1, sizeof *b->out) : NULL;
    return b->exec != NULL;
}

static bool open_peer(struct bench *b, const char **why)
{
    b->peer = peer_open(why);
    if (!b->peer)
        return false;
    b->wide = peer_session_open(b->peer, b->path, b->m->graph, b->in, THREADS);
    *why = peer_error(b->peer);
    return b->wide != NULL;
}

static void close_all(struct bench *b)
{
    exec_free(b->exec);
    peer_session_close(b->wide);
    peer_session_close(b->narrow);
    peer_close(b->peer);
    pool_free(b->ctx.pool);
    model_free(b->m);
    arena_free(b->arena);
    diag_free(b->ctx.diag);
}

/* ---- one sample ---- */

static bool run_ours(struct bench *b) { return exec_run(b->exec, b->in, b->out) == 0; }

static bool run_peer(struct bench *b) { return peer_run(b->wide); }

typedef bool run_fn(struct bench *b);

/* Runs for a burst's time, at least once; *least becomes the smallest time of one run. */
static bool burst(struct bench *b, run_fn *run, double *least)
{
    nanosleep(&(struct timespec){0, (long)(REST * 1e9)}, NULL);
    double begin = ctx_now(), now = begin;
    for (int i = 0; i < 2 || now - begin < BURST; i++) {
        double start = ctx_now();
        if (!run(b))
            return false;
        now = ctx_now();
        if (now - start < *least)
            *least = now - start;
    }
    return true;
}

/* ---- 64 samples ---- */

static int fetch(void *user, int64_t sample, int worker, const struct tensor **in)
{
    const struct bench *b = user;
    (void)sample, (void)worker;
    memcpy(in, b->in, exec_inputs(b->exec) * sizeof *in);
    return 0;
}

static bool many_ours(struct bench *b)
{
    return exec_run_many(b->exec, &(struct exec_job){MANY, fetch, NULL, b}) == 0;
}

static bool many_wide(struct bench *b)
{
    for (int i = 0; i < MANY; i++)
        if (!peer_run(b->wide))
            return false;
    return true;
}

static void *half(void *user)
{
    const struct bench *b = user;
    for (int i = 0; i < MANY / THREADS; i++)
        if (!peer_run(b->narrow))
            return NULL;
    return user;
}

static bool many_narrow(struct bench *b)
{
    pthread_t other;
    void *result = NULL;
    if (pthread_create(&other, NULL, half, b))
        return false;
    bool ok = half(b) != NULL;
    pthread_join(other, &result);
    return ok && result;
}

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* cpu: NULL or the least processor time. */
static bool once(struct bench *b, run_fn *run, double *least, double *cpu)
{
    nanosleep(&(struct timespec){0, (long)(REST * 1e9)}, NULL);
    double start = ctx_now(), cpu_start = cpu_now();
    bool ok = run(b);
    double spent = ctx_now() - start, used = cpu_now() - cpu_start;
    *least = spent < *least ? spent : *least;
    if (cpu && used < *cpu)
        *cpu = used;
    return ok;
}

/* ---- the commands ---- */

static int cmd_time(struct bench *b)
{
    const char *why = "";
    double ours = 1e9, peer = 1e9, ours_many = 1e9, peer_many = 1e9, cpu = 1e9, peer_cpu = 1e9;
    if (!open_ours(b, false) || !run_ours(b))
        return fail(b, "ours");
    if (!open_peer(b, &why) ||
        !(b->narrow = peer_session_open(b->peer, b->path, b->m->graph, b->in, 1)))
        return fail(b, why);
    bool ok = run_peer(b) && peer_run(b->narrow);
    double start = ctx_now();
    for (int i = 0; ok && i < BURSTS && (i < 3 || ctx_now() - start < PATIENCE); i++)
        ok = burst(b, run_ours, &ours) && burst(b, run_peer, &peer);
    start = ctx_now();
    for (int i = 0; ok && i < BURSTS_MANY && (!i || ctx_now() - start < PATIENCE); i++)
        ok = once(b, many_ours, &ours_many, &cpu) && once(b, many_wide, &peer_many, NULL) &&
             once(b, many_narrow, &peer_many, &peer_cpu);
    if (!ok)
        return fail(b, peer_error(b->peer));
    printf("%.1f %.1f %.1f %.1f %.1f %.1f\n", 1e6 * ours, 1e6 * peer, 1e6 * ours_many,
           1e6 * peer_many, 1e6 * cpu, 1e6 * peer_cpu);
    return 0;
}

static int cmd_ours(struct bench *b)
{
    if (!open_ours(b, false) || !run_ours(b))
        return fail(b, "ours");
    struct exec_memory m = exec_memory(b->exec);
    printf("activations %.1f MB, prepared %.1f MB, heap %.1f MB at most\n",
           (double)m.activations / 1e6, (double)m.prepared / 1e6, (double)mem_peak() / 1e6);
    return 0;
}

static int cmd_peer(struct bench *b)
{
    const char *why = "";
    return open_peer(b, &why) && run_peer(b) ? 0 : fail(b, why);
}

/* Values' types with the sample's dims: what macs() counts from. */
static bool bind_dims(struct bench *b)
{
    for (size_t i = 0; i < b->m->graph->inputs.count; i++) {
        struct value *v = b->m->graph->inputs.data[i];
        if (!b->in[i] || v->type.rank != b->in[i]->rank)
            continue;
        dim_t *dims = arena_array(b->m->arena, (size_t)v->type.rank + 1, sizeof *dims);
        for (int k = 0; k < v->type.rank; k++)
            dims[k] = dim_const(b->m->dims, b->in[i]->dims[k]);
        v->type.dims = dims;
    }
    return model_infer(b->m, NULL, NULL) == 0;
}

static int cmd_flops(struct bench *b, double peak)
{
    enum { RUNS = 30 };
    bool ok = bind_dims(b) && open_ours(b, true);
    for (int i = 0; ok && i < RUNS; i++)
        ok = run_ours(b);
    if (!ok)
        return fail(b, "ours");
    size_t n = exec_profile(b->exec, NULL, 0);
    struct exec_time *times = arena_array(b->arena, n + 1, sizeof *times);
    exec_profile(b->exec, times, n);
    double macs[2] = {0}, seconds[2] = {0};
    for (size_t i = 0; i < n; i++) {
        int64_t count = 0;
        const struct node *node = times[i].node;
        bool conv = node && node_is(node, "Conv");
        bool product = node && (node_is(node, "MatMul") || node_is(node, "Gemm"));
        if ((!conv && !product) || !node->op->macs || node->op->macs(node, &count))
            continue;
        macs[product] += (double)count;
        seconds[product] += times[i].fastest;
    }
    for (int i = 0; i < 2; i++)
        printf("%.0f %.1f %.4f%c", macs[i], 1e6 * seconds[i],
               seconds[i] > 0 ? macs[i] / seconds[i] / peak : 0, i ? '\n' : ' ');
    return 0;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "peak") == 0)
        return printf("%.0f\n", peak_macs(THREADS)) < 0;
    if (argc < 4) {
        fprintf(stderr, "usage: bench time|ours|peer|flops|peak [MODEL SAMPLES [PEAK]]\n");
        return 64;
    }
    struct bench b = {0};
    int code = 1;
    if (!open_model(&b, argv[2], argv[3]))
        code = fail(&b, argv[2]);
    else if (strcmp(command, "time") == 0)
        code = cmd_time(&b);
    else if (strcmp(command, "ours") == 0)
        code = cmd_ours(&b);
    else if (strcmp(command, "peer") == 0)
        code = cmd_peer(&b);
    else if (strcmp(command, "flops") == 0 && argc > 4)
        code = cmd_flops(&b, strtod(argv[4], NULL));
    close_all(&b);
    return code;
}
