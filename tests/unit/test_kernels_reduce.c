/* Reductions, softmax and scans against the plainest loops, over random shapes and axes. */
#include "kernel_test.h"

#include "base/num.h"
#include "kernels/float/math.h"
#include "kernels/float/reduce.h"
#include "kernels/float/cumulate.h"
#include "kernels/float/softmax.h"

enum { MAX = 24000 };
static float x[MAX], y[MAX];

static void fill_source(void)
{
    for (int i = 0; i < MAX; i++)
        x[i] = (float)random_between(-2, 2);
}

struct slow {
    long double sum, sum_abs, sum_square, product, greatest, least;
    int64_t n;
};

static void slow_add(struct slow *s, long double v)
{
    s->sum += v;
    s->sum_abs += fabsl(v);
    s->sum_square += v * v;
    s->product *= v;
    s->greatest = fmaxl(s->greatest, v);
    s->least = fminl(s->least, v);
    s->n++;
}

static double slow_result(const struct slow *s, enum reduce_op op, long double sum_exp)
{
    switch (op) {
    case REDUCE_SUM:
        return (double)s->sum;
    case REDUCE_MEAN:
        return (double)(s->sum / (long double)s->n);
    case REDUCE_MAX:
        return (double)s->greatest;
    case REDUCE_MIN:
        return (double)s->least;
    case REDUCE_PROD:
        return (double)s->product;
    case REDUCE_L1:
        return (double)s->sum_abs;
    case REDUCE_L2:
        return (double)sqrtl(s->sum_square);
    case REDUCE_LOG_SUM:
        return (double)logl(s->sum);
    case REDUCE_LOG_SUM_EXP:
        return (double)logl(sum_exp);
    default:
        return (double)s->sum_square;
    }
}

/* The elements whose kept coordinates are those of result `out`. */
static double slow_reduce(const struct reduce_args *a, int64_t out)
{
    struct slow s = {.product = 1, .greatest = -INFINITY, .least = INFINITY};
    long double sum_exp = 0;
    for (int64_t i = 0; i < product(a->dims, a->rank); i++) {
        int64_t index[8], at = 0;
        unravel(i, a->dims, a->rank, index);
        for (int k = 0; k < a->rank; k++)
            at = a->reduced[k] ? at : at * a->dims[k] + index[k];
        if (at != out)
            continue;
        slow_add(&s, (long double)x[i]);
        sum_exp += expl((long double)x[i]);
    }
    return slow_result(&s, a->op, sum_exp);
}

static int64_t results(const struct reduce_args *a)
{
    int64_t n = 1;
    for (int i = 0; i < a->rank; i++)
        n *= a->reduced[i] ? 1 : a->dims[i];
    return n;
}

static void check_reduce(const struct reduce_args *a)
{
    int64_t n = results(a), cut = n ? random_below(n) : 0;
    y[n] = 77;
    assert_int_equal(kernel_reduce(a, x, y, cut, n), KERNEL_OK);
    assert_int_equal(kernel_reduce(a, x, y, 0, cut), KERNEL_OK);
    assert_true(y[n] == 77);
    for (int64_t i = 0; i < n; i++) {
        double want = slow_reduce(a, i);
        if (isnan(want) ? !isnan(y[i])
                        : !(fabs((double)y[i] - want) <= 0x1.001p-24 * fabs(want) + 1e-14))
            fail_msg("op %d: result %d is %.9g, want %.9g", (int)a->op, (int)i, (double)y[i], want);
    }
}

static void test_reduce(void **state)
{
    (void)state;
    fill_source();
    for (int trial = 0; trial < 1200; trial++) {
        int64_t dims[5];
        bool reduced[5];
        struct reduce_args a = {(enum reduce_op)(trial % REDUCE_COUNT), DT_FLOAT,
                                (int)random_below(5), dims, reduced};
        for (int i = 0; i < a.rank; i++) {
            dims[i] = 1 + random_below(trial % 7 ? 5 : a.rank < 3 ? 150 : 2);
            reduced[i] = random_below(2);
        }
        if (product(dims, a.rank) * results(&a) < 400000)
            check_reduce(&a);
    }
}

static void test_reduce_split_bits(void **state)
{
    (void)state;
    int64_t dims[] = {7, 300, 11};
    static float parts[MAX];
    for (int mask = 1; mask < 8; mask++) {
        bool reduced[] = {mask & 1, mask & 2, mask & 4};
        struct reduce_args a = {REDUCE_SUM, DT_FLOAT, 3, dims, reduced};
        int64_t n = results(&a);
        assert_int_equal(kernel_reduce(&a, x, y, 0, n), KERNEL_OK);
        for (int64_t at = 0, step = 1; at < n; at += step, step = step * 5 % 83 + 1)
            assert_int_equal(kernel_reduce(&a, x, parts, at, at + step < n ? at + step : n),
                             KERNEL_OK);
        assert_memory_equal(y, parts, (size_t)n * sizeof(float));
    }
}

