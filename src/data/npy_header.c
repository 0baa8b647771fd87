/* See npy_header.h. Source of the rules: numpy.lib.format (NEP 1) and what np.load accepts.
 * Deliberately refused: pickled objects (|O runs code when loaded), structured types, text types,
 * |V (no arithmetic meaning), keys other than the three, a key twice. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "data/npy_header.h"

struct descr {
    const char *text; /* without the byte order */
    enum dtype dtype;
};
static const struct descr DESCRS[] = {
    {"f4", DT_FLOAT},  {"f8", DT_DOUBLE}, {"f2", DT_FLOAT16}, {"i1", DT_INT8},
    {"u1", DT_UINT8},  {"i2", DT_INT16},  {"u2", DT_UINT16},  {"i4", DT_INT32},
    {"u4", DT_UINT32}, {"i8", DT_INT64},  {"u8", DT_UINT64},  {"b1", DT_BOOL},
};
enum { N_DESCRS = sizeof DESCRS / sizeof DESCRS[0] };

static const unsigned char MAGIC[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

struct scanner {
    const char *text, *end;
    const struct where *at;
    struct diag *diag;
};

int npy_header_size(const void *prefix, size_t size, const struct where *at, size_t *need,
                    struct diag *diag)
{
    const unsigned char *p = prefix;
    if (size < 10 || memcmp(p, MAGIC, sizeof MAGIC) != 0)
        return diag_report(diag, E_NPY_MAGIC, at, "the data does not begin as an npy array does");
    if (p[6] < 1 || p[6] > 3 || p[7] != 0)
        return diag_report(diag, E_NPY_VERSION, at,
                           "npy format version %d.%d, versions 1.0, 2.0 and 3.0 are read", p[6],
                           p[7]);
    size_t length = (size_t)p[8] | (size_t)p[9] << 8, start = 10;
    if (p[6] > 1) {
        if (size < NPY_PREFIX_MAX)
            return diag_report(diag, E_NPY_HEADER, at, "the npy header is cut short");
        length |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
        start = 12;
    }
    if (length > NPY_HEADER_MAX)
        return diag_report(diag, E_NPY_HEADER, at,
                           "the npy header has %zu bytes, at most %d are read", length,
                           NPY_HEADER_MAX);
    *need = start + length;
    return 0;
}

static int bad_header(const struct scanner *s, const char *what)
{
    return diag_report(s->diag, E_NPY_HEADER, s->at, "the npy header is not valid: %s", what);
}

static void skip_blanks(struct scanner *s)
{
    while (s->text < s->end &&
           (*s->text == ' ' || *s->text == '\t' || *s->text == '\n' || *s->text == '\r'))
        s->text++;
}

static bool take(struct scanner *s, char c)
{
    skip_blanks(s);
    if (s->text >= s->end || *s->text != c)
        return false;
    s->text++;
    return true;
}

static bool take_word(struct scanner *s, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(s);
    if ((size_t)(s->end - s->text) < n || memcmp(s->text, word, n) != 0)
        return false;
    s->text += n;
    return true;
}

/* 'text' or "text" without escapes, into a short buffer; false when it is anything else. */
static bool take_string(struct scanner *s, char *out, size_t room)
{
    skip_blanks(s);
    if (s->text >= s->end || (*s->text != '\'' && *s->text != '"'))
        return false;
    char quote = *s->text++;
    size_t n = 0;
    for (; s->text < s->end && *s->text != quote; s->text++) {
        if (*s->text == '\\' || *s->text == '\0' || n + 1 >= room)
            return false;
        out[n++] = *s->text;
    }
    out[n] = '\0';
    return s->text < s->end && *s->text++ == quote;
}

/* A non-negative decimal integer, with the L that Python 2 wrote. */
static bool take_size(struct scanner *s, int64_t *value)
{
    skip_blanks(s);
    const char *start = s->text;
    int64_t v = 0;
    for (; s->text < s->end && *s->text >= '0' && *s->text <= '9'; s->text++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *s->text - '0', &v))
            return false;
    if (s->text == start)
        return false;
    if (s->text < s->end && *s->text == 'L')
        s->text++;
    *value = v;
    return true;
}

static int parse_descr(struct scanner *s, struct npy_header *h)
{
    char text[64];
    skip_blanks(s);
    if (s->text < s->end && (*s->text == '[' || *s->text == '('))
        return diag_report(s->diag, E_NPY_TYPE, s->at,
                           "structured element types are not read, plain numbers are expected");
    if (!take_string(s, text, sizeof text))
        return bad_header(s, "'descr' must be a string");
    for (int i = 0; i < N_DESCRS; i++) {
        bool one_byte = dtype_bits(DESCRS[i].dtype) == 8;
        bool order_ok = text[0] == '<' || text[0] == '>' || (one_byte && text[0] == '|');
        if (!order_ok || strcmp(text + 1, DESCRS[i].text) != 0)
            continue;
        h->dtype = DESCRS[i].dtype;
        h->swap = text[0] == '>' && !one_byte;
        return 0;
    }
    const char *why = strchr(text, 'O')                        ? "pickled objects"
                      : strchr(text, 'U') || strchr(text, 'S') ? "text arrays"
                      : strchr(text, 'V')                      ? "untyped bytes"
                      : strchr(text, 'c')                      ? "complex numbers"
                                                               : "elements of this type";
    return diag_report(s->diag, E_NPY_TYPE, s->at, "elements are '%s': %s are not read", text, why);
}

