/* See outputs.h. Each sample's bytes are kept as they came and handed to the writer as pieces. */
#include "cmd/outputs.h"

#include <string.h>

#include "base/mem.h"
#include "data/npz_write.h"

struct piece {
    enum dtype dtype;
    int rank;
    int64_t *dims;
    void *data;
    size_t bytes;
    bool given;
};

struct named {
    char *name;
    struct piece *pieces; /* by sample */
};

struct outputs {
    struct ctx *ctx;
    size_t samples;
    VEC(struct named) names;
};

struct outputs *outputs_new(struct ctx *ctx, size_t samples)
{
    struct outputs *o = mem_alloc(sizeof *o);
    o->ctx = ctx;
    o->samples = samples;
    return o;
}

static void drop_piece(struct piece *p)
{
    mem_free(p->dims);
    mem_free(p->data);
    *p = (struct piece){0};
}

void outputs_free(struct outputs *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->names.count; i++) {
        for (size_t k = 0; k < o->samples; k++)
            drop_piece(&o->names.data[i].pieces[k]);
        mem_free(o->names.data[i].pieces);
        mem_free(o->names.data[i].name);
    }
    vec_free(&o->names);
    mem_free(o);
}

size_t outputs_name(struct outputs *o, const char *name)
{
    struct named n = {.name = mem_alloc(strlen(name) + 1)};
    memcpy(n.name, name, strlen(name) + 1);
    n.pieces = mem_alloc((o->samples + 1) * sizeof *n.pieces);
    vec_push(&o->names, n);
    return o->names.count - 1;
}

int outputs_put(struct outputs *o, size_t index, size_t sample, const struct tensor *t)
{
    struct named *n = &o->names.data[index];
    struct piece *p = &n->pieces[sample];
    const struct where where = {.tensor = n->name};
    if (t->dtype == DT_STRING || t->dtype == DT_UNDEFINED)
        return diag_report(o->ctx->diag, E_NPZ_STRING, &where,
                           "'%s' holds strings or a sequence, an .npz cannot", n->name);
    drop_piece(p);
    p->data = mem_try_alloc_raw(t->bytes + 1);
    if (!p->data)
        return diag_report(o->ctx->diag, E_LIMIT_MEMORY, &where, "%zu bytes of output", t->bytes);
    if (t->bytes)
        memcpy(p->data, t->data, t->bytes);
    p->bytes = t->bytes;
    p->dtype = t->dtype;
    p->rank = t->rank;
    p->dims = mem_alloc(((size_t)t->rank + 1) * sizeof *p->dims);
    if (t->rank)
        memcpy(p->dims, t->dims, (size_t)t->rank * sizeof *p->dims);
    p->given = true;
    return 0;
}

static bool same_form(const struct piece *a, const struct piece *b)
{
    return a->given == b->given && a->dtype == b->dtype && a->rank == b->rank &&
           (!a->rank || memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0);
}

static int save_name(struct outputs *o, const struct named *n, struct npz_writer *w)
{
    const struct piece *first = &n->pieces[0];
    struct span *pieces = mem_alloc((o->samples + 1) * sizeof *pieces);
    int64_t *dims = mem_alloc(((size_t)first->rank + 1) * sizeof *dims);
    int code = 0;
    for (size_t i = 0; i < o->samples; i++) {
        if (!code && !same_form(first, &n->pieces[i]))
            code = diag_report(o->ctx->diag, E_RUN_OUTPUT, &(struct where){.tensor = n->name},
                               "'%s' of sample %zu has another shape than that of sample 0",
                               n->name, i);
        pieces[i] = (struct span){n->pieces[i].data, n->pieces[i].bytes};
    }
    bool joined = o->samples == 1 || (first->rank > 0 && first->dims[0] == 1);
    if (first->rank)
        memcpy(joined ? dims : dims + 1, first->dims, (size_t)first->rank * sizeof *dims);
    if (o->samples > 1)
        dims[0] = (int64_t)o->samples;
    struct npz_array a = {n->name, first->dtype, first->rank + !joined, dims, pieces, o->samples};
    if (!code && first->given)
        code = npz_add(w, &a);
    mem_free(pieces);
    mem_free(dims);
    return code;
}

int outputs_save(struct outputs *o, const char *path, bool force)
{
    struct npz_writer *w;
    int code = npz_create(&w, path, force, o->ctx->diag);
    if (code)
        return code;
    for (size_t i = 0; !code && o->samples && i < o->names.count; i++)
        code = save_name(o, &o->names.data[i], w);
    if (!code)
        return npz_commit(w);
    npz_abort(w);
    return code;
}
