/* Text is collected in a buffer and handed to the target when it is full. The stack of open
 * containers is explicit; each level knows its kind, whether something stands in it, and whether it
 * is written on one line. */
#include "base/json_write.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "base/vec.h"

enum { BUFFER = 1 << 14 };

struct level {
    char close; /* '}' or ']' */
    bool filled, inline_items;
};

struct json_writer {
    struct outfile *file; /* one of file, stream; both NULL: memory */
    FILE *stream;
    int indent, error;
    bool null_nonfinite, after_key;
    VEC(struct level) levels;
    VEC(char) text;
};

static struct json_writer *writer(struct outfile *file, FILE *stream, int indent)
{
    struct json_writer *w = mem_alloc(sizeof *w);
    w->file = file;
    w->stream = stream;
    w->indent = indent;
    return w;
}

struct json_writer *jw_new_outfile(struct outfile *out, int indent)
{
    return writer(out, NULL, indent);
}
struct json_writer *jw_new_stream(FILE *out, int indent) { return writer(NULL, out, indent); }
struct json_writer *jw_new_memory(int indent) { return writer(NULL, NULL, indent); }
void jw_nonfinite_as_null(struct json_writer *w, bool as_null) { w->null_nonfinite = as_null; }

static void flush(struct json_writer *w)
{
    if (w->error)
        ;
    else if (w->file)
        w->error = outfile_write(w->file, w->text.data, w->text.count);
    else if (fwrite(w->text.data, 1, w->text.count, w->stream) != w->text.count)
        w->error = -(int)E_WRITE;
    vec_clear(&w->text);
}

static void put(struct json_writer *w, const void *bytes, size_t size)
{
    if (size == 0)
        return;
    vec_reserve(&w->text, w->text.count + size);
    memcpy(w->text.data + w->text.count, bytes, size);
    w->text.count += size;
    if (w->text.count >= BUFFER && (w->file || w->stream))
        flush(w);
}

static void put_text(struct json_writer *w, const char *text) { put(w, text, strlen(text)); }

static void new_line(struct json_writer *w)
{
    static const char BLANKS[] = "                ";
    put(w, "\n", 1);
    size_t left = w->levels.count * (size_t)w->indent;
    while (left) {
        size_t n = left < sizeof BLANKS - 1 ? left : sizeof BLANKS - 1;
        put(w, BLANKS, n);
        left -= n;
    }
}

/* Comma and line break before the next item of the innermost container. */
static void separate(struct json_writer *w)
{
    if (w->levels.count == 0)
        return;
    struct level *top = &vec_last(&w->levels);
    if (top->filled)
        put_text(w, top->inline_items && w->indent ? ", " : ",");
    top->filled = true;
    if (w->indent && !top->inline_items)
        new_line(w);
}

static void before_value(struct json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    assert(w->levels.count == 0 || vec_last(&w->levels).close == ']');
    separate(w);
}

static void open_level(struct json_writer *w, char open, char close, bool inline_items)
{
    before_value(w);
    put(w, &open, 1);
    bool outer = w->levels.count && vec_last(&w->levels).inline_items;
    struct level level = {close, false, inline_items || outer};
    vec_push(&w->levels, level);
}

void jw_object(struct json_writer *w) { open_level(w, '{', '}', false); }
void jw_array(struct json_writer *w) { open_level(w, '[', ']', false); }
void jw_array_inline(struct json_writer *w) { open_level(w, '[', ']', true); }

void jw_end(struct json_writer *w)
{
    assert(w->levels.count && !w->after_key);
    struct level top = vec_pop(&w->levels);
    if (w->indent && top.filled && !top.inline_items)
        new_line(w);
    put(w, &top.close, 1);
}

/* The escape of a code point that cannot stand as it is, "" when it can. */
static const char *escape(uint32_t code, char buffer[8])
{
    static const char SHORT[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (code == '"')
        return "\\\"";
    if (code == '\\')
        return "\\\\";
    if (code < sizeof SHORT && SHORT[code]) {
        snprintf(buffer, 8, "\\%c", SHORT[code]);
        return buffer;
    }
    /* control characters; line separators that JavaScript takes for newlines */
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029) {
        snprintf(buffer, 8, "\\u%04x", (unsigned)code);
        return buffer;
    }
    return "";
}

