/* Tensors: element type, dims and payload must agree to the byte before anything believes one of
 * them. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "ir/ir.h"
#include "onnx.pb-c.h"
#include "onnx/extdata.h"
#include "onnx/scan.h"
#include "onnx/tensor_proto.h"
#include "onnx/wire.h"

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
    int code;
    if (t->raw.size || t->typed)
        return scan_fail(s, E_SCAN_TWO_PAYLOADS, t->message.data,
                         "tensor '%.*s' is external and has data of its own as well", NAME(t));
    if (t->dtype == DT_STRING)
        return scan_fail(s, E_SCAN_PAYLOAD, t->message.data,
                         "tensor '%.*s' of strings cannot be external", NAME(t));
    code = extdata_parse(s, t, bytes, &x);
    if (!code)
        vec_push(&s->tensors, ((struct tensor_at){t->message, true, x.location}));
    return code;
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
    if (!code && tensor_proto_bytes(&t) >= SCAN_LARGE_TENSOR)
        vec_push(&s->tensors, ((struct tensor_at){.message = message}));
    return code;
}
