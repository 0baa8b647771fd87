/* The allocator, slices and packing. A scratch allocation is never freed alone: the arena goes as a
 * whole. */
#include "onnx/pb.h"

#include <string.h>

#include "base/mem.h"
#include "onnx/wire.h"

static void *allocate(void *user, size_t size)
{
    struct pb *p = user;
    size_t used = arena_bytes(p->scratch);
    if (size > p->budget || used > p->budget - size)
        return NULL;
    return arena_alloc(p->scratch, size);
}

static void release(void *user, void *block) { (void)user, (void)block; }

void pb_init(struct pb *p, struct ctx *ctx)
{
    *p = (struct pb){.allocator = {allocate, release, p},
                     .scratch = arena_new(),
                     .budget = PB_BUDGET,
                     .ctx = ctx};
}

void pb_release(struct pb *p)
{
    arena_free(p->scratch);
    p->scratch = NULL;
}

void pb_reset(struct pb *p) { arena_reset(p->scratch); }

uint32_t pb_head(const ProtobufCMessageDescriptor *type)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].type != PROTOBUF_C_TYPE_MESSAGE &&
            type->fields[i].type != PROTOBUF_C_TYPE_BYTES)
            mask |= PB_FIELD(type->fields[i].id);
    return mask;
}

static bool kept(const ProtobufCMessageDescriptor *type, uint32_t number, uint32_t keep,
                 bool unknown)
{
    if (number < 32 && (keep & PB_FIELD(number)))
        return true;
    return unknown && !protobuf_c_message_descriptor_get_field(type, number);
}

struct span pb_slice(struct pb *p, struct span message, const ProtobufCMessageDescriptor *type,
                     uint32_t keep, bool unknown)
{
    struct wire w = wire_of(message);
    struct field f;
    size_t size = 0;
    while (wire_next(&w, &f) == WIRE_FIELD)
        size += kept(type, f.number, keep, unknown) ? f.record.size : 0;
    if (size == message.size)
        return message;
    unsigned char *out = arena_alloc(p->scratch, size);
    size_t used = 0;
    for (w = wire_of(message); used < size && wire_next(&w, &f) == WIRE_FIELD;)
        if (kept(type, f.number, keep, unknown)) {
            memcpy(out + used, f.record.data, f.record.size);
            used += f.record.size;
        }
    return (struct span){out, size};
}

void *pb_unpack(struct pb *p, struct span bytes, const ProtobufCMessageDescriptor *type)
{
    void *message = protobuf_c_message_unpack(type, &p->allocator, bytes.size, bytes.data);
    if (!message)
        diag_report(p->ctx->diag, E_LIMIT_MEMORY, NULL,
                    "a %s of %zu bytes takes more than %zu bytes to read", type->short_name,
                    bytes.size, p->budget);
    return message;
}

void *pb_unpack_head(struct pb *p, struct span message, const ProtobufCMessageDescriptor *type,
                     uint32_t keep)
{
    return pb_unpack(p, pb_slice(p, message, type, keep, false), type);
}

struct span pb_pack(const void *message, struct arena *a)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    unsigned char *out = arena_alloc(a, size);
    return (struct span){out, protobuf_c_message_pack(message, out)};
}
