/* MatMul and Gemm on oneDNN.
 *
 * A constant second operand is reordered once. What follows and only scales and shifts the columns
 * goes into it and into the bias, computed in double and rounded once; a scale of all columns alike
 * becomes the product's factor when the operand is not known. The call is cut into bands of rows,
 * of batch elements, or (one row) of columns; the cuts depend on the shape alone, so the bits do
 * not depend on the number of threads.
 */
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "ops/fast_gemv.h"
#include "ops/fast_post.h"
#include "ops/op_impl.h"

enum { MATMUL_BANDS = 4 };
/* As in fast_band.c: some 10 us of one core. */
static const double BAND_WORK = 600e3;

struct matmul_state {
    struct gemv *gemv; /* one row: the constant stays where it is; nothing below is used */
    int n;
    struct dnn_matmul *product[MATMUL_BANDS];
    int64_t a_at[MATMUL_BANDS], b_at[MATMUL_BANDS], y_at[MATMUL_BANDS];
    bool constant;
    int others[DNN_MAX_POSTS], n_others;
    size_t scratch;
};

struct matmul_call {
    const struct matmul_state *s;
    struct eval *e;
};

static int run_band(void *user, size_t i, int worker)
{
    const struct matmul_call *c = user;
    const struct matmul_state *s = c->s;
    const float *others[DNN_MAX_POSTS];
    const float *a = c->e->in[0]->data;
    const float *b = s->constant ? NULL : (const float *)c->e->in[1]->data + s->b_at[i];
    float *y = tensor_writable(c->e->out[0]);
    for (int k = 0; k < s->n_others; k++)
        others[k] = (const float *)c->e->in[s->others[k]]->data + s->y_at[i];
    char *scratch = (char *)c->e->workspace + (size_t)worker * s->scratch;
    if (dnn_matmul_run(s->product[i], a + s->a_at[i], b, y + s->y_at[i], others, scratch))
        return 0;
    return eval_fail(c->e, E_LIMIT_MEMORY, "oneDNN could not run a matrix product");
}

static int matmul_run(const void *state, struct eval *e)
{
    const struct matmul_state *s = state;
    struct matmul_call call = {s, e};
    if (s->gemv)
        return gemv_run(s->gemv, e);
    return s->n == 1 ? run_band(&call, 0, 0) : pool_run(e->pool, (size_t)s->n, run_band, &call);
}

static void matmul_release(void *state)
{
    struct matmul_state *s = state;
    for (int i = s->n - 1; i >= 0; i--) /* the first one owns the constant */
        dnn_matmul_free(s->product[i]);
    mem_free(s->gemv);
    mem_free(s);
}

/* ---- prepare ---- */

struct matmul_plan {
    struct prepare *p;
    struct matmul_params params;
    float alpha;
    const float *b, *bias;
    struct post_fold fold;
    bool rows; /* one product of params.m rows: no batch axes are left */
};

struct band {
    struct matmul_params params;
    int64_t a_at, b_at, y_at;
};

static bool constant_dims(const struct type *t, int64_t *dims)
{
    if (t->dtype != DT_FLOAT || t->rank > MATMUL_MAX_BATCH_RANK)
        return false;
    for (int i = 0; i < t->rank; i++)
        if (!dim_is_const(t->dims[i], &dims[i]) || dims[i] < 1)
            return false;
    return true;
}

/* Batch elements of a stand row after row and all meet the same b: one product. */
static void merge_batch(struct matmul_plan *c)
{
    struct matmul_params *q = &c->params;
    int64_t step = q->m * q->k, rows = q->m;
    bool dense = q->a_col_step == 1 && (q->a_row_step == q->k || q->m == 1);
    for (int i = q->batch_rank - 1; i >= 0; i--) {
        if (q->batch[i] != 1 && (q->b_batch_step[i] != 0 || q->a_batch_step[i] != step))
            dense = false;
        step *= q->batch[i];
        rows *= q->batch[i];
    }
    c->rows = dense || q->batch_rank == 0;
    if (!dense)
        return;
    q->m = rows;
    q->a_row_step = q->k;
    q->batch_rank = 0;
}

static bool read_matmul(struct matmul_plan *c)
{
    const struct type *a = c->p->in_types[0], *b = c->p->in_types[1];
    int64_t ad[MATMUL_MAX_BATCH_RANK], bd[MATMUL_MAX_BATCH_RANK], yd[MATMUL_MAX_BATCH_RANK + 2];
    int rank;
    c->alpha = 1;
    if (!a || !b || !constant_dims(a, ad) || !constant_dims(b, bd) ||
        !matmul_plan(ad, a->rank, bd, b->rank, &c->params, yd, &rank))
        return false;
    merge_batch(c);
    return true;
}

