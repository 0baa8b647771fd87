/* See fused_apply.h. */
#include "ops/fused_apply.h"

#include "kernels/float/vmath.h"

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

static void operand(const struct fused_shape *u, const struct fused_step *s, float *y,
                    const float *t)
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

static void apply(const struct fused_shape *u, const struct fused_step *s, float *y, const float *t)
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

void fused_apply(const struct fused *f, int first, const struct fused_shape *shape, struct eval *e,
                 float *y)
{
    for (int i = first; i < f->n; i++) {
        const struct fused_step *s = &f->steps[i];
        bool reads = s->kind == FUSED_ADD || s->kind == FUSED_MUL;
        apply(shape, s, y, reads ? e->in[s->input]->data : NULL);
    }
}
