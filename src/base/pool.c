/* One job at a time; its indices are handed out in rising order from one counter. Since every index
 * below a handed-out one was handed out before it, the smallest failing index is found whatever the
 * timing.
 */
#include "base/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/mem.h"

struct job {
    pool_fn *fn;
    void *user;
    size_t count;
    atomic_size_t next;
    pthread_mutex_t lock;
    size_t failed; /* smallest failing index; SIZE_MAX: none */
    int code;
};

struct pool {
    pthread_mutex_t lock, one_job;
    pthread_cond_t work, idle;
    struct job *job;
    uint64_t serial; /* of the current job */
    int threads, busy;
    bool stop;
    struct worker {
        struct pool *pool;
        pthread_t thread;
        int index;
        bool started;
    } workers[];
};

static _Thread_local int inside = -1; /* worker number while a piece runs on this thread */

int pool_threads(const struct pool *p) { return p ? p->threads : 1; }

static void note_failure(struct job *job, size_t index, int code)
{
    pthread_mutex_lock(&job->lock);
    if (index < job->failed) {
        job->failed = index;
        job->code = code;
    }
    pthread_mutex_unlock(&job->lock);
    atomic_store(&job->next, job->count); /* nothing further is begun */
}

static void take_pieces(struct job *job, int worker)
{
    inside = worker;
    for (;;) {
        size_t index = atomic_load(&job->next);
        while (index < job->count && !atomic_compare_exchange_weak(&job->next, &index, index + 1))
            ;
        if (index >= job->count)
            break;
        int code = job->fn(job->user, index, worker);
        if (code)
            note_failure(job, index, code);
    }
    inside = -1;
}

static void *work(void *argument)
{
    struct worker *self = argument;
    struct pool *p = self->pool;
    uint64_t seen = 0;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->stop && (p->serial == seen || !p->job))
            pthread_cond_wait(&p->work, &p->lock);
        if (p->stop)
            break;
        seen = p->serial;
        struct job *job = p->job;
        p->busy++;
        pthread_mutex_unlock(&p->lock);
        take_pieces(job, self->index);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_broadcast(&p->idle);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Signals meant for the process go to the thread that started it; those an instruction raises stay
 * where they arise. */
static void start_worker(struct pool *p, int index)
{
    sigset_t all, old;
    sigfillset(&all);
    const int raised[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof raised / sizeof *raised; i++)
        sigdelset(&all, raised[i]);
    struct worker *w = &p->workers[index];
    *w = (struct worker){.pool = p, .index = index};
    pthread_sigmask(SIG_SETMASK, &all, &old);
    w->started = pthread_create(&w->thread, NULL, work, w) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct pool *pool_new(int threads)
{
    threads = threads < 1 ? 1 : threads;
    struct pool *p = mem_alloc(sizeof *p + (size_t)threads * sizeof *p->workers);
    pthread_mutex_init(&p->lock, NULL);
    pthread_mutex_init(&p->one_job, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->idle, NULL);
    p->threads = threads;
    for (int i = 1; i < threads; i++)
        start_worker(
            p, i); /* one that cannot be started is missed by nobody: others take its pieces */
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i < p->threads; i++)
        if (p->workers[i].started)
            pthread_join(p->workers[i].thread, NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->one_job);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->idle);
    mem_free(p);
}

static int run_inline(size_t count, pool_fn *fn, void *user, int worker)
{
    for (size_t i = 0; i < count; i++) {
        int code = fn(user, i, worker);
        if (code)
            return code;
    }
    return 0;
}

static void run_shared(struct pool *p, struct job *job)
{
    pthread_mutex_lock(&p->one_job);
    pthread_mutex_lock(&p->lock);
    p->job = job;
    p->serial++;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    take_pieces(job, 0);
    pthread_mutex_lock(&p->lock);
    p->job = NULL; /* a worker that wakes up late finds nothing */
    while (p->busy)
        pthread_cond_wait(&p->idle, &p->lock);
    pthread_mutex_unlock(&p->lock);
    pthread_mutex_unlock(&p->one_job);
}

int pool_run(struct pool *p, size_t count, pool_fn *fn, void *user)
{
    if (inside >= 0)
        return run_inline(count, fn, user, inside);
    if (!p || p->threads == 1 || count < 2)
        return run_inline(count, fn, user, 0);
    struct job job = {.fn = fn, .user = user, .count = count, .failed = SIZE_MAX};
    pthread_mutex_init(&job.lock, NULL);
    run_shared(p, &job);
    pthread_mutex_destroy(&job.lock);
    return job.code;
}
