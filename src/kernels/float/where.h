/* Where-16: y = condition ? a : b, all three broadcast. */
#ifndef KERNELS_FLOAT_WHERE_H
#define KERNELS_FLOAT_WHERE_H
#include "kernels/float/broadcast.h"

/* plan: of the shapes of condition (bool), a and b. size: bytes of an element, 1 2 4 8 or 16, else
 * KERNEL_TYPE (packed types: unpack first, pack.h). [begin, end) of the flat result. y must not
 * overlap the inputs. */
int kernel_where(size_t size, const struct broadcast *plan, const uint8_t *condition, const void *a,
                 const void *b, void *y, int64_t begin, int64_t end);
#endif
