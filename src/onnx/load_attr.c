/* AttributeProto to struct attr. protobuf-c reads the head; lists are read from the wire, so that
 * strings stay views and a long list costs its own size and no more. A type that is missing (IR 1)
 * follows from the one payload present. */
#include <string.h>

#include "onnx/loader.h"
#include "onnx/wire.h"

enum {
    F = 2,
    I = 3,
    S = 4,
    T = 5,
    G = 6,
    FLOATS = 7,
    INTS = 8,
    STRINGS = 9,
    TENSORS = 10,
    GRAPHS = 11,
    TYPE = 20
};

/* Field that holds the payload of each attribute type. */
static const uint32_t PAYLOAD[] = {
    [ATTR_FLOAT] = F,          [ATTR_INT] = I,
    [ATTR_STRING] = S,         [ATTR_TENSOR] = T,
    [ATTR_GRAPH] = G,          [ATTR_FLOATS] = FLOATS,
    [ATTR_INTS] = INTS,        [ATTR_STRINGS] = STRINGS,
    [ATTR_TENSORS] = TENSORS,  [ATTR_GRAPHS] = GRAPHS,
    [ATTR_SPARSE_TENSOR] = 22, [ATTR_SPARSE_TENSORS] = 23,
    [ATTR_TYPE_PROTO] = 14,    [ATTR_TYPE_PROTOS] = 15,
};

struct reading {
    struct loader *l;
    struct scope *scope;
    struct span message;
    struct attr *a;
};

static int fail(const struct reading *r, const char *what)
{
    return load_fail(r->l, E_LOAD_ATTRIBUTE, r->message.data, "attribute '%.100s' %s", r->a->name,
                     what);
}

/* Calls for each record of the payload field. */
static int each(struct reading *r, uint32_t number,
                int (*take)(struct reading *r, const struct field *f))
{
    struct wire w = wire_of(r->message);
    struct field f;
    int code = 0;
    while (!code && wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == number)
            code = take(r, &f);
    return code;
}

static uint32_t count_entries(struct span message, uint32_t number)
{
    struct wire w = wire_of(message);
    struct field f;
    uint64_t n = 0;
    while (wire_next(&w, &f) == WIRE_FIELD) {
        if (f.number != number)
            continue;
        if (f.type != WIRE_BYTES || (number != FLOATS && number != INTS))
            n++;
        else if (number == FLOATS)
            n += f.payload.size / sizeof(float);
        else
            for (size_t i = 0; i < f.payload.size; i++)
                n += f.payload.data[i] < 0x80;
    }
    return (uint32_t)n; /* at least one byte each, so below 2^31 */
}

/* ---- payloads; a->n counts what has been taken ---- */

static float float_of(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float f;
    memcpy(&f, &low, sizeof f);
    return f;
}

static int take_float(struct reading *r, const struct field *f)
{
    float *out = (float *)(uintptr_t)r->a->floats;
    if (f->type != WIRE_BYTES)
        out[r->a->n++] = float_of(f->value);
    else if (f->payload.size)
        memcpy(out + r->a->n, f->payload.data, f->payload.size); /* little-endian */
    r->a->n += f->type == WIRE_BYTES ? (uint32_t)(f->payload.size / sizeof(float)) : 0;
    return 0;
}

static int take_int(struct reading *r, const struct field *f)
{
    int64_t *out = (int64_t *)(uintptr_t)r->a->ints;
    if (f->type != WIRE_BYTES)
        out[r->a->n++] = (int64_t)f->value;
    struct wire w = wire_of(f->payload);
    uint64_t value;
    while (w.at < w.end && wire_varint(&w, &value) == WIRE_FIELD)
        out[r->a->n++] = (int64_t)value;
    return 0;
}

static int take_string(struct reading *r, const struct field *f)
{
    ((struct span *)(uintptr_t)r->a->strings)[r->a->n++] = f->payload;
    return 0;
}

static int take_tensor(struct reading *r, const struct field *f)
{
    struct tensor *t = load_tensor(r->l, f->payload);
    if (!t)
        return -E_LOAD_ATTRIBUTE; /* reported */
    if (r->a->type == ATTR_TENSOR)
        r->a->tensor = t;
    else
        ((struct tensor **)(uintptr_t)r->a->tensors)[r->a->n++] = t;
    return 0;
}

static int take_graph(struct reading *r, const struct field *f)
{
    struct node *holder = r->l->node;
    struct graph *g = graph_new(r->l->m, holder, "");
    int code = load_graph(r->l, f->payload, g, r->scope);
    r->l->node = holder;
    if (r->a->type == ATTR_GRAPH)
        r->a->graph = g;
    else
        ((struct graph **)(uintptr_t)r->a->graphs)[r->a->n++] = g;
    return code;
}

/* ---- type and payload must agree ---- */

