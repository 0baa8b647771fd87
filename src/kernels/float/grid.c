/* GridSample and AffineGrid. Formulas: ONNX GridSample-22 and its reference implementation (after
 * PyTorch's grid_sample). */
#include "kernels/float/grid.h"

#include <math.h>
#include <string.h>

#include "base/num.h"

int grid_mode_find(const char *text)
{
    static const char *const NAMES[][2] = {
        {"nearest", "nearest"}, {"linear", "bilinear"}, {"cubic", "bicubic"}};
    for (int i = 0; i < 3; i++)
        if (!strcmp(text, NAMES[i][0]) || !strcmp(text, NAMES[i][1]))
            return i;
    return -1;
}

int grid_padding_find(const char *text)
{
    static const char *const NAMES[] = {"zeros", "border", "reflection"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(text, NAMES[i]))
            return i;
    return -1;
}

enum { MAX_TAPS = 4 };

/* Inputs of one axis and their weights; index -1 reads 0. */
struct taps {
    int n;
    int64_t index[MAX_TAPS];
    double weight[MAX_TAPS];
};

/* Mirrors x at the borders until it lies between them. */
static double reflect(double x, double low, double high)
{
    const double range = high - low;
    if (!(range > 0))
        return low;
    const double d = x < low ? low - x : x > high ? x - high : -1;
    if (d < 0)
        return x;
    const double twice = fmod(d, 2 * range); /* exact by definition */
    const double inward = twice < range ? twice : 2 * range - twice;
    return x < low ? low + inward : high - inward;
}

static double low_border(const struct grid_params *p) { return p->align_corners ? 0 : -0.5; }

static double high_border(const struct grid_params *p, int axis)
{
    return (double)p->in[axis] - (p->align_corners ? 1 : 0.5);
}

static double denormalised(const struct grid_params *p, int axis, float at)
{
    const float extent = (float)p->in[axis];
    const float most = 1e20f; /* keeps the products finite */
    at = isnan(at) ? -1 : at < -most ? -most : at > most ? most : at;
    const float x = p->align_corners ? (at + 1) / 2 * (extent - 1) : ((at + 1) * extent - 1) / 2;
    return (double)x;
}

static double padded(const struct grid_params *p, int axis, double x)
{
    const double low = low_border(p), high = high_border(p, axis);
    if (x >= low && x <= high)
        return x;
    if (p->padding == GRID_BORDER)
        return x < 0 ? 0 : x > (double)(p->in[axis] - 1) ? (double)(p->in[axis] - 1) : x;
    return p->padding == GRID_REFLECTION ? reflect(x, low, high) : x;
}

static int64_t index_of(const struct grid_params *p, int axis, int64_t i)
{
    const int64_t last = p->in[axis] - 1;
    if (i >= 0 && i <= last)
        return i;
    if (p->padding == GRID_ZEROS)
        return -1;
    if (p->padding == GRID_REFLECTION)
        i = num_trunc(reflect((double)i, low_border(p), high_border(p, axis)));
    return num_clamp(i, 0, last);
}

static void cubic_weights(double t, double *w)
{
    const double a = -0.75, u = 1 - t;
    w[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
    w[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    w[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
    w[3] = ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a;
}

static void taps_at(const struct grid_params *p, int axis, float at, struct taps *t)
{
    double x = denormalised(p, axis, at);
    if (p->mode == GRID_NEAREST) {
        x = padded(p, axis, (double)num_round_even(x));
        *t = (struct taps){.n = 1, .index = {index_of(p, axis, num_trunc(x))}, .weight = {1}};
        return;
    }
    x = padded(p, axis, x);
    const int64_t limit = p->in[axis] + 2,
                  base = num_clamp(num_floor(x), -limit, limit); /* farther away all is padding */
    const double ratio = x - floor(x);
    t->n = p->mode == GRID_LINEAR ? 2 : 4;
    if (p->mode == GRID_CUBIC)
        cubic_weights(ratio, t->weight);
    else
        t->weight[0] = 1 - ratio, t->weight[1] = ratio;
    for (int i = 0; i < t->n; i++)
        t->index[i] = index_of(p, axis, base + i - (t->n / 2 - 1));
}

static double line(const struct taps *t, const float *x)
{
    double sum = 0;
    for (int i = 0; i < t->n; i++)
        sum += t->index[i] < 0 ? 0 : t->weight[i] * (double)x[t->index[i]];
    return sum;
}

/* taps of the three axes; leading axes of a smaller rank have one tap at 0. */
static float sample(const struct taps *t, int64_t h, int64_t w, const float *x)
{
    double sum = 0;
    for (int d = 0; d < t[0].n; d++) {
        double plane = 0;
        for (int i = 0; i < t[1].n; i++)
            if (t[0].index[d] >= 0 && t[1].index[i] >= 0)
                plane += t[1].weight[i] * line(&t[2], x + (t[0].index[d] * h + t[1].index[i]) * w);
        sum += t[0].weight[d] * plane;
    }
    return (float)sum;
}

static struct grid_params rank3(const struct grid_params *p)
{
    struct grid_params q = *p;
    for (int axis = 0; axis < 3; axis++) {
        const int from = axis - (3 - p->rank);
        q.in[axis] = from < 0 ? 1 : p->in[from];
        q.out[axis] = from < 0 ? 1 : p->out[from];
    }
    return q;
}

void grid_sample_f32(const struct grid_params *p, const float *x, const float *grid, float *y)
{
    const struct grid_params q = rank3(p);
    const int64_t in = q.in[0] * q.in[1] * q.in[2], out = q.out[0] * q.out[1] * q.out[2];
    for (int64_t i = 0; i < p->batch * out; i++) {
        const int64_t n = i / out, first = n * p->channels;
        struct taps t[3] = {{.n = 1, .weight = {1}}, {.n = 1, .weight = {1}}};
        for (int k = 0; k < p->rank; k++)
            taps_at(&q, 2 - k, grid[i * p->rank + k], &t[2 - k]);
        for (int64_t c = 0; c < p->channels; c++)
            y[(first + c) * out + i % out] = sample(t, q.in[1], q.in[2], x + (first + c) * in);
    }
}

static double centre(int64_t i, int64_t size, bool align_corners)
{
    if (!align_corners)
        return (2 * (double)i + 1) / (double)size - 1;
    return size > 1 ? 2 * (double)i / (double)(size - 1) - 1 : 0;
}

void grid_affine_f32(int rank, int64_t batch, const int64_t *size, bool align_corners,
                     const float *theta, float *grid)
{
    int64_t points = 1;
    for (int axis = 0; axis < rank; axis++)
        points *= size[axis];
    for (int64_t i = 0; i < batch * points; i++) {
        const float *row = theta + i / points * rank * (rank + 1);
        double at[4] = {0};
        int64_t rest = i % points;
        for (int k = 0; k < rank; k++) { /* innermost axis first */
            at[k] = centre(rest % size[rank - 1 - k], size[rank - 1 - k], align_corners);
            rest /= size[rank - 1 - k];
        }
        for (int k = 0; k < rank; k++, row += rank + 1) {
            double sum = (double)row[rank];
            for (int j = 0; j < rank; j++)
                sum += (double)row[j] * at[j];
            *grid++ = (float)sum;
        }
    }
}
