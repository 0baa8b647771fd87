/* Pooling.
 *
 * oneDNN demands that its own formula gives the output extent, so the end padding is set to what
 * the windows reach. Where that is more than the operator's (ceil_mode), a mean that counts padding
 * would count the overhang: left to the reference. So are windows that see padding only.
 */
#include "base/mem.h"
#include "kernels/onednn/dnn_core.h"

struct dnn_pool {
    struct dnn_prim prim;
    struct dnn_layout *in, *out;
};

struct geometry {
    int rank;
    int64_t in[5], out[5];
    struct dnn_window window;
};

static bool geometry_of(const struct pool_params *p, enum dnn_pool_kind kind, struct geometry *g)
{
    const struct window *w = &p->window;
    g->rank = w->rank + 2;
    g->in[0] = g->out[0] = p->batch;
    g->in[1] = g->out[1] = p->channels;
    bool ok = p->batch && p->channels && window_in_size(w) && window_out_size(w);
    for (int i = 0; i < w->rank; i++) {
        const int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1;
        g->in[2 + i] = w->in[i];
        g->out[2 + i] = w->out[i];
        g->window.stride[i] = w->stride[i];
        g->window.kernel[i] = w->kernel[i];
        g->window.dilation[i] = w->dilation[i] - 1;
        g->window.pad_begin[i] = w->pad_begin[i];
        g->window.pad_end[i] = (w->out[i] - 1) * w->stride[i] + reach - w->in[i] - w->pad_begin[i];
        ok = ok && w->pad_begin[i] >= 0 && w->pad_end[i] >= 0 && w->pad_begin[i] < reach &&
             g->window.pad_end[i] < reach;
        ok = ok && (w->dilation[i] == 1 ||
                    (w->pad_begin[i] == 0 &&
                     g->window.pad_end[i] <= 0)); /* else a window may miss the input */
        ok = ok && (kind != DNN_POOL_AVERAGE_PADDED || g->window.pad_end[i] <= w->pad_end[i]);
    }
    return ok;
}

static dnnl_alg_kind_t algorithm_of(enum dnn_pool_kind kind)
{
    if (kind == DNN_POOL_MAX)
        return dnnl_pooling_max;
    return kind == DNN_POOL_AVERAGE ? dnnl_pooling_avg_exclude_padding
                                    : dnnl_pooling_avg_include_padding;
}

static bool make_primitive(struct dnn_pool *p, const struct dnn_pool_args *a,
                           const struct geometry *g)
{
    struct dnn_desc dst = {0}, chosen = {0};
    int64_t strides[5];
    dnnl_primitive_attr_t attr = dnn_attr_new(NULL, 0, false, 1, NULL);
    dnnl_primitive_desc_t pd = NULL;
    dnn_dense_strides(g->rank, g->out, strides);
    bool ok = attr && (a->in ? dnn_desc_any(&dst, g->rank, g->out)
                             : dnn_desc_strided(&dst, g->rank, g->out, strides));
    const struct dnn_shape shape = {&p->in->desc,          NULL, NULL,        &dst, &g->window,
                                    algorithm_of(a->kind), attr, dnn_engine()};
    ok = ok && dnn_pd_pooling(&pd, &shape) && dnn_desc_of_pd(&chosen, pd, dnnl_query_dst_md, 0);
    if (ok) {
        p->out = dnn_layout_of(&chosen, g->rank, g->out);
        ok = dnn_prim_init(&p->prim, pd) && p->out;
    } else if (pd) {
        dnnl_primitive_desc_destroy(pd);
    }
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    dnn_desc_drop(&dst);
    return ok;
}

struct dnn_pool *dnn_pool_new(const struct dnn_pool_args *a)
{
    struct geometry g = {0};
    if (!geometry_of(a->params, a->kind, &g) || !dnn_engine())
        return NULL;
    struct dnn_pool *p = mem_try_alloc(sizeof *p);
    if (!p)
        return NULL;
    const int before = dnn_single_enter();
    p->in = a->in ? dnn_layout_copy(a->in) : dnn_layout_plain(g.rank, g.in);
    const bool ok = p->in && make_primitive(p, a, &g);
    dnn_single_leave(before);
    if (ok)
        return p;
    dnn_pool_free(p);
    return NULL;
}

void dnn_pool_free(struct dnn_pool *p)
{
    if (!p)
        return;
    dnn_prim_release(&p->prim);
    dnn_layout_free(p->in);
    dnn_layout_free(p->out);
    mem_free(p);
}

const struct dnn_layout *dnn_pool_in(const struct dnn_pool *p) { return p->in; }
const struct dnn_layout *dnn_pool_out(const struct dnn_pool *p) { return p->out; }
size_t dnn_pool_scratch(const struct dnn_pool *p) { return p->prim.scratch_bytes; }

bool dnn_pool_run(const struct dnn_pool *p, const float *x, float *y, void *scratch)
{
    const struct dnn_arg args[] = {{DNNL_ARG_SRC, &p->in->desc, x},
                                   {DNNL_ARG_DST, &p->out->desc, y}};
    return dnn_prim_run(&p->prim, args, 2, scratch);
}
