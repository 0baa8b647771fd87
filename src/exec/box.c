/* Boxes: run-time values that outlive the step that made them in no planned order: outputs of
 * dynamic steps, carried values of loops, items of sequences. One allocation per tensor, header
 * first, data at the next multiple of 64 bytes. Counted without atomics: a box never leaves its
 * worker.
 */
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "exec/plan.h"

enum { DATA_ALIGN = 64 };

static size_t align_up(size_t n) { return (n + DATA_ALIGN - 1) & ~(size_t)(DATA_ALIGN - 1); }

struct box *box_tensor(enum dtype dtype, int rank, const int64_t *dims)
{
    int64_t count;
    size_t bytes, spans = 0;
    if (!num_product(dims, rank, &count) || !dtype_bytes(dtype, count, &bytes))
        return NULL;
    if (dtype == DT_STRING && __builtin_mul_overflow((size_t)count, sizeof(struct span), &spans))
        return NULL;
    size_t head = align_up(sizeof(struct box) + (size_t)rank * sizeof *dims);
    size_t data = bytes + spans;
    if (data > SIZE_MAX / 2 - head - DATA_ALIGN)
        return NULL;
    struct box *b = mem_try_alloc_raw(head + data + DATA_ALIGN);
    if (!b)
        return NULL;
    memset(b, 0, sizeof *b);
    b->refs = 1;
    b->dims = (int64_t *)(b + 1);
    if (rank)
        memcpy(b->dims, dims, (size_t)rank * sizeof *dims);
    char *at = (char *)align_up((uintptr_t)b + sizeof *b + (size_t)rank * sizeof *dims);
    b->t = (struct tensor){.dtype = dtype, .rank = rank, .dims = b->dims, .count = count};
    b->t.bytes = bytes;
    if (dtype == DT_STRING)
        b->t.strings = memset(at, 0, spans);
    else
        b->t.data = at;
    return b;
}

struct box *box_sequence(enum type_kind kind, enum dtype dtype, int64_t count, struct box **items)
{
    struct box *b = mem_alloc(sizeof *b);
    b->refs = 1;
    b->items = mem_alloc(((size_t)count + 1) * sizeof *b->items);
    for (int64_t i = 0; i < count; i++)
        b->items[i] = &items[i]->t;
    b->seq = (struct sequence){.kind = kind, .dtype = dtype, .count = count, .items = b->items};
    b->t = (struct tensor){.dtype = DT_UNDEFINED, .data = &b->seq};
    return b;
}

struct box *box_of(const struct tensor *t)
{
    union {
        const char *in;
        struct box *out;
    } cast = {(const char *)t - offsetof(struct box, t)};
    return cast.out;
}

struct box *box_keep(struct box *b)
{
    b->refs++;
    return b;
}

void box_drop(struct box *b)
{
    if (!b || --b->refs)
        return;
    for (int64_t i = 0; b->items && i < b->seq.count; i++)
        box_drop(box_of(b->items[i]));
    mem_free(b->items);
    mem_free(b);
}

static struct box *copy_sequence(const struct sequence *s)
{
    struct box **items = mem_try_alloc(((size_t)s->count + 1) * sizeof *items);
    if (!items)
        return NULL;
    int64_t made = 0;
    while (made < s->count && (items[made] = box_copy(s->items[made])))
        made++;
    struct box *b = NULL;
    if (made == s->count)
        b = box_sequence(s->kind, s->dtype, s->count, items);
    else
        while (made > 0)
            box_drop(items[--made]);
    mem_free(items);
    return b;
}

struct box *box_copy(const struct tensor *t)
{
    if (t->dtype == DT_UNDEFINED)
        return copy_sequence(t->data);
    struct box *b = box_tensor(t->dtype, t->rank, t->dims);
    if (!b)
        return NULL;
    if (t->dtype == DT_STRING && t->count) {
        union {
            const struct span *in;
            struct span *out;
        } cast = {b->t.strings};
        memcpy(cast.out, t->strings, (size_t)t->count * sizeof *t->strings);
    } else if (t->bytes && !t->recipe) {
        memcpy(tensor_writable(&b->t), t->data, t->bytes);
    } else if (t->recipe) {
        for (int64_t i = 0; i < t->count; i++)
            num_set(tensor_writable(&b->t), t->dtype, i, tensor_get(t, i));
    }
    return b;
}
