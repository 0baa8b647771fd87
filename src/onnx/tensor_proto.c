/* Reading a TensorProto from the wire.
 *
 * Where a typed payload of an element type lies and how many entries it has: TensorProto in
 * onnx.proto (release 1.22), comments of float_data .. uint64_data; 4-bit types hold two, 2-bit
 * types four elements per int32 entry.
 */
#include "onnx/tensor_proto.h"

#include <stddef.h>
#include <string.h>

#include "onnx.pb-c.h"

enum payload_field tensor_payload_field(enum dtype t)
{
    switch (t) {
    case DT_FLOAT:
    case DT_COMPLEX64:
        return FLOAT_DATA;
    case DT_DOUBLE:
    case DT_COMPLEX128:
        return DOUBLE_DATA;
    case DT_INT64:
        return INT64_DATA;
    case DT_UINT32:
    case DT_UINT64:
        return UINT64_DATA;
    case DT_STRING:
        return STRING_DATA;
    default:
        return INT32_DATA;
    }
}

bool tensor_payload_entries(enum dtype t, int64_t count, uint64_t *entries)
{
    *entries = (uint64_t)count;
    if (t == DT_COMPLEX64 || t == DT_COMPLEX128)
        return !__builtin_mul_overflow((uint64_t)count, 2u, entries);
    int bits = dtype_bits(t);
    if (bits == 4 || bits == 2)
        *entries = ((uint64_t)count + (bits == 4 ? 1 : 3)) / (bits == 4 ? 2 : 4);
    return true;
}

static uint64_t varints_in(struct span list)
{
    uint64_t n = 0;
    for (size_t i = 0; i < list.size; i++)
        n += list.data[i] < 0x80;
    return n;
}

static void add_typed(struct tensor_proto *t, const struct field *f)
{
    enum payload_field field = (enum payload_field)f->number;
    uint64_t entries = 1;
    if (f->type == WIRE_BYTES && field != STRING_DATA)
        entries = field == FLOAT_DATA    ? f->payload.size / 4
                  : field == DOUBLE_DATA ? f->payload.size / 8
                                         : varints_in(f->payload);
    if (!entries)
        return;
    t->two |= t->typed && t->typed != field;
    t->typed = field;
    t->entries += entries;
    t->chunks++;
    t->chunk = f->type == WIRE_BYTES ? f->payload : (struct span){0};
}

static int add_dim(struct tensor_proto *t, uint64_t dim)
{
    if (t->rank == TENSOR_MAX_RANK)
        return -1;
    t->dims[t->rank++] = (int64_t)dim;
    return 0;
}

static int add_dims(struct tensor_proto *t, const struct field *f)
{
    if (f->type == WIRE_VARINT)
        return add_dim(t, f->value);
    struct wire w = wire_of(f->payload);
    uint64_t dim;
    while (w.at < w.end && wire_varint(&w, &dim) == WIRE_FIELD)
        if (add_dim(t, dim))
            return -1;
    return 0;
}

int tensor_proto_read(struct tensor_proto *t, struct span message)
{
    memset(t, 0, offsetof(struct tensor_proto, dims));
    t->message = message;
    struct wire w = wire_of(message);
    struct field f;
    while (wire_next(&w, &f) == WIRE_FIELD) {
        switch (f.number) {
        case 1:
            if (add_dims(t, &f))
                return -1;
            break;
        case 2:
            t->dtype = (enum dtype)f.value;
            break;
        case 3:
            t->segment = true;
            break;
        case FLOAT_DATA:
        case INT32_DATA:
        case STRING_DATA:
        case INT64_DATA:
        case DOUBLE_DATA:
        case UINT64_DATA:
            add_typed(t, &f);
            break;
        case 8:
            t->name = f.payload;
            break;
        case RAW_DATA:
            t->raw = f.payload;
            t->has_raw = true;
            break;
        case 14:
            t->external = f.value == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
            break;
        default:
            break;
        }
    }
    return 0;
}

struct tensor_entries tensor_entries_of(const struct tensor_proto *t)
{
    return (struct tensor_entries){.message = wire_of(t->message), .field = t->typed};
}

bool tensor_entries_next(struct tensor_entries *e, uint64_t *bits)
{
    struct field f;
    while (e->packed.at == e->packed.end) {
        if (wire_next(&e->message, &f) != WIRE_FIELD)
            return false;
        if (f.number != (uint32_t)e->field)
            continue;
        if (f.type != WIRE_BYTES) {
            *bits = f.value;
            return true;
        }
        e->packed = wire_of(f.payload);
    }
    if (e->field == INT32_DATA || e->field == INT64_DATA || e->field == UINT64_DATA)
        return wire_varint(&e->packed, bits) == WIRE_FIELD;
    size_t size = e->field == FLOAT_DATA ? 4 : 8;
    *bits = 0;
    memcpy(bits, e->packed.at, size); /* little-endian */
    e->packed.at += size;
    return true;
}

size_t tensor_entry_bytes(enum dtype t)
{
    int bits = dtype_bits(t);
    if (t == DT_COMPLEX64 || t == DT_COMPLEX128)
        bits /= 2;
    return bits < 8 ? 1 : (size_t)bits / 8;
}

uint64_t tensor_proto_bytes(const struct tensor_proto *t)
{
    if (t->external || t->dtype == DT_STRING)
        return 0;
    return t->typed ? t->entries * tensor_entry_bytes(t->dtype) : t->raw.size;
}
