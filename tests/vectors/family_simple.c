/* Pools, softmax, element-wise arithmetic, transposes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/int/int_binary.h"
#include "kernels/int/int_pool.h"
#include "kernels/int/int_softmax.h"
#include "vectors.h"

/* ---- pools ---- */

static bool is_pool(const struct vectors *v)
{
    return vectors_has(v, "padding_h") && vectors_has(v, "filter_h");
}

static bool pool(const struct vectors *v)
{
    int64_t n = vectors_get(v, "batch_size"), c = vectors_get(v, "input_c");
    struct int_pool p = {n * c,
                         {1, vectors_get(v, "input_h"), vectors_get(v, "input_w")},
                         {1, vectors_get(v, "filter_h"), vectors_get(v, "filter_w")},
                         {1, vectors_get(v, "output_h"), vectors_get(v, "output_w")},
                         {1, vectors_get(v, "stride_h"), vectors_get(v, "stride_w")},
                         {1, 1, 1},
                         {0, vectors_get(v, "padding_h"), vectors_get(v, "padding_w")},
                         {0, 0, 0},
                         (int32_t)vectors_get(v, "activation_min"),
                         (int32_t)vectors_get(v, "activation_max")};
    int32_t *image = widen(vectors_find(v, "input_tensor"), -1),
            *x = to_planes(image, n, p.in[1], p.in[2], c);
    int32_t *y = calloc((size_t)(n * c * p.out[1] * p.out[2]) + 1, sizeof *y);
    if (strncmp(v->stem, "max", 3))
        int_average_pool(&p, x, y);
    else
        int_max_pool(&p, x, y);
    int32_t *rows = from_planes(y, n, c, p.out[1], p.out[2]);
    bool good = agree(v, rows, vectors_find(v, "output"), n * c * p.out[1] * p.out[2]);
    free(image), free(x), free(y), free(rows);
    return good;
}

/* ---- softmax ---- */

/* 513 knots of f over [low, high], values as f * 2^15, all in float32 as TFLite's gen_lut does:
 * half of the interpolation error at each midpoint is folded into the knot. */
static void knots(double (*f)(double), float low, float high, int16_t table[513])
{
    float step = (high - low) / 512, inverse = 65536.0f / 2.0f * 65535.0f / 65535.0f;
    for (int i = 0; i < 512; i++) {
        float x = low + (float)i * step;
        float here = roundf((float)f(x) * inverse),
              middle = roundf((float)f(x + step / 2) * inverse);
        float ahead = (float)f(x + step) * inverse;
        float error = roundf((ahead + here) / 2) - middle;
        float value = fminf(fmaxf(here - roundf(error / 2), -32768), 32767);
        table[i] = (int16_t)value;
    }
    table[512] = (int16_t)fminf(fmaxf(roundf((float)f(high) * inverse), -32768), 32767);
}

static double over_one_plus(double x) { return 1 / (1 + x); }

static bool is_softmax(const struct vectors *v)
{
    return vectors_has(v, "row_size") && vectors_has(v, "num_rows");
}

static bool softmax(const struct vectors *v)
{
    const struct array *x = vectors_find(v, "input"), *want = vectors_find(v, "output_ref");
    int64_t rows = vectors_get(v, "num_rows"), size = vectors_get(v, "row_size");
    int32_t m = (int32_t)vectors_get(v, "input_mult"),
            left = (int32_t)vectors_get(v, "input_left_shift");
    int32_t *in = widen(x, -1), *y = calloc((size_t)(rows * size) + 1, sizeof *y);
    if (x->item_bytes == 2) {
        int16_t exps[513], reciprocals[513];
        knots(exp, -10, 0, exps);
        knots(over_one_plus, 0, 1, reciprocals);
        struct int_softmax16 p = {m, left, exps, reciprocals};
        int_softmax16(&p, in, rows, size, y);
    } else {
        bool wide = want->item_bytes == 2;
        struct int_softmax8 p = {m,
                                 left,
                                 (int32_t)vectors_get(v, "diff_min"),
                                 wide ? 16 : 8,
                                 wide ? INT16_MIN : -128,
                                 wide ? INT16_MAX : 127};
        int_softmax8(&p, in, rows, size, y);
    }
    bool good = agree(v, y, want, rows * size);
    free(in), free(y);
    return good;
}

/* ---- add, mul ---- */

static bool is_add_mul(const struct vectors *v)
{
    return vectors_find(v, "input1") && vectors_has(v, "output_mult");
}

static struct requant scale(const struct vectors *v, const char *m, const char *s)
{
    return (struct requant){REQUANT_TFL_DOUBLE, 0, (int32_t)vectors_get(v, m),
                            (int32_t)vectors_get(v, s)};
}

