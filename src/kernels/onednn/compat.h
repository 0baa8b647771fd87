/* The C interfaces of oneDNN 2 (Debian 12) and oneDNN 3 (Debian 13) under one set of names. Nothing
 * else in the project looks at the version.
 *
 * What changed between them: memory descriptors became opaque and owned; operation descriptors went
 * away, a primitive descriptor is made in one step; the post-operations lost their scales.
 * Functions return true on success. A struct dnn_desc is owned: drop it once.
 */
#ifndef KERNELS_ONEDNN_COMPAT_H
#define KERNELS_ONEDNN_COMPAT_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <oneapi/dnnl/dnnl.h>

struct dnn_desc {
    dnnl_memory_desc_t of; /* version 2: the descriptor, version 3: a pointer to it */
};

/* Geometry of convolutions and pools; dilation counts from 0 as in the library. */
struct dnn_window {
    dnnl_dims_t stride, kernel, dilation, pad_begin, pad_end;
};

/* Arguments of a primitive descriptor; bias and wei may be NULL where they do not apply. */
struct dnn_shape {
    const struct dnn_desc *src, *wei, *bias, *dst;
    const struct dnn_window *window;
    dnnl_alg_kind_t algorithm;
    const_dnnl_primitive_attr_t attr;
    dnnl_engine_t engine;
};

/* The library declares its dims as arrays of DNNL_MAX_NDIMS; shorter ones are widened here. */
struct dnn_dims {
    dnnl_dims_t of;
};
static inline struct dnn_dims dnn_dims_of(int rank, const int64_t *from)
{
    struct dnn_dims dims = {{0}};
    memcpy(dims.of, from, (size_t)rank * sizeof *from);
    return dims;
}

#if DNNL_VERSION_MAJOR >= 3

static inline const_dnnl_memory_desc_t dnn_desc_ref(const struct dnn_desc *d)
{
    return d ? d->of : NULL;
}

static inline bool dnn_desc_strided(struct dnn_desc *d, int rank, const int64_t *dims,
                                    const int64_t *strides)
{
    d->of = NULL;
    const struct dnn_dims wide = dnn_dims_of(rank, dims), steps = dnn_dims_of(rank, strides);
    return dnnl_memory_desc_create_with_strides(&d->of, rank, wide.of, dnnl_f32, steps.of) ==
           dnnl_success;
}
static inline bool dnn_desc_typed(struct dnn_desc *d, int rank, const int64_t *dims,
                                  const int64_t *strides, dnnl_data_type_t type)
{
    d->of = NULL;
    const struct dnn_dims wide = dnn_dims_of(rank, dims);
    const struct dnn_dims steps = strides ? dnn_dims_of(rank, strides) : wide;
    return (strides ? dnnl_memory_desc_create_with_strides(&d->of, rank, wide.of, type, steps.of)
                    : dnnl_memory_desc_create_with_tag(&d->of, rank, wide.of, type,
                                                       dnnl_format_tag_any)) == dnnl_success;
}
static inline bool dnn_desc_tagged(struct dnn_desc *d, int rank, const int64_t *dims,
                                   dnnl_format_tag_t tag)
{
    d->of = NULL;
    const struct dnn_dims wide = dnn_dims_of(rank, dims);
    return dnnl_memory_desc_create_with_tag(&d->of, rank, wide.of, dnnl_f32, tag) == dnnl_success;
}
static inline bool dnn_desc_copy(struct dnn_desc *d, const_dnnl_memory_desc_t from)
{
    d->of = NULL;
    return from && dnnl_memory_desc_clone(&d->of, from) == dnnl_success;
}
static inline void dnn_desc_drop(struct dnn_desc *d)
{
    if (d->of)
        dnnl_memory_desc_destroy(d->of);
    d->of = NULL;
}
static inline bool dnn_pd_convolution(dnnl_primitive_desc_t *pd, const struct dnn_shape *s)
{
    const struct dnn_window *w = s->window;
    return dnnl_convolution_forward_primitive_desc_create(
               pd, s->engine, dnnl_forward_inference, dnnl_convolution_direct, dnn_desc_ref(s->src),
               dnn_desc_ref(s->wei), dnn_desc_ref(s->bias), dnn_desc_ref(s->dst), w->stride,
               w->dilation, w->pad_begin, w->pad_end, s->attr) == dnnl_success;
}
static inline bool dnn_pd_deconvolution(dnnl_primitive_desc_t *pd, const struct dnn_shape *s)
{
    const struct dnn_window *w = s->window;
    return dnnl_deconvolution_forward_primitive_desc_create(
               pd, s->engine, dnnl_forward_inference, dnnl_deconvolution_direct,
               dnn_desc_ref(s->src), dnn_desc_ref(s->wei), dnn_desc_ref(s->bias),
               dnn_desc_ref(s->dst), w->stride, w->dilation, w->pad_begin, w->pad_end,
               s->attr) == dnnl_success;
}
static inline bool dnn_pd_matmul(dnnl_primitive_desc_t *pd, const struct dnn_shape *s)
{
    return dnnl_matmul_primitive_desc_create(pd, s->engine, dnn_desc_ref(s->src),
                                             dnn_desc_ref(s->wei), dnn_desc_ref(s->bias),
                                             dnn_desc_ref(s->dst), s->attr) == dnnl_success;
}
static inline bool dnn_pd_pooling(dnnl_primitive_desc_t *pd, const struct dnn_shape *s)
{
    const struct dnn_window *w = s->window;
    return dnnl_pooling_forward_primitive_desc_create(
               pd, s->engine, dnnl_forward_inference, s->algorithm, dnn_desc_ref(s->src),
               dnn_desc_ref(s->dst), w->stride, w->kernel, w->dilation, w->pad_begin, w->pad_end,
               s->attr) == dnnl_success;
}
static inline bool dnn_post_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha,
                                    float beta)
{
    return dnnl_post_ops_append_eltwise(ops, kind, alpha, beta) == dnnl_success;
}
static inline bool dnn_post_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef) == dnnl_success;
}
/* Results must not depend on timing (atomics, free partitioning). */
static inline bool dnn_attr_deterministic(dnnl_primitive_attr_t attr)
{
    return dnnl_primitive_attr_set_deterministic(attr, 1) == dnnl_success;
}
/* The element counts of the innermost blocks and the axes they cut; returns how many there are, -1:
 * not a blocked layout. */
