/* A fixed-size set of small integers, e.g. value or node ids. */
#ifndef BASE_BITSET_H
#define BASE_BITSET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct bitset {
    uint64_t *words;
    size_t bits;
};

static inline struct bitset bitset_new(size_t bits)
{
    return (struct bitset){mem_alloc((bits / 64 + 1) * sizeof(uint64_t)), bits};
}
static inline void bitset_release(struct bitset *s)
{
    mem_free(s->words);
    s->words = NULL;
}
static inline bool bitset_has(const struct bitset *s, size_t i)
{
    return s->words[i / 64] >> (i % 64) & 1;
}
static inline void bitset_add(struct bitset *s, size_t i)
{
    s->words[i / 64] |= (uint64_t)1 << (i % 64);
}
static inline void bitset_drop(struct bitset *s, size_t i)
{
    s->words[i / 64] &= ~((uint64_t)1 << (i % 64));
}
#endif
