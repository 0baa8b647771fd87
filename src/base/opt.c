/* Values of a set of option groups: one slot per row, in table order. A slot remembers where its
 * value came from and the text it was made of. */
#include "base/opt.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/opt_set.h"
#include "base/text.h"

bool opt_takes_value(const struct opt *o) { return o->kind != OPT_FLAG && o->kind != OPT_COUNT; }

const char *opt_placeholder(const struct opt *o)
{
    if (!opt_takes_value(o))
        return NULL;
    return o->value ? o->value : o->choices ? o->choices : "VALUE";
}

const struct opt *opt_find(const struct opt_group *const *groups, const char *name)
{
    for (; *groups; groups++)
        for (const struct opt *o = (*groups)->rows; o->name; o++)
            if (!strcmp(o->name, name))
                return o;
    return NULL;
}

char *opt_variable(struct arena *arena, const struct opt *o)
{
    char *name = arena_printf(arena, "NPUPREP_%s", o->name);
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    return name;
}

struct opt_slot *opt_slot_find(struct opt_set *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (!strcmp(s->slots[i].opt->name, name))
            return &s->slots[i];
    return NULL;
}

/* ---- one value from text ---- */

static bool is_in_range(const struct opt *o, double value)
{
    return (o->low == 0 && o->high == 0) ||
           (value >= o->low && value <= o->high); /* exact: as in the table */
}

static bool parse_choice(const struct opt *o, const char *text, int *index)
{
    size_t length = strlen(text);
    const char *at = o->choices;
    for (*index = 0; at; ++*index) {
        size_t n = strcspn(at, "|");
        if (n == length && !strncmp(at, text, n))
            return true;
        at = at[n] ? at + n + 1 : NULL;
    }
    return false;
}

static bool parse_flag(const char *text, bool *value)
{
    static const char *const YES[] = {"1", "true", "yes", "on"}, *const NO[] = {"0", "false", "no",
                                                                                "off"};
    for (size_t i = 0; i < 4; i++)
        if (!strcmp(text, YES[i]) || !strcmp(text, NO[i])) {
            *value = !strcmp(text, YES[i]);
            return true;
        }
    return false;
}

static bool parse_int(const struct opt *o, const char *text, int64_t *value)
{
    return text_int(text, value) && is_in_range(o, (double)*value);
}

static bool parse_number(const struct opt *o, const char *text, double *value)
{
    return text_double(text, value) && isfinite(*value) && is_in_range(o, *value);
}

static void add_item(struct opt_set *s, struct opt_list *list, const char *text)
{
    const char **items =
        arena_array(s->arena, list->count + 2, sizeof *items); /* one spare: NULL-terminated */
    if (list->count)
        memcpy(items, list->items, list->count * sizeof *items);
    items[list->count++] = text;
    list->items = items;
}

static bool parse(struct opt_set *s, const struct opt_slot *slot, const char *text)
{
    void *to = slot->value;
    switch (slot->opt->kind) {
    case OPT_FLAG:
        return parse_flag(text, to);
    case OPT_COUNT:
    case OPT_INT:
        return parse_int(slot->opt, text, to);
    case OPT_NUMBER:
        return parse_number(slot->opt, text, to);
    case OPT_SIZE:
        return text_size(text, to);
    case OPT_CHOICE:
        return parse_choice(slot->opt, text, to);
    case OPT_LIST:
        add_item(s, to, text);
        return true;
    case OPT_TEXT:
    case OPT_MAYBE:
        *(const char **)to = text;
        return true;
    }
    return false;
}

bool opt_slot_set(struct opt_set *s, struct opt_slot *slot, const char *text,
                  enum opt_origin origin)
{
    if (origin < slot->origin)
        return true;
    bool appends = slot->opt->kind == OPT_LIST && slot->text && origin == slot->origin;
    if (slot->opt->kind == OPT_LIST && !appends)
        *(struct opt_list *)slot->value = (struct opt_list){0};
    text = arena_string(s->arena, text);
    slot->text = appends ? arena_printf(s->arena, "%s,%s", slot->text, text) : text;
    slot->origin = origin;
    return parse(s, slot, text);
}

const char *opt_expected(struct arena *a, const struct opt *o)
{
    switch (o->kind) {
    case OPT_FLAG:
        return "true or false";
    case OPT_COUNT:
    case OPT_INT:
        return o->low == 0 && o->high == 0
                   ? "an integer"
                   : arena_printf(a, "an integer in %.0f..%.0f", o->low, o->high);
    case OPT_NUMBER:
        return o->low == 0 && o->high == 0 ? "a number"
                                           : arena_printf(a, "a number in %g..%g", o->low, o->high);
    case OPT_SIZE:
        return "a size such as 512M or 4G";
    case OPT_CHOICE:
        return arena_printf(a, "one of %s", o->choices);
    default:
        return "a value";
    }
}

/* ---- the set ---- */

static size_t count_rows(const struct opt_group *const *groups)
{
    size_t n = 0;
    for (; *groups; groups++)
        for (const struct opt *o = (*groups)->rows; o->name; o++)
            n++;
    return n;
}

static void add_group(struct opt_set *s, const struct opt_group *group)
{
    char *values = arena_alloc(s->arena, group->size);
    for (const struct opt *o = group->rows; o->name; o++) {
        assert(!opt_slot_find(
            s, o->name)); /* two groups of one command with the same name: a defect of the tables */
        struct opt_slot *slot = &s->slots[s->count++];
        *slot = (struct opt_slot){
            .group = group, .opt = o, .value = values + o->offset, .values = values};
        bool parsed = !o->initial || opt_slot_set(s, slot, o->initial, ORIGIN_DEFAULT);
        assert(parsed);
        (void)parsed;
    }
}

struct opt_set *opt_set_new(struct arena *arena, const struct opt_group *const *groups)
{
    struct opt_set *s = arena_alloc(arena, sizeof *s);
    s->arena = arena;
    s->groups = groups;
    s->slots = arena_array(arena, count_rows(groups), sizeof *s->slots);
    for (; *groups; groups++)
        add_group(s, *groups);
    return s;
}

void *opt_values(const struct opt_set *s, const struct opt_group *group)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->slots[i].group == group)
            return s->slots[i].values;
    assert(0 && "the command does not list this group");
    return NULL;
}

size_t opt_total(const struct opt_set *s) { return s->count; }

struct opt_state opt_state_at(const struct opt_set *s, size_t index)
{
    const struct opt_slot *slot = &s->slots[index];
    return (struct opt_state){slot->group, slot->opt, slot->origin, slot->text};
}

enum opt_origin opt_origin_of(const struct opt_set *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (!strcmp(s->slots[i].opt->name, name))
            return s->slots[i].origin;
    return ORIGIN_DEFAULT;
}
