/* Fused graphs compute what the graphs before computed: every golden case of a pass fuse-*, run by
 * both engines on random numbers; and 40 graphs made from each by changing an input or a constant,
 * where a condition that a pass forgot to check shows as another result. */
#include <dirent.h>
#include <stdlib.h>

#include "base/num.h"
#include "exec_test.h"
#include "ir/edit.h"
#include "passes/pass.h"
#include "targets/target.h"

static const char FOLDER[] = "tests/golden";

static struct arena *arena;
static struct ctx ctx;
static int n_compared, n_failed;
static double tolerance; /* of float32, relative to the largest number */

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    VEC(char) bytes = {0};
    for (int c; f && (c = fgetc(f)) != EOF;)
        vec_push(&bytes, (char)c);
    vec_push(&bytes, '\0');
    if (f)
        fclose(f);
    char *text = arena_copy(arena, bytes.data, bytes.count);
    vec_free(&bytes);
    return text;
}

/* ---- running ---- */

enum { ROOM = 8, OPEN_SIZE = 4 };

/* Open sizes are 4, the scalar that an If asks is true. */
static struct tensor *random_input(const struct value *v, uint64_t seed)
{
    int64_t dims[16];
    for (int i = 0; i < v->type.rank && i < 16; i++)
        if (!dim_is_const(v->type.dims[i], &dims[i]))
            dims[i] = OPEN_SIZE;
    struct tensor *x = tensor_new(arena, v->type.dtype, v->type.rank, dims);
    if (v->type.dtype == DT_BOOL)
        memset(tensor_writable(x), 1, x->bytes);
    else
        text_fill(x, seed, -4, 4);
    return x;
}

static bool is_typed(const struct model *m)
{
    for (size_t i = 0; i < m->graph->inputs.count; i++) {
        const struct type *t = &m->graph->inputs.data[i]->type;
        if (t->kind != TYPE_TENSOR || t->rank < 0 || t->dtype == DT_UNDEFINED)
            return false;
    }
    return m->graph->inputs.count <= ROOM && m->graph->outputs.count <= ROOM;
}

/* Copies of the outputs; 0 when the graph does not run. */
static size_t outputs_of(struct model *m, enum engine engine, const struct tensor *out[ROOM])
{
    const struct tensor *in[ROOM], *own[ROOM];
    struct exec *x = exec_new(m, &(struct exec_options){.engine = engine});
    size_t n = x ? exec_outputs(x) : 0;
    for (size_t i = 0; n && i < m->graph->inputs.count; i++)
        in[i] = random_input(m->graph->inputs.data[i], i + 7);
    if (n && exec_run(x, in, own) < 0)
        n = 0;
    for (size_t i = 0; i < n; i++) {
        struct tensor *copy = tensor_new(arena, own[i]->dtype, own[i]->rank, own[i]->dims);
        memcpy(tensor_writable(copy), own[i]->data, own[i]->bytes);
        out[i] = copy;
    }
    exec_free(x);
    return n;
}

/* ---- comparing ---- */

static double largest(const struct tensor *t)
{
    double most = 0;
    for (int64_t i = 0; i < t->count; i++)
        most = fmax(most, fabs(tensor_get(t, i)));
    return most;
}

/* In float16, where every node rounds to 11 bits, 1 %. */
static void compare(const char *where, const struct tensor *a, const struct tensor *b)
{
    double allowed = largest(a) * (a->dtype == DT_FLOAT16 ? 1e-2 : tolerance), worst = 0;
    if (a->dtype != b->dtype || a->count != b->count || a->rank != b->rank) {
        printf("%s: another type\n", where);
        n_failed++;
        return;
    }
    for (int64_t i = 0; i < a->count; i++) {
        double d = fabs(tensor_get(a, i) - tensor_get(b, i));
        worst = d > worst || isnan(d) ? d : worst;
    }
    if (!(worst <= allowed)) {
        printf("%s: off by %g of %g\n", where, worst, largest(a));
        n_failed++;
    }
}

static bool all_finite(const struct tensor *const *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (int64_t k = 0; k < t[i]->count; k++)
            if (!isfinite(tensor_get(t[i], k)))
                return false;
    return true;
}

static void compare_runs(const char *where, struct model *before, struct model *after)
{
    const struct tensor *a[ROOM], *b[ROOM];
    size_t n = outputs_of(before, ENGINE_REFERENCE, a);
    n = all_finite(a, n) ? n : 0;
    for (int engine = 0; n && engine < 2; engine++) {
        size_t count = outputs_of(after, engine ? ENGINE_ONEDNN : ENGINE_REFERENCE, b);
        if (count != n) {
            printf("%s: does not run\n", where);
            n_failed++;
            return;
        }
        for (size_t i = 0; i < n; i++)
            compare(where, a[i], b[i]);
    }
    n_compared += n > 0;
}

static struct model *parsed(const char *text)
{
    struct model *m = model_parse(&ctx, text);
    if (m) {
        ops_resolve(m);
        model_infer(m, NULL, NULL);
    }
    return m;
}

static void check_case(const char *pass, const char *where, const char *text)
{
    const char *names[] = {pass, NULL};
    struct pass_plan plan = {.names = names, .verify = true};
    struct pass_log log = {0};
    struct model *before = parsed(text), *after = parsed(text);
    if (before && after && is_typed(before) && passes_run(after, &plan, &log) == 0 &&
        log.results.data[0].rewrites)
        compare_runs(where, before, after);
    pass_log_release(&log);
    model_free(before);
    model_free(after);
}

/* ---- cases that are broken in one place ---- */

static uint64_t dice_state;

static uint64_t dice(uint64_t sides) /* xorshift64 (Marsaglia 2003) */
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return dice_state % sides;
}

