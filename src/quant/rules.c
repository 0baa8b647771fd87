/* Which operands of a node are quantized, and as what: one function per enum op_quant.
 *
 * A rule first checks everything it needs, then marks; it returns why the node stays float, or
 * NULL. Conv, Gemm, MatMul follow reference "ONNX Runtime QDQ" 2.2; what differs on purpose:
 *   - Relu and Clip: input and output share one grid whenever the Clip is the input's only reader.
 *     Then Q(clip(x)) = clip(Q(x)) holds exactly for any grid, as Q is monotone, so nothing is lost
 *     whether the node is dropped or stays, and no second grid stands between a layer and its Clip.
 *   - a bias of a grouped ConvTranspose repeats the weight's channel scales per group;
 *   - the scale, mean and variance of norms may stay float (the target says).
 */
#include <string.h>

#include "ir/edit.h"
#include "quant/plan.h"

bool rule_is_float(const struct value *v)
{
    return v && v->type.kind == TYPE_TENSOR && v->type.dtype == DT_FLOAT;
}

static bool float_input(const struct node *n, uint32_t i)
{
    return rule_is_float(node_input(n, i));
}

/* A weight or bias: dims known, data there. */
static bool constant_input(const struct node *n, uint32_t i)
{
    const struct value *v = node_input(n, i);
    return rule_is_float(v) && value_is_constant(v) && !v->sparse;
}

static const struct target_op *op_rules(const struct quant_plan *p, const struct node *n)
{
    return target_op(p->settings.target, n->domain, n->op_type);
}

/* ---- marking ---- */

static void mark_value(struct quant_plan *p, const struct value *v, bool needed)
{
    struct quant_mark *m = quant_mark(p, v);
    m->role = ROLE_ACTIVATION;
    m->needed |= needed;
}

/* An activation input; constants get the activations' type. Returns what stands there. */
static const struct value *mark_input(struct quant_plan *p, struct node *n, uint32_t i)
{
    struct value *v = node_input(n, i);
    if (value_is_constant(v) && !v->sparse)
        return constant_mark(p, n, i,
                             &(struct quant_mark){.role = ROLE_ACTIVATION, .needed = true});
    mark_value(p, v, true);
    return v;
}

/* A constant that shares the parameters of partner. */
static void mark_tied_input(struct quant_plan *p, struct node *n, uint32_t i,
                            const struct value *partner, bool needed)
{
    struct value *v = node_input(n, i);
    if (value_is_constant(v) && !v->sparse)
        v = constant_mark(
            p, n, i, &(struct quant_mark){.role = ROLE_ACTIVATION, .needed = needed, .x = partner});
    else
        mark_value(p, v, needed);
    group_tie(p, v, partner);
}

static void mark_outputs(struct quant_plan *p, const struct node *n)
{
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (rule_is_float(n->outputs[i]))
            mark_value(p, n->outputs[i], true);
}

static const struct value *mark_weight(struct quant_plan *p, struct node *n, uint32_t i, int axis)
{
    const struct target_op *rules = op_rules(p, n);
    bool per_channel = p->settings.target->weight.per_channel;
    if (rules && rules->per_channel != TARGET_BY_RULE)
        per_channel = rules->per_channel == TARGET_YES;
    return constant_mark(
        p, n, i, &(struct quant_mark){.role = ROLE_WEIGHT, .axis = per_channel ? axis : -1});
}

/* A bias runs over its last dimension of more than one element. -1: it is a single number. */
static int bias_axis(const struct value *b)
{
    for (int i = b->type.rank - 1; i >= 0; i--)
        if (!dim_equals(b->type.dims[i], 1))
            return i;
    return -1;
}

static int64_t channels_of(const struct quant_plan *p, const struct value *w)
{
    const struct quant_mark *m = &p->marks.data[w->id];
    return m->role == ROLE_WEIGHT && m->axis >= 0 ? w->constant->dims[m->axis] : 1;
}

/* Quantizes input i with the product of the scales of x and w. It stays float when it is no
 * constant or does not fit the weight's channels. */
static void mark_bias(struct quant_plan *p, struct node *n, uint32_t i, const struct value *x,
                      const struct value *w)
{
    if (!constant_input(n, i) || !p->settings.target->bias_quantized)
        return;
    const struct value *b = node_input(n, i);
    int64_t channels = channels_of(p, w), count = b->constant->count;
    if (count == 0 || (channels > 1 && (count % channels != 0 || bias_axis(b) < 0 ||
                                        b->constant->dims[bias_axis(b)] != count)))
        return;
    constant_mark(p, n, i,
                  &(struct quant_mark){.role = ROLE_BIAS,
                                       .axis = channels > 1 ? bias_axis(b) : -1,
                                       .repeat = channels > 1 ? count / channels : 1,
                                       .x = x,
                                       .w = w});
}