static inline int dnn_desc_blocks(const struct dnn_desc *d, const dnnl_dims_t **sizes,
                                  const dnnl_dims_t **axes)
{
    int count = 0;
    if (dnnl_memory_desc_query(d->of, dnnl_query_inner_nblks_s32, &count) != dnnl_success ||
        dnnl_memory_desc_query(d->of, dnnl_query_inner_blks, (void *)sizes) != dnnl_success ||
        dnnl_memory_desc_query(d->of, dnnl_query_inner_idxs, (void *)axes) != dnnl_success)
        return -1;
    return count;
}

#else

static inline const dnnl_memory_desc_t *dnn_desc_ref(const struct dnn_desc *d)
{
    return d ? &d->of : NULL;
}

static inline bool dnn_desc_strided(struct dnn_desc *d, int rank, const int64_t *dims,
                                    const int64_t *strides)
{
    const struct dnn_dims wide = dnn_dims_of(rank, dims), steps = dnn_dims_of(rank, strides);
    return dnnl_memory_desc_init_by_strides(&d->of, rank, wide.of, dnnl_f32, steps.of) ==
           dnnl_success;
}
/* Of any element type; strides NULL: the library may choose the layout. */
static inline bool dnn_desc_typed(struct dnn_desc *d, int rank, const int64_t *dims,
                                  const int64_t *strides, dnnl_data_type_t type)
{
    const struct dnn_dims wide = dnn_dims_of(rank, dims);
    const struct dnn_dims steps = strides ? dnn_dims_of(rank, strides) : wide;
    return (strides ? dnnl_memory_desc_init_by_strides(&d->of, rank, wide.of, type, steps.of)
                    : dnnl_memory_desc_init_by_tag(&d->of, rank, wide.of, type,
                                                   dnnl_format_tag_any)) == dnnl_success;
}
static inline bool dnn_desc_tagged(struct dnn_desc *d, int rank, const int64_t *dims,
                                   dnnl_format_tag_t tag)
{
    const struct dnn_dims wide = dnn_dims_of(rank, dims);
    return dnnl_memory_desc_init_by_tag(&d->of, rank, wide.of, dnnl_f32, tag) == dnnl_success;
}
static inline bool dnn_desc_copy(struct dnn_desc *d, const dnnl_memory_desc_t *from)
{
    if (!from)
        return false;
    d->of = *from;
    return true;
}
static inline void dnn_desc_drop(struct dnn_desc *d) { memset(d, 0, sizeof *d); }

