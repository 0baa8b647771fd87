/* Cutting one call of a window operator (convolution, pool) with channels last into bands that
 * threads can share out: whole batch elements, or runs of rows of the outermost spatial axis. Where
 * the cuts are depends on the shape alone, so that the bits do not depend on the number of threads.
 */
#ifndef OPS_FAST_BAND_H
#define OPS_FAST_BAND_H
#include "base/pool.h"
#include "kernels/float/window.h"
#include "ops/op.h"

enum { BAND_MAX = 8 };

struct band {
    struct window window;  /* of the band: its rows of input and output, its own padding */
    int64_t batch;         /* elements of it */
    int64_t in_at, out_at; /* elements before the band's first one */
};

struct bands {
    int n;
    struct band at[BAND_MAX];
};

/* work: multiply-adds or comparable; sizes are those of the whole call. Always at least one band.
 */
void bands_cut(const struct window *w, int64_t batch, int64_t in_channels, int64_t out_channels,
               double work, struct bands *b);

/* Geometry of a window node from its prepared types (N, spatial..., C). kernel: rank entries, or
 * NULL to take kernel_shape. false: not a plain window that the kernels know. */
bool bands_window(const struct prepare *p, const int64_t *kernel, bool transposed, struct window *w,
                  int64_t *batch, int64_t *in_channels, int64_t *out_channels);
/* The output's dims in the model's order, for dnn_layout_last; rank entries. */
int bands_dims(const struct window *w, bool output, int64_t batch, int64_t channels, int64_t *dims);
#endif
