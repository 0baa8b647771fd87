/* Text from people and files: UTF-8, what a terminal may be shown, sizes, globs, nearest names. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 3629: shortest form, no surrogates, at most U+10FFFF. */
bool utf8_valid(const void *text, size_t size);
/* Bytes of the valid sequence at text (1..4), 0 when there is none; *code is its code point. */
size_t utf8_decode(const void *text, size_t size, uint32_t *code);

/* A copy that is safe on a terminal: control characters, invalid bytes and direction overrides
 * become \n \t \xNN \u{NNNN}. keep_newlines leaves \n as it is. Returns owned. */
char *text_printable(const char *text, bool keep_newlines);
size_t text_columns(const char *text); /* code points, for aligning tables */

/* "64M", "1.5G", "4096", "10KiB": powers of 1024, units K M G T with optional iB or B. "0" is 0. */
bool text_size(const char *text, uint64_t *bytes);
/* Whole text as a decimal number; no blanks, no trailing bytes, in range. */
bool text_int(const char *text, int64_t *value);
bool text_double(const char *text,
                 double *value); /* also "inf", "nan"; point as decimal mark in every locale */

/* Shell pattern over a whole name: * ? [a-z] [!a] and \ as escape; * matches "/" too. */
bool text_glob(const char *pattern, const char *name);

/* The candidate nearest to name by edit distance (swaps count once), or NULL when none is near
 * enough to be meant: at most 1 + length / 4 edits. names: NULL-terminated. */
const char *text_nearest(const char *name, const char *const *names);

/* The same one candidate at a time: start with a zeroed struct. */
struct nearest {
    const char *best;
    size_t distance;
};
void nearest_try(struct nearest *n, const char *name, const char *candidate);
#endif
