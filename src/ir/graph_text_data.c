/* Tensor literals and the small pieces of the text form: printing side. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "ir/graph_text.h"

static void append(struct text_out *o, const char *text, size_t n)
{
    vec_reserve(&o->bytes, o->bytes.count + n);
    if (n)
        memcpy(o->bytes.data + o->bytes.count, text, n);
    o->bytes.count += n;
}

void text_put(struct text_out *o, const char *text) { append(o, text, strlen(text)); }

void text_putf(struct text_out *o, const char *format, ...)
{
    char line[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(line, sizeof line, format, args);
    if (n >= 0 && (size_t)n < sizeof line)
        append(o, line, (size_t)n);
    else
        text_put(o, arena_vprintf(o->scratch, format, again));
    va_end(again);
    va_end(args);
}

void text_string(struct text_out *o, const void *bytes, size_t size)
{
    const unsigned char *c = bytes;
    text_put(o, "\"");
    for (size_t i = 0; i < size; i++) {
        char one[2] = {(char)c[i], '\0'};
        if (c[i] == '"' || c[i] == '\\')
            text_putf(o, "\\%c", c[i]);
        else if (c[i] < 0x20 || c[i] >= 0x7F)
            text_putf(o, "\\x%02x", c[i]);
        else
            text_put(o, one);
    }
    text_put(o, "\"");
}

bool text_bare(const char *name, bool colons)
{
    for (const char *c = name; *c; c++) {
        if (isalnum((unsigned char)*c) || *c == '_' || *c == '.' || *c == '/')
            continue;
        if (!colons || c == name || c[0] != ':' || c[1] != ':' || !c[2])
            return false;
        c++;
    }
    return name[0] != '\0';
}

void text_float(struct text_out *o, float value)
{
    char text[NUM_TEXT];
    num_text_f32(text, value);
    text_put(o, text);
    if (!strpbrk(text, ".eni"))
        text_put(o, ".0");
}

/* ---- seeded fills ---- */

static uint64_t mixed(uint64_t x) /* SplitMix64, Steele et al. 2014 */
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

static double fill_element(uint64_t seed, int64_t i, double low, double high)
{
    uint64_t bits = mixed(mixed(seed) + (uint64_t)i) >> 40;
    return low + (double)bits * 0x1p-24 * (high - low);
}

void text_fill_range(enum dtype t, double *low, double *high)
{
    bool whole = dtype_is_int(t) || t == DT_BOOL;
    *low = !whole ? -1 : dtype_is_signed(t) ? -8 : 0;
    *high = !whole ? 1 : t == DT_BOOL ? 2 : 8;
    if (whole) {
        *low = *low < (double)dtype_min(t) ? (double)dtype_min(t) : *low;
        *high = *high > (double)dtype_max(t) + 1 ? (double)dtype_max(t) + 1 : *high;
    }
}

static double fill_value(const struct tensor *t, uint64_t seed, int64_t i, double low, double high)
{
    double x = fill_element(seed, i, low, high);
    return dtype_is_float(t->dtype) ? x : (double)num_floor(x);
}

void text_fill(struct tensor *t, uint64_t seed, double low, double high)
{
    for (int64_t i = 0; i < t->count; i++)
        num_set(tensor_writable(t), t->dtype, i, fill_value(t, seed, i, low, high));
}

/* ---- literals ---- */

static bool is_complex(enum dtype t) { return t == DT_COMPLEX64 || t == DT_COMPLEX128; }

static void put_number(struct text_out *o, const struct tensor *t, int64_t i)
{
    char text[NUM_TEXT];
    if (t->dtype == DT_UINT64) {
        text_putf(o, "%llu", (unsigned long long)tensor_get_int(t, i));
    } else if (!dtype_is_float(t->dtype)) {
        text_putf(o, "%lld", (long long)tensor_get_int(t, i));
    } else if (t->dtype == DT_DOUBLE) {
        num_text_f64(text, tensor_get(t, i));
        text_put(o, text);
    } else {
        num_text_f32(text, (float)tensor_get(t, i));
        text_put(o, text);
    }
}

