/* Adding and merging. Every operation here is commutative and associative on the final numbers. */
#include "calib/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct stats *stats_new(void)
{
    struct arena *a = arena_new();
    struct stats *s = arena_alloc(a, sizeof *s);
    s->arena = a;
    s->model = s->recipe = s->isa = "";
    return s;
}

void stats_free(struct stats *s)
{
    if (!s)
        return;
    vec_free(&s->tensors);
    vec_free(&s->samples);
    map_release(&s->index);
    arena_free(s->arena);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tensor_stats *)a)->name, ((const struct tensor_stats *)b)->name);
}

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct sample_stats *)a)->id, y = ((const struct sample_stats *)b)->id;
    return x < y ? -1 : x > y;
}

static bool names_sorted(const struct stats *s)
{
    for (size_t i = 1; i < s->tensors.count; i++)
        if (by_name(&s->tensors.data[i - 1], &s->tensors.data[i]) > 0)
            return false;
    return true;
}

/* The per-sample ranges follow the tensors into their new order. */
static void reorder_ranges(struct stats *s, const struct tensor_stats *was)
{
    size_t n = s->tensors.count;
    struct map at = {0};
    float *row = mem_alloc((n + 1) * 2 * sizeof *row);
    for (size_t i = 0; i < n; i++)
        *map_slot_str(&at, was[i].name) = (void *)(i + 1);
    for (size_t k = 0; k < s->samples.count; k++) {
        float *ranges = s->samples.data[k].ranges;
        if (!ranges)
            continue;
        memcpy(row, ranges, n * 2 * sizeof *row);
        for (size_t i = 0; i < n; i++) {
            size_t from = (size_t)map_get_str(&at, s->tensors.data[i].name) - 1;
            memcpy(ranges + 2 * i, row + 2 * from, 2 * sizeof *row);
        }
    }
    map_release(&at);
    mem_free(row);
}

static void sort_tensors(struct stats *s)
{
    size_t n = s->tensors.count;
    struct tensor_stats *was = mem_alloc((n + 1) * sizeof *was);
    memcpy(was, s->tensors.data, n * sizeof *was);
    qsort(s->tensors.data, n, sizeof *was, by_name);
    reorder_ranges(s, was);
    mem_free(was);
}

void stats_sort(struct stats *s)
{
    if (!names_sorted(s))
        sort_tensors(s);
    if (s->samples.count)
        qsort(s->samples.data, s->samples.count, sizeof *s->samples.data, by_id);
    map_release(&s->index);
    s->index = (struct map){0};
    for (size_t i = 0; i < s->tensors.count; i++)
        *map_slot_str(&s->index, s->tensors.data[i].name) = (void *)(i + 1);
}

const struct tensor_stats *stats_find(const struct stats *s, const char *name)
{
    size_t at = (size_t)map_get_str(&s->index, name);
    return at ? &s->tensors.data[at - 1] : NULL;
}

void stats_warn_nonfinite(const struct stats *s, struct diag *diag)
{
    const struct tensor_stats *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < s->tensors.count; i++) {
        const struct tensor_stats *t = &s->tensors.data[i];
        if (!t->nan && !t->above && !t->below)
            continue;
        first = first ? first : t;
        n++;
    }
    if (first)
        diag_report(diag, E_STATS_NONFINITE, &(struct where){.tensor = first->name},
                    "'%s' held %llu NaN and %llu infinities, %zu tensors had any", first->name,
                    (unsigned long long)first->nan,
                    (unsigned long long)(first->above + first->below), n);
}

/* ---- one tensor ---- */

void tensor_stats_clear(struct tensor_stats *t)
{
    struct histogram *h = t->histogram;
    struct channel_sums *sums = t->sums;
    *t = (struct tensor_stats){
        .name = t->name, .low = INFINITY, .high = -INFINITY, .histogram = h, .sums = sums};
    if (h)
        *h = (struct histogram){.any = false};
    if (sums)
        sums->count = 0;
    for (int64_t c = 0; sums && c < sums->channels; c++)
        sums->sum[c] = 0;
}

