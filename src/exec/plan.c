/* Plans: making and freeing their parts, and what a type says about a size.
 *
 * Memory: lists of slots and steps are heap vectors while they grow; everything a slot or step
 * points to lies in the session's arena, except prepared states and large folded constants.
 */
#include "exec/plan.h"

#include <string.h>

#include "base/mem.h"
#include "base/num.h"

bool type_tensor_dims(const struct type *t, int64_t *dims)
{
    if (t->kind != TYPE_TENSOR || t->dtype == DT_UNDEFINED || t->rank < 0)
        return false;
    for (int i = 0; i < t->rank; i++) {
        int64_t size;
        if (!dim_is_const(t->dims[i], &size) || size < 0)
            return false;
        if (dims)
            dims[i] = size;
    }
    return true;
}

/* Strings take one span each in the block; their bytes lie elsewhere. */
static bool bytes_of(enum dtype dtype, int64_t count, size_t *bytes)
{
    if (dtype != DT_STRING)
        return dtype_bytes(dtype, count, bytes);
    if (count < 0 || (uint64_t)count > SIZE_MAX / sizeof(struct span))
        return false;
    *bytes = (size_t)count * sizeof(struct span);
    return true;
}

bool type_static(const struct type *t, size_t *bytes)
{
    if (!type_tensor_dims(t, NULL))
        return false;
    int64_t count = 1;
    size_t size;
    for (int i = 0; i < t->rank; i++) {
        int64_t d = 0;
        dim_is_const(t->dims[i], &d);
        if (d == 0) {
            count = 0;
            break;
        }
        if (__builtin_mul_overflow(count, d, &count))
            return false;
    }
    if (!bytes_of(t->dtype, count, &size))
        return false;
    if (bytes)
        *bytes = size;
    return true;
}

bool type_same(const struct type *a, const struct type *b)
{
    if (a->kind != b->kind || a->dtype != b->dtype || a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i] || !a->dims[i])
            return false;
    return true;
}

struct type type_from_dims(struct arena *a, struct dim_table *table, enum dtype dtype, int rank,
                           const int64_t *dims)
{
    dim_t *d = arena_array(a, (size_t)rank, sizeof *d);
    for (int i = 0; i < rank; i++)
        d[i] = dim_const(table, dims[i]);
    return (struct type){.kind = TYPE_TENSOR, .dtype = dtype, .rank = rank, .dims = d};
}

static struct type sequence_type(struct arena *a, const struct sequence *s)
{
    struct type *elem = arena_alloc(a, sizeof *elem);
    *elem = (struct type){.kind = TYPE_TENSOR, .dtype = s->dtype, .rank = -1};
    if (s->count && s->items[0] && s->items[0]->dtype == DT_UNDEFINED)
        *elem = sequence_type(a, s->items[0]->data);
    return (struct type){.kind = s->kind, .rank = -1, .elem = elem};
}

struct type type_from_tensor(struct arena *a, struct dim_table *table, const struct tensor *t)
{
    if (t->dtype == DT_UNDEFINED)
        return sequence_type(a, t->data);
    return type_from_dims(a, table, t->dtype, t->rank, t->dims);
}

int plan_slot(struct plan *p, enum slot_kind kind, const struct value *v, const struct type *t)
{
    struct slot s = {.kind = kind, .value = v, .outer = -1, .producer = -1, .last = -1};
    if (t)
        s.type = *t;
    s.storage = (int)p->slots.count;
    const struct bitset *tapped = &p->session->exec->tapped;
    s.tapped = v && tapped->words && bitset_has(tapped, v->id);
    if (kind == SLOT_STATIC)
        type_static(t, &s.bytes);
    vec_push(&p->slots, s);
    return s.storage;
}

int plan_const(struct plan *p, const struct value *v, const struct tensor *t)
{
    struct type type = type_from_tensor(p->arena, p->session->dims, t);
    int slot = plan_slot(p, SLOT_CONST, v, &type);
    p->slots.data[slot].constant = t;
    return slot;
}

struct step *plan_step(struct plan *p, const struct node *n, int n_in, int n_out)
{
    struct step s = {.node = n, .origin = n, .n_in = n_in, .n_out = n_out, .workspace = -1};
    s.in = arena_array(p->arena, (size_t)n_in, sizeof *s.in);
    s.out = arena_array(p->arena, (size_t)n_out, sizeof *s.out);
    if (n) {
        s.op = n->op;
        s.label = n->op_type;
    }
    vec_push(&p->steps, s);
    return &vec_last(&p->steps);
}

static void free_step(struct step *s)
{
    if (s->fast && s->fast->release && s->state)
        s->fast->release(s->state);
    for (int i = 0; i < s->n_graphs; i++)
        plan_free(s->plans[i]);
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->steps.count; i++)
        free_step(&p->steps.data[i]);
    for (size_t i = 0; i < p->slots.count; i++)
        arena_free(p->slots.data[i].owner);
    vec_free(&p->slots);
    vec_free(&p->steps);
    vec_free(&p->inputs);
    vec_free(&p->outputs);
    vec_free(&p->const_taps);
    vec_free(&p->late_views);
    mem_free(p);
}
