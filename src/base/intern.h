/* One pointer per distinct string, so that names compare by address. Strings live as long as the
 * table. */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H
#include <stdbool.h>
#include <stddef.h>

struct intern;

struct intern *intern_new(void); /* returns owned */
void intern_free(struct intern *t);
const char *intern_bytes(struct intern *t, const void *bytes,
                         size_t size); /* NUL-terminated copy */
const char *intern(struct intern *t, const char *text);
bool intern_has(const struct intern *t, const char *text);
#endif
