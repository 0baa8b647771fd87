/* Adapters of the matrix products with kernels/float/matmul.h. */
#include "kernels/float/matmul.h"

#include <string.h>

#include "ops/adapt.h"
#include "ops/fast_int.h"

static int plan(struct eval *e, const struct tensor *a, const struct tensor *b,
                struct matmul_params *p)
{
    int64_t dims[MATMUL_MAX_BATCH_RANK + 2];
    int rank;
    if (!matmul_plan(a->dims, a->rank, b->dims, b->rank, p, dims, &rank))
        return eval_fail(e, E_SHAPE, "%s: the operands do not go together", e->node->op_type);
    return 0;
}

int eval_matmul(struct eval *e)
{
    struct matmul_params p;
    int rc = plan(e, e->in[0], e->in[1], &p);
    if (rc || !e->out[0]->count)
        return rc;
    const void *a = in_data(e, 0), *b = in_data(e, 1);
    void *y = out_data(e, 0);
    switch (e->in[0]->dtype) {
    case DT_DOUBLE:
        matmul_f64(&p, a, b, y);
        return 0;
    case DT_INT32:
    case DT_UINT32:
        matmul_u32(&p, a, b, y);
        return 0;
    case DT_INT64:
    case DT_UINT64:
        matmul_u64(&p, a, b, y);
        return 0;
    default:
        break;
    }
    const float *fa = stage_in(e, 0), *fb = stage_in(e, 1);
    float *fy = stage_out(e, 0);
    if (!fa || !fb || !fy)
        return eval_memory(e);
    matmul_f32(&p, fa, fb, fy);
    stage_store(e, 0, fy);
    return 0;
}

/* Zero points of a product's operand: one, one per row (column), or those per batch element as
 * well. */
static int zero_of(struct eval *e, uint32_t i, int64_t vectors, struct matmul_zero *zero)
{
    int64_t n = has_in(e, i) ? e->in[i]->count : 0;
    *zero = (struct matmul_zero){.zero = eval_zero_points(e, i)};
    if (n <= 1)
        return 0;
    if (n % vectors)
        return eval_fail(e, E_SHAPE, "%s: %lld zero points for %lld rows or columns",
                         e->node->op_type, (long long)n, (long long)vectors);
    zero->step = 1;
    zero->batch_step = n > vectors ? vectors : 0;
    return 0;
}

int eval_matmul_integer(struct eval *e)
{
    struct matmul_params p;
    int rc = plan(e, e->in[0], e->in[1], &p);
    if (rc || !e->out[0]->count)
        return rc;
    if (dtype_bits(e->in[0]->dtype) != 8 || dtype_bits(e->in[1]->dtype) != 8)
        return eval_form(e, "%s with %s", dtype_name(e->in[0]->dtype), dtype_name(e->in[1]->dtype));
    struct matmul_int_args a = {.a = in_data(e, 0), .b = in_data(e, 1)};
    a.a_signed = e->in[0]->dtype == DT_INT8;
    a.b_signed = e->in[1]->dtype == DT_INT8;
    rc = zero_of(e, 2, p.m, &a.a_zero);
    rc = rc ? rc : zero_of(e, 3, p.n, &a.b_zero);
    return rc ? rc : eval_matmul_int(e, 0, &p, &a, out_data(e, 0));
}

static struct gemm_args read_gemm(struct eval *e)
{
    const struct tensor *a = e->in[0], *c = has_in(e, 2) ? e->in[2] : NULL;
    struct gemm_args g = {.m = e->out[0]->dims[0], .n = e->out[0]->dims[1]};
    g.trans_a = node_int(e->node, "transA", 0) != 0;
    g.trans_b = node_int(e->node, "transB", 0) != 0;
    g.k = a->dims[g.trans_a ? 0 : 1];
    g.alpha = (double)node_float(e->node, "alpha", 1.0f);
    g.beta = (double)node_float(e->node, "beta", 1.0f);
    if (!c)
        return g;
    int64_t rows = c->rank > 1 ? c->dims[c->rank - 2] : 1,
            columns = c->rank > 0 ? c->dims[c->rank - 1] : 1;
    g.c_col_step = columns > 1;
    g.c_row_step = rows > 1 ? columns : 0;
    return g;
}

int eval_gemm(struct eval *e)
{
    struct gemm_args g = read_gemm(e);
    if (!e->out[0]->count)
        return 0;
    const void *a = in_data(e, 0), *b = in_data(e, 1), *c = has_in(e, 2) ? in_data(e, 2) : NULL;
    void *y = out_data(e, 0);
    switch (e->in[0]->dtype) {
    case DT_DOUBLE:
        gemm_full_f64(&g, a, b, c, y);
        return 0;
    case DT_INT32:
    case DT_UINT32:
        gemm_full_u32(&g, a, b, c, y);
        return 0;
    case DT_INT64:
    case DT_UINT64:
        gemm_full_u64(&g, a, b, c, y);
        return 0;
    default:
        break;
    }
    const float *fa = stage_in(e, 0), *fb = stage_in(e, 1), *fc = stage_in(e, 2);
    float *fy = stage_out(e, 0);
    if (!fa || !fb || !fy || (c && !fc))
        return eval_memory(e);
    gemm_full_f32(&g, fa, fb, fc, fy);
    stage_store(e, 0, fy);
    return 0;
}
