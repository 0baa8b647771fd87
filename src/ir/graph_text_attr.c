/* Printing the text form (grammar: graph_text.c): attributes and quantization parameters. */
#include <string.h>

#include "ir/graph_text.h"

/* ---- quantization ---- */

const char *const TEXT_QUANT_SOURCE[] = {"calibrated", "weight",   "bias",    "fixed",
                                         "tied",       "override", "absorbed"};

static void put_floats(struct text_out *o, const char *key, const float *x, int64_t n)
{
    if (!x)
        return;
    text_putf(o, " %s=[", key);
    for (int64_t i = 0; i < n; i++) {
        text_put(o, i ? ", " : "");
        text_float(o, x[i]);
    }
    text_put(o, "]");
}

void text_quant(struct text_out *o, const struct quant *q)
{
    text_putf(o, " q{%s", dtype_name(q->dtype));
    put_floats(o, "scale", q->scale, q->n);
    text_put(o, " zp=[");
    for (int64_t i = 0; i < q->n; i++)
        text_putf(o, "%s%d", i ? ", " : "", q->zero_point ? q->zero_point[i] : 0);
    text_put(o, "]");
    put_floats(o, "min", q->rmin, q->n);
    put_floats(o, "max", q->rmax, q->n);
    if (q->axis >= 0)
        text_putf(o, " axis=%d", q->axis);
    if (q->block)
        text_putf(o, " block=%lld", (long long)q->block);
    text_putf(o, " symmetric=%d source=%s", q->symmetric, TEXT_QUANT_SOURCE[q->source]);
    if (q->method) {
        text_put(o, " method=");
        text_string(o, q->method, strlen(q->method));
    }
    if (q->tied) {
        text_put(o, " tied=");
        text_name(o, q->tied->name);
    }
    if (q->payload) {
        text_put(o, " payload=");
        text_data(o, q->payload);
    }
    text_put(o, "}");
}

/* ---- attributes ---- */

const char *const TEXT_ATTR_KIND[] = {"undefined",      "float",      "int",        "string",
                                      "tensor",         "graph",      "floats",     "ints",
                                      "strings",        "tensors",    "graphs",     "sparse_tensor",
                                      "sparse_tensors", "type_proto", "type_protos"};

static void put_tensor(struct text_out *o, const struct tensor *t)
{
    text_putf(o, "%s[", dtype_name(t->dtype));
    for (int i = 0; i < t->rank; i++)
        text_putf(o, "%s%lld", i ? "," : "", (long long)t->dims[i]);
    text_put(o, "] ");
    text_data(o, t);
}

static void put_element(struct text_out *o, const struct attr *a, uint32_t i, int depth)
{
    switch (a->type) {
    case ATTR_FLOATS:
        text_float(o, a->floats[i]);
        break;
    case ATTR_INTS:
        text_putf(o, "%lld", (long long)a->ints[i]);
        break;
    case ATTR_STRINGS:
        text_string(o, a->strings[i].data, a->strings[i].size);
        break;
    case ATTR_TENSORS:
        put_tensor(o, a->tensors[i]);
        break;
    default:
        text_graph(o, a->graphs[i], depth);
        break;
    }
}

static void put_list(struct text_out *o, const struct attr *a, int depth)
{
    if (a->n == 0 || a->type == ATTR_TENSORS || a->type == ATTR_GRAPHS)
        text_put(o, TEXT_ATTR_KIND[a->type]);
    text_put(o, "[");
    for (uint32_t i = 0; i < a->n; i++) {
        text_put(o, i ? ", " : "");
        put_element(o, a, i, depth);
    }
    text_put(o, "]");
}

static void put_raw(struct text_out *o, const struct attr *a)
{
    text_putf(o, "raw(%s ", TEXT_ATTR_KIND[a->type]);
    for (size_t i = 0; i < a->origin.size; i++)
        text_putf(o, "%02x", a->origin.data[i]);
    text_put(o, ")");
}

void text_attr_value(struct text_out *o, const struct attr *a, int depth)
{
    if (a->ref) {
        text_putf(o, "@%s:", TEXT_ATTR_KIND[a->type]);
        text_word(o, a->ref);
        return;
    }
    switch (a->type) {
    case ATTR_FLOAT:
        text_float(o, a->f);
        break;
    case ATTR_INT:
        text_putf(o, "%lld", (long long)a->i);
        break;
    case ATTR_STRING:
        text_string(o, a->s.data, a->s.size);
        break;
    case ATTR_TENSOR:
        put_tensor(o, a->tensor);
        break;
    case ATTR_GRAPH:
        text_graph(o, a->graph, depth);
        break;
    case ATTR_FLOATS:
    case ATTR_INTS:
    case ATTR_STRINGS:
    case ATTR_TENSORS:
    case ATTR_GRAPHS:
        put_list(o, a, depth);
        break;
    default:
        put_raw(o, a);
        break;
    }
}
