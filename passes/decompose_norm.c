/* Normalizations become means, squares and arithmetic.
 *
 * Before:  y = LayerNormalization<axis, epsilon>(x, scale, bias)
 * After:   d = x - ReduceMean(x);  y = d / Sqrt(ReduceMean(d * d) + epsilon) * scale + bias
 * RMSNormalization and SimplifiedLayerNormalization leave the mean in; the Skip forms of
 * com.microsoft add their first inputs and the fifth (fourth) before that; InstanceNormalization
 * takes the spatial axes, GroupNormalization the channels of a group as well.
 * When:    the result may not hold the operator; the rank of x is known where it counts axes from
 * the front or has channels. Half precision is computed in float where the operator says so
 * (stash_type), which is what ONNX Runtime does for com.microsoft. Numerics: REASSOC.
 */
#include <string.h>

#include "rewrite/emit.h"

PASS_OPS(decompose_norm, "LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization",
         "InstanceNormalization", "GroupNormalization", "com.microsoft::SkipLayerNormalization",
         "com.microsoft::SkipSimplifiedLayerNormalization");

static const char MICROSOFT[] = "com.microsoft";

struct norm {
    const char *domain, *op;
    bool centered;
    float epsilon;            /* when the attribute is left out: ops.def */
    int skip_bias;            /* input that is added with the skip; 0: not a Skip form */
    int mean, deviation, sum; /* outputs, -1: none */
};

static const struct norm NORMS[] = {
    {"", "LayerNormalization", true, 1e-5f, 0, 1, 2, -1},
    {"", "RMSNormalization", false, 1e-5f, 0, -1, -1, -1},
    {"", "SimplifiedLayerNormalization", false, 1e-5f, 0, -1, 1, -1},
    {MICROSOFT, "SkipLayerNormalization", true, 1e-12f, 4, 1, 2, 3},
    {MICROSOFT, "SkipSimplifiedLayerNormalization", false, 1e-12f, 3, -1, 2, 3},
    {"", "InstanceNormalization", true, 1e-5f, 0, -1, -1, -1},
    {"", "GroupNormalization", true, 1e-5f, 0, -1, -1, -1},
};

static const struct norm *norm_of(const struct pass_run *r, const struct node *n)
{
    for (size_t i = 0; i < sizeof NORMS / sizeof NORMS[0]; i++)
        if (decompose_due(r, n, NORMS[i].domain, NORMS[i].op))
            return &NORMS[i];
    return NULL;
}

static bool has_channels(const struct node *n)
{
    return node_is(n, "InstanceNormalization") || node_is(n, "GroupNormalization");
}

static const char *norm_problem(const struct node *n)
{
    const struct value *x = node_input(n, 0);
    int rank = value_rank(x);
    if (has_channels(n) && rank < 3)
        return "the rank of its input is not known";
    if (!has_channels(n) && node_int(n, "axis", -1) >= 0 && rank < 1)
        return "it counts its axis from the front, and the rank is not known";
    return value_dtype(x) == DT_UNDEFINED ? "the element type of its input is not known" : NULL;
}

/* "-2, -1": the axes from the node's on. */
static const char *layer_axes(struct emit *e, const struct node *n)
{
    int64_t axis = node_int(n, "axis", -1);
    int rank = value_rank(node_input(n, 0));
    axis = axis >= 0 ? axis - rank : axis;
    char *text = arena_printf(e->scratch, "%lld", (long long)axis);
    for (axis++; axis < 0; axis++)
        text = arena_printf(e->scratch, "%s, %lld", text, (long long)axis);
    return text;
}

/* x to n, in the type of the stash; d, i and m as well where they come up. */
static void emit_core(struct emit *e, const struct norm *f, const char *axes)
{
    if (f->centered)
        emit(e, "m = ReduceMean(x){keepdims=1, axes=[%s]}; d = Sub(x, m)", axes);
    else
        emit_bind(e, "d", emit_value(e, "x"));
    emit(e,
         "q = Mul(d, d); v = ReduceMean(q){keepdims=1, axes=[%s]}; w = Add(v, $0); s = Sqrt(w); "
         "n = Div(d, s)",
         axes);
    if (f->deviation >= 0 && node_output(e->at, (uint32_t)f->deviation))
        emit(e, "i = Div(1.0, s)");
}

/* Half precision in float; true: it was one. */
static bool widen(struct emit *e, const struct node *n)
{
    enum dtype t = e->dtype;
    bool half = t == DT_FLOAT16 || t == DT_BFLOAT16;
    if (!half || node_int(n, "stash_type", 1) != 1)
        return false;
    emit(e, "x = Cast(x){to=1}");
    e->dtype = DT_FLOAT;
    return true;
}

