/* Random cases of one operator: the reference engine against the fast one, which also runs them on two
 * threads. FULL=1 takes 20,000 cases, else a sample; SEED=n that one. CASES_TO=folder writes every
 * case as n.onnx with n.npz (inputs x*, the reference engine's outputs y*), for another runtime to
 * compare with.
 *
 * Tolerance: whole numbers, flags and what only moves are equal; floats differ by at most
 * 1e-4 |x| + 1e-4 of the tensor's largest (half the digits of float16 and bfloat16: 2e-3, 2e-2);
 * NaN and infinities stand in the same places.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "answers.h"
#include "base/pool.h"
#include "data/npz_write.h"
#include "onnx/save.h"
#include "op_case_elements.h"
#include "op_case_layers.h"
#include "op_case_moves.h"

enum { CASES_SAMPLED = 3000, CASES_FULL = 20000, FAILURES_SHOWN = 20, UNFIT_PERCENT = 4 };

static void (*const CASES[])(struct op_case *) = {
    case_unary,
    case_unary,
    case_unary,
    case_binary,
    case_binary,
    case_binary,
    case_compare,
    case_where,
    case_clip,
    case_cast,
    case_reduce,
    case_reduce,
    case_arg,
    case_softmax,
    case_cumulate,
    case_channel_norm,
    case_row_norm,
    case_group_norm,
    case_lrn,
    case_conv,
    case_conv,
    case_conv,
    case_conv,
    case_pool,
    case_pool,
    case_global_pool,
    case_matmul,
    case_matmul,
    case_gemm,
    case_gemm,
    case_matmul_integer,
    case_conv_integer,
    case_recurrent,
    case_quantize,
    case_dynamic_quantize,
    case_resize,
    case_einsum,
    case_transpose,
    case_reshape,
    case_squeeze,
    case_slice,
    case_concat,
    case_split,
    case_pad,
    case_gather,
    case_gather_elements,
    case_expand,
    case_depth,
    case_topk,
    case_choose,
    case_triangle,
    case_one_hot,
    case_range_op,
};

static int failures, refused, unfit;
static int by_case[sizeof CASES / sizeof CASES[0]];

static double tolerance(enum dtype t)
{
    return t == DT_FLOAT16 ? 2e-3 : t == DT_BFLOAT16 ? 2e-2 : 1e-4;
}

static bool close_enough(double x, double y, double allowed)
{
    if (isnan(x) || isnan(y))
        return isnan(x) && isnan(y);
    return x == y || fabs(x - y) <= allowed;
}

/* The first element that differs, or -1; -2: another type. */
static int64_t differs(const struct tensor *got, const struct tensor *want)
{
    if (got->dtype != want->dtype || !answer_same_dims(got, want))
        return -2;
    if (answer_same(got, want))
        return -1;
    double unit = tolerance(want->dtype), top = answer_largest(want);
    for (int64_t i = 0; i < want->count; i++) {
        double x = tensor_get(got, i), y = tensor_get(want, i);
        if (!close_enough(x, y, dtype_is_float(want->dtype) ? unit * (top + fabs(y)) : 0))
            return i;
    }
    return -1;
}

static const char *message(const struct op_case *c)
{
    const struct diag *d = c->m->ctx->diag;
    return diag_count(d) ? diag_at(d, diag_count(d) - 1)->message : "";
}

static void complain(const struct op_case *c, uint64_t seed, const char *what, const char *detail)
{
    printf("seed %llu, %s opset %lld: %s %s\n", (unsigned long long)seed, c->n->op_type,
           (long long)case_opset(c), what, detail);
    failures++;
}

