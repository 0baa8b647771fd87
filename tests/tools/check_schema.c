/* check_schema SCHEMA.json DOCUMENT.json: whether the document fits the schema, by the part of JSON
 * Schema (draft 2020-12) that our schemas use: type, properties, required, additionalProperties,
 * items, enum, const, minimum, maximum, minItems, maxItems, minLength, pattern-less strings, $ref
 * (same file "#/$defs/x", other file "x.json"), allOf, anyOf, if/then/else, and true/false. An
 * unknown keyword is an error, so that no rule is passed over; so is a key at the top of the document
 * that no schema describes. Prints every violation with its
 * place; status 1 when there is one, 2 when a file cannot be read.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATH_ROOM = 512 };

static char folder[PATH_ROOM]; /* of the schema */
static bool silent;            /* while trying the branches of anyOf and if */

static bool holds(const json_t *root, const json_t *schema, const json_t *value, const char *at);

static json_t *load(const char *path)
{
    json_error_t why;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!root)
        fprintf(stderr, "%s:%d: %s\n", path, why.line, why.text);
    return root;
}

static bool violation(const char *at, const char *what, const char *detail)
{
    if (!silent)
        printf("%s: %s %s\n", *at ? at : "(document)", what, detail);
    return false;
}

static bool is_type(const json_t *value, const char *type)
{
    if (!strcmp(type, "number"))
        return json_is_number(value);
    if (!strcmp(type, "integer"))
        return json_is_integer(value);
    static const char *const NAMES[] = {
        [JSON_OBJECT] = "object",   [JSON_ARRAY] = "array", [JSON_STRING] = "string",
        [JSON_INTEGER] = "integer", [JSON_REAL] = "number", [JSON_TRUE] = "boolean",
        [JSON_FALSE] = "boolean",   [JSON_NULL] = "null"};
    return !strcmp(NAMES[json_typeof(value)], type);
}

static bool check_type(const json_t *rule, const json_t *value, const char *at)
{
    size_t i;
    json_t *name;
    if (json_is_string(rule))
        return is_type(value, json_string_value(rule)) ||
               violation(at, "is not of type", json_string_value(rule));
    json_array_foreach(rule, i, name)
    {
        if (is_type(value, json_string_value(name)))
            return true;
    }
    return violation(at, "is of none of the", "types");
}

static bool check_enum(const json_t *rule, const json_t *value, const char *at)
{
    size_t i;
    json_t *one;
    json_array_foreach(rule, i, one)
    {
        if (json_equal(one, value))
            return true;
    }
    return violation(at, "is none of the", "listed values");
}

static const json_t *member(const json_t *schema, const char *key)
{
    return json_object_get(schema, key);
}

static bool check_required(const json_t *rule, const json_t *value, const char *at)
{
    size_t i;
    json_t *key;
    bool good = true;
    json_array_foreach(rule, i, key)
    {
        if (json_is_object(value) && !json_object_get(value, json_string_value(key)))
            good = violation(at, "lacks", json_string_value(key));
    }
    return good;
}

static bool check_members(const json_t *root, const json_t *schema, const json_t *value,
                          const char *at)
{
    const json_t *rules = member(schema, "properties"),
                 *rest = member(schema, "additionalProperties");
    const char *key;
    json_t *item;
    bool good = true;
    json_object_foreach((json_t *)value, key, item)
    {
        char place[PATH_ROOM];
        snprintf(place, sizeof place, "%s.%s", at, key);
        const json_t *rule = json_object_get(rules, key);
        if (rule || rest)
            good = holds(root, rule ? rule : rest, item, place) && good;
    }
    return good;
}

static bool check_items(const json_t *root, const json_t *rule, const json_t *value, const char *at)
{
    size_t i;
    json_t *item;
    bool good = true;
    json_array_foreach(value, i, item)
    {
        char place[PATH_ROOM];
        snprintf(place, sizeof place, "%s[%zu]", at, i);
        good = holds(root, rule, item, place) && good;
    }
    return good;
}

static bool follow(const json_t *root, const char *name, const json_t *value, const char *at)
{
    if (!strncmp(name, "#/$defs/", 8)) {
        const json_t *target = json_object_get(member(root, "$defs"), name + 8);
        return target ? holds(root, target, value, at)
                      : violation(at, "refers to an unknown", name);
    }
    char path[2 * PATH_ROOM], file[PATH_ROOM];
    const char *hash = strchr(name, '#');
    snprintf(file, sizeof file, "%.*s", (int)(hash ? hash - name : (long)strlen(name)), name);
    snprintf(path, sizeof path, "%s/%s", folder, file);
    json_t *other = load(path);
    if (!other)
        return violation(at, "refers to", name);
    bool good = hash ? follow(other, hash, value, at) : holds(other, other, value, at);
    json_decref(other);
    return good;
}

static bool check_all(const json_t *root, const json_t *rules, const json_t *value, const char *at)
{
    size_t i;
    json_t *rule;
    bool good = true;
    json_array_foreach(rules, i, rule) { good = holds(root, rule, value, at) && good; }
    return good;
}

static bool holds_silently(const json_t *root, const json_t *schema, const json_t *value)
{
    bool was = silent;
    silent = true;
    bool good = holds(root, schema, value, "");
    silent = was;
    return good;
}

