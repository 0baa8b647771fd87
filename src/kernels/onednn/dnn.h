/* The fast engine's primitives: prepared objects around oneDNN for float32.
 *
 * Life: dnn_setup once per process; then any thread makes objects (weights are reordered once,
 * here), any number of threads run one object at the same time on different buffers, each with
 * scratch memory of its own; free when no thread runs it. An object is for fixed dims. `_new`
 * returns NULL when oneDNN cannot do the shape or memory is refused: the caller then uses the
 * reference kernel. `_run` returns false only when oneDNN itself fails (out of memory).
 *
 * Determinism: an object's results depend on its arguments, the instruction set and the oneDNN
 * version, on nothing else. Each call stays on the calling thread, because oneDNN's order of
 * summation follows the number of threads it may use (dnn_core.c): run different samples or
 * branches on different threads instead.
 *
 * Layouts: between convolutions and pools activations may stay in the blocked form oneDNN likes. A
 * struct dnn_layout names such a form; whoever needs the plain row-major one runs a dnn_reorder.
 * Buffers hold dnn_layout_bytes bytes, aligned to 64.
 */
#ifndef KERNELS_ONEDNN_DNN_H
#define KERNELS_ONEDNN_DNN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/float/conv.h"
#include "kernels/float/matmul.h"
#include "kernels/float/pool.h"

/* ---- the process ---- */

/* Measured with 2.6.3 on one AVX-512 core: convolutions of ResNet-50 75-140 GFLOP/s in oneDNN's
 * layouts, 50-130 in plain mode; depthwise 3x3 18-44 against 3-12; a 1 x 1000 x 2048 product 11. A
 * cached primitive holds about 16 KiB. */

/* isa NULL: the CPU's; else one of dnn_isa_names, at most what the CPU has. cached_primitives:
 * compiled kernels that oneDNN keeps for equal shapes (its own default is 1024). Call before any
 * object is made; later calls cannot change the isa. false: unknown or unsupported isa. */
bool dnn_setup(const char *isa, int cached_primitives);
const char *dnn_isa(void);              /* the instruction set in force, e.g. "avx512_core" */
const char *const *dnn_isa_names(void); /* NULL-terminated, weakest first */
const char *dnn_version(void);          /* "2.6.3" */

/* ---- layouts ---- */

struct dnn_layout;

struct dnn_layout *
dnn_layout_plain(int rank,
                 const int64_t *dims); /* row-major; returns owned; NULL: rank > 12, a dim <= 0 */
/* Axes as dims says (N, C, spatial...), stored as N, spatial..., C. rank 3 to 5. */
struct dnn_layout *dnn_layout_last(int rank, const int64_t *dims);
struct dnn_layout *dnn_layout_copy(const struct dnn_layout *l); /* returns owned, NULL: memory */
void dnn_layout_free(struct dnn_layout *l);
bool dnn_layout_same(const struct dnn_layout *a, const struct dnn_layout *b);
bool dnn_layout_is_plain(const struct dnn_layout *l);
/* The buffer has room beyond the elements (channels filled up to a block): those must hold zeros or
 * at least finite values. Element-wise work on the raw buffer is right when f(0) is finite. */
bool dnn_layout_is_padded(const struct dnn_layout *l);
/* Channels per innermost block when the buffer is [batch, channels/block, spatial..., block]; 1
 * when plain; 0: some other form. */
int64_t dnn_layout_block(const struct dnn_layout *l);
/* The buffer is [batch, spatial..., channels] without padding: what oneDNN likes on AVX-512. */
bool dnn_layout_channels_last(const struct dnn_layout *l);
size_t dnn_layout_bytes(const struct dnn_layout *l);
int dnn_layout_rank(const struct dnn_layout *l);
const int64_t *dnn_layout_dims(const struct dnn_layout *l);

struct dnn_reorder;
struct dnn_reorder *dnn_reorder_new(const struct dnn_layout *from, const struct dnn_layout *to);
void dnn_reorder_free(struct dnn_reorder *r);
size_t dnn_reorder_scratch(const struct dnn_reorder *r);
bool dnn_reorder_run(const struct dnn_reorder *r, const void *from, void *to, void *scratch);

/* ---- what follows a product at no cost ---- */

enum dnn_post_kind {
    DNN_POST_RELU, /* x > 0 ? x : a * x */
    DNN_POST_CLIP, /* to [a, b] */
    DNN_POST_TANH,
    DNN_POST_SIGMOID,
    DNN_POST_SWISH,     /* x * sigmoid(a * x) */
    DNN_POST_HARDSWISH, /* x * clip(x / 6 + 1/2, 0, 1) */
    DNN_POST_GELU,      /* with erf */
    DNN_POST_LINEAR,    /* a * x + b */
    DNN_POST_SUM,       /* adds what the output buffer held before; at most one */
    DNN_POST_ADD,       /* adds the tensor that run gets in `others`, in order of appearance */
};
enum { DNN_MAX_POSTS = 8 };
struct dnn_post {
    enum dnn_post_kind kind;
    float a, b;
    const struct dnn_layout
        *layout; /* ADD: of the tensor; each dim equals the output's or is 1. Copied */
};

