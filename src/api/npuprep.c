/* The public C interface over the loader, the pass manager and the writer. */
#include "npuprep.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/text.h"
#include "onnx/load.h"
#include "onnx/save.h"
#include "passes/pass.h"

enum { DEFAULT_MAX_NODES = 1000000 }; /* as --max-nodes */

struct npuprep {
    struct ctx ctx;
    char *error; /* owned text of the most recent error, NULL: none */
    const struct diagnostic *latest;
};

struct npuprep_model {
    struct npuprep *owner;
    struct model *model;
};

const char *npuprep_version(void) { return NPUPREP_VERSION; }

/* Keeps the first error of a call: what follows are its consequences. */
static void sink(void *user, const struct diagnostic *d)
{
    struct npuprep *n = user;
    if (d->info->severity == SEVERITY_ERROR && !n->latest)
        n->latest = d;
}

struct npuprep *npuprep_new(void)
{
    struct npuprep *n = mem_alloc(sizeof *n);
    n->ctx.diag = diag_new(sink, n);
    n->ctx.threads = 1;
    n->ctx.max_nodes = DEFAULT_MAX_NODES;
    return n;
}

void npuprep_free(struct npuprep *n)
{
    if (!n)
        return;
    pool_free(n->ctx.pool);
    diag_free(n->ctx.diag);
    mem_free(n->error);
    mem_free(n);
}

void npuprep_set_threads(struct npuprep *n, int threads)
{
    pool_free(n->ctx.pool);
    n->ctx.threads = threads > 0 ? threads : pool_allowed_threads();
    n->ctx.pool = n->ctx.threads > 1 ? pool_new(n->ctx.threads) : NULL;
}

void npuprep_set_max_memory(struct npuprep *n, size_t bytes)
{
    (void)n;
    mem_set_limit(bytes);
}

void npuprep_set_max_nodes(struct npuprep *n, long long nodes) { n->ctx.max_nodes = nodes; }

static void begin(struct npuprep *n)
{
    mem_free(n->error);
    n->error = NULL;
    n->latest = NULL;
}

/* Ends a call: makes the text of its error. Returns code. */
static int end(struct npuprep *n, int code)
{
    if (!n->latest)
        return code;
    struct arena *a = arena_new();
    char *where = log_where(&n->latest->where);
    char *text = arena_printf(a, "E%04d: %s%s%s%s", (int)n->latest->info->id, n->latest->message,
                              *where ? " (" : "", where, *where ? ")" : "");
    n->error = text_printable(text, false);
    mem_free(where);
    arena_free(a);
    return code;
}

const char *npuprep_error(const struct npuprep *n) { return n->error ? n->error : ""; }
const char *npuprep_hint(const struct npuprep *n)
{
    return n->latest && n->latest->hint ? n->latest->hint : "";
}
int npuprep_error_number(const struct npuprep *n)
{
    return n->latest ? (int)n->latest->info->id : 0;
}

struct npuprep_model *npuprep_load(struct npuprep *n, const char *path)
{
    begin(n);
    struct model *model = model_load(&n->ctx, path);
    end(n, 0);
    if (!model)
        return NULL;
    struct npuprep_model *m = mem_alloc(sizeof *m);
    *m = (struct npuprep_model){n, model};
    return m;
}

void npuprep_model_free(struct npuprep_model *m)
{
    if (!m)
        return;
    model_free(m->model);
    mem_free(m);
}

long long npuprep_node_count(const struct npuprep_model *m) { return model_count_nodes(m->model); }

static int run_plan(struct npuprep_model *m, const struct pass_plan *plan)
{
    struct pass_log log = {0};
    int64_t rewrites = 0;
    int code = passes_run(m->model, plan, &log);
    for (size_t i = 0; i < log.results.count; i++)
        rewrites += log.results.data[i].rewrites;
    pass_log_release(&log);
    return code ? code : rewrites > INT32_MAX ? INT32_MAX : (int)rewrites;
}

/* "a,b" as a NULL-terminated list. */
static const char **split(struct arena *a, const char *list)
{
    size_t count = 2;
    for (const char *c = list; *c; c++)
        count += *c == ',';
    const char **names = arena_array(a, count, sizeof *names);
    char *rest = arena_string(a, list);
    for (size_t i = 0; rest; i++)
        names[i] = strsep(&rest, ",");
    return names;
}

int npuprep_run(struct npuprep_model *m, const char *passes)
{
    struct arena *a = arena_new();
    begin(m->owner);
    int code = end(m->owner, run_plan(m, &(struct pass_plan){.names = split(a, passes)}));
    arena_free(a);
    return code;
}

int npuprep_optimize(struct npuprep_model *m, int level)
{
    begin(m->owner);
    return end(m->owner, run_plan(m, &(struct pass_plan){.level = level}));
}

int npuprep_save(struct npuprep_model *m, const char *path, unsigned flags)
{
    const struct save_options options = {
        .external = flags & NPUPREP_EXTERNAL_ALWAYS  ? EXTERNAL_DATA_ALWAYS
                    : flags & NPUPREP_EXTERNAL_NEVER ? EXTERNAL_DATA_NEVER
                                                     : EXTERNAL_DATA_AUTO,
        .force = (flags & NPUPREP_FORCE) != 0,
    };
    begin(m->owner);
    return end(m->owner, model_save(m->model, path, &options));
}
