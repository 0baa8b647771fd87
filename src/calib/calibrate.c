/* See calibrate.h. Samples run in parallel, one per thread; each thread measures a value by itself
 * and then adds the counts under the tensor's lock. Sums of integers and extremes do not depend on
 * the order, so the statistics are the same for any number of threads.
 * Only whole samples count: a thread collects a sample's counts aside and adds them when the sample
 * is done, so that an interrupted run can be resumed. */
#include "calib/calibrate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/progress.h"

/* What one thread needs for the sample it is at. */
struct worker {
    struct arena *arena;       /* of the sample's inputs */
    struct tensor_stats *seen; /* per observed value, cleared for each sample */
    struct arena *held;        /* what stays from sample to sample */
    struct observe_bins *bins;
    double *sum; /* owned, n_sum of them */
    int64_t n_sum;
    struct hash128 digest;
};

struct run {
    const struct calibrate_options *o;
    const struct sample_source *samples;
    uint32_t n_inputs;
    struct stats *stats;
    struct progress *progress;
    const struct value **values; /* observed, by name as in stats */
    bool *plain;                 /* those without a histogram */
    int *axes;                   /* of their channels, or -1 */
    double saved;                /* when the last checkpoint was */
    size_t *position;            /* of run index in samples */
    uint32_t *slot_of;           /* value id -> observed index + 1 */
    uint32_t n_ids;
    struct worker *workers;
    int n_workers;
    pthread_mutex_t lock;
};

static struct hash128 digest_of(const struct tensor *const *in, uint32_t n)
{
    struct hasher *h = hasher_new();
    for (uint32_t i = 0; i < n; i++) {
        int64_t head[2] = {in[i] ? (int64_t)in[i]->dtype : -1, in[i] ? in[i]->rank : 0};
        hasher_add(h, head, sizeof head);
        if (!in[i])
            continue;
        hasher_add(h, in[i]->dims, (size_t)in[i]->rank * sizeof *in[i]->dims);
        hasher_add(h, in[i]->data, in[i]->bytes);
    }
    return hasher_end(h);
}

static int fetch(void *user, int64_t index, int worker, const struct tensor **in)
{
    struct run *r = user;
    struct worker *w = &r->workers[worker];
    const struct tensor **tensors;
    uint32_t n = r->n_inputs;
    arena_reset(w->arena);
    for (size_t i = 0; i < r->o->n_values; i++)
        tensor_stats_clear(&w->seen[i]);
    int code = r->samples->get(r->samples->user, r->position[index], w->arena, &tensors);
    if (code)
        return code;
    memcpy(in, tensors, n * sizeof *in);
    w->digest = digest_of(in, n);
    return 0;
}

/* x[outer][channels][inner] */
struct layout {
    int64_t outer, channels, inner;
};

static struct layout layout_of(const struct tensor *t, int axis)
{
    struct layout l = {1, t->dims[axis], 1};
    for (int i = 0; i < axis; i++)
        l.outer *= t->dims[i];
    for (int i = axis + 1; i < t->rank; i++)
        l.inner *= t->dims[i];
    return l;
}

static void add_sums(struct worker *w, struct tensor_stats *seen, const struct tensor *t, int axis)
{
    if (axis >= t->rank || !t->count)
        return;
    struct layout l = layout_of(t, axis);
    if (l.channels > w->n_sum) {
        mem_free(w->sum);
        w->sum = mem_alloc((size_t)l.channels * sizeof *w->sum);
        w->n_sum = l.channels;
    }
    memset(w->sum, 0, (size_t)l.channels * sizeof *w->sum);
    observe_channels(w->sum, t->data, (size_t)l.outer, (size_t)l.channels, (size_t)l.inner);
    tensor_stats_add_sums(seen, w->sum, l.channels, (uint64_t)(l.outer * l.inner), w->held);
}

static void add_histogram(struct worker *w, struct tensor_stats *seen, const struct observed *o,
                          const struct tensor *t)
{
    float most = -o->low > o->high ? -o->low : o->high;
    int top = observe_octave(most);
    memset(w->bins, 0, sizeof *w->bins);
    observe_histogram(w->bins, top, t->data, (size_t)t->count);
    tensor_stats_add(seen, o, w->bins, top);
}

