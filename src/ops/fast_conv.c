/* Conv and ConvTranspose on oneDNN, channels last, weights known.
 *
 * Scales and shifts that follow (a folded BatchNormalization) go into weights and bias, computed in
 * double and rounded once; what else was fused becomes post-operations. The call is cut into bands
 * (fast_band.h); each band is a primitive of its own over the same reordered weights.
 */
#include "base/mem.h"
#include "ops/fast_band.h"
#include "ops/fast_conv_rows.h"
#include "ops/fast_conv_shuffle.h"
#include "ops/fast_post.h"
#include "ops/op_impl.h"

struct conv_state {
    /* As matrix products: nothing below is used. */
    struct conv_rows *rows;
    struct conv_shuffle *shuffle;
    int n;
    struct dnn_conv *conv[BAND_MAX];
    int64_t in_at[BAND_MAX], out_at[BAND_MAX];
    int others[DNN_MAX_POSTS], n_others; /* indices into eval.in */
    size_t scratch;                      /* per worker */
};

struct conv_call {
    const struct conv_state *s;
    struct eval *e;
};

static int run_band(void *user, size_t index, int worker)
{
    const struct conv_call *c = user;
    const struct conv_state *s = c->s;
    const float *others[DNN_MAX_POSTS];
    const float *x = c->e->in[0]->data;
    float *y = tensor_writable(c->e->out[0]);
    for (int i = 0; i < s->n_others; i++)
        others[i] = (const float *)c->e->in[s->others[i]]->data + s->out_at[index];
    char *scratch = (char *)c->e->workspace + (size_t)worker * s->scratch;
    if (dnn_conv_run(s->conv[index], x + s->in_at[index], y + s->out_at[index], others, scratch))
        return 0;
    return eval_fail(c->e, E_LIMIT_MEMORY, "oneDNN could not run a convolution");
}

static int conv_run(const void *state, struct eval *e)
{
    const struct conv_state *s = state;
    struct conv_call call = {s, e};
    if (s->rows)
        return conv_rows_run(s->rows, e);
    if (s->shuffle)
        return conv_shuffle_run(s->shuffle, e);
    return s->n == 1 ? run_band(&call, 0, 0) : pool_run(e->pool, (size_t)s->n, run_band, &call);
}

static void conv_release(void *state)
{
    struct conv_state *s = state;
    for (int i = s->n - 1; i >= 0; i--) /* the first one owns the weights */
        dnn_conv_free(s->conv[i]);
    conv_rows_free(s->rows);
    conv_shuffle_free(s->shuffle);
    mem_free(s);
}

/* ---- prepare ---- */

struct conv_plan {
    const struct prepare *p;
    bool transposed;
    struct conv_params params;
    struct post_fold fold;
    const float *weights, *bias; /* as ONNX has them, with the fold in */
    float *made;                 /* owned memory behind them, or NULL */
};

static bool known_float(const struct prepare *p, uint32_t i)
{
    return i < p->node->n_inputs && p->constants[i] && p->constants[i]->dtype == DT_FLOAT;
}

static bool read_params(struct conv_plan *c)
{
    const struct prepare *p = c->p;
    const struct tensor *w = known_float(p, 1) ? p->constants[1] : NULL;
    struct conv_params *q = &c->params;
    if (!w || w->rank != p->in_types[0]->rank || p->out_types[0]->dtype != DT_FLOAT)
        return false;
    if (p->node->n_inputs > 2 && p->in_types[2] && !known_float(p, 2))
        return false;
    q->group = node_int(p->node, "group", 1);
    return bands_window(p, w->dims + 2, c->transposed, &q->window, &q->batch, &q->in_channels,
                        &q->out_channels) &&
           (c->transposed ? conv_transpose_valid : conv_valid)(q);
}

/* Output channel of a weight: ONNX has [oc, ic / g, k...], transposed [ic, oc / g, k...]. */
static int64_t channel_of(const struct conv_plan *c, const struct tensor *w, int64_t index)
{
    int64_t kernel = window_kernel_size(&c->params.window);
    if (!c->transposed)
        return index / (w->count / w->dims[0]);
    int64_t ic = index / (w->dims[1] * kernel), oc = index / kernel % w->dims[1];
    return ic / (c->params.in_channels / c->params.group) * w->dims[1] + oc;
}

static bool scale_constants(struct conv_plan *c, const struct tensor *w, const float *bias)
{
    int64_t oc = c->params.out_channels;
    c->made = mem_try_alloc_raw((size_t)(w->count + oc) * sizeof *c->made);
    if (!c->made)
        return false;
    const float *from = c->weights;
    for (int64_t i = 0; i < w->count; i++)
        c->made[i] = (float)(from[i] * c->fold.scale[channel_of(c, w, i)]);
    for (int64_t k = 0; k < oc; k++)
        c->made[w->count + k] =
            (float)((bias ? (double)bias[k] : 0) * c->fold.scale[k] + c->fold.shift[k]);
    c->weights = c->made;
    c->bias = c->made + w->count;
    return true;
}

