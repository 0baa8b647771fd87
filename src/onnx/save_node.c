/* Nodes and attributes: the IR's fields over those of the origin. */
#include <string.h>

#include "onnx/saver.h"
#include "onnx/wire.h"

enum { NODE_ATTRIBUTE = 5 };

static const char *normal_domain(const char *domain)
{
    return domain && strcmp(domain, "ai.onnx") ? domain : "";
}

/* ---- attributes ---- */

static bool graph_is_clean(const struct graph *g) { return !g || !g->dirty; }

bool save_attr_is_clean(const struct attr *a)
{
    bool clean = !a->dirty && a->origin.size;
    if (a->type == ATTR_GRAPH && !a->ref)
        clean = clean && graph_is_clean(a->graph);
    for (uint32_t i = 0; clean && a->type == ATTR_GRAPHS && !a->ref && i < a->n; i++)
        clean = graph_is_clean(a->graphs[i]);
    return clean;
}

static ProtobufCBinaryData binary(struct span s)
{
    return (ProtobufCBinaryData){s.size,
                                 (uint8_t *)(uintptr_t)s.data}; /* protobuf-c only reads it */
}

static void put_strings(struct saver *s, Onnx__AttributeProto *p, const struct attr *a)
{
    p->n_strings = a->n;
    p->strings = arena_array(s->arena, a->n, sizeof *p->strings);
    for (uint32_t i = 0; i < a->n; i++)
        p->strings[i] = binary(a->strings[i]);
}

/* Scalars and lists. A zero that the origin left out stays out. */
static void put_value(struct saver *s, Onnx__AttributeProto *p, const struct attr *a)
{
    bool ours = a->origin.size == 0;
    switch (a->type) {
    case ATTR_FLOAT:
        p->has_f = p->has_f || ours || a->f != 0; /* exact on purpose */
        p->f = a->f;
        break;
    case ATTR_INT:
        p->has_i = p->has_i || ours || a->i != 0;
        p->i = a->i;
        break;
    case ATTR_STRING:
        p->has_s = p->has_s || ours || a->s.size;
        p->s = binary(a->s);
        break;
    case ATTR_FLOATS:
        p->n_floats = a->n;
        p->floats = (float *)(uintptr_t)a->floats;
        break;
    case ATTR_INTS:
        p->n_ints = a->n;
        p->ints = (int64_t *)(uintptr_t)a->ints;
        break;
    case ATTR_STRINGS:
        put_strings(s, p, a);
        break;
    default:
        break;
    }
}

/* Records of the origin that the IR does not hold. */
static void put_kept(struct merge *m, const struct attr *a, uint32_t number,
                     const ProtobufCMessageDescriptor *type)
{
    struct wire w = wire_of(a->origin);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == number) {
            merge_upto(m, number);
            save_field(m->s, number, f.payload, type);
        }
}

static void put_children(struct merge *m, const struct attr *a)
{
    struct saver *s = m->s;
    bool held = !a->ref;
    if (held && a->type == ATTR_TENSOR) {
        merge_upto(m, 5);
        save_tensor(s, 5, a->tensor, NULL, false);
    }
    if (held && a->type == ATTR_GRAPH && a->graph) {
        merge_upto(m, 6);
        save_graph(s, 6, a->graph);
    }
    for (uint32_t i = 0; held && a->type == ATTR_TENSORS && i < a->n; i++) {
        merge_upto(m, 10);
        save_tensor(s, 10, a->tensors[i], NULL, false);
    }
    for (uint32_t i = 0; held && a->type == ATTR_GRAPHS && i < a->n; i++) {
        merge_upto(m, 11);
        save_graph(s, 11, a->graphs[i]);
    }
    if (a->type == ATTR_GRAPH && !a->graph)
        put_kept(m, a, 6, &onnx__graph_proto__descriptor);
    if (a->type == ATTR_GRAPHS && !a->n)
        put_kept(m, a, 11, &onnx__graph_proto__descriptor);
    put_kept(m, a, 14, &onnx__type_proto__descriptor);
    put_kept(m, a, 15, &onnx__type_proto__descriptor);
    put_kept(m, a, 22, &onnx__sparse_tensor_proto__descriptor);
    put_kept(m, a, 23, &onnx__sparse_tensor_proto__descriptor);
}