static void reduce_1d(enum reduce_op op, enum dtype t, const void *in, int64_t n, void *out,
                      int status)
{
    bool reduced = true;
    assert_int_equal(kernel_reduce(&(struct reduce_args){op, t, 1, &n, &reduced}, in, out, 0, 1),
                     status);
}

static void test_reduce_types(void **state)
{
    (void)state;
    const int32_t i32[] = {7, -3, 2, -8};
    const int want[REDUCE_COUNT] = {-2, 0,  7, -8, 336,
                                    20, 11, 0, 7,  126}; /* -2/4 truncates to 0; sqrt 126 = 11.2 */
    for (int op = 0; op < REDUCE_COUNT; op++) {
        int32_t out;
        reduce_1d((enum reduce_op)op, DT_INT32, i32, 4, &out, KERNEL_OK);
        if (op != REDUCE_LOG_SUM) /* of a negative sum: NaN, which gives 0 */
            assert_int_equal(out, want[op]);
    }
    const uint64_t u64[] = {UINT64_MAX, 1, 5};
    uint64_t u;
    reduce_1d(REDUCE_MAX, DT_UINT64, u64, 3, &u, KERNEL_OK);
    assert_true(u == UINT64_MAX);
    reduce_1d(REDUCE_MIN, DT_UINT64, u64, 3, &u, KERNEL_OK);
    assert_true(u == 1);
    reduce_1d(REDUCE_SUM, DT_UINT64, u64, 3, &u, KERNEL_OK);
    assert_true(u == 5);
    const uint8_t b[] = {0, 1, 0};
    uint8_t flag;
    reduce_1d(REDUCE_MAX, DT_BOOL, b, 3, &flag, KERNEL_OK);
    assert_int_equal(flag, 1);
    reduce_1d(REDUCE_MIN, DT_BOOL, b, 3, &flag, KERNEL_OK);
    assert_int_equal(flag, 0);
    reduce_1d(REDUCE_SUM, DT_BOOL, b, 3, &flag, KERNEL_TYPE);
    reduce_1d(REDUCE_SUM, DT_INT4, b, 3, &flag, KERNEL_TYPE);
    const uint16_t h[] = {num_to_f16(2048), num_to_f16(1), num_to_f16(1)};
    uint16_t half;
    reduce_1d(REDUCE_SUM, DT_FLOAT16, h, 3, &half, KERNEL_OK);
    assert_true(num_from_f16(half) == 2050);
    const double d[] = {3, 4};
    double r;
    reduce_1d(REDUCE_L2, DT_DOUBLE, d, 2, &r, KERNEL_OK);
    assert_true(r == 5);
}

static void test_reduce_edges(void **state)
{
    (void)state;
    const float none[1] = {0}, nan[] = {1, NAN, 3}, inf[] = {1, INFINITY},
                minus[] = {-INFINITY, -INFINITY};
    const float want[REDUCE_COUNT] = {0, NAN, -INFINITY, INFINITY,  1,
                                      0, 0,   -INFINITY, -INFINITY, 0};
    float out;
    for (int op = 0; op < REDUCE_COUNT; op++) {
        reduce_1d((enum reduce_op)op, DT_FLOAT, none, 0, &out, KERNEL_OK);
        assert_true(same_float(out, want[op]));
        reduce_1d((enum reduce_op)op, DT_FLOAT, nan, 3, &out, KERNEL_OK);
        assert_true(isnan(out));
    }
    reduce_1d(REDUCE_LOG_SUM_EXP, DT_FLOAT, inf, 2, &out, KERNEL_OK);
    assert_true(out == INFINITY);
    reduce_1d(REDUCE_LOG_SUM_EXP, DT_FLOAT, minus, 2, &out, KERNEL_OK);
    assert_true(out == -INFINITY);
    const float large[] = {1000, 1000};
    reduce_1d(REDUCE_LOG_SUM_EXP, DT_FLOAT, large, 2, &out, KERNEL_OK);
    assert_true(fabsf(out - 1000.6931472f) < 1e-4f);
    int64_t dims[] = {0, 3};
    bool both[] = {true, false};
    struct reduce_args a = {REDUCE_SUM, DT_FLOAT, 2, dims, both};
    float three[3] = {9, 9, 9};
    assert_int_equal(kernel_reduce(&a, none, three, 0, 3), KERNEL_OK);
    assert_true(three[0] == 0 && three[2] == 0);
    enum reduce_op op;
    assert_true(reduce_find("ReduceL2", &op) && op == REDUCE_L2);
    assert_false(reduce_find("ReduceNothing", &op));
}

