/* Sessions and workers: who runs what, where.
 *
 * A session is compiled under the lock, then read only. Each worker keeps one frame per session it
 * has used and one block of activation memory as large as its largest session needs. At most
 * n_workers + SPARE_SESSIONS sessions are kept; the one that was idle longest goes first.
 */
#include "exec/exec.h"

#include <string.h>

#include "base/mem.h"
#include "exec/plan.h"

enum {
    SPARE_SESSIONS = 3,
    BLOCK_MIN = 4096,  /* smaller blocks are not aligned to 64 bytes (base/mem.h) */
    DIMS_RENEW = 4096, /* dynamic steps after which a worker's symbols are forgotten */
};

/* ---- sessions ---- */

static void session_free(struct session *s)
{
    if (!s)
        return;
    plan_free(s->plan);
    dim_table_free(s->dims);
    arena_free(s->arena);
    mem_free(s);
}

static int check_input(struct exec *x, const struct value *v, const struct tensor *t)
{
    const struct where where = {.tensor = v->name};
    const struct type *want = &v->type;
    if (!t)
        return v->constant ? 0
                           : diag_report(x->ctx->diag, E_RUN_INPUT, &where,
                                         "the model's input '%s' is not given", v->name);
    if (want->kind != TYPE_TENSOR || t->dtype == DT_UNDEFINED)
        return 0;
    if (want->dtype != DT_UNDEFINED && want->dtype != t->dtype)
        return diag_report(x->ctx->diag, E_RUN_INPUT, &where, "input '%s' is %s, expected %s",
                           v->name, dtype_name(t->dtype), dtype_name(want->dtype));
    if (want->rank >= 0 && want->rank != t->rank)
        return diag_report(x->ctx->diag, E_RUN_INPUT, &where, "input '%s' has rank %d, expected %d",
                           v->name, t->rank, want->rank);
    for (int i = 0; i < want->rank; i++) {
        int64_t size; /* a declared 0 or -1 is a symbol in disguise */
        if (dim_is_const(want->dims[i], &size) && size > 0 && size != t->dims[i])
            return diag_report(x->ctx->diag, E_RUN_INPUT, &where,
                               "input '%s' has %lld along axis %d, expected %lld", v->name,
                               (long long)t->dims[i], i, (long long)size);
    }
    return 0;
}

static bool session_fits(const struct session *s, const struct tensor *const *in)
{
    for (size_t i = 0; i < s->n_inputs; i++) {
        const struct type *t = &s->inputs[i];
        if (!in[i] || t->kind == TYPE_NONE) {
            if (in[i] || t->kind != TYPE_NONE)
                return false;
            continue;
        }
        if (in[i]->dtype == DT_UNDEFINED && t->kind != TYPE_TENSOR)
            continue; /* every sequence fits an input of unknown shape */
        if (t->kind != TYPE_TENSOR || t->dtype != in[i]->dtype || t->rank != in[i]->rank)
            return false;
        for (int k = 0; k < t->rank; k++)
            if (!dim_equals(t->dims[k], in[i]->dims[k]))
                return false;
    }
    return true;
}

static int compile(struct session *s)
{
    struct exec *x = s->exec;
    struct builder b = {.session = s, .ctx = x->ctx};
    b.wanted = bitset_new(x->model->n_values);
    if (x->tapped.words)
        memcpy(b.wanted.words, x->tapped.words, (x->tapped.bits / 64 + 1) * sizeof(uint64_t));
    build_wanted(&b, x->model->graph);
    s->plan = plan_build(&b, x->model->graph, s->inputs, NULL);
    int code = s->plan ? plan_finish(&b, s->plan) : -E_NO_EVAL;
    bitset_release(&b.wanted);
    return code;
}

static struct session *session_new(struct exec *x, const struct tensor *const *in)
{
    const struct graph *g = x->model->graph;
    struct session *s = mem_alloc(sizeof *s);
    s->exec = x;
    s->arena = arena_new();
    s->dims = dim_table_new();
    s->n_inputs = g->inputs.count;
    s->inputs = arena_array(s->arena, s->n_inputs + 1, sizeof *s->inputs);
    s->id = x->next_id++;
    for (size_t i = 0; i < s->n_inputs; i++) {
        s->inputs[i] = (struct type){.kind = TYPE_NONE, .rank = -1};
        if (in[i])
            s->inputs[i] = type_from_tensor(s->arena, s->dims, in[i]);
    }
    if (compile(s) == 0)
        return s;
    session_free(s);
    return NULL;
}

