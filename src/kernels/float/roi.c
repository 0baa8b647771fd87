/* Region-of-interest pooling: MaxRoiPool-1 (Girshick, Fast R-CNN, arXiv 1504.08083) and RoiAlign-22
 * (He et al., Mask R-CNN, arXiv 1703.06870), with the details of the ONNX operator texts. */
#include <math.h>

#include "base/num.h"
#include "kernels/float/pool.h"
#include "kernels/kernel.h"

enum {
    MAX_SAMPLES = 1 << 10
}; /* per bin and axis when the region decides; bounds the work of a hostile region */

static int64_t bounded(double value, int64_t low, int64_t high)
{
    return num_clamp(num_round_even(value), low, high);
}

/* C's round(): half away from zero, as the original implementation rounds the corners. */
static int64_t corner_at(float value, float scale)
{
    return num_round_away((double)(value * scale));
}

struct bin {
    int64_t y0, y1, x0, x1; /* half open, inside the input */
};

static float largest_in(const struct roi_params *p, const struct bin *b, const float *x)
{
    if (b->y0 >= b->y1 || b->x0 >= b->x1)
        return 0;
    float best = x[b->y0 * p->in_w + b->x0];
    for (int64_t h = b->y0; h < b->y1; h++)
        for (int64_t w = b->x0; w < b->x1; w++)
            if (x[h * p->in_w + w] > best)
                best = x[h * p->in_w + w];
    return best;
}

/* Bin i of n over extent elements from start on, clipped to 0 .. limit. */
static void split_bin(int64_t start, int64_t extent, int64_t i, int64_t n, int64_t limit,
                      int64_t *low, int64_t *high)
{
    const float size = (float)extent / (float)n;
    *low = bounded((double)floorf((float)i * size) + (double)start, 0, limit);
    *high = bounded((double)ceilf((float)(i + 1) * size) + (double)start, 0, limit);
}

int pool_roi_max_f32(const struct roi_params *p, const float *x, const float *roi, float *y)
{
    for (int64_t r = 0; r < p->rois; r++, roi += 5) {
        const int64_t n = num_trunc((double)roi[0]);
        if (n < 0 || n >= p->batch)
            return KERNEL_INDEX;
        const int64_t x1 = num_clamp(corner_at(roi[1], p->spatial_scale), -p->in_w, 2 * p->in_w);
        const int64_t y1 = num_clamp(corner_at(roi[2], p->spatial_scale), -p->in_h, 2 * p->in_h);
        const int64_t width = num_clamp(
            num_clamp(corner_at(roi[3], p->spatial_scale), -p->in_w, 4 * p->in_w) - x1 + 1, 1,
            8 * p->in_w);
        const int64_t height = num_clamp(
            num_clamp(corner_at(roi[4], p->spatial_scale), -p->in_h, 4 * p->in_h) - y1 + 1, 1,
            8 * p->in_h);
        for (int64_t i = 0; i < p->channels * p->out_h * p->out_w; i++) {
            const int64_t ph = i / p->out_w % p->out_h, pw = i % p->out_w,
                          c = i / p->out_w / p->out_h;
            struct bin b;
            split_bin(y1, height, ph, p->out_h, p->in_h, &b.y0, &b.y1);
            split_bin(x1, width, pw, p->out_w, p->in_w, &b.x0, &b.x1);
            *y++ = largest_in(p, &b, x + (n * p->channels + c) * p->in_h * p->in_w);
        }
    }
    return KERNEL_OK;
}

/* Two neighbours on one axis and the weight of the second. */
struct between {
    int64_t low, high;
    float weight;
};

static bool between_at(float at, int64_t extent, struct between *b)
{
    if (extent < 1 || !(at >= -1 && at <= (float)extent)) /* also NaN */
        return false;
    if (at < 0)
        at = 0;
    b->low = (int64_t)at;
    if (b->low >= extent - 1) {
        b->low = b->high = extent - 1;
        b->weight = 0;
        return true;
    }
    b->high = b->low + 1;
    b->weight = at - (float)b->low;
    return true;
}

/* The four corners times their weights. */
static void corners(const struct roi_params *p, const float *x, const struct between *v,
                    const struct between *h, float *of)
{
    const float hy = 1 - v->weight, hx = 1 - h->weight;
    of[0] = hy * hx * x[v->low * p->in_w + h->low];
    of[1] = hy * h->weight * x[v->low * p->in_w + h->high];
    of[2] = v->weight * hx * x[v->high * p->in_w + h->low];
    of[3] = v->weight * h->weight * x[v->high * p->in_w + h->high];
}

static float larger(float a, float b) { return b > a ? b : a; }

/* One region in one axis: where its bins begin, how long they are, how many samples each has. */
struct span1 {
    float start, bin;
    int64_t samples;
};

static struct span1 span_of_region(const struct roi_params *p, float low, float high, int64_t bins)
{
    const float shift = p->half_pixel ? 0.5f : 0.0f, start = low * p->spatial_scale - shift;
    float size = high * p->spatial_scale - shift - start;
    if (!p->half_pixel && !(size >= 1))
        size = 1;
    const int64_t wanted = p->sampling_ratio > 0
                               ? p->sampling_ratio
                               : num_round_even((double)ceilf(size / (float)bins));
    return (struct span1){start, size / (float)bins, num_clamp(wanted, 0, MAX_SAMPLES)};
}

static float sample_at(const struct span1 *s, int64_t bin, int64_t i)
{
    return s->start + (float)bin * s->bin + ((float)i + 0.5f) * s->bin / (float)s->samples;
}

static float aligned_bin(const struct roi_params *p, const float *x, const struct span1 *v,
                         const struct span1 *h, int64_t bin)
{
    const int64_t count = v->samples * h->samples;
    float best = 0, of[4];
    double sum = 0;
    bool first = true;
    for (int64_t i = 0; i < count; i++) {
        struct between row, column;
        if (!between_at(sample_at(v, bin / p->out_w, i / h->samples), p->in_h, &row) ||
            !between_at(sample_at(h, bin % p->out_w, i % h->samples), p->in_w, &column))
            of[0] = of[1] = of[2] = of[3] = 0;
        else
            corners(p, x, &row, &column, of);
        const float top = larger(larger(of[0], of[1]), larger(of[2], of[3]));
        best = first ? top : larger(best, top);
        sum += ((double)of[0] + (double)of[1]) + ((double)of[2] + (double)of[3]);
        first = false;
    }
    return p->max ? best : (float)(sum / (double)(count > 0 ? count : 1));
}

int pool_roi_align_f32(const struct roi_params *p, const float *x, const float *roi,
                       const int64_t *batch_index, float *y)
{
    for (int64_t r = 0; r < p->rois; r++, roi += 4) {
        if (batch_index[r] < 0 || batch_index[r] >= p->batch)
            return KERNEL_INDEX;
        const struct span1 h = span_of_region(p, roi[0], roi[2], p->out_w),
                           v = span_of_region(p, roi[1], roi[3], p->out_h);
        for (int64_t c = 0; c < p->channels; c++)
            for (int64_t bin = 0; bin < p->out_h * p->out_w; bin++)
                *y++ = aligned_bin(p, x + (batch_index[r] * p->channels + c) * p->in_h * p->in_w,
                                   &v, &h, bin);
    }
    return KERNEL_OK;
}
