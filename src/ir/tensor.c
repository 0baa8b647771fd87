/* Tensors: making them, reading elements, materialising recipes.
 *
 * Invariants: count is the product of dims; bytes is dtype_bytes(count); a recipe's source has the
 * same count and no recipe of its own with a permutation loop: recipes nest, and are evaluated
 * element by element in float64, rounded once per level.
 */
#include "ir/tensor.h"

#define XXH_INLINE_ALL
#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/num.h"

static struct tensor *shell(struct arena *a, enum dtype dtype, int rank, const int64_t *dims)
{
    int64_t count;
    size_t bytes;
    if (!num_product(dims, rank, &count) || !dtype_bytes(dtype, count, &bytes))
        return NULL;
    struct tensor *t = arena_alloc(a, sizeof *t);
    t->dtype = dtype;
    t->rank = rank;
    t->dims = arena_copy(a, dims, (size_t)rank * sizeof *dims);
    t->count = count;
    t->bytes = bytes;
    return t;
}

struct tensor *tensor_new(struct arena *a, enum dtype dtype, int rank, const int64_t *dims)
{
    struct tensor *t = shell(a, dtype, rank, dims);
    if (t && t->bytes)
        t->data = arena_alloc(a, t->bytes);
    return t;
}

struct tensor *tensor_view(struct arena *a, enum dtype dtype, int rank, const int64_t *dims,
                           const void *data)
{
    struct tensor *t = shell(a, dtype, rank, dims);
    if (t && t->bytes)
        t->data = data;
    return t;
}

void *tensor_writable(struct tensor *t)
{
    union {
        const void *in;
        void *out;
    } cast = {t->data};
    return cast.out;
}

struct tensor *tensor_scalar(struct arena *a, enum dtype dtype, double value)
{
    struct tensor *t = tensor_new(a, dtype, 0, NULL);
    num_set(tensor_writable(t), dtype, 0, value);
    return t;
}

struct tensor *tensor_ints(struct arena *a, const int64_t *values, int64_t count)
{
    struct tensor *t = tensor_new(a, DT_INT64, 1, &count);
    if (count)
        memcpy(tensor_writable(t), values, t->bytes);
    return t;
}

/* ---- recipes ---- */

/* Row-major index into the source of a recipe for element `index` of t; *channel: the index along
 * the recipe's axis. */
static int64_t source_index(const struct tensor *t, int64_t index, int64_t *channel)
{
    const struct recipe *r = t->recipe;
    int64_t at = 0;
    *channel = 0;
    for (int i = t->rank - 1; i >= 0; i--) {
        int64_t here = index % t->dims[i];
        index /= t->dims[i];
        if (i == r->axis && r->n > 1)
            *channel = here;
        int axis = r->perm ? r->perm[i] : i;
        int64_t stride = 1;
        for (int k = axis + 1; k < r->source->rank; k++)
            stride *= r->source->dims[k];
        at += here * stride;
    }
    return at;
}

/* Nearest integer, ties to even, of |x| < 2^51: beyond 2^52 doubles are whole, so the sum is
 * rounded there (default rounding mode). Unlike num_round_even it can be vectorised. */
static inline double round_even(double x) { return x + 0x1.8p52 - 0x1.8p52; }

/* The integer of a quantizing recipe; infinities saturate, NaN gives the zero point. */
static inline double quantized(double x, double scale, double zero, double low, double high)
{
    double q = x / scale;
    q = q < -0x1p40 ? -0x1p40 : q > 0x1p40 ? 0x1p40 : q;
    q = (q == q ? round_even(q) : 0) + zero; /* q != q only for NaN */
    return q < low ? low : q > high ? high : q;
}

static double recipe_value(const struct tensor *t, int64_t channel, double x)
{
    const struct recipe *r = t->recipe;
    double scale = r->scale ? r->scale[channel] : 1, addend = r->addend ? r->addend[channel] : 0;
    if (r->quantizes)
        return quantized(x, scale, addend, (double)dtype_min(t->dtype),
                         (double)dtype_max(t->dtype));
    return x * scale + addend;
}

static double recipe_get(const struct tensor *t, int64_t index)
{
    int64_t channel, from = source_index(t, index, &channel);
    return recipe_value(t, channel, tensor_get(t->recipe->source, from));
}

/* A run of int8 from float32, the usual weights. */
static void quantize_run(const struct tensor *t, int8_t *out, int64_t begin, int64_t end,
                         int64_t channel)
{
    const struct recipe *r = t->recipe;
    double scale = r->scale ? r->scale[channel] : 1, zero = r->addend ? r->addend[channel] : 0;
    const char *from = r->source->data;
    for (int64_t i = begin; i < end; i++) {
        float x;
        memcpy(&x, from + i * 4, sizeof x);
        out[i] = (int8_t)quantized((double)x, scale, zero, -128, 127);
    }
}

/* Inner loop over one run of equal channel: scale and addend are constant there. */
static void fill_run(const struct tensor *t, void *out, int64_t begin, int64_t end, int64_t channel)
{
    const struct recipe *r = t->recipe;
    double scale = r->scale ? r->scale[channel] : 1, addend = r->addend ? r->addend[channel] : 0;
    if (t->dtype == DT_FLOAT && r->source->dtype == DT_FLOAT && r->source->data) {
        const char *from = r->source->data;
        for (int64_t i = begin; i < end; i++) {
            float x;
            memcpy(&x, from + i * 4, sizeof x);
            ((float *)out)[i] = (float)((double)x * scale + addend);
        }
        return;
    }
    if (t->dtype == DT_INT8 && r->quantizes && r->source->dtype == DT_FLOAT && r->source->data) {
        quantize_run(t, out, begin, end, channel);
        return;
    }
    for (int64_t i = begin; i < end; i++)
        num_set(out, t->dtype, i, recipe_value(t, channel, tensor_get(r->source, i)));
}