/* ---- workers ---- */

static void drop_frames(struct worker *w, const struct session *s)
{
    for (size_t i = 0; i < w->frames.count; i++) {
        if (w->frames.data[i]->plan->session != s)
            continue;
        frame_free(w->frames.data[i]);
        w->frames.data[i] = vec_last(&w->frames);
        (void)vec_pop(&w->frames);
        return;
    }
}

static void evict_one(struct exec *x)
{
    size_t oldest = SIZE_MAX;
    for (size_t i = 0; i < x->sessions.count; i++)
        if (!x->sessions.data[i]->users &&
            (oldest == SIZE_MAX || x->sessions.data[i]->stamp < x->sessions.data[oldest]->stamp))
            oldest = i;
    if (oldest == SIZE_MAX)
        return;
    for (int w = 0; w < x->n_workers; w++)
        drop_frames(&x->workers[w], x->sessions.data[oldest]);
    session_free(x->sessions.data[oldest]);
    x->sessions.data[oldest] = vec_last(&x->sessions);
    (void)vec_pop(&x->sessions);
}

static struct session *find_session(struct exec *x, const struct tensor *const *in)
{
    for (size_t i = 0; i < x->sessions.count; i++)
        if (session_fits(x->sessions.data[i], in))
            return x->sessions.data[i];
    const struct graph *g = x->model->graph;
    for (size_t i = 0; i < g->inputs.count; i++)
        if (check_input(x, g->inputs.data[i], in[i]))
            return NULL;
    if (x->sessions.count >= (size_t)x->n_workers + SPARE_SESSIONS)
        evict_one(x);
    struct session *s = session_new(x, in);
    if (s)
        vec_push(&x->sessions, s);
    return s;
}

static struct frame *find_frame(struct worker *w, struct session *s)
{
    for (size_t i = 0; i < w->frames.count; i++)
        if (w->frames.data[i]->plan == s->plan)
            return w->frames.data[i];
    struct frame *f = frame_new(s->plan, NULL, w);
    vec_push(&w->frames, f);
    return f;
}

/* The frame to run, its session counted; NULL after a report. */
static struct frame *acquire(struct worker *w, const struct tensor *const *in)
{
    struct exec *x = w->exec;
    pthread_mutex_lock(&x->lock);
    struct session *s = find_session(x, in);
    struct frame *f = s ? find_frame(w, s) : NULL;
    if (s) {
        s->users++;
        s->stamp = ++x->clock;
    }
    pthread_mutex_unlock(&x->lock);
    return f;
}

static void give_back(struct frame *f)
{
    struct exec *x = f->worker->exec;
    pthread_mutex_lock(&x->lock);
    f->plan->session->users--;
    pthread_mutex_unlock(&x->lock);
}

/* Grows the worker's block to the frame's need and points the frame into it. */
static int take_block(struct worker *w, struct frame *f)
{
    size_t want = f->plan->block_bytes;
    if (want > w->block_bytes || !w->block) {
        mem_free(w->block);
        w->block_bytes = want < BLOCK_MIN ? BLOCK_MIN : want;
        w->block = mem_try_alloc_raw(w->block_bytes);
    }
    if (!w->block) {
        w->block_bytes = 0;
        return diag_report(w->exec->ctx->diag, E_LIMIT_MEMORY, NULL,
                           "the activations take %zu bytes", want);
    }
    if (f->block != w->block)
        frame_bind(f, w->block);
    return 0;
}

static void renew_dims(struct worker *w)
{
    if (w->dims && w->dynamic_runs < DIMS_RENEW)
        return;
    dim_table_free(w->dims);
    w->dims = dim_table_new();
    w->dynamic_runs = 0;
}

static int worker_run(struct worker *w, int64_t sample, const struct tensor *const *in,
                      const struct tensor **out)
{
    struct frame *f = acquire(w, in);
    if (!f)
        return -E_RUN_INPUT;
    w->sample = sample;
    arena_reset(w->keep);
    renew_dims(w);
    int code = take_block(w, f);
    if (!code)
        code = frame_run(f, in, out);
    give_back(f);
    return code;
}

static void worker_init(struct worker *w, struct exec *x, int index)
{
    w->exec = x;
    w->index = index;
    w->keep = arena_new();
    w->shapes = arena_new();
}