/* One input of one node reads something else of its type, or a constant gets other numbers. */
static void break_it(struct model *m)
{
    struct node *n = m->nodes.data[dice(m->nodes.count)];
    uint32_t slot = n->n_inputs ? (uint32_t)dice(n->n_inputs) : 0;
    struct value *old = node_input(n, slot);
    struct value *by = m->values.data[dice(m->values.count)];
    if (!old)
        return;
    if (old->constant && dice(2)) {
        struct tensor *t =
            tensor_new(m->arena, old->constant->dtype, old->constant->rank, old->constant->dims);
        static const double FACTORS[] = {2, 0.5, -1, 0, 1.01};
        double factor = FACTORS[dice(5)];
        for (int64_t i = 0; i < t->count; i++)
            num_set(tensor_writable(t), t->dtype, i, tensor_get(old->constant, i) * factor);
        value_set_constant(old, t);
        return;
    }
    bool earlier = !by->producer || by->producer->id < n->id;
    if (earlier && by->type.kind == TYPE_TENSOR && by->type.dtype == old->type.dtype)
        node_set_input(n, slot, by);
}

static void check_broken(const char *pass, const char *where, const char *text)
{
    for (int i = 0; i < (getenv("FULL") ? 400 : 40) && !strstr(text, "float16"); i++) {
        struct model *m = parsed(text);
        for (uint64_t k = 1 + dice(2); m && k; k--)
            break_it(m);
        const char *broken = m ? model_print(m, arena) : "";
        model_free(m);
        int failed = n_failed;
        check_case(pass, where, broken);
        if (n_failed > failed)
            printf("%s\n", broken);
    }
}

static void check_broken_too(const char *pass, const char *where, const char *text)
{
    tolerance = 1e-5;
    check_case(pass, where, text);
    tolerance = 1e-4; /* some of these add up numbers that nearly cancel */
    check_broken(pass, where, text);
}

static void check_file(const char *pass, const char *path)
{
    char *text = read_text(path);
    for (char *at = strstr(text, "--- case "); at;) {
        char *next = strstr(at + 1, "--- case "), *line = strchr(at, '\n');
        char *begin = strstr(at, "--- before\n"), *end = begin ? strstr(begin + 4, "\n--- ") : NULL;
        if (!line || !end)
            break;
        const char *title = arena_printf(arena, "%s: %.*s", path, (int)(line - at), at);
        check_broken_too(pass, title,
                         arena_printf(arena, "%.*s\n", (int)(end - begin - 11), begin + 11));
        at = next;
    }
}

static void check_pass(const char *pass)
{
    const char *folder = arena_printf(arena, "%s/%s", FOLDER, pass);
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strstr(e->d_name, ".txt"))
            check_file(pass, arena_printf(arena, "%s/%s", folder, e->d_name));
    if (d)
        closedir(d);
}

static void test_same_results(void **state)
{
    (void)state;
    dice_state = 88172645463325252u;
    for (size_t i = 0; i < pass_total(); i++)
        if (!strncmp(pass_at(i)->name, "fuse-", 5))
            check_pass(pass_at(i)->name);
    assert_int_equal(n_failed, 0);
    printf("%d graphs compared\n", n_compared);
    assert_true(n_compared > 1000);
}

/* ---- who does not get the operator ---- */

static void check_refusal(struct pass_plan plan, const char *pass, const char *text,
                          const char *reason)
{
    const char *names[] = {pass, NULL};
    struct pass_log log = {0};
    struct model *m = parsed(text);
    assert_non_null(m);
    plan.names = names;
    assert_int_equal(passes_run(m, &plan, &log), 0);
    assert_int_equal(log.results.data[0].rewrites, 0);
    assert_int_equal(log.results.data[0].refused, 1);
    assert_string_equal(log.results.data[0].refusals.data[0].text, reason);
    pass_log_release(&log);
    model_free(m);
}

static void test_target_without(void **state)
{
    static const char TEXT[] = "opset 17\ngraph main(x: float[2,3]) -> (y) {\n"
                               "one: float[] = 1\ne = Exp(x)\na = Add(e, one)\ny = Log(a)\n}\n";
    static const char SWISH[] = "opset 11\ngraph main(x: float[2,3]) -> (y) {\nz: float[] = 0\n"
                                "three: float[] = 3\nsix: float[] = 6\na = Add(x, three)\n"
                                "c = Clip(a, z, six)\nm = Mul(x, c)\ny = Div(m, six)\n}\n";
    struct target *few;
    (void)state;
    assert_int_equal(target_load(&few, "tests/targets/few.json", &ctx), 0);
    check_refusal((struct pass_plan){.target = few}, "fuse-softplus", TEXT,
                  "the target does not have Softplus");
    check_refusal((struct pass_plan){.target = few}, "fuse-hard-swish", SWISH,
                  "the target does not have HardSigmoid");
    target_free(few);
}

/* What the quantizer would leave in float stays two matrix products. */
static void test_before_quantizing(void **state)
{
    static const char TEXT[] = "opset 23\ngraph main(q: float[1,2,3,4], k: float[1,2,4,5], "
                               "v: float[1,2,5,4]) -> (y) {\n"
                               "s = MatMul(q, k)\np = Softmax(s)\ny = MatMul(p, v)\n}\n";
    (void)state;
    check_refusal((struct pass_plan){.quantizes = true}, "fuse-attention", TEXT,
                  "the quantizer has no rule for Attention");
}

static int setup(void **state)
{
    (void)state;
    arena = arena_new();
    ctx.diag = diag_new(NULL, NULL);
    ctx.threads = 1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_free(ctx.pool);
    diag_free(ctx.diag);
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_results),
                                       cmocka_unit_test(test_target_without),
                                       cmocka_unit_test(test_before_quantizing)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
