/* Running and measuring: see cmd_compare.c. */
#include "cmd/compare.h"

#include <string.h>

#include "base/mem.h"

/* ---- pairs ---- */

static void add_pair(struct compare *c, size_t a, size_t b)
{
    const struct side_name *na = &c->a.names.data[a], *nb = &c->b.names.data[b];
    struct pair p = {.name = na->name, .a = a, .b = b, .output = na->output && nb->output};
    p.samples = arena_array(c->cmd->arena, c->n + 1, sizeof *p.samples);
    if (p.output && c->o->show > 0 && c->samples)
        p.answers = arena_array(c->cmd->arena, compare_shown(c), sizeof *p.answers);
    vec_push(&c->pairs, p);
    if (na->value)
        *map_slot_u64(&c->pair_of_a, na->value->id) = (void *)c->pairs.count;
    if (nb->value)
        *map_slot_u64(&c->pair_of_b, nb->value->id) = (void *)c->pairs.count;
}

static size_t count_outputs(const struct side *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->names.count; i++)
        n += s->names.data[i].output;
    return n;
}

/* By name; the outputs of two models that agree in number only, by position. */
int compare_pairs(struct compare *c)
{
    size_t outputs_a = count_outputs(&c->a), outputs_b = count_outputs(&c->b), at;
    for (size_t i = 0; i < c->a.names.count; i++) {
        const struct side_name *n = &c->a.names.data[i];
        if (side_find(&c->b, n->name, &at))
            add_pair(c, i, at);
        else if (n->output && !c->a.saved && !c->b.saved && outputs_a == outputs_b)
            add_pair(c, i, i);
        else if (n->output && !c->a.saved)
            return diag_report(c->cmd->ctx->diag, E_COMPARE_NAME,
                               &(struct where){.file = c->b.path},
                               "output '%s' of the first side has no counterpart", n->name);
    }
    for (size_t i = 0; i < c->pairs.count; i++)
        if (c->pairs.data[i].output)
            return 0;
    return diag_report(c->cmd->ctx->diag, E_COMPARE_NAME, NULL,
                       "'%s' and '%s' have no output in common", c->a.path, c->b.path);
}

/* ---- one sample ---- */

/* The piece of a saved array that a sample with this many elements stands for. */
static bool saved_piece(const struct compare *c, const struct tensor *all,
                        const struct tensor *like, size_t k, struct tensor *piece)
{
    *piece = *like;
    piece->dtype = all->dtype;
    if (all->count != like->count * (int64_t)c->n || !all->count)
        return false;
    piece->bytes = all->bytes / c->n;
    piece->data = (const char *)all->data + k * piece->bytes;
    return all->bytes % c->n == 0;
}

static int measure(struct compare *c, struct pair *p, size_t k, const struct tensor *a,
                   const struct tensor *b)
{
    struct metrics m = {0};
    if (a->dtype == DT_STRING || b->dtype == DT_STRING || a->dtype == DT_UNDEFINED ||
        b->dtype == DT_UNDEFINED)
        return 0;
    if (!metrics_add(&m, a, b))
        return p->output ? diag_report(c->cmd->ctx->diag, E_COMPARE_FORM,
                                       &(struct where){.tensor = p->name},
                                       "'%s' has different shapes on the two sides", p->name)
                         : 0;
    p->samples[k] = m;
    if (p->answers && k < compare_shown(c))
        answer_take(&p->answers[k], a, b);
    return 0;
}

static int measure_saved(struct compare *c, struct pair *p, size_t k, const struct tensor *saved,
                         const struct tensor *t, bool saved_is_a)
{
    struct tensor piece;
    if (!saved_piece(c, saved, t, k, &piece))
        return diag_report(c->cmd->ctx->diag, E_COMPARE_FORM, &(struct where){.tensor = p->name},
                           "'%s' has %lld elements saved, %zu samples of %lld were run", p->name,
                           (long long)saved->count, c->n, (long long)t->count);
    return saved_is_a ? measure(c, p, k, &piece, t) : measure(c, p, k, t, &piece);
}

