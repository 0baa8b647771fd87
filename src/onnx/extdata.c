/* The entries of external_data: a whitelist of keys, strict decimals, plain relative paths. */
#include "onnx/extdata.h"

#include <string.h>

#include "base/text.h"
#include "onnx/wire.h"

enum { FIELD_EXTERNAL = 13, MAX_DIGITS = 20, SHA1_TEXT = 40 };

static int fail(const struct scan *s, enum err id, const struct tensor_proto *t, const char *what)
{
    enum { SHOWN = 100 };
    int size = (int)(t->name.size < SHOWN ? t->name.size : SHOWN);
    return scan_fail(s, id, t->message.data, "external data of tensor '%.*s': %s", size,
                     (const char *)t->name.data, what);
}

/* Decimal digits only: no sign, blank, or hexadecimal. */
static bool decimal(struct span text, uint64_t *value)
{
    uint64_t v = 0;
    if (text.size == 0 || text.size > MAX_DIGITS)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *value = v;
    return true;
}

/* ---- the location ---- */

static bool component_is(const unsigned char *at, size_t size, const char *name)
{
    return size == strlen(name) && !memcmp(at, name, size);
}

static int check_component(const struct scan *s, const struct tensor_proto *t,
                           const unsigned char *at, size_t size)
{
    if (size == 0)
        return fail(s, E_EXT_LOCATION, t, "the location has an empty component");
    if (component_is(at, size, ".."))
        return fail(s, E_EXT_DOTDOT, t, "the location has a '..' component");
    if (component_is(at, size,
                     "_ORT_MEM_ADDR_")) /* ONNX Runtime's marker for an address in memory */
        return fail(s, E_EXT_ADDRESS, t,
                    "the location is a memory address, which no file may carry");
    return 0;
}

static int check_location(const struct scan *s, const struct tensor_proto *t, struct span at)
{
    if (at.size == 0)
        return fail(s, E_EXT_LOCATION, t, "there is no location");
    if (at.size > EXTDATA_MAX_LOCATION || memchr(at.data, 0, at.size) ||
        !utf8_valid(at.data, at.size))
        return fail(s, E_EXT_LOCATION, t, "the location is not valid UTF-8 of at most 4096 bytes");
    if (at.data[0] == '/')
        return fail(s, E_EXT_ABSOLUTE, t, "the location is an absolute path");
    if (memchr(at.data, '\\', at.size) || (at.size > 1 && at.data[1] == ':'))
        return fail(s, E_EXT_WINDOWS, t, "the location has a backslash or a drive letter");
    for (size_t start = 0, i = 0; i <= at.size; i++)
        if (i == at.size || at.data[i] == '/') {
            int code = check_component(s, t, at.data + start, i - start);
            if (code)
                return code;
            start = i + 1;
        }
    return 0;
}

/* ---- the entries ---- */

static bool all_hex(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!memchr("0123456789abcdefABCDEF", text.data[i], 22))
            return false;
    return text.size == SHA1_TEXT;
}

enum key { KEY_LOCATION, KEY_OFFSET, KEY_LENGTH, KEY_CHECKSUM, KEY_UNKNOWN };

static enum key key_of(struct span key)
{
    static const char *const NAMES[] = {"location", "offset", "length", "checksum"};
    for (int i = 0; i < KEY_UNKNOWN; i++)
        if (span_equals(key, span_of(NAMES[i])))
            return (enum key)i;
    return KEY_UNKNOWN;
}

static int take(struct scan *s, const struct tensor_proto *t, struct extdata *x, enum key key,
                struct span value)
{
    switch (key) {
    case KEY_LOCATION:
        x->location = value;
        return check_location(s, t, value);
    case KEY_OFFSET:
        return decimal(value, &x->offset)
                   ? 0
                   : fail(s, E_EXT_NUMBER, t, "the offset is not a decimal number");
    case KEY_LENGTH:
        x->has_length = true;
        return decimal(value, &x->length)
                   ? 0
                   : fail(s, E_EXT_NUMBER, t, "the length is not a decimal number");
    case KEY_CHECKSUM:
        x->checksum = value;
        return all_hex(value)
                   ? 0
                   : fail(s, E_EXT_NUMBER, t, "the checksum is not a SHA-1 in hexadecimal");
    default:
        if (!s->warned_key)
            fail(s, E_EXT_KEY, t, "an entry has a key that is not known; it is ignored and kept");
        s->warned_key = true;
        return 0;
    }
}

static int read_entries(struct scan *s, const struct tensor_proto *t, struct extdata *x)
{
    struct wire w = wire_of(t->message);
    struct field f;
    bool seen[KEY_UNKNOWN] = {false};
    while (wire_next(&w, &f) == WIRE_FIELD) {
        if (f.number != FIELD_EXTERNAL)
            continue;
        enum key key = key_of(wire_bytes(f.payload, 1));
        if (key < KEY_UNKNOWN && seen[key])
            return fail(s, E_EXT_TWICE, t, "a key stands twice");
        if (key < KEY_UNKNOWN)
            seen[key] = true;
        int code = take(s, t, x, key, wire_bytes(f.payload, 2));
        if (code)
            return code;
    }
    return seen[KEY_LOCATION] ? 0 : fail(s, E_EXT_LOCATION, t, "there is no location");
}

int extdata_parse(struct scan *s, const struct tensor_proto *t, size_t bytes, struct extdata *x)
{
    *x = (struct extdata){0};
    int code = read_entries(s, t, x);
    if (code)
        return code;
    if (!x->has_length)
        x->length = bytes;
    if (x->length != bytes)
        return fail(s, E_EXT_LENGTH, t, "the length is not what its type and dims want");
    return 0;
}
