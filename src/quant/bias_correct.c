/* Bias correction (Nagel, van Baalen, Blankevoort, Welling, "Data-Free Quantization", ICCV 2019,
 * section 4.2): rounded weights W + D shift the mean of output channel m by
 *
 *   sum over input channels c and taps k of D[m, c, k] * E[x_c]
 *
 * which is taken off the bias. E[x_c] is the channel's mean over the calibration samples; what
 * padding adds at the borders is left out. The bias takes it as integers of its own scale
 * (value->q->payload), so the cost at run time is nothing, and the float graph stays as it is.
 *
 * Layers: Conv and Gemm with constant weight and quantized bias, Gemm without transA. Sums in
 * float64 in memory order.
 */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "quant/grid.h"
#include "quant/plan.h"

int quant_mean_axis(const struct value *v)
{
    if (v->type.kind != TYPE_TENSOR || v->type.rank < 2)
        return -1;
    value_each_use(u, v)
    {
        if (!u->node || u->index != 0 || !u->node->op)
            continue;
        if (node_is(u->node, "Conv"))
            return 1;
        if (node_is(u->node, "Gemm") && !node_int(u->node, "transA", 0))
            return v->type.rank - 1;
    }
    return -1;
}

/* The layer y[m] = sum of w[...] over inputs: how a weight's element lies. */
struct layer {
    const struct node *node;
    const struct value *x, *w;
    struct value *b;
    int64_t in, out, taps; /* channels; taps: kernel elements of a pair of channels */
    int64_t group;
    bool gemm, transposed;
};

static bool conv_layer(struct layer *l)
{
    const struct tensor *w = l->w->constant;
    l->group = node_int(l->node, "group", 1);
    if (w->rank < 3 || l->group < 1 || w->dims[0] % l->group != 0)
        return false;
    l->out = w->dims[0];
    l->in = w->dims[1] * l->group;
    l->taps = w->dims[0] && w->dims[1] ? w->count / (w->dims[0] * w->dims[1]) : 0;
    return true;
}

static bool gemm_layer(struct layer *l)
{
    const struct tensor *w = l->w->constant;
    if (w->rank != 2 || node_int(l->node, "transA", 0) || node_float(l->node, "beta", 1) == 0)
        return false; /* exactly zero: the bias does not count */
    l->gemm = true;
    l->transposed = node_int(l->node, "transB", 0) != 0;
    l->out = w->dims[l->transposed ? 0 : 1];
    l->in = w->dims[l->transposed ? 1 : 0];
    return true;
}

static bool read_layer(struct quant_plan *p, const struct node *n, struct layer *l)
{
    *l = (struct layer){
        .node = n, .x = node_input(n, 0), .w = node_input(n, 1), .b = node_input(n, 2)};
    if (!p->quantized.data[n->id] || !l->b || !l->b->q || l->b->q->source != QUANT_BIAS ||
        l->b->q->payload || quant_mark(p, l->w)->role != ROLE_WEIGHT)
        return false;
    bool known = node_is(n, "Conv") ? conv_layer(l) : node_is(n, "Gemm") && gemm_layer(l);
    return known && l->b->constant->count == l->out;
}

/* What rounding adds to element i. */
static double rounding(const struct quant *q, const float *w, int64_t i, int64_t channel)
{
    int64_t c = q->n > 1 ? channel : 0;
    int64_t k = grid_quantize((double)w[i], q->scale[c], q->zero_point[c], q->dtype);
    return (double)(k - q->zero_point[c]) * (double)q->scale[c] - (double)w[i];
}

static void conv_shift(const struct layer *l, const float *w, const double *mean, double *shift)
{
    int64_t in = l->in / l->group, out = l->out / l->group, i = 0;
    for (int64_t m = 0; m < l->out; m++)
        for (int64_t c = 0; c < in; c++) {
            double d = 0;
            for (int64_t k = 0; k < l->taps; k++, i++)
                d += rounding(l->w->q, w, i, m);
            shift[m] += d * mean[m / out * in + c];
        }
}

static void gemm_shift(const struct layer *l, const float *w, const double *mean, double *shift)
{
    int64_t rows = l->transposed ? l->out : l->in, columns = l->transposed ? l->in : l->out;
    double alpha = (double)node_float(l->node, "alpha", 1);
    double factor = alpha / (double)node_float(l->node, "beta", 1);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) {
            int64_t m = l->transposed ? r : c, k = l->transposed ? c : r;
            shift[m] += rounding(l->w->q, w, r * columns + c, m) * mean[k] * factor;
        }
}

/* The bias as integers, less the shift. */
static void set_payload(struct quant_plan *p, const struct layer *l, const double *shift)
{
    const struct tensor *b = l->b->constant;
    const struct quant *q = l->b->q;
    struct arena *a = p->model->arena;
    struct tensor *t = tensor_new(a, DT_INT32, b->rank, b->dims);
    for (int64_t i = 0; i < b->count; i++) {
        double scale = (double)q->scale[q->n > 1 ? i : 0];
        double x = (tensor_get(b, i) - shift[i]) / scale;
        num_set_int(tensor_writable(t), DT_INT32, i,
                    num_clamp(num_round_even(x), INT32_MIN, INT32_MAX));
    }
    struct quant *corrected = arena_copy(a, q, sizeof *q);
    corrected->payload = t;
    corrected->method = "bias-correction";
    l->b->q = corrected;
}

static bool all_finite(const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

static bool correct(struct quant_plan *p, const struct layer *l, quant_mean_fn *mean_of, void *user)
{
    struct arena *scratch = arena_new();
    double *mean = arena_array(scratch, (size_t)l->in, sizeof *mean);
    double *shift = arena_array(scratch, (size_t)l->out, sizeof *shift);
    bool known = mean_of(user, l->x, l->in, mean);
    if (known) {
        const float *w = tensor_aligned(l->w->constant, scratch);
        (l->gemm ? gemm_shift : conv_shift)(l, w, mean, shift);
        known = all_finite(shift, l->out);
    }
    if (known)
        set_payload(p, l, shift);
    arena_free(scratch);
    return known;
}

int64_t quant_correct_biases(struct quant_plan *p, quant_mean_fn *mean_of, void *user)
{
    int64_t corrected = 0;
    graph_each_node(n, p->model->graph)
    {
        struct layer l;
        if (read_layer(p, n, &l))
            corrected += correct(p, &l, mean_of, user);
    }
    return corrected;
}
