/* Reading the text form (grammar: graph_text.c): words, numbers, types and tensor literals. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "ir/edit.h"
#include "ir/graph_text.h"

enum { MAX_WORD = 4096 }; /* bytes of a name or a number */

/* ---- words ---- */

int text_error(struct text_in *in, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(in->scratch, format, args);
    va_end(args);
    int line = 1;
    for (const char *c = in->begin; c < in->at; c++)
        line += *c == '\n';
    return diag_report(in->m->ctx->diag, E_GRAPH_TEXT, NULL, "line %d: %s, before '%.24s'", line,
                       what, in->at);
}

void text_skip(struct text_in *in)
{
    while (isspace((unsigned char)*in->at) || *in->at == '#') {
        if (*in->at == '#')
            in->at += strcspn(in->at, "\n");
        else
            in->at++;
    }
}

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '/';
}

bool text_peek(struct text_in *in, const char *mark)
{
    size_t n = strlen(mark);
    text_skip(in);
    return !strncmp(in->at, mark, n) && !(word_char(mark[n - 1]) && word_char(in->at[n]));
}

bool text_accept(struct text_in *in, const char *mark)
{
    bool there = text_peek(in, mark);
    in->at += there ? strlen(mark) : 0;
    return there;
}

int text_expect(struct text_in *in, const char *mark)
{
    return text_accept(in, mark) ? 0 : text_error(in, "expected '%s'", mark);
}

static int hex_value(const char *digits, size_t n, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isxdigit((unsigned char)digits[i]))
            return -1;
        int d = digits[i] <= '9' ? digits[i] - '0' : (digits[i] | 0x20) - 'a' + 10;
        *out = *out * 16 + (unsigned)d;
    }
    return 0;
}

int text_read_string(struct text_in *in, struct span *out)
{
    VEC(char) bytes = {0};
    TEXT_TRY(text_expect(in, "\""));
    for (; *in->at && *in->at != '"'; in->at++) {
        unsigned code = (unsigned char)*in->at;
        if (*in->at == '\\') {
            in->at++;
            code = (unsigned char)*in->at;
            if (code == 'x' && hex_value(in->at + 1, 2, &code) == 0)
                in->at += 2;
        }
        if (!*in->at)
            break;
        vec_push(&bytes, (char)code);
    }
    size_t size = bytes.count;
    vec_push(&bytes, '\0');
    out->data = arena_copy(in->m->arena, bytes.data, bytes.count);
    out->size = size;
    vec_free(&bytes);
    return text_expect(in, "\"");
}

int text_read_name(struct text_in *in, bool colons, const char **name)
{
    struct span s;
    text_skip(in);
    if (*in->at == '"') {
        TEXT_TRY(text_read_string(in, &s));
    } else {
        s.data = (const unsigned char *)in->at;
        while (word_char(*in->at) ||
               (colons && in->at[0] == ':' && in->at[1] == ':' && word_char(in->at[2])))
            in->at += *in->at == ':' ? 2 : 1;
        s.size = (size_t)((const unsigned char *)in->at - s.data);
        if (!s.size)
            return text_error(in, "expected a name");
    }
    *name = intern_bytes(in->m->names, s.data, s.size);
    return 0;
}

/* ---- numbers ---- */

bool text_at_number(struct text_in *in)
{
    text_skip(in);
    return isdigit((unsigned char)*in->at) || *in->at == '-' || text_peek(in, "nan") ||
           text_peek(in, "inf");
}

static int read_word(struct text_in *in, char *word)
{
    size_t n = 0;
    text_skip(in);
    while (n + 1 < MAX_WORD &&
           (isalnum((unsigned char)*in->at) || (*in->at && strchr("+-.", *in->at))))
        word[n++] = *in->at++;
    word[n] = '\0';
    return n ? 0 : text_error(in, "expected a number");
}

int text_read_int(struct text_in *in, int64_t *value)
{
    char word[MAX_WORD];
    TEXT_TRY(read_word(in, word));
    if (text_int(word, value))
        return 0;
    char *end; /* uint64 beyond INT64_MAX: its bits */
    unsigned long long wide = strtoull(word, &end, 10);
    if (*end || word[0] == '-')
        return text_error(in, "'%.40s' is no integer", word);
    *value = (int64_t)wide;
    return 0;
}

