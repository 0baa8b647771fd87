/* Format npz: a zip archive of .npy members named after the inputs, read through libzip.
 *
 * What the archive says about sizes is not believed: the bytes of a member follow from its own npy
 * header, must be possible for its compressed size (deflate cannot exceed 1032 : 1, RFC 1951), and
 * reading must end exactly there with a matching checksum. ZIP_CHECKCONS refuses duplicate names
 * and entries that overlap. Member names are compared with input names and never used as paths.
 *
 * Samples of a compressed member can only be read in order, so a reader that stands somewhere in
 * the members ("cursor") is put aside for the next call, which takes the one nearest before its
 * sample. Threads that go through the samples side by side each get their own; the memory held is
 * an inflate window a cursor.
 */
#include <pthread.h>
#include <string.h>
#include <zip.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/data.h"
#include "data/npy_header.h"

enum {
    NPZ_MEMBERS_MAX = 65536,  /* a plausible archive has one per input */
    NPZ_CURSORS_MAX = 16,     /* put aside; more threads than that reopen */
    NPZ_READ_MAX = 1 << 30,   /* one zip_fread, whose result is signed */
    NPZ_DEFLATE_RATIO = 1032, /* 258 bytes from 2 bits, less the block header */
    NPZ_SKIP_BYTES = 1 << 16,
};

struct npz_member {
    zip_int64_t entry; /* -1: the input has no array */
    struct npy_header header;
    struct array_cut cut;
};

struct npz_cursor {
    zip_t *zip;
    zip_file_t **files; /* per input; NULL: none */
    size_t next;        /* sample that follows in all of them */
    struct npz_cursor *link;
};

struct npz_state {
    struct npz_member *members; /* per input */
    uint32_t n_inputs;
    pthread_mutex_t lock;
    struct npz_cursor *free;
    int n_free;
};

static bool npz_probe(const char *path, struct span head, bool folder)
{
    return !folder && (path_has_suffix(path, ".npz") ||
                       (head.size >= 4 && memcmp(head.data, "PK\3\4", 4) == 0));
}

static int zip_failed(const char *path, zip_error_t *error, const char *what, struct ctx *ctx)
{
    return diag_report(ctx->diag, E_NPZ_ARCHIVE, &(struct where){.file = path}, "%s: %s", what,
                       zip_error_strerror(error));
}

static int archive_open(const char *path, zip_t **zip, struct ctx *ctx)
{
    struct mapped_file probe; /* says what is wrong with the path itself */
    int why = 0, code = file_map(&probe, path, ctx->diag);
    if (code)
        return code;
    file_unmap(&probe);
    *zip = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &why);
    if (*zip)
        return 0;
    zip_error_t error;
    zip_error_init_with_code(&error, why);
    code = zip_failed(path, &error, "the zip archive is not consistent", ctx);
    zip_error_fini(&error);
    return code;
}

/* Exactly size bytes. */
static int read_exact(zip_file_t *f, void *to, size_t size, const struct where *at, struct ctx *ctx)
{
    char *p = to;
    while (size > 0) {
        size_t piece = size < NPZ_READ_MAX ? size : NPZ_READ_MAX;
        zip_int64_t n = zip_fread(f, p, piece);
        if (n < 0)
            return diag_report(ctx->diag, E_NPZ_MEMBER, at, "reading the member failed: %s",
                               zip_error_strerror(zip_file_get_error(f)));
        if (n == 0)
            return diag_report(ctx->diag, E_NPZ_SIZE, at,
                               "the member ends %zu bytes before its array does", size);
        p += n, size -= (size_t)n;
    }
    return 0;
}

/* The end of the member must be here; reaching it makes libzip compare the checksum. */
static int check_end(zip_file_t *f, const struct where *at, struct ctx *ctx)
{
    char extra;
    zip_int64_t n = zip_fread(f, &extra, 1);
    if (n > 0)
        return diag_report(ctx->diag, E_NPZ_SIZE, at, "the member goes on after its array");
    if (n < 0)
        return diag_report(ctx->diag, E_NPZ_MEMBER, at, "reading the member failed: %s",
                           zip_error_strerror(zip_file_get_error(f)));
    return 0;
}

static int read_header(zip_file_t *f, const struct where *at, struct npy_header *h, struct ctx *ctx)
{
    unsigned char text[NPY_PREFIX_MAX + NPY_HEADER_MAX];
    size_t need = 0;
    int code = read_exact(f, text, NPY_PREFIX_MAX, at, ctx);
    if (!code)
        code = npy_header_size(text, NPY_PREFIX_MAX, at, &need, ctx->diag);
    if (!code && need < NPY_PREFIX_MAX)
        code = diag_report(ctx->diag, E_NPY_HEADER, at, "the npy header is too short");
    if (!code)
        code = read_exact(f, text + NPY_PREFIX_MAX, need - NPY_PREFIX_MAX, at, ctx);
    return code ? code : npy_parse(text, need, at, h, ctx->diag);
}

