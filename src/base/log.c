/* stderr under one lock. The status line is drawn without a newline and erased before anything else
 * is written. */
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/text.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_level level = LOG_NORMAL;
static enum color color = COLOR_AUTO;
static bool status_drawn;

void log_setup(enum log_level new_level, enum color new_color)
{
    level = new_level;
    color = new_color;
}

enum log_level log_level(void) { return level; }
bool log_terminal(void) { return isatty(STDERR_FILENO) == 1; }

static bool set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

bool log_color(int fd)
{
    if (color != COLOR_AUTO)
        return color == COLOR_ALWAYS;
    if (set("NO_COLOR"))
        return false;
    const char *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");
    if (force && *force && strcmp(force, "0") != 0)
        return true;
    return isatty(fd) == 1 && term && *term && strcmp(term, "dumb") != 0;
}

static void erase_status(void)
{
    if (status_drawn)
        fputs("\r\033[K", stderr);
    status_drawn = false;
}

/* Takes text, which becomes one line (or several, when it holds newlines of our own). */
static void write_line(const char *text)
{
    pthread_mutex_lock(&lock);
    erase_status();
    fprintf(stderr, "%s\n", text);
    pthread_mutex_unlock(&lock);
}

void log_line(enum log_level at, const char *format, ...)
{
    if (at > level)
        return;
    struct arena *a = arena_new();
    va_list args;
    va_start(args, format);
    char *safe = text_printable(arena_vprintf(a, format, args), true);
    va_end(args);
    write_line(arena_printf(a, "npuprep: %s", safe));
    mem_free(safe);
    arena_free(a);
}

static const char *append(struct arena *a, const char *list, const char *item)
{
    return *list ? arena_printf(a, "%s, %s", list, item) : item;
}

char *log_where(const struct where *w)
{
    struct arena *a = arena_new();
    const char *list = w->file ? w->file : "";
    if (w->node)
        list = append(a, list, arena_printf(a, "node '%s'", w->node));
    if (w->tensor)
        list = append(a, list, arena_printf(a, "tensor '%s'", w->tensor));
    if (w->has_offset)
        list = append(a, list, arena_printf(a, "byte %llu", (unsigned long long)w->offset));
    size_t size = strlen(list) + 1;
    char *text = mem_alloc(size);
    memcpy(text, list, size);
    arena_free(a);
    return text;
}

/* Severity word and its SGR colour: bold red, bold yellow, bold. */
static const struct {
    const char *word, *sgr;
} LOOKS[] = {
    [SEVERITY_NOTE] = {"note", "\033[1m"},
    [SEVERITY_WARNING] = {"warning", "\033[1;33m"},
    [SEVERITY_ERROR] = {"error", "\033[1;31m"},
};

static bool is_shown(enum severity severity)
{
    if (severity == SEVERITY_ERROR)
        return true;
    return level >= (severity == SEVERITY_WARNING ? LOG_NORMAL : LOG_VERBOSE);
}

void log_diagnostic(const struct diagnostic *d)
{
    enum severity severity = d->info->severity;
    if (!is_shown(severity))
        return;
    struct arena *a = arena_new();
    bool colored = log_color(STDERR_FILENO);
    char *place = log_where(&d->where);
    char *safe_place = text_printable(place, false), *message = text_printable(d->message, false);
    const char *in = *safe_place ? arena_printf(a, " (%s)", safe_place) : "";
    char *hint = d->hint && *d->hint ? text_printable(d->hint, false) : NULL;
    write_line(arena_printf(a, "npuprep: %s%s%s E%04d: %s%s%s%s",
                            colored ? LOOKS[severity].sgr : "", LOOKS[severity].word,
                            colored ? "\033[0m" : "", (int)d->info->id, message, in,
                            hint ? "\nhint: " : "", hint ? hint : ""));
    mem_free(hint);
    mem_free(message);
    mem_free(safe_place);
    mem_free(place);
    arena_free(a);
}

void log_status(const char *text)
{
    if (!log_terminal())
        return;
    pthread_mutex_lock(&lock);
    erase_status();
    if (text) {
        fprintf(stderr, "\r%s\033[K", text);
        fflush(stderr);
        status_drawn = true;
    }
    pthread_mutex_unlock(&lock);
}
