/* Attribute values for people. */
#include "report/attr_text.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/num.h"

static const char *number(float f, struct arena *arena)
{
    char text[NUM_TEXT];
    num_text_f32(text, f);
    return arena_string(arena, text);
}

static const char *item(const struct attr *a, uint32_t i, struct arena *arena)
{
    if (a->type == ATTR_INTS)
        return arena_printf(arena, "%lld", (long long)a->ints[i]);
    if (a->type == ATTR_FLOATS)
        return number(a->floats[i], arena);
    return arena_printf(arena, "\"%.*s\"", (int)a->strings[i].size,
                        (const char *)a->strings[i].data);
}

static const char *list(const struct attr *a, struct arena *arena)
{
    const char *text = "[";
    if (a->n > ATTR_TEXT_ITEMS && a->type != ATTR_STRINGS) {
        size_t size = a->type == ATTR_INTS ? sizeof *a->ints : sizeof *a->floats;
        return arena_printf(arena, "[%u items, %016llx]", (unsigned)a->n,
                            (unsigned long long)XXH3_64bits(a->ints, a->n * size));
    }
    for (uint32_t i = 0; i < a->n; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", item(a, i, arena));
    return arena_printf(arena, "%s]", text);
}

static const char *tensor(const struct tensor *t, struct arena *arena)
{
    const char *text = arena_printf(arena, "%s[", dtype_name(t->dtype));
    for (int i = 0; i < t->rank; i++)
        text = arena_printf(arena, "%s%s%lld", text, i ? "," : "", (long long)t->dims[i]);
    return arena_printf(arena, "%s] tensor", text);
}

const char *attr_text(const struct attr *a, struct arena *arena)
{
    if (a->ref)
        return arena_printf(arena, "@%s", a->ref);
    switch (a->type) {
    case ATTR_INT:
        return arena_printf(arena, "%lld", (long long)a->i);
    case ATTR_FLOAT:
        return number(a->f, arena);
    case ATTR_STRING:
        return arena_printf(arena, "\"%.*s\"", (int)(a->s.size > 200 ? 200 : a->s.size),
                            (const char *)a->s.data);
    case ATTR_INTS:
    case ATTR_FLOATS:
    case ATTR_STRINGS:
        return list(a, arena);
    case ATTR_TENSOR:
        return tensor(a->tensor, arena);
    case ATTR_GRAPH:
        return "graph";
    default:
        return arena_printf(arena, "attribute of type %d", (int)a->type);
    }
}