static int check_stat(zip_t *zip, zip_int64_t entry, const struct where *at, zip_stat_t *st,
                      struct ctx *ctx)
{
    const zip_uint64_t need =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (zip_stat_index(zip, (zip_uint64_t)entry, 0, st) != 0 || (st->valid & need) != need)
        return zip_failed(at->file, zip_get_error(zip), "the entry cannot be read", ctx);
    if (st->encryption_method != ZIP_EM_NONE)
        return diag_report(ctx->diag, E_NPZ_ENCRYPTED, at, "the member is encrypted");
    if (st->comp_method != ZIP_CM_STORE && st->comp_method != ZIP_CM_DEFLATE)
        return diag_report(ctx->diag, E_NPZ_METHOD, at,
                           "compression method %d, stored and deflated members are read",
                           st->comp_method);
    return 0;
}

/* The sizes in the directory are only compared, never used. */
static int check_sizes(const zip_stat_t *st, const struct npy_header *h, const struct where *at,
                       struct ctx *ctx)
{
    zip_uint64_t total = (zip_uint64_t)h->offset + h->bytes;
    if (st->comp_method == ZIP_CM_STORE && st->comp_size != total)
        return diag_report(ctx->diag, E_NPZ_SIZE, at,
                           "the member has %llu bytes, its array needs %llu",
                           (unsigned long long)st->comp_size, (unsigned long long)total);
    if (st->size != total)
        return diag_report(ctx->diag, E_NPZ_SIZE, at,
                           "the directory says %llu bytes, the array needs %llu",
                           (unsigned long long)st->size, (unsigned long long)total);
    if (total / NPZ_DEFLATE_RATIO > st->comp_size)
        return diag_report(ctx->diag, E_NPZ_RATIO, at,
                           "an array of %llu bytes cannot come from %llu compressed ones",
                           (unsigned long long)total, (unsigned long long)st->comp_size);
    return 0;
}

static int open_member(zip_t *zip, const char *path, const struct data_model *m, uint32_t i,
                       struct npz_member *member)
{
    const struct sample_input *in = &m->inputs[i];
    struct where at = {.file = path, .tensor = in->name};
    zip_stat_t st;
    int code = check_stat(zip, member->entry, &at, &st, m->ctx);
    if (code)
        return code;
    zip_file_t *f = zip_fopen_index(zip, (zip_uint64_t)member->entry, 0);
    if (!f)
        return zip_failed(path, zip_get_error(zip), "the member cannot be opened", m->ctx);
    code = read_header(f, &at, &member->header, m->ctx);
    zip_fclose(f);
    if (!code)
        code = check_sizes(&st, &member->header, &at, m->ctx);
    if (code)
        return code;
    return array_cut(in, member->header.rank, member->header.dims, &at, m->arena, &member->cut,
                     m->ctx->diag);
}

/* The input a member is named after, or n_inputs. */
static uint32_t input_of(const struct data_model *m, const char *name)
{
    size_t n = strlen(name);
    for (uint32_t i = 0; i < m->n_inputs; i++) {
        size_t length = strlen(m->inputs[i].name);
        if (n == length + 4 && memcmp(name, m->inputs[i].name, length) == 0 &&
            strcmp(name + length, ".npy") == 0)
            return i;
    }
    return m->n_inputs;
}

static void tell_extra(const struct data_model *m, const char *name, const struct where *at)
{
    if (!*m->extra_told)
        diag_report(m->ctx->diag, E_SAMPLE_EXTRA, at,
                    "member '%s' is named after no input of the model", name);
    *m->extra_told = true;
}

static int find_members(zip_t *zip, const char *path, const struct data_model *m,
                        struct npz_member *members)
{
    zip_int64_t n = zip_get_num_entries(zip, 0);
    struct where at = {.file = path};
    if (n > NPZ_MEMBERS_MAX)
        return diag_report(m->ctx->diag, E_NPZ_ENTRIES, &at,
                           "%lld members, at most %d are looked at", (long long)n, NPZ_MEMBERS_MAX);
    for (zip_int64_t k = 0; k < n; k++) {
        const char *name = zip_get_name(zip, (zip_uint64_t)k, ZIP_FL_ENC_RAW);
        size_t length = name ? strlen(name) : 0;
        if (length == 0 || name[length - 1] == '/')
            continue;
        uint32_t i = input_of(m, name);
        if (i < m->n_inputs)
            members[i].entry = k;
        else
            tell_extra(m, name, &at);
    }
    return 0;
}

