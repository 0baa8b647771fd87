/* UTF-8, terminal-safe copies and number texts; no locale anywhere. */
#include "base/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"

/* Bytes of a sequence by its first byte; 0 for a byte that cannot begin one. */
static size_t utf8_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf8_decode(const void *text, size_t size, uint32_t *code)
{
    static const uint32_t FIRST_OF[] = {0, 0, 0x80, 0x800, 0x10000}; /* smaller ones are overlong */
    static const unsigned char BITS[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *p = text;
    size_t n = size ? utf8_length(p[0]) : 0;
    if (n == 0 || n > size)
        return 0;
    uint32_t value = p[0] & BITS[n];
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (p[i] & 0x3f);
    }
    if (value < FIRST_OF[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return n;
}

bool utf8_valid(const void *text, size_t size)
{
    const unsigned char *p = text;
    uint32_t code;
    for (size_t i = 0, n; i < size; i += n) {
        n = utf8_decode(p + i, size - i, &code);
        if (!n)
            return false;
    }
    return true;
}

/* C0, DEL, C1, and the direction controls of Unicode (UAX 9), which can make text read as another.
 */
static bool is_unsafe(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static int write_escape(char *buffer, size_t size, uint32_t code)
{
    if (code == '\n' || code == '\t')
        return snprintf(buffer, size, "\\%c", code == '\n' ? 'n' : 't');
    return snprintf(buffer, size, code < 0x100 ? "\\x%02x" : "\\u{%04x}", (unsigned)code);
}

char *text_printable(const char *text, bool keep_newlines)
{
    VEC(char) out = {0};
    size_t size = strlen(text);
    for (size_t i = 0; i < size;) {
        uint32_t code = (unsigned char)text[i];
        size_t n = utf8_decode(text + i, size - i, &code);
        char buffer[16];
        const char *from = text + i;
        size_t length = n;
        if (!n || (is_unsafe(code) && !(code == '\n' && keep_newlines))) {
            length = (size_t)write_escape(buffer, sizeof buffer, code);
            from = buffer;
        }
        vec_reserve(&out, out.count + length);
        memcpy(out.data + out.count, from, length);
        out.count += length;
        i += n ? n : 1;
    }
    vec_push(&out, '\0');
    return out.data;
}

size_t text_columns(const char *text)
{
    size_t columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

bool text_int(const char *text, int64_t *value)
{
    char *end;
    if (!*text || strspn(text, "+-0123456789") != strlen(text))
        return false;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    *value = n;
    return errno == 0 && *end == '\0' && end != text;
}

static double parse_double(const char *text, char **end)
{
    static locale_t c_locale;
    locale_t known = __atomic_load_n(&c_locale, __ATOMIC_ACQUIRE);
    if (!known) {
        known = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        __atomic_store_n(&c_locale, known,
                         __ATOMIC_RELEASE); /* the "C" object is static: a race leaks nothing */
    }
    return strtod_l(text, end, known);
}

bool text_double(const char *text, double *value)
{
    char *end;
    if (!*text || strspn(text, "+-.0123456789eEinfatyINFATY") != strlen(text))
        return false;
    errno = 0;
    *value = parse_double(text, &end);
    bool overflow = errno == ERANGE && fabs(*value) > 1; /* underflow rounds as it should */
    return *end == '\0' && end != text && !overflow;
}

/* Bytes of a unit suffix, 0 when it is none: "", "B", "K", "KB", "KiB", ... powers of 1024, either
 * case. */
static uint64_t unit_of(const char *suffix)
{
    static const char UNITS[] = "KMGT";
    uint64_t unit = 1;
    char c = suffix[0];
    if (c && c != 'B' && c != 'b') {
        const char *at = strchr(UNITS, c >= 'a' ? c - 'a' + 'A' : c);
        if (!at)
            return 0;
        unit = (uint64_t)1 << (10 * (at - UNITS + 1));
        suffix++;
    }
    bool plain = !*suffix || !strcmp(suffix, "B") || !strcmp(suffix, "b");
    return plain || (unit > 1 && !strcmp(suffix, "iB")) ? unit : 0;
}

bool text_size(const char *text, uint64_t *bytes)
{
    char number[32];
    size_t digits = strspn(text, "0123456789.");
    uint64_t unit = unit_of(text + digits);
    if (digits == 0 || digits >= sizeof number || !unit)
        return false;
    memcpy(number, text, digits);
    number[digits] = '\0';
    double value;
    if (!text_double(number, &value) || value * (double)unit >= 0x1p63)
        return false;
    *bytes = (uint64_t)(value * (double)unit);
    return true;
}

/* One bracket expression at p ('[' consumed); *end: behind it. false in *ok when it is not closed.
 */
static bool in_set(const char *p, char c, const char **end)
{
    bool negate = *p == '!' || *p == '^', found = false;
    p += negate;
    const char *first = p;
    for (; *p && (*p != ']' || p == first); p++) {
        char low = *p, high = low;
        if (p[1] == '-' && p[2] && p[2] != ']') {
            high = p[2];
            p += 2;
        }
        found = found || (c >= low && c <= high);
    }
    *end = *p ? p + 1 : NULL;
    return found != negate;
}

/* Whether the single element at *p matches c; moves *p behind the element. */
static bool match_one(const char **p, char c)
{
    const char *end;
    if (**p == '?') {
        ++*p;
        return true;
    }
    if (**p == '[') {
        bool inside = in_set(*p + 1, c, &end);
        if (end) {
            *p = end;
            return inside;
        }
    }
    if (**p == '\\' && (*p)[1])
        ++*p;
    return *(*p)++ == c;
}

/* Linear in practice: only the last star is ever tried again. */
bool text_glob(const char *pattern, const char *name)
{
    const char *star = NULL, *retry = NULL;
    while (*name) {
        const char *next = pattern;
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (*pattern && match_one(&next, *name)) {
            pattern = next;
            name++;
        } else if (star) {
            pattern = star;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}