static void put_quoted(struct json_writer *w, const unsigned char *text, size_t size)
{
    put(w, "\"", 1);
    size_t start = 0;
    for (size_t i = 0; i < size;) {
        char buffer[8];
        uint32_t code = 0;
        size_t n = utf8_decode(text + i, size - i, &code);
        const char *instead = n ? escape(code, buffer) : "\xEF\xBF\xBD"; /* U+FFFD */
        n = n ? n : 1;
        if (*instead) {
            put(w, text + start, i - start);
            put_text(w, instead);
            start = i + n;
        }
        i += n;
    }
    put(w, text + start, size - start);
    put(w, "\"", 1);
}

void jw_key(struct json_writer *w, const char *key)
{
    assert(w->levels.count && vec_last(&w->levels).close == '}' && !w->after_key);
    separate(w);
    put_quoted(w, (const unsigned char *)key, strlen(key));
    put_text(w, w->indent ? ": " : ":");
    w->after_key = true;
}

void jw_bytes(struct json_writer *w, const void *text, size_t size)
{
    before_value(w);
    put_quoted(w, text, size);
}

void jw_string(struct json_writer *w, const char *text)
{
    if (text)
        jw_bytes(w, text, strlen(text));
    else
        jw_null(w);
}

static void literal(struct json_writer *w, const char *text)
{
    before_value(w);
    put_text(w, text);
}

void jw_int(struct json_writer *w, int64_t value)
{
    char text[NUM_TEXT];
    snprintf(text, sizeof text, "%" PRId64, value);
    literal(w, text);
}

void jw_uint(struct json_writer *w, uint64_t value)
{
    char text[NUM_TEXT];
    snprintf(text, sizeof text, "%" PRIu64, value);
    literal(w, text);
}

static void nonfinite(struct json_writer *w, double value)
{
    const char *name = isnan(value) ? "\"nan\"" : value > 0 ? "\"inf\"" : "\"-inf\"";
    literal(w, w->null_nonfinite ? "null" : name);
}

void jw_f32(struct json_writer *w, float value)
{
    char text[NUM_TEXT];
    if (!isfinite(value)) {
        nonfinite(w, (double)value);
        return;
    }
    num_text_f32(text, value);
    literal(w, text);
}

void jw_f64(struct json_writer *w, double value)
{
    char text[NUM_TEXT];
    if (!isfinite(value)) {
        nonfinite(w, value);
        return;
    }
    num_text_f64(text, value);
    literal(w, text);
}

void jw_bool(struct json_writer *w, bool value) { literal(w, value ? "true" : "false"); }
void jw_null(struct json_writer *w) { literal(w, "null"); }

void jw_key_string(struct json_writer *w, const char *key, const char *text)
{
    jw_key(w, key);
    jw_string(w, text);
}

void jw_key_int(struct json_writer *w, const char *key, int64_t value)
{
    jw_key(w, key);
    jw_int(w, value);
}

void jw_key_uint(struct json_writer *w, const char *key, uint64_t value)
{
    jw_key(w, key);
    jw_uint(w, value);
}

void jw_key_f32(struct json_writer *w, const char *key, float value)
{
    jw_key(w, key);
    jw_f32(w, value);
}

void jw_key_f64(struct json_writer *w, const char *key, double value)
{
    jw_key(w, key);
    jw_f64(w, value);
}

void jw_key_bool(struct json_writer *w, const char *key, bool value)
{
    jw_key(w, key);
    jw_bool(w, value);
}

void jw_key_ints(struct json_writer *w, const char *key, const int64_t *values, size_t count)
{
    jw_key(w, key);
    jw_array_inline(w);
    for (size_t i = 0; i < count; i++)
        jw_int(w, values[i]);
    jw_end(w);
}

int jw_free(struct json_writer *w)
{
    put_text(w, "\n");
    if (w->file || w->stream)
        flush(w);
    int code = w->error;
    vec_free(&w->text);
    vec_free(&w->levels);
    mem_free(w);
    return code;
}

char *jw_free_text(struct json_writer *w, size_t *size)
{
    assert(!w->file && !w->stream && w->levels.count == 0);
    put_text(w, "\n");
    *size = w->text.count;
    vec_push(&w->text, '\0');
    char *text = w->text.data;
    vec_free(&w->levels);
    mem_free(w);
    return text;
}