static int check_members(const char *path, const struct data_model *m,
                         const struct npz_member *members, size_t *count)
{
    const struct npz_member *first = NULL;
    for (uint32_t i = 0; i < m->n_inputs; i++) {
        struct where at = {.file = path, .tensor = m->inputs[i].name};
        const struct npz_member *member = &members[i];
        if (member->entry < 0) {
            if (!m->inputs[i].optional)
                return diag_report(m->ctx->diag, E_SAMPLE_INPUT, &at,
                                   "the archive has no array for input '%s'", m->inputs[i].name);
            continue;
        }
        if (first && first->cut.count != member->cut.count)
            return diag_report(m->ctx->diag, E_SAMPLE_COUNT, &at, "%zu samples, another array %zu",
                               member->cut.count, first->cut.count);
        first = member;
    }
    *count = first ? first->cut.count : 0;
    return 0;
}

static int npz_open(struct data_item *item, const struct data_model *m)
{
    zip_t *zip;
    int code = archive_open(item->path, &zip, m->ctx);
    if (code)
        return code;
    struct npz_state *s = arena_alloc(m->arena, sizeof *s);
    s->members = arena_array(m->arena, m->n_inputs, sizeof *s->members);
    s->n_inputs = m->n_inputs;
    for (uint32_t i = 0; i < m->n_inputs; i++)
        s->members[i].entry = -1;
    code = find_members(zip, item->path, m, s->members);
    for (uint32_t i = 0; !code && i < m->n_inputs; i++)
        if (s->members[i].entry >= 0)
            code = open_member(zip, item->path, m, i, &s->members[i]);
    zip_discard(zip);
    if (!code)
        code = check_members(item->path, m, s->members, &item->count);
    if (code)
        return code;
    pthread_mutex_init(&s->lock, NULL);
    item->state = s;
    return 0;
}

static void cursor_close(struct npz_cursor *c, uint32_t n_inputs)
{
    for (uint32_t i = 0; i < n_inputs; i++)
        if (c->files[i])
            zip_fclose(c->files[i]);
    if (c->zip)
        zip_discard(c->zip);
    mem_free(c->files);
    mem_free(c);
}

/* Takes the cursor nearest before the sample off the list, or NULL. */
static struct npz_cursor *cursor_take(struct npz_state *s, size_t index)
{
    struct npz_cursor **best = NULL, *c = NULL;
    pthread_mutex_lock(&s->lock);
    for (struct npz_cursor **at = &s->free; *at; at = &(*at)->link)
        if ((*at)->next <= index && (!best || (*at)->next > (*best)->next))
            best = at;
    if (best) {
        c = *best;
        *best = c->link;
        s->n_free--;
    }
    pthread_mutex_unlock(&s->lock);
    return c;
}

static void cursor_give(struct npz_state *s, struct npz_cursor *c, size_t count)
{
    bool keep = c->next < count;
    pthread_mutex_lock(&s->lock);
    keep = keep && s->n_free < NPZ_CURSORS_MAX;
    if (keep) {
        c->link = s->free;
        s->free = c;
        s->n_free++;
    }
    pthread_mutex_unlock(&s->lock);
    if (!keep)
        cursor_close(c, s->n_inputs);
}

/* The archive opened anew must be the one that was listed. */
static int cursor_member(struct npz_cursor *c, const char *path, const struct data_model *m,
                         const struct npz_state *s, uint32_t i)
{
    struct where at = {.file = path, .tensor = m->inputs[i].name};
    struct npy_header h;
    c->files[i] = zip_fopen_index(c->zip, (zip_uint64_t)s->members[i].entry, 0);
    if (!c->files[i])
        return zip_failed(path, zip_get_error(c->zip), "the member cannot be opened", m->ctx);
    int code = read_header(c->files[i], &at, &h, m->ctx);
    if (code)
        return code;
    const struct npy_header *was = &s->members[i].header;
    if (h.bytes != was->bytes || h.dtype != was->dtype || h.offset != was->offset)
        return diag_report(m->ctx->diag, E_CHANGED, &at, "the archive changed while it was read");
    return 0;
}

static int cursor_new(struct npz_cursor **out, const char *path, const struct data_model *m,
                      const struct npz_state *s)
{
    struct npz_cursor *c = mem_alloc(sizeof *c);
    c->files = mem_alloc((s->n_inputs + 1) * sizeof(zip_file_t *));
    int code = archive_open(path, &c->zip, m->ctx);
    for (uint32_t i = 0; !code && i < s->n_inputs; i++)
        if (s->members[i].entry >= 0)
            code = cursor_member(c, path, m, s, i);
    if (code)
        cursor_close(c, s->n_inputs);
    else
        *out = c;
    return code;
}