static bool check_any(const json_t *root, const json_t *rules, const json_t *value, const char *at)
{
    size_t i;
    json_t *rule;
    json_array_foreach(rules, i, rule)
    {
        if (holds_silently(root, rule, value))
            return true;
    }
    return violation(at, "fits no branch of", "anyOf");
}

static bool check_if(const json_t *root, const json_t *schema, const json_t *value, const char *at)
{
    bool given = holds_silently(root, member(schema, "if"), value);
    const json_t *branch = member(schema, given ? "then" : "else");
    return !branch || holds(root, branch, value, at);
}

static bool check_number(const char *key, const json_t *rule, const json_t *value, const char *at)
{
    double limit = json_number_value(rule), number = json_number_value(value);
    if (!json_is_number(value))
        return true;
    bool good = !strcmp(key, "minimum") ? number >= limit : number <= limit;
    return good || violation(at, "is beyond its", key);
}

static bool check_length(const char *key, const json_t *rule, const json_t *value, const char *at)
{
    size_t limit = (size_t)json_integer_value(rule), n = json_array_size(value);
    if (!strcmp(key, "minLength"))
        return !json_is_string(value) || json_string_length(value) >= limit ||
               violation(at, "breaks", key);
    if (!json_is_array(value))
        return true;
    return (!strcmp(key, "minItems") ? n >= limit : n <= limit) || violation(at, "breaks", key);
}

static bool is_one_of(const char *key, const char *const *names)
{
    while (*names && strcmp(*names, key) != 0)
        names++;
    return *names != NULL;
}

static bool check_keyword(const json_t *root, const json_t *schema, const char *key,
                          const json_t *value, const char *at)
{
    static const char *const SILENT[] = {"$schema",     "$id",  "$defs", "title",
                                         "description", "then", "else",  "additionalProperties",
                                         NULL};
    static const char *const LENGTHS[] = {"minItems", "maxItems", "minLength", NULL};
    const json_t *rule = member(schema, key);
    if (!strcmp(key, "type"))
        return check_type(rule, value, at);
    if (!strcmp(key, "properties"))
        return check_members(root, schema, value, at);
    if (!strcmp(key, "required"))
        return check_required(rule, value, at);
    if (!strcmp(key, "items"))
        return !json_is_array(value) || check_items(root, rule, value, at);
    if (!strcmp(key, "enum"))
        return check_enum(rule, value, at);
    if (!strcmp(key, "const"))
        return json_equal(rule, value) || violation(at, "is not the", "constant");
    if (!strcmp(key, "minimum") || !strcmp(key, "maximum"))
        return check_number(key, rule, value, at);
    if (is_one_of(key, LENGTHS))
        return check_length(key, rule, value, at);
    if (!strcmp(key, "$ref"))
        return follow(root, json_string_value(rule), value, at);
    if (!strcmp(key, "allOf"))
        return check_all(root, rule, value, at);
    if (!strcmp(key, "anyOf"))
        return check_any(root, rule, value, at);
    if (!strcmp(key, "if"))
        return check_if(root, schema, value, at);
    if (is_one_of(key, SILENT))
        return true;
    silent = false;
    return violation(at, "schema with the unknown keyword", key);
}

static bool holds(const json_t *root, const json_t *schema, const json_t *value, const char *at)
{
    const char *key;
    json_t *rule;
    bool good = true;
    if (json_is_boolean(schema))
        return json_is_true(schema) || violation(at, "is not", "allowed here");
    json_object_foreach((json_t *)schema, key, rule)
    {
        good = check_keyword(root, schema, key, value, at) && good;
    }
    if (member(schema, "additionalProperties") && !member(schema, "properties"))
        good = check_members(root, schema, value, at) && good;
    return good;
}

/* Whether a key of the document is described, by the schema itself or by one that its allOf refers to. */
static bool is_described(const json_t *schema, const char *key)
{
    size_t i;
    json_t *part;
    if (json_object_get(member(schema, "properties"), key))
        return true;
    json_array_foreach(member(schema, "allOf"), i, part)
    {
        char path[2 * PATH_ROOM];
        snprintf(path, sizeof path, "%s/%s", folder, json_string_value(member(part, "$ref")));
        json_t *other = load(path);
        bool found = other && is_described(other, key);
        json_decref(other);
        if (found)
            return true;
    }
    return false;
}

/* Readers must allow keys they do not know, but a schema of ours describes every one its command writes. */
static bool check_described(const json_t *schema, const json_t *document)
{
    const char *key;
    json_t *value;
    bool good = true;
    json_object_foreach((json_t *)document, key, value)
    {
        if (!is_described(schema, key))
            good = violation(key, "is not described by", "the schema");
    }
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: check_schema SCHEMA.json DOCUMENT.json\n");
        return 2;
    }
    const char *slash = strrchr(argv[1], '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - argv[1]) : 1,
             slash ? argv[1] : ".");
    json_t *schema = load(argv[1]), *document = schema ? load(argv[2]) : NULL;
    if (!document)
        return 2;
    bool good = holds(schema, schema, document, "");
    good = check_described(schema, document) && good;
    json_decref(schema);
    json_decref(document);
    return good ? 0 : 1;
}
