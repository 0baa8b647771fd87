/* Gelu in its spellings becomes Erf, Tanh or Sigmoid and arithmetic.
 *
 * Before:  y = Gelu(x)                    com.microsoft: Gelu, BiasGelu, FastGelu, QuickGelu too
 * After:   y = (x * 0.5) * (Erf(x * sqrt(1/2)) + 1)
 *          y = (x * 0.5) * (Tanh(sqrt(2/pi) * (x + 0.044715 * x * x * x)) + 1)    approximate, FastGelu
 *          y = x * Sigmoid(alpha * x)                                             QuickGelu
 * When:    the result may not hold the operator. A bias is added first. Numerics: REASSOC. The
 * formulas are those of the operators (docs/Operators.md of ONNX, ContribOperators.md).
 */
#include "rewrite/emit.h"

PASS_OPS(decompose_gelu, "Gelu", "com.microsoft::Gelu", "com.microsoft::BiasGelu",
         "com.microsoft::FastGelu", "com.microsoft::QuickGelu");

#define EXACT_FORM                                                                    \
    "t = Mul(x, 0.70710678118654752); f = Erf(t); g = Add(f, 1.0); h = Mul(x, 0.5); " \
    "y = Mul(h, g)"
#define TANH_FORM                                                                      \
    "q = Mul(x, x); c = Mul(q, x); s = Mul(c, 0.044715); a = Add(x, s); "              \
    "b = Mul(a, 0.79788456080286536); f = Tanh(b); g = Add(f, 1.0); h = Mul(x, 0.5); " \
    "y = Mul(h, g)"

static const char MICROSOFT[] = "com.microsoft";

enum form { FORM_NONE, FORM_EXACT, FORM_TANH, FORM_SIGMOID };
static const char *const TEXTS[] = {NULL, EXACT_FORM, TANH_FORM,
                                    "t = Mul(x, $0); s = Sigmoid(t); y = Mul(x, s)"};

static enum form form_of(const struct pass_run *r, const struct node *n)
{
    if (decompose_due(r, n, "", "Gelu"))
        return node_string_is(n, "approximate", "none", "tanh") ? FORM_TANH : FORM_EXACT;
    if (decompose_due(r, n, MICROSOFT, "Gelu") || decompose_due(r, n, MICROSOFT, "BiasGelu"))
        return FORM_EXACT;
    if (decompose_due(r, n, MICROSOFT, "FastGelu"))
        return FORM_TANH;
    return decompose_due(r, n, MICROSOFT, "QuickGelu") ? FORM_SIGMOID : FORM_NONE;
}

int visit_decompose_gelu(struct pass_run *r, struct node *n)
{
    struct emit e;
    enum form form = form_of(r, n);
    if (!form || !node_input(n, 0))
        return 0;
    pass_rewrote(r, n, "'%s' was taken apart", n->op_type);
    emit_begin(&e, r, n);
    emit_bind(&e, "x", node_input(n, 0));
    if (node_input(n, 1)) {
        emit_bind(&e, "bias", node_input(n, 1));
        emit(&e, "x = Add(x, bias)");
    }
    e.numbers[0] = (double)node_float(n, "alpha", 1.702f);
    emit(&e, "%s", TEXTS[form]);
    emit_result(&e, 0, "y");
    emit_end(&e);
    return 0;
}
