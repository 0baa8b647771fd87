/* Two-input operators: every broadcast of small shapes against index arithmetic, integer corner
 * cases, variadic forms. */
#include "kernel_test.h"

#include "base/num.h"
#include "kernels/float/binary.h"
#include "kernels/float/where.h"

enum { MAX = 4096 };

/* Element of an operand for a position of the result, by the NumPy rule. */
static int64_t source(const int64_t *index, int rank, const struct kernel_shape *s)
{
    int64_t flat = 0;
    for (int i = 0; i < s->rank; i++) {
        int64_t at = s->dims[i] == 1 ? 0 : index[rank - s->rank + i];
        flat = flat * s->dims[i] + at;
    }
    return flat;
}

/* A shape that broadcasts to dims: leading axes dropped, some others 1. */
static int random_shape(const int64_t *dims, int rank, int64_t *out)
{
    int own = (int)random_below(rank + 1), skip = rank - own;
    for (int i = 0; i < own; i++)
        out[i] = random_below(3) ? dims[skip + i] : 1;
    return own;
}

static void test_broadcast(void **state)
{
    (void)state;
    static float a[MAX], b[MAX], y[MAX];
    for (int i = 0; i < MAX; i++) {
        a[i] = (float)i;
        b[i] = (float)i * 4096;
    }
    for (int trial = 0; trial < 3000; trial++) {
        int64_t dims[6], ad[6], bd[6], index[6];
        int rank = (int)random_below(7);
        for (int i = 0; i < rank; i++)
            dims[i] = random_below(5) ? 1 + random_below(4) : random_below(2);
        struct kernel_shape s[2] = {{random_shape(dims, rank, ad), ad},
                                    {random_shape(dims, rank, bd), bd}};
        struct broadcast plan;
        assert_int_equal(broadcast_plan(&plan, s, 2), KERNEL_OK);
        memset(y, 0, sizeof y);
        int64_t cut = plan.count ? random_below(plan.count + 1) : 0;
        assert_int_equal(kernel_binary(BINARY_ADD, DT_FLOAT, &plan, a, b, y, cut, plan.count),
                         KERNEL_OK);
        assert_int_equal(kernel_binary(BINARY_ADD, DT_FLOAT, &plan, a, b, y, 0, cut), KERNEL_OK);
        assert_int_equal(plan.count, product(plan.out_dims, plan.out_rank));
        for (int64_t i = 0; i < plan.count; i++) {
            unravel(i, plan.out_dims, plan.out_rank, index);
            int64_t p = source(index, plan.out_rank, &s[0]),
                    q = source(index, plan.out_rank, &s[1]);
            assert_true(y[i] == (float)(p + q * 4096));
        }
        assert_true(plan.count == MAX || y[plan.count] == 0);
    }
}

static void test_refused_shapes(void **state)
{
    (void)state;
    int64_t a[] = {2, 3}, b[] = {2}, many[17], huge[] = {(int64_t)1 << 40, 1},
            wide[] = {(int64_t)1 << 40};
    for (int i = 0; i < 17; i++)
        many[i] = 1;
    struct broadcast plan;
    assert_int_equal(broadcast_plan(&plan, (struct kernel_shape[]){{2, a}, {1, b}}, 2),
                     KERNEL_SHAPE);
    assert_int_equal(broadcast_plan(&plan, (struct kernel_shape[]){{17, many}, {1, b}}, 2),
                     KERNEL_SHAPE);
    assert_int_equal(broadcast_plan(&plan, (struct kernel_shape[]){{2, huge}, {1, wide}}, 2),
                     KERNEL_SHAPE);
    int64_t zero[] = {0}, one[] = {1};
    assert_int_equal(broadcast_plan(&plan, (struct kernel_shape[]){{1, zero}, {1, one}}, 2),
                     KERNEL_OK);
    assert_int_equal(plan.count, 0);
    assert_int_equal(broadcast_plan(&plan, (struct kernel_shape[]){{1, zero}, {1, b}}, 2),
                     KERNEL_SHAPE);
}

static struct broadcast same(int64_t n)
{
    struct broadcast plan;
    assert_int_equal(broadcast_plan(&plan, (struct kernel_shape[]){{1, &n}, {1, &n}}, 2),
                     KERNEL_OK);
    return plan;
}

static double float_formula(enum binary_op op, double a, double b)
{
    switch ((int)op) {
    case BINARY_ADD:
        return a + b;
    case BINARY_SUB:
        return a - b;
    case BINARY_MUL:
        return a * b;
    case BINARY_DIV:
        return a / b;
    case BINARY_MIN:
        return isnan(a) || isnan(b) ? NAN : fmin(a, b);
    case BINARY_MAX:
        return isnan(a) || isnan(b) ? NAN : fmax(a, b);
    case BINARY_PRELU:
        return a < 0 ? a * b : a;
    default:
        return fmod(a, b);
    }
}

