/* The three sources of option values: the command line, the environment, a JSON file. */
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/num.h"
#include "base/opt_set.h"
#include "base/text.h"

/* ---- command line ---- */

struct line {
    struct opt_set *set;
    char **argv;
    int count, at; /* at: the argument being looked at */
    struct diag *diag;
};

static int bad_value(struct line *l, const struct opt_slot *slot, const char *text)
{
    return diag_report(l->diag, E_OPTION_VALUE, NULL, "--%s: '%s' given, expected %s",
                       slot->opt->name, text, opt_expected(l->set->arena, slot->opt));
}

static int set_from_line(struct line *l, struct opt_slot *slot, const char *text)
{
    return opt_slot_set(l->set, slot, text, ORIGIN_FLAG) ? 0 : bad_value(l, slot, text);
}

/* One more of -v: the count so far plus one. */
static int raise_count(struct line *l, struct opt_slot *slot)
{
    int64_t now = slot->origin == ORIGIN_FLAG ? *(const int64_t *)slot->value : 0;
    return set_from_line(l, slot, arena_printf(l->set->arena, "%lld", (long long)now + 1));
}

/* inline_value: behind "=" or the letter, NULL when there is none. */
static int apply(struct line *l, struct opt_slot *slot, const char *inline_value)
{
    const struct opt *o = slot->opt;
    if (!opt_takes_value(o) && inline_value && o->kind == OPT_FLAG)
        return set_from_line(l, slot, inline_value); /* --force=false */
    if (o->kind == OPT_COUNT)
        return inline_value ? set_from_line(l, slot, inline_value) : raise_count(l, slot);
    if (o->kind == OPT_FLAG)
        return set_from_line(l, slot, "true");
    if (inline_value || o->kind == OPT_MAYBE)
        return set_from_line(l, slot, inline_value ? inline_value : "");
    if (l->at + 1 >= l->count)
        return diag_report(l->diag, E_OPTION_VALUE, NULL, "--%s needs a value: %s", o->name,
                           opt_expected(l->set->arena, o));
    return set_from_line(l, slot, l->argv[++l->at]);
}

static int unknown(struct line *l, const char *given, const char *name)
{
    struct nearest near = {0};
    for (size_t i = 0; i < l->set->count; i++)
        nearest_try(&near, name, l->set->slots[i].opt->name);
    if (!near.best)
        return diag_report(l->diag, E_UNKNOWN_OPTION, NULL, "unknown option '%s'", given);
    return diag_report_hint(l->diag, E_UNKNOWN_OPTION, NULL,
                            arena_printf(l->set->arena, "did you mean --%s?", near.best),
                            "unknown option '%s'", given);
}

static int parse_long(struct line *l, const char *given)
{
    const char *equals = strchr(given, '=');
    size_t length = equals ? (size_t)(equals - given) : strlen(given);
    char *name = arena_alloc(l->set->arena, length + 1);
    memcpy(name, given, length);
    struct opt_slot *slot = opt_slot_find(l->set, name + 2);
    if (slot)
        return apply(l, slot, equals ? equals + 1 : NULL);
    struct opt_slot *negated =
        strncmp(name, "--no-", 5) == 0 ? opt_slot_find(l->set, name + 5) : NULL;
    if (negated && negated->opt->kind == OPT_FLAG && !equals)
        return set_from_line(l, negated, "false");
    return unknown(l, name, name + 2);
}

static struct opt_slot *find_letter(struct opt_set *s, char letter)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->slots[i].opt->letter == letter)
            return &s->slots[i];
    return NULL;
}

/* A cluster: -qv, -t4, -o FILE. */
static int parse_short(struct line *l, const char *given)
{
    for (const char *c = given + 1; *c; c++) {
        struct opt_slot *slot = find_letter(l->set, *c);
        if (!slot)
            return unknown(l, arena_printf(l->set->arena, "-%c", *c), "");
        bool takes = opt_takes_value(slot->opt) && slot->opt->kind != OPT_MAYBE;
        int code = apply(l, slot, takes && c[1] ? c + 1 : NULL);
        if (code || takes)
            return code;
    }
    return 0;
}

static void add_argument(struct opt_set *s, struct opt_list *args, const char *text)
{
    const char **items = arena_array(s->arena, args->count + 2, sizeof *items);
    if (args->count)
        memcpy(items, args->items, args->count * sizeof *items);
    items[args->count++] = text;
    args->items = items;
}

int opt_parse_args(struct opt_set *s, int count, char **argv, struct opt_list *args,
                   struct diag *diag)
{
    struct line l = {s, argv, count, 0, diag};
    bool options = true;
    int first = 0;
    for (; l.at < count; l.at++) {
        const char *given = argv[l.at];
        int code = 0;
        if (options && !strcmp(given, "--"))
            options = false;
        else if (!options || given[0] != '-' || given[1] == '\0')
            add_argument(s, args, given);
        else
            code = given[1] == '-' ? parse_long(&l, given) : parse_short(&l, given);
        first =
            first ? first
                  : code; /* the rest is read all the same: every mistake is shown, --json holds */
    }
    return first;
}

