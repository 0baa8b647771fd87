/* Streaming JSON writer (RFC 8259). Keys stand in the order of the calls; floats in the shortest
 * text that reads back to the same value (of the float, for jw_f32); integers exact. Bytes that are
 * not UTF-8 become U+FFFD, control characters and U+2028/9 are escaped, so hostile names cannot
 * break the document. NaN and infinities have no JSON number: they are written as the strings
 * "nan", "inf", "-inf", or as null, as the writer was told.
 *
 *   struct json_writer *w = jw_new_outfile(out, 2);
 *   jw_object(w);
 *   jw_key_string(w, "name", node->name);
 *   jw_key(w, "scale"), jw_array_inline(w);
 *   for (...) jw_f32(w, scale[i]);
 *   jw_end(w);
 *   jw_end(w);
 *   int code = jw_free(w);
 *
 * Errors stick in the writer and come back from jw_free. Misuse (a value where a key is due) is an
 * assertion.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct outfile;
struct json_writer;

/* indent: spaces per level, 0 for one line. All return owned; none takes its target. */
struct json_writer *jw_new_outfile(struct outfile *out, int indent);
struct json_writer *jw_new_stream(FILE *out, int indent);
struct json_writer *jw_new_memory(int indent);
void jw_nonfinite_as_null(struct json_writer *w, bool as_null); /* the start: strings */
int jw_free(struct json_writer *w); /* adds the last newline; 0 or the first error's code */
char *jw_free_text(struct json_writer *w,
                   size_t *size); /* memory only: returns the owned, NUL-terminated text */

void jw_object(struct json_writer *w);
void jw_array(struct json_writer *w);
void jw_array_inline(struct json_writer *w); /* one line whatever the indent: for numbers */
void jw_end(struct json_writer *w);          /* closes the innermost object or array */
void jw_key(struct json_writer *w, const char *key);

void jw_string(struct json_writer *w, const char *text); /* NULL gives null */
void jw_bytes(struct json_writer *w, const void *text, size_t size);
void jw_int(struct json_writer *w, int64_t value);
void jw_uint(struct json_writer *w, uint64_t value);
void jw_f32(struct json_writer *w, float value);
void jw_f64(struct json_writer *w, double value);
void jw_bool(struct json_writer *w, bool value);
void jw_null(struct json_writer *w);

void jw_key_string(struct json_writer *w, const char *key, const char *text);
void jw_key_int(struct json_writer *w, const char *key, int64_t value);
void jw_key_uint(struct json_writer *w, const char *key, uint64_t value);
void jw_key_f32(struct json_writer *w, const char *key, float value);
void jw_key_f64(struct json_writer *w, const char *key, double value);
void jw_key_bool(struct json_writer *w, const char *key, bool value);
void jw_key_ints(struct json_writer *w, const char *key, const int64_t *values,
                 size_t count); /* inline array */
#endif
