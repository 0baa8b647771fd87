/* com.microsoft DynamicQuantizeLSTM: X, W [dirs, input, 4 hidden], R [dirs, hidden, 4 hidden], B, lengths, h, c, P, w_scale, w_zero,
 * r_scale, r_zero. Each product quantizes its left side to uint8 over its own range, as DynamicQuantizeLinear does (onnxruntime
 * ContribOperators.md). */
#include "kernels/float/qdq.h"
#include "ops/adapt.h"
#include "ops/fast_int.h"
#include "ops/ops_rnn.h"

struct quantized_lstm {
    struct eval *e;
    int64_t input, hidden;
    uint8_t *codes;
    int32_t *acc, *zero[2];
    const float *scale[2]; /* of W and of R */
    int failed;            /* the first reported code */
};

static void quantized_product(void *user, int direction, bool recurrent, int64_t rows,
                              const float *x, float *y)
{
    struct quantized_lstm *q = user;
    const struct tensor *w = q->e->in[recurrent ? 2 : 1], *scales = q->e->in[recurrent ? 10 : 8],
                        *zeros = q->e->in[recurrent ? 11 : 9];
    int64_t k = recurrent ? q->hidden : q->input, n = 4 * q->hidden, a_dims[2] = {rows, k},
            b_dims[2] = {k, n}, dims[4];
    bool columns = scales->count > w->dims[0], zero_columns = zeros->count > w->dims[0];
    struct matmul_params p;
    float a_scale;
    uint8_t a_zero;
    int rank;
    if (!matmul_plan(a_dims, 2, b_dims, 2, &p, dims, &rank))
        return;
    qdq_dynamic(x, rows * k, q->codes, &a_scale, &a_zero);
    int32_t wide = a_zero;
    struct matmul_int_args args = {.a = q->codes,
                                   .b = (const char *)w->data + direction * k * n,
                                   .b_signed = w->dtype == DT_INT8};
    args.a_zero.zero = &wide;
    args.b_zero = (struct matmul_zero){q->zero[recurrent] + direction * (zero_columns ? n : 1),
                                       zero_columns, 0};
    int index = direction + (recurrent ? (int)w->dims[0] : 0),
        rc = eval_matmul_int(q->e, index, &p, &args, q->acc);
    q->failed = q->failed ? q->failed : rc;
    const float *scale = q->scale[recurrent] + direction * (columns ? n : 1);
    for (int64_t row = 0; row < rows * n; row += n)
        for (int64_t j = 0; j < n; j++)
            y[row + j] = (float)q->acc[row + j] * (a_scale * scale[columns ? j : 0]);
}

int infer_ms_dynamic_quantize_lstm(struct infer *c)
{
    bool both = node_string_is(c->node, "direction", "forward", "bidirectional");
    dim_t hidden = infer_dim(c, 2, 1), directions = infer_int(c, both ? 2 : 1);
    for (uint32_t i = 0; i < 3; i++)
        if (infer_rank(c, i) >= 0 && infer_rank(c, i) != 3)
            return infer_fail(c, "input %u has rank %d, expected 3", i, infer_rank(c, i));
    dim_t y[4] = {infer_dim(c, 0, 0), directions, infer_dim(c, 0, 1), hidden},
          h[3] = {directions, y[2], hidden};
    infer_out(c, 0, infer_dtype(c, 0), 4, y);
    infer_out(c, 1, infer_dtype(c, 0), 3, h);
    infer_out(c, 2, infer_dtype(c, 0), 3, h);
    dim_t rows = dim_mul(c->dims, hidden, infer_int(c, 4));
    int rc = infer_expect(c, infer_dim(c, 1, 2), rows, "the number of columns of W");
    rc = rc ? rc : infer_expect(c, infer_dim(c, 2, 2), rows, "the number of columns of R");
    rc = rc ? rc : infer_expect(c, infer_dim(c, 1, 0), directions, "the number of directions of W");
    return rc ? rc
              : infer_expect(c, infer_dim(c, 1, 1), infer_dim(c, 0, 2), "the number of rows of W");
}

/* steps * batch * (elements of W and R). */
int macs_ms_dynamic_quantize_lstm(const struct node *n, int64_t *macs)
{
    const struct value *x = node_input(n, 0), *w = node_input(n, 1), *r = node_input(n, 2);
    int64_t steps, batch, dirs, in, hidden, columns;
    if (!x || !w || !r || !value_dim(x, 0, &steps) || !value_dim(x, 1, &batch) ||
        !value_dim(w, 0, &dirs) || !value_dim(w, 1, &in) || !value_dim(r, 1, &hidden) ||
        !value_dim(w, 2, &columns))
        return -1;
    bool over = __builtin_add_overflow(in, hidden, &in) ||
                __builtin_mul_overflow(in, columns, &in) || __builtin_mul_overflow(in, dirs, &in) ||
                __builtin_mul_overflow(in, steps, &in) || __builtin_mul_overflow(in, batch, macs);
    return over ? -1 : 0;
}

static bool parameters_fit(const struct eval *e, uint32_t i, int64_t directions, int64_t columns)
{
    return e->in[i]->count == directions || e->in[i]->count == directions * columns;
}

int eval_ms_dynamic_quantize_lstm(struct eval *e)
{
    const struct tensor *x = e->in[0], *r = e->in[2];
    struct quantized_lstm q = {.e = e, .input = x->dims[2], .hidden = r->dims[1]};
    int64_t widest = q.input > q.hidden ? q.input : q.hidden, rows = x->dims[0] * x->dims[1],
            dirs = r->dims[0];
    for (uint32_t i = 8; i < 12; i++)
        if (!parameters_fit(e, i, dirs, 4 * q.hidden))
            return eval_fail(e, E_SHAPE, "DynamicQuantizeLSTM: input %u has %lld elements", i,
                             (long long)e->in[i]->count);
    rows = rows > 0 ? rows : 1;
    q.codes = eval_scratch(e, rows * widest, 1);
    q.acc = eval_scratch(e, rows * 4 * q.hidden, sizeof *q.acc);
    q.zero[0] = eval_zero_points(e, 9);
    q.zero[1] = eval_zero_points(e, 11);
    q.scale[0] = stage_in(e, 8);
    q.scale[1] = stage_in(e, 10);
    struct rnn_products products = {quantized_product, &q};
    if (!q.codes || !q.acc || !q.scale[0] || !q.scale[1])
        return eval_memory(e);
    int rc = rnn_eval(e, RNN_LSTM, q.hidden, &products);
    return rc ? rc : q.failed;
}
