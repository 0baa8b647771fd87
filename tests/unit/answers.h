/* What a model answered, kept and compared: tensors, sequences of them, nothing. */
#ifndef TESTS_ANSWERS_H
#define TESTS_ANSWERS_H
#include <math.h>
#include <string.h>

#include "exec/exec.h"
#include "ops/op.h"

struct answers {
    size_t n;
    const struct tensor **out;
};

/* Deep: strings and items too. */
static inline const struct tensor *answer_copy(struct arena *a, const struct tensor *t)
{
    if (t->dtype == DT_UNDEFINED) { /* a sequence (ops/op.h) */
        struct sequence *s = arena_copy(a, t->data, sizeof *s);
        const struct tensor **items = arena_array(a, (size_t)s->count + 1, sizeof *items);
        for (int64_t i = 0; i < s->count; i++)
            items[i] = answer_copy(a, s->items[i]);
        s->items = items;
        struct tensor *copy = arena_alloc(a, sizeof *copy);
        copy->data = s;
        return copy;
    }
    struct tensor *c = tensor_new(a, t->dtype, t->rank, t->dims);
    if (t->dtype == DT_STRING) {
        struct span *strings = arena_array(a, (size_t)t->count + 1, sizeof *strings);
        for (int64_t i = 0; i < t->count; i++)
            strings[i] = (struct span){arena_copy(a, t->strings[i].data, t->strings[i].size),
                                       t->strings[i].size};
        c->strings = strings;
    } else if (t->bytes) {
        memcpy(tensor_writable(c), t->data, t->bytes);
    }
    return c;
}

/* Every bit. */
static inline bool answer_same(const struct tensor *a, const struct tensor *b)
{
    if (a->dtype != DT_UNDEFINED || b->dtype != DT_UNDEFINED)
        return tensor_same(a, b);
    const struct sequence *x = a->data, *y = b->data;
    if (x->count != y->count || x->kind != y->kind)
        return false;
    for (int64_t i = 0; i < x->count; i++)
        if (!answer_same(x->items[i], y->items[i]))
            return false;
    return true;
}

static inline bool answer_same_dims(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank && (!a->rank || !memcmp(a->dims, b->dims, (size_t)a->rank * 8));
}

/* Numbers of equal dims; the element type may be another. */
static inline bool answer_comparable(const struct tensor *a, const struct tensor *b)
{
    return a->dtype != DT_UNDEFINED && b->dtype != DT_UNDEFINED && a->dtype != DT_STRING &&
           b->dtype != DT_STRING && answer_same_dims(a, b);
}

/* From the truth, where that is finite: infinities and NaN may come out of another order. */
static inline double answer_distance(const struct tensor *a, const struct tensor *truth)
{
    double worst = 0;
    for (int64_t i = 0; i < a->count; i++) {
        double x = tensor_get(a, i), y = tensor_get(truth, i);
        if (!isfinite(y) || x == y)
            continue;
        double d = fabs(x - y);
        worst = d > worst || isnan(d) ? d : worst;
    }
    return worst;
}

static inline double answer_largest(const struct tensor *t)
{
    double m = 0;
    for (int64_t i = 0; i < t->count; i++)
        if (isfinite(tensor_get(t, i)) && fabs(tensor_get(t, i)) > m)
            m = fabs(tensor_get(t, i));
    return m;
}

/* Runs m once. false: refused or failed, reported to m->ctx. */
static inline bool answers_run(struct model *m, enum engine engine, const struct tensor *const *in,
                               struct arena *arena, struct answers *a)
{
    struct exec *x = exec_new(m, &(struct exec_options){.engine = engine});
    if (!x)
        return false;
    a->n = exec_outputs(x);
    const struct tensor **out = arena_array(arena, a->n + 1, sizeof *out);
    bool fine = exec_run(x, in, out) == 0;
    a->out = arena_array(arena, a->n + 1, sizeof *a->out);
    for (size_t i = 0; fine && i < a->n; i++)
        a->out[i] = answer_copy(arena, out[i]);
    exec_free(x);
    return fine;
}
#endif
