/* Every com.microsoft operator with an adapter against ONNX Runtime: the cases of tests/contrib (its README says where they come from), with both
 * engines and with shapes inferred from the inputs alone. An operator without a case fails the test.
 */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/npz_read.h"
#include "exec_test.h"
#include "onnx/load.h"
#include "ops/op.h"

/* Where ONNX Runtime's own approximations are coarser than 1e-5 of the largest value. */
static const struct loose {
    const char *operator_name;
    double tolerance;
} LOOSE[] = {
    {"DynamicQuantizeLSTM", 1e-4}, /* its sigmoid and tanh are polynomials */
    {"Inverse", 1e-4},             /* condition of the matrix */
    {"MatMulNBits", 2e-5},         /* case int8: sums of blocks in another order */
};

static double tolerance_of(const char *name)
{
    for (size_t i = 0; i < sizeof LOOSE / sizeof *LOOSE; i++)
        if (!strcmp(LOOSE[i].operator_name, name))
            return LOOSE[i].tolerance;
    return 1e-5;
}

static const char *folder(void)
{
    return access("tests/contrib", R_OK) ? "../tests/contrib" : "tests/contrib";
}

/* ---- one file ---- */

struct cases {
    struct ctx ctx;
    struct arena *arena;
    struct npz_named *arrays;
    size_t count;
};

static const struct tensor *find(const struct cases *c, const char *one, const char *name)
{
    const char *full = arena_printf(c->arena, "%s/%s", one, name);
    for (size_t i = 0; i < c->count; i++)
        if (!strcmp(c->arrays[i].name, full))
            return c->arrays[i].t;
    return NULL;
}

static bool open_cases(struct cases *c, const char *operator_name)
{
    *c = (struct cases){.ctx = {.threads = 1, .allow_nonfinite = true}, .arena = arena_new()};
    c->ctx.diag = diag_new(NULL, NULL);
    const char *path = arena_printf(c->arena, "%s/%s.npz", folder(), operator_name);
    return !access(path, R_OK) && !npz_read(path, c->arena, &c->arrays, &c->count, &c->ctx);
}

static void close_cases(struct cases *c)
{
    diag_free(c->ctx.diag);
    arena_free(c->arena);
}

/* ---- one case ---- */

static bool same_number(double got, double want, double room, double tolerance)
{
    return got == want || (isnan(got) && isnan(want)) ||
           fabs(got - want) <= room + tolerance * fabs(want);
}

static int compare(const struct tensor *got, const struct tensor *want, double tolerance)
{
    double top = 0;
    if (!want || got->dtype != want->dtype || got->rank != want->rank || got->count != want->count)
        return 1;
    for (int i = 0; i < want->rank; i++)
        if (got->dims[i] != want->dims[i])
            return 1;
    tolerance = dtype_is_float(want->dtype) ? tolerance : 0;
    for (int64_t i = 0; i < want->count; i++)
        if (isfinite(tensor_get(want, i)) && fabs(tensor_get(want, i)) < 1e30)
            top = fmax(top, fabs(tensor_get(want, i)));
    for (int64_t i = 0; i < want->count; i++)
        if (!same_number(tensor_get(got, i), tensor_get(want, i), tolerance * top, tolerance))
            return 1;
    return 0;
}

/* What inference says about the outputs from the inputs' types and the constants. 1: it contradicts the result. */
static int check_shapes(const struct model *m, const struct cases *c, const char *one)
{
    for (size_t i = 0; i < m->graph->outputs.count; i++) {
        const struct value *v = m->graph->outputs.data[i]->value;
        const struct tensor *want = find(c, one, v->name);
        if (v->type.kind != TYPE_TENSOR || v->type.dtype != want->dtype ||
            v->type.rank != want->rank)
            return 1;
        for (int k = 0; k < want->rank; k++) {
            int64_t size;
            if (!dim_is_const(v->type.dims[k], &size) || size != want->dims[k])
                return 1;
        }
    }
    return 0;
}

static int run_case(struct cases *c, const char *operator_name, const char *one,
                    const struct tensor *bytes, enum engine engine)
{
    const struct tensor *in[MAX_IO * 2] = {0}, *out[MAX_IO] = {0};
    struct model *m =
        model_load_bytes(&c->ctx, (struct span){bytes->data, (size_t)bytes->count}, one);
    assert_non_null(m);
    for (size_t i = 0; i < m->graph->inputs.count; i++)
        in[i] = find(c, one, m->graph->inputs.data[i]->name);
    for (size_t i = 0; i < m->graph->outputs.count; i++)
        m->graph->outputs.data[i]->value->type = (struct type){.rank = -1};
    int bad = model_infer(m, NULL, NULL) ? 1 : check_shapes(m, c, one);
    struct exec *x = bad ? NULL : exec_new(m, &(struct exec_options){.engine = engine});
    bad = bad || !x || exec_run(x, in, out);
    for (size_t i = 0; !bad && i < m->graph->outputs.count; i++)
        bad = compare(out[i], find(c, one, m->graph->outputs.data[i]->value->name),
                      tolerance_of(operator_name));
    exec_free(x);
    model_free(m);
    return bad;
}

/* -1: no file. Else how many cases are wrong. */
static int run_operator(const char *name, int *run)
{
    struct cases c;
    int bad = 0;
    bool there = open_cases(&c, name);
    for (size_t i = 0; there && i < c.count; i++) {
        const char *slash = strchr(c.arrays[i].name, '/');
        if (!slash || strcmp(slash, "/model") != 0)
            continue;
        const char *one =
            arena_printf(c.arena, "%.*s", (int)(slash - c.arrays[i].name), c.arrays[i].name);
        for (int engine = 0; engine < 2; engine++, ++*run)
            if (run_case(&c, name, one, c.arrays[i].t, engine ? ENGINE_ONEDNN : ENGINE_REFERENCE)) {
                printf("wrong: %s %s\n", name, one);
                bad++;
            }
    }
    for (size_t i = 0; bad && i < diag_count(c.ctx.diag); i++)
        printf("  %s\n", diag_at(c.ctx.diag, i)->message);
    close_cases(&c);
    return there ? bad : -1;
}

static void every_operator_agrees(void **state)
{
    (void)state;
    int run = 0, faults = 0;
    for (size_t i = 0; i < op_total(); i++) {
        const struct op *op = op_at(i);
        if (strcmp(op->domain, "com.microsoft") != 0)
            continue;
        int bad = run_operator(op->name, &run);
        if (bad < 0 && op->eval)
            printf("no case: %s\n", op->name);
        faults += bad < 0 ? op->eval != NULL : bad;
    }
    printf("%d runs\n", run);
    assert_int_equal(faults, 0);
    assert_true(run > 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_operator_agrees)};
    setvbuf(stdout, NULL, _IOLBF, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
