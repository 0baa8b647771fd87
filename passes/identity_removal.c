/* Nodes that pass their input on unchanged go.
 *
 * Before:  y = Identity(x)   z = Op(y)
 * After:   z = Op(x)
 * When:    see RULES: each says for one operator whether this node changes anything. A graph output
 *          keeps its name: x takes it, unless x is a graph input, an initializer, of an outer graph
 *          or a graph output itself.
 * Numerics: EXACT. x * 1 and x / 1 and x - 0 keep every bit of x, also of -0, infinities and quiet
 *          NaN; x + 0 does not (-0 + 0 is +0) and is left alone, x + -0 is not.
 */
#include <math.h>
#include <string.h>

#include "rewrite/rewrite.h"

enum { MAX_LIST = 64 };

static bool always(const struct node *n)
{
    (void)n;
    return true;
}

static bool single(const struct node *n) { return n->n_inputs == 1; }

/* Dropout: inference unless training_mode says otherwise (since 12 an input). */
static bool dropout(const struct node *n)
{
    const struct value *training = node_input(n, 2), *mask = node_output(n, 1);
    return (!mask || !mask->n_uses) && (!training || constant_equals(training, 0));
}

static bool same_in_out(const struct node *n) { return same_type(node_input(n, 0), n->outputs[0]); }

static bool cast(const struct node *n)
{
    enum dtype from = value_dtype(node_input(n, 0));
    return from != DT_UNDEFINED && node_int(n, "to", 0) == (int64_t)from &&
           value_is_rounded(node_input(n, 0));
}

static bool cast_like(const struct node *n)
{
    const struct value *like = node_input(n, 1);
    enum dtype from = value_dtype(node_input(n, 0));
    return from != DT_UNDEFINED && like && value_dtype(like) == from &&
           value_is_rounded(node_input(n, 0));
}

/* Moving axes of size 1 around the others changes no byte, but it changes the dims: only the same
 * order counts. */
static bool transpose(const struct node *n)
{
    const int64_t *perm;
    uint32_t count;
    if (!node_ints(n, "perm", &perm, &count))
        return value_rank(node_input(n, 0)) >= 0 && value_rank(node_input(n, 0)) <= 1;
    for (uint32_t i = 0; i < count; i++)
        if (perm[i] != (int64_t)i)
            return false;
    return true;
}

/* Integers of an input, or of the attribute that older versions had. */
static bool input_or_attr(const struct node *n, uint32_t input, const char *attr, int64_t *out,
                          int64_t *count)
{
    const int64_t *list;
    uint32_t size;
    if (node_input(n, input))
        return constant_ints(n->inputs[input].value, out, MAX_LIST, count);
    if (!node_ints(n, attr, &list, &size) || size > MAX_LIST)
        return false;
    for (uint32_t i = 0; i < size; i++)
        out[i] = list[i];
    *count = size;
    return true;
}

static bool pad(const struct node *n)
{
    int64_t pads[MAX_LIST], count;
    if (!input_or_attr(n, 1, "pads", pads, &count) || count == 0)
        return false;
    for (int64_t i = 0; i < count; i++)
        if (pads[i])
            return false;
    return true;
}

/* Equal dims and forward steps of 1: nothing was cut off. */
static bool slice(const struct node *n)
{
    int64_t steps[MAX_LIST], count;
    if (!same_in_out(n))
        return false;
    if (!node_input(n, 4))
        return true;
    if (!constant_ints(n->inputs[4].value, steps, MAX_LIST, &count))
        return false;
    for (int64_t i = 0; i < count; i++)
        if (steps[i] != 1)
            return false;
    return true;
}

static bool is_float(const struct value *v) { return dtype_is_float(value_dtype(v)); }

/* Operand i is neutral and the other one already has the result's type. */
static bool neutral(const struct node *n, uint32_t i, double x)
{
    const struct value *v = node_input(n, i), *other = node_input(n, 1 - i);
    return v && other && constant_equals(v, x) && same_type(other, n->outputs[0]);
}

static bool times_one(const struct node *n) { return neutral(n, 1, 1) || neutral(n, 0, 1); }
static bool over_one(const struct node *n) { return neutral(n, 1, 1); }

static bool all_signed(const struct value *v, bool negative)
{
    const struct tensor *t = constant_of(v);
    for (int64_t i = 0; t && i < t->count; i++)
        if ((signbit(tensor_get(t, i)) != 0) != negative)
            return false;
    return t != NULL;
}

/* x - (+0) and x + (-0) keep -0; with the other zero they would not. */
static bool minus_zero(const struct node *n)
{
    return neutral(n, 1, 0) && (!is_float(n->outputs[0]) || all_signed(n->inputs[1].value, false));
}

static bool plus_zero_at(const struct node *n, uint32_t i)
{
    return neutral(n, i, 0) && (!is_float(n->outputs[0]) || all_signed(n->inputs[i].value, true));
}

static bool plus_zero(const struct node *n) { return plus_zero_at(n, 1) || plus_zero_at(n, 0); }

static bool clip(const struct node *n)
{
    return !node_input(n, 1) && !node_input(n, 2) && !node_attr(n, "min") && !node_attr(n, "max") &&
           node_version(n) >= 11;
}

static const struct rule {
    const char *op;
    bool (*unchanged)(const struct node *n);
} RULES[] = {
    {"Identity", always},    {"Dropout", dropout},     {"Cast", cast},
    {"CastLike", cast_like}, {"Reshape", same_in_out}, {"Flatten", same_in_out},
    {"Expand", same_in_out}, {"Squeeze", same_in_out}, {"Unsqueeze", same_in_out},
    {"Tile", same_in_out},   {"Transpose", transpose}, {"Pad", pad},
    {"Slice", slice},        {"Concat", single},       {"Sum", single},
    {"Max", single},         {"Min", single},          {"Mul", times_one},
    {"Div", over_one},       {"Sub", minus_zero},      {"Add", plus_zero},
    {"Clip", clip},
};

/* The operand that comes out again. */
static struct value *passed_on(const struct node *n)
{
    struct value *x = node_input(n, 0);
    bool binary = node_is(n, "Mul") || node_is(n, "Add");
    bool second = binary && !(node_is(n, "Mul") ? neutral(n, 1, 1) : plus_zero_at(n, 1));
    return second ? node_input(n, 1) : x;
}

PASS_OPS(identity_removal, "Identity", "Dropout", "Cast", "CastLike", "Reshape", "Flatten",
         "Expand", "Squeeze", "Unsqueeze", "Tile", "Transpose", "Pad", "Slice", "Concat", "Sum",
         "Max", "Min", "Mul", "Div", "Sub", "Add", "Clip");
int visit_identity_removal(struct pass_run *r, struct node *n)
{
    struct value *out = node_output(n, 0);
    if (!node_is_onnx(n) || !out || !node_input(n, 0))
        return 0;
    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        if (strcmp(n->op_type, RULES[i].op) || !RULES[i].unchanged(n))
            continue;
        struct value *x = passed_on(n);
        const char *problem = bypass_problem(out, x);
        if (problem) {
            pass_refused(r, n, "%s", problem);
            return 0;
        }
        pass_rewrote(r, n, "%s changes nothing", n->op_type);
        rewrite_bypass(out, x);
        rewrite_drop(n);
        return 0;
    }
    return 0;
}