/* Zeros for a layer that has no bias: n output channels. */
static void make_bias(struct quant_plan *p, struct node *n, int64_t channels)
{
    if (!p->settings.make_biases || !p->settings.target->bias_quantized || node_input(n, 2))
        return;
    struct tensor *zeros = tensor_new(p->model->arena, DT_FLOAT, 1, &channels);
    if (n->n_inputs < 3)
        node_resize_inputs(n, 3);
    node_set_input(
        n, 2, value_constant(n->graph, arena_printf(p->arena, "%s_bias", node_label(n)), zeros));
    plan_fit(p);
}

/* ---- rules ---- */

static const char *rule_none(struct quant_plan *p, struct node *n)
{
    (void)p, (void)n;
    return "the operator has no integer form";
}

static const char *rule_unary(struct quant_plan *p, struct node *n)
{
    if (!float_input(n, 0))
        return "its input is not float32";
    mark_input(p, n, 0);
    mark_outputs(p, n);
    return NULL;
}

static const char *rule_binary(struct quant_plan *p, struct node *n)
{
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (!float_input(n, i))
            return "an input is not float32";
    for (uint32_t i = 0; i < n->n_inputs; i++)
        mark_input(p, n, i);
    mark_outputs(p, n);
    return NULL;
}

/* Where the output's range is known whatever comes in. */
static const char *rule_fixed(struct quant_plan *p, struct node *n)
{
    const struct target_op *rules = op_rules(p, n);
    const char *why = rule_unary(p, n);
    if (why || !rules || !rules->has_range)
        return why;
    struct quant_mark *m = quant_mark(p, n->outputs[0]);
    m->has_range = true, m->low = rules->low, m->high = rules->high;
    return NULL;
}

static const char *rule_conv(struct quant_plan *p, struct node *n)
{
    int axis = strcmp(n->op_type, "ConvTranspose") == 0 ? 1 : 0; /* output channels of the weight */
    if (!float_input(n, 0) || !float_input(n, 1))
        return "its operands are not float32";
    const struct value *x = mark_input(p, n, 0);
    const struct value *w = constant_input(n, 1) ? mark_weight(p, n, 1, axis) : mark_input(p, n, 1);
    if (node_is(n, "Conv") && constant_input(n, 1))
        make_bias(p, n, w->constant->dims[0]);
    mark_bias(p, n, 2, x, w);
    mark_outputs(p, n);
    return NULL;
}

static const char *rule_gemm(struct quant_plan *p, struct node *n)
{
    if (!float_input(n, 0) || !float_input(n, 1))
        return "its operands are not float32";
    int axis = node_int(n, "transB", 0) ? 0 : 1;
    const struct value *x = mark_input(p, n, 0);
    const struct value *w = constant_input(n, 1) ? mark_weight(p, n, 1, axis) : mark_input(p, n, 1);
    if (node_is(n, "Gemm") && constant_input(n, 1) && w->constant->rank == 2)
        make_bias(p, n, w->constant->dims[axis]);
    mark_bias(p, n, 2, x, w);
    mark_outputs(p, n);
    return NULL;
}

/* The axis of a right operand that runs over output columns; -1 for anything else. */
static int column_axis(const struct node *n, uint32_t i)
{
    const struct tensor *t = node_input(n, i)->constant;
    if (i != 1 || t->rank < 2 || strstr(n->op_type, "MatMul") == NULL)
        return -1;
    return t->rank - (node_int(n, "transB", 0) ? 2 : 1);
}

static const char *rule_matmul(struct quant_plan *p, struct node *n)
{
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (!float_input(n, i))
            return "its operands are not float32";
    bool left = n->n_inputs > 1 && constant_input(n, 1); /* at most one side is the weight */
    for (uint32_t i = 0; i < n->n_inputs; i++)
        if (constant_input(n, i) && (i == 1 || !left))
            mark_weight(p, n, i, column_axis(n, i));
        else
            mark_input(p, n, i);
    mark_outputs(p, n);
    return NULL;
}

static const char *rule_norm(struct quant_plan *p, struct node *n)
{
    const struct target_op *rules = op_rules(p, n);
    if (!float_input(n, 0))
        return "its input is not float32";
    const struct value *x = mark_input(p, n, 0);
    if (!(rules && rules->float_parameters) && constant_input(n, 1))
        mark_bias(p, n, 2, x, mark_weight(p, n, 1, -1));
    mark_outputs(p, n);
    return NULL;
}

/* Linear and nearest interpolation stay between their inputs; cubic does not. */
static bool moves_within_range(const struct node *n)
{
    if (strcmp(n->op_type, "Resize") != 0 && strcmp(n->op_type, "Upsample") != 0)
        return true;
    return !node_string_is(n, "mode", "nearest", "cubic");
}

