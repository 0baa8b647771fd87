/* DFT, STFT, windows and the mel matrix around the transform of dft.c. Formulas: the ONNX operator
 * texts of version 17 and 20. */
#include "kernels/float/signal.h"

#include <stddef.h>
#include <string.h>

#include "base/num.h"
#include "kernels/float/dft.h"
#include "kernels/float/math.h"
#include "kernels/kernel.h"

static const double PI = 3.14159265358979323846;

int64_t dft_out(const struct dft_params *p)
{
    return p->onesided && !p->inverse ? p->length / 2 + 1 : p->length;
}

/* The caller's values stand behind the plan's tables. */
static struct complex *values_behind(const struct dft_plan *plan, double *scratch)
{
    const int64_t n = plan->chirp_length ? plan->chirp_length : plan->length;
    return (struct complex *)(scratch + dft_scratch(plan->length) - 2 * n);
}

/* One line of x, `step` elements between neighbours, as `length` complex values. */
static void load_line(const struct dft_params *p, const float *x, struct complex *v)
{
    const int64_t parts = p->complex_in ? 2 : 1, step = p->inner * parts;
    const int64_t wanted = p->inverse && p->onesided ? p->length / 2 + 1 : p->length,
                  n = p->in < wanted ? p->in : wanted;
    memset(v, 0, (size_t)p->length * sizeof *v);
    for (int64_t k = 0; k < n; k++)
        v[k] = (struct complex){(double)x[k * step], p->complex_in ? (double)x[k * step + 1] : 0};
    if (!p->inverse || !p->onesided)
        return;
    v[0].im = 0;
    for (int64_t k = 1; 2 * k <= p->length; k++) {
        v[k].im = 2 * k == p->length ? 0 : v[k].im; /* the middle bin is its own mirror image */
        v[p->length - k] = (struct complex){v[k].re, -v[k].im};
    }
}

static void store_line(const struct dft_params *p, const struct complex *v, float *y)
{
    const int64_t parts = p->inverse && p->onesided ? 1 : 2, out = dft_out(p);
    const double factor = p->inverse ? (double)p->length : 1;
    for (int64_t k = 0; k < out; k++) {
        y[k * p->inner * parts] = (float)(v[k].re / factor);
        if (parts == 2)
            y[k * p->inner * parts + 1] = (float)((p->inverse ? -v[k].im : v[k].im) / factor);
    }
}

void dft_f32(const struct dft_params *p, const float *x, float *y, double *scratch)
{
    struct dft_plan plan;
    const int64_t parts_in = p->complex_in ? 2 : 1, parts_out = p->inverse && p->onesided ? 1 : 2;
    dft_plan_make(&plan, p->length, scratch);
    struct complex *v = values_behind(&plan, scratch);
    for (int64_t i = 0; i < p->outer * p->inner; i++) {
        const int64_t o = i / p->inner, at = i % p->inner;
        load_line(p, x + (o * p->in * p->inner + at) * parts_in, v);
        for (int64_t k = 0; p->inverse && k < p->length; k++)
            v[k].im = -v[k].im; /* inverse: conjugate, transform, conjugate */
        dft_run(&plan, v);
        store_line(p, v, y + (o * dft_out(p) * p->inner + at) * parts_out);
    }
}

int64_t stft_frames(const struct stft_params *p)
{
    if (p->step < 1 || p->frame < 1)
        return -1;
    return p->samples < p->frame ? 0 : (p->samples - p->frame) / p->step + 1;
}

int64_t stft_scratch(const struct stft_params *p) { return dft_scratch(p->frame); }

void stft_f32(const struct stft_params *p, const float *x, const float *window, float *y,
              double *scratch)
{
    const int64_t parts = p->complex_in ? 2 : 1, bins = p->onesided ? p->frame / 2 + 1 : p->frame,
                  frames = stft_frames(p);
    struct dft_plan plan;
    dft_plan_make(&plan, p->frame, scratch);
    struct complex *v = values_behind(&plan, scratch);
    for (int64_t i = 0; i < p->batch * frames; i++) {
        const float *from = x + (i / frames * p->samples + i % frames * p->step) * parts;
        for (int64_t k = 0; k < p->frame; k++) {
            const double w = window ? (double)window[k] : 1;
            v[k] = (struct complex){(double)from[k * parts] * w,
                                    p->complex_in ? (double)from[k * parts + 1] * w : 0};
        }
        dft_run(&plan, v);
        for (int64_t k = 0; k < bins; k++, y += 2) {
            y[0] = (float)v[k].re;
            y[1] = (float)v[k].im;
        }
    }
}

void signal_window_f64(enum signal_window kind, int64_t size, bool periodic, double *y)
{
    const double span = (double)(periodic ? size : size - 1);
    for (int64_t i = 0; i < size; i++) {
        const double turn = 2 * PI * (double)i / span, half = math_sin(turn / 2);
        if (size == 1)
            y[i] = 1;
        else if (kind == SIGNAL_HANN)
            y[i] = half * half;
        else if (kind == SIGNAL_HAMMING)
            y[i] = 25.0 / 46 - math_cos(turn) * (21.0 / 46);
        else
            y[i] = 0.42 - 0.5 * math_cos(turn) + 0.08 * math_cos(2 * turn);
    }
}

static double mel_of(double hertz) { return 2595 * math_log1p(hertz / 700) / math_log(10); }

/* The spectrum's bin at edge i of bins + 2. */
static int64_t mel_edge(const struct mel_params *p, int64_t i)
{
    const double low = mel_of(p->lower), step = (mel_of(p->upper) - low) / (double)(p->bins + 2);
    const double hertz = 700 * math_expm1((low + (double)i * step) / 2595 * math_log(10));
    return num_floor((double)(p->dft_length + 1) * hertz / (double)p->sample_rate);
}

static void mel_triangle(const struct mel_params *p, int64_t column, int64_t low, int64_t centre,
                         int64_t high, double *y)
{
    if (low == centre)
        y[centre * p->bins + column] = 1;
    for (int64_t j = low; low != centre && j <= centre; j++)
        y[j * p->bins + column] = (double)(j - low) / (double)(centre - low);
    for (int64_t j = centre; j < high; j++)
        y[j * p->bins + column] = (double)(high - j) / (double)(high - centre);
}

int mel_matrix_f64(const struct mel_params *p, double *y)
{
    const int64_t rows = p->dft_length / 2 + 1;
    if (p->bins < 0 || p->dft_length < 0 || p->sample_rate < 1 || !(p->lower >= 0) ||
        !(p->upper >= p->lower))
        return KERNEL_VALUE;
    if (p->bins > 0 && (mel_edge(p, p->bins) >= rows || mel_edge(p, p->bins + 1) > rows))
        return KERNEL_VALUE;
    memset(y, 0, (size_t)(rows * p->bins) * sizeof *y);
    for (int64_t i = 0; i < p->bins; i++)
        mel_triangle(p, i, mel_edge(p, i), mel_edge(p, i + 1), mel_edge(p, i + 2), y);
    return KERNEL_OK;
}
