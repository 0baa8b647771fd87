/* The walk. The stack holds one frame per open message; a frame ends where its parent continues. */
#include "onnx/scan.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ir/ir.h"
#include "onnx.pb-c.h"
#include "onnx/wire.h"

struct frame {
    const ProtobufCMessageDescriptor *type;
    struct span message;
    uint64_t seen;  /* bit per field index: singular fields that have come */
    bool oneof;     /* a member of the oneof has come; no ONNX message has two */
    uint32_t shape; /* dimensions so far, of a TensorShapeProto */
};

struct walk {
    struct scan *s;
    struct wire wire;
    int depth;
    struct frame stack[GRAPH_MAX_DEPTH + 1];
};

/* Heap that one message of a kind costs the IR, rounded up: the structs of ir.h and their slots in
 * lists and maps. */
static const struct cost {
    const ProtobufCMessageDescriptor *type;
    uint32_t bytes;
} COSTS[] = {
    {&onnx__node_proto__descriptor, 384},
    {&onnx__attribute_proto__descriptor, 128},
    {&onnx__tensor_proto__descriptor, 512},
    {&onnx__value_info_proto__descriptor, 384},
    {&onnx__graph_proto__descriptor, 512},
    {&onnx__tensor_shape_proto__dimension__descriptor, 64},
    {&onnx__function_proto__descriptor, 1024},
    {&onnx__type_proto__descriptor, 64},
    {&onnx__sparse_tensor_proto__descriptor, 512},
    {&onnx__operator_set_id_proto__descriptor, 64},
};
enum {
    COST_NAME = 160,
    COST_STRING = 16
}; /* a string of a node: use, value, map and intern entries; in lists: a span */

int scan_fail(const struct scan *s, enum err id, const void *at, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct where where = {.file = s->file};
    if (at) {
        where.offset = (uint64_t)((const unsigned char *)at - s->bytes.data);
        where.has_offset = true;
    }
    return diag_report(s->ctx->diag, id, &where, "%s", text);
}

static int malformed(const struct scan *s, enum wire_result r, const unsigned char *at)
{
    switch (r) {
    case WIRE_BAD_TRUNCATED:
        return scan_fail(s, E_SCAN_TRUNCATED, at,
                         "a record runs past the end of its message: the file is cut or damaged");
    case WIRE_BAD_VARINT:
        return scan_fail(s, E_SCAN_VARINT, at, "a number takes more than ten bytes");
    case WIRE_BAD_GROUP:
        return scan_fail(s, E_SCAN_GROUP, at,
                         "a field has a group wire type, which ONNX never used");
    case WIRE_BAD_NUMBER:
        return scan_fail(s, E_SCAN_FIELD, at, "a field number is 0 or above %d", WIRE_MAX_NUMBER);
    default:
        return scan_fail(s, E_SCAN_FIELD, at, "a field has a wire type that does not exist");
    }
}

/* ---- one field ---- */

static enum wire_type wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_BYTES;
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_32;
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_64;
    default: /* onnx.proto has int32, int64, uint64 and enumerations besides */
        return WIRE_VARINT;
    }
}

static int check_packed(const struct scan *s, enum wire_type type, struct span list)
{
    if (type != WIRE_VARINT) {
        size_t size = type == WIRE_32 ? 4 : 8;
        if (list.size % size)
            return scan_fail(s, E_SCAN_PACKED, list.data,
                             "a packed list of %zu-byte numbers has %zu bytes", size, list.size);
        return 0;
    }
    struct wire w = wire_of(list);
    uint64_t value;
    while (w.at < w.end)
        if (wire_varint(&w, &value) != WIRE_FIELD)
            return scan_fail(s, E_SCAN_PACKED, w.at, "a packed list ends inside a number");
    return 0;
}

static int check_text(const struct scan *s, const struct frame *in,
                      const ProtobufCFieldDescriptor *d, struct span text)
{
    if (text.size && memchr(text.data, 0, text.size))
        return scan_fail(s, E_SCAN_NUL, text.data, "'%s' of a %s holds a NUL byte", d->name,
                         in->type->short_name);
    if (utf8_valid(text.data, text.size))
        return 0;
    bool prose = !strcmp(d->name, "doc_string") ||
                 (in->type == &onnx__string_string_entry_proto__descriptor && d->id == 2);
    enum err id = prose ? E_SCAN_PROSE : E_SCAN_UTF8;
    int code = scan_fail(s, id, text.data, "'%s' of a %s is not valid UTF-8", d->name,
                         in->type->short_name);
    return prose ? 0 : code;
}

