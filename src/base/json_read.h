/* JSON in, by jansson, for input nobody vouches for: depth and size are bounded before the parser
 * sees a byte, duplicate keys, invalid UTF-8, embedded NULs and numbers out of range are refused.
 * What it will take of the heap is estimated and held against --max-memory. */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H
#include <jansson.h>
#include <stddef.h>

#include "base/diag.h"

enum { JSON_DEPTH = 64 };          /* deepest nesting any of our formats needs is 8 */
enum { JSON_BYTES_MAX = 1 << 30 }; /* encodings of the largest models are tens of MB */

/* Reports error (E_JSON, or the reader's own) with line and column. root: a new reference, release
 * with json_decref. */
int json_read_text(json_t **root, const void *text, size_t size, const char *name, enum err error,
                   struct diag *diag);
int json_read_path(json_t **root, const char *path, enum err error,
                   struct diag *diag); /* "-": standard input */

/* Look-ups that say what was expected. key is looked up in object; a missing one gives the default
 * and 0. On a wrong type they report error at file and return its code. */
struct json_place {
    const char *file; /* for messages */
    enum err error;
    struct diag *diag;
};
int json_read_int(const struct json_place *at, const json_t *object, const char *key,
                  int64_t *value, int64_t initial);
int json_read_double(const struct json_place *at, const json_t *object, const char *key,
                     double *value, double initial);
int json_read_bool(const struct json_place *at, const json_t *object, const char *key, bool *value,
                   bool initial);
int json_read_string(const struct json_place *at, const json_t *object, const char *key,
                     const char **value, const char *initial); /* borrowed from object */
int json_read_array(const struct json_place *at, const json_t *object, const char *key,
                    const json_t **value); /* NULL */
int json_read_object(const struct json_place *at, const json_t *object, const char *key,
                     const json_t **value);

/* Refuses keys of object that are not in known (NULL-terminated), naming the nearest. */
int json_check_keys(const struct json_place *at, const json_t *object, const char *const *known);
#endif
