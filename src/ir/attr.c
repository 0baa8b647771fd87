/* Attribute look-up: a node has few, so a linear search by name is the whole index. */
#include <string.h>

#include "ir/ir.h"

const struct attr *node_attr(const struct node *n, const char *name)
{
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (!strcmp(n->attrs[i]->name, name))
            return n->attrs[i];
    return NULL;
}

static const struct attr *typed(const struct node *n, const char *name, enum attr_type type)
{
    const struct attr *a = node_attr(n, name);
    return a && a->type == type && !a->ref ? a : NULL;
}

int64_t node_int(const struct node *n, const char *name, int64_t otherwise)
{
    const struct attr *a = typed(n, name, ATTR_INT);
    return a ? a->i : otherwise;
}

float node_float(const struct node *n, const char *name, float otherwise)
{
    const struct attr *a = typed(n, name, ATTR_FLOAT);
    return a ? a->f : otherwise;
}

bool node_ints(const struct node *n, const char *name, const int64_t **values, uint32_t *count)
{
    const struct attr *a = typed(n, name, ATTR_INTS);
    *values = a ? a->ints : NULL;
    *count = a ? a->n : 0;
    return a != NULL;
}

bool node_floats(const struct node *n, const char *name, const float **values, uint32_t *count)
{
    const struct attr *a = typed(n, name, ATTR_FLOATS);
    *values = a ? a->floats : NULL;
    *count = a ? a->n : 0;
    return a != NULL;
}

struct span node_string(const struct node *n, const char *name, const char *otherwise)
{
    const struct attr *a = typed(n, name, ATTR_STRING);
    return a ? a->s : span_of(otherwise);
}

bool node_string_is(const struct node *n, const char *name, const char *otherwise,
                    const char *wanted)
{
    return span_equals(node_string(n, name, otherwise), span_of(wanted));
}

const struct tensor *node_tensor(const struct node *n, const char *name)
{
    const struct attr *a = typed(n, name, ATTR_TENSOR);
    return a ? a->tensor : NULL;
}

struct graph *node_graph(const struct node *n, const char *name)
{
    const struct attr *a = typed(n, name, ATTR_GRAPH);
    return a ? a->graph : NULL;
}
