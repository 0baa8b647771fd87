/* Format rawlist: Qualcomm's input_list.txt. A line is a sample; it names a headerless file per
 * input as NAME:=FILE, or just FILE for models with one input. A line starting with # or % names
 * outputs and is passed over. A relative FILE is looked for beside the list, then in the working
 * folder. Files hold little-endian elements of the input's own type, or float32 as the Qualcomm
 * tools expect by default, in the layout of the ONNX model. Paths cannot contain blanks. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/vec.h"
#include "data/data.h"

struct raw_list {
    const char **paths; /* count * n_inputs; NULL: none */
};

static bool rawlist_probe(const char *path, struct span head, bool folder)
{
    (void)head;
    return !folder && path_has_suffix(path, ".txt");
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static const char *resolve(const char *list, const char *file, struct arena *a)
{
    if (file[0] == '/')
        return file;
    char *folder = path_folder(list), *beside = path_join(folder, file);
    const char *found = access(beside, F_OK) == 0 ? arena_string(a, beside) : file;
    mem_free(folder), mem_free(beside);
    return found;
}

static int bad_line(const struct data_model *m, const char *list, int64_t line, const char *what,
                    const char *word)
{
    return diag_report(m->ctx->diag, E_INPUT_LIST, &(struct where){.file = list},
                       "line %lld: %s '%s'", (long long)line, what, word);
}

/* "name:=file" or "file" into the slot of its input. */
static int take_word(const struct data_model *m, const char *list, int64_t line, char *word,
                     const char **slots)
{
    uint32_t i = 0;
    char *file = strstr(word, ":=");
    if (file) {
        *file = '\0', file += 2;
        while (i < m->n_inputs && strcmp(m->inputs[i].name, word) != 0)
            i++;
        if (i == m->n_inputs)
            return bad_line(m, list, line, "the model has no input", word);
    } else {
        file = word;
        if (!data_only_input(m, list, &i))
            return -E_SAMPLE_INPUT;
    }
    if (slots[i])
        return bad_line(m, list, line, "a second file for one input,", file);
    if (!*file)
        return bad_line(m, list, line, "no file is named for", word);
    slots[i] = resolve(list, arena_string(m->arena, file), m->arena);
    return 0;
}

static int take_line(const struct data_model *m, const char *list, int64_t line, char *text,
                     const char **slots)
{
    int code = 0;
    while (*text && !code) {
        while (is_blank(*text))
            text++;
        char *end = text;
        while (*end && !is_blank(*end))
            end++;
        char *next = *end ? end + 1 : end;
        *end = '\0';
        if (*text)
            code = take_word(m, list, line, text, slots);
        text = next;
    }
    for (uint32_t i = 0; !code && i < m->n_inputs; i++)
        if (!slots[i] && !m->inputs[i].optional)
            code = bad_line(m, list, line, "no file for input", m->inputs[i].name);
    return code;
}

static bool is_sample(const char *text)
{
    while (is_blank(*text))
        text++;
    return *text && *text != '#' && *text != '%';
}

static int parse(const struct data_model *m, const char *path, char *text, struct raw_list *l,
                 size_t *count)
{
    VEC(const char **) rows = {0};
    int64_t line = 1;
    int code = 0;
    for (char *next = text; !code && next; line++) {
        text = next;
        next = strchr(text, '\n');
        if (next)
            *next++ = '\0';
        if (!is_sample(text))
            continue;
        const char **slots = arena_array(m->arena, m->n_inputs, sizeof *slots);
        code = take_line(m, path, line, text, slots);
        vec_push(&rows, slots);
    }
    l->paths = arena_array(m->arena, rows.count * m->n_inputs, sizeof *l->paths);
    for (size_t i = 0; i < rows.count; i++)
        memcpy(l->paths + i * m->n_inputs, rows.data[i], m->n_inputs * sizeof *l->paths);
    *count = rows.count;
    vec_free(&rows);
    return code;
}

static int rawlist_open(struct data_item *item, const struct data_model *m)
{
    struct mapped_file f;
    int code = file_map(&f, item->path, m->ctx->diag);
    if (code)
        return code;
    struct raw_list *l = arena_alloc(m->arena, sizeof *l);
    char *text = mem_try_alloc(f.size + 1);
    if (!text)
        code = diag_report(m->ctx->diag, E_LIMIT_MEMORY, &(struct where){.file = item->path},
                           "no memory for a list of %zu bytes", f.size);
    else if (memchr(f.data, 0, f.size))
        code = diag_report(m->ctx->diag, E_INPUT_LIST, &(struct where){.file = item->path},
                           "the list holds bytes that are not text");
    if (!code) {
        memcpy(text, f.data, f.size);
        code = parse(m, item->path, text, l, &item->count);
    }
    mem_free(text);
    file_unmap(&f);
    item->state = l;
    return code;
}

/* The one free dimension follows from the size; false when it does not divide. */
static bool solve_dims(const struct sample_input *in, size_t elements, int64_t *dims)
{
    int free = -1;
    int64_t rest = 1;
    for (int i = 0; i < in->rank; i++) {
        dims[i] = in->dims[i];
        if (dims[i] >= 0 ? __builtin_mul_overflow(rest, dims[i], &rest) : free >= 0)
            return false;
        free = dims[i] < 0 ? i : free;
    }
    if (free < 0)
        return (uint64_t)rest == elements;
    if (rest == 0 || elements % (uint64_t)rest != 0)
        return false;
    dims[free] = (int64_t)(elements / (uint64_t)rest);
    return true;
}

static int read_raw(const struct sample_input *in, const char *path, const struct mapped_file *f,
                    struct arena *a, const struct tensor **out, struct ctx *ctx)
{
    struct where at = {.file = path, .tensor = in->name};
    size_t size = (size_t)dtype_bits(in->dtype) / 8;
    if (in->rank < 0 || size == 0)
        return diag_report(ctx->diag, E_SAMPLE_DIM, &at, "the shape of input '%s' is not known",
                           in->name);
    int64_t *dims = arena_array(a, (size_t)in->rank, sizeof *dims);
    struct array_raw raw = {NULL, in->dtype, false, false};
    bool native = f->size % size == 0 && solve_dims(in, f->size / size, dims);
    if (!native) {
        raw.dtype = DT_FLOAT;
        if (f->size % 4 != 0 || !solve_dims(in, f->size / 4, dims))
            return diag_report(ctx->diag, E_RAW_SIZE, &at,
                               "%zu bytes do not make the shape of input '%s' in %s or float",
                               f->size, in->name, dtype_name(in->dtype));
    }
    struct array_cut cut = {1, true, in->rank, dims, (int64_t)(f->size / (native ? size : 4))};
    void *data = data_alloc(f->size, &at, a, ctx);
    if (!data)
        return -E_LIMIT_MEMORY;
    memcpy(data, f->data, f->size);
    raw.data = data;
    return array_tensor(in, &raw, &cut, &at, a, out, ctx);
}

static int rawlist_get(const struct data_item *item, const struct data_model *m, size_t index,
                       struct arena *a, const struct tensor **out)
{
    const struct raw_list *l = item->state;
    int code = 0;
    for (uint32_t i = 0; !code && i < m->n_inputs; i++) {
        const char *path = l->paths[index * m->n_inputs + i];
        struct mapped_file f;
        if (!path)
            continue;
        code = file_map(&f, path, m->ctx->diag);
        if (code)
            break;
        code = read_raw(&m->inputs[i], path, &f, a, &out[i], m->ctx);
        file_unmap(&f);
    }
    return code;
}

const struct data_format data_rawlist = {
    .name = "rawlist",
    .summary = "Qualcomm input_list.txt naming raw files",
    .probe = rawlist_probe,
    .open = rawlist_open,
    .get = rawlist_get,
};
