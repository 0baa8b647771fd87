/* MaxPool, AveragePool and their global forms on oneDNN, channels last, cut into bands. */
#include "base/mem.h"
#include "ops/fast_band.h"
#include "ops/op_impl.h"
#include "kernels/onednn/dnn.h"

struct pool_state {
    int n;
    struct dnn_pool *pool[BAND_MAX];
    int64_t in_at[BAND_MAX], out_at[BAND_MAX];
    size_t scratch;
};

struct pool_call {
    const struct pool_state *s;
    struct eval *e;
};

static int run_band(void *user, size_t index, int worker)
{
    const struct pool_call *c = user;
    const struct pool_state *s = c->s;
    const float *x = c->e->in[0]->data;
    float *y = tensor_writable(c->e->out[0]);
    char *scratch = (char *)c->e->workspace + (size_t)worker * s->scratch;
    if (dnn_pool_run(s->pool[index], x + s->in_at[index], y + s->out_at[index], scratch))
        return 0;
    return eval_fail(c->e, E_LIMIT_MEMORY, "oneDNN could not run a pool");
}

static int fast_pool_run(const void *state, struct eval *e)
{
    const struct pool_state *s = state;
    struct pool_call call = {s, e};
    return s->n == 1 ? run_band(&call, 0, 0) : pool_run(e->pool, (size_t)s->n, run_band, &call);
}

static void pool_release(void *state)
{
    struct pool_state *s = state;
    for (int i = 0; i < s->n; i++)
        dnn_pool_free(s->pool[i]);
    mem_free(s);
}

static struct dnn_pool *make_band(const struct band *b, int64_t channels, enum dnn_pool_kind kind)
{
    int64_t dims[5];
    struct pool_params params = {.window = b->window, .batch = b->batch, .channels = channels};
    int rank = bands_dims(&b->window, false, b->batch, channels, dims);
    struct dnn_layout *in = dnn_layout_last(rank, dims);
    bands_dims(&b->window, true, b->batch, channels, dims);
    struct dnn_layout *out = dnn_layout_last(rank, dims);
    struct dnn_pool_args args = {.params = &params, .kind = kind, .in = in};
    struct dnn_pool *pool = in && out ? dnn_pool_new(&args) : NULL;
    if (pool && !dnn_layout_same(dnn_pool_out(pool), out)) {
        dnn_pool_free(pool);
        pool = NULL;
    }
    dnn_layout_free(in);
    dnn_layout_free(out);
    return pool;
}

static bool global_window(const struct prepare *p, struct window *w, int64_t *batch,
                          int64_t *channels)
{
    const struct type *x = p->in_types[0];
    int64_t dims[WINDOW_MAX_RANK + 2];
    if (x->rank < 3 || x->rank > WINDOW_MAX_RANK + 2)
        return false;
    for (int i = 0; i < x->rank; i++)
        if (!dim_is_const(x->dims[i], &dims[i]))
            return false;
    *w = (struct window){.rank = x->rank - 2};
    for (int i = 0; i < w->rank; i++) {
        w->in[i] = w->kernel[i] = dims[1 + i];
        w->out[i] = w->stride[i] = w->dilation[i] = 1;
    }
    *batch = dims[0];
    *channels = dims[x->rank - 1];
    return window_valid(w);
}

static int prepare(struct prepare *p, enum dnn_pool_kind kind, bool global)
{
    struct window w;
    int64_t batch, channels, same;
    struct bands bands;
    if (!p->channels_last || p->fused ||
        !(global ? global_window(p, &w, &batch, &channels)
                 : bands_window(p, NULL, false, &w, &batch, &channels, &same)))
        return 1;
    double work =
        (double)(batch * channels) * (double)window_out_size(&w) * (double)window_kernel_size(&w);
    bands_cut(&w, batch, channels, channels, work * 4,
              &bands); /* bound by memory, not arithmetic */
    struct pool_state *s = mem_alloc(sizeof *s);
    for (int i = 0; i < bands.n; i++) {
        s->pool[i] = make_band(&bands.at[i], channels, kind);
        if (!s->pool[i]) {
            pool_release(s);
            return 1;
        }
        s->n = i + 1;
        s->in_at[i] = bands.at[i].in_at;
        s->out_at[i] = bands.at[i].out_at;
        if (dnn_pool_scratch(s->pool[i]) > s->scratch)
            s->scratch = dnn_pool_scratch(s->pool[i]);
    }
    p->state = s;
    p->workspace = s->scratch;
    return 0;
}

static int max_prepare(struct prepare *p)
{
    if (node_int(p->node, "storage_order", 0) || (p->node->n_outputs > 1 && p->out_types[1]))
        return 1;
    return prepare(p, DNN_POOL_MAX, false);
}

static int average_prepare(struct prepare *p)
{
    bool padded = node_int(p->node, "count_include_pad", 0) != 0;
    return prepare(p, padded ? DNN_POOL_AVERAGE_PADDED : DNN_POOL_AVERAGE, false);
}

static int global_max_prepare(struct prepare *p) { return prepare(p, DNN_POOL_MAX, true); }
static int global_average_prepare(struct prepare *p) { return prepare(p, DNN_POOL_AVERAGE, true); }

const struct op_fast fast_max_pool = {max_prepare, fast_pool_run, pool_release, NULL};
const struct op_fast fast_average_pool = {average_prepare, fast_pool_run, pool_release, NULL};
const struct op_fast fast_global_max_pool = {global_max_prepare, fast_pool_run, pool_release, NULL};
const struct op_fast fast_global_average_pool = {global_average_prepare, fast_pool_run,
                                                 pool_release, NULL};
