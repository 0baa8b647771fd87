/* The attributes that convolutions and pools share (kernel_shape, strides, dilations, pads,
 * auto_pad, ceil_mode), read once for shape functions and adapters alike.
 */
#ifndef OPS_WINDOW_H
#define OPS_WINDOW_H
#include "kernels/float/window.h"
#include "ops/adapt.h"

struct window_attrs {
    int rank;                                     /* spatial axes */
    const int64_t *kernel, *stride, *dilation;    /* rank entries; kernel NULL: not given */
    const int64_t *pads;                          /* 2 * rank: begins, ends */
    const int64_t *output_padding, *output_shape; /* ConvTranspose; output_shape NULL: not given */
    enum auto_pad mode;
    bool ceil;
};

/* NULL, or what is wrong with the attributes. */
const char *window_read(const struct node *n, int rank, struct arena *a, struct window_attrs *w);
/* Whether y has planes * (positions of the window) elements: what a kernel will write. The window must be valid. The
 * shape function and window.h agree on all but absurd pads. */
bool window_gives(const struct window *w, int64_t planes, const struct tensor *y);
/* Output extent of one axis. NULL: not known. */
dim_t window_dim(struct infer *c, const struct window_attrs *w, int axis, dim_t in, dim_t kernel);
dim_t window_dim_transposed(struct infer *c, const struct window_attrs *w, int axis, dim_t in,
                            dim_t kernel);
/* For kernels: constant extents. kernel: rank entries. false: more axes than kernels have, or it
 * does not fit. */
bool window_fill(const struct window_attrs *w, const int64_t *in, const int64_t *kernel,
                 struct window *out);
bool window_fill_transposed(const struct window_attrs *w, const int64_t *in, const int64_t *kernel,
                            struct window *out);
#endif