/* beta * C as one number per column; false: C is no such thing. */
static bool read_gemm_bias(struct matmul_plan *c)
{
    struct prepare *p = c->p;
    if (p->node->n_inputs < 3 || !p->in_types[2])
        return true;
    const struct tensor *t = p->constants[2];
    double beta = node_float(p->node, "beta", 1);
    if (!t || t->dtype != DT_FLOAT || (t->count != 1 && t->count != c->params.n) ||
        (t->rank == 2 && t->dims[0] != 1) || t->rank > 2)
        return false;
    float *bias = arena_array(p->scratch, (size_t)c->params.n, sizeof *bias);
    for (int64_t i = 0; i < c->params.n; i++)
        bias[i] = (float)(beta * tensor_get(t, t->count == 1 ? 0 : i));
    c->bias = bias;
    p->consumed |= 4;
    return true;
}

static bool read_gemm(struct matmul_plan *c)
{
    const struct prepare *p = c->p;
    int64_t ad[MATMUL_MAX_BATCH_RANK], bd[MATMUL_MAX_BATCH_RANK];
    bool ta = node_int(p->node, "transA", 0) != 0, tb = node_int(p->node, "transB", 0) != 0;
    if (!constant_dims(p->in_types[0], ad) || !constant_dims(p->in_types[1], bd) ||
        p->in_types[0]->rank != 2 || p->in_types[1]->rank != 2)
        return false;
    struct matmul_params *q = &c->params;
    *q = (struct matmul_params){.m = ad[ta], .k = ad[!ta], .n = bd[!tb]};
    q->a_row_step = ta ? 1 : q->k;
    q->a_col_step = ta ? q->m : 1;
    q->b_row_step = tb ? 1 : q->n;
    q->b_col_step = tb ? q->k : 1;
    c->alpha = node_float(p->node, "alpha", 1);
    c->rows = true;
    return bd[tb] == q->k && read_gemm_bias(c);
}

/* ---- scales and shifts ---- */

static bool uniform(const double *values, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (values[i] != values[0])
            return false;
    return true;
}

/* b with its columns scaled; b is dense in one of its two orders and has no batch axes. */
static bool scale_columns(struct matmul_plan *c)
{
    const struct matmul_params *q = &c->params;
    int64_t count = c->p->constants[1]->count;
    if (count != q->k * q->n)
        return false;
    float *b = arena_array(c->p->scratch, (size_t)count, sizeof *b);
    for (int64_t i = 0; i < q->k; i++)
        for (int64_t j = 0; j < q->n; j++) {
            int64_t at = i * q->b_row_step + j * q->b_col_step;
            b[at] = (float)(c->b[at] * c->fold.scale[j]);
        }
    c->b = b;
    return true;
}

static bool fold_shift(struct matmul_plan *c)
{
    int64_t n = c->params.n;
    float *bias = arena_array(c->p->scratch, (size_t)n, sizeof *bias);
    bool any = c->bias != NULL;
    for (int64_t i = 0; i < n; i++) {
        double old = c->bias ? c->bias[i] : 0;
        bias[i] = (float)(old * c->fold.scale[i] + c->fold.shift[i]);
        any |= c->fold.shift[i] != 0;
    }
    c->bias = any ? bias : NULL;
    return true;
}

static bool fold_in(struct matmul_plan *c)
{
    if (!post_fold(c->p, c->params.n, &c->fold))
        return false;
    if (!c->fold.steps)
        return true;
    fold_shift(c);
    if (uniform(c->fold.scale, c->params.n)) {
        c->alpha = (float)(c->alpha * c->fold.scale[0]);
        return true;
    }
    return c->b && scale_columns(c);
}

/* ---- bands ---- */

static int64_t batch_steps(const struct matmul_params *q, int axis)
{
    int64_t step = q->m * q->n;
    for (int i = axis + 1; i < q->batch_rank; i++)
        step *= q->batch[i];
    return step;
}

static int bands_wanted(double work, int64_t most)
{
    int n = 1;
    while (n < MATMUL_BANDS && work / (2 * n) >= BAND_WORK)
        n *= 2;
    return n > most ? (int)most : n;
}

static int first_axis(const struct matmul_params *q)
{
    int axis = 0;
    while (axis < q->batch_rank - 1 && q->batch[axis] == 1)
        axis++;
    return axis;
}