static void rebuild_attr(struct saver *s, const struct attr *a)
{
    uint32_t payloads = 0;
    for (uint32_t number = 2; number <= 11; number++)
        payloads |= PB_FIELD(number);
    payloads &= ~(PB_FIELD(2) | PB_FIELD(3) | PB_FIELD(4)); /* their presence counts */
    payloads |= PB_FIELD(14) | PB_FIELD(15) | PB_FIELD(22) | PB_FIELD(23);
    Onnx__AttributeProto *p = save_head(s, a->origin, &onnx__attribute_proto__descriptor, payloads);
    if (!p)
        return;
    save_put_text(&p->name, a->name, "");
    if (a->origin.size == 0) {
        p->has_type = true;
        p->type = (Onnx__AttributeProto__AttributeType)a->type;
    }
    if (a->ref)
        save_put_text(&p->ref_attr_name, a->ref, "");
    else
        put_value(s, p, a);
    struct span head = pb_pack(p, s->arena);
    pb_reset(&s->pb);
    struct merge m = merge_begin(s, &onnx__attribute_proto__descriptor, head);
    put_children(&m, a);
    merge_end(&m);
}

void save_attr(struct saver *s, uint32_t number, const struct attr *a)
{
    plan_open(&s->plan, number);
    if (save_attr_is_clean(a) && !s->options->roundtrip)
        save_verbatim(s, a->origin, &onnx__attribute_proto__descriptor);
    else
        rebuild_attr(s, a);
    plan_close(&s->plan);
}

/* ---- nodes ---- */

static void put_names(struct saver *s, Onnx__NodeProto *p, const struct node *n)
{
    p->n_input = n->n_inputs;
    p->input = arena_array(s->arena, n->n_inputs, sizeof *p->input);
    for (uint32_t i = 0; i < n->n_inputs; i++)
        p->input[i] = (char *)(uintptr_t)(n->inputs[i].value ? n->inputs[i].value->name : "");
    p->n_output = n->n_outputs;
    p->output = arena_array(s->arena, n->n_outputs, sizeof *p->output);
    for (uint32_t i = 0; i < n->n_outputs; i++)
        p->output[i] = (char *)(uintptr_t)(n->outputs[i] ? n->outputs[i]->name : "");
}

static void rebuild_node(struct saver *s, const struct node *n)
{
    Onnx__NodeProto *p = save_head(s, n->origin, &onnx__node_proto__descriptor,
                                   PB_FIELD(NODE_ATTRIBUTE) | PB_FIELD(1) | PB_FIELD(2));
    if (!p)
        return;
    put_names(s, p, n);
    save_put_text(&p->name, n->name, "");
    save_put_text(&p->op_type, n->op_type, "");
    save_put_text(&p->overload, n->overload, "");
    if (strcmp(normal_domain(p->domain), n->domain))
        p->domain = (char *)(uintptr_t)n->domain;
    struct span head = pb_pack(p, s->arena);
    pb_reset(&s->pb);
    struct merge m = merge_begin(s, &onnx__node_proto__descriptor, head);
    merge_upto(&m, NODE_ATTRIBUTE);
    for (uint32_t i = 0; i < n->n_attrs; i++)
        save_attr(s, NODE_ATTRIBUTE, n->attrs[i]);
    merge_end(&m);
}

static bool node_is_clean(const struct node *n)
{
    bool clean = !n->dirty && n->origin.size;
    for (uint32_t i = 0; clean && i < n->n_attrs; i++)
        clean = save_attr_is_clean(n->attrs[i]);
    return clean;
}

/* The record in the file around a payload, when tag and length before it are in their shortest
 * form: so that neighbours join into one piece. */
static bool record_of(const struct saver *s, struct span payload, uint32_t number,
                      struct span *record)
{
    unsigned char prefix[2 * WIRE_MAX_VARINT];
    size_t used = wire_put_varint(prefix, (uint64_t)number << 3 | WIRE_BYTES);
    used += wire_put_varint(prefix + used, payload.size);
    uintptr_t at = (uintptr_t)payload.data, file = (uintptr_t)s->m->origin.data;
    if (at < file + used || at - file > s->m->origin.size ||
        memcmp(payload.data - used, prefix, used))
        return false;
    *record = (struct span){payload.data - used, payload.size + used};
    return true;
}

void save_node(struct saver *s, uint32_t number, const struct node *n)
{
    struct span record;
    size_t moving = 0;
    bool clean = node_is_clean(n) && !s->options->roundtrip;
    if (clean && (s->move_references || s->externalise))
        scan_tensors_in(&s->scan, n->origin, &moving);
    if (clean && !moving && record_of(s, n->origin, number, &record)) {
        plan_bytes(&s->plan, record);
        return;
    }
    plan_open(&s->plan, number);
    if (clean)
        save_verbatim(s, n->origin, &onnx__node_proto__descriptor);
    else
        rebuild_node(s, n);
    plan_close(&s->plan);
}
