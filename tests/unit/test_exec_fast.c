/* The fast engine against the reference engine on graphs that exercise fusion, channels last, views and
 * the planner: outputs, taps, equal bits for any number of threads, no two living values in one place.
 */
#include "exec_test.h"

#include "base/mem.h"
#include "exec/plan.h"

static const char RESIDUAL[] =
    "ir 8 opset 17 graph g(x: float[n,3,h,w]) -> (y: float[n,a,b,c], z: float[n,d]) {\n"
    "  w1: float[16,3,3,3] = fill(seed 1, -0.3, 0.3)\n  b1: float[16] = fill(seed 2, -1, 1)\n"
    "  s: float[16] = fill(seed 3, 0.5, 2)\n  o: float[16] = fill(seed 4, -1, 1)\n"
    "  m: float[16] = fill(seed 5, -1, 1)\n  v: float[16] = fill(seed 6, 0.5, 2)\n"
    "  wd: float[16,1,3,3] = fill(seed 7, -0.5, 0.5)\n  w2: float[16,16,1,1] = fill(seed 8, -0.3, "
    "0.3)\n"
    "  w3: float[20,32,3,3] = fill(seed 9, -0.1, 0.1)\n  low: float[] = 0\n  high: float[] = 6\n"
    "  f: float[10,20] = fill(seed 10, -0.5, 0.5)\n  g: float[10] = fill(seed 11, -1, 1)\n"
    "  three: float[] = 3\n  six: float[] = 6\n"
    "  c1 = Conv<pads=[1, 1, 1, 1], strides=[2, 2]>(x, w1, b1)\n"
    "  n1 = BatchNormalization(c1, s, o, m, v)\n  r1 = Relu(n1)\n"
    "  pads: int64[8] = [0, 0, 1, 1, 0, 0, 1, 1]\n  p1 = Pad(r1, pads)\n"
    "  d1 = Conv<group=16>(p1, wd)\n  k1 = Clip(d1, low, high)\n"
    "  c2 = Conv(k1, w2)\n  a1 = Add(c2, r1)\n"
    "  h1 = Add(a1, three)\n  h2 = Clip(h1, low, high)\n  h3 = Mul(a1, h2)\n  h4 = Div(h3, six)\n"
    "  mp = MaxPool<kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1]>(h4)\n"
    "  ap = AveragePool<kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1]>(r1)\n"
    "  cc = Concat<axis=1>(mp, ap)\n  g1 = GlobalAveragePool(cc)\n  g2 = Sigmoid(g1)\n"
    "  se = Mul(cc, g2)\n  y = Conv<pads=[1, 1, 1, 1]>(se, w3)\n"
    "  mean = ReduceMean<axes=[2, 3], keepdims=0>(y)\n  z = Gemm<transB=1>(mean, f, g)\n}";

static const char TRANSPOSED[] =
    "ir 8 opset 17 graph g(x: float[1,h,w,8]) -> (y: float[1,a,b,c], z: float[1,e,f,d]) {\n"
    "  k: float[8,8,3,3] = fill(seed 1, -0.2, 0.2)\n"
    "  t: float[8,4,2,2] = fill(seed 2, -0.2, 0.2)\n  sl: float[8,1,1] = fill(seed 3, 0, 0.5)\n"
    "  a = Transpose<perm=[0, 3, 1, 2]>(x)\n  c = Conv<pads=[1, 1, 1, 1]>(a, k)\n"
    "  p = PRelu(c, sl)\n  m = ReduceMax<axes=[1]>(p)\n  q = Sub(p, m)\n  s = Softmax<axis=1>(q)\n"
    "  y = Transpose<perm=[0, 2, 3, 1]>(s)\n"
    "  u = ConvTranspose<strides=[2, 2]>(s, t)\n  l, r = Split<axis=1>(u)\n  w = Mul(l, r)\n"
    "  z = Transpose<perm=[0, 3, 2, 1]>(w)\n}";