static bool add_mul(const struct vectors *v)
{
    int64_t n = vectors_get(v, "dst_size");
    int32_t *a = widen(vectors_find(v, "input1"), -1), *b = widen(vectors_find(v, "input2"), -1),
            *y = calloc((size_t)n + 1, sizeof *y);
    struct requant out = scale(v, "output_mult", "output_shift");
    struct int_output o = {&out,
                           1,
                           (int32_t)vectors_get(v, "output_offset"),
                           (int32_t)vectors_get(v, "out_activation_min"),
                           (int32_t)vectors_get(v, "out_activation_max"),
                           64,
                           OVERFLOW_WRAP,
                           NULL};
    struct int_broadcast shape = {1, {n}, {1}, {1}};
    int32_t a_zero = (int32_t)-vectors_get(v, "input1_offset"),
            b_zero = (int32_t)-vectors_get(v, "input2_offset");
    if (vectors_has(v, "left_shift")) {
        struct int_add p = {INT_ADD_THREE,
                            a_zero,
                            b_zero,
                            (int)vectors_get(v, "left_shift"),
                            scale(v, "input1_mult", "input1_shift"),
                            scale(v, "input2_mult", "input2_shift"),
                            0,
                            0,
                            0};
        int_add(&p, &shape, a, b, &o, y);
    } else {
        int_mul(a_zero, b_zero, &shape, a, b, &o, y);
    }
    bool good = agree(v, y, vectors_find(v, "output_ref"), n);
    free(a), free(b), free(y);
    return good;
}

/* ---- minimum, maximum ---- */

static bool is_min_max(const struct vectors *v)
{
    return vectors_find(v, "input_tensor_1") && vectors_has(v, "channel_1");
}

static void strides_of(const int64_t dims[4], int64_t stride[16])
{
    int64_t step = 1;
    for (int i = 3; i >= 0; i--) {
        stride[i] = dims[i] > 1 ? step : 0;
        step *= dims[i];
    }
}

static bool min_max(const struct vectors *v)
{
    static const char *const KEY[] = {"batch", "height", "width", "channel"};
    int64_t a_dims[4], b_dims[4], n = 1;
    struct int_broadcast shape = {.rank = 4};
    for (int i = 0; i < 4; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s_1", KEY[i]);
        a_dims[i] = vectors_get(v, key);
        snprintf(key, sizeof key, "%s_2", KEY[i]);
        b_dims[i] = vectors_get(v, key);
        shape.dims[i] = a_dims[i] > b_dims[i] ? a_dims[i] : b_dims[i];
        n *= shape.dims[i];
    }
    strides_of(a_dims, shape.a_stride);
    strides_of(b_dims, shape.b_stride);
    int32_t *a = widen(vectors_find(v, "input_tensor_1"), -1),
            *b = widen(vectors_find(v, "input_tensor_2"), -1);
    int32_t *y = calloc((size_t)n + 1, sizeof *y);
    (strncmp(v->stem, "max", 3) ? int_minimum : int_maximum)(&shape, a, b, y);
    bool good = agree(v, y, vectors_find(v, "output"), n);
    free(a), free(b), free(y);
    return good;
}

/* ---- transpose: the files give neither dims nor permutation, so any shape that explains the
 * output will do ---- */

static bool is_transpose(const struct vectors *v) { return vectors_has(v, "perm_size"); }

static bool explains(const struct array *x, const struct array *y, const int64_t dims[4],
                     const int perm[4])
{
    int64_t stride[4] = {dims[1] * dims[2] * dims[3], dims[2] * dims[3], dims[3], 1}, i = 0;
    const int64_t *d = dims;
    for (int64_t a = 0; a < d[perm[0]]; a++)
        for (int64_t b = 0; b < d[perm[1]]; b++)
            for (int64_t c = 0; c < d[perm[2]]; c++)
                for (int64_t e = 0; e < d[perm[3]]; e++, i++) {
                    int64_t from = a * stride[perm[0]] + b * stride[perm[1]] + c * stride[perm[2]] +
                                   e * stride[perm[3]];
                    if (x->data[from] != y->data[i])
                        return false;
                }
    return true;
}

static bool any_permutation(const struct array *x, const struct array *y, const int64_t dims[4])
{
    for (int code = 0; code < 256; code++) {
        int perm[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3};
        if ((1 << perm[0] | 1 << perm[1] | 1 << perm[2] | 1 << perm[3]) == 15 &&
            explains(x, y, dims, perm))
            return true;
    }
    return false;
}

static bool transpose(const struct vectors *v)
{
    const struct array *x = vectors_find(v, "input_tensor"), *y = vectors_find(v, "output");
    int64_t n = vectors_get(v, "size"), first = vectors_get(v, "perm_size") == 4 ? n : 1;
    for (int64_t a = 1; a <= first; a++)
        for (int64_t b = 1; n % a == 0 && b <= n / a; b++)
            for (int64_t c = 1; n / a % b == 0 && c <= n / a / b; c++) {
                int64_t dims[4] = {a, b, c, n / a / b / c};
                if (n / a / b % c == 0 && any_permutation(x, y, dims))
                    return true;
            }
    printf("%s: no permutation of any shape explains the output\n", v->stem);
    return false;
}

const struct family FAMILY_POOL = {"pool", is_pool, pool};
const struct family FAMILY_SOFTMAX = {"softmax", is_softmax, softmax};
const struct family FAMILY_ADD_MUL = {"add, mul", is_add_mul, add_mul};
const struct family FAMILY_MIN_MAX = {"minimum, maximum", is_min_max, min_max};
const struct family FAMILY_TRANSPOSE = {"transpose", is_transpose, transpose};