/* ---- convolution ---- */

struct dnn_conv_args {
    const struct conv_params *params;
    bool transposed;             /* ConvTranspose */
    const float *weights, *bias; /* as the reference kernels take them; copied; bias may be NULL */
    const struct dnn_layout *in, *out; /* wanted layouts; NULL: oneDNN chooses */
    bool plain; /* run takes and gives plain buffers and reorders inside; in and out are then
                   ignored */
    const struct dnn_post *posts;
    int n_posts;
    struct dnn_conv *like; /* made from the same weights and bias: its reordered copies are shared
                              where the layout is the same. It must outlive this one */
};
struct dnn_conv;
struct dnn_conv *dnn_conv_new(const struct dnn_conv_args *args); /* returns owned */
void dnn_conv_free(struct dnn_conv *c);
const struct dnn_layout *dnn_conv_in(const struct dnn_conv *c); /* what run expects, borrowed */
const struct dnn_layout *dnn_conv_out(const struct dnn_conv *c);
size_t dnn_conv_scratch(const struct dnn_conv *c);
size_t dnn_conv_held(const struct dnn_conv *c); /* bytes of reordered weights */
bool dnn_conv_run(const struct dnn_conv *c, const float *x, float *y, const float *const *others,
                  void *scratch);

/* ---- matrix product ---- */

/* y[batch..., m, n] dense and plain; a and b are read by the steps of params. */
struct dnn_matmul_args {
    const struct matmul_params *params;
    const float *b;    /* constant: reordered once and copied; NULL: given to run */
    const float *bias; /* [n], copied; NULL: none */
    float alpha;       /* factor of the product before the bias; 1 costs nothing */
    const struct dnn_post *posts;
    int n_posts;
    struct dnn_matmul *like; /* of the same b and bias: as with convolutions */
};
struct dnn_matmul;
struct dnn_matmul *dnn_matmul_new(const struct dnn_matmul_args *args); /* returns owned */
void dnn_matmul_free(struct dnn_matmul *m);
size_t dnn_matmul_scratch(const struct dnn_matmul *m);
size_t dnn_matmul_held(const struct dnn_matmul *m);
/* b is ignored when it was constant. */
bool dnn_matmul_run(const struct dnn_matmul *m, const float *a, const float *b, float *y,
                    const float *const *others, void *scratch);

/* Nothing prepared: y [m, n] = a [m, k] * b [k, n], or times the transpose of b [n, k]. Rows are
 * `step` elements apart; b's are dense. */
struct dnn_gemm_args {
    int64_t m, n, k;
    bool transposed;
    int64_t a_step, y_step;
};
bool dnn_gemm(const struct dnn_gemm_args *g, const float *a, const float *b, float *y);

/* Products of 8-bit integers, exact: y [m, n] int32 = a [m, k] * b [k, n]; a of uint8 or int8 and y
 * dense; b constant, rows b_step apart, copied into oneDNN's layout. NULL too on
 * machines whose instructions for this saturate (oneDNN developer guide, "Nuances of int8
 * computations": those before VNNI). */
struct dnn_int_args {
    int64_t m, n, k;
    bool a_signed;
    const int8_t *b;
    int64_t b_step;
};
struct dnn_int;
struct dnn_int *dnn_int_new(const struct dnn_int_args *args); /* returns owned */
void dnn_int_free(struct dnn_int *p);
size_t dnn_int_scratch(const struct dnn_int *p);
size_t dnn_int_held(const struct dnn_int *p);
bool dnn_int_run(const struct dnn_int *p, const void *a, int32_t *y, void *scratch);

/* ---- pooling ---- */

enum dnn_pool_kind {
    DNN_POOL_MAX,
    DNN_POOL_AVERAGE,
    DNN_POOL_AVERAGE_PADDED /* count_include_pad */
};
struct dnn_pool_args {
    const struct pool_params *params;
    enum dnn_pool_kind kind;
    const struct dnn_layout *in; /* NULL: plain in and out; else out is what oneDNN likes for it */
};
struct dnn_pool;
struct dnn_pool *dnn_pool_new(const struct dnn_pool_args *args); /* returns owned */
void dnn_pool_free(struct dnn_pool *p);
const struct dnn_layout *dnn_pool_in(const struct dnn_pool *p);
const struct dnn_layout *dnn_pool_out(const struct dnn_pool *p);
size_t dnn_pool_scratch(const struct dnn_pool *p);
bool dnn_pool_run(const struct dnn_pool *p, const float *x, float *y, void *scratch);
#endif
