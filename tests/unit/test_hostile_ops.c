/* Wrong attributes, ranks, element types, extents and numbers, one at a time, for every operator: whatever is wrong, loading, inference and a run
 * either refuse it with a reason or compute something, within the memory and the time allowed, and leave nothing behind.
 *
 * Three sources of sound models: each row of ops.def with inputs of a few shapes, the com.microsoft cases of tests/contrib, and with DATA the
 * conformance suite. Every seventh wrong is tried, of the suite every twenty-ninth (FULL=1: each), and both engines take turns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/npz_read.h"
#include "exec/exec.h"
#include "hostile_ops.h"
#include "node_suite.h"
#include "ops/op_impl.h"

enum {
    MEMORY = 64 << 20, /* --max-memory of every run */
    STEP = 7,          /* of the wrongs that are tried without FULL */
    SUITE_STEP = 29,
};
static const double SECONDS = 1.0,
                    SLOW = 3.0; /* --timeout of a run, and what is too long whatever happened */

/* ---- one subject ---- */

struct source {
    const char *name;
    bool (*make)(struct subject *s, void *user); /* false: there is no such model */
    void *user;
    int64_t step;
};

struct tally {
    int64_t tried, refused, ran, faults;
};

static void open_subject(struct subject *s)
{
    *s = (struct subject){.arena = arena_new()};
    s->ctx = (struct ctx){.threads = 1, .diag = diag_new(NULL, NULL), .allow_nonfinite = true};
}

static void close_subject(struct subject *s)
{
    model_free(s->m);
    diag_free(s->ctx.diag);
    arena_free(s->arena);
}

static bool defect_reported(const struct subject *s)
{
    for (size_t i = 0; i < diag_count(s->ctx.diag); i++)
        if (diag_at(s->ctx.diag, i)->info->id == E_INTERNAL ||
            diag_at(s->ctx.diag, i)->info->id == E_GRAPH_BROKEN)
            return true;
    return false;
}

/* 0 it ran, 1 refused. A refusal without a reason, or as a defect, is a fault: -1. */
static int judge(const struct subject *s, int code)
{
    if (defect_reported(s))
        return -1;
    if (!code)
        return 0;
    return diag_errors(s->ctx.diag) ? 1 : -1;
}

static int run_subject(struct subject *s, enum engine engine)
{
    size_t outputs = s->m->graph->outputs.count;
    const struct tensor *out[MOST_INPUTS] = {0};
    for (size_t i = 0; i < outputs; i++) /* what the file declares must not decide */
        if (!s->m->graph->outputs.data[i]->value->is_input)
            value_set_type(s->m->graph->outputs.data[i]->value, &(struct type){.rank = -1});
    s->ctx.deadline = ctx_now() + SECONDS;
    int code = model_infer(s->m, NULL, NULL);
    struct exec *x = code ? NULL : exec_new(s->m, &(struct exec_options){.engine = engine});
    code = code ? code : x ? exec_run(x, s->in, out) : -1;
    for (size_t i = 0; !code && i < outputs; i++)
        if (!out[i] || (out[i]->count && out[i]->dtype != DT_STRING && !out[i]->data))
            code = -1;
    exec_free(x);
    return judge(s, code);
}

/* false: there is no wrong number k. */
static bool try_one(const struct source *from, int64_t k, struct tally *t)
{
    struct subject s;
    size_t before = mem_in_use();
    open_subject(&s);
    bool there = from->make(&s, from->user) && spoil(&s, k);
    clock_t start = clock();
    int verdict = 1;
    if (there) {
        mem_set_limit(mem_in_use() + MEMORY);
        verdict = run_subject(&s, (k / from->step) % 2 ? ENGINE_ONEDNN : ENGINE_REFERENCE);
        mem_set_limit(0);
        t->tried++;
        t->ran += verdict == 0;
        t->refused += verdict == 1;
    }
    bool slow = (double)(clock() - start) / CLOCKS_PER_SEC > SLOW;
    if (verdict < 0 || slow)
        printf("%s, %s: %s\n", from->name, s.said,
               slow ? "takes too long" : "no reason, or a defect, was reported");
    for (size_t i = 0; verdict < 0 && i < diag_count(s.ctx.diag); i++)
        printf("    %s\n", diag_at(s.ctx.diag, i)->message);
    close_subject(&s);
    if (mem_in_use() > before) {
        printf("%s, wrong %lld: leaves %zu bytes\n", from->name, (long long)k,
               mem_in_use() - before);
        t->faults++;
    }
    t->faults += verdict < 0 || slow;
    return there;
}

static bool in_full(void) { return getenv("FULL") && *getenv("FULL"); }

static void try_all(const struct source *from, struct tally *t)
{
    int64_t step = in_full() ? 1 : from->step, first = (int64_t)strlen(from->name) % step;
    const char *only = getenv("WRONG"); /* one number, to look at it alone */
    if (only) {
        try_one(from, strtoll(only, NULL, 10), t);
        return;
    }
    if (!try_one(from, -1, t))
        return;
    for (int64_t k = first; try_one(from, k, t); k += step)
        ;
}

