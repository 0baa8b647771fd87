/* com.microsoft Attention and QAttention: the projections and the attention in one operator (onnxruntime docs/ContribOperators.md).
 *
 * input [B, S, D] times weights [D, 2 hidden + v_hidden] plus bias are the queries, keys and values side by side; past and present are
 * [2, B, heads, length, head], keys first. QAttention has the product in 8-bit integers and scales it.
 */
#include <string.h>

#include "kernels/float/matmul.h"
#include "ops/ms_heads.h"

/* ---- shapes ---- */

struct slots {
    uint32_t past;
    bool quantized;
};

static struct slots slots_of(const struct node *n)
{
    bool quantized = !strcmp(n->op_type, "QAttention");
    return (struct slots){quantized ? 8 : 4, quantized};
}

/* The widths of queries, keys and values; false: they follow from the weights, thirds. */
static bool given_widths(const struct node *n, const int64_t **widths)
{
    uint32_t count;
    return node_ints(n, "qkv_hidden_sizes", widths, &count) && count == 3;
}

static int check_widths(struct infer *c, int64_t heads)
{
    const int64_t *w;
    int64_t columns, total;
    bool known = dim_is_const(infer_dim(c, 1, 1), &columns);
    if (node_attr(c->node, "qkv_hidden_sizes") && !given_widths(c->node, &w))
        return infer_fail(c, "qkv_hidden_sizes must be three numbers");
    if (given_widths(c->node, &w)) {
        if (w[0] < 1 || w[0] != w[1] || w[2] < 1 || w[0] % heads || w[2] % heads ||
            __builtin_add_overflow(w[0], w[1], &total) ||
            __builtin_add_overflow(total, w[2], &total) || (known && total != columns))
            return infer_fail(c, "qkv_hidden_sizes do not fit %lld heads and the weights",
                              (long long)heads);
    } else if (known && columns % (3 * heads)) {
        return infer_fail(c, "%lld columns are not three times %lld heads", (long long)columns,
                          (long long)heads);
    }
    return 0;
}

int infer_ms_attention(struct infer *c)
{
    struct slots s = slots_of(c->node);
    int64_t heads = node_int(c->node, "num_heads", 0);
    const int64_t *w;
    enum dtype dtype = infer_dtype(c, s.quantized ? 3 : 0);
    if (heads < 1 || heads > INT32_MAX)
        return infer_fail(c, "num_heads is %lld", (long long)heads);
    if ((infer_rank(c, 0) >= 0 && infer_rank(c, 0) != 3) ||
        (infer_rank(c, 1) >= 0 && infer_rank(c, 1) != 2))
        return infer_fail(c, "the input has rank %d and the weights %d, expected 3 and 2",
                          infer_rank(c, 0), infer_rank(c, 1));
    int rc = check_widths(c, heads);
    rc = rc ? rc
            : infer_expect(c, infer_dim(c, 1, 0), infer_dim(c, 0, 2), "the rows of the weights");
    if (rc)
        return rc;
    dim_t third = dim_floordiv(c->dims, infer_dim(c, 1, 1), infer_int(c, 3)),
          hidden = given_widths(c->node, &w) ? infer_int(c, w[0]) : third,
          v_hidden = given_widths(c->node, &w) ? infer_int(c, w[2]) : third;
    dim_t y[3] = {infer_dim(c, 0, 0), infer_dim(c, 0, 1), v_hidden};
    infer_out(c, 0, dtype, 3, y);
    dim_t past = infer_has(c, s.past) ? infer_dim(c, s.past, 3) : infer_int(c, 0);
    dim_t present[5] = {infer_int(c, 2), y[0], infer_int(c, heads), dim_add(c->dims, past, y[1]),
                        dim_floordiv(c->dims, hidden, infer_int(c, heads))};
    infer_out(c, 1, dtype, 5, present);
    return 0;
}

