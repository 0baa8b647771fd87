/* Open addressing over an insertion-ordered entry array; XXH3 for bytes. Load factor at most 1/2.
 */
#include "base/map.h"

#define XXH_INLINE_ALL
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

static uint64_t hash_key(const void *key, uint64_t size)
{
    uint64_t h = key ? XXH3_64bits(key, (size_t)size) : XXH3_64bits(&size, sizeof size);
    return h ? h : 1;
}

static bool same_key(const struct map_entry *e, const void *key, uint64_t size)
{
    if (e->key_size != size || !e->key != !key)
        return false;
    return !key || size == 0 || memcmp(e->key, key, (size_t)size) == 0;
}

/* Index into slots of the key or of the free slot where it belongs. */
static size_t probe(const struct map *m, const void *key, uint64_t size, uint64_t hash)
{
    size_t i = (size_t)hash & (m->n_slots - 1);
    while (m->slots[i]) {
        const struct map_entry *e = &m->entries[m->slots[i] - 1];
        if (e->hash == hash && same_key(e, key, size))
            break;
        i = (i + 1) & (m->n_slots - 1);
    }
    return i;
}

static void rebuild(struct map *m, size_t n_slots)
{
    mem_free(m->slots);
    m->slots = mem_alloc(n_slots * sizeof *m->slots);
    m->n_slots = n_slots;
    size_t kept = 0;
    for (size_t i = 0; i < m->used; i++)
        if (m->entries[i].hash)
            m->entries[kept++] = m->entries[i];
    m->used = kept;
    for (size_t i = 0; i < kept; i++) {
        const struct map_entry *e = &m->entries[i];
        m->slots[probe(m, e->key, e->key_size, e->hash)] = (uint32_t)i + 1;
    }
}

static void **slot(struct map *m, const void *key, uint64_t size)
{
    if (m->used * 2 >= m->n_slots)
        rebuild(m, m->n_slots ? m->n_slots * (m->count * 4 >= m->n_slots ? 2 : 1) : 16);
    uint64_t hash = hash_key(key, size);
    size_t at = probe(m, key, size, hash);
    if (m->slots[at])
        return &m->entries[m->slots[at] - 1].value;
    if (m->used == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 8;
        m->entries = mem_realloc(m->entries, m->cap * sizeof *m->entries);
    }
    m->entries[m->used] = (struct map_entry){key, size, NULL, hash};
    m->slots[at] = (uint32_t)++m->used;
    m->count++;
    return &m->entries[m->used - 1].value;
}

static const struct map_entry *find(const struct map *m, const void *key, uint64_t size)
{
    if (!m->n_slots)
        return NULL;
    size_t at = probe(m, key, size, hash_key(key, size));
    return m->slots[at] ? &m->entries[m->slots[at] - 1] : NULL;
}

void map_release(struct map *m)
{
    mem_free(m->entries);
    mem_free(m->slots);
    *m = (struct map){0};
}

bool map_remove(struct map *m, const void *key, size_t size)
{
    const struct map_entry *e = find(m, key ? key : "", size);
    if (!e)
        return false;
    m->entries[e - m->entries].hash = 0;
    m->count--; /* the slot stays as a tombstone until the next rebuild */
    return true;
}

/* A NULL key of size 0 means empty bytes, not an integer. */
void **map_slot(struct map *m, const void *key, size_t size)
{
    return slot(m, key ? key : "", size);
}

void *map_get(const struct map *m, const void *key, size_t size)
{
    const struct map_entry *e = find(m, key ? key : "", size);
    return e ? e->value : NULL;
}

void **map_slot_u64(struct map *m, uint64_t key) { return slot(m, NULL, key); }

void *map_get_u64(const struct map *m, uint64_t key)
{
    const struct map_entry *e = find(m, NULL, key);
    return e ? e->value : NULL;
}

bool map_has_u64(const struct map *m, uint64_t key) { return find(m, NULL, key) != NULL; }
void **map_slot_str(struct map *m, const char *key) { return slot(m, key, strlen(key)); }
void *map_get_str(const struct map *m, const char *key) { return map_get(m, key, strlen(key)); }
bool map_has_str(const struct map *m, const char *key) { return find(m, key, strlen(key)) != NULL; }
