/* Einsum: the equation's grammar, and every kind of contraction against one loop over all labels.
 */
#include "nn_test.h"

#include "kernels/float/einsum.h"

static bool parses(const char *equation, int n, const int *ranks)
{
    struct einsum_plan p;
    return einsum_labels(equation, n, ranks, &p);
}

static void grammar(void **state)
{
    (void)state;
    const int two[] = {2, 2}, mixed[] = {3, 2}, none[] = {0};
    assert_true(parses("ij,jk->ik", 2, two));
    assert_true(parses(" i j , j k -> i k ", 2, two));
    assert_true(parses("...j,jk", 2, mixed));
    assert_true(parses("->", 1, none) && parses("", 1, none));
    assert_false(parses("ij,jk->ik", 1, two));
    assert_false(parses("ij->ij,jk", 2, two));
    assert_false(parses("ijk,jk->ik", 2, two));
    assert_false(parses("i,jk->ik", 2, two));
    assert_false(parses("ij,jk->iz", 2, two));
    assert_false(parses("ij,jk->ii", 2, two));
    assert_false(parses("ij,jk->ik!", 2, two));
    assert_false(parses("i1,1k->ik", 2, two));
    assert_false(parses("......,jk", 2, two));
    assert_false(parses("..j,jk", 2, two));
    assert_false(parses("ij,jk->ik->", 2, two));
}

static void implicit_output_is_sorted(void **state)
{
    (void)state;
    struct einsum_plan p;
    const int ranks[] = {3, 2};
    const int64_t a[] = {7, 2, 3}, b[] = {3, 5};
    assert_true(einsum_labels("...bA,Aa", 2, ranks, &p));
    assert_true(einsum_extents(&p, (const int64_t *const[]){a, b}));
    assert_int_equal(p.output.rank, 3);
    assert_true(p.extent[p.output.label[0]] == 7 && p.extent[p.output.label[1]] == 5 &&
                p.extent[p.output.label[2]] == 2);
}

static void extents_must_agree(void **state)
{
    (void)state;
    struct einsum_plan p;
    const int ranks[] = {2, 2};
    const int64_t a[] = {2, 3}, b[] = {4, 5}, one[] = {1, 5},
                  huge[] = {(int64_t)1 << 40, (int64_t)1 << 40};
    assert_true(einsum_labels("ij,jk->ik", 2, ranks, &p));
    assert_false(einsum_extents(&p, (const int64_t *const[]){a, b}));
    assert_true(einsum_extents(&p, (const int64_t *const[]){a, one})); /* broadcasts */
    assert_false(einsum_extents(&p, (const int64_t *const[]){huge, b}));
    const int64_t empty[] = {(int64_t)1 << 40, 0}, wide[] = {0, (int64_t)1 << 40};
    assert_false(einsum_extents(&p, (const int64_t *const[]){empty, wide}));
}

static int64_t index_of(const struct einsum_plan *p, int input, const int64_t *at)
{
    int64_t i = 0;
    for (int k = 0; k < p->input[input].rank; k++)
        i = i * p->dims[input][k] + (p->dims[input][k] == 1 ? 0 : at[p->input[input].label[k]]);
    return i;
}

static void slow(const struct einsum_plan *p, const double *const *x, double *y)
{
    int64_t all = 1, at[EINSUM_MAX_LABELS];
    for (int l = 0; l < p->n_labels; l++)
        all *= p->extent[l];
    for (int64_t i = 0; i < all; i++) {
        int64_t rest = i, to = 0;
        double term = 1;
        for (int l = 0; l < p->n_labels; l++)
            at[l] = rest % p->extent[l], rest /= p->extent[l];
        for (int k = 0; k < p->n_inputs; k++)
            term *= x[k][index_of(p, k, at)];
        for (int k = 0; k < p->output.rank; k++)
            to = to * p->extent[p->output.label[k]] + at[p->output.label[k]];
        y[to] += term;
    }
}