static int see(struct run *r, int worker, const struct value *v, const struct tensor *t,
               bool channels_last)
{
    struct worker *w = &r->workers[worker];
    uint32_t slot = v->id < r->n_ids ? r->slot_of[v->id] : 0;
    if (!slot || t->dtype != DT_FLOAT)
        return 0;
    struct observed o;
    struct tensor_stats *seen = &w->seen[slot - 1];
    int axis = r->axes[slot - 1];
    observe_range(&o, t->data, (size_t)t->count);
    if (!seen->histogram || !o.finite)
        tensor_stats_add(seen, &o, NULL, 0);
    else
        add_histogram(w, seen, &o, t);
    if (axis < 0 || o.finite != (uint64_t)t->count)
        return 0;
    /* axis 1 lies last there, and the last one before it */
    add_sums(w, seen, t, channels_last ? (axis == 1 ? t->rank - 1 : t->rank - 2) : axis);
    return 0;
}

static int tap(void *user, int64_t sample, int worker, const struct value *v,
               const struct tensor *t)
{
    (void)sample;
    return see(user, worker, v, t, false);
}

static int tap_channels_last(void *user, int64_t sample, int worker, const struct value *v,
                             const struct tensor *t)
{
    (void)sample;
    return see(user, worker, v, t, true);
}

static void add_sample(struct run *r, const struct worker *w, size_t position)
{
    struct stats *s = r->stats;
    struct sample_stats one = {.id = r->samples->id(r->samples->user, position),
                               .digest = w->digest};
    if (r->o->per_sample)
        one.ranges = arena_array(s->arena, r->o->n_values, 2 * sizeof *one.ranges);
    for (size_t i = 0; i < r->o->n_values; i++) {
        tensor_stats_merge(&s->tensors.data[i], &w->seen[i], s->arena);
        if (one.ranges)
            one.ranges[2 * i] = w->seen[i].low, one.ranges[2 * i + 1] = w->seen[i].high;
    }
    vec_push(&s->samples, one);
}

/* Whole samples only: called with the lock held. */
static int checkpoint(struct run *r)
{
    double now = ctx_now();
    if (!r->o->checkpoint || now - r->saved < r->o->checkpoint_seconds)
        return 0;
    r->saved = now;
    return r->o->checkpoint(r->o->user, r->stats);
}

static int done(void *user, int64_t index, int worker, const struct tensor *const *out)
{
    struct run *r = user;
    size_t position = r->position[index];
    int code = r->o->outputs ? r->o->outputs(r->o->user, position, out) : 0;
    if (code)
        return code;
    pthread_mutex_lock(&r->lock);
    add_sample(r, &r->workers[worker], position);
    code = checkpoint(r);
    pthread_mutex_unlock(&r->lock);
    progress_add(r->progress, 1);
    return code;
}

/* ---- setting up ---- */

static bool was_done(const struct stats *s, int64_t id)
{
    size_t low = 0, high = s ? s->samples.count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t here = s->samples.data[middle].id;
        if (here == id)
            return true;
        if (here < id)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* The samples of this shard that are not done: ids are dealt out in turn. */
static size_t choose_samples(struct run *r)
{
    const struct calibrate_options *o = r->o;
    size_t n = r->samples->count, chosen = 0;
    r->position = mem_alloc((n + 1) * sizeof *r->position);
    for (size_t k = 0; k < n; k++) {
        int64_t id = r->samples->id(r->samples->user, k);
        if (o->shards && id % o->shards != o->shard - 1)
            continue;
        if (!was_done(r->stats, id))
            r->position[chosen++] = k;
    }
    return chosen;
}

struct named {
    const struct value *value;
    bool plain;
    int axis;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->value->name, ((const struct named *)b)->value->name);
}

static void sort_values(struct run *r)
{
    const struct calibrate_options *o = r->o;
    struct arena *a = r->stats->arena;
    struct named *sorted = mem_alloc((o->n_values + 1) * sizeof *sorted);
    for (size_t i = 0; i < o->n_values; i++)
        sorted[i] =
            (struct named){o->values[i], o->plain && o->plain[i], o->axes ? o->axes[i] : -1};
    qsort(sorted, o->n_values, sizeof *sorted, by_name);
    r->values = arena_array(a, o->n_values, sizeof *r->values);
    r->plain = arena_array(a, o->n_values, sizeof *r->plain);
    r->axes = arena_array(a, o->n_values, sizeof *r->axes);
    for (size_t i = 0; i < o->n_values; i++) {
        r->values[i] = sorted[i].value;
        r->plain[i] = sorted[i].plain, r->axes[i] = sorted[i].axis;
    }
    mem_free(sorted);
}

/* Names are copied: statistics outlive the model. */
static void clear_tensors(struct tensor_stats *t, const struct run *r, struct arena *a)
{
    for (size_t i = 0; i < r->o->n_values; i++) {
        t[i].name = arena_string(a, r->values[i]->name);
        t[i].histogram =
            r->o->histograms && !r->plain[i] ? arena_alloc(a, sizeof *t[i].histogram) : NULL;
        t[i].sums = r->axes[i] >= 0 ? arena_alloc(a, sizeof *t[i].sums) : NULL;
        tensor_stats_clear(&t[i]);
    }
}

