/* protobuf-c behind a fence: it unpacks one small, scanned message at a time into a scratch arena
 * that is reset for the next, through an allocator that zeroes (protobuf-c 1.4 reads fields it
 * never set: its issues 690 and 745) and refuses beyond a budget. */
#ifndef ONNX_PB_H
#define ONNX_PB_H
#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/span.h"

struct pb {
    ProtobufCAllocator allocator; /* hands out scratch memory */
    struct arena *scratch;        /* owned */
    size_t budget;                /* bytes one message may take */
    struct ctx *ctx;
};

/* What one message without its payloads may take; the largest in the ONNX zoo needs under 100 KiB.
 */
enum { PB_BUDGET = 32 << 20 };

void pb_init(struct pb *p, struct ctx *ctx);
void pb_release(struct pb *p);
void pb_reset(struct pb *p); /* everything unpacked so far is gone */

#define PB_FIELD(number) ((uint32_t)1 << (number))

/* Bit mask of the known fields of a type that hold no messages and no bytes: its head. Numbers
 * above 31 do not occur. */
uint32_t pb_head(const ProtobufCMessageDescriptor *type);

/* The records of message whose number is in the mask (or that the type does not know, when
 * unknown), joined; a view when nothing had to be cut out. */
struct span pb_slice(struct pb *p, struct span message, const ProtobufCMessageDescriptor *type,
                     uint32_t keep, bool unknown);

/* A message of that type, valid until pb_reset; NULL after a report. */
void *pb_unpack(struct pb *p, struct span bytes, const ProtobufCMessageDescriptor *type);
void *pb_unpack_head(struct pb *p, struct span message, const ProtobufCMessageDescriptor *type,
                     uint32_t keep);

/* Serialised into the arena, in field order, unknown fields last. */
struct span pb_pack(const void *message, struct arena *a);
#endif
