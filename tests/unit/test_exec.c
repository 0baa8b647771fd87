/* The executor on small graphs: both engines, any number of threads, control flow, functions, values sized
 * at run time, refusals.
 */
#include "exec_test.h"

static const enum engine ENGINES[] = {ENGINE_REFERENCE, ENGINE_ONEDNN};

/* Runs with both engines and 1, 2, 4 threads; the output is the same each time and equals `want`. */
static void check_runs(const char *text, void (*inputs)(struct bench *), const float *want,
                       int64_t count)
{
    for (int e = 0; e < 2; e++)
        for (int threads = 1; threads <= 4; threads *= 2) {
            struct bench b;
            bench_open(&b, text);
            if (inputs)
                inputs(&b);
            int code = bench_run(&b, (struct exec_options){.engine = ENGINES[e]}, threads);
            for (size_t i = 0; code && i < diag_count(b.ctx.diag); i++)
                printf("%s\n", diag_at(b.ctx.diag, i)->message);
            assert_int_equal(code, 0);
            check_floats(b.out[0], want, count);
            bench_close(&b);
        }
}

static void count_six(struct bench *b) /* 1..6 as [2,3] */
{
    struct tensor *t = tensor_new(b->arena, DT_FLOAT, 2, (const int64_t[]){2, 3});
    for (int i = 0; i < 6; i++)
        ((float *)tensor_writable(t))[i] = (float)(i + 1);
    b->in[0] = t;
}

static void product_and_relu(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[2,2]) {\n"
               "  w: float[3,2] = [1, -1, 1, -1, 1, -1]\n"
               "  c: float[2] = [-10, 10]\n"
               "  t = MatMul(x, w)\n  u = Add(t, c)\n  y = Relu(u)\n}",
               count_six, (const float[]){0, 4, 5, 0}, 4);
}

/* Max(c, x) reads x after it has written the output: it must not take x's place. */
static void variadic_in_place(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[2,3]) {\n"
               "  c: float[] = 3.5\n  t = Neg(x)\n  u = Neg(t)\n  y = Max(c, u)\n}",
               count_six, (const float[]){3.5f, 3.5f, 3.5f, 4, 5, 6}, 6);
}

/* The same bytes broadcast in another shape by the other operand. */
static void broadcast_of_itself(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[6,6]) {\n"
               "  s: int64[2] = [6, 1]\n  r: int64[2] = [1, 6]\n  t = Abs(x)\n"
               "  a = Reshape(t, s)\n  b = Reshape(t, r)\n  y = Sub(a, b)\n}",
               count_six,
               (const float[]){0, -1, -2, -3, -4, -5, 1, 0, -1, -2, -3, -4, 2, 1, 0, -1, -2, -3,
                               3, 2,  1,  0,  -1, -2, 4, 3, 2,  1,  0,  -1, 5, 4, 3, 2,  1,  0},
               36);
}

static void view_of_an_input(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[3,2]) {\n"
               "  s: int64[2] = [3, -1]\n  y = Reshape(x, s)\n}",
               count_six, (const float[]){1, 2, 3, 4, 5, 6}, 6);
}

static void shape_arithmetic_vanishes(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[n,3]) -> (y: float[a,b]) {\n"
               "  i: int64[] = 0\n  one: int64[1] = [1]\n  s = Shape(x)\n  d = Gather(s, i)\n"
               "  ax: int64[1] = [0]\n  e = Unsqueeze(d, ax)\n  neg: int64[1] = [-1]\n"
               "  t = Concat<axis=0>(neg, e)\n  y = Reshape(x, t)\n}",
               count_six, (const float[]){1, 2, 3, 4, 5, 6}, 6);
}

/* ---- control flow ---- */

static void branch_taken_at_run_time(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[2,3]) {\n"
               "  zero: float[] = 0\n  s = ReduceSum<keepdims=0>(x)\n  c = Greater(s, zero)\n"
               "  t = Neg(x)\n"
               "  y = If<then_branch=graph a() -> (p) { p = Add(t, t) }, else_branch=graph b() -> "
               "(q) { q = Mul(x, x) }>(c)\n}",
               count_six, (const float[]){-2, -4, -6, -8, -10, -12}, 6);
}

static void branch_known_before(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[2,3]) {\n"
               "  c: bool[] = 0\n"
               "  y = If<then_branch=graph a() -> (p) { p = Add(x, x) }, else_branch=graph b() -> "
               "(q) { q = Mul(x, x) }>(c)\n}",
               count_six, (const float[]){1, 4, 9, 16, 25, 36}, 6);
}