static void widen(struct tensor_stats *t, float low, float high)
{
    t->low = low < t->low ? low : t->low;
    t->high = high > t->high ? high : t->high;
}

/* Makes top the largest octave: the bins move down, what falls out goes to small. */
static void histogram_raise(struct histogram *h, int32_t top)
{
    if (!h->any) {
        h->any = true, h->top = top;
        return;
    }
    if (top <= h->top)
        return;
    int64_t octaves = (int64_t)top - h->top;
    size_t shift = octaves < OBSERVE_OCTAVES ? (size_t)octaves * OBSERVE_SUB : OBSERVE_BINS;
    for (int sign = 0; sign < 2; sign++) {
        for (size_t i = 0; i < shift; i++)
            h->small[sign] += h->bins[sign][i];
        memmove(h->bins[sign], h->bins[sign] + shift, (OBSERVE_BINS - shift) * sizeof(uint64_t));
        memset(h->bins[sign] + OBSERVE_BINS - shift, 0, shift * sizeof(uint64_t));
    }
    h->top = top;
}

static void histogram_merge(struct histogram *to, const struct histogram *from)
{
    to->zero += from->zero;
    if (!from->any)
        return;
    histogram_raise(to, from->top);
    int64_t octaves = (int64_t)to->top - from->top;
    size_t shift = octaves < OBSERVE_OCTAVES ? (size_t)octaves * OBSERVE_SUB : OBSERVE_BINS;
    for (int sign = 0; sign < 2; sign++) {
        to->small[sign] += from->small[sign];
        for (size_t i = 0; i < shift; i++)
            to->small[sign] += from->bins[sign][i];
        for (size_t i = shift; i < OBSERVE_BINS; i++)
            to->bins[sign][i - shift] += from->bins[sign][i];
    }
}

/* ---- sums of channels ---- */

/* Room for that many channels. false: there is room for another number already. */
static bool sums_fit(struct channel_sums *s, int64_t channels, struct arena *a)
{
    if (!s->sum && channels > 0) {
        s->channels = channels;
        s->sum = arena_array(a, (size_t)channels, sizeof *s->sum);
    }
    return s->channels == channels;
}

/* Mixed numbers of channels have no means: -1 stays whatever comes. */
static void sums_spoil(struct channel_sums *s)
{
    s->channels = -1;
    s->count = 0;
}

static void sums_merge(struct channel_sums *to, const struct channel_sums *from, struct arena *a)
{
    if (!from->count && from->channels >= 0)
        return;
    if (from->channels < 0 || to->channels < 0 || !sums_fit(to, from->channels, a)) {
        sums_spoil(to);
        return;
    }
    to->count += from->count;
    for (int64_t c = 0; c < to->channels; c++)
        to->sum[c] += from->sum[c];
}

void tensor_stats_add_sums(struct tensor_stats *t, const double *sum, int64_t n, uint64_t count,
                           struct arena *a)
{
    const double most = 0x1p80; /* in units; leaves room for 2^46 of them */
    struct channel_sums *s = t->sums;
    if (s->channels < 0 || !sums_fit(s, n, a)) {
        sums_spoil(s);
        return;
    }
    s->count += count;
    for (int64_t c = 0; c < n; c++) {
        double units = ldexp(sum[c], SUM_BITS);
        if (!(units > -most && units < most)) {
            sums_spoil(s);
            return;
        }
        s->sum[c] += (__int128)units;
    }
}

bool tensor_stats_means(const struct tensor_stats *t, int64_t channels, double *mean)
{
    const struct channel_sums *s = t->sums;
    if (!s || !s->count || s->channels != channels)
        return false;
    for (int64_t c = 0; c < channels; c++)
        mean[c] = ldexp((double)s->sum[c], -SUM_BITS) / (double)s->count;
    return true;
}

void tensor_stats_merge(struct tensor_stats *to, const struct tensor_stats *from, struct arena *a)
{
    to->finite += from->finite, to->nan += from->nan;
    to->above += from->above, to->below += from->below;
    widen(to, from->low, from->high);
    if (to->histogram && from->histogram)
        histogram_merge(to->histogram, from->histogram);
    if (to->sums && from->sums)
        sums_merge(to->sums, from->sums, a);
}

