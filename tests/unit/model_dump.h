/* A model without its names: nodes in order, operators, attributes, types, which value goes where,
 * what constants hold. Two models are the same up to names when these texts are equal.
 */
#ifndef TESTS_MODEL_DUMP_H
#define TESTS_MODEL_DUMP_H
#include <string.h>

#include "ir/edit.h"
#include "ir/graph_text.h"

struct dump {
    struct text_out out;
    int *number; /* by value id; 0: not met yet */
    int next;
};

static inline void dump_type(struct dump *d, const struct type *t)
{
    int64_t size;
    text_putf(&d->out, ":%d:%d", (int)t->kind, (int)t->dtype);
    for (int i = 0; i < t->rank; i++)
        if (dim_is_const(t->dims[i], &size))
            text_putf(&d->out, " %lld", (long long)size);
        else
            text_put(&d->out, " ?"); /* symbols are called after the values they belong to */
}

static inline void dump_value(struct dump *d, const struct value *v)
{
    if (!v) {
        text_put(&d->out, " -");
        return;
    }
    bool first = !d->number[v->id];
    if (first)
        d->number[v->id] = ++d->next;
    text_putf(&d->out, " %d", d->number[v->id]);
    if (!first)
        return;
    dump_type(d, &v->type);
    if (v->constant && !v->sparse)
        text_putf(&d->out, "=%016llx", (unsigned long long)tensor_hash(v->constant));
}

static inline void dump_graph(struct dump *d, const struct graph *g);

static inline void dump_node(struct dump *d, const struct node *n)
{
    text_putf(&d->out, "%s.%s(", n->domain, n->op_type);
    for (uint32_t i = 0; i < n->n_inputs; i++)
        dump_value(d, n->inputs[i].value);
    text_put(&d->out, ") ->");
    for (uint32_t i = 0; i < n->n_outputs; i++)
        dump_value(d, n->outputs[i]);
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct attr *a = n->attrs[i];
        text_putf(&d->out, " %s=", a->name);
        if (a->type == ATTR_GRAPH && a->graph)
            dump_graph(d, a->graph);
        else
            text_attr_value(&d->out, a, 0);
    }
    text_put(&d->out, "\n");
}

static inline void dump_graph(struct dump *d, const struct graph *g)
{
    text_put(&d->out, "{");
    for (size_t i = 0; i < g->inputs.count; i++)
        dump_value(d, g->inputs.data[i]);
    text_put(&d->out, "\n");
    graph_each_node(n, g) dump_node(d, n);
    for (size_t i = 0; i < g->outputs.count; i++)
        dump_value(d, g->outputs.data[i]->value);
    text_put(&d->out, "}");
}

static inline const char *model_dump(const struct model *m, struct arena *a)
{
    struct dump d = {.out = {.flags = TEXT_TYPES, .scratch = a}};
    d.number = arena_array(a, (size_t)m->n_values + 1, sizeof *d.number);
    dump_graph(&d, m->graph);
    for (size_t i = 0; i < m->functions.count; i++)
        if (!m->functions.data[i]->removed)
            dump_graph(&d, m->functions.data[i]->body);
    char *text = arena_alloc(a, d.out.bytes.count + 1);
    memcpy(text, d.out.bytes.data, d.out.bytes.count);
    text[d.out.bytes.count] = 0;
    vec_free(&d.out.bytes);
    return text;
}

/* Gives every value and every node another name, the order of names too. */
static inline void rename_all(struct model *m, struct arena *a, uint64_t seed)
{
    for (size_t i = 0; i < m->values.count; i++) {
        uint64_t mix = (seed + i) * 0x9E3779B97F4A7C15u;
        m->values.data[i]->name =
            intern(m->names, arena_printf(a, "%c%llx_%zu", 'a' + (int)(mix >> 60),
                                          (unsigned long long)(mix >> 44 & 0xffff), i));
    }
    for (size_t i = 0; i < m->nodes.count; i++) {
        uint64_t mix = (seed - i) * 0xD1B54A32D192ED03u;
        m->nodes.data[i]->name =
            mix >> 62 == 3 ? intern(m->names, "")
                           : intern(m->names, arena_printf(a, "n%llx/%zu",
                                                           (unsigned long long)(mix >> 50), i));
    }
}
#endif
