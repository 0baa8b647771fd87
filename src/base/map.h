/* Hash map from bytes or a 64-bit key to a pointer-sized payload. Iteration order is insertion
 * order, so that nothing written to a file depends on hashing. Keys given as bytes are borrowed:
 * keep them alive.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
    const void *key;   /* bytes, or NULL for an integer key */
    uint64_t key_size; /* size of the bytes, or the integer key itself */
    void *value;
    uint64_t hash;
};

struct map {
    struct map_entry *entries; /* insertion order; removed ones have hash 0 */
    uint32_t *slots;
    size_t count, used, cap, n_slots;
};

void map_release(struct map *m); /* a zeroed struct is an empty map */
void **map_slot(struct map *m, const void *key,
                size_t size); /* finds or adds; new values are NULL */
void *map_get(const struct map *m, const void *key, size_t size); /* NULL when absent */
void **map_slot_u64(struct map *m, uint64_t key);
void *map_get_u64(const struct map *m, uint64_t key);
bool map_has_u64(const struct map *m, uint64_t key);
bool map_remove(struct map *m, const void *key, size_t size); /* true when it was there */

void **map_slot_str(struct map *m, const char *key);
void *map_get_str(const struct map *m, const char *key);
bool map_has_str(const struct map *m, const char *key);
#endif
