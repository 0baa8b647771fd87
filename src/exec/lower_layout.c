/* Both orders of axes of a slot: what exists, and making the other one.
 *
 * A slot stands for a value in the model's order N, C, spatial...; its twin for the same value as
 * N, spatial..., C. Where the spatial extents are all 1 (or C is 1) both are the same bytes and one
 * is a view of the other. `made` holds for data that exists when the list of steps has run this
 * far.
 */
#include <string.h>

#include "base/num.h"
#include "exec/lower.h"

static void grow(struct lower *l)
{
    while (l->twin.count < l->p->slots.count) {
        vec_push(&l->twin, -1);
        vec_push(&l->made, false);
    }
}

static struct slot *slot_at(const struct lower *l, int slot) { return &l->p->slots.data[slot]; }

static int root_of(const struct lower *l, int slot)
{
    while (slot_at(l, slot)->kind == SLOT_VIEW)
        slot = slot_at(l, slot)->outer;
    return slot;
}

bool lower_made(const struct lower *l, int slot)
{
    int root = root_of(l, slot);
    if (slot_at(l, root)->kind != SLOT_STATIC)
        return true;
    return (size_t)root < l->made.count && l->made.data[root];
}

int lower_twin(const struct lower *l, int slot)
{
    return (size_t)slot < l->twin.count ? l->twin.data[slot] : -1;
}

void lower_set_twin(struct lower *l, int slot, int twin)
{
    grow(l);
    l->twin.data[slot] = twin;
}

void lower_set_made(struct lower *l, int slot)
{
    grow(l);
    l->made.data[slot] = true;
}

struct type lower_type(struct lower *l, const struct type *t)
{
    struct type out = *t;
    dim_t *dims = arena_array(l->p->arena, (size_t)t->rank, sizeof *dims);
    dims[0] = t->dims[0];
    dims[t->rank - 1] = t->dims[1];
    for (int i = 2; i < t->rank; i++)
        dims[i - 1] = t->dims[i];
    out.dims = dims;
    return out;
}

bool lower_trivial(const struct type *t)
{
    if (t->rank < 3 || dim_equals(t->dims[1], 1))
        return true;
    for (int i = 2; i < t->rank; i++)
        if (!dim_equals(t->dims[i], 1))
            return false;
    return true;
}

void lower_plain(struct lower *l, int slot)
{
    if (slot < 0 || lower_made(l, slot))
        return;
    int root = root_of(l, slot), twin = lower_twin(l, root);
    if (twin >= 0)
        vec_push(&l->steps, reorder_step(l, twin, root, false));
    lower_set_made(l, root);
}

/* A small constant operand is rewritten now. */
static int constant_twin(struct lower *l, int slot)
{
    const struct tensor *t = const_keep(l->b, l->p, slot);
    if (!t)
        return -1;
    struct type type = lower_type(l, &slot_at(l, slot)->type);
    int64_t *dims = arena_array(l->p->arena, (size_t)t->rank, sizeof *dims);
    type_tensor_dims(&type, dims);
    struct tensor *c = tensor_new(l->p->arena, t->dtype, t->rank, dims);
    int64_t n = t->dims[0], channels = t->dims[1], m = n && channels ? t->count / n / channels : 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < channels; k++)
            for (int64_t j = 0; j < m; j++) {
                int64_t from = (i * channels + k) * m + j, to = (i * m + j) * channels + k;
                if (dtype_is_int(t->dtype) || t->dtype == DT_BOOL)
                    num_set_int(tensor_writable(c), t->dtype, to, tensor_get_int(t, from));
                else
                    num_set(tensor_writable(c), t->dtype, to, tensor_get(t, from));
            }
    int twin = plan_const(l->p, NULL, c);
    slot_at(l, twin)->channels_last = true;
    return twin;
}

int lower_last(struct lower *l, int slot)
{
    int twin = lower_twin(l, slot);
    if (twin >= 0)
        return twin;
    struct type type = lower_type(l, &slot_at(l, slot)->type);
    lower_plain(l, slot);
    if (slot_at(l, slot)->kind == SLOT_CONST) {
        twin = constant_twin(l, slot);
    } else if (lower_trivial(&slot_at(l, slot)->type)) {
        twin = plan_slot(l->p, SLOT_VIEW, NULL, &type);
        slot_at(l, twin)->outer = root_of(l, slot);
        slot_at(l, twin)->channels_last = true;
    } else {
        twin = plan_slot(l->p, SLOT_STATIC, NULL, &type);
        slot_at(l, twin)->channels_last = true;
        lower_set_made(l, twin);
        vec_push(&l->steps, reorder_step(l, slot, twin, true));
    }
    lower_set_twin(l, slot, twin);
    return twin;
}

int lower_output(struct lower *l, int slot)
{
    struct type type = lower_type(l, &slot_at(l, slot)->type);
    int twin = plan_slot(l->p, SLOT_STATIC, NULL, &type);
    struct slot *s = slot_at(l, slot), *t = slot_at(l, twin);
    t->channels_last = true;
    t->value = s->value;
    if (lower_trivial(&s->type)) {
        s->kind = SLOT_VIEW;
        s->outer = twin;
        t->pinned = s->pinned;
    } else {
        t->tapped = s->tapped;
        s->tapped = false;
    }
    lower_set_twin(l, slot, twin);
    lower_set_made(l, twin);
    return twin;
}