static void put_element(struct text_out *o, const struct tensor *t, int64_t i)
{
    if (t->dtype == DT_STRING)
        text_string(o, t->strings[i].data, t->strings[i].size);
    else
        put_number(o, t, i);
}

static void put_hex(struct text_out *o, const struct tensor *t)
{
    const unsigned char *bytes = tensor_bytes_of(t, o->scratch);
    text_put(o, "hex(");
    for (size_t i = 0; bytes && i < t->bytes; i++)
        text_putf(o, "%02x", bytes[i]);
    text_put(o, ")");
}

/* Holds a NaN that "nan" would not bring back bit by bit. */
static bool has_odd_nan(const struct tensor *t, struct arena *scratch)
{
    unsigned char plain[8] = {0};
    size_t size = (size_t)dtype_bits(t->dtype) / 8;
    const unsigned char *bytes = tensor_bytes_of(t, scratch);
    if (!dtype_is_float(t->dtype) || size == 0 || !bytes)
        return false;
    num_set(plain, t->dtype, 0, (double)NAN);
    for (int64_t i = 0; i < t->count; i++) {
        double x = tensor_get(t, i);
        if (x != x && memcmp(bytes + (size_t)i * size, plain, size))
            return true;
    }
    return false;
}

static bool put_fill(struct text_out *o, const struct tensor *t)
{
    if (t->count < 8 || !tensor_all_equal(t, tensor_get(t, 0)))
        return false;
    double first = tensor_get(t, 0);
    if (first == 0) /* -0.0 among zeros shows in no comparison */
        for (int64_t i = 0; i < t->count; i++)
            if (__builtin_signbit(tensor_get(t, i)) != __builtin_signbit(first))
                return false;
    if (!dtype_is_float(t->dtype) && dtype_bits(t->dtype) == 64)
        for (int64_t i = 0; i < t->count; i++) /* doubles do not tell large integers apart */
            if (tensor_get_int(t, i) != tensor_get_int(t, 0))
                return false;
    text_put(o, "fill(");
    put_number(o, t, 0);
    text_put(o, ")");
    return true;
}

static bool put_seed(struct text_out *o, const struct tensor *t)
{
    enum { SEEDS = 32 };
    double low, high;
    text_fill_range(t->dtype, &low, &high);
    struct tensor *one = tensor_new(o->scratch, t->dtype, 0, NULL);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        int64_t i = 0;
        for (; i < t->count; i++) {
            num_set(tensor_writable(one), t->dtype, 0, fill_value(t, seed, i, low, high));
            if (tensor_get(one, 0) != tensor_get(t, i))
                break;
        }
        if (i < t->count)
            continue;
        text_putf(o, "fill(seed %d)", (int)seed);
        return true;
    }
    return false;
}

void text_data(struct text_out *o, const struct tensor *t)
{
    bool numbers = t->dtype != DT_STRING && !is_complex(t->dtype);
    if (!t->count) {
        text_put(o, "[]");
        return;
    }
    if (numbers && t->rank && (put_fill(o, t) || (t->count > 16 && put_seed(o, t))))
        return;
    if (t->count > TEXT_INLINE && !(o->flags & TEXT_DATA)) {
        text_putf(o, "hash(%016llx)", (unsigned long long)tensor_hash(t));
        return;
    }
    if (is_complex(t->dtype) || (numbers && has_odd_nan(t, o->scratch))) {
        put_hex(o, t);
        return;
    }
    text_put(o, t->rank ? "[" : "");
    for (int64_t i = 0; i < t->count; i++) {
        text_put(o, i ? ", " : "");
        put_element(o, t, i);
    }
    text_put(o, t->rank ? "]" : "");
}