static void finish(const char *label, const struct tally *t)
{
    printf("%s: %lld models, %lld refused, %lld ran\n", label, (long long)t->tried,
           (long long)t->refused, (long long)t->ran);
    assert_int_equal(t->faults, 0);
}

static bool wanted(const char *name)
{
    const char *only = getenv("CASE");
    return !only || strcmp(only, name) == 0;
}

/* ---- models from the rows of ops.def ---- */

struct row {
    const struct op *op;
    const struct op_version *version;
    int shape; /* index of SHAPES */
};

static const struct shape {
    int rank;
    int64_t dims[5];
} SHAPES[] = {{4, {2, 4, 4, 4}}, {2, {4, 4}}, {1, {4}}, {0, {0}}, {3, {2, 4, 4}}};

static enum dtype first_type(const struct op_version *v, uint32_t slot)
{
    static const enum dtype ORDER[] = {DT_FLOAT, DT_INT64, DT_INT32,  DT_UINT8,
                                       DT_INT8,  DT_BOOL,  DT_DOUBLE, DT_FLOAT16};
    type_set set = signature_set(v, slot, false);
    for (size_t i = 0; i < COUNT(ORDER); i++)
        if (set & (type_set)1 << ORDER[i])
            return ORDER[i];
    return DT_UNDEFINED;
}

/* A subgraph that gives back its first input, and a true condition before it where a Loop wants one. */
static void give_graph(struct node *n, const char *name, struct subject *s)
{
    struct graph *g = graph_new(s->m, n, name);
    struct attr a = {.name = intern(s->m->names, name), .type = ATTR_GRAPH, .dirty = true};
    bool loop = !strcmp(n->op_type, "Loop");
    uint32_t inputs = !strcmp(n->op_type, "If") ? 0 : n->n_inputs;
    for (uint32_t i = 0; i < inputs; i++)
        value_input(g, arena_printf(s->arena, "%s_%u", name, i));
    if (inputs)
        for (uint32_t i = loop ? 1 : 0; i < inputs; i++)
            graph_add_output(g, g->inputs.data[i]);
    else
        graph_add_output(g, value_constant(g, name, tensor_scalar(s->m->arena, DT_FLOAT, 1)));
    a.graph = g;
    node_copy_attr(n, &a);
}

static void give_attr(struct node *n, const struct op_attr *a, struct subject *s)
{
    static const int64_t TWOS[] = {2, 2};
    static const float ONES[] = {1, 1};
    if (a->type == ATTR_INT)
        node_set_int(n, a->name, 1);
    else if (a->type == ATTR_INTS)
        node_set_ints(n, a->name, TWOS, 2);
    else if (a->type == ATTR_FLOAT)
        node_set_float(n, a->name, 1);
    else if (a->type == ATTR_FLOATS)
        node_set_floats(n, a->name, ONES, 2);
    else if (a->type == ATTR_STRING)
        node_set_string(n, a->name, "LEFT");
    else if (a->type == ATTR_TENSOR)
        node_set_tensor(n, a->name, tensor_scalar(s->m->arena, DT_FLOAT, 1));
    else if (a->type == ATTR_GRAPH)
        give_graph(n, a->name, s);
}

static void give_input(struct subject *s, struct node *n, uint32_t i, const struct row *row)
{
    const struct shape *shape = &SHAPES[row->shape];
    struct value *v = value_input(s->m->graph, arena_printf(s->arena, "i%u", i));
    enum dtype t = first_type(row->version, i);
    struct tensor *x =
        tensor_new(s->arena, t == DT_UNDEFINED ? DT_FLOAT : t, shape->rank, shape->dims);
    for (int64_t k = 0; k < x->count; k++)
        num_set_int(tensor_writable(x), x->dtype, k, x->dtype == DT_BOOL ? 1 : 1 + k % 3);
    if (dtype_is_float(x->dtype))
        for (int64_t k = 0; k < x->count; k++)
            num_set(tensor_writable(x), x->dtype, k, 0.5 + (double)(k % 3));
    s->in[i] = x;
    declare(v, x, s);
    node_set_input(n, i, v);
}

static bool make_row(struct subject *s, void *user)
{
    const struct row *row = user;
    const struct op_version *v = row->version;
    int inputs = v->max_in < 0 || v->max_in > v->min_in + 3 ? v->min_in + 1 : v->max_in;
    int outputs = v->max_out < 0 ? v->min_out : v->max_out;
    s->m = model_new(&s->ctx);
    model_set_opset(s->m, "", *row->op->domain ? 21 : v->since);
    if (*row->op->domain)
        model_set_opset(s->m, row->op->domain, v->since);
    struct node *n =
        node_new(s->m->graph, row->op->name, row->op->domain, (uint32_t)inputs, (uint32_t)outputs);
    node_append(n);
    for (uint32_t i = 0; i < (uint32_t)inputs; i++)
        give_input(s, n, i, row);
    for (int i = 0; i < v->n_attrs; i++)
        if (v->attrs[i].required)
            give_attr(n, &v->attrs[i], s);
    for (uint32_t i = 0; i < (uint32_t)outputs; i++) {
        struct value *y = node_add_output(n, i, arena_printf(s->arena, "o%u", i));
        graph_add_output(s->m->graph, y);
    }
    ops_resolve(s->m);
    return true;
}

