/* com.microsoft products over quantized weights: MatMulNBits, DynamicQuantizeMatMul, MatMulIntegerToFloat, QGemm, DynamicQuantizeLSTM
 * (onnxruntime ContribOperators.md; the order of rounding is that of its CPU kernels).
 */
#include <math.h>

#include "base/pool.h"
#include "kernels/float/gemm.h"
#include "kernels/float/gemv.h"
#include "kernels/float/matmul.h"
#include "kernels/float/qdq.h"
#include "kernels/onednn/dnn.h"
#include "ops/adapt.h"
#include "ops/ops_rnn.h"

/* ---- MatMulNBits: A, B packed, scales, zero points, g_idx, bias ---- */

static int read_nbits(struct eval *e, struct qdq_nbits *p)
{
    *p = (struct qdq_nbits){node_int(e->node, "N", 0),
                            node_int(e->node, "K", 0),
                            node_int(e->node, "block_size", 0),
                            (int)node_int(e->node, "bits", 4),
                            in_data(e, 1),
                            NULL,
                            stage_in(e, 2),
                            NULL};
    if (p->bits != 2 && p->bits != 4 && p->bits != 8)
        return eval_form(e, "%d bits", p->bits);
    if (p->n < 1 || p->k < 1 || p->block < 8 / p->bits)
        return eval_form(e, "N %lld, K %lld, block_size %lld", (long long)p->n, (long long)p->k,
                         (long long)p->block);
    if (has_in(e, 4) && e->in[4]->count)
        return eval_form(e, "a group index");
    if (node_int(e->node, "weight_prepacked", 0))
        return eval_form(e, "prepacked weights");
    int64_t blocks = (p->k + p->block - 1) / p->block,
            bytes = p->n * blocks * (p->block * p->bits / 8);
    if (e->in[1]->count != bytes || e->in[2]->count != p->n * blocks)
        return eval_fail(e, E_SHAPE,
                         "MatMulNBits: %lld bytes and %lld scales for %lld blocks of %lld rows",
                         (long long)e->in[1]->count, (long long)e->in[2]->count, (long long)blocks,
                         (long long)p->n);
    if (has_in(e, 3) && e->in[3]->dtype == DT_UINT8) {
        p->zero = in_data(e, 3);
        if (e->in[3]->count != p->n * ((blocks * p->bits + 7) / 8))
            return eval_fail(e, E_SHAPE, "MatMulNBits: %lld bytes of zero points",
                             (long long)e->in[3]->count);
    } else if (has_in(e, 3)) {
        p->float_zero = stage_in(e, 3);
        if (e->in[3]->count != p->n * blocks)
            return eval_fail(e, E_SHAPE, "MatMulNBits: %lld zero points",
                             (long long)e->in[3]->count);
    }
    return p->scale ? 0 : eval_memory(e);
}

/* accuracy_level 4: the product is one of 8-bit integers, for which A is quantized symmetrically per row and block. */
static const float *rounded_blocks(struct eval *e, const float *a, const struct qdq_nbits *p)
{
    int64_t rows = e->in[0]->count / p->k;
    float *y = eval_scratch(e, rows * p->k, sizeof *y);
    for (int64_t at = 0, n; y && at < rows * p->k; at += n) {
        int64_t left = p->k - at % p->k;
        n = left < p->block ? left : p->block;
        qdq_round_symmetric(a + at, n, y + at);
    }
    return y;
}

/* The weights are unpacked a panel of rows at a time, so that they never stand in memory whole and
 * the threads have pieces to share out. */
enum { NBITS_PANEL = 64, NBITS_FEW = 4 };

struct nbits_call {
    struct eval *e;
    struct qdq_nbits q;
    int64_t m;
    const float *a, *bias;
    float *w, *y; /* w: a panel per thread */
};

static int nbits_panel(void *user, size_t index, int worker)
{
    const struct nbits_call *c = user;
    const struct qdq_nbits *q = &c->q;
    int64_t first = (int64_t)index * NBITS_PANEL, left = q->n - first,
            n = left < NBITS_PANEL ? left : NBITS_PANEL;
    float *w = c->w + worker * NBITS_PANEL * q->k, *y = c->y + first;
    const struct gemm_side rows = {gemm_pack_f32, c->a, q->k, 1, NULL},
                           columns = {gemm_pack_f32, w, q->k, 1, NULL};
    const struct dnn_gemm_args fast = {c->m, n, q->k, true, q->k, q->n};
    qdq_nbits_rows(q, first, n, w);
    if (c->e->fast && c->m <= NBITS_FEW)
        for (int64_t i = 0; i < c->m; i++)
            gemv_rows(c->a + i * q->k, w, q->k, q->k, n, y + i * q->n);
    else if (!c->e->fast || !dnn_gemm(&fast, c->a, w, y))
        gemm_f32(c->m, n, q->k, &rows, &columns, y, q->n, 1);
    for (int64_t i = 0; c->bias && i < c->m; i++)
        for (int64_t j = 0; j < n; j++)
            y[i * q->n + j] += c->bias[first + j];
    return 0;
}

