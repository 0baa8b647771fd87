/* Statistics: extremes and histograms against a slow path, merging in any order and sharding, the
 * file and hostile files, range methods on known distributions. */
#include <float.h>
#include <math.h>

#include "calib/range.h"
#include "data_test.h"

enum { VALUES = 6000 };

static uint64_t seed = 1;
static double uniform(void) /* [0, 1), SplitMix64 */
{
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static double normal(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform();
    return sum;
}

static void observe_extremes(void **state)
{
    (void)state;
    struct observed o;
    float x[100];
    for (int round = 0; round < 50; round++) {
        float low = INFINITY, high = -INFINITY;
        for (int i = 0; i < 100; i++) {
            x[i] = (float)(normal() * pow(10, 20 * uniform() - 10));
            low = fminf(low, x[i]), high = fmaxf(high, x[i]);
        }
        observe_range(&o, x, 100);
        assert_true(o.low == low && o.high == high && o.finite == 100);
    }
    observe_range(&o, (float[]){-0.0f, 0.0f}, 2);
    assert_false(signbit(o.low) || signbit(o.high));
    observe_range(&o, (float[]){NAN, -NAN, INFINITY, -INFINITY, -INFINITY, 3, -FLT_MAX}, 7);
    assert_true(o.nan == 2 && o.above == 1 && o.below == 2 && o.finite == 2);
    assert_true(o.low == -FLT_MAX && o.high == 3);
    observe_range(&o, x, 0);
    assert_true(o.low > o.high && o.finite == 0);
    observe_range(&o, (float[]){FLT_MAX, -FLT_TRUE_MIN}, 2);
    assert_true(o.high == FLT_MAX && o.low == -FLT_TRUE_MIN && o.finite == 2);
}

/* Statistics of a run of the values, added in pieces of at most `piece`. */
static struct stats *make_stats(const float *x, size_t n, size_t piece, int64_t id)
{
    struct stats *s = stats_new();
    s->histograms = s->per_sample = true;
    s->model = "m", s->recipe = "r", s->isa = "i";
    struct tensor_stats t = {.name = "t", .histogram = arena_alloc(s->arena, sizeof *t.histogram)};
    t.sums = arena_alloc(s->arena, sizeof *t.sums);
    tensor_stats_clear(&t);
    static struct observe_bins bins;
    for (size_t at = 0; at < n; at += piece) {
        size_t here = n - at < piece ? n - at : piece;
        struct observed o;
        observe_range(&o, x + at, here);
        int top = observe_octave(fmaxf(-o.low, o.high));
        memset(&bins, 0, sizeof bins);
        observe_histogram(&bins, top, x + at, here);
        tensor_stats_add(&t, &o, o.finite ? &bins : NULL, top);
    }
    tensor_stats_add_sums(&t, (double[]){(double)x[0], (double)n}, 2, n, s->arena);
    vec_push(&s->tensors, t);
    struct sample_stats one = {.id = id, .ranges = arena_array(s->arena, 2, sizeof(float))};
    one.ranges[0] = t.low, one.ranges[1] = t.high;
    vec_push(&s->samples, one);
    stats_sort(s);
    return s;
}

static const char *save(struct bench *b, struct stats *s, const char *name)
{
    const char *path = bench_path(b, name);
    assert_int_equal(stats_save(s, path, true, b->ctx.diag), 0);
    return path;
}

static void expect_same_files(struct bench *b, const char *p, const char *q)
{
    struct mapped_file f, g;
    assert_int_equal(file_map(&f, p, b->ctx.diag), 0);
    assert_int_equal(file_map(&g, q, b->ctx.diag), 0);
    assert_int_equal(f.size, g.size);
    assert_memory_equal(f.data, g.data, f.size);
    file_unmap(&f), file_unmap(&g);
}

/* Values over many octaves, so that the window of the histogram moves. */
static void fill_values(float *x)
{
    for (int i = 0; i < VALUES; i++)
        x[i] = i % 7 == 0 ? 0 : (float)(normal() * pow(2, 40 * uniform() - 30));
}

static void merge_in_any_order(void **state)
{
    (void)state;
    static float x[VALUES];
    struct bench b;
    bench_open(&b);
    fill_values(x);
    const char *first = NULL;
    for (int round = 0; round < 12; round++) {
        enum { SHARDS = 8 };
        struct stats *shards[SHARDS];
        for (int i = 0; i < SHARDS; i++) /* other pieces in each round, the same samples */
            shards[i] = make_stats(x + i * (VALUES / SHARDS), VALUES / SHARDS,
                                   1 + (size_t)(uniform() * 300), i);
        for (int left = SHARDS; left > 1; left--) {
            int i = (int)(uniform() * left), k = (int)(uniform() * (left - 1));
            struct stats *from = shards[i];
            shards[i] = shards[left - 1];
            assert_int_equal(stats_merge(shards[k], from, false, "x", b.ctx.diag), 0);
            stats_free(from);
        }
        const char *path = save(&b, shards[0], round ? "other.stats" : "first.stats");
        if (first)
            expect_same_files(&b, first, path);
        first = first ? first : path;
        stats_free(shards[0]);
    }
    bench_close(&b);
}

/* Sums of channels: any order of samples gives the same bits, means are right, other numbers of
 * channels spoil them for good. */
static void sums_of_channels(void **state)
{
    (void)state;
    enum { SAMPLES = 40, CHANNELS = 3, INNER = 11 };
    static float x[SAMPLES][CHANNELS][INNER];
    double sums[2][CHANNELS], want[CHANNELS] = {0};
    for (int k = 0; k < SAMPLES * CHANNELS * INNER; k++)
        (&x[0][0][0])[k] = (float)(normal() * pow(2, 20 * uniform() - 10));
    for (int order = 0; order < 2; order++) {
        struct arena *a = arena_new();
        struct tensor_stats t = {.sums = arena_alloc(a, sizeof *t.sums)};
        tensor_stats_clear(&t);
        for (int i = 0; i < SAMPLES; i++) {
            double sum[CHANNELS] = {0};
            int k = order ? SAMPLES - 1 - i : i;
            observe_channels(sum, &x[k][0][0], 1, CHANNELS, INNER);
            tensor_stats_add_sums(&t, sum, CHANNELS, INNER, a);
        }
        assert_true(tensor_stats_means(&t, CHANNELS, sums[order]));
        assert_false(tensor_stats_means(&t, CHANNELS + 1, want));
        tensor_stats_add_sums(&t, (double[]){1, 2}, 2, 1, a);
        assert_false(tensor_stats_means(&t, CHANNELS, want));
        tensor_stats_add_sums(&t, (double[]){1, 2, 3}, CHANNELS, 1, a);
        assert_false(tensor_stats_means(&t, CHANNELS, want));
        arena_free(a);
    }
    assert_memory_equal(sums[0], sums[1], sizeof sums[0]);
    for (int c = 0; c < CHANNELS; c++) {
        double sum = 0, size = 0;
        for (int k = 0; k < SAMPLES; k++)
            for (int i = 0; i < INNER; i++)
                sum += (double)x[k][c][i], size += fabs((double)x[k][c][i]);
        assert_true(fabs(sums[0][c] - sum / (SAMPLES * INNER)) <= 1e-12 * size);
    }
    double last[CHANNELS] = {0}, first[CHANNELS] = {0}; /* the same elements channels last */
    float turned[INNER][CHANNELS];
    for (int i = 0; i < INNER; i++)
        for (int c = 0; c < CHANNELS; c++)
            turned[i][c] = x[0][c][i];
    observe_channels(last, &turned[0][0], INNER, CHANNELS, 1);
    observe_channels(first, &x[0][0][0], 1, CHANNELS, INNER);
    for (int c = 0; c < CHANNELS; c++)
        assert_true(fabs(last[c] - first[c]) <= 1e-9);
}

/* Counts of every bin by the definition: octave and 64 steps of each magnitude. */
static void histogram_by_definition(void **state)
{
    (void)state;
    static float x[VALUES];
    fill_values(x);
    struct stats *s = make_stats(x, VALUES, 17, 0);
    const struct histogram *h = s->tensors.data[0].histogram;
    static uint64_t want[2][OBSERVE_BINS];
    uint64_t small[2] = {0, 0}, zero = 0;
    memset(want, 0, sizeof want);
    for (int i = 0; i < VALUES; i++) {
        int exponent, sign = x[i] < 0;
        if (x[i] == 0) {
            zero++;
            continue;
        }
        double mantissa = frexp(fabs((double)x[i]), &exponent) * 2; /* [1, 2) */
        int octave = exponent - 1 - (h->top - OBSERVE_OCTAVES + 1);
        if (octave < 0)
            small[sign]++;
        else
            want[sign][octave * OBSERVE_SUB + (int)((mantissa - 1) * OBSERVE_SUB)]++;
    }
    assert_int_equal(h->zero, zero);
    assert_memory_equal(h->small, small, sizeof small);
    assert_memory_equal(h->bins, want, sizeof want);
    stats_free(s);
}

static void file_round_trip_and_damage(void **state)
{
    (void)state;
    static float x[VALUES];
    struct bench b;
    struct stats *s, *t;
    bench_open(&b);
    fill_values(x);
    s = make_stats(x, VALUES, 100, 3);
    const char *path = save(&b, s, "a.stats");
    assert_int_equal(stats_load(&t, path, &b.ctx), 0);
    expect_same_files(&b, path, save(&b, t, "b.stats"));
    assert_int_equal(t->samples.data[0].id, 3);
    assert_non_null(stats_find(t, "t"));
    assert_null(stats_find(t, "u"));
    assert_int_equal(stats_merge(t, s, false, "x", b.ctx.diag), -E_STATS_DUPLICATE);
    t->recipe = "other";
    assert_int_equal(stats_merge(t, s, false, "x", b.ctx.diag), -E_STATS_MISMATCH);
    t->recipe = "r", t->isa = "j";
    assert_int_equal(stats_merge(t, s, false, "x", b.ctx.diag), -E_STATS_MISMATCH);
    stats_free(t);
    struct mapped_file f;
    assert_int_equal(file_map(&f, path, b.ctx.diag), 0);
    unsigned char *copy = arena_alloc(b.arena, f.size + 1);
    for (size_t cut = 0; cut <= 16; cut++) { /* too short at many places, and one byte too many */
        memcpy(copy, f.data, f.size);
        size_t size = cut == 16 ? f.size + 1 : f.size * cut / 16;
        const char *bad = bench_file(&b, "c.stats", copy, size);
        assert_int_equal(stats_load(&t, bad, &b.ctx), -E_STATS_FILE);
    }
    for (size_t at = 0; at < f.size; at += f.size / 50) {
        memcpy(copy, f.data, f.size);
        copy[at] ^= 0x40;
        assert_int_equal(stats_load(&t, bench_file(&b, "c.stats", copy, f.size), &b.ctx),
                         -E_STATS_FILE);
    }
    file_unmap(&f);
    stats_free(s);
    bench_close(&b);
}

/* A well-formed hash over hostile counts. */
static void hostile_counts(void **state)
{
    (void)state;
    struct bench b;
    struct stats *s, *t;
    bench_open(&b);
    s = make_stats((float[]){1, 2}, 2, 2, 0);
    struct mapped_file f;
    assert_int_equal(file_map(&f, save(&b, s, "a.stats"), b.ctx.diag), 0);
    unsigned char *copy = arena_copy(b.arena, f.data, f.size);
    static const size_t COUNTS[] = {8 + 8 + 15, 8 + 8 + 15 + 8}; /* tensors, samples */
    for (size_t i = 0; i < 2; i++) {
        memcpy(copy, f.data, f.size);
        memset(copy + COUNTS[i], 0x7f, 8);
        struct hash128 h = hash_bytes(copy, f.size - 16);
        memcpy(copy + f.size - 16, &h.high, 8);
        memcpy(copy + f.size - 8, &h.low, 8);
        assert_int_equal(stats_load(&t, bench_file(&b, "c.stats", copy, f.size), &b.ctx),
                         -E_STATS_FILE);
        assert_non_null(strstr(diag_at(b.ctx.diag, diag_count(b.ctx.diag) - 1)->message, "more"));
    }
    file_unmap(&f);
    stats_free(s);
    bench_close(&b);
}

/* ---- methods ---- */

static void parse_methods(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        double param;
    } CASES[] = {
        {"minmax", 0, 0},
        {"moving-average", 0, 0.1},
        {"moving-average:0.5", 0, 0.5},
        {"percentile", 0, 99.999},
        {"percentile:99.9", 0, 99.9},
        {"mse", 0, 0},
        {"entropy", 0, 0},
        {"percentile:101", -E_STATS_METHOD, 0},
        {"percentile:", -E_STATS_METHOD, 0},
        {"minmax:3", -E_STATS_METHOD, 0},
        {"min", -E_STATS_METHOD, 0},
        {"", -E_STATS_METHOD, 0},
        {"mse:nan", -E_STATS_METHOD, 0},
    };
    struct diag *diag = diag_new(NULL, NULL);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct range_method m;
        int code = range_method_parse(&m, CASES[i].text, diag);
        if (code != CASES[i].code || (!code && m.param != CASES[i].param))
            fail_msg("case %zu", i);
    }
    diag_free(diag);
}

