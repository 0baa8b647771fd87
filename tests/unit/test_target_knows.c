/* What a target has: the specification alone, then a profile with few operators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "targets/target.h"

static struct ctx ctx;

static bool spec(const char *op, int64_t opset, enum dtype dtype)
{
    return target_knows(NULL, "", op, opset, dtype);
}

static void test_specification(void **state)
{
    (void)state;
    assert_true(spec("LayerNormalization", 17, DT_FLOAT));
    assert_false(spec("LayerNormalization", 16, DT_FLOAT));
    assert_true(spec("Relu", 14, DT_INT32));
    assert_false(spec("Relu", 13, DT_INT32));
    assert_false(spec("Upsample", 10, DT_FLOAT)); /* deprecated */
    assert_false(spec("GroupNormalization", 18, DT_FLOAT));
    assert_true(spec("GroupNormalization", 21, DT_UNDEFINED));
    assert_false(spec("SwiGLU", 28, DT_FLOAT)); /* newer than ONNX Runtime */
    assert_true(target_knows(NULL, "com.microsoft", "FusedConv", 1, DT_FLOAT));
    assert_false(target_knows(NULL, "maker", "Blend", 1, DT_FLOAT));
}

static void test_profile(void **state)
{
    (void)state;
    struct target *t;
    assert_int_equal(target_load(&t, "tests/targets/few.json", &ctx), 0);
    assert_true(target_knows(t, "", "Conv", 17, DT_FLOAT));
    assert_false(target_knows(t, "", "Conv", 17, DT_FLOAT16)); /* no type of the target */
    assert_false(target_knows(t, "", "Gemm", 17, DT_FLOAT));   /* "known": false */
    assert_false(target_knows(t, "", "Elu", 17, DT_FLOAT));    /* not listed */
    assert_false(target_knows(t, "", "Softmax", 12, DT_FLOAT));
    assert_true(target_knows(t, "", "Softmax", 13, DT_FLOAT));
    assert_false(target_knows(t, "", "Sigmoid", 17, DT_INT64));
    assert_true(target_knows(t, "maker", "Blend", 1, DT_FLOAT));
    assert_false(target_knows(t, "com.microsoft", "FusedConv", 1, DT_FLOAT));
    target_free(t);
    assert_int_equal(target_load(&t, "int8", &ctx), 0);
    assert_false(target_knows(t, "com.microsoft", "FusedConv", 1, DT_FLOAT));
    assert_true(target_knows(t, "", "Gelu", 20, DT_FLOAT));
    target_free(t);
}

int main(void)
{
    ctx.diag = diag_new(NULL, NULL);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_specification),
                                       cmocka_unit_test(test_profile)};
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    diag_free(ctx.diag);
    return status;
}