static void test_floats(void **state)
{
    (void)state;
    static const float v[] = {0, -1.5f, 2, 0.1f, 1e30f, -7, INFINITY, NAN, 3, 1e-40f};
    struct broadcast plan = same(1);
    static const enum binary_op ops[] = {BINARY_ADD, BINARY_SUB, BINARY_MUL,   BINARY_DIV,
                                         BINARY_MIN, BINARY_MAX, BINARY_PRELU, BINARY_FMOD};
    for (int64_t k = 0; k < COUNT(ops); k++)
        for (int64_t i = 0; i < COUNT(v); i++)
            for (int64_t j = 0; j < COUNT(v); j++) {
                float y;
                assert_int_equal(kernel_binary(ops[k], DT_FLOAT, &plan, v + i, v + j, &y, 0, 1),
                                 KERNEL_OK);
                float want = (float)float_formula(ops[k], (double)v[i],
                                                  (double)v[j]); /* double rounds harmlessly here */
                assert_true(y == want || (isnan(y) && isnan(want)));
                double da = (double)v[i], db = (double)v[j], dy;
                assert_int_equal(kernel_binary(ops[k], DT_DOUBLE, &plan, &da, &db, &dy, 0, 1),
                                 KERNEL_OK);
                double dw = float_formula(ops[k], da, db);
                assert_true(dy == dw || (isnan(dy) && isnan(dw)));
                uint16_t ha = num_to_f16(v[i]), hb = num_to_f16(v[j]), hy;
                assert_int_equal(kernel_binary(ops[k], DT_FLOAT16, &plan, &ha, &hb, &hy, 0, 1),
                                 KERNEL_OK);
                float hf = num_from_f16(hy);
                dw = float_formula(ops[k], (double)num_from_f16(ha), (double)num_from_f16(hb));
                assert_true(isnan(dw) ? isnan(hf)
                                      : hy == num_double_to_f16(dw) || ops[k] == BINARY_DIV);
            }
    float x = 1, y;
    assert_int_equal(kernel_binary(BINARY_MOD, DT_FLOAT, &plan, &x, &x, &y, 0, 1), KERNEL_TYPE);
    assert_int_equal(kernel_binary(BINARY_ADD, DT_INT4, &plan, &x, &x, &y, 0, 1), KERNEL_TYPE);
}

static void test_comparisons(void **state)
{
    (void)state;
    const float v[] = {-1, 2, NAN};
    struct broadcast plan = same(1);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            float a = v[i], b = v[j];
            bool want[] = {a == b, a<b, a <= b, a> b, a >= b};
            for (int k = 0; k < 5; k++) {
                enum binary_op op = (enum binary_op)(BINARY_EQUAL + k);
                uint8_t y = 7;
                assert_true(binary_compares(op));
                assert_int_equal(kernel_binary(op, DT_FLOAT, &plan, &a, &b, &y, 0, 1), KERNEL_OK);
                assert_int_equal(y, want[k]);
                uint16_t ha = num_to_bf16(a), hb = num_to_bf16(b);
                assert_int_equal(kernel_binary(op, DT_BFLOAT16, &plan, &ha, &hb, &y, 0, 1),
                                 KERNEL_OK);
                assert_int_equal(y, want[k]);
            }
        }
    uint64_t p = UINT64_MAX, q = 1;
    uint8_t y;
    assert_int_equal(kernel_binary(BINARY_GREATER, DT_UINT64, &plan, &p, &q, &y, 0, 1), KERNEL_OK);
    assert_int_equal(y, 1);
}