static void make_tensors(struct run *r)
{
    struct stats *s = r->stats;
    s->histograms = r->o->histograms, s->per_sample = r->o->per_sample;
    vec_reserve(&s->tensors, r->o->n_values);
    s->tensors.count = r->o->n_values;
    for (size_t i = 0; i < s->tensors.count; i++)
        s->tensors.data[i] = (struct tensor_stats){.name = NULL};
    clear_tensors(s->tensors.data, r, s->arena);
}

static bool same_tensors(const struct run *r)
{
    const struct stats *s = r->stats;
    bool same = s->tensors.count == r->o->n_values && s->histograms == r->o->histograms &&
                s->per_sample == r->o->per_sample;
    for (size_t i = 0; same && i < s->tensors.count; i++)
        same = strcmp(s->tensors.data[i].name, r->values[i]->name) == 0 &&
               (s->tensors.data[i].sums != NULL) == (r->axes[i] >= 0);
    return same;
}

static int set_up(struct run *r, struct model *m)
{
    const struct calibrate_options *o = r->o;
    sort_values(r);
    if (!r->stats->samples.count)
        make_tensors(r);
    else if (!same_tensors(r))
        return diag_report(m->ctx->diag, E_STATS_MISMATCH, NULL,
                           "the statistics so far are of other tensors or of another kind");
    r->n_inputs = (uint32_t)m->graph->inputs.count;
    r->n_ids = m->n_values;
    r->slot_of = mem_alloc(((size_t)m->n_values + 1) * sizeof *r->slot_of);
    for (size_t i = 0; i < o->n_values; i++)
        r->slot_of[r->values[i]->id] = (uint32_t)i + 1;
    r->n_workers = pool_threads(m->ctx->pool);
    r->workers = mem_alloc((size_t)r->n_workers * sizeof *r->workers);
    for (int i = 0; i < r->n_workers; i++) {
        struct worker *w = &r->workers[i];
        w->arena = arena_new(), w->held = arena_new();
        w->seen = arena_array(w->held, o->n_values, sizeof *w->seen);
        w->bins = o->histograms ? mem_alloc(sizeof *w->bins) : NULL;
        clear_tensors(w->seen, r, w->held);
    }
    return 0;
}

static void tear_down(struct run *r)
{
    for (int i = 0; r->workers && i < r->n_workers; i++) {
        arena_free(r->workers[i].arena);
        arena_free(r->workers[i].held);
        mem_free(r->workers[i].bins);
        mem_free(r->workers[i].sum);
    }
    mem_free(r->workers);
    mem_free(r->slot_of);
    mem_free(r->position);
    pthread_mutex_destroy(&r->lock);
}

static int run_samples(struct run *r, struct model *m, size_t count)
{
    struct exec *x = exec_new(m, &(struct exec_options){
                                     .engine = r->o->engine,
                                     .taps = r->values,
                                     .n_taps = r->o->n_values,
                                     .tap = tap,
                                     .tap_user = r,
                                     .tap_any_order = true,
                                     .tap_channels_last = tap_channels_last,
                                 });
    if (!x)
        return -E_INTERNAL; /* reported; any code says so */
    progress_begin(r->progress, "calibrating", count);
    int code = exec_run_many(x, &(struct exec_job){(int64_t)count, fetch, done, r});
    progress_end(r->progress);
    exec_free(x);
    return code;
}

int calibrate_run(struct stats *s, struct model *m, const struct sample_source *samples,
                  const struct calibrate_options *o)
{
    struct run r = {
        .o = o, .samples = samples, .stats = s, .progress = m->ctx->progress, .saved = ctx_now()};
    pthread_mutex_init(&r.lock, NULL);
    int code = set_up(&r, m);
    size_t count = code ? 0 : choose_samples(&r);
    if (!code && count)
        code = run_samples(&r, m, count);
    tear_down(&r);
    stats_sort(s);
    return code;
}

const char *calibrate_isa(enum engine engine)
{
    if (engine == ENGINE_REFERENCE)
        return "reference";
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512vl"))
        return __builtin_cpu_supports("avx512vnni") ? "x86-64 avx512vnni" : "x86-64 avx512";
    return __builtin_cpu_supports("avx2") ? "x86-64 avx2" : "x86-64";
#elif defined(__aarch64__)
    return "aarch64";
#else
    return "other";
#endif
}
