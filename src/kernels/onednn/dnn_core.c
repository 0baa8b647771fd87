/* Engine, streams, thread control and the generic primitive.
 *
 * Every call runs on the calling thread alone. Debian builds oneDNN on OpenMP, and oneDNN chooses
 * the blocking of a primitive, thus the order of its sums, from the number of threads allowed when
 * it is made: measured with 2.6.3, a grouped 1-D convolution (brgconv, avx512_core) made for two
 * threads differs in the last bits from the one made for one. So both making and running are
 * bracketed by omp_set_num_threads(1), which OpenMP keeps per calling thread. libgomp comes in
 * through libdnnl and is looked up at run time, so that the program links with any compiler. Memory
 * objects are made per call: they carry the buffer's address, and an object must be usable by
 * several threads at once.
 */
#include "kernels/onednn/dnn_core.h"

#include <dlfcn.h>
#include <pthread.h>

#include "base/mem.h"

static struct {
    pthread_once_t once;
    dnnl_engine_t engine;
    pthread_key_t stream;
    void (*set_threads)(int);
    int (*max_threads)(void);
} global = {.once = PTHREAD_ONCE_INIT};

static void stream_drop(void *stream) { dnnl_stream_destroy(stream); }

static void start(void)
{
    void *set = dlsym(RTLD_DEFAULT, "omp_set_num_threads"),
         *get = dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    memcpy(&global.set_threads, &set,
           sizeof set); /* ISO C has no cast from object to function pointer */
    memcpy(&global.max_threads, &get, sizeof get);
    dnnl_engine_t engine;
    if (pthread_key_create(&global.stream, stream_drop) == 0 &&
        dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success)
        global.engine = engine;
}

dnnl_engine_t dnn_engine(void)
{
    pthread_once(&global.once, start);
    return global.engine;
}

static dnnl_stream_t stream_of_thread(void)
{
    dnnl_engine_t engine = dnn_engine();
    dnnl_stream_t stream = engine ? pthread_getspecific(global.stream) : NULL;
    if (stream || !engine ||
        dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success)
        return stream;
    pthread_setspecific(global.stream, stream);
    return stream;
}

int dnn_single_enter(void)
{
    dnn_engine();
    if (!global.set_threads || !global.max_threads)
        return 0;
    const int before = global.max_threads();
    global.set_threads(1);
    return before;
}

void dnn_single_leave(int before)
{
    if (before > 0)
        global.set_threads(before);
}

size_t dnn_round(size_t bytes) { return (bytes + DNN_ALIGN - 1) / DNN_ALIGN * DNN_ALIGN; }

static bool append_post(dnnl_post_ops_t ops, const struct dnn_post *p)
{
    switch (p->kind) {
    case DNN_POST_RELU:
        return dnn_post_eltwise(ops, dnnl_eltwise_relu, p->a, 0);
    case DNN_POST_CLIP:
        return dnn_post_eltwise(ops, dnnl_eltwise_clip, p->a, p->b);
    case DNN_POST_TANH:
        return dnn_post_eltwise(ops, dnnl_eltwise_tanh, 0, 0);
    case DNN_POST_SIGMOID:
        return dnn_post_eltwise(ops, dnnl_eltwise_logistic, 0, 0);
    case DNN_POST_SWISH:
        return dnn_post_eltwise(ops, dnnl_eltwise_swish, p->a, 0);
    case DNN_POST_HARDSWISH: /* version 3 has slope and offset as parameters, version 2 ignores them
                              */
        return dnn_post_eltwise(ops, dnnl_eltwise_hardswish, 1.0f / 6, 0.5f);
    case DNN_POST_GELU:
        return dnn_post_eltwise(ops, dnnl_eltwise_gelu_erf, 0, 0);
    case DNN_POST_LINEAR:
        return dnn_post_eltwise(ops, dnnl_eltwise_linear, p->a, p->b);
    case DNN_POST_SUM:
        return dnn_post_sum(ops);
    case DNN_POST_ADD:
        return dnn_post_add(ops, &p->layout->desc);
    }
    return false;
}

/* oneDNN 2.6 keeps the constants of elementwise post-operations by kind: of two linear ones, say,
 * the second gets the factors of the first. Measured on brgconv and brgconv_1x1, avx512_core. */
static bool repeats(const struct dnn_post *posts, int i)
{
    for (int k = 0; k < i; k++)
        if (posts[k].kind == posts[i].kind && posts[i].kind < DNN_POST_SUM &&
            (memcmp(&posts[k].a, &posts[i].a, sizeof(float)) != 0 ||
             memcmp(&posts[k].b, &posts[i].b, sizeof(float)) != 0))
            return true;
    return false;
}