/* All pairs of int8 and uint8 against wide arithmetic. */
static void test_small_integers(void **state)
{
    (void)state;
    struct broadcast plan = same(1);
    for (int i = -128; i < 128; i++)
        for (int j = -128; j < 128; j++) {
            int8_t a = (int8_t)i, b = (int8_t)j, y = 0;
            uint8_t ua = (uint8_t)i, ub = (uint8_t)j, uy = 0;
            int floor_mod = j ? i - j * (int)floor((double)i / j) : 0;
            const int want[] = {i + j,
                                i - j,
                                i * j,
                                j ? i / j : 0,
                                i < j ? i : j,
                                i > j ? i : j,
                                i < 0 ? i * j : i,
                                floor_mod,
                                j ? i % j : 0,
                                i & j,
                                i | j,
                                i ^ j};
            for (int op = BINARY_ADD; op <= BINARY_BITXOR; op++) {
                bool divides = op == BINARY_DIV || op == BINARY_MOD || op == BINARY_FMOD;
                int status = kernel_binary((enum binary_op)op, DT_INT8, &plan, &a, &b, &y, 0, 1);
                assert_int_equal(status, divides && !j ? KERNEL_ZERO : KERNEL_OK);
                assert_int_equal(y, (int8_t)want[op]);
            }
            const int unsigned_want[] = {ub < 8 ? ua << ub : 0, ub < 8 ? ua >> ub : 0};
            for (int k = 0; k < 2; k++) {
                enum binary_op op = k ? BINARY_SHIFT_RIGHT : BINARY_SHIFT_LEFT;
                assert_int_equal(kernel_binary(op, DT_UINT8, &plan, &ua, &ub, &uy, 0, 1),
                                 KERNEL_OK);
                assert_int_equal(uy, (uint8_t)unsigned_want[k]);
            }
            int status = kernel_binary(BINARY_DIV, DT_UINT8, &plan, &ua, &ub, &uy, 0, 1);
            assert_true(ub ? status == KERNEL_OK && uy == ua / ub
                           : status == KERNEL_ZERO && uy == 0);
        }
}

static void test_wide_integers(void **state)
{
    (void)state;
    struct broadcast plan = same(2);
    int64_t a[] = {INT64_MIN, INT64_MAX}, b[] = {-1, 2}, y[2];
    assert_int_equal(kernel_binary(BINARY_DIV, DT_INT64, &plan, a, b, y, 0, 2), KERNEL_OK);
    assert_true(y[0] == INT64_MIN && y[1] == INT64_MAX / 2);
    assert_int_equal(kernel_binary(BINARY_MUL, DT_INT64, &plan, a, b, y, 0, 2), KERNEL_OK);
    assert_true(y[0] == INT64_MIN && y[1] == -2);
    assert_int_equal(kernel_binary(BINARY_FMOD, DT_INT64, &plan, a, b, y, 0, 2), KERNEL_OK);
    assert_true(y[0] == 0 && y[1] == 1);
    uint32_t p[] = {1, 1}, q[] = {31, 32}, r[2];
    assert_int_equal(kernel_binary(BINARY_SHIFT_LEFT, DT_UINT32, &plan, p, q, r, 0, 2), KERNEL_OK);
    assert_true(r[0] == 0x80000000u && r[1] == 0);
}

static void test_bool(void **state)
{
    (void)state;
    struct broadcast plan = same(4);
    uint8_t a[] = {0, 0, 1, 1}, b[] = {0, 1, 0, 1}, y[4];
    const struct {
        enum binary_op op;
        uint8_t y[4];
    } rows[] = {{BINARY_AND, {0, 0, 0, 1}},
                {BINARY_OR, {0, 1, 1, 1}},
                {BINARY_XOR, {0, 1, 1, 0}},
                {BINARY_EQUAL, {1, 0, 0, 1}}};
    for (int64_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(kernel_binary(rows[i].op, DT_BOOL, &plan, a, b, y, 0, 4), KERNEL_OK);
        assert_memory_equal(y, rows[i].y, 4);
    }
    enum binary_op op;
    assert_true(binary_find("LessOrEqual", &op) && op == BINARY_LESS_EQUAL);
    assert_false(binary_find("Pow", &op));
}

static void test_power(void **state)
{
    (void)state;
    struct broadcast plan;
    int64_t n = 4, one = 1;
    assert_int_equal(broadcast_plan(&plan, (struct kernel_shape[]){{1, &n}, {1, &one}}, 2),
                     KERNEL_OK);
    float a[] = {3, -2, 0.5f, 4097}, y[4], three = 3;
    double two = 2;
    assert_int_equal(kernel_power(DT_FLOAT, DT_FLOAT, &plan, a, &three, y, 0, 4), KERNEL_OK);
    assert_true(y[0] == 27 && y[1] == -8 && y[2] == 0.125f);
    assert_int_equal(kernel_power(DT_FLOAT, DT_DOUBLE, &plan, a, &two, y, 0, 4), KERNEL_OK);
    assert_true(y[0] == 9 && y[3] == 4097.0f * 4097.0f); /* a tie: exact product, rounded once */
    int32_t base[] = {2, -1, 0, 7}, out[4];
    int64_t minus = -3, ten = 11;
    assert_int_equal(kernel_power(DT_INT32, DT_INT64, &plan, base, &minus, out, 0, 4), KERNEL_OK);
    assert_true(out[0] == 0 && out[1] == -1 && out[2] == INT32_MAX && out[3] == 0);
    assert_int_equal(kernel_power(DT_INT32, DT_INT64, &plan, base, &ten, out, 0, 4), KERNEL_OK);
    assert_true(out[0] == 2048 && out[1] == -1 && out[2] == 0 &&
                out[3] == (int32_t)1977326743); /* 7^11 fits */
    float half = 0.5f;
    int32_t square[] = {9, 16, 2, -1};
    assert_int_equal(kernel_power(DT_INT32, DT_FLOAT, &plan, square, &half, out, 0, 4), KERNEL_OK);
    assert_true(out[0] == 3 && out[1] == 4 && out[2] == 1 && out[3] == 0);
    assert_int_equal(kernel_power(DT_BOOL, DT_FLOAT, &plan, square, &half, out, 0, 4), KERNEL_TYPE);
}

