/* Convolution and transposed convolution.
 *
 * ONNX weights become oneDNN's by strides: [oc, ic/g, k...] is seen as [g, oc/g, ic/g, k...], and
 * of the transposed form's [ic, oc/g, k...] the first two axes of each group change places. One
 * reorder at creation brings them into the layout the kernel wants. In plain mode input and output
 * are reordered inside a run, through buffers in the scratch: [primitive | input | output].
 */
#include "base/mem.h"
#include "kernels/onednn/dnn_core.h"

struct dnn_conv {
    struct dnn_prim prim;
    struct dnn_desc weights_desc, bias_desc;
    struct dnn_layout *in, *out;             /* of the primitive */
    struct dnn_layout *plain_in, *plain_out; /* of the buffers in plain mode, else NULL */
    struct dnn_reorder *before, *after;      /* plain mode, where the layouts differ */
    struct dnn_others others;
    float *weights, *bias;
    size_t weights_bytes, bias_bytes;
    bool borrowed; /* weights and bias belong to another one */
};

/* Dims and strides of everything in oneDNN's terms. */
struct geometry {
    int rank, weights_rank;
    int64_t in[5], out[5], weights[6], weights_strides[6], bias[1];
    struct dnn_window window;
};

static void weight_dims(const struct conv_params *p, bool transposed, struct geometry *g)
{
    const int64_t ic = p->in_channels / p->group, oc = p->out_channels / p->group,
                  kernel = window_kernel_size(&p->window);
    const bool grouped = p->group > 1;
    const int64_t dims[] = {p->group, oc, ic}, rows = transposed ? oc : ic;
    const int64_t steps[] = {oc * ic * kernel, transposed ? kernel : rows * kernel,
                             transposed ? rows * kernel : kernel};
    const int skip = grouped ? 0 : 1, spatial = p->window.rank;
    g->weights_rank = 3 - skip + spatial;
    for (int i = skip; i < 3; i++) {
        g->weights[i - skip] = dims[i];
        g->weights_strides[i - skip] = steps[i];
    }
    memcpy(g->weights + 3 - skip, p->window.kernel, (size_t)spatial * sizeof(int64_t));
    dnn_dense_strides(spatial, p->window.kernel, g->weights_strides + 3 - skip);
}

static void geometry_of(const struct conv_params *p, bool transposed, struct geometry *g)
{
    const struct window *w = &p->window;
    g->rank = w->rank + 2;
    g->in[0] = g->out[0] = p->batch;
    g->in[1] = p->in_channels;
    g->out[1] = g->bias[0] = p->out_channels;
    for (int i = 0; i < w->rank; i++) {
        g->in[2 + i] = w->in[i];
        g->out[2 + i] = w->out[i];
        g->window.stride[i] = w->stride[i];
        g->window.dilation[i] = w->dilation[i] - 1;
        g->window.pad_begin[i] = w->pad_begin[i];
        /* what the library's own formula for the output needs; the end padding is not read
         * otherwise */
        const int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1,
                      small = transposed ? w->in[i] : w->out[i];
        g->window.pad_end[i] = (small - 1) * w->stride[i] + reach - w->pad_begin[i] -
                               (transposed ? w->out[i] : w->in[i]);
    }
    weight_dims(p, transposed, g);
}

static bool supported(const struct conv_params *p)
{
    int64_t sizes = p->batch && p->in_channels && p->out_channels && window_in_size(&p->window) &&
                    window_out_size(&p->window);
    for (int i = 0; i < p->window.rank; i++)
        sizes = sizes && p->window.pad_begin[i] >= 0 && p->window.pad_end[i] >= 0;
    return sizes;
}

static bool io_desc(struct dnn_desc *d, const struct dnn_conv_args *a,
                    const struct dnn_layout *wanted, int rank, const int64_t *dims)
{
    return wanted && !a->plain ? dnn_desc_copy(d, dnn_desc_ref(&wanted->desc))
                               : dnn_desc_any(d, rank, dims);
}

/* The primitive descriptor; the layouts it chose go to c. */
static bool make_primitive(struct dnn_conv *c, const struct dnn_conv_args *a,
                           const struct geometry *g)
{
    struct dnn_desc src = {0}, wei = {0}, bias = {0}, dst = {0}, chosen_in = {0}, chosen_out = {0};
    dnnl_primitive_attr_t attr = dnn_attr_new(a->posts, a->n_posts, false, 1, NULL);
    dnnl_primitive_desc_t pd = NULL;
    const int64_t one = 1;
    bool ok = attr && io_desc(&src, a, a->in, g->rank, g->in) &&
              io_desc(&dst, a, a->out, g->rank, g->out) &&
              dnn_desc_any(&wei, g->weights_rank, g->weights) &&
              (!a->bias || dnn_desc_strided(&bias, 1, g->bias, &one));
    const struct dnn_shape shape = {&src, &wei,        a->bias ? &bias : NULL,
                                    &dst, &g->window,  dnnl_convolution_direct,
                                    attr, dnn_engine()};
    ok = ok && (a->transposed ? dnn_pd_deconvolution : dnn_pd_convolution)(&pd, &shape);
    ok = ok && dnn_desc_of_pd(&chosen_in, pd, dnnl_query_src_md, 0) &&
         dnn_desc_of_pd(&chosen_out, pd, dnnl_query_dst_md, 0) &&
         dnn_desc_of_pd(&c->weights_desc, pd, dnnl_query_weights_md, 0);
    if (ok) {
        c->in = dnn_layout_of(&chosen_in, g->rank, g->in);
        c->out = dnn_layout_of(&chosen_out, g->rank, g->out);
        ok = dnn_prim_init(&c->prim, pd) && c->in && c->out;
    } else if (pd) {
        dnnl_primitive_desc_destroy(pd);
    }
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    dnn_desc_drop(&src), dnn_desc_drop(&wei), dnn_desc_drop(&bias), dnn_desc_drop(&dst);
    return ok;
}

