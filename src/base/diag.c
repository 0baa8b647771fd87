/* The list of diagnostics of one command, and look-ups in errors.def. */
#include "base/diag.h"

#include <pthread.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/vec.h"

static const struct err_info TABLE[] = {
#define ERR(name, number, severity, exit, title, hint) \
    {E_##name, #name, SEVERITY_##severity, EXIT_##exit, title, hint},
#include "base/errors.def"
#undef ERR
};

struct diag {
    pthread_mutex_t lock;
    struct arena *arena;
    VEC(struct diagnostic *) list;
    size_t errors;
    diag_sink *sink;
    void *user;
};

size_t err_total(void) { return sizeof TABLE / sizeof TABLE[0]; }
const struct err_info *err_at(size_t index) { return &TABLE[index]; }

const struct err_info *err_find(int number)
{
    for (size_t i = 0; i < err_total(); i++)
        if ((int)TABLE[i].id == number)
            return &TABLE[i];
    return NULL;
}

struct diag *diag_new(diag_sink *sink, void *user)
{
    struct diag *d = mem_alloc(sizeof *d);
    pthread_mutex_init(&d->lock, NULL);
    d->arena = arena_new();
    d->sink = sink;
    d->user = user;
    return d;
}

void diag_free(struct diag *d)
{
    if (!d)
        return;
    pthread_mutex_destroy(&d->lock);
    vec_free(&d->list);
    arena_free(d->arena);
    mem_free(d);
}

static const char *copy(struct diag *d, const char *text)
{
    return text ? arena_string(d->arena, text) : NULL;
}

static struct where copy_where(struct diag *d, const struct where *where)
{
    struct where w = where ? *where : (struct where){0};
    w.file = copy(d, w.file);
    w.node = copy(d, w.node);
    w.tensor = copy(d, w.tensor);
    w.has_offset = w.has_offset || w.offset;
    return w;
}

static int report(struct diag *d, enum err id, const struct where *where, const char *hint,
                  const char *format, va_list args)
{
    pthread_mutex_lock(&d->lock);
    struct diagnostic *entry = arena_alloc(d->arena, sizeof *entry);
    entry->info = err_find((int)id);
    entry->message = arena_vprintf(d->arena, format, args);
    entry->hint = hint ? copy(d, hint) : entry->info->hint;
    entry->where = copy_where(d, where);
    vec_push(&d->list, entry);
    d->errors += entry->info->severity == SEVERITY_ERROR;
    if (d->sink)
        d->sink(d->user, entry);
    pthread_mutex_unlock(&d->lock);
    return -(int)id;
}

int diag_report(struct diag *d, enum err id, const struct where *where, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int code = report(d, id, where, NULL, format, args);
    va_end(args);
    return code;
}

int diag_report_hint(struct diag *d, enum err id, const struct where *where, const char *hint,
                     const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int code = report(d, id, where, hint, format, args);
    va_end(args);
    return code;
}

size_t diag_count(const struct diag *d) { return d->list.count; }
const struct diagnostic *diag_at(const struct diag *d, size_t index) { return d->list.data[index]; }
size_t diag_errors(const struct diag *d) { return d->errors; }

enum exit_status diag_exit(const struct diag *d)
{
    for (size_t i = 0; i < d->list.count; i++)
        if (d->list.data[i]->info->severity == SEVERITY_ERROR)
            return d->list.data[i]->info->exit;
    return EXIT_NONE;
}