static void test_variadic(void **state)
{
    (void)state;
    int64_t full[] = {2, 3}, row[] = {3}, one[] = {1};
    float a[] = {1, 2, 3, 4, 5, 6}, b[] = {10, 20, 30}, c = 0.5f, y[6];
    const struct kernel_shape shapes[] = {{1, row}, {2, full}, {1, one}}, out = {2, full};
    const void *in[] = {b, a, &c};
    assert_int_equal(kernel_variadic(VARIADIC_SUM, DT_FLOAT, &out, shapes, in, 3, y, 0, 6),
                     KERNEL_OK);
    for (int i = 0; i < 6; i++)
        assert_true(y[i] == b[i % 3] + a[i] + c);
    assert_int_equal(kernel_variadic(VARIADIC_MEAN, DT_FLOAT, &out, shapes, in, 3, y, 2, 6),
                     KERNEL_OK);
    for (int i = 0; i < 6; i++)
        assert_true(y[i] == (i < 2 ? b[i % 3] + a[i] + c : (b[i % 3] + a[i] + c) / 3));
    uint16_t h[3] = {num_to_f16(2048), num_to_f16(1), num_to_f16(1)}, sum;
    const struct kernel_shape ones[] = {{1, one}, {1, one}, {1, one}}, scalar = {1, one};
    const void *halves[] = {h, h + 1, h + 2};
    assert_int_equal(
        kernel_variadic(VARIADIC_SUM, DT_FLOAT16, &scalar, ones, halves, 3, &sum, 0, 1), KERNEL_OK);
    assert_true(num_from_f16(sum) == 2050); /* rounding after each step would give 2048 */
    int64_t i64[] = {5, -9, 7}, m;
    const void *ints[] = {i64, i64 + 1, i64 + 2};
    assert_int_equal(kernel_variadic(VARIADIC_MIN, DT_INT64, &scalar, ones, ints, 3, &m, 0, 1),
                     KERNEL_OK);
    assert_int_equal(m, -9);
    assert_int_equal(kernel_variadic(VARIADIC_MAX, DT_INT64, &scalar, ones, ints, 3, &m, 0, 1),
                     KERNEL_OK);
    assert_int_equal(m, 7);
    assert_int_equal(kernel_variadic(VARIADIC_SUM, DT_INT64, &scalar, ones, ints, 3, &m, 0, 1),
                     KERNEL_TYPE);
}

static void test_where(void **state)
{
    (void)state;
    int64_t rows[] = {2, 1}, cols[] = {3}, one[] = {1};
    struct broadcast plan;
    assert_int_equal(
        broadcast_plan(&plan, (struct kernel_shape[]){{2, rows}, {1, cols}, {1, one}}, 3),
        KERNEL_OK);
    uint8_t condition[] = {1, 0}, byte[6];
    int32_t a[] = {1, 2, 3}, b = 9, y[6];
    assert_int_equal(kernel_where(4, &plan, condition, a, &b, y, 0, 6), KERNEL_OK);
    assert_memory_equal(y, ((int32_t[]){1, 2, 3, 9, 9, 9}), sizeof y);
    assert_int_equal(kernel_where(1, &plan, condition, "abc", "x", byte, 0, 6), KERNEL_OK);
    assert_memory_equal(byte, "abcxxx", 6);
    struct {
        double re, im;
    } p[3] = {{1, 2}, {3, 4}, {5, 6}}, q = {7, 8}, z[6];
    assert_int_equal(kernel_where(16, &plan, condition, p, &q, z, 0, 6), KERNEL_OK);
    assert_true(z[2].im == 6 && z[5].re == 7);
    assert_int_equal(kernel_where(3, &plan, condition, a, &b, y, 0, 6), KERNEL_TYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broadcast),      cmocka_unit_test(test_refused_shapes),
        cmocka_unit_test(test_floats),         cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_small_integers), cmocka_unit_test(test_wide_integers),
        cmocka_unit_test(test_bool),           cmocka_unit_test(test_power),
        cmocka_unit_test(test_variadic),       cmocka_unit_test(test_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