int eval_matmul_nbits(struct eval *e)
{
    struct nbits_call c = {.e = e};
    int rc = read_nbits(e, &c.q);
    if (rc || !e->out[0]->count)
        return rc;
    int64_t threads = pool_threads(e->ctx->pool); /* the worker that runs this is one of them */
    c.w = eval_scratch(e, threads * NBITS_PANEL * c.q.k, sizeof *c.w);
    c.y = stage_out(e, 0);
    c.a = stage_in(e, 0);
    c.bias = stage_in(e, 5);
    c.m = e->in[0]->count / c.q.k;
    if (c.a && node_int(e->node, "accuracy_level", 0) == 4)
        c.a = rounded_blocks(e, c.a, &c.q);
    if (!c.w || !c.a || !c.y)
        return eval_memory(e);
    if (has_in(e, 5) && e->in[5]->count != c.q.n)
        return eval_fail(e, E_SHAPE, "MatMulNBits: the bias has %lld elements",
                         (long long)e->in[5]->count);
    pool_run(e->pool, (size_t)((c.q.n - 1) / NBITS_PANEL + 1), nbits_panel, &c);
    stage_store(e, 0, c.y);
    return 0;
}

/* ---- integer products scaled to floats ---- */

struct scaled {
    const struct tensor *b_scale;
    float a_scale;
    uint32_t b_zero, bias;
};

/* y = (a - a_zero) (b - b_zero) * a_scale * b_scale[column] + bias[column]. */
static int scaled_product(struct eval *e, struct matmul_int_args *args, const struct scaled *s)
{
    struct matmul_params p;
    int64_t dims[MATMUL_MAX_BATCH_RANK + 2];
    int rank;
    if (!matmul_plan(e->in[0]->dims, e->in[0]->rank, e->in[1]->dims, e->in[1]->rank, &p, dims,
                     &rank))
        return eval_fail(e, E_SHAPE, "%s: the operands do not go together", e->node->op_type);
    int64_t zeros = has_in(e, s->b_zero) ? e->in[s->b_zero]->count : 1, scales = s->b_scale->count,
            n = e->out[0]->count;
    if ((zeros != 1 && zeros != p.n) || (scales != 1 && scales != p.n) ||
        (has_in(e, s->bias) && e->in[s->bias]->count != p.n))
        return eval_form(e, "scales, zero points or a bias that are not one per column");
    args->b = in_data(e, 1);
    args->b_signed = e->in[1]->dtype == DT_INT8;
    args->b_zero = (struct matmul_zero){eval_zero_points(e, s->b_zero), zeros > 1, 0};
    int32_t *acc = eval_scratch(e, n, sizeof *acc);
    const float *bias = stage_in(e, s->bias);
    float *y = stage_out(e, 0);
    if (!acc || !y)
        return eval_memory(e);
    matmul_int(&p, args, acc);
    for (int64_t i = 0; i < n; i++) {
        int64_t column = p.n ? i % p.n : 0;
        float factor = s->a_scale * (float)tensor_get(s->b_scale, scales > 1 ? column : 0);
        y[i] = (float)acc[i] * factor + (bias ? bias[column] : 0);
    }
    stage_store(e, 0, y);
    return 0;
}

/* A float, B, b_scale, b_zero, bias: A is quantized over its range first, as DynamicQuantizeLinear does. */
int eval_dynamic_quantize_matmul(struct eval *e)
{
    struct matmul_int_args args = {0};
    struct scaled s = {e->in[2], 0, 3, 4};
    uint8_t *a = eval_scratch(e, e->in[0]->count, 1), zero;
    if (!a)
        return eval_memory(e);
    qdq_dynamic(in_data(e, 0), e->in[0]->count, a, &s.a_scale, &zero);
    int32_t wide = zero;
    args.a = a;
    args.a_zero.zero = &wide;
    return scaled_product(e, &args, &s);
}

/* A, B, a_scale, b_scale, a_zero, b_zero, bias. */
int eval_matmul_integer_to_float(struct eval *e)
{
    struct matmul_int_args args = {.a = in_data(e, 0), .a_signed = e->in[0]->dtype == DT_INT8};
    struct scaled s = {e->in[3], (float)in_number(e, 2, 1), 5, 6};
    if (e->in[2]->count != 1 || (has_in(e, 4) && e->in[4]->count != 1))
        return eval_form(e, "a scale of A per row");
    args.a_zero.zero = eval_zero_points(e, 4);
    return scaled_product(e, &args, &s);
}

/* ---- QGemm: A, a_scale, a_zero, B, b_scale, b_zero, C int32, y_scale, y_zero ---- */

static void *transposed_bytes(struct eval *e, uint32_t i, bool trans)
{
    const struct tensor *t = e->in[i];
    const uint8_t *x = in_data(e, i);
    uint8_t *y = trans ? eval_scratch(e, t->count, 1) : NULL;
    for (int64_t r = 0; y && r < t->dims[0]; r++)
        for (int64_t c = 0; c < t->dims[1]; c++)
            y[c * t->dims[0] + r] = x[r * t->dims[1] + c];
    union {
        const void *in;
        void *out;
    } own = {t->data};
    return trans ? y : own.out;
}

