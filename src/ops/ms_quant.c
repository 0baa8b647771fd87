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
#include "ops/fast_int.h"

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
    if (p->n < 1 || p->k < 1 || p->block < 8 / p->bits || p->n > INT32_MAX || p->k > INT32_MAX ||
        p->block > INT32_MAX)
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
    float *y = stage_out(e, 0), *factor = eval_scratch(e, p.n + 1, sizeof *factor);
    if (!acc || !y || !factor)
        return eval_memory(e);
    int rc = eval_matmul_int(e, 0, &p, args, acc);
    for (int64_t j = 0; j < p.n; j++)
        factor[j] = s->a_scale * (float)tensor_get(s->b_scale, scales > 1 ? j : 0);
    for (int64_t row = 0; !rc && row < n; row += p.n)
        for (int64_t j = 0; j < p.n; j++)
            y[row + j] = (float)acc[row + j] * factor[j] + (bias ? bias[j] : 0);
    if (rc)
        return rc;
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
    if (!trans && !t->count) /* nothing to read, but not refused either */
        return eval_scratch(e, 1, 1);
    return trans ? y : own.out;
}

static int qgemm_store(struct eval *e, const int32_t *acc, int64_t m, int64_t n)
{
    const struct tensor *bs = e->in[4], *c = has_in(e, 6) ? e->in[6] : NULL;
    float alpha = node_float(e->node, "alpha", 1), as = (float)in_number(e, 1, 1),
          ys = (float)in_number(e, 7, 1);
    int64_t yz = in_int(e, 8, 0), c_columns = c && c->rank ? c->dims[c->rank - 1] : 1;
    int64_t c_rows = c && c->rank > 1 ? c->dims[c->rank - 2] : 1;
    if (c && (c->count != c_rows * c_columns || (c_rows != 1 && c_rows != m) ||
              (c_columns != 1 && c_columns != n)))
        return eval_fail(e, E_SHAPE, "QGemm: C does not broadcast to the product");
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
                        num_clamp(num_clamp(num_round_even((double)((float)sum * (scale / ys))),
                                            INT32_MIN, INT32_MAX) +
                                      yz,
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
