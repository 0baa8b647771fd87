/* Elements as units, whatever their type: for the adapters of operators that only move them. See
 * adapt.h. */
#include "kernels/float/pack.h"
#include "ops/adapt.h"

size_t move_size(enum dtype t)
{
    int bits = dtype_bits(t);
    return t == DT_STRING ? sizeof(struct span) : bits < 8 ? 1 : (size_t)bits / 8;
}

static bool packed(enum dtype t) { return t != DT_STRING && pack_needed(t); }

const void *move_in(struct eval *e, uint32_t i)
{
    const struct tensor *t = e->in[i];
    if (t->dtype == DT_STRING)
        return t->strings;
    if (!packed(t->dtype))
        return t->data;
    uint8_t *units = eval_scratch(e, t->count, 1);
    if (units && t->count)
        pack_spread(t->dtype, t->data, units, t->count);
    return units;
}

void *move_out(struct eval *e, uint32_t i)
{
    const struct tensor *t = e->out[i];
    bool direct = t->dtype != DT_STRING && !packed(t->dtype);
    return direct ? out_data(e, i) : eval_scratch(e, t->count, move_size(t->dtype));
}

int move_store(struct eval *e, uint32_t i, const void *buffer)
{
    const struct tensor *t = e->out[i];
    if (t->dtype == DT_STRING)
        return eval_out_strings(e, i, buffer);
    if (packed(t->dtype) && t->count)
        pack_gather(t->dtype, buffer, out_data(e, i), t->count);
    return 0;
}

int eval_out_strings(struct eval *e, uint32_t i, const struct span *strings)
{
    struct tensor *t = e->out[i];
    union {
        const struct span *in;
        struct span *out;
    } room = {t->strings};
    for (int64_t k = 0; k < t->count; k++) {
        const void *bytes = arena_copy(e->keep, strings[k].data, strings[k].size);
        room.out[k] = (struct span){bytes, strings[k].size};
    }
    return 0;
}