static const struct tensor *keep_copy(struct kept *w, const struct tensor *t)
{
    if (t->dtype == DT_STRING || t->dtype == DT_UNDEFINED)
        return NULL;
    struct tensor *copy = tensor_new(w->sample, t->dtype, t->rank, t->dims);
    if (copy && t->bytes)
        memcpy(tensor_writable(copy), t->data, t->bytes);
    return copy;
}

/* A value of A: kept for B, or measured against saved results. */
static int saw_a(struct compare *c, size_t pair, int64_t k, int worker, const struct tensor *t)
{
    struct pair *p = &c->pairs.data[pair];
    if (c->b.saved)
        return measure_saved(c, p, (size_t)k, c->b.names.data[p->b].saved, t, false);
    c->kept[worker].a[pair] = keep_copy(&c->kept[worker], t);
    return 0;
}

static int saw_b(struct compare *c, size_t pair, int64_t k, int worker, const struct tensor *t)
{
    struct pair *p = &c->pairs.data[pair];
    if (c->a.saved)
        return measure_saved(c, p, (size_t)k, c->a.names.data[p->a].saved, t, true);
    const struct tensor *a = c->kept[worker].a[pair];
    return a ? measure(c, p, (size_t)k, a, t) : 0;
}

static int tap_a(void *user, int64_t k, int worker, const struct value *v, const struct tensor *t)
{
    struct compare *c = user;
    size_t pair = (size_t)map_get_u64(&c->pair_of_a, v->id);
    return pair && !value_is_output(v) ? saw_a(c, pair - 1, k, worker, t) : 0;
}

/* The teacher: B goes on with A's value. */
static void teach(struct compare *c, size_t pair, int worker, const struct tensor *t)
{
    union {
        const void *in;
        void *out;
    } to = {t->data};
    const struct tensor *a = c->kept[worker].a[pair];
    if (a && a->dtype == t->dtype && a->bytes == t->bytes && a->bytes)
        memcpy(to.out, a->data, a->bytes);
}

static int tap_b(void *user, int64_t k, int worker, const struct value *v, const struct tensor *t)
{
    struct compare *c = user;
    size_t pair = (size_t)map_get_u64(&c->pair_of_b, v->id);
    if (!pair || value_is_output(v))
        return 0;
    int code = saw_b(c, pair - 1, k, worker, t);
    if (!code && c->o->teacher)
        teach(c, pair - 1, worker, t);
    return code;
}

static int see_outputs(struct compare *c, const struct side *s, int64_t k, int worker,
                       const struct tensor *const *out)
{
    int code = 0;
    for (size_t i = 0; !code && i < s->m->graph->outputs.count; i++) {
        bool first = s == &c->a;
        const struct value *v = s->m->graph->outputs.data[i]->value;
        size_t pair = (size_t)map_get_u64(first ? &c->pair_of_a : &c->pair_of_b, v->id);
        if (pair)
            code = (first ? saw_a : saw_b)(c, pair - 1, k, worker, out[i]);
    }
    return code;
}

static int fetch_a(void *user, int64_t k, int worker, const struct tensor **in)
{
    struct compare *c = user;
    struct kept *w = &c->kept[worker];
    arena_reset(w->sample);
    memset(w->a, 0, (c->pairs.count + 1) * sizeof *w->a);
    int code = samples_get(c->samples, (size_t)k, w->sample, &w->in);
    if (code)
        return code == SAMPLE_SKIPPED ? EXEC_SKIP : code;
    memcpy(in, w->in, samples_n_inputs(c->samples) * sizeof *in);
    return 0;
}

