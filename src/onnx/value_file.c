/* The bytes are copied into the arena first, so that tensors can stay views of them after the file
 * is closed. Recursion ends at the scan's depth. */
#include "onnx/value_file.h"

#include "base/file.h"
#include "onnx/loader.h"
#include "onnx/wire.h"

/* The names under which SequenceProto and OptionalProto keep what they hold: field numbers in both
 * start at TENSOR. */
enum { NAME = 1, TENSOR_NAME = 8, TENSOR = 3, SEQUENCE = 5, OPTIONAL = 7 };

static int read_value(struct loader *l, struct span bytes, enum type_kind kind,
                      struct file_value *v);

static const char *copy_name(struct loader *l, struct span text)
{
    return arena_printf(l->m->arena, "%.*s", (int)text.size, (const char *)text.data);
}

static enum type_kind kind_of_field(uint32_t number)
{
    return number == TENSOR     ? TYPE_TENSOR
           : number == SEQUENCE ? TYPE_SEQUENCE
           : number == OPTIONAL ? TYPE_OPTIONAL
                                : TYPE_NONE;
}

/* Elements of a sequence stand in one field; an optional holds one or none. */
static int read_items(struct loader *l, struct span bytes, struct file_value *v)
{
    VEC(struct file_value) items = {0};
    struct wire w = wire_of(bytes);
    struct field f;
    int code = 0;
    while (!code && wire_next(&w, &f) == WIRE_FIELD) {
        if (f.number < TENSOR || f.type != WIRE_BYTES)
            continue;
        struct file_value item = {0};
        code = read_value(l, f.payload, kind_of_field(f.number), &item);
        vec_push(&items, item);
    }
    v->count = items.count;
    v->items = arena_copy(l->m->arena, items.data, items.count * sizeof *items.data);
    vec_free(&items);
    return code;
}

static int read_value(struct loader *l, struct span bytes, enum type_kind kind,
                      struct file_value *v)
{
    v->kind = kind;
    v->name = copy_name(l, wire_bytes(bytes, kind == TYPE_TENSOR ? TENSOR_NAME : NAME));
    if (kind == TYPE_SEQUENCE || kind == TYPE_OPTIONAL)
        return read_items(l, bytes, v);
    if (kind != TYPE_TENSOR)
        return load_fail(l, E_LOAD_VALUE_KIND, bytes.data,
                         "a map or sparse tensor stands where a tensor or sequence is read");
    v->tensor = load_tensor(l, bytes);
    return v->tensor ? 0 : -E_EXT_NO_FOLDER; /* reported */
}

static const ProtobufCMessageDescriptor *message_of(enum type_kind kind)
{
    return kind == TYPE_SEQUENCE   ? &onnx__sequence_proto__descriptor
           : kind == TYPE_OPTIONAL ? &onnx__optional_proto__descriptor
                                   : &onnx__tensor_proto__descriptor;
}

int value_bytes_load(struct ctx *ctx, struct span bytes, const char *name, const struct type *type,
                     struct arena *a, struct file_value *value)
{
    enum type_kind kind = type && type->kind != TYPE_NONE ? type->kind : TYPE_TENSOR;
    struct model shell = {.arena = a, .names = intern_new()};
    struct loader l = {.ctx = ctx, .m = &shell, .scan = {.ctx = ctx, .file = name}};
    struct span copy = {arena_copy(a, bytes.data, bytes.size), bytes.size};
    *value = (struct file_value){0};
    l.files = extfiles_new(ctx, NULL);
    int code = scan_message(&l.scan, copy, message_of(kind));
    code = code ? code : read_value(&l, copy, kind, value);
    extfiles_free(l.files);
    scan_release(&l.scan);
    intern_free(shell.names);
    return code;
}

int value_file_load(struct ctx *ctx, const char *path, const struct type *type, struct arena *a,
                    struct file_value *value)
{
    struct mapped_file file;
    int code = file_map(&file, path, ctx->diag);
    if (code)
        return code;
    code = value_bytes_load(ctx, (struct span){file.data, file.size}, path, type, a, value);
    file_unmap(&file);
    return code;
}
