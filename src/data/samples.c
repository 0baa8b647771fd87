/* See samples.h. The listing: items (files, folders, words) with running totals of their samples; a
 * sample id is found by bisection. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/vec.h"
#include "data/data.h"

enum { HEAD_BYTES = 16, HINT_NAMES = 200 };

struct listed {
    struct data_item item;
    size_t first;    /* id of its first sample */
    const char *bad; /* why it cannot be read at all (skip_bad), or NULL */
};

struct samples {
    struct data_model model;
    struct ctx *ctx;
    struct arena *arena;
    bool skip_bad;
    VEC(struct listed) items;
    size_t total, count;
    int64_t *order; /* visited position -> id; NULL: the identity */
    atomic_size_t skipped;
};

/* ---- the model's inputs ---- */

static void read_input(struct sample_input *in, const struct value *v, struct arena *a)
{
    const struct type *t = &v->type;
    *in = (struct sample_input){v, v->name, t->dtype, t->rank, NULL, v->constant != NULL};
    if (t->kind != TYPE_TENSOR)
        in->rank = -1;
    if (in->rank < 0)
        return;
    int64_t *dims = arena_array(a, (size_t)in->rank, sizeof *dims);
    for (int i = 0; i < in->rank; i++)
        if (!t->dims || !dim_is_const(t->dims[i], &dims[i]))
            dims[i] = -1;
    in->dims = dims;
}

static int read_inputs(struct samples *s, const struct model *m)
{
    size_t n = m->graph->inputs.count;
    struct sample_input *inputs = arena_array(s->arena, n, sizeof *inputs);
    for (size_t i = 0; i < n; i++) {
        const struct value *v = m->graph->inputs.data[i];
        read_input(&inputs[i], v, s->arena);
        bool tensor = v->type.kind == TYPE_TENSOR && v->type.dtype != DT_UNDEFINED;
        if (!inputs[i].optional && (!tensor || v->type.dtype == DT_STRING))
            return diag_report(s->ctx->diag, E_SAMPLE_DTYPE, &(struct where){.tensor = v->name},
                               "input '%s' is not a tensor of numbers, no sample format gives it",
                               v->name);
    }
    s->model.inputs = inputs;
    s->model.n_inputs = (uint32_t)n;
    return 0;
}

/* ---- recognising formats ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int data_list_folder(const char *path, struct arena *a, const char ***names, size_t *count,
                     struct diag *diag)
{
    VEC(const char *) found = {0};
    DIR *d = opendir(path);
    if (!d)
        return diag_report(diag, E_NO_INPUT, &(struct where){.file = path},
                           "the folder cannot be opened: %s", strerror(errno));
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            vec_push(&found, arena_string(a, e->d_name));
    closedir(d);
    if (found.count)
        qsort(found.data, found.count, sizeof *found.data, compare_names);
    *names = arena_copy(a, found.data, found.count * sizeof *found.data);
    *count = found.count;
    vec_free(&found);
    return 0;
}

static bool wanted(const struct data_format *f, const char *name)
{
    return !name || strcmp(f->name, name) == 0;
}

static int read_head(const char *path, unsigned char head[HEAD_BYTES], size_t *size,
                     struct diag *diag)
{
    struct mapped_file f;
    int code = file_map(&f, path, diag);
    if (code)
        return code;
    *size = f.size < HEAD_BYTES ? f.size : HEAD_BYTES;
    memcpy(head, f.data, *size);
    file_unmap(&f);
    return 0;
}

static const struct data_format *probe(const char *path, struct span head, bool folder,
                                       const char *only)
{
    for (const struct data_format *const *f = DATA_FORMATS; *f; f++)
        if (wanted(*f, only) && (*f)->probe(path, head, folder))
            return *f;
    return NULL;
}

/* By name first, so that a folder of thousands of files is listed without opening each. */
static int recognise_file(const char *path, const char *only, const struct data_format **format,
                          struct diag *diag)
{
    unsigned char head[HEAD_BYTES];
    size_t size = 0;
    *format = probe(path, (struct span){NULL, 0}, false, only);
    if (*format)
        return 0;
    int code = read_head(path, head, &size, diag);
    if (!code)
        *format = probe(path, (struct span){head, size}, false, only);
    return code;
}

/* ---- the listing ---- */

static int open_quietly(struct samples *s, struct listed *l)
{
    struct diag *diag = diag_new(NULL, NULL);
    struct ctx quiet = *s->ctx;
    struct data_model model = s->model;
    quiet.diag = diag, model.ctx = &quiet;
    int code = l->item.format->open(&l->item, &model);
    if (code && diag_count(diag))
        l->bad = arena_string(s->arena, diag_at(diag, 0)->message);
    diag_free(diag);
    if (code)
        l->item.count = 1;
    return 0;
}

