/* Matrix products.
 *
 * When b has no batch axes and a is dense, the batch is counted as rows: one large product. A
 * constant b of a plain product is kept in the blocked layout oneDNN asks for. alpha and bias:
 * alpha = 1 gives oneDNN the bias itself; otherwise the product is scaled and the bias added after
 * it, as Gemm says.
 */
#include "base/mem.h"
#include "kernels/onednn/dnn_core.h"

struct dnn_matmul {
    struct dnn_prim prim;
    struct dnn_desc a, b, bias, y;
    struct dnn_others others;
    float *constant, *bias_data;
    size_t constant_bytes, bias_bytes;
    bool bias_is_post;
    bool borrowed; /* constant and bias belong to another one */
};

struct geometry {
    int rank;
    int64_t a[DNNL_MAX_NDIMS], a_steps[DNNL_MAX_NDIMS], b[DNNL_MAX_NDIMS], b_steps[DNNL_MAX_NDIMS];
    int64_t y[DNNL_MAX_NDIMS], y_steps[DNNL_MAX_NDIMS], bias[DNNL_MAX_NDIMS],
        bias_steps[DNNL_MAX_NDIMS];
};

/* b is the same for every batch element and the rows of a follow each other without a gap. */
static bool batch_is_rows(const struct matmul_params *p)
{
    int64_t step = p->m * p->k;
    if (p->a_row_step != p->k || p->a_col_step != 1)
        return false;
    for (int i = p->batch_rank - 1; i >= 0; i--) {
        if (p->b_batch_step[i] != 0 && p->batch[i] != 1)
            return false;
        if (p->a_batch_step[i] != step && p->batch[i] != 1)
            return false;
        step *= p->batch[i];
    }
    return true;
}

/* An axis that is not walked has extent 1; its step must still be a legal one. */
static void batch_axis(int64_t extent, int64_t step, int64_t fallback, int64_t *dim, int64_t *steps)
{
    *dim = step ? extent : 1;
    *steps = step ? step : fallback;
}

static bool geometry_of(const struct matmul_params *p, struct geometry *g)
{
    const bool rows = batch_is_rows(p);
    const int batch_rank = rows ? 0 : p->batch_rank;
    const int64_t batches = matmul_batches(p), m = rows ? p->m * batches : p->m;
    g->rank = batch_rank + 2;
    if (g->rank > DNNL_MAX_NDIMS || p->m < 1 || p->n < 1 || p->k < 1 || batches < 1)
        return false;
    for (int i = 0; i < batch_rank; i++) {
        batch_axis(p->batch[i], p->a_batch_step[i], p->m * p->k, &g->a[i], &g->a_steps[i]);
        batch_axis(p->batch[i], p->b_batch_step[i], p->k * p->n, &g->b[i], &g->b_steps[i]);
        g->y[i] = p->batch[i];
        g->bias[i] = 1;
    }
    int64_t *a = g->a + batch_rank, *b = g->b + batch_rank, *y = g->y + batch_rank,
            *bias = g->bias + batch_rank;
    a[0] = y[0] = m, a[1] = b[0] = p->k, b[1] = y[1] = bias[1] = p->n, bias[0] = 1;
    a = g->a_steps + batch_rank, b = g->b_steps + batch_rank;
    a[0] = p->a_row_step, a[1] = p->a_col_step, b[0] = p->b_row_step, b[1] = p->b_col_step;
    dnn_dense_strides(g->rank, g->y, g->y_steps);
    dnn_dense_strides(g->rank, g->bias, g->bias_steps);
    return true;
}

static bool make_primitive(struct dnn_matmul *m, const struct dnn_matmul_args *a,
                           const struct geometry *g)
{
    struct dnn_desc b = {0};
    const bool scaled = a->alpha != 1; /* exactly one: nothing to do */
    const struct dnn_desc *bias = a->bias ? &m->bias : NULL;
    dnnl_primitive_attr_t attr =
        dnn_attr_new(a->posts, a->n_posts, scaled, a->alpha, scaled ? bias : NULL);
    dnnl_primitive_desc_t pd = NULL;
    bool ok = attr && (a->b && g->rank == 2 ? dnn_desc_any(&b, 2, g->b)
                                            : dnn_desc_strided(&b, g->rank, g->b, g->b_steps));
    const struct dnn_shape shape = {
        &m->a, &b, scaled ? NULL : bias, &m->y, NULL, dnnl_alg_kind_undef, attr, dnn_engine()};
    ok = ok && dnn_pd_matmul(&pd, &shape) && dnn_desc_of_pd(&m->b, pd, dnnl_query_weights_md, 0);
    if (ok)
        ok = dnn_prim_init(&m->prim, pd);
    else if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    dnn_desc_drop(&b);
    m->bias_is_post = scaled && bias;
    return ok;
}