static const struct {
    const char *equation;
    int n;
    int ranks[3];
    int64_t dims[3][4];
} CASES[] = {
    {"ij,jk->ik", 2, {2, 2}, {{3, 4}, {4, 5}}},
    {"bhid,bhjd->bhij", 2, {4, 4}, {{2, 3, 4, 5}, {2, 3, 6, 5}}},
    {"bhij,bhjd->bihd", 2, {4, 4}, {{2, 3, 4, 5}, {2, 3, 5, 2}}},
    {"ii->i", 1, {2}, {{4, 4}}},
    {"ii", 1, {2}, {{4, 4}}},
    {"ijk->ki", 1, {3}, {{2, 3, 4}}},
    {"i,j->ji", 2, {1, 1}, {{3}, {4}}},
    {"ij,jk,kl->li", 3, {2, 2, 2}, {{2, 3}, {3, 4}, {4, 5}}},
    {"bij,bjk,bk->bi", 3, {3, 3, 2}, {{2, 3, 4}, {2, 4, 5}, {2, 5}}},
    {"...ij,...jk->...ik", 2, {4, 3}, {{2, 3, 4, 5}, {3, 5, 2}}},
    {"...ij,...jk->...ik", 2, {4, 3}, {{2, 3, 4, 5}, {1, 5, 2}}},
    {"iij,jk->ik", 2, {3, 2}, {{3, 3, 4}, {4, 2}}},
    {"ab,cd->", 2, {2, 2}, {{2, 3}, {4, 5}}},
    {"ab,ab->ab", 2, {2, 2}, {{2, 3}, {2, 3}}},
    {"ij,kj->k", 2, {2, 2}, {{2, 300}, {3, 300}}},
};

static void contractions_match_one_loop(void **state)
{
    (void)state;
    uint64_t r = 71;
    for (int c = 0; c < COUNT(CASES); c++) {
        struct einsum_plan p;
        const int64_t *dims[3] = {CASES[c].dims[0], CASES[c].dims[1], CASES[c].dims[2]};
        double *x[3] = {NULL}, want[400] = {0}, y[400];
        float *xf[3] = {NULL}, yf[400];
        assert_true(einsum_labels(CASES[c].equation, CASES[c].n, CASES[c].ranks, &p) &&
                    einsum_extents(&p, dims));
        for (int i = 0; i < CASES[c].n; i++) {
            int64_t size = 1;
            for (int k = 0; k < CASES[c].ranks[i]; k++)
                size *= dims[i][k];
            xf[i] = test_floats(&r, size);
            x[i] = mem_alloc((size_t)size * sizeof(double));
            for (int64_t k = 0; k < size; k++)
                x[i][k] = (double)xf[i][k];
        }
        double *scratch = mem_alloc((size_t)(einsum_scratch(&p) + 1) * sizeof *scratch);
        int64_t out = 1;
        for (int k = 0; k < p.output.rank; k++)
            out *= p.extent[p.output.label[k]];
        slow(&p, (const double *const *)x, want);
        einsum_f64(&p, (const double *const *)x, y, scratch);
        einsum_f32(&p, (const float *const *)xf, yf, (float *)scratch);
        for (int64_t i = 0; i < out; i++)
            assert_true(fabs(y[i] - want[i]) < 1e-12 && fabs((double)yf[i] - want[i]) < 1e-5);
        for (int i = 0; i < 3; i++)
            mem_free(x[i]), mem_free(xf[i]);
        mem_free(scratch);
    }
}

static void empty_sums_are_zero(void **state)
{
    (void)state;
    struct einsum_plan p;
    const int ranks[] = {2, 2};
    const int64_t a[] = {2, 0}, b[] = {0, 2};
    const float x[] = {0};
    float y[4] = {1, 1, 1, 1}, scratch[8];
    assert_true(einsum_labels("ij,jk->ik", 2, ranks, &p) &&
                einsum_extents(&p, (const int64_t *const[]){a, b}));
    assert_true(einsum_scratch(&p) <= 8);
    einsum_f32(&p, (const float *const[]){x, x}, y, scratch);
    for (int i = 0; i < 4; i++)
        assert_true(y[i] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammar),
        cmocka_unit_test(implicit_output_is_sorted),
        cmocka_unit_test(extents_must_agree),
        cmocka_unit_test(contractions_match_one_loop),
        cmocka_unit_test(empty_sums_are_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
