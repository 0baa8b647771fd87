/* The interface of a model before and after a rewrite: names, order and types of what goes in and
 * comes out.
 */
#ifndef TESTS_INTERFACE_H
#define TESTS_INTERFACE_H
#include <string.h>

#include "ir/ir.h"

/* A type may become more exact, not another. */
static inline bool refines(const struct type *before, const struct type *after)
{
    int64_t x, y;
    if (before->kind == TYPE_NONE)
        return true;
    if (before->kind != after->kind ||
        (before->dtype != DT_UNDEFINED && before->dtype != after->dtype))
        return false;
    if (before->kind != TYPE_TENSOR || before->rank < 0)
        return true;
    if (before->rank != after->rank)
        return false;
    for (int i = 0; i < before->rank; i++)
        if (dim_is_const(before->dims[i], &x) && !(dim_is_const(after->dims[i], &y) && x == y))
            return false;
    return true;
}

/* The next input from *at on that a user may give; NULL: no more. Before IR 4 every initializer had
 * to be listed as an input, without being one. */
static inline const struct value *next_input(const struct model *m, size_t *at)
{
    while (*at < m->graph->inputs.count) {
        const struct value *v = m->graph->inputs.data[(*at)++];
        if (!v->constant || m->ir_version >= 4)
            return v;
    }
    return NULL;
}

static inline const char *interface_problem(const struct model *before, const struct model *after)
{
    const struct graph *a = before->graph, *b = after->graph;
    const struct value *p, *q;
    size_t at = 0, other = 0;
    do {
        p = next_input(before, &at);
        q = next_input(after, &other);
        if (!p != !q)
            return "another number of graph inputs";
        if (p && (strcmp(p->name, q->name) || !refines(&p->type, &q->type) ||
                  !p->constant != !q->constant))
            return "a graph input differs";
    } while (p);
    if (a->outputs.count != b->outputs.count)
        return "another number of graph outputs";
    for (size_t i = 0; i < a->outputs.count; i++) {
        const struct value *x = a->outputs.data[i]->value, *y = b->outputs.data[i]->value;
        if (strcmp(x->name, y->name) || !refines(&x->type, &y->type))
            return "a graph output differs";
    }
    return NULL;
}
#endif