/* Projections, then twice queries * keys * head size for all heads. */
int macs_ms_attention(const struct node *n, int64_t *macs)
{
    const struct value *x = node_input(n, 0), *w = node_input(n, 1), *y = node_output(n, 0),
                       *past = node_input(n, slots_of(n).past);
    int64_t batch, rows, in, columns, width, keys = 0, product, scores;
    if (!x || !w || !y || !value_dim(x, 0, &batch) || !value_dim(x, 1, &rows) ||
        !value_dim(x, 2, &in) || !value_dim(w, 1, &columns) || !value_dim(y, 2, &width) ||
        (past && !value_dim(past, 3, &keys)))
        return -1;
    bool over = __builtin_add_overflow(keys, rows, &keys) ||
                __builtin_mul_overflow(in, columns, &product) ||
                __builtin_mul_overflow(width, keys, &scores) ||
                __builtin_mul_overflow(scores, 2, &scores) ||
                __builtin_add_overflow(product, scores, &product) ||
                __builtin_mul_overflow(product, rows, &product) ||
                __builtin_mul_overflow(product, batch, macs);
    return over ? -1 : 0;
}

/* ---- projections: [batch * length, columns] in scratch ---- */

static const float *project(struct eval *e, int64_t columns)
{
    const struct tensor *x = e->in[0];
    const float *a = stage_in(e, 0), *w = stage_in(e, 1), *bias = stage_in(e, 2);
    int64_t rows = x->dims[0] * x->dims[1];
    float *y = eval_scratch(e, rows * columns, sizeof *y);
    struct gemm_args g = {rows, columns, x->dims[2], false, false, 1, 1, 0, 1};
    if (!a || !w || !y || (has_in(e, 2) && !bias))
        return NULL;
    gemm_full_f32(&g, a, w, bias, y);
    return y;
}

/* input_scale 3, weight_scale 4, input_zero 6, weight_zero 7. */
static const float *project_quantized(struct eval *e, int64_t columns)
{
    const struct tensor *x = e->in[0], *scale = e->in[4];
    int64_t rows = x->dims[0] * x->dims[1], a_dims[2] = {rows, x->dims[2]}, dims[4];
    bool column_zero = has_in(e, 7) && e->in[7]->count > 1;
    struct matmul_params p;
    int rank;
    struct matmul_int_args args = {.a = in_data(e, 0),
                                   .b = in_data(e, 1),
                                   .a_signed = x->dtype == DT_INT8,
                                   .b_signed = e->in[1]->dtype == DT_INT8};
    const float *bias = stage_in(e, 2);
    int32_t *acc = eval_scratch(e, rows * columns, sizeof *acc);
    float *y = eval_scratch(e, rows * columns, sizeof *y), a_scale = (float)in_number(e, 3, 1);
    if (!bias || !acc || !y || !matmul_plan(a_dims, 2, e->in[1]->dims, 2, &p, dims, &rank))
        return NULL;
    args.a_zero.zero = eval_zero_points(e, 6);
    args.b_zero = (struct matmul_zero){eval_zero_points(e, 7), column_zero, 0};
    matmul_int(&p, &args, acc);
    for (int64_t i = 0; i < rows * columns; i++) {
        float s = a_scale * (float)tensor_get(scale, scale->count > 1 ? i % columns : 0);
        y[i] = (float)acc[i] * s + bias[i % columns];
    }
    return y;
}

/* ---- evaluation ---- */

static int refuse(struct eval *e)
{
    if (node_int(e->node, "do_rotary", 0))
        return eval_form(e, "do_rotary");
    if (node_int(e->node, "past_present_share_buffer", 0))
        return eval_form(e, "a buffer that past and present share");
    return 0;
}

static bool one_or(const struct eval *e, uint32_t i, int64_t columns)
{
    return !has_in(e, i) || e->in[i]->count == 1 || e->in[i]->count == columns;
}

