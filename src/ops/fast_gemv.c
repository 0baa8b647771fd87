/* See fast_gemv.h. Columns are cut into pieces that depend on the shape alone; a column's sum does not
 * depend on its piece. */
#include "ops/fast_gemv.h"

#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "kernels/float/gemv.h"
#include "ops/fused_apply.h"

/* Weights per piece: 400 KB, some 30 us of one core's share of the memory. */
enum { PIECE_WEIGHTS = 100 << 10, PIECES_MAX = 16 };

struct gemv {
    int64_t k, n, step, piece;
    bool rows; /* each output has a row of the constant */
    float alpha;
    struct fused fused;
    bool has_bias;
    float bias[];
};

struct call {
    const struct gemv *g;
    struct eval *e;
};

static int run_piece(void *user, size_t index, int worker)
{
    const struct call *c = user;
    const struct gemv *g = c->g;
    int64_t from = (int64_t)index * g->piece, n = g->n - from < g->piece ? g->n - from : g->piece;
    const float *w = c->e->in[1]->data;
    float *y = (float *)tensor_writable(c->e->out[0]) + from;
    (void)worker;
    if (g->rows)
        gemv_rows(c->e->in[0]->data, w + from * g->step, g->step, g->k, n, y);
    else
        gemv_columns(c->e->in[0]->data, w + from, g->step, g->k, n, y);
    for (int64_t j = 0; g->alpha != 1 && j < n; j++) /* exactly one: nothing to do */
        y[j] *= g->alpha;
    for (int64_t j = 0; g->has_bias && j < n; j++)
        y[j] += g->bias[from + j];
    return 0;
}

int gemv_run(const struct gemv *g, struct eval *e)
{
    struct call call = {g, e};
    size_t pieces = (size_t)((g->n + g->piece - 1) / g->piece);
    pool_run(pieces > 1 ? e->pool : NULL, pieces, run_piece, &call);
    const struct fused_shape shape = {1, g->n, 1};
    fused_apply(&g->fused, 0, &shape, e, tensor_writable(e->out[0]));
    return 0;
}

struct gemv *gemv_new(const struct prepare *p, const struct matmul_params *params, float alpha,
                      const float *bias)
{
    bool rows = params->b_row_step == 1 && params->n > 1;
    if (params->m != 1 || params->a_col_step != 1 || (!rows && params->b_col_step != 1))
        return NULL;
    size_t bytes = bias ? (size_t)params->n * sizeof *bias : 0;
    struct gemv *g = mem_try_alloc(sizeof *g + bytes);
    if (!g)
        return NULL;
    g->k = params->k;
    g->n = params->n;
    g->rows = rows;
    g->step = rows ? params->b_col_step : params->b_row_step;
    g->alpha = alpha;
    int64_t pieces = params->k * params->n / PIECE_WEIGHTS;
    pieces = pieces < 1 ? 1 : pieces > PIECES_MAX ? PIECES_MAX : pieces;
    g->piece = (params->n + pieces - 1) / pieces;
    if (p->fused)
        g->fused = *p->fused;
    g->has_bias = bias != NULL;
    if (bias)
        memcpy(g->bias, bias, bytes);
    return g;
}