static void range(struct stats *s, const char *method, bool symmetric, double *low, double *high)
{
    struct range_method m;
    struct range_grid g = {symmetric ? 254 : 255, symmetric};
    assert_int_equal(range_method_parse(&m, method, NULL), 0);
    assert_true(range_of(s, 0, &m, &g, low, high));
}

/* Bell-shaped values and one outlier: minmax keeps it, the others do not. */
static void methods_on_an_outlier(void **state)
{
    (void)state;
    enum { N = 100000 };
    static float x[N];
    for (int i = 0; i < N; i++)
        x[i] = (float)normal();
    x[N / 2] = 60;
    struct stats *s = make_stats(x, N, 1000, 0);
    double low, high, mse_low, mse_high;
    range(s, "minmax", false, &low, &high);
    assert_true(high == 60 && low < -3.5);
    range(s, "percentile:99.9", false, &low, &high); /* 3.29 by the normal distribution */
    assert_true(high > 3.1 && high < 3.5 && low < -3.1 && low > -3.5);
    range(s, "mse", false, &mse_low, &mse_high);
    /* n ((h + 4) / 255)^2 / 12 + (60 - h)^2 is least at h = 52.7 */
    assert_true(mse_high > 51 && mse_high < 55);
    range(s, "entropy", false, &low, &high);
    assert_true(high >= 1.5 && high < 60);
    range(s, "mse", true, &low, &high);
    assert_true(low == -high && high > 38 && high < 41); /* n (2 h / 254)^2 / 12: 39.6 */
    stats_free(s);
}