static const char PRODUCTS[] =
    "ir 8 opset 17 graph g(x: float[b,t,24]) -> (y: float[b,t,24], r: float[1,8]) {\n"
    "  wq: float[24,24] = fill(seed 1, -0.3, 0.3)\n  wk: float[24,24] = fill(seed 2, -0.3, 0.3)\n"
    "  wv: float[24,24] = fill(seed 3, -0.3, 0.3)\n  bq: float[24] = fill(seed 4, -1, 1)\n"
    "  w8: float[24,8] = fill(seed 5, -1, 1)\n  half: float[] = 0.40825\n"
    "  sh: int64[4] = [0, 0, 4, 6]\n  back: int64[3] = [0, 0, 24]\n"
    "  q0 = MatMul(x, wq)\n  q1 = Add(q0, bq)\n  q2 = Reshape(q1, sh)\n"
    "  q3 = Transpose<perm=[0, 2, 1, 3]>(q2)\n  k0 = MatMul(x, wk)\n  k2 = Reshape(k0, sh)\n"
    "  k3 = Transpose<perm=[0, 2, 3, 1]>(k2)\n  v0 = MatMul(x, wv)\n  v2 = Reshape(v0, sh)\n"
    "  v3 = Transpose<perm=[0, 2, 1, 3]>(v2)\n  s0 = MatMul(q3, k3)\n  s1 = Mul(s0, half)\n"
    "  s2 = Softmax<axis=-1>(s1)\n  o0 = MatMul(s2, v3)\n  o1 = Transpose<perm=[0, 2, 1, 3]>(o0)\n"
    "  o2 = Reshape(o1, back)\n  y = Add(o2, x)\n"
    "  f = ReduceSum<keepdims=0>(y)\n  e: int64[2] = [1, 1]\n  f1 = Reshape(f, e)\n"
    "  one: float[1,24] = fill(0.01)\n  f2 = MatMul(f1, one)\n  f3 = MatMul(f2, w8)\n"
    "  f4 = Sigmoid(f3)\n  r = Mul(f3, f4)\n}";

static const char INTEGERS[] =
    "ir 8 opset 17 opset com.microsoft 1\n"
    "graph g(x: float[m,96]) -> (y: float[m,200], z: int32[m,1100]) {\n"
    "  w: int8[96,200] = fill(seed 1, -128, 127)\n  wu: uint8[96,1100] = fill(seed 2, 0, 255)\n"
    "  wz: int8[] = -7\n  cz: uint8[1100] = fill(seed 3, 0, 255)\n"
    "  ws: float[200] = fill(seed 4, 0.01, 0.02)\n  b: float[200] = fill(seed 5, -1, 1)\n"
    "  q, s, k = DynamicQuantizeLinear(x)\n  y0 = MatMulInteger(q, w, k, wz)\n"
    "  y1 = Cast<to=1>(y0)\n  y2 = com.microsoft::DynamicQuantizeMatMul(x, w, ws, _, b)\n"
    "  y = Add(y1, y2)\n  z0 = MatMulInteger(q, wu, k, cz)\n  z1 = MatMulInteger(q, wu)\n"
    "  z = Add(z0, z1)\n}";

/* Few channels along one axis: products of written rows, and filters, whose windows reach into the padding. */
static const char SIGNAL[] =
    "ir 8 opset 17 graph g(x: float[b,2,n]) -> (y: float[b,32,m], z: float[b,3,k]) {\n"
    "  w: float[32,2,24] = fill(seed 1, -0.3, 0.3)\n  b1: float[32] = fill(seed 2, -1, 1)\n"
    "  f: float[3,2,40] = fill(seed 3, -0.3, 0.3)\n  b3: float[3] = fill(seed 4, -1, 1)\n"
    "  s: float[3,1] = fill(seed 5, 0.5, 2)\n"
    "  y0 = Conv<strides=[5], pads=[3, 17]>(x, w, b1)\n  y = Relu(y0)\n"
    "  z0 = Conv<strides=[2], pads=[30, 45]>(x, f, b3)\n  z1 = Mul(z0, s)\n"
    "  z2 = Sigmoid(z1)\n  z = Mul(z1, z2)\n}";