static bool keep_constants(struct dnn_matmul *m, const struct dnn_matmul_args *a,
                           const struct geometry *g)
{
    struct dnn_desc given = {0};
    bool ok = true;
    if (a->b && a->like && dnn_desc_same(&m->b, &a->like->b)) {
        m->constant = a->like->constant;
        m->bias_data = a->like->bias_data;
        m->borrowed = true;
        return true;
    }
    if (a->b) {
        ok = dnn_desc_strided(&given, g->rank, g->b, g->b_steps);
        m->constant = ok ? dnn_constant(&given, &m->b, a->b, &m->constant_bytes) : NULL;
        ok = m->constant != NULL;
        dnn_desc_drop(&given);
    }
    if (ok && a->bias) {
        m->bias_data = dnn_constant(&m->bias, &m->bias, a->bias, &m->bias_bytes);
        ok = m->bias_data != NULL;
    }
    return ok;
}

struct dnn_matmul *dnn_matmul_new(const struct dnn_matmul_args *a)
{
    struct geometry g = {0};
    if (!geometry_of(a->params, &g) || !dnn_engine())
        return NULL;
    struct dnn_matmul *m = mem_try_alloc(sizeof *m);
    if (!m)
        return NULL;
    const int before = dnn_single_enter();
    const bool ok =
        dnn_desc_strided(&m->a, g.rank, g.a, g.a_steps) &&
        dnn_desc_strided(&m->y, g.rank, g.y, g.y_steps) &&
        (!a->bias || dnn_desc_strided(&m->bias, g.rank, g.bias, g.bias_steps)) &&
        make_primitive(m, a, &g) && keep_constants(m, a, &g) &&
        dnn_others_init(&m->others, a->posts, a->n_posts, a->alpha != 1 ? 1 + m->bias_is_post : 0);
    dnn_single_leave(before);
    if (ok)
        return m;
    dnn_matmul_free(m);
    return NULL;
}

void dnn_matmul_free(struct dnn_matmul *m)
{
    if (!m)
        return;
    dnn_prim_release(&m->prim);
    dnn_desc_drop(&m->a), dnn_desc_drop(&m->b), dnn_desc_drop(&m->bias), dnn_desc_drop(&m->y);
    dnn_others_release(&m->others);
    if (!m->borrowed)
        mem_free(m->constant), mem_free(m->bias_data);
    mem_free(m);
}

size_t dnn_matmul_scratch(const struct dnn_matmul *m) { return m->prim.scratch_bytes; }
size_t dnn_matmul_held(const struct dnn_matmul *m)
{
    return dnn_round(m->constant_bytes) + dnn_round(m->bias_bytes);
}

bool dnn_matmul_run(const struct dnn_matmul *m, const float *a, const float *b, float *y,
                    const float *const *others, void *scratch)
{
    const int bias_id =
        m->bias_is_post ? DNNL_ARG_ATTR_MULTIPLE_POST_OP(1) | DNNL_ARG_SRC_1 : DNNL_ARG_BIAS;
    struct dnn_arg args[DNN_MAX_ARGS] = {
        {DNNL_ARG_SRC, &m->a, a},
        {DNNL_ARG_WEIGHTS, &m->b, m->constant ? m->constant : b},
        {DNNL_ARG_DST, &m->y, y},
        {bias_id, &m->bias, m->bias_data},
    };
    int n = m->bias_data ? 4 : 3;
    n += dnn_others_args(&m->others, others, args + n);
    return dnn_prim_run(&m->prim, args, n, scratch);
}

bool dnn_gemm(const struct dnn_gemm_args *g, const float *a, const float *b, float *y)
{
    const int before = dnn_single_enter();
    const dnnl_status_t status =
        dnnl_sgemm('N', g->transposed ? 'T' : 'N', g->m, g->n, g->k, 1, a, g->a_step, b,
                   g->transposed ? g->k : g->n, 0, y, g->y_step);
    dnn_single_leave(before);
    return status == dnnl_success;
}
