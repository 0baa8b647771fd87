/* The ONNX node conformance suite, whole: every case passes, or is refused before anything runs and
 * stands in tests/node_suite_unsupported.txt with its reason. A case that is wrong, refused late,
 * or listed although it passes fails the test. Shape inference on the same cases: what it says
 * never contradicts what the file declares.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exec/exec.h"
#include "ir/edit.h"
#include "node_suite.h"

enum { PASSING_AT_LEAST = 1500, INFERRED_AT_LEAST = 1600, MOST_VALUES = 64 };

static struct suite suite;

struct opened {
    struct ctx ctx;
    struct model *model;
    const char *folder;
    struct arena *arena;
};

static bool open_case(struct opened *o, const char *name)
{
    o->arena = arena_new();
    o->ctx = (struct ctx){.threads = 1, .diag = diag_new(NULL, NULL)};
    o->folder = arena_printf(o->arena, "%s/%s", suite.root, name);
    o->model = model_load(&o->ctx, arena_printf(o->arena, "%s/model.onnx", o->folder));
    return o->model != NULL;
}

static void close_case(struct opened *o)
{
    model_free(o->model);
    diag_free(o->ctx.diag);
    arena_free(o->arena);
}

static const char *first_error(const struct opened *o)
{
    for (size_t i = 0; i < diag_count(o->ctx.diag); i++)
        if (diag_at(o->ctx.diag, i)->info->severity == SEVERITY_ERROR)
            return diag_at(o->ctx.diag, i)->message;
    return "no reason was given";
}

/* ---- execution ---- */

enum verdict { PASSES, REFUSED, WRONG };

static bool run_set(struct opened *o, struct exec *x, const char *folder)
{
    const struct graph *g = o->model->graph;
    const struct tensor *in[MOST_VALUES], *out[MOST_VALUES];
    for (size_t i = 0; i < g->inputs.count; i++)
        in[i] = suite_value(&o->ctx, o->arena, folder, "input", i, &g->inputs.data[i]->type);
    if (exec_run(x, in, out))
        return false;
    for (size_t i = 0; i < g->outputs.count; i++) {
        const struct type *type = &g->outputs.data[i]->value->type;
        const struct tensor *want = suite_value(&o->ctx, o->arena, folder, "output", i, type);
        if (!want || !suite_same(out[i], want))
            return false;
    }
    return true;
}

static enum verdict run_case(const char *name, enum engine engine, char *reason, size_t room)
{
    struct opened o;
    enum verdict verdict = WRONG;
    struct exec *x = NULL;
    reason[0] = 0;
    if (open_case(&o, name) && !model_infer(o.model, NULL, NULL))
        x = exec_new(o.model, &(struct exec_options){.engine = engine});
    if (x) {
        verdict = PASSES;
        for (int set = 0; verdict == PASSES; set++) {
            const char *folder = arena_printf(o.arena, "%s/test_data_set_%d", o.folder, set);
            if (access(folder, R_OK))
                break;
            verdict = run_set(&o, x, folder) ? PASSES : WRONG;
        }
    } else if (o.model && diag_errors(o.ctx.diag)) {
        verdict = REFUSED;
    }
    if (verdict != PASSES)
        snprintf(reason, room, "%s", first_error(&o));
    exec_free(x);
    close_case(&o);
    return verdict;
}

/* The file lists "case: reason"; lines that begin with # are comments. */
static char *listed_reason(FILE *f, const char *name)
{
    static char line[1024];
    size_t length = strlen(name);
    rewind(f);
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, name, length) && line[length] == ':') {
            line[strcspn(line, "\n")] = 0;
            return line + length + 2;
        }
    return NULL;
}

static int count_lines(FILE *f)
{
    char line[1024];
    int n = 0;
    rewind(f);
    while (fgets(line, sizeof line, f))
        n += line[0] != '#' && line[0] != '\n';
    return n;
}

static FILE *open_list(void)
{
    FILE *f = fopen("tests/node_suite_unsupported.txt", "r");
    return f ? f : fopen("../tests/node_suite_unsupported.txt", "r");
}

static int judge(const char *name, enum verdict verdict, const char *reason, FILE *list)
{
    const char *listed = listed_reason(list, name);
    if (verdict == WRONG)
        printf("wrong: %s: %s\n", name, reason);
    else if (verdict == PASSES && listed)
        printf("listed as unsupported, but it passes: %s\n", name);
    else if (verdict == REFUSED && (!listed || strcmp(listed, reason) != 0))
        printf("unsupported, and not listed so: %s: %s\n", name, reason);
    else
        return 0;
    return 1;
}