static void every_row(void **state)
{
    struct tally t = {0};
    (void)state;
    for (size_t i = 0; i < op_total(); i++) {
        const struct op *op = op_at(i);
        if (!wanted(op->name))
            continue;
        for (int k = 0; k < (int)COUNT(SHAPES); k++) {
            struct row row = {op, &op->versions[op->n_versions - 1], k};
            struct source from = {op->name, make_row, &row, STEP};
            try_all(&from, &t);
        }
    }
    finish("rows", &t);
}

/* ---- models from bytes ---- */

struct stored {
    struct span bytes;
    const struct npz_named *arrays; /* CASE/i0 ... */
    size_t n_arrays;
    const char *name, *folder;
};

static bool load(struct subject *s, const struct stored *from)
{
    s->m = model_load_bytes(&s->ctx, from->bytes, from->name);
    if (s->m && s->m->graph->inputs.count > MOST_INPUTS)
        return false;
    return s->m && s->m->graph->outputs.count <= MOST_INPUTS;
}

static bool make_contrib(struct subject *s, void *user)
{
    const struct stored *from = user;
    if (!load(s, from))
        return false;
    for (size_t i = 0; i < s->m->graph->inputs.count; i++) {
        const char *name =
            arena_printf(s->arena, "%s/%s", from->name, s->m->graph->inputs.data[i]->name);
        for (size_t k = 0; k < from->n_arrays; k++)
            if (!strcmp(from->arrays[k].name, name))
                s->in[i] = from->arrays[k].t;
    }
    return true;
}

static void contrib_file(const char *path, const char *op, struct tally *t)
{
    struct ctx ctx = {.threads = 1, .diag = diag_new(NULL, NULL), .allow_nonfinite = true};
    struct arena *arena = arena_new();
    struct npz_named *arrays;
    size_t count;
    assert_int_equal(npz_read(path, arena, &arrays, &count, &ctx), 0);
    for (size_t i = 0; i < count; i++) {
        const char *slash = strchr(arrays[i].name, '/');
        if (!slash || strcmp(slash, "/model") != 0)
            continue;
        struct stored from = {.arrays = arrays, .n_arrays = count};
        from.bytes = (struct span){arrays[i].t->data, (size_t)arrays[i].t->count};
        from.name = arena_printf(arena, "%.*s", (int)(slash - arrays[i].name), arrays[i].name);
        struct source source = {arena_printf(arena, "%s %s", op, from.name), make_contrib, &from,
                                STEP};
        if (wanted(op) || wanted(source.name))
            try_all(&source, t);
    }
    diag_free(ctx.diag);
    arena_free(arena);
}

static void every_contrib_case(void **state)
{
    struct tally t = {0};
    (void)state;
    const char *folder = access("tests/contrib", R_OK) ? "../tests/contrib" : "tests/contrib";
    for (size_t i = 0; i < op_total(); i++) {
        char path[300];
        const struct op *op = op_at(i);
        snprintf(path, sizeof path, "%s/%s.npz", folder, op->name);
        if (!strcmp(op->domain, "com.microsoft") && !access(path, R_OK))
            contrib_file(path, op->name, &t);
    }
    finish("contrib", &t);
}

static bool make_suite(struct subject *s, void *user)
{
    const struct stored *from = user;
    if (!load(s, from))
        return false;
    for (size_t i = 0; i < s->m->graph->inputs.count; i++)
        s->in[i] = suite_value(&s->ctx, s->arena, from->folder, "input", i,
                               &s->m->graph->inputs.data[i]->type);
    return true;
}

static void suite_case(const struct suite *suite, const char *name, struct tally *t)
{
    struct arena *arena = arena_new();
    struct mapped_file file;
    const char *path = arena_printf(arena, "%s/%s/model.onnx", suite->root, name);
    struct stored from = {.name = name};
    struct diag *diag = diag_new(NULL, NULL);
    from.folder = arena_printf(arena, "%s/%s/test_data_set_0", suite->root, name);
    assert_int_equal(file_map(&file, path, diag), 0);
    from.bytes = (struct span){file.data, file.size};
    struct source source = {name, make_suite, &from, SUITE_STEP};
    try_all(&source, t);
    file_unmap(&file);
    diag_free(diag);
    arena_free(arena);
}

static void every_suite_case(void **state)
{
    struct tally t = {0};
    struct suite suite;
    (void)state;
    if (!suite_open(&suite) && printf("skipped 1\n"))
        skip();
    for (size_t i = 0; i < suite.count; i++)
        if (wanted(suite.names[i]))
            suite_case(&suite, suite.names[i], &t);
    suite_close(&suite);
    finish("suite", &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),
        cmocka_unit_test(every_contrib_case),
        cmocka_unit_test(every_suite_case),
    };
    setvbuf(stdout, NULL, _IOLBF, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