/* Behind A's run of the same sample, on the same worker. */
static int then_b(struct compare *c, int64_t k, int worker)
{
    struct kept *w = &c->kept[worker];
    size_t n = exec_inputs(c->b.exec);
    const struct tensor **in = arena_array(w->sample, n + 1, sizeof *in);
    const struct tensor **out = arena_array(w->sample, exec_outputs(c->b.exec) + 1, sizeof *out);
    for (size_t i = 0; i < n; i++)
        in[i] = c->b_input[i] == UINT32_MAX ? NULL : w->in[c->b_input[i]];
    int code = exec_run_on(c->b.exec, worker, k, in, out);
    return code ? code : see_outputs(c, &c->b, k, worker, out);
}

static int done_a(void *user, int64_t k, int worker, const struct tensor *const *out)
{
    struct compare *c = user;
    int code = see_outputs(c, &c->a, k, worker, out);
    return code || c->b.saved ? code : then_b(c, k, worker);
}

static int done_b(void *user, int64_t k, int worker, const struct tensor *const *out)
{
    struct compare *c = user;
    return see_outputs(c, &c->b, k, worker, out);
}

/* ---- all samples ---- */

static int make_exec(struct compare *c, struct side *s, int engine, exec_tap_fn *tap)
{
    VEC(const struct value *) taps = {0};
    bool first = s == &c->a;
    for (size_t i = 0; i < c->pairs.count; i++) {
        const struct pair *p = &c->pairs.data[i];
        const struct value *v = s->names.data[first ? p->a : p->b].value;
        if (!value_is_output(v))
            vec_push(&taps, v);
    }
    struct exec_options o = {.engine = engine == 0 ? ENGINE_ONEDNN : ENGINE_REFERENCE,
                             .taps = taps.data,
                             .n_taps = taps.count,
                             .tap = tap,
                             .tap_user = c,
                             .tap_writes = c->o->teacher && !first};
    s->exec = exec_new(s->m, &o);
    vec_free(&taps);
    return s->exec ? 0 : -E_NO_EVAL;
}

static int match_inputs(struct compare *c)
{
    const struct graph *g = c->b.m->graph;
    c->b_input = arena_array(c->cmd->arena, g->inputs.count + 1, sizeof *c->b_input);
    for (size_t i = 0; i < g->inputs.count; i++) {
        c->b_input[i] = UINT32_MAX;
        for (uint32_t k = 0; k < samples_n_inputs(c->samples); k++)
            if (strcmp(samples_input(c->samples, k)->name, g->inputs.data[i]->name) == 0)
                c->b_input[i] = k;
        if (c->b_input[i] == UINT32_MAX && !g->inputs.data[i]->constant)
            return diag_report(
                c->cmd->ctx->diag, E_COMPARE_NAME, &(struct where){.file = c->b.path},
                "input '%s' is no input of the first model", g->inputs.data[i]->name);
    }
    return 0;
}

int compare_run(struct compare *c)
{
    int code = 0, threads = c->cmd->ctx->threads;
    const struct exec_job both = {(int64_t)c->n, fetch_a, c->a.saved ? done_b : done_a, c};
    c->kept = arena_array(c->cmd->arena, (size_t)threads + 1, sizeof *c->kept);
    for (int i = 0; i < threads; i++) {
        c->kept[i].sample = arena_new();
        c->kept[i].a = arena_array(c->cmd->arena, c->pairs.count + 1, sizeof *c->kept[i].a);
    }
    if (!c->a.saved)
        code = make_exec(c, &c->a, c->o->engine_a, tap_a);
    if (!code && !c->b.saved)
        code = make_exec(c, &c->b, c->o->engine_b, tap_b);
    if (!code && !c->a.saved && !c->b.saved)
        code = match_inputs(c);
    cmd_phase(c->cmd, "run");
    return code ? code : exec_run_many(c->a.saved ? c->b.exec : c->a.exec, &both);
}

int compare_saved(struct compare *c)
{
    int code = 0;
    for (size_t i = 0; !code && i < c->pairs.count; i++) {
        struct pair *p = &c->pairs.data[i];
        code = measure(c, p, 0, c->a.names.data[p->a].saved, c->b.names.data[p->b].saved);
    }
    return code;
}