static bool is_element_type(const struct frame *in, const ProtobufCFieldDescriptor *d)
{
    return (in->type == &onnx__tensor_proto__descriptor && d->id == 2) ||
           (in->type == &onnx__type_proto__tensor__descriptor && d->id == 1) ||
           (in->type == &onnx__type_proto__sparse_tensor__descriptor && d->id == 1) ||
           (in->type == &onnx__type_proto__map__descriptor && d->id == 1);
}

static int check_number(const struct scan *s, const struct frame *in,
                        const ProtobufCFieldDescriptor *d, const struct field *f)
{
    if (is_element_type(in, d) && f->value >= DT_COUNT)
        return scan_fail(s, E_SCAN_DTYPE, f->record.data,
                         "element type %lld is not known, 1 to %d are", (long long)f->value,
                         DT_COUNT - 1);
    if (d->type == PROTOBUF_C_TYPE_ENUM &&
        (f->value > INT_MAX || !protobuf_c_enum_descriptor_get_value(d->descriptor, (int)f->value)))
        return scan_fail(s, E_SCAN_ENUM, f->record.data,
                         "'%s' of a %s is %lld, which the schema does not list", d->name,
                         in->type->short_name, (long long)f->value);
    return 0;
}

static int check_once(const struct scan *s, struct frame *in, const ProtobufCFieldDescriptor *d,
                      const struct field *f)
{
    if (d->label == PROTOBUF_C_LABEL_REPEATED)
        return 0;
    uint64_t bit = (uint64_t)1 << (d - in->type->fields);
    bool oneof = (d->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    if ((in->seen & bit) || (oneof && in->oneof))
        return scan_fail(s, E_SCAN_TWICE, f->record.data,
                         "'%s' of a %s stands twice, where one is allowed", d->name,
                         in->type->short_name);
    in->seen |= bit;
    in->oneof |= oneof;
    return 0;
}

/* ---- limits ---- */

static uint64_t cost_of(const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < sizeof COSTS / sizeof COSTS[0]; i++)
        if (COSTS[i].type == type)
            return COSTS[i].bytes;
    return 0;
}

static int check_limits(const struct scan *s, const unsigned char *at)
{
    if (s->ctx->max_nodes > 0 && s->nodes > (uint64_t)s->ctx->max_nodes)
        return scan_fail(s, E_LIMIT_NODES, at, "more than %lld nodes",
                         (long long)s->ctx->max_nodes);
    size_t limit = mem_limit(), used = mem_in_use();
    if (limit && s->heap > (limit > used ? limit - used : 0))
        return scan_fail(s, E_LIMIT_MEMORY, at, "the graph would take more than %zu bytes", limit);
    return 0;
}

/* ---- messages ---- */

static int push(struct walk *w, const ProtobufCMessageDescriptor *type, struct span message)
{
    struct scan *s = w->s;
    if (w->depth == GRAPH_MAX_DEPTH)
        return scan_fail(s, E_SCAN_DEPTH, message.data, "messages nest deeper than %d",
                         GRAPH_MAX_DEPTH);
    struct frame *parent = &w->stack[w->depth];
    if (type == &onnx__tensor_shape_proto__dimension__descriptor &&
        ++parent->shape > TENSOR_MAX_RANK)
        return scan_fail(s, E_SCAN_RANK, message.data, "a shape has more than %d dimensions",
                         TENSOR_MAX_RANK);
    s->nodes += type == &onnx__node_proto__descriptor;
    s->heap += cost_of(type);
    w->stack[++w->depth] = (struct frame){.type = type, .message = message};
    w->wire = wire_of(message);
    return check_limits(s, message.data);
}

static int pop(struct walk *w)
{
    const struct frame *f = &w->stack[w->depth];
    int code = 0;
    if (f->type == &onnx__tensor_proto__descriptor)
        code = scan_tensor(w->s, f->message);
    else if (f->type == &onnx__sparse_tensor_proto__descriptor)
        code = scan_sparse(w->s, f->message);
    if (w->depth-- > 0)
        w->wire.end = w->stack[w->depth].message.data + w->stack[w->depth].message.size;
    return code;
}

