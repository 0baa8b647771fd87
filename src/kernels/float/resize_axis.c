/* Coordinates and weights of one axis. Formulas: ONNX Resize-19 and its reference implementation.
 *
 * With base = floor(x), ratio = x - base (an integer x counts as base x - 1, ratio 1, which is the
 * same point): linear takes base and base + 1, cubic base - 1 .. base + 2 (Keys 1981 with
 * coefficient a), antialias stretches the filter by 1 / scale when shrinking. Indices beyond the
 * ends read the end; exclude_outside gives them weight 0 and divides by the rest.
 */
#include "kernels/float/resize_axis.h"

#include <math.h>
#include <string.h>

#include "base/num.h"

static int find(const char *text, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(text, names[i]))
            return i;
    return -1;
}

int resize_mode_find(const char *text)
{
    static const char *const NAMES[] = {"nearest", "linear", "cubic"};
    const int found = find(text, NAMES, 3);
    return found < 0 && !strcmp(text, "bilinear") ? RESIZE_LINEAR : found; /* Upsample-1 */
}

int resize_coordinate_find(const char *text)
{
    static const char *const NAMES[] = {
        "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
        "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"};
    return find(text, NAMES, 7);
}

int resize_nearest_find(const char *text)
{
    static const char *const NAMES[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    return find(text, NAMES, 4);
}

bool resize_is_identity(const struct resize_params *p, int axis)
{
    const struct resize_axis *a = &p->axis[axis];
    if (a->in != a->out || a->scale != 1) /* exactly one: every coordinate is the index */
        return false;
    return p->coordinate != RESIZE_TF_CROP_AND_RESIZE ||
           (a->roi_start <= 0 && a->roi_start >= 0 && a->roi_end >= 1 && a->roi_end <= 1);
}

static float symmetric(const struct resize_axis *a, float x, float length)
{
    const float offset = (float)a->in / 2 * (1 - (float)a->out / length);
    return offset + (x + 0.5f) / a->scale - 0.5f;
}

static float cropped(const struct resize_axis *a, float x, float length)
{
    const float last = (float)(a->in - 1);
    if (length > 1)
        return a->roi_start * last + x * (a->roi_end - a->roi_start) * last / (length - 1);
    return 0.5f * (a->roi_start + a->roi_end) * last;
}

static float coordinate(const struct resize_params *p, const struct resize_axis *a, int64_t o)
{
    const float x = (float)o, length = a->scale * (float)a->in;
    switch (p->coordinate) {
    case RESIZE_HALF_PIXEL:
        return (x + 0.5f) / a->scale - 0.5f;
    case RESIZE_HALF_PIXEL_SYMMETRIC:
        return symmetric(a, x, length);
    case RESIZE_PYTORCH_HALF_PIXEL:
        return a->out > 1 ? (x + 0.5f) / a->scale - 0.5f : 0;
    case RESIZE_ALIGN_CORNERS:
        return a->out > 1 ? x * (float)(a->in - 1) / (length - 1) : 0;
    case RESIZE_ASYMMETRIC:
        return x / a->scale;
    case RESIZE_TF_HALF_PIXEL_FOR_NN:
        return (x + 0.5f) / a->scale;
    case RESIZE_TF_CROP_AND_RESIZE:
        return cropped(a, x, length);
    }
    return x;
}

static bool stretched(const struct resize_params *p, const struct resize_axis *a)
{
    return p->antialias && a->scale < 1;
}

/* First tap relative to base; the filter is symmetric around base + 1/2. */
static int64_t first_tap(const struct resize_params *p, const struct resize_axis *a)
{
    const double reach = p->mode == RESIZE_CUBIC ? 2 : 1;
    return num_floor(stretched(p, a) ? -reach / (double)a->scale : -reach) + 1;
}

int64_t resize_taps(const struct resize_params *p, int axis)
{
    return p->mode == RESIZE_NEAREST ? 1 : 2 - 2 * first_tap(p, &p->axis[axis]);
}

int64_t resize_table_bytes(const struct resize_params *p, int axis)
{
    int64_t cells, bytes;
    const int64_t out = p->axis[axis].out, taps = resize_taps(p, axis);
    if (__builtin_mul_overflow(out, taps, &cells) ||
        __builtin_mul_overflow(cells, p->mode == RESIZE_NEAREST ? 8 : 16, &bytes) ||
        __builtin_add_overflow(bytes, out + 7, &bytes))
        return -1;
    return bytes / 8 * 8;
}

static int64_t nearest_index(const struct resize_params *p, const struct resize_axis *a, float x)
{
    const double v = (double)x;
    switch (p->nearest) {
    case RESIZE_ROUND_PREFER_FLOOR:
        return -num_round_up(-v);
    case RESIZE_ROUND_PREFER_CEIL:
        return num_round_up(v);
    case RESIZE_FLOOR:
        return num_floor(v);
    case RESIZE_CEIL:
        return -num_floor(-v);
    case RESIZE_SIMPLE:
        return a->scale < 1 ? -num_floor(-v) : num_floor(v);
    }
    return 0;
}

static double cubic(double x, double a)
{
    x = fabs(x);
    if (x <= 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static double filter(const struct resize_params *p, const struct resize_axis *a, double distance)
{
    if (stretched(p, a))
        distance *= (double)a->scale;
    if (p->mode == RESIZE_CUBIC)
        return cubic(distance, p->cubic_a);
    return fabs(distance) < 1 ? 1 - fabs(distance) : 0;
}

static int64_t clamped(int64_t index, int64_t extent) { return num_clamp(index, 0, extent - 1); }

static void weigh(const struct resize_params *p, const struct resize_axis *a, double x,
                  int64_t taps, int64_t *index, double *weight)
{
    const int64_t base = num_floor(x), first = base + first_tap(p, a);
    double sum = 0;
    for (int64_t t = 0; t < taps; t++) {
        const int64_t at = first + t;
        const bool excluded = p->exclude_outside && (at < 0 || at >= a->in);
        index[t] = clamped(at, a->in);
        weight[t] = excluded ? 0 : filter(p, a, (double)at - x);
        sum += weight[t];
    }
    const bool normalise = p->exclude_outside || stretched(p, a);
    for (int64_t t = 0; normalise && t < taps; t++)
        weight[t] /= sum;
}

void *resize_table_make(const struct resize_params *p, int axis, struct resize_table *t,
                        void *memory)
{
    const struct resize_axis *a = &p->axis[axis];
    t->out = a->out;
    t->taps = resize_taps(p, axis);
    t->index = memory;
    t->weight = p->mode == RESIZE_NEAREST ? NULL : (double *)(t->index + t->out * t->taps);
    t->outside =
        t->weight ? (bool *)(t->weight + t->out * t->taps) : (bool *)(t->index + t->out * t->taps);
    for (int64_t o = 0; o < t->out; o++) {
        const float x = resize_is_identity(p, axis) ? (float)o : coordinate(p, a, o);
        const float limit =
            4.0f * (float)(a->in + 1); /* far outside all is the end's value; keeps indices small */
        const float held = x > -limit ? x < limit ? x : limit : -limit; /* NaN too */
        t->outside[o] =
            p->coordinate == RESIZE_TF_CROP_AND_RESIZE && !(x >= 0 && x <= (float)(a->in - 1));
        if (p->mode == RESIZE_NEAREST)
            t->index[o] = clamped(nearest_index(p, a, held), a->in);
        else
            weigh(p, a, (double)held, t->taps, t->index + o * t->taps, t->weight + o * t->taps);
    }
    return (char *)memory + resize_table_bytes(p, axis);
}
