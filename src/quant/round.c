/* What floats become in integers, seen as floats again: for measuring what a grid costs before any
 * node is written. Arithmetic is that of QuantizeLinear and DequantizeLinear in float32: clip(rint(x
 * / s) + z) - z, times s. */
#include <math.h>

#include "base/num.h"
#include "quant/quant.h"

void quant_round(float *to, const float *from, int64_t n, float scale, int32_t zero_point,
                 enum dtype dtype)
{
    float low = (float)(dtype_min(dtype) - zero_point),
          high = (float)(dtype_max(dtype) - zero_point);
    for (int64_t i = 0; i < n; i++) {
        float q = rintf(from[i] / scale);
        q = q < low ? low : q > high ? high : q; /* NaN stays */
        to[i] = q * scale;
    }
}

/* Elements whose integers were solved for: first .. first + n - 1 of channel c. */
static void from_integers(float *to, int64_t first, int64_t n, const struct quant *q, int64_t c)
{
    for (int64_t i = first; i < first + n; i++)
        to[i] = (float)(tensor_get(q->payload, i) - q->zero_point[c]) * q->scale[c];
}

struct tensor *quant_rounded(const struct value *v, struct arena *a)
{
    const struct tensor *t = v->constant;
    const struct quant *q = v->q;
    struct arena *scratch = arena_new();
    const float *from = tensor_aligned(t, scratch);
    struct tensor *made = from ? tensor_new(a, DT_FLOAT, t->rank, t->dims) : NULL;
    float *to = made ? tensor_writable(made) : NULL;
    int64_t inner = 1, channels = q->axis < 0 ? 1 : t->dims[q->axis];
    for (int i = q->axis < 0 ? 0 : q->axis + 1; i < t->rank; i++)
        inner *= t->dims[i];
    for (int64_t i = 0, run = 0; to && i < t->count; i += inner, run++) {
        int64_t c = q->n == 1 ? 0 : run % channels * q->n / channels;
        if (q->payload)
            from_integers(to, i, inner, q, c);
        else
            quant_round(to + i, from + i, inner, q->scale[c], q->zero_point[c], q->dtype);
    }
    arena_free(scratch);
    return made;
}
