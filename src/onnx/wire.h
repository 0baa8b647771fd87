/* Protocol buffers at the byte level: a cursor over the fields of one message, and varints to
 * write.
 *
 * A message is a run of records: a tag varint (number << 3 | wire type), then by wire type 0 a
 * varint, 1 eight bytes, 2 a length varint and that many bytes, 5 four bytes, all little-endian; 3
 * and 4 are groups, which ONNX never used and protobuf-c does not read. Source: protobuf.dev,
 * "Encoding".
 *
 * Nothing here allocates, recurses, or reads outside the span it was given; payloads are skipped,
 * not touched.
 */
#ifndef ONNX_WIRE_H
#define ONNX_WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_64 = 1,
    WIRE_BYTES = 2,
    WIRE_GROUP = 3,
    WIRE_END_GROUP = 4,
    WIRE_32 = 5
};
enum { WIRE_MAX_NUMBER = 536870911, WIRE_MAX_VARINT = 10 }; /* 2^29 - 1; bytes of a 64-bit varint */

enum wire_result {
    WIRE_END = 0,
    WIRE_FIELD = 1,
    WIRE_BAD_TRUNCATED = -1, /* the record runs past the end of its message */
    WIRE_BAD_VARINT = -2,    /* more than ten bytes, or more than 64 bits */
    WIRE_BAD_NUMBER = -3,    /* field number 0 or above 2^29 - 1 */
    WIRE_BAD_TYPE = -4,      /* wire types 6 and 7 */
    WIRE_BAD_GROUP = -5,
};

struct wire {
    const unsigned char *at, *end;
};

struct field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;      /* of a varint; of a 64- or 32-bit field its bits */
    struct span payload; /* of WIRE_BYTES */
    struct span record;  /* tag and all */
};

static inline struct wire wire_of(struct span message)
{
    return (struct wire){message.data, message.data + message.size};
}

enum wire_result wire_next(struct wire *w, struct field *f);
enum wire_result wire_varint(struct wire *w, uint64_t *value); /* WIRE_FIELD or a BAD code */

/* The last record of that number, which is what protobuf takes of a singular field. */
bool wire_find(struct span message, uint32_t number, struct field *f);
struct span wire_bytes(struct span message, uint32_t number); /* empty when absent */
uint64_t wire_number(struct span message, uint32_t number, uint64_t otherwise); /* varint fields */

/* Writing: bytes used, at most WIRE_MAX_VARINT. */
size_t wire_put_varint(unsigned char *out, uint64_t value);
size_t wire_varint_size(uint64_t value);
#endif
