/* Whether a model that holds Q/DQ nodes suits a target: the integer types at them, zero points, scales
 * known before it runs, and which operators stand between them with a float operand.
 *
 * A DequantizeLinear of a constant is a weight, a bias, or a constant that stands where an activation
 * does; so any of the three's types will do for it. The finer rules are the quantizer's. */
#include <math.h>
#include <string.h>

#include "ops/op.h"
#include "report/check_model.h"
#include "report/check_qdq.h"

static bool is_type(const struct node *n, const char *type)
{
    return n && !n->domain[0] && strcmp(n->op_type, type) == 0;
}

bool check_is_qdq(const struct model *m)
{
    for (size_t i = 0; i < m->nodes.count; i++) {
        const struct node *n = m->nodes.data[i];
        if (!n->removed && (is_type(n, "QuantizeLinear") || is_type(n, "DequantizeLinear") ||
                            is_type(n, "DynamicQuantizeLinear")))
            return true;
    }
    return false;
}

static bool takes(const struct target_operand *o, enum dtype dtype)
{
    for (int i = 0; i < o->n_dtypes; i++)
        if (o->dtypes[i] == dtype)
            return true;
    return false;
}

/* Whether an operand is known before the model runs: an initializer, or a Constant node's. */
static bool is_fixed(const struct value *v)
{
    return v && (v->constant || is_type(v->producer, "Constant"));
}

/* Its numbers; NULL where a Constant node holds them in another form than a tensor. */
static const struct tensor *known(const struct value *v)
{
    if (v->constant)
        return v->constant;
    return is_type(v->producer, "Constant") ? node_tensor(v->producer, "value") : NULL;
}

static bool is_positive(const struct tensor *scale)
{
    for (int64_t i = 0; i < scale->count; i++) {
        double x = tensor_get(scale, i);
        if (!(x > 0) || isinf(x))
            return false;
    }
    return true;
}

/* The zero point in the middle of the type, everywhere. */
static bool is_centred(const struct value *zero, enum dtype dtype)
{
    const struct tensor *t = zero ? known(zero) : NULL;
    if (!zero) /* left out: 0 */
        return dtype_min(dtype) < 0;
    double middle = dtype_min(dtype) < 0 ? 0 : (double)(dtype_max(dtype) / 2 + 1);
    for (int64_t i = 0; t && i < t->count; i++)
        if (tensor_get(t, i) != middle)
            return false;
    return true;
}

static void check_pair(const struct node *n, const struct target *t)
{
    bool is_q = is_type(n, "QuantizeLinear");
    const struct value *q = is_q ? n->outputs[0] : node_input(n, 0);
    const struct value *scale = node_input(n, 1), *zero = node_input(n, 2);
    enum dtype dtype = q && q->type.kind == TYPE_TENSOR ? q->type.dtype : DT_UNDEFINED;
    bool constant = !is_q && is_fixed(q);
    bool as_activation = takes(&t->activation, dtype), as_weight = takes(&t->weight, dtype);
    bool as_bias = constant && t->bias_quantized && dtype == DT_INT32;
    if (!is_fixed(scale) || (zero && !is_fixed(zero)))
        check_found(n->graph->model, E_CHECK_QDQ_DYNAMIC, n, "the %s of %s is computed at run time",
                    is_fixed(scale) ? "zero point" : "scale", n->op_type);
    else if (known(scale) && !is_positive(known(scale)))
        check_found(n->graph->model, E_CHECK_QDQ_SCALE, n, "a scale of %s is not above zero",
                    n->op_type);
    else if (!as_activation && !(constant && as_weight) && !as_bias)
        check_found(n->graph->model, E_CHECK_QDQ_TYPE, n, "%s %s is none of the types '%s' takes",
                    dtype ? dtype_name(dtype) : "an unknown type for",
                    constant ? "of a constant" : "of an activation", t->name);
    else if (!as_bias &&
             (constant ? t->weight.symmetric && t->activation.symmetric
                       : t->activation.symmetric) &&
             !is_centred(zero, dtype))
        check_found(n->graph->model, E_CHECK_QDQ_ZERO, n,
                    "'%s' wants the zero point in the middle of %s", t->name, dtype_name(dtype));
}

/* The first float operand that does not come out of a DequantizeLinear. */
static const struct value *float_operand(const struct node *n)
{
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const struct value *v = node_input(n, i);
        if (v && v->type.kind == TYPE_TENSOR && dtype_is_float(v->type.dtype) && !is_fixed(v) &&
            !is_type(v->producer, "DequantizeLinear"))
            return v;
    }
    return NULL;
}

static void check_node(const struct node *n, const struct target *t)
{
    const struct target_op *rules = target_op(t, n->domain, n->op_type);
    const struct value *operand = float_operand(n);
    if (!operand || (n->op && n->op->quant == QRULE_CLIP))
        return;
    check_found(n->graph->model, E_CHECK_STAYS_FLOAT, n, "%s stays float: %s", n->op_type,
                rules && rules->why ? rules->why : "no DequantizeLinear stands before it");
}

void check_qdq(struct model *m, const struct target *t)
{
    for (size_t i = 0; i < m->nodes.count; i++) {
        const struct node *n = m->nodes.data[i];
        if (n->removed || n->graph->function)
            continue;
        if (is_type(n, "DynamicQuantizeLinear"))
            check_found(m, E_CHECK_QDQ_DYNAMIC, n, "%s computes its scale at run time", n->op_type);
        else if (is_type(n, "DequantizeLinear") || is_type(n, "QuantizeLinear"))
            check_pair(n, t);
        else
            check_node(n, t);
    }
}
