/* See peer.h. Each call goes through a pointer from the table, cast to the type that the interface
 * documents for it; all of them return NULL or a status that must be released. */
#include "peer.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* Places in the table of version 1. */
enum {
    AT_ERROR_MESSAGE = 2,
    AT_CREATE_ENV = 3,
    AT_CREATE_SESSION = 7,
    AT_RUN = 9,
    AT_CREATE_SESSION_OPTIONS = 10,
    AT_SET_INTRA_OP_THREADS = 24,
    AT_SET_INTER_OP_THREADS = 25,
    AT_CREATE_TENSOR_WITH_DATA = 49,
    AT_CREATE_CPU_MEMORY_INFO = 69,
    AT_RELEASE_ENV = 92,
    AT_RELEASE_STATUS = 93,
    AT_RELEASE_MEMORY_INFO = 94,
    AT_RELEASE_SESSION = 95,
    AT_RELEASE_VALUE = 96,
    AT_RELEASE_SESSION_OPTIONS = 100,
};
enum { API_VERSION = 1, LOG_FATAL = 4, ARENA_ALLOCATOR = 1, MEMORY_DEFAULT = 0 };

typedef void any_fn(void);
struct api_base {
    any_fn *const *(*get)(uint32_t version);
    const char *(*version)(void);
};
typedef void release_fn(void *);
typedef void *env_fn(int level, const char *id, void **env);
typedef void *options_fn(void **options);
typedef void *threads_fn(void *options, int threads);
typedef void *session_fn(void *env, const char *path, void *options, void **session);
typedef void *memory_fn(int allocator, int kind, void **info);
typedef void *value_fn(void *info, void *data, size_t bytes, const int64_t *dims, size_t rank,
                       int type, void **value);
typedef void *run_fn(void *session, const void *options, const char *const *in_names,
                     void *const *in, size_t n_in, const char *const *out_names, size_t n_out,
                     void **out);

struct peer {
    void *library, *env, *memory;
    any_fn *const *api;
    const char *version;
    char error[400];
};

struct peer_session {
    struct peer *p;
    void *session;
    const char **in_names, **out_names;
    void **in;
    size_t n_in, n_out;
};

enum { MAX_OUTPUTS = 256 };

static bool ok(struct peer *p, void *status)
{
    if (!status)
        return true;
    const char *(*text)(void *) = (const char *(*)(void *))p->api[AT_ERROR_MESSAGE];
    snprintf(p->error, sizeof p->error, "%s", text(status));
    ((release_fn *)p->api[AT_RELEASE_STATUS])(status);
    return false;
}

static bool start(struct peer *p)
{
    union { /* dlsym gives an object pointer */
        void *object;
        const struct api_base *(*base)(void);
    } symbol = {dlsym(p->library, "OrtGetApiBase")};
    const struct api_base *base = symbol.object ? symbol.base() : NULL;
    p->api = base ? base->get(API_VERSION) : NULL;
    if (!p->api)
        return false;
    p->version = base->version();
    return ok(p, ((env_fn *)p->api[AT_CREATE_ENV])(LOG_FATAL, "bench", &p->env)) &&
           ok(p, ((memory_fn *)p->api[AT_CREATE_CPU_MEMORY_INFO])(ARENA_ALLOCATOR, MEMORY_DEFAULT,
                                                                  &p->memory));
}

struct peer *peer_open(const char **why)
{
    const char *path = getenv("ORT");
    *why = "ORT names no libonnxruntime.so";
    if (!path || !*path)
        return NULL;
    struct peer *p = mem_alloc(sizeof *p);
    p->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *why = p->library ? "the library has another interface" : dlerror();
    if (p->library && start(p))
        return p;
    mem_free(p);
    return NULL;
}

void peer_close(struct peer *p)
{
    if (!p)
        return;
    ((release_fn *)p->api[AT_RELEASE_MEMORY_INFO])(p->memory);
    ((release_fn *)p->api[AT_RELEASE_ENV])(p->env);
    mem_free(p); /* the library stays: its threads' destructors may still run */
}

const char *peer_version(const struct peer *p) { return p->version; }
const char *peer_error(const struct peer *p) { return p->error; }

static bool make_input(struct peer_session *s, const struct value *v, const struct tensor *t)
{
    struct peer *p = s->p;
    s->in_names[s->n_in] = v->name;
    return ok(p, ((value_fn *)p->api[AT_CREATE_TENSOR_WITH_DATA])(
                     p->memory, (void *)(uintptr_t)t->data, t->bytes, t->dims, (size_t)t->rank,
                     (int)t->dtype, &s->in[s->n_in])) &&
           ++s->n_in;
}

static bool make_session(struct peer_session *s, const char *path, int threads)
{
    struct peer *p = s->p;
    void *options = NULL;
    bool made =
        ok(p, ((options_fn *)p->api[AT_CREATE_SESSION_OPTIONS])(&options)) &&
        ok(p, ((threads_fn *)p->api[AT_SET_INTRA_OP_THREADS])(options, threads)) &&
        ok(p, ((threads_fn *)p->api[AT_SET_INTER_OP_THREADS])(options, 1)) &&
        ok(p, ((session_fn *)p->api[AT_CREATE_SESSION])(p->env, path, options, &s->session));
    if (options)
        ((release_fn *)p->api[AT_RELEASE_SESSION_OPTIONS])(options);
    return made;
}

struct peer_session *peer_session_open(struct peer *p, const char *path, const struct graph *g,
                                       const struct tensor *const *in, int threads)
{
    struct peer_session *s = mem_alloc(sizeof *s);
    s->p = p;
    s->in_names = mem_alloc((g->inputs.count + 1) * sizeof *s->in_names);
    s->in = mem_alloc((g->inputs.count + 1) * sizeof *s->in);
    s->out_names = mem_alloc((g->outputs.count + 1) * sizeof *s->out_names);
    s->n_out = g->outputs.count;
    bool made = s->n_out <= MAX_OUTPUTS && make_session(s, path, threads);
    for (size_t i = 0; made && i < g->inputs.count; i++)
        made = !in[i] || make_input(s, g->inputs.data[i], in[i]);
    for (size_t i = 0; i < s->n_out; i++)
        s->out_names[i] = g->outputs.data[i]->value->name;
    if (made)
        return s;
    peer_session_close(s);
    return NULL;
}

void peer_session_close(struct peer_session *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_in; i++)
        ((release_fn *)s->p->api[AT_RELEASE_VALUE])(s->in[i]);
    if (s->session)
        ((release_fn *)s->p->api[AT_RELEASE_SESSION])(s->session);
    mem_free(s->in_names);
    mem_free(s->out_names);
    mem_free(s->in);
    mem_free(s);
}

bool peer_run(const struct peer_session *s)
{
    void *out[MAX_OUTPUTS] = {NULL};
    any_fn *const *api = s->p->api;
    if (!ok(s->p, ((run_fn *)api[AT_RUN])(s->session, NULL, s->in_names, s->in, s->n_in,
                                          s->out_names, s->n_out, out)))
        return false;
    for (size_t i = 0; i < s->n_out; i++)
        if (out[i])
            ((release_fn *)api[AT_RELEASE_VALUE])(out[i]);
    return true;
}