static int parse_order(struct scanner *s, struct npy_header *h)
{
    if (take_word(s, "True"))
        h->fortran = true;
    else if (!take_word(s, "False"))
        return bad_header(s, "'fortran_order' must be True or False");
    return 0;
}

static int parse_shape(struct scanner *s, struct npy_header *h)
{
    if (!take(s, '('))
        return bad_header(s, "'shape' must be a tuple");
    bool comma = true;
    while (!take(s, ')')) {
        if (!comma)
            return bad_header(s, "'shape' lacks a comma");
        if (h->rank == NPY_RANK_MAX)
            return diag_report(s->diag, E_NPY_SHAPE, s->at, "more than %d dimensions",
                               NPY_RANK_MAX);
        if (!take_size(s, &h->dims[h->rank++]))
            return bad_header(s, "'shape' holds something that is not a size");
        comma = take(s, ',');
    }
    return h->rank == 1 && !comma ? bad_header(s, "'shape' must be a tuple") : 0;
}

static int parse_entry(struct scanner *s, struct npy_header *h, unsigned *seen)
{
    static const char *const KEYS[] = {"descr", "fortran_order", "shape"};
    static int (*const PARSE[])(struct scanner *, struct npy_header *) = {parse_descr, parse_order,
                                                                          parse_shape};
    char key[32];
    if (!take_string(s, key, sizeof key))
        return bad_header(s, "a key must be a short string");
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(key, KEYS[i]) != 0)
            continue;
        if (*seen >> i & 1)
            return bad_header(s, "a key stands twice");
        *seen |= 1u << i;
        return take(s, ':') ? PARSE[i](s, h) : bad_header(s, "':' expected");
    }
    return bad_header(s, "keys other than 'descr', 'fortran_order' and 'shape'");
}

static int parse_dictionary(struct scanner *s, struct npy_header *h)
{
    unsigned seen = 0;
    if (!take(s, '{'))
        return bad_header(s, "a dictionary is expected");
    bool comma = true;
    while (!take(s, '}')) {
        if (!comma)
            return bad_header(s, "',' expected");
        int code = parse_entry(s, h, &seen);
        if (code)
            return code;
        comma = take(s, ',');
    }
    if (seen != 7)
        return bad_header(s, "'descr', 'fortran_order' and 'shape' are all needed");
    skip_blanks(s);
    return s->text == s->end ? 0 : bad_header(s, "text follows the dictionary");
}

int npy_parse(const void *data, size_t size, const struct where *at, struct npy_header *h,
              struct diag *diag)
{
    size_t need = 0;
    int code = npy_header_size(data, size, at, &need, diag);
    if (code)
        return code;
    const char *text = data;
    struct scanner s = {text + (text[6] > 1 ? 12 : 10), text + need, at, diag};
    *h = (struct npy_header){.offset = need};
    if (need > size)
        return bad_header(&s, "it is cut short");
    code = parse_dictionary(&s, h);
    if (code)
        return code;
    if (!num_product(h->dims, h->rank, &h->count) || !dtype_bytes(h->dtype, h->count, &h->bytes))
        return diag_report(diag, E_NPY_SHAPE, at, "the sizes of the array overflow");
    return 0;
}

const char *npy_descr(enum dtype t)
{
    for (int i = 0; i < N_DESCRS; i++)
        if (DESCRS[i].dtype == t)
            return DESCRS[i].text;
    return NULL;
}

size_t npy_write_header(char buffer[NPY_TEXT_MAX], enum dtype dtype, int rank, const int64_t *dims)
{
    char order = dtype_bits(dtype) == 8 ? '|' : '<';
    memcpy(buffer, MAGIC, sizeof MAGIC);
    buffer[6] = 1, buffer[7] = 0;
    size_t n = 10;
    n += (size_t)snprintf(buffer + n, NPY_TEXT_MAX - n,
                          "{'descr': '%c%s', 'fortran_order': False, 'shape': (", order,
                          npy_descr(dtype));
    for (int i = 0; i < rank; i++)
        n += (size_t)snprintf(buffer + n, NPY_TEXT_MAX - n, i + 1 < rank ? "%lld, " : "%lld",
                              (long long)dims[i]);
    n += (size_t)snprintf(buffer + n, NPY_TEXT_MAX - n, rank == 1 ? ",), }" : "), }");
    size_t end = (n + 1 + 63) / 64 * 64; /* the data begins on a multiple of 64 */
    memset(buffer + n, ' ', end - n);
    buffer[end - 1] = '\n';
    buffer[8] = (char)((end - 10) & 0xff), buffer[9] = (char)((end - 10) >> 8);
    return end;
}
