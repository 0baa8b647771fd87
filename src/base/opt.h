/* One table of options feeds parsing, -h, manual pages, completion, --config and NPUPREP_*
 * variables.
 *
 * A group is a table of rows and the struct its values land in; a command takes a list of groups.
 * Rows are written with designated initializers:
 *
 *   struct run_options { const char *taps; int64_t repeat; bool profile; };
 *   static const struct opt ROWS[] = {
 *       {OPT_AT(struct run_options, taps), .name = "taps", .kind = OPT_TEXT, .value = "NAME,...",
 *        .help = "also save these intermediate values"},
 *       {OPT_AT(struct run_options, repeat), .name = "repeat", .kind = OPT_INT, .value = "N",
 *        .initial = "1", .low = 1, .high = 1e9, .help = "run everything N times"},
 *       {OPT_AT(struct run_options, profile), .name = "profile", .help = "time per operator"},
 *       {0}};
 *   const struct opt_group RUN_GROUP = {"Options", ROWS, sizeof(struct run_options)};
 *
 * Precedence: flag > environment > file > default, whatever the order of the calls. A list of a
 * higher origin replaces that of a lower one. Every flag --x can be taken back by --no-x.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"

enum opt_kind {
    OPT_FLAG,   /* bool; takes no value */
    OPT_COUNT,  /* int64_t: how often it was given (-vv) */
    OPT_INT,    /* int64_t in low..high (both 0: any) */
    OPT_NUMBER, /* double in low..high (both 0: any finite) */
    OPT_SIZE,   /* uint64_t bytes: "64M" */
    OPT_TEXT,   /* const char *, NULL when not given */
    OPT_MAYBE,  /* const char *: NULL not given, "" given without =VALUE */
    OPT_CHOICE, /* int: index in choices */
    OPT_LIST,   /* struct opt_list: repeatable */
};

enum opt_complete { COMPLETE_NONE, COMPLETE_FILE, COMPLETE_FOLDER };

struct opt_list {
    const char **items;
    size_t count;
};

struct opt {
    size_t offset; /* by OPT_AT */
    const char *name;
    char letter; /* 0: none */
    enum opt_kind kind;
    const char *value;   /* placeholder in -h: "N", "PATH"; NULL: the choices, or VALUE */
    const char *initial; /* the default as a user would write it; NULL: false, 0, NULL, empty, first
                            choice */
    const char *choices; /* "a|b|c" */
    double low, high;
    enum opt_complete complete;
    const char *help; /* lower case, no full stop; the default is added by whoever prints it */
};
#define OPT_AT(type, member) .offset = offsetof(type, member)

struct opt_group {
    const char *title;      /* heading in -h */
    const struct opt *rows; /* ends with a row without name */
    size_t size;            /* of the struct of values */
};

enum opt_origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_FLAG };

struct opt_set;

/* groups: NULL-terminated, borrowed. Values start as their defaults, which must parse. All memory
 * comes from arena. */
struct opt_set *opt_set_new(struct arena *arena, const struct opt_group *const *groups);
void *opt_values(const struct opt_set *s,
                 const struct opt_group *group); /* its struct; asserts that s has the group */

/* argv[0..count): options anywhere, "--" ends them, "-" is positional. Positional arguments are
 * appended to args. Errors: E_UNKNOWN_OPTION with the nearest name, E_OPTION_VALUE. */
int opt_parse_args(struct opt_set *s, int count, char **argv, struct opt_list *args,
                   struct diag *diag);

/* NPUPREP_MAX_MEMORY=4G and so on; an empty value counts as not given; flags take 1/0, true/false,
 * yes/no, on/off. A list variable gives one item a line. Bad values: E_CONFIG. */
int opt_parse_environment(struct opt_set *s, struct diag *diag);

/* A JSON object: {"threads": 2, "force": true, "dim": {"batch": 1}, "data": ["a.npz", "b.npz"]}.
 * Keys for which is_known says true belong to other commands and are passed over; others are
 * refused (E_CONFIG) with the nearest name. */
int opt_parse_config(struct opt_set *s, const char *path, bool (*is_known)(const char *name),
                     struct diag *diag);

/* How every option stands: for --print-config. text is NULL for a value that was never given and
 * has no default. */
struct opt_state {
    const struct opt_group *group;
    const struct opt *opt;
    enum opt_origin origin;
    const char *text;
};
size_t opt_total(const struct opt_set *s);
struct opt_state opt_state_at(const struct opt_set *s, size_t index);
enum opt_origin opt_origin_of(const struct opt_set *s,
                              const char *name); /* ORIGIN_DEFAULT also for an unknown name */

const struct opt *opt_find(const struct opt_group *const *groups,
                           const char *name); /* NULL when there is none */
bool opt_takes_value(const struct opt *o);
const char *opt_placeholder(const struct opt *o);             /* NULL when it takes no value */
char *opt_variable(struct arena *arena, const struct opt *o); /* "NPUPREP_MAX_MEMORY" */
#endif
