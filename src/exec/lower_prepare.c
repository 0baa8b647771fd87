/* Prepared forms: asking an operator for one, and running a fused product that has none. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "exec/lower.h"
#include "kernels/float/vmath.h"
#include "ops/fused.h"

/* ---- asking ---- */

static bool activation(const struct step *s, int i)
{
    if (i == 0)
        return true;
    for (int k = 0; s->fused && k < s->fused->n; k++)
        if (s->fused->steps[k].input == (uint32_t)i && !s->fused->steps[k].per_channel)
            return true;
    return false;
}

static const struct type *type_at(struct lower *l, const struct step *s, int slot, bool flips)
{
    const struct slot *at = &l->p->slots.data[slot];
    if (!s->channels_last || !flips || at->channels_last || at->type.rank < 3)
        return &at->type;
    struct type *t = arena_alloc(l->p->arena, sizeof *t);
    *t = lower_type(l, &at->type);
    return t;
}

static int describe(struct lower *l, const struct step *s, struct prepare *p)
{
    struct arena *a = l->p->arena;
    const struct type **in = arena_array(a, (size_t)s->n_in + 1, sizeof *in);
    const struct type **out = arena_array(a, (size_t)s->n_out + 1, sizeof *out);
    const struct tensor **data = arena_array(a, (size_t)s->n_in + 1, sizeof *data);
    for (int i = 0; i < s->n_in; i++) {
        if (s->in[i] < 0)
            continue;
        in[i] = type_at(l, s, s->in[i], activation(s, i));
        if (l->p->slots.data[s->in[i]].kind != SLOT_CONST)
            continue;
        data[i] = const_data(l->b, l->p, s->in[i], l->scratch);
        if (!data[i])
            return -E_LIMIT_MEMORY;
    }
    for (int i = 0; i < s->n_out; i++)
        if (s->out[i] >= 0)
            out[i] = type_at(l, s, s->out[i], true);
    *p = (struct prepare){.node = s->node, .version = s->version, .in_types = in};
    p->out_types = out;
    p->constants = data;
    p->fused = s->fused;
    p->channels_last = s->channels_last;
    p->ctx = l->b->ctx;
    p->arena = a;
    p->scratch = l->scratch;
    p->threads = pool_threads(l->b->ctx->pool);
    return 0;
}

int lower_prepare(struct lower *l, struct step *s)
{
    struct prepare p;
    if (!s->op || !s->op->fast || !s->op->fast->prepare || !s->op->fast->run)
        return 0;
    int code = describe(l, s, &p);
    if (!code)
        code = s->op->fast->prepare(&p);
    arena_reset(l->scratch);
    if (code)
        return code < 0 ? code : 0;
    s->fast = s->op->fast;
    s->run = s->op->fast->run;
    s->state = p.state;
    s->workspace_bytes = p.workspace;
    l->p->session->prepared_bytes += p.held;
    for (int i = 0; i < s->n_in && i < 32; i++) {
        if (!(p.consumed >> i & 1) || s->in[i] < 0)
            continue;
        const struct tensor *t = l->p->slots.data[s->in[i]].constant;
        if (t && t->data)
            file_forget(t->data, t->bytes);
        s->in[i] = -1;
    }
    return 1;
}

/* ---- running without ---- */

struct unfused {
    struct fused fused;
    int64_t outer, channels, inner; /* of the output: the channel axis stands in the middle */
};

static void clip(float *y, int64_t n, float low, float high)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = y[i] < low ? low : y[i] > high ? high : y[i];
}

static void linear(float *y, int64_t n, float a, float b)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = a * y[i] + b;
}

static void operand(const struct unfused *u, const struct fused_step *s, float *y, const float *t)
{
    int64_t n = u->outer * u->channels * u->inner;
    for (int64_t i = 0; i < n; i++) {
        float v = t[s->per_channel ? i / u->inner % u->channels : i];
        y[i] = s->kind == FUSED_ADD ? y[i] + v : y[i] * v;
    }
}

static void leaky(float *y, int64_t n, float a)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = y[i] < 0 ? a * y[i] : y[i];
}

static void hard_swish(float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float g = y[i] / 6.0f + 0.5f;
        y[i] *= g < 0 ? 0 : g > 1 ? 1 : g;
    }
}

static void apply(const struct unfused *u, const struct fused_step *s, float *y, const float *t)
{
    int64_t n = u->outer * u->channels * u->inner;
    switch (s->kind) {
    case FUSED_RELU:
        leaky(y, n, 0);
        break;
    case FUSED_LEAKY:
        leaky(y, n, s->a);
        break;
    case FUSED_CLIP:
        clip(y, n, s->a, s->b);
        break;
    case FUSED_HARD_SIGMOID:
        linear(y, n, s->a, s->b);
        clip(y, n, 0, 1);
        break;
    case FUSED_LINEAR:
        linear(y, n, s->a, s->b);
        break;
    case FUSED_SIGMOID:
        vmath_sigmoid(y, y, n);
        break;
    case FUSED_TANH:
        vmath_tanh(y, y, n);
        break;
    case FUSED_HARD_SWISH:
        hard_swish(y, n);
        break;
    case FUSED_SWISH:
        vmath_swish(y, y, n, s->a);
        break;
    case FUSED_GELU:
        vmath_gelu(y, y, n);
        break;
    case FUSED_GELU_TANH:
        vmath_gelu_tanh(y, y, n);
        break;
    case FUSED_ADD:
    case FUSED_MUL:
        operand(u, s, y, t);
        break;
    }
}

static int run_unfused(const void *state, struct eval *e)
{
    const struct unfused *u = state;
    uint32_t all = e->n_in;
    e->n_in = e->node->n_inputs; /* the operator's own inputs */
    int code = e->node->op->eval(e);
    e->n_in = all;
    for (int i = 0; !code && i < u->fused.n; i++) {
        const struct fused_step *s = &u->fused.steps[i];
        bool reads = s->kind == FUSED_ADD || s->kind == FUSED_MUL;
        apply(u, s, tensor_writable(e->out[0]), reads ? e->in[s->input]->data : NULL);
    }
    return code;
}

int lower_unfused(struct lower *l, struct step *s)
{
    const struct type *t = &l->p->slots.data[s->out[0]].type;
    struct unfused *u = arena_alloc(l->p->arena, sizeof *u);
    bool conv = node_is(s->node, "Conv") || node_is(s->node, "ConvTranspose");
    int axis = conv ? 1 : t->rank - 1;
    u->fused = *s->fused;
    u->outer = u->channels = u->inner = 1;
    for (int i = 0; i < t->rank; i++) {
        int64_t size = 0;
        dim_is_const(t->dims[i], &size);
        *(i < axis ? &u->outer : i == axis ? &u->channels : &u->inner) *= size;
    }
    s->run = run_unfused;
    s->state = u;
    return 0;
}
