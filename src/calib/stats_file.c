/* The statistics file. All numbers little-endian, text as u32 length and bytes without NUL:
 *
 *   "NPUSTAT\n"            magic
 *   u32 version = 1        u32 flags: 1 histograms, 2 per-sample ranges
 *   text model, recipe, isa
 *   u64 tensors, u64 samples
 *   tensors times, by name:
 *       text name
 *       u64 finite, nan, +infinity, -infinity;  f32 low, high (low > high: none)
 *       with histograms: u32 any, i32 top, u64 zero, u64 small[2], u64 bins[2][1280]
 *       u32 has sums; then u64 count, i64 channels (-1: they varied), i128 sums of 2^-40 each
 *   samples times, by id:
 *       i64 id, u64 digest high, low
 *       with per-sample ranges: f32 low, high for each tensor
 *   u64 high, low          XXH3-128 of everything before
 *
 * Invariants: names rise strictly, ids rise strictly, nothing follows the hash. Equal statistics
 * give equal bytes. A reader refuses anything else; sizes are bounded by the file's own.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "calib/stats.h"

static const char MAGIC[8] = {'N', 'P', 'U', 'S', 'T', 'A', 'T', '\n'};
enum {
    VERSION = 1,
    FLAG_HISTOGRAMS = 1,
    FLAG_PER_SAMPLE = 2,
    HASH_BYTES = 16,
    TENSOR_BYTES = 4 + 4 * 8 + 2 * 4 + 4, /* without the name's bytes, histogram and sums */
    HISTOGRAM_BYTES = 4 + 4 + 8 + 16 + 16 * OBSERVE_BINS,
    SAMPLE_BYTES = 24,
};

/* ---- writing ---- */

struct sink {
    struct outfile *out;
    struct hasher *hash;
};

static void put(struct sink *w, const void *data, size_t size)
{
    hasher_add(w->hash, data, size);
    outfile_write(w->out, data, size);
}

static void put_number(struct sink *w, uint64_t value, int bytes)
{
    unsigned char b[8];
    for (int i = 0; i < bytes; i++)
        b[i] = (unsigned char)(value >> 8 * i);
    put(w, b, (size_t)bytes);
}

static void put_float(struct sink *w, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_number(w, bits, 4);
}

static void put_text(struct sink *w, const char *text)
{
    size_t n = strlen(text);
    put_number(w, n, 4);
    put(w, text, n);
}

static void put_histogram(struct sink *w, const struct histogram *h)
{
    put_number(w, h->any, 4);
    put_number(w, (uint32_t)h->top, 4);
    put_number(w, h->zero, 8);
    put_number(w, h->small[0], 8), put_number(w, h->small[1], 8);
    unsigned char *bytes = mem_alloc(OBSERVE_BINS * 8), *at = bytes;
    for (int sign = 0; sign < 2; sign++, at = bytes) {
        for (size_t i = 0; i < OBSERVE_BINS; i++)
            for (int b = 0; b < 8; b++)
                *at++ = (unsigned char)(h->bins[sign][i] >> 8 * b);
        put(w, bytes, OBSERVE_BINS * 8);
    }
    mem_free(bytes);
}

static void put_sums(struct sink *w, const struct channel_sums *s)
{
    put_number(w, s != NULL, 4);
    if (!s)
        return;
    put_number(w, s->count, 8);
    put_number(w, (uint64_t)s->channels, 8);
    for (int64_t c = 0; c < s->channels; c++) {
        put_number(w, (uint64_t)(unsigned __int128)s->sum[c], 8);
        put_number(w, (uint64_t)((unsigned __int128)s->sum[c] >> 64), 8);
    }
}

static void put_tensor(struct sink *w, const struct tensor_stats *t)
{
    put_text(w, t->name);
    put_number(w, t->finite, 8), put_number(w, t->nan, 8);
    put_number(w, t->above, 8), put_number(w, t->below, 8);
    put_float(w, t->low), put_float(w, t->high);
    if (t->histogram)
        put_histogram(w, t->histogram);
    put_sums(w, t->sums);
}

