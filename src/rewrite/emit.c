/* See emit.h. A hand-written reader that goes over the text once. */
#include "rewrite/emit.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

enum { MAX_ARGS = 128, MAX_INTS = 64 };

/* ---- names ---- */

void emit_begin(struct emit *e, struct pass_run *r, struct node *at)
{
    *e = (struct emit){.r = r, .at = at, .scratch = arena_new()};
    e->first_value = at->graph->model->n_values;
    e->dtype = node_input(at, 0) ? value_dtype(at->inputs[0].value) : DT_FLOAT;
}

void emit_bind(struct emit *e, const char *name, struct value *v)
{
    for (int i = 0; i < e->n_names; i++)
        if (!strcmp(e->names[i].name, name)) {
            e->names[i].value = v;
            return;
        }
    assert(e->n_names < EMIT_NAMES);
    e->names[e->n_names].name = arena_string(e->scratch, name);
    e->names[e->n_names++].value = v;
}

struct value *emit_value(const struct emit *e, const char *name)
{
    for (int i = e->n_names; i-- > 0;)
        if (!strcmp(e->names[i].name, name))
            return e->names[i].value;
    assert(false && "a name that no statement gave");
    return NULL;
}

/* ---- reading ---- */

struct text {
    struct emit *e;
    const char *at;
};

static void skip(struct text *t)
{
    while (*t->at == ' ' || *t->at == '\n' || *t->at == ';')
        t->at++;
}

static bool accept(struct text *t, char mark)
{
    while (*t->at == ' ')
        t->at++;
    if (*t->at != mark)
        return false;
    t->at++;
    return true;
}

static void expect(struct text *t, char mark)
{
    bool found = accept(t, mark);
    assert(found);
    (void)found;
}

static char *word(struct text *t)
{
    while (*t->at == ' ')
        t->at++;
    size_t n = 0;
    while (isalnum((unsigned char)t->at[n]) || t->at[n] == '_')
        n++;
    assert(n);
    char *w = arena_printf(t->e->scratch, "%.*s", (int)n, t->at);
    t->at += n;
    return w;
}

static int64_t integer(struct text *t)
{
    char *end;
    int64_t x = strtoll(t->at, &end, 10);
    assert(end != t->at);
    t->at = end;
    return x;
}

static uint32_t integers(struct text *t, int64_t out[MAX_INTS])
{
    uint32_t n = 0;
    while (!accept(t, ']')) {
        assert(n < MAX_INTS);
        out[n++] = integer(t);
        accept(t, ',');
    }
    return n;
}

/* ---- statements ---- */

static struct value *argument(struct text *t)
{
    int64_t list[MAX_INTS];
    char *end;
    struct emit *e = t->e;
    struct model *m = e->at->graph->model;
    if (accept(t, '['))
        return constant_new_ints(e->at, list, integers(t, list));
    if (accept(t, '$'))
        return constant_new_scalar(e->at, e->dtype, e->numbers[*t->at++ - '0']);
    if (!strncmp(t->at, "i:", 2)) {
        t->at += 2;
        struct tensor *scalar = tensor_new(m->arena, DT_INT64, 0, NULL);
        num_set_int(tensor_writable(scalar), DT_INT64, 0, integer(t));
        return constant_new(e->at, scalar, NULL);
    }
    if (isdigit((unsigned char)*t->at) || *t->at == '-' || !strncmp(t->at, "inf", 3)) {
        double x = strtod(t->at, &end);
        t->at = end;
        return constant_new_scalar(e->at, e->dtype, x);
    }
    char *name = word(t);
    return strcmp(name, "_") ? emit_value(e, name) : NULL;
}

/* An attribute that the version in force has not is an input. */
static bool is_input_now(const struct node *n, const char *name)
{
    const struct op_version *v = op_version_at(n->op, node_opset(n));
    for (int i = 0; v && i < v->n_attrs; i++)
        if (!strcmp(v->attrs[i].name, name))
            return false;
    return true;
}

