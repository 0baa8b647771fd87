/* The talk on stderr. One writer for log lines, diagnostics and the progress line, so that they
 * never mix within a line. Everything is made safe for a terminal (text_printable). Thread-safe.
 * Results do not go through here. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include <stdarg.h>
#include <stdbool.h>

#include "base/diag.h"

enum log_level {
    LOG_QUIET = -1,
    LOG_NORMAL = 0,
    LOG_VERBOSE = 1,
    LOG_DEBUG = 2
}; /* -q, none, -v, -vv */
enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

void log_setup(enum log_level level, enum color color);
enum log_level log_level(void);

/* Whether to colour what goes to fd: always and never as asked; auto: a terminal, TERM is not dumb,
 * NO_COLOR is unset or empty (no-color.org); CLICOLOR_FORCE turns it on without a terminal. */
bool log_color(int fd);

/* A line "npuprep: ..." when the level is at least this. The format has no newline. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "npuprep: error E0231: message (file, node 'n', byte 12)" and a hint line; notes only with -v,
 * warnings not with -q. */
void log_diagnostic(const struct diagnostic *d);
char *log_where(const struct where
                    *w); /* "file, node 'n', tensor 't', byte 12", "" when unknown; returns owned */

/* The one line that is redrawn on a terminal; NULL erases it. Nothing happens when stderr is no
 * terminal. */
void log_status(const char *text);
bool log_terminal(void); /* stderr is a terminal */
#endif