static void put_sample(struct sink *w, const struct sample_stats *s, size_t n_tensors)
{
    put_number(w, (uint64_t)s->id, 8);
    put_number(w, s->digest.high, 8), put_number(w, s->digest.low, 8);
    for (size_t i = 0; s->ranges && i < 2 * n_tensors; i++)
        put_float(w, s->ranges[i]);
}

int stats_write(struct stats *s, struct outfile *out)
{
    struct sink w = {out, hasher_new()};
    stats_sort(s);
    put(&w, MAGIC, sizeof MAGIC);
    put_number(&w, VERSION, 4);
    put_number(&w, (s->histograms ? FLAG_HISTOGRAMS : 0) | (s->per_sample ? FLAG_PER_SAMPLE : 0),
               4);
    put_text(&w, s->model), put_text(&w, s->recipe), put_text(&w, s->isa);
    put_number(&w, s->tensors.count, 8);
    put_number(&w, s->samples.count, 8);
    for (size_t i = 0; i < s->tensors.count; i++)
        put_tensor(&w, &s->tensors.data[i]);
    for (size_t i = 0; i < s->samples.count; i++)
        put_sample(&w, &s->samples.data[i], s->tensors.count);
    struct hash128 hash = hasher_end(w.hash);
    w.hash = hasher_new();
    put_number(&w, hash.high, 8), put_number(&w, hash.low, 8);
    (void)hasher_end(w.hash);
    return outfile_error(out);
}

int stats_save(struct stats *s, const char *path, bool force, struct diag *diag)
{
    struct outfile *out;
    int code = outfile_open(&out, path, force, diag);
    if (code)
        return code;
    stats_write(s, out);
    return outfile_commit(out);
}

/* ---- reading ---- */

struct source {
    const unsigned char *at, *end;
    bool short_of; /* it ended too soon */
};

static uint64_t get_number(struct source *r, int bytes)
{
    uint64_t value = 0;
    if (r->end - r->at < bytes) {
        r->short_of = true;
        r->at = r->end;
        return 0;
    }
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)*r->at++ << 8 * i;
    return value;
}