static int add_item(struct samples *s, const char *path, const struct data_format *format,
                    bool in_folder)
{
    struct listed l = {.item = {.format = format, .path = arena_string(s->arena, path)},
                       .first = s->total};
    int code = in_folder && s->skip_bad ? open_quietly(s, &l) : format->open(&l.item, &s->model);
    if (code)
        return code;
    s->total += l.item.count;
    vec_push(&s->items, l);
    return 0;
}

static int add_file_of_folder(struct samples *s, const char *folder, const char *name,
                              const char *only, bool *added)
{
    const struct data_format *f = NULL;
    struct stat st;
    char *path = path_join(folder, name);
    int code = 0;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        code = recognise_file(path, only, &f, s->ctx->diag);
        *added = !code && f && f->per_file;
        if (*added)
            code = add_item(s, path, f, true);
    }
    mem_free(path);
    return code;
}

static int add_folder(struct samples *s, const char *path, const char *only)
{
    const char **names;
    size_t n = 0, taken = 0;
    const struct data_format *whole = probe(path, (struct span){NULL, 0}, true, only);
    if (whole)
        return add_item(s, path, whole, false);
    int code = data_list_folder(path, s->arena, &names, &n, s->ctx->diag);
    for (size_t i = 0; !code && i < n; i++) {
        bool added = false;
        code = add_file_of_folder(s, path, names[i], only, &added);
        taken += added;
    }
    if (!code && !taken)
        code = diag_report(s->ctx->diag, E_SAMPLE_FORMAT, &(struct where){.file = path},
                           "none of the %zu files in the folder is a sample", n);
    return code;
}

static int add_path(struct samples *s, const char *path, const char *only)
{
    struct stat st;
    const struct data_format *f = NULL;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return add_folder(s, path, only);
    if (only && strncmp(path, "random:", 7) != 0)
        f = probe(path, (struct span){NULL, 0}, false, only);
    for (const struct data_format *const *g = DATA_FORMATS; only && !f && *g; g++)
        f = wanted(*g, only) ? *g : NULL; /* as asked, whatever it looks like */
    int code = f ? 0 : recognise_file(path, only, &f, s->ctx->diag);
    if (code)
        return code;
    if (!f)
        return diag_report(s->ctx->diag, E_SAMPLE_FORMAT, &(struct where){.file = path},
                           "the file is of no known sample format");
    return add_item(s, path, f, false);
}

static int check_format(const char *name, struct diag *diag)
{
    struct nearest near = {0};
    for (size_t i = 0; name && i < data_format_total(); i++) {
        if (strcmp(name, data_format_name(i)) == 0)
            return 0;
        nearest_try(&near, name, data_format_name(i));
    }
    if (!name)
        return 0;
    char hint[HINT_NAMES] = "npuprep list formats shows them";
    if (near.best && strlen(near.best) < HINT_NAMES - 20) {
        memcpy(hint, "did you mean '", 14);
        size_t n = strlen(near.best);
        memcpy(hint + 14, near.best, n);
        memcpy(hint + 14 + n, "'?", 3);
    }
    return diag_report_hint(diag, E_OPTION_VALUE, NULL, hint, "there is no sample format '%s'",
                            name);
}

/* ---- order ---- */

/* SplitMix64, and rejection instead of a remainder so that every order is equally likely. */
static uint64_t random_below(uint64_t *state, uint64_t bound)
{
    for (;;) {
        uint64_t z = *state += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        if (z < UINT64_MAX - UINT64_MAX % bound)
            return z % bound;
    }
}

/* Fisher-Yates over all ids. */
static void shuffle(struct samples *s, uint64_t seed)
{
    s->order = arena_array(s->arena, s->total, sizeof *s->order);
    for (size_t i = 0; i < s->total; i++)
        s->order[i] = (int64_t)i;
    for (size_t i = s->total; i > 1; i--) {
        size_t j = (size_t)random_below(&seed, i);
        int64_t id = s->order[i - 1];
        s->order[i - 1] = s->order[j];
        s->order[j] = id;
    }
}

