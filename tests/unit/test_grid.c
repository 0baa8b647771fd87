/* Scale and zero point against values computed with ONNX Runtime's quantizer (reference "ONNX
 * Runtime QDQ" 2.1 and 2.3), rounding, and degenerate ranges. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/num.h"
#include "quant/grid.h"

struct golden {
    enum dtype dtype;
    bool symmetric, narrow;
    double rmin, rmax, scale;
    int32_t zero_point;
};

static const struct golden GOLDEN[] = {
    {DT_UINT8, false, false, -1, 3, .015686275, 64},
    {DT_UINT8, true, false, -1, 3, .023529412, 128},
    {DT_INT8, false, false, -1, 3, .015686275, -64},
    {DT_INT8, true, true, -1, 3, .023622047, 0},
    {DT_UINT16, false, false, -1, 3, 6.1036088e-5, 16384},
    {DT_INT16, true, true, -1, 3, 9.1555528e-5, 0},
    {DT_INT8, true, true, -1, 2, 2.0 / 127, 0},
    {DT_UINT8, false, false, -1, 2, 3.0 / 255, 85},
    {DT_INT4, true, false, -1, 3, 6.0 / 15, 0},
    {DT_UINT8, false, false, 2, 3, 3.0 / 255, 0}, /* zero is always inside */
    {DT_INT8, false, false, -4, -1, 4.0 / 255, 127},
    {DT_UINT8, false, false, 0, 1, 1.0 / 255, 0},
    {DT_INT8, false, false, 0, 1, 1.0 / 255, -128},
    {DT_INT8, true, true, 0, 1, 1.0 / 127, 0},
    {DT_INT8, false, false, 0, 0, 1, 0}, /* a constant zero */
    {DT_UINT8, true, false, 0, 0, 1, 0},
    {DT_UINT8, false, false, 0, 1e-38, 1, 0}, /* the step would be below FLT_MIN */
    {DT_UINT8, false, false, 0, 255 * (double)FLT_MIN, FLT_MIN, 0},
};

static void golden_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof GOLDEN / sizeof GOLDEN[0]; i++) {
        const struct golden *c = &GOLDEN[i];
        struct grid g = grid_of(c->dtype, c->symmetric, c->narrow);
        float scale;
        int32_t zero_point;
        grid_params(&g, c->rmin, c->rmax, &scale, &zero_point);
        if (fabs((double)scale - c->scale) > 1e-7 * c->scale || zero_point != c->zero_point)
            fail_msg("case %zu: %.9g %d, expected %.9g %d", i, (double)scale, zero_point, c->scale,
                     c->zero_point);
    }
}

static void rounding(void **state)
{
    (void)state;
    static const struct {
        double x;
        float scale;
        int32_t zero_point;
        enum dtype dtype;
        int64_t q;
    } CASES[] = {
        {.5, 1, 0, DT_INT8, 0},
        {1.5, 1, 0, DT_INT8, 2},
        {2.5, 1, 0, DT_INT8, 2},
        {-.5, 1, 0, DT_INT8, 0},
        {-1.5, 1, 0, DT_INT8, -2},
        {200, 1, 0, DT_INT8, 127},
        {-200, 1, 0, DT_INT8, -128},
        {.5, 1, 3, DT_UINT8, 3},
        {1e300, 1e-30f, 0, DT_INT32, 2147483647},
        {-1e300, 1, 5, DT_INT16, -32768},
        {NAN, 1, 7, DT_UINT8, 7},
        {INFINITY, 1, 0, DT_UINT8, 255},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        int64_t q = grid_quantize(CASES[i].x, CASES[i].scale, CASES[i].zero_point, CASES[i].dtype);
        if (q != CASES[i].q)
            fail_msg("case %zu: %lld, expected %lld", i, (long long)q, (long long)CASES[i].q);
    }
}

/* Within one unit in the last place of float32. W = +-1e-7, input scale .05, bias 5 and -4.5: the
 * bias would need more than int32. */
static void bias_raises_weight_scale(void **state)
{
    (void)state;
    struct grid g = grid_of(DT_INT8, true, true);
    float w;
    int32_t zero_point;
    grid_params(&g, -1e-7, 1e-7, &w, &zero_point);
    float per_tensor = grid_weight_scale(.05f, w, 5), second = grid_weight_scale(.05f, w, 4.5);
    assert_true(fabs((double)per_tensor - 4.6570786e-8) < 4e-15);
    assert_true(fabs((double)second - 4.1913708e-8) < 4e-15);
    assert_int_equal(grid_quantize(5, .05f * per_tensor, 0, DT_INT32), 2147268834);
    assert_int_equal(grid_quantize(-4.5, .05f * per_tensor, 0, DT_INT32), -1932541951);
    assert_int_equal(grid_quantize(1e-7, per_tensor, 0, DT_INT8), 2);
    assert_true(grid_weight_scale(.05f, .01f, 5) == .01f); /* enough already: untouched */
    assert_true(grid_weight_scale(.05f, .01f, 0) == .01f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_parameters),
        cmocka_unit_test(rounding),
        cmocka_unit_test(bias_raises_weight_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