static int check_payload(struct walk *w, const ProtobufCFieldDescriptor *d, const struct field *f)
{
    struct scan *s = w->s;
    struct frame *in = &w->stack[w->depth];
    if (f->payload.size > INT_MAX)
        return scan_fail(s, E_SCAN_SIZE, f->record.data,
                         "'%s' of a %s has %zu bytes, protocol buffers end at %d", d->name,
                         in->type->short_name, f->payload.size, INT_MAX);
    if (d->type == PROTOBUF_C_TYPE_MESSAGE)
        return push(w, d->descriptor, f->payload);
    if (d->type == PROTOBUF_C_TYPE_STRING) {
        int code = check_text(s, in, d, f->payload);
        if (!code && (in->type == &onnx__node_proto__descriptor ||
                      in->type == &onnx__function_proto__descriptor))
            s->heap += COST_NAME + f->payload.size;
        return code ? code : check_limits(s, f->record.data);
    }
    s->heap += COST_STRING;
    return check_limits(s, f->record.data);
}

static int known_field(struct walk *w, const ProtobufCFieldDescriptor *d, const struct field *f)
{
    struct scan *s = w->s;
    struct frame *in = &w->stack[w->depth];
    enum wire_type wanted = wire_type_of(d->type);
    int code = check_once(s, in, d, f);
    if (code)
        return code;
    if (f->type == WIRE_BYTES && wanted != WIRE_BYTES && d->label == PROTOBUF_C_LABEL_REPEATED) {
        s->heap += wanted == WIRE_VARINT ? f->payload.size * sizeof(int64_t)
                                         : 0; /* fixed sizes stay views */
        code = f->payload.size > INT_MAX ? check_payload(w, d, f)
                                         : check_packed(s, wanted, f->payload);
        return code ? code : check_limits(s, f->record.data);
    }
    if (f->type != wanted)
        return scan_fail(s, E_SCAN_WIRE_TYPE, f->record.data,
                         "'%s' of a %s has wire type %d, expected %d", d->name,
                         in->type->short_name, (int)f->type, (int)wanted);
    s->heap += d->label == PROTOBUF_C_LABEL_REPEATED ? sizeof(int64_t) : 0;
    return wanted == WIRE_BYTES ? check_payload(w, d, f) : check_number(s, in, d, f);
}

static int step(struct walk *w)
{
    const struct frame *in = &w->stack[w->depth];
    struct field f;
    enum wire_result r = wire_next(&w->wire, &f);
    if (r == WIRE_END)
        return pop(w);
    if (r != WIRE_FIELD)
        return malformed(w->s, r, w->wire.at);
    const ProtobufCFieldDescriptor *d = protobuf_c_message_descriptor_get_field(in->type, f.number);
    return d ? known_field(w, d, &f) : 0;
}

int scan_message(struct scan *s, struct span bytes, const ProtobufCMessageDescriptor *root)
{
    enum { BETWEEN_CHECKS = 1 << 16 };
    s->bytes = bytes;
    struct walk *w = mem_alloc(sizeof *w);
    w->s = s;
    w->stack[0] = (struct frame){.type = root, .message = bytes};
    w->wire = wire_of(bytes);
    int code = 0;
    for (uint64_t steps = 0; !code && w->depth >= 0; steps++) {
        code = step(w);
        if (!code && steps % BETWEEN_CHECKS == BETWEEN_CHECKS - 1)
            code = ctx_check(s->ctx);
    }
    mem_free(w);
    return code;
}

/* ---- the model as a whole ---- */

static bool starts_with(struct span bytes, const char *text)
{
    return bytes.size >= strlen(text) && !memcmp(bytes.data, text, strlen(text));
}

int scan_model(struct scan *s, struct span bytes)
{
    struct field f;
    s->bytes = bytes;
    if (bytes.size == 0)
        return scan_fail(s, E_SCAN_EMPTY, NULL, "the file is empty");
    if (starts_with(bytes, "version https://git-lfs"))
        return scan_fail(s, E_SCAN_LFS, NULL,
                         "the file is a Git LFS pointer, the model itself was not fetched");
    int code = scan_message(s, bytes, &onnx__model_proto__descriptor);
    if (!code && !wire_find(bytes, 7, &f))
        code = scan_fail(s, E_SCAN_NO_GRAPH, NULL, "the file holds no ONNX graph");
    return code;
}

void scan_release(struct scan *s) { vec_free(&s->tensors); }

size_t scan_tensors_in(const struct scan *s, struct span within, size_t *count)
{
    size_t low = 0, high = s->tensors.count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->tensors.data[mid].message.data < within.data)
            low = mid + 1;
        else
            high = mid;
    }
    size_t first = low;
    while (low < s->tensors.count && s->tensors.data[low].message.data < within.data + within.size)
        low++;
    *count = low - first;
    return first;
}
