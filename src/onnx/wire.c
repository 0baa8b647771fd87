/* The cursor. Every length is compared with what is left before it is added to a pointer. */
#include "onnx/wire.h"

enum wire_result wire_varint(struct wire *w, uint64_t *value)
{
    uint64_t v = 0;
    for (int i = 0; i < WIRE_MAX_VARINT; i++) {
        if (w->at == w->end)
            return WIRE_BAD_TRUNCATED;
        unsigned char byte = *w->at++;
        if (i == WIRE_MAX_VARINT - 1 && byte > 1)
            return WIRE_BAD_VARINT;
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *value = v;
            return WIRE_FIELD;
        }
    }
    return WIRE_BAD_VARINT;
}

static enum wire_result fixed(struct wire *w, size_t bytes, uint64_t *value)
{
    if ((size_t)(w->end - w->at) < bytes)
        return WIRE_BAD_TRUNCATED;
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t)w->at[i] << (8 * i);
    w->at += bytes;
    *value = v;
    return WIRE_FIELD;
}

static enum wire_result bytes(struct wire *w, struct span *payload)
{
    uint64_t length;
    enum wire_result r = wire_varint(w, &length);
    if (r != WIRE_FIELD)
        return r;
    if (length > (uint64_t)(w->end - w->at))
        return WIRE_BAD_TRUNCATED;
    *payload = (struct span){w->at, (size_t)length};
    w->at += length;
    return WIRE_FIELD;
}

static enum wire_result body(struct wire *w, struct field *f)
{
    switch (f->type) {
    case WIRE_VARINT:
        return wire_varint(w, &f->value);
    case WIRE_64:
        return fixed(w, 8, &f->value);
    case WIRE_32:
        return fixed(w, 4, &f->value);
    case WIRE_BYTES:
        return bytes(w, &f->payload);
    case WIRE_GROUP:
    case WIRE_END_GROUP:
        return WIRE_BAD_GROUP;
    default:
        return WIRE_BAD_TYPE;
    }
}

enum wire_result wire_next(struct wire *w, struct field *f)
{
    if (w->at == w->end)
        return WIRE_END;
    const unsigned char *start = w->at;
    uint64_t tag;
    enum wire_result r = wire_varint(w, &tag);
    if (r == WIRE_FIELD && (tag >> 3 == 0 || tag >> 3 > WIRE_MAX_NUMBER))
        r = WIRE_BAD_NUMBER;
    if (r == WIRE_FIELD) {
        f->number = (uint32_t)(tag >> 3);
        f->type = (enum wire_type)(tag & 7);
        f->value = 0;
        f->payload = (struct span){w->at, 0};
        r = body(w, f);
    }
    if (r != WIRE_FIELD)
        w->at = start; /* the place to report */
    else
        f->record = (struct span){start, (size_t)(w->at - start)};
    return r;
}

bool wire_find(struct span message, uint32_t number, struct field *f)
{
    struct wire w = wire_of(message);
    struct field at;
    bool found = false;
    while (wire_next(&w, &at) == WIRE_FIELD)
        if (at.number == number) {
            *f = at;
            found = true;
        }
    return found;
}

struct span wire_bytes(struct span message, uint32_t number)
{
    struct field f;
    bool found = wire_find(message, number, &f) && f.type == WIRE_BYTES;
    return found ? f.payload : (struct span){message.data, 0};
}

uint64_t wire_number(struct span message, uint32_t number, uint64_t otherwise)
{
    struct field f;
    return wire_find(message, number, &f) && f.type == WIRE_VARINT ? f.value : otherwise;
}

size_t wire_put_varint(unsigned char *out, uint64_t value)
{
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        out[n++] = (unsigned char)(value | 0x80);
    out[n++] = (unsigned char)value;
    return n;
}

size_t wire_varint_size(uint64_t value)
{
    size_t n = 1;
    for (; value >= 0x80; value >>= 7)
        n++;
    return n;
}
