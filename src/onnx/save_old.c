/* Only names of our own making for this very model are touched, and only those that the replaced
 * file refers to. */
#include "onnx/save_old.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "onnx/save_data.h"

struct old_name {
    char *name;
    bool keep;
};

struct old_data {
    char *folder;
    VEC(struct old_name) names;
};

static void add_name(struct old_data *o, struct span location)
{
    for (size_t i = 0; i < o->names.count; i++)
        if (span_equals(span_of(o->names.data[i].name), location))
            return;
    char *name = mem_alloc(location.size + 1);
    memcpy(name, location.data, location.size);
    vec_push(&o->names, ((struct old_name){name, false}));
}

static void collect(struct old_data *o, const struct scan *s, const char *path)
{
    for (size_t i = 0; i < s->tensors.count; i++)
        if (s->tensors.data[i].external && data_file_is_ours(path, s->tensors.data[i].location))
            add_name(o, s->tensors.data[i].location);
}

static void read_old(struct old_data *o, const struct ctx *ctx, const char *path)
{
    struct mapped_file file;
    struct ctx quiet = *ctx;
    quiet.diag = diag_new(NULL, NULL);
    struct scan s = {.ctx = &quiet, .warned_key = true};
    if (!file_map(&file, path, quiet.diag)) {
        if (!scan_model(&s, (struct span){file.data, file.size}))
            collect(o, &s, path);
        scan_release(&s);
        file_unmap(&file);
    }
    diag_free(quiet.diag);
}

struct old_data *old_data_find(const struct ctx *ctx, const char *path)
{
    struct stat st;
    struct old_data *o = mem_alloc(sizeof *o);
    o->folder = path_folder(path);
    if (!lstat(path, &st) && S_ISREG(st.st_mode))
        read_old(o, ctx, path);
    return o;
}

void old_data_keep(struct old_data *o, struct span location)
{
    for (size_t i = 0; i < o->names.count; i++)
        if (span_equals(span_of(o->names.data[i].name), location))
            o->names.data[i].keep = true;
}

void old_data_remove(const struct old_data *o)
{
    for (size_t i = 0; i < o->names.count; i++) {
        if (o->names.data[i].keep)
            continue;
        char *path = path_join(o->folder, o->names.data[i].name);
        unlink(path);
        mem_free(path);
    }
}

void old_data_free(struct old_data *o)
{
    for (size_t i = 0; i < o->names.count; i++)
        mem_free(o->names.data[i].name);
    vec_free(&o->names);
    mem_free(o->folder);
    mem_free(o);
}
