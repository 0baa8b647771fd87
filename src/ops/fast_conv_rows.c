/* See fast_conv_rows.h.
 *
 * With channels last a window along one axis is a run of kernel * channels neighbours of x. The runs
 * are written out as the rows of a matrix, zeros where they reach into the padding, and multiplied
 * with the weights [kernel * channels, out channels]. oneDNN's convolutions fill their vectors with
 * input channels: with one of them, as where a Fourier transform or a filter bank is written as a
 * convolution of a signal, they leave most lanes empty (455 taps, 1 channel to 640, 13 results: 617 us,
 * this way 97). A filter (at most FILTERS out channels) reads its runs where they lie; oneDNN's tables for one
 * of many results take megabytes. Bands are those of fast_band.h, each a product of its own over shared weights.
 */
#include "ops/fast_conv_rows.h"

#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "kernels/float/gemv.h"
#include "ops/fast_post.h"
#include "ops/fused_apply.h"

enum {
    MOST_CHANNELS = 4,    /* from 8 on the convolutions fill half a vector of 16 */
    LEAST_RUN = 16,       /* shorter sums are not worth a product */
    FILTERS = 4,          /* out channels that are dot products */
    CHUNK = 64,           /* results of a filter at a time */
    BAND_ROWS = 6,        /* at least, where there is more than one band */
    ROWS_BYTES = 1 << 20, /* that a band may write out: half of a second-level cache */
};

struct conv_rows {
    struct bands bands;
    int64_t channels, run; /* of x; elements of a row */
    struct dnn_matmul *product[BAND_MAX];
    int others[DNN_MAX_POSTS], n_others;
    size_t rows_bytes, scratch; /* the largest band's, rounded to 64 */
    /* Filters instead of products: */
    int64_t filters;
    float *taps; /* [filters, run], then a bias each */
    struct fused fused;
    int folded;
};

struct call {
    const struct conv_rows *c;
    struct eval *e;
};

static int64_t band_rows(const struct band *b) { return b->batch * window_out_size(&b->window); }

static bool fits(const struct conv_params *q, const struct bands *bands)
{
    const struct window *w = &q->window;
    int last = w->rank - 1;
    for (int i = 0; i < last; i++)
        if (w->in[i] != 1 || w->out[i] != 1 || w->kernel[i] != 1 || w->pad_begin[i])
            return false;
    int64_t run = w->kernel[last] * q->in_channels;
    if (q->group != 1 || w->dilation[last] != 1 || q->in_channels > MOST_CHANNELS ||
        run < LEAST_RUN || (q->out_channels < LEAST_RUN && q->out_channels > FILTERS))
        return false;
    if (q->out_channels <= FILTERS)
        return true;
    for (int i = 0; i < bands->n; i++)
        if (band_rows(&bands->at[i]) > ROWS_BYTES / (int64_t)sizeof(float) / run)
            return false;
    return true;
}

/* ---- prepare ---- */

/* Every band reads all weights: one of few rows waits for them. */
static void cut(const struct conv_params *q, double work, struct bands *b)
{
    const struct window *w = &q->window;
    int64_t rows = q->batch * window_out_size(w);
    do {
        bands_cut(w, q->batch, q->in_channels, q->out_channels, work, b);
        work /= 2;
    } while (b->n > 1 && rows / b->n < BAND_ROWS);
}

/* [oc, ic, kernel] to [oc, kernel, ic]: the order of a run. */
static float *run_order(const struct conv_params *q, int64_t run, const float *w, struct arena *a)
{
    float *to = arena_try(a, (size_t)(q->out_channels * run) * sizeof *to);
    int64_t ic = q->in_channels, kernel = run / ic;
    for (int64_t oc = 0; to && oc < q->out_channels; oc++)
        for (int64_t k = 0; k < kernel; k++)
            for (int64_t c = 0; c < ic; c++)
                to[oc * run + k * ic + c] = w[oc * run + c * kernel + k];
    return to;
}

