/* Shapes and integer values of the element-wise operators: one output element per element of the
 * broadcast inputs.
 *
 * Values are expressions over dims; a float tensor has values only while each of them is a whole
 * number, so that the expression is the value exactly. What cannot be said stays NULL, element by
 * element.
 */
#include "ops/op_impl.h"

int infer_same(struct infer *c)
{
    infer_out_like(c, 0, 0);
    return 0;
}

/* Floor, Ceil, Round of whole numbers are the numbers. */
int infer_whole(struct infer *c)
{
    infer_out_like(c, 0, 0);
    infer_pass_values(c);
    return 0;
}

typedef dim_t value_fn(struct infer *c, const dim_t *in);

static dim_t value_at(const dim_t *values, int64_t count, int64_t i)
{
    return values[count == 1 ? 0 : i];
}

/* Output values of an operator over n inputs of rank <= 1 that broadcast. */
static void spread_values(struct infer *c, uint32_t n, value_fn *fn)
{
    enum { MOST = 16 };
    const dim_t *values[MOST];
    int64_t counts[MOST], count = 1;
    if (n > MOST)
        return;
    for (uint32_t k = 0; k < n; k++) {
        if (infer_rank(c, k) < 0 || infer_rank(c, k) > 1 ||
            !infer_values(c, k, &values[k], &counts[k]))
            return;
        count = counts[k] != 1 ? counts[k] : count;
    }
    dim_t *out = infer_room(c, (int)count);
    for (int64_t i = 0; i < count; i++) {
        dim_t in[MOST];
        for (uint32_t k = 0; k < n; k++)
            in[k] = value_at(values[k], counts[k], i);
        out[i] = fn(c, in);
    }
    infer_out_values(c, 0, out, count);
}

static int broadcast_out(struct infer *c, uint32_t first, uint32_t n, enum dtype dtype)
{
    const struct type **types = arena_array(c->arena, (size_t)n + 1, sizeof *types);
    int most = 0, rank;
    for (uint32_t k = 0; k < n; k++) {
        types[k] = infer_type(c, first + k);
        most = types[k]->rank > most ? types[k]->rank : most;
    }
    dim_t *dims = infer_room(c, most);
    int rc = infer_broadcast(c, types, (int)n, &rank, dims);
    if (!rc)
        infer_out(c, first ? first - 1 : 0, dtype, rank, dims);
    return rc;
}

/* ---- one input ---- */

static dim_t value_neg(struct infer *c, const dim_t *in) { return dim_neg(c->dims, in[0]); }

int infer_neg(struct infer *c)
{
    infer_out_like(c, 0, 0);
    spread_values(c, 1, value_neg);
    return 0;
}

static dim_t value_not(struct infer *c, const dim_t *in)
{
    int64_t x;
    return dim_is_const(in[0], &x) ? infer_int(c, !x) : NULL;
}

int infer_not(struct infer *c)
{
    infer_out_like(c, 0, 0);
    spread_values(c, 1, value_not);
    return 0;
}

int infer_predicate(struct infer *c)
{
    infer_out(c, 0, DT_BOOL, infer_rank(c, 0), infer_type(c, 0)->dims);
    return 0;
}

/* Clip-6 has the bounds as attributes, Clip-11 as inputs; min and max must be one element. */
int infer_clip(struct infer *c)
{
    for (uint32_t i = 1; i < 3; i++)
        if (infer_rank(c, i) > 1 || (infer_rank(c, i) == 1 && !dim_equals(infer_dim(c, i, 0), 1) &&
                                     dim_is_const(infer_dim(c, i, 0), NULL)))
            return infer_fail(c, "bound %u is not a scalar", i);
    infer_out_like(c, 0, 0);
    return 0;
}

/* ---- arithmetic ---- */

static dim_t value_add(struct infer *c, const dim_t *in) { return dim_add(c->dims, in[0], in[1]); }
static dim_t value_sub(struct infer *c, const dim_t *in) { return dim_sub(c->dims, in[0], in[1]); }
static dim_t value_mul(struct infer *c, const dim_t *in) { return dim_mul(c->dims, in[0], in[1]); }

