/* Taps and checks: values shown while the model runs.
 *
 * A value in channels-last layout is put back into its own order of axes first, into the frame's
 * scratch, unless the taps take any order.
 */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "exec/plan.h"

/* [n][m][c] -> [n][c][m], elements of `size` bytes. */
static void to_channels_first(char *to, const char *from, int64_t n, int64_t m, int64_t c,
                              size_t size)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < c; k++)
            for (int64_t j = 0; j < m; j++)
                memcpy(to + (size_t)((i * c + k) * m + j) * size,
                       from + (size_t)((i * m + j) * c + k) * size, size);
}

static const struct tensor *plain(struct frame *f, const struct tensor *t)
{
    int64_t *dims = arena_array(f->scratch, (size_t)t->rank, sizeof *dims);
    int64_t c = t->dims[t->rank - 1], n = t->dims[0];
    int64_t m = n && c ? t->count / n / c : 0;
    dims[0] = n;
    dims[1] = c;
    memcpy(dims + 2, t->dims + 1, (size_t)(t->rank - 2) * sizeof *dims);
    struct tensor *p = tensor_new(f->scratch, t->dtype, t->rank, dims);
    if (p && p->bytes)
        to_channels_first(tensor_writable(p), t->data, n, m, c, (size_t)dtype_bits(t->dtype) / 8);
    return p;
}

int frame_show(struct frame *f, int slot)
{
    const struct exec_options *o = &f->worker->exec->options;
    const struct slot *s = &f->plan->slots.data[slot];
    const struct tensor *t = f->refs[slot];
    if (!o->tap || (!t->data && !t->strings && t->count))
        return 0;
    if (s->channels_last && !o->tap_any_order)
        t = plain(f, t);
    if (!t)
        return diag_report(f->worker->exec->ctx->diag, E_LIMIT_MEMORY, NULL, "no memory for a tap");
    exec_tap_fn *tap = s->channels_last && o->tap_any_order && o->tap_channels_last
                           ? o->tap_channels_last
                           : o->tap;
    return tap(o->tap_user, f->worker->sample, f->worker->index, s->value, t);
}

static bool all_finite(const struct tensor *t)
{
    if (t->dtype == DT_FLOAT) {
        const float *x = t->data;
        float sum = 0; /* x - x is 0, or NaN for NaN and infinities, and then stays NaN */
        for (int64_t i = 0; i < t->count; i++)
            sum += x[i] - x[i];
        return sum == 0;
    }
    if (!dtype_is_float(t->dtype))
        return true;
    for (int64_t i = 0; i < t->count; i++)
        if (!isfinite(num_get(t->data, t->dtype, i)))
            return false;
    return true;
}

int frame_check(struct frame *f, int step)
{
    const struct step *s = &f->plan->steps.data[step];
    for (int i = 0; i < s->n_out; i++) {
        if (s->out[i] < 0 || !f->refs[s->out[i]]->data || all_finite(f->refs[s->out[i]]))
            continue;
        const struct value *v = f->plan->slots.data[s->out[i]].value;
        const struct where where = {.node = s->origin ? node_label(s->origin) : NULL,
                                    .tensor = v ? v->name : NULL};
        struct ctx *ctx = f->worker->exec->ctx;
        int code = diag_report(
            ctx->diag, ctx->allow_nonfinite ? E_RUN_NONFINITE_SEEN : E_RUN_NONFINITE, &where,
            "'%s' gives NaN or infinity on sample %lld", s->label, (long long)f->worker->sample);
        return ctx->allow_nonfinite ? 0 : code;
    }
    return 0;
}
