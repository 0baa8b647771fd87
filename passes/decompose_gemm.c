/* Gemm becomes MatMul and Add.
 *
 * Before:  y = Gemm<transB=1, alpha, beta>(a, b, c)
 * After:   y = MatMul(a, Transpose(b)) * alpha + c * beta
 * When:    the result may not hold Gemm, and the element type is a float. Constants are transposed
 * by constant folding. Numerics: REASSOC.
 */
#include <math.h>

#include "rewrite/emit.h"

PASS_OPS(decompose_gemm, "Gemm");

static void emit_scaled(struct emit *e, const char *name, double by)
{
    e->numbers[0] = by;
    if (fabs(by - 1) > 0)
        emit(e, "%s = Mul(%s, $0)", name, name);
}

int visit_decompose_gemm(struct pass_run *r, struct node *n)
{
    struct emit e;
    if (!decompose_due(r, n, "", "Gemm") || !node_input(n, 1))
        return 0;
    if (!dtype_is_float(value_dtype(n->inputs[0].value))) {
        pass_refused(r, n, "its element type is no float");
        return 0;
    }
    pass_rewrote(r, n, "Gemm was taken apart");
    emit_begin(&e, r, n);
    emit_bind(&e, "a", node_input(n, 0));
    emit_bind(&e, "b", node_input(n, 1));
    if (node_int(n, "transA", 0))
        emit(&e, "a = Transpose(a){perm=[1, 0]}");
    if (node_int(n, "transB", 0))
        emit(&e, "b = Transpose(b){perm=[1, 0]}");
    emit(&e, "y = MatMul(a, b)");
    emit_scaled(&e, "y", (double)node_float(n, "alpha", 1));
    if (node_input(n, 2)) {
        emit_bind(&e, "c", node_input(n, 2));
        emit_scaled(&e, "c", (double)node_float(n, "beta", 1));
        emit(&e, "y = Add(y, c)");
    }
    emit_result(&e, 0, "y");
    emit_end(&e);
    return 0;
}