static const struct graph_case {
    const char *text;
    int rank;
    int64_t dims[4];
} CASES[] = {
    {RESIDUAL, 4, {1, 3, 37, 53}},   {RESIDUAL, 4, {3, 3, 16, 16}},
    {RESIDUAL, 4, {1, 3, 160, 160}}, {TRANSPOSED, 4, {1, 9, 7, 8}},
    {TRANSPOSED, 4, {1, 64, 64, 8}}, {TRANSPOSED, 4, {1, 200, 130, 8}},
    {PRODUCTS, 3, {1, 17, 24}},      {PRODUCTS, 3, {2, 256, 24}},
    {INTEGERS, 2, {1, 96}},          {INTEGERS, 2, {37, 96}},
    {SIGNAL, 3, {2, 2, 300}},        {SIGNAL, 3, {1, 2, 9000}},
    {SIGNAL, 3, {1, 2, 7}},
};
enum { N_CASES = sizeof CASES / sizeof *CASES };

static void case_open(struct bench *b, const struct graph_case *c)
{
    bench_open(b, c->text);
    bench_fill(b, 0, DT_FLOAT, c->rank, c->dims, -2, 2);
}

static void engines_agree(void **state)
{
    (void)state;
    for (int i = 0; i < N_CASES; i++) {
        struct bench a, b;
        case_open(&a, &CASES[i]);
        case_open(&b, &CASES[i]);
        assert_int_equal(bench_run(&a, (struct exec_options){.engine = ENGINE_REFERENCE}, 1), 0);
        assert_int_equal(bench_run(&b, (struct exec_options){.engine = ENGINE_ONEDNN}, 1), 0);
        check_close(b.out[0], a.out[0], "first output");
        check_close(b.out[1], a.out[1], "second output");
        bench_close(&a);
        bench_close(&b);
    }
}

static void threads_give_the_same_bits(void **state)
{
    (void)state;
    for (int i = 0; i < N_CASES; i++)
        for (int e = 0; e < 2; e++) {
            struct bench b;
            const struct tensor *first[2];
            case_open(&b, &CASES[i]);
            for (int threads = 1; threads <= 4; threads *= 2) {
                struct exec_options o = {.engine = e ? ENGINE_ONEDNN : ENGINE_REFERENCE};
                assert_int_equal(bench_run(&b, o, threads), 0);
                for (int k = 0; k < 2; k++) {
                    if (threads == 1)
                        first[k] = b.out[k];
                    assert_true(tensor_same(first[k], b.out[k]));
                }
            }
            bench_close(&b);
        }
}

/* ---- taps ---- */

struct seen {
    struct arena *arena;
    const struct tensor **by_value;
    int calls;
};

static int see(void *user, int64_t sample, int worker, const struct value *v,
               const struct tensor *t)
{
    struct seen *s = user;
    (void)sample;
    (void)worker;
    struct tensor *copy = tensor_new(s->arena, t->dtype, t->rank, t->dims);
    if (t->bytes)
        memcpy(tensor_writable(copy), t->data, t->bytes);
    s->by_value[v->id] = copy;
    s->calls++;
    return 0;
}

static size_t every_value(const struct bench *b, const struct value **taps)
{
    size_t n = 0;
    for (const struct node *node = b->m->graph->first; node; node = node->next)
        for (uint32_t i = 0; i < node->n_outputs; i++)
            taps[n++] = node->outputs[i];
    return n;
}

static void see_all(struct bench *b, enum engine engine, const struct value *const *taps, size_t n,
                    struct seen *s)
{
    *s = (struct seen){.arena = b->arena};
    s->by_value = arena_array(b->arena, b->m->n_values, sizeof *s->by_value);
    struct exec_options o = {
        .engine = engine, .taps = taps, .n_taps = n, .tap = see, .tap_user = s};
    assert_int_equal(bench_run(b, o, 1), 0);
}

