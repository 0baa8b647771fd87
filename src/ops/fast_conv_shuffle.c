/* See fast_conv_shuffle.h.
 *
 * Where the kernel is as large as the stride, each element of x makes a block of y of its own:
 * y[h s + i, w t + j, oc] = sum over ic of x[h, w, ic] weight[ic, oc, i, j], a product [h w, ic]
 * times [ic, i j oc]. With channels last the results of one i for neighbours in w are neighbours in
 * y, so that a row of the product is stored in as many runs as the kernel has rows. oneDNN 2.6 takes
 * 80 ms for 24 to 24 channels, 2x2, 80x80 on one core, this 0.6. Products are cut into pieces of whole
 * rows of x that stay in the cache; the cuts depend on the shape alone.
 */
#include "ops/fast_conv_shuffle.h"

#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "ops/fast_post.h"

enum { PIECE_BYTES = 256 << 10, /* of a product's result: it is read again at once */ };

struct conv_shuffle {
    int64_t lines, width; /* rows of x in the whole batch, elements of each */
    int64_t in, out;      /* channels */
    int64_t kernel_h, kernel_w;
    int64_t piece;                   /* lines of one */
    struct dnn_matmul *whole, *rest; /* of a piece; of what is left, NULL: nothing */
    size_t result_bytes, scratch;
};

struct call {
    const struct conv_shuffle *c;
    struct eval *e;
};

static int64_t columns(const struct conv_shuffle *c) { return c->kernel_h * c->kernel_w * c->out; }