static void worker_release(struct worker *w)
{
    for (size_t i = 0; i < w->frames.count; i++)
        frame_free(w->frames.data[i]);
    vec_free(&w->frames);
    mem_free(w->block);
    arena_free(w->keep);
    arena_free(w->shapes);
    dim_table_free(w->dims);
}

/* ---- the executor ---- */

static int set_taps(struct exec *x)
{
    const struct exec_options *o = &x->options;
    if (!o->n_taps)
        return 0;
    x->tapped = bitset_new(x->model->n_values);
    for (size_t i = 0; i < o->n_taps; i++) {
        if (!o->taps[i])
            return diag_report(x->ctx->diag, E_RUN_TAP, NULL, "tap %zu is no value", i);
        bitset_add(&x->tapped, o->taps[i]->id);
    }
    return 0;
}

struct exec *exec_new(struct model *m, const struct exec_options *options)
{
    struct exec *x = mem_alloc(sizeof *x);
    x->model = m;
    x->ctx = m->ctx;
    x->options = *options;
    pthread_mutex_init(&x->lock, NULL);
    x->n_workers = pool_threads(m->ctx->pool);
    x->workers = mem_alloc((size_t)x->n_workers * sizeof *x->workers);
    for (int i = 0; i < x->n_workers; i++)
        worker_init(&x->workers[i], x, i);
    ops_resolve(m);
    if (set_taps(x) == 0 && exec_check(x) == 0)
        return x;
    exec_free(x);
    return NULL;
}

void exec_free(struct exec *x)
{
    if (!x)
        return;
    for (int i = 0; i < x->n_workers; i++)
        worker_release(&x->workers[i]);
    for (size_t i = 0; i < x->sessions.count; i++)
        session_free(x->sessions.data[i]);
    vec_free(&x->sessions);
    mem_free(x->workers);
    bitset_release(&x->tapped);
    pthread_mutex_destroy(&x->lock);
    mem_free(x);
}

size_t exec_inputs(const struct exec *x) { return x->model->graph->inputs.count; }
size_t exec_outputs(const struct exec *x) { return x->model->graph->outputs.count; }

int exec_run(struct exec *x, const struct tensor *const *in, const struct tensor **out)
{
    x->workers[0].pool = x->ctx->pool;
    int code = worker_run(&x->workers[0], 0, in, out);
    x->workers[0].pool = NULL;
    return code;
}

int exec_run_on(struct exec *x, int worker, int64_t sample, const struct tensor *const *in,
                const struct tensor **out)
{
    return worker_run(&x->workers[worker], sample, in, out);
}

/* ---- many samples ---- */

struct many {
    struct exec *x;
    const struct exec_job *job;
};

static int run_sample(struct exec *x, const struct exec_job *job, int64_t sample, int worker)
{
    struct worker *w = &x->workers[worker];
    const struct tensor **in = mem_alloc((exec_inputs(x) + 1) * sizeof *in);
    const struct tensor **out = mem_alloc((exec_outputs(x) + 1) * sizeof *out);
    int code = ctx_check(x->ctx);
    if (!code)
        code = job->fetch(job->user, sample, worker, in);
    if (!code)
        code = worker_run(w, sample, in, out);
    if (!code && job->done)
        code = job->done(job->user, sample, worker, out);
    mem_free(in);
    mem_free(out);
    return code == EXEC_SKIP ? 0 : code;
}

static int run_piece(void *user, size_t index, int worker)
{
    const struct many *m = user;
    return run_sample(m->x, m->job, (int64_t)index, worker);
}

/* A single left-over sample would keep one thread busy while the others wait: there the threads
 * work inside its operators. The results are the same. */
int exec_run_many(struct exec *x, const struct exec_job *job)
{
    struct many m = {x, job};
    int64_t together = job->samples;
    if (x->n_workers > 1 && job->samples % x->n_workers == 1)
        together--;
    int code = together ? pool_run(x->ctx->pool, (size_t)together, run_piece, &m) : 0;
    if (code || together == job->samples)
        return code;
    x->workers[0].pool = x->ctx->pool;
    code = run_sample(x, job, together, 0);
    x->workers[0].pool = NULL;
    return code;
}

struct exec_memory exec_memory(const struct exec *x)
{
    struct exec_memory m = {0};
    for (int i = 0; i < x->n_workers; i++)
        m.activations += x->workers[i].block_bytes;
    for (size_t i = 0; i < x->sessions.count; i++)
        m.prepared += x->sessions.data[i]->prepared_bytes;
    return m;
}