static bool keep_constants(struct dnn_conv *c, const struct dnn_conv_args *a,
                           const struct geometry *g)
{
    struct dnn_desc given = {0};
    const int64_t one = 1;
    bool ok = dnn_desc_strided(&given, g->weights_rank, g->weights, g->weights_strides);
    if (ok && a->like && dnn_desc_same(&c->weights_desc, &a->like->weights_desc)) {
        dnn_desc_drop(&given);
        c->weights = a->like->weights;
        c->bias = a->like->bias;
        c->borrowed = true;
        return !a->bias || dnn_desc_strided(&c->bias_desc, 1, g->bias, &one);
    }
    c->weights = ok ? dnn_constant(&given, &c->weights_desc, a->weights, &c->weights_bytes) : NULL;
    dnn_desc_drop(&given);
    ok = c->weights != NULL;
    if (ok && a->bias) {
        ok = dnn_desc_strided(&c->bias_desc, 1, g->bias, &one);
        c->bias = ok ? dnn_constant(&c->bias_desc, &c->bias_desc, a->bias, &c->bias_bytes) : NULL;
        ok = c->bias != NULL;
    }
    return ok;
}

static bool add_reorders(struct dnn_conv *c, const struct geometry *g)
{
    c->plain_in = dnn_layout_plain(g->rank, g->in);
    c->plain_out = dnn_layout_plain(g->rank, g->out);
    if (!c->plain_in || !c->plain_out)
        return false;
    if (!dnn_layout_same(c->plain_in, c->in) && !(c->before = dnn_reorder_new(c->plain_in, c->in)))
        return false;
    return dnn_layout_same(c->plain_out, c->out) ||
           (c->after = dnn_reorder_new(c->out, c->plain_out));
}

struct dnn_conv *dnn_conv_new(const struct dnn_conv_args *a)
{
    struct geometry g = {0};
    if (!supported(a->params) || !dnn_engine())
        return NULL;
    struct dnn_conv *c = mem_try_alloc(sizeof *c);
    if (!c)
        return NULL;
    geometry_of(a->params, a->transposed, &g);
    const int before = dnn_single_enter();
    const bool ok = make_primitive(c, a, &g) && keep_constants(c, a, &g) &&
                    dnn_others_init(&c->others, a->posts, a->n_posts, 0) &&
                    (!a->plain || add_reorders(c, &g));
    dnn_single_leave(before);
    if (ok)
        return c;
    dnn_conv_free(c);
    return NULL;
}

void dnn_conv_free(struct dnn_conv *c)
{
    if (!c)
        return;
    dnn_prim_release(&c->prim);
    dnn_desc_drop(&c->weights_desc), dnn_desc_drop(&c->bias_desc);
    dnn_layout_free(c->in), dnn_layout_free(c->out);
    dnn_layout_free(c->plain_in), dnn_layout_free(c->plain_out);
    dnn_reorder_free(c->before), dnn_reorder_free(c->after);
    dnn_others_release(&c->others);
    if (!c->borrowed)
        mem_free(c->weights), mem_free(c->bias);
    mem_free(c);
}

const struct dnn_layout *dnn_conv_in(const struct dnn_conv *c)
{
    return c->plain_in ? c->plain_in : c->in;
}
const struct dnn_layout *dnn_conv_out(const struct dnn_conv *c)
{
    return c->plain_out ? c->plain_out : c->out;
}
size_t dnn_conv_held(const struct dnn_conv *c)
{
    return dnn_round(c->weights_bytes) + dnn_round(c->bias_bytes);
}

/* The primitive's own scratch, shared with the reorders, which run before and after it. */
static size_t work_bytes(const struct dnn_conv *c)
{
    size_t bytes = c->prim.scratch_bytes;
    const size_t before = c->before ? dnn_reorder_scratch(c->before) : 0,
                 after = c->after ? dnn_reorder_scratch(c->after) : 0;
    bytes = before > bytes ? before : bytes;
    return after > bytes ? after : bytes;
}

size_t dnn_conv_scratch(const struct dnn_conv *c)
{
    return work_bytes(c) + (c->before ? dnn_round(dnn_layout_bytes(c->in)) : 0) +
           (c->after ? dnn_round(dnn_layout_bytes(c->out)) : 0);
}

bool dnn_conv_run(const struct dnn_conv *c, const float *x, float *y, const float *const *others,
                  void *scratch)
{
    char *inner_in = (char *)scratch + work_bytes(c);
    char *inner_out = inner_in + (c->before ? dnn_round(dnn_layout_bytes(c->in)) : 0);
    struct dnn_arg args[DNN_MAX_ARGS] = {
        {DNNL_ARG_SRC, &c->in->desc, c->before ? (const void *)inner_in : x},
        {DNNL_ARG_DST, &c->out->desc, c->after ? (const void *)inner_out : y},
        {DNNL_ARG_WEIGHTS, &c->weights_desc, c->weights},
        {DNNL_ARG_BIAS, &c->bias_desc, c->bias},
    };
    int n = c->bias ? 4 : 3;
    n += dnn_others_args(&c->others, others, args + n);
    if (c->before && !dnn_reorder_run(c->before, x, inner_in, scratch))
        return false;
    if (!dnn_prim_run(&c->prim, args, n, scratch))
        return false;
    return !c->after || dnn_reorder_run(c->after, inner_out, y, scratch);
}
