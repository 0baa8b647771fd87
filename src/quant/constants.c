/* Constants with roles. One initializer has one q, so users that need it differently (a weight with
 * another axis, a bias of another layer, a float operator) get initializers of their own over the
 * same bytes. A constant with one user takes the role itself. Else every marked use goes to a copy
 * found by (constant, needs); in the end an original without users left gives its name to its first
 * copy, so a constant with several users of one need keeps the name it had. */
#include <string.h>

#include "ir/edit.h"
#include "quant/plan.h"

struct copy_key {
    uint32_t constant, role;
    int32_t axis;
    uint32_t x, w; /* value ids + 1, or 0 */
    int64_t repeat;
};

static uint32_t id_of(const struct value *v) { return v ? v->id + 1 : 0; }

static struct value *set_mark(struct quant_plan *p, struct value *v, const struct quant_mark *want)
{
    struct quant_mark *m = quant_mark(p, v);
    uint32_t parent = m->parent;
    *m = *want;
    m->parent = parent;
    return v;
}

static struct value *make_copy(struct quant_plan *p, struct value *v, const struct quant_mark *want)
{
    struct value *copy = value_constant(v->graph, v->name, v->constant);
    quant_mark(p, v)->copied = true;
    copy->source = v->source ? v->source : v;
    plan_fit(p);
    return set_mark(p, copy, want);
}

struct value *constant_mark(struct quant_plan *p, struct node *n, uint32_t i,
                            const struct quant_mark *want)
{
    struct value *v = node_input(n, i);
    if (v->n_uses == 1 && !v->is_input && !quant_mark(p, v)->copied)
        return set_mark(p, v, want);
    struct copy_key key;
    memset(&key, 0, sizeof key); /* padding is hashed too */
    key.constant = v->id, key.role = want->role, key.axis = want->axis, key.repeat = want->repeat;
    key.x = id_of(want->x), key.w = id_of(want->w);
    void **slot = map_slot(&p->copies, arena_copy(p->arena, &key, sizeof key), sizeof key);
    if (!*slot)
        *slot = make_copy(p, v, want);
    node_set_input(n, i, *slot);
    return *slot;
}

void constants_settle(struct quant_plan *p)
{
    struct model *m = p->model;
    for (size_t i = 0; i < p->copies.used; i++) { /* in the order of the first uses */
        const struct map_entry *e = &p->copies.entries[i];
        const struct copy_key *key = e->key;
        struct value *original = m->values.data[key->constant], *copy = e->value;
        if (original->removed || original->n_uses > 0 || original->is_input)
            continue;
        value_take_name(copy, original);
        value_remove(original);
    }
    map_release(&p->copies);
}
