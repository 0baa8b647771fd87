/* Drawing is decided under the lock by the time since the last drawing; adding is one atomic. */
#include "base/progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum { BAR = 24, NAME_MAX_BYTES = 40 };
static const double REDRAW = 0.1, PLAIN = 30, ETA_AFTER = 1; /* seconds */

struct progress {
    pthread_mutex_t lock;
    char *what;
    uint64_t total;
    atomic_uint_fast64_t done;
    double began, drawn; /* CLOCK_MONOTONIC */
    bool terminal;
};

struct progress *progress_new(void)
{
    struct progress *p = mem_alloc(sizeof *p);
    pthread_mutex_init(&p->lock, NULL);
    p->terminal = log_terminal();
    return p;
}

void progress_free(struct progress *p)
{
    if (!p)
        return;
    progress_end(p);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

/* The locale is not set, so that numbers stay as they are: its name has to say that blocks can be
 * shown. */
static bool utf8_terminal(void)
{
    const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

static void write_bar(char *bar, size_t size, uint64_t done, uint64_t total)
{
    const char *full = utf8_terminal() ? "\xe2\x96\x88" : "#",
               *empty = utf8_terminal() ? "\xe2\x96\x91" : "-";
    uint64_t filled = total ? (uint64_t)((double)done / (double)total * BAR) : 0;
    size_t at = 0;
    bar[0] = '\0';
    for (uint64_t i = 0; i < BAR && at < size; i++)
        at += (size_t)snprintf(bar + at, size - at, "%s", i < filled ? full : empty);
}

static void write_seconds(char *text, size_t size, double seconds)
{
    unsigned long s = (unsigned long)(seconds + 0.5);
    if (s < 3600)
        snprintf(text, size, "%lu:%02lu", s / 60, s % 60);
    else
        snprintf(text, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
}

static void write_counts(char *text, size_t size, const struct progress *p, uint64_t done,
                         double now)
{
    char left[32];
    double seconds = now - p->began;
    if (!p->total)
        snprintf(text, size, "%llu", (unsigned long long)done);
    else
        snprintf(text, size, "%llu/%llu", (unsigned long long)done, (unsigned long long)p->total);
    if (p->total && done && seconds >= ETA_AFTER) {
        write_seconds(left, sizeof left,
                      seconds / (double)done * (double)(p->total > done ? p->total - done : 0));
        size_t used = strlen(text);
        snprintf(text + used, size - used, ", %s left", left);
    }
}

static void draw(struct progress *p, double now)
{
    char bar[4 * BAR], counts[96], line[320];
    uint64_t done = atomic_load(&p->done);
    p->drawn = now;
    write_counts(counts, sizeof counts, p, done, now);
    if (!p->terminal) {
        log_line(LOG_NORMAL, "%s: %s", p->what, counts);
        return;
    }
    write_bar(bar, sizeof bar, done, p->total);
    snprintf(line, sizeof line, "%.*s %s %s", (int)NAME_MAX_BYTES, p->what, p->total ? bar : "",
             counts);
    log_status(line);
}

void progress_begin(struct progress *p, const char *what, uint64_t total)
{
    if (!p)
        return;
    progress_end(p);
    pthread_mutex_lock(&p->lock);
    p->what = text_printable(what, false);
    p->total = total;
    atomic_store(&p->done, 0);
    p->began = p->drawn = ctx_now();
    pthread_mutex_unlock(&p->lock);
}

void progress_add(struct progress *p, uint64_t count)
{
    if (!p)
        return;
    atomic_fetch_add(&p->done, count);
    if (pthread_mutex_trylock(&p->lock) != 0)
        return; /* another thread is drawing */
    double now = ctx_now();
    if (p->what && now - p->drawn >= (p->terminal ? REDRAW : PLAIN))
        draw(p, now);
    pthread_mutex_unlock(&p->lock);
}

void progress_end(struct progress *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    if (p->what && p->terminal)
        log_status(NULL);
    mem_free(p->what);
    p->what = NULL;
    pthread_mutex_unlock(&p->lock);
}