dnnl_primitive_attr_t dnn_attr_new(const struct dnn_post *posts, int n_posts, bool linear_first,
                                   float alpha, const struct dnn_desc *bias_last)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t ops = NULL;
    bool ok =
        n_posts <= DNN_MAX_POSTS && dnnl_primitive_attr_create(&attr) == dnnl_success &&
        dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) == dnnl_success &&
        dnnl_primitive_attr_set_fpmath_mode(attr, dnnl_fpmath_mode_strict) == dnnl_success &&
        dnn_attr_deterministic(attr) && dnnl_post_ops_create(&ops) == dnnl_success;
    ok = ok && (!linear_first || dnn_post_eltwise(ops, dnnl_eltwise_linear, alpha, 0));
    ok = ok && (!bias_last || dnn_post_add(ops, bias_last));
    for (int i = 0; ok && i < n_posts; i++)
        ok = !repeats(posts, i) && append_post(ops, &posts[i]);
    ok = ok && dnnl_primitive_attr_set_post_ops(attr, ops) == dnnl_success;
    if (ops)
        dnnl_post_ops_destroy(ops);
    if (!ok && attr)
        dnnl_primitive_attr_destroy(attr);
    return ok ? attr : NULL;
}

bool dnn_prim_init(struct dnn_prim *p, dnnl_primitive_desc_t pd)
{
    const bool ok = dnnl_primitive_create(&p->primitive, pd) == dnnl_success;
    const bool needs = dnn_desc_of_pd(&p->scratch, pd, dnnl_query_scratchpad_md, 0);
    dnnl_primitive_desc_destroy(pd);
    p->scratch_bytes = needs ? dnn_round(dnn_desc_bytes(&p->scratch)) : 0;
    return ok;
}

void dnn_prim_release(struct dnn_prim *p)
{
    if (p->primitive)
        dnnl_primitive_destroy(p->primitive);
    p->primitive = NULL;
    dnn_desc_drop(&p->scratch);
}

static int make_args(const struct dnn_arg *args, int n, dnnl_exec_arg_t *made)
{
    for (int i = 0; i < n; i++) {
        void *data;
        memcpy(&data, &args[i].data, sizeof data); /* oneDNN takes inputs as void * too */
        made[i].arg = args[i].id;
        if (!dnn_memory_new(&made[i].memory, args[i].desc, dnn_engine(), data))
            return i;
    }
    return n;
}

bool dnn_prim_run(const struct dnn_prim *p, const struct dnn_arg *args, int n, void *scratch)
{
    struct dnn_arg all[DNN_MAX_ARGS + 1];
    dnnl_exec_arg_t made[DNN_MAX_ARGS + 1];
    dnnl_stream_t stream = stream_of_thread();
    memcpy(all, args, (size_t)n * sizeof *args);
    if (p->scratch_bytes > 0)
        all[n++] = (struct dnn_arg){DNNL_ARG_SCRATCHPAD, &p->scratch, scratch};
    const int before = dnn_single_enter(), done = make_args(all, n, made);
    const bool ok = stream && done == n &&
                    dnnl_primitive_execute(p->primitive, stream, n, made) == dnnl_success &&
                    dnnl_stream_wait(stream) == dnnl_success;
    for (int i = 0; i < done; i++)
        dnnl_memory_destroy(made[i].memory);
    dnn_single_leave(before);
    return ok;
}

void *dnn_constant(const struct dnn_desc *from, const struct dnn_desc *to, const void *data,
                   size_t *bytes)
{
    struct dnn_prim p = {0};
    dnnl_primitive_desc_t pd;
    *bytes = dnn_desc_bytes(to);
    void *made = mem_try_alloc(dnn_round(*bytes)), *scratch = NULL;
    dnnl_primitive_attr_t attr = dnn_attr_new(NULL, 0, false, 1, NULL);
    bool ok =
        made && attr && dnn_pd_reorder(&pd, from, to, dnn_engine(), attr) && dnn_prim_init(&p, pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    if (ok)
        scratch = mem_try_alloc(p.scratch_bytes ? p.scratch_bytes : 1);
    const struct dnn_arg args[] = {{DNNL_ARG_FROM, from, data}, {DNNL_ARG_TO, to, made}};
    ok = ok && scratch && dnn_prim_run(&p, args, 2, scratch);
    dnn_prim_release(&p);
    mem_free(scratch);
    if (ok)
        return made;
    mem_free(made);
    return NULL;
}

bool dnn_others_init(struct dnn_others *o, const struct dnn_post *posts, int n_posts,
                     int first_index)
{
    for (int i = 0; i < n_posts; i++) {
        if (posts[i].kind != DNN_POST_ADD)
            continue;
        if (!dnn_desc_copy(&o->desc[o->n], dnn_desc_ref(&posts[i].layout->desc)))
            return false;
        o->id[o->n++] = DNNL_ARG_ATTR_MULTIPLE_POST_OP(first_index + i) | DNNL_ARG_SRC_1;
    }
    return true;
}

void dnn_others_release(struct dnn_others *o)
{
    for (int i = 0; i < o->n; i++)
        dnn_desc_drop(&o->desc[i]);
    o->n = 0;
}

int dnn_others_args(const struct dnn_others *o, const float *const *others, struct dnn_arg *args)
{
    for (int i = 0; i < o->n; i++)
        args[i] = (struct dnn_arg){o->id[i], &o->desc[i], others[i]};
    return o->n;
}
