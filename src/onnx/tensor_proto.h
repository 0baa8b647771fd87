/* A TensorProto, looked at without unpacking it: what the scan checks and the loader converts. */
#ifndef ONNX_TENSOR_PROTO_H
#define ONNX_TENSOR_PROTO_H
#include "base/dtype.h"
#include "base/span.h"
#include "ir/tensor.h"
#include "onnx/wire.h"

/* Field numbers of TensorProto's payloads. */
enum payload_field {
    NO_DATA = 0,
    FLOAT_DATA = 4,
    INT32_DATA = 5,
    STRING_DATA = 6,
    INT64_DATA = 7,
    RAW_DATA = 9,
    DOUBLE_DATA = 10,
    UINT64_DATA = 11
};

struct tensor_proto {
    struct span message, name;
    enum dtype dtype;
    bool external, segment, has_raw;
    bool two;                 /* typed payloads in two fields */
    struct span raw;          /* raw_data, empty when absent */
    enum payload_field typed; /* where typed data lies, or NO_DATA */
    uint64_t entries;         /* numbers or strings there */
    uint32_t chunks;          /* records they came in */
    struct span chunk;        /* the last packed one: all of it when chunks is 1 */
    int32_t rank;
    int64_t dims[TENSOR_MAX_RANK]; /* the first rank entries are set */
};

/* Reads one whose records have been scanned; -1 when it has too many dims. */
int tensor_proto_read(struct tensor_proto *t, struct span message);

enum payload_field tensor_payload_field(enum dtype t); /* where typed data of t must lie */
bool tensor_payload_entries(enum dtype t, int64_t count, uint64_t *entries); /* false on overflow */

/* The entries of the typed payload as bits, in any packing. */
struct tensor_entries {
    struct wire message, packed;
    enum payload_field field;
};
struct tensor_entries tensor_entries_of(const struct tensor_proto *t);
bool tensor_entries_next(struct tensor_entries *e, uint64_t *bits);
/* Bytes of the element that one entry fills; packed types fill one byte, complex numbers take two
 * entries. */
size_t tensor_entry_bytes(enum dtype t);
/* Bytes of raw_data, or that the typed numbers would take there; 0 for strings and references. */
uint64_t tensor_proto_bytes(const struct tensor_proto *t);
#endif