static uint32_t fields_present(struct span message)
{
    struct wire w = wire_of(message);
    struct field f;
    uint32_t mask = 0;
    while (wire_next(&w, &f) == WIRE_FIELD)
        for (size_t t = 0; t < sizeof PAYLOAD / sizeof PAYLOAD[0]; t++)
            if (PAYLOAD[t] && f.number == PAYLOAD[t])
                mask |= PB_FIELD(f.number);
    return mask;
}

static int settle_type(struct reading *r)
{
    struct attr *a = r->a;
    uint32_t present = fields_present(r->message);
    if (a->ref)
        return present ? fail(r, "refers to an attribute of the function and has a value as well")
                       : 0;
    for (int t = ATTR_FLOAT; a->type == ATTR_UNDEFINED && t <= ATTR_TYPE_PROTOS; t++)
        if (present == PB_FIELD(PAYLOAD[t]))
            a->type = (enum attr_type)t;
    if (a->type == ATTR_UNDEFINED)
        return fail(r, "has neither a type nor one value to tell it from");
    if (present & ~PB_FIELD(PAYLOAD[a->type]))
        return fail(r, "has a value in another field than its type says");
    bool single = a->type == ATTR_TENSOR || a->type == ATTR_GRAPH ||
                  a->type == ATTR_SPARSE_TENSOR || a->type == ATTR_TYPE_PROTO;
    return single && !present ? fail(r, "has no value") : 0;
}

static int read_payload(struct reading *r)
{
    struct attr *a = r->a;
    struct arena *arena = r->l->m->arena;
    uint32_t n = count_entries(r->message, PAYLOAD[a->type]);
    switch (a->type) {
    case ATTR_STRING:
        a->s = wire_bytes(r->message, S);
        return 0;
    case ATTR_FLOATS:
        a->floats = arena_array(arena, n, sizeof *a->floats);
        return each(r, FLOATS, take_float);
    case ATTR_INTS:
        a->ints = arena_array(arena, n, sizeof *a->ints);
        return each(r, INTS, take_int);
    case ATTR_STRINGS:
        a->strings = arena_array(arena, n, sizeof *a->strings);
        return each(r, STRINGS, take_string);
    case ATTR_TENSOR:
        return each(r, T, take_tensor);
    case ATTR_TENSORS:
        a->tensors = arena_array(arena, n, sizeof *a->tensors);
        return each(r, TENSORS, take_tensor);
    case ATTR_GRAPH:
        return r->l->node ? each(r, G, take_graph) : 0; /* a function's default: kept as it came */
    case ATTR_GRAPHS:
        a->graphs = arena_array(arena, n, sizeof *a->graphs);
        return r->l->node ? each(r, GRAPHS, take_graph) : 0;
    default: /* scalars stand in the head; sparse tensors and types live in origin only */
        return 0;
    }
}

static int read_head(struct reading *r)
{
    struct attr *a = r->a;
    const Onnx__AttributeProto *p =
        pb_unpack_head(&r->l->pb, r->message, &onnx__attribute_proto__descriptor,
                       PB_FIELD(1) | PB_FIELD(F) | PB_FIELD(I) | PB_FIELD(TYPE) | PB_FIELD(21));
    if (!p)
        return -E_LIMIT_MEMORY; /* reported */
    a->name = load_name(r->l, p->name);
    a->type = (enum attr_type)p->type;
    a->ref = p->ref_attr_name && p->ref_attr_name[0] ? load_name(r->l, p->ref_attr_name) : NULL;
    if (p->has_i)
        a->i = p->i;
    else if (p->has_f)
        a->f = p->f;
    pb_reset(&r->l->pb);
    return a->name[0] ? settle_type(r) : fail(r, "has no name");
}

struct attr *load_attr(struct loader *l, struct span message, struct scope *scope)
{
    struct attr *a = arena_alloc(l->m->arena, sizeof *a);
    struct reading r = {l, scope, message, a};
    a->origin = message;
    if (read_head(&r) || (!a->ref && read_payload(&r)))
        return NULL;
    return a;
}

/* ---- of a node ---- */

static bool known(const struct node *n, const char *name)
{
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (n->attrs[i]->name == name) /* interned */
            return true;
    return false;
}

int load_attrs(struct loader *l, struct node *n, struct scope *scope)
{
    enum { ATTRIBUTE = 5 };
    struct wire w = wire_of(n->origin);
    struct field f;
    n->attrs = arena_array(l->m->arena, count_entries(n->origin, ATTRIBUTE), sizeof(struct attr *));
    while (wire_next(&w, &f) == WIRE_FIELD) {
        if (f.number != ATTRIBUTE)
            continue;
        struct attr *a = load_attr(l, f.payload, scope);
        if (!a)
            return -E_LOAD_ATTRIBUTE; /* reported */
        if (known(n, a->name))
            return load_fail(l, E_LOAD_ATTRIBUTE_TWICE, f.record.data,
                             "attribute '%.100s' stands twice", a->name);
        n->attrs[n->n_attrs++] = a;
    }
    return 0;
}