static void narrow(struct emit *e, enum dtype to, bool wide)
{
    if (wide)
        emit(e, "n = Cast(n){to=%d}", (int)to);
    e->dtype = to;
}

static void emit_skip(struct emit *e, const struct node *n, const struct norm *f)
{
    struct value *bias = node_input(n, (uint32_t)f->skip_bias);
    emit_bind(e, "skip", node_input(n, 1));
    emit(e, "x = Add(x, skip)");
    if (bias) {
        emit_bind(e, "more", bias);
        emit(e, "x = Add(x, more)");
    }
    emit_bind(e, "sum", emit_value(e, "x"));
}

static void emit_layer(struct emit *e, const struct node *n, const struct norm *f)
{
    uint32_t first = f->skip_bias ? 2 : 1; /* where the scale stands */
    enum dtype t = e->dtype;
    if (f->skip_bias)
        emit_skip(e, n, f);
    bool wide = widen(e, n);
    emit_core(e, f, layer_axes(e, n));
    narrow(e, t, wide);
    emit_bind(e, "scale", node_input(n, first));
    emit(e, "y = Mul(n, scale)");
    if (f->centered && node_input(n, first + 1)) {
        emit_bind(e, "bias", node_input(n, first + 1));
        emit(e, "y = Add(y, bias)");
    }
}

/* "[-1, 1, 1]" for channels in front of two axes */
static const char *column(struct emit *e, int after)
{
    char *text = arena_string(e->scratch, "-1");
    for (int i = 0; i < after; i++)
        text = arena_printf(e->scratch, "%s, 1", text);
    return text;
}

static void emit_affine(struct emit *e, const struct node *n, const char *dims)
{
    emit_bind(e, "scale", node_input(n, 1));
    emit_bind(e, "bias", node_input(n, 2));
    emit(e, "a = Reshape(scale, [%s]); b = Reshape(bias, [%s]); g = Mul(n, a); n = Add(g, b)", dims,
         dims);
}

static void emit_channels(struct emit *e, const struct node *n, const struct norm *f)
{
    int rank = value_rank(node_input(n, 0));
    enum dtype t = e->dtype;
    bool groups = node_is(n, "GroupNormalization"), each = node_version(n) < 21;
    bool wide = groups && !each && widen(e, n);
    char *axes = arena_string(e->scratch, "2");
    if (groups) {
        emit(e, "shape = Shape(x); x = Reshape(x, [0, %lld, -1])",
             (long long)node_int(n, "num_groups", 1));
    } else
        for (int i = 3; i < rank; i++)
            axes = arena_printf(e->scratch, "%s, %d", axes, i);
    emit_core(e, f, axes);
    narrow(e, t, wide);
    if (groups && each) /* a scale per group: version 18 */
        emit_affine(e, n, "-1, 1");
    if (groups)
        emit(e, "n = Reshape(n, shape)");
    if (!groups || !each)
        emit_affine(e, n, column(e, rank - 2));
    emit_bind(e, "y", emit_value(e, "n"));
}

static void give_more(struct emit *e, const struct norm *f)
{
    if (f->mean >= 0 && node_output(e->at, (uint32_t)f->mean))
        emit_result(e, (uint32_t)f->mean, "m");
    if (f->deviation >= 0 && node_output(e->at, (uint32_t)f->deviation))
        emit_result(e, (uint32_t)f->deviation, "i");
    if (f->sum >= 0 && node_output(e->at, (uint32_t)f->sum))
        emit_result(e, (uint32_t)f->sum, "sum");
}

int visit_decompose_norm(struct pass_run *r, struct node *n)
{
    struct emit e;
    const struct norm *f = node_input(n, 0) && node_input(n, 1) ? norm_of(r, n) : NULL;
    const char *why = f ? norm_problem(n) : NULL;
    if (why)
        pass_refused(r, n, "%s", why);
    if (!f || why)
        return 0;
    pass_rewrote(r, n, "'%s' was taken apart", n->op_type);
    emit_begin(&e, r, n);
    e.numbers[0] = (double)node_float(n, "epsilon", f->epsilon);
    emit_bind(&e, "x", node_input(n, 0));
    if (has_channels(n))
        emit_channels(&e, n, f);
    else
        emit_layer(&e, n, f);
    give_more(&e, f);
    emit_result(&e, 0, "y");
    emit_end(&e);
    return 0;
}