static void taps_see_every_value(void **state)
{
    (void)state;
    for (int i = 0; i < N_CASES; i++) {
        struct bench b;
        struct seen slow, fast;
        const struct value *taps[64];
        case_open(&b, &CASES[i]);
        size_t n = every_value(&b, taps);
        see_all(&b, ENGINE_REFERENCE, taps, n, &slow);
        see_all(&b, ENGINE_ONEDNN, taps, n, &fast);
        assert_int_equal(slow.calls, 2 * n); /* two runs */
        assert_int_equal(fast.calls, 2 * n);
        for (size_t k = 0; k < n; k++)
            check_close(fast.by_value[taps[k]->id], slow.by_value[taps[k]->id], taps[k]->name);
        bench_close(&b);
    }
}

/* One tap at a time leaves the fusion around it in place. */
static void single_taps_under_fusion(void **state)
{
    struct bench b;
    struct seen slow, fast;
    const struct value *taps[64];
    (void)state;
    case_open(&b, &CASES[0]);
    size_t n = every_value(&b, taps);
    see_all(&b, ENGINE_REFERENCE, taps, n, &slow);
    for (size_t k = 0; k < n; k++) {
        see_all(&b, ENGINE_ONEDNN, &taps[k], 1, &fast);
        assert_int_equal(fast.calls, 2);
        check_close(fast.by_value[taps[k]->id], slow.by_value[taps[k]->id], taps[k]->name);
    }
    bench_close(&b);
}

/* A tap that writes: the model goes on with what it wrote. */
static int set_to_one(void *user, int64_t sample, int worker, const struct value *v,
                      const struct tensor *t)
{
    union {
        const void *in;
        float *out;
    } data = {t->data};
    (void)user, (void)sample, (void)worker, (void)v;
    for (int64_t i = 0; i < t->count; i++)
        data.out[i] = 1;
    return 0;
}

static void taps_may_write(void **state)
{
    struct bench b;
    (void)state;
    bench_open(&b, "ir 8 opset 17 graph g(x: float[1,2,3,3]) -> (y: float[1,2,3,3]) {\n"
                   "  w: float[2,2,1,1] = [1, 2, 3, 4]\n  t = Neg(x)\n  y = Conv(t, w)\n}");
    bench_fill(&b, 0, DT_FLOAT, 4, (const int64_t[]){1, 2, 3, 3}, -1, 1);
    const struct value *tap = b.m->graph->first->outputs[0];
    struct exec_options o = {.engine = ENGINE_ONEDNN, .taps = &tap, .n_taps = 1, .tap = set_to_one};
    o.tap_writes = true;
    assert_int_equal(bench_run(&b, o, 1), 0);
    for (int64_t i = 0; i < 18; i++)
        assert_true(fabs(tensor_get(b.out[0], i) - (i < 9 ? 3 : 7)) < 1e-5);
    bench_close(&b);
}

/* ---- many samples ---- */

struct many {
    struct bench *b;
    const struct tensor *in[9];
    struct tensor *out[9];
};

static int fetch(void *user, int64_t k, int worker, const struct tensor **in)
{
    struct many *m = user;
    (void)worker;
    in[0] = m->in[k];
    return k == 4 ? EXEC_SKIP : 0;
}

static int done(void *user, int64_t k, int worker, const struct tensor *const *out)
{
    struct many *m = user;
    (void)worker;
    memcpy(tensor_writable(m->out[k]), out[0]->data, out[0]->bytes);
    return 0;
}