static int cut(const struct matmul_plan *c, struct band *bands)
{
    const struct matmul_params *q = &c->params;
    double work = (double)q->m * (double)q->n * (double)q->k * (double)matmul_batches(q);
    int axis = first_axis(q);
    int64_t extent = c->rows ? q->m : q->batch[axis];
    int n = bands_wanted(work, extent);
    for (int i = 0; i < n; i++) {
        struct band *b = &bands[i];
        int64_t from = extent * i / n, count = extent * (i + 1) / n - from;
        *b = (struct band){.params = *q};
        if (c->rows) {
            b->params.m = count;
            b->a_at = from * q->a_row_step;
            b->y_at = from * q->n;
        } else {
            b->params.batch[axis] = count;
            b->a_at = from * q->a_batch_step[axis];
            b->b_at = from * q->b_batch_step[axis];
            b->y_at = from * batch_steps(q, axis);
        }
    }
    return n;
}

static struct dnn_matmul *make_band(const struct matmul_plan *c, const struct band *b,
                                    struct matmul_state *s)
{
    const struct matmul_params *q = &b->params;
    int64_t dims[MATMUL_MAX_BATCH_RANK + 2];
    struct post_list posts;
    memcpy(dims, q->batch, (size_t)q->batch_rank * sizeof *dims);
    dims[q->batch_rank] = q->m;
    dims[q->batch_rank + 1] = q->n;
    struct dnn_layout *y = dnn_layout_plain(q->batch_rank + 2, dims);
    struct dnn_matmul *product = NULL;
    if (y && post_list(c->p, c->fold.steps, y, &posts)) {
        struct dnn_matmul_args args = {.params = q, .alpha = c->alpha, .posts = posts.posts};
        args.b = c->b;
        args.bias = c->bias;
        args.n_posts = posts.n;
        args.like = s->product[0];
        product = dnn_matmul_new(&args);
        s->n_others = posts.n_inputs;
        for (int i = 0; i < posts.n_inputs; i++)
            s->others[i] = posts.inputs[i];
    }
    dnn_layout_free(y);
    return product;
}

static bool make_bands(const struct matmul_plan *c, struct matmul_state *s)
{
    struct band bands[MATMUL_BANDS];
    int n = cut(c, bands);
    s->constant = c->b != NULL;
    for (int i = 0; i < n; i++) {
        s->product[i] = make_band(c, &bands[i], s);
        if (!s->product[i])
            return false;
        s->n = i + 1;
        s->a_at[i] = bands[i].a_at;
        s->b_at[i] = bands[i].b_at;
        s->y_at[i] = bands[i].y_at;
        if (dnn_matmul_scratch(s->product[i]) > s->scratch)
            s->scratch = dnn_matmul_scratch(s->product[i]);
        c->p->held += dnn_matmul_held(s->product[i]);
    }
    return true;
}

static int prepare(struct prepare *p, bool gemm)
{
    struct matmul_plan c = {.p = p};
    if (p->channels_last || p->out_types[0]->dtype != DT_FLOAT ||
        !(gemm ? read_gemm(&c) : read_matmul(&c)))
        return 1;
    const struct tensor *b = p->constants[1];
    if (b && b->dtype == DT_FLOAT) {
        c.b = tensor_aligned(b, p->scratch);
        if (!c.b)
            return 1;
    }
    struct matmul_state *s = mem_alloc(sizeof *s);
    s->gemv = c.b && c.rows ? gemv_new(p, &c.params, c.alpha, c.bias) : NULL;
    if (s->gemv) {
        p->state = s;
        p->consumed = 0;
        return 0;
    }
    if (!fold_in(&c)) {
        mem_free(s);
        return 1;
    }
    if (!make_bands(&c, s)) {
        matmul_release(s);
        return 1;
    }
    p->state = s;
    p->workspace = s->scratch;
    p->consumed |= c.b ? 2 : 0;
    for (int i = 0; i < c.fold.steps; i++)
        if (p->fused->steps[i].kind != FUSED_LINEAR && p->fused->steps[i].input < 32)
            p->consumed |= 1u << p->fused->steps[i].input;
    return 0;
}

static int matmul_prepare(struct prepare *p) { return prepare(p, false); }
static int gemm_prepare(struct prepare *p) { return prepare(p, true); }

const struct op_fast fast_matmul = {matmul_prepare, matmul_run, matmul_release, NULL};
const struct op_fast fast_gemm = {gemm_prepare, matmul_run, matmul_release, NULL};
