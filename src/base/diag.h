/* Diagnostics: one table (errors.def), one way to report. A function that fails reports once, where
 * the cause is known, and returns the negative code; its callers pass the code on. Thread-safe.
 *
 *   return diag_report(ctx->diag, E_SCAN_DEPTH, &(struct where){.file = path, .offset = at},
 *                      "messages nest %d deep, at most %d are read", depth, MAX_DEPTH);
 *
 * The message is lower case, without a full stop, subject in single quotes: what was found, what
 * was expected.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

enum exit_status {
    EXIT_NONE = 0,
    EXIT_GATE = 1,
    EXIT_USAGE = 64,
    EXIT_DATA = 65,
    EXIT_NOINPUT = 66,
    EXIT_UNSUPPORTED = 69,
    EXIT_INTERNAL = 70,
    EXIT_CANTCREAT = 73,
    EXIT_IO = 74,
    EXIT_LIMIT = 75,
    EXIT_CONFIG = 78,
};

enum err {
    E_NONE = 0,
#define ERR(name, number, severity, exit, title, hint) E_##name = (number),
#include "base/errors.def"
#undef ERR
};

struct err_info {
    enum err id;
    const char *name;
    enum severity severity;
    enum exit_status exit;
    const char *title, *hint;
};

/* Where it was found; all parts optional. offset counts bytes from the file's start; 0 means
 * unknown unless has_offset. */
struct where {
    const char *file, *node, *tensor;
    uint64_t offset;
    bool has_offset;
};

struct diagnostic {
    const struct err_info *info;
    const char *message, *hint; /* hint: the table's, or a better one */
    struct where where;         /* strings are copies */
};

struct diag;

/* Called under a lock for each new diagnostic, e.g. to print it. */
typedef void diag_sink(void *user, const struct diagnostic *d);

struct diag *diag_new(diag_sink *sink, void *user); /* returns owned; sink may be NULL */
void diag_free(struct diag *d);
int diag_report(struct diag *d, enum err id, const struct where *where, const char *format, ...)
    __attribute__((format(printf, 4, 5))); /* returns -id; where may be NULL */
int diag_report_hint(struct diag *d, enum err id, const struct where *where, const char *hint,
                     const char *format, ...)
    __attribute__((format(printf, 5, 6))); /* with a hint of its own; NULL: the table's */

size_t diag_count(const struct diag *d);
const struct diagnostic *diag_at(const struct diag *d, size_t index);
size_t diag_errors(const struct diag *d); /* how many are of severity ERROR */
enum exit_status
diag_exit(const struct diag *d); /* status of the first error; EXIT_NONE without one */

const struct err_info *err_find(int number); /* NULL when there is no such number */
size_t err_total(void);
const struct err_info *err_at(size_t index); /* in table order */
#endif