static void append_input(struct node *n, struct value *v)
{
    node_resize_inputs(n, n->n_inputs + 1);
    node_set_input(n, n->n_inputs - 1, v);
}

static void read_text_attr(struct text *t, struct node *n, const char *name)
{
    size_t length = strcspn(t->at, "\"");
    node_set_string(n, name, arena_printf(t->e->scratch, "%.*s", (int)length, t->at));
    t->at += length + 1;
}

static void read_attr(struct text *t, struct node *n)
{
    int64_t list[MAX_INTS];
    const char *name = word(t);
    expect(t, '=');
    while (*t->at == ' ')
        t->at++;
    if (accept(t, '"')) {
        read_text_attr(t, n, name);
    } else if (accept(t, '[')) {
        uint32_t count = integers(t, list);
        if (is_input_now(n, name))
            append_input(n, constant_new_ints(t->e->at, list, count));
        else
            node_set_ints(n, name, list, count);
    } else {
        char *end;
        double x = strtod(t->at, &end);
        bool whole = !memchr(t->at, '.', (size_t)(end - t->at)) &&
                     !memchr(t->at, 'e', (size_t)(end - t->at));
        t->at = end;
        if (whole)
            node_set_int(n, name, (int64_t)x);
        else
            node_set_float(n, name, (float)x);
    }
    accept(t, ',');
}

static void statement(struct text *t)
{
    const char *names[MAX_ARGS], *op;
    struct value *args[MAX_ARGS];
    uint32_t n_names = 0, n_args = 0;
    struct emit *e = t->e;
    do
        names[n_names++] = word(t);
    while (accept(t, ','));
    expect(t, '=');
    op = word(t);
    expect(t, '(');
    while (!accept(t, ')')) {
        assert(n_args < MAX_ARGS);
        args[n_args++] = argument(t);
        accept(t, ',');
    }
    struct node *n = rewrite_node(e->at, op, n_args, n_names);
    assert(n->op);
    for (uint32_t i = 0; i < n_args; i++)
        node_set_input(n, i, args[i]);
    if (accept(t, '{'))
        while (!accept(t, '}'))
            read_attr(t, n);
    const char *hint = node_output(e->at, 0) ? e->at->outputs[0]->name : op;
    for (uint32_t i = 0; i < n_names; i++)
        emit_bind(e, names[i], node_add_output(n, i, hint));
    rewrite_infer(e->r, n);
}

void emit(struct emit *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct text t = {e, arena_vprintf(e->scratch, format, args)};
    va_end(args);
    for (skip(&t); *t.at; skip(&t))
        statement(&t);
}

/* ---- results ---- */

void emit_result(struct emit *e, uint32_t i, const char *name)
{
    struct value *w = emit_value(e, name), *v = node_output(e->at, i);
    if (!v)
        return;
    if (!w->producer || w->id < e->first_value) { /* not ours, or given away */
        emit(e, "result_ = Identity(%s)", name);
        w = emit_value(e, "result_");
    }
    struct node *producer = w->producer;
    uint32_t slot = w->slot;
    value_replace(w, v);
    node_move_output(e->at, i, producer, slot);
    value_remove(w);
    for (int k = 0; k < e->n_names; k++)
        if (e->names[k].value == w)
            e->names[k].value = v;
}

void emit_cancel(struct emit *e) { arena_free(e->scratch); }

void emit_end(struct emit *e)
{
    rewrite_drop(e->at);
    arena_free(e->scratch);
}

/* ---- when ---- */

bool decompose_due(const struct pass_run *r, const struct node *n, const char *domain,
                   const char *op_type)
{
    const struct pass_plan *plan = pass_plan(r);
    if (!node_is_in(n, domain, op_type) || !n->op || n->function || graph_opset(n->graph, "") < 11)
        return false;
    if (plan->names && !plan->target && !plan->opset)
        return true;
    const struct value *y = node_output(n, 0);
    return !pass_knows(r, n, n->domain, op_type, y ? value_dtype(y) : DT_UNDEFINED);
}