static void check_softmax(struct softmax_args a, double tolerance)
{
    int64_t lines = a.outer * a.inner, cut = random_below(lines + 1);
    assert_int_equal(kernel_softmax(&a, x, y, cut, lines), KERNEL_OK);
    assert_int_equal(kernel_softmax(&a, x, y, 0, cut), KERNEL_OK);
    for (int64_t line = 0; line < lines; line++) {
        int64_t start = line / a.inner * a.axis * a.inner + line % a.inner, best = 0;
        long double sum = 0;
        for (int64_t i = 0; i < a.axis; i++) {
            sum += expl((long double)x[start + i * a.inner]);
            best = x[start + i * a.inner] > x[start + best * a.inner] ? i : best;
        }
        for (int64_t i = 0; i < a.axis; i++) {
            long double v = (long double)x[start + i * a.inner];
            double want = a.kind == SOFTMAX_PLAIN ? (double)(expl(v) / sum)
                          : a.kind == SOFTMAX_LOG ? (double)(v - logl(sum))
                                                  : i == best;
            assert_true(fabs((double)y[start + i * a.inner] - want) <=
                        tolerance * fmax(fabs(want), a.fast ? 1e-3 : 1e-6));
        }
    }
}

static void test_softmax(void **state)
{
    (void)state;
    fill_source();
    for (int trial = 0; trial < 600; trial++) {
        struct softmax_args a = {(enum softmax_kind)(trial % 3),
                                 DT_FLOAT,
                                 1 + random_below(4),
                                 1 + random_below(trial % 5 ? 20 : 700),
                                 trial % 2 ? 1 : 1 + random_below(6),
                                 trial % 4 < 2};
        check_softmax(a, a.fast ? 4 * 0x1p-23 : 0x1.001p-24);
    }
    float edge[] = {1000, 1000, -INFINITY}, out[3];
    for (int fast = 0; fast < 2; fast++) {
        struct softmax_args a = {SOFTMAX_PLAIN, DT_FLOAT, 1, 3, 1, fast};
        assert_int_equal(kernel_softmax(&a, edge, out, 0, 1), KERNEL_OK);
        assert_true(out[0] == 0.5f && out[1] == 0.5f && out[2] == 0);
        a.kind = SOFTMAX_LOG;
        memcpy(out, edge, sizeof out);
        assert_int_equal(kernel_softmax(&a, out, out, 0, 1), KERNEL_OK); /* in place */
        assert_true(fabsf(out[0] + 0.69314718f) < 1e-6f && out[2] == -INFINITY);
    }
    uint16_t h[] = {num_to_f16(0), num_to_f16(0)};
    assert_int_equal(
        kernel_softmax(&(struct softmax_args){SOFTMAX_PLAIN, DT_FLOAT16, 1, 2, 1, true}, h, h, 0,
                       1),
        KERNEL_OK);
    assert_true(num_from_f16(h[1]) == 0.5f);
    assert_int_equal(
        kernel_softmax(&(struct softmax_args){SOFTMAX_PLAIN, DT_INT32, 1, 2, 1, true}, h, h, 0, 1),
        KERNEL_TYPE);
}

static void test_scan(void **state)
{
    (void)state;
    for (int mode = 0; mode < 8; mode++) {
        struct scan_args a = {DT_INT32, mode & 1, mode & 2, mode & 4, 2, 5, 70};
        static int32_t in[700], out[700];
        for (int i = 0; i < 700; i++)
            in[i] = (int32_t)random_bits();
        assert_int_equal(kernel_scan(&a, in, out), KERNEL_OK);
        for (int64_t line = 0; line < 140; line++) {
            uint32_t sum = a.product;
            for (int64_t i = 0; i < 5; i++) {
                int64_t at = line / 70 * 350 + (a.reverse ? 4 - i : i) * 70 + line % 70;
                uint32_t next = a.product ? sum * (uint32_t)in[at] : sum + (uint32_t)in[at];
                assert_int_equal((uint32_t)out[at], a.exclusive ? sum : next);
                sum = next;
            }
        }
    }
    float f[] = {16777216, 1, 1}, g[3];
    assert_int_equal(
        kernel_scan(&(struct scan_args){.dtype = DT_FLOAT, .outer = 1, .axis = 3, .inner = 1}, f,
                    g),
        KERNEL_OK);
    assert_true(g[0] == 16777216 && g[1] == 16777216 &&
                g[2] == 16777218); /* in double, rounded once each */
    assert_int_equal(
        kernel_scan(&(struct scan_args){.dtype = DT_BOOL, .outer = 1, .axis = 3, .inner = 1}, f, g),
        KERNEL_TYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reduce),       cmocka_unit_test(test_reduce_split_bits),
        cmocka_unit_test(test_reduce_types), cmocka_unit_test(test_reduce_edges),
        cmocka_unit_test(test_softmax),      cmocka_unit_test(test_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
