/* Transposing by tiles: a tile of TILE x TILE elements is read by rows and written by rows, so that
 * both sides stay in the nearest cache. The inner loops have fixed counts, which the compiler turns
 * into vector shuffles; the ragged edge is done element by element.
 */
#include "kernels/float/swap_axes.h"

#include <string.h>

enum { TILE = 16 };

#define DEFINE_SWAP(T, name)                                                                    \
    static void name##_tile(const T *restrict from, T *restrict to, int64_t from_step,          \
                            int64_t to_step)                                                    \
    {                                                                                           \
        for (int64_t c = 0; c < TILE; c++)                                                      \
            for (int64_t r = 0; r < TILE; r++)                                                  \
                to[c * to_step + r] = from[r * from_step + c];                                  \
    }                                                                                           \
    static void name##_edge(const T *restrict from, T *restrict to,                             \
                            const struct swap_axes_args *a, int64_t r0, int64_t r1, int64_t c0, \
                            int64_t c1)                                                         \
    {                                                                                           \
        for (int64_t c = c0; c < c1; c++)                                                       \
            for (int64_t r = r0; r < r1; r++)                                                   \
                to[c * a->to_step + r] = from[r * a->from_step + c];                            \
    }                                                                                           \
    static void name(const T *restrict from, T *restrict to, const struct swap_axes_args *a)    \
    {                                                                                           \
        int64_t rows = a->rows / TILE * TILE, cols = a->cols / TILE * TILE;                     \
        for (int64_t c = 0; c < cols; c += TILE)                                                \
            for (int64_t r = 0; r < rows; r += TILE)                                            \
                name##_tile(from + r * a->from_step + c, to + c * a->to_step + r, a->from_step, \
                            a->to_step);                                                        \
        name##_edge(from, to, a, rows, a->rows, 0, cols);                                       \
        name##_edge(from, to, a, 0, a->rows, cols, a->cols);                                    \
    }

DEFINE_SWAP(uint8_t, swap_1)
DEFINE_SWAP(uint16_t, swap_2)
DEFINE_SWAP(uint32_t, swap_4)
DEFINE_SWAP(uint64_t, swap_8)

void swap_axes(const void *from, void *to, const struct swap_axes_args *args)
{
    switch (args->size) {
    case 1:
        swap_1(from, to, args);
        break;
    case 2:
        swap_2(from, to, args);
        break;
    case 4:
        swap_4(from, to, args);
        break;
    case 8:
        swap_8(from, to, args);
        break;
    default:
        break;
    }
}
