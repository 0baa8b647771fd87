/* Bands: see fast_band.h. */
#include "ops/fast_band.h"

#include "ops/ops_window.h"

/* A band should keep a core busy for some 10 us (at about 60 G multiply-adds a second), or handing
 * it out costs more than it saves. */
static const double BAND_WORK = 600e3;

static int64_t rows_size(const int64_t *extent, int rank, int axis, int64_t channels)
{
    int64_t size = channels;
    for (int i = axis + 1; i < rank; i++)
        size *= extent[i];
    return size;
}

enum { WIDEST = 1 << 24 }; /* elements of an axis or a window */

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

static bool unit_axis(const struct window *w, int i)
{
    return w->in[i] == 1 && w->out[i] == 1 && w->kernel[i] == 1 && w->pad_begin[i] == 0;
}

/* Axes of extent 1 in front: the same bytes, and oneDNN's kernels run along the last axis. */
static void unit_axes_first(struct window *w)
{
    struct window sorted = {.rank = w->rank};
    int n = 0;
    for (int unit = 1; unit >= 0; unit--)
        for (int i = 0; i < w->rank; i++) {
            if (unit_axis(w, i) != unit)
                continue;
            sorted.in[n] = w->in[i];
            sorted.out[n] = w->out[i];
            sorted.kernel[n] = w->kernel[i];
            sorted.stride[n] = w->stride[i];
            sorted.dilation[n] = w->dilation[i];
            sorted.pad_begin[n] = w->pad_begin[i];
            sorted.pad_end[n++] = w->pad_end[i];
        }
    *w = sorted;
}

static int row_axis(const struct window *w)
{
    int axis = 0;
    while (axis < w->rank - 1 && unit_axis(w, axis))
        axis++;
    return axis;
}

/* Rows o0..o1 of the output read rows i0..i1 of the input, less what lies in the padding. */
static bool cut_rows(const struct window *w, int64_t in_channels, int64_t out_channels,
                     struct bands *b)
{
    int k = row_axis(w);
    int64_t in = rows_size(w->in, w->rank, k, in_channels);
    int64_t out = rows_size(w->out, w->rank, k, out_channels);
    int64_t reach = (w->kernel[k] - 1) * w->dilation[k] + 1;
    for (int i = 0; i < b->n; i++) {
        int64_t o0 = w->out[k] * i / b->n, o1 = w->out[k] * (i + 1) / b->n;
        int64_t i0 = o0 * w->stride[k] - w->pad_begin[k];
        int64_t i1 = (o1 - 1) * w->stride[k] + reach - w->pad_begin[k];
        struct band *at = &b->at[i];
        int64_t first = i0 < 0 ? 0 : i0, last = i1 > w->in[k] ? w->in[k] : i1;
        if (last <= first)
            return false;
        *at = (struct band){.window = *w, .batch = 1, .in_at = first * in, .out_at = o0 * out};
        at->window.in[k] = last - first;
        at->window.out[k] = o1 - o0;
        at->window.pad_begin[k] = first - i0;
        at->window.pad_end[k] = i1 - last;
    }
    return true;
}

void bands_cut(const struct window *w, int64_t batch, int64_t in_channels, int64_t out_channels,
               double work, struct bands *b)
{
    b->n = bands_wanted(work, batch > 1 ? batch : w->out[row_axis(w)]);
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
    if (!kernel || !(transposed ? window_fill_transposed : window_fill)(&attrs, in + 1, kernel, w))
        return false;
    for (int i = 0; i < w->rank;
         i++) /* absurd pads, and windows that oneDNN would walk for hours */
        if (w->out[i] != out[1 + i] || w->kernel[i] > WIDEST || w->in[i] > WIDEST)
            return false;
    unit_axes_first(w);
    return window_valid(w);
}

int bands_dims(const struct window *w, bool output, int64_t batch, int64_t channels, int64_t *dims)
{
    dims[0] = batch;
    dims[1] = channels;
    for (int i = 0; i < w->rank; i++)
        dims[2 + i] = output ? w->out[i] : w->in[i];
    return w->rank + 2;
}
