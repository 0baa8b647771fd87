/* What a file will hold, before a byte is written: a list of pieces that lie in mapped files, in
 * arenas, or in tensors still to be materialised. Lengths of enclosing messages fall out when they
 * are closed. */
#ifndef ONNX_SAVE_PLAN_H
#define ONNX_SAVE_PLAN_H
#include "base/file.h"
#include "base/vec.h"
#include "ir/tensor.h"

struct piece {
    const unsigned char *data; /* NULL: of a tensor, or the prefix of an open message */
    uint64_t size;
    const struct tensor *tensor; /* its packed bytes */
};

struct open_message {
    size_t piece;   /* its prefix */
    uint64_t start; /* plan size before it */
    uint32_t number;
};

struct plan {
    struct arena *arena; /* borrowed: holds prefixes */
    VEC(struct piece) pieces;
    VEC(struct open_message) open;
    uint64_t size;
    uint64_t largest; /* of the messages closed so far */
};

void plan_release(struct plan *p);
void plan_clear(struct plan *p);

void plan_bytes(struct plan *p, struct span bytes); /* borrows; joins what follows on in memory */
void plan_tensor(struct plan *p, const struct tensor *t);          /* borrows */
void plan_varint(struct plan *p, uint32_t number, uint64_t value); /* a field */
void plan_text(struct plan *p, uint32_t number, const char *text); /* a field; copies */
void plan_prefix(struct plan *p, uint32_t number,
                 uint64_t size); /* of a field whose payload follows */
void plan_open(struct plan *p, uint32_t number);
void plan_close(struct plan *p);

int plan_write(const struct plan *p, struct outfile *o, const struct ctx *ctx);
int plan_copy(const struct plan *p, unsigned char *out, const struct ctx *ctx); /* p->size bytes */
#endif