/* Pad with something else than zeros or its own elements brings a value of its own. */
static bool pads_with_zero(const struct node *n)
{
    const struct value *v = node_input(n, 2);
    if (strcmp(n->op_type, "Pad") != 0 || !node_string_is(n, "mode", "constant", "constant"))
        return true;
    return v ? constant_input(n, 2) && tensor_all_equal(v->constant, 0)
             : node_float(n, "value", 0) == 0; /* the attribute before opset 11; exactly zero */
}

static bool tied(const struct quant_plan *p, const struct node *n, bool by_rule)
{
    const struct target_op *rules = op_rules(p, n);
    return rules && rules->tie != TARGET_BY_RULE ? rules->tie == TARGET_YES : by_rule;
}

/* Data movement: marked, but not as needed: a chain of moves between float operators stays float.
 */
static const char *rule_same(struct quant_plan *p, struct node *n)
{
    if (!float_input(n, 0))
        return "its input is not float32";
    const struct value *pad = strcmp(n->op_type, "Pad") == 0 ? node_input(n, 2) : NULL;
    if (pad && !pads_with_zero(n) && !constant_input(n, 2))
        return "the padding value is not constant";
    if (!tied(p, n, p->settings.target->tie_moves) || !moves_within_range(n) ||
        !pads_with_zero(n)) {
        mark_input(p, n, 0);
        if (pad)
            mark_input(p, n, 2);
        mark_outputs(p, n);
        return NULL;
    }
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (rule_is_float(n->outputs[i])) {
            mark_value(p, n->outputs[i], false);
            mark_tied_input(p, n, 0, n->outputs[i], false);
        }
    if (pad)
        mark_tied_input(p, n, 2, n->outputs[0], false);
    return NULL;
}

static const char *rule_same_all(struct quant_plan *p, struct node *n)
{
    bool tie = tied(p, n, p->settings.target->tie_joins);
    uint32_t first = strcmp(n->op_type, "Where") == 0 ? 1 : 0; /* the condition is no operand */
    for (uint32_t i = first; i < n->n_inputs; i++)
        if (!float_input(n, i))
            return "an input is not float32";
    mark_outputs(p, n);
    for (uint32_t i = first; i < n->n_inputs; i++)
        if (tie)
            mark_tied_input(p, n, i, n->outputs[0], true);
        else
            mark_input(p, n, i);
    return NULL;
}

/* Values before a Clip whose only way leads through it: their own range does not count. */
static void silence(struct quant_plan *p, const struct value *v)
{
    uint32_t group = group_find(p, v->id);
    while (v && !value_is_constant(v) && value_only_user(v) && group_find(p, v->id) == group) {
        quant_mark(p, v)->silent = true;
        const struct node *n = v->producer;
        v = n && n->op && n->op->quant == QRULE_SAME && n->n_outputs == 1 ? node_input(n, 0) : NULL;
    }
}

static const char *rule_clip(struct quant_plan *p, struct node *n)
{
    if (!float_input(n, 0))
        return "its input is not float32";
    const struct value *x = node_input(n, 0), *y = n->outputs[0];
    if (!p->settings.target->absorb_clip || value_is_constant(x) || value_only_user(x) != n ||
        x->graph != n->graph)
        return rule_unary(p, n);
    mark_value(p, x, false); /* as data movement: between float layers it stays float */
    mark_value(p, y, false);
    group_tie(p, x, y);
    silence(p, x);
    return NULL;
}

static const char *rule_recurrent(struct quant_plan *p, struct node *n)
{
    (void)p, (void)n;
    return "recurrent operators stay float";
}

static const char *(*const RULES[])(struct quant_plan *, struct node *) = {
    [QRULE_NONE] = rule_none,     [QRULE_UNARY] = rule_unary,
    [QRULE_BINARY] = rule_binary, [QRULE_CONV] = rule_conv,
    [QRULE_MATMUL] = rule_matmul, [QRULE_GEMM] = rule_gemm,
    [QRULE_SAME] = rule_same,     [QRULE_SAME_ALL] = rule_same_all,
    [QRULE_NORM] = rule_norm,     [QRULE_FIXED] = rule_fixed,
    [QRULE_CLIP] = rule_clip,     [QRULE_WEIGHT_ONLY] = rule_recurrent,
};

const char *rule_apply(struct quant_plan *p, struct node *n)
{
    const struct target_op *rules = op_rules(p, n);
    if (!n->op)
        return "the operator is not known";
    if (rules && rules->stays_float)
        return rules->why ? rules->why : "the target runs it in float";
    return RULES[n->op->quant](p, n);
}