int samples_open(struct samples **out, const struct model *m, const struct samples_options *o,
                 struct ctx *ctx)
{
    struct samples *s = mem_alloc(sizeof *s);
    s->arena = arena_new();
    s->ctx = ctx;
    s->skip_bad = o->skip_bad;
    s->model = (struct data_model){.image = o->image, .ctx = ctx, .arena = s->arena};
    s->model.shared = arena_alloc(s->arena, sizeof(void *));
    s->model.extra_told = arena_alloc(s->arena, sizeof(bool));
    int code = check_format(o->format, ctx->diag);
    if (!code)
        code = read_inputs(s, m);
    for (size_t i = 0; !code && i < o->n_paths; i++)
        code = add_path(s, o->paths[i], o->format);
    if (!code && s->total == 0)
        code = diag_report(ctx->diag, E_SAMPLE_NONE,
                           o->n_paths ? &(struct where){.file = o->paths[0]} : NULL,
                           "there is not a single sample");
    if (code) {
        samples_close(s);
        return code;
    }
    if (o->shuffle)
        shuffle(s, o->seed);
    s->count = o->limit >= 0 && (uint64_t)o->limit < s->total ? (size_t)o->limit : s->total;
    *out = s;
    return 0;
}

void samples_close(struct samples *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->items.count; i++)
        if (s->items.data[i].item.format->close)
            s->items.data[i].item.format->close(&s->items.data[i].item);
    vec_free(&s->items);
    arena_free(s->arena);
    mem_free(s);
}

size_t samples_count(const struct samples *s) { return s->count; }
size_t samples_listed(const struct samples *s) { return s->total; }
size_t samples_skipped(const struct samples *s) { return atomic_load(&s->skipped); }
uint32_t samples_n_inputs(const struct samples *s) { return s->model.n_inputs; }

const struct sample_input *samples_input(const struct samples *s, uint32_t i)
{
    return &s->model.inputs[i];
}

int64_t samples_id(const struct samples *s, size_t k)
{
    return s->order ? s->order[k] : (int64_t)k;
}

/* The last item whose first id is not after id; empty items share the first id of the next. */
static const struct listed *item_of(const struct samples *s, size_t id)
{
    size_t low = 0, high = s->items.count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (s->items.data[middle].first <= id)
            low = middle;
        else
            high = middle;
    }
    return &s->items.data[low];
}

static const char *label_of(const struct listed *l, size_t index, struct arena *a)
{
    return l->item.count == 1 ? l->item.path : arena_printf(a, "%s[%zu]", l->item.path, index);
}

const char *samples_label(const struct samples *s, size_t k, struct arena *a)
{
    size_t id = (size_t)samples_id(s, k);
    const struct listed *l = item_of(s, id);
    return label_of(l, id - l->first, a);
}

static int skip(struct samples *s, const char *label, const char *why)
{
    atomic_fetch_add(&s->skipped, 1);
    diag_report(s->ctx->diag, E_SAMPLE_SKIPPED, &(struct where){.file = label}, "skipped: %s", why);
    return SAMPLE_SKIPPED;
}

/* What stops the run whatever the policy on bad samples. */
static bool is_fatal(int code)
{
    return code == -E_LIMIT_MEMORY || code == -E_LIMIT_TIME || code == -E_INTERRUPTED;
}

static void forward(const struct diag *from, struct diag *to)
{
    for (size_t i = 0; i < diag_count(from); i++) {
        const struct diagnostic *d = diag_at(from, i);
        diag_report_hint(to, d->info->id, &d->where, d->hint, "%s", d->message);
    }
}

static int get_or_skip(struct samples *s, const struct listed *l, size_t index, struct arena *a,
                       const struct tensor **out)
{
    struct diag *diag = diag_new(NULL, NULL);
    struct ctx quiet = *s->ctx;
    struct data_model model = s->model;
    quiet.diag = diag, model.ctx = &quiet;
    int code = l->item.format->get(&l->item, &model, index, a, out);
    if (code && !is_fatal(code))
        code = skip(s, label_of(l, index, a), diag_count(diag) ? diag_at(diag, 0)->message : "");
    else
        forward(diag, s->ctx->diag);
    diag_free(diag);
    return code;
}

int samples_get(struct samples *s, size_t k, struct arena *a, const struct tensor ***out)
{
    size_t id = (size_t)samples_id(s, k);
    const struct listed *l = item_of(s, id);
    int code = ctx_check(s->ctx);
    if (code)
        return code;
    *out = arena_array(a, s->model.n_inputs, sizeof **out);
    if (l->bad)
        return skip(s, l->item.path, l->bad);
    if (s->skip_bad)
        return get_or_skip(s, l, id - l->first, a, *out);
    return l->item.format->get(&l->item, &s->model, id - l->first, a, *out);
}
