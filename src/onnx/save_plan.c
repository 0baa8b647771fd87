/* Pieces in order; a run that continues the one before in memory is joined to it, so an edit of one
 * node in a hundred thousand makes a handful of pieces. */
#include "onnx/save_plan.h"

#include <string.h>

#include "base/mem.h"
#include "onnx/wire.h"

enum { PREFIX_ROOM = 2 * WIRE_MAX_VARINT };

void plan_release(struct plan *p)
{
    vec_free(&p->pieces);
    vec_free(&p->open);
}

void plan_clear(struct plan *p)
{
    vec_clear(&p->pieces);
    vec_clear(&p->open);
    p->size = p->largest = 0;
}

void plan_bytes(struct plan *p, struct span bytes)
{
    if (bytes.size == 0)
        return;
    struct piece *last = p->pieces.count ? &vec_last(&p->pieces) : NULL;
    if (last && last->data && last->data + last->size == bytes.data)
        last->size += bytes.size;
    else
        vec_push(&p->pieces, ((struct piece){.data = bytes.data, .size = bytes.size}));
    p->size += bytes.size;
}

void plan_tensor(struct plan *p, const struct tensor *t)
{
    if (t->bytes == 0)
        return;
    vec_push(&p->pieces, ((struct piece){.size = t->bytes, .tensor = t}));
    p->size += t->bytes;
}

static struct span prefix(struct plan *p, uint32_t number, uint64_t size)
{
    unsigned char *out = arena_alloc(p->arena, PREFIX_ROOM);
    size_t used = wire_put_varint(out, (uint64_t)number << 3 | WIRE_BYTES);
    used += wire_put_varint(out + used, size);
    return (struct span){out, used};
}

void plan_prefix(struct plan *p, uint32_t number, uint64_t size)
{
    plan_bytes(p, prefix(p, number, size));
}

void plan_varint(struct plan *p, uint32_t number, uint64_t value)
{
    unsigned char *out = arena_alloc(p->arena, PREFIX_ROOM);
    size_t used = wire_put_varint(out, (uint64_t)number << 3 | WIRE_VARINT);
    used += wire_put_varint(out + used, value);
    plan_bytes(p, (struct span){out, used});
}

void plan_text(struct plan *p, uint32_t number, const char *text)
{
    size_t size = strlen(text);
    plan_prefix(p, number, size);
    plan_bytes(p, (struct span){arena_copy(p->arena, text, size), size});
}

void plan_open(struct plan *p, uint32_t number)
{
    vec_push(&p->open, ((struct open_message){p->pieces.count, p->size, number}));
    vec_push(&p->pieces, ((struct piece){0}));
}

void plan_close(struct plan *p)
{
    struct open_message m = vec_pop(&p->open);
    uint64_t body = p->size - m.start;
    struct span bytes = prefix(p, m.number, body);
    p->pieces.data[m.piece] = (struct piece){.data = bytes.data, .size = bytes.size};
    p->size += bytes.size;
    if (body > p->largest)
        p->largest = body;
}

/* ---- out ---- */

typedef int sink(void *user, const void *data, size_t size);

static int emit(const struct plan *p, const struct ctx *ctx, sink *put, void *user)
{
    struct arena *scratch = arena_new();
    int code = 0;
    for (size_t i = 0; !code && i < p->pieces.count; i++) {
        const struct piece *piece = &p->pieces.data[i];
        const void *data = piece->tensor ? tensor_bytes_of(piece->tensor, scratch) : piece->data;
        if (!data)
            code = diag_report(ctx->diag, E_LIMIT_MEMORY, NULL,
                               "a tensor of %llu bytes cannot be computed",
                               (unsigned long long)piece->size);
        else
            code = put(user, data, (size_t)piece->size);
        if (piece->tensor) {
            arena_reset(scratch);
            code = code ? code : ctx_check(ctx);
        }
    }
    arena_free(scratch);
    return code;
}

static int to_file(void *user, const void *data, size_t size)
{
    return outfile_write(user, data, size);
}

int plan_write(const struct plan *p, struct outfile *o, const struct ctx *ctx)
{
    return emit(p, ctx, to_file, o);
}

static int to_memory(void *user, const void *data, size_t size)
{
    unsigned char **at = user;
    memcpy(*at, data, size);
    *at += size;
    return 0;
}

int plan_copy(const struct plan *p, unsigned char *out, const struct ctx *ctx)
{
    return emit(p, ctx, to_memory, &out);
}
