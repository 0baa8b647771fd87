/* What each class of passes promises (pass_check.h), on models that others made: every case of the
 * ONNX node suite, as it is and with some of its inputs turned into constants, and every model of
 * $DATA/models. FULL=1 takes all of them with every pass of the catalogue; else a sample. ONLY_MODEL=word: those with it
 * in the name, every pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "data/npz_read.h"
#include "node_suite.h"
#include "pass_check.h"
#include "report/facts.h"

enum {
    SUITE_STRIDE = 25,        /* of the sample */
    SAMPLE_BYTES = 400 << 10, /* models up to this size .. */
    SAMPLE_MACS = 30 << 20,   /* .. and this work are in the sample */
    FAILURES_SHOWN = 40,
    MOST_INPUTS = 64,
    PASS_STRIDE = 7, /* of the sample: every so manieth pass */
};

static struct suite suite;
static bool full;
static const char *only;

struct source {
    const char *path;                     /* of the model */
    unsigned constants;                   /* bit i: input i becomes a constant */
    const struct tensor *in[MOST_INPUTS]; /* by input of the file */
    const char *name[MOST_INPUTS];
    size_t n;
};

static struct model *make(const struct subject *s)
{
    const struct source *f = s->user;
    struct model *m = model_load((struct ctx *)&s->ctx, f->path);
    if (!m || !f->constants)
        return m;
    for (size_t i = m->graph->inputs.count; i-- > 0;) {
        struct value *v = m->graph->inputs.data[i];
        const struct tensor *t = i < f->n ? f->in[i] : NULL;
        if (!(f->constants >> i & 1) || !t || t->dtype == DT_UNDEFINED || v->constant)
            continue;
        graph_remove_input(m->graph, (uint32_t)i);
        value_set_constant(v, arena_copy(m->arena, t, sizeof *t));
    }
    return m;
}

static const struct tensor *input(const struct subject *s, const struct value *v, size_t i)
{
    const struct source *f = s->user;
    (void)i;
    for (size_t k = 0; k < f->n; k++)
        if (!strcmp(f->name[k], v->name))
            return f->in[k];
    return NULL;
}

static bool wanted(const char *name) { return !only || strstr(name, only); }

static void check_subject(struct subject *s, size_t number)
{
    if (subject_open(s)) {
        check_levels(s);
        for (size_t i = 0; i < pass_total(); i++)
            if (full || only || (i + number) % PASS_STRIDE == 0)
                check_pass(s, pass_at(i));
    }
    subject_close(s);
}

/* ---- the node suite ---- */

static void read_inputs(struct source *f, const char *name, struct ctx *ctx, struct arena *a)
{
    struct model *m = model_load(ctx, f->path);
    const char *folder = arena_printf(a, "%s/%s/test_data_set_0", suite.root, name);
    for (size_t i = 0; m && i < m->graph->inputs.count && i < MOST_INPUTS; i++) {
        const struct value *v = m->graph->inputs.data[i];
        f->name[i] = arena_string(a, v->name);
        f->in[i] = suite_value(ctx, a, folder, "input", i, &v->type);
        f->n = i + 1;
    }
    model_free(m);
}

static void check_case(const char *name, size_t number, unsigned constants)
{
    struct arena *a = arena_new();
    struct ctx ctx = {.diag = diag_new(NULL, NULL), .threads = 1};
    struct source f = {.path = arena_printf(a, "%s/%s/model.onnx", suite.root, name),
                       .constants = constants};
    struct subject s = {.make = make, .input = input, .user = &f};
    snprintf(s.label, sizeof s.label, "%s%s", name, constants ? " with constants" : "");
    read_inputs(&f, name, &ctx, a);
    check_subject(&s, number);
    diag_free(ctx.diag);
    arena_free(a);
}

static void node_suite(void **state)
{
    (void)state;
    if (!suite.count) {
        printf("skipped 1\n");
        skip();
    }
    size_t step = full || only ? 1 : SUITE_STRIDE;
    memset(&totals, 0, sizeof totals);
    for (size_t i = 0; i < suite.count && totals.failures < FAILURES_SHOWN; i += step)
        if (wanted(suite.names[i])) {
            unsigned some = 2u << (i % 3); /* one of the second to fourth, or all but the first */
            check_case(suite.names[i], i / step, 0);
            check_case(suite.names[i], i / step, i % 4 ? ~1u : some);
            if (full || only)
                check_case(suite.names[i], i / step, ~0u);
        }
    check_summary();
    assert_int_equal(totals.failures, 0);
}

/* ---- real models ---- */

static bool is_light(const char *path, struct ctx *ctx)
{
    struct stat st;
    struct model_facts facts;
    if (stat(path, &st) || st.st_size > SAMPLE_BYTES)
        return false;
    struct arena *a = arena_new();
    struct model *m = model_load(ctx, path);
    bool light = m && model_infer(m, NULL, NULL) >= 0;
    if (light) {
        facts_collect(m, a, &facts);
        light = facts.macs <= SAMPLE_MACS;
        facts_release(&facts);
    }
    model_free(m);
    arena_free(a);
    return light;
}

static void check_real(const char *folder, const char *name, size_t number)
{
    struct arena *a = arena_new();
    struct ctx ctx = {.diag = diag_new(NULL, NULL), .threads = 1};
    struct source f = {.path = arena_printf(a, "%s/%s/model.onnx", folder, name)};
    struct subject s = {.make = make, .input = input, .user = &f};
    struct npz_named *arrays = NULL;
    snprintf(s.label, sizeof s.label, "%s", name);
    const char *in = arena_printf(a, "%s/%s/in.npz", folder, name);
    if (!access(in, R_OK) && !npz_read(in, a, &arrays, &f.n, &ctx))
        for (size_t i = 0; i < f.n && i < MOST_INPUTS; i++) {
            f.name[i] = arrays[i].name;
            f.in[i] = arrays[i].t;
        }
    if (!access(f.path, R_OK) && (full || only || is_light(f.path, &ctx)))
        check_subject(&s, number);
    diag_free(ctx.diag);
    arena_free(a);
}

static void real_models(void **state)
{
    (void)state;
    const char *data = getenv("DATA");
    char folder[512];
    struct dirent **list;
    if (!data || !*data) {
        printf("skipped 1\n");
        skip();
    }
    snprintf(folder, sizeof folder, "%s/models", data);
    int n = scandir(folder, &list, NULL, alphasort);
    assert_true(n > 0);
    memset(&totals, 0, sizeof totals);
    for (int i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.' && wanted(list[i]->d_name) &&
            totals.failures < FAILURES_SHOWN)
            check_real(folder, list[i]->d_name, (size_t)i);
        free(list[i]);
    }
    free(list);
    check_summary();
    assert_int_equal(totals.failures, 0);
    assert_true(only || totals.running > (full ? 40 : 10));
}

int main(void)
{
    const char *f = getenv("FULL");
    full = f && *f;
    only = getenv("ONLY_MODEL");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_suite),
        cmocka_unit_test(real_models),
    };
    setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines between what cmocka writes */
    suite_open(&suite);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    suite_close(&suite);
    return failed;
}
