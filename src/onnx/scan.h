/* The screening of a serialized message before anything is unpacked or allocated for it.
 *
 * One pass over the structure with an explicit stack (no recursion), driven by the schema of
 * proto/onnx.proto. Payloads of raw_data are skipped, so their pages are never read. After a scan
 * that returned 0:
 *   - every record of a known field has the field's wire type and lies inside its message, to any
 * depth up to GRAPH_MAX_DEPTH; no message or payload is larger than INT32_MAX bytes; there are no
 * groups;
 *   - no singular field and no oneof stands twice in a message;
 *   - text has no NUL, names are valid UTF-8; enumerations and element types are known numbers;
 *   - ranks are at most TENSOR_MAX_RANK, dims of tensors >= 0, their product and byte size fit, and
 * exactly one payload of exactly that size is present, or a well-formed reference to external data;
 *   - sparse tensors have values, indices and dims that fit each other;
 *   - the graph needs at most ctx->max_nodes nodes and, by estimate, fits --max-memory.
 * Unknown fields are accepted and kept.
 */
#ifndef ONNX_SCAN_H
#define ONNX_SCAN_H
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/ctx.h"
#include "base/span.h"
#include "base/vec.h"

/* Payloads from this size on may move to external data; the threshold of onnx.save_model
 * (size_threshold). */
enum { SCAN_LARGE_TENSOR = 1024 };

/* A TensorProto whose payload is external, or numbers and large. */
struct tensor_at {
    struct span message; /* the TensorProto without its tag and length */
    bool external;
    struct span location; /* of external data */
};

struct scan {
    struct ctx *ctx;               /* in */
    const char *file;              /* in: for messages, may be NULL */
    struct span bytes;             /* what was scanned: offsets count from its start */
    uint64_t nodes;                /* NodeProtos, everywhere */
    uint64_t heap;                 /* estimate of the bytes the IR will take */
    VEC(struct tensor_at) tensors; /* in file order */
    bool warned_key;               /* an unknown key of external data has been reported */
};

/* Scans bytes as a message of type root. 0, or the reported code. Time O(records), memory O(depth +
 * tensors kept). */
int scan_message(struct scan *s, struct span bytes, const ProtobufCMessageDescriptor *root);
int scan_model(struct scan *s, struct span bytes); /* a ModelProto that has a graph */
void scan_release(struct scan *s);

/* The kept tensors whose messages lie inside `within`: index of the first, and how many. O(log n).
 */
size_t scan_tensors_in(const struct scan *s, struct span within, size_t *count);

/* Checks of one message whose structure has been scanned; used by scan_message. */
int scan_tensor(struct scan *s, struct span message);
int scan_sparse(struct scan *s, struct span message);
int scan_fail(const struct scan *s, enum err id, const void *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#endif
