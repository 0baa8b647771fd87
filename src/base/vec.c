/* Doubling growth for VEC. */
#include "base/vec.h"

void *vec_grown(void *data, size_t *cap, size_t want, size_t size)
{
    size_t grown = *cap ? *cap : 8, bytes;
    while (grown < want)
        grown = grown > SIZE_MAX / 2 ? want : grown * 2;
    if (__builtin_mul_overflow(grown, size, &bytes))
        bytes = SIZE_MAX;
    *cap = grown;
    return mem_realloc(data, bytes);
}