/* ---- environment ---- */

static int set_from_variable(struct opt_set *s, struct opt_slot *slot, const char *variable,
                             const char *text, struct diag *diag)
{
    if (opt_slot_set(s, slot, text, ORIGIN_ENVIRONMENT))
        return 0;
    return diag_report_hint(diag, E_CONFIG, NULL, "correct the variable or unset it",
                            "%s: '%s' given, expected %s", variable, text,
                            opt_expected(s->arena, slot->opt));
}

int opt_parse_environment(struct opt_set *s, struct diag *diag)
{
    for (size_t i = 0; i < s->count; i++) {
        char *variable = opt_variable(s->arena, s->slots[i].opt);
        const char *text = getenv(variable);
        if (!text || !*text)
            continue;
        bool lines = s->slots[i].opt->kind == OPT_LIST;
        char *rest = arena_string(s->arena, text);
        for (char *item; (item = strsep(&rest, lines ? "\n" : ""));) {
            int code = *item ? set_from_variable(s, &s->slots[i], variable, item, diag) : 0;
            if (code)
                return code;
        }
    }
    return 0;
}

/* ---- configuration file ---- */

static const char *scalar_text(struct arena *a, const json_t *value)
{
    char number[NUM_TEXT];
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (json_is_integer(value))
        return arena_printf(a, "%lld", (long long)json_integer_value(value));
    if (!json_is_real(value))
        return NULL;
    num_text_f64(number, json_real_value(value));
    return arena_string(a, number);
}

static int set_from_file(const struct json_place *at, struct opt_set *s, struct opt_slot *slot,
                         const char *text)
{
    if (text && opt_slot_set(s, slot, text, ORIGIN_FILE))
        return 0;
    return diag_report(at->diag, at->error, &(struct where){.file = at->file},
                       "key '%s' is %s%s%s, expected %s", slot->opt->name,
                       text ? "'" : "not a plain value", text ? text : "", text ? "'" : "",
                       opt_expected(s->arena, slot->opt));
}

/* An array gives items, an object NAME=VALUE items (for --dim and --shape). */
static int set_list(const struct json_place *at, struct opt_set *s, struct opt_slot *slot,
                    const json_t *value)
{
    int code = 0;
    size_t index;
    const char *key;
    json_t *item;
    if (json_is_array(value)) {
        json_array_foreach(value, index, item)
        {
            code = code ? code : set_from_file(at, s, slot, scalar_text(s->arena, item));
        }
        return code;
    }
    json_object_foreach((json_t *)value, key, item) // NOLINT: jansson iterates without const
    {
        const char *text = scalar_text(s->arena, item);
        code = code ? code
                    : set_from_file(at, s, slot,
                                    text ? arena_printf(s->arena, "%s=%s", key, text) : NULL);
    }
    return code;
}

/* --json without a file is true in JSON. */
static int set_value(const struct json_place *at, struct opt_set *s, struct opt_slot *slot,
                     const json_t *value)
{
    if (slot->opt->kind == OPT_LIST && (json_is_array(value) || json_is_object(value)))
        return set_list(at, s, slot, value);
    if (slot->opt->kind == OPT_MAYBE && json_is_boolean(value))
        return json_is_true(value) ? set_from_file(at, s, slot, "") : 0;
    return set_from_file(at, s, slot, scalar_text(s->arena, value));
}

static int refuse_key(const struct json_place *at, const struct opt_set *s, const char *key)
{
    struct nearest near = {0};
    for (size_t i = 0; i < s->count; i++)
        nearest_try(&near, key, s->slots[i].opt->name);
    return diag_report(at->diag, at->error, &(struct where){.file = at->file},
                       "key '%s' is no option of any command%s%s%s", key,
                       near.best ? ", did you mean '" : "", near.best ? near.best : "",
                       near.best ? "'?" : "");
}

int opt_parse_config(struct opt_set *s, const char *path, bool (*is_known)(const char *name),
                     struct diag *diag)
{
    const struct json_place at = {path, E_CONFIG, diag};
    json_t *root, *value;
    const char *key;
    int code = json_read_path(&root, path, E_CONFIG, diag);
    if (code)
        return code;
    if (!json_is_object(root))
        code = diag_report(diag, E_CONFIG, &(struct where){.file = path},
                           "the text is not a JSON object");
    json_object_foreach(root, key, value)
    {
        struct opt_slot *slot = opt_slot_find(s, key);
        if (!code && slot)
            code = set_value(&at, s, slot, value);
        else if (!code && !is_known(key))
            code = refuse_key(&at, s, key);
    }
    json_decref(root);
    return code;
}
