/* Growable arrays:  VEC(struct node *) nodes = {0};  vec_push(&nodes, n);  ... vec_free(&nodes);
 * Elements move when it grows: keep indices, not pointers. Memory comes from base/mem.h.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define VEC(type)          \
    struct {               \
        type *data;        \
        size_t count, cap; \
    }

void *vec_grown(void *data, size_t *cap, size_t want, size_t size);

#define vec_reserve(v, want)                                                              \
    ((want) > (v)->cap                                                                    \
         ? (void)((v)->data = vec_grown((v)->data, &(v)->cap, (want), sizeof *(v)->data)) \
         : (void)0)
#define vec_push(v, item) \
    (vec_reserve((v), (v)->count + 1), (void)((v)->data[(v)->count++] = (item)))
#define vec_pop(v) ((v)->data[--(v)->count])
#define vec_last(v) ((v)->data[(v)->count - 1])
#define vec_clear(v) ((void)((v)->count = 0))
#define vec_free(v) (mem_free((v)->data), (v)->data = NULL, (v)->count = (v)->cap = 0)
#endif