static int qgemm_store(struct eval *e, const int32_t *acc, int64_t m, int64_t n)
{
    const struct tensor *bs = e->in[4], *c = has_in(e, 6) ? e->in[6] : NULL;
    float alpha = node_float(e->node, "alpha", 1), as = (float)in_number(e, 1, 1),
          ys = (float)in_number(e, 7, 1);
    int64_t yz = in_int(e, 8, 0), c_columns = c && c->rank ? c->dims[c->rank - 1] : 1;
    int64_t c_rows = c && c->rank > 1 ? c->dims[c->rank - 2] : 1;
    for (int64_t i = 0; i < m * n; i++) {
        int64_t row = i / n, column = i % n,
                at = (c_rows > 1 ? row * c_columns : 0) + (c_columns > 1 ? column : 0);
        int64_t sum = (int64_t)acc[i] + (c ? tensor_get_int(c, at) : 0);
        float scale = alpha * as * (float)tensor_get(bs, bs->count > 1 ? column : 0);
        float y = (float)sum * scale;
        if (!has_in(e, 7))
            ((float *)out_data(e, 0))[i] = y;
        else
            num_set_int(out_data(e, 0), e->out[0]->dtype, i,
                        num_clamp(num_round_even((double)((float)sum * (scale / ys))) + yz,
                                  dtype_min(e->out[0]->dtype), dtype_max(e->out[0]->dtype)));
    }
    return 0;
}

int eval_qgemm(struct eval *e)
{
    bool trans_a = node_int(e->node, "transA", 0) != 0,
         trans_b = node_int(e->node, "transB", 0) != 0;
    int64_t m = e->out[0]->dims[0], n = e->out[0]->dims[1], k = e->in[0]->dims[trans_a ? 0 : 1];
    int64_t a_dims[2] = {m, k}, b_dims[2] = {k, n}, dims[MATMUL_MAX_BATCH_RANK + 2];
    struct matmul_params p;
    int rank;
    if (!matmul_plan(a_dims, 2, b_dims, 2, &p, dims, &rank))
        return eval_fail(e, E_SHAPE, "QGemm: the operands do not go together");
    int64_t zeros = has_in(e, 5) ? e->in[5]->count : 1;
    if ((e->in[4]->count != 1 && e->in[4]->count != n) || (zeros != 1 && zeros != n))
        return eval_fail(e, E_SHAPE, "QGemm: scales or zero points do not fit %lld columns",
                         (long long)n);
    struct matmul_int_args args = {.a = transposed_bytes(e, 0, trans_a),
                                   .b = transposed_bytes(e, 3, trans_b)};
    args.a_signed = e->in[0]->dtype == DT_INT8;
    args.b_signed = e->in[3]->dtype == DT_INT8;
    args.a_zero.zero = eval_zero_points(e, 2);
    args.b_zero = (struct matmul_zero){eval_zero_points(e, 5), zeros > 1, 0};
    int32_t *acc = eval_scratch(e, m * n, sizeof *acc);
    if (!args.a || !args.b || !acc)
        return eval_memory(e);
    matmul_int(&p, &args, acc);
    return qgemm_store(e, acc, m, n);
}

/* ---- DynamicQuantizeLSTM: X, W [dirs, input, 4 hidden], R [dirs, hidden, 4 hidden], B, lengths, h, c, P, w_scale, w_zero, r_scale, r_zero.
 * Each product quantizes its left side to uint8 over its own range, as DynamicQuantizeLinear does. ---- */

struct quantized_lstm {
    struct eval *e;
    int64_t input, hidden;
    uint8_t *codes;
    int32_t *acc, *zero[2];
    bool failed;
};

static void quantized_product(void *user, int direction, bool recurrent, int64_t rows,
                              const float *x, float *y)
{
    struct quantized_lstm *q = user;
    uint32_t slot = recurrent ? 2 : 1, scale_slot = recurrent ? 10 : 8;
    const struct tensor *w = q->e->in[slot], *scale = q->e->in[scale_slot],
                        *zeros = q->e->in[scale_slot + 1];
    int64_t k = recurrent ? q->hidden : q->input, n = 4 * q->hidden, a_dims[2] = {rows, k},
            b_dims[2] = {k, n}, dims[4];
    bool columns = scale->count > w->dims[0], zero_columns = zeros->count > w->dims[0];
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
    matmul_int(&p, &args, q->acc);
    for (int64_t i = 0; i < rows * n; i++) {
        double s = tensor_get(scale, direction * (columns ? n : 1) + (columns ? i % n : 0));
        y[i] = (float)q->acc[i] * (a_scale * (float)s);
    }
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
    struct rnn_products products = {quantized_product, &q};
    return q.codes && q.acc ? rnn_eval(e, RNN_LSTM, q.hidden, &products) : eval_memory(e);
}
