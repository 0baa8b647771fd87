/* Messages by the schema alone: verbatim with moved tensors, or parsed and packed. Recursion ends
 * at the scan's depth. */
#include <string.h>

#include "onnx/saver.h"
#include "onnx/wire.h"

void saver_fail(struct saver *s, int code)
{
    if (!s->error)
        s->error = code;
}

/* ---- verbatim ---- */

static bool may_move(const struct saver *s, struct span message)
{
    size_t count = 0;
    if (s->move_references || s->externalise)
        scan_tensors_in(&s->scan, message, &count);
    return count > 0;
}

static void rewrite(struct saver *s, struct span message, const ProtobufCMessageDescriptor *type)
{
    struct wire w = wire_of(message);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD) {
        const ProtobufCFieldDescriptor *d = protobuf_c_message_descriptor_get_field(type, f.number);
        if (!d || d->type != PROTOBUF_C_TYPE_MESSAGE || !may_move(s, f.payload)) {
            plan_bytes(&s->plan, f.record);
            continue;
        }
        plan_open(&s->plan, f.number);
        if (d->descriptor == &onnx__tensor_proto__descriptor)
            save_tensor_message(s, f.payload, NULL,
                                type == &onnx__graph_proto__descriptor && f.number == 5);
        else
            rewrite(s, f.payload, d->descriptor);
        plan_close(&s->plan);
    }
}

void save_verbatim(struct saver *s, struct span message, const ProtobufCMessageDescriptor *type)
{
    if (may_move(s, message))
        rewrite(s, message, type);
    else
        plan_bytes(&s->plan, message);
}

/* ---- heads and their children ---- */

void *save_head(struct saver *s, struct span origin, const ProtobufCMessageDescriptor *type,
                uint32_t without)
{
    if (origin.size == 0) {
        ProtobufCMessage *fresh = arena_alloc(s->pb.scratch, type->sizeof_message);
        type->message_init(fresh);
        return fresh;
    }
    void *message = pb_unpack(&s->pb, pb_slice(&s->pb, origin, type, ~without, true), type);
    if (!message)
        saver_fail(s, -E_LIMIT_MEMORY);
    return message;
}

void save_put_text(char **field, const char *text, const char *absent)
{
    if (strcmp(*field ? *field : absent, text))
        *field = (char *)(uintptr_t)text; /* protobuf-c only reads it */
}

struct merge merge_begin(struct saver *s, const ProtobufCMessageDescriptor *type, struct span head)
{
    return (struct merge){s, type, head};
}

void merge_upto(struct merge *m, uint32_t number)
{
    struct wire w = wire_of(m->rest);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD) {
        if (f.number >= number || !protobuf_c_message_descriptor_get_field(m->type, f.number))
            break;
        plan_bytes(&m->s->plan, f.record);
        m->rest = (struct span){w.at, (size_t)(w.end - w.at)};
    }
}

void merge_end(struct merge *m) { plan_bytes(&m->s->plan, m->rest); }

/* ---- parsed ---- */

static uint32_t message_fields(const ProtobufCMessageDescriptor *type)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
            mask |= PB_FIELD(type->fields[i].id);
    return mask;
}

static void parse_children(struct saver *s, struct span message, const ProtobufCFieldDescriptor *d)
{
    struct wire w = wire_of(message);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == d->id)
            save_field(s, d->id, f.payload, d->descriptor);
}

void save_parsed(struct saver *s, struct span message, const ProtobufCMessageDescriptor *type)
{
    const void *head = save_head(s, message, type, message_fields(type));
    if (!head)
        return;
    struct span packed = pb_pack(head, s->arena);
    pb_reset(&s->pb);
    struct merge m = merge_begin(s, type, packed);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *d = &type->fields[i];
        if (d->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        merge_upto(&m, d->id);
        parse_children(s, message, d);
    }
    merge_end(&m);
}

void save_field(struct saver *s, uint32_t number, struct span message,
                const ProtobufCMessageDescriptor *type)
{
    plan_open(&s->plan, number);
    if (type == &onnx__tensor_proto__descriptor)
        save_tensor_message(s, message, NULL, false);
    else if (s->options->roundtrip)
        save_parsed(s, message, type);
    else
        save_verbatim(s, message, type);
    plan_close(&s->plan);
}
