/* Fused steps as post-operations: see fast_post.h. */
#include "ops/fast_post.h"

static bool scales(const struct fused_step *s)
{
    bool channel = (s->kind == FUSED_ADD || s->kind == FUSED_MUL) && s->per_channel;
    return channel || s->kind == FUSED_LINEAR;
}

static bool fold_step(const struct prepare *p, const struct fused_step *s, int64_t channels,
                      struct post_fold *f)
{
    const struct tensor *t = s->kind == FUSED_LINEAR ? NULL : p->constants[s->input];
    if (s->kind != FUSED_LINEAR && (!t || t->dtype != DT_FLOAT || t->count != channels))
        return false;
    for (int64_t c = 0; c < channels; c++) {
        double v = t ? tensor_get(t, c) : 0;
        if (s->kind == FUSED_ADD) {
            f->shift[c] += v;
            continue;
        }
        double a = t ? v : s->a;
        f->scale[c] *= a;
        f->shift[c] = f->shift[c] * a + (t ? 0 : s->b);
    }
    return true;
}

bool post_fold(const struct prepare *p, int64_t channels, struct post_fold *f)
{
    *f = (struct post_fold){0};
    int n = 0;
    while (p->fused && n < p->fused->n && scales(&p->fused->steps[n]))
        n++;
    if (!n)
        return true;
    f->scale = arena_array(p->arena, (size_t)channels, sizeof *f->scale);
    f->shift = arena_array(p->arena, (size_t)channels, sizeof *f->shift);
    for (int64_t c = 0; c < channels; c++)
        f->scale[c] = 1;
    for (int i = 0; i < n; i++)
        if (!fold_step(p, &p->fused->steps[i], channels, f))
            return false;
    f->steps = n;
    return true;
}

static bool add_post(struct post_list *l, enum dnn_post_kind kind, float a, float b)
{
    if (l->n == DNN_MAX_POSTS)
        return false;
    l->posts[l->n++] = (struct dnn_post){.kind = kind, .a = a, .b = b};
    return true;
}

static bool add_tensor(struct post_list *l, const struct fused_step *s,
                       const struct dnn_layout *full)
{
    if (s->per_channel || !full || !add_post(l, DNN_POST_ADD, 0, 0))
        return false;
    l->posts[l->n - 1].layout = full;
    l->inputs[l->n_inputs++] = (int)s->input;
    return true;
}

static bool add_step(struct post_list *l, const struct fused_step *s, const struct dnn_layout *full)
{
    switch (s->kind) {
    case FUSED_RELU:
        return add_post(l, DNN_POST_RELU, 0, 0);
    case FUSED_LEAKY:
        return add_post(l, DNN_POST_RELU, s->a, 0);
    case FUSED_CLIP:
        return add_post(l, DNN_POST_CLIP, s->a, s->b);
    case FUSED_SIGMOID:
        return add_post(l, DNN_POST_SIGMOID, 0, 0);
    case FUSED_TANH:
        return add_post(l, DNN_POST_TANH, 0, 0);
    case FUSED_HARD_SIGMOID:
        return add_post(l, DNN_POST_LINEAR, s->a, s->b) && add_post(l, DNN_POST_CLIP, 0, 1);
    case FUSED_HARD_SWISH:
        return add_post(l, DNN_POST_HARDSWISH, 0, 0);
    case FUSED_SWISH:
        return add_post(l, DNN_POST_SWISH, s->a, 0);
    case FUSED_GELU:
        return add_post(l, DNN_POST_GELU, 0, 0);
    case FUSED_LINEAR:
        return add_post(l, DNN_POST_LINEAR, s->a, s->b);
    case FUSED_ADD:
        return add_tensor(l, s, full);
    case FUSED_GELU_TANH:
    case FUSED_MUL:
        return false;
    }
    return false;
}

bool post_list(const struct prepare *p, int first, const struct dnn_layout *full,
               struct post_list *list)
{
    *list = (struct post_list){0};
    for (int i = first; p->fused && i < p->fused->n; i++)
        if (!add_step(list, &p->fused->steps[i], full))
            return false;
    return true;
}
