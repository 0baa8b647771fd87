/* Activations: one range per group, then one grid for all its members. */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "quant/grid.h"
#include "quant/plan.h"

const struct quant *quant_new(struct quant_plan *p, const struct quant *q)
{
    struct arena *a = p->model->arena;
    size_t n = (size_t)q->n;
    struct quant *copy = arena_copy(a, q, sizeof *q);
    copy->scale = arena_copy(a, q->scale, n * sizeof *q->scale);
    copy->zero_point = arena_copy(a, q->zero_point, n * sizeof *q->zero_point);
    copy->rmin = q->rmin ? arena_copy(a, q->rmin, n * sizeof *q->rmin) : NULL;
    copy->rmax = q->rmax ? arena_copy(a, q->rmax, n * sizeof *q->rmax) : NULL;
    copy->method = q->method ? arena_string(a, q->method) : NULL;
    return copy;
}

/* Smallest and largest finite element; 0 and 0 of an empty one. */
static int constant_range(struct quant_plan *p, const struct value *v, double *low, double *high)
{
    struct ctx *ctx = p->model->ctx;
    struct where at = {.tensor = v->name};
    bool any = false;
    *low = *high = 0;
    for (int64_t i = 0; i < v->constant->count; i++) {
        double x = tensor_get(v->constant, i);
        if (!isfinite(x)) {
            if (!ctx->allow_nonfinite)
                return diag_report(ctx->diag, E_QUANT_NONFINITE, &at, "element %lld is %g",
                                   (long long)i, x);
            continue;
        }
        *low = any && *low < x ? *low : x;
        *high = any && *high > x ? *high : x;
        any = true;
    }
    return 0;
}

static int own_range(struct quant_plan *p, const struct value *v, quant_range_fn *range, void *user,
                     double *low, double *high)
{
    const struct quant_mark *m = quant_mark(p, v);
    if (m->has_range) {
        *low = m->low, *high = m->high;
        return 0;
    }
    if (value_is_constant(v))
        return constant_range(p, v, low, high);
    if (range(user, v, low, high) && isfinite(*low) && isfinite(*high) && *low <= *high)
        return 0;
    return diag_report(p->model->ctx->diag, E_QUANT_RANGE, &(struct where){.tensor = v->name},
                       "no range is known for '%s'", v->name);
}

struct group {
    bool any;
    double low, high;
};

static void widen(struct group *g, double low, double high)
{
    g->low = g->any && g->low < low ? g->low : low;
    g->high = g->any && g->high > high ? g->high : high;
    g->any = true;
}

static int measure_groups(struct quant_plan *p, quant_range_fn *range, void *user,
                          struct group *groups)
{
    for (uint32_t i = 0; i < p->marks.count; i++) {
        const struct value *v = p->model->values.data[i];
        const struct quant_mark *m = &p->marks.data[i];
        double low = 0, high = 0;
        if (v->removed || m->role != ROLE_ACTIVATION || m->silent)
            continue;
        int code = own_range(p, v, range, user, &low, &high);
        if (code)
            return code;
        widen(&groups[group_find(p, i)], low, high);
    }
    return 0;
}

static void assign(struct quant_plan *p, struct value *v, const struct group *g, const char *method)
{
    const struct target_operand *o = &p->settings.target->activation;
    struct grid grid =
        grid_of(target_dtype(o, p->settings.activation_bits), o->symmetric, o->narrow);
    uint32_t root = group_find(p, v->id);
    const struct quant_mark *m = quant_mark(p, v);
    float scale, rmin = (float)g->low, rmax = (float)g->high;
    int32_t zero_point;
    grid_params(&grid, g->low, g->high, &scale, &zero_point);
    struct quant q = {
        .dtype = grid.dtype,
        .axis = -1,
        .n = 1,
        .scale = &scale,
        .zero_point = &zero_point,
        .rmin = &rmin,
        .rmax = &rmax,
        .symmetric = grid.symmetric,
        .source = root != v->id  ? QUANT_TIED
                  : m->has_range ? QUANT_FIXED
                                 : QUANT_CALIBRATED,
        .method = method,
        .tied = root != v->id ? p->model->values.data[root] : NULL,
    };
    v->q = quant_new(p, &q);
}

int quant_choose(struct quant_plan *p, quant_range_fn *range, void *user, const char *method)
{
    struct group *groups = arena_array(p->arena, p->marks.count, sizeof *groups);
    int code = measure_groups(p, range, user, groups);
    if (code)
        return code;
    for (uint32_t i = 0; i < p->marks.count; i++) {
        struct value *v = p->model->values.data[i];
        struct quant_mark *m = &p->marks.data[i];
        if (v->removed || m->role != ROLE_ACTIVATION)
            continue;
        const struct group *g = &groups[group_find(p, i)];
        if (!g->any)
            return diag_report(p->model->ctx->diag, E_QUANT_RANGE,
                               &(struct where){.tensor = v->name}, "no range is known for '%s'",
                               v->name);
        m->low = g->low, m->high = g->high;
        assign(p, v, g, method);
    }
    code = choose_weights(p, "minmax");
    return code ? code : choose_biases(p);
}
