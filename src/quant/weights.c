/* Weights and biases.
 *
 * Weights: per output channel, min and max over the float32 elements, grid of the target. One
 * weight is looked at at a time; nothing is rounded here (the writer does, from scale and zero
 * point). Biases: scale s_x * s_w in float32, zero point 0, int32 (reference "ONNX Runtime
 * QDQ" 2.3). When that product is too small for the bias, the weight's scale is raised first; over
 * all biases of a weight before any of them takes its scale, so that a shared weight is raised
 * once. */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "quant/grid.h"
#include "quant/plan.h"

struct span_of_channels {
    double *low, *high;
};

static int64_t inner_size(const struct tensor *t, int axis)
{
    int64_t inner = 1;
    for (int i = axis + 1; i < t->rank; i++)
        inner *= t->dims[i];
    return axis < 0 ? t->count : inner;
}

static int nonfinite(struct quant_plan *p, const struct value *v, int64_t i, double x)
{
    struct ctx *ctx = p->model->ctx;
    struct where at = {.tensor = v->name};
    return diag_report(ctx->diag, ctx->allow_nonfinite ? E_QUANT_NONFINITE_WARN : E_QUANT_NONFINITE,
                       &at, "element %lld is %g", (long long)i, x);
}

/* Smallest and largest element of every channel, zero included. */
static int measure(struct quant_plan *p, const struct value *v, const float *data, int axis,
                   double *low, double *high)
{
    const struct tensor *t = v->constant;
    int64_t inner = inner_size(t, axis), channels = axis < 0 ? 1 : t->dims[axis];
    for (int64_t i = 0, run = 0; i < t->count; run++) {
        int64_t c = run % channels, end = i + inner;
        float least = 0, most = 0;
        for (; i < end; i++) {
            float x = data[i];
            if (!isfinite(x) && nonfinite(p, v, i, (double)x) && !p->model->ctx->allow_nonfinite)
                return -E_QUANT_NONFINITE;
            least = isfinite(x) && x < least ? x : least;
            most = isfinite(x) && x > most ? x : most;
        }
        low[c] = (double)least < low[c] ? (double)least : low[c];
        high[c] = (double)most > high[c] ? (double)most : high[c];
    }
    return 0;
}

static void assign_weight(struct quant_plan *p, struct value *v, int axis, int64_t n,
                          const double *low, const double *high, const char *method)
{
    const struct target_operand *o = &p->settings.target->weight;
    struct grid grid = grid_of(target_dtype(o, p->settings.weight_bits), o->symmetric, o->narrow);
    float *scale = arena_array(p->arena, (size_t)n, sizeof *scale);
    float *rmin = arena_array(p->arena, (size_t)n, sizeof *rmin);
    float *rmax = arena_array(p->arena, (size_t)n, sizeof *rmax);
    int32_t *zero_point = arena_array(p->arena, (size_t)n, sizeof *zero_point);
    for (int64_t c = 0; c < n; c++) {
        grid_params(&grid, low[c], high[c], &scale[c], &zero_point[c]);
        rmin[c] = (float)low[c], rmax[c] = (float)high[c];
    }
    v->q = quant_new(p, &(struct quant){.dtype = grid.dtype,
                                        .axis = axis,
                                        .n = n,
                                        .scale = scale,
                                        .zero_point = zero_point,
                                        .rmin = rmin,
                                        .rmax = rmax,
                                        .symmetric = grid.symmetric,
                                        .source = QUANT_WEIGHT,
                                        .method = method});
}

static int choose_weight(struct quant_plan *p, struct value *v, const char *method)
{
    int axis = quant_mark(p, v)->axis;
    int64_t n = axis < 0 ? 1 : v->constant->dims[axis];
    struct arena *scratch = arena_new();
    double *low = arena_array(scratch, (size_t)n, sizeof *low);
    double *high = arena_array(scratch, (size_t)n, sizeof *high);
    const float *data = tensor_aligned(v->constant, scratch);
    int code = v->constant->count ? measure(p, v, data, axis, low, high) : 0;
    if (!code && n > 0)
        assign_weight(p, v, axis, n, low, high, method);
    arena_free(scratch);
    return code;
}

