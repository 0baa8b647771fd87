/* Determinant, inverse, loss and suppression by hand. */
#include "nn_test.h"

#include "kernels/float/linalg.h"
#include "kernels/float/loss.h"
#include "kernels/float/nms.h"
#include "kernels/kernel.h"

static void determinants(void **state)
{
    (void)state;
    const float x[] = {0, 2, 3, 4, 1, 2, 2, 4}; /* a row exchange; a singular matrix */
    const double y3[] = {2, 0, 1, 1, 3, 2, 1, 1, 4};
    float y[2];
    double d[1], scratch[18];
    assert_int_equal(linalg_scratch(3), 18);
    assert_int_equal(linalg_scratch(INT64_MAX), -1);
    linalg_det_f32(2, 2, x, y, scratch);
    assert_true(y[0] == -6 && y[1] == 0);
    linalg_det_f64(1, 3, y3, d, scratch);
    assert_true(fabs(d[0] - 18) < 1e-13);
    linalg_det_f32(1, 0, x, y, scratch);
    assert_true(y[0] == 1);
}

static void inverses(void **state)
{
    (void)state;
    uint64_t r = 81;
    double scratch[2 * 36];
    for (int64_t n = 1; n <= 6; n++) {
        float *x = test_floats(&r, n * n), *y = test_zeros(n * n);
        for (int64_t i = 0; i < n; i++)
            x[i * n + i] += 3; /* well conditioned */
        assert_int_equal(linalg_inverse_f32(1, n, x, y, scratch), KERNEL_OK);
        for (int64_t i = 0; i < n * n; i++) {
            double sum = 0;
            for (int64_t k = 0; k < n; k++)
                sum += (double)x[i / n * n + k] * (double)y[k * n + i % n];
            assert_true(fabs(sum - (i / n == i % n ? 1 : 0)) < 1e-6);
        }
        mem_free(x), mem_free(y);
    }
    const float singular[] = {1, 2, 2, 4};
    float y[4];
    assert_int_equal(linalg_inverse_f32(1, 2, singular, y, scratch), KERNEL_VALUE);
}

static void negative_log_likelihood(void **state)
{
    (void)state;
    const float x[] = {-1, -2, -3, -4, -5, -6},
                weight[] = {1, 10, 100}; /* 1 batch, 3 classes, 2 elements */
    const int64_t target[] = {2, 0}, ignored[] = {-1, 1}, bad[] = {3, 0};
    float y[2];
    struct loss_params p = {.batch = 1, .classes = 3, .size = 2, .reduction = LOSS_NONE};
    assert_int_equal(loss_nll_f32(&p, x, target, y), KERNEL_OK);
    assert_true(y[0] == 5 && y[1] == 2);
    p.weight = weight;
    p.reduction = LOSS_SUM;
    assert_int_equal(loss_nll_f32(&p, x, target, y), KERNEL_OK);
    assert_true(y[0] == 502);
    p.reduction = LOSS_MEAN;
    assert_int_equal(loss_nll_f32(&p, x, target, y), KERNEL_OK);
    assert_true(y[0] == 502.0f / 101);
    assert_int_equal(loss_nll_f32(&p, x, ignored, y), KERNEL_INDEX);
    p.has_ignore = true, p.ignore = -1;
    assert_int_equal(loss_nll_f32(&p, x, ignored, y), KERNEL_OK);
    assert_true(y[0] == 4);
    assert_int_equal(loss_nll_f32(&p, x, bad, y), KERNEL_INDEX);
    assert_true(loss_reduction_find("mean") == LOSS_MEAN && loss_reduction_find("max") == -1);
}

/* The boxes of the operator's tests: two pairs that overlap, one apart. */
static const float BOXES[] = {0, 0,  1, 1,  0, 0.1f,  1, 1.1f,  0, -0.1f, 1, 0.9f,
                              0, 10, 1, 11, 0, 10.1f, 1, 11.1f, 0, 100,   1, 101};
static const float SCORES[] = {0.9f, 0.75f, 0.6f, 0.95f, 0.5f, 0.3f};

static void suppression(void **state)
{
    (void)state;
    int64_t selected[6], scratch[6];
    struct nms_params p = {.boxes = 6, .most = 3, .iou_threshold = 0.5f};
    assert_int_equal(nms_f32(&p, BOXES, SCORES, selected, scratch), 3);
    assert_true(selected[0] == 3 && selected[1] == 0 && selected[2] == 5);
    p.has_score_threshold = true, p.score_threshold = 0.4f;
    assert_int_equal(nms_f32(&p, BOXES, SCORES, selected, scratch), 2);
    p.most = 0;
    assert_int_equal(nms_f32(&p, BOXES, SCORES, selected, scratch), 0);
    p.most = INT64_MAX, p.has_score_threshold = false, p.iou_threshold = 1;
    assert_int_equal(nms_f32(&p, BOXES, SCORES, selected, scratch), 6);
}

static void suppression_edges(void **state)
{
    (void)state;
    const float same[] = {0, 0, 1, 1, 1, 1, 0, 0, 5, 5, 6, 6}, equal[] = {1, 1, 1},
                with_nan[] = {NAN, 0.5f, 1};
    const float centred[] = {0.5f, 0.5f, 1, 1, 0.6f, 0.5f, 1, 1, 5, 5, 1, 1};
    int64_t selected[3], scratch[3];
    struct nms_params p = {.boxes = 3, .most = 3, .iou_threshold = 0.5f};
    assert_int_equal(nms_f32(&p, same, equal, selected, scratch),
                     2); /* corners in any order; ties by number */
    assert_true(selected[0] == 0 && selected[1] == 2);
    assert_int_equal(nms_f32(&p, same, with_nan, selected, scratch), 2);
    assert_true(selected[0] == 2 && selected[1] == 1);
    p.centred = true;
    assert_int_equal(nms_f32(&p, centred, equal, selected, scratch), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(determinants),
        cmocka_unit_test(inverses),
        cmocka_unit_test(negative_log_likelihood),
        cmocka_unit_test(suppression),
        cmocka_unit_test(suppression_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
