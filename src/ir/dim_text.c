/* Dims as text and back.
 *
 *   sum     = ["-"] product { ("+" | "-") product }
 *   product = factor { ("*" | "//" | "%") factor }
 *   factor  = number | name | "(" sum ")" | "-" factor
 *           | "floor(" product "/" factor ")" | "ceil(" product "/" factor ")"
 *           | ("min" | "max" | "mod" | "floordiv" | "ceildiv") "(" sum { "," sum } ")"
 *   name    = identifier with . and # too, or any text in single quotes (\' and \\ inside)
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ir/dim_poly.h"

/* ---- out ---- */

struct writer {
    char *buffer;
    size_t room, length; /* length: what the whole text takes */
};

static void put_char(struct writer *w, char c)
{
    if (w->length + 1 < w->room)
        w->buffer[w->length] = c;
    w->length++;
}

static void put(struct writer *w, const char *text)
{
    while (*text)
        put_char(w, *text++);
}

static void put_number(struct writer *w, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    put(w, digits);
}

static bool name_start(char c) { return isalpha((unsigned char)c) || c == '_'; }
static bool name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '#';
}

static void put_name(struct writer *w, const char *name)
{
    bool plain = name_start(name[0]);
    for (const char *c = name; *c; c++)
        plain = plain && name_char(*c);
    if (plain) {
        put(w, name);
        return;
    }
    put_char(w, '\'');
    for (const char *c = name; *c; c++) {
        if (*c == '\'' || *c == '\\')
            put_char(w, '\\');
        put_char(w, *c);
    }
    put_char(w, '\'');
}

static void put_dim(struct writer *w, dim_t d);

/* Operands of a division: parentheses where the text would read otherwise. */
static void put_operand(struct writer *w, dim_t d, bool divisor)
{
    struct poly p;
    poly_load(&p, d);
    bool product = p.n == 1 && p.terms[0].degree + (p.terms[0].coef != 1) > 1;
    bool wrap = p.n > 1 || (divisor && (product || p.terms[0].coef < 0));
    put(w, wrap ? "(" : "");
    put_dim(w, d);
    put(w, wrap ? ")" : "");
}

static void put_atom(struct writer *w, const struct atom *a)
{
    static const char *const OPEN[] = {"", "floor(", "ceil(", "min(", "max("};
    if (a->kind == ATOM_SYMBOL) {
        put_name(w, a->name);
        return;
    }
    put(w, OPEN[a->kind]);
    if (a->kind == ATOM_FLOORDIV || a->kind == ATOM_CEILDIV) {
        put_operand(w, a->args[0], false);
        put_char(w, '/');
        put_operand(w, a->args[1], true);
    }
    for (uint32_t i = 0; i < a->n_args && a->kind >= ATOM_MIN; i++) {
        put(w, i ? ", " : "");
        put_dim(w, a->args[i]);
    }
    put_char(w, ')');
}

static void put_term(struct writer *w, const struct term *x)
{
    uint64_t size = x->coef < 0 ? 0 - (uint64_t)x->coef : (uint64_t)x->coef;
    if (size != 1 || x->degree == 0)
        put_number(w, size);
    for (uint32_t i = 0; i < x->degree; i++) {
        put(w, i || size != 1 ? "*" : "");
        put_atom(w, x->atoms[i]);
    }
}

static void put_dim(struct writer *w, dim_t d)
{
    struct poly p;
    poly_load(&p, d);
    if (p.n == 0)
        put(w, "0");
    for (int i = 0; i < p.n; i++) {
        bool minus = p.terms[i].coef < 0;
        put(w, i ? (minus ? " - " : " + ") : minus ? "-" : "");
        put_term(w, &p.terms[i]);
    }
}

size_t dim_text(dim_t d, char *buffer, size_t room)
{
    struct writer w = {buffer, room, 0};
    if (d)
        put_dim(&w, d);
    else
        put(&w, "?");
    if (room)
        buffer[w.length < room ? w.length : room - 1] = '\0';
    return w.length;
}

/* ---- in ---- */

struct reader {
    struct dim_table *t;
    const char *at;
    int depth;
};

enum { MAX_NAME = 256 };

static void skip(struct reader *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
}

