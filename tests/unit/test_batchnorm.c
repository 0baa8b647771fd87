/* Where BatchNormalization folds at level 2 and where it stays, with the reason: one row for each
 * situation. What comes out must agree with the model as it was within 1e-5 of its largest number,
 * on the reference engine.
 */
#include <math.h>

#include "exec_test.h"
#include "passes/pass.h"

/* Four channels; B(out, in) is the node. */
#define P4                                  \
    " g: float[4] = fill(seed 1, 0.5, 2)\n" \
    " be: float[4] = fill(seed 2, -1, 1)\n" \
    " m: float[4] = fill(seed 3, -1, 1)\n"  \
    " v: float[4] = fill(seed 4, 0.25, 2)\n"
#define B(out, in) " " out " = BatchNormalization(" in ", g, be, m, v)\n"
#define IMAGE "graph main(x: float[2,3,6,6]) -> (y) {\n" P4
#define IMAGE4 "graph main(x: float[2,4,6,6]) -> (y) {\n" P4
#define ROWS "graph main(x: float[5,3]) -> (y) {\n" P4
#define W33 " w: float[4,3,3,3] = fill(seed 5)\n"
#define W11 " w: float[4,4,1,1] = fill(seed 5)\n"

static const struct situation {
    const char *title, *text;
    int left;        /* BatchNormalizations that stay */
    const char *why; /* a part of the reason, when one stays */
} TABLE[] = {
    /* behind a layer */
    {"Conv", IMAGE W33 " t = Conv(x, w)\n" B("y", "t"), 0, NULL},
    {"Conv with bias and padding",
     IMAGE W33 " b: float[4] = fill(seed 6)\n t = Conv<pads=[1,1,1,1]>(x, w, b)\n" B("y", "t"), 0,
     NULL},
    {"depthwise Conv",
     IMAGE4 " w: float[4,1,3,3] = fill(seed 5)\n t = Conv<group=4>(x, w)\n" B("y", "t"), 0, NULL},
    {"ConvTranspose",
     IMAGE " w: float[3,4,2,2] = fill(seed 5)\n t = ConvTranspose(x, w)\n" B("y", "t"), 0, NULL},
    {"grouped ConvTranspose",
     IMAGE4 " w: float[4,2,2,2] = fill(seed 5)\n t = ConvTranspose<group=2>(x, w)\n" B("y", "t"), 0,
     NULL},
    {"Gemm", ROWS " w: float[3,4] = fill(seed 5)\n t = Gemm(x, w)\n" B("y", "t"), 0, NULL},
    {"Gemm, transposed weight, alpha and beta",
     ROWS " w: float[4,3] = fill(seed 5)\n b: float[4] = fill(seed 6)\n"
          " t = Gemm<transB=1, alpha=0.5, beta=2.0>(x, w, b)\n" B("y", "t"),
     0, NULL},
    {"MatMul", ROWS " w: float[3,4] = fill(seed 5)\n t = MatMul(x, w)\n" B("y", "t"), 0, NULL},
    {"MatMul and Add",
     ROWS " w: float[3,4] = fill(seed 5)\n b: float[4] = fill(seed 6)\n a = MatMul(x, w)\n"
          " t = Add(b, a)\n" B("y", "t"),
     0, NULL},
    {"Squeeze between",
     "graph main(x: float[2,3,1,6]) -> (y) {\n" P4
     " w: float[4,3,1,3] = fill(seed 5)\n a: int64[1] = [2]\n t = Conv(x, w)\n"
     " s = Squeeze(t, a)\n" B("y", "s"),
     0, NULL},
    {"Flatten of single positions between",
     "graph main(x: float[2,3,3,3]) -> (y) {\n" P4 W33
     " t = Conv(x, w)\n f = Flatten(t)\n" B("y", "f"),
     0, NULL},
    {"Concat of two layers",
     IMAGE " w: float[1,3,3,3] = fill(seed 5)\n u: float[3,3,3,3] = fill(seed 6)\n"
           " a = Conv(x, w)\n b = Conv(x, u)\n t = Concat<axis=1>(a, b)\n" B("y", "t"),
     0, NULL},
    {"a weight that two layers share",
     IMAGE W33 " a = Conv(x, w)\n" B("n", "a") " c = Conv<dilations=[2,2], pads=[1,1,1,1]>(x, w)\n"
                                               " y = Add(n, c)\n",
     0, NULL},
    {"twice in a row", IMAGE W33 " t = Conv(x, w)\n" B("n", "t") B("y", "n"), 0, NULL},
    {"a factor and an addend of an old framework behind it",
     IMAGE W33 " s: float[4,1,1] = fill(seed 7)\n t = Conv(x, w)\n" B(
         "n", "t") " a = Mul(n, s)\n y = Add(a, s)\n",
     0, NULL},
    /* before a layer */
    {"before a Conv without padding", IMAGE4 W11 B("t", "x") " y = Conv(t, w)\n", 0, NULL},
    {"before a grouped Conv",
     IMAGE4 " w: float[4,2,1,1] = fill(seed 5)\n" B("t", "x") " y = Conv<group=2>(t, w)\n", 0,
     NULL},
    {"before two Convs",
     IMAGE4 W11 " u: float[2,4,1,1] = fill(seed 6)\n" B(
         "t", "x") " a = Conv(t, w)\n b = Conv(t, u)\n y = Concat<axis=1>(a, b)\n",
     0, NULL},
    {"before a Flatten and a Gemm",
     "graph main(x: float[2,4,3,3]) -> (y) {\n" P4
     " w: float[36,2] = fill(seed 5)\n" B("t", "x") " f = Flatten(t)\n y = Gemm(f, w)\n",
     0, NULL},
    {"before a MatMul with a bias",
     "graph main(x: float[5,4]) -> (y) {\n" P4
     " w: float[4,2] = fill(seed 5)\n b: float[2] = fill(seed 6)\n" B(
         "t", "x") " a = MatMul(t, w)\n y = Add(a, b)\n",
     0, NULL},
    /* it stays */
    {"before a padded Conv", IMAGE4 W11 B("t", "x") " y = Conv<pads=[1,1,1,1]>(t, w)\n", 1,
     "pads with zeros"},
    {"before a ConvTranspose", IMAGE4 W11 B("t", "x") " y = ConvTranspose(t, w)\n", 1,
     "pads with zeros"},
    {"the layer is read elsewhere",
     IMAGE W33 " t = Conv(x, w)\n" B("n", "t") " r = Relu(t)\n y = Add(n, r)\n", 1,
     "other readers"},
    {"an activation between", IMAGE W33 " t = Conv(x, w)\n r = Relu(t)\n" B("y", "r"), 1,
     "no linear layer stands before it"},
    {"nothing linear at all", IMAGE4 " r = Relu(x)\n" B("n", "r") " y = Sigmoid(n)\n", 1,
     "no linear layer stands before it"},
    {"a reader that is no layer",
     IMAGE4 W11 B("t", "x") " a = Conv(t, w)\n r = Relu(t)\n y = Add(a, r)\n", 1,
     "no linear layer stands before it"},
    {"a weight that is computed",
     "graph main(x: float[2,3,6,6], k: float[4,3,3,3]) -> (y) {\n" P4
     " t = Conv(x, k)\n" B("y", "t"),
     1, "weight of the layer is not constant"},
    {"parameters that are computed",
     "graph main(x: float[2,3,6,6], q: float[4]) -> (y) {\n" P4 W33
     " t = Conv(x, w)\n y = BatchNormalization(t, q, be, m, v)\n",
     1, "parameters are not constant"},
    {"training mode",
     IMAGE W33 " t = Conv(x, w)\n"
               " y, a, c = BatchNormalization<training_mode=1>(t, g, be, m, v)\n",
     1, "training mode"},
    {"channels that a view mixes",
     "graph main(x: float[1,1,4,4]) -> (y) {\n" P4
     " w: float[2,1,1,1] = fill(seed 5)\n s: int64[3] = [1,4,8]\n t = Conv(x, w)\n"
     " f = Reshape(t, s)\n" B("y", "f"),
     1, "mixes its channels"},
    {"a MatMul whose columns are no channels",
     "graph main(x: float[2,4,3]) -> (y) {\n" P4 " w: float[3,5] = fill(seed 5)\n"
     " t = MatMul(x, w)\n" B("y", "t"),
     1, "another axis"},
};

