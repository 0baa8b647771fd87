/* Reading the text form (grammar: graph_text.c): attributes and quantization parameters. */
#include <string.h>

#include "ir/edit.h"
#include "ir/graph_text.h"

/* ---- quantization ---- */

static int read_floats(struct text_in *in, struct arena *a, const float **out, int64_t *n)
{
    VEC(float) list = {0};
    int status = text_expect(in, "[");
    for (bool more = !status && !text_accept(in, "]"); more; more = text_accept(in, ",")) {
        double x = 0;
        bool is_float;
        if ((status = text_read_number(in, &x, &is_float)))
            break;
        vec_push(&list, (float)x);
    }
    if (!status && list.count)
        status = text_expect(in, "]");
    *n = (int64_t)list.count;
    *out = list.count ? arena_copy(a, list.data, list.count * sizeof(float)) : NULL;
    vec_free(&list);
    return status;
}

static int read_zero_points(struct text_in *in, struct quant *q)
{
    const float *points;
    int64_t n;
    TEXT_TRY(read_floats(in, in->scratch, &points, &n));
    int32_t *copy = arena_array(in->m->arena, (size_t)n, sizeof *copy);
    for (int64_t i = 0; i < n; i++)
        copy[i] = (int32_t)points[i];
    q->zero_point = copy;
    q->n = n;
    return 0;
}

static int read_source(struct text_in *in, struct quant *q)
{
    for (size_t i = 0; i <= QUANT_ABSORBED; i++)
        if (text_accept(in, TEXT_QUANT_SOURCE[i])) {
            q->source = (enum quant_source)i;
            return 0;
        }
    return text_error(in, "expected a source of quantization parameters");
}

static int read_quant_key(struct text_in *in, struct text_scope *s, struct quant *q)
{
    struct arena *a = in->m->arena;
    const char *key, *name;
    int64_t n;
    TEXT_TRY(text_read_name(in, false, &key));
    TEXT_TRY(text_expect(in, "="));
    if (!strcmp(key, "scale"))
        return read_floats(in, a, &q->scale, &q->n);
    if (!strcmp(key, "zp"))
        return read_zero_points(in, q);
    if (!strcmp(key, "min"))
        return read_floats(in, a, &q->rmin, &n);
    if (!strcmp(key, "max"))
        return read_floats(in, a, &q->rmax, &n);
    if (!strcmp(key, "source"))
        return read_source(in, q);
    if (!strcmp(key, "method")) {
        struct span text;
        TEXT_TRY(text_read_string(in, &text));
        q->method = (const char *)text.data;
        return 0;
    }
    if (!strcmp(key, "tied")) {
        TEXT_TRY(text_read_name(in, true, &name));
        q->tied = text_lookup(s, name);
        return 0;
    }
    if (strcmp(key, "axis") && strcmp(key, "block") && strcmp(key, "symmetric"))
        return text_error(in, "unknown key '%s' of q{}", key);
    TEXT_TRY(text_read_int(in, &n));
    q->axis = key[0] == 'a' ? (int32_t)n : q->axis;
    q->block = key[0] == 'b' ? n : q->block;
    q->symmetric = key[0] == 's' ? n != 0 : q->symmetric;
    return 0;
}

int text_read_quant(struct text_in *in, struct text_scope *s, struct value *v)
{
    struct quant *q = arena_alloc(in->m->arena, sizeof *q);
    const char *name;
    *q = (struct quant){.axis = -1};
    TEXT_TRY(text_expect(in, "{"));
    TEXT_TRY(text_read_name(in, false, &name));
    q->dtype = dtype_find(name);
    if (q->dtype == DT_UNDEFINED)
        return text_error(in, "'%s' is no element type", name);
    while (!text_accept(in, "}"))
        TEXT_TRY(read_quant_key(in, s, q));
    v->q = q;
    return 0;
}

/* ---- attributes ---- */

struct attr_reader {
    struct text_in *in;
    struct text_scope *scope;
    struct node *node; /* NULL: defaults of a function */
};

static int read_attr_value(struct attr_reader *r, struct attr *a);

static int read_subgraph(struct attr_reader *r, struct graph **out)
{
    if (!r->node)
        return text_error(r->in, "a function's default cannot be a graph");
    *out = graph_new(r->in->m, r->node, "");
    return text_read_graph(r->in, r->scope, *out);
}

