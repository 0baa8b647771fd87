/* TensorProto to struct tensor. Raw data, and typed floats that come in one packed run, stay where
 * they are: their wire bytes are the little-endian data. Varints are decoded into the model's
 * arena; the scan has compared their number with the dims, so nothing is allocated that the file
 * does not pay for. */
#include <string.h>

#include "onnx/loader.h"
#include "onnx/tensor_proto.h"
#include "onnx/wire.h"

static void check_entry(struct loader *l, const struct tensor_proto *p, uint64_t bits)
{
    if (p->typed != INT32_DATA || l->warned_range || p->dtype == DT_INT32)
        return;
    int64_t value = (int64_t)bits;
    int64_t high = dtype_is_int(p->dtype) && dtype_bits(p->dtype) >= 8
                       ? dtype_max(p->dtype)
                       : ((int64_t)1 << 8 * tensor_entry_bytes(p->dtype)) - 1;
    if (value >= dtype_min(p->dtype) && value <= high)
        return;
    l->warned_range = true;
    load_fail(l, E_LOAD_TENSOR_RANGE, p->message.data,
              "tensor '%.*s' of type %s holds %lld, which is cut to its bits",
              (int)(p->name.size < 100 ? p->name.size : 100), (const char *)p->name.data,
              dtype_name(p->dtype), (long long)value);
}

static struct tensor *decode(struct loader *l, const struct tensor_proto *p)
{
    struct tensor *t = tensor_new(l->m->arena, p->dtype, p->rank, p->dims);
    struct tensor_entries e = tensor_entries_of(p);
    size_t size = tensor_entry_bytes(p->dtype);
    unsigned char *out = t->bytes ? tensor_writable(t) : NULL;
    uint64_t bits;
    for (size_t at = 0; at < t->bytes && tensor_entries_next(&e, &bits); at += size) {
        check_entry(l, p, bits);
        memcpy(out + at, &bits, size); /* little-endian: the low bytes */
    }
    return t;
}

static struct tensor *strings(struct loader *l, const struct tensor_proto *p)
{
    struct tensor *t = tensor_view(l->m->arena, p->dtype, p->rank, p->dims, NULL);
    struct span *list = arena_array(l->m->arena, (size_t)t->count, sizeof *list);
    struct wire w = wire_of(p->message);
    struct field f;
    for (int64_t i = 0; i < t->count && wire_next(&w, &f) == WIRE_FIELD;)
        if (f.number == STRING_DATA)
            list[i++] = f.payload;
    t->strings = list;
    return t;
}

static void set_extent(struct loader *l, struct tensor *t, const struct mapped_file *file,
                       bool external)
{
    if (!file || !t->bytes)
        return;
    struct extent *x = arena_alloc(l->m->arena, sizeof *x);
    *x = (struct extent){file, (uint64_t)((const unsigned char *)t->data - file->data), t->bytes,
                         external};
    t->extent = x;
}

static struct tensor *external(struct loader *l, const struct tensor_proto *p)
{
    struct tensor *t = tensor_view(l->m->arena, p->dtype, p->rank, p->dims, NULL);
    struct extdata x;
    if (extdata_parse(&l->scan, p, t->bytes, &x))
        return NULL;
    const struct mapped_file *file = extfiles_open(l->files, &x, load_name_span(l, p->name));
    if (!file)
        return NULL;
    t->data = t->bytes ? file->data + x.offset : NULL;
    set_extent(l, t, file, true);
    return t;
}

static struct tensor *view(struct loader *l, const struct tensor_proto *p, struct span bytes)
{
    struct tensor *t = tensor_view(l->m->arena, p->dtype, p->rank, p->dims, bytes.data);
    set_extent(l, t, l->m->file, false);
    return t;
}

static struct tensor *convert(struct loader *l, const struct tensor_proto *p)
{
    if (p->external)
        return external(l, p);
    if (p->dtype == DT_STRING)
        return strings(l, p);
    if (p->typed == NO_DATA)
        return view(l, p, p->raw);
    bool fixed = p->typed == FLOAT_DATA || p->typed == DOUBLE_DATA;
    return fixed && p->chunks == 1 && p->chunk.size ? view(l, p, p->chunk) : decode(l, p);
}

struct tensor *load_tensor(struct loader *l, struct span message)
{
    struct tensor_proto p;
    tensor_proto_read(&p, message);
    struct tensor *t = convert(l, &p);
    if (t)
        t->origin = message;
    return t;
}