static int count(const struct model *m)
{
    int n = 0;
    for (const struct node *at = m->graph->first; at; at = at->next)
        n += node_is(at, "BatchNormalization");
    return n;
}

static bool tells(const struct pass_log *log, const char *why)
{
    for (size_t i = 0; i < log->results.count; i++)
        for (size_t k = 0; k < log->results.data[i].refusals.count; k++)
            if (strstr(log->results.data[i].refusals.data[k].text, why))
                return true;
    return false;
}

static void fill_inputs(struct bench *b)
{
    for (size_t i = 0; i < b->m->graph->inputs.count; i++) {
        const struct value *v = b->m->graph->inputs.data[i];
        int64_t dims[4];
        for (int k = 0; k < v->type.rank; k++)
            assert_true(value_dim(v, k, &dims[k]));
        bench_fill(b, (int)i, DT_FLOAT, v->type.rank, dims, -1, 1);
    }
}

static const struct tensor *answer(struct bench *b)
{
    assert_int_equal(bench_run(b, (struct exec_options){.engine = ENGINE_REFERENCE}, 1), 0);
    return b->out[0];
}

static bool agree(const struct tensor *a, const struct tensor *b)
{
    double most = 0, off = 0;
    if (a->count != b->count)
        return false;
    for (int64_t i = 0; i < a->count; i++) {
        most = fmax(most, fabs(tensor_get(a, i)));
        off = fmax(off, fabs(tensor_get(a, i) - tensor_get(b, i)));
    }
    return off <= 1e-5 * most;
}

/* Training mode has other results on purpose and no kernel: only the graph is looked at. */
static bool runs(const struct situation *s) { return !strstr(s->text, "training_mode"); }

static bool holds(const struct situation *s)
{
    struct bench before, after;
    char text[4096];
    struct pass_log log = {0};
    struct pass_plan plan = {.level = 2, .verify = true};
    snprintf(text, sizeof text, "opset 17\n%s}\n", s->text);
    bench_open(&before, text);
    bench_open(&after, text);
    bool fine = passes_run(after.m, &plan, &log) == 0 && count(after.m) == s->left &&
                (!s->why || tells(&log, s->why));
    if (fine && runs(s)) {
        fill_inputs(&before);
        fill_inputs(&after);
        fine = agree(answer(&before), answer(&after));
    }
    if (!fine)
        printf("%s: %d left\n", s->title, count(after.m));
    for (size_t i = 0; !fine && i < log.results.count; i++)
        for (size_t k = 0; k < log.results.data[i].refusals.count; k++)
            printf("  %s\n", log.results.data[i].refusals.data[k].text);
    pass_log_release(&log);
    bench_close(&before);
    bench_close(&after);
    return fine;
}

static void test_situations(void **state)
{
    int failed = 0;
    (void)state;
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++)
        failed += !holds(&TABLE[i]);
    printf("%zu situations\n", sizeof TABLE / sizeof TABLE[0]);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_situations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
