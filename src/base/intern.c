/* Interned strings: an arena for the text, a map for the look-up. */
#include "base/intern.h"

#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/mem.h"

struct intern {
    struct arena *text;
    struct map map;
};

struct intern *intern_new(void)
{
    struct intern *t = mem_alloc(sizeof *t);
    t->text = arena_new();
    return t;
}

void intern_free(struct intern *t)
{
    if (!t)
        return;
    map_release(&t->map);
    arena_free(t->text);
    mem_free(t);
}

const char *intern_bytes(struct intern *t, const void *bytes, size_t size)
{
    char *known = map_get(&t->map, bytes, size);
    if (known)
        return known;
    char *copy = arena_alloc(t->text, size + 1);
    if (size)
        memcpy(copy, bytes, size);
    *map_slot(&t->map, copy, size) = copy;
    return copy;
}

const char *intern(struct intern *t, const char *text)
{
    return intern_bytes(t, text, strlen(text));
}
bool intern_has(const struct intern *t, const char *text) { return map_has_str(&t->map, text); }
