/* Whether a target has an operator: the specification's row, then the profile's rules. */
#include "ops/op.h"
#include "targets/target.h"

/* Current in ai.onnx (or the domain) at that opset, for that element type. */
static bool is_current(const char *domain, const char *op_type, int64_t opset, enum dtype dtype)
{
    const struct op *op = op_find(domain, op_type);
    const struct op_version *v = op ? op_version_at(op, opset) : NULL;
    return v && !v->deprecated && (dtype == DT_UNDEFINED || op_version_takes(v, 0, true, dtype));
}

static bool has_dtype(uint32_t set, enum dtype dtype)
{
    return !set || dtype == DT_UNDEFINED || (set >> dtype & 1);
}

bool target_knows(const struct target *t, const char *domain, const char *op_type, int64_t opset,
                  enum dtype dtype)
{
    bool onnx = !*domain;
    int64_t newest = t ? t->max_opset : TARGET_NEWEST_OPSET;
    const struct target_op *rule = t ? target_op(t, domain, op_type) : NULL;
    if (rule && rule->unknown)
        return false;
    if (rule && !op_find(domain, op_type))
        return true; /* its own operator */
    if (!is_current(domain, op_type, onnx && newest < opset ? newest : opset, dtype))
        return false;
    if (!t)
        return true;
    if (!rule)
        return onnx && !t->only_listed && has_dtype(t->dtypes, dtype);
    return opset >= rule->since && has_dtype(rule->dtypes ? rule->dtypes : t->dtypes, dtype);
}