static int check(struct eval *e, const struct attention_params *p, int64_t columns)
{
    struct slots s = slots_of(e->node);
    int64_t cached = 2 * p->batch * p->q_heads * p->past_len * p->head;
    bool fits = !has_in(e, 2) || e->in[2]->count == columns;
    if (has_in(e, s.past))
        fits = fits && e->in[s.past]->rank == 5 && e->in[s.past]->count == cached &&
               e->in[s.past]->dims[1] == p->batch && p->head == p->v_head;
    if (s.quantized)
        fits = fits && has_in(e, 2) && one_or(e, 3, 1) && one_or(e, 4, columns) &&
               one_or(e, 6, 1) && one_or(e, 7, columns);
    if (has_out(e, 1) && p->head != p->v_head)
        return eval_form(e, "a present state with values wider than keys");
    return fits ? 0 : eval_fail(e, E_SHAPE, "%s: the inputs do not fit together", e->node->op_type);
}

static int read_params(struct eval *e, struct attention_params *p, int64_t *columns)
{
    const struct tensor *x = e->in[0], *w = e->in[1];
    struct slots s = slots_of(e->node);
    const int64_t *widths;
    int64_t heads = node_int(e->node, "num_heads", 1), hidden = w->dims[1] / 3, v_hidden = hidden;
    if (given_widths(e->node, &widths)) {
        hidden = widths[0];
        v_hidden = widths[2];
    }
    *columns = w->dims[1];
    *p = (struct attention_params){.batch = x->dims[0],
                                   .q_heads = heads,
                                   .kv_heads = heads,
                                   .q_len = x->dims[1],
                                   .kv_len = x->dims[1],
                                   .head = hidden / heads,
                                   .v_head = v_hidden / heads,
                                   .left_window = -1,
                                   .right_window = -1,
                                   .fast = e->fast};
    if (has_in(e, s.past) && e->in[s.past]->rank == 5)
        p->past_len = e->in[s.past]->dims[3];
    p->scale = node_float(e->node, "scale", 0);
    p->scale = p->scale == 0 ? attention_scale(p->head) : p->scale; /* exactly "not given" */
    if (p->head < 1 || p->v_head < 1)
        return eval_fail(e, E_SHAPE, "%s: no columns for a head", e->node->op_type);
    return check(e, p, *columns);
}

static int split(struct eval *e, const struct attention_params *p, const float *x, int64_t columns,
                 struct attention_args *a)
{
    int64_t hidden = p->q_heads * p->head, dims[4] = {p->batch, p->q_heads, p->q_len, p->head},
            v_dims[4] = {p->batch, p->q_heads, p->q_len, p->v_head};
    struct ms_packed q = {x, columns, p->head}, k = {x + hidden, columns, p->head},
                     v = {x + 2 * hidden, columns, p->v_head};
    a->q = ms_heads_first(e, &q, dims, NULL);
    a->k = ms_heads_first(e, &k, dims, NULL);
    a->v = ms_heads_first(e, &v, v_dims, NULL);
    return a->q && a->k && a->v ? 0 : eval_memory(e);
}

int eval_ms_attention(struct eval *e)
{
    struct attention_params p;
    struct attention_args a = {0};
    struct slots s = slots_of(e->node);
    struct ms_masks masks = {s.quantized ? 5 : 3, s.quantized ? -1 : 5,
                             node_int(e->node, "unidirectional", 0) != 0};
    int64_t columns;
    int rc = refuse(e);
    rc = rc ? rc : read_params(e, &p, &columns);
    rc = rc ? rc : ms_mask(e, &p, &masks, &a);
    if (rc || (e->out[0] && !e->out[0]->count))
        return rc;
    const float *x = s.quantized ? project_quantized(e, columns) : project(e, columns);
    if (!x)
        return eval_memory(e);
    if (has_in(e, s.past) && p.past_len) {
        a.past_key = stage_in(e, s.past);
        a.past_value = a.past_key ? a.past_key + e->in[s.past]->count / 2 : NULL;
    }
    float *present = stage_out(e, 1);
    a.present_key = present;
    a.present_value = present ? present + e->out[1]->count / 2 : NULL;
    rc = split(e, &p, x, columns, &a);
    rc = rc ? rc : ms_attend(e, &p, &a);
    if (!rc)
        stage_store(e, 1, present);
    return rc;
}
