/* Relu, Clip and other operators with bounds. */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "quant/plan.h"

static double bound(const struct node *n, uint32_t input, const char *attr, double otherwise)
{
    const struct value *v = node_input(n, input);
    if (v)
        return value_is_constant(v) && v->constant->count == 1 ? tensor_get(v->constant, 0)
                                                               : (double)NAN;
    return (double)node_float(n, attr, (float)otherwise);
}

bool quant_clip_is_redundant(const struct node *n)
{
    const struct value *x = node_input(n, 0), *y = n->outputs[0];
    if (!x->q || !y->q || x->q->scale[0] != y->q->scale[0] || /* the same numbers, not close ones */
        x->q->zero_point[0] != y->q->zero_point[0] || value_only_user(x) != n)
        return false;
    bool relu = strcmp(n->op_type, "Relu") == 0;
    double low = relu ? 0 : bound(n, 1, "min", -INFINITY);
    double high = relu ? INFINITY : bound(n, 2, "max", INFINITY);
    double scale = (double)y->q->scale[0], zero = y->q->zero_point[0];
    double least = isinf(low) ? low : (double)num_round_even(low / scale) + zero;
    double most = isinf(high) ? high : (double)num_round_even(high / scale) + zero;
    return least <= (double)dtype_min(y->q->dtype) && most >= (double)dtype_max(y->q->dtype);
}

static bool finite_bounds(const struct node *n)
{
    return isfinite(bound(n, 1, "min", -INFINITY)) && isfinite(bound(n, 2, "max", INFINITY));
}

bool quant_is_bounded(const struct value *v)
{
    const struct node *n = v->producer;
    while (n && n->op && n->op->quant == QRULE_SAME && node_input(n, 0))
        n = node_input(n, 0)->producer;
    if (!n || !n->op)
        return false;
    if (node_is(n, "Clip"))
        return finite_bounds(n);
    return n->op->quant == QRULE_FIXED || node_is(n, "HardSigmoid");
}
