/* Bands: see fast_band.h. */
#include "ops/fast_band.h"

#include "ops/ops_window.h"

/* A band should keep a core busy for some 10 us (at about 60 G multiply-adds a second), or handing
 * it out costs more than it saves. */
static const double BAND_WORK = 600e3;

static int64_t rows_size(const int64_t *extent, int rank, int64_t channels)
{
    int64_t size = channels;
    for (int i = 1; i < rank; i++)
        size *= extent[i];
    return size;
}

static int bands_wanted(double work, int64_t most)
{
    int n = 1;
    while (n < BAND_MAX / 2 && work / (2 * n) >= BAND_WORK)
        n *= 2;
    return n > most ? (int)most : n;
}

static void cut_batch(const struct window *w, int64_t batch, int64_t in_channels,
                      int64_t out_channels, struct bands *b)
{
    int64_t in = window_in_size(w) * in_channels, out = window_out_size(w) * out_channels;
    for (int i = 0; i < b->n; i++) {
        int64_t from = batch * i / b->n, to = batch * (i + 1) / b->n;
        b->at[i] = (struct band){*w, to - from, from * in, from * out};
    }
}

/* Rows o0..o1 of the output read rows i0..i1 of the input, less what lies in the padding. */
static bool cut_rows(const struct window *w, int64_t in_channels, int64_t out_channels,
                     struct bands *b)
{
    int64_t in = rows_size(w->in, w->rank, in_channels);
    int64_t out = rows_size(w->out, w->rank, out_channels);
    int64_t reach = (w->kernel[0] - 1) * w->dilation[0] + 1;
    for (int i = 0; i < b->n; i++) {
        int64_t o0 = w->out[0] * i / b->n, o1 = w->out[0] * (i + 1) / b->n;
        int64_t i0 = o0 * w->stride[0] - w->pad_begin[0];
        int64_t i1 = (o1 - 1) * w->stride[0] + reach - w->pad_begin[0];
        struct band *at = &b->at[i];
        int64_t first = i0 < 0 ? 0 : i0, last = i1 > w->in[0] ? w->in[0] : i1;
        if (last <= first)
            return false;
        *at = (struct band){.window = *w, .batch = 1, .in_at = first * in, .out_at = o0 * out};
        at->window.in[0] = last - first;
        at->window.out[0] = o1 - o0;
        at->window.pad_begin[0] = first - i0;
        at->window.pad_end[0] = i1 - last;
    }
    return true;
}

void bands_cut(const struct window *w, int64_t batch, int64_t in_channels, int64_t out_channels,
               double work, struct bands *b)
{
    b->n = bands_wanted(work, batch > 1 ? batch : w->out[0]);
    if (batch == 1 && b->n > 1 && cut_rows(w, in_channels, out_channels, b))
        return;
    if (batch == 1)
        b->n = 1;
    cut_batch(w, batch, in_channels, out_channels, b);
}

bool bands_window(const struct prepare *p, const int64_t *kernel, bool transposed, struct window *w,
                  int64_t *batch, int64_t *in_channels, int64_t *out_channels)
{
    const struct type *x = p->in_types[0], *y = p->out_types[0];
    struct window_attrs attrs;
    int64_t in[WINDOW_MAX_RANK + 2], out[WINDOW_MAX_RANK + 2];
    if (x->rank < 3 || x->rank > WINDOW_MAX_RANK + 2 || y->rank != x->rank)
        return false;
    for (int i = 0; i < x->rank; i++)
        if (!dim_is_const(x->dims[i], &in[i]) || !dim_is_const(y->dims[i], &out[i]))
            return false;
    if (window_read(p->node, x->rank - 2, p->arena, &attrs))
        return false;
    if (!kernel)
        kernel = attrs.kernel;
    *batch = in[0];
    *in_channels = in[x->rank - 1];
    *out_channels = out[x->rank - 1];
    return kernel &&
           (transposed ? window_fill_transposed : window_fill)(&attrs, in + 1, kernel, w) &&
           window_valid(w);
}

int bands_dims(const struct window *w, bool output, int64_t batch, int64_t channels, int64_t *dims)
{
    dims[0] = batch;
    dims[1] = channels;
    for (int i = 0; i < w->rank; i++)
        dims[2 + i] = output ? w->out[i] : w->in[i];
    return w->rank + 2;
}
