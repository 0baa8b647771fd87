/* One scan before jansson parses, because it recurses and allocates without a bound: it counts
 * nesting and estimates the heap. Strings are skipped by their quotes alone, which is exact for
 * valid text and harmless for the rest. jansson's allocator is left alone: a program that links the
 * library may use jansson itself.
 */
#include "base/json_read.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

static int report(const char *name, enum err error, struct diag *diag, const char *what, int line,
                  int column)
{
    return diag_report(diag, error, &(struct where){.file = name}, "line %d, column %d: %s", line,
                       column, what);
}

struct scan {
    int line, column, depth;
    size_t heap; /* upper estimate of what jansson 2.14 takes on a 64-bit machine */
};

/* Measured with malloc's own overhead: a value with its slot in an array, an empty array, an empty
 * object. */
enum { VALUE_BYTES = 64, ARRAY_BYTES = 160, OBJECT_BYTES = 512 };

static bool open_bracket(struct scan *s, char c)
{
    s->heap += c == '[' ? ARRAY_BYTES : OBJECT_BYTES;
    return ++s->depth <= JSON_DEPTH;
}

/* False at the first bracket that is too deep. */
static bool scan(struct scan *s, const char *text, size_t size)
{
    bool quoted = false;
    *s = (struct scan){.line = 1, .heap = size};
    for (size_t i = 0; i < size; i++, s->column++) {
        char c = text[i];
        if (quoted) {
            i += c == '\\' && i + 1 < size;
            quoted = c != '"';
        } else if (c == '\n') {
            s->line++;
            s->column = 0;
        } else if (c == '"' || c == ',') {
            quoted = c == '"';
            s->heap += VALUE_BYTES;
        } else if (c == '[' || c == '{') {
            if (!open_bracket(s, c))
                return false;
        } else if (c == ']' || c == '}') {
            s->depth--;
        }
    }
    return true;
}

static bool fits_budget(size_t bytes)
{
    size_t limit = mem_limit(), used = mem_in_use();
    return limit == 0 || (used < limit && bytes <= limit - used);
}

int json_read_text(json_t **root, const void *text, size_t size, const char *name, enum err error,
                   struct diag *diag)
{
    const struct where where = {.file = name};
    struct scan s;
    *root = NULL;
    if (size > JSON_BYTES_MAX)
        return diag_report(diag, error, &where, "%zu bytes, at most %d are read", size,
                           (int)JSON_BYTES_MAX);
    if (!scan(&s, text, size))
        return report(name, error, diag, "brackets nest deeper than 64", s.line, s.column);
    if (!fits_budget(s.heap))
        return diag_report(diag, E_LIMIT_MEMORY, &where, "%zu bytes of JSON need about %zu bytes",
                           size, s.heap);
    json_error_t why;
    *root = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    return *root ? 0 : report(name, error, diag, why.text, why.line, why.column);
}

int json_read_path(json_t **root, const char *path, enum err error, struct diag *diag)
{
    struct mapped_file f;
    *root = NULL;
    int code = file_map(&f, path, diag);
    if (code)
        return code;
    code = json_read_text(root, f.data, f.size, path, error, diag);
    file_unmap(&f);
    return code;
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "null";
    }
}

static int wrong(const struct json_place *at, const char *key, const json_t *found,
                 const char *expected)
{
    return diag_report(at->diag, at->error, &(struct where){.file = at->file},
                       "key '%s' is %s, expected %s", key, type_name(found), expected);
}

int json_read_int(const struct json_place *at, const json_t *object, const char *key,
                  int64_t *value, int64_t initial)
{
    const json_t *found = json_object_get(object, key);
    *value = found ? json_integer_value(found) : initial;
    return found && !json_is_integer(found) ? wrong(at, key, found, "an integer") : 0;
}

int json_read_double(const struct json_place *at, const json_t *object, const char *key,
                     double *value, double initial)
{
    const json_t *found = json_object_get(object, key);
    *value = found ? json_number_value(found) : initial;
    return found && !json_is_number(found) ? wrong(at, key, found, "a number") : 0;
}

int json_read_bool(const struct json_place *at, const json_t *object, const char *key, bool *value,
                   bool initial)
{
    const json_t *found = json_object_get(object, key);
    *value = found ? json_is_true(found) : initial;
    return found && !json_is_boolean(found) ? wrong(at, key, found, "a boolean") : 0;
}

int json_read_string(const struct json_place *at, const json_t *object, const char *key,
                     const char **value, const char *initial)
{
    const json_t *found = json_object_get(object, key);
    *value = found ? json_string_value(found) : initial;
    return found && !json_is_string(found) ? wrong(at, key, found, "a string") : 0;
}

int json_read_array(const struct json_place *at, const json_t *object, const char *key,
                    const json_t **value)
{
    *value = json_object_get(object, key);
    return *value && !json_is_array(*value) ? wrong(at, key, *value, "an array") : 0;
}

int json_read_object(const struct json_place *at, const json_t *object, const char *key,
                     const json_t **value)
{
    *value = json_object_get(object, key);
    return *value && !json_is_object(*value) ? wrong(at, key, *value, "an object") : 0;
}

static bool is_known(const char *key, const char *const *known)
{
    while (*known && strcmp(key, *known) != 0)
        known++;
    return *known != NULL;
}

int json_check_keys(const struct json_place *at, const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) // NOLINT: jansson iterates without const
    {
        if (is_known(key, known))
            continue;
        const char *near = text_nearest(key, known);
        return diag_report(at->diag, at->error, &(struct where){.file = at->file},
                           "unknown key '%s'%s%s%s", key, near ? ", did you mean '" : "",
                           near ? near : "", near ? "'?" : "");
    }
    return 0;
}
