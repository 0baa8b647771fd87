/* A linear layer becomes a 1x1 convolution.
 *
 * Before:  y = MatMul(x, w)               x: [N, S, C], w: [C, K] constant;  or Gemm of [N, C]
 * After:   y = Reshape / Transpose of Conv(x as [N, C, 1, S], w as [K, C, 1, 1], bias)
 * When:    the target knows Conv and neither MatMul nor Gemm, or the pass is named: NPUs without a
 * matrix product run it that way. w is a constant float matrix, x has rank 2 or 3 of known
 * sizes but for the first. A Gemm has alpha and beta 1, transA 0, and no or a constant bias of one row.
 * Numerics: REASSOC.
 */
#include <math.h>
#include <string.h>

#include "rewrite/emit.h"

PASS_OPS(convert_linear, "MatMul", "Gemm");

static bool is_due(const struct pass_run *r, const struct node *n)
{
    bool named = pass_plan(r)->names && !pass_target(r);
    if ((!node_is(n, "MatMul") && !node_is(n, "Gemm")) || !node_is_onnx(n) || !node_output(n, 0) ||
        graph_opset(n->graph, "") < 11)
        return false;
    enum dtype t = value_dtype(n->outputs[0]);
    return named || (pass_target(r) && pass_knows(r, n, "", "Conv", t) &&
                     !pass_knows(r, n, "", "MatMul", t) && !pass_knows(r, n, "", n->op_type, t));
}

/* Of the result: outputs of the layer. */
static int64_t columns(const struct node *n)
{
    const struct tensor *w = n->inputs[1].value->constant;
    return w->dims[node_is(n, "Gemm") && node_int(n, "transB", 0) ? 0 : 1];
}

static const char *gemm_problem(const struct node *n)
{
    const struct tensor *c = node_input(n, 2) ? constant_of(n->inputs[2].value) : NULL;
    if (node_int(n, "transA", 0) || fabsf(node_float(n, "alpha", 1) - 1) > 0 ||
        fabsf(node_float(n, "beta", 1) - 1) > 0)
        return "it scales or turns an operand";
    if (node_input(n, 2) &&
        (!c || c->rank < 1 || c->count != c->dims[c->rank - 1] || c->count != columns(n)))
        return "its bias is not one constant row";
    return NULL;
}

static const char *linear_problem(const struct node *n)
{
    const struct value *x = node_input(n, 0), *w = node_input(n, 1);
    const struct tensor *t = w ? constant_of(w) : NULL;
    int64_t channels, wide;
    int rank = x ? value_rank(x) : -1;
    if (!t || t->rank != 2 || !dtype_is_float(t->dtype))
        return "its second operand is no constant matrix";
    if (rank != 2 && (rank != 3 || node_is(n, "Gemm")))
        return "its first operand is not of rank 2 or 3";
    bool sized = value_dim(x, rank - 1, &channels) && (rank == 2 || value_dim(x, 1, &wide));
    if (!sized)
        return "the sizes of its first operand are not known";
    return node_is(n, "Gemm") ? gemm_problem(n) : NULL;
}

/* The weight as [K, C, 1, 1]. */
static struct value *kernel_of(struct node *n)
{
    struct model *m = n->graph->model;
    struct value *w = n->inputs[1].value;
    const struct tensor *t = constant_of(w);
    bool turned = node_is(n, "Gemm") && node_int(n, "transB", 0);
    const struct tensor *flat = turned ? t : recipe_transpose(m, t, (const int64_t[]){1, 0});
    int64_t dims[4] = {flat->dims[0], flat->dims[1], 1, 1};
    if (!flat->recipe)
        return constant_new(n, tensor_reshaped(m, flat, 4, dims), w);
    int64_t view[4] = {t->dims[0], t->dims[1], 1, 1}, perm[4] = {1, 0, 2, 3};
    if (!t->recipe)
        return constant_new(n, recipe_transpose(m, tensor_reshaped(m, t, 4, view), perm), w);
    struct tensor *whole = tensor_new(m->arena, t->dtype, 4, dims);
    struct arena *scratch = arena_new();
    const void *bytes = tensor_bytes_of(flat, scratch);
    memcpy(tensor_writable(whole), bytes, whole->bytes);
    arena_free(scratch);
    return constant_new(n, whole, w);
}

static void emit_bias(struct emit *e, struct node *n, const char *args)
{
    struct value *c = node_input(n, 2);
    const struct tensor *t = c ? constant_of(c) : NULL;
    int64_t size = t ? t->count : 0;
    if (t) {
        struct tensor *row = arena_copy(n->graph->model->arena, t, sizeof *t);
        row->rank = 1;
        row->dims = arena_copy(n->graph->model->arena, &size, sizeof size);
        row->origin = (struct span){0};
        emit_bind(e, "b", t->rank == 1 ? c : constant_new(n, row, c));
    }
    if (t)
        emit(e, "c = Conv(%s, w, b)", args);
    else
        emit(e, "c = Conv(%s, w)", args);
}

int visit_convert_linear(struct pass_run *r, struct node *n)
{
    struct emit e;
    const char *why = is_due(r, n) ? linear_problem(n) : NULL;
    if (why)
        pass_refused(r, n, "%s", why);
    if (why || !is_due(r, n))
        return 0;
    int64_t c = 0, s = 1, k = columns(n);
    int rank = value_rank(n->inputs[0].value);
    value_dim(n->inputs[0].value, rank - 1, &c);
    pass_rewrote(r, n, "%s became a 1x1 Conv", n->op_type);
    emit_begin(&e, r, n);
    emit_bind(&e, "x", node_input(n, 0));
    emit_bind(&e, "w", kernel_of(n));
    if (rank == 2) {
        emit(&e, "v = Reshape(x, [-1, %lld, 1, 1])", (long long)c);
        emit_bias(&e, n, "v");
        emit(&e, "y = Reshape(c, [-1, %lld])", (long long)k);
    } else {
        value_dim(n->inputs[0].value, 1, &s);
        emit(&e, "t = Transpose(x){perm=[0, 2, 1]}; v = Reshape(t, [-1, %lld, 1, %lld])",
             (long long)c, (long long)s);
        emit_bias(&e, n, "v");
        emit(&e, "q = Reshape(c, [-1, %lld, %lld]); y = Transpose(q){perm=[0, 2, 1]}", (long long)k,
             (long long)s);
    }
    emit_result(&e, 0, "y");
    emit_end(&e);
    return 0;
}
