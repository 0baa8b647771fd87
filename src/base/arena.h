/* Bump allocation with stable pointers; everything is freed at once. Not thread-safe: one arena,
 * one owner. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);     /* returns owned */
void arena_free(struct arena *a);  /* NULL is allowed */
void arena_reset(struct arena *a); /* forgets all, keeps one chunk for reuse */

void *arena_alloc(struct arena *a,
                  size_t bytes); /* zeroed, aligned to 16; 0 bytes gives a pointer */
void *arena_array(struct arena *a, size_t count,
                  size_t size); /* checked product; overflow ends as mem_alloc does */
/* For sizes that come from input: a block of its own, contents indeterminate, or NULL when the memory budget or the system refuses. */
void *arena_try(struct arena *a, size_t bytes);
void *arena_copy(struct arena *a, const void *from, size_t bytes);
char *arena_string(struct arena *a, const char *text);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *format, va_list args);
size_t arena_bytes(const struct arena *a); /* held by its chunks */
#endif
