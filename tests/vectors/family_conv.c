/* Convolutions: plain, grouped, depthwise, transposed; int8, int4 weights, int16 activations.
 * Weights lie OHWI; depthwise ones HWO. */
#include <stdlib.h>
#include <string.h>

#include "kernels/int/int_conv.h"
#include "vectors.h"

static const char *const WEIGHTS[] = {"weights", "input_weights", NULL},
                         *const MULTIPLIERS[] = {"output_mult", "output_multiplier", NULL},
                         *const BIASES[] = {"biases", "bias", "input_bias", NULL},
                         *const OUTPUTS[] = {"output_ref", "output", NULL};

struct problem {
    struct int_conv conv;
    struct int_output out;
    struct requant *requant;
    int32_t *x, *w, *y;
    int64_t *bias;
    const struct array *want;
    bool depthwise, transposed;
};

static int64_t taps(const struct problem *p) { return p->conv.kernel[1] * p->conv.kernel[2]; }

/* [o][kh][kw][i] to [o][i][kh][kw]; depthwise [kh][kw][o] to [o][1][kh][kw]; transposed
 * [o][kh][kw][i] to [i][o][kh][kw]. */
static int32_t *order_weights(const struct problem *p, const int32_t *w, int64_t per_group)
{
    int64_t o = p->conv.out_channels, k = taps(p);
    int32_t *out = calloc((size_t)(o * k * per_group) + 1, sizeof *out);
    for (int64_t m = 0; m < o; m++)
        for (int64_t t = 0; t < k; t++)
            for (int64_t i = 0; i < per_group; i++) {
                int32_t v = p->depthwise ? w[t * o + m] : w[(m * k + t) * per_group + i];
                out[p->transposed ? (i * o + m) * k + t : (m * per_group + i) * k + t] = v;
            }
    return out;
}

static int64_t per_group(const struct vectors *v, const struct problem *p, const struct array *w,
                         bool *packed)
{
    int64_t one = p->conv.out_channels * taps(p), full = one * p->conv.in_channels;
    *packed = w->item_bytes == 1 && (strstr(v->stem, "int4") != NULL);
    if (p->depthwise)
        return 1;
    int64_t held = *packed ? w->count * 2 : w->count;
    return held >= full ? p->conv.in_channels : held / one > 0 ? held / one : 1;
}

static void read_dims(const struct vectors *v, struct problem *p)
{
    static const char *const HEIGHT[] = {"input_h",  "filter_y",   "output_h",
                                         "stride_y", "dilation_y", "pad_y"};
    static const char *const WIDTH[] = {"input_w",  "filter_x",   "output_w",
                                        "stride_x", "dilation_x", "pad_x"};
    struct int_conv *c = &p->conv;
    int64_t *const rows[] = {c->in, c->kernel, c->out, c->stride, c->dilation, c->pad};
    for (int i = 0; i < 6; i++) {
        rows[i][0] = i == 5 ? 0 : 1;
        rows[i][1] = vectors_get(v, HEIGHT[i]);
        rows[i][2] = vectors_get(v, WIDTH[i]);
    }
    c->batch = vectors_get(v, "input_batches");
    c->in_channels = vectors_get(v, "in_ch");
    c->out_channels = vectors_get(v, "out_ch");
    c->x_zero = (int32_t)-vectors_get(v, "input_offset");
    p->depthwise = vectors_has(v, "ch_mult");
    p->transposed = vectors_has(v, "pad_x_with_offset");
}

static void read_output(const struct vectors *v, struct problem *p, bool wide)
{
    int64_t n = p->conv.out_channels;
    const struct array *m = vectors_first(v, MULTIPLIERS), *s = vectors_find(v, "output_shift");
    p->requant = calloc((size_t)n, sizeof *p->requant);
    for (int64_t i = 0; i < n; i++)
        p->requant[i] = (struct requant){wide ? REQUANT_TFL_S64 : REQUANT_TFL_DOUBLE, 0,
                                         (int32_t)m->data[i], (int32_t)s->data[i]};
    p->out = (struct int_output){p->requant,
                                 n,
                                 (int32_t)vectors_get(v, "output_offset"),
                                 (int32_t)vectors_get(v, "out_activation_min"),
                                 (int32_t)vectors_get(v, "out_activation_max"),
                                 wide ? 64 : 32,
                                 OVERFLOW_WRAP,
                                 NULL};
}

static void load(const struct vectors *v, struct problem *p)
{
    bool packed;
    read_dims(v, p);
    const struct array *x = vectors_find(v, "input"), *w = vectors_first(v, WEIGHTS),
                       *b = vectors_first(v, BIASES);
    struct int_conv *c = &p->conv;
    int64_t inputs = per_group(v, p, w, &packed);
    c->groups = p->depthwise ? c->in_channels : c->in_channels / inputs;
    int64_t n = c->out_channels * taps(p) * inputs;
    int32_t *flat = packed ? unpack4(w, n) : widen(w, n), *image = widen(x, -1);
    p->w = order_weights(p, flat, inputs);
    p->x = to_planes(image, c->batch, c->in[1], c->in[2], c->in_channels);
    p->bias = copy64(b, c->out_channels);
    c->bias = p->bias;
    p->want = vectors_first(v, OUTPUTS);
    /* int16 activations: with an int64 bias TFLite requantizes from 64 bits, else from 32 */
    read_output(v, p, x->item_bytes == 2 && b && b->item_bytes == 8);
    p->y = calloc((size_t)(c->batch * c->out_channels * c->out[1] * c->out[2]) + 1, sizeof *p->y);
    free(flat);
    free(image);
}

static bool finish(const struct vectors *v, struct problem *p)
{
    const struct int_conv *c = &p->conv;
    int32_t *rows = from_planes(p->y, c->batch, c->out_channels, c->out[1], c->out[2]);
    bool good = agree(v, rows, p->want, c->batch * c->out_channels * c->out[1] * c->out[2]);
    free(rows);
    free(p->x), free(p->w), free(p->y), free(p->bias), free(p->requant);
    return good;
}

static bool run(const struct vectors *v)
{
    struct problem p = {0};
    load(v, &p);
    if (p.transposed)
        int_conv_transpose(&p.conv, p.x, p.w, &p.out, p.y);
    else
        int_conv(&p.conv, p.x, p.w, &p.out, p.y);
    return finish(v, &p);
}

static bool is_conv(const struct vectors *v)
{
    return vectors_has(v, "stride_x") && vectors_has(v, "dilation_x") &&
           vectors_first(v, MULTIPLIERS);
}

static bool is_transposed(const struct vectors *v)
{
    return is_conv(v) && vectors_has(v, "pad_x_with_offset");
}

const struct family FAMILY_CONV = {"convolution", is_conv, run};
const struct family FAMILY_TRANSPOSE_CONV = {"transposed convolution", is_transposed, run};
