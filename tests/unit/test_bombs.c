/* Small models that ask for much: results of any size, loops without end, divisions by zero in shape arithmetic. Each is refused with its own error id,
 * before memory is taken (the peak stays far below what it asks for) and before much time has passed.
 */
#include "exec_test.h"

#include "base/mem.h"
#include "base/num.h"
#include "ops/op.h"

enum { LIMIT = 64 << 20, PEAK = 8 << 20 };

/* x is float [2, 2], k int64 [1], both given at run time: k = number. */
struct bomb {
    const char *what, *body;
    int64_t number;
    enum err id;
};

static const struct bomb BOMBS[] = {
    {"Expand", "s = Concat<axis=0>(k, two, two)\n  y = Expand(x, s)", 1000000000, E_LIMIT_MEMORY},
    {"Expand, overflow", "s = Concat<axis=0>(k, k, two, two)\n  y = Expand(x, s)", INT64_MAX,
     E_SHAPE},
    {"Expand, negative", "s = Concat<axis=0>(k, two, two)\n  y = Expand(x, s)", -5, E_SHAPE},
    {"Tile", "s = Concat<axis=0>(k, k)\n  y = Tile(x, s)", 100000, E_LIMIT_MEMORY},
    {"Tile, overflow", "s = Concat<axis=0>(k, k)\n  y = Tile(x, s)", INT64_MAX / 2, E_SHAPE},
    {"Tile, negative", "s = Concat<axis=0>(k, k)\n  y = Tile(x, s)", -1, E_SHAPE},
    {"ConstantOfShape", "y = ConstantOfShape(k)", 1000000000000, E_LIMIT_MEMORY},
    {"ConstantOfShape, overflow", "s = Concat<axis=0>(k, k)\n  y = ConstantOfShape(s)", INT64_MAX,
     E_SHAPE},
    {"ConstantOfShape, negative", "y = ConstantOfShape(k)", -3, E_SHAPE},
    {"Range", "n = Squeeze(k)\n  y = Range(zero, n, one)", 1000000000000, E_LIMIT_MEMORY},
    {"Range, largest", "n = Squeeze(k)\n  y = Range(zero, n, one)", INT64_MAX, E_SHAPE},
    {"Range, step 0", "n = Squeeze(k)\n  y = Range(zero, one, n)", 0, E_SHAPE},
    {"Pad", "s = Concat<axis=0>(k, k, k, k)\n  y = Pad(x, s)", 100000, E_LIMIT_MEMORY},
    {"Pad, overflow", "s = Concat<axis=0>(k, k, k, k)\n  y = Pad(x, s)", INT64_MAX, E_SHAPE},
    {"Pad, too little", "s = Concat<axis=0>(k, k, k, k)\n  y = Pad(x, s)", -100, E_SHAPE},
    {"OneHot", "i: int64[4] = [0, 1, 2, 3]\n  v: float[2] = [0, 1]\n  y = OneHot(i, k, v)",
     1000000000000, E_LIMIT_MEMORY},
    {"OneHot, negative",
     "i: int64[4] = [0, 1, 2, 3]\n  v: float[2] = [0, 1]\n  y = OneHot(i, k, v)", -1, E_SHAPE},
    {"Resize",
     "q: int64[4] = [1, 1, 2, 2]\n  o: int64[2] = [1, 1]\n  z = Reshape(x, q)\n"
     "  s = Concat<axis=0>(o, k, k)\n  y = Resize(z, _, _, s)",
     1000000, E_LIMIT_MEMORY},
    {"Reshape", "y = Reshape(x, k)", 7, E_SHAPE},
    {"Reshape, two unknown", "s = Concat<axis=0>(k, k)\n  y = Reshape(x, s)", -1, E_SHAPE},
    {"Gather, outside", "y = Gather(x, k)", 1000000, E_OP_INDEX},
    {"TopK", "y, i = TopK(x, k)", 1000, E_SHAPE},
    {"EyeLike", "t = Concat<axis=0>(k, k)\n  s = ConstantOfShape(t)\n  y = EyeLike(s)", 1000000,
     E_LIMIT_MEMORY},
    {"MatMul of two long vectors",
     "one1: int64[1] = [1]\n  t = Concat<axis=0>(k, one1)\n  u = Concat<axis=0>(one1, k)\n"
     "  a = ConstantOfShape(t)\n  b = ConstantOfShape(u)\n  y = MatMul(a, b)",
     1000000, E_LIMIT_MEMORY},
    {"division by zero", "s = Div(two, k)\n  y = ConstantOfShape(s)", 0, E_OP_VALUE},
    {"remainder by zero", "s = Mod(two, k)\n  y = ConstantOfShape(s)", 0, E_OP_VALUE},
    {"a loop without end",
     "y = Loop<body=graph b(i: int64[], c: bool[], v: float[2,2]) -> (c2: bool[], v2: float[2,2]) "
     "{\n    c2 = Identity(c)\n    v2 = Relu(v)\n  }>(_, _, x)",
     0, E_LIMIT_TIME},
    {"a loop that collects without end",
     "n = Squeeze(k)\n"
     "  z, y = Loop<body=graph b(i: int64[], c: bool[], v: float[2,2]) -> (c2: bool[], v2: "
     "float[2,2], w: float[2,2]) {\n    c2 = Identity(c)\n    v2 = Relu(v)\n    w = Neg(v)\n"
     "  }>(n, _, x)",
     1000000000000, E_LIMIT_MEMORY},
};