static void many_equal_single(void **state)
{
    (void)state;
    struct bench b;
    case_open(&b, &CASES[0]);
    struct many m = {.b = &b};
    const struct tensor *want[9];
    for (int k = 0; k < 9; k++) {
        bench_fill(&b, k % MAX_IO, DT_FLOAT, 4, CASES[k % 2].dims, -2, 2); /* two shapes in turn */
        m.in[k] = b.in[k % MAX_IO];
        b.in[0] = m.in[k];
        assert_int_equal(bench_run(&b, (struct exec_options){.engine = ENGINE_ONEDNN}, 1), 0);
        want[k] = b.out[0];
        m.out[k] = tensor_new(b.arena, DT_FLOAT, want[k]->rank, want[k]->dims);
    }
    for (int threads = 1; threads <= 4; threads *= 2) {
        pool_free(b.ctx.pool);
        b.ctx.pool = pool_new(threads);
        struct exec *x = exec_new(b.m, &(struct exec_options){.engine = ENGINE_ONEDNN});
        struct exec_job job = {9, fetch, done, &m};
        assert_int_equal(exec_run_many(x, &job), 0);
        for (int k = 0; k < 9; k++)
            if (k != 4)
                assert_true(tensor_same(m.out[k], want[k]));
        exec_free(x);
    }
    bench_close(&b);
}

/* ---- the planner ---- */

static int first_of(const struct plan *p, size_t slot) { return p->slots.data[slot].producer; }

/* Owners of places that live at the same time do not overlap. */
static void places_do_not_overlap(void **state)
{
    (void)state;
    for (int i = 0; i < N_CASES; i++) {
        struct bench b;
        case_open(&b, &CASES[i]);
        struct exec *x = exec_new(b.m, &(struct exec_options){.engine = ENGINE_ONEDNN});
        const struct tensor *out[2];
        assert_int_equal(exec_run(x, b.in, out), 0);
        const struct plan *p = x->sessions.data[0]->plan;
        size_t sum = 0;
        for (size_t s = 0; s < p->slots.count; s++) {
            const struct slot *a = &p->slots.data[s];
            if ((a->kind != SLOT_STATIC && a->kind != SLOT_TEMP) || a->storage != (int)s ||
                a->producer < 0)
                continue;
            sum += a->bytes;
            assert_true(a->offset + a->bytes <= p->block_bytes);
            for (size_t t = 0; t < s; t++) {
                const struct slot *c = &p->slots.data[t];
                if ((c->kind != SLOT_STATIC && c->kind != SLOT_TEMP) || c->storage != (int)t ||
                    c->producer < 0)
                    continue;
                bool together = first_of(p, t) <= a->last && first_of(p, s) <= c->last;
                bool apart = a->offset + a->bytes <= c->offset || c->offset + c->bytes <= a->offset;
                assert_true(!together || apart || !a->bytes || !c->bytes);
            }
        }
        assert_true(p->block_bytes < sum); /* places are reused */
        exec_free(x);
        bench_close(&b);
    }
}

/* Convolutions, what follows them and their padding are one step each. */
static void products_absorb_what_follows(void **state)
{
    struct bench b;
    (void)state;
    case_open(&b, &CASES[0]);
    struct exec_options o = {.engine = ENGINE_ONEDNN, .profile = true};
    struct exec *x = exec_new(b.m, &o);
    const struct tensor *out[2];
    struct exec_time times[64];
    assert_int_equal(exec_run(x, b.in, out), 0);
    size_t n = exec_profile(x, times, 64);
    static const char *const WANT[] = {"Conv+BatchNormalization+Relu", "Pad+Conv+Clip",
                                       "Conv+Add+Add+Clip+Mul+Div"};
    for (size_t w = 0; w < sizeof WANT / sizeof *WANT; w++) {
        bool found = false;
        for (size_t i = 0; i < n; i++)
            found |= strcmp(times[i].op, WANT[w]) == 0;
        assert_true(found);
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(times[i].calls, 1);
    exec_free(x);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engines_agree),         cmocka_unit_test(threads_give_the_same_bits),
        cmocka_unit_test(taps_see_every_value),  cmocka_unit_test(single_taps_under_fusion),
        cmocka_unit_test(taps_may_write),        cmocka_unit_test(many_equal_single),
        cmocka_unit_test(places_do_not_overlap), cmocka_unit_test(products_absorb_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
