/* Adapters of the element-wise operators with kernels/float/{unary,binary,where}.h. The work is
 * split over the call's threads. */
#include <string.h>

#include "kernels/float/binary.h"
#include "kernels/float/unary.h"
#include "kernels/float/where.h"
#include "ops/adapt.h"

/* ---- one input ---- */

struct unary_call {
    struct unary_args args;
    const void *x;
    void *y;
};

static int unary_piece(void *user, int64_t begin, int64_t end)
{
    struct unary_call *u = user;
    return kernel_unary(&u->args, u->x, u->y, begin, end);
}

static int run_unary(struct eval *e, const struct unary_args *args)
{
    struct unary_call u = {*args, e->in[0]->data, out_data(e, 0)};
    return eval_status(e, eval_pieces(e, e->out[0]->count, unary_piece, &u));
}

/* Attribute names differ: Shrink calls its parameters lambd and bias. */
static void read_parameters(const struct node *n, struct unary_args *a)
{
    a->alpha = node_float(n, "alpha", node_float(n, "lambd", a->alpha));
    a->beta = node_float(n, "beta", node_float(n, "bias", a->beta));
    a->gamma = node_float(n, "gamma", a->gamma);
}

int eval_unary(struct eval *e)
{
    struct unary_args a = {.alpha = 0};
    if (!unary_find(e->node->op_type, &a))
        return eval_form(e, "there is no kernel");
    read_parameters(e->node, &a);
    if (a.op == UNARY_GELU && node_string_is(e->node, "approximate", "none", "tanh"))
        a.op = UNARY_GELU_TANH;
    a.dtype = e->in[0]->dtype;
    a.fast = e->fast;
    return run_unary(e, &a);
}

int eval_not(struct eval *e) { return eval_unary(e); }

int eval_predicate(struct eval *e)
{
    struct unary_args a = {.op = UNARY_IS_NAN, .dtype = e->in[0]->dtype};
    if (node_is(e->node, "IsInf")) {
        a.op = UNARY_IS_INF;
        a.alpha = (float)node_int(e->node, "detect_positive", 1);
        a.beta = (float)node_int(e->node, "detect_negative", 1);
    }
    return run_unary(e, &a);
}

struct clip_call {
    enum dtype dtype;
    const void *x, *low, *high;
    void *y;
};

static int clip_piece(void *user, int64_t begin, int64_t end)
{
    struct clip_call *c = user;
    return kernel_clip(c->dtype, c->x, c->y, c->low, c->high, begin, end);
}

/* Clip-6: attributes. They are floats whatever the input's type. */
static const void *bound_of(struct eval *e, const char *attr, uint32_t i)
{
    const struct attr *a = node_attr(e->node, attr);
    if (has_in(e, i))
        return e->in[i]->count ? in_data(e, i) : NULL;
    if (!a || e->version >= 11)
        return NULL;
    return tensor_scalar(e->scratch, e->in[0]->dtype, (double)a->f)->data;
}

int eval_clip(struct eval *e)
{
    struct clip_call c = {e->in[0]->dtype, e->in[0]->data, bound_of(e, "min", 1),
                          bound_of(e, "max", 2), out_data(e, 0)};
    return eval_status(e, eval_pieces(e, e->out[0]->count, clip_piece, &c));
}

/* ---- two inputs ---- */

struct binary_call {
    enum binary_op op;
    enum dtype dtype, second;
    struct broadcast plan;
    const void *a, *b, *c;
    void *y;
};

static int plan_inputs(struct eval *e, uint32_t n, struct broadcast *plan)
{
    struct kernel_shape shapes[BROADCAST_MAX];
    for (uint32_t i = 0; i < n; i++)
        shapes[i] = shape_of(e->in[i]);
    return broadcast_plan(plan, shapes, (int)n);
}

static int binary_piece(void *user, int64_t begin, int64_t end)
{
    struct binary_call *c = user;
    return kernel_binary(c->op, c->dtype, &c->plan, c->a, c->b, c->y, begin, end);
}

static int run_binary(struct eval *e, enum binary_op op)
{
    struct binary_call c = {.op = op, .dtype = e->in[0]->dtype};
    c.a = e->in[0]->data;
    c.b = e->in[1]->data;
    c.y = out_data(e, 0);
    int status = plan_inputs(e, 2, &c.plan);
    return eval_status(e, status ? status : eval_pieces(e, e->out[0]->count, binary_piece, &c));
}

int eval_binary(struct eval *e)
{
    enum binary_op op;
    if (!binary_find(e->node->op_type, &op))
        return eval_form(e, "there is no kernel");
    if (op == BINARY_MOD && node_int(e->node, "fmod", 0))
        op = BINARY_FMOD;
    return run_binary(e, op);
}

