/* Resizing by a separable triangle filter, horizontally and then vertically with 8-bit rows
 * between, as Pillow does (src/libImaging/Resample.c: centre (i + 1/2) * scale, support max(1,
 * scale), weights normalised and rounded to 22 fractional bits, sums rounded half up). Integer
 * sums, so the same pixels on every machine. */
#include <string.h>

#include "base/mem.h"
#include "data/picture.h"

enum { WEIGHT_BITS = 22 }; /* 8-bit samples times weights below 2 stay inside int32 */

/* Of one axis: output i is the sum of weight[i * width + k] * sample[first[i] + k], k < count[i].
 */
struct filter {
    int64_t *first, *count;
    int32_t *weight;
    int64_t width;
};

static double triangle(double x)
{
    x = x < 0 ? -x : x;
    return x < 1 ? 1 - x : 0;
}

static void filter_row(struct filter *f, int64_t i, int64_t from, double scale, double *w)
{
    double support = scale > 1 ? scale : 1, centre = ((double)i + 0.5) * scale, sum = 0;
    int64_t low = (int64_t)(centre - support + 0.5), high = (int64_t)(centre + support + 0.5);
    low = centre - support + 0.5 < 0 ? 0 : low;
    high = high > from ? from : high;
    for (int64_t k = low; k < high; k++)
        sum += w[k - low] = triangle(((double)k - centre + 0.5) / support);
    for (int64_t k = 0; k < high - low; k++)
        f->weight[i * f->width + k] =
            (int32_t)(w[k] / sum * (double)(1 << WEIGHT_BITS) + 0.5); /* weights are >= 0 */
    f->first[i] = low, f->count[i] = high - low;
}

static bool filter_make(struct filter *f, int64_t from, int64_t to)
{
    double scale = (double)from / (double)to, support = scale > 1 ? scale : 1;
    f->width = (int64_t)support * 2 + 3;
    size_t n = (size_t)to, cells = n * (size_t)f->width;
    f->first = mem_try_alloc(n * sizeof *f->first);
    f->count = mem_try_alloc(n * sizeof *f->count);
    f->weight = mem_try_alloc(cells * sizeof *f->weight);
    double *w = mem_try_alloc((size_t)f->width * sizeof *w);
    bool ok = f->first && f->count && f->weight && w;
    for (int64_t i = 0; ok && i < to; i++)
        filter_row(f, i, from, scale, w);
    mem_free(w);
    return ok;
}

static void filter_release(struct filter *f)
{
    mem_free(f->first), mem_free(f->count), mem_free(f->weight);
}

/* One output sample; step is the distance between its inputs. */
static unsigned char weigh(const struct filter *f, int64_t i, const unsigned char *from,
                           int64_t step)
{
    const int32_t *w = f->weight + i * f->width;
    int32_t sum = 1 << (WEIGHT_BITS - 1);
    for (int64_t k = 0; k < f->count[i]; k++)
        sum += w[k] * from[(f->first[i] + k) * step];
    int32_t v = sum >> WEIGHT_BITS; /* the sum is not negative */
    return (unsigned char)(v > 255 ? 255 : v);
}

static void across(struct picture *to, const struct picture *from, const struct filter *f)
{
    for (int64_t y = 0; y < to->height; y++)
        for (int64_t x = 0; x < to->width; x++)
            for (int64_t c = 0; c < 3; c++)
                to->rgb[(y * to->width + x) * 3 + c] =
                    weigh(f, x, from->rgb + y * from->width * 3 + c, 3);
}

static void down(struct picture *to, const struct picture *from, const struct filter *f)
{
    int64_t row = to->width * 3;
    for (int64_t y = 0; y < to->height; y++)
        for (int64_t i = 0; i < row; i++)
            to->rgb[y * row + i] = weigh(f, y, from->rgb + i, row);
}

int picture_resize(struct picture *to, const struct picture *from, int64_t width, int64_t height,
                   const struct where *at, struct ctx *ctx)
{
    struct filter fx = {0}, fy = {0};
    struct picture half = {0};
    int code = picture_alloc(to, width, height, at, ctx);
    if (!code)
        code = picture_alloc(&half, width, from->height, at, ctx);
    if (!code && (!filter_make(&fx, from->width, width) || !filter_make(&fy, from->height, height)))
        code = diag_report(ctx->diag, E_LIMIT_MEMORY, at, "no memory to resize the picture");
    if (!code) {
        across(&half, from, &fx);
        down(to, &half, &fy);
    }
    filter_release(&fx), filter_release(&fy);
    picture_release(&half);
    if (code)
        picture_release(to);
    return code;
}
