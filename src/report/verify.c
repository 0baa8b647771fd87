/* See verify.h. */
#include "report/verify.h"

#include <string.h>

#include "base/mem.h"

struct kept {
    struct tensor tensor;
    int64_t *dims; /* owned */
    void *data;    /* owned */
};

struct sample {
    struct kept *kept; /* per output; NULL: nothing */
    struct metrics *metrics;
    bool compared;
};

struct verify {
    struct ctx *ctx;
    size_t samples, outputs;
    struct sample *sample;
};

struct verify *verify_new(size_t samples, size_t outputs, struct ctx *ctx)
{
    struct verify *v = mem_alloc(sizeof *v);
    *v = (struct verify){ctx, samples, outputs, mem_alloc((samples + 1) * sizeof *v->sample)};
    return v;
}

static void drop(struct verify *v, struct sample *s)
{
    for (size_t i = 0; s->kept && i < v->outputs; i++) {
        mem_free(s->kept[i].dims);
        mem_free(s->kept[i].data);
    }
    mem_free(s->kept);
    s->kept = NULL;
}

void verify_free(struct verify *v)
{
    if (!v)
        return;
    for (size_t k = 0; k < v->samples; k++) {
        drop(v, &v->sample[k]);
        mem_free(v->sample[k].metrics);
    }
    mem_free(v->sample);
    mem_free(v);
}

static bool copy(struct kept *k, const struct tensor *t)
{
    size_t rank = (size_t)t->rank * sizeof *t->dims;
    k->dims = mem_alloc(rank + 1);
    k->data = mem_try_alloc_raw(t->bytes + 1);
    if (!k->data)
        return false;
    memcpy(k->dims, t->dims, rank);
    if (t->bytes)
        memcpy(k->data, t->data, t->bytes);
    k->tensor = *t;
    k->tensor.dims = k->dims, k->tensor.data = k->data;
    return true;
}

static bool comparable(const struct tensor *t)
{
    return dtype_is_float(t->dtype) || dtype_is_int(t->dtype) || t->dtype == DT_BOOL;
}

int verify_keep(struct verify *v, size_t k, const struct tensor *const *out)
{
    struct sample *s = &v->sample[k];
    drop(v, s);
    s->kept = mem_alloc((v->outputs + 1) * sizeof *s->kept);
    for (size_t i = 0; i < v->outputs; i++)
        if (comparable(out[i]) && !copy(&s->kept[i], out[i]))
            return diag_report(v->ctx->diag, E_LIMIT_MEMORY, NULL,
                               "no memory for the float outputs of %zu samples", v->samples);
    return 0;
}

int verify_compare(struct verify *v, size_t k, const struct tensor *const *out)
{
    struct sample *s = &v->sample[k];
    if (!s->kept)
        return 0;
    s->metrics = s->metrics ? s->metrics : mem_alloc((v->outputs + 1) * sizeof *s->metrics);
    for (size_t i = 0; i < v->outputs; i++)
        if (s->kept[i].data && !metrics_add(&s->metrics[i], &s->kept[i].tensor, out[i]))
            return diag_report(v->ctx->diag, E_VERIFY_SHAPE, NULL,
                               "output %zu of sample %zu has another shape than in float", i, k);
    s->compared = true;
    drop(v, s);
    return 0;
}

size_t verify_samples(const struct verify *v)
{
    size_t n = 0;
    for (size_t k = 0; k < v->samples; k++)
        n += v->sample[k].compared;
    return n;
}

struct metrics verify_metrics(const struct verify *v, size_t output)
{
    struct metrics m = {0};
    for (size_t k = 0; k < v->samples; k++)
        if (v->sample[k].compared)
            metrics_join(&m, &v->sample[k].metrics[output]);
    return m;
}
