/* Activation functions become Relu, Exp, Sigmoid and arithmetic.
 *
 * Before:  y = HardSwish(x)
 * After:   y = x * Clip(x * (1/6) + 0.5, 0, 1)
 * The rows below give each function's form (docs/Operators.md of ONNX); $0 and $1 are the
 * attributes named. Exp sees no positive number where it could overflow. Softplus inside Mish and
 * HardSigmoid inside HardSwish stay whole where the result may hold them.
 * When:    the result may not hold the operator. Numerics: REASSOC.
 */
#include <math.h>
#include <string.h>

#include "rewrite/emit.h"

PASS_OPS(decompose_activation, "Celu", "Elu", "Selu", "HardSigmoid", "HardSwish", "LeakyRelu",
         "PRelu", "Mish", "Softplus", "Softsign", "Swish", "ThresholdedRelu", "GreaterOrEqual",
         "LessOrEqual", "Max", "Min");

struct form {
    const char *op;
    const char *attrs[2]; /* in the order of the text; NULL: none */
    float defaults[2];
    const char *text; /* x to y; p: the second input */
};

#define HARD_SIGMOID "t = Mul(x, $0); u = Add(t, $1); y = Clip(u, 0.0, 1.0)"
#define SOFTPLUS "a = Abs(x); b = Neg(a); c = Exp(b); d = Add(c, 1.0); l = Log(d); r = Relu(x); "

/* Defaults: ops.def. */
static const struct form FORMS[] = {
    {"Celu",
     {"alpha", "alpha"},
     {1, 1},
     "n = Min(x, 0.0); q = Div(n, $0); e = Exp(q); m = Sub(e, 1.0); s = Mul(m, $1); r = Relu(x); "
     "y = Add(r, s)"},
    {"Elu",
     {"alpha", NULL},
     {1, 0},
     "n = Min(x, 0.0); e = Exp(n); m = Sub(e, 1.0); s = Mul(m, $0); r = Relu(x); y = Add(r, s)"},
    {"Selu",
     {"alpha", "gamma"},
     {1.67326319f, 1.05070102f},
     "n = Min(x, 0.0); e = Exp(n); m = Sub(e, 1.0); s = Mul(m, $0); r = Relu(x); a = Add(r, s); "
     "y = Mul(a, $1)"},
    {"HardSigmoid", {"alpha", "beta"}, {0.2f, 0.5f}, HARD_SIGMOID},
    {"HardSwish",
     {NULL, NULL},
     {0, 0},
     "t = Mul(x, 0.16666666666666666); u = Add(t, 0.5); h = Clip(u, 0.0, 1.0); y = Mul(x, h)"},
    {"LeakyRelu",
     {"alpha", NULL},
     {0.01f, 0},
     "r = Relu(x); m = Min(x, 0.0); s = Mul(m, $0); y = Add(r, s)"},
    {"PRelu", {NULL, NULL}, {0, 0}, "r = Relu(x); m = Min(x, 0.0); s = Mul(m, p); y = Add(r, s)"},
    {"Mish", {NULL, NULL}, {0, 0}, SOFTPLUS "s = Add(r, l); t = Tanh(s); y = Mul(x, t)"},
    {"Softplus", {NULL, NULL}, {0, 0}, SOFTPLUS "y = Add(r, l)"},
    {"Softsign", {NULL, NULL}, {0, 0}, "a = Abs(x); b = Add(a, 1.0); y = Div(x, b)"},
    {"Swish", {"alpha", NULL}, {1, 0}, "t = Mul(x, $0); s = Sigmoid(t); y = Mul(x, s)"},
    {"ThresholdedRelu", {"alpha", NULL}, {1, 0}, "c = Greater(x, $0); y = Where(c, x, 0.0)"},
    {"GreaterOrEqual", {NULL, NULL}, {0, 0}, "a = Greater(x, p); b = Equal(x, p); y = Or(a, b)"},
    {"LessOrEqual", {NULL, NULL}, {0, 0}, "a = Less(x, p); b = Equal(x, p); y = Or(a, b)"},
    {"Max", {NULL, NULL}, {0, 0}, "c = Greater(x, p); y = Where(c, x, p)"},
    {"Min", {NULL, NULL}, {0, 0}, "c = Less(x, p); y = Where(c, x, p)"},
};

/* For integers only, and two inputs: NaN would come out otherwise. */
static bool is_for_integers(const struct form *f)
{
    return !strcmp(f->op, "Max") || !strcmp(f->op, "Min");
}

static const struct form *form_of(const struct pass_run *r, const struct node *n)
{
    bool fits = n->n_inputs == 2 && dtype_is_int(value_dtype(n->inputs[0].value));
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++)
        if ((fits || !is_for_integers(&FORMS[i])) && decompose_due(r, n, "", FORMS[i].op))
            return &FORMS[i];
    return NULL;
}

static const char BY_HARD_SIGMOID[] =
    "h = HardSigmoid(x){alpha=0.16666666666666666, beta=0.5}; y = Mul(x, h)";
static const char BY_SOFTPLUS[] = "s = Softplus(x); t = Tanh(s); y = Mul(x, t)";
static const char BY_SIGMOID[] = "s = Sigmoid(x); y = Mul(x, s)";

/* With the operator in the middle kept, where the graph's opset and the result have it. */
static const char *shorter_form(const struct pass_run *r, const struct node *n)
{
    enum dtype t = value_dtype(n->inputs[0].value);
    if (node_is(n, "HardSwish") && pass_knows(r, n, "", "HardSigmoid", t))
        return BY_HARD_SIGMOID;
    if (node_is(n, "Mish") && pass_knows(r, n, "", "Softplus", t))
        return BY_SOFTPLUS;
    if (node_is(n, "Swish") && !(fabsf(node_float(n, "alpha", 1) - 1) > 0))
        return BY_SIGMOID;
    return NULL;
}

int visit_decompose_activation(struct pass_run *r, struct node *n)
{
    const struct form *f = node_input(n, 0) ? form_of(r, n) : NULL;
    struct emit e;
    if (!f)
        return 0;
    pass_rewrote(r, n, "'%s' was taken apart", n->op_type);
    const char *shorter = shorter_form(r, n);
    emit_begin(&e, r, n);
    emit_bind(&e, "x", node_input(n, 0));
    emit_bind(&e, "p", node_input(n, 1));
    for (int i = 0; i < 2 && f->attrs[i]; i++)
        e.numbers[i] = (double)node_float(n, f->attrs[i], f->defaults[i]);
    emit(&e, "%s", shorter ? shorter : f->text);
    emit_result(&e, 0, "y");
    emit_end(&e);
    return 0;
}
