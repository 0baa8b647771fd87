/* The built-in target profiles, as they stand in src/targets/NAME.json; ends with a row of zeros. */
#ifndef TARGETS_EMBEDDED_H
#define TARGETS_EMBEDDED_H
#include <stddef.h>

struct embedded_target {
    const char *name, *text;
    size_t size;
};
extern const struct embedded_target EMBEDDED_TARGETS[];
#endif