/* A carried sum of fixed shape and a scanned output. */
static void loop_with_fixed_shapes(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[2,3], z: float[3,2,3]) {\n"
               "  m: int64[] = 3\n  c: bool[] = 1\n"
               "  y, z = Loop<body=graph b(i: int64[], k: bool[], a: float[2,3]) -> (k2, a2, o) {\n"
               "    k2 = Identity(k)\n    a2 = Add(a, x)\n    o = Mul(a2, a)\n  }>(m, c, x)\n}",
               count_six, (const float[]){4, 8, 12, 16, 20, 24}, 6);
}

/* The carried value grows: it is sized at run time. */
static void loop_that_grows(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[n,3]) {\n"
               "  m: int64[] = 2\n  c: bool[] = 1\n"
               "  y = Loop<body=graph b(i: int64[], k: bool[], a: float[r,3]) -> (k2, a2) {\n"
               "    k2 = Identity(k)\n    a2 = Concat<axis=0>(a, x)\n  }>(m, c, x)\n}",
               count_six, (const float[]){1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6},
               18);
}

static void scan_of_rows(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[3], z: float[2,3]) {\n"
               "  s: float[3] = [0, 0, 0]\n"
               "  y, z = Scan<num_scan_inputs=1, body=graph b(a: float[3], r: float[3]) -> (a2, o) "
               "{\n    a2 = Add(a, r)\n    o = Identity(a2)\n  }>(s, x)\n}",
               count_six, (const float[]){5, 7, 9}, 3);
}

/* ---- functions ---- */

static void function_with_attributes(void **state)
{
    (void)state;
    check_runs("ir 9 opset 17 opset local 1\n"
               "graph g(x: float[2,3]) -> (y: float[2,3]) {\n"
               "  t = local::Steep<slope=0.5>(x)\n  y = local::Steep(t)\n}\n"
               "function local::Steep<slope=0.25>(a) -> (b) opset 17 {\n"
               "  n = Neg(a)\n  b = LeakyRelu<alpha=@float:slope>(n)\n}",
               count_six, (const float[]){0.5f, 1, 1.5f, 2, 2.5f, 3}, 6);
}

/* ---- sized at run time ---- */

static void found_positions(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[n]) {\n"
               "  two: float[] = 3.5\n  c = Greater(x, two)\n  p = NonZero(c)\n"
               "  q = Transpose(p)\n  v = GatherND(x, q)\n  w = Add(v, v)\n  y = Relu(w)\n}",
               count_six, (const float[]){8, 10, 12}, 3);
}

static void sequences(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[n,3]) {\n"
               "  t = Neg(x)\n  s = SequenceConstruct(x, t)\n  one: int64[] = 1\n"
               "  u = SequenceAt(s, one)\n  s2 = SequenceInsert(s, u)\n"
               "  y = ConcatFromSequence<axis=0>(s2)\n}",
               count_six,
               (const float[]){1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6, -1, -2, -3, -4, -5, -6},
               18);
}

/* ---- half precision ---- */

static void half_is_rounded_once(void **state)
{
    struct bench b;
    (void)state;
    /* 2048 + 1 + 1 in float16 would be 2048 when each sum is rounded */
    bench_open(&b, "ir 8 opset 17 graph g(x: float16[1]) -> (y: float16[1]) {\n"
                   "  o: float16[1] = [1]\n  t = Add(x, o)\n  y = Add(t, o)\n}");
    struct tensor *x = tensor_new(b.arena, DT_FLOAT16, 1, (const int64_t[]){1});
    *(uint16_t *)tensor_writable(x) = 0x6800; /* 2048 */
    b.in[0] = x;
    assert_int_equal(bench_run(&b, (struct exec_options){.engine = ENGINE_REFERENCE}, 1), 0);
    assert_int_equal(b.out[0]->dtype, DT_FLOAT16);
    assert_true(tensor_get(b.out[0], 0) == 2050);
    bench_close(&b);
}

/* Constants are rounded at every node, as whoever folds them does; a cast to float16 rounds. */
static void half_constants_are_folded_as_halves(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, "ir 8 opset 17 graph g(x: float16[1]) -> (y: float16[1]) {\n"
                   "  k: float16[1] = [2048]\n  o: float16[1] = [1]\n  t = Add(k, o)\n"
                   "  y = Add(t, x)\n}");
    struct tensor *x = tensor_new(b.arena, DT_FLOAT16, 1, (const int64_t[]){1});
    *(uint16_t *)tensor_writable(x) = 0x3c00; /* 1 */
    b.in[0] = x;
    assert_int_equal(bench_run(&b, (struct exec_options){.engine = ENGINE_REFERENCE}, 1), 0);
    assert_true(tensor_get(b.out[0], 0) == 2048); /* 2048 + 1 is 2048, and once more */
    bench_close(&b);
}

/* ---- refusals ---- */

static void unknown_operator(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, "ir 8 opset 17 opset odd 1 graph g(x: float[2]) -> (y: float[2]) {\n"
                   "  t = Neg(x)\n  y = odd::Thing(t)\n}");
    assert_null(exec_new(b.m, &(struct exec_options){.engine = ENGINE_REFERENCE}));
    assert_int_equal(diag_at(b.ctx.diag, 0)->info->id, E_NO_EVAL);
    bench_close(&b);
}