static bool read_constants(struct conv_plan *c)
{
    const struct prepare *p = c->p;
    c->weights = tensor_aligned(p->constants[1], p->scratch);
    c->bias = known_float(p, 2) ? tensor_aligned(p->constants[2], p->scratch) : NULL;
    if (!c->weights || (c->bias && p->constants[2]->count != c->params.out_channels))
        return false;
    return !c->fold.steps || scale_constants(c, p->constants[1], c->bias);
}

static struct dnn_conv *make_band(const struct conv_plan *c, const struct band *b,
                                  struct conv_state *s)
{
    struct conv_params params = c->params;
    struct post_list posts;
    int64_t dims[5];
    params.window = b->window;
    params.batch = b->batch;
    int rank = bands_dims(&b->window, false, b->batch, params.in_channels, dims);
    struct dnn_layout *in = dnn_layout_last(rank, dims);
    bands_dims(&b->window, true, b->batch, params.out_channels, dims);
    struct dnn_layout *out = dnn_layout_last(rank, dims);
    struct dnn_conv *conv = NULL;
    if (in && out && post_list(c->p, c->fold.steps, out, &posts)) {
        struct dnn_conv_args args = {&params, c->transposed, c->weights,  c->bias, in,
                                     out,     false,         posts.posts, posts.n, s->conv[0]};
        conv = dnn_conv_new(&args);
        s->n_others = posts.n_inputs;
        for (int i = 0; i < posts.n_inputs; i++)
            s->others[i] = posts.inputs[i];
    }
    dnn_layout_free(in);
    dnn_layout_free(out);
    return conv;
}

static bool make_bands(struct conv_plan *c, const struct bands *b, struct prepare *p,
                       struct conv_state *s)
{
    for (int i = 0; i < b->n; i++) {
        s->conv[i] = make_band(c, &b->at[i], s);
        if (!s->conv[i])
            return false;
        s->n = i + 1;
        s->in_at[i] = b->at[i].in_at;
        s->out_at[i] = b->at[i].out_at;
        if (dnn_conv_scratch(s->conv[i]) > s->scratch)
            s->scratch = dnn_conv_scratch(s->conv[i]);
        p->held += dnn_conv_held(s->conv[i]);
    }
    return true;
}

static int prepare(struct prepare *p, bool transposed)
{
    struct conv_plan c = {.p = p, .transposed = transposed};
    if (!p->channels_last || !read_params(&c) || !post_fold(p, c.params.out_channels, &c.fold) ||
        !read_constants(&c)) {
        mem_free(c.made);
        return 1;
    }
    const struct conv_params *q = &c.params;
    struct bands bands;
    double work = (double)p->constants[1]->count * (double)q->batch *
                  (double)(transposed ? window_in_size(&q->window) : window_out_size(&q->window));
    bands_cut(&q->window, q->batch, q->in_channels, q->out_channels, work, &bands);
    if (transposed && q->batch == 1 && bands.n > 1) /* rows of the output overlap in the input */
        bands_cut(&q->window, q->batch, q->in_channels, q->out_channels, 0, &bands);
    struct conv_state *s = mem_alloc(sizeof *s);
    if (!transposed)
        s->rows = conv_rows_new(p, q, work, c.weights, c.bias, c.fold.steps);
    else
        s->shuffle = conv_shuffle_new(p, q, c.weights, c.bias, c.fold.steps);
    bool ok = s->rows || s->shuffle || make_bands(&c, &bands, p, s);
    mem_free(c.made);
    if (!ok) {
        conv_release(s);
        return 1;
    }
    p->state = s;
    p->workspace = s->rows      ? conv_rows_workspace(s->rows)
                   : s->shuffle ? conv_shuffle_workspace(s->shuffle)
                                : s->scratch;
    p->consumed = 2 | 4;
    for (int i = 0; i < c.fold.steps; i++)
        if (p->fused->steps[i].kind != FUSED_LINEAR && p->fused->steps[i].input < 32)
            p->consumed |= 1u << p->fused->steps[i].input;
    return 0;
}

static int conv_prepare(struct prepare *p) { return prepare(p, false); }
static int conv_transpose_prepare(struct prepare *p) { return prepare(p, true); }

const struct op_fast fast_conv = {conv_prepare, conv_run, conv_release, NULL};
const struct op_fast fast_conv_transpose = {conv_transpose_prepare, conv_run, conv_release, NULL};
