/* The equation of Einsum. Grammar: term ("," term)* ["->" term], term: letters and at most one
 * "...". */
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "kernels/float/einsum.h"

/* Labels in the making: letters get the numbers 0..51 in ASCII order, axes of the ellipsis 52..
 * counted from its end. */
enum { LETTERS = 52, NOWHERE = -1 };

struct reader {
    const char *at;
    bool failed;
};

static int letter_number(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? 26 + c - 'a' : NOWHERE;
}

static void skip_spaces(struct reader *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
}

/* One term as text; ELLIPSIS marks the dots. */
enum { ELLIPSIS = 100 };
struct text {
    int n, item[EINSUM_MAX_RANK + 1];
    bool dots;
};

static void read_term(struct reader *r, struct text *t)
{
    *t = (struct text){0};
    for (skip_spaces(r); *r->at && *r->at != ',' && strncmp(r->at, "->", 2) != 0; skip_spaces(r)) {
        const bool dots = !strncmp(r->at, "...", 3);
        const int item = dots ? ELLIPSIS : letter_number(*r->at);
        if (item == NOWHERE || t->n > EINSUM_MAX_RANK || (dots && t->dots)) {
            r->failed = true;
            return;
        }
        t->dots = t->dots || dots;
        t->item[t->n++] = item;
        r->at += dots ? 3 : 1;
    }
}

/* Labels of a term of that rank; the dots take what the letters leave. */
static bool resolve(const struct text *t, int rank, struct einsum_term *to)
{
    const int dots = rank - (t->n - t->dots);
    to->rank = 0;
    if (rank > EINSUM_MAX_RANK || dots < 0 || (!t->dots && dots != 0) ||
        (t->dots && dots > EINSUM_MAX_LABELS - LETTERS))
        return false;
    for (int i = 0; i < t->n; i++) {
        if (t->item[i] != ELLIPSIS)
            to->label[to->rank++] = t->item[i];
        for (int k = dots - 1; t->item[i] == ELLIPSIS && k >= 0; k--)
            to->label[to->rank++] = LETTERS + k;
    }
    return true;
}

static int dots_of(const struct text *t, int rank) { return t->dots ? rank - (t->n - 1) : 0; }

static void implicit_output(const struct einsum_plan *p, int dots, struct einsum_term *to)
{
    int count[EINSUM_MAX_LABELS] = {0};
    to->rank = 0;
    for (int i = 0; i < p->n_inputs; i++)
        for (int k = 0; k < p->input[i].rank; k++)
            count[p->input[i].label[k]]++;
    for (int k = dots - 1; k >= 0; k--)
        to->label[to->rank++] = LETTERS + k;
    for (int l = 0; l < LETTERS && to->rank < EINSUM_MAX_RANK; l++)
        if (count[l] == 1)
            to->label[to->rank++] = l;
}

/* Output labels are distinct and occur in an input. */
static bool output_is_sound(const struct einsum_plan *p)
{
    for (int k = 0; k < p->output.rank; k++) {
        bool found = false;
        for (int j = 0; j < k; j++)
            if (p->output.label[j] == p->output.label[k])
                return false;
        for (int i = 0; i < p->n_inputs; i++)
            for (int j = 0; j < p->input[i].rank; j++)
                found = found || p->input[i].label[j] == p->output.label[k];
        if (!found)
            return false;
    }
    return true;
}

static void renumber_term(struct einsum_term *t, int *number, int *n)
{
    for (int k = 0; k < t->rank; k++) {
        if (number[t->label[k]] == NOWHERE)
            number[t->label[k]] = (*n)++;
        t->label[k] = number[t->label[k]];
    }
}

static void renumber(struct einsum_plan *p)
{
    int number[EINSUM_MAX_LABELS];
    for (int l = 0; l < EINSUM_MAX_LABELS; l++)
        number[l] = NOWHERE;
    p->n_labels = 0;
    for (int i = 0; i < p->n_inputs; i++)
        renumber_term(&p->input[i], number, &p->n_labels);
    renumber_term(&p->output, number, &p->n_labels);
}

bool einsum_labels(const char *equation, int n_inputs, const int *ranks, struct einsum_plan *p)
{
    struct reader r = {equation, false};
    struct text t;
    int dots = 0;
    *p = (struct einsum_plan){.n_inputs = n_inputs};
    if (n_inputs < 1 || n_inputs > EINSUM_MAX_INPUTS)
        return false;
    for (int i = 0; i < n_inputs; i++) {
        read_term(&r, &t);
        if (r.failed || !resolve(&t, ranks[i], &p->input[i]))
            return false;
        dots = dots_of(&t, ranks[i]) > dots ? dots_of(&t, ranks[i]) : dots;
        if (i + 1 < n_inputs && *r.at++ != ',')
            return false;
    }
    if (*r.at == 0) {
        implicit_output(p, dots, &p->output);
    } else {
        if (strncmp(r.at, "->", 2) != 0)
            return false;
        r.at += 2;
        read_term(&r, &t);
        if (r.failed || *r.at != 0 || !resolve(&t, t.n - t.dots + (t.dots ? dots : 0), &p->output))
            return false;
    }
    if (!output_is_sound(p))
        return false;
    renumber(p);
    return true;
}

/* The product, empty axes left out, is an int64: steps and group sizes are products of some of these. */
static bool fits(const int64_t *dims, int n)
{
    int64_t size = 1;
    for (int i = 0; i < n; i++)
        if (dims[i] > 0 && __builtin_mul_overflow(size, dims[i], &size))
            return false;
    return true;
}

bool einsum_extents(struct einsum_plan *p, const int64_t *const *dims)
{
    for (int l = 0; l < p->n_labels; l++)
        p->extent[l] = 1;
    for (int i = 0; i < p->n_inputs; i++)
        for (int k = 0; k < p->input[i].rank; k++) {
            int64_t *extent = &p->extent[p->input[i].label[k]];
            const int64_t dim = p->dims[i][k] = dims[i][k];
            if (dim < 0 || (dim != 1 && *extent != 1 && *extent != dim))
                return false;
            *extent = dim == 1 ? *extent : dim;
        }
    for (int i = 0; i < p->n_inputs; i++)
        if (!fits(p->dims[i], p->input[i].rank))
            return false;
    return fits(p->extent, p->n_labels);
}