static void write_case(struct op_case *c, uint64_t seed, const struct answers *a,
                       const char *folder)
{
    struct npz_writer *w;
    char path[600];
    snprintf(path, sizeof path, "%s/%llu.onnx", folder, (unsigned long long)seed);
    assert_int_equal(
        model_save(c->m, path,
                   &(struct save_options){.external = EXTERNAL_DATA_NEVER, .force = true}),
        0);
    snprintf(path, sizeof path, "%s/%llu.npz", folder, (unsigned long long)seed);
    assert_int_equal(npz_create(&w, path, true, c->m->ctx->diag), 0);
    for (size_t i = 0; i < c->n_in; i++)
        npz_add_tensor(w, c->m->graph->inputs.data[i]->name, c->in[i]);
    for (size_t i = 0; i < a->n; i++)
        npz_add_tensor(w, c->m->graph->outputs.data[i]->value->name, a->out[i]);
    assert_int_equal(npz_commit(w), 0);
}

static void compare(struct op_case *c, uint64_t seed, const struct answers *want,
                    const struct answers *got, const char *what)
{
    char detail[160];
    for (size_t i = 0; i < want->n; i++) {
        int64_t at = differs(got->out[i], want->out[i]);
        if (at == -1)
            continue;
        if (at >= 0)
            snprintf(detail, sizeof detail, "output %zu element %lld is %.9g, not %.9g", i,
                     (long long)at, tensor_get(got->out[i], at), tensor_get(want->out[i], at));
        else
            snprintf(detail, sizeof detail, "output %zu has another type", i);
        complain(c, seed, what, detail);
        return;
    }
}

static void run_fast(struct op_case *c, uint64_t seed, const struct answers *want, int threads)
{
    struct answers got = {0};
    c->m->ctx->pool = threads > 1 ? pool_new(threads) : NULL;
    c->m->ctx->threads = threads;
    if (!answers_run(c->m, ENGINE_ONEDNN, c->in, c->a, &got))
        complain(c, seed, "the fast engine fails:", message(c));
    else
        compare(c, seed, want, &got, threads > 1 ? "two threads:" : "fast:");
    pool_free(c->m->ctx->pool);
    c->m->ctx->pool = NULL;
}

/* What the reference engine refuses the fast one must refuse. */
static void check_refused(struct op_case *c, uint64_t seed)
{
    struct answers got = {0};
    if (getenv("VERBOSE"))
        printf("seed %llu: %s opset %lld: %s\n", (unsigned long long)seed, c->n->op_type,
               (long long)case_opset(c), message(c));
    refused++;
    if (answers_run(c->m, ENGINE_ONEDNN, c->in, c->a, &got))
        complain(c, seed, "only the reference engine refuses it:", message(c));
}

static void check_case(uint64_t seed, const char *folder)
{
    struct op_case c;
    struct answers want = {0};
    struct ctx ctx = {.diag = diag_new(NULL, NULL), .threads = 1, .allow_nonfinite = true};
    size_t kind = (size_t)(seed * 2654435761u >> 7) % (sizeof CASES / sizeof CASES[0]);
    case_begin(&c, &ctx, seed);
    CASES[kind](&c);
    case_end(&c);
    if (!c.n->op || !op_version_at(c.n->op, case_opset(&c))) {
        unfit++; /* not yet in that operator set */
    } else if (!answers_run(c.m, ENGINE_REFERENCE, c.in, c.a, &want)) {
        check_refused(&c, seed);
    } else {
        by_case[kind]++;
        run_fast(&c, seed, &want, 1);
        run_fast(&c, seed, &want, 2);
        if (folder)
            write_case(&c, seed, &want, folder);
    }
    case_free(&c);
    diag_free(ctx.diag);
}

static void reference_against_fast(void **state)
{
    (void)state;
    const char *full = getenv("FULL"), *only = getenv("SEED");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1;
    uint64_t last = only ? first : full && *full ? CASES_FULL : CASES_SAMPLED;
    for (uint64_t seed = first; seed <= last && failures < FAILURES_SHOWN; seed++)
        check_case(seed, getenv("CASES_TO"));
    printf("seeds %llu to %llu: %d differ, %d refused, %d not in their operator set\n",
           (unsigned long long)first, (unsigned long long)last, failures, refused, unfit);
    assert_int_equal(failures, 0);
    if (only)
        return;
    assert_true(refused * 100 <= UNFIT_PERCENT * (int)last);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_true(by_case[i] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reference_against_fast)};
    setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines between what cmocka writes */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