/* Integers divide toward zero. Floats stay whole only where the division is exact. */
static dim_t value_div(struct infer *c, const dim_t *in)
{
    if (!dtype_is_float(infer_dtype(c, 0)))
        return dim_equals(in[1], 0) ? NULL : dim_truncdiv(c->dims, in[0], in[1]);
    dim_t q = dim_equals(in[1], 0) ? NULL : dim_floordiv(c->dims, in[0], in[1]);
    return q && dim_mul(c->dims, q, in[1]) == in[0] ? q : NULL;
}

static dim_t value_mod(struct infer *c, const dim_t *in)
{
    bool like_c = node_int(c->node, "fmod", 0) != 0;
    if (like_c && !(dim_at_least(in[0], 0) && dim_at_least(in[1], 0)))
        return NULL;
    return dim_equals(in[1], 0) ? NULL : dim_mod(c->dims, in[0], in[1]);
}

static const struct arithmetic {
    const char *name;
    value_fn *fn;
} arithmetics[] = {{"Add", value_add},
                   {"Sub", value_sub},
                   {"Mul", value_mul},
                   {"Div", value_div},
                   {"Mod", value_mod}};

int infer_arithmetic(struct infer *c)
{
    int rc = broadcast_out(
        c, 0, 2, infer_dtype(c, 0) != DT_UNDEFINED ? infer_dtype(c, 0) : infer_dtype(c, 1));
    for (size_t i = 0; !rc && i < sizeof arithmetics / sizeof *arithmetics; i++)
        if (node_is(c->node, arithmetics[i].name))
            spread_values(c, 2, arithmetics[i].fn);
    return rc;
}

/* Pow-7, -12: the type of the base. */
int infer_pow(struct infer *c) { return broadcast_out(c, 0, 2, infer_dtype(c, 0)); }

/* PRelu-9: the slope broadcasts to the input, never the other way. */
int infer_prelu(struct infer *c)
{
    const struct type *both[2] = {infer_type(c, 0), infer_type(c, 1)};
    int rank, most = both[0]->rank > both[1]->rank ? both[0]->rank : both[1]->rank;
    int rc = infer_broadcast(c, both, 2, &rank, infer_room(c, most));
    if (!rc && both[0]->rank >= 0 && rank > both[0]->rank)
        return infer_fail(c, "the slope has more dimensions than the input");
    infer_out_like(c, 0, 0);
    return rc;
}

/* ---- comparison and logic ---- */

/* 1, 0, or -1 unknown: is a - b certainly at least `bound`, certainly less? */
static int sign_test(struct infer *c, dim_t a, dim_t b, int64_t bound)
{
    dim_t d = dim_sub(c->dims, a, b);
    if (dim_at_least(d, bound))
        return 1;
    return dim_at_most(d, bound - 1) ? 0 : -1;
}

static dim_t truth(struct infer *c, int known) { return known < 0 ? NULL : infer_int(c, known); }

static dim_t value_equal(struct infer *c, const dim_t *in)
{
    if (in[0] && in[0] == in[1])
        return infer_int(c, 1);
    bool differ = sign_test(c, in[0], in[1], 1) == 1 || sign_test(c, in[1], in[0], 1) == 1;
    return differ ? infer_int(c, 0) : NULL;
}

static dim_t value_greater(struct infer *c, const dim_t *in)
{
    return truth(c, sign_test(c, in[0], in[1], 1));
}
static dim_t value_greater_equal(struct infer *c, const dim_t *in)
{
    return truth(c, sign_test(c, in[0], in[1], 0));
}
static dim_t value_less(struct infer *c, const dim_t *in)
{
    return truth(c, sign_test(c, in[1], in[0], 1));
}
static dim_t value_less_equal(struct infer *c, const dim_t *in)
{
    return truth(c, sign_test(c, in[1], in[0], 0));
}

static dim_t value_and(struct infer *c, const dim_t *in)
{
    if (dim_equals(in[0], 0) || dim_equals(in[1], 0))
        return infer_int(c, 0);
    return dim_is_const(in[0], NULL) && dim_is_const(in[1], NULL) ? infer_int(c, 1) : NULL;
}