/* ... but not when nobody needs it. */
static void unknown_operator_unused(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, "ir 8 opset 17 opset odd 1 graph g(x: float[2,3]) -> (y: float[2,3]) {\n"
                   "  t = odd::Thing(x)\n  y = Neg(x)\n}");
    count_six(&b);
    assert_int_equal(bench_run(&b, (struct exec_options){.engine = ENGINE_ONEDNN}, 1), 0);
    bench_close(&b);
}

static void wrong_input(void **state)
{
    static const struct {
        enum dtype dtype;
        int rank;
        int64_t dims[3];
    } BAD[] = {{DT_DOUBLE, 2, {2, 3}}, {DT_FLOAT, 3, {1, 2, 3}}, {DT_FLOAT, 2, {2, 4}}};
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct bench b;
        bench_open(&b, "ir 8 opset 17 graph g(x: float[n,3]) -> (y: float[n,3]) { y = Neg(x) }");
        bench_fill(&b, 0, BAD[i].dtype, BAD[i].rank, BAD[i].dims, 0, 1);
        assert_true(bench_run(&b, (struct exec_options){.engine = ENGINE_REFERENCE}, 1) < 0);
        assert_int_equal(diag_at(b.ctx.diag, 0)->info->id, E_RUN_INPUT);
        bench_close(&b);
    }
}

static void missing_input(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, "ir 8 opset 17 graph g(x: float[2]) -> (y: float[2]) { y = Neg(x) }");
    assert_true(bench_run(&b, (struct exec_options){.engine = ENGINE_REFERENCE}, 1) < 0);
    assert_int_equal(diag_at(b.ctx.diag, 0)->info->id, E_RUN_INPUT);
    bench_close(&b);
}

static void default_of_an_input(void **state)
{
    (void)state;
    check_runs("ir 8 opset 17 graph g(x: float[2,3], d: float[] = 2) -> (y: float[2,3]) {\n"
               "  y = Mul(x, d)\n}",
               count_six, (const float[]){2, 4, 6, 8, 10, 12}, 6);
}

static void take_three(struct bench *b)
{
    count_six(b);
    b->in[1] = tensor_scalar(b->arena, DT_FLOAT, 3);
    b->in[2] = tensor_scalar(b->arena, DT_BOOL, 1);
}

static void overridden_inside_a_branch(void **state)
{
    (void)state;
    check_runs(
        "ir 8 opset 17 graph g(x: float[2,3], d: float[] = 2, c: bool[]) -> (y: float[2,3]) {\n"
        "  y = If<then_branch=graph a() -> (p) { p = Mul(x, d) }, else_branch=graph b() -> (q) { q "
        "= "
        "Neg(x) }>(c)\n}",
        take_three, (const float[]){3, 6, 9, 12, 15, 18}, 6);
}

static void nonfinite_is_named(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, "ir 8 opset 17 graph g(x: float[2,3]) -> (y: float[2,3]) {\n"
                   "  z: float[] = 0\n  t = Div(x, z)\n  y = Relu(t)\n}");
    count_six(&b);
    struct exec_options o = {.engine = ENGINE_REFERENCE, .check_nonfinite = true};
    assert_true(bench_run(&b, o, 1) < 0);
    assert_int_equal(diag_at(b.ctx.diag, 0)->info->id, E_RUN_NONFINITE);
    assert_string_equal(diag_at(b.ctx.diag, 0)->where.tensor, "t");
    b.ctx.allow_nonfinite = true;
    assert_int_equal(bench_run(&b, o, 1), 0);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(product_and_relu),
        cmocka_unit_test(variadic_in_place),
        cmocka_unit_test(broadcast_of_itself),
        cmocka_unit_test(view_of_an_input),
        cmocka_unit_test(shape_arithmetic_vanishes),
        cmocka_unit_test(branch_taken_at_run_time),
        cmocka_unit_test(branch_known_before),
        cmocka_unit_test(loop_with_fixed_shapes),
        cmocka_unit_test(loop_that_grows),
        cmocka_unit_test(scan_of_rows),
        cmocka_unit_test(function_with_attributes),
        cmocka_unit_test(found_positions),
        cmocka_unit_test(sequences),
        cmocka_unit_test(half_is_rounded_once),
        cmocka_unit_test(half_constants_are_folded_as_halves),
        cmocka_unit_test(unknown_operator),
        cmocka_unit_test(unknown_operator_unused),
        cmocka_unit_test(wrong_input),
        cmocka_unit_test(missing_input),
        cmocka_unit_test(default_of_an_input),
        cmocka_unit_test(overridden_inside_a_branch),
        cmocka_unit_test(nonfinite_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