static void run_all(enum engine engine, const char *label)
{
    FILE *list = open_list();
    int counts[3] = {0}, faults = 0;
    if (!suite.count) {
        printf("skipped 1\n");
        skip();
    }
    assert_non_null(list);
    for (size_t i = 0; i < suite.count; i++) {
        char reason[512];
        enum verdict verdict = run_case(suite.names[i], engine, reason, sizeof reason);
        counts[verdict]++;
        faults += judge(suite.names[i], verdict, reason, list);
    }
    printf("%s: %d pass, %d unsupported, %d wrong\n", label, counts[PASSES], counts[REFUSED],
           counts[WRONG]);
    assert_int_equal(count_lines(list), counts[REFUSED]); /* no line for a case that is not there */
    fclose(list);
    assert_int_equal(faults, 0);
    assert_true(counts[PASSES] >= PASSING_AT_LEAST);
}

static void reference_engine_agrees(void **state)
{
    (void)state;
    run_all(ENGINE_REFERENCE, "reference");
}

static void fast_engine_agrees(void **state)
{
    (void)state;
    run_all(ENGINE_ONEDNN, "onednn");
}

/* ---- shapes ---- */

enum inferred { SAME, LESS, OTHER };

static enum inferred compare_types(const struct type *got, const struct type *want)
{
    if (want->kind != TYPE_TENSOR)
        return got->kind == want->kind ? SAME : got->kind == TYPE_NONE ? LESS : OTHER;
    if (got->kind != TYPE_TENSOR || got->rank < 0)
        return LESS;
    if (got->dtype != want->dtype || (want->rank >= 0 && got->rank != want->rank))
        return OTHER;
    enum inferred result = SAME;
    for (int i = 0; i < got->rank && want->rank >= 0; i++) {
        int64_t x, y;
        bool known = dim_is_const(got->dims[i], &x);
        if (!dim_is_const(want->dims[i], &y))
            continue; /* the file leaves it open */
        if (known && x != y)
            return OTHER;
        result = known ? result : LESS;
    }
    return result;
}

/* Infers with the declared outputs hidden and compares with them. */
static enum inferred infer_case(struct opened *o)
{
    const struct graph *g = o->model->graph;
    struct type declared[MOST_VALUES];
    enum inferred worst = SAME;
    for (size_t i = 0; i < g->outputs.count; i++) {
        struct value *v = g->outputs.data[i]->value;
        declared[i] = v->type;
        if (!v->is_input)
            v->type = (struct type){.rank = -1};
    }
    if (model_infer(o->model, NULL, NULL))
        return OTHER;
    for (size_t i = 0; i < g->outputs.count; i++) {
        enum inferred one = compare_types(&g->outputs.data[i]->value->type, &declared[i]);
        worst = one > worst ? one : worst;
    }
    return worst;
}

/* The inputs of the first data set become constants, as an executor knows them: an axis or a size
 * that is an input then counts. (Before IR 4 an initializer that is an input is one for good.) */
static void give_inputs(struct opened *o)
{
    const struct graph *g = o->model->graph;
    const char *folder = arena_printf(o->arena, "%s/test_data_set_0", o->folder);
    o->model->ir_version = 3;
    for (size_t i = 0; i < g->inputs.count; i++) {
        struct value *v = g->inputs.data[i];
        const struct tensor *t = suite_value(&o->ctx, o->arena, folder, "input", i, &v->type);
        if (t && t->dtype != DT_UNDEFINED && !v->constant)
            value_set_constant(v, arena_copy(o->model->arena, t, sizeof *t));
    }
}

static void shapes_never_contradict(void **state)
{
    (void)state;
    int counts[3] = {0}, by_type = 0;
    if (!suite.count) {
        printf("skipped 1\n");
        skip();
    }
    for (size_t i = 0; i < suite.count; i++) {
        struct opened o;
        assert_true(open_case(&o, suite.names[i]));
        enum inferred found = infer_case(&o);
        by_type += found == SAME;
        close_case(&o);
        if (found == LESS) {
            assert_true(open_case(&o, suite.names[i]));
            give_inputs(&o);
            found = infer_case(&o);
            close_case(&o);
        }
        counts[found]++;
        if (found == OTHER)
            printf("contradicts the declared shape: %s\n", suite.names[i]);
    }
    printf(
        "shapes: %d inferred from types alone, %d with known inputs, %d in part, %d contradict\n",
        by_type, counts[SAME], counts[LESS], counts[OTHER]);
    assert_int_equal(counts[OTHER], 0);
    assert_true(counts[SAME] >= INFERRED_AT_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_never_contradict),
        cmocka_unit_test(reference_engine_agrees),
        cmocka_unit_test(fast_engine_agrees),
    };
    setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines between what cmocka writes */
    suite_open(&suite);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    suite_close(&suite);
    return failed;
}