static dim_t value_or(struct infer *c, const dim_t *in)
{
    if (dim_equals(in[0], 1) || dim_equals(in[1], 1))
        return infer_int(c, 1);
    return dim_is_const(in[0], NULL) && dim_is_const(in[1], NULL) ? infer_int(c, 0) : NULL;
}

static const struct arithmetic comparisons[] = {{"Equal", value_equal},
                                                {"Greater", value_greater},
                                                {"GreaterOrEqual", value_greater_equal},
                                                {"Less", value_less},
                                                {"LessOrEqual", value_less_equal},
                                                {"And", value_and},
                                                {"Or", value_or}};

int infer_compare(struct infer *c)
{
    int rc = broadcast_out(c, 0, 2, DT_BOOL);
    for (size_t i = 0; !rc && i < sizeof comparisons / sizeof *comparisons; i++)
        if (node_is(c->node, comparisons[i].name))
            spread_values(c, 2, comparisons[i].fn);
    return rc;
}

/* ---- variadic ---- */

static dim_t value_extreme(struct infer *c, const dim_t *in)
{
    bool most = node_is(c->node, "Max");
    dim_t d = in[0];
    for (uint32_t i = 1; i < c->node->n_inputs; i++)
        d = most ? dim_max(c->dims, d, in[i]) : dim_min(c->dims, d, in[i]);
    return d;
}

int infer_nary(struct infer *c)
{
    int rc = broadcast_out(c, 0, c->node->n_inputs, infer_dtype(c, 0));
    if (!rc && (node_is(c->node, "Max") || node_is(c->node, "Min")))
        spread_values(c, c->node->n_inputs, value_extreme);
    return rc;
}

static dim_t value_where(struct infer *c, const dim_t *in)
{
    int64_t truth_value;
    (void)c;
    if (dim_is_const(in[0], &truth_value))
        return truth_value ? in[1] : in[2];
    return in[1] == in[2] ? in[1] : NULL;
}

int infer_where(struct infer *c)
{
    int rc = broadcast_out(
        c, 0, 3, infer_dtype(c, 1) != DT_UNDEFINED ? infer_dtype(c, 1) : infer_dtype(c, 2));
    if (!rc)
        spread_values(c, 3, value_where);
    return rc;
}

/* ---- conversion ---- */

static dim_t value_bool(struct infer *c, const dim_t *in)
{
    if (dim_at_least(in[0], 1) || dim_at_most(in[0], -1))
        return infer_int(c, 1);
    return dim_equals(in[0], 0) ? infer_int(c, 0) : NULL;
}

static dim_t value_pass(struct infer *c, const dim_t *in)
{
    (void)c;
    return in[0];
}

int infer_cast(struct infer *c)
{
    enum dtype to =
        node_is(c->node, "CastLike") ? infer_dtype(c, 1) : (enum dtype)node_int(c->node, "to", 0);
    if (node_is(c->node, "Cast") && !dtype_valid((int)node_int(c->node, "to", 0)))
        return infer_fail(c, "there is no element type %lld",
                          (long long)node_int(c->node, "to", 0));
    infer_out(c, 0, to, infer_rank(c, 0), infer_type(c, 0)->dims);
    if (to == DT_INT64 || to == DT_INT32 || to == DT_FLOAT || to == DT_DOUBLE)
        spread_values(c, 1, value_pass);
    else if (to == DT_BOOL)
        spread_values(c, 1, value_bool);
    return 0;
}

/* BitCast-26: the same bits under a type of the same width. */
int infer_bitcast(struct infer *c)
{
    int64_t to = node_int(c->node, "to", 0);
    enum dtype from = infer_dtype(c, 0);
    if (to < 1 || to >= DT_COUNT)
        return infer_fail(c, "there is no element type %lld", (long long)to);
    if (from != DT_UNDEFINED && dtype_bits(from) != dtype_bits((enum dtype)to))
        return infer_fail(c, "%s has %d bits an element, %s has %d", dtype_name(from),
                          dtype_bits(from), dtype_name((enum dtype)to), dtype_bits((enum dtype)to));
    infer_out(c, 0, (enum dtype)to, infer_rank(c, 0), infer_type(c, 0)->dims);
    return 0;
}
