/* The data file of one save. Tensors are appended while the model is planned; what an earlier
 * tensor stored already is pointed to. The name is a hash over the ranges and their hashes, so it
 * is the same for the same content, and new data never takes the place of what an older model
 * refers to. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "onnx/saver.h"

/* Offsets are multiples of 4096, so that a reader can map each tensor by itself (onnx.proto:
 * external_data). */
enum { ALIGN = 4096, HASH_DIGITS = 16 };

struct stored {
    const struct tensor *tensor;
    struct hash128 hash;
    uint64_t offset;
    size_t next; /* 1 + index of an earlier one with the same hash */
};

struct data_file {
    struct saver *s;
    struct outfile *out; /* NULL until something is stored, and after publishing */
    char *path;          /* of a placeholder in the model's folder */
    char *name;          /* STEM.<hash>.data */
    struct map by_hash;  /* -> 1 + index in stored */
    VEC(struct stored) stored;
};

static size_t stem_size(const char *base)
{
    return path_has_suffix(base, ".onnx") ? strlen(base) - strlen(".onnx") : strlen(base);
}

bool data_file_is_ours(const char *model_path, struct span location)
{
    const char *base = path_base(model_path), *at = (const char *)location.data;
    size_t stem = stem_size(base), tail = strlen(".data");
    if (location.size != stem + 1 + HASH_DIGITS + tail || memcmp(at, base, stem) || at[stem] != '.')
        return false;
    for (size_t i = stem + 1; i < stem + 1 + HASH_DIGITS; i++)
        if (!memchr("0123456789abcdef", at[i], 16))
            return false;
    return !memcmp(at + stem + 1 + HASH_DIGITS, ".data", tail);
}

struct data_file *data_file_new(struct saver *s, const char *model_path)
{
    struct data_file *d = mem_alloc(sizeof *d);
    const char *base = path_base(model_path);
    char *folder = path_folder(model_path);
    d->s = s;
    d->name = arena_printf(s->arena, "%.*s.%0*d.data", (int)stem_size(base), base, HASH_DIGITS, 0);
    d->path = path_join(folder, d->name);
    mem_free(folder);
    return d;
}

const char *data_file_name(const struct data_file *d) { return d->name; }

/* ---- storing ---- */

static bool same_bytes(const struct tensor *a, const struct tensor *b, const void *b_bytes)
{
    struct arena *scratch = arena_new();
    const void *a_bytes = a->bytes == b->bytes ? tensor_bytes_of(a, scratch) : NULL;
    bool same = a_bytes && !memcmp(a_bytes, b_bytes, a->bytes);
    arena_free(scratch);
    return same;
}

static int append(struct data_file *d, const struct tensor *t, const void *bytes, uint64_t *offset)
{
    struct diag *diag = d->s->ctx->diag;
    int code = d->out ? 0 : outfile_open(&d->out, d->path, true, diag);
    if (code)
        return code;
    uint64_t at = outfile_offset(d->out);
    *offset = (at + ALIGN - 1) / ALIGN * ALIGN;
    code = outfile_zeros(d->out, *offset - at);
    return code ? code : outfile_write(d->out, bytes, t->bytes);
}

static uint64_t add_bytes(struct data_file *d, const struct tensor *t, const void *bytes)
{
    struct hash128 hash = hash_bytes(bytes, t->bytes);
    void **slot = map_slot(&d->by_hash, arena_copy(d->s->arena, &hash, sizeof hash), sizeof hash);
    size_t first = (size_t)(uintptr_t)*slot;
    for (size_t i = first; i; i = d->stored.data[i - 1].next)
        if (same_bytes(d->stored.data[i - 1].tensor, t, bytes))
            return d->stored.data[i - 1].offset;
    struct stored entry = {.tensor = t, .hash = hash, .next = first};
    if (append(d, t, bytes, &entry.offset))
        return UINT64_MAX;
    vec_push(&d->stored, entry);
    *slot = (void *)(uintptr_t)d->stored.count;
    return entry.offset;
}

uint64_t data_file_add(struct data_file *d, const struct tensor *t)
{
    struct ctx *ctx = d->s->ctx;
    struct arena *scratch = arena_new();
    uint64_t offset = UINT64_MAX;
    const void *bytes = t->bytes ? tensor_bytes_of(t, scratch) : "";
    if (!bytes)
        diag_report(ctx->diag, E_LIMIT_MEMORY, NULL, "a tensor of %zu bytes cannot be computed",
                    t->bytes);
    else if (!ctx_check(ctx))
        offset = add_bytes(d, t, bytes);
    arena_free(scratch);
    return offset;
}

/* ---- naming and publishing ---- */

int data_file_finish(struct data_file *d)
{
    if (!d->out)
        return 0;
    char text[HASH_TEXT];
    struct hasher *h = hasher_new();
    for (size_t i = 0; i < d->stored.count; i++) {
        const struct stored *e = &d->stored.data[i];
        uint64_t row[] = {e->offset, e->tensor->bytes, e->hash.high, e->hash.low};
        hasher_add(h, row, sizeof row);
    }
    hash_text(hasher_end(h), text);
    char *digits = d->name + strlen(d->name) - strlen(".data") - HASH_DIGITS;
    memcpy(digits, text, HASH_DIGITS);
    int code = outfile_rename(d->out, d->name, true);
    return code ? code : outfile_finish(d->out);
}

int data_file_publish(struct data_file *d)
{
    struct outfile *out = d->out;
    d->out = NULL;
    return out ? outfile_publish(out) : 0;
}

void data_file_free(struct data_file *d)
{
    if (!d)
        return;
    outfile_abort(d->out);
    map_release(&d->by_hash);
    vec_free(&d->stored);
    mem_free(d->path);
    mem_free(d);
}
