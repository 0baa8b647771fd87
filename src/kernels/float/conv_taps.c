/* See conv_taps.h. The qualifying k solve k * dilation = phase + pad (mod stride): an arithmetic
 * progression with the difference stride / gcd(stride, dilation), found by trying at most stride
 * values. */
#include "kernels/float/conv_taps.h"

static int64_t gcd(int64_t a, int64_t b) { return b ? gcd(b, a % b) : a; }

void tap_set_find(struct tap_set *set)
{
    const struct window *w = set->w;
    for (int axis = 0; axis < 3; axis++) {
        const int64_t target = set->phase[axis] + w->pad_begin[axis], stride = w->stride[axis];
        int64_t k = 0;
        while (k < w->kernel[axis] && k < stride && (target - k * w->dilation[axis]) % stride != 0)
            k++;
        set->every[axis] = stride / gcd(stride, w->dilation[axis]);
        set->first[axis] = k;
        set->count[axis] = k < w->kernel[axis] && k < stride
                               ? (w->kernel[axis] - k - 1) / set->every[axis] + 1
                               : 0;
    }
}

int64_t tap_count(const struct tap_set *set)
{
    return set->count[0] * set->count[1] * set->count[2];
}

struct tap tap_at(const struct tap_set *set, int64_t p)
{
    struct tap t;
    for (int axis = 2; axis >= 0; axis--) {
        t.index[axis] = p % set->count[axis];
        p /= set->count[axis];
    }
    t.channel = p;
    return t;
}

void tap_next(const struct tap_set *set, struct tap *t)
{
    for (int axis = 2; axis >= 0; axis--) {
        if (++t->index[axis] < set->count[axis])
            return;
        t->index[axis] = 0;
    }
    t->channel++;
}

static int64_t kernel_at(const struct tap_set *set, const struct tap *t, int axis)
{
    return set->first[axis] + t->index[axis] * set->every[axis];
}

int64_t tap_kernel(const struct tap_set *set, const struct tap *t)
{
    const int64_t *kernel = set->w->kernel;
    return (kernel_at(set, t, 0) * kernel[1] + kernel_at(set, t, 1)) * kernel[2] +
           kernel_at(set, t, 2);
}

static int64_t input_at(const struct tap_set *set, const struct tap *t, int axis)
{
    const struct window *w = set->w;
    return (set->phase[axis] + w->pad_begin[axis] - kernel_at(set, t, axis) * w->dilation[axis]) /
           w->stride[axis];
}

int64_t tap_line(const struct tap_set *set, const struct tap *t, int64_t *column)
{
    const int64_t d = set->step[0] + input_at(set, t, 0), h = set->step[1] + input_at(set, t, 1);
    *column = input_at(set, t, 2);
    if (d < 0 || d >= set->w->in[0] || h < 0 || h >= set->w->in[1])
        return -1;
    return d * set->w->in[1] + h;
}