static bool make_band(struct conv_rows *c, struct prepare *p, int i, struct dnn_matmul_args *args,
                      int folded)
{
    struct matmul_params params = {
        .m = band_rows(&c->bands.at[i]), .n = args->params->n, .k = c->run};
    struct post_list posts;
    const int64_t dims[] = {params.m, params.n};
    params.a_row_step = params.b_col_step = c->run;
    params.a_col_step = params.b_row_step = 1;
    args->params = &params;
    struct dnn_layout *y = dnn_layout_plain(2, dims);
    if (y && post_list(p, folded, y, &posts)) {
        args->posts = posts.posts;
        args->n_posts = posts.n;
        args->like = c->product[0];
        c->product[i] = dnn_matmul_new(args);
        c->n_others = posts.n_inputs;
        memcpy(c->others, posts.inputs, sizeof c->others);
    }
    dnn_layout_free(y);
    return c->product[i] != NULL;
}

static size_t rounded(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

static bool make_bands(struct conv_rows *c, struct prepare *p, const struct conv_params *q,
                       const float *weights, const float *bias, int folded)
{
    const struct matmul_params shape = {.n = q->out_channels};
    const float *b = run_order(q, c->run, weights, p->scratch);
    for (int i = 0; i < c->bands.n; i++) {
        struct dnn_matmul_args args = {.params = &shape, .b = b, .bias = bias, .alpha = 1};
        if (!b || !make_band(c, p, i, &args, folded))
            return false;
        size_t rows = (size_t)(band_rows(&c->bands.at[i]) * c->run) * sizeof(float),
               scratch = dnn_matmul_scratch(c->product[i]);
        c->rows_bytes = rounded(rows) > c->rows_bytes ? rounded(rows) : c->rows_bytes;
        c->scratch = rounded(scratch) > c->scratch ? rounded(scratch) : c->scratch;
        p->held += dnn_matmul_held(c->product[i]);
    }
    return true;
}

static bool make_filters(struct conv_rows *c, struct prepare *p, const struct conv_params *q,
                         const float *weights, const float *bias, int folded)
{
    size_t n = (size_t)(q->out_channels * c->run), oc = (size_t)q->out_channels;
    const float *taps = run_order(q, c->run, weights, p->scratch);
    c->taps = mem_try_alloc((n + oc) * sizeof *c->taps);
    if (!taps || !c->taps)
        return false;
    memcpy(c->taps, taps, n * sizeof *taps);
    if (bias)
        memcpy(c->taps + n, bias, oc * sizeof *bias);
    c->filters = q->out_channels;
    c->folded = folded;
    if (p->fused)
        c->fused = *p->fused;
    c->rows_bytes = rounded((size_t)(c->run + CHUNK) * sizeof(float));
    p->held += (n + oc) * sizeof *c->taps;
    return true;
}

struct conv_rows *conv_rows_new(struct prepare *p, const struct conv_params *params, double work,
                                const float *weights, const float *bias, int folded)
{
    struct bands bands;
    cut(params, work, &bands);
    if (!fits(params, &bands))
        return NULL;
    struct conv_rows *c = mem_alloc(sizeof *c);
    c->bands = bands;
    c->channels = params->in_channels;
    c->run = params->window.kernel[params->window.rank - 1] * c->channels;
    if (params->out_channels <= FILTERS ? make_filters(c, p, params, weights, bias, folded)
                                        : make_bands(c, p, params, weights, bias, folded))
        return c;
    conv_rows_free(c);
    return NULL;
}

void conv_rows_free(struct conv_rows *c)
{
    for (int i = c ? c->bands.n - 1 : -1; i >= 0; i--) /* the first one owns the weights */
        dnn_matmul_free(c->product[i]);
    if (c)
        mem_free(c->taps);
    mem_free(c);
}

size_t conv_rows_workspace(const struct conv_rows *c) { return c->rows_bytes + c->scratch; }

/* ---- run ---- */

/* One row: what of `run` elements from x[first] on lies within 0 .. size-1, zeros around. */
static void write_row(const float *x, int64_t size, int64_t first, int64_t run, float *row)
{
    int64_t from = first < 0 ? -first : 0, to = size - first < run ? size - first : run;
    from = from < run ? from : run;
    to = to > from ? to : from;
    memset(row, 0, (size_t)from * sizeof *row);
    if (to > from)
        memcpy(row + from, x + first + from, (size_t)(to - from) * sizeof *row);
    memset(row + to, 0, (size_t)(run - to) * sizeof *row);
}

static void write_rows(const struct conv_rows *c, const struct band *b, const float *x, float *row)
{
    const struct window *w = &b->window;
    int last = w->rank - 1;
    int64_t size = w->in[last] * c->channels;
    for (int64_t n = 0; n < b->batch; n++, x += size)
        for (int64_t o = 0; o < w->out[last]; o++, row += c->run)
            write_row(x, size, (o * w->stride[last] - w->pad_begin[last]) * c->channels, c->run,
                      row);
}

static int run_band(void *user, size_t i, int worker)
{
    const struct call *call = user;
    const struct conv_rows *c = call->c;
    struct eval *e = call->e;
    const struct band *b = &c->bands.at[i];
    const float *others[DNN_MAX_POSTS];
    float *y = (float *)tensor_writable(e->out[0]) + b->out_at;
    char *work = (char *)e->workspace + (size_t)worker * conv_rows_workspace(c);
    for (int k = 0; k < c->n_others; k++)
        others[k] = (const float *)e->in[c->others[k]]->data + b->out_at;
    write_rows(c, b, (const float *)e->in[0]->data + b->in_at, (float *)(void *)work);
    if (dnn_matmul_run(c->product[i], (const float *)(const void *)work, NULL, y, others,
                       work + c->rows_bytes))
        return 0;
    return eval_fail(e, E_LIMIT_MEMORY, "oneDNN could not run a convolution");
}

/* n <= CHUNK results of all filters; the runs are `step` apart. */
static void filter_runs(const struct conv_rows *c, const float *x, int64_t step, int64_t n,
                        float *y, float *sums)
{
    for (int64_t f = 0; f < c->filters; f++) {
        gemv_rows(c->taps + f * c->run, x, step, c->run, n, sums);
        for (int64_t i = 0; i < n; i++)
            y[i * c->filters + f] = sums[i] + c->taps[c->filters * c->run + f];
    }
}

/* One element of the batch; row: room for a run. */
static void filter_signal(const struct conv_rows *c, const struct window *w, const float *x,
                          float *y, float *row, float *sums)
{
    int last = w->rank - 1;
    int64_t size = w->in[last] * c->channels, step = w->stride[last] * c->channels,
            lead = w->pad_begin[last] * c->channels;
    for (int64_t o = 0, n; o < w->out[last]; o += n) {
        int64_t first = o * step - lead,
                whole = size < first + c->run ? 0 : (size - first - c->run) / step + 1;
        n = w->out[last] - o < CHUNK ? w->out[last] - o : CHUNK;
        n = first < 0 || !whole ? 1 : n < whole ? n : whole;
        bool edge = first < 0 || !whole;
        if (edge)
            write_row(x, size, first, c->run, row);
        filter_runs(c, edge ? row : x + first, step, n, y + o * c->filters, sums);
    }
}

static int run_filters(void *user, size_t i, int worker)
{
    const struct call *call = user;
    const struct conv_rows *c = call->c;
    const struct band *b = &c->bands.at[i];
    const struct window *w = &b->window;
    const float *x = (const float *)call->e->in[0]->data + b->in_at;
    float *y = (float *)tensor_writable(call->e->out[0]) + b->out_at;
    char *work = (char *)call->e->workspace + (size_t)worker * conv_rows_workspace(c);
    float *sums = (float *)(void *)work;
    for (int64_t n = 0; n < b->batch; n++)
        filter_signal(c, w, x + n * window_in_size(w) * c->channels,
                      y + n * window_out_size(w) * c->filters, sums + CHUNK, sums);
    return 0;
}

int conv_rows_run(const struct conv_rows *c, struct eval *e)
{
    struct call call = {c, e};
    int code = pool_run(e->pool, (size_t)c->bands.n, c->filters ? run_filters : run_band, &call);
    const struct fused_shape shape = {c->filters ? e->out[0]->count / c->filters : 0, c->filters,
                                      1};
    if (!code && c->filters)
        fused_apply(&c->fused, c->folded, &shape, e, tensor_writable(e->out[0]));
    return code;
}