static int read_kind(struct text_in *in, struct attr *a)
{
    const char *kind;
    TEXT_TRY(text_read_name(in, false, &kind));
    for (size_t i = 0; i < TEXT_ATTR_KINDS; i++)
        if (!strcmp(kind, TEXT_ATTR_KIND[i])) {
            a->type = (enum attr_type)i;
            return 0;
        }
    return text_error(in, "'%s' is no kind of attribute", kind);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_raw(struct text_in *in, struct attr *a)
{
    VEC(unsigned char) bytes = {0};
    TEXT_TRY(read_kind(in, a));
    text_skip(in);
    for (; hex_digit(in->at[0]) >= 0 && hex_digit(in->at[1]) >= 0; in->at += 2)
        vec_push(&bytes, (unsigned char)(hex_digit(in->at[0]) * 16 + hex_digit(in->at[1])));
    a->origin.data = arena_copy(in->m->arena, bytes.data, bytes.count);
    a->origin.size = bytes.count;
    vec_free(&bytes);
    return text_expect(in, ")");
}

static int read_tensor(struct text_in *in, struct tensor **out)
{
    struct type type;
    TEXT_TRY(text_read_type(in, &type));
    return text_read_data(in, &type, out);
}

/* Elements of "[..]" while each of them is of the same kind; a float among ints makes floats. */
static int read_numbers(struct text_in *in, struct attr *a, enum attr_type kind)
{
    VEC(float) floats = {0};
    VEC(int64_t) ints = {0};
    int status = 0;
    bool any_float = kind == ATTR_FLOATS;
    for (bool more = !text_accept(in, "]"); more; more = text_accept(in, ",")) {
        double x = 0;
        bool is_float = false;
        int64_t whole = 0;
        const char *start = in->at;
        if ((status = text_read_number(in, &x, &is_float)))
            break;
        if (!is_float) {
            in->at = start;
            if ((status = text_read_int(in, &whole)))
                break;
        }
        any_float |= is_float;
        vec_push(&floats, (float)x);
        vec_push(&ints, whole);
    }
    a->n = (uint32_t)ints.count;
    a->type = any_float ? ATTR_FLOATS : ATTR_INTS;
    if (any_float)
        a->floats = arena_copy(in->m->arena, floats.data, a->n * sizeof(float));
    else
        a->ints = arena_copy(in->m->arena, ints.data, a->n * sizeof(int64_t));
    vec_free(&floats);
    vec_free(&ints);
    return status ? status : a->n ? text_expect(in, "]") : 0;
}

static int read_strings(struct text_in *in, struct attr *a)
{
    VEC(struct span) list = {0};
    int status = 0;
    for (bool more = !text_accept(in, "]"); more; more = text_accept(in, ",")) {
        struct span s;
        if ((status = text_read_string(in, &s)))
            break;
        vec_push(&list, s);
    }
    a->type = ATTR_STRINGS;
    a->n = (uint32_t)list.count;
    a->strings = arena_copy(in->m->arena, list.data, list.count * sizeof *list.data);
    vec_free(&list);
    return status ? status : a->n ? text_expect(in, "]") : 0;
}

/* tensors[..] and graphs[..] */
static int read_things(struct attr_reader *r, struct attr *a, enum attr_type type)
{
    VEC(void *) list = {0};
    int status = text_expect(r->in, "[");
    for (bool more = !status && !text_accept(r->in, "]"); more; more = text_accept(r->in, ",")) {
        struct tensor *t = NULL;
        struct graph *g = NULL;
        status = type == ATTR_TENSORS ? read_tensor(r->in, &t) : read_subgraph(r, &g);
        if (status)
            break;
        vec_push(&list, type == ATTR_TENSORS ? (void *)t : (void *)g);
    }
    a->type = type;
    a->n = (uint32_t)list.count;
    a->tensors = arena_copy(r->in->m->arena, list.data, list.count * sizeof *list.data);
    vec_free(&list);
    return status ? status : a->n ? text_expect(r->in, "]") : 0;
}

static int read_number_attr(struct text_in *in, struct attr *a)
{
    double x;
    bool is_float;
    const char *start = in->at;
    TEXT_TRY(text_read_number(in, &x, &is_float));
    a->type = is_float ? ATTR_FLOAT : ATTR_INT;
    if (is_float) {
        a->f = (float)x;
        return 0;
    }
    in->at = start;
    return text_read_int(in, &a->i);
}

static int read_list(struct text_in *in, struct attr *a, enum attr_type kind)
{
    TEXT_TRY(text_expect(in, "["));
    return kind == ATTR_STRINGS || text_peek(in, "\"") ? read_strings(in, a)
                                                       : read_numbers(in, a, kind);
}

static int read_attr_value(struct attr_reader *r, struct attr *a)
{
    struct text_in *in = r->in;
    if (text_accept(in, "@")) {
        TEXT_TRY(read_kind(in, a));
        TEXT_TRY(text_expect(in, ":"));
        return text_read_name(in, false, &a->ref);
    }
    if (text_accept(in, "raw")) {
        TEXT_TRY(text_expect(in, "("));
        return read_raw(in, a);
    }
    if (text_accept(in, "ints"))
        return read_list(in, a, ATTR_INTS);
    if (text_accept(in, "floats"))
        return read_list(in, a, ATTR_FLOATS);
    if (text_accept(in, "strings"))
        return read_list(in, a, ATTR_STRINGS);
    if (text_accept(in, "tensors"))
        return read_things(r, a, ATTR_TENSORS);
    if (text_accept(in, "graphs"))
        return read_things(r, a, ATTR_GRAPHS);
    if (text_peek(in, "graph")) {
        a->type = ATTR_GRAPH;
        return read_subgraph(r, &a->graph);
    }
    if (text_peek(in, "["))
        return read_list(in, a, ATTR_UNDEFINED);
    if (text_peek(in, "\"")) {
        a->type = ATTR_STRING;
        return text_read_string(in, &a->s);
    }
    if (text_at_type(in)) {
        a->type = ATTR_TENSOR;
        return read_tensor(in, &a->tensor);
    }
    return read_number_attr(in, a);
}

int text_read_attr(struct text_in *in, struct text_scope *s, struct node *n, struct attr *a)
{
    struct attr_reader r = {in, s, n};
    return read_attr_value(&r, a);
}