int text_read_number(struct text_in *in, double *value, bool *is_float)
{
    char word[MAX_WORD];
    TEXT_TRY(read_word(in, word));
    *is_float = strpbrk(word, ".eni") != NULL;
    return text_double(word, value) ? 0 : text_error(in, "'%.40s' is no number", word);
}

/* ---- types ---- */

/* The text of one dim: up to a comma or bracket that is not inside parentheses or quotes. */
static int read_dim(struct text_in *in, dim_t *out)
{
    char text[MAX_WORD];
    size_t n = 0;
    int open = 0;
    bool quoted = false;
    text_skip(in);
    for (; *in->at && n + 1 < MAX_WORD; in->at++) {
        char c = *in->at;
        if (!quoted && open == 0 && (c == ',' || c == ']'))
            break;
        quoted ^= c == '\'' && !(n && text[n - 1] == '\\');
        open += quoted ? 0 : (c == '(') - (c == ')');
        text[n++] = c;
    }
    text[n] = '\0';
    *out = dim_parse(in->m->dims, text);
    if (!*out && text[strspn(text, " ?")])
        return text_error(in, "'%.40s' is no dimension", text);
    return 0;
}

static int read_dims(struct text_in *in, struct type *t)
{
    VEC(dim_t) dims = {0};
    int status = 0;
    for (bool more = !text_accept(in, "]"); more; more = text_accept(in, ",")) {
        dim_t d;
        if ((status = read_dim(in, &d)))
            break;
        vec_push(&dims, d);
    }
    t->rank = (int32_t)dims.count;
    t->dims = arena_copy(in->m->arena, dims.data, dims.count * sizeof(dim_t));
    vec_free(&dims);
    return status ? status : t->rank ? text_expect(in, "]") : 0;
}

static int read_nested(struct text_in *in, enum type_kind kind, struct type *t)
{
    struct type *elem = arena_alloc(in->m->arena, sizeof *elem);
    t->kind = kind;
    if (++in->depth > GRAPH_MAX_DEPTH)
        return text_error(in, "types nest more than %d deep", GRAPH_MAX_DEPTH);
    if (kind == TYPE_MAP) {
        const char *key;
        TEXT_TRY(text_read_name(in, false, &key));
        t->dtype = dtype_find(key);
        TEXT_TRY(text_expect(in, ","));
    }
    TEXT_TRY(text_read_type(in, elem));
    in->depth--;
    if (kind == TYPE_SPARSE) {
        *t = *elem;
        t->kind = TYPE_SPARSE;
    } else {
        t->elem = elem;
    }
    return text_expect(in, ")");
}

static enum type_kind nested_kind(const char *name)
{
    static const char *const KINDS[] = {[TYPE_SPARSE] = "sparse",
                                        [TYPE_SEQUENCE] = "seq",
                                        [TYPE_OPTIONAL] = "optional",
                                        [TYPE_MAP] = "map"};
    for (int i = TYPE_SPARSE; i <= TYPE_MAP; i++)
        if (!strcmp(name, KINDS[i]))
            return (enum type_kind)i;
    return TYPE_NONE;
}

int text_read_type(struct text_in *in, struct type *t)
{
    const char *name;
    *t = (struct type){.kind = TYPE_TENSOR, .rank = -1};
    if (text_accept(in, "?")) {
        t->kind = TYPE_NONE;
        return 0;
    }
    TEXT_TRY(text_read_name(in, false, &name));
    if (text_accept(in, "("))
        return read_nested(in, nested_kind(name), t);
    if (!strcmp(name, "opaque")) {
        t->kind = TYPE_OPAQUE;
        return 0;
    }
    t->dtype = dtype_find(name);
    if (t->dtype == DT_UNDEFINED && strcmp(name, "undefined"))
        return text_error(in, "'%s' is no type", name);
    return text_accept(in, "[") ? read_dims(in, t) : 0;
}

bool text_at_type(struct text_in *in)
{
    const char *name, *start = in->at;
    text_skip(in);
    bool found = isalpha((unsigned char)*in->at) && !text_read_name(in, false, &name) &&
                 dtype_find(name) != DT_UNDEFINED && *in->at == '[';
    in->at = start;
    return found;
}

/* ---- data ---- */

