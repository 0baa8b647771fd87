/* The policy of a save: where external data goes, limits, and the order of publishing. */
#include "onnx/save.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "onnx/save_old.h"
#include "onnx/saver.h"

/* Above this the weights leave the model file: safely below the 2 GiB - 1 where protocol buffers
 * end. */
static const uint64_t AUTO_EXTERNAL = 1900000000;

static void saver_init(struct saver *s, struct model *m, const struct save_options *options)
{
    *s = (struct saver){.ctx = m->ctx, .m = m, .options = options, .arena = arena_new()};
    s->plan.arena = s->arena;
    pb_init(&s->pb, m->ctx);
    s->pb.budget =
        INT_MAX; /* what a message packs into is what it was read from, or made by a pass */
}

static void saver_release(struct saver *s)
{
    data_file_free(s->data);
    extfiles_free(s->files);
    plan_release(&s->plan);
    pb_release(&s->pb);
    scan_release(&s->scan);
    arena_free(s->arena);
}

/* Where tensors lie in the origin; it was scanned when the model was read, so this reports nothing
 * new. */
static int index_tensors(struct saver *s)
{
    s->scan = (struct scan){.ctx = s->ctx, .file = s->m->path, .warned_key = true};
    return s->m->origin.size ? scan_model(&s->scan, s->m->origin) : 0;
}

static bool has_references(const struct saver *s)
{
    for (size_t i = 0; i < s->scan.tensors.count; i++)
        if (s->scan.tensors.data[i].external)
            return true;
    return false;
}

/* Do references hold from the folder of path? */
static bool same_folder(const struct model *m, const char *path)
{
    struct stat a, b;
    if (!m->path)
        return false;
    char *from = path_folder(m->path), *to = path_folder(path);
    bool same = !stat(from, &a) && !stat(to, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    mem_free(from);
    mem_free(to);
    return same;
}

/* Standard output, devices and pipes take one run of bytes: nothing can lie beside them. */
static bool is_stream(const char *path)
{
    struct stat st;
    return !strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode));
}

static void choose(struct saver *s, const char *path)
{
    enum external_data policy = s->options->external;
    bool references = has_references(s), stream = is_stream(path);
    if (policy == EXTERNAL_DATA_KEEP || (policy == EXTERNAL_DATA_AUTO && !references))
        return;
    if (policy == EXTERNAL_DATA_NEVER || stream) {
        s->move_references = references;
        s->reference = PLACE_INLINE;
        return;
    }
    s->move_references = references && (policy == EXTERNAL_DATA_ALWAYS || !same_folder(s->m, path));
    s->reference = PLACE_EXTERNAL;
    /* beside its data, the input's inline weights stay where they are */
    s->externalise = policy == EXTERNAL_DATA_ALWAYS || s->move_references;
}

static int plan_model(struct saver *s)
{
    plan_clear(&s->plan);
    save_model(s);
    return s->error;
}

static int check_size(struct saver *s, const char *path)
{
    uint64_t largest = s->plan.largest > s->plan.size ? s->plan.largest : s->plan.size;
    if (largest <= INT_MAX)
        return 0;
    return diag_report(s->ctx->diag, E_SAVE_SIZE, &(struct where){.file = path},
                       "the model would take %llu bytes, protocol buffers end at %d",
                       (unsigned long long)largest, INT_MAX);
}

/* ---- to a file ---- */

static int plan_for(struct saver *s, const char *path)
{
    choose(s, path);
    bool stream = is_stream(path);
    if (!stream)
        s->data = data_file_new(s, path);
    int code = plan_model(s);
    bool large = s->options->external == EXTERNAL_DATA_AUTO && s->plan.size > AUTO_EXTERNAL;
    if (!code && large && !stream && !s->externalise) {
        s->externalise = true;
        s->reference = PLACE_EXTERNAL;
        s->move_references = has_references(s);
        code = plan_model(s);
    }
    return code ? code : check_size(s, path);
}

/* What the new model refers to stays: its own data file, and references that were left as they are.
 */
static void keep_referenced(struct saver *s, struct old_data *old)
{
    if (s->data)
        old_data_keep(old, span_of(data_file_name(s->data)));
    for (size_t i = 0; !s->move_references && i < s->scan.tensors.count; i++)
        old_data_keep(old, s->scan.tensors.data[i].location);
}

static int write_all(struct saver *s, struct outfile *out)
{
    int code = s->data ? data_file_finish(s->data) : 0;
    code = code ? code : plan_write(&s->plan, out, s->ctx);
    code = code ? code : outfile_finish(out);
    return code || !s->data ? code : data_file_publish(s->data);
}

int model_save(struct model *m, const char *path, const struct save_options *options)
{
    struct saver s;
    struct outfile *out = NULL;
    saver_init(&s, m, options);
    struct old_data *old = old_data_find(m->ctx, path);
    int code = outfile_open(&out, path, options->force, m->ctx->diag);
    code = code ? code : index_tensors(&s);
    code = code ? code : plan_for(&s, path);
    code = code ? code : write_all(&s, out);
    if (code)
        outfile_abort(out);
    else
        code = outfile_publish(out);
    if (!code) {
        keep_referenced(&s, old);
        old_data_remove(old);
    }
    old_data_free(old);
    saver_release(&s);
    return code;
}

/* ---- to memory ---- */

int model_save_bytes(struct model *m, const struct save_options *options, struct arena *a,
                     struct span *bytes)
{
    struct saver s;
    saver_init(&s, m, options);
    int code = index_tensors(&s);
    if (!code && options->external != EXTERNAL_DATA_KEEP) {
        s.move_references = has_references(&s);
        s.reference = PLACE_INLINE;
    }
    code = code ? code : plan_model(&s);
    code = code ? code : check_size(&s, "memory");
    if (!code) {
        unsigned char *out = arena_alloc(a, (size_t)s.plan.size);
        code = plan_copy(&s.plan, out, m->ctx);
        *bytes = (struct span){out, (size_t)s.plan.size};
    }
    saver_release(&s);
    return code;
}
