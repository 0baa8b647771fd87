/* Heap blocks with a 16-byte head that holds the size, so that use can be accounted on free.
 * Layout: [pad][size, pad length][payload]; the payload is aligned to 16 or 64.
 */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct head {
    size_t bytes;
    size_t offset; /* from the system's block to the payload */
};

enum { HEAD = 16, BIG = 4096, BIG_ALIGN = 64 };
_Static_assert(sizeof(struct head) <= HEAD, "head fits");

static atomic_size_t in_use, peak, limit;

static void default_panic(size_t bytes)
{
    fprintf(stderr, "npuprep: error: out of memory (%zu bytes wanted, %zu in use)\n", bytes,
            mem_in_use());
    _exit(75);
}

static void (*panic)(size_t bytes) = default_panic;

void mem_set_panic(void (*handler)(size_t bytes)) { panic = handler; }
void mem_set_limit(size_t bytes) { atomic_store(&limit, bytes); }
size_t mem_limit(void) { return atomic_load(&limit); }
size_t mem_in_use(void) { return atomic_load(&in_use); }
size_t mem_peak(void) { return atomic_load(&peak); }

static struct head *head_of(void *block) { return (struct head *)(void *)((char *)block - HEAD); }

static int account(size_t bytes)
{
    size_t now = atomic_fetch_add(&in_use, bytes) + bytes, top = atomic_load(&limit);
    if (top && now > top) {
        atomic_fetch_sub(&in_use, bytes);
        return -1;
    }
    size_t seen = atomic_load(&peak);
    while (now > seen && !atomic_compare_exchange_weak(&peak, &seen, now))
        ;
    return 0;
}

static void *allocate(size_t bytes, int zero)
{
    size_t align = bytes >= BIG ? BIG_ALIGN : HEAD;
    if (bytes > SIZE_MAX / 2 || account(bytes))
        return NULL;
    size_t room = bytes + HEAD + align;
    char *raw = zero ? calloc(1, room) : malloc(room);
    if (!raw) {
        atomic_fetch_sub(&in_use, bytes);
        return NULL;
    }
    size_t offset = HEAD + (align - ((uintptr_t)(raw + HEAD) & (align - 1))) % align;
    struct head *head = head_of(raw + offset);
    head->bytes = bytes;
    head->offset = offset;
    return raw + offset;
}

void *mem_try_alloc(size_t bytes) { return allocate(bytes, 1); }
void *mem_try_alloc_raw(size_t bytes) { return allocate(bytes, 0); }

void *mem_alloc(size_t bytes)
{
    void *block = allocate(bytes, 1);
    if (!block)
        panic(bytes);
    return block;
}

void *mem_realloc(void *block, size_t bytes)
{
    size_t old = block ? head_of(block)->bytes : 0;
    void *grown = allocate(bytes, 0);
    if (!grown)
        panic(bytes);
    if (old)
        memcpy(grown, block, old < bytes ? old : bytes);
    mem_free(block);
    return grown;
}

void mem_free(void *block)
{
    if (!block)
        return;
    struct head *head = head_of(block);
    atomic_fetch_sub(&in_use, head->bytes);
    free((char *)block - head->offset);
}
