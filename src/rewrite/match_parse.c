/* The text of patterns (match.h says what it means):
 *
 *   text   = term { ";" name "=" term }
 *   term   = choice { "|" choice }
 *   choice = [ name "=" ] node | number | "#" name | name
 *   node   = operator [ "*" | "?" ] "(" [ term { "," term } ] [ "," ".." ] ")"
 *
 * Operators begin with a capital letter, names with a small one.
 */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "rewrite/match.h"

static const char NUMERALS[] = "+-.0123456789e";

struct reader {
    const char *at;
    struct match_pattern *p;
};

static void skip_space(struct reader *r)
{
    while (*r->at == ' ' || *r->at == '\n')
        r->at++;
}

static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

static bool read_word(struct reader *r, char word[MATCH_WORD])
{
    size_t n = 0;
    skip_space(r);
    while (isalnum((unsigned char)*r->at) || *r->at == '_') {
        if (n + 1 >= MATCH_WORD)
            return false;
        word[n++] = *r->at++;
    }
    word[n] = '\0';
    return n > 0;
}

/* The index of the name, added when it is new; -1: no room. */
static int name_index(struct match_pattern *p, const char *word)
{
    for (int i = 0; i < p->n_names; i++)
        if (!strcmp(p->names[i], word))
            return i;
    if (p->n_names == MATCH_NAMES)
        return -1;
    memcpy(p->names[p->n_names], word, MATCH_WORD);
    return p->n_names++;
}

static int new_term(struct match_pattern *p, enum term_kind kind)
{
    if (p->n_terms == MATCH_TERMS)
        return -1;
    p->terms[p->n_terms] = (struct match_term){.kind = kind, .name = -1, .otherwise = -1};
    return p->n_terms++;
}

static int read_term(struct reader *r);

static bool read_args(struct reader *r, struct match_term *t)
{
    while (!take(r, ')')) {
        if (t->open || (t->n_args && !take(r, ',')))
            return false;
        skip_space(r);
        if (!strncmp(r->at, "..", 2)) {
            r->at += 2;
            t->open = true;
            continue;
        }
        int arg = t->n_args < MATCH_ARGS ? read_term(r) : -1;
        if (arg < 0)
            return false;
        t->args[t->n_args++] = arg;
    }
    return t->n_args > 0;
}

static int read_node(struct reader *r, const char *word)
{
    int index = new_term(r->p, TERM_NODE);
    if (index < 0)
        return -1;
    struct match_term *t = &r->p->terms[index];
    memcpy(t->op, word, MATCH_WORD);
    t->chain = take(r, '*');
    t->optional = take(r, '?');
    if (!take(r, '(') || !read_args(r, t))
        return -1;
    t->row = op_find("", word);
    t->inverse = t->chain ? op_find("", strcmp(word, "Mul") ? "Sub" : "Div") : NULL;
    bool fits = t->row && (!t->chain || !strcmp(word, "Mul") || !strcmp(word, "Add")) &&
                (!t->optional || t->n_args == 1) && (!t->chain || (t->n_args > 1 && !t->open));
    return fits ? index : -1;
}

static int read_number(struct reader *r)
{
    char text[32];
    double x;
    size_t used = strspn(r->at, NUMERALS);
    if (used >= sizeof text)
        return -1;
    memcpy(text, r->at, used);
    text[used] = '\0';
    int index = text_double(text, &x) ? new_term(r->p, TERM_NUMBER) : -1;
    if (index >= 0)
        r->p->terms[index].number = x;
    r->at += used;
    return index;
}

static int read_named(struct reader *r, enum term_kind kind, const char *word)
{
    int index = new_term(r->p, kind);
    int name = name_index(r->p, word);
    if (index >= 0)
        r->p->terms[index].name = name;
    return name < 0 ? -1 : index;
}

static int read_choice(struct reader *r)
{
    char word[MATCH_WORD];
    if (take(r, '#'))
        return read_word(r, word) ? read_named(r, TERM_CONSTANT, word) : -1;
    skip_space(r);
    if (*r->at != 'e' && strspn(r->at, NUMERALS))
        return read_number(r);
    if (!read_word(r, word))
        return -1;
    if (isupper((unsigned char)word[0]))
        return read_node(r, word);
    if (!take(r, '='))
        return read_named(r, TERM_ANY, word);
    char op[MATCH_WORD];
    int name = name_index(r->p, word);
    int index =
        name >= 0 && read_word(r, op) && isupper((unsigned char)op[0]) ? read_node(r, op) : -1;
    if (index >= 0)
        r->p->terms[index].name = name;
    return index;
}

static int read_term(struct reader *r)
{
    int first = read_choice(r), last = first;
    while (last >= 0 && take(r, '|')) {
        int next = read_choice(r);
        if (next < 0)
            return -1;
        r->p->terms[last].otherwise = next;
        last = next;
    }
    return first < 0 ? -1 : first;
}

static bool read_equation(struct reader *r)
{
    char word[MATCH_WORD];
    struct match_pattern *p = r->p;
    if (p->n_equations == MATCH_EQUATIONS || !read_word(r, word) || !take(r, '='))
        return false;
    struct match_equation *e = &p->equations[p->n_equations++];
    e->name = name_index(p, word);
    e->term = read_term(r);
    return e->name >= 0 && e->term >= 0;
}

bool match_parse(const char *text, struct match_pattern *p, const char **where)
{
    struct reader r = {text, p};
    *p = (struct match_pattern){0};
    p->root = read_term(&r);
    bool fine = p->root >= 0;
    for (int t = p->root; t >= 0;
         t = p->terms[t].otherwise) /* the root is a node, never left out */
        fine = fine && p->terms[t].kind == TERM_NODE && !p->terms[t].optional;
    while (fine && take(&r, ';'))
        fine = read_equation(&r);
    skip_space(&r);
    *where = r.at;
    return fine && !*r.at;
}
