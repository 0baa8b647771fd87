/* Enlarging by whole numbers becomes a transposed convolution.
 *
 * Before:  y = Resize<mode="nearest">(x, _, [1, 1, 2, 2])          x: [N, C, H, W]
 * After:   y = ConvTranspose<strides=[2, 2], group=C>(x, ones of [C, 1, 2, 2])
 * When:    the result may not hold Resize; scales or sizes are constant and give whole numbers, 1 for
 * batch and channels; the number of channels is known; nearest in coordinates where output i reads
 * input i / scale: asymmetric with floor, half_pixel (also pytorch) with rounding to the nearest.
 * Numerics: REASSOC (a sum of one number and zeros).
 */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "rewrite/emit.h"

PASS_OPS(decompose_resize, "Resize");

static bool reads_floor(const struct node *n)
{
    static const char MODE[] = "coordinate_transformation_mode";
    bool half = node_string_is(n, MODE, "half_pixel", "half_pixel") ||
                node_string_is(n, MODE, "half_pixel", "pytorch_half_pixel");
    bool corner = node_string_is(n, MODE, "half_pixel", "asymmetric");
    bool nearest = node_string_is(n, "nearest_mode", "round_prefer_floor", "round_prefer_floor") ||
                   node_string_is(n, "nearest_mode", "round_prefer_floor", "round_prefer_ceil");
    bool down = node_string_is(n, "nearest_mode", "round_prefer_floor", "floor");
    return (half && nearest) || (corner && down);
}

/* Output size over input size of the axis, when that is a whole number; else 0. */
static int64_t factor(const struct node *n, int axis)
{
    const struct tensor *scales = node_input(n, 2) ? constant_of(n->inputs[2].value) : NULL;
    const struct tensor *sizes = node_input(n, 3) ? constant_of(n->inputs[3].value) : NULL;
    int64_t size;
    if (scales && scales->count == 4) {
        double x = tensor_get(scales, axis);
        return x >= 1 && x <= 64 && !(fabs(x - rint(x)) > 0) ? (int64_t)x : 0;
    }
    if (!sizes || sizes->count != 4 || !value_dim(n->inputs[0].value, axis, &size) || size < 1)
        return 0;
    int64_t wanted = tensor_get_int(sizes, axis);
    return wanted % size == 0 && wanted / size <= 64 ? wanted / size : 0;
}

static const char *resize_problem(const struct node *n, int64_t *channels)
{
    const struct value *x = node_input(n, 0);
    if (!node_string_is(n, "mode", "nearest", "nearest") || !reads_floor(n) || node_attr(n, "axes"))
        return "it does more than repeat pixels";
    if (value_rank(x) != 4 || !value_dim(x, 1, channels) || !dtype_is_float(value_dtype(x)))
        return "its input is not of four known axes";
    if (factor(n, 0) != 1 || factor(n, 1) != 1 || factor(n, 2) < 1 || factor(n, 3) < 1)
        return "its scales are not constant whole numbers";
    return NULL;
}

int visit_decompose_resize(struct pass_run *r, struct node *n)
{
    struct emit e;
    int64_t channels = 0;
    if (!decompose_due(r, n, "", "Resize") || !node_input(n, 0))
        return 0;
    const char *why = resize_problem(n, &channels);
    if (why) {
        pass_refused(r, n, "%s", why);
        return 0;
    }
    const int64_t dims[4] = {channels, 1, factor(n, 2), factor(n, 3)};
    emit_begin(&e, r, n);
    struct tensor *ones = tensor_new(n->graph->model->arena, e.dtype, 4, dims);
    for (int64_t i = 0; i < ones->count; i++)
        num_set(tensor_writable(ones), e.dtype, i, 1);
    pass_rewrote(r, n, "Resize became ConvTranspose");
    emit_bind(&e, "x", node_input(n, 0));
    emit_bind(&e, "w", constant_new(n, ones, NULL));
    emit(&e, "y = ConvTranspose(x, w){group=%lld, kernel_shape=[%lld, %lld], strides=[%lld, %lld]}",
         (long long)channels, (long long)dims[2], (long long)dims[3], (long long)dims[2],
         (long long)dims[3]);
    emit_result(&e, 0, "y");
    emit_end(&e);
    return 0;
}