/* Without a tail there is nothing to gain from clipping. */
static void methods_on_a_box(void **state)
{
    (void)state;
    enum { N = 50000 };
    static float x[N];
    for (int i = 0; i < N; i++)
        x[i] = (float)(uniform() * 6);
    struct stats *s = make_stats(x, N, 1000, 0);
    double low, high;
    range(s, "mse", false, &low, &high);
    assert_true(low == 0 && high > 5.8);
    range(s, "entropy", false, &low, &high);
    assert_true(high > 5.5);
    range(s, "percentile:100", false, &low, &high);
    assert_true(high == s->tensors.data[0].high && low == s->tensors.data[0].low);
    stats_free(s);
}

static void moving_average(void **state)
{
    (void)state;
    struct diag *diag = diag_new(NULL, NULL);
    struct stats *s = make_stats((float[]){-1, 4}, 2, 2, 0);
    struct stats *t = make_stats((float[]){-2, 8}, 2, 2, 1);
    double low, high;
    assert_int_equal(stats_merge(t, s, false, "x", diag), 0); /* ids decide the order */
    range(t, "moving-average:0.25", false, &low, &high);
    assert_true(low == -1.25 && high == 5);
    stats_free(s), stats_free(t);
    diag_free(diag);
}

static void degenerate_ranges(void **state)
{
    (void)state;
    static const char *const METHODS[] = {"minmax", "percentile", "mse", "entropy",
                                          "moving-average"};
    static const float VALUES_OF[][2] = {
        {0, 0}, {5, 5}, {-3, -2}, {FLT_TRUE_MIN, 0}, {-FLT_MAX, FLT_MAX}};
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 5; k++) {
            struct stats *s = make_stats(VALUES_OF[k], 2, 2, 0);
            double low, high;
            range(s, METHODS[i], false, &low, &high);
            assert_true(isfinite(low) && isfinite(high) && low <= high);
            range(s, METHODS[i], true, &low, &high);
            assert_true(isfinite(low) && isfinite(high) && low <= high);
            stats_free(s);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observe_extremes),
        cmocka_unit_test(merge_in_any_order),
        cmocka_unit_test(sums_of_channels),
        cmocka_unit_test(histogram_by_definition),
        cmocka_unit_test(file_round_trip_and_damage),
        cmocka_unit_test(hostile_counts),
        cmocka_unit_test(parse_methods),
        cmocka_unit_test(methods_on_an_outlier),
        cmocka_unit_test(methods_on_a_box),
        cmocka_unit_test(moving_average),
        cmocka_unit_test(degenerate_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