bool text_at_data(struct text_in *in, const struct type *type)
{
    if (type->dtype == DT_STRING && text_peek(in, "\""))
        return true;
    return text_at_number(in) || text_peek(in, "[") || text_peek(in, "fill") ||
           text_peek(in, "hex") || text_peek(in, "hash");
}

static int read_element(struct text_in *in, struct tensor *t, int64_t i)
{
    int64_t whole;
    double x;
    bool is_float;
    if (t->dtype == DT_STRING) {
        union {
            const struct span *in;
            struct span *out;
        } list = {t->strings};
        return text_read_string(in, &list.out[i]);
    }
    if (dtype_is_float(t->dtype)) {
        TEXT_TRY(text_read_number(in, &x, &is_float));
        num_set(tensor_writable(t), t->dtype, i, x);
        return 0;
    }
    TEXT_TRY(text_read_int(in, &whole));
    num_set_int(tensor_writable(t), t->dtype, i, whole);
    return 0;
}

static int read_elements(struct text_in *in, struct tensor *t)
{
    for (int64_t i = 0; i < t->count; i++) {
        TEXT_TRY(read_element(in, t, i));
        if (i + 1 < t->count)
            TEXT_TRY(text_expect(in, ","));
    }
    return text_expect(in, "]");
}

static int read_hex(struct text_in *in, struct tensor *t)
{
    unsigned char *bytes = tensor_writable(t);
    TEXT_TRY(text_expect(in, "("));
    text_skip(in);
    for (size_t i = 0; i < t->bytes; i++, in->at += 2) {
        unsigned byte;
        if (hex_value(in->at, 2, &byte))
            return text_error(in, "expected %zu bytes in hexadecimal", t->bytes);
        bytes[i] = (unsigned char)byte;
    }
    return text_expect(in, ")");
}

static int read_fill(struct text_in *in, struct tensor *t)
{
    double low, high, x;
    bool is_float;
    int64_t seed;
    TEXT_TRY(text_expect(in, "("));
    if (!text_accept(in, "seed")) {
        if (!t->count)
            return text_error(in, "nothing to fill");
        TEXT_TRY(read_element(in, t, 0));
        x = tensor_get(t, 0);
        seed = dtype_is_float(t->dtype) ? 0 : tensor_get_int(t, 0);
        for (int64_t i = 1; i < t->count; i++)
            if (dtype_is_float(t->dtype))
                num_set(tensor_writable(t), t->dtype, i, x);
            else
                num_set_int(tensor_writable(t), t->dtype, i, seed);
        return text_expect(in, ")");
    }
    TEXT_TRY(text_read_int(in, &seed));
    text_fill_range(t->dtype, &low, &high);
    if (text_accept(in, ",")) {
        TEXT_TRY(text_read_number(in, &low, &is_float));
        TEXT_TRY(text_expect(in, ","));
        TEXT_TRY(text_read_number(in, &high, &is_float));
    }
    text_fill(t, (uint64_t)seed, low, high);
    return text_expect(in, ")");
}

static int new_tensor(struct text_in *in, const struct type *type, struct tensor **out)
{
    int64_t dims[64];
    if (type->kind != TYPE_TENSOR || type->rank < 0 || type->rank > 64)
        return text_error(in, "data needs a tensor type with a rank");
    for (int i = 0; i < type->rank; i++)
        if (!dim_is_const(type->dims[i], &dims[i]))
            return text_error(in, "data needs constant dimensions");
    *out = tensor_new(in->m->arena, type->dtype, type->rank, dims);
    if (!*out || (type->dtype != DT_STRING && !dtype_bits(type->dtype)))
        return text_error(in, "the tensor's size is not valid");
    if (type->dtype == DT_STRING)
        (*out)->strings = arena_array(in->m->arena, (size_t)(*out)->count, sizeof(struct span));
    return 0;
}

int text_read_data(struct text_in *in, const struct type *type, struct tensor **out)
{
    TEXT_TRY(new_tensor(in, type, out));
    struct tensor *t = *out;
    if (text_accept(in, "["))
        return read_elements(in, t);
    if (text_accept(in, "hash"))
        return text_error(in, "the data was left out when this was printed");
    if (text_accept(in, "hex"))
        return read_hex(in, t);
    if (t->dtype != DT_STRING && text_accept(in, "fill"))
        return read_fill(in, t);
    return t->count == 1 ? read_element(in, t, 0) : text_error(in, "expected '['");
}