static void materialise(const struct tensor *t, void *out)
{
    const struct recipe *r = t->recipe;
    if (r->perm) {
        for (int64_t i = 0; i < t->count; i++)
            num_set(out, t->dtype, i, recipe_get(t, i));
        return;
    }
    int64_t inner = 1, axis_size = r->n > 1 ? t->dims[r->axis] : 1;
    for (int k = r->axis + 1; r->n > 1 && k < t->rank; k++)
        inner *= t->dims[k];
    if (r->n <= 1)
        inner = t->count;
    for (int64_t i = 0, run = 0; i < t->count; i += inner, run++)
        fill_run(t, out, i, i + inner, r->n > 1 ? run % axis_size : 0);
}

const void *tensor_bytes_of(const struct tensor *t, struct arena *scratch)
{
    if (!t->recipe || !t->bytes)
        return t->data;
    void *out = arena_alloc(scratch, t->bytes);
    if (!t->recipe->source->recipe) {
        materialise(t, out);
        return out;
    }
    struct tensor source = *t->recipe->source, whole = *t; /* one recipe at a time */
    struct recipe recipe = *t->recipe;
    source.data = tensor_bytes_of(&source, scratch);
    source.recipe = NULL;
    recipe.source = &source;
    whole.recipe = &recipe;
    materialise(&whole, out);
    return out;
}

const void *tensor_aligned(const struct tensor *t, struct arena *scratch)
{
    const void *data = tensor_bytes_of(t, scratch);
    size_t align = (size_t)dtype_bits(t->dtype) / 8;
    align = align > 8 ? 8 : align;
    if (!data || align <= 1 || (uintptr_t)data % align == 0)
        return data;
    return arena_copy(scratch, data, t->bytes);
}

double tensor_get(const struct tensor *t, int64_t index)
{
    return t->recipe ? recipe_get(t, index) : num_get(t->data, t->dtype, index);
}

int64_t tensor_get_int(const struct tensor *t, int64_t index)
{
    return t->recipe ? num_trunc(recipe_get(t, index)) : num_get_int(t->data, t->dtype, index);
}

/* ---- questions ---- */

bool tensor_is_int_list(const struct tensor *t)
{
    return t->rank <= 1 && (t->dtype == DT_INT32 || t->dtype == DT_INT64) && t->count <= 1024 &&
           (t->data || t->count == 0);
}

bool tensor_all_equal(const struct tensor *t, double value)
{
    if (t->dtype == DT_STRING || (!t->data && !t->recipe && t->count))
        return false;
    for (int64_t i = 0; i < t->count; i++)
        if (tensor_get(t, i) != value) /* exact on purpose */
            return false;
    return true;
}

static bool same_strings(const struct tensor *a, const struct tensor *b)
{
    for (int64_t i = 0; i < a->count; i++)
        if (!span_equals(a->strings[i], b->strings[i]))
            return false;
    return true;
}

static bool same_recipe(const struct recipe *a, const struct recipe *b, int rank)
{
    size_t n = (size_t)a->n * sizeof(double), p = (size_t)rank * sizeof(int32_t);
    if (a->axis != b->axis || a->n != b->n || a->quantizes != b->quantizes ||
        !a->scale != !b->scale || !a->addend != !b->addend || !a->perm != !b->perm)
        return false;
    return (!a->scale || !memcmp(a->scale, b->scale, n)) &&
           (!a->addend || !memcmp(a->addend, b->addend, n)) &&
           (!a->perm || !memcmp(a->perm, b->perm, p)) && tensor_same(a->source, b->source);
}

bool tensor_same(const struct tensor *a, const struct tensor *b)
{
    if (a == b)
        return true;
    if (a->dtype != b->dtype || a->rank != b->rank ||
        (a->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims)))
        return false;
    if (a->dtype == DT_STRING)
        return same_strings(a, b);
    if (a->recipe || b->recipe)
        return a->recipe && b->recipe && same_recipe(a->recipe, b->recipe, a->rank);
    return a->bytes == 0 || a->data == b->data ||
           (a->data && b->data && !memcmp(a->data, b->data, a->bytes));
}

uint64_t tensor_hash(const struct tensor *t)
{
    uint64_t h =
        XXH3_64bits_withSeed(t->dims, (size_t)t->rank * sizeof *t->dims, (uint64_t)t->dtype);
    if (t->dtype == DT_STRING) {
        for (int64_t i = 0; i < t->count; i++)
            h = XXH3_64bits_withSeed(t->strings[i].data, t->strings[i].size, h);
        return h;
    }
    if (t->recipe) {
        uint64_t source = tensor_hash(t->recipe->source);
        h = XXH3_64bits_withSeed(&source, sizeof source, h);
        size_t n = (size_t)t->recipe->n * sizeof(double);
        return t->recipe->scale ? XXH3_64bits_withSeed(t->recipe->scale, n, h) : h;
    }
    return t->bytes && t->data ? XXH3_64bits_withSeed(t->data, t->bytes, h) : h;
}