int choose_weights(struct quant_plan *p, const char *method)
{
    int code = 0;
    for (uint32_t i = 0; !code && i < p->marks.count; i++) {
        struct value *v = p->model->values.data[i];
        if (!v->removed && p->marks.data[i].role == ROLE_WEIGHT)
            code = choose_weight(p, v, method);
    }
    return code;
}

/* ---- biases ---- */

static bool all_zero(const int32_t *zero_point, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (zero_point[i])
            return false;
    return true;
}

/* Raises the scales of the weight where the bias needs it. */
static void raise_weight(struct quant_plan *p, const struct value *b)
{
    const struct quant_mark *m = quant_mark(p, b);
    struct value *w = p->model->values.data[m->w->id];
    const struct quant *q = w->q;
    if (!m->x->q || !q || quant_mark(p, w)->role != ROLE_WEIGHT || !all_zero(q->zero_point, q->n))
        return;
    float *scale = arena_copy(p->model->arena, q->scale, (size_t)q->n * sizeof *scale);
    int64_t count = b->constant->count;
    for (int64_t i = 0; i < count; i++) {
        float *s = &scale[q->n > 1 ? i % q->n : 0];
        *s = fmaxf(*s, grid_weight_scale(m->x->q->scale[0], *s, fabs(tensor_get(b->constant, i))));
    }
    struct quant *raised = arena_copy(p->model->arena, q, sizeof *q);
    raised->scale = scale;
    w->q = raised;
}

static void warn_clipped(struct quant_plan *p, const struct value *b, const float *scale, int64_t n)
{
    int64_t clipped = 0;
    for (int64_t i = 0; i < b->constant->count; i++) {
        double q = tensor_get(b->constant, i) / (double)scale[n > 1 ? i : 0];
        clipped += q > 2147483647.0 || q < -2147483648.0;
    }
    if (clipped)
        diag_report(p->model->ctx->diag, E_QUANT_BIAS_CLIPPED, &(struct where){.tensor = b->name},
                    "%lld of %lld elements are clipped", (long long)clipped,
                    (long long)b->constant->count);
}

static void choose_bias(struct quant_plan *p, struct value *b)
{
    const struct quant_mark *m = quant_mark(p, b);
    const struct quant *qx = m->x->q, *qw = m->w->q;
    int64_t n = m->axis >= 0 ? b->constant->count : 1;
    if (!qx || !qw)
        return;
    float *scale = arena_array(p->arena, (size_t)n, sizeof *scale);
    int32_t *zero_point = arena_array(p->arena, (size_t)n, sizeof *zero_point);
    for (int64_t i = 0; i < n; i++) {
        float product = qx->scale[0] * qw->scale[qw->n > 1 ? i % qw->n : 0];
        scale[i] = product > 0 ? product : 1; /* underflowed: the bias rounds to zero */
    }
    warn_clipped(p, b, scale, n);
    b->q = quant_new(p, &(struct quant){.dtype = DT_INT32,
                                        .axis = m->axis,
                                        .n = n,
                                        .scale = scale,
                                        .zero_point = zero_point,
                                        .symmetric = true,
                                        .source = QUANT_BIAS});
}

int choose_biases(struct quant_plan *p)
{
    for (int step = 0; step < 2; step++)
        for (uint32_t i = 0; i < p->marks.count; i++) {
            struct value *b = p->model->values.data[i];
            if (b->removed || p->marks.data[i].role != ROLE_BIAS)
                continue;
            if (step)
                choose_bias(p, b);
            else if (p->settings.target->bias_adjusts_weight)
                raise_weight(p, b);
        }
    return 0;
}