static bool accept(struct reader *r, const char *text)
{
    skip(r);
    size_t n = strlen(text);
    if (strncmp(r->at, text, n))
        return false;
    r->at += n;
    return true;
}

static dim_t read_sum(struct reader *r);
static dim_t read_product(struct reader *r);
static dim_t read_factor(struct reader *r);

static dim_t read_number(struct reader *r, int sign)
{
    int64_t value = 0;
    for (; isdigit((unsigned char)*r->at); r->at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, sign * (*r->at - '0'), &value))
            return NULL;
    return dim_const(r->t, value);
}

static bool read_name(struct reader *r, char *name)
{
    size_t n = 0;
    bool quoted = *r->at == '\'';
    r->at += quoted;
    while (*r->at && n + 1 < MAX_NAME && (quoted ? *r->at != '\'' : name_char(*r->at))) {
        if (quoted && *r->at == '\\' && r->at[1])
            r->at++;
        name[n++] = *r->at++;
    }
    name[n] = '\0';
    if (quoted)
        return accept(r, "'");
    return n > 0 && !name_char(*r->at);
}

static dim_t read_fraction(struct reader *r, bool up)
{
    dim_t p = read_product(r);
    if (!accept(r, "/"))
        return NULL;
    dim_t q = read_factor(r);
    if (!accept(r, ")"))
        return NULL;
    return up ? dim_ceildiv(r->t, p, q) : dim_floordiv(r->t, p, q);
}

static dim_t read_call(struct reader *r, const char *name)
{
    static const struct {
        const char *name;
        dim_t (*apply)(struct dim_table *, dim_t, dim_t);
    } CALLS[] = {{"min", dim_min},           {"max", dim_max},           {"mod", dim_mod},
                 {"Min", dim_min},           {"Max", dim_max},           {"Mod", dim_mod},
                 {"floordiv", dim_floordiv}, {"FloorDiv", dim_floordiv}, {"ceildiv", dim_ceildiv}};
    if (!strcmp(name, "floor") || !strcmp(name, "ceil"))
        return read_fraction(r, name[0] == 'c');
    for (size_t i = 0; i < sizeof CALLS / sizeof CALLS[0]; i++) {
        if (strcmp(name, CALLS[i].name))
            continue;
        dim_t result = read_sum(r);
        while (accept(r, ","))
            result = CALLS[i].apply(r->t, result, read_sum(r));
        return accept(r, ")") ? result : NULL;
    }
    return NULL;
}

static dim_t read_primary(struct reader *r)
{
    char name[MAX_NAME];
    skip(r);
    if (isdigit((unsigned char)*r->at))
        return read_number(r, 1);
    if (accept(r, "-"))
        return isdigit((unsigned char)*r->at) ? read_number(r, -1) : dim_neg(r->t, read_factor(r));
    if (accept(r, "(")) {
        dim_t d = read_sum(r);
        return accept(r, ")") ? d : NULL;
    }
    bool quoted = *r->at == '\'';
    if ((!quoted && !name_start(*r->at)) || !read_name(r, name))
        return NULL;
    return !quoted && accept(r, "(") ? read_call(r, name) : dim_symbol(r->t, name);
}

static dim_t read_factor(struct reader *r)
{
    if (r->depth >= DIM_MAX_DEPTH * 2)
        return NULL;
    r->depth++;
    dim_t d = read_primary(r);
    r->depth--;
    return d;
}

static dim_t read_product(struct reader *r)
{
    dim_t d = read_factor(r);
    while (d) {
        if (accept(r, "*"))
            d = dim_mul(r->t, d, read_factor(r));
        else if (accept(r, "//"))
            d = dim_floordiv(r->t, d, read_factor(r));
        else if (accept(r, "%"))
            d = dim_mod(r->t, d, read_factor(r));
        else
            break;
    }
    return d;
}

static dim_t read_sum(struct reader *r)
{
    dim_t d = read_product(r);
    while (d) {
        if (accept(r, "+"))
            d = dim_add(r->t, d, read_product(r));
        else if (accept(r, "-"))
            d = dim_sub(r->t, d, read_product(r));
        else
            break;
    }
    return d;
}

dim_t dim_parse(struct dim_table *t, const char *text)
{
    struct reader r = {t, text, 0};
    dim_t d = read_sum(&r);
    skip(&r);
    return *r.at ? NULL : d;
}