struct string_call {
    const struct span *a, *b;
    bool *y;
    int64_t step[2];
};

static void string_row(void *user, const int64_t *at, int64_t out, int64_t n)
{
    struct string_call *s = user;
    for (int64_t i = 0; i < n; i++)
        s->y[out + i] = span_equals(s->a[at[0] + i * s->step[0]], s->b[at[1] + i * s->step[1]]);
}

static int equal_strings(struct eval *e)
{
    struct broadcast plan;
    int status = plan_inputs(e, 2, &plan);
    struct string_call s = {
        e->in[0]->strings, e->in[1]->strings, out_data(e, 0), {plan.inner[0], plan.inner[1]}};
    if (!status && e->out[0]->count)
        broadcast_walk(&plan, 0, plan.count, string_row, &s);
    return eval_status(e, status);
}

int eval_compare(struct eval *e)
{
    return e->in[0]->dtype == DT_STRING ? equal_strings(e) : eval_binary(e);
}

int eval_logic(struct eval *e) { return eval_binary(e); }
int eval_prelu(struct eval *e) { return run_binary(e, BINARY_PRELU); }

int eval_bitshift(struct eval *e)
{
    bool left = node_string_is(e->node, "direction", "", "LEFT");
    if (!left && !node_string_is(e->node, "direction", "", "RIGHT"))
        return eval_fail(e, E_OP_ATTR, "direction is neither LEFT nor RIGHT");
    return run_binary(e, left ? BINARY_SHIFT_LEFT : BINARY_SHIFT_RIGHT);
}

static int power_piece(void *user, int64_t begin, int64_t end)
{
    struct binary_call *c = user;
    return kernel_power(c->dtype, c->second, &c->plan, c->a, c->b, c->y, begin, end);
}

int eval_pow(struct eval *e)
{
    struct binary_call c = {.dtype = e->in[0]->dtype, .second = e->in[1]->dtype};
    c.a = e->in[0]->data;
    c.b = e->in[1]->data;
    c.y = out_data(e, 0);
    int status = plan_inputs(e, 2, &c.plan);
    return eval_status(e, status ? status : eval_pieces(e, e->out[0]->count, power_piece, &c));
}

static int where_piece(void *user, int64_t begin, int64_t end)
{
    struct binary_call *c = user;
    return kernel_where((size_t)dtype_bits(c->dtype) / 8, &c->plan, c->a, c->b, c->c, c->y, begin,
                        end);
}

int eval_where(struct eval *e)
{
    struct binary_call c = {.dtype = e->in[1]->dtype};
    if (c.dtype == DT_STRING)
        return eval_form(e, "strings");
    c.a = e->in[0]->data;
    c.b = e->in[1]->data;
    c.c = e->in[2]->data;
    c.y = out_data(e, 0);
    int status = plan_inputs(e, 3, &c.plan);
    return eval_status(e, status ? status : eval_pieces(e, e->out[0]->count, where_piece, &c));
}

/* ---- any number of inputs ---- */

struct nary_call {
    enum variadic_op op;
    enum dtype dtype;
    struct kernel_shape out, *shapes;
    const void **in;
    int n;
    void *y;
};

static int nary_piece(void *user, int64_t begin, int64_t end)
{
    struct nary_call *c = user;
    return kernel_variadic(c->op, c->dtype, &c->out, c->shapes, c->in, c->n, c->y, begin, end);
}

int eval_nary(struct eval *e)
{
    static const char *const names[] = {"Sum", "Mean", "Min",
                                        "Max"}; /* order of enum variadic_op */
    struct nary_call c = {.dtype = e->in[0]->dtype,
                          .out = shape_of(e->out[0]),
                          .n = (int)e->n_in,
                          .y = out_data(e, 0)};
    c.shapes = arena_array(e->scratch, e->n_in, sizeof *c.shapes);
    c.in = arena_array(e->scratch, e->n_in, sizeof *c.in);
    for (uint32_t i = 0; i < e->n_in; i++) {
        if (!has_in(e, i))
            return eval_fail(e, E_OP_ARITY, "input %u of '%s' is left out", i, e->node->op_type);
        c.shapes[i] = shape_of(e->in[i]);
        c.in[i] = e->in[i]->data;
    }
    for (int i = 0; i < 4; i++)
        if (!strcmp(e->node->op_type, names[i]))
            c.op = (enum variadic_op)i;
    return eval_status(e, eval_pieces(e, e->out[0]->count, nary_piece, &c));
}