void tensor_stats_add(struct tensor_stats *t, const struct observed *o,
                      const struct observe_bins *h, int top)
{
    t->finite += o->finite, t->nan += o->nan;
    t->above += o->above, t->below += o->below;
    widen(t, o->low, o->high);
    if (!t->histogram || !h)
        return;
    struct histogram *to = t->histogram;
    to->zero += h->zero;
    if (o->low == 0 && o->high == 0) /* exact: nothing but zeros */
        return;
    histogram_raise(to, top);
    size_t shift = (size_t)(to->top - top) < OBSERVE_OCTAVES ? (size_t)(to->top - top) * OBSERVE_SUB
                                                             : OBSERVE_BINS;
    for (int sign = 0; sign < 2; sign++) {
        to->small[sign] += h->small[sign];
        for (size_t i = 0; i < shift; i++)
            to->small[sign] += h->bins[sign][i];
        for (size_t i = shift; i < OBSERVE_BINS; i++)
            to->bins[sign][i - shift] += h->bins[sign][i];
    }
}

/* ---- merging files ---- */

static int mismatch(const char *name, const char *what, const char *a, const char *b,
                    struct diag *diag)
{
    return diag_report(diag, E_STATS_MISMATCH, &(struct where){.file = name},
                       "%s is '%s', the others have '%s'", what, b, a);
}

static int check_merge(const struct stats *a, const struct stats *b, bool mixed_isa,
                       const char *name, struct diag *diag)
{
    if (strcmp(a->model, b->model) != 0)
        return mismatch(name, "the model", a->model, b->model, diag);
    if (strcmp(a->recipe, b->recipe) != 0)
        return mismatch(name, "the recipe", a->recipe, b->recipe, diag);
    if (!mixed_isa && strcmp(a->isa, b->isa) != 0)
        return mismatch(name, "the instruction set", a->isa, b->isa, diag);
    bool same = a->histograms == b->histograms && a->per_sample == b->per_sample &&
                a->tensors.count == b->tensors.count;
    for (size_t i = 0; same && i < a->tensors.count; i++)
        same = strcmp(a->tensors.data[i].name, b->tensors.data[i].name) == 0 &&
               !a->tensors.data[i].sums == !b->tensors.data[i].sums;
    if (!same)
        return diag_report(diag, E_STATS_MISMATCH, &(struct where){.file = name},
                           "it holds other tensors or another kind of statistics");
    return 0;
}

/* Both are sorted by id. */
static int check_samples(const struct stats *a, const struct stats *b, const char *name,
                         struct diag *diag)
{
    for (size_t i = 0, k = 0; i < a->samples.count && k < b->samples.count;) {
        int64_t x = a->samples.data[i].id, y = b->samples.data[k].id;
        if (x == y)
            return diag_report(diag, E_STATS_DUPLICATE, &(struct where){.file = name},
                               "sample %lld was counted already", (long long)x);
        if (x < y)
            i++;
        else
            k++;
    }
    return 0;
}

static void copy_sample(struct stats *into, const struct sample_stats *from, size_t n_tensors)
{
    struct sample_stats s = *from;
    if (s.ranges)
        s.ranges = arena_copy(into->arena, s.ranges, n_tensors * 2 * sizeof *s.ranges);
    vec_push(&into->samples, s);
}

int stats_merge(struct stats *into, const struct stats *from, bool mixed_isa, const char *name,
                struct diag *diag)
{
    int code = check_merge(into, from, mixed_isa, name, diag);
    if (!code)
        code = check_samples(into, from, name, diag);
    if (code)
        return code;
    if (strcmp(into->isa, from->isa) != 0)
        into->isa = "mixed";
    for (size_t i = 0; i < into->tensors.count; i++)
        tensor_stats_merge(&into->tensors.data[i], &from->tensors.data[i], into->arena);
    for (size_t i = 0; i < from->samples.count; i++)
        copy_sample(into, &from->samples.data[i], into->tensors.count);
    stats_sort(into);
    return 0;
}