static int skip_bytes(zip_file_t *f, uint64_t size, const struct where *at, struct ctx *ctx)
{
    char *dump = mem_alloc(NPZ_SKIP_BYTES);
    int code = 0;
    while (size > 0 && !code) {
        size_t piece = size < NPZ_SKIP_BYTES ? (size_t)size : NPZ_SKIP_BYTES;
        code = read_exact(f, dump, piece, at, ctx);
        size -= piece;
    }
    mem_free(dump);
    return code;
}

/* Sample `index` of a Fortran-order array: its elements lie `count` apart in the whole array. */
static void *gather_fortran(const struct npz_member *member, const unsigned char *from,
                            size_t index, struct arena *a)
{
    size_t size = (size_t)dtype_bits(member->header.dtype) / 8;
    unsigned char *to = arena_array(a, (size_t)member->cut.elements, size);
    for (int64_t i = 0; i < member->cut.elements; i++)
        memcpy(to + (size_t)i * size, from + ((size_t)i * member->cut.count + index) * size, size);
    return to;
}

struct npz_read {
    const char *path;
    const struct data_model *m;
    const struct npz_state *s;
    struct npz_cursor *c;
    size_t index, count;
    struct arena *a;
};

/* The bytes of one input for the sample. A Fortran-order array of several samples is read whole. */
static int read_member(const struct npz_read *r, uint32_t i, void **data)
{
    const struct npz_member *member = &r->s->members[i];
    struct where at = {.file = r->path, .tensor = r->m->inputs[i].name};
    size_t size = (size_t)dtype_bits(member->header.dtype) / 8;
    size_t bytes = (size_t)member->cut.elements * size;
    bool gather = member->header.fortran && !member->cut.whole;
    size_t want = gather ? member->header.bytes : bytes;
    int code = 0;
    if (!gather && r->index > r->c->next)
        code =
            skip_bytes(r->c->files[i], (uint64_t)(r->index - r->c->next) * bytes, &at, r->m->ctx);
    if (code)
        return code;
    *data = data_alloc(want, &at, r->a, r->m->ctx);
    if (!*data)
        return -E_LIMIT_MEMORY;
    code = read_exact(r->c->files[i], *data, want, &at, r->m->ctx);
    if (!code && (gather || r->index + 1 == r->count))
        code = check_end(r->c->files[i], &at, r->m->ctx);
    if (!code && gather)
        *data = gather_fortran(member, *data, r->index, r->a);
    return code;
}

static bool any_gather(const struct npz_state *s)
{
    for (uint32_t i = 0; i < s->n_inputs; i++)
        if (s->members[i].entry >= 0 && s->members[i].header.fortran && !s->members[i].cut.whole)
            return true;
    return false;
}

static int read_inputs(const struct npz_read *r, const struct tensor **out)
{
    int code = 0;
    for (uint32_t i = 0; !code && i < r->s->n_inputs; i++) {
        const struct npz_member *member = &r->s->members[i];
        void *data = NULL;
        if (member->entry < 0)
            continue;
        code = read_member(r, i, &data);
        if (code)
            break;
        struct where at = {.file = r->path, .tensor = r->m->inputs[i].name};
        struct array_raw raw = {data, member->header.dtype, member->header.swap,
                                member->header.fortran};
        code = array_tensor(&r->m->inputs[i], &raw, &member->cut, &at, r->a, &out[i], r->m->ctx);
    }
    return code;
}

static int npz_get(const struct data_item *item, const struct data_model *m, size_t index,
                   struct arena *a, const struct tensor **out)
{
    struct npz_state *s = item->state;
    struct npz_cursor *c = any_gather(s) ? NULL : cursor_take(s, index);
    int code = c ? 0 : cursor_new(&c, item->path, m, s);
    if (code)
        return code;
    struct npz_read r = {item->path, m, s, c, index, item->count, a};
    code = read_inputs(&r, out);
    if (code || any_gather(s)) {
        cursor_close(c, s->n_inputs);
        return code;
    }
    c->next = index + 1;
    cursor_give(s, c, item->count);
    return 0;
}

static void npz_close(struct data_item *item)
{
    struct npz_state *s = item->state;
    if (!s)
        return;
    while (s->free) {
        struct npz_cursor *c = s->free;
        s->free = c->link;
        cursor_close(c, s->n_inputs);
    }
    pthread_mutex_destroy(&s->lock);
}

const struct data_format data_npz = {
    .name = "npz",
    .summary = "NumPy archive with arrays named after the inputs; a folder of them",
    .probe = npz_probe,
    .per_file = true,
    .open = npz_open,
    .get = npz_get,
    .close = npz_close,
};
