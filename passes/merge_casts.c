/* Casts in a row become one where the first loses nothing.
 *
 * Before:  a = Cast<to=B>(x: A)   y = Cast<to=C>(a)
 * After:   y = Cast<to=C>(x), or x where C is A and x is rounded to it (value_is_rounded)
 * When:    every value of type A has its equal in type B, so the rounding to C sees the same
 * number. Numerics: EXACT.
 */
#include "base/dtype.h"
#include "rewrite/rewrite.h"

/* Bits of the significand and range of exponents that a float type offers. */
static bool float_limits(enum dtype t, int *digits, int *low, int *high)
{
    static const struct {
        enum dtype t;
        int digits, low, high;
    } TABLE[] = {
        {DT_FLOAT16, 11, -24, 15},
        {DT_BFLOAT16, 8, -133, 127},
        {DT_FLOAT, 24, -149, 127},
        {DT_DOUBLE, 53, -1074, 1023},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++)
        if (TABLE[i].t == t) {
            *digits = TABLE[i].digits;
            *low = TABLE[i].low;
            *high = TABLE[i].high;
            return true;
        }
    return false;
}

static bool whole(enum dtype t) { return dtype_is_int(t) || t == DT_BOOL; }

/* Bits of the largest magnitude: -128 .. 127 has 7, and 128 = 2^7 is exact in every float. */
static int magnitude_bits(enum dtype t)
{
    return t == DT_BOOL ? 1 : dtype_bits(t) - dtype_is_signed(t);
}

static bool loses_nothing(enum dtype a, enum dtype b)
{
    int digits, low, high, a_digits, a_low, a_high;
    if (whole(a) && whole(b) && b != DT_BOOL)
        return magnitude_bits(a) <= magnitude_bits(b) &&
               (dtype_is_signed(b) || !dtype_is_signed(a));
    if (!float_limits(b, &digits, &low, &high))
        return false;
    if (whole(a))
        return magnitude_bits(a) <= digits;
    return float_limits(a, &a_digits, &a_low, &a_high) && a_digits <= digits && a_low >= low &&
           a_high <= high;
}

PASS_OPS(merge_casts, "Cast");
int visit_merge_casts(struct pass_run *r, struct node *n)
{
    struct node *before = producer_of(node_input(n, 0), "Cast");
    if (!node_is(n, "Cast") || !before || !node_input(before, 0) || !node_output(n, 0))
        return 0;
    struct value *x = before->inputs[0].value, *out = n->outputs[0];
    enum dtype a = value_dtype(x), b = value_dtype(node_input(n, 0)), c = value_dtype(out);
    if (a == DT_UNDEFINED || b == DT_UNDEFINED || c == DT_UNDEFINED || c == DT_STRING)
        return 0;
    if (!loses_nothing(a, b)) {
        pass_refused(r, n, "the cast before it rounds: %s to %s", dtype_name(a), dtype_name(b));
        return 0;
    }
    if (a == c && value_is_rounded(x) && !bypass_problem(out, x)) {
        pass_rewrote(r, n, "undoes the Cast before it");
        rewrite_bypass(out, x);
        rewrite_drop(n);
        return 0;
    }
    pass_rewrote(r, n, "merged with the Cast before it");
    if (!n->source)
        node_set_source(n, n);
    node_set_source(n, before);
    node_set_input(n, 0, x);
    rewrite_drop(before);
    return 0;
}