/* The same numbers as constants: what inference and folding see. */
static const char *const DECLARED[2] = {"as an input", "as a constant"};

static const char *text_of(struct arena *a, const struct bomb *b, bool constant)
{
    return arena_printf(
        a,
        "ir 8 opset 17 graph g(x: float[2,2]%s) -> (y) {\n"
        "  two: int64[1] = [2]\n  zero: int64[] = 0\n  one: int64[] = 1\n%s  %s\n}",
        constant ? "" : ", k: int64[1]",
        constant ? arena_printf(a, "  k: int64[1] = [%lld]\n", (long long)b->number) : "", b->body);
}

static enum err last_error(const struct bench *b)
{
    enum err id = E_NONE;
    for (size_t i = 0; i < diag_count(b->ctx.diag); i++)
        if (diag_at(b->ctx.diag, i)->info->severity == SEVERITY_ERROR && id == E_NONE)
            id = diag_at(b->ctx.diag, i)->info->id;
    return id;
}

static int one(const struct bomb *row, bool constant, enum engine engine)
{
    struct bench b;
    struct arena *a = arena_new();
    const struct tensor *out[MAX_IO] = {0};
    bench_open(&b, text_of(a, row, constant));
    bench_fill(&b, 0, DT_FLOAT, 2, (int64_t[]){2, 2}, 0, 1);
    struct tensor *k = tensor_new(b.arena, DT_INT64, 1, (int64_t[]){1});
    num_set_int(tensor_writable(k), DT_INT64, 0, row->number);
    b.in[1] = k;
    mem_set_limit(mem_in_use() + LIMIT);
    b.ctx.deadline = row->id == E_LIMIT_TIME ? ctx_now() + 0.01 : 0;
    int code = model_infer(b.m, NULL, NULL);
    struct exec *x = code ? NULL : exec_new(b.m, &(struct exec_options){.engine = engine});
    code = code ? code : x ? exec_run(x, b.in, out) : -1;
    enum err id = last_error(&b);
    exec_free(x);
    mem_set_limit(0);
    int wrong = !code || id != row->id;
    if (wrong)
        printf("%s, %s: code %d, error %d, expected %d: %s\n", row->what, DECLARED[constant], code,
               (int)id, (int)row->id,
               diag_count(b.ctx.diag) ? diag_at(b.ctx.diag, 0)->message : "nothing is said");
    bench_close(&b);
    arena_free(a);
    return wrong;
}

static void every_bomb_is_refused(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof BOMBS / sizeof *BOMBS; i++)
        for (int constant = 0; constant < 2; constant++)
            for (int engine = 0; engine < 2; engine++)
                wrong += one(&BOMBS[i], constant, engine ? ENGINE_ONEDNN : ENGINE_REFERENCE);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_bomb_is_refused)};
    setvbuf(stdout, NULL, _IOLBF, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
