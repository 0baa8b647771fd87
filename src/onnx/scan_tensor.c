/* Tensors: element type, dims and payload must agree to the byte before anything believes one of
 * them.
 *
 * Where a typed payload of an element type lies and how many entries it has: TensorProto in
 * onnx.proto (release 1.22), comments of float_data .. uint64_data; 4-bit types hold two, 2-bit
 * types four elements per int32 entry.
 */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "ir/ir.h"
#include "onnx.pb-c.h"
#include "onnx/extdata.h"
#include "onnx/scan.h"
#include "onnx/tensor_proto.h"
#include "onnx/wire.h"

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

/* ---- checks ---- */

/* A name for messages: at most this many bytes of it. */
enum { SHOWN = 100 };
static int shown(struct span name) { return (int)(name.size < SHOWN ? name.size : SHOWN); }
#define NAME(t) shown((t)->name), (const char *)(t)->name.data

static int check_dims(const struct scan *s, const struct tensor_proto *t, int64_t *count,
                      size_t *bytes)
{
    const unsigned char *at = t->message.data;
    for (int i = 0; i < t->rank; i++)
        if (t->dims[i] < 0)
            return scan_fail(s, E_SCAN_DIM, at, "dim %d of tensor '%.*s' is %lld", i, NAME(t),
                             (long long)t->dims[i]);
    if (!num_product(t->dims, t->rank, count) || !dtype_bytes(t->dtype, *count, bytes))
        return scan_fail(s, E_SCAN_OVERFLOW, at,
                         "the dims of tensor '%.*s' multiply to more than 64 bits hold", NAME(t));
    return 0;
}

static int check_typed(const struct scan *s, const struct tensor_proto *t, int64_t count)
{
    const unsigned char *at = t->message.data;
    uint64_t wanted;
    if (t->typed != tensor_payload_field(t->dtype))
        return scan_fail(s, E_SCAN_PAYLOAD, at,
                         "tensor '%.*s' of type %s keeps its data in field %d, expected %d",
                         NAME(t), dtype_name(t->dtype), (int)t->typed,
                         (int)tensor_payload_field(t->dtype));
    if (!tensor_payload_entries(t->dtype, count, &wanted) || t->entries != wanted)
        return scan_fail(s, E_SCAN_EXTENT, at, "tensor '%.*s' has %llu numbers, its dims want %llu",
                         NAME(t), (unsigned long long)t->entries, (unsigned long long)wanted);
    return 0;
}

static int check_external(struct scan *s, const struct tensor_proto *t, size_t bytes)
{
    struct extdata x;
    if (t->raw.size || t->typed)
        return scan_fail(s, E_SCAN_TWO_PAYLOADS, t->message.data,
                         "tensor '%.*s' is external and has data of its own as well", NAME(t));
    if (t->dtype == DT_STRING)
        return scan_fail(s, E_SCAN_PAYLOAD, t->message.data,
                         "tensor '%.*s' of strings cannot be external", NAME(t));
    return extdata_parse(s, t, bytes, &x);
}

static int check_payload(struct scan *s, const struct tensor_proto *t)
{
    const unsigned char *at = t->message.data;
    int64_t count;
    size_t bytes;
    int code = check_dims(s, t, &count, &bytes);
    if (code)
        return code;
    if (t->external)
        return check_external(s, t, bytes);
    if (t->two || (t->raw.size && t->typed))
        return scan_fail(s, E_SCAN_TWO_PAYLOADS, at, "tensor '%.*s' has its data in two fields",
                         NAME(t));
    if (t->typed)
        return check_typed(s, t, count);
    if (t->dtype == DT_STRING ? count || t->raw.size : t->raw.size != bytes)
        return scan_fail(s, E_SCAN_EXTENT, at,
                         "tensor '%.*s' has %zu bytes, its type and dims want %zu", NAME(t),
                         t->raw.size, bytes);
    return 0;
}

int scan_tensor(struct scan *s, struct span message)
{
    struct tensor_proto t;
    if (tensor_proto_read(&t, message))
        return scan_fail(s, E_SCAN_RANK, message.data, "a tensor has more than %d dims",
                         TENSOR_MAX_RANK);
    if (t.segment)
        return scan_fail(s, E_SCAN_SEGMENT, message.data,
                         "tensor '%.*s' is a segment of a larger one", NAME(&t));
    if (t.dtype == DT_UNDEFINED)
        return scan_fail(s, E_SCAN_DTYPE, message.data, "tensor '%.*s' has no element type",
                         NAME(&t));
    int code = check_payload(s, &t);
    if (code)
        return code;
    if (t.external || t.raw.size >= SCAN_LARGE_TENSOR)
        vec_push(&s->tensors, ((struct tensor_at){message, t.external}));
    return 0;
}
