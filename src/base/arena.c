/* Chunks double from 4 KiB to 1 MiB; a request larger than a chunk gets one of its own. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct chunk {
    struct chunk *next;
    size_t size, used;
    _Alignas(16) char data[];
};

struct arena {
    struct chunk *head;
    size_t next_size, bytes;
};

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20, ALIGN = 16 };

struct arena *arena_new(void)
{
    struct arena *a = mem_alloc(sizeof *a);
    a->next_size = FIRST_CHUNK;
    return a;
}

static void free_chunks(struct chunk *c)
{
    while (c) {
        struct chunk *next = c->next;
        mem_free(c);
        c = next;
    }
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    free_chunks(a->head);
    mem_free(a);
}

void arena_reset(struct arena *a)
{
    struct chunk *keep = a->head;
    if (!keep)
        return;
    free_chunks(keep->next);
    keep->next = NULL;
    memset(keep->data, 0, keep->used);
    keep->used = 0;
    a->bytes = keep->size;
}

static struct chunk *add_chunk(struct arena *a, size_t bytes)
{
    size_t size = bytes > a->next_size ? bytes : a->next_size;
    struct chunk *c = mem_alloc(sizeof *c + size);
    c->size = size;
    a->bytes += size;
    if (a->next_size < LARGEST_CHUNK)
        a->next_size *= 2;
    c->next = a->head;
    a->head = c;
    return c;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return mem_alloc(bytes); /* panics */
    bytes = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct chunk *c = a->head;
    if (!c || c->size - c->used < bytes)
        c = add_chunk(a, bytes);
    void *block = c->data + c->used;
    c->used += bytes;
    return block;
}

/* Behind the head, so that arena_reset gives it back at once instead of keeping and clearing it. */
void *arena_try(struct arena *a, size_t bytes)
{
    if (!a->head)
        add_chunk(a, 0);
    if (bytes > SIZE_MAX / 2)
        return NULL;
    struct chunk *c = mem_try_alloc_raw(sizeof *c + bytes);
    if (!c)
        return NULL;
    c->size = c->used = bytes;
    a->bytes += bytes;
    c->next = a->head->next;
    a->head->next = c;
    return c->data;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = SIZE_MAX;
    return arena_alloc(a, bytes);
}

void *arena_copy(struct arena *a, const void *from, size_t bytes)
{
    void *block = arena_alloc(a, bytes);
    if (bytes)
        memcpy(block, from, bytes);
    return block;
}

char *arena_string(struct arena *a, const char *text)
{
    return arena_copy(a, text, strlen(text) + 1);
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    size_t room = length < 0 ? 1 : (size_t)length + 1;
    char *text = arena_alloc(a, room);
    vsnprintf(text, room, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(a, format, args);
    va_end(args);
    return text;
}

size_t arena_bytes(const struct arena *a) { return a->bytes; }