static size_t rounded(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

static bool axis_fits(const struct window *w, int i)
{
    return w->pad_begin[i] == 0 && w->dilation[i] == 1 && w->out[i] == w->in[i] * w->kernel[i] &&
           (w->kernel[i] == w->stride[i] || w->in[i] == 1);
}

static bool read_shape(struct conv_shuffle *c, const struct conv_params *q)
{
    const struct window *w = &q->window;
    int last = w->rank - 1;
    if (q->group != 1 || w->rank > 2 || !axis_fits(w, last) || (last && !axis_fits(w, 0)))
        return false;
    c->width = w->in[last];
    c->kernel_w = w->kernel[last];
    c->lines = q->batch * (last ? w->in[0] : 1);
    c->kernel_h = last ? w->kernel[0] : 1;
    c->in = q->in_channels;
    c->out = q->out_channels;
    int64_t line = c->width * columns(c) * (int64_t)sizeof(float);
    c->piece = line < PIECE_BYTES ? PIECE_BYTES / line : 1;
    c->piece = c->piece < c->lines ? c->piece : c->lines;
    return true;
}

/* ---- prepare ---- */

/* [ic, oc, i, j] to [ic, i, j, oc]. */
static float *column_order(const struct conv_shuffle *c, const float *w, struct arena *a)
{
    int64_t taps = c->kernel_h * c->kernel_w;
    float *to = arena_try(a, (size_t)(c->in * columns(c)) * sizeof *to);
    for (int64_t ic = 0; to && ic < c->in; ic++)
        for (int64_t oc = 0; oc < c->out; oc++)
            for (int64_t t = 0; t < taps; t++)
                to[(ic * taps + t) * c->out + oc] = w[(ic * c->out + oc) * taps + t];
    return to;
}

static struct dnn_matmul *make(const struct conv_shuffle *c, struct prepare *p, int64_t lines,
                               int folded, struct dnn_matmul_args *args)
{
    struct matmul_params params = {.m = lines * c->width, .n = columns(c), .k = c->in};
    const int64_t dims[] = {params.m, params.n};
    struct post_list posts;
    params.a_row_step = c->in;
    params.b_row_step = params.n;
    params.a_col_step = params.b_col_step = 1;
    struct dnn_layout *y = dnn_layout_plain(2, dims);
    struct dnn_matmul *made = NULL;
    if (y && post_list(p, folded, y, &posts) && !posts.n_inputs) {
        args->params = &params;
        args->posts = posts.posts;
        args->n_posts = posts.n;
        made = dnn_matmul_new(args);
    }
    dnn_layout_free(y);
    return made;
}

static bool make_products(struct conv_shuffle *c, struct prepare *p, const float *weights,
                          const float *bias, int folded)
{
    int64_t left = c->lines % c->piece, n = columns(c);
    struct dnn_matmul_args args = {.alpha = 1, .b = column_order(c, weights, p->scratch)};
    float *spread = bias ? arena_try(p->scratch, (size_t)n * sizeof *spread) : NULL;
    if (!args.b || (bias && !spread))
        return false;
    for (int64_t i = 0; bias && i < n; i++)
        spread[i] = bias[i % c->out];
    args.bias = spread;
    c->whole = make(c, p, c->piece, folded, &args);
    args.like = c->whole;
    c->rest = c->whole && left ? make(c, p, left, folded, &args) : NULL;
    if (!c->whole || (left && !c->rest))
        return false;
    size_t more = c->rest ? dnn_matmul_scratch(c->rest) : 0;
    c->scratch = rounded(dnn_matmul_scratch(c->whole));
    c->scratch = rounded(more) > c->scratch ? rounded(more) : c->scratch;
    c->result_bytes = rounded((size_t)(c->piece * c->width * n) * sizeof(float));
    p->held += dnn_matmul_held(c->whole) + (c->rest ? dnn_matmul_held(c->rest) : 0);
    return true;
}

struct conv_shuffle *conv_shuffle_new(struct prepare *p, const struct conv_params *params,
                                      const float *weights, const float *bias, int folded)
{
    struct conv_shuffle *c = mem_alloc(sizeof *c);
    if (read_shape(c, params) && make_products(c, p, weights, bias, folded))
        return c;
    conv_shuffle_free(c);
    return NULL;
}

void conv_shuffle_free(struct conv_shuffle *c)
{
    if (!c)
        return;
    dnn_matmul_free(c->rest); /* borrows from the other */
    dnn_matmul_free(c->whole);
    mem_free(c);
}

size_t conv_shuffle_workspace(const struct conv_shuffle *c) { return c->result_bytes + c->scratch; }

/* ---- run ---- */

static void store_lines(const struct conv_shuffle *c, int64_t lines, const float *result, float *y)
{
    int64_t run = c->kernel_w * c->out, row = c->width * run;
    for (int64_t h = 0; h < lines; h++)
        for (int64_t w = 0; w < c->width; w++)
            for (int64_t i = 0; i < c->kernel_h; i++, result += run)
                memcpy(y + (h * c->kernel_h + i) * row + w * run, result, (size_t)run * sizeof *y);
}

static int run_piece(void *user, size_t index, int worker)
{
    const struct call *call = user;
    const struct conv_shuffle *c = call->c;
    struct eval *e = call->e;
    int64_t from = (int64_t)index * c->piece,
            lines = c->lines - from < c->piece ? c->lines - from : c->piece;
    const float *x = (const float *)e->in[0]->data + from * c->width * c->in;
    float *y = (float *)tensor_writable(e->out[0]) + from * c->width * columns(c);
    char *work = (char *)e->workspace + (size_t)worker * conv_shuffle_workspace(c);
    float *result = (float *)(void *)work;
    if (!dnn_matmul_run(lines < c->piece ? c->rest : c->whole, x, NULL, result, NULL,
                        work + c->result_bytes))
        return eval_fail(e, E_LIMIT_MEMORY, "oneDNN could not run a transposed convolution");
    store_lines(c, lines, result, y);
    return 0;
}

int conv_shuffle_run(const struct conv_shuffle *c, struct eval *e)
{
    struct call call = {c, e};
    return pool_run(e->pool, (size_t)((c->lines + c->piece - 1) / c->piece), run_piece, &call);
}
