/* Batch, instance, group, layer and RMS normalization, and Lp, mean-variance and local response
 * normalization. Variances are population variances, computed in a second pass around the mean (no
 * cancellation). Formulas: ONNX operator texts of the versions named in norm.h. */
#include "kernels/float/norm.h"

#include <math.h>
#include <stddef.h>

#include "kernels/float/math.h"
#include "kernels/kernel.h"

enum { LANES = 8 };

static double fold(const double *s)
{
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* Lane i % 8 takes element i. */
KERNEL_CLONES
static double sum_of(const float *x, int64_t n)
{
    double s[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            s[l] += (double)x[i + l];
    for (int l = 0; i < n; i++, l++)
        s[l] += (double)x[i];
    return fold(s);
}

KERNEL_CLONES
static double squares_of(const float *x, int64_t n, double mean)
{
    double s[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            s[l] += ((double)x[i + l] - mean) * ((double)x[i + l] - mean);
    for (int l = 0; i < n; i++, l++)
        s[l] += ((double)x[i] - mean) * ((double)x[i] - mean);
    return fold(s);
}

struct moments {
    double mean, var;
};

static struct moments moments_of(const float *x, int64_t n)
{
    const double mean = sum_of(x, n) / (double)n;
    return (struct moments){mean, squares_of(x, n, mean) / (double)n};
}

/* y = (x - mean) * factor + bias */
KERNEL_CLONES
static void affine(const float *x, int64_t n, double mean, double factor, double bias, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)(((double)x[i] - mean) * factor + bias);
}

void norm_batch_f32(const struct norm_channels *p, const float *x, const struct norm_batch_args *a,
                    float *y)
{
    for (int64_t i = 0; i < p->batch * p->channels; i++) {
        const int64_t c = i % p->channels;
        const double factor = (double)a->scale[c] / sqrt((double)a->var[c] + p->epsilon);
        affine(x + i * p->size, p->size, (double)a->mean[c], factor, (double)a->bias[c],
               y + i * p->size);
    }
}

static struct moments channel_moments(const struct norm_channels *p, const float *x, int64_t c)
{
    const double count = (double)p->batch * (double)p->size;
    double sum = 0, squares = 0;
    for (int64_t n = 0; n < p->batch; n++)
        sum += sum_of(x + (n * p->channels + c) * p->size, p->size);
    for (int64_t n = 0; n < p->batch; n++)
        squares += squares_of(x + (n * p->channels + c) * p->size, p->size, sum / count);
    return (struct moments){sum / count, squares / count};
}

void norm_batch_train_f32(const struct norm_channels *p, const float *x,
                          const struct norm_batch_args *a, double momentum, float *y,
                          float *running_mean, float *running_var)
{
    for (int64_t c = 0; c < p->channels; c++) {
        const struct moments m = channel_moments(p, x, c);
        const double factor = (double)a->scale[c] / sqrt(m.var + p->epsilon);
        for (int64_t n = 0; n < p->batch; n++) {
            const int64_t at = (n * p->channels + c) * p->size;
            affine(x + at, p->size, m.mean, factor, (double)a->bias[c], y + at);
        }
        running_mean[c] = (float)((double)a->mean[c] * momentum + m.mean * (1 - momentum));
        running_var[c] = (float)((double)a->var[c] * momentum + m.var * (1 - momentum));
    }
}

void norm_group_f32(const struct norm_channels *p, int64_t groups, const float *x,
                    const float *scale, const float *bias, bool per_channel, float *y)
{
    const int64_t members = p->channels / groups;
    for (int64_t i = 0; i < p->batch * groups; i++) {
        const int64_t group = i % groups, at = i * members * p->size;
        const struct moments m = moments_of(x + at, members * p->size);
        const double inverse = 1 / sqrt(m.var + p->epsilon);
        for (int64_t j = 0; j < members; j++) {
            const int64_t k = per_channel ? group * members + j : group;
            affine(x + at + j * p->size, p->size, m.mean, inverse * (double)scale[k],
                   (double)bias[k], y + at + j * p->size);
        }
    }
}

void norm_instance_f32(const struct norm_channels *p, const float *x, const float *scale,
                       const float *bias, float *y)
{
    if (p->channels > 0)
        norm_group_f32(p, p->channels, x, scale, bias, true, y);
}

/* Row `row` as (x - mean) * inverse * scale + bias. */
static void scale_row(const struct norm_rows *p, int64_t row, const float *x, struct moments m,
                      float *y)
{
    if (p->size == 0)
        return;
    int64_t s = p->scale ? row * p->size % p->scale_count : 0,
            b = p->bias ? row * p->size % p->bias_count : 0;
    for (int64_t i = row * p->size; i < (row + 1) * p->size; i++) {
        const double scale = p->scale ? (double)p->scale[s] : 1,
                     bias = p->bias ? (double)p->bias[b] : 0;
        y[i] = (float)(((double)x[i] - m.mean) * m.var * scale + bias);
        s = s + 1 < p->scale_count ? s + 1 : 0;
        b = b + 1 < p->bias_count ? b + 1 : 0;
    }
}

void norm_layer_f32(const struct norm_rows *p, const float *x, float *y, float *mean,
                    float *inv_std)
{
    for (int64_t row = 0; row < p->rows; row++) {
        const struct moments m = moments_of(x + row * p->size, p->size);
        const double inverse = 1 / sqrt(m.var + p->epsilon);
        scale_row(p, row, x, (struct moments){m.mean, inverse}, y);
        if (mean)
            mean[row] = (float)m.mean;
        if (inv_std)
            inv_std[row] = (float)inverse;
    }
}

void norm_rms_f32(const struct norm_rows *p, const float *x, float *y, float *inv_std)
{
    for (int64_t row = 0; row < p->rows; row++) {
        const double inverse =
            1 / sqrt(squares_of(x + row * p->size, p->size, 0) / (double)p->size + p->epsilon);
        scale_row(p, row, x, (struct moments){0, inverse}, y);
        if (inv_std)
            inv_std[row] = (float)inverse;
    }
}

void norm_lp_f32(int64_t outer, int64_t n, int64_t inner, int order, const float *x, float *y)
{
    for (int64_t i = 0; i < outer * inner; i++) {
        const int64_t at = i / inner * n * inner + i % inner;
        double sum = 0;
        for (int64_t j = 0; j < n; j++) {
            const double v = (double)x[at + j * inner];
            sum += order == 1 ? fabs(v) : v * v;
        }
        const double norm = order == 1 ? sum : sqrt(sum);
        for (int64_t j = 0; j < n; j++)
            y[at + j * inner] =
                norm > 0 || isnan(norm) ? (float)((double)x[at + j * inner] / norm) : 0.0f;
    }
}

/* Walks the elements whose coordinates on the axes with pick[axis] equal those of number `which`,
 * and vary on the others. */
struct subset {
    int rank;
    int64_t extent[NORM_MAX_RANK], step[NORM_MAX_RANK], count, base;
};

static struct subset subset_of(int rank, const int64_t *dims, const bool *vary, int64_t which)
{
    struct subset s = {.count = 1};
    int64_t step = 1;
    for (int axis = rank - 1; axis >= 0; step *= dims[axis--]) {
        if (vary[axis]) {
            s.extent[s.rank] = dims[axis], s.step[s.rank++] = step;
            s.count *= dims[axis];
        } else {
            s.base += which % dims[axis] * step;
            which /= dims[axis];
        }
    }
    return s;
}

static int64_t subset_at(const struct subset *s, int64_t i)
{
    int64_t at = s->base;
    for (int axis = 0; axis < s->rank; i /= s->extent[axis++])
        at += i % s->extent[axis] * s->step[axis];
    return at;
}

static void mean_variance(const struct subset *s, const float *x, float *y)
{
    const double small = 1e-9; /* of the operator's function body */
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < s->count; i++)
        sum += (double)x[subset_at(s, i)];
    const double mean = sum / (double)s->count;
    for (int64_t i = 0; i < s->count; i++) {
        const double d = (double)x[subset_at(s, i)] - mean;
        squares += d * d;
    }
    const double deviation = sqrt(squares / (double)s->count) + small;
    for (int64_t i = 0; i < s->count; i++)
        y[subset_at(s, i)] = (float)(((double)x[subset_at(s, i)] - mean) / deviation);
}

void norm_mean_variance_f32(int rank, const int64_t *dims, const bool *reduce, const float *x,
                            float *y)
{
    int64_t sets = 1;
    for (int axis = 0; axis < rank; axis++)
        if (dims[axis] == 0)
            return;
        else if (!reduce[axis])
            sets *= dims[axis];
    for (int64_t i = 0; i < sets; i++) {
        const struct subset s = subset_of(rank, dims, reduce, i);
        mean_variance(&s, x, y);
    }
}

void norm_lrn_f32(const struct norm_lrn_args *p, const float *x, float *y)
{
    const int64_t before = (p->n - 1) / 2, after = p->n - 1 - before;
    for (int64_t i = 0; i < p->batch * p->channels * p->size; i++) {
        const int64_t c = i / p->size % p->channels;
        const int64_t low = c > before ? -before : -c,
                      high = p->channels - 1 - c > after ? after : p->channels - 1 - c;
        double sum = 0;
        for (int64_t d = low; d <= high; d++)
            sum += (double)x[i + d * p->size] * (double)x[i + d * p->size];
        y[i] = (float)((double)x[i] / math_pow(p->bias + p->alpha / (double)p->n * sum, p->beta));
    }
}
