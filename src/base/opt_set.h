/* Inside of struct opt_set, shared by opt.c (values) and opt_parse.c (where they come from). */
#ifndef BASE_OPT_SET_H
#define BASE_OPT_SET_H
#include "base/opt.h"

struct opt_slot {
    const struct opt_group *group;
    const struct opt *opt;
    void *value, *values; /* its place, and the struct it lies in */
    const char *text;     /* as given; NULL: never */
    enum opt_origin origin;
};

struct opt_set {
    struct arena *arena;
    const struct opt_group *const *groups;
    struct opt_slot *slots;
    size_t count;
};

struct opt_slot *opt_slot_find(struct opt_set *s, const char *name); /* NULL when there is none */

/* False when the text does not parse. A value of a higher origin stays. */
bool opt_slot_set(struct opt_set *s, struct opt_slot *slot, const char *text,
                  enum opt_origin origin);

const char *opt_expected(struct arena *a, const struct opt *o); /* "an integer in 1..64" */
#endif