static inline bool dnn_pd_convolution(dnnl_primitive_desc_t *pd, const struct dnn_shape *s)
{
    const struct dnn_window *w = s->window;
    dnnl_convolution_desc_t op;
    return dnnl_dilated_convolution_forward_desc_init(
               &op, dnnl_forward_inference, dnnl_convolution_direct, dnn_desc_ref(s->src),
               dnn_desc_ref(s->wei), dnn_desc_ref(s->bias), dnn_desc_ref(s->dst), w->stride,
               w->dilation, w->pad_begin, w->pad_end) == dnnl_success &&
           dnnl_primitive_desc_create(pd, &op, s->attr, s->engine, NULL) == dnnl_success;
}
static inline bool dnn_pd_deconvolution(dnnl_primitive_desc_t *pd, const struct dnn_shape *s)
{
    const struct dnn_window *w = s->window;
    dnnl_deconvolution_desc_t op;
    return dnnl_dilated_deconvolution_forward_desc_init(
               &op, dnnl_forward_inference, dnnl_deconvolution_direct, dnn_desc_ref(s->src),
               dnn_desc_ref(s->wei), dnn_desc_ref(s->bias), dnn_desc_ref(s->dst), w->stride,
               w->dilation, w->pad_begin, w->pad_end) == dnnl_success &&
           dnnl_primitive_desc_create(pd, &op, s->attr, s->engine, NULL) == dnnl_success;
}
static inline bool dnn_pd_matmul(dnnl_primitive_desc_t *pd, const struct dnn_shape *s)
{
    dnnl_matmul_desc_t op;
    return dnnl_matmul_desc_init(&op, dnn_desc_ref(s->src), dnn_desc_ref(s->wei),
                                 dnn_desc_ref(s->bias), dnn_desc_ref(s->dst)) == dnnl_success &&
           dnnl_primitive_desc_create(pd, &op, s->attr, s->engine, NULL) == dnnl_success;
}
static inline bool dnn_pd_pooling(dnnl_primitive_desc_t *pd, const struct dnn_shape *s)
{
    const struct dnn_window *w = s->window;
    dnnl_pooling_v2_desc_t op;
    return dnnl_pooling_v2_forward_desc_init(&op, dnnl_forward_inference, s->algorithm,
                                             dnn_desc_ref(s->src), dnn_desc_ref(s->dst), w->stride,
                                             w->kernel, w->dilation, w->pad_begin,
                                             w->pad_end) == dnnl_success &&
           dnnl_primitive_desc_create(pd, &op, s->attr, s->engine, NULL) == dnnl_success;
}
static inline bool dnn_post_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha,
                                    float beta)
{
    return dnnl_post_ops_append_eltwise(ops, 1.0f, kind, alpha, beta) == dnnl_success;
}
static inline bool dnn_post_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f) == dnnl_success;
}
static inline bool dnn_attr_deterministic(dnnl_primitive_attr_t attr) { return attr != NULL; }

static inline int dnn_desc_blocks(const struct dnn_desc *d, const dnnl_dims_t **sizes,
                                  const dnnl_dims_t **axes)
{
    *sizes = &d->of.format_desc.blocking.inner_blks;
    *axes = &d->of.format_desc.blocking.inner_idxs;
    return d->of.format_kind == dnnl_blocked ? d->of.format_desc.blocking.inner_nblks : -1;
}

#endif

/* Same text for both versions, thanks to dnn_desc_ref. */

/* The library may choose the layout. */
static inline bool dnn_desc_any(struct dnn_desc *d, int rank, const int64_t *dims)
{
    return dnn_desc_tagged(d, rank, dims, dnnl_format_tag_any);
}

static inline bool dnn_desc_of_pd(struct dnn_desc *d, const_dnnl_primitive_desc_t pd,
                                  dnnl_query_t what, int index)
{
    return dnn_desc_copy(d, dnnl_primitive_desc_query_md(pd, what, index));
}
static inline bool dnn_desc_same(const struct dnn_desc *a, const struct dnn_desc *b)
{
    return dnnl_memory_desc_equal(dnn_desc_ref(a), dnn_desc_ref(b)) != 0;
}
static inline size_t dnn_desc_bytes(const struct dnn_desc *d)
{
    return dnnl_memory_desc_get_size(dnn_desc_ref(d));
}

static inline bool dnn_memory_new(dnnl_memory_t *m, const struct dnn_desc *d, dnnl_engine_t engine,
                                  void *data)
{
    return dnnl_memory_create(m, dnn_desc_ref(d), engine, data) == dnnl_success;
}
static inline bool dnn_pd_reorder(dnnl_primitive_desc_t *pd, const struct dnn_desc *from,
                                  const struct dnn_desc *to, dnnl_engine_t engine,
                                  const_dnnl_primitive_attr_t attr)
{
    return dnnl_reorder_primitive_desc_create(pd, dnn_desc_ref(from), engine, dnn_desc_ref(to),
                                              engine, attr) == dnnl_success;
}
static inline bool dnn_post_add(dnnl_post_ops_t ops, const struct dnn_desc *other)
{
    return dnnl_post_ops_append_binary(ops, dnnl_binary_add, dnn_desc_ref(other)) == dnnl_success;
}
#endif