static float get_float(struct source *r)
{
    uint32_t bits = (uint32_t)get_number(r, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static const char *get_text(struct source *r, struct arena *a)
{
    uint64_t n = get_number(r, 4);
    if (n > (uint64_t)(r->end - r->at) || memchr(r->at, 0, (size_t)n) ||
        !utf8_valid(r->at, (size_t)n)) {
        r->short_of = true;
        return "";
    }
    char *text = arena_alloc(a, (size_t)n + 1);
    memcpy(text, r->at, (size_t)n);
    r->at += n;
    return text;
}

static struct histogram *get_histogram(struct source *r, struct arena *a)
{
    struct histogram *h = arena_alloc(a, sizeof *h);
    h->any = get_number(r, 4) != 0;
    h->top = (int32_t)(uint32_t)get_number(r, 4);
    h->zero = get_number(r, 8);
    h->small[0] = get_number(r, 8), h->small[1] = get_number(r, 8);
    for (int sign = 0; sign < 2; sign++)
        for (size_t i = 0; i < OBSERVE_BINS; i++)
            h->bins[sign][i] = get_number(r, 8);
    return h;
}

static struct channel_sums *get_sums(struct source *r, struct arena *a)
{
    if (!get_number(r, 4))
        return NULL;
    struct channel_sums *s = arena_alloc(a, sizeof *s);
    s->count = get_number(r, 8);
    s->channels = (int64_t)get_number(r, 8);
    if (s->channels < -1 || s->channels > (r->end - r->at) / 16) {
        r->short_of = true;
        s->channels = -1;
    }
    if (s->channels > 0)
        s->sum = arena_array(a, (size_t)s->channels, sizeof *s->sum);
    for (int64_t c = 0; c < s->channels; c++) {
        unsigned __int128 low = get_number(r, 8), high = get_number(r, 8);
        s->sum[c] = (__int128)(high << 64 | low);
    }
    return s;
}

static const char *get_tensors(struct source *r, struct stats *s, uint64_t n)
{
    uint64_t least = TENSOR_BYTES + (s->histograms ? (uint64_t)HISTOGRAM_BYTES : 0);
    if (n > (uint64_t)(r->end - r->at) / least)
        return "it says more tensors than it can hold";
    for (uint64_t i = 0; i < n; i++) {
        struct tensor_stats t = {.name = get_text(r, s->arena)};
        t.finite = get_number(r, 8), t.nan = get_number(r, 8);
        t.above = get_number(r, 8), t.below = get_number(r, 8);
        t.low = get_float(r), t.high = get_float(r);
        t.histogram = s->histograms ? get_histogram(r, s->arena) : NULL;
        t.sums = get_sums(r, s->arena);
        if (i && strcmp(vec_last(&s->tensors).name, t.name) >= 0)
            return "its tensors are not in order";
        if (t.histogram && (t.histogram->top < -127 || t.histogram->top > 127))
            return "a histogram is outside the range of float32";
        vec_push(&s->tensors, t);
    }
    return NULL;
}

static const char *get_samples(struct source *r, struct stats *s, uint64_t n)
{
    uint64_t row = s->per_sample ? 8 * (uint64_t)s->tensors.count : 0;
    if (n > (uint64_t)(r->end - r->at) / (SAMPLE_BYTES + row))
        return "it says more samples than it can hold";
    for (uint64_t i = 0; i < n; i++) {
        struct sample_stats one = {.id = (int64_t)get_number(r, 8)};
        one.digest.high = get_number(r, 8), one.digest.low = get_number(r, 8);
        if (s->per_sample)
            one.ranges = arena_array(s->arena, s->tensors.count, 2 * sizeof *one.ranges);
        for (size_t k = 0; one.ranges && k < 2 * s->tensors.count; k++)
            one.ranges[k] = get_float(r);
        if (i && vec_last(&s->samples).id >= one.id)
            return "its samples are not in order";
        vec_push(&s->samples, one);
    }
    return NULL;
}

static const char *parse(struct source *r, struct stats *s)
{
    if ((size_t)(r->end - r->at) < sizeof MAGIC || memcmp(r->at, MAGIC, sizeof MAGIC) != 0)
        return "it does not begin as one";
    r->at += sizeof MAGIC;
    if (get_number(r, 4) != VERSION)
        return "its version is not known";
    uint64_t flags = get_number(r, 4);
    s->histograms = flags & FLAG_HISTOGRAMS, s->per_sample = (flags & FLAG_PER_SAMPLE) != 0;
    s->model = get_text(r, s->arena);
    s->recipe = get_text(r, s->arena);
    s->isa = get_text(r, s->arena);
    uint64_t tensors = get_number(r, 8), samples = get_number(r, 8);
    const char *why = get_tensors(r, s, tensors);
    if (!why)
        why = get_samples(r, s, samples);
    if (!why && (r->short_of || r->at != r->end))
        why = r->short_of ? "it is cut short" : "something follows its end";
    return why;
}

static const char *check_hash(const struct mapped_file *f)
{
    if (f->size < sizeof MAGIC + HASH_BYTES)
        return "it is too short";
    struct source r = {f->data + f->size - HASH_BYTES, f->data + f->size, false};
    struct hash128 hash = hash_bytes(f->data, f->size - HASH_BYTES);
    uint64_t high = get_number(&r, 8), low = get_number(&r, 8);
    return hash.high == high && hash.low == low ? NULL : "its checksum does not fit";
}

int stats_load(struct stats **out, const char *path, struct ctx *ctx)
{
    struct mapped_file f;
    int code = file_map(&f, path, ctx->diag);
    if (code)
        return code;
    struct stats *s = stats_new();
    const char *why = check_hash(&f);
    if (!why) {
        struct source r = {f.data, f.data + f.size - HASH_BYTES, false};
        why = parse(&r, s);
    }
    file_unmap(&f);
    if (why) {
        stats_free(s);
        return diag_report(ctx->diag, E_STATS_FILE, &(struct where){.file = path},
                           "the statistics file cannot be read: %s", why);
    }
    stats_sort(s);
    *out = s;
    return 0;
}
