/* Fused products of com.microsoft become the product and what was fused to it.
 *
 * Before:  y = com.microsoft::FusedConv<activation="Relu">(x, w, b, z)
 * After:   y = Relu(Add(Conv(x, w, b), z))
 * FusedGemm likewise; FusedMatMul (TransposeMatMul) becomes Transpose, MatMul and a scale.
 * When:    the result may not hold the operator; of FusedMatMul the ranks of both operands are known
 * and no batch axis is turned. Numerics: REASSOC. Activations and where their parameters stand:
 * ContribOperators.md of ONNX Runtime.
 */
#include <math.h>
#include <string.h>

#include "rewrite/emit.h"

PASS_OPS(decompose_fused, "com.microsoft::FusedConv", "com.microsoft::FusedGemm",
         "com.microsoft::FusedMatMul", "com.microsoft::TransposeMatMul");

static const char MICROSOFT[] = "com.microsoft";

enum { MAX_RANK = 16 };

/* ---- activations ---- */

struct activation {
    const char *name, *text; /* y to y; $0 and $1: parameters */
    int parameters;
};

static const struct activation ACTIVATIONS[] = {
    {"Relu", "y = Relu(y)", 0},
    {"Tanh", "y = Tanh(y)", 0},
    {"Sigmoid", "y = Sigmoid(y)", 0},
    {"LeakyRelu", "r = Relu(y); m = Min(y, 0.0); s = Mul(m, $0); y = Add(r, s)", 1},
    {"Clip", "y = Clip(y, $0, $1)", 2},
    {"HardSigmoid", "t = Mul(y, $0); u = Add(t, $1); y = Clip(u, 0.0, 1.0)", 2},
};

static const struct activation *activation_of(const struct node *n)
{
    for (size_t i = 0; i < sizeof ACTIVATIONS / sizeof ACTIVATIONS[0]; i++)
        if (node_string_is(n, "activation", "", ACTIVATIONS[i].name))
            return &ACTIVATIONS[i];
    return NULL;
}

static bool read_parameters(const struct node *n, const struct activation *a, double *out)
{
    const float *list;
    uint32_t count;
    static const char *const NAMES[] = {"activation_alpha", "activation_beta"};
    bool given = node_floats(n, "activation_params", &list, &count);
    if (given && count < (uint32_t)a->parameters)
        return false;
    for (int i = 0; i < a->parameters; i++) {
        if (!given && !node_attr(n, NAMES[i]))
            return false;
        out[i] = (double)(given ? list[i] : node_float(n, NAMES[i], 0));
    }
    return true;
}

static const char *activation_problem(const struct node *n)
{
    double parameters[2];
    const struct activation *a = activation_of(n);
    if (!a && node_string(n, "activation", "").size)
        return "its activation is not known";
    return a && !read_parameters(n, a, parameters) ? "its activation lacks a parameter" : NULL;
}

/* The product without the activation, from the same attributes. */
static void emit_product(struct emit *e, struct node *n, const char *op, uint32_t inputs)
{
    struct node *made = rewrite_node(n, op, inputs < n->n_inputs ? inputs : n->n_inputs, 1);
    for (uint32_t i = 0; i < made->n_inputs; i++)
        node_set_input(made, i, n->inputs[i].value);
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (strncmp(n->attrs[i]->name, "activation", 10) != 0)
            node_copy_attr(made, n->attrs[i]);
    emit_bind(e, "y", node_add_output(made, 0, n->outputs[0]->name));
    rewrite_infer(e->r, made);
}

static void take_product(struct pass_run *r, struct node *n, const char *op)
{
    struct emit e;
    const struct activation *a = activation_of(n);
    pass_rewrote(r, n, "'%s' was taken apart", n->op_type);
    emit_begin(&e, r, n);
    emit_product(&e, n, op, 3);
    if (node_input(n, 3)) {
        emit_bind(&e, "z", node_input(n, 3));
        emit(&e, "y = Add(y, z)");
    }
    if (a) {
        read_parameters(n, a, e.numbers);
        emit(&e, "%s", a->text);
    }
    emit_result(&e, 0, "y");
    emit_end(&e);
}

/* ---- FusedMatMul ---- */

static const char *matmul_problem(const struct node *n)
{
    int a = value_rank(node_input(n, 0)), b = value_rank(node_input(n, 1));
    if (node_int(n, "transBatchA", 0) || node_int(n, "transBatchB", 0))
        return "it turns a batch axis";
    if (a < 1 || b < 1 || a > MAX_RANK || b > MAX_RANK)
        return "the rank of an operand is not known";
    return NULL;
}

/* Swaps the last two axes of `name`, where it has two. */
static void emit_turned(struct emit *e, const char *name, bool turn)
{
    int rank = value_rank(emit_value(e, name));
    if (!turn || rank < 2)
        return;
    char *perm = arena_string(e->scratch, "");
    for (int i = 0; i < rank - 2; i++)
        perm = arena_printf(e->scratch, "%s%d, ", perm, i);
    emit(e, "%s = Transpose(%s){perm=[%s%d, %d]}", name, name, perm, rank - 1, rank - 2);
}

static void take_matmul(struct pass_run *r, struct node *n)
{
    struct emit e;
    pass_rewrote(r, n, "'%s' was taken apart", n->op_type);
    emit_begin(&e, r, n);
    emit_bind(&e, "a", node_input(n, 0));
    emit_bind(&e, "b", node_input(n, 1));
    emit_turned(&e, "a", node_int(n, "transA", 0) != 0);
    emit_turned(&e, "b", node_int(n, "transB", 0) != 0);
    e.numbers[0] = (double)node_float(n, "alpha", 1);
    emit(&e, "y = MatMul(a, b)");
    if (fabs(e.numbers[0] - 1) > 0)
        emit(&e, "y = Mul(y, $0)");
    emit_result(&e, 0, "y");
    emit_end(&e);
}

int visit_decompose_fused(struct pass_run *r, struct node *n)
{
    bool conv = decompose_due(r, n, MICROSOFT, "FusedConv");
    bool gemm = decompose_due(r, n, MICROSOFT, "FusedGemm");
    bool matmul = decompose_due(r, n, MICROSOFT, "FusedMatMul") ||
                  decompose_due(r, n, MICROSOFT, "TransposeMatMul");
    if ((!conv && !gemm && !matmul) || !node_input(n, 1) || !node_output(n, 0))
        return 0;
    const char *why = matmul ? matmul_problem(n) : activation_problem(n);
    if (why)
        pass_refused(r, n, "%s", why);
    else if (matmul)
        take_matmul(r, n);
    else
        take_product(r, n, n->op_type + strlen("Fused"));
    return 0;
}
